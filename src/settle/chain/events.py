"""Reads the contracts' events out of raw logs, fast: a plan per event, made once from the ABI.

Each argument stands at a known offset: all are of fixed size, but for a list of numbers that may
stand at the end. Logs are untrusted text of a node: what does not have exactly the form of its
event is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from settle.chain.abi import Signature, load_abi
from settle.domain.chain_events import EVENT_TYPES, ChainEvent, field_name
from settle.domain.errors import Broken
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.ledger import AssetClass, Holding, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORD: Final = 32
_LIST: Final = "uint128[]"
_ENUMS: Final[dict[str, Callable[[int], object]]] = {
    "enum Standing": Standing,
    "enum AssetClass": AssetClass,
    "enum EndedBy": EndedBy,
    "enum Outcome": Outcome,
}
Read = Callable[[bytes], object]
"""Reads an argument from the topics (from the second on) and the data, one after the other."""


@dataclass(frozen=True, slots=True)
class _Plan:
    name: str
    topics: int
    length: int
    has_list: bool
    make: Callable[..., ChainEvent] | None
    reads: tuple[tuple[str, Read], ...]


class EventDecoder:
    """Events of one contract, by their first topic."""

    def __init__(self, *contracts: str) -> None:
        """Read the events that these compiled contracts declare."""
        self._plans = {
            signature.hash: _plan(signature)
            for contract in contracts
            for signature in load_abi(contract).events.values()
        }

    def name(self, topics: bytes) -> str:
        """Tell an event by its topics, joined; `unknown` where the contract does not declare it."""
        plan = self._plans.get(topics[:_WORD])
        return "unknown" if plan is None else plan.name

    def decode(self, topics: bytes, data: bytes) -> ChainEvent | None:
        """Read an event; None for one that is not ours or that says nothing about the books.

        Raises Broken if it does not have the form of its event.
        """
        plan = self._plans.get(topics[:_WORD])
        if plan is None or plan.make is None:
            return None
        fits = len(data) > plan.length if plan.has_list else len(data) == plan.length
        if len(topics) != plan.topics or not fits:
            raise Broken(f"a log called {plan.name} has {len(topics)} + {len(data)} bytes")
        words = topics[_WORD:] + data
        try:
            return plan.make(**{name: read(words) for name, read in plan.reads})
        except ValueError as error:
            raise Broken(f"a log called {plan.name} cannot be read: {error}") from error


def _plan(signature: Signature) -> _Plan:
    make = EVENT_TYPES.get(signature.name)
    kept = {} if make is None else {field.name: field.type for field in fields(make)}
    inputs = signature.entry["inputs"]
    indexed = [item for item in inputs if item["indexed"]]
    ordered = [*indexed, *(item for item in inputs if not item["indexed"])]
    reads: list[tuple[str, Read]] = []
    offset = 0
    has_list = bool(ordered) and ordered[-1]["type"] == _LIST
    for item in ordered:
        name = field_name(item["name"])
        packed = kept.get(name) == "Holding" and item["type"] == "uint256"
        if packed:
            read, size = _packed_holding(offset), _WORD
        elif item["type"] == _LIST and item is ordered[-1]:
            read, size = _numbers(offset, _WORD * len(indexed)), _WORD
        else:
            read, size = _reader(item, offset)
        reads.append((name, read))
        offset += size
    if make is not None:
        wanted, found = set(kept), {name for name, _ in reads}
        if wanted != found:
            raise Broken(
                f"the event {signature.name} has {sorted(found)}, its record {sorted(wanted)}"
            )
    return _Plan(
        name=signature.name,
        topics=_WORD * (1 + len(indexed)),
        length=offset - _WORD * len(indexed),
        has_list=has_list,
        make=make,
        reads=tuple(reads),
    )


def _reader(item: Mapping[str, Any], offset: int) -> tuple[Read, int]:
    """Give what reads an argument at an offset, and how many bytes it takes."""
    kind, end = item["type"], offset + _WORD
    if kind == "tuple":
        if item["internalType"] != "struct Holding":
            raise Broken(f"an event carries {item['internalType']}, which nothing here reads")
        return _holding(offset), 2 * _WORD
    if kind == "address":
        return _octets(offset + 12, end, offset, offset + 12), _WORD
    if kind == "bool":
        return _number(offset, end, 1, bool), _WORD
    if kind.startswith("uint"):
        return _number(offset, end, int(kind[4:]), _ENUMS.get(item.get("internalType", ""))), _WORD
    if kind == "int256":
        return lambda words: int.from_bytes(words[offset:end], "big", signed=True), _WORD
    if kind.startswith("bytes") and kind != "bytes":
        size = int(kind[5:])
        return _octets(offset, offset + size, offset + size, end), _WORD
    raise Broken(f"an event carries {kind}, which nothing here reads")


def _number(start: int, end: int, bits: int, make: Callable[[int], object] | None) -> Read:
    limit = 1 << bits

    def read(words: bytes) -> object:
        number = int.from_bytes(words[start:end], "big")
        if number >= limit:
            raise ValueError(f"{number} has more than {bits} bits")
        return number if make is None else make(number)

    return read


def _numbers(head: int, data: int) -> Read:
    """Read a list of uint128, head last, then its numbers; offsets count from `data`."""
    start = head + 2 * _WORD

    def read(words: bytes) -> object:
        place, count = (
            int.from_bytes(words[at : at + _WORD], "big") for at in (head, head + _WORD)
        )
        if place != head + _WORD - data or len(words) != start + _WORD * count:
            raise ValueError("its list is not where it should be")
        ends = range(start + _WORD, len(words) + 1, _WORD)
        return tuple(_number(end - _WORD, end, 128, None)(words) for end in ends)

    return read


def _octets(start: int, end: int, padding_start: int, padding_end: int) -> Read:
    padding = bytes(padding_end - padding_start)

    def read(words: bytes) -> object:
        if words[padding_start:padding_end] != padding:
            raise ValueError("its padding is not zero")
        return words[start:end]

    return read


def _holding(start: int) -> Read:
    available, held = (
        _number(start, start + 32, 128, None),
        _number(start + 32, start + 64, 128, None),
    )

    def read(words: bytes) -> object:
        return Holding(available=available(words), held=held(words))  # type: ignore[arg-type]

    return read


def _packed_holding(start: int) -> Read:
    """One word as the ledger stores it: held in the high half, available in the low."""
    middle, end = start + 16, start + 32

    def read(words: bytes) -> object:
        return Holding(
            available=int.from_bytes(words[middle:end], "big"),
            held=int.from_bytes(words[start:middle], "big"),
        )

    return read
