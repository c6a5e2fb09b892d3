// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IEscrow,
    MAX_ARBITERS,
    MAX_DISPUTE,
    MAX_ESCROW_LINES,
    MAX_ESCROW_WINDOW,
    MAX_MILESTONES,
    MAX_PROGRAM,
    MIN_STEP
} from "../interfaces/IEscrow.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {AccountList} from "./AccountList.sol";
import {ConditionForm} from "./ConditionForm.sol";
import {EscrowPlan, LINE_SIZE, LineWords} from "./EscrowPlan.sol";
import {EscrowParties} from "./EscrowParties.sol";
import {EscrowTyped} from "./EscrowTyped.sol";
import {Window} from "./Window.sol";

/// @title What terms of an escrow must be like to be opened
/// @notice No state but the clock. The first fault counts, in the order of the functions.
library EscrowForm {
    using AccountList for uint256[];

    /// @notice Refuses terms that are not well-formed; lists who signs them.
    function check(EscrowPlan memory plan) internal view returns (uint256[] memory signers) {
        _checkBounds(plan);
        _checkLines(plan);
        _checkDeadlines(plan);
        signers = EscrowParties.partiesOf(plan, EscrowParties.ALL);
        uint256 partial_ = ConditionForm.check(plan, EscrowTyped.programOf(plan), signers);
        _checkPanel(plan, signers, partial_);
        EscrowParties.addNeutrals(plan, signers);
    }

    /// @dev Nothing was done with the terms but reading and hashing (law L9).
    function _checkBounds(EscrowPlan memory plan) private pure {
        uint256 lines = plan.lines;
        if (lines == 0 || lines > MAX_ESCROW_LINES) {
            revert IEscrow.TooManyLines(lines, MAX_ESCROW_LINES);
        }
        uint256 milestones = plan.deadlines.length;
        if (milestones == 0 || milestones > MAX_MILESTONES) {
            revert IEscrow.TooManyMilestones(milestones, MAX_MILESTONES);
        }
        uint256 arbiters = plan.arbiters.length;
        if (arbiters > MAX_ARBITERS) revert IEscrow.TooManyArbiters(arbiters, MAX_ARBITERS);
        uint256 length = plan.programLength;
        if (length > MAX_PROGRAM) revert IEscrow.ProgramTooLong(length, MAX_PROGRAM);
    }

    function _checkLines(EscrowPlan memory plan) private pure {
        uint256 milestones = plan.deadlines.length;
        uint256 next = 0;
        // Bounds: MAX_ESCROW_LINES; milestones are bytes.
        unchecked {
            LineWords memory line = plan.firstLine;
            uint256 count = plan.lines;
            for (uint256 k = 0; k < count; ++k) {
                if (line.milestone >= milestones || line.milestone + 1 < next) {
                    revert IEscrow.LineInvalid(k);
                }
                if (line.milestone > next) revert IEscrow.MilestoneWithoutLines(next);
                next = line.milestone + 1;
                bool good = line.quantity != 0 && line.depositor != 0 && line.beneficiary != 0
                    && line.depositor != line.beneficiary;
                if (!good) revert IEscrow.LineInvalid(k);
                uint256 most = line.ifMet;
                if (most <= line.quantity) most = line.byDefault;
                if (most <= line.quantity) most = line.ifUnruled;
                if (most > line.quantity) {
                    revert IEscrow.PaysMoreThanHeld(k, most, line.quantity);
                }
                // The next line; not read after the last.
                assembly ("memory-safe") {
                    line := add(line, LINE_SIZE)
                }
            }
        }
        if (next != milestones) revert IEscrow.MilestoneWithoutLines(next);
    }

    function _checkDeadlines(EscrowPlan memory plan) private view {
        uint256 openBy = plan.openBy;
        // Words of 64 bits.
        // forge-lint: disable-start(unsafe-typecast)
        if (Window.over(openBy)) revert ILedger.DeadlinePassed(uint64(openBy), block.timestamp);
        // Bound: MAX_MILESTONES.
        for (uint256 m = 0; m < plan.deadlines.length; ++m) {
            uint256 deadline = plan.deadlines[m];
            if (deadline < openBy + MIN_STEP) {
                revert IEscrow.DeadlinesInvalid(m, uint64(deadline), openBy + MIN_STEP);
            }
            if (Window.tooFar(deadline, MAX_ESCROW_WINDOW)) {
                revert IEscrow.DeadlinesInvalid(
                    m, uint64(deadline), block.timestamp + MAX_ESCROW_WINDOW
                );
            }
        }
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @param partial_ an oracle that is a party, or 0
    function _checkPanel(EscrowPlan memory plan, uint256[] memory parties, uint256 partial_)
        private
        pure
    {
        uint256[] memory arbiters = plan.arbiters;
        uint256 count = arbiters.length;
        uint256 last = plan.fallbackArbiter;
        bool good;
        if (count == 0) {
            good = plan.quorum | plan.answerTime | last | plan.fallbackTime == 0;
        } else {
            // More than half: two rulings have an arbiter in common.
            good = plan.quorum <= count && plan.quorum * 2 > count && plan.answerTime != 0
                && (last == 0) == (plan.fallbackTime == 0)
                && plan.answerTime + plan.fallbackTime <= MAX_DISPUTE;
        }
        // Bound: MAX_ARBITERS.
        for (uint256 k = 0; k < count; ++k) {
            uint256 arbiter = arbiters[k];
            if (arbiter == 0 || arbiter == last) good = false;
            for (uint256 j = 0; j < k; ++j) {
                if (arbiters[j] == arbiter) good = false;
            }
        }
        if (!good) revert IEscrow.PanelInvalid();
        for (uint256 k = 0; k < count; ++k) {
            _checkNeutral(parties, arbiters[k]);
        }
        // No address is 0.
        _checkNeutral(parties, last);
        if (partial_ != 0) _refuseParty(partial_);
    }

    function _checkNeutral(uint256[] memory parties, uint256 account) private pure {
        if (parties.indexOf(account) != parties.length) _refuseParty(account);
    }

    function _refuseParty(uint256 account) private pure {
        // forge-lint: disable-next-line(unsafe-typecast)
        revert IEscrow.NeutralIsParty(address(uint160(account)));
    }
}
