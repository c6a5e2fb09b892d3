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

    /// @notice Where the word of a nonce is stored. Who asks for the bits and then moves them hashes once.
    function slotOf(Space storage space, uint256 nonce) internal pure returns (uint256 slot) {
        // What the compiler does for `space.words[nonce >> 7]`, in the scratch space.
        assembly ("memory-safe") {
            mstore(0x00, shr(7, nonce))
            mstore(0x20, space.slot)
            slot := keccak256(0x00, 0x40)
        }
    }

    /// @notice The two bits of a nonce, in the word that `slotOf` named.
    function getAt(uint256 slot, uint256 nonce) internal view returns (uint256) {
        uint256 word;
        assembly ("memory-safe") {
            word := sload(slot)
        }
        return (word >> ((nonce & 127) << 1)) & 3;
    }

    /// @notice Moves a nonce from the expected status to another: every change of status passes here.
    /// @param slot of the nonce, from `slotOf`: no other word is written
    function moveAt(uint256 slot, uint256 nonce, uint256 from, uint256 to) internal {
        uint256 shift = (nonce & 127) << 1;
        uint256 word;
        assembly ("memory-safe") {
            word := sload(slot)
        }
        assert((word >> shift) & 3 == from);
        word ^= (from ^ to) << shift;
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }

    /// @notice The two bits of a nonce.
    function get(Space storage space, uint256 nonce) internal view returns (uint256) {
        return getAt(slotOf(space, nonce), nonce);
    }

    /// @notice Moves a nonce from the expected status to another.
    function move(Space storage space, uint256 nonce, uint256 from, uint256 to) internal {
        moveAt(slotOf(space, nonce), nonce, from, to);
    }
}
