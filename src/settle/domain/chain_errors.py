"""Why the contracts revert: one frozen record per custom error, and Reverted.

The classes carry the names of the errors (`Refused` of the contract is `InstructionRefused` here)
and their arguments as the events do theirs. `Reverted` is raised with one of them: by the twin, and
by whoever reads the revert data of a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, TypeAlias, get_args

from settle.domain.errors import Refused
from settle.domain.escrow.errors import EscrowError
from settle.domain.ids import Address, InstructionId, to_hex
from settle.domain.ledger_errors import LedgerError
from settle.domain.reasons import Reason
from settle.domain.registry_errors import RegistryError


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionRefused:
    """The contract's `Refused`: the first reason, in the order of `whyNot`."""

    id: InstructionId
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEmpty:
    """A batch holds at least one instruction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTooLarge:
    """A batch holds at most `max` legs; an instruction without legs counts as one."""

    legs: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEnoughGas:
    """Too little gas is left to ask a wallet whether it signed."""

    left: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCanonical:
    """A word of the terms has bits outside its type: two encodings must not give two ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyForSettlement:
    """Affirmation is code of Settlement and is not called by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffirmationHasNoCode:
    """Settlement is deployed after the other half of its code."""

    affirmation: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowHasNoCode:
    """Settlement is deployed after the part of its code that is for escrows."""

    escrow: Address


SettlementError: TypeAlias = (
    InstructionRefused
    | BatchEmpty
    | BatchTooLarge
    | NotEnoughGas
    | NotCanonical
    | OnlyForSettlement
    | AffirmationHasNoCode
    | EscrowHasNoCode
)
ChainError: TypeAlias = SettlementError | LedgerError | RegistryError | EscrowError

ERROR_TYPES: Final[Mapping[str, type[ChainError]]] = {
    "Refused" if kind is InstructionRefused else kind.__name__: kind
    for kind in get_args(ChainError)
}
"""The record of each error, by the error's name in the ABI."""


class Reverted(Refused):
    """A contract refused a call with an error of its own; nothing of the call happened."""

    def __init__(self, error: ChainError) -> None:
        """Keep the error; a refused instruction gives its reason too."""
        reasons = (error.reason,) if isinstance(error, InstructionRefused) else ()
        super().__init__(reasons, describe(error), code="reverted")
        self.error = error


def describe(error: ChainError) -> str:
    """Name an error and its arguments in one line."""
    arguments = ", ".join(
        f"{field.name.rstrip('_')} {_shown(getattr(error, field.name))}" for field in fields(error)
    )
    return f"{type(error).__name__}({arguments})"


def _shown(value: object) -> str:
    if isinstance(value, Reason):
        who = "" if value.who is None else f" {to_hex(value.who)}"
        return f"{value.code}{who} at {value.leg}: needs {value.needed}, has {value.have}"
    return to_hex(value) if isinstance(value, bytes) else str(value)
