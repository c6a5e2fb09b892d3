// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MAX_LEGS, OPTION_PARTIAL, OPTIONS_KNOWN} from "../interfaces/Types.sol";
import {AccountList} from "./AccountList.sol";
import {LEG_SIZE, LegWords, Plan} from "./Plan.sol";
import {Reasons} from "./Reasons.sol";

/// @title What the terms of an instruction say by themselves
/// @notice Pure: no state, no clock.
library InstructionTerms {
    using AccountList for uint256[];
    using Reasons for Plan;

    /// @notice Whether an instruction may have that many legs.
    function mayCount(uint256 legs) internal pure returns (bool) {
        return legs != 0 && legs <= MAX_LEGS;
    }

    /// @notice Finds everything in the terms that no state of the chain could make settle, and lists the
    /// accounts. Legs first, then the rest.
    function check(Plan memory plan) internal pure {
        LegWords memory leg = plan.firstLeg;
        uint256[] memory accounts = plan.accounts;
        uint256 deliverers = 0;
        uint256 count = plan.legs.length;
        // Bound: `mayCount` legs.
        for (uint256 k = 0; k < count; ++k) {
            if (leg.quantity == 0) plan.add(Reasons.QUANTITY, k, leg.deliverer, 1, 0);
            if (leg.deliverer == leg.receiver) plan.add(Reasons.SELF, k, leg.deliverer, 0, 0);
            deliverers |= 1 << accounts.include(leg.deliverer);
            // Only a deliverer's place is asked for.
            // slither-disable-next-line unused-return
            accounts.include(leg.receiver);
            // The next leg; not read after the last.
            assembly ("memory-safe") {
                leg := add(leg, LEG_SIZE)
            }
        }
        plan.deliverers = deliverers;
        if (accounts.indexOf(plan.initiator) == accounts.length) {
            plan.add(Reasons.INITIATOR, 0, plan.initiator, 0, 0);
        }
        if (plan.settleFrom >= plan.settleBy) {
            plan.add(Reasons.WINDOW, 0, plan.initiator, plan.settleFrom, plan.settleBy);
        }
        // The plain trade has none of this; what there is is looked at one by one.
        uint256 special = plan.options | plan.cycle | plan.minimumLot | plan.predecessor;
        if (special != 0) _checkSpecial(plan);
    }

    function _checkSpecial(Plan memory plan) private pure {
        uint256 initiator = plan.initiator;
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
}
