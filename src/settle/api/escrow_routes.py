"""Escrows: propose, sign and all other messages, list, look at, read, ask what can happen now."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, Response

from settle.api.escrow_documents import (
    EscrowMessageIn,
    EscrowNowOut,
    EscrowOut,
    EscrowsPage,
    EscrowStatusName,
    ProposeEscrowIn,
)
from settle.api.escrow_views import as_invalid, escrow_now_out, escrow_out
from settle.api.idempotency import Answer, json_answer
from settle.api.paging import CursorQuery, read_mark, write_mark
from settle.api.runtime import (
    PREFIX,
    CallerNeeded,
    MemberNeeded,
    OperationNeeded,
    Runtime,
    RuntimeNeeded,
)
from settle.api.strict_route import StrictRoute
from settle.domain.chain_errors import Reverted
from settle.domain.escrow.terms import EscrowId
from settle.domain.ids import Address, parse_word
from settle.services.escrow_rows import EscrowStatus, MessageKind
from settle.services.message_escrow import (
    CheckedMessage,
    Message,
    accept_message,
    check_message,
    visible_escrow,
)
from settle.services.propose_escrow import propose_escrow
from settle.services.receipts import about_escrow
from settle.services.show_escrows import chain_now, list_escrows, view_escrow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.api.context import Caller
    from settle.services.show_escrows import EscrowView

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["escrows"])

EscrowPath = Annotated[str, Path(pattern="^0x[0-9a-f]{64}$")]
_PAGE = 50
_INSTANT_BYTES = 8
_MARK_BYTES = _INSTANT_BYTES + 32

EscrowLimitQuery = Annotated[int, Query(ge=1, le=_PAGE, description="entries of a page at most")]


def _id(text: str) -> EscrowId:
    return EscrowId(parse_word(text))


def _view(run: Runtime, conn: Connection, caller: Caller, escrow: EscrowId) -> EscrowView:
    context = run.context
    row = visible_escrow(context.venue, conn, caller.viewer, escrow)
    return view_escrow(context.venue, conn, row, chain_now(context.venue, conn))


@router.post("/escrows", status_code=HTTPStatus.CREATED, response_model=EscrowOut)
async def propose(
    run: RuntimeNeeded, member: MemberNeeded, operation: OperationNeeded, told: ProposeEscrowIn
) -> Response:
    """Propose terms to all who are named in them. The same terms again are answered 200."""
    context = run.context
    terms = told.terms.value()

    def work(conn: Connection, _checked: None) -> Answer:
        at = chain_now(context.venue, conn)
        try:
            row, new = propose_escrow(context.venue, conn, member.lei, terms, at)
        except Reverted as error:
            raise as_invalid(error, "/terms") from error
        shown = escrow_out(view_escrow(context.venue, conn, row, at))
        status = HTTPStatus.CREATED if new else HTTPStatus.OK
        place = f"{PREFIX}/escrows/0x{row.escrow.hex()}"
        return json_answer(status, shown, Location=place).about([about_escrow(row)])

    return await operation.perform(lambda: None, work)


@router.get("/escrows")
def get_escrows(
    run: RuntimeNeeded,
    caller: CallerNeeded,
    status: Annotated[list[EscrowStatusName] | None, Query(description="one or more")] = None,
    waiting_on_me: Annotated[
        bool, Query(description="only those that wait for an act of yours")
    ] = False,
    cursor: CursorQuery = None,
    limit: EscrowLimitQuery = _PAGE,
) -> EscrowsPage:
    """List escrows that the caller has a part in, newest first."""
    statuses = tuple(EscrowStatus(one) for one in sorted(set(status or ())))
    filters = (*statuses, waiting_on_me)
    mark = read_mark(cursor, filters, size=_MARK_BYTES)
    below = None
    if mark is not None:
        instant, escrow = mark[:_INSTANT_BYTES], mark[_INSTANT_BYTES:]
        below = (int.from_bytes(instant, "big"), EscrowId(escrow))
    context = run.context
    with context.database.reading() as conn:
        views, last = list_escrows(
            context.venue,
            conn,
            caller.viewer,
            statuses=statuses,
            waiting_on_me=waiting_on_me,
            below=below,
            limit=limit,
            at=chain_now(context.venue, conn),
        )
    following = None
    if last is not None:
        following = write_mark(last[0].to_bytes(_INSTANT_BYTES, "big") + last[1], filters)
    return EscrowsPage(escrows=tuple(map(escrow_out, views)), next_cursor=following)


@router.get("/escrows/{escrow}")
def get_escrow(run: RuntimeNeeded, caller: CallerNeeded, escrow: EscrowPath) -> EscrowOut:
    """Show an escrow with its terms and everything brought: keep it, it works without us."""
    with run.context.database.reading() as conn:
        return escrow_out(_view(run, conn, caller, _id(escrow)))


@router.get("/escrows/{escrow}/text", response_class=PlainTextResponse)
def get_escrow_text(run: RuntimeNeeded, caller: CallerNeeded, escrow: EscrowPath) -> Response:
    """Give the terms in English, as their hash stands in what is signed."""
    with run.context.database.reading() as conn:
        row = visible_escrow(run.context.venue, conn, caller.viewer, _id(escrow))
    return PlainTextResponse(row.text)


@router.get("/escrows/{escrow}/what-now")
def get_what_now(run: RuntimeNeeded, caller: CallerNeeded, escrow: EscrowPath) -> EscrowNowOut:
    """Say what would end each milestone now, who can do it, and what happens by itself."""
    with run.context.database.reading() as conn:
        view = _view(run, conn, caller, _id(escrow))
        return escrow_now_out(view, chain_now(run.context.venue, conn))


@router.post("/escrows/{escrow}/messages", response_model=EscrowOut)
async def send_escrow_message(
    run: RuntimeNeeded,
    member: MemberNeeded,
    operation: OperationNeeded,
    escrow: EscrowPath,
    told: EscrowMessageIn,
) -> Response:
    """Bring a signed message: a consent, evidence, a split, a dispute, a ruling, a withdrawal.

    Anyone with a part in the escrow brings anyone's message: the signature says whose it is.
    """
    context = run.context

    def check() -> CheckedMessage:
        message = Message(
            kind=MessageKind(told.kind),
            author=Address(told.author),
            milestone=told.milestone,
            place=told.place,
            paid=tuple(told.paid),
            data=told.data,
            valid_by=told.valid_by,
            signature=told.signature or b"",
        )
        try:
            with context.database.reading() as conn:
                at = chain_now(context.venue, conn)
            return check_message(context.venue, member.lei, _id(escrow), message, at)
        except Reverted as error:
            raise as_invalid(error, "/data") from error

    def work(conn: Connection, checked: CheckedMessage) -> Answer:
        at = chain_now(context.venue, conn)
        row = accept_message(context.venue, conn, checked, at)
        shown = escrow_out(view_escrow(context.venue, conn, row, at))
        return json_answer(HTTPStatus.OK, shown).about([about_escrow(row)])

    return await operation.perform(check, work)
