"""Instructions: what waits for a signature, signatures one and many, and the bundle to keep."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from settle.api.idempotency import Answer, json_answer
from settle.api.instruction_documents import (
    AccountSignatureOut,
    BundleOut,
    ConsentIn,
    ConsentOut,
    ConsentsIn,
    ConsentsOut,
    ProposalOut,
    ToSignOut,
    ToSignPage,
    WhyNotOut,
)
from settle.api.paging import DEFAULT_LIMIT, CursorQuery, LimitQuery, read_cursor, write_cursor
from settle.api.problems import pointer_of, reason_out
from settle.api.runtime import (
    PREFIX,
    CallerNeeded,
    MemberNeeded,
    OperationNeeded,
    Runtime,
    RuntimeNeeded,
)
from settle.api.strict_route import StrictRoute
from settle.api.trade_routes import TradePath, etag
from settle.api.venue_routes import signing_domain
from settle.api.waiting import PreferHeader, until_final, wanted_wait
from settle.domain.errors import InvalidInput
from settle.domain.ids import InstructionId, TradeId, parse_instruction_id
from settle.domain.instruction import instruction_id
from settle.services.explain_trade import explain_trade
from settle.services.receipts import about_trade
from settle.services.show_trades import ToSign, alleged_terms, list_to_sign, show_bundle
from settle.services.sign_instructions import (
    CheckedConsent,
    Consent,
    Signed,
    check_consents,
    sign_instructions,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.services.trade_rows import TradeRow

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["instructions"])

DigestPath = Annotated[str, Path(pattern="^0x[0-9a-f]{64}$")]


@router.get("/instructions/to-sign")
def list_instructions_to_sign(
    run: RuntimeNeeded,
    member: MemberNeeded,
    cursor: CursorQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
) -> ToSignPage:
    """List the terms that wait for a signature of yours, oldest first."""
    above = read_cursor(cursor)
    with run.context.database.reading() as conn:
        listed = list_to_sign(run.context.venue, conn, member.lei, above=above, limit=limit + 1)
        page = listed[:limit]
        shown = tuple(one for waiting in page for one in _to_sign(run, conn, waiting))
    more = len(listed) > limit
    return ToSignPage(
        instructions=shown,
        next_cursor=write_cursor(page[-1].trade.trade_id) if more else None,
    )


def _to_sign(run: Runtime, conn: Connection, waiting: ToSign) -> list[ToSignOut]:
    row = waiting.trade
    if row.digest is None or row.instruction is None:
        return []
    return [
        ToSignOut(
            trade_id=row.trade_id,
            reference=waiting.own_side.reference,
            digest=row.digest,
            account=account,
            instruction=run.views.instruction(conn, row.instruction),
        )
        for account in waiting.accounts
    ]


# ---------------------------------------------------------------------------- signing


@router.post("/instructions/{digest}/signature", response_model=ConsentOut)
async def sign_instruction(
    run: RuntimeNeeded,
    member: MemberNeeded,
    operation: OperationNeeded,
    digest: DigestPath,
    told: ConsentIn,
    prefer: PreferHeader = None,
) -> Response:
    """Give the signature of one of your accounts over an instruction's digest."""
    context = run.context
    wait_s = wanted_wait(prefer, context.settings.wait_max_s)
    given: list[Signed] = []

    def check() -> list[CheckedConsent]:
        consent = Consent(digest=parse_instruction_id(digest), signature=told.signature)
        return check_consents(context.venue, member.lei, [consent], pointer=lambda _index: "")

    def work(conn: Connection, checked: list[CheckedConsent]) -> Answer:
        given.extend(sign_instructions(context.venue, conn, checked, context.clock()))
        shown = _signed(given[0], given[0].trade)
        return shown.about([about_trade(given[0].trade)])

    async def then(_answer: Answer) -> Answer | None:
        if not wait_s or not given:
            return None
        row = await until_final(context, member.caller, given[0].trade.trade_id, wait_s)
        return _signed(given[0], row, Preference_Applied=f"wait={wait_s}")

    return await operation.perform(check, work, then)


def _signed(one: Signed, row: TradeRow, **headers: str) -> Answer:
    return json_answer(HTTPStatus.OK, _consent(one, row), ETag=etag(row.version), **headers)


def _consent(one: Signed, row: TradeRow) -> ConsentOut:
    return ConsentOut(
        trade_id=row.trade_id,
        digest=one.digest,
        account=one.account,
        accepted=one.accepted,
        status=row.status.value,
        version=row.version,
    )


@router.post("/instructions/signatures", response_model=ConsentsOut)
async def sign_instructions_in_bulk(
    run: RuntimeNeeded, member: MemberNeeded, operation: OperationNeeded, told: ConsentsIn
) -> Response:
    """Give many signatures in one step: all of them are taken, or none is."""
    context = run.context

    def check() -> list[CheckedConsent]:
        if len(told.signatures) > context.settings.max_items:
            message = f"at most {context.settings.max_items} signatures at a time"
            raise InvalidInput("too_many_items", message, "/signatures")
        consents = [
            Consent(digest=InstructionId(one.digest), signature=one.signature)
            for one in told.signatures
        ]
        return check_consents(
            context.venue,
            member.lei,
            consents,
            pointer=lambda index: pointer_of(("signatures", index)),
        )

    def work(conn: Connection, checked: list[CheckedConsent]) -> Answer:
        results = sign_instructions(context.venue, conn, checked, context.clock())
        context.metrics.items.labels("signature", "accepted").inc(len(results))
        shown = tuple(_consent(one, one.trade) for one in results)
        answer = json_answer(HTTPStatus.OK, ConsentsOut(results=shown))
        return answer.about(about_trade(one.trade) for one in results)

    return await operation.perform(check, work)


# ---------------------------------------------------------------------------- keeping


@router.get("/trades/{trade_id}/bundle", response_model=BundleOut, tags=["trades"])
def get_bundle(run: RuntimeNeeded, caller: CallerNeeded, trade_id: TradePath) -> Response:
    """Give all that settles a trade on chain, once everybody has signed."""
    with run.context.database.reading() as conn:
        found = show_bundle(run.context.venue, conn, caller.viewer, TradeId(trade_id))
        shown = run.views.instruction(conn, found.instruction)
    signatures = zip(found.accounts, found.signatures, strict=True)
    bundle = BundleOut(
        trade_id=found.trade_id,
        digest=found.digest,
        domain=signing_domain(run),
        instruction=shown,
        signatures=tuple(
            AccountSignatureOut(account=account, signature=signature)
            for account, signature in signatures
        ),
    )
    return Response(bundle.model_dump_json(), media_type="application/json")


@router.get("/trades/{trade_id}/proposal", tags=["trades"])
def get_proposal(run: RuntimeNeeded, member: MemberNeeded, trade_id: TradePath) -> ProposalOut:
    """Give the terms that answer an allegement."""
    venue = run.context.venue
    with run.context.database.reading() as conn:
        terms = alleged_terms(venue, conn, member.lei, TradeId(trade_id))
        shown = run.views.instruction(conn, terms)
    return ProposalOut(
        trade_id=trade_id, digest=instruction_id(terms, venue.domain), instruction=shown
    )


@router.get("/trades/{trade_id}/why-not", tags=["trades"])
def get_why_not(run: RuntimeNeeded, caller: CallerNeeded, trade_id: TradePath) -> WhyNotOut:
    """Say what is in the way of a trade, who can clear it, what is needed and what is there."""
    context = run.context
    found = explain_trade(context.venue, caller.viewer, TradeId(trade_id))
    with context.database.reading() as conn:
        own = run.views.own_accounts(conn, caller)
    return WhyNotOut(
        trade_id=trade_id,
        status=found.trade.status.value,
        reasons=tuple(reason_out(one.reason, own) for one in found.stored),
        reasons_at=found.trade.reasons_at,
        now=None if found.now is None else tuple(reason_out(one.reason, own) for one in found.now),
        asked_at=context.clock(),
    )
