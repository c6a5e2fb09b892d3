"""Where a trade stands, and which changes may move it on: one table, one pure function.

Time arrives inside the change. What people ask for is refused once the trade has moved on; what the
chain did is a fact and is taken, or else a belief of ours is false and we stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from settle.domain.errors import Broken, Conflict
from settle.domain.reasons import Reason


class Status(StrEnum):
    """The statuses of a trade: one vocabulary in Python, the API, messages and pages."""

    UNMATCHED = "Unmatched"
    MATCHED = "Matched"
    AFFIRMED = "Affirmed"
    PENDING = "Pending"
    PARTIALLY_SETTLED = "PartiallySettled"
    SETTLED = "Settled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    LAPSED = "Lapsed"

    @property
    def is_terminal(self) -> bool:
        """Whether the trade has ended."""
        return self in TERMINAL


TERMINAL: Final = frozenset({Status.SETTLED, Status.CANCELLED, Status.REJECTED, Status.LAPSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeState:
    """Status and why. `block` is the final block that ended it, None unless the chain did."""

    status: Status = Status.UNMATCHED
    reasons: tuple[Reason, ...] = ()
    block: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happened to a trade at `at` (unix seconds)."""

    at: int
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFact(Change):
    """A final block says so."""

    block: int


class SideDiffers(Change):
    """A waiting side nearly fits; the reasons name the fields."""


class SideRejected(Change):
    """The side can never match, and the reasons say why."""


class SideCancelled(Change):
    """The submitter takes its side back before it matched."""


class SidesMatched(Change):
    """The other party states the same: there is one set of terms."""


class ConsentsComplete(Change):
    """The signatures of all accounts are there."""


class Obstructed(Change):
    """It cannot settle now, for these reasons."""


class Cleared(Change):
    """Nothing is known that stands in its way."""


class PartSettledOnChain(ChainFact):
    """A part settled, a remainder waits."""


class SettledOnChain(ChainFact):
    """All of it settled."""


class CancelledOnChain(ChainFact):
    """Its nonce is cancelled: it can settle no more."""


class ConsentWithdrawnOnChain(ChainFact):
    """An account took its consent back (reason XWDR): it can settle no more."""


class WindowEnded(ChainFact):
    """A final block's time has reached settle_by: no later block can settle it (law L7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """What the parties are told: the new status with its reasons, or new reasons alone."""

    before: Status
    after: Status
    reasons: tuple[Reason, ...]
    at: int


_OPEN: Final = tuple(status for status in Status if status not in TERMINAL)
_CONSENTED: Final = (Status.AFFIRMED, Status.PENDING)


def _from(*before: Status, to: Status) -> dict[Status, Status]:
    return dict.fromkeys(before, to)


TABLE: Final[Mapping[type[Change], Mapping[Status, Status]]] = {
    SideDiffers: _from(Status.UNMATCHED, to=Status.UNMATCHED),
    SideRejected: _from(Status.UNMATCHED, to=Status.REJECTED),
    SideCancelled: _from(Status.UNMATCHED, to=Status.CANCELLED),
    SidesMatched: _from(Status.UNMATCHED, to=Status.MATCHED),
    ConsentsComplete: _from(Status.MATCHED, to=Status.AFFIRMED),
    Obstructed: _from(*_CONSENTED, to=Status.PENDING)
    | _from(Status.PARTIALLY_SETTLED, to=Status.PARTIALLY_SETTLED),
    Cleared: _from(*_CONSENTED, to=Status.AFFIRMED)
    | _from(Status.PARTIALLY_SETTLED, to=Status.PARTIALLY_SETTLED),
    # Whoever holds the signatures settles, also what we never saw matched or signed.
    PartSettledOnChain: _from(*_OPEN, to=Status.PARTIALLY_SETTLED),
    SettledOnChain: _from(*_OPEN, to=Status.SETTLED),
    CancelledOnChain: _from(*_OPEN, to=Status.CANCELLED),
    ConsentWithdrawnOnChain: _from(*_OPEN, to=Status.CANCELLED),
    WindowEnded: _from(*_OPEN, to=Status.LAPSED),
}
"""From which status a change leads where; what is not listed is forbidden."""


def transition(state: TradeState, change: Change) -> tuple[TradeState, tuple[StatusChanged, ...]]:
    """Move a trade on; no event where there is nothing new to tell.

    Raises: Conflict where what was asked for does not fit the status any more; Broken where a fact
    of the chain contradicts an earlier one.
    """
    after = TABLE[type(change)].get(state.status)
    if after is not None:
        return _moved(state, change, after)
    if isinstance(change, ChainFact):
        return _fact_after_the_end(state, change)
    raise Conflict("status", f"a trade that is {state.status} cannot take {type(change).__name__}")


def _fact_after_the_end(
    state: TradeState, fact: ChainFact
) -> tuple[TradeState, tuple[StatusChanged, ...]]:
    if isinstance(fact, WindowEnded | ConsentWithdrawnOnChain):
        return state, ()
    if isinstance(fact, CancelledOnChain) and state.status is not Status.SETTLED:
        return state, ()
    if isinstance(fact, SettledOnChain) and (state.status, state.block) == (
        Status.SETTLED,
        fact.block,
    ):
        return state, ()
    if state.block is None and isinstance(fact, SettledOnChain | PartSettledOnChain):
        # Ended here before it matched, and its parties signed it all the same: value moved.
        return _moved(state, fact, TABLE[type(fact)][Status.AFFIRMED])
    message = (
        f"{type(fact).__name__} in block {fact.block} for a trade that is {state.status}"
        f" since block {state.block}"
    )
    raise Broken(message, code="chain_contradicts_itself")


def _moved(
    state: TradeState, change: Change, after: Status
) -> tuple[TradeState, tuple[StatusChanged, ...]]:
    ended_in = change.block if isinstance(change, ChainFact) and after.is_terminal else None
    moved = TradeState(status=after, reasons=change.reasons, block=ended_in)
    if (moved.status, moved.reasons) == (state.status, state.reasons):
        return moved, ()
    told = StatusChanged(before=state.status, after=after, reasons=change.reasons, at=change.at)
    return moved, (told,)
