"""Settles what can settle: chooses affirmed trades, sends them in batches, parks the others.

Driven by facts and not by polling: a trade is looked at when it is affirmed and when something that
blocked it changes. Whatever is decided is in the database; a restart begins with nothing in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from settle.domain.ids import AssetId
from settle.domain.instruction import accounts_of
from settle.domain.ledger import AssetClass
from settle.domain.reasons import kind_of
from settle.domain.status import Cleared, Status
from settle.services.chain_calls import BatchLimits, SignedInstruction
from settle.services.changes import Changes
from settle.services.choose_batches import (
    Batch,
    Candidate,
    Packer,
    Short,
    batch_size,
    choose_batches,
)
from settle.services.park_trades import Parked, available, names, park_trades, wake_changed
from settle.services.records import altered
from settle.services.trade_rows import Queue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Address, InstructionId, TradeId
    from settle.domain.instruction import Leg
    from settle.services.facts import Key
    from settle.services.trade_rows import TradeRow
    from settle.services.venue import Venue

LOOKED_AT: Final = 1_000
"""Ready trades in one step at most."""
_BEYOND_ROOM: Final = 100
"""Ready trades that are looked at although there is no room for them: some will not be covered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step did, in trades. `again`: there is more to do right now.

    `wake_at`: when to come back at the latest, unix seconds; None: when something happens.
    """

    woken: int = 0
    sent: int = 0
    parked: int = 0
    transactions: tuple[int, ...] = ()
    again: bool = False
    wake_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What the decision is made on: one state of the database."""

    room: int
    more: bool
    followed_to: int | None
    ready: Sequence[Candidate]
    sent: Sequence[TradeId]
    holdings: Mapping[Key, int]
    held: Mapping[Key, int]
    cash: frozenset[AssetId]


class Executor:
    """One for each sending key; steps are called by one thread."""

    def __init__(self, venue: Venue, limits: BatchLimits) -> None:
        """`limits` come from the engine's data."""
        self._venue = venue
        self._limits = limits
        self._batch_size = batch_size(limits)
        # Legs of what is on its way, so that they need not be read again; never more than that.
        self._legs: dict[TradeId, Sequence[Leg]] = {}

    def step(self, at: int) -> Step:
        """Wake what waits for this instant, send what is covered, park the rest with its reasons.

        Raises Unavailable if the database or, where it is asked, the chain does not answer.
        """
        woken = self._wake(at)
        view = self._look()
        if not view.ready or view.room <= 0:
            return Step(woken=woken, wake_at=self._next_wake())
        packer = Packer(self._limits, view.room)
        choice = choose_batches(
            view.ready,
            holdings=view.holdings,
            sent=[self._legs[number] for number in view.sent],
            cash=view.cash,
            packer=packer,
            at=at,
        )
        parked: list[Parked] = [(one, (reason,)) for one, reason in choice.timed]
        parked += self._explain(choice.short, packer, view)
        with self._venue.database.transaction() as conn:
            step = self._write(conn, view, packer.batches, parked, at)
        return replace(step, woken=woken, wake_at=self._next_wake())

    # ------------------------------------------------------------------------ looking

    def _wake(self, at: int) -> int:
        due = self._next_wake()
        if due is None or due > at:
            return 0
        with self._venue.database.transaction() as conn:
            return self._venue.store.wake_by_time(conn, at)

    def _next_wake(self) -> int | None:
        with self._venue.database.reading() as conn:
            return self._venue.store.next_wake(conn)

    def _look(self) -> _View:
        store = self._venue.store
        with self._venue.database.reading() as conn:
            room = self._venue.outgoing.room(conn)
            page = min(LOOKED_AT, room * self._batch_size + _BEYOND_ROOM)
            trades = store.ready_trades(conn, page) if room > 0 else []
            digests = [trade.digest for trade in trades if trade.digest is not None]
            consents = store.signatures(conn, digests)
            wallets = store.wallet_signatures(conn, digests)
            ready = [
                Candidate(trade=trade, signed=_signed(trade, consents, wallets))
                for trade in trades
                if trade.instruction is not None
            ]
            sent = store.sent_trades(conn) if ready else []
            self._remember(conn, sent)
            keys = {
                key
                for one in ready
                for leg in one.signed.instruction.legs
                for key in ((leg.deliverer, leg.asset), (leg.receiver, leg.asset))
            }
            holdings = store.holdings_at(conn, keys)
            return _View(
                room=room,
                more=len(trades) == page,
                followed_to=store.followed_to(conn),
                ready=ready,
                sent=sent,
                holdings=available(holdings),
                held={key: row.held for key, row in holdings.items()},
                cash=frozenset(
                    AssetId(row.asset)
                    for row in store.assets(conn)
                    if AssetClass(row.asset_class).is_cash
                ),
            )

    def _remember(self, conn: Connection, sent: Sequence[TradeId]) -> None:
        unknown = [number for number in sent if number not in self._legs]
        fetched = self._venue.store.trades(conn, unknown)
        self._legs = {number: self._legs.get(number) or _legs(fetched[number]) for number in sent}

    def _explain(self, short: Sequence[Short], packer: Packer, view: _View) -> list[Parked]:
        """All the reasons of those that lack something, as the chain tells them.

        Those that only others leave without cover are asked about where something is held, the
        chain knows of no others; those whose reasons are known are not. What the chain would
        settle because it is reserved goes along. What it would settle because its books are ahead
        of ours waits until ours are there: the block that brings the holding wakes it.
        """
        asked = [
            one
            for one in short
            if (one.alone or _may_be_reserved(one, view.held)) and not _known(one)
        ]
        told = self._venue.chain.why_not([one.candidate.signed for one in asked]) if asked else ()
        answers = {
            one.candidate.trade.trade_id: reasons for one, reasons in zip(asked, told, strict=True)
        }
        parked: list[Parked] = []
        for one in short:
            reasons = answers.get(one.candidate.trade.trade_id, one.reasons)
            if not reasons and _may_be_reserved(one, view.held):
                packer.put(one.candidate)
            else:
                parked.append((one.candidate, reasons or one.reasons))
        return parked

    # ------------------------------------------------------------------------ writing

    def _write(
        self,
        conn: Connection,
        view: _View,
        batches: Sequence[Batch],
        parked: Sequence[Parked],
        at: int,
    ) -> Step:
        """Write the decision for those trades that are as they were when it was made."""
        store = self._venue.store
        decided = [one for batch in batches for one in batch.members] + [one for one, _ in parked]
        positions = store.positions(conn, [one.trade.trade_id for one in decided])
        as_it_was = {
            one.trade.trade_id
            for one in decided
            if positions.get(one.trade.trade_id) == (one.trade.version, Queue.READY)
        }
        store.drop_waits(conn, as_it_was)
        changes = Changes()
        moved: list[TradeRow] = []
        numbers: list[int] = []
        for batch in batches:
            members = [one for one in batch.members if one.trade.trade_id in as_it_was]
            if members:
                numbers.append(self._send(conn, members, batch.gas, changes, moved, at))
        kept = [(one, why) for one, why in parked if one.trade.trade_id in as_it_was]
        freed = [one for one in decided if one.trade.trade_id not in as_it_was]
        moved += park_trades(store, conn, kept, changes, at)
        store.move_in_queue(conn, moved)
        changes.save(store, conn)
        wake_changed(store, conn, kept, freed, holdings=view.holdings, followed_to=view.followed_to)
        sent = len(as_it_was) - len(kept)
        more = view.more or len(decided) < len(view.ready)
        return Step(
            sent=sent,
            parked=len(kept),
            transactions=tuple(numbers),
            again=bool(as_it_was) and len(numbers) < view.room and more,
        )

    def _send(
        self,
        conn: Connection,
        members: Sequence[Candidate],
        gas: int,
        changes: Changes,
        moved: list[TradeRow],
        at: int,
    ) -> int:
        number = self._venue.outgoing.settle_many(conn, [one.signed for one in members], gas=gas)
        for one in members:
            sent = altered(one.trade, queue=Queue.SENT, wake_at=None, batch_id=number)
            if sent.status is Status.AFFIRMED:
                moved.append(sent)
            else:
                changes.load([one.trade])
                changes.put(sent)
                changes.change(sent.trade_id, Cleared(at=at))
            self._legs[one.trade.trade_id] = one.signed.instruction.legs
        return number


def _signed(
    trade: TradeRow,
    consents: Mapping[InstructionId, Mapping[Address, bytes]],
    wallets: Mapping[InstructionId, int],
) -> SignedInstruction:
    assert trade.instruction is not None, "what is affirmed has terms"
    assert trade.digest is not None, "what is affirmed has terms"
    given = consents.get(trade.digest, {})
    signatures = tuple(given.get(account, b"") for account in accounts_of(trade.instruction))
    return SignedInstruction(
        instruction=trade.instruction,
        signatures=signatures,
        wallets=wallets.get(trade.digest, 0),
    )


def _legs(trade: TradeRow) -> Sequence[Leg]:
    return () if trade.instruction is None else trade.instruction.legs


def _may_be_reserved(short: Short, held: Mapping[Key, int]) -> bool:
    """Whether what a leg lacks may be held for this very instruction."""
    legs = short.candidate.signed.instruction.legs
    return all(
        held.get((legs[one.leg].deliverer, legs[one.leg].asset), 0) >= one.needed
        for one in short.reasons
    )


def _known(short: Short) -> bool:
    """Whether a pending trade lacks exactly what it lacked when the chain was asked last."""
    trade = short.candidate.trade
    of_value = [one for one in trade.reasons if kind_of(one.code).clears_by == "holdings"]
    return trade.status is Status.PENDING and names(of_value) == names(short.reasons)
