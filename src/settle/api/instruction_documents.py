"""Documents about signed terms: the instruction, its signatures, and what is in its way."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settle.api.fields import (
    AddressHex,
    AddressIn,
    DigestIn,
    Document,
    Instant,
    SignatureHex,
    SignatureIn,
    TradeIdText,
    Uint32,
    Uint32In,
    Uint64,
    Uint64In,
    Uint128In,
    Units,
    WordHex,
    WordIn,
)
from settle.api.problems import ReasonOut
from settle.api.venue_documents import Cursor, SigningDomainOut
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import MAX_LEGS, Instruction, Leg


class LegIn(Document):
    """One movement of one asset."""

    asset: Uint32In
    deliverer: AddressIn
    receiver: AddressIn
    quantity: Uint128In


class InstructionIn(Document):
    """Signed terms, member for member what EIP-712 hashes."""

    initiator: AddressIn
    nonce: Uint64In
    settle_from: Uint64In
    settle_by: Uint64In
    cycle: WordIn
    options: Uint32In
    minimum_lot: Uint128In
    predecessor: WordIn
    trade_ref: WordIn
    terms: WordIn
    legs: Annotated[list[LegIn], Field(max_length=MAX_LEGS)]

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


class LegOut(Document):
    """One movement of one asset, with the asset's name and decimals beside the quantity."""

    asset: Uint32
    code: str
    decimals: int
    deliverer: AddressHex
    receiver: AddressHex
    quantity: Units


class InstructionOut(Document):
    """Signed terms, as EIP-712 hashes them; `code` and `decimals` of a leg are beside them."""

    initiator: AddressHex
    nonce: Uint64
    settle_from: Uint64
    settle_by: Uint64
    cycle: WordHex
    options: Uint32
    minimum_lot: Units
    predecessor: WordHex
    trade_ref: WordHex
    terms: WordHex
    legs: tuple[LegOut, ...]


class ToSignOut(Document):
    """Terms that wait for a signature of the caller's account over `digest`.

    Compare them with what you instructed under `reference` before you sign.
    """

    trade_id: TradeIdText
    reference: str
    digest: WordHex
    account: AddressHex
    instruction: InstructionOut


class ToSignPage(Document):
    """Terms that wait for signatures of the caller, oldest first."""

    instructions: tuple[ToSignOut, ...]
    next_cursor: Cursor


class ConsentIn(Document):
    """A signature over an instruction's digest."""

    signature: SignatureIn


class DigestConsentIn(Document):
    """A signature, and over which digest."""

    digest: DigestIn
    signature: SignatureIn


class ConsentsIn(Document):
    """Many signatures: all of them are taken, or none is."""

    signatures: Annotated[list[DigestConsentIn], Field(min_length=1)]


class ConsentOut(Document):
    """What became of a signature. Not accepted: the trade has ended or is being cancelled."""

    trade_id: TradeIdText
    digest: WordHex
    account: AddressHex
    accepted: bool
    status: str
    version: int


class ConsentsOut(Document):
    """What became of each signature, in the order of the request."""

    results: tuple[ConsentOut, ...]


class AccountSignatureOut(Document):
    """A signature of an account."""

    account: AddressHex
    signature: SignatureHex


class BundleOut(Document):
    """All that settles a trade without the operator: keep it.

    `signatures` has one for each account, in the order in which the accounts stand in the legs.
    Whoever holds it may call `settle` of the contract with it.
    """

    trade_id: TradeIdText
    digest: WordHex
    domain: SigningDomainOut
    instruction: InstructionOut
    signatures: tuple[AccountSignatureOut, ...]


class ProposalOut(Document):
    """The terms that result if you state the same as the side alleged to you.

    Sign `digest` and send your side with `instruction` and `signature`: then one request answers.
    """

    trade_id: TradeIdText
    digest: WordHex
    instruction: InstructionOut


class WhyNotOut(Document):
    """What is in the way of a trade.

    `reasons` are those for which it stands where it stands, since `reasons_at`. `now` is what the
    chain answers at this moment to the terms and to the signatures that are there: empty if it
    would settle, null if there are no terms, it has ended, or the chain does not answer.
    """

    trade_id: TradeIdText
    status: str
    reasons: tuple[ReasonOut, ...]
    reasons_at: Instant | None
    now: tuple[ReasonOut, ...] | None
    asked_at: Instant
