"""Reads and writes the records of the domain by nothing but the published ABI.

Tuples of the ABI become the dataclass whose field names are those of their components, so that a
field that is missing, misnamed or of another order shows here and not as a wrong value somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any

from eth_abi.abi import decode, encode

from settle.domain.chain_errors import ERROR_TYPES, ChainError
from settle.domain.chain_events import EVENT_TYPES, ChainEvent, field_name
from settle.domain.escrow.events import EndedBy, MilestoneState, Outcome
from settle.domain.escrow.terms import EscrowLine, EscrowTerms
from settle.domain.escrow.twin import MilestoneNow, Ruling
from settle.domain.ids import ZERO_ADDRESS
from settle.domain.instruction import Instruction, Leg
from settle.domain.keccak import keccak256
from settle.domain.ledger import (
    Account,
    Asset,
    AssetClass,
    ChainStatus,
    Hold,
    Holding,
    Move,
    Standing,
    holding_of_word,
)
from settle.domain.reasons import Reason
from settle.domain.registry_errors import Panic
from tests.parity.evm import Log, artifact

Json = dict[str, Any]

STRUCTS: Mapping[str, type] = {
    kind.__name__: kind for kind in (Account, Asset, Hold, Holding, Instruction, Leg, Move, Reason)
}
ENUMS: Mapping[str, type[IntEnum]] = {
    "AssetClass": AssetClass,
    "Standing": Standing,
    "Status": ChainStatus,
}
ESCROW_STRUCTS: Mapping[str, type] = {
    kind.__name__: kind for kind in (EscrowLine, EscrowTerms, MilestoneNow, Ruling)
}
ESCROW_ENUMS: Mapping[str, type[IntEnum]] = {
    kind.__name__: kind for kind in (EndedBy, MilestoneState, Outcome)
}
RECORDS = {**STRUCTS, **ESCROW_STRUCTS}
CHOICES = {**ENUMS, **ESCROW_ENUMS}
PANIC = keccak256(b"Panic(uint256)")[:4]


def canonical(component: Json) -> str:
    """Return the type as signatures are hashed: tuples written out."""
    kind: str = component["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical(part) for part in component["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def signature(entry: Json) -> str:
    """Return `name(type,...)` of a function, an event or an error."""
    return f"{entry['name']}({','.join(canonical(part) for part in entry['inputs'])})"


def to_domain(value: Any, component: Json) -> Any:
    """Return a decoded value as the domain keeps it."""
    kind: str = component["type"]
    if kind.endswith("[]"):
        element = {**component, "type": kind[:-2], "internalType": component["internalType"][:-2]}
        return tuple(to_domain(inner, element) for inner in value)
    words = component.get("internalType", kind).split()
    name = words[-1].rpartition(".")[2]
    if kind == "tuple" and name not in RECORDS:  # a struct that the domain keeps otherwise
        parts = component["components"]
        pairs = zip(parts, value, strict=True)
        return {field_name(part["name"]): to_domain(inner, part) for part, inner in pairs}
    if kind == "tuple":
        return record(RECORDS[name], component["components"], value)
    if words[0] == "enum":
        return CHOICES[name](value)
    return bytes.fromhex(value[2:]) if kind == "address" else value


def record(kind: type, components: Sequence[Json], values: Sequence[Any]) -> Any:
    """Make a record; its fields must be exactly the components."""
    found = {
        field_name(part["name"]): to_domain(value, part)
        for part, value in zip(components, values, strict=True)
    }
    for field in fields(kind):
        if field.type == "Holding" and isinstance(found[field.name], int):
            found[field.name] = holding_of_word(found[field.name])
    if kind is Reason:
        code: bytes = found["code"]
        found["code"] = code.decode("ascii")
        found["who"] = None if found["who"] == ZERO_ADDRESS else found["who"]
    return kind(**found)


def from_domain(value: Any, component: Json) -> Any:
    """Return a value of the domain as eth_abi takes it."""
    kind: str = component["type"]
    if kind.endswith("[]"):
        element = {**component, "type": kind[:-2]}
        return [from_domain(inner, element) for inner in value]
    if kind == "tuple" and is_dataclass(value):
        return tuple(
            from_domain(getattr(value, field_name(part["name"])), part)
            for part in component["components"]
        )
    if kind == "tuple":
        pairs = zip(value, component["components"], strict=True)
        return tuple(from_domain(inner, part) for inner, part in pairs)
    return value


class Abi:
    """One contract's ABI."""

    def __init__(self, *names: str) -> None:
        """Read the artifacts of a contract, or of several that are called through one."""
        self.entries: list[Json] = [entry for name in names for entry in artifact(name)["abi"]]
        self._functions = {e["name"]: e for e in self.entries if e["type"] == "function"}
        self._events = {
            keccak256(signature(e).encode()): e for e in self.entries if e["type"] == "event"
        }
        self._errors = {
            keccak256(signature(e).encode())[:4]: e for e in self.entries if e["type"] == "error"
        }

    def call(self, name: str, *arguments: Any) -> bytes:
        """Return the calldata of a call."""
        entry = self._functions[name]
        pairs = zip(arguments, entry["inputs"], strict=True)
        values = [from_domain(value, part) for value, part in pairs]
        types = [canonical(part) for part in entry["inputs"]]
        return keccak256(signature(entry).encode())[:4] + encode(types, values)

    def result(self, name: str, output: bytes) -> Any:
        """Return what a call returned; a tuple where it is several values or none."""
        outputs = self._functions[name]["outputs"]
        values = decode([canonical(part) for part in outputs], output)
        found = tuple(to_domain(v, part) for v, part in zip(values, outputs, strict=True))
        return found[0] if len(found) == 1 else found

    def event(self, log: Log) -> ChainEvent:
        """Return the record of an event."""
        entry = self._events[log.topics[0]]
        parts: list[Json] = entry["inputs"]
        told = iter(log.topics[1:])
        rest = [part for part in parts if not part["indexed"]]
        data = iter(decode([canonical(part) for part in rest], log.data))
        values = [
            decode([part["type"]], next(told))[0] if part["indexed"] else next(data)
            for part in parts
        ]
        found: ChainEvent = record(EVENT_TYPES[entry["name"]], parts, values)
        return found

    def error(self, output: bytes) -> ChainError:
        """Return the record of the error that a call reverted with."""
        if output[:4] == PANIC:
            return Panic(code=int.from_bytes(output[4:], "big"))
        entry = self._errors[output[:4]]
        parts: list[Json] = entry["inputs"]
        values = decode([canonical(part) for part in parts], output[4:])
        refused: ChainError = record(ERROR_TYPES[entry["name"]], parts, values)
        return refused


def field_names(kind: type) -> list[str]:
    """List the fields of a record."""
    return [field.name for field in fields(kind)]


def solidity_constants(text: str) -> dict[str, int]:
    """Read the file-level numbers of a Solidity source; a set of flags is written with `|`."""
    units = {"": 1, "days": 86_400, "hours": 3_600}
    found: dict[str, int] = {}
    pattern = re.compile(r"^uint\d+ constant (\w+) = (\w+(?: \| \w+)*)(?: (\w+))?;", re.MULTILINE)
    for name, value, unit in pattern.findall(text):
        found[name] = 0
        for part in value.split(" | "):
            found[name] |= found[part] if part in found else int(part) * units[unit]
    return found
