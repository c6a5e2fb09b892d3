"""The small values of a written document: instants, durations, hashes, statements, numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from settle.domain.errors import InvalidInput
from settle.domain.escrow.document import Node
from settle.domain.escrow.wording_words import plain_text
from settle.domain.ids import WORD_BYTES, parse_word
from settle.domain.instruction import UINT64_MAX

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_DURATION: Final = re.compile(r"(\d{1,6}) (second|minute|hour|day|week)s?(?: |\Z)")
_DECIMAL: Final = re.compile(r"(-?)(\d{1,39})(?:\.(\d{1,38}))?\Z")


def duration_at(node: Node) -> int:
    """Read a duration in seconds: `7 days`, `1 day 12 hours`."""
    text = node.text("a duration such as '7 days'")
    at, total = 0, 0
    while at < len(text):
        found = _DURATION.match(text, at)
        if found is None:
            raise node.fault(
                "duration_form", f"expected a duration such as '7 days 12 hours', not {text!r}"
            )
        total += int(found[1]) * _SECONDS[found[2]]
        at = found.end()
    if not total:
        raise node.fault("duration_form", "expected a duration of more than nothing")
    return total


def instant_at(node: Node, open_by: int | None) -> int:
    """Read an instant in unix seconds: ISO 8601 with its offset, or a duration after open_by."""
    value = node.value
    if isinstance(value, str) and open_by is not None and _DURATION.match(value):
        return open_by + duration_at(node)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            after = "" if open_by is None else " or a duration after open_by such as '7 days'"
            text = f"expected an instant such as 2027-01-31T12:00:00Z{after}, not {value!r}"
            raise node.fault("instant_form", text) from error
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise node.fault("instant_form", "expected an instant with its offset: ...T12:00:00Z")
    second, rest = divmod(value - _EPOCH, timedelta(seconds=1))
    if rest or not 0 <= second <= UINT64_MAX:
        raise node.fault("instant_form", "expected an instant in whole seconds, from 1970 on")
    return second


def word_at(node: Node) -> bytes:
    """Read 32 bytes: 0x and 64 hexadecimal digits."""
    try:
        return parse_word(node.text("32 bytes as 0x and 64 digits"))
    except InvalidInput as error:
        raise node.fault(error.code, error.message) from error


def statement_at(node: Node) -> bytes:
    """Read a statement or the name of a feed: plain text of up to 32 characters, or 32 bytes."""
    text = node.text("a text of up to 32 characters, or 0x and 64 digits")
    if text.startswith("0x"):
        return word_at(node)
    word = text.encode("ascii", "replace").ljust(WORD_BYTES, b"\x00")
    if len(word) > WORD_BYTES or plain_text(word) != text:
        raise node.fault(
            "statement_form",
            "a statement is 1 to 32 visible characters of ASCII with a letter among them, "
            'without " and \\; for anything else write its hash, 0x and 64 digits',
        )
    return word


def value_at(node: Node, decimals: int) -> int:
    """Read the value of a feed as the integer that it counts in, from decimal text."""
    text = node.text("a value in decimal digits")
    found = _DECIMAL.match(text)
    fraction = (found[3] or "") if found else ""
    if found is None or len(fraction) > decimals:
        raise node.fault(
            "value_form", f"expected digits with at most {decimals} decimals, not {text!r}"
        )
    number = int(found[1] + found[2] + fraction.ljust(decimals, "0"))
    if not -(2**127) <= number < 2**127:
        raise node.fault("value_range", "a value fits 128 bits with its sign")
    return number
