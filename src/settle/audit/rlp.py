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


def decode(data: bytes) -> Item:
    """Decode one item that is all of the data. Raises ValueError."""
    item, end = _decode(data, 0)
    if end != len(data):
        raise ValueError("bytes behind the item")
    return item


def _decode(data: bytes, at: int) -> tuple[Item, int]:
    if at >= len(data):
        raise ValueError("an item beyond the data")
    head = data[at]
    if head < 0x80:
        return data[at : at + 1], at + 1
    offset = 0xC0 if head >= 0xC0 else 0x80
    length, start = head - offset, at + 1
    if length > _SHORT:
        start += length - _SHORT
        length = int.from_bytes(data[at + 1 : start], "big")
    end = start + length
    if end > len(data):
        raise ValueError("an item beyond the data")
    if offset == 0x80:
        return data[start:end], end
    items: list[Item] = []
    while start < end:
        item, start = _decode(data, start)
        items.append(item)
    if start != end:
        raise ValueError("an item beyond its list")
    return items, end


def number(value: int) -> bytes:
    """Give the byte string of a number: no zeros in front, zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _prefix(length: int, offset: int) -> bytes:
    if length <= _SHORT:
        return bytes((offset + length,))
    size = number(length)
    return bytes((offset + _SHORT + len(size),)) + size
