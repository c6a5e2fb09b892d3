"""A venue with three participants and no chain behind it: what the API is tested on.

The database is real, keys and signatures are real; the rows that a follower would derive are
written by hand, and the chain's answers are given by the test.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Connection

from settle.api.app import create_app
from settle.api.context import ApiContext, Check, Receipts
from settle.api.event_watch import EventWatch
from settle.api.iso_names import IsoNames
from settle.api.metrics import Metrics
from settle.chain.eip712 import address_of, recover, sign
from settle.domain.ids import Address, Bic, InstructionId, Lei, lei_check_digits
from settle.domain.instruction import SigningDomain, cancellation_digest
from settle.domain.ledger import AssetClass, Standing
from settle.domain.reasons import Reason
from settle.services.chain_calls import SignedInstruction
from settle.services.chain_rows import AccountRow, AssetRow, HoldingRow
from settle.services.receipts import ReceiptBook
from settle.services.trade_numbers import TradeNumbers
from settle.services.trade_rows import OwnedAccount, ParticipantRow, Role
from settle.services.venue import Venue
from settle.settings import ApiSettings
from settle.signed_request import (
    Request,
    RequestSignature,
    body_digest,
    signing_digest,
    write_authorization,
)
from settle.store.alarms import Alarms
from settle.store.chain_tables import SqlFollowerStore
from settle.store.database import Database
from settle.store.receipts import ReceiptStore
from settle.store.trading import SqlTradingStore

BASE = "http://testserver"
NOW = 1_795_500_000  # 24 November 2026, 06:00 UTC
SHARE, BOND, EURO = 1, 2, 3
ISIN = "DE0007164600"


def lei(letter: str) -> Lei:
    base = "529900" + letter * 12
    return Lei(base + lei_check_digits(base))


def key_of(name: str) -> bytes:
    return name.encode().rjust(32, b"\1")


RECEIPT_KEY = key_of("signs receipts")


@dataclass
class Party:
    """Somebody with a key: a participant, the operator, the auditor, a stranger."""

    name: str
    key: bytes
    lei: Lei | None = None
    role: Role = Role.PARTICIPANT
    next_nonce: int = 0

    @property
    def account(self) -> Address:
        return address_of(self.key)


@dataclass
class ScriptedChain:
    """Answers as the test says."""

    reasons: tuple[Reason, ...] = ()
    cancelled: list[SignedInstruction] = field(default_factory=list)

    def why_not(self, requests: Sequence[SignedInstruction]) -> Sequence[tuple[Reason, ...]]:
        return [self.reasons for _ in requests]

    def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        return False

    def room(self, conn: Connection) -> int:
        return 1

    def settle_many(self, conn: Connection, batch: Sequence[SignedInstruction], *, gas: int) -> int:
        return 1

    def cancel(self, conn: Connection, instruction: SignedInstruction, *, valid_by: int) -> int:
        self.cancelled.append(instruction)
        return 1


class World:
    """The venue, its application, and signed requests by whomever a test names."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.now = NOW
        self.a = Party("alpha", key_of("alpha"), lei("A"))
        self.b = Party("bravo", key_of("bravo"), lei("B"))
        self.c = Party("charlie", key_of("charlie"), lei("C"))
        self.operator = Party("operator", key_of("operator"), role=Role.OPERATOR)
        self.auditor = Party("auditor", key_of("auditor"), role=Role.AUDITOR)
        self.stranger = Party("stranger", key_of("stranger"))
        self.database = database
        domain = SigningDomain(chain_id=20_226_002, verifying_contract=Address(b"\x5f" * 20))
        self.book = ReceiptBook(
            key=address_of(RECEIPT_KEY),
            domain=domain,
            sign=lambda digest: sign(digest, RECEIPT_KEY),
        )
        self.store = SqlTradingStore(self.book)
        self.chain = ScriptedChain()
        self.checks: list[Check] = []
        self.venue = Venue(
            database=database,
            store=self.store,
            alarms=Alarms(),
            chain=self.chain,
            outgoing=self.chain,
            recover=recover,
            clock=lambda: self.now,
            new_id=TradeNumbers(secrets.token_bytes),
            domain=domain,
        )
        self.watch = EventWatch(self._last_numbers, idle_s=0.2)
        self.context = ApiContext(
            database=database,
            venue=self.venue,
            settings=ApiSettings(
                **{
                    "operator_keys": frozenset({"0x" + self.operator.account.hex()}),
                    "auditor_keys": frozenset({"0x" + self.auditor.account.hex()}),
                    **settings,
                }
            ),
            audiences=(BASE,),
            watch=self.watch,
            metrics=Metrics(),
            followed=SqlFollowerStore(),
            iso_names=IsoNames(),
            receipts=Receipts(book=self.book, store=ReceiptStore()),
            checks=lambda: self.checks,
            on_commit=self.watch.ring,
        )
        self.app: FastAPI = create_app(self.context)
        self.http: httpx2.Client = TestClient(self.app, base_url=BASE)
        self._fill()

    def _last_numbers(self, viewers: Any) -> dict[Lei | None, int]:
        with self.database.reading() as conn:
            return {one: self.store.last_event(conn, viewer=one) for one in viewers}

    def _fill(self) -> None:
        followed = SqlFollowerStore()
        with self.database.transaction() as conn:
            for number, party in enumerate((self.a, self.b, self.c)):
                assert party.lei is not None
                row = ParticipantRow(
                    lei=party.lei,
                    bic=Bic(f"{party.name[:4].upper()}DEFFXXX"),
                    name=party.name,
                    role=Role.PARTICIPANT,
                    participant_class=1,
                    created_at=NOW,
                )
                self.store.put_participants(conn, [row])
                account = OwnedAccount(
                    address=party.account, lei=party.lei, position=0, created_at=NOW
                )
                self.store.put_accounts(conn, [account])
                standing = AccountRow(
                    account=party.account,
                    standing=Standing.ADMITTED,
                    account_class=1,
                    frozen=False,
                )
                holdings = [
                    HoldingRow(account=party.account, asset=asset, available=10**9, held=number)
                    for asset in (SHARE, EURO)
                ]
                followed.put_derived(conn, [standing, *holdings], undo_block=None)
            assets = [
                AssetRow(
                    asset=number,
                    asset_class=kind,
                    decimals=decimals,
                    code=code,
                    issuer=bytes(20),
                    frozen=False,
                )
                for number, kind, decimals, code in (
                    (SHARE, AssetClass.SECURITY, 0, ISIN),
                    (BOND, AssetClass.SECURITY, 0, "US0378331005"),
                    (EURO, AssetClass.CENTRAL_BANK_MONEY, 2, "EUR"),
                )
            ]
            followed.put_derived(conn, assets, undo_block=None)

    # ----------------------------------------------------------------------- requests

    def sign(
        self,
        party: Party,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        audience: str = BASE,
        expires: int | None = None,
        nonce: str | None = None,
        key: str = "",
        if_match: str = "",
    ) -> str:
        """The Authorization header of a request."""
        request = Request(
            audience=audience,
            method=method,
            target=target,
            body_digest=body_digest(body),
            idempotency_key=key,
            if_match=if_match,
        )
        expires = self.now + 60 if expires is None else expires
        nonce = nonce or secrets.token_hex(16)
        signature = sign(signing_digest(request, expires, nonce), party.key)
        return write_authorization(
            RequestSignature(key=party.account, expires=expires, nonce=nonce, signature=signature)
        )

    def get(self, party: Party, target: str, **headers: str) -> httpx2.Response:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = self.sign(party, "GET", target)
        return self.http.get(target, headers={"Authorization": authorization, **headers})

    def post(
        self,
        party: Party,
        target: str,
        document: Any = None,
        *,
        key: str | None = None,
        content: bytes | None = None,
        media_type: str = "application/json",
        **headers: str,
    ) -> httpx2.Response:
        sent, body = self.headers(
            party, target, document, key=key, content=content, media_type=media_type, **headers
        )
        return self.http.post(target, content=body, headers=sent)

    def headers(
        self,
        party: Party,
        target: str,
        document: Any = None,
        *,
        key: str | None = None,
        content: bytes | None = None,
        media_type: str = "application/json",
        **headers: str,
    ) -> tuple[dict[str, str], bytes]:
        """The headers of a signed POST, and its body."""
        body = content if content is not None else json.dumps(document).encode()
        key = key or secrets.token_hex(8)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = self.sign(
            party, "POST", target, body, key=key, if_match=headers.get("If-Match", "")
        )
        sent = {
            "Authorization": authorization,
            "Idempotency-Key": key,
            "Content-Type": media_type,
            **headers,
        }
        return sent, body

    # ------------------------------------------------------------------------- trades

    def side(self, party: Party, other: Party, *, delivers: bool, **changes: Any) -> dict[str, Any]:
        """What a party states: 500 shares for 28,100 euro."""
        party.next_nonce += 1
        deliverer, receiver = (party, other) if delivers else (other, party)
        return {
            "reference": f"{party.name}-{party.next_nonce}",
            "movement": "DELI" if delivers else "RECE",
            "payment": "APMT",
            "isin": ISIN,
            "quantity": "500",
            "currency": "EUR",
            "amount": "2810000",
            "trade_date": "2026-11-24",
            "settlement_date": "2026-11-26",
            "delivering_party": deliverer.lei,
            "receiving_party": receiver.lei,
            "nonce": str(party.next_nonce),
            **changes,
        }

    def submit(self, party: Party, other: Party, *, delivers: bool, **changes: Any) -> Any:
        answer = self.post(
            party, "/v1/trades", self.side(party, other, delivers=delivers, **changes)
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def matched(self, **changes: Any) -> Any:
        """A trade of A and B that has matched, as B was told of it."""
        self.submit(self.a, self.b, delivers=True, **changes)
        found = self.submit(self.b, self.a, delivers=False, **changes)
        assert found["status"] == "Matched", found
        return found

    def consent(self, party: Party, digest: str) -> httpx2.Response:
        signature = "0x" + sign(bytes.fromhex(digest[2:]), party.key).hex()
        return self.post(party, f"/v1/instructions/{digest}/signature", {"signature": signature})

    def affirmed(self) -> Any:
        found = self.matched()
        for party in (self.a, self.b):
            answer = self.consent(party, found["digest"])
            assert answer.status_code == 200, answer.text
        return answer.json()

    def cancellation(self, party: Party, digest: str, valid_by: int) -> dict[str, str]:
        of_it = cancellation_digest(
            party.account,
            InstructionId(bytes.fromhex(digest[2:])),
            self.venue.domain,
            valid_by=valid_by,
        )
        return {"valid_by": str(valid_by), "signature": "0x" + sign(of_it, party.key).hex()}

    def settle(self, trade_id: str) -> None:
        """Let the trade be settled, as a final block would."""
        from settle.domain.ids import TradeId
        from settle.domain.status import SettledOnChain
        from settle.services.changes import Changes

        number = TradeId(trade_id)
        with self.database.transaction() as conn:
            changes = Changes(self.store.trades(conn, [number]).values())
            changes.change(number, SettledOnChain(at=self.now, block=7))
            changes.save(self.store, conn)
        self.context.watch.ring()


def wait_for(condition: Any, seconds: float = 5.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
