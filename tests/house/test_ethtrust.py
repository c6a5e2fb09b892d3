"""docs/ethtrust.yaml: each requirement and each trap is answered by something that exists."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from tests.house.source_tree import ROOT

Json = dict[str, Any]

PAGE: Json = yaml.safe_load((ROOT / "docs/ethtrust.yaml").read_text())
LEVELS = {"S": 22, "M": 24, "Q": 24}
TRAPS = {"value": 8, "authority": 9, "time": 6, "stuck": 7, "gas": 4, "order": 4}
SOLIDITY = r"^    function {name}\("
PYTHON = r"^(?:    )?(?:async )?def {name}\("


def exists(test: str) -> bool:
    """Tell whether `path::name` is a test in that file."""
    path, _, name = test.partition("::")
    form = SOLIDITY if path.endswith(".t.sol") else PYTHON
    named = re.compile(r"test(Fuzz)?_\w+|invariant_\w+")
    file = ROOT / path
    if not named.fullmatch(name) or not file.is_file():
        return False
    return bool(re.search(form.format(name=name), file.read_text(), re.MULTILINE))


def faults(item: Json, gates: Json) -> list[str]:
    """What is wrong with an entry."""
    found = [f"{test} does not exist" for test in item.get("tests", []) if not exists(test)]
    gate, reason = item.get("gate"), item.get("reason", "")
    if gate is not None and gate not in gates:
        found.append(f"no gate is called {gate}")
    if reason and len(reason.split()) < 3:
        found.append(f"{reason!r} is no reason")
    if not (item.get("tests") or gate or reason):
        found.append("nothing answers it")
    return found


@pytest.mark.parametrize("item", PAGE["requirements"], ids=lambda item: item["id"])
def test_every_requirement_is_mapped(item: Json) -> None:
    assert item["title"]
    assert item["id"].startswith({"S": "req-1-", "M": "req-2-", "Q": "req-3-"}[item["level"]])
    assert not faults(item, PAGE["gates"])


@pytest.mark.parametrize("item", PAGE["traps"], ids=lambda item: item["trap"])
def test_every_trap_is_mapped(item: Json) -> None:
    assert not faults(item, PAGE["gates"])


def test_no_requirement_and_no_trap_is_missing_or_doubled() -> None:
    ids = [item["id"] for item in PAGE["requirements"]]
    assert len(set(ids)) == len(ids)
    assert Counter(item["level"] for item in PAGE["requirements"]) == LEVELS
    assert Counter(item["kind"] for item in PAGE["traps"]) == TRAPS


def test_every_gate_is_a_target_of_make() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name, command in PAGE["gates"].items():
        program, target = command.split()
        assert program == "make", f"{name}: {command} is no target of make"
        assert target in targets, f"{name}: make {target} does not exist"


def test_what_is_not_mapped_is_seen() -> None:
    there = "contracts/test/Settlement/Settle.t.sol::test_settles_between_three_parties"
    here = "tests/house/test_ethtrust.py::test_what_is_not_mapped_is_seen"
    assert exists(there)
    assert exists(here)
    assert not exists(there + "_and_four")
    assert not exists("contracts/test/Gone.t.sol::test_settles")
    assert not exists("tests/house/test_ethtrust.py::exists")
    assert faults({}, {}) == ["nothing answers it"]
    assert faults({"gate": "prayer"}, PAGE["gates"])
    assert faults({"reason": "none"}, PAGE["gates"])
    assert not faults({"tests": [there]}, PAGE["gates"])
