"""What Participants and the approvers say: who is admitted, and which two people allowed a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from settle.domain.ids import Address
from settle.domain.ledger import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantAdmitted:
    """A legal entity was admitted. `lei` has 20 characters, `bic` 8 or 11 and zeros behind."""

    lei: bytes
    bic: bytes
    class_: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantStandingSet:
    """A participant was suspended, or admitted again, for a reason of four letters."""

    lei: bytes
    standing: Standing
    reason: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened:
    """An account became the participant's, for ever."""

    lei: bytes
    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityUpdated:
    """The contract takes its roles from another access manager."""

    authority: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Two signers of two organisations made an approver call a contract."""

    operation: bytes
    target: Address
    selector: bytes
    reason: bytes
    evidence: bytes
    first: Address
    second: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A signer ended an operation that was signed and not done yet."""

    operation: bytes
    by: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRemoved:
    """A signer of an approver was removed by one of its own organisation."""

    signer: Address
    organisation: bytes
    by: Address


RegistryEvent: TypeAlias = ParticipantAdmitted | ParticipantStandingSet | AccountOpened
AuthorityEvent: TypeAlias = AuthorityUpdated | Approved | Revoked | SignerRemoved
