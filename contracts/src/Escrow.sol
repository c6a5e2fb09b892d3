// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {EscrowGates} from "./EscrowGates.sol";
import {
    EndedBy,
    EscrowTerms,
    IEscrow,
    MAX_WAIT,
    MilestoneNow,
    Ruling
} from "./interfaces/IEscrow.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {AccountList} from "./libraries/AccountList.sol";
import {Clocks} from "./libraries/Clocks.sol";
import {EscrowForm} from "./libraries/EscrowForm.sol";
import {EscrowParties} from "./libraries/EscrowParties.sol";
import {Clock, EscrowPlan, LINE_SIZE, LineWords} from "./libraries/EscrowPlan.sol";
import {EscrowMessages} from "./libraries/EscrowMessages.sol";
import {EscrowTyped} from "./libraries/EscrowTyped.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Window} from "./libraries/Window.sol";

/// @title Value under written terms that execute themselves and always end
/// @dev Code of Settlement, which runs it on its own storage by delegatecall. Law: L3, L4, L5, L7, L9, L10.
contract Escrow is EscrowGates, IEscrow {
    using AccountList for uint256[];
    using Clocks for Clock;

    /// @dev Where this code is deployed; under delegatecall `address(this)` is another.
    address private immutable SELF = address(this);

    constructor(address authority_) Books(authority_) {}

    /// @dev A direct call would read and write this contract's own storage, and sign for another domain.
    modifier delegated() {
        if (address(this) == SELF) revert OnlyForTheBooks();
        _;
    }

    // ------------------------------------------------------------------------------------------ opening

    /// @inheritdoc IEscrow
    function openEscrow(EscrowTerms calldata terms, bytes[] calldata signatures)
        external
        delegated
    {
        EscrowPlan memory plan = _load(terms)[0];
        uint256[] memory signers = EscrowForm.check(plan);
        bytes32 id = plan.id;
        if (plan.openedAt != 0) revert EscrowAlreadyOpened(id);
        if (plan.withdrawn != 0) revert ConsentWasWithdrawn(id);
        uint256 count = signers.length;
        if (signatures.length != count) revert SignaturesMissing(signatures.length, count);
        // Bounds here and below: MAX_ESCROW_LINES, and two accounts a line with the panel.
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                address signer = _address(signers.get(k));
                if (!Signatures.binds(id, signer, signatures[k])) {
                    revert ILedger.SignatureInvalid(signer);
                }
            }
        }

        // The clock in 64 bits; counts below the bounds.
        // forge-lint: disable-start(unsafe-typecast)
        plan.openedAt = block.timestamp;
        _store(plan);
        count = plan.lines;
        emit EscrowOpened(id, uint8(plan.deadlines.length), uint8(count), plan.text);
        // forge-lint: disable-end(unsafe-typecast)
        unchecked {
            for (uint256 k = 0; k < count; ++k) {
                _holdLine(plan, k);
            }
        }
    }

    /// @inheritdoc IEscrow
    function withdrawFromEscrow(
        EscrowTerms calldata terms,
        address account,
        bytes calldata signature
    ) external delegated {
        EscrowPlan memory plan = _load(terms)[0];
        if (plan.openedAt != 0) revert EscrowAlreadyOpened(plan.id);
        if (plan.withdrawn != 0) revert ConsentWasWithdrawn(plan.id);
        uint256[] memory signers = EscrowParties.signersOf(plan);
        if (signers.indexOf(uint160(account)) == signers.length) revert NotAParty(account);
        _requireAgrees(plan, account, EscrowMessages.withdrawal(account, plan.id), signature);

        plan.withdrawn = 1;
        _store(plan);
        emit EscrowConsentWithdrawn(plan.id, account);
    }

    // ------------------------------------------------------------------------------------------ ends

    /// @inheritdoc IEscrow
    function endByCondition(
        EscrowTerms calldata terms,
        uint256 milestone,
        bytes[] calldata evidence
    ) external delegated {
        EscrowPlan memory plan = _open(terms, milestone)[0];
        Clock memory clock = _clockOf(plan, milestone + 1);
        _requireBefore(clock.moved(milestone, plan.deadlines[milestone]));
        if (evidence.length != clock.evidence) {
            revert EvidenceCount(evidence.length, clock.evidence);
        }
        Question memory question = Question({
            domain: plan.domain,
            id: plan.id,
            milestone: milestone,
            openedAt: plan.openedAt,
            outcomes: plan.outcomes,
            offset: clock.startOf(milestone),
            next: 0
        });
        if (!_holds(question, clock, EscrowTyped.programOf(plan), evidence, false)) {
            revert ConditionNotMet(plan.id, milestone);
        }
        _end(plan, milestone, EndedBy.Condition, _stated(plan, Amount.IfMet));
    }

    /// @inheritdoc IEscrow
    function endByAgreement(
        EscrowTerms calldata terms,
        uint256 milestone,
        uint128[] calldata paid,
        uint64 validBy,
        bytes[] calldata signatures
    ) external delegated {
        EscrowPlan memory plan = _open(terms, milestone)[0];
        _requireBefore(validBy);
        uint128[] memory amounts = _brought(plan, paid);
        Clock memory clock = _clockOf(plan, plan.deadlines.length);
        // This milestone, and all whose end hangs on its outcome.
        uint256 touched = 1 << milestone;
        for (uint256 m = milestone + 1; m < plan.deadlines.length; ++m) {
            if (clock.namesOf(m) & touched != 0) touched |= 1 << m;
        }
        uint256[] memory parties = EscrowParties.partiesOf(plan, touched);
        if (signatures.length != parties.length) {
            revert SignaturesMissing(signatures.length, parties.length);
        }
        bytes32 paidHash = EscrowMessages.amounts(amounts);
        for (uint256 k = 0; k < parties.length; ++k) {
            address account = _address(parties.get(k));
            bytes32 message = EscrowMessages.split(plan.id, milestone, account, paidHash, validBy);
            _requireAgrees(plan, account, message, signatures[k]);
        }
        _end(plan, milestone, EndedBy.Agreement, amounts);
    }

    /// @inheritdoc IEscrow
    function openDispute(
        EscrowTerms calldata terms,
        uint256 milestone,
        address account,
        bytes32 evidence,
        uint64 validBy,
        bytes calldata signature
    ) external delegated {
        EscrowPlan memory plan = _open(terms, milestone)[0];
        Clock memory clock = _clockOf(plan, plan.deadlines.length);
        if (clock.isDisputed(milestone)) revert DisputedBefore(plan.id, milestone);
        if (!_admitsDispute(plan, clock, milestone)) {
            revert DisputeNotAllowed(plan.id, milestone);
        }
        _requireBefore(clock.moved(milestone, plan.deadlines[milestone]));
        uint256[] memory parties = EscrowParties.partiesOf(plan, 1 << milestone);
        if (parties.indexOf(uint160(account)) == parties.length) revert NotAParty(account);
        _requireBefore(validBy);
        bytes32 message = EscrowMessages.dispute(plan.id, milestone, account, evidence, validBy);
        _requireAgrees(plan, account, message, signature);

        // A bit a milestone, of which there are at most 8.
        // forge-lint: disable-start(unsafe-typecast)
        plan.disputed |= 1 << milestone;
        _store(plan);
        _disputes[plan.id] |= (block.timestamp - clock.openedAt) << (32 * milestone);
        emit DisputeOpened(plan.id, uint8(milestone), account, evidence);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @inheritdoc IEscrow
    function endByRuling(
        EscrowTerms calldata terms,
        uint256 milestone,
        uint128[] calldata paid,
        Ruling[] calldata rulings
    ) external delegated {
        EscrowPlan memory plan = _open(terms, milestone)[0];
        Clock memory clock = _clockOf(plan, milestone + 1);
        if (!clock.isDisputed(milestone)) revert NotDisputed(plan.id, milestone);
        bool alone = rulings.length == 1 && rulings[0].arbiter == FALLBACK;
        _requireTurn(plan, clock, milestone, alone);
        if (!alone && rulings.length < plan.quorum) {
            revert QuorumMissing(rulings.length, plan.quorum);
        }
        uint128[] memory amounts = _brought(plan, paid);
        _requireRulings(plan, milestone, amounts, rulings, alone);

        EndedBy by = alone ? EndedBy.FallbackArbiter : EndedBy.Panel;
        bool waits = _fix(plan, milestone, by, amounts);
        for (uint256 k = 0; k < rulings.length; ++k) {
            // Below MAX_MILESTONES.
            // forge-lint: disable-next-line(unsafe-typecast)
            emit Ruled(plan.id, uint8(milestone), _arbiter(plan, rulings[k]), rulings[k].reason);
        }
        _distribute(plan, amounts, waits);
    }

    /// @inheritdoc IEscrow
    function endByDefault(EscrowTerms calldata terms, uint256 milestone) external delegated {
        EscrowPlan memory plan = _open(terms, milestone)[0];
        Clock memory clock = _clockOf(plan, milestone + 1);
        uint256 deadline = clock.moved(milestone, plan.deadlines[milestone]);
        // forge-lint: disable-next-line(unsafe-typecast)
        if (!Window.over(deadline)) revert TooEarlyForDefault(uint64(deadline), block.timestamp);
        if (clock.isDisputed(milestone)) {
            _end(plan, milestone, EndedBy.Silence, _stated(plan, Amount.IfUnruled));
        } else {
            _end(plan, milestone, EndedBy.Default, _stated(plan, Amount.ByDefault));
        }
    }

    function _end(EscrowPlan memory plan, uint256 milestone, EndedBy by, uint128[] memory paid)
        private
    {
        _distribute(plan, paid, _fix(plan, milestone, by, paid));
    }

    // ------------------------------------------------------------------------------------------ waiting

    /// @inheritdoc IEscrow
    function payOut(EscrowTerms calldata terms, uint256 milestone, uint128[] calldata paid)
        external
        delegated
    {
        EscrowPlan memory plan = _known(terms, milestone)[0];
        (uint128[] memory amounts,) = _waits(plan, milestone, paid);
        LineWords memory line = plan.acted;
        for (uint256 k = 0; k < amounts.length; ++k) {
            if (amounts[k] != 0 && _isStopped(line)) {
                revert PaymentsFrozen(plan.id, milestone);
            }
            // The next line; not read after the last.
            assembly ("memory-safe") {
                line := add(line, LINE_SIZE)
            }
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        emit PaymentsMade(plan.id, uint8(milestone));
        _endWait(plan, milestone, amounts, false);
    }

    /// @inheritdoc IEscrow
    function giveUpPayments(EscrowTerms calldata terms, uint256 milestone, uint128[] calldata paid)
        external
        delegated
    {
        EscrowPlan memory plan = _known(terms, milestone)[0];
        (uint128[] memory amounts, uint256 endedAt) = _waits(plan, milestone, paid);
        if (!Window.begun(endedAt + MAX_WAIT)) {
            // forge-lint: disable-next-line(unsafe-typecast)
            revert TooEarlyToGiveUp(uint64(endedAt + MAX_WAIT), block.timestamp);
        }
        _requireShutIn(plan, milestone, amounts);
        // forge-lint: disable-next-line(unsafe-typecast)
        emit PaymentsGivenUp(plan.id, uint8(milestone), msg.sender);
        _endWait(plan, milestone, amounts, true);
    }

    // ------------------------------------------------------------------------------------------ views

    /// @inheritdoc IEscrow
    function whatNow(EscrowTerms calldata terms)
        external
        view
        delegated
        returns (MilestoneNow[] memory)
    {
        return _whatNow(_load(terms)[0]);
    }

    /// @inheritdoc IEscrow
    function escrowIdOf(EscrowTerms calldata terms) external view delegated returns (bytes32) {
        return _load(terms)[0].id;
    }

    /// @inheritdoc IEscrow
    function escrowState(bytes32 id)
        external
        view
        delegated
        returns (uint64 openedAt, uint32 outcomes, uint8 disputed)
    {
        EscrowState memory state = _escrows[id];
        return (state.openedAt, state.outcomes, state.disputed);
    }

    /// @inheritdoc IEscrow
    function isWithdrawnFromEscrow(bytes32 id) external view delegated returns (bool) {
        return _escrows[id].withdrawn;
    }

    /// @inheritdoc IEscrow
    function isRecordedSettled(bytes32 instruction) external view delegated returns (bool) {
        return _recorded[instruction];
    }
}
