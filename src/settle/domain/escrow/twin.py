"""The Python twin of the contract's escrow: the same calls, refusals, events and order.

Pure: a call takes a state and the time and gives the next state and the events, or raises Reverted
with the contract's own error. Arguments are those of IEscrow.sol; `caller` is who sends the call,
whose own signature may be empty; `facts` tells what only a call can find out.
"""

from __future__ import annotations

from settle.domain.escrow.clock import MilestoneNow
from settle.domain.escrow.clock import what_now as clock_now
from settle.domain.escrow.disputing import Ruling, end_by_ruling, open_dispute
from settle.domain.escrow.ending import (
    end_by_agreement,
    end_by_condition,
    end_by_default,
    give_up_payments,
    pay_out,
)
from settle.domain.escrow.evidence import Facts, FeedRound
from settle.domain.escrow.opening import open_escrow, withdraw_from_escrow
from settle.domain.escrow.state import EscrowRecord, EscrowState, EscrowStep, MilestoneRecord
from settle.domain.escrow.terms import EscrowTerms, escrow_id

__all__ = [
    "EscrowRecord",
    "EscrowState",
    "EscrowStep",
    "Facts",
    "FeedRound",
    "MilestoneNow",
    "MilestoneRecord",
    "Ruling",
    "end_by_agreement",
    "end_by_condition",
    "end_by_default",
    "end_by_ruling",
    "give_up_payments",
    "open_dispute",
    "open_escrow",
    "pay_out",
    "what_now",
    "withdraw_from_escrow",
]


def what_now(state: EscrowState, terms: EscrowTerms, *, now: int) -> tuple[MilestoneNow, ...]:
    """Tell of each milestone its state, what would end it now, and until when."""
    record = state.records.get(escrow_id(terms, state.chain.domain))
    return clock_now(terms, record, now=now, chain=state.chain)
