"""What one party states about a trade, and when such a statement contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from settle.domain.errors import InvalidInput
from settle.domain.ids import WORD_BYTES, Address, Bic, CurrencyCode, Isin, Lei
from settle.domain.instruction import UINT64_MAX
from settle.domain.money import UINT128_MAX

Movement = Literal["DELI", "RECE"]
Payment = Literal["APMT", "FREE"]
QuantityKind = Literal["Unit", "FaceAmt", "AmtsdVal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSide:
    """What one party states. Quantities and amounts in the smallest unit; dates, never instants.

    `received_at` (unix seconds) and `side_id` say which side is older. `delivering_client` and
    `receiving_client` are each party's client as this side knows it. `account` is the submitter's
    own account, `counterparty_account` what it takes the other's to be; None leaves the choice to
    the register. `nonce`, `trade_ref` and `terms` are used if this side is the first of the two.
    """

    side_id: str
    reference: str
    received_at: int
    submitted_by: Lei
    movement: Movement
    payment: Payment
    transaction_type: str
    isin: Isin
    quantity: int
    quantity_kind: QuantityKind
    currency: CurrencyCode | None
    amount: int | None
    trade_date: date
    settlement_date: date
    delivering_party: Lei
    receiving_party: Lei
    delivering_depository: Bic | None = None
    receiving_depository: Bic | None = None
    common_reference: str | None = None
    opt_out: bool | None = None
    ex_cum: str | None = None
    delivering_client: str | None = None
    receiving_client: str | None = None
    account: Address | None = None
    counterparty_account: Address | None = None
    partial_allowed: bool = False
    minimum_lot: int = 0
    nonce: int
    trade_ref: bytes
    terms: bytes

    @property
    def counterparty(self) -> Lei:
        """The party that this side names on the other end."""
        return self.receiving_party if self.movement == "DELI" else self.delivering_party

    @property
    def age(self) -> tuple[int, str]:
        """Sort key: the older of two sides has the smaller one; never equal for two sides."""
        return (self.received_at, self.side_id)


def check_side(side: TradeSide) -> None:
    """Refuse a side that contradicts itself, whatever the other party states.

    Raises: InvalidInput with the JSON pointer of the member at fault.
    """
    own = side.delivering_party if side.movement == "DELI" else side.receiving_party
    if own != side.submitted_by:
        end = "delivering" if side.movement == "DELI" else "receiving"
        message = f"the submitter of a {side.movement} side is its {end} party"
        raise InvalidInput("submitter_is_no_party", message, f"/{end}_party")
    if side.delivering_party == side.receiving_party:
        message = "the delivering and the receiving party are the same"
        raise InvalidInput("same_party", message, "/receiving_party")
    if side.account is not None and side.account == side.counterparty_account:
        message = "both ends name the same account"
        raise InvalidInput("same_account", message, "/counterparty_account")
    if side.settlement_date < side.trade_date:
        message = "the settlement date lies before the trade date"
        raise InvalidInput("dates_order", message, "/settlement_date")
    _check_numbers(side)
    _check_payment(side)


def _check_numbers(side: TradeSide) -> None:
    limits = (
        ("quantity", side.quantity, 1, UINT128_MAX),
        ("minimum_lot", side.minimum_lot, 0, side.quantity if side.partial_allowed else 0),
        ("nonce", side.nonce, 0, UINT64_MAX),
    )
    for name, value, least, most in limits:
        if not least <= value <= most:
            message = f"{name} must be from {least} to {most}, not {value}"
            raise InvalidInput(f"{name}_range", message, f"/{name}")
    for name, word in (("trade_ref", side.trade_ref), ("terms", side.terms)):
        if len(word) != WORD_BYTES:
            raise InvalidInput("word_form", f"{name} is 32 bytes, not {len(word)}", f"/{name}")


def _check_payment(side: TradeSide) -> None:
    if side.payment == "FREE":
        for name, value in (("amount", side.amount), ("currency", side.currency)):
            if value is not None:
                message = f"free of payment has no {name}"
                raise InvalidInput("payment_of_free", message, f"/{name}")
        return
    if side.currency is None:
        raise InvalidInput("currency_missing", "against payment needs a currency", "/currency")
    if side.amount is None or not 1 <= side.amount <= UINT128_MAX:
        message = "against payment needs an amount above zero and of at most 128 bits"
        raise InvalidInput("amount_range", message, "/amount")
