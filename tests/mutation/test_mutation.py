"""The runner of mutants: what it changes, how it weaves, what it counts."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from scripts.mutation import __main__ as program
from scripts.mutation.mutants import Mutant, mutants_of
from scripts.mutation.reliability import explained, explanations, summary
from scripts.mutation.trial import Outcomes, missing
from scripts.mutation.weaving import bundles, weave

from benchmarks.reliability import merge
from tests.house.source_tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NAME = "contracts/src/Sample.sol"
SAMPLE = b"""// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

contract Sample {
    mapping(address => uint256) private _sums;

    error TooMuch();

    function add(uint256[] calldata list, uint256 most) external returns (uint256 sum) {
        uint256 count = list.length;
        for (uint256 k = 0; k < count; ++k) {
            sum += list[k];
        }
        if (sum > most) revert TooMuch();
        (uint256 half, bool odd) = (sum >> 1, sum % 2 == 1);
        _sums[msg.sender] = half;
        assembly {
            sum := add(sum, odd)
        }
    }
}
"""


def compiled(text: bytes) -> dict[str, Any]:
    question = {
        "language": "Solidity",
        "sources": {NAME: {"content": text.decode()}},
        "settings": {"outputSelection": {"*": {"": ["ast"], "*": ["evm.bytecode.object"]}}},
    }
    done = subprocess.run(
        [ROOT / "scripts/solc", "--standard-json"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    return mutants_of(NAME, compiled(SAMPLE)["sources"][NAME]["ast"], SAMPLE)


def test_every_operator_finds_its_places(mutants: list[Mutant]) -> None:
    found = {(mutant.operator, mutant.was, mutant.becomes) for mutant in mutants}
    for expected in (
        ("RR", "sum += list[k];", "revert()"),
        ("CR", "revert TooMuch();", ""),
        ("MIA", "sum > most", "false"),
        ("MIA", "sum > most", "!(sum > most)"),
        ("ROR", ">", ">="),
        ("AOR", "%", "*"),
        ("BOR", ">>", "<<"),
        ("ASOR", "+=", "-="),
        ("UOR", "++k", "--k"),
        ("MWA", "k < count", "!(k < count)"),
        ("LIR", "0", "type(uint256).max"),
        ("MVIE", "list.length", ""),
        ("SBR", "msg.sender", "tx.origin"),
        ("AOR", "add", "sub"),
    ):
        assert expected in found, expected
    # Nobody reads the value of ++k; to skip the `if` is to skip its revert.
    assert ("UOR", "++k", "k++") not in found
    assert not [m for m in mutants if m.operator == "CR" and m.was.startswith("if")]
    assert {m.kind for m in mutants if m.operator in {"RR", "CR"}} == {"revert"}
    assert {m.kind for m in mutants if m.operator not in {"RR", "CR"}} == {"tweak"}


def test_no_two_mutants_have_one_key_and_keys_do_not_hang_on_the_line(
    mutants: list[Mutant],
) -> None:
    keys = [mutant.key for mutant in mutants]
    assert len(set(keys)) == len(keys)
    moved = SAMPLE.replace(b"contract Sample", b"\n\n// A remark.\ncontract Sample")
    tree = compiled(moved)["sources"][NAME]["ast"]
    assert [mutant.key for mutant in mutants_of(NAME, tree, moved)] == keys


def test_bundles_hold_every_mutant_once_and_none_that_meet(mutants: list[Mutant]) -> None:
    made = bundles(mutants, 8)
    assert sorted(m.key for bundle in made for m in bundle) == sorted(m.key for m in mutants)
    for bundle in made:
        assert len(bundle) <= 8
        spans = sorted((mutant.carrier.start, mutant.carrier.end) for mutant in bundle)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_every_bundle_compiles_with_all_its_mutants(mutants: list[Mutant]) -> None:
    for bundle in bundles(mutants, 24):
        woven = weave(SAMPLE, dict(enumerate(bundle, start=1)))
        faults = [e for e in compiled(woven.text).get("errors", []) if e["severity"] == "error"]
        assert not faults, (faults[0]["formattedMessage"], woven.text.decode())


def test_a_sample_is_the_same_for_the_same_seed(mutants: list[Mutant]) -> None:
    one = program.sample(mutants, 10, 1)
    assert one == program.sample(mutants, 10, 1)
    assert len(one) == 10
    assert one != program.sample(mutants, 10, 2)
    assert program.sample(mutants, 0, 1) == mutants


def test_a_stopped_run_goes_on_and_a_changed_source_begins_anew(
    tmp_path: Path, mutants: list[Mutant]
) -> None:
    outcomes = Outcomes(tmp_path / "outcomes.jsonl")
    outcomes.add(mutants[0], "killed", "Sample", "s1 t1")
    outcomes.add(mutants[1], "survived", "", "s1 t1")
    known = outcomes.read()
    assert missing(mutants, known, {NAME: "s1"}, "t1") == mutants[2:]
    # New tests may notice what survived; what was killed stays killed.
    assert missing(mutants, known, {NAME: "s1"}, "t2") == mutants[1:]
    assert missing(mutants, known, {NAME: "s2"}, "t1") == mutants


def test_shares_are_of_what_was_tried_and_survivors_want_a_sentence(
    tmp_path: Path, mutants: list[Mutant]
) -> None:
    outcomes = Outcomes(tmp_path / "outcomes.jsonl")
    reverts = [mutant for mutant in mutants if mutant.kind == "revert"][:4]
    tweaks = [mutant for mutant in mutants if mutant.kind == "tweak"][:2]
    for mutant in reverts[:3]:
        outcomes.add(mutant, "killed", "Sample", "s t")
    outcomes.add(reverts[3], "survived", "", "s t")
    outcomes.add(tweaks[0], "killed", "Sample", "s t")
    outcomes.add(tweaks[1], "invalid", "", "s t")
    survivor = reverts[3]
    page = tmp_path / "survivors.yaml"
    entry = {
        "contract": "Sample",
        "function": "add",
        "operator": survivor.operator,
        "within": survivor.within,
        "was": survivor.was,
        "becomes": survivor.becomes,
        "why": "It is only here to be explained.",
    }
    page.write_text(json.dumps([entry]))
    row = summary(mutants, outcomes.read(), explanations(page))["Sample"]
    assert (row["revert"], row["tweak"]) == (0.75, 1.0)
    assert (row["survivors"], row["survivors_explained"], row["tried"]) == (1, 1, 5)
    line = outcomes.read()[survivor.key]
    assert not explained(line, [{**entry, "was": "something else"}])
    page.write_text(json.dumps([{**entry, "why": "equivalent"}]))
    with pytest.raises(ValueError, match="explains nothing"):
        explanations(page)


def test_the_figures_of_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "reliability.json"
    path.write_text('{"crash": {"runs": 600}}')
    merge("mutation", {"Sample": {"revert": 1.0}}, command="make mutate", page=path)
    assert json.loads(path.read_text()) == {
        "crash": {"runs": 600},
        "mutation": {"Sample": {"revert": 1.0}, "command": "make mutate"},
    }
