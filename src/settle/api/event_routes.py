"""What happened, as a stream of server-sent events that misses nothing.

The id of an event is its number for this caller: 1, 2, 3 and so on, without a gap. Whoever comes
back with Last-Event-ID gets everything after it. A participant's stream has its own trades only.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterable, Collection
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from settle.api.context import Caller
from settle.api.runtime import PREFIX, CallerNeeded, Runtime, RuntimeNeeded
from settle.api.strict_route import StrictRoute
from settle.domain.errors import Conflict
from settle.domain.ids import to_hex

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.services.trade_rows import EventRow

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["events"])

_PAGE: Final = 200
_LONGEST_WAIT_S: Final = 30
_RETRY_MS: Final = 1_000

LastEventId = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, le=2**62, description="go on behind this event"),
]
AfterQuery = Annotated[
    int | None, Query(ge=0, le=2**62, description="as Last-Event-ID, which goes before it")
]


async def first_number(
    run: RuntimeNeeded,
    caller: CallerNeeded,
    last_event_id: LastEventId = None,
    after: AfterQuery = None,
) -> int:
    """Give the number behind which the stream begins. Raises Conflict if it was never reached."""
    begin = last_event_id if last_event_id is not None else after or 0
    last = await run_in_threadpool(_last, run, caller)
    if begin > last:
        message = f"your last event is {last}, not {begin}: read again from the start"
        raise Conflict("event_unknown", message)
    return begin


def _last(run: Runtime, caller: Caller) -> int:
    with run.context.database.reading() as conn:
        return run.context.store.last_event(conn, viewer=caller.viewer)


@router.get("/events", response_class=EventSourceResponse)
async def stream_events(
    run: RuntimeNeeded, caller: CallerNeeded, begin: Annotated[int, Depends(first_number)]
) -> AsyncIterable[ServerSentEvent]:
    """Stream what happens to the trades that the caller may see.

    The data of each event is a JSON object: number, kind, trade_id, block_number, created_at,
    payload.
    """
    context = run.context
    number = begin
    end_at = time.monotonic() + context.settings.stream_max_s
    yield ServerSentEvent(comment="settle", retry=_RETRY_MS)
    while not context.watch.stopping and time.monotonic() < end_at:
        page = await run_in_threadpool(_page, run, caller, number)
        for told_number, kind, data in page:
            number = told_number
            yield ServerSentEvent(raw_data=data, event=kind, id=str(number))
        if len(page) < _PAGE:
            left_s = min(end_at - time.monotonic(), _LONGEST_WAIT_S)
            await context.watch.wait(caller.viewer, number, max(left_s, 0))


def _page(run: Runtime, caller: Caller, after: int) -> list[tuple[int, str, str]]:
    context = run.context
    with context.database.reading() as conn:
        rows = context.store.read_events(conn, viewer=caller.viewer, after=after, limit=_PAGE)
        own = own_hex(run, conn, caller) if rows else None
    return [(row.number, row.kind, event_json(row, own)) for row in rows]


def own_hex(run: Runtime, conn: Connection, caller: Caller) -> frozenset[str] | None:
    """Give the caller's accounts in hex; None for who sees everything."""
    if caller.viewer is None:
        return None
    accounts = run.context.store.accounts_of(conn, [caller.viewer])
    return frozenset(map(to_hex, accounts.get(caller.viewer, ())))


def event_json(row: EventRow, own: Collection[str] | None) -> str:
    """Write an event; what another participant has is left out of its reasons."""
    payload: dict[str, Any] = json.loads(row.payload)
    if own is not None:
        for reason in payload.get("reasons", ()):
            if reason.get("who") is not None and reason["who"] not in own:
                reason["have"] = None
    told = {
        "number": row.number,
        "kind": row.kind,
        "trade_id": row.trade_id,
        "block_number": row.block_number,
        "created_at": row.created_at,
        "payload": payload,
    }
    return json.dumps(told, separators=(",", ":"))
