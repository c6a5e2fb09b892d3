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
    ToSignOut,
    ToSignPage,
)
from settle.api.paging import DEFAULT_LIMIT, CursorQuery, LimitQuery, read_cursor, write_cursor
from settle.api.problems import pointer_of
from settle.api.runtime import (
    CallerNeeded,
    MemberNeeded,
    OperationNeeded,
    Runtime,
    RuntimeNeeded,
)
from settle.api.trade_routes import TradePath, etag, visible_trade
from settle.api.trade_views import instruction_out
from settle.api.venue_routes import signing_domain
from settle.api.waiting import PreferHeader, until_final, wanted_wait
from settle.domain.errors import Conflict, InvalidInput
from settle.domain.ids import InstructionId, Lei, parse_instruction_id
from settle.domain.instruction import accounts_of
from settle.services.sign_instructions import (
    CheckedConsent,
    Consent,
    Signed,
    check_consents,
    own_accounts,
    sign_instructions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from settle.domain.ids import Address
    from settle.services.trade_rows import SideRow, TradeRow

router = APIRouter(tags=["instructions"])

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
    store = run.context.store
    with run.context.database.reading() as conn:
        rows = store.unsigned_trades(conn, member.lei, above=above, limit=limit + 1)
        page = rows[:limit]
        sides = store.sides_of(conn, [row.trade_id for row in page])
        signed = store.signatures(conn, {row.digest for row in page if row.digest is not None})
        listed = [
            one
            for row in page
            for one in _to_sign(run, conn, member.lei, row, sides[row.trade_id], signed)
        ]
    more = len(rows) > limit
    return ToSignPage(
        instructions=tuple(listed), next_cursor=write_cursor(page[-1].trade_id) if more else None
    )


def _to_sign(
    run: Runtime,
    conn: Connection,
    lei: Lei,
    row: TradeRow,
    sides: Collection[SideRow],
    signed: Mapping[InstructionId, Mapping[Address, bytes]],
) -> list[ToSignOut]:
    if row.digest is None or row.instruction is None:
        return []
    assets = run.names.of(conn, {leg.asset for leg in row.instruction.legs})
    mine = next(one for one in sides if one.side.submitted_by == lei)
    return [
        ToSignOut(
            trade_id=row.trade_id,
            reference=mine.side.reference,
            digest=row.digest,
            account=account,
            instruction=instruction_out(row.instruction, assets),
        )
        for account in own_accounts(row, lei)
        if account not in signed.get(row.digest, {})
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
        return _signed(given[0], given[0].trade)

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
        return json_answer(HTTPStatus.OK, ConsentsOut(results=shown))

    return await operation.perform(check, work)


# ---------------------------------------------------------------------------- keeping


@router.get("/trades/{trade_id}/bundle", response_model=BundleOut, tags=["trades"])
def get_bundle(run: RuntimeNeeded, caller: CallerNeeded, trade_id: TradePath) -> Response:
    """Give all that settles a trade on chain, once everybody has signed."""
    with run.context.database.reading() as conn:
        row = visible_trade(run, conn, caller, trade_id)
        if row.digest is None or row.instruction is None:
            raise Conflict("trade_unmatched", f"the trade {trade_id} has not matched")
        signed = run.context.store.signatures(conn, [row.digest]).get(row.digest, {})
        shown = run.views.instruction(conn, row.instruction)
    accounts = accounts_of(row.instruction)
    if any(account not in signed for account in accounts):
        raise Conflict("signatures_missing", "not all accounts have signed yet")
    bundle = BundleOut(
        trade_id=row.trade_id,
        digest=row.digest,
        domain=signing_domain(run),
        instruction=shown,
        signatures=tuple(
            AccountSignatureOut(account=account, signature=signed[account]) for account in accounts
        ),
    )
    return Response(
        bundle.model_dump_json(),
        media_type="application/json",
        headers={"ETag": etag(row.version)},
    )
