// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Holding} from "../interfaces/Types.sol";

/// @title A holding in one word: available in the low half, held in the high half
/// @notice Plain sums: available + held never exceeds the asset's supply, which fits 128 bits, so neither
/// half can overflow into the other; and every subtraction is of what the caller has seen there.
library HoldingWord {
    /// @notice The available half.
    function available(uint256 word) internal pure returns (uint256) {
        return word & type(uint128).max;
    }

    /// @notice The word with the quantity moved from available to held.
    function hold(uint256 word, uint256 quantity) internal pure returns (uint256) {
        return word - quantity + (quantity << 128);
    }

    /// @notice The word with the quantity moved from held to available.
    function unhold(uint256 word, uint256 quantity) internal pure returns (uint256) {
        return word - (quantity << 128) + quantity;
    }

    /// @notice Both halves by name.
    function read(uint256 word) internal pure returns (Holding memory) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return Holding({available: uint128(word), held: uint128(word >> 128)});
    }
}
