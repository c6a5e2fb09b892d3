"""Two sides of a trade: what each states, whether they say the same, and the terms both then sign.

Source: RTS (EU) 2018/1229 Art. 5 (matching fields); reason codes from the unmatched list of
sese.024.001.12. A match is a fact of both sides, so every answer here is the same whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from settle.domain.errors import InvalidInput
from settle.domain.ids import WORD_BYTES, Address, AssetId, Bic, CurrencyCode, Isin, Lei, to_hex
from settle.domain.instruction import OPTION_PARTIAL, UINT64_MAX, Instruction, Leg
from settle.domain.money import UINT128_MAX
from settle.domain.tolerance import Tolerance
from settle.domain.window import Window

Movement = Literal["DELI", "RECE"]
Payment = Literal["APMT", "FREE"]
QuantityKind = Literal["Unit", "FaceAmt", "AmtsdVal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSide:
    """What one party states. Quantities and amounts in the smallest unit; dates, never instants.

    `received_at` (unix seconds) and `side_id` say which side is older. `delivering_client` and
    `receiving_client` are each party's client as this side knows it. `account` is the submitter's own
    account, `counterparty_account` what it takes the other's to be; None leaves the choice to the
    register. `nonce`, `trade_ref` and `terms` are used if this side is the first of the two.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One field on which two sides differ. Values as text, None where a side leaves it out."""

    field: str
    code: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What the waiting sides offer: the one that fits, or else the one that nearly does."""

    match: TradeSide | None
    near: TradeSide | None
    mismatches: tuple[Mismatch, ...]
