"""What the contracts say: one frozen record per event of Settlement, and of registry_events.py.

The classes carry the names of the events; a field is the event's argument in snake case, with an
underscore behind a Python keyword (`class_`). Bytes stay bytes, amounts are in the asset's smallest
unit, instants are unix seconds. An event that changes a holding carries the delta and the result
(law L8). The twin in chainstate.py makes the same records, so the two can be compared by `==`.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from settle.domain.escrow.events import EscrowEvent
from settle.domain.ids import Address, AssetId, InstructionId
from settle.domain.ledger import AssetClass, Holding, Standing
from settle.domain.registry_events import AuthorityEvent, RegistryEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingSet:
    """An account's standing or class changed; its freeze and its withdrawals did not."""

    account: Address
    standing: Standing
    class_: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFrozen:
    """Debits of an account were stopped, or allowed again, for a reason of four letters."""

    account: Address
    frozen: bool
    reason: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFrozen:
    """Debits of an asset were stopped, or allowed again, for a reason of four letters."""

    asset: AssetId
    frozen: bool
    reason: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetCreated:
    """An asset came into the books under the next number; `code` has 12 bytes."""

    asset: AssetId
    class_: AssetClass
    decimals: int
    code: bytes
    issuer: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSet:
    """A contract may move value by holds and postings, or may no longer."""

    module: Address
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Value came into being; the holding and the supply are those with it."""

    asset: AssetId
    account: Address
    ref: bytes
    quantity: int
    holding: Holding
    total_supply: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """Value left the books under its holder's signature; `nonce` of the holder is spent by it."""

    asset: AssetId
    account: Address
    ref: bytes
    nonce: int
    quantity: int
    holding: Holding
    total_supply: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One leg of an instruction moved; both holdings are as they stand after this leg.

    On chain each of the two is one packed word, see `holding_of_word`.
    """

    instruction: InstructionId
    asset: AssetId
    deliverer: Address
    receiver: Address
    quantity: int
    deliverer_holding: Holding
    receiver_holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One line of a module's posting; a negative delta left the account."""

    module: Address
    id: bytes
    asset: AssetId
    account: Address
    delta: int
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced:
    """Available value became held until a deadline."""

    purpose: bytes
    index: int
    module: Address
    account: Address
    asset: AssetId
    quantity: int
    deadline: int
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded:
    """Held value became available again; `executed`: a leg or a move takes it next."""

    purpose: bytes
    index: int
    module: Address
    account: Address
    asset: AssetId
    quantity: int
    deadline: int
    executed: bool
    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionSettled:
    """All legs moved. Final."""

    id: InstructionId
    initiator: Address
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionRecorded:
    """This id, which settled, is recorded for whoever asks by id."""

    instruction: InstructionId


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionNotSettled:
    """Not settled by this batch, for this first reason; nothing of it moved."""

    id: InstructionId
    code: bytes
    leg: int
    who: Address
    needed: int
    have: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionAffirmed:
    """Consents came on chain: one bit per account, in order of first appearance in the legs."""

    id: InstructionId
    initiator: Address
    nonce: int
    consents: int
    accounts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """All that the account delivers under the instruction is held; HoldPlaced tells each hold."""

    id: InstructionId
    account: Address
    committed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationEnded:
    """The account's reservation ended, by itself or by anyone after the deadline."""

    id: InstructionId
    account: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn:
    """The account took its consent back; this id settles no more. `consents` are those left."""

    id: InstructionId
    account: Address
    consents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionCancelled:
    """Ended by its initiator alone, or by all its accounts together. Final."""

    id: InstructionId
    initiator: Address
    nonce: int
    by_all: bool


LedgerEvent: TypeAlias = (
    StandingSet
    | AccountFrozen
    | AssetFrozen
    | AssetCreated
    | ModuleSet
    | Issued
    | Redeemed
    | Posted
    | Moved
    | HoldPlaced
    | HoldEnded
)
SettlementEvent: TypeAlias = (
    InstructionSettled
    | InstructionRecorded
    | InstructionNotSettled
    | InstructionAffirmed
    | Reserved
    | ReservationEnded
    | ConsentWithdrawn
    | InstructionCancelled
)
ChainEvent: TypeAlias = LedgerEvent | SettlementEvent | EscrowEvent | RegistryEvent | AuthorityEvent

EVENT_TYPES: Final[Mapping[str, type[ChainEvent]]] = {
    kind.__name__: kind for kind in get_args(ChainEvent)
}
"""The record of each event, by the event's name in the ABI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where on the chain something was said. Blocks, and the logs of a block, count from 0."""

    block_number: int
    block_hash: bytes
    transaction: bytes
    log_index: int

    def __str__(self) -> str:
        """Name the place as people search for it."""
        return f"block {self.block_number}, transaction 0x{self.transaction.hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event, where it stands, and the contract that said it."""

    place: Place
    emitter: Address
    event: ChainEvent


_WORD_BEGINS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def field_name(argument: str) -> str:
    """Return the field that an argument of an event is kept in: `totalSupply` -> `total_supply`."""
    snake = _WORD_BEGINS.sub("_", argument.rstrip("_")).lower()
    return f"{snake}_" if keyword.iskeyword(snake) else snake
