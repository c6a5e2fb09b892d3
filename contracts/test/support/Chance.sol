// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Dice that fall the same way for the same seed.
abstract contract Chance {
    uint256 internal seedOfAct;

    function roll(uint256 sides) internal returns (uint256) {
        seedOfAct = uint256(keccak256(abi.encode(seedOfAct)));
        return seedOfAct % sides;
    }
}
