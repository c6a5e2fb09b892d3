"""Opaque cursors: where a list goes on, and with which filters it began."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Final

from fastapi import Query

from settle.domain.errors import InvalidInput
from settle.domain.ids import TradeId, parse_trade_id

_FILTER_BYTES: Final = 6
DEFAULT_LIMIT: Final = 100
MOST: Final = 500

LimitQuery = Annotated[int, Query(ge=1, le=MOST, description="entries of a page at most")]
CursorQuery = Annotated[
    str | None,
    Query(max_length=64, pattern="^[A-Za-z0-9_-]*$", description="`next_cursor` of the last page"),
]


def write_cursor(last: TradeId, filters: Sequence[object] = ()) -> str:
    """Give the cursor of what follows `last` under the same filters."""
    return write_mark(last.encode(), filters)


def read_cursor(cursor: str | None, filters: Sequence[object] = ()) -> TradeId | None:
    """Read a cursor; None for none. Raises InvalidInput for one of another list."""
    mark = read_mark(cursor, filters)
    if mark is None:
        return None
    try:
        return parse_trade_id(mark.decode("ascii"))
    except (UnicodeDecodeError, InvalidInput):
        raise _foreign() from None


def write_mark(mark: bytes, filters: Sequence[object] = ()) -> str:
    """Give the cursor of what follows an entry that `mark` names; at most 42 bytes."""
    return base64.urlsafe_b64encode(_digest(filters) + mark).decode().rstrip("=")


def read_mark(
    cursor: str | None, filters: Sequence[object] = (), *, size: int | None = None
) -> bytes | None:
    """Read the mark in a cursor. Raises InvalidInput if it is of another list or size."""
    if cursor is None:
        return None
    try:
        octets = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except binascii.Error:
        raise _foreign() from None
    mark = octets[_FILTER_BYTES:]
    if octets[:_FILTER_BYTES] != _digest(filters) or size not in {None, len(mark)}:
        raise _foreign()
    return mark


def _foreign() -> InvalidInput:
    return InvalidInput("cursor", "the cursor is not one of this list with these filters")


def _digest(filters: Sequence[object]) -> bytes:
    return blake2b(repr(tuple(filters)).encode(), digest_size=_FILTER_BYTES).digest()
