"""A compiled contract: what it is called with, what it answers, what it creates.

Read from src/settle/artifacts, which scripts/compile.py writes and CI reproduces byte for byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from settle.domain.errors import Broken
from settle.domain.keccak import keccak256

_SELECTOR: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A function, an event or an error: its name, its arguments' names and their types."""

    name: str
    arguments: tuple[str, ...]
    types: tuple[str, ...]
    returns: tuple[str, ...]
    hash: bytes
    entry: Any
    """The entry of the ABI, for what is not said above."""

    @property
    def selector(self) -> bytes:
        """The first four bytes of a call or of a revert."""
        return self.hash[:_SELECTOR]


class Abi:
    """One contract of ours."""

    def __init__(self, artifact: Any) -> None:  # noqa: ANN401 JSON of the compiler
        """Take the content of an artifact."""
        self.artifact = artifact
        self.creation_code = bytes.fromhex(artifact["bytecode"].removeprefix("0x"))
        entries = artifact["abi"]
        self.functions = _signatures(entries, "function")
        self.events = _signatures(entries, "event")
        self.errors = _signatures(entries, "error")
        self._constructor = _signatures(entries, "constructor").get("constructor")

    def encode(self, function: str, *arguments: object) -> bytes:
        """Write a call: the selector and the arguments."""
        signature = self.functions[function]
        return signature.selector + _encode(signature, arguments)

    def decode(self, function: str, answer: bytes) -> tuple[Any, ...]:
        """Read what a call gave back. Raises Broken if the contract answers something else."""
        signature = self.functions[function]
        try:
            return tuple(decode(signature.returns, answer))
        except DecodingError as error:
            raise Broken(f"{function} answered 0x{answer.hex()[:80]}: {error}") from error

    def decode_call(self, function: str, data: bytes) -> tuple[Any, ...]:
        """Read the arguments out of a call."""
        signature = self.functions[function]
        return tuple(decode(signature.types, data[_SELECTOR:]))

    def creation(self, *arguments: object) -> bytes:
        """Write the data of the transaction that creates the contract."""
        if self._constructor is None:
            return self.creation_code
        return self.creation_code + _encode(self._constructor, arguments)


@cache
def load_abi(contract: str) -> Abi:
    """Read a contract's artifact by its name. Raises Broken if the package lacks it."""
    place = files("settle") / "artifacts" / f"{contract}.json"
    try:
        return Abi(json.loads(place.read_bytes()))
    except (OSError, ValueError, KeyError) as error:
        raise Broken(f"the artifact of {contract} is missing or damaged: `make compile`") from error


def _signatures(entries: Any, kind: str) -> dict[str, Signature]:  # noqa: ANN401 JSON
    return {
        signature.name: signature
        for signature in (_signature(entry) for entry in entries if entry["type"] == kind)
    }


def _signature(entry: Any) -> Signature:  # noqa: ANN401 JSON
    types = tuple(_type(argument) for argument in entry.get("inputs", ()))
    name = entry.get("name", "constructor")
    return Signature(
        name=name,
        arguments=tuple(argument["name"] for argument in entry.get("inputs", ())),
        types=types,
        returns=tuple(_type(argument) for argument in entry.get("outputs", ())),
        hash=keccak256(f"{name}({','.join(types)})".encode()),
        entry=entry,
    )


def _type(argument: Any) -> str:  # noqa: ANN401 JSON
    kind = str(argument["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(_type(component) for component in argument["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _encode(signature: Signature, arguments: tuple[object, ...]) -> bytes:
    try:
        return encode(signature.types, arguments)
    except (EncodingError, ValueError, TypeError) as error:
        raise Broken(f"{signature.name} does not take these arguments: {error}") from error
