"""Documents about the venue: who takes part, with which accounts, and what is on the books."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settle.api.fields import (
    AddressHex,
    AddressIn,
    BicIn,
    BicText,
    Document,
    Instant,
    LeiIn,
    LeiText,
    Text140,
    Uint32,
    Uint64,
    Units,
)

RoleName = Literal["participant", "operator", "auditor"]
AssetClassName = Literal[
    "security", "central_bank_money", "deposit_money", "e_money", "carbon_unit", "other", "none"
]
StandingName = Literal["unknown", "admitted", "suspended"]
Cursor = Annotated[
    str | None,
    Field(description="give it as `cursor` to get the next page; null: this is the last"),
]


class SigningDomainOut(Document):
    """The EIP-712 domain under which instructions of this venue are signed."""

    name: str
    version: str
    chain_id: Uint64
    verifying_contract: AddressHex


class VenueOut(Document):
    """What a client must know before it signs. Compare it with the deployment file."""

    audiences: tuple[str, ...] = Field(description="what a signed request may name as audience")
    clock: Instant
    request_lifetime_s: int
    max_body_bytes: int
    max_items: int
    domain: SigningDomainOut
    receipt_key: AddressHex = Field(description="whose key signs receipts")


class ParticipantIn(Document):
    """A participant to enter in the directory. The chain admits; this names."""

    lei: LeiIn
    bic: BicIn | None = None
    name: Text140
    role: RoleName = "participant"
    participant_class: Annotated[int, Field(ge=0, le=255)] = 0
    accounts: Annotated[list[AddressIn], Field(max_length=64, default_factory=list)]


class ParticipantOut(Document):
    """A participant. The first account is used where a side names none."""

    lei: LeiText
    bic: BicText | None
    name: str
    role: RoleName
    participant_class: int
    accounts: tuple[AddressHex, ...]
    created_at: Instant


class ParticipantsOut(Document):
    """Participants that the caller may see, by LEI."""

    participants: tuple[ParticipantOut, ...]


class RequestKeyIn(Document):
    """A key that signs requests, and nothing else, for a participant."""

    key: AddressIn


class RequestKeyOut(Document):
    """A key that signs requests for a participant, or does so no more."""

    lei: LeiText
    key: AddressHex
    active: bool


class AssetOut(Document):
    """An asset of the ledger. Quantities of it are integers in units of 10 ** -decimals."""

    asset_id: Uint32
    code: str = Field(description="ISIN, ISO 4217 currency, or another code of its class")
    asset_class: AssetClassName
    decimals: int
    issuer: AddressHex
    frozen: bool


class AssetsOut(Document):
    """Every asset, by number."""

    assets: tuple[AssetOut, ...]


class AccountOut(Document):
    """An account, and what the chain says of it."""

    account: AddressHex
    lei: LeiText
    standing: StandingName
    frozen: bool


class AccountsOut(Document):
    """Accounts that the caller may see."""

    accounts: tuple[AccountOut, ...]


class PositionOut(Document):
    """What an account holds of an asset: available and held, which together are the balance."""

    account: AddressHex
    asset_id: Uint32
    code: str
    decimals: int
    available: Units
    held: Units


class PositionsOut(Document):
    """Positions as the follower has read the chain; final up to `final_block`."""

    positions: tuple[PositionOut, ...]
    final_block: int | None
    final_block_at: Instant | None


class CheckOut(Document):
    """One thing that must be so for the API to take work."""

    name: str
    ok: bool
    detail: str


class HealthOut(Document):
    """Whether the process lives, or is ready to take work."""

    status: Literal["ok", "unavailable"]
    checks: tuple[CheckOut, ...] = ()
