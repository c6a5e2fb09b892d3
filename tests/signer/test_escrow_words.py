"""Each signed word about an escrow is one that the API takes; nothing is signed unread."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from settle.client import KeySigner
from settle.client.escrows import read_escrow
from settle.domain.errors import InvalidInput, Refused
from settle.domain.escrow.conditions import (
    BY_INSTANT,
    BY_ROUND,
    Feed,
    Not,
    Preimage,
    Reading,
    Settled,
)
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import EscrowTerms
from settle.domain.ids import Address, AssetId, to_hex
from settle.domain.instruction import OPTION_RECORD, Instruction, Leg, SigningDomain, instruction_id
from settle.domain.instruction_json import to_json
from settle.signer.escrow_journal import EscrowJournal
from settle.signer.escrow_review import review_escrow
from settle.signer.escrow_words import EscrowWords
from settle.store.database import open_database
from tests.api.escrow_talk import HOUR_S, PANEL_KEYS, REGISTER, opened, propose, send, terms_of
from tests.api.world import EURO, World

OFFICE = "0x" + "6f" * 20


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'settle.sqlite'}")
    made = World(database)
    with made.http:
        yield made
    database.close()


def words(world: World, terms: EscrowTerms, key: bytes) -> EscrowWords:
    return EscrowWords(terms, world.venue.domain, KeySigner(key))


def test_consent_and_withdrawal_are_taken(world: World) -> None:
    terms = terms_of(world)
    propose(world, terms)
    mine = words(world, terms, world.a.key)
    for message in (mine.consent(), mine.withdrawal()):
        answer = send(world, world.b, terms, message.document())
        assert answer.status_code == 200, answer.text
    with pytest.raises(Refused, match="does not sign") as refused:
        words(world, terms, world.c.key).consent()
    assert refused.value.code == "not_a_signer"


def test_evidence_split_dispute_and_ruling_are_taken(world: World) -> None:
    terms = opened(world, terms_of(world, panel=True))
    later = world.now + HOUR_S
    said = [
        words(world, terms, world.c.key).statement(0, observed_at=world.now),
        words(world, terms, world.a.key).split(0, [300], valid_by=later),
        words(world, terms, world.b.key).dispute(0, b"\5" * 32, valid_by=later),
        words(world, terms, PANEL_KEYS[1]).ruling(0, [300], reason="LATE", valid_by=later),
    ]
    for message in said:
        answer = send(world, world.a, terms, message.document())
        assert answer.status_code == 200, answer.text
    kinds = {one["kind"] for one in answer.json()["messages"]}
    assert kinds == {"evidence", "agreement", "dispute", "ruling"}
    assert said[3].place == 1


def test_a_reading_and_a_secret_are_taken(world: World) -> None:
    reading = Reading(
        signer=world.c.account,
        feed=b"price".ljust(32, b"\0"),
        kind=BY_INSTANT,
        at=world.now + 2 * HOUR_S,
        low=10,
        high=20,
    )
    terms = opened(world, terms_of(world, condition=reading))
    world.now += 2 * HOUR_S
    stated = words(world, terms, world.c.key).reading(0, 15, observed_at=world.now)
    assert send(world, world.a, terms, stated.document()).status_code == 200
    secret = b"\7" * 32
    lock = Preimage(digest=hashlib.sha256(secret).digest())
    locked = opened(world, terms_of(world, condition=lock))
    shown = words(world, locked, world.b.key).preimage(0, secret)
    assert send(world, world.b, locked, shown.document()).status_code == 200


def test_a_round_and_an_instruction_that_did_not_settle_are_taken(world: World) -> None:
    feed = Feed(contract=Address(b"\xfe" * 20), kind=BY_ROUND, at=9, low=1, high=2)
    asked = opened(world, terms_of(world, condition=feed))
    named = words(world, asked, world.b.key).round(0, 9)
    assert named.data == (9).to_bytes(10, "big"), "nobody but the chain looks at it"
    assert send(world, world.b, asked, named.document()).status_code == 200
    trade = trade_of(world)
    settled = Settled(instruction=instruction_id(trade, world.venue.domain))
    never = opened(world, terms_of(world, condition=Not(of=settled)))
    speaker = words(world, never, world.b.key)
    shown = speaker.unsettled(0, [replace(trade, nonce=8), trade])
    assert send(world, world.b, never, shown.document()).status_code == 200
    with pytest.raises(Refused, match="none of these instructions"):
        speaker.unsettled(0, [replace(trade, nonce=8)])
    with pytest.raises(Refused, match="asks for 0 rounds"):
        speaker.round(0, 9)
    only = terms_of(world, condition=settled)
    with pytest.raises(Refused, match="none of these instructions"):
        words(world, only, world.b.key).unsettled(0, [trade])


def trade_of(world: World) -> Instruction:
    """B's trade, in which A delivers a cent."""
    leg = Leg(
        asset=AssetId(EURO),
        deliverer=world.a.account,
        receiver=world.b.account,
        quantity=1,
    )
    return Instruction(
        initiator=world.b.account,
        nonce=7,
        settle_from=world.now,
        settle_by=world.now + HOUR_S,
        options=OPTION_RECORD,
        legs=(leg,),
    )


def test_who_is_not_asked_says_nothing(world: World) -> None:
    terms = terms_of(world, panel=True)
    stranger = words(world, terms, world.b.key)
    with pytest.raises(Refused, match="asks this account for 0"):
        stranger.statement(0, observed_at=world.now)
    with pytest.raises(Refused, match="no hash lock"):
        stranger.preimage(0, b"\7" * 32)
    with pytest.raises(Refused, match="no arbiter"):
        stranger.ruling(0, [1], reason="LATE", valid_by=world.now)
    with pytest.raises(InvalidInput, match="four letters"):
        words(world, terms, PANEL_KEYS[0]).ruling(0, [1], reason="TOO LONG", valid_by=world.now)


# ------------------------------------------------------------------------------ before signing


def document(world: World, *, quantity: str = "10.00", deadline: str = "2 days") -> str:
    return f"""
reference = "Order 7"
open_by = 2026-11-24T12:00:00Z

[accounts]
buyer = "{to_hex(world.a.account)}"
seller = "{to_hex(world.b.account)}"
office = "{OFFICE}"

[assets]
EUR = {{ number = {EURO}, decimals = 2 }}

[[milestones]]
name = "delivery"
deadline = "{deadline}"
when = {{ signed = {{ by = "office", statement = "delivered" }} }}

[[milestones.lines]]
asset = "EUR"
from = "buyer"
to = "seller"
quantity = "{quantity}"
if_met = "all"
by_default = "nothing"
if_unruled = "nothing"
"""


def reviewed(world: World, asked: str, mine: str, **changes: object) -> None:
    from settle.domain.escrow.reading import read_terms

    salt = b"\1" * 32
    made = propose(world, read_terms(asked, salt=salt, register=REGISTER).terms)
    told = {"is_json": False, "register": REGISTER, "domain": world.venue.domain, **changes}
    review_escrow(read_escrow(made), mine, **told)  # type: ignore[arg-type]


def test_a_draft_is_signed_only_if_it_is_what_the_own_document_says(world: World) -> None:
    own = document(world)
    reviewed(world, own, own)
    with pytest.raises(Refused, match=r"^lines: ") as refused:
        reviewed(world, document(world, quantity="10.01"), own)
    assert refused.value.code == "not_as_written"
    with pytest.raises(Refused, match=r"^deadlines: "):
        reviewed(world, document(world, deadline="3 days"), own)


def test_an_asset_is_what_the_chain_says_and_not_the_document(world: World) -> None:
    own = document(world)
    other = Register([AssetEntry(number=AssetId(EURO), code="USD", decimals=2)])
    with pytest.raises(InvalidInput):
        reviewed(world, own, own, register=other)


def test_the_id_is_hashed_under_the_own_deployment(world: World) -> None:
    own = document(world)
    elsewhere = SigningDomain(chain_id=1, verifying_contract=world.venue.domain.verifying_contract)
    with pytest.raises(Refused) as refused:
        reviewed(world, own, own, domain=elsewhere)
    assert refused.value.code == "another_id"


def test_terms_that_the_check_refuses_are_not_signed(world: World) -> None:
    lock = 'when = { preimage = "0x' + "ab" * 32 + '" }'
    own = document(world)
    start = own.index("when = ")
    own = own[:start] + lock + own[own.index("\n", start) :]
    with pytest.raises(Refused, match="hash lock") as refused:
        reviewed(world, own, own)
    assert refused.value.code == "escrow_refused"


def test_an_instruction_is_signed_over_only_with_its_own_terms_beside_it(world: World) -> None:
    trade = trade_of(world)
    name = to_hex(instruction_id(trade, world.venue.domain))
    own = document(world)
    start = own.index("when = ")
    own = own[:start] + f'when = {{ settled = "{name}" }}' + own[own.index("\n", start) :]
    told = json.loads(json.dumps(tomllib.loads(own), default=datetime.isoformat))
    with pytest.raises(Refused, match="instruction_unseen") as refused:
        reviewed(world, own, own)
    assert refused.value.code == "escrow_refused"
    told["instructions"] = [{"id": name, "instruction": to_json(replace(trade, nonce=8))}]
    with pytest.raises(Refused, match="instruction_another") as refused:
        reviewed(world, own, json.dumps(told), is_json=True)
    assert refused.value.code == "escrow_refused"
    told["instructions"] = [{"id": name, "instruction": to_json(trade)}]
    reviewed(world, own, json.dumps(told), is_json=True)


def test_one_draft_of_a_deal_is_live(tmp_path: Path) -> None:
    path, gone = tmp_path / "journal.db", {b"\1" * 32}
    told = {"open_by": 100, "written": "x", "is_withdrawn": gone.__contains__}
    with EscrowJournal(path) as journal:
        journal.begin(b"\1" * 32, "Order 7", now=10, **told)  # type: ignore[arg-type]
        journal.begin(b"\2" * 32, "Order 7", now=10, **told)  # type: ignore[arg-type]
        journal.begin(b"\2" * 32, "Order 7", now=10, **told)  # type: ignore[arg-type]
        journal.begin(b"\3" * 32, "Order 8", now=10, **told)  # type: ignore[arg-type]
    with EscrowJournal(path) as journal:
        for _ in range(2):  # a refusal leaves nothing behind
            with pytest.raises(Refused, match="Order 7") as refused:
                journal.begin(b"\4" * 32, "Order 7", now=99, **told)  # type: ignore[arg-type]
            assert refused.value.code == "another_draft"
        journal.begin(b"\4" * 32, "Order 7", now=100, **told)  # type: ignore[arg-type]
