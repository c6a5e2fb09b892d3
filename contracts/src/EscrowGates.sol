// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {EscrowBooks} from "./EscrowBooks.sol";
import {
    EndedBy,
    EscrowTerms,
    IEscrow,
    MAX_WAIT,
    MilestoneNow,
    MilestoneState,
    Outcome,
    Ruling,
    WAY_DISPUTE,
    WAY_GIVE_UP,
    WAY_PAY_OUT
} from "./interfaces/IEscrow.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {Clocks} from "./libraries/Clocks.sol";
import {Conditions} from "./libraries/Conditions.sol";
import {Clock, EscrowPlan, LINE_SIZE, LineWords} from "./libraries/EscrowPlan.sol";
import {EscrowMessages} from "./libraries/EscrowMessages.sol";
import {EscrowTyped} from "./libraries/EscrowTyped.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Surveys} from "./libraries/Surveys.sol";
import {Window} from "./libraries/Window.sol";

/// @title Whose turn it is in an escrow, and until when
abstract contract EscrowGates is EscrowBooks {
    using Clocks for Clock;
    using Surveys for Clock;

    /// @dev The arbiter's index that means the fallback.
    uint256 internal constant FALLBACK = type(uint8).max;

    // ------------------------------------------------------------------------------------------ the escrow

    /// @dev The terms with their id: the only element of the list, see Plans.
    function _load(EscrowTerms calldata terms) internal view returns (EscrowPlan[] memory one) {
        bytes32 structHash;
        (one, structHash) = EscrowTyped.load(terms);
        EscrowPlan memory plan = one[0];
        plan.domain = _domainSeparatorV4();
        plan.id = MessageHashUtils.toTypedDataHash(plan.domain, structHash);
        _recall(plan);
    }

    /// @dev The same of terms that were opened, and a milestone that they have.
    function _known(EscrowTerms calldata terms, uint256 milestone)
        internal
        view
        returns (EscrowPlan[] memory one)
    {
        one = _load(terms);
        EscrowPlan memory plan = one[0];
        if (plan.openedAt == 0) revert IEscrow.EscrowUnknown(plan.id);
        if (milestone >= plan.deadlines.length) revert IEscrow.MilestoneUnknown(milestone);
        _findLines(plan, milestone);
    }

    /// @dev The same of a milestone without an outcome.
    function _open(EscrowTerms calldata terms, uint256 milestone)
        internal
        view
        returns (EscrowPlan[] memory one)
    {
        one = _known(terms, milestone);
        EscrowPlan memory plan = one[0];
        if (_outcomeOf(plan.outcomes, milestone) != 0) {
            revert IEscrow.MilestoneHasEnded(plan.id, milestone);
        }
    }

    /// @dev What waits, which is what was brought, and since when.
    function _waits(EscrowPlan memory plan, uint256 milestone, uint128[] calldata paid)
        internal
        view
        returns (uint128[] memory amounts, uint256 endedAt)
    {
        uint256 word = _waiting[plan.id][milestone];
        if (word == 0) revert IEscrow.NothingWaits(plan.id, milestone);
        amounts = _brought(plan, paid);
        if (uint256(EscrowMessages.amounts(amounts)) >> 32 != word >> 32) {
            revert IEscrow.NothingWaits(plan.id, milestone);
        }
        endedAt = plan.openedAt + (word & type(uint32).max);
    }

    /// @dev The escrow's time, and what its program says about the first so many milestones.
    function _clockOf(EscrowPlan memory plan, uint256 milestones)
        internal
        view
        returns (Clock memory clock)
    {
        clock.openedAt = plan.openedAt;
        clock.disputed = plan.disputed;
        if (clock.disputed != 0) clock.disputes = _disputes[plan.id];
        clock.extension = plan.answerTime + plan.fallbackTime;
        clock.survey(EscrowTyped.programOf(plan), milestones);
    }

    // ------------------------------------------------------------------------------------------ turns

    /// @dev Whoever knows the secret of a hash lock relies on the clock: neither the milestone with the lock nor
    /// one that it depends on can be disputed.
    /// @param clock that surveyed all milestones
    function _admitsDispute(EscrowPlan memory plan, Clock memory clock, uint256 milestone)
        internal
        pure
        returns (bool)
    {
        if (plan.arbiters.length == 0) return false;
        uint256 locked = clock.locked;
        // Downwards: a milestone names lower ones only. Bound: MAX_MILESTONES.
        for (uint256 m = plan.deadlines.length; m != 0; --m) {
            if ((locked >> (m - 1)) & 1 == 1) locked |= clock.namesOf(m - 1);
        }
        return (locked >> milestone) & 1 == 0;
    }

    /// @dev Until when the panel rules a disputed milestone; the fallback does from then on. Before the first
    /// instant at which the clock alone could end it, both have had all their time.
    function _panelUntil(EscrowPlan memory plan, Clock memory clock, uint256 milestone)
        internal
        pure
        returns (uint256 until)
    {
        until = clock.moved(milestone, plan.deadlines[milestone]);
        if (plan.fallbackArbiter == 0) return until;
        uint256 since = clock.disputedAt(milestone);
        uint256[] memory times =
            Surveys.timesOf(EscrowTyped.programOf(plan), clock.startOf(milestone));
        // Bound: MAX_CONDITION_NODES.
        for (uint256 k = 0; k < times.length; ++k) {
            uint256 instant = clock.moved(milestone, times[k]);
            if (instant > since && instant < until) until = instant;
        }
        return until - plan.fallbackTime;
    }

    /// @dev Refuses a ruling in the dispute's own block, and one of the panel or of the fallback out of its turn.
    function _requireTurn(EscrowPlan memory plan, Clock memory clock, uint256 milestone, bool alone)
        internal
        view
    {
        uint256 first = clock.disputedAt(milestone) + 1;
        if (!Window.begun(first)) _tooEarly(first);
        uint256 panelUntil = _panelUntil(plan, clock, milestone);
        if (!alone) {
            _requireBefore(panelUntil);
            return;
        }
        if (plan.fallbackArbiter == 0) revert IEscrow.ArbiterUnknown(FALLBACK);
        if (!Window.begun(panelUntil)) _tooEarly(panelUntil);
        _requireBefore(clock.moved(milestone, plan.deadlines[milestone]));
    }

    function _tooEarly(uint256 from) private view {
        // forge-lint: disable-next-line(unsafe-typecast)
        revert IEscrow.RulingTooEarly(uint64(from), block.timestamp);
    }

    function _requireBefore(uint256 deadline) internal view {
        // Instants of terms and messages, and what disputes add to them, are 64 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (Window.over(deadline)) {
            revert ILedger.DeadlinePassed(uint64(deadline), block.timestamp);
        }
    }

    /// @dev The caller pays something that waits, and only others are stopped.
    function _requireShutIn(EscrowPlan memory plan, uint256 milestone, uint128[] memory amounts)
        internal
        view
    {
        (bool pays, bool stopped, bool others) = (false, false, false);
        LineWords memory line = plan.acted;
        for (uint256 k = 0; k < amounts.length; ++k) {
            if (amounts[k] != 0) {
                bool mine = line.depositor == uint160(msg.sender);
                bool frozen = _isStopped(line);
                pays = pays || mine;
                stopped = stopped || (mine && frozen);
                others = others || (!mine && frozen);
            }
            // The next line; not read after the last.
            assembly ("memory-safe") {
                line := add(line, LINE_SIZE)
            }
        }
        if (!pays) revert IEscrow.NotAParty(msg.sender);
        if (stopped) revert IEscrow.PaymentsFrozen(plan.id, milestone);
        if (!others) revert IEscrow.PaymentsNotFrozen(plan.id, milestone);
    }

    // ------------------------------------------------------------------------------------------ signatures

    /// @dev A signature over the message, or, where none is brought, the account's own call.
    function _requireAgrees(
        EscrowPlan memory plan,
        address account,
        bytes32 message,
        bytes calldata signature
    ) internal view {
        if (signature.length == 0 && msg.sender == account) return;
        _requireBinds(plan, account, message, signature);
    }

    function _requireBinds(
        EscrowPlan memory plan,
        address account,
        bytes32 message,
        bytes calldata signature
    ) private view {
        bytes32 digest = MessageHashUtils.toTypedDataHash(plan.domain, message);
        bool binds = signature.length != 0 && Signatures.binds(digest, account, signature);
        if (!binds) revert ILedger.SignatureInvalid(account);
    }

    /// @dev Distinct arbiters, in order, all over the same amounts.
    function _requireRulings(
        EscrowPlan memory plan,
        uint256 milestone,
        uint128[] memory amounts,
        Ruling[] calldata rulings,
        bool alone
    ) internal view {
        bytes32 paidHash = EscrowMessages.amounts(amounts);
        uint256 next = 0;
        // Bound: the panel's arbiters, each once.
        for (uint256 k = 0; k < rulings.length; ++k) {
            Ruling calldata ruling = rulings[k];
            uint256 index = ruling.arbiter;
            if (!alone) {
                if (index >= plan.arbiters.length) revert IEscrow.ArbiterUnknown(index);
                if (index < next) revert IEscrow.ArbiterTwice(index);
                next = index + 1;
            }
            _requireBefore(ruling.validBy);
            address arbiter = _arbiter(plan, ruling);
            bytes32 message = EscrowMessages.ruling(
                plan.id, milestone, arbiter, paidHash, ruling.reason, ruling.validBy
            );
            _requireBinds(plan, arbiter, message, ruling.signature);
        }
    }

    /// @dev Whose ruling it is, by an index that was checked.
    function _arbiter(EscrowPlan memory plan, Ruling calldata ruling)
        internal
        pure
        returns (address)
    {
        uint256 index = ruling.arbiter;
        return _address(index == FALLBACK ? plan.fallbackArbiter : plan.arbiters[index]);
    }

    // ------------------------------------------------------------------------------------------ now

    /// @dev Each milestone's state at this instant. Of terms that nobody opened it says just that.
    function _whatNow(EscrowPlan memory plan) internal view returns (MilestoneNow[] memory list) {
        uint256 count = plan.deadlines.length;
        list = new MilestoneNow[](count);
        bool opened = plan.openedAt != 0;
        Clock memory clock;
        if (opened) clock = _clockOf(plan, count);
        for (uint256 m = 0; m < count; ++m) {
            if (opened) {
                _tell(list[m], plan, clock, m);
            } else {
                // forge-lint: disable-start(unsafe-typecast)
                list[m].until = uint64(plan.openBy);
                list[m].deadline = uint64(plan.deadlines[m]);
                // forge-lint: disable-end(unsafe-typecast)
            }
        }
    }

    function _tell(MilestoneNow memory told, EscrowPlan memory plan, Clock memory clock, uint256 m)
        private
        view
    {
        uint256 deadline = clock.moved(m, plan.deadlines[m]);
        uint256 until = deadline;
        uint256 ways = _way(EndedBy.Agreement);
        told.outcome = Outcome(_outcomeOf(plan.outcomes, m));
        if (told.outcome != Outcome.None) {
            uint256 word = _waiting[plan.id][m];
            bool waits = word != 0;
            told.state = waits ? MilestoneState.Waiting : MilestoneState.Ended;
            until = waits ? clock.openedAt + (word & type(uint32).max) + MAX_WAIT : 0;
            ways = waits ? WAY_PAY_OUT : 0;
            if (waits && Window.begun(until)) {
                ways |= WAY_GIVE_UP;
                until = 0;
            }
        } else if (Window.over(deadline)) {
            told.state = MilestoneState.Due;
            until = 0;
            ways |= _way(clock.isDisputed(m) ? EndedBy.Silence : EndedBy.Default);
        } else {
            bytes calldata program = EscrowTyped.programOf(plan);
            bool never = Conditions.opcodeAt(program, clock.startOf(m)) == Conditions.NEVER;
            if (!never) ways |= _way(EndedBy.Condition);
            if (!clock.isDisputed(m)) {
                told.state = MilestoneState.Open;
                if (_admitsDispute(plan, clock, m)) ways |= WAY_DISPUTE;
            } else {
                uint256 panelUntil = _panelUntil(plan, clock, m);
                bool over = Window.over(panelUntil);
                told.state = over ? MilestoneState.BeforeFallback : MilestoneState.BeforePanel;
                if (!over) until = panelUntil;
                if (over) ways |= _way(EndedBy.FallbackArbiter);
                else if (Window.begun(clock.disputedAt(m) + 1)) ways |= _way(EndedBy.Panel);
            }
        }
        // Instants are 64 bits; nine ways.
        // forge-lint: disable-start(unsafe-typecast)
        told.until = uint64(until);
        told.deadline = uint64(deadline);
        told.ways = uint16(ways);
        // forge-lint: disable-end(unsafe-typecast)
    }

    function _way(EndedBy by) private pure returns (uint256) {
        return 1 << uint256(by);
    }
}
