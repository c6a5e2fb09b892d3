"""A participant of the demo: its key, its journal and its way to the API."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from settle.chain.eip712 import address_of, sign
from settle.client.signer import KeySigner
from settle.client.transport import Transport
from settle.domain.errors import Refused
from settle.domain.ids import Address, InstructionId, to_hex
from settle.domain.instruction import (
    Instruction,
    SigningDomain,
    cancellation_digest,
    instruction_id,
)
from settle.domain.instruction_json import from_json
from settle.signer.journal import Journal
from settle.signer.review import Market, review

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from settle.demo.plan import Member
    from settle.domain.side import TradeSide

_PATIENCE_S: Final = 60
_PAGE: Final = 200
_CANCEL_S: Final = 600
_BOTH: Final = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """How a trade of the actor stands."""

    trade_id: str
    status: str
    codes: tuple[str, ...]


class Actor:
    """One participant. Used by one thread at a time."""

    def __init__(self, member: Member, key: bytes, folder: Path, domain: SigningDomain) -> None:
        """Open the journal; `connect` and `learn` come before anything else."""
        self.member = member
        self.account = address_of(key)
        self.journal = Journal(folder / f"{member.lei}.db")
        self.refused: dict[str, str] = {}
        self.key = key
        self._domain = domain
        self._transport: Transport | None = None
        self._market: Market | None = None

    def connect(self, url: str) -> None:
        """Speak to an API; to another one after its restart."""
        self._transport = Transport(
            url, KeySigner(self.key), audience=None, patience_s=_PATIENCE_S, timeout_s=30
        )

    def learn(self, market: Market) -> None:
        """Take what the participant knows by itself."""
        self._market = market

    def salts(self, reference: str) -> tuple[bytes, bytes]:
        """Derive the two salts of a trade from the key: nobody else can guess them."""
        return (
            hashlib.sha256(self.key + b"ref" + reference.encode()).digest(),
            hashlib.sha256(self.key + b"terms" + reference.encode()).digest(),
        )

    # ------------------------------------------------------------------------- trades

    def submit(self, sides: Sequence[TradeSide]) -> None:
        """Write sides to the journal, then submit them together."""
        self.journal.instruct(sides)
        documents = [_document(side) for side in sides]
        names = ",".join(side.reference for side in sides).encode()
        key = hashlib.sha256(names).hexdigest()[:32]
        self._api.post("/v1/trades/batch", {"trades": documents}, key=key)

    def sign_pending(self, never: Collection[str] = ()) -> int:
        """Review and sign all terms that wait, but those of the references in `never`.

        Gives how many were signed; what was refused is in `refused`, by reference.
        """
        given: list[dict[str, str]] = []
        for told in self._pages("/v1/instructions/to-sign", "instructions"):
            reference = str(told["reference"])
            if reference not in never and reference not in self.refused:
                signature = self._consent(reference, told)
                if signature is not None:
                    given.append(signature)
        for start in range(0, len(given), _PAGE):
            part = given[start : start + _PAGE]
            self._api.post("/v1/instructions/signatures", {"signatures": part})
        return len(given)

    def _consent(self, reference: str, told: dict[str, Any]) -> dict[str, str] | None:
        terms = terms_of(told["instruction"])
        digest = instruction_id(terms, self._domain)
        try:
            if self._market is None:
                message = "the participant knows no market yet"
                raise Refused((), message, code="not_instructed")  # noqa: TRY301
            review(terms, self.journal.instructed(reference), self._market)
            signature = sign(digest, self.key)
            self.journal.record_signature(reference, digest, terms, signature)
        except Refused as refusal:
            self.refused[reference] = refusal.message
            return None
        return {"digest": to_hex(digest), "signature": to_hex(signature)}

    def cancel(self, trade_id: str) -> None:
        """Ask to end a matched trade, for as long as the other has asked already, if it has."""
        told = self._api.get(f"/v1/trades/{trade_id}").json()
        asked = self._api.get(f"/v1/trades/{trade_id}/cancellation").json()["asked"]
        valid_by = int(asked[0]["valid_by"]) if asked else int(time.time()) + _CANCEL_S
        digest = cancellation_digest(
            self.account,
            InstructionId(bytes.fromhex(told["digest"][2:])),
            self._domain,
            valid_by=valid_by,
        )
        document = {"valid_by": str(valid_by), "signature": to_hex(sign(digest, self.key))}
        self._api.post(f"/v1/trades/{trade_id}/cancel", document, headers={"If-Match": "*"})

    def fetch_bundles(self) -> int:
        """Keep the bundle of every signed trade that is complete by now."""
        missing = {to_hex(digest) for digest in self.journal.without_bundle()}
        kept = 0
        for trade in self._pages("/v1/trades", "trades"):
            if trade["digest"] not in missing or len(trade["consented"]) < _BOTH:
                continue
            bundle = self._api.get(f"/v1/trades/{trade['trade_id']}/bundle").json()
            signatures = [bytes.fromhex(one["signature"][2:]) for one in bundle["signatures"]]
            digest = InstructionId(bytes.fromhex(bundle["digest"][2:]))
            self.journal.keep_bundle(digest, signatures)
            kept += 1
        return kept

    def standings(self) -> dict[str, Standing]:
        """Tell how each of the actor's own trades stands, by reference."""
        return {
            trade["side"]["reference"]: Standing(
                trade["trade_id"],
                trade["status"],
                tuple(reason["code"] for reason in trade["reasons"]),
            )
            for trade in self._pages("/v1/trades", "trades")
            if trade["side"] is not None and trade["side"]["reference"] is not None
        }

    def iso(self, message: bytes, key: str) -> bytes:
        """Send a sese.023; gives the answer."""
        reply = self._api.post_bytes("/v1/iso20022/messages", message, "application/xml", key=key)
        return reply.content

    def iso_out(self) -> list[dict[str, Any]]:
        """List the messages that the venue has for this participant."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self._api.get("/v1/iso20022/messages", {"after": after, "limit": _PAGE}).json()
            found += page["messages"]
            after = page["next_after"]
        return found

    # ------------------------------------------------------------------------ requests

    @property
    def _api(self) -> Transport:
        assert self._transport is not None, "connect comes first"
        return self._transport

    def _pages(self, path: str, member: str) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._api.get(path, {"limit": _PAGE, "cursor": cursor}).json()
            yield from page[member]
            cursor = page["next_cursor"]
            if cursor is None:
                return


def terms_of(told: dict[str, Any]) -> Instruction:
    """Read signed terms from the API's document, whose legs carry names beside the fields."""
    legs = [
        {name: value for name, value in leg.items() if name not in ("code", "decimals")}
        for leg in told["legs"]
    ]
    return from_json({**told, "legs": legs})


def _document(side: TradeSide) -> dict[str, object]:
    document: dict[str, object] = {
        "reference": side.reference,
        "movement": side.movement,
        "payment": side.payment,
        "isin": side.isin,
        "quantity": str(side.quantity),
        "currency": side.currency,
        "amount": None if side.amount is None else str(side.amount),
        "trade_date": side.trade_date.isoformat(),
        "settlement_date": side.settlement_date.isoformat(),
        "delivering_party": side.delivering_party,
        "receiving_party": side.receiving_party,
        "common_reference": side.common_reference,
        "account": _hex(side.account),
        "counterparty_account": _hex(side.counterparty_account),
        "nonce": str(side.nonce),
        "trade_ref": to_hex(side.trade_ref),
        "terms": to_hex(side.terms),
    }
    return {name: value for name, value in document.items() if value is not None}


def _hex(account: Address | None) -> str | None:
    return None if account is None else to_hex(account)
