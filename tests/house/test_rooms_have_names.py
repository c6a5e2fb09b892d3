"""Modules are short and named for what they hold; nothing unfinished stands in the source."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.source_tree import ROOT, below, shown

# "About 300": a module may end its thought. Longer ones are listed with the reason they stay whole.
PYTHON_LINES = 330
CONTRACT_LINES = 330
LIBRARY_LINES = 150
LONGER: dict[str, tuple[int, str]] = {
    "contracts/src/Ledger.sol": (380, "every entry of the books, one line of NatSpec each"),
}

# A name that fits no room means that the room is missing.
NO_ROOM = frozenset("common helper helpers manager managers misc shared util utils".split())

# Put together here, so that this file does not hold what it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
NOT_WRITTEN = re.compile(r"\braise Not" + r"Implemented(Error)?\b")
SOURCE = ("src", "contracts/src", "scripts", "benchmarks")


def limit(path: Path) -> int:
    if path.suffix == ".py":
        return PYTHON_LINES
    return LIBRARY_LINES if "libraries" in path.parts else CONTRACT_LINES


def sources() -> list[Path]:
    return [*below(*SOURCE), *below(*SOURCE, suffix=".sol")]


def test_modules_are_short() -> None:
    findings = []
    for path in sources():
        lines = len(path.read_text().splitlines())
        allowed, _ = LONGER.get(shown(path), (limit(path), ""))
        if lines > allowed:
            findings.append(f"{shown(path)} has {lines} lines, {allowed} are allowed")
    assert not findings, "\n".join(findings)


def test_every_longer_module_needs_its_exception() -> None:
    for name, (_, reason) in LONGER.items():
        path = ROOT / name
        assert path.is_file(), f"{name} is gone: drop its exception"
        assert len(path.read_text().splitlines()) > limit(path), f"{name} is short: drop it"
        assert len(reason) > 20, f"{name}: say why it stays whole"


def test_every_module_is_named_for_what_it_holds() -> None:
    findings = [
        shown(path)
        for path in sources()
        if NO_ROOM & set(re.split(r"[_.]", path.stem.lower())) or NO_ROOM & set(path.parts[:-1])
    ]
    assert not findings, f"these names say nothing: {findings}"


def unfinished(text: str) -> list[str]:
    """Lines that promise work or refuse to do it."""
    return [
        f"{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if UNFINISHED.search(line) or NOT_WRITTEN.search(line)
    ]


def test_nothing_in_the_source_is_unfinished() -> None:
    findings = [
        f"{shown(path)}:{line}" for path in sources() for line in unfinished(path.read_text())
    ]
    assert not findings, "\n".join(findings)


def test_unfinished_work_is_seen() -> None:
    assert unfinished("x = 1  # TO" + "DO: finish")
    assert unfinished("raise Not" + "ImplementedError")
    assert not unfinished("todo_list = ()  # the fixme of a sentence")
