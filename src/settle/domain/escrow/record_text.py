"""What the chain keeps of an escrow, as the text in which a column keeps it."""

from __future__ import annotations

import json

from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.state import EscrowRecord, MilestoneRecord


def record_text(record: EscrowRecord) -> str:
    """Write a record. Amounts as text: they have up to 128 bits."""
    milestones = [
        [
            int(one.outcome),
            None if one.ended_by is None else int(one.ended_by),
            [str(amount) for amount in one.paid],
            one.waits,
            one.ended_at,
            one.disputed_at,
        ]
        for one in record.milestones
    ]
    return json.dumps([record.opened_at, milestones], separators=(",", ":"))


def record_of(text: str) -> EscrowRecord:
    """Read a record that `record_text` wrote."""
    opened_at, milestones = json.loads(text)
    return EscrowRecord(
        opened_at=opened_at,
        milestones=tuple(
            MilestoneRecord(
                outcome=Outcome(outcome),
                ended_by=None if by is None else EndedBy(by),
                paid=tuple(int(amount) for amount in paid),
                waits=waits,
                ended_at=ended_at,
                disputed_at=disputed_at,
            )
            for outcome, by, paid, waits, ended_at, disputed_at in milestones
        ),
    )
