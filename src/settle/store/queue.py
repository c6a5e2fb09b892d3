"""The executor's queue: which consented trades to look at, and what the others wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    func,
    select,
    update,
)

from settle.domain.ids import TradeId
from settle.services.trade_rows import Queue
from settle.store.books import ReadBooks
from settle.store.bulk import BulkStatement
from settle.store.columns import batches
from settle.store.tables import ASLEEP, CANCELLING, IN_FLIGHT, OF_HOLDING, READY, trades
from settle.store.tables import waits as waits_table
from settle.store.trade_columns import trade_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from settle.domain.ids import Address, AssetId
    from settle.services.trade_rows import TradeRow, Wait


_READY: Final = update(trades).values(queue=Queue.READY.value, wake_at=None)
# One range of an index for each holding: a join of the two tables scans all that wait.
_WAKE_BY_HOLDING: Final = _READY.where(
    trades.c.queue == Queue.WAITING.value,
    trades.c.trade_id.in_(
        select(waits_table.c.trade_id).where(
            OF_HOLDING,
            waits_table.c.account == bindparam("of"),
            waits_table.c.asset == bindparam("what"),
            waits_table.c.needed <= bindparam("have"),
        )
    ),
)
_MOVE: Final = BulkStatement.of(
    update(trades)
    .where(trades.c.trade_id == bindparam("key"))
    .values(
        queue=bindparam("new_queue"),
        wake_at=bindparam("new_wake_at"),
        batch_id=bindparam("new_batch_id"),
        batch_cap=bindparam("new_batch_cap"),
    )
)
_ADD_WAITS: Final = BulkStatement.inserting(waits_table)


class ExecutionQueue:
    """The port `QueueStore`."""

    def ready_trades(self, conn: Connection, limit: int) -> Sequence[TradeRow]:
        """Ready ones: most urgent priority, then older settlement date, then larger value."""
        columns = trades.c
        order = (columns.priority, columns.settlement_date, columns.value.desc(), columns.trade_id)
        found = conn.execute(select(trades).where(READY).order_by(*order).limit(limit))
        return [trade_of(row) for row in found.all()]

    def sent_trades(self, conn: Connection) -> Sequence[TradeId]:
        """Those in transactions that no block is known to hold, in order of the transactions."""
        sent = trades.c.queue == Queue.SENT.value
        found = conn.execute(
            select(trades.c.trade_id)
            .where(IN_FLIGHT, sent)
            .order_by(trades.c.batch_id, trades.c.trade_id)
        )
        return [TradeId(number) for number in found.scalars()]

    def trades_of_batch(self, conn: Connection, batch_id: int) -> Sequence[TradeRow]:
        """Those still carried by a transaction."""
        found = conn.execute(
            select(trades)
            .where(IN_FLIGHT, trades.c.batch_id == batch_id)
            .order_by(trades.c.trade_id)
        )
        return [trade_of(row) for row in found.all()]

    def trade_of_cancellation(self, conn: Connection, cancel_id: int) -> TradeRow | None:
        """The trade that a transaction is to cancel."""
        found = conn.execute(select(trades).where(CANCELLING, trades.c.cancel_id == cancel_id))
        row = found.one_or_none()
        return None if row is None else trade_of(row)

    def positions(
        self, conn: Connection, trade_ids: Collection[TradeId]
    ) -> Mapping[TradeId, tuple[int, Queue | None]]:
        """Version and place in the queue, as they are now."""
        columns = trades.c
        found: dict[TradeId, tuple[int, Queue | None]] = {}
        for some in batches(trade_ids):
            statement = select(columns.trade_id, columns.version, columns.queue)
            for number, version, queue in conn.execute(statement.where(columns.trade_id.in_(some))):
                found[TradeId(number)] = (version, None if queue is None else Queue(queue))
        return found

    def move_in_queue(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write queue, wake_at, batch_id and batch_cap alone: nothing that others are told."""
        _MOVE.run(
            conn,
            [
                {
                    "key": row.trade_id,
                    "new_queue": None if row.queue is None else row.queue.value,
                    "new_wake_at": row.wake_at,
                    "new_batch_id": row.batch_id,
                    "new_batch_cap": row.batch_cap,
                }
                for row in rows
            ],
        )

    def add_waits(self, conn: Connection, waits: Sequence[Wait]) -> None:
        """Remember what trades wait for."""
        _ADD_WAITS.run(
            conn,
            [
                {
                    "fact": wait.fact,
                    "trade_id": wait.trade_id,
                    "account": wait.account,
                    "asset": wait.asset,
                    "needed": wait.needed,
                }
                for wait in waits
            ],
        )

    def drop_waits(self, conn: Connection, trade_ids: Collection[TradeId]) -> None:
        """Forget what trades waited for."""
        for some in batches(trade_ids):
            conn.execute(delete(waits_table).where(waits_table.c.trade_id.in_(some)))

    def wake(
        self,
        conn: Connection,
        *,
        holdings: Collection[tuple[Address, AssetId]] = (),
        facts: Collection[str] = (),
    ) -> int:
        """Make ready whoever waits for one of these facts, or for a holding that is enough now."""
        woken = 0
        for some in batches(facts):
            sleepers = select(waits_table.c.trade_id).where(waits_table.c.fact.in_(some))
            waiting = trades.c.queue == Queue.WAITING.value
            asleep = _READY.where(waiting, trades.c.trade_id.in_(sleepers))
            woken += conn.execute(asleep).rowcount
        grown = [
            {"of": row.account, "what": row.asset, "have": row.available}
            for row in ReadBooks().holdings_at(conn, holdings).values()
        ]
        if grown:
            woken += conn.execute(_WAKE_BY_HOLDING, grown).rowcount
        return woken

    def wake_by_time(self, conn: Connection, at: int) -> int:
        """Make ready whoever waits for an instant that has come; how many."""
        return conn.execute(
            _READY.where(ASLEEP, trades.c.wake_at <= at, trades.c.queue == Queue.WAITING.value)
        ).rowcount

    def next_wake(self, conn: Connection) -> int | None:
        """The earliest instant that a trade waits for."""
        earliest = conn.execute(select(func.min(trades.c.wake_at)).where(ASLEEP))
        found: int | None = earliest.scalar_one_or_none()
        return found
