"""What the API says, as values: integers for strings of digits, bytes for hex, records for objects.

A record takes the members that it knows: a newer API may say more than this client reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Instruction, Leg, SigningDomain


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What a client must know before it signs. Compare `domain` with the deployment file."""

    audiences: tuple[str, ...]
    clock: int
    request_lifetime_s: int
    max_items: int
    domain: Domain
    receipt_key: bytes

    def signing_domain(self) -> SigningDomain:
        """Under which domain instructions are signed."""
        told = self.domain
        return SigningDomain(
            name=told.name,
            version=told.version,
            chain_id=told.chain_id,
            verifying_contract=Address(told.verifying_contract),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The EIP-712 domain of instructions."""

    name: str
    version: str
    chain_id: int
    verifying_contract: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A participant; the first account is used where a side names none."""

    lei: str
    bic: str | None
    name: str
    role: str
    participant_class: int
    accounts: tuple[bytes, ...]
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """A key that signs requests for a participant, or does so no more."""

    lei: str
    key: bytes
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An asset of the ledger."""

    asset_id: int
    code: str
    asset_class: str
    decimals: int
    issuer: bytes
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account, and what the chain says of it."""

    account: bytes
    lei: str
    standing: str
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What an account holds of an asset, in its smallest unit."""

    account: bytes
    asset_id: int
    code: str
    decimals: int
    available: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Positions, final up to `final_block`."""

    positions: tuple[Position, ...]
    final_block: int | None
    final_block_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldLeg:
    """One movement, with the asset's name and decimals beside it."""

    asset: int
    code: str
    decimals: int
    deliverer: bytes
    receiver: bytes
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldInstruction:
    """Terms as the API tells them; `value` is what is hashed and signed."""

    initiator: bytes
    nonce: int
    settle_from: int
    settle_by: int
    cycle: bytes
    options: int
    minimum_lot: int
    predecessor: bytes
    trade_ref: bytes
    terms: bytes
    legs: tuple[ToldLeg, ...]

    def value(self) -> Instruction:
        """Give the terms as the domain has them."""
        return Instruction(
            initiator=Address(self.initiator),
            nonce=self.nonce,
            settle_from=self.settle_from,
            settle_by=self.settle_by,
            cycle=self.cycle,
            options=self.options,
            minimum_lot=self.minimum_lot,
            predecessor=self.predecessor,
            trade_ref=self.trade_ref,
            terms=self.terms,
            legs=tuple(
                Leg(
                    asset=AssetId(leg.asset),
                    deliverer=Address(leg.deliverer),
                    receiver=Address(leg.receiver),
                    quantity=leg.quantity,
                )
                for leg in self.legs
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSign:
    """Terms that wait for a signature over `digest` by `account`, under your own `reference`."""

    trade_id: str
    reference: str
    digest: bytes
    account: bytes
    instruction: ToldInstruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What became of a signature. Not accepted: the trade has ended or is being cancelled."""

    trade_id: str
    digest: bytes
    account: bytes
    accepted: bool
    status: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSignature:
    """A signature of an account."""

    account: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that settles a trade without the operator: terms and signatures in order."""

    trade_id: str
    digest: bytes
    domain: Domain
    instruction: ToldInstruction
    signatures: tuple[AccountSignature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The terms that answer an allegement."""

    trade_id: str
    digest: bytes
    instruction: ToldInstruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; numbers count up from 1 without a gap."""

    number: int
    kind: str
    trade_id: str | None
    block_number: int | None
    created_at: int
    payload: Mapping[str, Any] = field(default_factory=dict)
