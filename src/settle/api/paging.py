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
    octets = _digest(filters) + last.encode()
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def read_cursor(cursor: str | None, filters: Sequence[object] = ()) -> TradeId | None:
    """Read a cursor; None for none. Raises InvalidInput for one of another list."""
    if cursor is None:
        return None
    try:
        octets = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        if octets[:_FILTER_BYTES] == _digest(filters):
            return parse_trade_id(octets[_FILTER_BYTES:].decode("ascii"))
    except (binascii.Error, UnicodeDecodeError, InvalidInput):
        pass
    raise InvalidInput("cursor", "the cursor is not one of this list with these filters")


def _digest(filters: Sequence[object]) -> bytes:
    return blake2b(repr(tuple(filters)).encode(), digest_size=_FILTER_BYTES).digest()
