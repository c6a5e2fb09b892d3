// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Two bits a nonce, 128 nonces a word
/// @notice 0 open, 1 settled, 2 cancelled, 3 live in storage. Dense nonces share a word, so that "once"
/// costs 5,000 gas instead of the 22,100 of a fresh slot (law L4).
library NonceBits {
    uint256 internal constant OPEN = 0;
    uint256 internal constant SETTLED = 1;
    uint256 internal constant CANCELLED = 2;
    uint256 internal constant LIVE = 3;

    struct Space {
        mapping(uint256 wordIndex => uint256) words;
    }

    /// @notice The two bits of a nonce.
    function get(Space storage space, uint256 nonce) internal view returns (uint256) {
        return (space.words[nonce >> 7] >> ((nonce & 127) << 1)) & 3;
    }

    /// @notice Moves a nonce from the expected status to another: every change of status passes here.
    function move(Space storage space, uint256 nonce, uint256 from, uint256 to) internal {
        uint256 shift = (nonce & 127) << 1;
        uint256 word = space.words[nonce >> 7];
        assert((word >> shift) & 3 == from);
        space.words[nonce >> 7] = word ^ ((from ^ to) << shift);
    }
}
