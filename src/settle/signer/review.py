"""Compares the terms that a venue asks to sign with what the participant instructed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Refused
from settle.domain.ids import WORD_BYTES, to_hex
from settle.domain.instruction import OPTION_PARTIAL, Instruction, Leg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from settle.domain.ids import Address, AssetId, Lei
    from settle.domain.side import TradeSide
    from settle.services.market_rules import MarketRules

_ZERO: Final = bytes(WORD_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the participant knows by itself, not from the one who asks it to sign.

    `assets` by ISIN and currency; `own_accounts` are those it signs for; `owner_of` tells whose an
    account is, None for nobody's, best asked of the chain's registry.
    """

    assets: Mapping[str, AssetId]
    own_accounts: frozenset[Address]
    owner_of: Callable[[Address], Lei | None]
    rules: MarketRules


def review(instruction: Instruction, side: TradeSide, market: Market) -> None:
    """Pass terms that are what `side` instructed, to the last field.

    The deliverer's amount counts: a receiver accepts another amount than its own only within the
    tolerance, a deliverer none.
    Raises: Refused with code `not_instructed`, naming the field, what was instructed and what the
    terms say.
    """
    own = _own_account(instruction, side, market)
    other = _other_account(instruction, own, side, market)
    delivers = side.movement == "DELI"
    deliverer, receiver = (own, other) if delivers else (other, own)
    _expect("number of legs", 2 if side.payment == "APMT" else 1, len(instruction.legs))
    delivery = Leg(
        asset=_asset(side.isin, market),
        deliverer=deliverer,
        receiver=receiver,
        quantity=side.quantity,
    )
    _expect("delivery", delivery, instruction.legs[0])
    if side.payment == "APMT":
        _review_payment(instruction.legs[1], delivery, side, market)
    _review_rest(instruction, own, other, side, market)


def _own_account(instruction: Instruction, side: TradeSide, market: Market) -> Address:
    legs = instruction.legs
    if not legs:
        raise _refused("number of legs", "at least 1", "0")
    own = legs[0].deliverer if side.movement == "DELI" else legs[0].receiver
    if side.account is not None:
        _expect("own account", side.account, own)
    if own not in market.own_accounts:
        raise _refused("own account", "one of ours", to_hex(own))
    return own


def _other_account(
    instruction: Instruction, own: Address, side: TradeSide, market: Market
) -> Address:
    leg = instruction.legs[0]
    other = leg.receiver if leg.deliverer == own else leg.deliverer
    if side.counterparty_account is not None:
        _expect("counterparty's account", side.counterparty_account, other)
    owner = market.owner_of(other)
    if owner != side.counterparty:
        raise _refused("counterparty", side.counterparty, f"{to_hex(other)} of {owner or 'nobody'}")
    return other


def _review_payment(leg: Leg, delivery: Leg, side: TradeSide, market: Market) -> None:
    if side.currency is None or side.amount is None:
        raise _refused("payment", "none", str(leg))
    _expect("currency", _asset(side.currency, market), leg.asset)
    _expect("payer", delivery.receiver, leg.deliverer)
    _expect("payee", delivery.deliverer, leg.receiver)
    if side.movement == "DELI":
        _expect("amount", side.amount, leg.quantity)
        return
    tolerance = market.rules.tolerance
    allowed = min(
        tolerance.allowed(side.currency, side.amount),
        tolerance.allowed(side.currency, leg.quantity),
    )
    if abs(leg.quantity - side.amount) > allowed:
        raise _refused("amount", f"{side.amount} within tolerance", str(leg.quantity))


def _review_rest(
    instruction: Instruction, own: Address, other: Address, side: TradeSide, market: Market
) -> None:
    window = market.rules.window(side.settlement_date)
    _expect("settleFrom", window.settle_from, instruction.settle_from)
    _expect("settleBy", window.settle_by, instruction.settle_by)
    _expect("cycle", _ZERO, instruction.cycle)
    _expect("predecessor", _ZERO, instruction.predecessor)
    if instruction.options & ~(OPTION_PARTIAL if side.partial_allowed else 0):
        raise _refused("options", "no permission for parts", str(instruction.options))
    if instruction.options & OPTION_PARTIAL and instruction.minimum_lot < side.minimum_lot:
        raise _refused("minimumLot", f"at least {side.minimum_lot}", str(instruction.minimum_lot))
    if instruction.initiator == own:
        _expect("nonce", side.nonce, instruction.nonce)
        _expect("tradeRef", side.trade_ref, instruction.trade_ref)
        _expect("terms", side.terms, instruction.terms)
    else:
        _expect("initiator", other, instruction.initiator)


def _asset(code: str, market: Market) -> AssetId:
    try:
        return market.assets[code]
    except KeyError:
        raise _refused("asset", code, "an asset that the chain does not know") from None


def _expect(field: str, instructed: object, asked: object) -> None:
    if instructed != asked:
        raise _refused(field, _text(instructed), _text(asked))


def _text(value: object) -> str:
    if isinstance(value, Leg):
        way = f"{to_hex(value.deliverer)} to {to_hex(value.receiver)}"
        return f"{value.quantity} of asset {value.asset}, {way}"
    return to_hex(value) if isinstance(value, bytes) else str(value)


def _refused(field: str, instructed: str, asked: str) -> Refused:
    message = f"{field}: instructed {instructed}, asked to sign {asked}"
    return Refused((), message, code="not_instructed")
