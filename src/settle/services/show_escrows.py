"""Shows escrows to those with a part in them: where each stands, and whose act it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from settle.domain.escrow.clock import (
    WAY_AGREEMENT,
    WAY_CONDITION,
    WAY_DEFAULT,
    WAY_DISPUTE,
    WAY_FALLBACK,
    WAY_GIVE_UP,
    WAY_PANEL,
    WAY_PAY_OUT,
    WAY_SILENCE,
    MilestoneNow,
    agreeing_of,
    conditions_of,
    what_now,
)
from settle.domain.escrow.conditions import Reading, Signed, evidence_leaves
from settle.domain.escrow.events import MilestoneState
from settle.domain.escrow.terms import FALLBACK_INDEX, lines_of, parties_of, signers_of
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind, MessageRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from settle.domain.escrow.state import EscrowRecord
    from settle.domain.escrow.terms import EscrowId
    from settle.domain.ids import Address, Lei
    from settle.services.venue import Venue

_CHUNK: Final = 100
_LOOKED_AT_MOST: Final = 1_000


class Awaited(StrEnum):
    """What an account may do that an escrow waits for; named as the message that does it."""

    CONSENT = "consent"
    EVIDENCE = "evidence"
    AGREEMENT = "agreement"
    RULING = "ruling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An act that an escrow waits for. `place`: the piece of evidence, or the place in the panel.

    None of them is a duty: what comes if nobody acts stands in the terms.
    """

    account: Address
    what: Awaited
    milestone: int
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An end that is possible now. `by`: who can bring it about; nobody named is everybody.

    `needed`: how many of them it takes.
    """

    name: str
    by: tuple[Address, ...]
    needed: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowView:
    """An escrow, what the chain says of it, and all that was brought, oldest first."""

    row: EscrowRow
    record: EscrowRecord | None
    messages: tuple[MessageRow, ...]
    waiting_on: tuple[Waiting, ...]
    milestones: tuple[MilestoneNow, ...]


def chain_now(venue: Venue, conn: Connection) -> int:
    """The instant that escrows are told of: ours, or the chain's where that is ahead.

    Their clocks are the blocks', and a chain for trying things out may have been moved on.
    """
    head = venue.store.final_head(conn)
    return venue.clock() if head is None else max(venue.clock(), head[1])


def view_escrow(venue: Venue, conn: Connection, row: EscrowRow, at: int) -> EscrowView:
    """Put together what is known of an escrow, as of `at` (unix seconds)."""
    record = venue.store.escrow_records(conn, [row.escrow]).get(row.escrow)
    return view_of(row, record, venue.store.messages(conn, row.escrow), at)


def view_of(
    row: EscrowRow, record: EscrowRecord | None, messages: Sequence[MessageRow], at: int
) -> EscrowView:
    """The same, of rows that were read. Pure."""
    return EscrowView(
        row=row,
        record=record,
        messages=tuple(messages),
        waiting_on=waiting_on(row, record, messages, at),
        milestones=what_now(row.terms, record, now=at),
    )


def list_escrows(
    venue: Venue,
    conn: Connection,
    viewer: Lei | None,
    *,
    statuses: Sequence[EscrowStatus],
    waiting_on_me: bool,
    below: tuple[int, EscrowId] | None,
    limit: int,
    at: int,
) -> tuple[list[EscrowView], tuple[int, EscrowId] | None]:
    """List escrows newest first, and where the next page begins; None at the end.

    `viewer` None sees all, and then nothing waits on it. A page is short where the filter skips
    much: what one request looks at is bounded.
    """
    own = None if viewer is None else venue.store.accounts_of(conn, [viewer]).get(viewer, ())
    found: list[EscrowView] = []
    looked_at = 0
    while looked_at < _LOOKED_AT_MOST:
        rows = venue.store.list_escrows(
            conn, accounts=own, statuses=statuses, below=below, limit=_CHUNK
        )
        for row in rows:
            shown = view_escrow(venue, conn, row, at)
            if not waiting_on_me or any(one.account in (own or ()) for one in shown.waiting_on):
                if len(found) == limit:
                    return found, below
                found.append(shown)
            below = (row.created_at, row.escrow)
        looked_at += len(rows)
        if len(rows) < _CHUNK:
            return found, None
    return found, below


# ------------------------------------------------------------------------------ whose turn it is


def waiting_on(
    row: EscrowRow, record: EscrowRecord | None, messages: Sequence[MessageRow], at: int
) -> tuple[Waiting, ...]:
    """Say whose acts an escrow waits for, at `at` (unix seconds). Pure."""
    if row.status is EscrowStatus.PROPOSED and at < row.terms.open_by:
        signed = {one.author for one in messages if one.kind is MessageKind.CONSENT}
        return tuple(
            Waiting(account=account, what=Awaited.CONSENT, milestone=0)
            for account in signers_of(row.terms)
            if account not in signed
        )
    if record is None or row.status is not EscrowStatus.OPEN:
        return ()
    found: list[Waiting] = []
    for milestone, state in enumerate(what_now(row.terms, record, now=at)):
        mine = [one for one in messages if one.milestone == milestone]
        found += _waiting_in(row, milestone, state.ways, mine, at)
    return tuple(dict.fromkeys(found))


def _waiting_in(
    row: EscrowRow, milestone: int, ways: int, messages: Sequence[MessageRow], at: int
) -> Iterator[Waiting]:
    if ways & WAY_CONDITION:
        brought = {one.place for one in messages if one.kind is MessageKind.EVIDENCE}
        for place, leaf in enumerate(evidence_leaves(conditions_of(row.terms)[milestone])):
            if isinstance(leaf, Signed | Reading) and place not in brought:
                yield Waiting(
                    account=leaf.signer, what=Awaited.EVIDENCE, milestone=milestone, place=place
                )
    valid = [one for one in messages if int(str(one.content["valid_by"])) > at]
    if ways & WAY_AGREEMENT:
        splits = [one for one in valid if one.kind is MessageKind.AGREEMENT]
        for split in splits:
            same = {one.author for one in splits if _split(one) == _split(split)}
            for account in agreeing_of(row.terms, milestone):
                if account not in same:
                    yield Waiting(account=account, what=Awaited.AGREEMENT, milestone=milestone)
    if ways & (WAY_PANEL | WAY_FALLBACK):
        ruled = {one.place for one in valid if one.kind is MessageKind.RULING}
        panel = (
            {FALLBACK_INDEX: row.terms.fallback_arbiter}
            if ways & WAY_FALLBACK
            else dict(enumerate(row.terms.arbiters))
        )
        for place, arbiter in panel.items():
            if place not in ruled:
                yield Waiting(
                    account=arbiter, what=Awaited.RULING, milestone=milestone, place=place
                )


def _split(one: MessageRow) -> tuple[str, str]:
    return str(one.content["paid"]), str(one.content["valid_by"])


# ------------------------------------------------------------------------------ what now


def ways_of(row: EscrowRow, milestone: int, now: MilestoneNow) -> tuple[Way, ...]:
    """Say what would end a milestone now, and who can do it."""
    terms = row.terms
    agreeing = agreeing_of(terms, milestone)
    depositors = tuple(dict.fromkeys(line.depositor for line in lines_of(terms, milestone)))
    every: tuple[tuple[int, Way], ...] = (
        (
            WAY_AGREEMENT,
            Way(
                name="agreement",
                by=agreeing,
                needed=len(agreeing),
                sentence="All of them sign the same split.",
            ),
        ),
        (
            WAY_CONDITION,
            Way(
                name="condition",
                by=(),
                needed=1,
                sentence="Whoever shows that the condition holds ends it.",
            ),
        ),
        (
            WAY_DISPUTE,
            Way(
                name="dispute",
                by=parties_of(terms, milestone),
                needed=1,
                sentence="One of its parties disputes, once, with the hash of its evidence.",
            ),
        ),
        (
            WAY_PANEL,
            Way(
                name="panel",
                by=terms.arbiters,
                needed=terms.quorum,
                sentence="So many of the panel sign the same ruling.",
            ),
        ),
        (
            WAY_FALLBACK,
            Way(
                name="fallback",
                by=(terms.fallback_arbiter,),
                needed=1,
                sentence="The panel was silent: the fallback arbiter rules alone.",
            ),
        ),
        (
            WAY_DEFAULT,
            Way(
                name="default",
                by=(),
                needed=1,
                sentence="The deadline is over: anyone calls the default.",
            ),
        ),
        (
            WAY_SILENCE,
            Way(
                name="silence",
                by=(),
                needed=1,
                sentence="Nobody ruled in time: anyone calls what the terms say for that.",
            ),
        ),
        (
            WAY_PAY_OUT,
            Way(
                name="pay_out",
                by=(),
                needed=1,
                sentence="Anyone has the waiting payments made, once no freeze stops them.",
            ),
        ),
        (
            WAY_GIVE_UP,
            Way(
                name="give_up",
                by=depositors,
                needed=1,
                sentence="A depositor whom no freeze stops gives the waiting payments up.",
            ),
        ),
    )
    return tuple(way for bit, way in every if now.ways & bit)


BY_ITSELF: Final = {
    MilestoneState.UNOPENED: "If it is not opened by then, it lapses and nothing has moved.",
    MilestoneState.OPEN: "From then on the default outcome; the operator calls it.",
    MilestoneState.BEFORE_PANEL: "If the panel is silent until then, the next in the terms decides"
    " or silence counts.",
    MilestoneState.BEFORE_FALLBACK: "If the fallback arbiter is silent until then, the outcome for"
    " silence; the operator calls it.",
    MilestoneState.DUE: "The outcome is due; the operator calls it, and so may anyone.",
    MilestoneState.WAITING: "Payments are made when the freeze is lifted; the operator calls them.",
    MilestoneState.ENDED: "Nothing: it has ended.",
}
"""What happens to a milestone if nobody acts, by its state."""
