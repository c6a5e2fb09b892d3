"""Where a milestone stands in time: its deadline as disputes moved it, and who may rule when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from settle.domain.escrow.conditions import (
    Condition,
    Never,
    hash_locked,
    moved,
    times_of,
    with_dependants,
)
from settle.domain.escrow.ends import stopped_in
from settle.domain.escrow.events import MilestoneState, Outcome
from settle.domain.escrow.program import read_program
from settle.domain.escrow.state import EscrowRecord, MilestoneRecord
from settle.domain.escrow.terms import MAX_WAIT, EscrowTerms, lines_of
from settle.domain.ids import ZERO_ADDRESS, Address
from settle.domain.twin_state import ChainState

WAY_AGREEMENT = 1 << 0
WAY_CONDITION = 1 << 1
WAY_PANEL = 1 << 2
WAY_FALLBACK = 1 << 3
WAY_DEFAULT = 1 << 4
WAY_SILENCE = 1 << 5
WAY_DISPUTE = 1 << 6
WAY_PAY_OUT = 1 << 7
WAY_GIVE_UP = 1 << 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneNow:
    """A milestone at an instant, as `whatNow` tells it.

    `ways` has a bit for each end that is possible now (WAY_...). `until` is the unix second at
    which this state ends by itself, 0 where it does not; `deadline` is as disputes moved it.
    """

    state: MilestoneState
    outcome: Outcome
    until: int
    deadline: int
    ways: int


_Key: TypeAlias = tuple[bytes, tuple[int, ...], int]
"""What the conditions of terms are read from. Acts ask the same of the same terms many times."""


@lru_cache(maxsize=4096)
def _read(program: bytes, deadlines: tuple[int, ...], open_by: int) -> tuple[Condition, ...]:
    return read_program(program, deadlines, open_by=open_by)


def conditions_of(terms: EscrowTerms) -> tuple[Condition, ...]:
    """Give the conditions of the milestones. Raises: Reverted if the program is none."""
    return _read(*_key(terms))


def _key(terms: EscrowTerms) -> _Key:
    return terms.program, terms.deadlines, terms.open_by


@lru_cache(maxsize=65_536)
def _moved(
    conditions: _Key, disputed_at: tuple[int | None, ...], by: int, milestone: int, at: int
) -> int:
    return moved(_read(*conditions), disputed_at, by, milestone=milestone, at=at)


@lru_cache(maxsize=4096)
def _locked(conditions: _Key) -> frozenset[int]:
    return hash_locked(_read(*conditions))


def moved_in(terms: EscrowTerms, record: EscrowRecord, milestone: int, at: int) -> int:
    """Give where disputes moved an instant of a milestone to, in unix seconds."""
    return _moved(_key(terms), record.disputed_at, terms.dispute_time, milestone, at)


def deadline_of(terms: EscrowTerms, record: EscrowRecord, milestone: int) -> int:
    """Give a milestone's deadline as disputes moved it, in unix seconds."""
    return moved_in(terms, record, milestone, terms.deadlines[milestone])


def panel_until(terms: EscrowTerms, record: EscrowRecord, milestone: int) -> int:
    """Give the instant at which the panel of a disputed milestone gives way (unix seconds).

    That is its deadline; with a fallback, as long before the first thing that would end the
    milestone by itself as the fallback has time. Raises: ValueError without a dispute.
    """
    deadline = deadline_of(terms, record, milestone)
    disputed_at = record.milestones[milestone].disputed_at
    if disputed_at is None:
        raise ValueError("the milestone is not disputed")
    if terms.fallback_arbiter == ZERO_ADDRESS:
        return deadline
    times = [
        moved_in(terms, record, milestone, at) for at in times_of(conditions_of(terms)[milestone])
    ]
    return min([deadline, *(at for at in times if at > disputed_at)]) - terms.fallback_time


def agreeing_of(terms: EscrowTerms, milestone: int) -> tuple[Address, ...]:
    """List who must agree a split: the parties of the milestone and of all that depend on it.

    In order of first appearance in the lines: whoever's money hangs on the outcome has a say.
    """
    concerned = with_dependants(conditions_of(terms), milestone)
    return tuple(
        dict.fromkeys(
            account
            for line in terms.lines
            if line.milestone in concerned
            for account in (line.depositor, line.beneficiary)
        )
    )


def may_be_disputed(terms: EscrowTerms, milestone: int) -> bool:
    """Whether the terms allow a dispute: there is a panel, and no hash lock is involved."""
    return bool(terms.arbiters) and milestone not in _locked(_key(terms))


def what_now(
    terms: EscrowTerms, record: EscrowRecord | None, *, now: int, chain: ChainState | None = None
) -> tuple[MilestoneNow, ...]:
    """Tell of each milestone what the clock and the terms allow now (law L6).

    Whether a signature or a piece of evidence is good, the call itself says. Without the books of
    the `chain`, payments that wait are told by the clock alone: the contract keeps only a hash of
    them, so that is what it tells as well.
    """
    if record is None:
        return tuple(
            MilestoneNow(
                state=MilestoneState.UNOPENED,
                outcome=Outcome.NONE,
                until=terms.open_by,
                deadline=deadline,
                ways=0,
            )
            for deadline in terms.deadlines
        )
    return tuple(
        milestone_now(terms, record, k, now=now, chain=chain) for k in range(len(terms.deadlines))
    )


def milestone_now(
    terms: EscrowTerms,
    record: EscrowRecord,
    milestone: int,
    *,
    now: int,
    chain: ChainState | None = None,
) -> MilestoneNow:
    """Tell of one milestone of an open escrow what `what_now` tells of all."""
    own = record.milestones[milestone]
    deadline = deadline_of(terms, record, milestone)
    if own.waits:
        state, until, ways = _waiting(terms, own, milestone, now, chain)
    elif own.outcome is not Outcome.NONE:
        state, until, ways = MilestoneState.ENDED, 0, 0
    elif now >= deadline:
        last = WAY_DEFAULT if own.disputed_at is None else WAY_SILENCE
        state, until, ways = MilestoneState.DUE, 0, WAY_AGREEMENT | last
    else:
        state, until, ways = _running(terms, record, milestone, now, deadline)
    return MilestoneNow(state=state, outcome=own.outcome, until=until, deadline=deadline, ways=ways)


_Now: TypeAlias = tuple[MilestoneState, int, int]


def _running(
    terms: EscrowTerms, record: EscrowRecord, milestone: int, now: int, deadline: int
) -> _Now:
    """Tell of a milestone before its deadline: its state, until when, and the ways."""
    disputed_at = record.milestones[milestone].disputed_at
    ways = WAY_AGREEMENT
    if not isinstance(conditions_of(terms)[milestone], Never):
        ways |= WAY_CONDITION
    if disputed_at is None:
        ways |= WAY_DISPUTE if may_be_disputed(terms, milestone) else 0
        return MilestoneState.OPEN, deadline, ways
    last_of_panel = panel_until(terms, record, milestone)
    if now >= last_of_panel:
        return MilestoneState.BEFORE_FALLBACK, deadline, ways | WAY_FALLBACK
    ways |= WAY_PANEL if now > disputed_at else 0
    return MilestoneState.BEFORE_PANEL, last_of_panel, ways


def _waiting(
    terms: EscrowTerms, own: MilestoneRecord, milestone: int, now: int, chain: ChainState | None
) -> _Now:
    """Tell of payments that wait: they can be made, or given up, as the freezes stand."""
    give_up_from = (own.ended_at or 0) + MAX_WAIT
    until = give_up_from if now < give_up_from else 0
    if chain is None:
        ways = WAY_PAY_OUT if until else WAY_PAY_OUT | WAY_GIVE_UP
        return MilestoneState.WAITING, until, ways
    lines = zip(lines_of(terms, milestone), own.paid, strict=True)
    givers = {line.depositor for line, amount in lines if amount}
    stopped = stopped_in(chain, terms, milestone, own.paid)
    if not stopped:
        return MilestoneState.WAITING, until, WAY_PAY_OUT
    can_give_up = not until and bool(givers - stopped)
    return MilestoneState.WAITING, until, WAY_GIVE_UP if can_give_up else 0
