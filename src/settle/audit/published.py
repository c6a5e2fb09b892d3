"""The published contracts: their ABI, their code, where their constants and their storage lie.

The artifacts stand in the package; a fresh build elsewhere can take their place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from settle.audit import abi
from settle.audit.abi import Signature, Value
from settle.audit.storage_layout import StorageLayout
from settle.domain.errors import InvalidInput

SETTLEMENT: Final = "Settlement"
AFFIRMATION: Final = "Affirmation"
ESCROW: Final = "Escrow"
PARTICIPANTS: Final = "Participants"
MANAGER: Final = "AccessManager"
APPROVER: Final = "Approver"
NAMES: Final = (MANAGER, AFFIRMATION, ESCROW, SETTLEMENT, PARTICIPANTS, APPROVER)
_AFFIRMING_EVENTS: Final = frozenset((SETTLEMENT, AFFIRMATION))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A function that is read: how it is called and what it answers."""

    selector: bytes
    read: Any

    def call(self, *words: bytes) -> bytes:
        """Write a call whose arguments are words."""
        return self.selector + b"".join(words)

    def answer(self, data: bytes) -> tuple[Value, ...]:
        """Read what came back. Raises AbiError."""
        values: tuple[Value, ...] = self.read(data, 0)
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One contract. `constants` has the places of each immutable in `code`, by its name."""

    name: str
    functions: dict[bytes, Signature]
    events: dict[bytes, Signature]
    views: dict[str, View]
    creation: bytes
    code: bytes
    constants: dict[str, tuple[tuple[int, int], ...]]
    slots: dict[str, int]
    layout: StorageLayout

    def selector(self, name: str) -> bytes:
        """Selector of a function that has one form only."""
        (selector,) = (key for key, function in self.functions.items() if function.name == name)
        return selector


def load(folder: Path | None = None) -> dict[str, Published]:
    """Read the artifacts of the package, or of a folder. Raises InvalidInput if one is missing."""
    return {name: _published(name, _artifact(name, folder)) for name in NAMES}


def _artifact(name: str, folder: Path | None) -> dict[str, Any]:
    place = resources.files("settle.artifacts") if folder is None else folder
    try:
        content: dict[str, Any] = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(
            "artifacts", f"the artifact of {name} cannot be read: {error}"
        ) from error
    return content


def _published(name: str, content: dict[str, Any]) -> Published:
    functions = [entry for entry in content["abi"] if entry["type"] == "function"]
    prepared = [(entry, abi.function(entry)) for entry in functions]
    events = [abi.event(entry) for entry in content["abi"] if entry["type"] == "event"]
    return Published(
        name=name,
        functions={one.digest[:4]: one for _, one in prepared},
        events={one.digest: one for one in events},
        views={
            one.name: View(selector=one.digest[:4], read=abi.reader(entry["outputs"]))
            for entry, one in prepared
            if entry["stateMutability"] in {"view", "pure"}
        },
        creation=bytes.fromhex(content["bytecode"].removeprefix("0x")),
        code=bytes.fromhex(content["deployedBytecode"].removeprefix("0x")),
        constants={
            label.rpartition(".")[2]: tuple((at["start"], at["length"]) for at in places)
            for label, places in content["immutableReferences"].items()
        },
        layout=StorageLayout(content["storageLayout"]),
        slots={entry["label"]: int(entry["slot"]) for entry in content["storageLayout"]["storage"]},
    )
