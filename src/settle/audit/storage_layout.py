"""Storage slots of a contract from its state, by the compiler's published storage layout.

State is a tree: a dict by label; a mapping is a dict by key, a struct a dict by member, an array a
list; numbers are int, addresses and fixed bytes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from settle.audit import merkle, rlp
from settle.audit.abi import left_word, word
from settle.domain.keccak import keccak256

_FIXED_BYTES: Final = "t_bytes"


class StorageLayout:
    """Where a contract keeps what."""

    def __init__(self, layout: Mapping[str, Any]) -> None:
        """Take `storageLayout` of an artifact."""
        self._types: Mapping[str, Any] = layout["types"]
        self._entries = {entry["label"]: entry for entry in layout["storage"]}

    def slots(self, state: Mapping[str, Any]) -> dict[int, int]:
        """Every slot that is not zero."""
        slots: dict[int, int] = {}
        for label, value in state.items():
            entry = self._entries[label]
            self._write(slots, int(entry["slot"]), entry["offset"], entry["type"], value)
        return {slot: value for slot, value in slots.items() if value}

    def root(self, state: Mapping[str, Any]) -> bytes:
        """The root that the storage trie has to have when it holds this state and nothing else."""
        return merkle.map_root(
            (keccak256(word(slot)), rlp.encode(rlp.number(value)))
            for slot, value in self.slots(state).items()
        )

    def _write(
        self,
        slots: dict[int, int],
        slot: int,
        offset: int,
        kind: str,
        value: Any,  # noqa: ANN401
    ) -> None:
        about = self._types[kind]
        if about["encoding"] == "mapping":
            for key, inner in value.items():
                place = int.from_bytes(keccak256(_key(about["key"], key) + word(slot)), "big")
                self._write(slots, place, 0, about["value"], inner)
        elif about["encoding"] == "dynamic_array":
            slots[slot] = len(value)
            start = int.from_bytes(keccak256(word(slot)), "big")
            for position, inner in enumerate(value):
                self._write(slots, start + position, 0, about["base"], inner)
        elif "members" in about:
            for member in about["members"]:
                if member["label"] in value:
                    place = slot + int(member["slot"])
                    inner = value[member["label"]]
                    self._write(slots, place, member["offset"], member["type"], inner)
        else:
            number = value if isinstance(value, int) else int.from_bytes(value, "big")
            slots[slot] = slots.get(slot, 0) | number << 8 * offset


def _key(kind: str, key: int | bytes) -> bytes:
    if isinstance(key, bytes) and kind.startswith(_FIXED_BYTES):
        return left_word(key)
    return word(key)
