// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The accounts of an instruction, each once, in order of first appearance
/// @notice A list with one word of room behind its last element, always: Typed.load reserves two words a leg,
/// as many as there can be accounts, and one more.
library AccountList {
    /// @notice Where an account stands in the list; the list's length if it does not.
    /// @dev Writes the account into the room behind the list, where the search ends at the latest.
    function indexOf(uint256[] memory list, uint256 account) internal pure returns (uint256 index) {
        assembly ("memory-safe") {
            let first := add(list, 0x20)
            mstore(add(first, shl(5, mload(list))), account)
            let entry := first
            for {} iszero(eq(mload(entry), account)) {} { entry := add(entry, 0x20) }
            index := shr(5, sub(entry, first))
        }
    }

    /// @notice The same, after adding an account that is not there yet.
    /// @dev The search has left it in its place: the length is all that is missing.
    function include(uint256[] memory list, uint256 account) internal pure returns (uint256 index) {
        assembly ("memory-safe") {
            let first := add(list, 0x20)
            let end := add(first, shl(5, mload(list)))
            mstore(end, account)
            let entry := first
            for {} iszero(eq(mload(entry), account)) {} { entry := add(entry, 0x20) }
            index := shr(5, sub(entry, first))
            if eq(entry, end) { mstore(list, add(index, 1)) }
        }
    }

    /// @notice The account at an index that the caller's loop keeps below the length.
    function get(uint256[] memory list, uint256 index) internal pure returns (uint256 account) {
        assembly ("memory-safe") {
            account := mload(add(add(list, 0x20), shl(5, index)))
        }
    }
}
