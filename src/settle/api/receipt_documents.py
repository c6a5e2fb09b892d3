"""The documents of receipts, and the header that carries one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pydantic import Field

from settle.api.fields import Document, Instant, LeiText, SignatureHex, WordHex

if TYPE_CHECKING:
    from settle.services.receipts import Receipt

HEADER: Final = "Settle-Receipt"
_MOST_IN_A_HEADER: Final = 2_000
"""Characters of contents; what is longer is left to `GET /v1/receipts`."""


class ReceiptOut(Document):
    """A receipt. `settle.services.receipts` says how its digest is made."""

    participant: LeiText
    number: int = Field(description="from 1 without a gap")
    previous: WordHex = Field(description="digest of the receipt before, zero for the first")
    kind: str = Field(description="accepted, matched or ended")
    request: WordHex = Field(description="digest of the request, zero where none was the cause")
    contents: str = Field(description="JSON, as it was signed")
    issued_at: Instant
    signature: SignatureHex


class ReceiptsPage(Document):
    """Receipts in their order. Give `next_after` as `after` to go on; null: these are the last."""

    receipts: tuple[ReceiptOut, ...]
    next_after: int | None


def receipt_out(one: Receipt) -> ReceiptOut:
    """Write a receipt."""
    return ReceiptOut(
        participant=one.participant,
        number=one.number,
        previous=one.previous,
        kind=one.kind,
        request=one.request,
        contents=one.contents,
        issued_at=one.issued_at,
        signature=one.signature,
    )


def receipt_header(one: Receipt) -> str:
    """Write a receipt as HEADER of an answer: one line of JSON, long contents left out."""
    told = receipt_out(one).model_dump(mode="json")
    if len(one.contents) > _MOST_IN_A_HEADER:
        told["contents"] = None
    return json.dumps(told, separators=(",", ":"))
