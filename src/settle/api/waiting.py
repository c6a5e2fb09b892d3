"""Waits until a trade is final, for a request that prefers to (RFC 7240, `Prefer: wait=N`)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Header
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from settle.api.context import ApiContext, Caller
    from settle.domain.ids import TradeId
    from settle.services.trade_rows import TradeRow

APPLIED: Final = "Preference-Applied"
_WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*([0-9]{1,6})\s*(?=[,;]|$)", re.IGNORECASE)

PreferHeader = Annotated[
    str | None,
    Header(
        alias="Prefer",
        max_length=200,
        description="`wait=N`: answer when the trade has ended, or after N seconds",
        examples=["wait=30"],
    ),
]


def wanted_wait(prefer: str | None, most_s: int) -> int:
    """How many seconds to wait; 0 without the preference, `most_s` at most."""
    found = _WAIT.search(prefer or "")
    return 0 if found is None else min(int(found[1]), most_s)


async def until_final(
    context: ApiContext, caller: Caller, trade_id: TradeId, seconds: int
) -> TradeRow:
    """Give the trade when it has ended, or as it is after so many seconds."""
    give_up_at = time.monotonic() + seconds

    def look() -> tuple[TradeRow, int]:
        with context.database.reading() as conn:
            row = context.store.trades(conn, [trade_id])[trade_id]
            return row, context.store.last_event(conn, viewer=caller.viewer)

    while True:
        row, last = await run_in_threadpool(look)
        left_s = give_up_at - time.monotonic()
        if row.status.is_terminal or left_s <= 0 or context.watch.stopping:
            return row
        await context.watch.wait(caller.viewer, last, left_s)
