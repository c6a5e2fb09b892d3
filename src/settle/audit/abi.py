"""Reads arguments and events by the published ABI. Source: Solidity's contract ABI specification.

As strict as the contracts: a number or an address with dirty bits, an offset or a length beyond the
data is an error. Numbers come as int, addresses and fixed bytes as bytes, structs as tuples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from settle.domain.keccak import keccak256

Value: TypeAlias = Any
"""What an ABI type decodes to; see above."""

WORD: Final = 32
_ARRAY: Final = re.compile(r"(.*)\[(\d*)\]\Z")
_Read = Callable[[bytes, int], Value]


class AbiError(ValueError):
    """The data is not what the types say."""


@dataclass(frozen=True, slots=True)
class _Type:
    """How to read a type. `size`: bytes of its head; `read` gets the place of its content."""

    size: int
    dynamic: bool
    read: _Read


@dataclass(frozen=True, slots=True)
class Signature:
    """A function or an event: its name, its canonical form and how its arguments are read."""

    name: str
    canonical: str
    names: tuple[str, ...]
    read: _Read
    indexed: tuple[tuple[str, _Read], ...] = ()

    @property
    def digest(self) -> bytes:
        """Hash of the canonical form: the topic, and in its first four bytes the selector."""
        return keccak256(self.canonical.encode())

    def arguments(self, data: bytes, start: int = 0) -> dict[str, Value]:
        """Read arguments that begin at `start`. Raises AbiError."""
        return dict(zip(self.names, self.read(data, start), strict=True))

    def event(self, topics: Sequence[bytes], data: bytes) -> dict[str, Value]:
        """Read the arguments of an event. Raises AbiError."""
        if len(topics) != len(self.indexed) + 1:
            raise AbiError(f"{self.name} with {len(topics)} topics")
        arguments = dict(zip(self.names, self.read(data, 0), strict=True))
        for (name, read), topic in zip(self.indexed, topics[1:], strict=True):
            arguments[name] = read(topic, 0)
        return arguments


def function(entry: Mapping[str, Any]) -> Signature:
    """Prepare a function's inputs."""
    inputs = entry["inputs"]
    return Signature(
        entry["name"], _canonical(entry), tuple(item["name"] for item in inputs), reader(inputs)
    )


def event(entry: Mapping[str, Any]) -> Signature:
    """Prepare an event."""
    plain = [item for item in entry["inputs"] if not item["indexed"]]
    return Signature(
        entry["name"],
        _canonical(entry),
        tuple(item["name"] for item in plain),
        reader(plain),
        tuple((item["name"], _type(item).read) for item in entry["inputs"] if item["indexed"]),
    )


def reader(items: Sequence[Mapping[str, Any]]) -> _Read:
    """Prepare a list of types: inputs, outputs or components of an ABI. Gives a tuple."""
    return _tuple([_type(item) for item in items]).read


def _canonical(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(_name(item) for item in entry['inputs'])})"


def _name(item: Mapping[str, Any]) -> str:
    kind: str = item["type"]
    if kind.startswith("tuple"):
        inner = ",".join(_name(part) for part in item["components"])
        return f"({inner}){kind[5:]}"
    return kind


def _type(item: Mapping[str, Any]) -> _Type:
    kind: str = item["type"]
    array = _ARRAY.match(kind)
    if array is not None:
        if array[2]:
            raise AbiError(f"{kind}: arrays of a fixed length are not in use")
        return _list(_type({**item, "type": array[1]}))
    if kind == "tuple":
        return _tuple([_type(part) for part in item["components"]])
    if kind in {"bytes", "string"}:
        return _Type(WORD, dynamic=True, read=_bytes)
    return _Type(WORD, dynamic=False, read=_word(kind))


def _word(kind: str) -> _Read:
    """Give the reader of one word. Values are held to the range of their type."""
    if kind == "bool":
        return _unsigned(1)
    if kind == "address":
        return _right_bytes(20)
    if kind.startswith("uint"):
        return _unsigned(int(kind[4:]))
    if kind.startswith("int"):
        return _signed(int(kind[3:]))
    if kind.startswith("bytes"):
        return _left_bytes(int(kind[5:]))
    raise AbiError(f"{kind} is not in use")


def _unsigned(bits: int) -> _Read:
    def read(data: bytes, at: int) -> int:
        value = int.from_bytes(data[at : at + WORD], "big")
        if value >> bits:
            raise AbiError(f"{value} is no uint{bits}")
        return value

    return read


def _signed(bits: int) -> _Read:
    limit = 1 << bits - 1

    def read(data: bytes, at: int) -> int:
        value = int.from_bytes(data[at : at + WORD], "big", signed=True)
        if not -limit <= value < limit:
            raise AbiError(f"{value} is no int{bits}")
        return value

    return read


def _right_bytes(size: int) -> _Read:
    pad = bytes(WORD - size)

    def read(data: bytes, at: int) -> bytes:
        start = at + WORD - size
        if data[at:start] != pad:
            raise AbiError("an address with dirty bits")
        return data[start : at + WORD]

    return read


def _left_bytes(size: int) -> _Read:
    pad = bytes(WORD - size)

    def read(data: bytes, at: int) -> bytes:
        if data[at + size : at + WORD] != pad:
            raise AbiError(f"a bytes{size} with dirty bits")
        return data[at : at + size]

    return read


def _length(data: bytes, at: int) -> int:
    if at + WORD > len(data):
        raise AbiError("a length beyond the data")
    return int.from_bytes(data[at : at + WORD], "big")


def _bytes(data: bytes, at: int) -> bytes:
    start = at + WORD
    end = start + _length(data, at)
    if end > len(data):
        raise AbiError("bytes beyond the data")
    return data[start:end]


def _tuple(parts: Sequence[_Type]) -> _Type:
    size = sum(part.size for part in parts)
    dynamic = any(part.dynamic for part in parts)
    places: list[tuple[int, bool, _Read]] = []
    offset = 0
    for part in parts:
        places.append((offset, part.dynamic, part.read))
        offset += part.size

    def read_static(data: bytes, at: int) -> tuple[Value, ...]:
        if at + size > len(data):
            raise AbiError("a struct beyond the data")
        return tuple([read(data, at + place) for place, _, read in places])

    def read_dynamic(data: bytes, at: int) -> tuple[Value, ...]:
        if at + size > len(data):
            raise AbiError("a struct beyond the data")
        return tuple(
            [
                read(data, at + (_length(data, at + place) if far else place))
                for place, far, read in places
            ]
        )

    return _Type(WORD if dynamic else size, dynamic, read_dynamic if dynamic else read_static)


def _list(part: _Type) -> _Type:
    step, far, read_part = part.size, part.dynamic, part.read

    def read(data: bytes, at: int) -> tuple[Value, ...]:
        count = _length(data, at)
        start = at + WORD
        if start + count * step > len(data):
            raise AbiError("a list beyond the data")
        places = range(start, start + count * step, step)
        if far:
            return tuple([read_part(data, start + _length(data, place)) for place in places])
        return tuple([read_part(data, place) for place in places])

    return _Type(WORD, dynamic=True, read=read)


def word(value: int | bytes) -> bytes:
    """Write a number, or an address, as an argument."""
    if isinstance(value, int):
        return value.to_bytes(WORD, "big", signed=value < 0)
    return value.rjust(WORD, b"\0")


def left_word(value: bytes) -> bytes:
    """Write fixed bytes as an argument."""
    return value.ljust(WORD, b"\0")


def tail(value: bytes) -> bytes:
    """Write bytes of any length, with their length in front, as the tail of arguments."""
    return word(len(value)) + value + bytes(-len(value) % WORD)
