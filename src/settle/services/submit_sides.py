"""Submits sides of trades, one or many, and matches them in the same transaction.

The first side of a trade opens it and is told to the other party as an allegement. A side that fits
one that waits joins its trade: from then on there is one set of terms and nobody takes it back
alone. A side that nearly fits opens a trade of its own, and both name the field that differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from settle.domain.errors import Broken, Conflict, InvalidInput
from settle.domain.instruction import accounts_of, instruction_id
from settle.domain.matching import Mismatch, canonical_terms, compare
from settle.domain.status import ConsentsComplete, SideDiffers, SidesMatched, Status
from settle.domain.window import Window
from settle.services import match_keys
from settle.services.changes import Changes
from settle.services.differences import forget_nearby, reasons_of_differences
from settle.services.find_matches import Found, find_matches
from settle.services.market_rules import NORMAL_PRIORITY
from settle.services.records import altered
from settle.services.trade_rows import (
    Queue,
    SideRow,
    SideState,
    SignatureRow,
    TradeRow,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Address, Lei, TradeId
    from settle.services.examine_sides import ExaminedSide, Presigned
    from settle.services.venue import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of a side. `repeated`: it was submitted before, and this is how it stands now.

    `differences` are told as this side sees them, from the side that nearly fits.
    """

    reference: str
    side_id: str
    trade: TradeRow
    differences: tuple[Mismatch, ...]
    repeated: bool


def submit_sides(
    venue: Venue, conn: Connection, caller: Lei, sides: Sequence[ExaminedSide], at: int
) -> list[Submitted]:
    """Store sides that `examine_sides` passed, all or none, and match what fits.

    Idempotent by (submitter, reference): the same side again changes nothing.
    Raises: InvalidInput for a side that comes after its time; Conflict `duplicate_reference` for
    another side under a known reference, `nonce_in_use` for a nonce that another live trade of the
    account has, `presigned_twice` where both sides have signed terms of their own,
    `allegement_changed` for an answer to terms that no side offers.
    """
    known = venue.store.sides_by_reference(conn, caller, [one.side.reference for one in sides])
    fresh = [
        altered(one, side=altered(one.side, side_id=venue.new_id(at), received_at=at))
        for one in sides
        if not _is_repeat(one, known.get(one.side.reference))
    ]
    _refuse_late(fresh)
    submission = _Submission(venue, conn, caller, at)
    placed = submission.place(fresh)
    submission.save()
    earlier = venue.store.trades(conn, {row.trade_id for row in known.values()})
    return [
        submission.result(placed[one.side.reference])
        if one.side.reference in placed
        else _repeat(known[one.side.reference], earlier)
        for one in sides
    ]


class _Submission:
    """One request while it is worked on."""

    def __init__(self, venue: Venue, conn: Connection, caller: Lei, at: int) -> None:
        self._venue = venue
        self._store = venue.store
        self._conn = conn
        self._caller = caller
        self._at = at
        self._changes = Changes()
        self._added: list[SideRow] = []
        self._matched: list[SideRow] = []
        self._consents: list[SignatureRow] = []

    def place(self, sides: Sequence[ExaminedSide]) -> dict[str, SideRow]:
        """Open a trade or join one for each side; the rows by reference."""
        found = find_matches(
            self._store,
            self._conn,
            self._caller,
            [one.side for one in sides],
            self._venue.rules.tolerance,
        )
        met = [row for one in found.values() for row in (one.match, one.near) if row is not None]
        self._changes.load(self._store.trades(self._conn, {row.trade_id for row in met}).values())
        self._refuse_used_nonces(sides, found)
        for one in sides:
            answer = found[one.side.side_id]
            row = self._open(one, answer) if answer.match is None else self._join(one, answer.match)
            self._added.append(row)
        return {row.side.reference: row for row in self._added}

    def _refuse_used_nonces(
        self, sides: Sequence[ExaminedSide], found: Mapping[str, Found]
    ) -> None:
        """One live trade on one nonce: of those sides whose nonce the terms will carry."""
        pointers: dict[tuple[Address, int], str] = {}
        for one in sides:
            joins = found[one.side.side_id].match is not None
            if joins and not _brings_terms(one.presigned):
                continue
            nonce = (one.account, one.side.nonce)
            if nonce in pointers:
                raise Conflict("nonce_in_use", f"{one.pointer}: as {pointers[nonce]} uses it, too")
            pointers[nonce] = one.pointer
        for nonce, trade_id in self._store.trades_on_nonces(self._conn, pointers).items():
            message = f"{pointers[nonce]}: the nonce {nonce[1]} binds the trade {trade_id}"
            raise Conflict("nonce_in_use", message)

    # ------------------------------------------------------------------- a new trade

    def _open(self, one: ExaminedSide, answer: Found) -> SideRow:
        if one.presigned is not None and one.presigned.answers:
            message = f"{one.pointer}: no side that waits offers the terms that were signed"
            raise Conflict("allegement_changed", message)
        side, window = one.side, one.window
        until = self._venue.rules.unmatched_until(self._at)
        trade = TradeRow(
            trade_id=self._venue.new_id(self._at),
            status=Status.UNMATCHED,
            version=1,
            first_side=side.side_id,
            second_side=None,
            deliverer_lei=side.delivering_party,
            receiver_lei=side.receiving_party,
            initiator=one.account,
            nonce=side.nonce,
            nonce_bound=True,
            digest=None,
            instruction=None,
            settlement_date=side.settlement_date,
            settle_from=window.settle_from,
            settle_by=window.settle_by,
            deadline_at=min(window.settle_by, until),
            priority=NORMAL_PRIORITY,
            value=side.quantity if side.amount is None else side.amount,
            deliverer_account=None,
            receiver_account=None,
            differences=answer.mismatches,
            near_trade=None if answer.near is None else answer.near.trade_id,
            reasons=reasons_of_differences(answer.mismatches),
            reasons_at=self._at,
            created_at=self._at,
            updated_at=self._at,
        )
        self._changes.add(trade, "trade.received", self._at)
        if answer.near is not None:
            self._tell_near(one, answer.near, trade.trade_id)
        if one.presigned is not None:
            self._consent(one.presigned)
        return self._side_row(one, trade.trade_id, SideState.OPEN)

    def _tell_near(self, one: ExaminedSide, near: SideRow, trade_id: TradeId) -> None:
        """Let the waiting side name the same fields, unless it knows one that is nearer still."""
        row = self._changes[near.trade_id]
        differences = compare(near.side, one.side, self._venue.rules.tolerance)
        if row.differences and len(row.differences) < len(differences):
            return
        self._changes.edit(row.trade_id, differences=differences, near_trade=trade_id)
        change = SideDiffers(at=self._at, reasons=reasons_of_differences(differences))
        self._changes.change(row.trade_id, change)

    # ----------------------------------------------------------------------- a match

    def _join(self, one: ExaminedSide, other: SideRow) -> SideRow:
        """Make one set of terms of two sides.

        The side that waited gives initiator, nonce and salts, unless only the new one has signed.
        """
        trade = self._changes[other.trade_id]
        brings = _brings_terms(one.presigned)
        if brings and other.presigned is not None:
            message = (
                f"{one.pointer}: the counterparty has signed terms of its own for this trade: "
                f"answer those of {trade.trade_id}, or send the side without a signature"
            )
            raise Conflict("presigned_twice", message)
        first, second = (one.side, other.side) if brings else (other.side, one.side)
        window = (
            one.window
            if brings
            else Window(settle_from=trade.settle_from, settle_by=trade.settle_by)
        )
        terms = canonical_terms(first, second, one.assets, {}, window)
        if other.presigned is not None and other.presigned != terms:
            raise Broken(f"the terms signed for {trade.trade_id} are not those of its match")
        if one.presigned is not None and one.presigned.instruction != terms:
            message = f"{one.pointer}: the terms signed are not those of {trade.trade_id}"
            raise Conflict("allegement_changed", message)
        row = self._changes.edit(
            trade.trade_id,
            second_side=one.side.side_id,
            initiator=terms.initiator,
            nonce=terms.nonce,
            digest=instruction_id(terms, self._venue.domain),
            instruction=terms,
            settle_from=terms.settle_from,
            settle_by=terms.settle_by,
            deadline_at=terms.settle_by,
            deliverer_account=terms.legs[0].deliverer,
            receiver_account=terms.legs[0].receiver,
            value=terms.legs[-1].quantity,
            differences=(),
            near_trade=None,
        )
        self._changes.change(row.trade_id, SidesMatched(at=self._at))
        if one.presigned is not None:
            self._consent(one.presigned)
        both = one.presigned is not None and other.presigned is not None
        if both and len(accounts_of(terms)) == 2:
            self._changes.change(row.trade_id, ConsentsComplete(at=self._at))
            self._changes.edit(row.trade_id, queue=Queue.READY)
        self._matched.append(altered(other, state=SideState.MATCHED))
        return self._side_row(one, row.trade_id, SideState.MATCHED)

    def _consent(self, presigned: Presigned) -> None:
        self._consents.append(
            SignatureRow(
                digest=presigned.digest,
                account=presigned.account,
                signature=presigned.signature,
                created_at=self._at,
                by_wallet=presigned.by_wallet,
            )
        )

    def _side_row(self, one: ExaminedSide, trade_id: TradeId, state: SideState) -> SideRow:
        return SideRow(
            side=one.side,
            trade_id=trade_id,
            state=state,
            equal_key=match_keys.equal_key(one.side),
            reference_key=match_keys.reference_key(one.side),
            security_key=match_keys.security_key(one.side),
            presigned=None if one.presigned is None else one.presigned.instruction,
        )

    # ------------------------------------------------------------------------ ending

    def save(self) -> None:
        """Write all of it."""
        matched = [row.trade_id for row in self._matched]
        forget_nearby(self._store, self._conn, self._changes, matched, "CMIS", self._at)
        self._store.set_side_states(self._conn, self._matched)
        self._store.add_signatures(self._conn, self._consents)
        self._changes.save(self._store, self._conn, sides=self._added)

    def result(self, row: SideRow) -> Submitted:
        """How a side of this request stands after it."""
        trade = self._changes[row.trade_id]
        own = trade.first_side == row.side.side_id
        return Submitted(
            reference=row.side.reference,
            side_id=row.side.side_id,
            trade=trade,
            differences=trade.differences if own else (),
            repeated=False,
        )


def _refuse_late(sides: Sequence[ExaminedSide]) -> None:
    for one in sides:
        if one.over:
            message = f"the time to settle trades of {one.side.settlement_date} is over"
            raise InvalidInput("settlement_date_over", message, f"{one.pointer}/settlement_date")


def _brings_terms(presigned: Presigned | None) -> bool:
    return presigned is not None and not presigned.answers


def _is_repeat(one: ExaminedSide, known: SideRow | None) -> bool:
    """Whether the side was submitted before. Raises Conflict for another one of that reference."""
    if known is None:
        return False
    same = replace(one.side, side_id=known.side.side_id, received_at=known.side.received_at)
    terms = None if one.presigned is None else one.presigned.instruction
    if same != known.side or terms != known.presigned:
        message = f"{one.pointer}: {one.side.reference!r} is the reference of another side of yours"
        raise Conflict("duplicate_reference", message)
    return True


def _repeat(row: SideRow, trades: Mapping[TradeId, TradeRow]) -> Submitted:
    trade = trades[row.trade_id]
    own = trade.first_side == row.side.side_id
    return Submitted(
        reference=row.side.reference,
        side_id=row.side.side_id,
        trade=trade,
        differences=trade.differences if own else (),
        repeated=True,
    )
