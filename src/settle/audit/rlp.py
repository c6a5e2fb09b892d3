"""Recursive length prefix, as far as blocks need it. Source: Ethereum yellow paper, appendix B."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

Item: TypeAlias = Union[bytes, Sequence["Item"]]  # noqa: UP007  a recursive alias, read at run time

_SHORT = 55


def encode(item: Item) -> bytes:
    """Encode a byte string, or a sequence of items."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(len(item), 0x80) + item
    content = b"".join([encode(part) for part in item])
    return _prefix(len(content), 0xC0) + content


def number(value: int) -> bytes:
    """Give the byte string of a number: no zeros in front, zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _prefix(length: int, offset: int) -> bytes:
    if length <= _SHORT:
        return bytes((offset + length,))
    size = number(length)
    return bytes((offset + _SHORT + len(size),)) + size
