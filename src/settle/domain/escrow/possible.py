"""What of a condition can hold at an instant if everybody shows what helps it.

Evidence is brought or not, so a condition is possible if some world makes it true. Worlds differ
only where leaves exclude each other: an instruction settled or not, one reading in two ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Final, TypeAlias

from settle.domain.escrow.conditions import (
    BY_INSTANT,
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Feed,
    Never,
    Not,
    OutcomeOf,
    Reading,
    Settled,
    TimeReached,
    leaves_of,
)
from settle.domain.escrow.events import Outcome
from settle.domain.escrow.evidence import in_mask, needed_of

World: TypeAlias = Mapping[tuple[object, ...], int]
"""The value of each fact on which leaves of one condition could contradict each other."""

NodePath: TypeAlias = tuple[int, ...]
MAX_WORLDS: Final = 256


def worlds_of(condition: Condition) -> tuple[World, ...]:
    """List the worlds in which a condition has to be tried."""
    values: dict[tuple[object, ...], set[int]] = {}
    for leaf, negated in leaves_of(condition):
        if isinstance(leaf, Settled):
            values.setdefault(_fact(leaf), set()).add(0 if negated else 1)
        elif isinstance(leaf, Reading | Feed):
            values.setdefault(_fact(leaf), set()).update((leaf.low, leaf.high))
    facts = list(values)
    choices = product(*(sorted(values[fact]) for fact in facts))
    return tuple(dict(zip(facts, choice, strict=True)) for choice in islice(choices, MAX_WORLDS))


def _fact(leaf: Settled | Reading | Feed) -> tuple[object, ...]:
    if isinstance(leaf, Settled):
        return (leaf.instruction,)
    if isinstance(leaf, Reading):
        return (leaf.signer, leaf.feed, leaf.kind, leaf.at)
    return (leaf.contract, leaf.kind, leaf.at)


def holds_in(
    condition: Condition,
    world: World,
    *,
    now: int,
    moved: Callable[[int], int],
    outcomes: Sequence[Outcome],
) -> bool:
    """Whether a condition holds now if all evidence that this world has is shown."""

    def holds(node: Condition) -> bool:
        match node:
            case Never():
                return False
            case TimeReached():
                return now >= moved(node.at)
            case Reading() | Feed():
                known = node.kind != BY_INSTANT or now >= node.at
                return known and node.low <= world[_fact(node)] <= node.high
            case Settled():
                return world[_fact(node)] == 1
            case OutcomeOf():
                outcome = outcomes[node.milestone]
                return outcome is not Outcome.NONE and in_mask(outcome, node.mask)
            case Not():
                if isinstance(node.of, Settled):
                    return world[_fact(node.of)] == 0
                outcome = outcomes[node.of.milestone]
                return outcome is not Outcome.NONE and not in_mask(outcome, node.of.mask)
            case AllOf() | AnyOf() | AtLeast():
                return sum(map(holds, node.of)) >= needed_of(node)
            case _:
                return True  # somebody may sign, somebody may know the secret

    return holds(condition)


def nodes_of(condition: Condition, path: NodePath = ()) -> Iterator[tuple[NodePath, Condition]]:
    """List a condition and all within it, each by the way to it."""
    yield path, condition
    if isinstance(condition, AllOf | AnyOf | AtLeast):
        for index, part in enumerate(condition.of):
            yield from nodes_of(part, (*path, index))
