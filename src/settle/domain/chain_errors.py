"""Why the contracts revert: one frozen record per custom error of Settlement and Participants.

The classes carry the names of the errors (`Refused` of the contract is `InstructionRefused` here)
and their arguments as the events do theirs. `Reverted` is raised with one of them: by the twin, and
by whoever reads the revert data of a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from settle.domain.errors import Refused
from settle.domain.ids import Address, AssetId, InstructionId, to_hex
from settle.domain.ledger import AssetClass, Standing
from settle.domain.reasons import Reason


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
class AccountNotAdmitted:
    """The account may not enter."""

    account: Address
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIsFrozen:
    """Debits of the account are stopped."""

    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetUnknown:
    """The ledger has no asset of this number."""

    asset: AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetIsFrozen:
    """Debits of the asset are stopped."""

    asset: AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetInvalid:
    """An asset has a class, at most 18 decimals and a code."""

    class_: AssetClass
    decimals: int
    code: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetCodeTaken:
    """Another asset has this code already."""

    code: bytes
    asset: AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityIsZero:
    """Nothing would move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyTooLarge:
    """The supply of an asset fits 128 bits."""

    asset: AssetId
    supply: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingTooSmall:
    """The account has less available than it would give."""

    account: Address
    asset: AssetId
    available: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleNotActive:
    """The caller may not move value."""

    module: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldNotLive:
    """No hold of these terms is live; `hold` is the hash of the terms."""

    hold: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAlreadyLive:
    """A hold of exactly these terms is live already."""

    hold: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOfAnotherModule:
    """A module ends and executes only its own holds."""

    module: Address
    caller: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldNotReleasable:
    """Before the deadline only its module ends a hold."""

    hold: bytes
    deadline: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed:
    """The deadline has been reached."""

    deadline: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineTooFar:
    """The deadline lies beyond the longest wait allowed."""

    deadline: int
    latest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyMoves:
    """A posting has at most `max` holds and lines."""

    moves: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovesNotGroupedByAsset:
    """The lines of a posting stand in ascending order of assets."""

    asset: AssetId
    previous: AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class MovesNotZeroSum:
    """The lines of an asset add up to `sum` and not to zero."""

    asset: AssetId
    sum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOutOfRange:
    """A line moves something, and less than 2**128 of it."""

    asset: AssetId
    delta: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NonceUsed:
    """The account's nonce is not open."""

    account: Address
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureInvalid:
    """The signature is not one of this account over these terms."""

    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEnoughGas:
    """Too little gas is left to ask a wallet whether it signed."""

    left: int
    needed: int


ChainError: TypeAlias = (
    InstructionRefused
    | BatchEmpty
    | BatchTooLarge
    | AccountNotAdmitted
    | AccountIsFrozen
    | AssetUnknown
    | AssetIsFrozen
    | AssetInvalid
    | AssetCodeTaken
    | QuantityIsZero
    | SupplyTooLarge
    | HoldingTooSmall
    | ModuleNotActive
    | HoldNotLive
    | HoldAlreadyLive
    | HoldOfAnotherModule
    | HoldNotReleasable
    | DeadlinePassed
    | DeadlineTooFar
    | TooManyMoves
    | MovesNotGroupedByAsset
    | MovesNotZeroSum
    | MoveOutOfRange
    | NonceUsed
    | SignatureInvalid
    | NotEnoughGas
)

ERROR_TYPES: Final[Mapping[str, type[ChainError]]] = {
    "Refused": InstructionRefused,
    **{
        kind.__name__: kind
        for kind in (
            *(BatchEmpty, BatchTooLarge, AccountNotAdmitted, AccountIsFrozen),
            *(AssetUnknown, AssetIsFrozen, AssetInvalid, AssetCodeTaken),
            *(QuantityIsZero, SupplyTooLarge, HoldingTooSmall, ModuleNotActive),
            *(HoldNotLive, HoldAlreadyLive, HoldOfAnotherModule, HoldNotReleasable),
            *(DeadlinePassed, DeadlineTooFar, TooManyMoves, MovesNotGroupedByAsset),
            *(MovesNotZeroSum, MoveOutOfRange, NonceUsed, SignatureInvalid, NotEnoughGas),
        )
    },
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
