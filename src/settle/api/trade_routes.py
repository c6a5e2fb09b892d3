"""Trades: submit, list, look at, ask why not, cancel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from settle.api.idempotency import Answer, json_answer
from settle.api.paging import DEFAULT_LIMIT, CursorQuery, LimitQuery
from settle.api.problems import pointer_of
from settle.api.runtime import (
    PREFIX,
    CallerNeeded,
    MemberNeeded,
    OperationNeeded,
    Runtime,
    RuntimeNeeded,
)
from settle.api.sides import check_decimals, side_request
from settle.api.strict_route import StrictRoute
from settle.api.trade_documents import (
    AskedOut,
    CancelIn,
    CancellationOut,
    SideIn,
    SidesIn,
    StatusName,
    SubmittedManyOut,
    SubmittedOut,
    TradeOut,
    TradesPage,
)
from settle.api.trade_listing import Filters, list_trades
from settle.api.trade_views import submitted_out
from settle.api.waiting import APPLIED, PreferHeader, until_final, wanted_wait
from settle.domain.errors import Conflict, InvalidInput
from settle.domain.ids import Lei, TradeId
from settle.domain.instruction import accounts_of
from settle.domain.status import Status
from settle.services.cancel_trade import (
    CheckedCancellation,
    SignedCancellation,
    cancel_trade,
    check_cancellation,
)
from settle.services.examine_sides import ExaminedSide, examine_sides
from settle.services.receipts import about_trade
from settle.services.show_trades import find_trade
from settle.services.submit_sides import submit_sides

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.api.context import Caller
    from settle.services.trade_rows import TradeRow

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["trades"])

TradePath = Annotated[str, Path(pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]


Pointer = Callable[[int], str]


def _no_pointer(_index: int) -> str:
    return ""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("date_form", f"there is no day {text}") from None


def etag(version: int) -> str:
    """Write a version as an entity tag."""
    return f'"{version}"'


# -------------------------------------------------------------------------- submitting


@router.post("/trades", status_code=HTTPStatus.CREATED, response_model=SubmittedOut)
async def submit_trade(
    run: RuntimeNeeded,
    member: MemberNeeded,
    operation: OperationNeeded,
    told: SideIn,
    prefer: PreferHeader = None,
) -> Response:
    """Submit your side of a trade. The same side again changes nothing and is answered 200."""
    context = run.context
    wait_s = wanted_wait(prefer, context.settings.wait_max_s)
    given: list[SubmittedOut] = []

    def check() -> list[ExaminedSide]:
        return _examine(run, member.lei, [told], _no_pointer)

    def work(conn: Connection, sides: list[ExaminedSide]) -> Answer:
        [result] = submit_sides(context.venue, conn, member.lei, sides, context.clock())
        given.append(submitted_out(result))
        return _submitted(given[-1]).about([about_trade(result.trade)])

    async def then(_answer: Answer) -> Answer | None:
        if not wait_s or not given:
            return None
        row = await until_final(context, member.caller, TradeId(given[-1].trade_id), wait_s)
        now = given[-1].model_copy(
            update={"status": row.status.value, "version": row.version, "digest": row.digest}
        )
        return _submitted(now, waited_s=wait_s)

    return await operation.perform(check, work, then)


def _submitted(result: SubmittedOut, waited_s: int = 0) -> Answer:
    headers = {"Location": f"/v1/trades/{result.trade_id}", "ETag": etag(result.version)}
    if waited_s:
        headers["Preference_Applied"] = f"wait={waited_s}"
    status = HTTPStatus.OK if result.repeated else HTTPStatus.CREATED
    return json_answer(status, result, **headers)


@router.post("/trades/batch", response_model=SubmittedManyOut)
async def submit_trades(
    run: RuntimeNeeded, member: MemberNeeded, operation: OperationNeeded, told: SidesIn
) -> Response:
    """Submit many sides in one step: all of them are taken, or none is."""
    context = run.context

    def check() -> list[ExaminedSide]:
        if len(told.trades) > context.settings.max_items:
            message = f"at most {context.settings.max_items} trades at a time"
            raise InvalidInput("too_many_items", message, "/trades")
        return _examine(run, member.lei, told.trades, lambda index: pointer_of(("trades", index)))

    def work(conn: Connection, sides: list[ExaminedSide]) -> Answer:
        results = submit_sides(context.venue, conn, member.lei, sides, context.clock())
        context.metrics.items.labels("side", "accepted").inc(len(results))
        shown = SubmittedManyOut(results=tuple(map(submitted_out, results)))
        return json_answer(HTTPStatus.OK, shown).about(about_trade(one.trade) for one in results)

    return await operation.perform(check, work)


def _examine(
    run: Runtime, lei: Lei, told: Sequence[SideIn], pointer: Pointer
) -> list[ExaminedSide]:
    context = run.context
    check_decimals(run, told, pointer)
    requests = [side_request(one, lei) for one in told]
    return examine_sides(context.venue, lei, requests, context.clock(), pointer=pointer)


# --------------------------------------------------------------------------- looking at


@router.get("/trades")
def get_trades(
    run: RuntimeNeeded,
    caller: CallerNeeded,
    status: Annotated[list[StatusName] | None, Query(description="one or more")] = None,
    role: Annotated[Literal["deliverer", "receiver"] | None, Query()] = None,
    asset: Annotated[str | None, Query(max_length=12, description="ISIN or currency")] = None,
    settlement_date: Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}-\d{2}$")] = None,
    reference: Annotated[str | None, Query(max_length=64, description="yours")] = None,
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> TradesPage:
    """List trades that the caller may see, newest first; allegements are among them."""
    filters = Filters(
        statuses=tuple(sorted(Status(name) for name in status or ())),
        role=role,
        asset=asset,
        settlement_date=None if settlement_date is None else _day(settlement_date),
        reference=reference,
    )
    with run.context.database.reading() as conn:
        rows, following = list_trades(
            run.context.store, conn, caller, filters, cursor=cursor, limit=limit
        )
        return TradesPage(trades=tuple(run.views.show(conn, caller, rows)), next_cursor=following)


@router.get("/trades/{trade_id}", response_model=TradeOut)
async def get_trade(
    run: RuntimeNeeded, caller: CallerNeeded, trade_id: TradePath, prefer: PreferHeader = None
) -> Response:
    """Show one trade; with `Prefer: wait=N`, when it has ended or N seconds have passed."""
    context = run.context
    wait_s = wanted_wait(prefer, context.settings.wait_max_s)
    await run_in_threadpool(_find, run, caller, trade_id)
    if wait_s:
        await until_final(context, caller, TradeId(trade_id), wait_s)

    def show() -> TradeOut:
        with context.database.reading() as conn:
            row = find_trade(context.venue, conn, caller.viewer, TradeId(trade_id))
            return run.views.show(conn, caller, [row])[0]

    shown = await run_in_threadpool(show)
    headers = {"ETag": etag(shown.version)}
    if wait_s:
        headers[APPLIED] = f"wait={wait_s}"
    return Response(shown.model_dump_json(), media_type="application/json", headers=headers)


def _find(run: Runtime, caller: Caller, trade_id: str) -> None:
    context = run.context
    with context.database.reading() as conn:
        find_trade(context.venue, conn, caller.viewer, TradeId(trade_id))


# --------------------------------------------------------------------------- cancelling


@router.get("/trades/{trade_id}/cancellation")
def get_cancellation(
    run: RuntimeNeeded, caller: CallerNeeded, trade_id: TradePath
) -> CancellationOut:
    """Tell who has asked to end a trade."""
    context = run.context
    with context.database.reading() as conn:
        return _cancellation(
            run, conn, find_trade(context.venue, conn, caller.viewer, TradeId(trade_id))
        )


@router.post("/trades/{trade_id}/cancel", response_model=CancellationOut)
async def cancel(
    run: RuntimeNeeded,
    member: MemberNeeded,
    operation: OperationNeeded,
    trade_id: TradePath,
    told: CancelIn,
    if_match: Annotated[
        str | None,
        Header(max_length=32, description="the ETag of the trade as you know it", examples=['"3"']),
    ] = None,
    prefer: PreferHeader = None,
) -> Response:
    """Ask to end a trade: alone before it has matched, both of you from then on."""
    context = run.context
    wait_s = wanted_wait(prefer, context.settings.wait_max_s)
    number = TradeId(trade_id)

    def check() -> CheckedCancellation:
        if if_match is None:
            raise Conflict("if_match_missing", "name in If-Match which version you mean to end")
        signed = None
        if told.signature is not None:
            if told.valid_by is None:
                message = "a signed cancellation says until when it serves"
                raise InvalidInput("valid_by_missing", message, "/valid_by")
            signed = SignedCancellation(valid_by=told.valid_by, signature=told.signature)
        return check_cancellation(context.venue, member.lei, number, signed)

    def work(conn: Connection, checked: CheckedCancellation) -> Answer:
        row = find_trade(context.venue, conn, member.lei, number)
        if if_match not in {"*", etag(row.version)}:
            message = f"the trade is at version {row.version} now: look at it again"
            raise Conflict("stale_version", message)
        result = cancel_trade(context.venue, conn, checked, context.clock())
        shown = _cancelled(_cancellation(run, conn, result.trade))
        return shown.about([about_trade(result.trade)])

    async def then(answer: Answer) -> Answer | None:
        if not wait_s or answer.status != HTTPStatus.OK:
            return None
        await until_final(context, member.caller, number, wait_s)

        def show() -> CancellationOut:
            with context.database.reading() as conn:
                return _cancellation(run, conn, find_trade(context.venue, conn, member.lei, number))

        return _cancelled(await run_in_threadpool(show))

    return await operation.perform(check, work, then)


def _cancelled(shown: CancellationOut) -> Answer:
    return json_answer(HTTPStatus.OK, shown, ETag=etag(shown.version))


def _cancellation(run: Runtime, conn: Connection, row: TradeRow) -> CancellationOut:
    asked = {} if row.digest is None else run.context.store.cancellations(conn, row.digest)
    open_terms = None if row.status.is_terminal else row.instruction
    accounts = () if open_terms is None else accounts_of(open_terms)
    return CancellationOut(
        trade_id=row.trade_id,
        status=row.status.value,
        version=row.version,
        asked=tuple(
            AskedOut(account=account, valid_by=one.valid_by) for account, one in asked.items()
        ),
        missing=tuple(account for account in accounts if account not in asked),
    )
