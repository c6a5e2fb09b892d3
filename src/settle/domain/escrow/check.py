"""Whether terms do what their writer can want: `settle escrow check`.

The contract refuses terms that are malformed. This refuses, besides, terms of the right form that
hold a branch nobody can reach, an end nobody can trigger, or a hash lock without a safe margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from settle.domain.chain_errors import Reverted, describe
from settle.domain.escrow.clock import may_be_disputed
from settle.domain.escrow.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Feed,
    Never,
    Reading,
    Signed,
    leaves_of,
    times_of,
)
from settle.domain.escrow.events import EndedBy
from settle.domain.escrow.explore import Exploration, explore
from settle.domain.escrow.findings import REFUSED, WARNING, Finding
from settle.domain.escrow.margins import check_margins
from settle.domain.escrow.named_instructions import NamedInstruction, check_instructions
from settle.domain.escrow.possible import nodes_of
from settle.domain.escrow.reading_locks import HashLock
from settle.domain.escrow.terms import EscrowTerms, lines_of, shared_milestones
from settle.domain.escrow.well_formed import check_terms
from settle.domain.escrow.wording_words import mark
from settle.domain.instruction import SigningDomain


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found. `exploration` is None for terms that are malformed."""

    findings: tuple[Finding, ...]
    exploration: Exploration | None

    @property
    def is_refused(self) -> bool:
        """Whether one of the findings is a refusal."""
        return any(one.severity == REFUSED for one in self.findings)


def check(
    terms: EscrowTerms,
    locks: Sequence[HashLock] = (),
    instructions: Sequence[NamedInstruction] = (),
    domain: SigningDomain | None = None,
) -> Report:
    """Check the form, explore every end, and judge what can and cannot be reached.

    `instructions` are those that conditions name, `domain` is of the contract that has them.
    """
    try:
        # Opened at the last instant: the one at which deadlines lie nearest to the opening.
        conditions = check_terms(terms, now=max(0, terms.open_by - 1))
    except Reverted as refused:
        finding = Finding(REFUSED, "malformed", None, describe(refused.error))
        return Report(findings=(finding,), exploration=None)
    found = explore(terms)
    if not found.complete:  # too many combinations to list: the ends of each milestone then
        found = explore(terms, apart=False)
    findings = (
        *_check_ends(found),
        *_check_reach(conditions, found),
        *_check_times(terms, conditions),
        *_check_panel(terms, found),
        *_check_repetition(conditions),
        *check_margins(terms, conditions, locks),
        *check_instructions(terms, conditions, instructions, domain),
        *_advise(terms, conditions),
    )
    return Report(findings=findings, exploration=found)


def _check_ends(found: Exploration) -> Iterator[Finding]:
    if found.stuck or found.without_exit:
        count = found.stuck + found.without_exit
        yield Finding(REFUSED, "no_end", None, f"{count} states from which nobody can end it")
    if not found.complete:
        text = f"too many states: only {found.states} were looked at"
        yield Finding(REFUSED, "not_explored", None, text)


def _check_reach(conditions: Sequence[Condition], found: Exploration) -> Iterator[Finding]:
    """Refuse each outermost part of a condition that can hold in no reachable state."""
    for milestone, condition in enumerate(conditions):
        if isinstance(condition, Never):
            continue
        unreachable = [p for p, _ in nodes_of(condition) if p not in found.seen[milestone]]
        for path in unreachable:
            if path[:-1] in unreachable and path:
                continue
            text = f"{_place(path)} can hold in no reachable state before the deadline"
            yield Finding(REFUSED, "unreachable", milestone, text)


def _place(path: tuple[int, ...]) -> str:
    """Name a part of a condition as the printed text numbers it."""
    if not path:
        return "the condition"
    marks = "".join(mark(depth, index) for depth, index in enumerate(path, start=1))
    return f"part {marks} of the condition"


def _check_times(terms: EscrowTerms, conditions: Sequence[Condition]) -> Iterator[Finding]:
    for milestone, condition in enumerate(conditions):
        if any(at <= terms.open_by for at in times_of(condition)):
            text = "a time that is reached before the opening is no condition"
            yield Finding(REFUSED, "time_before_opening", milestone, text)


def _check_panel(terms: EscrowTerms, found: Exploration) -> Iterator[Finding]:
    if not terms.arbiters:
        return
    barred = [m for m in range(len(terms.deadlines)) if not may_be_disputed(terms, m)]
    if len(barred) == len(terms.deadlines):
        text = "a panel that can never be asked: every milestone has a hash lock in its way"
        yield Finding(REFUSED, "panel_never_asked", None, text)
        return
    for milestone in barred:
        text = "no dispute is possible here, for the sake of a hash lock: the panel has no say"
        yield Finding(WARNING, "no_dispute", milestone, text)
    for milestone, ends in enumerate(found.ends):
        unruled = any(by is EndedBy.SILENCE for by, _ in ends)
        lines = lines_of(terms, milestone)
        if unruled and any(line.if_unruled != line.by_default for line in lines):
            text = "who disputes it and meets silent arbiters changes what the default would pay"
            yield Finding(WARNING, "silence_differs", milestone, text)


def _check_repetition(conditions: Sequence[Condition]) -> Iterator[Finding]:
    for milestone, condition in enumerate(conditions):
        for path, node in nodes_of(condition):
            if isinstance(node, AllOf | AnyOf | AtLeast) and len(set(node.of)) < len(node.of):
                text = f"{_place(path)} counts the same thing twice"
                yield Finding(REFUSED, "counted_twice", milestone, text)


def _advise(terms: EscrowTerms, conditions: Sequence[Condition]) -> Iterator[Finding]:
    """Say what is allowed and still worth a look."""
    for milestone, condition in enumerate(conditions):
        leaves = [leaf for leaf, _ in leaves_of(condition)]
        brought = any(isinstance(leaf, Signed | Reading | Feed) for leaf in leaves)
        if milestone in shared_milestones(terms) and brought:
            text = (
                "several deposit here, and evidence decides: behind a long freeze of one, another "
                "can take back what was decided; put the counter-payment into its own milestone"
            )
            yield Finding(WARNING, "given_up", milestone, text)
        sole = [leaf.signer for leaf in leaves if isinstance(leaf, Signed)]
        if set(sole) & {*terms.arbiters, terms.fallback_arbiter}:
            text = "an arbiter is a witness here as well: it may decide what it states"
            yield Finding(WARNING, "arbiter_is_witness", milestone, text)
