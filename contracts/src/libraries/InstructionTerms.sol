// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Instruction,
    Leg,
    MAX_LEGS,
    OPTION_PARTIAL,
    OPTIONS_KNOWN,
    Reason
} from "../interfaces/Types.sol";
import {Reasons} from "./Reasons.sol";

/// @title What the terms of an instruction say by themselves
/// @notice Pure: no state, no clock.
library InstructionTerms {
    using Reasons for Reason[];

    /// @notice Everything in the terms that no state of the chain could make settle.
    function check(Instruction calldata instruction)
        internal
        pure
        returns (Reason[] memory reasons)
    {
        address initiator = instruction.initiator;
        uint256 count = instruction.legs.length;
        if (count == 0 || count > MAX_LEGS) {
            return reasons.with(Reasons.LEGS, 0, initiator, MAX_LEGS, count);
        }
        bool initiates = false;
        // Bound: count <= MAX_LEGS.
        for (uint256 k = 0; k < count; ++k) {
            Leg calldata leg = instruction.legs[k];
            if (leg.quantity == 0) {
                reasons = reasons.with(Reasons.QUANTITY, k, leg.deliverer, 1, 0);
            }
            if (leg.deliverer == leg.receiver) {
                reasons = reasons.with(Reasons.SELF, k, leg.deliverer, 0, 0);
            }
            if (leg.deliverer == initiator || leg.receiver == initiator) initiates = true;
        }
        if (!initiates) reasons = reasons.with(Reasons.INITIATOR, 0, initiator, 0, 0);
        if (instruction.settleFrom >= instruction.settleBy) {
            reasons = reasons.with(
                Reasons.WINDOW, 0, initiator, instruction.settleFrom, instruction.settleBy
            );
        }
        if (instruction.options & ~OPTIONS_KNOWN != 0) {
            reasons = reasons.with(Reasons.OPTION, 0, initiator, OPTIONS_KNOWN, instruction.options);
        }
        if (instruction.cycle != 0) {
            reasons = reasons.with(Reasons.CYCLE, 0, initiator, 0, uint256(instruction.cycle));
        }
        if (instruction.predecessor != 0) {
            reasons = reasons.with(
                Reasons.PREDECESSOR, 0, initiator, 0, uint256(instruction.predecessor)
            );
        }
        uint256 largestLot =
            instruction.options & OPTION_PARTIAL == 0 ? 0 : instruction.legs[0].quantity;
        if (instruction.minimumLot > largestLot) {
            reasons = reasons.with(Reasons.LOT, 0, initiator, largestLot, instruction.minimumLot);
        }
    }

    /// @notice The accounts of the legs in order of first appearance, deliverer before receiver, and a bit
    /// for each that delivers.
    function parties(Leg[] calldata legs)
        internal
        pure
        returns (address[] memory accounts, uint256 deliverers)
    {
        // Written at its largest size, then cut: a leg brings at most two new accounts.
        accounts = new address[](2 * legs.length);
        uint256 count = 0;
        for (uint256 k = 0; k < legs.length; ++k) {
            uint256 index = _indexOf(accounts, count, legs[k].deliverer);
            if (index == count) accounts[count++] = legs[k].deliverer;
            deliverers |= 1 << index;
            index = _indexOf(accounts, count, legs[k].receiver);
            if (index == count) accounts[count++] = legs[k].receiver;
        }
        // Shortens the array in place: count <= its length, the words behind it stay allocated and unused.
        assembly ("memory-safe") {
            mstore(accounts, count)
        }
    }

    /// @notice Where an account stands in the list; the list's length if it does not.
    function indexOf(address[] memory accounts, address account) internal pure returns (uint256) {
        return _indexOf(accounts, accounts.length, account);
    }

    function _indexOf(address[] memory accounts, uint256 count, address account)
        private
        pure
        returns (uint256 k)
    {
        while (k < count && accounts[k] != account) ++k;
    }
}
