"""An escrow as the venue keeps it, and the signed messages about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settle.domain.escrow.terms import EscrowId, EscrowTerms
    from settle.domain.ids import Address, Lei


class EscrowStatus(StrEnum):
    """Where an escrow stands. By final blocks alone from `Open` on."""

    PROPOSED = "Proposed"
    """Signatures are missing."""
    SIGNED = "Signed"
    """All have signed; it is being opened."""
    OPEN = "Open"
    ENDED = "Ended"
    """Every milestone has its outcome, and nothing waits."""
    WITHDRAWN = "Withdrawn"
    """A signer took its signature back before the opening: it never opens."""
    LAPSED = "Lapsed"
    """It was not opened in time."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing happens to it any more."""
        return self in {EscrowStatus.ENDED, EscrowStatus.WITHDRAWN, EscrowStatus.LAPSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowRow:
    """An escrow. `reason`: why nothing happens now. `transaction_id`: the act on its way."""

    escrow: EscrowId
    terms: EscrowTerms
    text: str
    status: EscrowStatus
    proposed_by: Lei
    reason: str
    wake_at: int | None
    transaction_id: int | None
    version: int
    created_at: int
    updated_at: int


class MessageKind(StrEnum):
    """What a signed message is for."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    EVIDENCE = "evidence"
    AGREEMENT = "agreement"
    DISPUTE = "dispute"
    RULING = "ruling"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message that was checked. Of one author, kind, milestone and place the last one counts.

    `place`: which leaf a piece of evidence is for, which arbiter rules; else 0. `content` has
    bytes as hex and numbers as text.
    """

    escrow: EscrowId
    milestone: int
    kind: MessageKind
    author: Address
    place: int
    content: Mapping[str, object] = field(default_factory=dict)
    created_at: int
