"""What is told to others: one order for all, and for each participant numbers without a gap."""

from __future__ import annotations

from collections import Counter
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Connection, select

from settle.domain.errors import Broken
from settle.domain.ids import TradeId
from settle.services.trade_rows import EventRow
from settle.store.bulk import BulkStatement
from settle.store.columns import upsert
from settle.store.tables import event_counters
from settle.store.tables import events as event_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.domain.ids import Lei
    from settle.services.trade_rows import NewEvent

ALL: Final = ""
"""The stream that has every event."""
_MOST_VIEWERS: Final = 2
_ADD: Final = BulkStatement.inserting(event_table)


class Events:
    """The port `EventStore`."""

    def append_events(self, conn: Connection, events: Sequence[NewEvent]) -> None:
        """Give them the next numbers. To be called last in a transaction: others wait for it."""
        if not events:
            return
        taken: Counter[str] = Counter(lei for event in events for lei in set(event.visible_to))
        taken[ALL] = len(events)
        last = self._last(conn, sorted(taken))
        statement = upsert(conn, event_counters)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["stream"], set_={"last": statement.excluded.last}
            ),
            [{"stream": s, "last": last[s] + number} for s, number in sorted(taken.items())],
        )
        _ADD.run(conn, [_columns(event, last) for event in events])

    def read_events(
        self, conn: Connection, *, viewer: Lei | None, after: int, limit: int
    ) -> Sequence[EventRow]:
        """A viewer's events with numbers above `after`; with None, all events."""
        columns = event_table.c
        if viewer is None:
            return _read(conn, columns.seq, None, None, after, limit)
        found = [
            _read(conn, number, lei, viewer, after, limit)
            for number, lei in (
                (columns.first_number, columns.first_lei),
                (columns.second_number, columns.second_lei),
            )
        ]
        return list(islice(merge(*found, key=lambda row: row.number), limit))

    def last_event(self, conn: Connection, *, viewer: Lei | None) -> int:
        """The viewer's last number; 0 before the first."""
        stream = ALL if viewer is None else viewer
        return self._last(conn, [stream])[stream]

    def _last(self, conn: Connection, streams: Sequence[str]) -> dict[str, int]:
        found = conn.execute(select(event_counters).where(event_counters.c.stream.in_(streams)))
        return dict.fromkeys(streams, 0) | {row.stream: row.last for row in found}


def _columns(event: NewEvent, last: dict[str, int]) -> dict[str, Any]:
    """The event with its numbers; `last` is counted up."""
    leis = tuple(dict.fromkeys(event.visible_to))
    if len(leis) > _MOST_VIEWERS:
        raise Broken(f"an event is for two participants at most, not {len(leis)}")
    for stream in (ALL, *leis):
        last[stream] += 1
    first, second = (*leis, None, None)[:_MOST_VIEWERS]
    return {
        "seq": last[ALL],
        "kind": event.kind,
        "trade_id": event.trade_id,
        "first_lei": first,
        "first_number": None if first is None else last[first],
        "second_lei": second,
        "second_number": None if second is None else last[second],
        "block_number": event.block_number,
        "payload": event.payload,
        "created_at": event.created_at,
    }


def _read(
    conn: Connection,
    number: Column[int],
    lei: Column[str] | None,
    viewer: Lei | None,
    after: int,
    limit: int,
) -> list[EventRow]:
    statement = select(event_table, number.label("own_number")).where(number > after)
    if lei is not None:
        statement = statement.where(lei == viewer)
    return [
        EventRow(
            number=row.own_number,
            seq=row.seq,
            kind=row.kind,
            trade_id=None if row.trade_id is None else TradeId(row.trade_id),
            block_number=row.block_number,
            payload=row.payload,
            created_at=row.created_at,
        )
        for row in conn.execute(statement.order_by(number).limit(limit))
    ]
