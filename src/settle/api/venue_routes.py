"""Participants, accounts, positions and assets."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from settle.api.directory import enter_key, enter_participant
from settle.api.idempotency import Answer, json_answer
from settle.api.runtime import (
    PREFIX,
    CallerNeeded,
    OperationNeeded,
    OperatorNeeded,
    Runtime,
    RuntimeNeeded,
)
from settle.api.strict_route import StrictRoute
from settle.api.venue_documents import (
    AccountOut,
    AccountsOut,
    AssetClassName,
    AssetOut,
    AssetsOut,
    ParticipantIn,
    ParticipantOut,
    ParticipantsOut,
    PositionOut,
    PositionsOut,
    RequestKeyIn,
    RequestKeyOut,
    SigningDomainOut,
    StandingName,
    VenueOut,
)
from settle.domain.errors import NotFound
from settle.domain.ids import Address, Lei, account_address, parse_lei, to_hex
from settle.domain.ledger import AssetClass, Standing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from settle.api.context import Caller
    from settle.services.chain_rows import AssetRow
    from settle.services.trade_rows import ParticipantRow

router = APIRouter(prefix=PREFIX, route_class=StrictRoute, tags=["venue"])

LeiPath = Annotated[str, Path(max_length=20)]
AddressPath = Annotated[str, Path(max_length=42)]


@router.get("/venue")
def get_venue(run: RuntimeNeeded) -> VenueOut:
    """Tell what a client must know before it signs; it is not signed for."""
    context = run.context
    return VenueOut(
        audiences=context.audiences,
        clock=context.clock(),
        request_lifetime_s=context.settings.request_lifetime_s,
        max_body_bytes=context.settings.max_body_bytes,
        max_items=context.settings.max_items,
        domain=signing_domain(run),
        receipt_key=context.receipts.book.key,
    )


def signing_domain(run: Runtime) -> SigningDomainOut:
    """Show under which EIP-712 domain instructions are signed."""
    domain = run.context.venue.domain
    return SigningDomainOut(
        name=domain.name,
        version=domain.version,
        chain_id=domain.chain_id,
        verifying_contract=domain.verifying_contract,
    )


# ------------------------------------------------------------------------- participants


@router.get("/participants")
def list_participants(run: RuntimeNeeded, caller: CallerNeeded) -> ParticipantsOut:
    """List the participants that the caller may see: itself, or all."""
    with run.context.database.reading() as conn:
        return ParticipantsOut(participants=tuple(_participants(run, conn, caller)))


@router.get("/participants/{lei}")
def get_participant(run: RuntimeNeeded, caller: CallerNeeded, lei: LeiPath) -> ParticipantOut:
    """Show one participant with its accounts."""
    with run.context.database.reading() as conn:
        for found in _participants(run, conn, caller):
            if found.lei == lei:
                return found
    raise NotFound(f"there is no participant {lei} that you may see")


@router.post("/participants", status_code=HTTPStatus.CREATED, response_model=ParticipantOut)
async def put_participant(
    run: RuntimeNeeded, _caller: OperatorNeeded, operation: OperationNeeded, told: ParticipantIn
) -> Response:
    """Enter a participant in the directory, or restate it by its LEI. For the operator."""

    def work(conn: Connection, _checked: object) -> Answer:
        store = run.context.store
        row = enter_participant(run.context.venue, conn, told, run.context.clock())
        accounts = store.accounts_of(conn, [row.lei]).get(row.lei, ())
        return json_answer(
            HTTPStatus.CREATED,
            _participant(row, accounts),
            Location=f"/v1/participants/{row.lei}",
        )

    return await operation.perform(lambda: None, work)


@router.post(
    "/participants/{lei}/keys", status_code=HTTPStatus.CREATED, response_model=RequestKeyOut
)
async def put_request_key(
    run: RuntimeNeeded,
    _caller: OperatorNeeded,
    operation: OperationNeeded,
    lei: LeiPath,
    told: RequestKeyIn,
) -> Response:
    """Let a key sign requests for a participant. For the operator."""

    def work(conn: Connection, _checked: object) -> Answer:
        key = Address(told.key)
        enter_key(run.context.store, conn, Lei(lei), key, run.context.clock())
        return json_answer(HTTPStatus.CREATED, RequestKeyOut(lei=lei, key=told.key, active=True))

    return await operation.perform(lambda: parse_lei(lei), work)


@router.post("/participants/{lei}/keys/{key}/revoke", response_model=RequestKeyOut)
async def revoke_request_key(
    run: RuntimeNeeded,
    _caller: OperatorNeeded,
    operation: OperationNeeded,
    lei: LeiPath,
    key: AddressPath,
) -> Response:
    """End that a key signs requests for a participant, for good. For the operator."""

    def work(conn: Connection, address: Address) -> Answer:
        store = run.context.store
        owner = store.request_key_owner(conn, address)
        if owner is None or owner.lei != lei:
            raise NotFound(f"{to_hex(address)} signs no requests for {lei}")
        store.revoke_request_key(conn, address, run.context.clock())
        return json_answer(HTTPStatus.OK, RequestKeyOut(lei=lei, key=address, active=False))

    return await operation.perform(lambda: account_address(key), work)


def _participants(run: Runtime, conn: Connection, caller: Caller) -> list[ParticipantOut]:
    store = run.context.store
    if caller.viewer is None:
        rows: Collection[ParticipantRow] = store.participants(conn)
    else:
        rows = store.participants_of(conn, [caller.viewer]).values()
    accounts = store.accounts_of(conn, [row.lei for row in rows])
    return [_participant(row, accounts.get(row.lei, ())) for row in rows]


def _participant(row: ParticipantRow, accounts: Sequence[Address]) -> ParticipantOut:
    return ParticipantOut(
        lei=row.lei,
        bic=row.bic,
        name=row.name,
        role=row.role.value,
        participant_class=row.participant_class,
        accounts=tuple(accounts),
        created_at=row.created_at,
    )


# -------------------------------------------------------------- accounts and positions


@router.get("/accounts")
def list_accounts(run: RuntimeNeeded, caller: CallerNeeded) -> AccountsOut:
    """List the accounts that the caller may see, with their standing on chain."""
    with run.context.database.reading() as conn:
        return AccountsOut(accounts=_accounts(run, conn, _owners(run, conn, caller)))


@router.get("/accounts/{account}")
def get_account(run: RuntimeNeeded, caller: CallerNeeded, account: AddressPath) -> AccountOut:
    """Show one account."""
    with run.context.database.reading() as conn:
        [found] = _accounts(run, conn, _one_owner(run, conn, caller, account))
        return found


@router.get("/accounts/{account}/positions")
def list_account_positions(
    run: RuntimeNeeded, caller: CallerNeeded, account: AddressPath
) -> PositionsOut:
    """List what one account holds."""
    with run.context.database.reading() as conn:
        return _positions(run, conn, _one_owner(run, conn, caller, account))


@router.get("/positions")
def list_positions(
    run: RuntimeNeeded,
    caller: CallerNeeded,
    lei: Annotated[str | None, Query(max_length=20, description="of one participant")] = None,
) -> PositionsOut:
    """List what all accounts hold that the caller may see."""
    with run.context.database.reading() as conn:
        owners = _owners(run, conn, caller)
        if lei is not None:
            owners = {account: owner for account, owner in owners.items() if owner == lei}
        return _positions(run, conn, owners)


def _owners(run: Runtime, conn: Connection, caller: Caller) -> Mapping[Address, Lei]:
    store = run.context.store
    leis = [caller.viewer] if caller.viewer else [row.lei for row in store.participants(conn)]
    return {account: lei for lei, own in store.accounts_of(conn, leis).items() for account in own}


def _one_owner(
    run: Runtime, conn: Connection, caller: Caller, account: str
) -> Mapping[Address, Lei]:
    address = account_address(account)
    owner = run.context.store.owners_of(conn, [address]).get(address)
    if owner is None or caller.viewer not in {None, owner}:
        raise NotFound(f"there is no account {account} that you may see")
    return {address: owner}


def _accounts(
    run: Runtime, conn: Connection, owners: Mapping[Address, Lei]
) -> tuple[AccountOut, ...]:
    on_chain = run.context.store.account_rows(conn, owners)
    return tuple(
        AccountOut(
            account=account,
            lei=owner,
            standing=_STANDINGS[row.standing] if (row := on_chain.get(account)) else "unknown",
            frozen=row is not None and row.frozen,
        )
        for account, owner in owners.items()
    )


def _positions(run: Runtime, conn: Connection, owners: Mapping[Address, Lei]) -> PositionsOut:
    store = run.context.store
    holdings = store.holdings_of(conn, owners)
    assets = run.names.of(conn, {row.asset for row in holdings})
    head = store.final_head(conn)
    return PositionsOut(
        positions=tuple(
            PositionOut(
                account=row.account,
                asset_id=row.asset,
                code=assets[row.asset].code,
                decimals=assets[row.asset].decimals,
                available=row.available,
                held=row.held,
            )
            for row in holdings
        ),
        final_block=None if head is None else head[0],
        final_block_at=None if head is None else head[1],
    )


# ------------------------------------------------------------------------------ assets


@router.get("/assets")
def list_assets(run: RuntimeNeeded, _caller: CallerNeeded) -> AssetsOut:
    """List every asset of the ledger."""
    with run.context.database.reading() as conn:
        return AssetsOut(assets=tuple(_asset(row) for row in run.context.store.assets(conn)))


@router.get("/assets/{asset_id}")
def get_asset(
    run: RuntimeNeeded,
    _caller: CallerNeeded,
    asset_id: Annotated[int, Path(ge=0, le=2**32 - 1)],
) -> AssetOut:
    """Show one asset."""
    with run.context.database.reading() as conn:
        for row in run.context.store.assets(conn):
            if row.asset == asset_id:
                return _asset(row)
    raise NotFound(f"there is no asset {asset_id}")


def _asset(row: AssetRow) -> AssetOut:
    return AssetOut(
        asset_id=row.asset,
        code=row.code,
        asset_class=_CLASSES[row.asset_class],
        decimals=row.decimals,
        issuer=row.issuer,
        frozen=row.frozen,
    )


_STANDINGS: Final[Mapping[int, StandingName]] = {
    Standing.UNKNOWN: "unknown",
    Standing.ADMITTED: "admitted",
    Standing.SUSPENDED: "suspended",
}
_CLASSES: Final[Mapping[int, AssetClassName]] = {
    AssetClass.NONE: "none",
    AssetClass.SECURITY: "security",
    AssetClass.CENTRAL_BANK_MONEY: "central_bank_money",
    AssetClass.DEPOSIT_MONEY: "deposit_money",
    AssetClass.E_MONEY: "e_money",
    AssetClass.CARBON_UNIT: "carbon_unit",
    AssetClass.OTHER: "other",
}
