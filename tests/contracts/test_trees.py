"""Each test of a contract stands in the tree beside it, and each leaf of a tree is a test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.house.source_tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TESTS = ROOT / "contracts" / "test"
MEASURED = TESTS / "gas"
FILES = sorted(path for path in TESTS.rglob("*.t.sol") if path.parent != MEASURED)
FUNCTION = re.compile(r"^    function (?:test(?:Fuzz)?|invariant)_(\w+)\(", re.MULTILINE)
NODE = re.compile(r"^([│ ]*)[├└]── (.+)$")


def leaves(tree: Path) -> list[str]:
    """Sentences of a tree that have none below them."""
    nodes: list[tuple[int, str]] = []
    for line in tree.read_text().splitlines()[1:]:
        node = NODE.match(line)
        assert node, f"{tree}: {line!r} is no line of a tree"
        nodes.append((len(node[1]), node[2]))
    depths = [depth for depth, _ in nodes[1:]] + [-1]
    return [text for (depth, text), below in zip(nodes, depths, strict=True) if below <= depth]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_tree_and_its_tests_say_the_same_in_the_same_order(path: Path) -> None:
    tree = path.with_name(path.name.replace(".t.sol", ".tree"))
    names = [name.replace("_", " ") for name in FUNCTION.findall(path.read_text())]
    assert leaves(tree) == names


def test_no_tree_stands_alone() -> None:
    trees = {path.with_name(path.stem + ".t.sol") for path in TESTS.rglob("*.tree")}
    assert trees == set(FILES)
