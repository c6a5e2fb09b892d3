"""Every way in which an escrow can go: all orders of events around all deadlines.

Time is walked from one instant at which something changes to the next; at each of them everybody
may do whatever `what_now` allows, or nothing. Evidence may come or not, a dispute may be opened,
the panel and the fallback may rule anything or be silent. Agreement is left out: it can always end
a milestone, so it must not be what makes an end reachable.

Milestones that do not depend on each other are explored apart. States that differ in nothing that
can still matter are one state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, TypeAlias

from settle.domain.escrow.clock import (
    WAY_CONDITION,
    WAY_DEFAULT,
    WAY_DISPUTE,
    WAY_FALLBACK,
    WAY_PANEL,
    WAY_SILENCE,
    MilestoneNow,
    conditions_of,
    milestone_now,
    moved_in,
)
from settle.domain.escrow.conditions import (
    BY_INSTANT,
    Condition,
    Feed,
    Reading,
    leaves_of,
    named_milestones,
    times_of,
)
from settle.domain.escrow.ends import outcome_of
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.possible import NodePath, holds_in, nodes_of, worlds_of
from settle.domain.escrow.state import EscrowRecord, MilestoneRecord
from settle.domain.escrow.terms import EscrowTerms, lines_of

MAX_STATES: Final = 60_000
"""States of one group of milestones that are explored; more are left unexplored and said so."""

End: TypeAlias = tuple[EndedBy, Outcome]
Ends: TypeAlias = tuple[End, ...]
"""How each milestone of an escrow ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """What was found. `ends` has each milestone's reachable ends, `whole` all combinations.

    `stuck` counts states from which no way leads to an end, `without_exit` those in which some
    milestone has no instant from which anybody could end it alone. `seen` has each part of a
    condition that can hold somewhere. `complete` is False if MAX_STATES was reached.
    """

    states: int
    stuck: int
    without_exit: int
    ends: tuple[frozenset[End], ...]
    whole: frozenset[Ends]
    seen: tuple[frozenset[NodePath], ...]
    complete: bool


def explore(terms: EscrowTerms, *, apart: bool = True) -> Exploration:
    """Explore well-formed terms, opened at the last instant that is possible.

    With `apart` an ended milestone's way of ending is kept only for the list of combinations;
    without it for nothing, which is faster for large terms.
    Raises: Reverted if the program is none.
    """
    conditions = conditions_of(terms)
    parts = [_Part(terms, group, whole=apart).explore() for group in _groups(conditions)]
    count = len(conditions)
    ends: list[frozenset[End]] = [frozenset()] * count
    seen: list[frozenset[NodePath]] = [frozenset()] * count
    for part in parts:
        for milestone in part.group:
            ends[milestone] = frozenset(part.ends[milestone])
            seen[milestone] = frozenset(part.seen[milestone])
    return Exploration(
        states=sum(len(part.reached) for part in parts),
        stuck=sum(part.stuck() for part in parts),
        without_exit=sum(part.without_exit for part in parts),
        ends=tuple(ends),
        whole=_combined(parts, count) if apart else frozenset(),
        seen=tuple(seen),
        complete=all(part.complete for part in parts),
    )


def _groups(conditions: Sequence[Condition]) -> list[tuple[int, ...]]:
    """Part the milestones into groups that do not name each other."""
    groups: list[set[int]] = []
    for milestone, condition in enumerate(conditions):
        near = named_milestones(condition) | {milestone}
        joined = set(near).union(*(group for group in groups if group & near))
        groups = [group for group in groups if not group & near] + [joined]
    return [tuple(sorted(group)) for group in groups]


def _combined(parts: Sequence[_Part], count: int) -> frozenset[Ends]:
    """Combine what independent groups come to; too many combinations are left out."""
    total = 1
    for part in parts:
        total *= max(1, len(part.finals))
    if total > MAX_STATES:
        return frozenset()
    found = set()
    for choice in product(*(part.finals for part in parts)):
        ends: list[End | None] = [None] * count
        for part, final in zip(parts, choice, strict=True):
            for milestone, end in zip(part.group, final, strict=True):
                ends[milestone] = end
        found.add(tuple(end for end in ends if end is not None))
    return frozenset(found)


_State: TypeAlias = tuple[int, EscrowRecord]
_Key: TypeAlias = tuple[object, ...]


class _Part:
    """The exploration of milestones that depend on each other."""

    def __init__(self, terms: EscrowTerms, group: tuple[int, ...], *, whole: bool) -> None:
        self.group = group
        self.reached: set[_Key] = set()
        self.finals: set[Ends] = set()
        self.ends: dict[int, set[End]] = {milestone: set() for milestone in group}
        self.seen: dict[int, set[NodePath]] = {milestone: set() for milestone in group}
        self.without_exit = 0
        self.complete = True
        self._terms, self._whole = terms, whole
        self._conditions = conditions_of(terms)
        self._named = {m: named_milestones(self._conditions[m]) for m in group}
        self._worlds = {m: worlds_of(self._conditions[m]) for m in group}
        self._unseen = {m: dict(nodes_of(self._conditions[m])) for m in group}
        self._before: dict[_Key, list[_Key]] = {}
        self._final_keys: set[_Key] = set()
        self._exits: dict[tuple[object, ...], bool] = {}
        self._clocks: dict[tuple[object, ...], list[int]] = {}

    def explore(self) -> _Part:
        opened = self._terms.open_by - 1
        record = EscrowRecord(
            opened_at=opened, milestones=(MilestoneRecord(),) * len(self._conditions)
        )
        waiting: list[tuple[_State, _Key | None]] = [((opened, record), None)]
        while waiting:
            state, origin = waiting.pop()
            key = self._key(state)
            if origin is not None:
                self._before.setdefault(key, []).append(origin)
            if key in self.reached:
                continue
            if len(self.reached) >= MAX_STATES:
                self.complete = False
                break
            self.reached.add(key)
            following = list(self._following(state))
            if not following:
                self._note_end(state, key)
            waiting += [(after, key) for after in following]
        return self

    def stuck(self) -> int:
        """Count the states from which no end was reached."""
        if not self.complete:
            return 0
        alive, waiting = set(self._final_keys), list(self._final_keys)
        while waiting:
            for key in self._before.get(waiting.pop(), ()):
                if key not in alive:
                    alive.add(key)
                    waiting.append(key)
        return len(self.reached - alive)

    # -------------------------------------------------------------------------- states

    def _open(self, record: EscrowRecord) -> list[int]:
        return [m for m in self.group if record.milestones[m].outcome is Outcome.NONE]

    def _key(self, state: _State) -> _Key:
        """Give what can still matter: two states with the same key go the same ways."""
        now, record = state
        still = self._open(record)
        named = {one for m in still for one in self._named[m]}
        ended = tuple(
            (one.ended_by, one.outcome)
            if self._whole
            else (one.outcome if m in named else Outcome.NONE)
            for m, one in ((m, record.milestones[m]) for m in self.group)
        )
        clocks = tuple(
            (m, self._disputed(record, m, now), *self._instants(record, m)) for m in still
        )
        return (now if still else 0, ended, clocks)

    def _disputed(self, record: EscrowRecord, milestone: int, now: int) -> int:
        """Say whether it is undisputed, disputed at this very instant, or before."""
        at = record.milestones[milestone].disputed_at
        return 0 if at is None else 1 if at == now else 2

    def _instants(self, record: EscrowRecord, milestone: int) -> list[int]:
        """List when something changes for a milestone, as disputes moved it."""
        place = (record.disputed_at, milestone)
        if place in self._clocks:
            return self._clocks[place]
        condition = self._conditions[milestone]
        times = [self._terms.deadlines[milestone], *times_of(condition)]
        found = [moved_in(self._terms, record, milestone, at) for at in times]
        found += [
            leaf.at
            for leaf, _ in leaves_of(condition)
            if isinstance(leaf, Reading | Feed) and leaf.kind == BY_INSTANT
        ]
        self._clocks[place] = found
        return found

    def _note_end(self, state: _State, key: _Key) -> None:
        _, record = state
        self._final_keys.add(key)
        final = tuple(
            (one.ended_by, one.outcome)
            for one in (record.milestones[m] for m in self.group)
            if one.ended_by is not None
        )
        if self._whole:
            self.finals.add(final)

    # -------------------------------------------------------------------------- steps

    def _following(self, state: _State) -> Iterator[_State]:
        now, record = state
        still = self._open(record)
        if not still:
            return
        nows = {m: milestone_now(self._terms, record, m, now=now) for m in still}
        for milestone in still:
            yield from self._acts(state, milestone, nows[milestone])
        instants = {at for m in still for at in (*self._instants(record, m), nows[m].until)}
        instants |= {at + 1 for m in still if (at := record.milestones[m].disputed_at) is not None}
        later = min((at for at in instants if at > now), default=None)
        if later is not None:
            yield later, record
        self.without_exit += not all(self._has_exit(record, m, nows[m]) for m in still)

    def _has_exit(self, record: EscrowRecord, milestone: int, at: MilestoneNow) -> bool:
        """Whether a call of anybody ends the milestone from its deadline on, without evidence."""
        place = (record.disputed_at, milestone)
        if place not in self._exits:
            due = milestone_now(self._terms, record, milestone, now=at.deadline)
            self._exits[place] = bool(due.ways & (WAY_DEFAULT | WAY_SILENCE))
        return self._exits[place]

    def _acts(self, state: _State, milestone: int, at: MilestoneNow) -> Iterator[_State]:
        now, record = state
        lines = lines_of(self._terms, milestone)
        if at.ways & WAY_CONDITION and self._possible(state, milestone):
            paid = tuple(line.if_met for line in lines)
            yield self._ended(state, milestone, EndedBy.CONDITION, self._class(milestone, paid))
        if at.ways & WAY_DISPUTE:
            yield now, _with(record, milestone, disputed_at=now)
        rules = {WAY_PANEL: EndedBy.PANEL, WAY_FALLBACK: EndedBy.FALLBACK_ARBITER}
        for way, by in rules.items():
            if at.ways & way and record.milestones[milestone].disputed_at != now:
                for outcome in self._rulings(milestone):
                    yield self._ended(state, milestone, by, outcome)
        if at.ways & WAY_DEFAULT:
            paid = tuple(line.by_default for line in lines)
            yield self._ended(state, milestone, EndedBy.DEFAULT, self._class(milestone, paid))
        if at.ways & WAY_SILENCE:
            paid = tuple(line.if_unruled for line in lines)
            yield self._ended(state, milestone, EndedBy.SILENCE, self._class(milestone, paid))

    def _ended(self, state: _State, milestone: int, by: EndedBy, outcome: Outcome) -> _State:
        now, record = state
        self.ends[milestone].add((by, outcome))
        return now, _with(record, milestone, outcome=outcome, ended_by=by)

    def _class(self, milestone: int, paid: tuple[int, ...]) -> Outcome:
        return outcome_of(self._terms, milestone, paid)

    def _rulings(self, milestone: int) -> tuple[Outcome, ...]:
        """List what a ruling can come to; a single unit cannot be split."""
        lines = lines_of(self._terms, milestone)
        whole = (Outcome.RELEASED, Outcome.REFUNDED)
        indivisible = len(lines) == 1 and lines[0].quantity == 1
        return whole if indivisible else (*whole, Outcome.SPLIT)

    def _possible(self, state: _State, milestone: int) -> bool:
        """Whether the condition can be shown to hold now; notes each part that can."""
        now, record = state

        def moved(at: int) -> int:
            return moved_in(self._terms, record, milestone, at)

        def can(node: Condition) -> bool:
            return any(
                holds_in(node, world, now=now, moved=moved, outcomes=record.outcomes)
                for world in self._worlds[milestone]
            )

        unseen = self._unseen[milestone]
        for path in [path for path, node in unseen.items() if can(node)]:
            self.seen[milestone].add(path)
            del unseen[path]
        return can(self._conditions[milestone])


def _with(record: EscrowRecord, milestone: int, **fields: object) -> EscrowRecord:
    milestones = list(record.milestones)
    milestones[milestone] = replace(milestones[milestone], **fields)  # type: ignore[arg-type]
    return replace(record, milestones=tuple(milestones))
