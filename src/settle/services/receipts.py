"""Receipts: the operator's signed word on what it accepted from a participant, and how it ended.

Each participant has a chain of its own, numbered from 1 without a gap, each receipt naming the
digest of the one before it. What is in it, and is neither settled on chain nor ended by a later
receipt when its time is over, is proof against the operator.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from settle.domain.ids import ZERO_WORD, Address, Lei, to_hex
from settle.domain.keccak import keccak256

if TYPE_CHECKING:
    from settle.domain.instruction import SigningDomain
    from settle.services.escrow_rows import EscrowRow
    from settle.services.trade_rows import NewEvent, TradeRow

ACCEPTED: Final = "accepted"
MATCHED: Final = "matched"
ENDED: Final = "ended"
TYPE: Final = (
    "Receipt(string participant,uint64 number,bytes32 previous,string kind,bytes32 request,"
    "bytes32 contents,uint64 issuedAt)"
)
_TYPE_HASH: Final = keccak256(TYPE.encode())
_KINDS: Final[Mapping[str, str]] = {
    "trade.matched": MATCHED,
    "trade.cancelled": ENDED,
    "trade.rejected": ENDED,
    "trade.lapsed": ENDED,
    "escrow.withdrawn": ENDED,
    "escrow.lapsed": ENDED,
}
"""Which events become receipts. What settles needs none: the chain says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One receipt. `request`: digest of the request, zero where none was its cause.

    `previous`: digest of the receipt before, zero for the first. `contents`: JSON, signed by its
    keccak256. `issued_at` in unix seconds.
    """

    participant: Lei
    number: int
    previous: bytes
    kind: str
    request: bytes
    contents: str
    issued_at: int
    signature: bytes = b""


def receipt_digest(receipt: Receipt, domain: SigningDomain) -> bytes:
    """Give what the operator signs (EIP-712, in the domain of the instructions)."""
    hashed = keccak256(
        b"".join(
            (
                _TYPE_HASH,
                keccak256(receipt.participant.encode()),
                receipt.number.to_bytes(32, "big"),
                receipt.previous,
                keccak256(receipt.kind.encode()),
                receipt.request,
                keccak256(receipt.contents.encode()),
                receipt.issued_at.to_bytes(32, "big"),
            )
        )
    )
    return keccak256(b"\x19\x01" + domain.separator + hashed)


class SignDigest(Protocol):
    """Signs with the operator's key; the same digest gives the same signature."""

    def __call__(self, digest: bytes) -> bytes:
        """65 bytes r, s, v."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptBook:
    """Who signs receipts, and for which contracts. `key` is the address that they recover to."""

    key: Address
    domain: SigningDomain
    sign: SignDigest

    def issue(
        self, before: Receipt | None, lei: Lei, kind: str, contents: str, at: int, request: bytes
    ) -> Receipt:
        """Write the receipt that follows `before`."""
        unsigned = Receipt(
            participant=lei,
            number=1 if before is None else before.number + 1,
            previous=ZERO_WORD if before is None else receipt_digest(before, self.domain),
            kind=kind,
            request=request,
            contents=contents,
            issued_at=at,
        )
        return replace(unsigned, signature=self.sign(receipt_digest(unsigned, self.domain)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a receipt is to say to one participant."""

    lei: Lei
    kind: str
    contents: str
    at: int
    request: bytes = ZERO_WORD


def entries_of(events: Sequence[NewEvent]) -> list[Entry]:
    """Give the entries that these events are worth: each end without settlement, each match.

    Of the reasons the codes alone: what another participant has is not told.
    """
    found = []
    for event in events:
        kind = _KINDS.get(event.kind)
        if kind is None:
            continue
        told: dict[str, Any] = json.loads(event.payload)
        contents: dict[str, Any] = {"event": event.kind, "block_number": event.block_number}
        for name in ("trade_id", "escrow", "status", "digest", "deadline_at", "reason"):
            if name in told:
                contents[name] = told[name]
        if "reasons" in told:
            contents["reasons"] = [one["code"] for one in told["reasons"]]
        text = _text(contents)
        found += [
            Entry(lei=lei, kind=kind, contents=text, at=event.created_at)
            for lei in dict.fromkeys(event.visible_to)
        ]
    return found


def about_trade(row: TradeRow) -> dict[str, Any]:
    """Say of a trade what makes its acceptance binding: until when it has to end."""
    return {
        "trade_id": row.trade_id,
        "digest": None if row.digest is None else to_hex(row.digest),
        "deadline_at": str(row.deadline_at),
    }


def about_escrow(row: EscrowRow) -> dict[str, Any]:
    """Say of an escrow until when it opens or ends."""
    return {"escrow": to_hex(row.escrow), "deadline_at": str(row.terms.open_by)}


def acceptance(
    lei: Lei, request: bytes, at: int, *, what: str, subjects: Sequence[Mapping[str, Any]]
) -> Entry:
    """Say that a request was accepted. `what`: its method and path."""
    contents = _text({"request": what, "subjects": list(subjects)})
    return Entry(lei=lei, kind=ACCEPTED, contents=contents, at=at, request=request)


def _text(contents: Mapping[str, Any]) -> str:
    return json.dumps(contents, separators=(",", ":"))
