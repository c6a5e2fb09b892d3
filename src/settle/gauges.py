"""What the operator's metrics measure, read from the database when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from settle.api.metrics import Gauges
    from settle.background import WatchedLoop
    from settle.services.venue import Venue
    from settle.store.alarms import Alarms
    from settle.store.chain_tables import SqlFollowerStore


def gauges_of(
    venue: Venue, followed: SqlFollowerStore, alarms: Alarms, loops: Mapping[str, WatchedLoop]
) -> Callable[[], Gauges]:
    """Give what reads them."""

    def gauges() -> Gauges:
        with venue.database.reading() as conn:
            trades = venue.store.count_unsettled(conn)
            cursor = followed.cursor(conn)
            events = venue.store.last_event(conn, viewer=None)
            open_alarms = len(alarms.open_alarms(conn))
        return {
            "trades": {status.value: count for status, count in trades.items()},
            "chain_block": {} if cursor is None else {"": cursor.number},
            "chain_final_block": {} if cursor is None else {"": cursor.final_number},
            "events": {"": events},
            "open_alarms": {"": open_alarms},
            "loop_up": {name: int(loop.check().ok) for name, loop in loops.items()},
        }

    return gauges


DESCRIBED: Final = {
    "trades": ("Trades that have not settled", "status"),
    "chain_block": ("Newest block in the database", ""),
    "chain_final_block": ("Newest final block in the database", ""),
    "events": ("Events told so far", ""),
    "open_alarms": ("Alarms that nobody has cleared", ""),
    "loop_up": ("Whether a background loop goes round", "loop"),
}
