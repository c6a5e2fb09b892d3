// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The language of conditions
/// @notice Prefix notation, big endian, one encoding for one condition; the milestones' conditions follow
/// each other. A node is an opcode, its fields, and, of a group, its children:
/// ```
/// 00 NEVER                        only as a whole condition
/// 01 TIME      at:8
/// 02 SIGNED    signer:20 statement:32
/// 03 READING   signer:20 feed:32 kind:1 at:8 low:16 high:16     kind 0: round `at`; 1: instant `at`
/// 04 FEED      contract:20 kind:1 at:10 low:16 high:16          kind 0: round `at`; 1: first from `at` on
/// 05 PREIMAGE  sha256:32
/// 06 SETTLED   id:32
/// 07 OUTCOME   milestone:1 mask:1                               mask: bit 0 released, 1 refunded, 2 split
/// 10 ALL       n:1        11 ANY n:1        12 AT_LEAST k:1 n:1        13 NOT, over 06 or 07 only
/// ```
/// @dev ConditionForm reads a program that nobody has checked; everything else one that it let pass.
library Conditions {
    uint256 internal constant NEVER = 0x00;
    uint256 internal constant TIME = 0x01;
    uint256 internal constant SIGNED = 0x02;
    uint256 internal constant READING = 0x03;
    uint256 internal constant FEED = 0x04;
    uint256 internal constant PREIMAGE = 0x05;
    uint256 internal constant SETTLED = 0x06;
    uint256 internal constant OUTCOME = 0x07;
    uint256 internal constant ALL = 0x10;
    uint256 internal constant ANY = 0x11;
    uint256 internal constant AT_LEAST = 0x12;
    uint256 internal constant NOT = 0x13;

    /// @dev Bytes of each node by its opcode, its children not counted; 0: there is no such opcode.
    bytes32 private constant SIZES =
        hex"0109355e40212103000000000000000002020301000000000000000000000000";

    /// @notice 32 bytes of the program from an offset on; behind its end they mean nothing.
    function word(bytes calldata program, uint256 offset) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(program.offset, offset))
        }
    }

    /// @notice The opcode of the node that begins at an offset.
    function opcodeAt(bytes calldata program, uint256 offset) internal pure returns (uint256) {
        return word(program, offset) >> 248;
    }

    /// @notice Bytes of a node without its children; 0 if there is no such opcode.
    function sizeOf(uint256 opcode) internal pure returns (uint256 size) {
        bytes32 sizes = SIZES;
        // The byte of that number; zero for the numbers behind the table, 20 and more.
        assembly ("memory-safe") {
            size := byte(opcode, sizes)
        }
    }

    /// @notice An integer of `size` bytes that begins at an offset.
    function number(bytes calldata program, uint256 offset, uint256 size)
        internal
        pure
        returns (uint256)
    {
        return word(program, offset) >> (256 - (size << 3));
    }

    /// @notice The two bounds, int128 each, that begin at an offset.
    function range(bytes calldata program, uint256 offset)
        internal
        pure
        returns (int256 low, int256 high)
    {
        // Each keeps its sign: the shift to the right is arithmetic.
        low = int256(word(program, offset)) >> 128;
        high = int256(word(program, offset + 16)) >> 128;
    }

    /// @notice How many children a node of a program that was checked has.
    function childrenOf(bytes calldata program, uint256 offset, uint256 opcode)
        internal
        pure
        returns (uint256)
    {
        if (opcode < ALL) return 0;
        if (opcode == NOT) return 1;
        return number(program, offset + (opcode == AT_LEAST ? 2 : 1), 1);
    }

    /// @notice Whether a leaf is shown something. That an instruction settled, the chain knows; that it
    /// cannot settle any more is seen by its terms.
    function takesEvidence(uint256 opcode, bool negated) internal pure returns (bool) {
        return (opcode >= SIGNED && opcode <= PREIMAGE) || (opcode == SETTLED && negated);
    }
}
