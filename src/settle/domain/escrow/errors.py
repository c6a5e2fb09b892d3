"""Why the contract refuses an act on an escrow: one frozen record per custom error of IEscrow.sol.

Those of the terms themselves are in terms_errors.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from settle.domain.escrow.terms import EscrowId
from settle.domain.escrow.terms_errors import TermsError
from settle.domain.ids import Address, InstructionId


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowAlreadyOpened:
    """Terms are opened once."""

    id: EscrowId


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowUnknown:
    """No escrow of exactly these terms is open."""

    id: EscrowId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturesMissing:
    """Everybody who is named signs, or agrees."""

    given: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWasWithdrawn:
    """A signer took its signature back, for good: these terms open no more."""

    id: EscrowId


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneUnknown:
    """The terms have no milestone of this number."""

    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneHasEnded:
    """A milestone ends once."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCount:
    """There is an entry of evidence for each leaf that takes some."""

    given: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceInvalid:
    """A piece of evidence has a wrong form, or a signature that does not bind."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreimageLength:
    """A secret has 32 bytes."""

    index: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreimageWrong:
    """The secret's SHA-256 is not that of the terms."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFromTheFuture:
    """Something was observed later than now."""

    index: int
    observed_at: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceStale:
    """Something was observed before the escrow was opened."""

    index: int
    observed_at: int
    earliest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOfAnotherRound:
    """The terms fix which reading counts, and this is another."""

    index: int
    given: int
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSilent:
    """The contract gives no value for that round."""

    index: int
    feed: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionNotTheOne:
    """The instruction shown has another id."""

    index: int
    id: InstructionId
    wanted: InstructionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionNotMet:
    """What was shown does not make the condition hold."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidListInvalid:
    """There is one amount for each line of the milestone."""

    given: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDoesNotSum:
    """What is paid and what returns are together what is held."""

    line: int
    paid: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAParty:
    """The account is no depositor or beneficiary of the milestone."""

    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeNotAllowed:
    """There is no panel, or a hash lock must be able to rely on the clock."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputedBefore:
    """A milestone is disputed once."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDisputed:
    """Without a dispute nobody rules."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingTooEarly:
    """The fallback rules when the panel's time is over."""

    from_: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumMissing:
    """A ruling of the panel has at least `quorum` signatures."""

    rulings: int
    quorum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterUnknown:
    """The panel has no arbiter of this index."""

    arbiter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterTwice:
    """Rulings stand in ascending order of arbiters, each once."""

    arbiter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TooEarlyForDefault:
    """The default comes from the deadline on."""

    deadline: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingWaits:
    """The milestone has no payments that wait, or not these."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsFrozen:
    """A freeze still stands in the way of a payment."""

    id: EscrowId
    milestone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TooEarlyToGiveUp:
    """Payments that wait are given up from an instant on, not before."""

    from_: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsNotFrozen:
    """Nothing stands in the way of the payments: they can be made."""

    id: EscrowId
    milestone: int


EscrowError: TypeAlias = (
    TermsError
    | EscrowAlreadyOpened
    | EscrowUnknown
    | SignaturesMissing
    | ConsentWasWithdrawn
    | MilestoneUnknown
    | MilestoneHasEnded
    | EvidenceCount
    | EvidenceInvalid
    | PreimageLength
    | PreimageWrong
    | EvidenceFromTheFuture
    | EvidenceStale
    | ReadingOfAnotherRound
    | FeedSilent
    | InstructionNotTheOne
    | ConditionNotMet
    | PaidListInvalid
    | SplitDoesNotSum
    | NotAParty
    | DisputeNotAllowed
    | DisputedBefore
    | NotDisputed
    | RulingTooEarly
    | QuorumMissing
    | ArbiterUnknown
    | ArbiterTwice
    | TooEarlyForDefault
    | NothingWaits
    | PaymentsFrozen
    | TooEarlyToGiveUp
    | PaymentsNotFrozen
)
