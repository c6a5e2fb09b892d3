"""Finds trades by what a caller asks for, newest first; what a request reads is bounded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from settle.api.paging import read_cursor, write_cursor
from settle.domain.status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from settle.api.context import Caller
    from settle.domain.ids import TradeId
    from settle.services.trade_ports import TradingStore
    from settle.services.trade_rows import TradeRow

_CHUNK: Final = 500
_LOOKED_AT_MOST: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a trade must be to be listed; None and empty ask for nothing."""

    statuses: tuple[Status, ...] = ()
    role: str | None = None
    asset: str | None = None
    settlement_date: date | None = None
    reference: str | None = None

    @property
    def values(self) -> tuple[object, ...]:
        """All of it, for a cursor to name."""
        return (self.statuses, self.role, self.asset, self.settlement_date, self.reference)


def list_trades(
    store: TradingStore,
    conn: Connection,
    caller: Caller,
    filters: Filters,
    *,
    cursor: str | None,
    limit: int,
) -> tuple[list[TradeRow], str | None]:
    """Give a page and the cursor of the next one, None at the end.

    A page is short where the filters skip much: what one request looks at is bounded.
    """
    below = read_cursor(cursor, filters.values)
    if filters.reference is not None and caller.lei is not None:
        return _by_reference(store, conn, caller, filters), None
    found: list[TradeRow] = []
    looked_at = 0
    while looked_at < _LOOKED_AT_MOST:
        chunk = store.list_trades(
            conn,
            viewer=caller.viewer,
            statuses=filters.statuses,
            below=below,
            limit=_CHUNK if _narrow(filters) else limit + 1,
        )
        for row in _matching(store, conn, caller, filters, chunk):
            if len(found) == limit:
                return found, write_cursor(found[-1].trade_id, filters.values)
            found.append(row)
        looked_at += len(chunk)
        if not chunk or len(chunk) < (_CHUNK if _narrow(filters) else limit + 1):
            return found, None
        below = chunk[-1].trade_id
    last: TradeId | None = below
    return found, None if last is None else write_cursor(last, filters.values)


def _narrow(filters: Filters) -> bool:
    return filters != Filters(statuses=filters.statuses)


def _by_reference(
    store: TradingStore, conn: Connection, caller: Caller, filters: Filters
) -> list[TradeRow]:
    """A participant's own reference names one side, so there is no list to go through."""
    if caller.lei is None or filters.reference is None:
        return []
    sides = store.sides_by_reference(conn, caller.lei, [filters.reference])
    rows = list(store.trades(conn, [side.trade_id for side in sides.values()]).values())
    if filters.statuses:
        rows = [row for row in rows if row.status in filters.statuses]
    return _matching(store, conn, caller, filters, rows)


def _matching(
    store: TradingStore,
    conn: Connection,
    caller: Caller,
    filters: Filters,
    rows: Sequence[TradeRow],
) -> list[TradeRow]:
    day, role = filters.settlement_date, filters.role
    kept = [
        row
        for row in rows
        if (day is None or row.settlement_date == day)
        and (role != "deliverer" or row.deliverer_lei == caller.lei)
        and (role != "receiver" or row.receiver_lei == caller.lei)
    ]
    if not kept or (filters.asset is None and filters.reference is None):
        return kept
    sides = store.sides_of(conn, [row.trade_id for row in kept])
    return [
        row
        for row in kept
        if any(
            filters.asset in {None, one.side.isin, one.side.currency}
            and (
                filters.reference is None
                or (
                    one.side.reference == filters.reference
                    and caller.viewer in {None, one.side.submitted_by}
                )
            )
            for one in sides.get(row.trade_id, ())
        )
    ]
