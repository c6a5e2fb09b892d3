"""Why the ledger reverts: one frozen record per custom error of ILedger.sol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from settle.domain.ids import Address, AssetId
from settle.domain.ledger import AssetClass, Standing


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
    """An asset has a class, at most 18 decimals and a code of visible ASCII characters."""

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
class HoldingTooLarge:
    """A holding fits 128 bits, also while a posting is under way."""

    account: Address
    asset: AssetId
    quantity: int


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


LedgerError: TypeAlias = (
    AccountNotAdmitted
    | AccountIsFrozen
    | AssetUnknown
    | AssetIsFrozen
    | AssetInvalid
    | AssetCodeTaken
    | QuantityIsZero
    | SupplyTooLarge
    | HoldingTooSmall
    | HoldingTooLarge
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
)
