"""Try mutants: weave, compile, test, in bundles; write each outcome down as soon as it is known."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .mutants import Mutant
from .weaving import Woven, bundles, weave
from .workshop import Error, Workshop

Json = dict[str, Any]

KILLED, SURVIVED, INVALID = "killed", "survived", "invalid"

ROOMS = {
    "Ledger": "Ledger",
    "Books": "Ledger",
    "HoldingWord": "Ledger",
    "Participants": "Participants",
    "Approver": "Approver",
    "Signatures": "Libraries",
    "Window": "Libraries",
    "NonceBits": "Libraries",
    "Evidence": "Escrow",
    "Clocks": "Escrow",
    "Conditions": "Escrow",
    "ConditionForm": "Escrow",
    "Feed": "Escrow",
    "Surveys": "Escrow",
}
"""The room whose tests are asked first; anything else is Settlement's, or Escrow's by its name."""


def room_of(contract: str) -> str:
    """Return the room of tests that is nearest to a contract."""
    return ROOMS.get(contract, "Escrow" if contract.startswith("Escrow") else "Settlement")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What is known, one line of JSON a mutant, in a file that a stopped run leaves whole."""

    path: Path

    def read(self) -> dict[str, Json]:
        """Return the last line of each mutant."""
        if not self.path.exists():
            return {}
        lines = (json.loads(line) for line in self.path.read_text().splitlines())
        return {line["key"]: line for line in lines}

    def add(self, mutant: Mutant, outcome: str, by: str, about: str) -> None:
        """Write an outcome down: `by` is the room that noticed, `about` what it was true of."""
        line = {
            "key": mutant.key,
            "contract": mutant.contract,
            "function": mutant.function,
            "line": mutant.line,
            "operator": mutant.operator,
            "kind": mutant.kind,
            "within": mutant.within,
            "was": mutant.was,
            "becomes": mutant.becomes,
            "occurrence": mutant.occurrence,
            "outcome": outcome,
            "by": by,
            "about": about,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def missing(
    mutants: Iterable[Mutant], known: dict[str, Json], sources: dict[str, str], tests: str
) -> list[Mutant]:
    """Return the mutants still to be tried: unknown, of a changed source, survivors of older tests.

    What was killed stays killed while its source stays: tests are only added.
    """
    found = []
    for mutant in mutants:
        line = known.get(mutant.key)
        source, _, older = (line or {"about": ""})["about"].partition(" ")
        fresh = line is not None and source == sources[mutant.source]
        if not fresh or (line is not None and line["outcome"] == SURVIVED and older != tests):
            found.append(mutant)
    return found


def try_all(
    workshop: Workshop,
    mutants: Sequence[Mutant],
    outcomes: Outcomes,
    *,
    size: int,
    until: float,
) -> Iterator[tuple[Mutant, str, str]]:
    """Try mutants source by source; stops between two bundles once the clock passes `until`."""
    tests = workshop.digest(name for name in workshop.sources if "/test/" in name)
    for source in dict.fromkeys(mutant.source for mutant in mutants):
        about = f"{workshop.digest([source])} {tests}"
        mine = [mutant for mutant in mutants if mutant.source == source]
        for bundle in bundles(mine, size):
            if time.monotonic() > until:
                break
            for mutant, outcome, by in try_bundle(workshop, source, bundle):
                outcomes.add(mutant, outcome, by, about)
                yield mutant, outcome, by
        workshop.install(source, workshop.sources[source])


def try_bundle(
    workshop: Workshop, source: str, bundle: Sequence[Mutant]
) -> Iterator[tuple[Mutant, str, str]]:
    """Compile a bundle and test its mutants one by one; those that do not compile drop out."""
    numbered = dict(enumerate(bundle, start=1))
    while numbered:
        woven = weave(workshop.sources[source], numbered)
        found = workshop.check({source: woven.text}) or workshop.install(source, woven.text)
        if not found:
            break
        if len(numbered) == 1:
            yield bundle_of_one(numbered), INVALID, found[0].message[:80]
            return
        # An error may lie elsewhere than its cause: whoever is blamed is tried again by itself.
        dropped = blamed(woven, source, found) or list(numbered.values())
        for mutant in dropped:
            yield from try_bundle(workshop, source, [mutant])
        numbered = {n: mutant for n, mutant in numbered.items() if mutant not in dropped}
    for number, mutant in numbered.items():
        yield mutant, *verdict(workshop, mutant, number)


def bundle_of_one(numbered: dict[int, Mutant]) -> Mutant:
    """Return the only mutant."""
    (mutant,) = numbered.values()
    return mutant


def blamed(woven: Woven, source: str, found: Sequence[Error]) -> list[Mutant]:
    """Return the mutants that the errors point at."""
    starts = [error.start for error in found if error.source == source]
    return [
        mutant
        for place, mutant in woven.places
        if any(place.start <= start < place.end for start in starts)
    ]


def verdict(workshop: Workshop, mutant: Mutant, number: int) -> tuple[str, str]:
    """Ask the nearest room, then all, then the invariants."""
    nearest = room_of(mutant.contract)
    stages = [nearest, "", "invariant"] if nearest in workshop.rooms() else ["", "invariant"]
    for stage in stages:
        if not workshop.passes(stage, number):
            return KILLED, stage or "all"
    return SURVIVED, ""
