"""Whether terms can be opened at all: every bound, in the order of the contract.

`check_terms` needs nothing but the terms and an instant. Who may open them, and whether the
deposits are there, the books say (twin.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.conditions import Condition, Feed, Reading, leaves_of
from settle.domain.escrow.program import read_program
from settle.domain.escrow.terms import (
    MAX_ARBITERS,
    MAX_DISPUTE,
    MAX_ESCROW_LINES,
    MAX_ESCROW_WINDOW,
    MAX_MILESTONES,
    MAX_PROGRAM,
    MIN_STEP,
    EscrowTerms,
    parties_of,
    shared_milestones,
)
from settle.domain.escrow.terms_errors import (
    DeadlinesInvalid,
    LineInvalid,
    MilestoneWithoutLines,
    NeutralIsParty,
    PanelInvalid,
    PaysMoreThanHeld,
    ProgramTooLong,
    TooManyArbiters,
    TooManyLines,
    TooManyMilestones,
)
from settle.domain.ids import ZERO_ADDRESS
from settle.domain.ledger_errors import DeadlinePassed


def check_terms(terms: EscrowTerms, *, now: int) -> tuple[Condition, ...]:
    """Ask everything of the terms that no state of the books could change.

    Returns the milestones' conditions. Raises: Reverted with the contract's first error.
    """
    _check_sizes(terms)
    _check_lines(terms)
    _check_deadlines(terms, now)
    conditions = read_program(
        terms.program, terms.deadlines, open_by=terms.open_by, shared=shared_milestones(terms)
    )
    _check_panel(terms)
    _check_neutrals(terms, conditions)
    return conditions


def _check_sizes(terms: EscrowTerms) -> None:
    lines, milestones, arbiters = len(terms.lines), len(terms.deadlines), len(terms.arbiters)
    if not 1 <= lines <= MAX_ESCROW_LINES:
        raise Reverted(TooManyLines(lines=lines, max=MAX_ESCROW_LINES))
    if not 1 <= milestones <= MAX_MILESTONES:
        raise Reverted(TooManyMilestones(milestones=milestones, max=MAX_MILESTONES))
    if arbiters > MAX_ARBITERS:
        raise Reverted(TooManyArbiters(arbiters=arbiters, max=MAX_ARBITERS))
    if len(terms.program) > MAX_PROGRAM:
        raise Reverted(ProgramTooLong(length=len(terms.program), max=MAX_PROGRAM))


def _check_lines(terms: EscrowTerms) -> None:
    """Ask that lines stand in the order of their milestones and that every milestone has one."""
    following = 0
    for k, line in enumerate(terms.lines):
        if not following - 1 <= line.milestone < len(terms.deadlines):
            raise Reverted(LineInvalid(line=k))
        if line.milestone > following:
            raise Reverted(MilestoneWithoutLines(milestone=following))
        following = line.milestone + 1
        parties = (line.depositor, line.beneficiary)
        if not line.quantity or ZERO_ADDRESS in parties or line.depositor == line.beneficiary:
            raise Reverted(LineInvalid(line=k))
        for paid in (line.if_met, line.by_default, line.if_unruled):
            if paid > line.quantity:
                raise Reverted(PaysMoreThanHeld(line=k, paid=paid, quantity=line.quantity))
    if following < len(terms.deadlines):
        raise Reverted(MilestoneWithoutLines(milestone=following))


def _check_deadlines(terms: EscrowTerms, now: int) -> None:
    if now >= terms.open_by:
        raise Reverted(DeadlinePassed(deadline=terms.open_by, now=now))
    latest = now + MAX_ESCROW_WINDOW
    for k, deadline in enumerate(terms.deadlines):
        earliest = terms.open_by + MIN_STEP
        if deadline < earliest:
            raise Reverted(DeadlinesInvalid(milestone=k, deadline=deadline, limit=earliest))
        if deadline > latest:
            raise Reverted(DeadlinesInvalid(milestone=k, deadline=deadline, limit=latest))


def _check_panel(terms: EscrowTerms) -> None:
    count, fallback = len(terms.arbiters), terms.fallback_arbiter
    members = {*terms.arbiters, fallback} if fallback != ZERO_ADDRESS else set(terms.arbiters)
    named = count + (fallback != ZERO_ADDRESS)
    if count == 0:
        right = not (terms.quorum or terms.answer_time or terms.fallback_time or members)
    else:
        right = (
            count // 2 < terms.quorum <= count
            and terms.answer_time > 0
            and (fallback == ZERO_ADDRESS) == (terms.fallback_time == 0)
            and terms.dispute_time <= MAX_DISPUTE
            and len(members) == named
            and ZERO_ADDRESS not in terms.arbiters
        )
    if not right:
        raise Reverted(PanelInvalid())


def _check_neutrals(terms: EscrowTerms, conditions: Sequence[Condition]) -> None:
    """Ask that nobody who rules or reports a value gets or gives any."""
    parties = set(parties_of(terms))
    reporting = [
        leaf.signer if isinstance(leaf, Reading) else leaf.contract
        for condition in conditions
        for leaf, _ in leaves_of(condition)
        if isinstance(leaf, Reading | Feed)
    ]
    for neutral in (*terms.arbiters, terms.fallback_arbiter, *reporting):
        if neutral in parties:
            raise Reverted(NeutralIsParty(neutral=neutral))
