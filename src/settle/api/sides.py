"""Turns a submitted document into the side that the use cases take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, Bic, CurrencyCode, Isin, Lei
from settle.domain.side import TradeSide
from settle.services.examine_sides import SideRequest

if TYPE_CHECKING:
    from settle.api.runtime import Runtime
    from settle.api.trade_documents import SideIn

_NUMBERED_LATER: Final = ""


def side_request(told: SideIn, submitter: Lei) -> SideRequest:
    """Make the request; who submits it is who signed for it."""
    side = TradeSide(
        side_id=_NUMBERED_LATER,
        reference=told.reference,
        received_at=0,
        submitted_by=submitter,
        movement=told.movement,
        payment=told.payment,
        transaction_type=told.transaction_type,
        isin=Isin(told.isin),
        quantity=told.quantity,
        quantity_kind=told.quantity_kind,
        currency=None if told.currency is None else CurrencyCode(told.currency),
        amount=told.amount,
        trade_date=told.trade_date,
        settlement_date=told.settlement_date,
        delivering_party=Lei(told.delivering_party),
        receiving_party=Lei(told.receiving_party),
        delivering_depository=_bic(told.delivering_depository),
        receiving_depository=_bic(told.receiving_depository),
        common_reference=told.common_reference,
        opt_out=told.opt_out,
        ex_cum=told.ex_cum,
        delivering_client=told.delivering_client,
        receiving_client=told.receiving_client,
        account=_account(told.account),
        counterparty_account=_account(told.counterparty_account),
        partial_allowed=told.partial_allowed,
        minimum_lot=told.minimum_lot,
        nonce=told.nonce,
        trade_ref=told.trade_ref,
        terms=told.terms,
    )
    return SideRequest(
        side=side,
        instruction=None if told.instruction is None else told.instruction.value(),
        signature=told.signature,
    )


def check_decimals(run: Runtime, told: Sequence[SideIn], pointer: Callable[[int], str]) -> None:
    """Refuse a side that takes an asset's decimals for others than they are.

    Raises: InvalidInput. An asset that is not there is left to the examination of the side.
    """
    stated = [
        (index, member, code, decimals)
        for index, one in enumerate(told)
        for member, code, decimals in (
            ("quantity_decimals", one.isin, one.quantity_decimals),
            ("amount_decimals", one.currency, one.amount_decimals),
        )
        if decimals is not None and code is not None
    ]
    if not stated:
        return
    with run.context.database.reading() as conn:
        codes = {code for _, _, code, _ in stated}
        numbers = run.context.store.asset_numbers(conn, codes)
        assets = run.names.of(conn, set(numbers.values()))
    for index, member, code, decimals in stated:
        asset = assets.get(numbers[code]) if code in numbers else None
        if asset is not None and asset.decimals != decimals:
            message = f"{code} has {asset.decimals} decimals, not {decimals}"
            raise InvalidInput("decimals_differ", message, f"{pointer(index)}/{member}")


def _bic(text: str | None) -> Bic | None:
    return None if text is None else Bic(text)


def _account(octets: bytes | None) -> Address | None:
    return None if octets is None else Address(octets)
