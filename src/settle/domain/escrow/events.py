"""What the contract says of escrows: one frozen record per event of IEscrow.sol."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from settle.domain.escrow.terms import EscrowId
from settle.domain.ids import Address, AssetId
from settle.domain.ledger import Holding


class Outcome(IntEnum):
    """How much went to the beneficiaries: all that was held, nothing, or something between."""

    NONE = 0
    RELEASED = 1
    REFUNDED = 2
    SPLIT = 3


class EndedBy(IntEnum):
    """What ended a milestone."""

    AGREEMENT = 0
    CONDITION = 1
    PANEL = 2
    FALLBACK_ARBITER = 3
    DEFAULT = 4
    SILENCE = 5


class MilestoneState(IntEnum):
    """Where a milestone stands at an instant."""

    UNOPENED = 0
    OPEN = 1
    BEFORE_PANEL = 2
    BEFORE_FALLBACK = 3
    DUE = 4
    WAITING = 5
    ENDED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowOpened:
    """Opened and funded at the block's time; LineHeld follows for each line."""

    id: EscrowId
    milestones: int
    lines: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LineHeld:
    """A line's quantity became held with its depositor, title unmoved."""

    id: EscrowId
    line: int
    depositor: Address
    asset: AssetId
    quantity: int
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReturned:
    """What is not paid became available to its owner again."""

    id: EscrowId
    line: int
    depositor: Address
    asset: AssetId
    quantity: int
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePaid:
    """Held value became the beneficiary's."""

    id: EscrowId
    line: int
    asset: AssetId
    depositor: Address
    beneficiary: Address
    quantity: int
    depositor_holding: Holding
    beneficiary_holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneEnded:
    """The outcome is fixed: `paid` for each line of the milestone. `waits`: behind a freeze."""

    id: EscrowId
    milestone: int
    by: EndedBy
    outcome: Outcome
    waits: bool
    paid: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsMade:
    """The payments that waited behind a freeze follow."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsGivenUp:
    """Payments that waited too long behind another's freeze go back; LineReturned follows."""

    id: EscrowId
    milestone: int
    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened:
    """A party asked the panel; `evidence` is the hash of the file that it keeps."""

    id: EscrowId
    milestone: int
    account: Address
    evidence: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """One arbiter's reason, beside MilestoneEnded."""

    id: EscrowId
    milestone: int
    arbiter: Address
    reason: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowConsentWithdrawn:
    """A signer took its signature under terms that are not open back, for good."""

    id: EscrowId
    account: Address


EscrowEvent: TypeAlias = (
    EscrowOpened
    | LineHeld
    | LineReturned
    | LinePaid
    | MilestoneEnded
    | PaymentsMade
    | PaymentsGivenUp
    | DisputeOpened
    | Ruled
    | EscrowConsentWithdrawn
)
