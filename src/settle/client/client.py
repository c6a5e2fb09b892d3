"""The API as methods. Each raises the exceptions of `settle.domain.errors`, as the API meant them.

What the API does not answer is tried again, under the same Idempotency-Key, until the client's
patience is over: then Unavailable. A method that changes something takes `key`, to be repeated by
another process under the same name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Self

from settle.client.codec import Record, read, write
from settle.client.documents import (
    Account,
    Asset,
    Bundle,
    Event,
    Participant,
    Position,
    Positions,
    Proposal,
    RequestKey,
    Signed,
    ToSign,
    Venue,
)
from settle.client.escrows import EscrowMethods
from settle.client.messages import Message, MessageAnswer, answer_of
from settle.client.receipts import ReceiptMethods
from settle.client.signer import Signer
from settle.client.stream import follow
from settle.client.trades import (
    Cancellation,
    SignedSide,
    Submitted,
    Trade,
    WhyNot,
    side_documents,
)
from settle.client.transport import Transport
from settle.domain.errors import Unavailable
from settle.domain.side import TradeSide

PAGE: Final = 500


class Client(EscrowMethods, ReceiptMethods):
    """One API, for one signer. Threads may share it."""

    def __init__(
        self,
        base_url: str,
        signer: Signer | None,
        *,
        audience: str | None = None,
        patience_s: float = 30,
        timeout_s: float = 90,
    ) -> None:
        """`audience`: where the API is known by another address than `base_url`.

        Without a signer only `venue`, `is_live` and `is_ready` are answered.
        """
        self._transport = Transport(
            base_url, signer, audience=audience, patience_s=patience_s, timeout_s=timeout_s
        )

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Use it as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------- health

    def is_live(self) -> bool:
        """Whether the API's process answers."""
        return self._is_well("live")

    def is_ready(self) -> bool:
        """Whether the API takes work."""
        return self._is_well("ready")

    def _is_well(self, what: str) -> bool:
        try:
            self._transport.get_once(f"/v1/health/{what}")
        except Unavailable:
            return False
        return True

    # ---------------------------------------------------------------- venue and books

    def venue(self) -> Venue:
        """What must be known before signing; compare it with the deployment file."""
        return read(Venue, self._get("/v1/venue"))

    def participants(self) -> list[Participant]:
        """The participants that the caller may see."""
        return _list(Participant, self._get("/v1/participants")["participants"])

    def participant(self, lei: str) -> Participant:
        """One participant."""
        return read(Participant, self._get(f"/v1/participants/{lei}"))

    def put_participant(
        self,
        *,
        lei: str,
        name: str,
        bic: str | None = None,
        accounts: Sequence[bytes] = (),
        role: str = "participant",
        participant_class: int = 0,
        key: str | None = None,
    ) -> Participant:
        """Enter a participant in the directory, or restate it. For the operator."""
        told = write({"lei": lei, "name": name, "bic": bic, "accounts": accounts, "role": role})
        document = {**told, "participant_class": participant_class}
        return read(Participant, self._post("/v1/participants", document, key))

    def put_request_key(
        self, lei: str, request_key: bytes, *, key: str | None = None
    ) -> RequestKey:
        """Let a key sign requests for a participant. For the operator."""
        told = self._post(f"/v1/participants/{lei}/keys", write({"key": request_key}), key)
        return read(RequestKey, told)

    def revoke_request_key(
        self, lei: str, request_key: bytes, *, key: str | None = None
    ) -> RequestKey:
        """End that, for good. For the operator."""
        path = f"/v1/participants/{lei}/keys/0x{request_key.hex()}/revoke"
        return read(RequestKey, self._post(path, {}, key))

    def assets(self) -> list[Asset]:
        """Every asset of the ledger."""
        return _list(Asset, self._get("/v1/assets")["assets"])

    def asset(self, asset_id: int) -> Asset:
        """One asset."""
        return read(Asset, self._get(f"/v1/assets/{asset_id}"))

    def accounts(self) -> list[Account]:
        """The accounts that the caller may see."""
        return _list(Account, self._get("/v1/accounts")["accounts"])

    def positions(self, account: bytes | None = None) -> list[Position]:
        """What accounts hold: one, or all that the caller may see."""
        return list(self.positions_as_of(account).positions)

    def positions_as_of(self, account: bytes | None = None) -> Positions:
        """The same, with the block up to which it is final."""
        path = "positions" if account is None else f"accounts/0x{account.hex()}/positions"
        return read(Positions, self._get(f"/v1/{path}"))

    # ------------------------------------------------------------------------- trades

    def submit(
        self, side: SignedSide | TradeSide, *, wait_s: int = 0, key: str | None = None
    ) -> Submitted:
        """Submit your side of a trade; with `wait_s`, wait until the trade has ended."""
        [document] = side_documents([side])
        return read(Submitted, self._post("/v1/trades", document, key, **_wait(wait_s)))

    def submit_many(
        self, sides: Iterable[SignedSide | TradeSide], *, key: str | None = None
    ) -> list[Submitted]:
        """Submit many sides in one step: all of them are taken, or none is."""
        document = {"trades": side_documents(sides)}
        return _list(Submitted, self._post("/v1/trades/batch", document, key)["results"])

    def trade(self, trade_id: str, *, wait_s: int = 0) -> Trade:
        """One trade; with `wait_s`, when it has ended or the time has run out."""
        reply = self._transport.get(f"/v1/trades/{trade_id}", None, **_wait(wait_s))
        return read(Trade, reply.json())

    def trades(
        self,
        *,
        statuses: Sequence[str] = (),
        role: str | None = None,
        asset: str | None = None,
        settlement_date: date | None = None,
        reference: str | None = None,
        limit: int = 100,
    ) -> Iterator[Trade]:
        """Trades that the caller may see, newest first, page after page. `limit` is of a page."""
        wanted = {
            "status": list(statuses) or None,
            "role": role,
            "asset": asset,
            "settlement_date": None if settlement_date is None else settlement_date.isoformat(),
            "reference": reference,
            "limit": limit,
        }
        for page in self._transport.pages("/v1/trades", wanted):
            yield from _list(Trade, page["trades"])

    def cancellation(self, trade_id: str) -> Cancellation:
        """Who has asked to end a trade."""
        return read(Cancellation, self._get(f"/v1/trades/{trade_id}/cancellation"))

    def cancel(
        self,
        trade_id: str,
        *,
        valid_by: int | None = None,
        signature: bytes | None = None,
        version: int | None = None,
        wait_s: int = 0,
        key: str | None = None,
    ) -> Cancellation:
        """Ask to end a trade: before the match alone, after it both parties with a signature.

        `version` is the one that is meant; None means whatever it is now.
        """
        return read(
            Cancellation,
            self._post(
                f"/v1/trades/{trade_id}/cancel",
                write({"valid_by": valid_by, "signature": signature}),
                key,
                **{"If-Match": "*" if version is None else f'"{version}"', **_wait(wait_s)},
            ),
        )

    def why_not(self, trade_id: str) -> WhyNot:
        """What is in the way of a trade."""
        return read(WhyNot, self._get(f"/v1/trades/{trade_id}/why-not"))

    # ------------------------------------------------------------------------ signing

    def to_sign(self, *, limit: int = PAGE) -> Iterator[ToSign]:
        """Terms that wait for a signature of yours, oldest first, page after page."""
        for page in self._transport.pages("/v1/instructions/to-sign", {"limit": limit}):
            yield from _list(ToSign, page["instructions"])

    def sign(
        self, digest: bytes, signature: bytes, *, wait_s: int = 0, key: str | None = None
    ) -> Signed:
        """Give the signature of one of your accounts over an instruction's digest."""
        path = f"/v1/instructions/0x{digest.hex()}/signature"
        return read(Signed, self._post(path, write({"signature": signature}), key, **_wait(wait_s)))

    def sign_many(
        self, signatures: Mapping[bytes, bytes], *, key: str | None = None
    ) -> list[Signed]:
        """Give many signatures, by digest: all of them are taken, or none is."""
        document = {
            "signatures": [
                write({"digest": digest, "signature": signature})
                for digest, signature in signatures.items()
            ]
        }
        return _list(Signed, self._post("/v1/instructions/signatures", document, key)["results"])

    def bundle(self, trade_id: str) -> Bundle:
        """All that settles a trade without the operator. Keep it."""
        return read(Bundle, self._get(f"/v1/trades/{trade_id}/bundle"))

    def proposal(self, trade_id: str) -> Proposal:
        """The terms that answer an allegement, to be signed and sent with your side."""
        return read(Proposal, self._get(f"/v1/trades/{trade_id}/proposal"))

    # ------------------------------------------------------------- events and messages

    def events(self, after: int = 0, *, stop: threading.Event | None = None) -> Iterator[Event]:
        """Follow what happens behind event `after`; see `settle.client.stream.follow`."""
        return follow(self._transport, after, stop=stop)

    def send_message(self, xml: bytes, *, key: str | None = None) -> MessageAnswer:
        """Send an ISO 20022 message; the answer is a sese.024. Raises where there can be none."""
        reply = self._transport.post_bytes("/v1/iso20022/messages", xml, "application/xml", key=key)
        return answer_of(reply)

    def messages(self, after: int = 0, *, limit: int = PAGE) -> Iterator[Message]:
        """Messages for you behind number `after`, oldest first, up to the newest."""
        wanted = {"after": after, "limit": limit}
        for page in self._transport.pages("/v1/iso20022/messages", wanted, by="after"):
            yield from _list(Message, page["messages"])

    def message(self, number: int) -> bytes:
        """One message for you, as XML."""
        return self._transport.get(f"/v1/iso20022/messages/{number}").content

    # --------------------------------------------------------------------------- ways

    def _get(self, path: str) -> Any:  # noqa: ANN401  JSON
        return self._transport.get(path).json()

    def _post(self, path: str, document: object, key: str | None, **headers: str) -> Any:  # noqa: ANN401  JSON
        return self._transport.post(path, document, key=key, headers=headers).json()


def _wait(seconds: int) -> dict[str, str]:
    return {"Prefer": f"wait={seconds}"} if seconds else {}


def _list(kind: type[Record], documents: Iterable[object]) -> list[Record]:
    return [read(kind, one) for one in documents]
