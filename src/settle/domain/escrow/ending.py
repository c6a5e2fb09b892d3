"""The twin's acts that end a milestone without a ruling, and that pay what waited."""

from __future__ import annotations

from collections.abc import Sequence

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.case import Case, require_signed, standing_of
from settle.domain.escrow.clock import agreeing_of, conditions_of
from settle.domain.escrow.ends import pay_waiting, return_waiting, stopped_in
from settle.domain.escrow.errors import (
    ConditionNotMet,
    NotAParty,
    NothingWaits,
    PaymentsFrozen,
    PaymentsNotFrozen,
    SignaturesMissing,
    TooEarlyForDefault,
    TooEarlyToGiveUp,
)
from settle.domain.escrow.events import EndedBy
from settle.domain.escrow.evidence import Facts, evaluate
from settle.domain.escrow.state import EscrowState, EscrowStep
from settle.domain.escrow.terms import MAX_WAIT, EscrowTerms, lines_of, split_digest
from settle.domain.ids import Address
from settle.domain.twin_state import Draft


def end_by_condition(
    state: EscrowState,
    terms: EscrowTerms,
    milestone: int,
    evidence: Sequence[bytes],
    *,
    facts: Facts,
    now: int,
) -> EscrowStep:
    """End a milestone whose condition holds, before its deadline. Raises: Reverted."""
    case = Case(state, terms, milestone, now=now)
    case.require_open()
    case.require_before(case.deadline)
    standing = standing_of(case, facts)
    if not evaluate(conditions_of(terms)[milestone], evidence, standing, now=now):
        raise Reverted(ConditionNotMet(id=case.id, milestone=milestone))
    paid = [line.if_met for line in lines_of(terms, milestone)]
    return case.close(case.end(EndedBy.CONDITION, paid))


def end_by_agreement(
    state: EscrowState,
    terms: EscrowTerms,
    milestone: int,
    paid: Sequence[int],
    *,
    valid_by: int,
    signatures: Sequence[bytes],
    caller: Address,
    facts: Facts,
    now: int,
) -> EscrowStep:
    """End a milestone as all its parties agree, at any time before its end. Raises: Reverted."""
    case = Case(state, terms, milestone, now=now)
    case.require_open()
    case.require_before(valid_by)
    case.require_paid(paid)
    parties = agreeing_of(terms, milestone)
    if len(signatures) != len(parties):
        raise Reverted(SignaturesMissing(given=len(signatures), needed=len(parties)))
    for account, signature in zip(parties, signatures, strict=True):
        digest = split_digest(
            case.id, milestone, account, paid, valid_by=valid_by, domain=state.chain.domain
        )
        require_signed(account, digest, signature, caller, facts)
    return case.close(case.end(EndedBy.AGREEMENT, paid))


def end_by_default(
    state: EscrowState, terms: EscrowTerms, milestone: int, *, now: int
) -> EscrowStep:
    """From the deadline on: pay what the terms say for silence (law L10). Raises: Reverted."""
    case = Case(state, terms, milestone, now=now)
    case.require_open()
    if now < case.deadline:
        raise Reverted(TooEarlyForDefault(deadline=case.deadline, now=now))
    lines = lines_of(terms, milestone)
    if case.disputed_at is None:
        draft = case.end(EndedBy.DEFAULT, [line.by_default for line in lines])
    else:
        draft = case.end(EndedBy.SILENCE, [line.if_unruled for line in lines])
    return case.close(draft)


def pay_out(
    state: EscrowState, terms: EscrowTerms, milestone: int, paid: Sequence[int], *, now: int
) -> EscrowStep:
    """Make payments whose outcome was fixed while a freeze stopped them. Raises: Reverted."""
    case, waiting = _waiting(state, terms, milestone, paid, now)
    if stopped_in(state.chain, terms, milestone, waiting):
        raise Reverted(PaymentsFrozen(id=case.id, milestone=milestone))
    draft = Draft(state.chain)
    pay_waiting(draft, terms, case.id, milestone, waiting)
    return case.close(draft)


def give_up_payments(
    state: EscrowState,
    terms: EscrowTerms,
    milestone: int,
    paid: Sequence[int],
    *,
    caller: Address,
    now: int,
) -> EscrowStep:
    """Let payments that wait too long behind another's freeze go back. Raises: Reverted.

    The caller is a depositor of one of them, and nothing of its own is stopped (law L5).
    """
    case, waiting = _waiting(state, terms, milestone, paid, now)
    ended_at = case.record.milestones[milestone].ended_at or 0
    if now < ended_at + MAX_WAIT:
        raise Reverted(TooEarlyToGiveUp(from_=ended_at + MAX_WAIT, now=now))
    lines = zip(lines_of(terms, milestone), waiting, strict=True)
    if caller not in {line.depositor for line, amount in lines if amount}:
        raise Reverted(NotAParty(account=caller))
    stopped = stopped_in(state.chain, terms, milestone, waiting)
    if caller in stopped:
        raise Reverted(PaymentsFrozen(id=case.id, milestone=milestone))
    if not stopped:
        raise Reverted(PaymentsNotFrozen(id=case.id, milestone=milestone))
    draft = Draft(state.chain)
    return_waiting(draft, terms, case.id, milestone, waiting, caller)
    return case.close(draft)


def _waiting(
    state: EscrowState, terms: EscrowTerms, milestone: int, paid: Sequence[int], now: int
) -> tuple[Case, tuple[int, ...]]:
    """Ask that exactly these payments wait. Raises: Reverted."""
    case = Case(state, terms, milestone, now=now)
    own = case.record.milestones[milestone]
    if not own.waits:
        raise Reverted(NothingWaits(id=case.id, milestone=milestone))
    case.require_paid(paid)
    if tuple(paid) != own.paid:
        raise Reverted(NothingWaits(id=case.id, milestone=milestone))
    return case, own.paid
