"""Documents about escrows: terms, signers, milestones, what was brought, whose turn it is."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PlainSerializer

from settle.api.fields import (
    AddressHex,
    AddressIn,
    Document,
    EvidenceHex,
    EvidenceIn,
    Instant,
    LeiText,
    ProgramIn,
    SignatureHex,
    SignatureIn,
    Uint32In,
    Uint64,
    Uint64In,
    Uint128In,
    Units,
    WordHex,
    WordIn,
)
from settle.api.venue_documents import Cursor
from settle.domain.escrow.terms import (
    MAX_ARBITERS,
    MAX_ESCROW_LINES,
    MAX_MILESTONES,
    EscrowLine,
    EscrowTerms,
)
from settle.domain.escrow.terms_json import terms_to_json
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId, to_hex

_TEXT = PlainSerializer(str, return_type=str)
_HEX = PlainSerializer(to_hex, return_type=str)
_Uint32 = Annotated[Uint32In, _TEXT]
_Uint64 = Annotated[Uint64In, _TEXT]
_Uint128 = Annotated[Uint128In, _TEXT]
_Account = Annotated[AddressIn, _HEX]
_Word = Annotated[WordIn, _HEX]
_Program = Annotated[ProgramIn, _HEX]
_MilestoneNumber = Annotated[int, Field(ge=0, lt=MAX_MILESTONES)]

EscrowStatusName = Literal["Proposed", "Signed", "Open", "Ended", "Withdrawn", "Lapsed"]
KindName = Literal["consent", "withdrawal", "evidence", "agreement", "dispute", "ruling"]


class EscrowLineDocument(Document):
    """One payment that hangs on a milestone; the same in both directions."""

    milestone: _Uint32
    asset: _Uint32
    depositor: _Account
    beneficiary: _Account
    quantity: _Uint128
    if_met: _Uint128
    by_default: _Uint128
    if_unruled: _Uint128


class EscrowTermsDocument(Document):
    """The terms that everybody signs, member for member what EIP-712 hashes; both directions.

    `program` has the conditions as bytes: `settle escrow compile` writes it from readable terms.
    """

    open_by: _Uint64
    lines: Annotated[list[EscrowLineDocument], Field(min_length=1, max_length=MAX_ESCROW_LINES)]
    deadlines: Annotated[list[_Uint64], Field(min_length=1, max_length=MAX_MILESTONES)]
    program: _Program
    arbiters: Annotated[list[_Account], Field(max_length=MAX_ARBITERS)]
    quorum: _Uint32
    answer_time: _Uint64
    fallback_arbiter: _Account
    fallback_time: _Uint64
    text: _Word
    ref: _Word
    salt: _Word

    @classmethod
    def of(cls, terms: EscrowTerms) -> Self:
        """Write terms."""
        return cls.model_validate(terms_to_json(terms))

    def value(self) -> EscrowTerms:
        """Give the terms as the domain has them."""
        return EscrowTerms(
            open_by=self.open_by,
            lines=tuple(
                EscrowLine(
                    milestone=line.milestone,
                    asset=AssetId(line.asset),
                    depositor=Address(line.depositor),
                    beneficiary=Address(line.beneficiary),
                    quantity=line.quantity,
                    if_met=line.if_met,
                    by_default=line.by_default,
                    if_unruled=line.if_unruled,
                )
                for line in self.lines
            ),
            deadlines=tuple(self.deadlines),
            program=self.program,
            arbiters=tuple(map(Address, self.arbiters)),
            quorum=self.quorum,
            answer_time=self.answer_time,
            fallback_arbiter=Address(self.fallback_arbiter),
            fallback_time=self.fallback_time,
            text=self.text,
            ref=self.ref,
            salt=self.salt,
        )


class ProposeEscrowIn(Document):
    """Terms that one of their parties proposes to all who are named in them."""

    terms: EscrowTermsDocument


class EscrowMessageIn(Document):
    """A signed message about an escrow. Members that its kind does not have are left out.

    `author`: whose it is, for a withdrawal, an agreement and a dispute; for the others the terms
    or the signature say it. `place`: the piece of evidence in the order of the condition, or the
    arbiter's place in the panel (255: the fallback arbiter). `paid`: what each line of the
    milestone pays, for an agreement and a ruling. `data`: a piece of evidence, the hash of the
    evidence of a dispute, or the four bytes of a ruling's reason.
    """

    kind: KindName
    author: AddressIn = ZERO_ADDRESS
    milestone: _MilestoneNumber = 0
    place: Annotated[int, Field(ge=0, le=255)] = 0
    paid: Annotated[list[Uint128In], Field(max_length=MAX_ESCROW_LINES, default_factory=list)]
    data: EvidenceIn = b""
    valid_by: Uint64In = 0
    signature: SignatureIn | None = None


class SignerOut(Document):
    """One of those who sign the terms, in the order of the signatures."""

    account: AddressHex
    signed: bool


class WaitingOut(Document):
    """An act that the escrow waits for; none is a duty."""

    account: AddressHex
    what: Literal["consent", "evidence", "agreement", "ruling"]
    milestone: int
    place: int


class EscrowMilestoneOut(Document):
    """A milestone: `outcome` and what follows are null or empty until it has ended."""

    number: int
    state: str
    outcome: str | None
    ended_by: str | None
    ended_at: Instant | None
    disputed_at: Instant | None
    paid: tuple[Units, ...]
    waits: bool = Field(description="decided, and payments wait for the end of a freeze")


class EscrowMessageOut(Document):
    """A message that was accepted, as it was brought."""

    kind: KindName
    author: AddressHex
    milestone: int
    place: int
    paid: tuple[Units, ...]
    data: EvidenceHex
    valid_by: Uint64
    signature: SignatureHex | None
    created_at: Instant


class EscrowOut(Document):
    """An escrow, for everybody with a part in it: all that opens and ends it without us."""

    id: WordHex
    status: EscrowStatusName
    reason: str = Field(description="why nothing happens now; empty where nothing is to do")
    proposed_by: LeiText
    terms: EscrowTermsDocument
    text: str = Field(description="the English whose hash is in the terms")
    signers: tuple[SignerOut, ...]
    milestones: tuple[EscrowMilestoneOut, ...]
    messages: tuple[EscrowMessageOut, ...]
    waiting_on: tuple[WaitingOut, ...]
    version: int
    created_at: Instant
    updated_at: Instant


class EscrowsPage(Document):
    """Escrows, newest first."""

    escrows: tuple[EscrowOut, ...]
    next_cursor: Cursor


class WayOut(Document):
    """What would end a milestone now. `by`: who can, so many of them together; empty: anyone."""

    name: str
    by: tuple[AddressHex, ...]
    needed: int
    sentence: str


class MilestoneNowOut(Document):
    """Where a milestone stands now. `until`: when this state ends by itself; null: it does not.

    `deadline` is as disputes moved it. `by_itself` says what happens if nobody acts.
    """

    number: int
    state: str
    outcome: str | None
    until: Instant | None
    deadline: Instant
    ways: tuple[WayOut, ...]
    by_itself: str


class EscrowNowOut(Document):
    """What can happen to an escrow now, milestone by milestone."""

    id: WordHex
    status: EscrowStatusName
    asked_at: Instant
    milestones: tuple[MilestoneNowOut, ...]
