"""What is known of each open escrow, and how the events of a call change it.

A record is all that the chain keeps of an escrow, with what the events tell besides: the chain
stores a hash where `paid` has the amounts. Events and the times of their blocks rebuild every
record (law L8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from settle.domain.chain_events import ChainEvent, InstructionRecorded
from settle.domain.escrow.events import (
    DisputeOpened,
    EndedBy,
    EscrowConsentWithdrawn,
    EscrowEvent,
    EscrowOpened,
    MilestoneEnded,
    Outcome,
    PaymentsGivenUp,
    PaymentsMade,
)
from settle.domain.escrow.terms import EscrowId
from settle.domain.ids import InstructionId
from settle.domain.twin_state import ChainState, Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneRecord:
    """One milestone; instants in unix seconds, `paid` has an amount for each of its lines."""

    outcome: Outcome = Outcome.NONE
    ended_by: EndedBy | None = None
    paid: tuple[int, ...] = ()
    waits: bool = False
    ended_at: int | None = None
    disputed_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowRecord:
    """An escrow that was opened, at `opened_at` (unix seconds), and its milestones."""

    opened_at: int
    milestones: tuple[MilestoneRecord, ...]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcome of each milestone, NONE where it has not ended."""
        return tuple(one.outcome for one in self.milestones)

    @property
    def disputed_at(self) -> tuple[int | None, ...]:
        """When each milestone was disputed, None where it was not."""
        return tuple(one.disputed_at for one in self.milestones)

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is left to happen: all ended, and no payment waits."""
        return all(one.outcome is not Outcome.NONE and not one.waits for one in self.milestones)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowState:
    """The books and the escrows on them. Treat the mappings as frozen: calls copy them.

    `withdrawn` has the terms that a signer took its signature back from: they never open.
    `recorded` has the instructions whose settlement is remembered by id (OPTION_RECORD).
    """

    chain: ChainState
    records: Mapping[EscrowId, EscrowRecord] = field(default_factory=dict)
    withdrawn: frozenset[EscrowId] = frozenset()
    recorded: frozenset[InstructionId] = frozenset()


EscrowStep: TypeAlias = tuple[EscrowState, tuple[ChainEvent, ...]]
"""What a call that was not refused gives: the state after it and what it said."""


def advance_record(record: EscrowRecord | None, event: EscrowEvent, *, now: int) -> EscrowRecord:
    """Give the record of an escrow after an event in a block of this time (unix seconds).

    Raises: ValueError for an event of an escrow that was not opened.
    """
    if isinstance(event, EscrowOpened):
        return EscrowRecord(opened_at=now, milestones=(MilestoneRecord(),) * event.milestones)
    if record is None:
        raise ValueError("an event of an escrow that was never opened")
    match event:
        case MilestoneEnded():
            return _changed(
                record,
                event.milestone,
                outcome=event.outcome,
                ended_by=event.by,
                paid=event.paid,
                waits=event.waits,
                ended_at=now,
            )
        case PaymentsMade() | PaymentsGivenUp():
            return _changed(record, event.milestone, waits=False)
        case DisputeOpened():
            return _changed(record, event.milestone, disputed_at=now)
        case _:
            return record


def _changed(record: EscrowRecord, milestone: int, **fields: object) -> EscrowRecord:
    milestones = list(record.milestones)
    milestones[milestone] = replace(milestones[milestone], **fields)  # type: ignore[arg-type]
    return replace(record, milestones=tuple(milestones))


def advance_escrows(
    state: EscrowState, events: Sequence[ChainEvent], *, now: int, chain: ChainState | None = None
) -> EscrowState:
    """Give the state after what one call said; `chain` are the books after it, if they moved."""
    records, withdrawn = dict(state.records), set(state.withdrawn)
    recorded = set(state.recorded)
    for event in events:
        if isinstance(event, EscrowConsentWithdrawn):
            withdrawn.add(event.id)
        elif isinstance(event, InstructionRecorded):
            recorded.add(event.instruction)
        elif isinstance(event, EscrowEvent):
            records[event.id] = advance_record(records.get(event.id), event, now=now)
    return replace(
        state,
        chain=chain or state.chain,
        records=records,
        withdrawn=frozenset(withdrawn),
        recorded=frozenset(recorded),
    )


def close(state: EscrowState, draft: Draft, *, now: int) -> EscrowStep:
    """End a call: the books as the draft has them, and the records as its events say."""
    chain, said = draft.close()
    return advance_escrows(state, said, now=now, chain=chain), said
