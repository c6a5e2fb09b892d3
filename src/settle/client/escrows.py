"""What the API says about escrows, as values, and the methods of the client that ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from settle.client.codec import read, write
from settle.domain.escrow.terms_json import terms_from_json, terms_to_json

if TYPE_CHECKING:
    from settle.client.transport import Transport
    from settle.domain.escrow.terms import EscrowTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowSigner:
    """One of those who sign the terms, in the order of the signatures."""

    account: bytes
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowWaiting:
    """An act that the escrow waits for; `what` is the kind of the message that does it."""

    account: bytes
    what: str
    milestone: int
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowMilestone:
    """A milestone; what tells of its end is None or empty until it has ended."""

    number: int
    state: str
    outcome: str | None
    ended_by: str | None
    ended_at: int | None
    disputed_at: int | None
    paid: tuple[int, ...]
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowMessage:
    """A message about an escrow, to be sent or as it was accepted; see `EscrowMessageIn`."""

    kind: str
    author: bytes = bytes(20)
    milestone: int = 0
    place: int = 0
    paid: tuple[int, ...] = ()
    data: bytes = b""
    valid_by: int = 0
    signature: bytes | None = None
    created_at: int = 0

    def document(self) -> dict[str, Any]:
        """Write it as the API reads it."""
        told = {
            "kind": self.kind,
            "author": self.author,
            "paid": self.paid,
            "data": self.data,
            "valid_by": self.valid_by,
            "signature": self.signature,
        }
        return write(told) | {"milestone": self.milestone, "place": self.place}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    id: bytes
    status: str
    reason: str
    proposed_by: str
    text: str
    signers: tuple[EscrowSigner, ...]
    milestones: tuple[EscrowMilestone, ...]
    messages: tuple[EscrowMessage, ...]
    waiting_on: tuple[EscrowWaiting, ...]
    version: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Escrow(_Told):
    """An escrow with all that opens and ends it without the operator: keep it.

    Before you sign, see for yourself that `id` is the digest of `terms` under your deployment's
    domain and that `text` is what they print as: the API is only told here.
    """

    terms: EscrowTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowWay:
    """What would end a milestone now; `by` empty: anyone can."""

    name: str
    by: tuple[bytes, ...]
    needed: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowMilestoneNow:
    """Where a milestone stands; `until`: when that ends by itself, None where it does not."""

    number: int
    state: str
    outcome: str | None
    until: int | None
    deadline: int
    ways: tuple[EscrowWay, ...]
    by_itself: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowNow:
    """What can happen to an escrow now."""

    id: bytes
    status: str
    asked_at: int
    milestones: tuple[EscrowMilestoneNow, ...]


def read_escrow(document: Mapping[str, Any]) -> Escrow:
    """Read an escrow. Raises Broken, or InvalidInput in its terms, for what is none."""
    told = read(_Told, document)
    members = {one.name: getattr(told, one.name) for one in fields(told)}
    return Escrow(terms=terms_from_json(document["terms"], "/terms"), **members)


class EscrowMethods:
    """The part of the client that is about escrows."""

    _transport: Transport

    def propose_escrow(self, terms: EscrowTerms, *, key: str | None = None) -> Escrow:
        """Propose terms to all who are named in them; the same terms again change nothing."""
        document = {"terms": terms_to_json(terms)}
        return read_escrow(self._transport.post("/v1/escrows", document, key=key).json())

    def escrow(self, escrow: bytes) -> Escrow:
        """One escrow."""
        return read_escrow(self._transport.get(f"/v1/escrows/0x{escrow.hex()}").json())

    def escrows(
        self, *, statuses: Sequence[str] = (), waiting_on_me: bool = False
    ) -> Iterator[Escrow]:
        """Escrows that you have a part in, newest first, page after page."""
        wanted: dict[str, Any] = {"status": list(statuses) or None}
        if waiting_on_me:
            wanted["waiting_on_me"] = "true"
        for page in self._transport.pages("/v1/escrows", wanted):
            yield from map(read_escrow, page["escrows"])

    def escrow_text(self, escrow: bytes) -> str:
        """The terms in English, as the API has them."""
        return self._transport.get(f"/v1/escrows/0x{escrow.hex()}/text").content.decode()

    def escrow_now(self, escrow: bytes) -> EscrowNow:
        """What would end each milestone now, who can do it, and what happens by itself."""
        path = f"/v1/escrows/0x{escrow.hex()}/what-now"
        return read(EscrowNow, self._transport.get(path).json())

    def send_escrow_message(
        self, escrow: bytes, message: EscrowMessage, *, key: str | None = None
    ) -> Escrow:
        """Bring a signed message about an escrow."""
        path = f"/v1/escrows/0x{escrow.hex()}/messages"
        return read_escrow(self._transport.post(path, message.document(), key=key).json())
