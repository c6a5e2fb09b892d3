"""Conditions as a tree of frozen records, and what can be asked of one without a chain.

The language is total: no loops, at most 32 nodes, at most 4 deep. `program.py` has its encoding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from settle.domain.ids import Address, InstructionId

BY_ROUND: Final = 0
BY_INSTANT: Final = 1
RELEASED_BIT: Final = 1
REFUNDED_BIT: Final = 2
SPLIT_BIT: Final = 4
MAX_MASK: Final = 6
MAX_CHILDREN: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """No condition: only the default, an agreement or a ruling ends the milestone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReached:
    """Holds from `at` on (unix seconds), moved by disputes as the milestone's deadline is."""

    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Holds once `signer` attests the statement (32 bytes: ASCII and zeros, or a hash)."""

    signer: Address
    statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Holds if the value that `signer` states for the feed lies in the range, both ends included.

    `kind` says what `at` is: the number of a round, or the exact instant.
    """

    signer: Address
    feed: bytes
    kind: int
    at: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Holds if a contract's value is in the range: of a round, or the first from an instant on."""

    contract: Address
    kind: int
    at: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preimage:
    """Holds once 32 bytes are shown whose SHA-256 is `digest`: a hash lock."""

    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Holds once exactly this instruction settled; it must ask that this be recorded."""

    instruction: InstructionId


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeOf:
    """Holds once a lower milestone ended in an outcome whose bit is in the mask."""

    milestone: int
    mask: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Holds when all of 2 to 8 conditions hold."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Holds when one of 2 to 8 conditions holds."""

    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """Holds when `count` of up to 8 conditions hold; 1 < count < their number."""

    count: int
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """Holds when a fact of the chain can no longer come true."""

    of: Settled | OutcomeOf


Leaf: TypeAlias = Never | TimeReached | Signed | Reading | Feed | Preimage | Settled | OutcomeOf
Condition: TypeAlias = Leaf | AllOf | AnyOf | AtLeast | Not


# ------------------------------------------------------------------------------ asking


def leaves_of(condition: Condition) -> Iterator[tuple[Leaf, bool]]:
    """List the leaves in order of appearance, each with whether it stands under NOT."""
    match condition:
        case Not():
            yield condition.of, True
        case AllOf() | AnyOf() | AtLeast():
            for inner in condition.of:
                yield from leaves_of(inner)
        case _:
            yield condition, False


def evidence_leaves(condition: Condition) -> tuple[Leaf, ...]:
    """List the leaves that take evidence, in the order of the evidence list."""
    return tuple(
        leaf
        for leaf, negated in leaves_of(condition)
        if isinstance(leaf, Signed | Reading | Feed | Preimage)
        or (negated and isinstance(leaf, Settled))
    )


def named_milestones(condition: Condition) -> frozenset[int]:
    """Give the milestones whose outcome the condition asks for."""
    return frozenset(
        leaf.milestone for leaf, _ in leaves_of(condition) if isinstance(leaf, OutcomeOf)
    )


def hash_locked(conditions: Sequence[Condition]) -> frozenset[int]:
    """Give the milestones that admit no dispute.

    Those with a hash lock, and those on which one with a hash lock depends, at any remove.
    """
    locked: set[int] = set()
    for milestone in range(len(conditions) - 1, -1, -1):
        condition = conditions[milestone]
        own = any(isinstance(leaf, Preimage) for leaf, _ in leaves_of(condition))
        if own or milestone in locked:
            locked.add(milestone)
            locked |= named_milestones(condition)
    return frozenset(locked)


def times_of(condition: Condition) -> tuple[int, ...]:
    """List the instants that the condition waits for, as they are written."""
    return tuple(leaf.at for leaf, _ in leaves_of(condition) if isinstance(leaf, TimeReached))


def with_dependants(conditions: Sequence[Condition], milestone: int) -> frozenset[int]:
    """Give a milestone and all that depend on its outcome, at any remove."""
    found = {milestone}
    for k in range(milestone + 1, len(conditions)):
        if named_milestones(conditions[k]) & found:
            found.add(k)
    return frozenset(found)


def moved(
    conditions: Sequence[Condition],
    disputed_at: Sequence[int | None],
    by: int,
    *,
    milestone: int,
    at: int,
) -> int:
    """Give where disputes moved an instant of a milestone to; all in unix seconds.

    A dispute moves by `by` what was not reached when it was opened, also in the dependants. So
    what was reached stays reached.
    """
    shift: list[int] = []
    for k in range(milestone + 1):
        inherited = max((shift[named] for named in named_milestones(conditions[k])), default=0)
        since = disputed_at[k]
        own = by if since is not None and since < at + inherited else 0
        shift.append(inherited + own)
    return at + shift[milestone]
