"""The conditions of milestones: read from their bytes, and held against the evidence brought.

Written anew from the language's one page (docs/escrow.md), beside the contract's and the twin's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from settle.audit.escrow_terms import MIN_STEP_S, NOBODY, EscrowTerms

MAX_NODES: Final = 32
MAX_DEPTH: Final = 4
NEVER, TIME, SIGNED, READING, FEED, PREIMAGE, SETTLED, OUTCOME = range(8)
ALL, ANY, AT_LEAST, NOT = range(0x10, 0x14)
_FIELDS: Final[dict[int, tuple[int, ...]]] = {
    NEVER: (),
    TIME: (8,),
    SIGNED: (20, 32),
    READING: (20, 32, 1, 8, 16, 16),
    FEED: (20, 1, 10, 16, 16),
    PREIMAGE: (32,),
    SETTLED: (32,),
    OUTCOME: (1, 1),
    ALL: (1,),
    ANY: (1,),
    AT_LEAST: (1, 1),
    NOT: (),
}
_MOST_CHILDREN: Final = 8
_ALL_OUTCOMES: Final = 7


class BadProgram(ValueError):
    """The bytes are no conditions; `str()` says where."""


class Node(NamedTuple):
    """One node. `fields` as they stand in the program, `children` of all/any/at least/not."""

    kind: int
    fields: tuple[bytes, ...]
    children: tuple[Node, ...] = ()

    def number(self, k: int) -> int:
        """Field k as a number without a sign."""
        return int.from_bytes(self.fields[k], "big")

    def bounds(self) -> range:
        """The range of a reading, both ends in it."""
        low, high = (int.from_bytes(part, "big", signed=True) for part in self.fields[-2:])
        return range(low, high + 1)


@dataclass(frozen=True, slots=True)
class Condition:
    """What one milestone hangs on. `names`: milestones whose outcome it asks for."""

    root: Node
    names: frozenset[int]
    times: tuple[int, ...]
    has_lock: bool
    evidence: int


def conditions(terms: EscrowTerms) -> list[Condition]:
    """Read the program: one condition for each milestone. Raises BadProgram."""
    reader = _Reader(terms)
    found = [reader.condition(m) for m in range(len(terms.deadlines))]
    if reader.at != len(terms.program):
        raise BadProgram(f"{len(terms.program) - reader.at} bytes are left over")
    return found


def leaves(node: Node, *, negated: bool = False) -> list[tuple[Node, bool]]:
    """The leaves in their order, each with whether it stands under a `not`."""
    if node.kind < ALL:
        return [(node, negated)]
    under = negated or node.kind == NOT
    return [pair for child in node.children for pair in leaves(child, negated=under)]


def takes_evidence(leaf: Node, negated: bool) -> bool:
    """Whether somebody has to show something for it."""
    return leaf.kind in {SIGNED, READING, FEED, PREIMAGE} or (leaf.kind == SETTLED and negated)


def holds(node: Node, facts: dict[int, bool]) -> bool:
    """Whether a condition holds; `facts` has the truth of each leaf by its place among them.

    Of a leaf under a `not` it has the truth of the `not`.
    """
    return _holds(node, facts, iter(range(len(facts))))


def _holds(node: Node, facts: dict[int, bool], places: Iterator[int]) -> bool:
    if node.kind < ALL:
        return facts[next(places)]
    values = [_holds(child, facts, places) for child in node.children]
    if node.kind == NOT:
        return values[0]
    needed = {ALL: len(values), ANY: 1}.get(node.kind, 0) or node.number(0)
    return sum(values) >= needed


class _Reader:
    """Reads nodes one after another; `at` is the place in the program."""

    def __init__(self, terms: EscrowTerms) -> None:
        self._terms = terms
        self._parties = terms.parties(range(len(terms.deadlines)))
        self.at = 0
        self._nodes = 0
        self._milestone = 0

    def condition(self, milestone: int) -> Condition:
        """Read one condition."""
        self._nodes, self._milestone = 0, milestone
        root = self._node(1)
        ends = leaves(root)
        return Condition(
            root,
            frozenset(leaf.number(0) for leaf, _ in ends if leaf.kind == OUTCOME),
            tuple(leaf.number(0) for leaf, _ in ends if leaf.kind == TIME),
            any(leaf.kind == PREIMAGE for leaf, _ in ends),
            sum(takes_evidence(leaf, negated) for leaf, negated in ends),
        )

    def _node(self, depth: int) -> Node:
        start, program = self.at, self._terms.program
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH or start >= len(program):
            raise self._bad(start)
        kind = program[start]
        if kind not in _FIELDS or (kind == NEVER and depth > 1):
            raise self._bad(start)
        fields: list[bytes] = []
        self.at += 1
        for size in _FIELDS[kind]:
            fields.append(program[self.at : self.at + size])
            self.at += size
        if self.at > len(program):
            raise self._bad(start)
        node = Node(kind, tuple(fields))
        if kind < ALL:
            self._check_leaf(node, start)
            return node
        count = 1 if kind == NOT else node.number(-1)
        least = 1 if kind == NOT else 2
        if not least <= count <= _MOST_CHILDREN:
            raise self._bad(start)
        if kind == AT_LEAST and not 1 < node.number(0) < count:
            raise self._bad(start)
        children = tuple([self._node(depth + 1) for _ in range(count)])
        if kind == NOT and children[0].kind not in {SETTLED, OUTCOME}:
            raise self._bad(start)
        return node._replace(children=children)

    def _check_leaf(self, leaf: Node, start: int) -> None:
        terms = self._terms
        instants: list[int] = []
        fine = True
        match leaf.kind:
            case 1:
                instants = [leaf.number(0)]
            case 2:
                fine = leaf.fields[0] != NOBODY
            case 3 | 4:
                place = 2 if leaf.kind == READING else 1
                kind, at = leaf.number(place), leaf.number(place + 1)
                fine = leaf.fields[0] != NOBODY and kind < 2 and bool(leaf.bounds())
                if kind == 1:
                    instants = [at]
                    fine = fine and at >= terms.open_by
                if leaf.fields[0] in self._parties:
                    raise BadProgram("an oracle is a party")
            case 7:
                other, mask = leaf.number(0), leaf.number(1)
                fine = other < self._milestone and 0 < mask < _ALL_OUTCOMES
                instants = [terms.deadlines[other]] if fine else []
        if not fine:
            raise self._bad(start)
        if any(at + MIN_STEP_S > terms.deadlines[self._milestone] for at in instants):
            raise BadProgram(f"milestone {self._milestone} ends before what it waits for")

    def _bad(self, offset: int) -> BadProgram:
        return BadProgram(f"milestone {self._milestone}, byte {offset}")
