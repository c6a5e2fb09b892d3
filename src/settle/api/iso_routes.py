"""ISO 20022 messages: sese.023 in, sese.024 and sese.025 out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from settle.api.fields import Document, Instant, TradeIdText
from settle.api.idempotency import Answer, problem_answer
from settle.api.iso_in import (
    Examined,
    examine_message,
    read_message,
    rejection_of,
    submit_message,
)
from settle.api.iso_out import (
    message_at,
    messages_behind,
    name_of,
    references_of,
    write_message,
)
from settle.api.paging import DEFAULT_LIMIT, LimitQuery
from settle.api.runtime import PREFIX, MemberNeeded, OperationNeeded, RuntimeNeeded
from settle.api.strict_route import StrictRoute
from settle.domain.errors import InvalidInput, SettleError
from settle.iso20022.sese023 import Rejection, Sese023
from settle.iso20022.sese024 import acknowledgement, answer_version, rejection
from settle.services.receipts import about_trade

if TYPE_CHECKING:
    from sqlalchemy import Connection

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["iso20022"])

XML: Final = "application/xml"
_XML_CONTENT: Final[dict[str, Any]] = {"content": {XML: {"schema": {"type": "string"}}}}
_NEWEST: Final = "sese.023.001.11"
VersionQuery = Annotated[
    str,
    Query(
        pattern=r"^sese\.023\.001\.[0-9]{2}$",
        description="the version of sese.023 that you send; it says which sese.024 you read",
    ),
]


class MessageOut(Document):
    """A message for the caller: what it is and what it is about."""

    number: int
    name: str
    trade_id: TradeIdText
    reference: str
    created_at: Instant


class MessagesPage(Document):
    """Messages, oldest first. Give `next_after` as `after` to go on; null: these are the last."""

    messages: tuple[MessageOut, ...]
    next_after: int | None


@router.post(
    "/iso20022/messages",
    status_code=HTTPStatus.CREATED,
    response_class=Response,
    responses={
        HTTPStatus.CREATED: {**_XML_CONTENT, "description": "Accepted: sese.024"},
        HTTPStatus.UNPROCESSABLE_ENTITY: {**_XML_CONTENT, "description": "Refused: sese.024"},
    },
    openapi_extra={"requestBody": {**_XML_CONTENT, "required": True}},
)
async def send_message(
    run: RuntimeNeeded, member: MemberNeeded, operation: OperationNeeded, request: Request
) -> Response:
    """Instruct by a sese.023; it is answered by a sese.024, accepted or refused whole.

    What has no reference to answer to is answered by a problem document.
    """
    context = run.context
    xml = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    found: list[Sese023] = []

    def check() -> Examined | Rejection:
        if media_type != XML:
            raise InvalidInput("media_type", f"a message is {XML}, not {media_type!r}")
        with context.database.reading() as conn:
            message = read_message(context.venue, conn, context.iso_names, member.lei, xml)
        if isinstance(message, Rejection):
            return message
        found.append(message)
        return examine_message(context.venue, member.lei, message, context.clock())

    def work(conn: Connection, checked: Examined | Rejection) -> Answer:
        if isinstance(checked, Rejection):
            return _refused(checked)
        at = context.clock()
        result = submit_message(context.venue, conn, member.lei, checked, at)
        context.metrics.items.labels("message", "accepted").inc()
        told = acknowledgement(
            answer_version(checked.message.version),
            references_of(checked.message.stated, result.trade),
        )
        return Answer(
            status=HTTPStatus.CREATED,
            body=told,
            media_type=XML,
            headers={"Location": f"/v1/trades/{result.trade.trade_id}"},
            subjects=[about_trade(result.trade)],
        )

    def refusal(error: SettleError) -> Answer:
        context.metrics.items.labels("message", "refused").inc()
        if not found:
            return problem_answer(error, operation.trace_id)
        return _refused(rejection_of(found[0], error))

    return await operation.perform(check, work, refusal=refusal)


def _refused(refused: Rejection) -> Answer:
    return Answer(status=HTTPStatus.UNPROCESSABLE_ENTITY, body=rejection(refused), media_type=XML)


@router.get("/iso20022/messages")
def list_messages(
    run: RuntimeNeeded,
    member: MemberNeeded,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: LimitQuery = DEFAULT_LIMIT,
    version: VersionQuery = _NEWEST,
) -> MessagesPage:
    """List the messages for the caller, oldest first; a page may be short."""
    with run.context.database.reading() as conn:
        found, following = messages_behind(run.context.venue, conn, member.lei, after, limit)
    return MessagesPage(
        messages=tuple(
            MessageOut(
                number=one.event.number,
                name=name_of(one, version),
                trade_id=one.trade.trade_id,
                reference=one.side.reference,
                created_at=one.event.created_at,
            )
            for one in found
        ),
        next_after=following,
    )


@router.get(
    "/iso20022/messages/{number}",
    response_class=Response,
    responses={HTTPStatus.OK: _XML_CONTENT},
)
def get_message(
    run: RuntimeNeeded,
    member: MemberNeeded,
    number: Annotated[int, Path(ge=1, le=2**62)],
    version: VersionQuery = _NEWEST,
) -> Response:
    """Give one message as XML: a sese.024, or a sese.025 when the trade has settled."""
    context = run.context
    with context.database.reading() as conn:
        found = message_at(context.venue, conn, member.lei, number)
        own = run.views.own_accounts(conn, member.caller) or ()
        xml = write_message(context.venue, context.followed, conn, found, own, version)
    return Response(xml, media_type=XML)
