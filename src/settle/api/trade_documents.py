"""Documents about trades: what a party states, and what became of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settle.api.fields import (
    AddressHex,
    AddressIn,
    BicIn,
    BicText,
    CurrencyIn,
    Day,
    DayIn,
    Document,
    Instant,
    IsinIn,
    LeiIn,
    LeiText,
    SignatureIn,
    Text35,
    Text64,
    Text140,
    TradeIdText,
    Uint64,
    Uint64In,
    Uint128In,
    Units,
    WordHex,
    WordIn,
)
from settle.api.instruction_documents import InstructionIn, InstructionOut
from settle.api.problems import ReasonOut
from settle.api.venue_documents import Cursor
from settle.domain.ids import ZERO_WORD

StatusName = Literal[
    "Unmatched",
    "Matched",
    "Affirmed",
    "Pending",
    "PartiallySettled",
    "Settled",
    "Cancelled",
    "Rejected",
    "Lapsed",
]
MovementName = Literal["DELI", "RECE"]
PaymentName = Literal["APMT", "FREE"]
QuantityKindName = Literal["Unit", "FaceAmt", "AmtsdVal"]
_Decimals = Annotated[
    int | None,
    Field(ge=0, le=36, description="if given, it must be what the asset has: a guard on scale"),
]


class SideIn(Document):
    """One party's side of a trade. Quantities in the asset's smallest unit, dates of the market.

    `signature` consents beforehand to the terms that follow from this side alone, or to
    `instruction`, the terms of an allegement that this side answers.
    """

    reference: Annotated[Text64, Field(description="yours; unique among your sides")]
    movement: MovementName
    payment: PaymentName
    transaction_type: Annotated[str, Field(pattern="^[A-Z]{4}$")] = "TRAD"
    isin: IsinIn
    quantity: Uint128In
    quantity_decimals: _Decimals = None
    quantity_kind: QuantityKindName = "Unit"
    currency: CurrencyIn | None = None
    amount: Uint128In | None = None
    amount_decimals: _Decimals = None
    trade_date: DayIn
    settlement_date: DayIn
    delivering_party: LeiIn
    receiving_party: LeiIn
    delivering_depository: BicIn | None = None
    receiving_depository: BicIn | None = None
    common_reference: Text35 | None = None
    opt_out: bool | None = None
    ex_cum: Annotated[str, Field(pattern="^[A-Z]{4}$")] | None = None
    delivering_client: Text140 | None = None
    receiving_client: Text140 | None = None
    account: AddressIn | None = None
    counterparty_account: AddressIn | None = None
    partial_allowed: bool = False
    minimum_lot: Uint128In = 0
    nonce: Annotated[Uint64In, Field(description="of your account, used once; low ones cost less")]
    trade_ref: WordIn = ZERO_WORD
    terms: Annotated[WordIn, Field(description="hash of the legal text")] = ZERO_WORD
    instruction: InstructionIn | None = None
    signature: SignatureIn | None = None


class SidesIn(Document):
    """Many sides: all of them are taken, or none is."""

    trades: Annotated[list[SideIn], Field(min_length=1)]


class DifferenceOut(Document):
    """A field on which your side and the nearest one of the other party differ."""

    field: str
    code: str
    yours: str | None
    theirs: str | None


class SubmittedOut(Document):
    """What became of a side. `repeated`: it was here before, and this is how it stands now."""

    reference: str
    side_id: str
    trade_id: TradeIdText
    status: StatusName
    version: int
    digest: WordHex | None
    differences: tuple[DifferenceOut, ...]
    repeated: bool


class SubmittedManyOut(Document):
    """What became of each side, in the order of the request."""

    results: tuple[SubmittedOut, ...]


class SideOut(Document):
    """One party's side. Its reference and its client are shown to that party alone."""

    side_id: str
    lei: LeiText
    reference: str | None
    received_at: Instant
    movement: MovementName
    payment: PaymentName
    transaction_type: str
    isin: str
    quantity: Units
    quantity_decimals: int | None
    quantity_kind: QuantityKindName
    currency: str | None
    amount: Units | None
    amount_decimals: int | None
    trade_date: Day
    settlement_date: Day
    delivering_party: LeiText
    receiving_party: LeiText
    delivering_depository: BicText | None
    receiving_depository: BicText | None
    common_reference: str | None
    opt_out: bool | None
    ex_cum: str | None
    delivering_client: str | None
    receiving_client: str | None
    account: AddressHex | None
    counterparty_account: AddressHex | None
    partial_allowed: bool
    minimum_lot: Units
    nonce: Uint64
    trade_ref: WordHex
    terms: WordHex


class TradeOut(Document):
    """A trade as the caller may see it.

    `side` is the caller's own, `other_side` the other party's without its reference and its client.
    `alleged`: the other party names the caller, who has not stated its side. Operator and auditor
    get the older side before the younger one. `consented` lists the accounts that signed `digest`.
    """

    trade_id: TradeIdText
    status: StatusName
    version: int
    deliverer: LeiText
    receiver: LeiText
    settlement_date: Day
    settle_from: Instant
    settle_by: Instant
    priority: int
    alleged: bool
    side: SideOut | None
    other_side: SideOut | None
    digest: WordHex | None
    instruction: InstructionOut | None
    consented: tuple[AddressHex, ...]
    differences: tuple[DifferenceOut, ...]
    reasons: tuple[ReasonOut, ...]
    reasons_at: Instant | None
    created_at: Instant
    updated_at: Instant
    ended_at: Instant | None
    ended_block: int | None = Field(description="the final block that ended it on chain")
    settled_transaction: WordHex | None


class TradesPage(Document):
    """Trades, newest first. A page may be short where a filter skips much: go on by the cursor."""

    trades: tuple[TradeOut, ...]
    next_cursor: Cursor


class CancelIn(Document):
    """A wish to end a trade.

    Before the match the submitter ends it alone, without a signature. After it both sides ask: each
    brings the signature of its account over `Cancellation(address account,bytes32 instruction,
    uint64 validBy)`, both with the same `valid_by` (unix seconds).
    """

    valid_by: Uint64In | None = None
    signature: SignatureIn | None = None


class AskedOut(Document):
    """An account that asks to end a trade, and until when that serves."""

    account: AddressHex
    valid_by: Uint64


class CancellationOut(Document):
    """Who has asked to end a trade, and whose wish is missing.

    With none missing the trade has ended, or its end is on its way to the chain.
    """

    trade_id: TradeIdText
    status: StatusName
    version: int
    asked: tuple[AskedOut, ...]
    missing: tuple[AddressHex, ...]
