"""JSON-RPC's own numbers and bytes. What a node answers is doubted here first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""What JSON may hold."""


class Unreadable(ValueError):
    """The node's answer is not what the method answers; `str()` says what is wrong."""


class NodeError(Exception):
    """The node answered with an error object."""

    def __init__(self, number: int, message: str, data: Json = None) -> None:
        """Keep what JSON-RPC says: a number, a sentence, and the data of a revert."""
        super().__init__(f"{message} ({number})")
        self.number = number
        self.data = data


def result(answer: Json | NodeError) -> Json:
    """Take an answer that has to be none of error."""
    if isinstance(answer, NodeError):
        raise Unreadable(str(answer))
    return answer


def data(text: Json, length: int | None = None) -> bytes:
    """Read bytes; `length` in bytes where it is fixed."""
    if not isinstance(text, str) or text[:2] != "0x":
        raise Unreadable(f"{_short(text)} is no byte string")
    try:
        octets = bytes.fromhex(text[2:])
    except ValueError:
        raise Unreadable(f"{_short(text)} is no byte string") from None
    if length is not None and len(octets) != length:
        raise Unreadable(f"{_short(text)} has {len(octets)} bytes, not {length}")
    return octets


def octets(item: object) -> bytes:
    """Take a byte string that has to be one."""
    if not isinstance(item, bytes):
        raise Unreadable("a list where bytes have to be")
    return item


def number(text: Json) -> int:
    """Read a quantity."""
    if not isinstance(text, str) or text[:2] != "0x":
        raise Unreadable(f"{_short(text)} is no number")
    try:
        return int(text, 16)
    except ValueError:
        raise Unreadable(f"{_short(text)} is no number") from None


def record(value: Json, what: str) -> Mapping[str, Json]:
    """Take an object that has to be there."""
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is {_short(value)}")
    return value


def records(value: Json, what: str) -> Sequence[Mapping[str, Json]]:
    """Take a list of objects."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unreadable(f"{what} is {_short(value)}")
    return value


def field(value: Mapping[str, Json], name: str) -> Json:
    """Take a member that has to be there."""
    if name not in value:
        raise Unreadable(f"it has no {name}")
    return value[name]


def hexadecimal(octets: bytes) -> str:
    """Write bytes."""
    return "0x" + octets.hex()


def quantity(value: int) -> str:
    """Write a number."""
    return hex(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
