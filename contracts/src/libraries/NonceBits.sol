// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Two bits a nonce, 128 nonces a word
/// @notice 0 open, 1 settled, 2 cancelled, 3 live in storage. Dense nonces share a word, so that "once"
/// costs 5,000 gas instead of the 22,100 of a fresh slot (law L4).
library NonceBits {
    uint8 internal constant OPEN = 0;
    uint8 internal constant SETTLED = 1;
    uint8 internal constant CANCELLED = 2;
    uint8 internal constant LIVE = 3;

    struct Space {
        mapping(uint256 wordIndex => uint256) words;
    }

    /// @notice The two bits of a nonce.
    function get(Space storage space, uint64 nonce) internal view returns (uint8) {
        // Two bits fit a uint8.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint8((space.words[nonce >> 7] >> ((nonce & 127) << 1)) & 3);
    }

    /// @notice Moves a nonce from the expected status to another: every change of status passes here.
    function move(Space storage space, uint64 nonce, uint8 from, uint8 to) internal {
        uint256 shift = (nonce & 127) << 1;
        uint256 word = space.words[nonce >> 7];
        assert((word >> shift) & 3 == from);
        space.words[nonce >> 7] = word ^ (uint256(from ^ to) << shift);
    }
}
