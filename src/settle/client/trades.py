"""What the API says about trades, as values, and how a side is written for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from settle.client.codec import write
from settle.client.documents import ToldInstruction
from settle.domain.instruction import Instruction
from settle.domain.instruction_json import to_json
from settle.domain.side import TradeSide

_OURS: Final = frozenset(("side_id", "received_at", "submitted_by"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSide:
    """A side to submit. With a signature: over its own proposal, or over `instruction`."""

    side: TradeSide
    instruction: Instruction | None = None
    signature: bytes | None = None

    def document(self) -> dict[str, Any]:
        """Write it as the API reads it."""
        told = write(
            {
                one.name: getattr(self.side, one.name)
                for one in fields(self.side)
                if one.name not in _OURS
            }
        )
        if self.instruction is not None:
            told["instruction"] = to_json(self.instruction)
        if self.signature is not None:
            told["signature"] = "0x" + self.signature.hex()
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field on which your side and the nearest one of the other party differ."""

    field: str
    code: str
    yours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of a side. `repeated`: it was there before, and this is how it stands now."""

    reference: str
    side_id: str
    trade_id: str
    status: str
    version: int
    digest: bytes | None
    differences: tuple[Difference, ...]
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldReason:
    """A reason in words; `have` is None where it is of another participant's account."""

    code: str
    iso: str
    sentence: str
    clears: str
    clears_by: str
    permanent: bool
    leg: int
    account: bytes | None
    measure: str
    needed: int
    have: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One party's side, as far as it is shown."""

    side_id: str
    lei: str
    reference: str | None
    received_at: int
    movement: str
    payment: str
    transaction_type: str
    isin: str
    quantity: int
    quantity_decimals: int | None
    quantity_kind: str
    currency: str | None
    amount: int | None
    amount_decimals: int | None
    trade_date: date
    settlement_date: date
    delivering_party: str
    receiving_party: str
    delivering_depository: str | None
    receiving_depository: str | None
    common_reference: str | None
    opt_out: bool | None
    ex_cum: str | None
    delivering_client: str | None
    receiving_client: str | None
    account: bytes | None
    counterparty_account: bytes | None
    partial_allowed: bool
    minimum_lot: int
    nonce: int
    trade_ref: bytes
    terms: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A trade as its viewer sees it; see the API's document for its members."""

    trade_id: str
    status: str
    version: int
    deliverer: str
    receiver: str
    settlement_date: date
    settle_from: int
    settle_by: int
    priority: int
    alleged: bool
    side: Side | None
    other_side: Side | None
    digest: bytes | None
    instruction: ToldInstruction | None
    consented: tuple[bytes, ...]
    differences: tuple[Difference, ...]
    reasons: tuple[ToldReason, ...]
    reasons_at: int | None
    created_at: int
    updated_at: int
    ended_at: int | None
    ended_block: int | None
    settled_transaction: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNot:
    """What is in the way: as it was found, and as the chain says now (None: it was not asked)."""

    trade_id: str
    status: str
    reasons: tuple[ToldReason, ...]
    reasons_at: int | None
    now: tuple[ToldReason, ...] | None
    asked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An account that asks to end a trade, and until when that serves."""

    account: bytes
    valid_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Who has asked to end a trade, and whose wish is missing."""

    trade_id: str
    status: str
    version: int
    asked: tuple[Asked, ...]
    missing: tuple[bytes, ...]


def side_documents(sides: Iterable[SignedSide | TradeSide]) -> list[dict[str, Any]]:
    """Write sides as the API reads them."""
    return [
        (one if isinstance(one, SignedSide) else SignedSide(side=one)).document() for one in sides
    ]
