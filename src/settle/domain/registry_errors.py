"""Why Participants, an approver or the access manager reverts, and what the EVM itself says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from settle.domain.ids import Address
from settle.domain.ledger import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantUnknown:
    """Nobody was admitted under this LEI."""

    lei: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantExists:
    """A participant was admitted under this LEI before."""

    lei: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantInvalid:
    """A participant has an LEI and a BIC."""

    lei: bytes
    bic: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingUnchanged:
    """The participant stands so already, or would become unknown."""

    lei: bytes
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTaken:
    """The account belongs to a participant, for ever."""

    account: Address
    lei: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInvalid:
    """No account has this address."""

    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyAccounts:
    """A participant has at most `max` accounts."""

    accounts: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignersInvalid:
    """An approver is deployed with signers of at least two organisations, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignersNotOfTwoOrganisations:
    """The two who signed are not two signers of two organisations."""

    first: Address
    second: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDone:
    """An approved operation is performed once."""

    operation: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationExpired:
    """The signatures over an operation serve no more."""

    valid_by: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidityTooLong:
    """An operation is signed for at most 30 days."""

    valid_by: int
    latest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotASigner:
    """Only a signer of the approver may do this."""

    caller: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOfTheOrganisation:
    """A signer is removed by one of its own organisation."""

    signer: Address
    caller: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessManagedUnauthorized:
    """The caller has no role that may make this call."""

    caller: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessManagedRequiredDelay:
    """The caller's role acts after a delay: the call must be scheduled first."""

    caller: Address
    delay: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Panic:
    """The EVM code gave up: 0x01 an assertion, 0x11 an overflow, 0x32 an index out of range."""

    code: int


RegistryError: TypeAlias = (
    ParticipantUnknown
    | ParticipantExists
    | ParticipantInvalid
    | StandingUnchanged
    | AccountTaken
    | AccountInvalid
    | TooManyAccounts
    | SignersInvalid
    | SignersNotOfTwoOrganisations
    | OperationDone
    | OperationExpired
    | ValidityTooLong
    | NotASigner
    | NotOfTheOrganisation
    | AccessManagedUnauthorized
    | AccessManagedRequiredDelay
    | Panic
)
