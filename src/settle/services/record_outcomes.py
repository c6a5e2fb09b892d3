"""Writes what the chain says into the trades: in a block, final, or taken back.

The follower and the sender call this inside their own transactions, so that a trade never says
something that the followed chain does not. A status changes by final blocks alone; what a block
that is not final says moves trades in the executor's queue and wakes those that waited for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.chain_events import (
    ConsentWithdrawn,
    InstructionCancelled,
    InstructionNotSettled,
    InstructionSettled,
)
from settle.domain.ids import ZERO_ADDRESS, Address
from settle.domain.reasons import Reason
from settle.domain.status import (
    CancelledOnChain,
    ConsentWithdrawnOnChain,
    Obstructed,
    SettledOnChain,
)
from settle.services.cancel_trade import send_cancellation
from settle.services.chain_rows import Alarm, TransactionState
from settle.services.changes import Changes
from settle.services.facts import Key, changed_by, delivered, sleep_until
from settle.services.lapse_trades import lapse_trades
from settle.services.records import altered
from settle.services.trade_rows import Queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from settle.domain.chain_events import Recorded
    from settle.domain.ids import InstructionId
    from settle.services.chain_calls import FinalHead
    from settle.services.chain_rows import TransactionRow
    from settle.services.trade_rows import TradeRow
    from settle.services.venue import Venue

EXECUTOR: Final = "executor"
_REST_S: Final = 300
"""Until a trade whose batch of one reverted is tried again."""
_Ending = InstructionSettled | InstructionCancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcomes:
    """The ports `ChainListener` and `ResultListener`."""

    venue: Venue

    # --------------------------------------------------------------- what a block says

    def appeared(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        """Events of blocks that were not known before: note outcomes, then wake who waited.

        What settled in a block that is final already is told by `became_final`.
        """
        final = (self.venue.store.final_head(conn) or (-1, 0))[0]
        outcomes = {
            one.event.id: one for one in events if isinstance(one.event, InstructionNotSettled)
        }
        for one in events:
            # After a reorganisation an instruction may be in two batches: it settles in one.
            if isinstance(one.event, InstructionSettled):
                outcomes.pop(one.event.id, None)
                if one.place.block_number > final:
                    outcomes[one.event.id] = one
        freed = self._note(conn, outcomes, at) if outcomes else set()
        changed = changed_by(one.event for one in events)
        self.venue.store.wake(conn, holdings=changed.holdings | freed, facts=changed.facts)

    def _note(self, conn: Connection, outcomes: dict[InstructionId, Recorded], at: int) -> set[Key]:
        """Take trades out of flight; the holdings that those drew on which did not settle."""
        store = self.venue.store
        trades = store.trades_by_digest(conn, outcomes)
        changes = Changes(trades.values())
        moved: list[TradeRow] = []
        freed: set[Key] = set()
        for digest, trade in trades.items():
            told = outcomes[digest]
            if trade.status.is_terminal or trade.instruction is None:
                continue
            if isinstance(told.event, InstructionSettled):
                moved.append(altered(trade, queue=Queue.SEEN, wake_at=None))
                changes.tell("trade.seen", trade, at, block=told.place.block_number)
            elif isinstance(told.event, InstructionNotSettled) and trade.queue is Queue.SENT:
                freed |= delivered(trade.instruction)
                reasons = (_reason(told.event),)
                sleep = sleep_until(trade.trade_id, trade.instruction, reasons, at)
                store.add_waits(conn, sleep.waits)
                changes.edit(
                    trade.trade_id,
                    queue=Queue.WAITING,
                    wake_at=sleep.wake_at,
                    batch_id=None,
                    batch_cap=None,
                )
                changes.change(trade.trade_id, Obstructed(at=at, reasons=reasons))
        changes.save(store, conn)
        store.move_in_queue(conn, moved)
        return freed

    # ------------------------------------------------------------- what a final block says

    def became_final(
        self, conn: Connection, events: Sequence[Recorded], head: FinalHead, *, at: int
    ) -> None:
        """Events of blocks that are final from now on: what ended, ended; then what time ends."""
        store = self.venue.store
        ended = [one for one in events if isinstance(one.event, _Ending | ConsentWithdrawn)]
        if ended:
            changes = Changes()
            by_digest = store.trades_by_digest(conn, {_id_of(one) for one in ended})
            changes.load(by_digest.values())
            endings = [one.event for one in ended if isinstance(one.event, _Ending)]
            on_nonces = store.trades_on_nonces(conn, {(e.initiator, e.nonce) for e in endings})
            others = [number for number in on_nonces.values() if number not in changes]
            changes.load(store.trades(conn, others).values())
            for one in ended:
                trade = by_digest.get(_id_of(one))
                if trade is not None:
                    _end(changes, trade, one, at)
                if isinstance(one.event, _Ending):
                    other = on_nonces.get((one.event.initiator, one.event.nonce))
                    if other is not None and changes[other].digest != one.event.id:
                        _end_by_other(changes, changes[other], one, at)
            changes.save(store, conn)
        lapse_trades(self.venue, conn, head, at)

    # ------------------------------------------------------------- what is taken back

    def retracted(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        """Events of blocks that a reorganisation took out: back in flight, or to be looked at."""
        store = self.venue.store
        undone = {
            one.event.id: one
            for one in events
            if isinstance(one.event, InstructionSettled | InstructionNotSettled | ConsentWithdrawn)
        }
        trades = store.trades_by_digest(conn, undone)
        changes = Changes(trades.values())
        moved: list[TradeRow] = []
        for digest, trade in trades.items():
            settled = isinstance(undone[digest].event, InstructionSettled)
            if trade.queue is Queue.SEEN and settled:
                again = Queue.READY if trade.batch_id is None else Queue.SENT
                moved.append(altered(trade, queue=again))
                block = undone[digest].place.block_number
                changes.tell("trade.retracted", trade, at, block=block)
            elif trade.queue is Queue.WAITING:
                moved.append(altered(trade, queue=Queue.READY, wake_at=None))
        store.move_in_queue(conn, moved)
        changed = changed_by(one.event for one in events)
        store.wake(conn, holdings=changed.holdings, facts=changed.facts)
        changes.save(store, conn)

    # ------------------------------------------------------ how our transactions ended

    def ended(self, conn: Connection, transaction: TransactionRow) -> None:
        """A transaction is final. What it did is told by events; here is what it did not do."""
        if transaction.state is TransactionState.SUCCEEDED:
            return
        at = self.venue.clock()
        number = transaction.transaction_id
        reverted = transaction.state is TransactionState.REVERTED
        if transaction.purpose == "cancel":
            self._not_cancelled(conn, number, at, reverted=reverted)
        else:
            self._not_executed(conn, number, at, reverted=reverted)

    def _not_executed(self, conn: Connection, batch_id: int, at: int, *, reverted: bool) -> None:
        """Nothing of the batch happened: try again, in halves if it reverted as a whole.

        One instruction can revert all of its batch (a wallet that uses up the gas), so halving
        finds it; alone, it waits with that as its reason and a person is told.
        """
        store = self.venue.store
        sent = [t for t in store.trades_of_batch(conn, batch_id) if t.queue is Queue.SENT]
        if reverted and len(sent) == 1:
            self._let_rest(conn, sent[0], batch_id, at)
        else:
            cap = len(sent) // 2 if reverted else None
            again = [
                altered(
                    trade,
                    queue=Queue.READY,
                    wake_at=None,
                    batch_id=None,
                    batch_cap=cap or trade.batch_cap,
                )
                for trade in sent
            ]
            store.move_in_queue(conn, again)
        freed = {key for t in sent if t.instruction for key in delivered(t.instruction)}
        store.wake(conn, holdings=freed)

    def _let_rest(self, conn: Connection, trade: TradeRow, batch_id: int, at: int) -> None:
        """Park the one that reverts even by itself; it stays by itself."""
        changes = Changes([trade])
        changes.edit(
            trade.trade_id, queue=Queue.WAITING, wake_at=at + _REST_S, batch_id=None, batch_cap=1
        )
        changes.change(trade.trade_id, Obstructed(at=at, reasons=(Reason(code="XREV"),)))
        changes.save(self.venue.store, conn)
        message = f"the trade {trade.trade_id}, alone in transaction {batch_id}, reverted"
        self._alarm(conn, "trade_reverts", trade.trade_id, message, at)

    def _not_cancelled(self, conn: Connection, cancel_id: int, at: int, *, reverted: bool) -> None:
        """The cancellation was not heard: send it again, or let both ask again if it came too late.

        It is not executed in any case: both asked for that.
        """
        trade = self.venue.store.trade_of_cancellation(conn, cancel_id)
        if trade is None or trade.status.is_terminal:
            return
        changes = Changes([trade])
        again = None if reverted else send_cancellation(self.venue, conn, trade, at)
        row = changes.edit(trade.trade_id, cancel_id=again, updated_at=at)
        if again is None:
            changes.tell("trade.cancellation_failed", row, at)
        changes.save(self.venue.store, conn)

    def _alarm(self, conn: Connection, kind: str, subject: str, message: str, at: int) -> None:
        alarm = Alarm(kind=kind, subject=f"{EXECUTOR}:{subject}", message=message, raised_at=at)
        self.venue.alarms.raise_alarm(conn, alarm)


def _id_of(one: Recorded) -> InstructionId:
    assert isinstance(one.event, _Ending | ConsentWithdrawn)
    return one.event.id


def _reason(event: InstructionNotSettled) -> Reason:
    return Reason(
        code=event.code.decode("ascii"),
        leg=event.leg,
        who=None if event.who == ZERO_ADDRESS else Address(event.who),
        needed=event.needed,
        have=event.have,
    )


def _end(changes: Changes, trade: TradeRow, one: Recorded, at: int) -> None:
    """The chain ended this very instruction."""
    block = one.place.block_number
    match one.event:
        case InstructionSettled():
            if not trade.status.is_terminal:
                changes.edit(trade.trade_id, settled_tx=one.place.transaction)
            changes.change(trade.trade_id, SettledOnChain(at=at, block=block))
        case InstructionCancelled():
            reasons = (Reason(code="CANI"),)
            changes.change(trade.trade_id, CancelledOnChain(at=at, block=block, reasons=reasons))
        case ConsentWithdrawn(account=account):
            reasons = (Reason(code="XWDR", who=account),)
            changes.change(
                trade.trade_id, ConsentWithdrawnOnChain(at=at, block=block, reasons=reasons)
            )


def _end_by_other(changes: Changes, trade: TradeRow, one: Recorded, at: int) -> None:
    """Another instruction ended the nonce of this one, which can settle no more."""
    if changes[trade.trade_id].status.is_terminal:
        return
    code = "XDON" if isinstance(one.event, InstructionSettled) else "XCAN"
    reasons = (Reason(code=code, who=trade.initiator),)
    changes.change(
        trade.trade_id,
        CancelledOnChain(at=at, block=one.place.block_number, reasons=reasons),
    )
