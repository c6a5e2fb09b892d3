"""What came of it, by contract, and the sentences that explain survivors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from .mutants import Mutant
from .trial import INVALID, KILLED, SURVIVED

Json = dict[str, Any]

TELLING = ("contract", "function", "operator", "within", "was", "becomes")
"""What an explanation names a mutant by; `occurrence` besides where several read alike."""


def explanations(path: Path) -> list[Json]:
    """Return the sentences; each names its mutant by TELLING.

    Raises: ValueError if one lacks a part or says nothing.
    """
    listed: list[Json] = yaml.safe_load(path.read_text()) if path.exists() else []
    for entry in listed or []:
        if missing := [key for key in (*TELLING, "why") if entry.get(key) is None]:
            raise ValueError(f"{path}: {entry} lacks {missing}")
        if len(str(entry["why"]).split()) < 5:
            raise ValueError(f"{path}: {entry['why']!r} explains nothing")
    return listed or []


def explained(line: Json, entries: Iterable[Json]) -> bool:
    """Tell whether a sentence explains this survivor."""
    return any(
        all(str(entry[key]) == str(line[key]) for key in TELLING)
        and entry.get("occurrence", line["occurrence"]) == line["occurrence"]
        for entry in entries
    )


def summary(mutants: Sequence[Mutant], known: dict[str, Json], entries: Iterable[Json]) -> Json:
    """Return shares killed, by contract; None where nothing of a kind was tried."""
    entries = list(entries)
    result: Json = {}
    for contract in sorted({mutant.contract for mutant in mutants}):
        mine = [mutant for mutant in mutants if mutant.contract == contract]
        lines = [known[mutant.key] for mutant in mine if mutant.key in known]
        tried = [line for line in lines if line["outcome"] != INVALID]
        survivors = [line for line in tried if line["outcome"] == SURVIVED]
        result[contract] = {
            "revert": share(tried, "revert"),
            "tweak": share(tried, "tweak"),
            "survivors": len(survivors),
            "survivors_explained": sum(explained(line, entries) for line in survivors),
            "tried": len(tried),
            "mutants": len(mine),
        }
    return result


def share(lines: Sequence[Json], kind: str) -> float | None:
    """Return the share killed of one kind, 0 to 1."""
    mine = [line for line in lines if line["kind"] == kind]
    killed = sum(line["outcome"] == KILLED for line in mine)
    return round(killed / len(mine), 4) if mine else None
