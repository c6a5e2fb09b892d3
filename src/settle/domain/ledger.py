"""The values that the books are made of: holdings, accounts, assets, holds.

They are the structs and enums of contracts/src/interfaces/Types.sol under the same names, so that
a number on chain and a number here mean the same; tests/parity compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from settle.domain.ids import Address, AssetId
from settle.domain.keccak import keccak256

HALF_BITS: Final = 128
HALF_WORD: Final = (1 << HALF_BITS) - 1
CODE_BYTES: Final = 12
"""Length of an asset's code on chain: an ISIN, or an ISO 4217 code and zeros behind it."""


class Standing(IntEnum):
    """Whether an account may enter into settlement. Exits never ask (law L5)."""

    UNKNOWN = 0
    ADMITTED = 1
    SUSPENDED = 2


class AssetClass(IntEnum):
    """Kinds of assets; the three kinds of money are cash, whose lack is MONY and not LACK."""

    NONE = 0
    SECURITY = 1
    CENTRAL_BANK_MONEY = 2
    DEPOSIT_MONEY = 3
    E_MONEY = 4
    CARBON_UNIT = 5
    OTHER = 6

    @property
    def is_cash(self) -> bool:
        """Whether this is money of some kind."""
        return AssetClass.CENTRAL_BANK_MONEY <= self <= AssetClass.E_MONEY


class NonceState(IntEnum):
    """The two bits that an initiator's nonce has on chain. Settled and Cancelled are final."""

    OPEN = 0
    SETTLED = 1
    CANCELLED = 2
    LIVE = 3


class ChainStatus(IntEnum):
    """Where an instruction stands on chain, as far as its nonce and the clock tell."""

    OPEN = 0
    SETTLED = 1
    CANCELLED = 2
    LIVE = 3
    LAPSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What an account holds of one asset, in the asset's smallest unit."""

    available: int
    held: int

    @property
    def balance(self) -> int:
        """All of it, held or not."""
        return self.available + self.held


def holding_of_word(word: int) -> Holding:
    """Unpack a holding as it is stored: available in the low 128 bits, held in the high."""
    return Holding(available=word & HALF_WORD, held=word >> HALF_BITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that settlement asks of an account.

    `withdrawals` counts the consents that the account ever withdrew.
    """

    standing: Standing
    frozen: bool
    class_: int
    withdrawals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An asset of the Ledger; `total_supply` in its smallest unit."""

    class_: AssetClass
    decimals: int
    frozen: bool
    code: bytes
    issuer: Address
    total_supply: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Value reserved for a purpose until a deadline (unix seconds). All fields together name it."""

    module: Address
    purpose: bytes
    index: int
    account: Address
    asset: AssetId
    quantity: int
    deadline: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line of a module's posting: a negative delta leaves the account."""

    asset: AssetId
    account: Address
    delta: int


def hold_id(hold: Hold) -> bytes:
    """Hash the terms of a hold: what the ledger names it by."""
    words = (
        bytes(12) + hold.module,
        hold.purpose,
        hold.index.to_bytes(32, "big"),
        bytes(12) + hold.account,
        hold.asset.to_bytes(32, "big"),
        hold.quantity.to_bytes(32, "big"),
        hold.deadline.to_bytes(32, "big"),
    )
    return keccak256(b"".join(words))


NO_HOLDING: Final = Holding(available=0, held=0)
UNKNOWN_ACCOUNT: Final = Account(standing=Standing.UNKNOWN, frozen=False, class_=0, withdrawals=0)


def code_text(code: bytes) -> str:
    """Read an asset's code as it stands on chain: 12 bytes, left aligned, zeros behind."""
    return code.rstrip(b"\x00").decode("ascii")


def code_bytes(text: str) -> bytes:
    """Write an asset's code as it stands on chain. Raises ValueError if it is too long for it."""
    code = text.encode("ascii")
    if len(code) > CODE_BYTES:
        message = f"{text!r} has more than {CODE_BYTES} characters"
        raise ValueError(message)
    return code.ljust(CODE_BYTES, b"\x00")
