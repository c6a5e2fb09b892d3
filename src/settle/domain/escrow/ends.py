"""How value is held at the opening and moves at the end of a milestone.

An outcome is fixed at once, whatever is frozen. What goes back goes back at once; if a depositor
or an asset of a payment is frozen, the payments of the milestone wait together for `pay_out`.
"""

from __future__ import annotations

from collections.abc import Iterator

from settle.domain.escrow.events import (
    EndedBy,
    LineHeld,
    LinePaid,
    LineReturned,
    MilestoneEnded,
    Outcome,
    PaymentsGivenUp,
    PaymentsMade,
    Ruled,
)
from settle.domain.escrow.terms import EscrowId, EscrowLine, EscrowTerms, first_line_of, lines_of
from settle.domain.ids import Address
from settle.domain.ledger import Holding
from settle.domain.twin_state import ChainState, Draft

_Numbered = tuple[int, EscrowLine, int]


def outcome_of(terms: EscrowTerms, milestone: int, paid: tuple[int, ...]) -> Outcome:
    """Name what a vector of payments is: all of it, nothing, or something between."""
    if not any(paid):
        return Outcome.REFUNDED
    lines = lines_of(terms, milestone)
    full = all(amount == line.quantity for line, amount in zip(lines, paid, strict=True))
    return Outcome.RELEASED if full else Outcome.SPLIT


def stopped_in(
    chain: ChainState, terms: EscrowTerms, milestone: int, paid: tuple[int, ...]
) -> frozenset[Address]:
    """List the depositors of payments that a freeze stops, their own or one of the asset."""
    return frozenset(
        line.depositor
        for line, amount in zip(lines_of(terms, milestone), paid, strict=True)
        if amount and (chain.books.account(line.depositor).frozen or not chain.is_open(line.asset))
    )


def hold_line(draft: Draft, escrow: EscrowId, k: int, line: EscrowLine) -> None:
    """Turn a line's quantity from available into held; the caller knows that it is covered."""
    before = draft.books.holding(line.depositor, line.asset)
    draft.tell(
        LineHeld(
            id=escrow,
            line=k,
            depositor=line.depositor,
            asset=line.asset,
            quantity=line.quantity,
            holding=Holding(
                available=before.available - line.quantity, held=before.held + line.quantity
            ),
        )
    )


def end(
    draft: Draft,
    terms: EscrowTerms,
    escrow: EscrowId,
    milestone: int,
    by: EndedBy,
    paid: tuple[int, ...],
    *,
    ruled: tuple[tuple[Address, bytes], ...] = (),
) -> None:
    """Fix the outcome and move what may move. `paid` has an amount for each of its lines."""
    waits = bool(stopped_in(draft.state, terms, milestone, paid))
    draft.tell(
        MilestoneEnded(
            id=escrow,
            milestone=milestone,
            by=by,
            outcome=outcome_of(terms, milestone, paid),
            waits=waits,
            paid=paid,
        )
    )
    for arbiter, reason in ruled:
        draft.tell(Ruled(id=escrow, milestone=milestone, arbiter=arbiter, reason=reason))
    for k, line, amount in _numbered(terms, milestone, paid):
        if line.quantity > amount:
            _return_rest(draft, escrow, k, line, line.quantity - amount)
        if amount and not waits:
            _pay(draft, escrow, k, line, amount)


def pay_waiting(
    draft: Draft, terms: EscrowTerms, escrow: EscrowId, milestone: int, paid: tuple[int, ...]
) -> None:
    """Make the payments that waited behind a freeze."""
    draft.tell(PaymentsMade(id=escrow, milestone=milestone))
    for k, line, amount in _numbered(terms, milestone, paid):
        if amount:
            _pay(draft, escrow, k, line, amount)


def return_waiting(
    draft: Draft,
    terms: EscrowTerms,
    escrow: EscrowId,
    milestone: int,
    paid: tuple[int, ...],
    account: Address,
) -> None:
    """Give back payments that waited behind a freeze, as the account asks."""
    draft.tell(PaymentsGivenUp(id=escrow, milestone=milestone, account=account))
    for k, line, amount in _numbered(terms, milestone, paid):
        if amount:
            _return_rest(draft, escrow, k, line, amount)


def _numbered(terms: EscrowTerms, milestone: int, paid: tuple[int, ...]) -> Iterator[_Numbered]:
    first, lines = first_line_of(terms, milestone), lines_of(terms, milestone)
    for k, (line, amount) in enumerate(zip(lines, paid, strict=True), start=first):
        yield k, line, amount


def _return_rest(draft: Draft, escrow: EscrowId, k: int, line: EscrowLine, rest: int) -> None:
    before = draft.books.holding(line.depositor, line.asset)
    draft.tell(
        LineReturned(
            id=escrow,
            line=k,
            depositor=line.depositor,
            asset=line.asset,
            quantity=rest,
            holding=Holding(available=before.available + rest, held=before.held - rest),
        )
    )


def _pay(draft: Draft, escrow: EscrowId, k: int, line: EscrowLine, amount: int) -> None:
    gives = draft.books.holding(line.depositor, line.asset)
    gets = draft.books.holding(line.beneficiary, line.asset)
    draft.tell(
        LinePaid(
            id=escrow,
            line=k,
            asset=line.asset,
            depositor=line.depositor,
            beneficiary=line.beneficiary,
            quantity=amount,
            depositor_holding=Holding(available=gives.available, held=gives.held - amount),
            beneficiary_holding=Holding(available=gets.available + amount, held=gets.held),
        )
    )
