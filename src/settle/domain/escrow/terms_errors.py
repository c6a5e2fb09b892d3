"""Why terms cannot be opened: one frozen record per custom error of IEscrow.sol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from settle.domain.ids import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyForTheBooks:
    """Escrow is code of Settlement and is not called by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyLines:
    """An escrow has 1 to `max` lines."""

    lines: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyMilestones:
    """An escrow has 1 to `max` milestones."""

    milestones: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyArbiters:
    """A panel has at most `max` arbiters."""

    arbiters: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramTooLong:
    """The conditions of all milestones fit `max` bytes."""

    length: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInvalid:
    """A line stands in the order of its milestone, between two accounts, over a quantity."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaysMoreThanHeld:
    """No end of a milestone pays more of a line than the line holds."""

    line: int
    paid: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneWithoutLines:
    """Every milestone pays something."""

    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinesInvalid:
    """A deadline of a milestone lies on the wrong side of `limit` (unix seconds)."""

    milestone: int
    deadline: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionMalformed:
    """The node at `offset` of the program is none of the language."""

    milestone: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionTooLarge:
    """A condition has at most `max` nodes."""

    milestone: int
    nodes: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionTooDeep:
    """A condition is at most `max` deep."""

    milestone: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramNotUsedUp:
    """Bytes are left behind the last milestone's condition."""

    used: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelInvalid:
    """Quorum, times and members of the panel do not go together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralIsParty:
    """Who rules or reports a value is no depositor and no beneficiary."""

    neutral: Address


TermsError: TypeAlias = (
    OnlyForTheBooks
    | TooManyLines
    | TooManyMilestones
    | TooManyArbiters
    | ProgramTooLong
    | LineInvalid
    | PaysMoreThanHeld
    | MilestoneWithoutLines
    | DeadlinesInvalid
    | ConditionMalformed
    | ConditionTooLarge
    | ConditionTooDeep
    | ProgramNotUsedUp
    | PanelInvalid
    | NeutralIsParty
)
