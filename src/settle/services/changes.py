"""Changes to trades inside one database transaction: collected, then written and told at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from settle.domain.errors import Broken
from settle.domain.ids import to_hex
from settle.domain.status import Status, TradeState, transition
from settle.services.records import altered
from settle.services.trade_rows import NewEvent, Queue, TradeRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import TradeId
    from settle.domain.reasons import Reason
    from settle.domain.status import Change
    from settle.services.trade_ports import TradingStore
    from settle.services.trade_rows import SideRow


_encode = json.JSONEncoder(separators=(",", ":")).encode


class Changes:
    """Each trade's version grows by one, however much of it changed. Events come in order."""

    def __init__(self, rows: Iterable[TradeRow] = ()) -> None:
        """Begin with rows as they are stored."""
        self._stored: dict[TradeId, TradeRow] = {}
        self._now: dict[TradeId, TradeRow] = {}
        self._added: dict[TradeId, None] = {}
        self._events: list[NewEvent] = []
        self.load(rows)

    def load(self, rows: Iterable[TradeRow]) -> None:
        """Take more rows as they are stored; one that is here already stays as it is here."""
        for row in rows:
            if row.trade_id not in self._now:
                self._stored[row.trade_id] = row
                self._now[row.trade_id] = row

    def __getitem__(self, trade_id: TradeId) -> TradeRow:
        """The trade as it stands now."""
        return self._now[trade_id]

    def __contains__(self, trade_id: TradeId) -> bool:
        """Whether the trade is here."""
        return trade_id in self._now

    def add(self, row: TradeRow, kind: str, at: int) -> None:
        """A new trade, told under `kind`."""
        self._added[row.trade_id] = None
        self._now[row.trade_id] = row
        self.tell(kind, row, at)

    def edit(self, trade_id: TradeId, **fields: Any) -> TradeRow:  # noqa: ANN401  a row's fields
        """Change fields other than the status."""
        row = altered(self._now[trade_id], **fields)
        self._now[trade_id] = row
        return row

    def put(self, row: TradeRow) -> None:
        """Take a row that was changed elsewhere; its status stays what it was."""
        self._now[row.trade_id] = row

    def change(self, trade_id: TradeId, change: Change) -> TradeRow:
        """Let something happen to the trade. Raises as `settle.domain.status.transition`."""
        before = self._now[trade_id]
        state = TradeState(status=before.status, reasons=before.reasons, block=before.ended_block)
        after, told = transition(state, change)
        if after == state:
            return before
        row = altered(
            before,
            status=after.status,
            reasons=after.reasons,
            reasons_at=change.at,
            ended_block=after.block,
            updated_at=change.at,
            **(_ended(change.at) if after.status.is_terminal else {}),
        )
        self._now[trade_id] = row
        for one in told:
            self.tell(f"trade.{one.after.value.lower()}", row, change.at, before=one.before.value)
        return row

    def tell(self, kind: str, row: TradeRow, at: int, **more: Any) -> None:  # noqa: ANN401  JSON
        """Tell both parties something about the trade."""
        payload: dict[str, Any] = {
            "trade_id": row.trade_id,
            "status": row.status.value,
            "digest": None if row.digest is None else to_hex(row.digest),
            "deadline_at": str(row.deadline_at),
            "reasons": [reason_json(reason) for reason in row.reasons],
            **more,
        }
        if row.settled_tx is not None:
            payload["transaction"] = to_hex(row.settled_tx)
        self._events.append(
            NewEvent(
                kind=kind,
                trade_id=row.trade_id,
                visible_to=row.parties,
                payload=_encode(payload),
                created_at=at,
                block_number=row.ended_block,
            )
        )

    def save(self, store: TradingStore, conn: Connection, *, sides: Sequence[SideRow] = ()) -> None:
        """Write everything, and new sides of these trades with it.

        Events last, because whoever else has something to tell waits from then on.
        """
        store.add_trades(conn, [self._now[number] for number in self._added])
        changed = [
            altered(self._now[number], version=stored.version + 1)
            for number, stored in self._stored.items()
            if self._now[number] is not stored
        ]
        matched = [row for row in changed if row.digest != self._stored[row.trade_id].digest]
        store.set_terms(conn, matched)
        store.update_trades(conn, changed)
        store.add_sides(conn, sides)
        self._now |= {row.trade_id: row for row in changed}
        store.end_sides(conn, [row.trade_id for row in changed if self._closes_side(row)])
        store.drop_waits(conn, [row.trade_id for row in changed if self._stops_waiting(row)])
        store.append_events(conn, self._events)
        self._added, self._events = {}, []
        self._stored = dict(self._now)

    def _closes_side(self, row: TradeRow) -> bool:
        was_open = self._stored[row.trade_id].status is Status.UNMATCHED
        return was_open and row.status.is_terminal

    def _stops_waiting(self, row: TradeRow) -> bool:
        waited = self._stored[row.trade_id].queue is Queue.WAITING
        return waited and row.queue is None


def _ended(at: int) -> dict[str, Any]:
    return {
        "ended_at": at,
        "queue": None,
        "wake_at": None,
        "batch_id": None,
        "differences": (),
        "near_trade": None,
    }


def reason_json(reason: Reason) -> dict[str, Any]:
    """A reason as events tell it: integers as strings, bytes as hex."""
    return {
        "code": reason.code,
        "leg": reason.leg,
        "who": None if reason.who is None else to_hex(reason.who),
        "needed": str(reason.needed),
        "have": str(reason.have),
    }


def load_current(
    store: TradingStore, conn: Connection, rows: Sequence[TradeRow]
) -> dict[TradeId, TradeRow]:
    """Read again those rows that changed since they were read; the others need no reading.

    Raises Broken if one is gone: trades are never deleted.
    """
    positions = store.positions(conn, [row.trade_id for row in rows])
    stale = [
        row.trade_id for row in rows if positions.get(row.trade_id) != (row.version, row.queue)
    ]
    current = {row.trade_id: row for row in rows} | dict(store.trades(conn, stale))
    if len(positions) < len({row.trade_id for row in rows}):
        raise Broken("a trade that was there is gone")
    return current
