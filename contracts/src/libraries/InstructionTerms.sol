// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MAX_LEGS, OPTION_PARTIAL, OPTIONS_KNOWN} from "../interfaces/Types.sol";
import {LegWords, Plan} from "./Plan.sol";
import {Reasons} from "./Reasons.sol";

/// @title What the terms of an instruction say by themselves
/// @notice Pure: no state, no clock.
library InstructionTerms {
    using Reasons for Plan;

    /// @notice Whether an instruction may have that many legs.
    function mayCount(uint256 legs) internal pure returns (bool) {
        return legs != 0 && legs <= MAX_LEGS;
    }

    /// @notice Finds everything in the terms that no state of the chain could make settle, and lists the
    /// accounts. Legs first, then the rest.
    function check(Plan memory plan) internal pure {
        LegWords[] memory legs = plan.legs;
        // Bounds: `mayCount` legs, of which each brings at most two new accounts; so no sum overflows.
        unchecked {
            // Written at its largest size, then cut.
            uint256[] memory accounts = new uint256[](2 * legs.length);
            uint256 count = 0;
            uint256 deliverers = 0;
            for (uint256 k = 0; k < legs.length; ++k) {
                LegWords memory leg = legs[k];
                if (leg.quantity == 0) plan.add(Reasons.QUANTITY, k, leg.deliverer, 1, 0);
                if (leg.deliverer == leg.receiver) plan.add(Reasons.SELF, k, leg.deliverer, 0, 0);
                uint256 index = _indexOf(accounts, count, leg.deliverer);
                if (index == count) accounts[count++] = leg.deliverer;
                deliverers |= 1 << index;
                if (_indexOf(accounts, count, leg.receiver) == count) {
                    accounts[count++] = leg.receiver;
                }
            }
            if (_indexOf(accounts, count, plan.initiator) == count) {
                plan.add(Reasons.INITIATOR, 0, plan.initiator, 0, 0);
            }
            // Shortens the array in place: the words behind it stay allocated and unused.
            assembly ("memory-safe") {
                mstore(accounts, count)
            }
            plan.accounts = accounts;
            plan.deliverers = deliverers;
        }
        // The plain trade has none of this; what there is is looked at one by one.
        uint256 special = plan.options | plan.cycle | plan.minimumLot | plan.predecessor;
        if (special != 0 || plan.settleFrom >= plan.settleBy) _checkSpecial(plan);
    }

    function _checkSpecial(Plan memory plan) private pure {
        uint256 initiator = plan.initiator;
        if (plan.settleFrom >= plan.settleBy) {
            plan.add(Reasons.WINDOW, 0, initiator, plan.settleFrom, plan.settleBy);
        }
        if (plan.options & ~uint256(OPTIONS_KNOWN) != 0) {
            plan.add(Reasons.OPTION, 0, initiator, OPTIONS_KNOWN, plan.options);
        }
        if (plan.cycle != 0) plan.add(Reasons.CYCLE, 0, initiator, 0, plan.cycle);
        if (plan.predecessor != 0) {
            plan.add(Reasons.PREDECESSOR, 0, initiator, 0, plan.predecessor);
        }
        uint256 largest = plan.options & OPTION_PARTIAL == 0 ? 0 : plan.legs[0].quantity;
        if (plan.minimumLot > largest) {
            plan.add(Reasons.LOT, 0, initiator, largest, plan.minimumLot);
        }
    }

    /// @notice Where an account stands in the list; the list's length if it does not.
    function indexOf(uint256[] memory accounts, uint256 account) internal pure returns (uint256) {
        return _indexOf(accounts, accounts.length, account);
    }

    function _indexOf(uint256[] memory accounts, uint256 count, uint256 account)
        private
        pure
        returns (uint256 k)
    {
        unchecked {
            while (k < count && accounts[k] != account) ++k;
        }
    }
}
