"""How instants, durations, lists and the 32 bytes of a statement are written in the text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from settle.domain.ids import to_hex

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_INSTANT: Final = 253_402_300_799  # the end of year 9999
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii")
_UNSAFE: Final = frozenset('"\\')


def instant(second: int) -> str:
    """Write a unix second as a date and time in UTC."""
    if second > _LAST_INSTANT:
        return f"unix second {second}"
    return f"{_EPOCH + timedelta(seconds=second):%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: int) -> str:
    """Write seconds in days, hours, minutes and seconds, exactly."""
    parts = []
    for size, name in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(parts) or "0 seconds"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Write words as a list: `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def statement(word: bytes) -> str:
    """Write a statement or the name of a feed: quoted if it is plain text, else as bytes.

    Plain is visible ASCII and single spaces with a letter among it, zeros only behind it, and
    nothing that could end the quotation: no statement can write a clause of its own.
    """
    text = plain_text(word)
    return f"the 32 bytes {to_hex(word)}" if text is None else f'"{text}"'


def plain_text(word: bytes) -> str | None:
    """Read 32 bytes as plain text, None if they are none."""
    body = word.rstrip(b"\x00")
    if not all(0x20 <= byte <= 0x7E for byte in body):
        return None
    text = body.decode("ascii")
    plain = any(map(str.isalpha, text)) and text == text.strip() and not _UNSAFE & set(text)
    return text if plain else None


def mark(depth: int, index: int) -> str:
    """Number the parts of a condition: (a), within it (i), within it (1)."""
    marks = (chr(ord("a") + index), _ROMAN[index], str(index + 1))
    return f"({marks[(depth - 1) % len(marks)]})"
