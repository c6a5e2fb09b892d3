"""The twin's acts of a dispute: opening it, and ending it by a ruling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.case import Case, require_signed
from settle.domain.escrow.clock import may_be_disputed, panel_until
from settle.domain.escrow.ends import end
from settle.domain.escrow.errors import (
    ArbiterTwice,
    ArbiterUnknown,
    DisputedBefore,
    DisputeNotAllowed,
    NotAParty,
    NotDisputed,
    QuorumMissing,
    RulingTooEarly,
)
from settle.domain.escrow.events import DisputeOpened, EndedBy
from settle.domain.escrow.evidence import Facts
from settle.domain.escrow.state import EscrowState, EscrowStep
from settle.domain.escrow.terms import (
    FALLBACK_INDEX,
    EscrowTerms,
    dispute_digest,
    parties_of,
    ruling_digest,
)
from settle.domain.ids import ZERO_ADDRESS, Address
from settle.domain.ledger_errors import SignatureInvalid
from settle.domain.twin_state import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One arbiter's word: its index in the panel, a reason of four letters, its signature.

    From `valid_by` on (unix seconds) the signature serves no more.
    """

    arbiter: int
    reason: bytes
    valid_by: int
    signature: bytes


def open_dispute(
    state: EscrowState,
    terms: EscrowTerms,
    milestone: int,
    account: Address,
    evidence: bytes,
    *,
    valid_by: int,
    signature: bytes,
    caller: Address,
    facts: Facts,
    now: int,
) -> EscrowStep:
    """Ask the panel, once a milestone and before its deadline, which moves. Raises: Reverted."""
    case = Case(state, terms, milestone, now=now)
    case.require_open()
    if case.disputed_at is not None:
        raise Reverted(DisputedBefore(id=case.id, milestone=milestone))
    if not may_be_disputed(terms, milestone):
        raise Reverted(DisputeNotAllowed(id=case.id, milestone=milestone))
    case.require_before(case.deadline)
    if account not in parties_of(terms, milestone):
        raise Reverted(NotAParty(account=account))
    case.require_before(valid_by)
    digest = dispute_digest(
        case.id, milestone, account, evidence, valid_by=valid_by, domain=state.chain.domain
    )
    require_signed(account, digest, signature, caller, facts)
    draft = Draft(state.chain)
    draft.tell(DisputeOpened(id=case.id, milestone=milestone, account=account, evidence=evidence))
    return case.close(draft)


def end_by_ruling(
    state: EscrowState,
    terms: EscrowTerms,
    milestone: int,
    paid: Sequence[int],
    rulings: Sequence[Ruling],
    *,
    facts: Facts,
    now: int,
) -> EscrowStep:
    """End a disputed milestone as the panel rules, or the fallback after it. Raises: Reverted."""
    case = Case(state, terms, milestone, now=now)
    case.require_open()
    if case.disputed_at is None:
        raise Reverted(NotDisputed(id=case.id, milestone=milestone))
    by_fallback = [one.arbiter for one in rulings] == [FALLBACK_INDEX]
    if now <= case.disputed_at:
        raise Reverted(RulingTooEarly(from_=case.disputed_at + 1, now=now))
    last_of_panel = panel_until(terms, case.record, milestone)
    if by_fallback:
        if terms.fallback_arbiter == ZERO_ADDRESS:
            raise Reverted(ArbiterUnknown(arbiter=FALLBACK_INDEX))
        if now < last_of_panel:
            raise Reverted(RulingTooEarly(from_=last_of_panel, now=now))
        case.require_before(case.deadline)
    else:
        case.require_before(last_of_panel)
        if len(rulings) < terms.quorum:
            raise Reverted(QuorumMissing(rulings=len(rulings), quorum=terms.quorum))
    case.require_paid(paid)
    ruled = _who_ruled(case, paid, rulings, facts, by_fallback=by_fallback)
    draft = Draft(state.chain)
    by = EndedBy.FALLBACK_ARBITER if by_fallback else EndedBy.PANEL
    end(draft, terms, case.id, milestone, by, tuple(paid), ruled=ruled)
    return case.close(draft)


def _who_ruled(
    case: Case,
    paid: Sequence[int],
    rulings: Sequence[Ruling],
    facts: Facts,
    *,
    by_fallback: bool,
) -> tuple[tuple[Address, bytes], ...]:
    """Ask that each ruling is of another arbiter, in ascending order, and signed."""
    terms, before = case.terms, -1
    ruled: list[tuple[Address, bytes]] = []
    for one in rulings:
        if by_fallback:
            arbiter = terms.fallback_arbiter
        elif one.arbiter >= len(terms.arbiters):
            raise Reverted(ArbiterUnknown(arbiter=one.arbiter))
        elif one.arbiter <= before:
            raise Reverted(ArbiterTwice(arbiter=one.arbiter))
        else:
            arbiter, before = terms.arbiters[one.arbiter], one.arbiter
        case.require_before(one.valid_by)
        digest = ruling_digest(
            case.id,
            case.milestone,
            arbiter,
            paid,
            reason=one.reason,
            valid_by=one.valid_by,
            domain=case.state.chain.domain,
        )
        if not facts.binds(arbiter, digest, one.signature):
            raise Reverted(SignatureInvalid(account=arbiter))
        ruled.append((arbiter, one.reason))
    return tuple(ruled)
