"""Escrows live on a real chain: proposed, signed, opened, ended, all but the signing by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest

from settle.chain.eip712 import address_of, sign
from settle.chain.rpc import Rpc
from settle.domain.chain_errors import Reverted
from settle.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from settle.domain.escrow.conditions import Condition, Never, Signed
from settle.domain.escrow.evidence import signed_evidence
from settle.domain.escrow.program import write_program
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import (
    EscrowLine,
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_id,
    escrow_withdrawal_digest,
    ruling_digest,
    split_digest,
)
from settle.domain.escrow.wording import with_text
from settle.domain.ids import Lei
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind
from settle.services.message_escrow import Message, accept_message, check_message
from settle.services.propose_escrow import propose_escrow
from tests.api.stage import EUR, EURO, Bank, Stage, set_stage
from tests.api.test_operator import Clients, Running
from tests.api.world import wait_for

HOUR_S, DAY_S = 3_600, 86_400
SALTS = count(1)
ORACLE_KEY, STRANGER_KEY, *ARBITER_KEYS = (bytes([n]) * 32 for n in range(21, 26))
ORACLE = address_of(ORACLE_KEY)
ARBITERS = tuple(address_of(key) for key in ARBITER_KEYS)
DELIVERED = b"delivered".ljust(32, b"\0")
REGISTER = Register([AssetEntry(number=EURO, code=EUR, decimals=2)])


class Parties:
    """What the people of escrows do, with their keys."""

    def __init__(self, stage: Stage, running: Running) -> None:
        self.stage = stage
        self.venue = running.operator.venue
        self.domain = self.venue.domain

    def terms(self, condition: Condition, *, panel: bool = False) -> EscrowTerms:
        """The buyer pays the seller 1,000 cents if the condition holds; else they go back."""
        now = self.now()
        terms = EscrowTerms(
            open_by=now + HOUR_S,
            lines=(
                EscrowLine(
                    milestone=0,
                    asset=EURO,
                    depositor=self.stage.buyer.account,
                    beneficiary=self.stage.seller.account,
                    quantity=1_000,
                    if_met=1_000,
                    by_default=0,
                    if_unruled=500,
                ),
            ),
            deadlines=(now + DAY_S,),
            program=write_program([condition]),
            salt=next(SALTS).to_bytes(32, "big"),
        )
        if panel:
            terms = replace(terms, arbiters=ARBITERS, quorum=2, answer_time=HOUR_S)
        return with_text(terms, REGISTER)

    def now(self) -> int:
        with self.venue.database.reading() as conn:
            head = self.venue.store.final_head(conn)
        return max(int(time.time()), head[1] if head else 0)

    def propose(self, terms: EscrowTerms, by: Bank) -> EscrowRow:
        with self.venue.database.transaction() as conn:
            return propose_escrow(self.venue, conn, by.lei, terms, self.now())[0]

    def send(self, terms: EscrowTerms, caller: Lei, message: Message) -> EscrowRow:
        escrow = escrow_id(terms, self.domain)
        checked = check_message(self.venue, caller, escrow, message, self.now())
        with self.venue.database.transaction() as conn:
            return accept_message(self.venue, conn, checked, self.now())

    def sign(self, terms: EscrowTerms, *keys: bytes) -> None:
        for key in keys:
            signature = sign(escrow_id(terms, self.domain), key)
            message = Message(kind=MessageKind.CONSENT, signature=signature)
            self.send(terms, self.stage.buyer.lei, message)

    def row(self, terms: EscrowTerms) -> EscrowRow:
        with self.venue.database.reading() as conn:
            found = self.venue.store.escrow(conn, escrow_id(terms, self.domain))
        assert found is not None
        return found

    def becomes(self, terms: EscrowTerms, status: EscrowStatus) -> None:
        wait_for(lambda: self.row(terms).status is status, 30)

    def open(self, terms: EscrowTerms, *arbiters: bytes) -> EscrowTerms:
        self.propose(terms, self.stage.buyer)
        self.sign(terms, self.stage.buyer.key, self.stage.seller.key, *arbiters)
        self.becomes(terms, EscrowStatus.OPEN)
        return terms

    def attested(self, terms: EscrowTerms, key: bytes) -> bytes:
        at = self.now()
        digest = attestation_digest(
            escrow_id(terms, self.domain),
            0,
            ORACLE,
            DELIVERED,
            observed_at=at,
            domain=self.domain,
        )
        return signed_evidence(at, sign(digest, key))

    def held(self) -> tuple[int, int]:
        with self.venue.database.reading() as conn:
            key = (self.stage.buyer.account, EURO)
            row = self.venue.store.holdings_at(conn, [key])[key]  # type: ignore[list-item,index]
        return row.available, row.held

    def travel(self, seconds: int) -> None:
        Rpc(self.stage.chain.engine.url).call("evm_increaseTime", seconds)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = set_stage(tmp_path_factory.mktemp("escrows"), "anvil")
    yield made
    made.chain.engine.stop()


@pytest.fixture(scope="module")
def running(stage: Stage) -> Iterator[Running]:
    made, clients = Running(stage), Clients()
    wait_for(clients(made.url).is_ready, 30)
    stage.enter(made.url)
    yield made
    clients.close()
    made.stop()


@pytest.fixture
def parties(stage: Stage, running: Running) -> Parties:
    return Parties(stage, running)


PROOF = Signed(signer=ORACLE, statement=DELIVERED)


def test_a_proof_of_delivery_pays_the_seller(parties: Parties) -> None:
    available, held = parties.held()
    terms = parties.open(parties.terms(PROOF))
    assert parties.held() == (available - 1_000, held + 1_000)
    evidence = Message(kind=MessageKind.EVIDENCE, data=parties.attested(terms, ORACLE_KEY))
    parties.send(terms, parties.stage.seller.lei, evidence)
    parties.becomes(terms, EscrowStatus.ENDED)
    assert parties.held() == (available - 1_000, held)


def test_what_all_agree_ends_it(parties: Parties) -> None:
    available, held = parties.held()
    terms = parties.open(parties.terms(Never()))
    valid_by = parties.now() + HOUR_S
    for party in (parties.stage.buyer, parties.stage.seller):
        digest = split_digest(
            escrow_id(terms, parties.domain),
            0,
            party.account,  # type: ignore[arg-type]
            [250],
            valid_by=valid_by,
            domain=parties.domain,
        )
        message = Message(
            kind=MessageKind.AGREEMENT,
            author=party.account,  # type: ignore[arg-type]
            paid=(250,),
            valid_by=valid_by,
            signature=sign(digest, party.key),
        )
        parties.send(terms, party.lei, message)
    parties.becomes(terms, EscrowStatus.ENDED)
    assert parties.held() == (available - 250, held)


def test_the_panel_rules_a_dispute(parties: Parties) -> None:
    available, held = parties.held()
    terms = parties.open(parties.terms(Never(), panel=True), *ARBITER_KEYS)
    buyer, valid_by = parties.stage.buyer, parties.now() + HOUR_S
    identity, file = escrow_id(terms, parties.domain), b"\xee" * 32
    dispute = Message(
        kind=MessageKind.DISPUTE,
        author=buyer.account,  # type: ignore[arg-type]
        data=file,
        valid_by=valid_by,
        signature=sign(
            dispute_digest(
                *(identity, 0, buyer.account, file),  # type: ignore[arg-type]
                valid_by=valid_by,
                domain=parties.domain,
            ),
            buyer.key,
        ),
    )
    parties.send(terms, buyer.lei, dispute)
    for place in (0, 2):
        digest = ruling_digest(
            *(identity, 0, ARBITERS[place], [400]),
            reason=b"DOCS",
            valid_by=valid_by,
            domain=parties.domain,
        )
        ruling = Message(
            kind=MessageKind.RULING,
            place=place,
            paid=(400,),
            data=b"DOCS",
            valid_by=valid_by,
            signature=sign(digest, ARBITER_KEYS[place]),
        )
        parties.send(terms, buyer.lei, ruling)
    parties.becomes(terms, EscrowStatus.ENDED)
    assert parties.held() == (available - 400, held)


def test_a_signature_taken_back_closes_it_for_good(parties: Parties) -> None:
    terms, seller = parties.terms(PROOF), parties.stage.seller
    parties.propose(terms, parties.stage.buyer)
    digest = escrow_withdrawal_digest(
        seller.account,  # type: ignore[arg-type]
        escrow_id(terms, parties.domain),
        parties.domain,
    )
    message = Message(
        kind=MessageKind.WITHDRAWAL,
        author=seller.account,  # type: ignore[arg-type]
        signature=sign(digest, seller.key),
    )
    parties.send(terms, seller.lei, message)
    parties.becomes(terms, EscrowStatus.WITHDRAWN)
    with pytest.raises(Conflict):
        parties.sign(terms, parties.stage.buyer.key)


def test_silence_gives_it_back(parties: Parties) -> None:
    available, held = parties.held()
    terms = parties.open(parties.terms(PROOF))
    unsigned = parties.terms(PROOF)
    parties.propose(unsigned, parties.stage.buyer)
    parties.travel(DAY_S + HOUR_S)
    parties.becomes(terms, EscrowStatus.ENDED)
    assert parties.held() == (available, held)
    parties.becomes(unsigned, EscrowStatus.LAPSED)


def _refusals() -> list[tuple[str, Callable[[Parties, EscrowTerms], Message], type[Exception]]]:
    forged = Message(kind=MessageKind.CONSENT, signature=b"\1" * 65)
    return [
        ("a consent after the opening", lambda _p, _t: forged, Conflict),
        (
            "a statement of a stranger",
            lambda p, t: Message(kind=MessageKind.EVIDENCE, data=p.attested(t, STRANGER_KEY)),
            Reverted,
        ),
        (
            "evidence for no leaf",
            lambda p, t: Message(
                kind=MessageKind.EVIDENCE, place=1, data=p.attested(t, ORACLE_KEY)
            ),
            InvalidInput,
        ),
        (
            "a milestone that is not there",
            lambda _p, _t: Message(kind=MessageKind.EVIDENCE, milestone=1),
            InvalidInput,
        ),
        (
            "a split of more than is held",
            lambda p, _t: Message(
                kind=MessageKind.AGREEMENT,
                author=p.stage.buyer.account,  # type: ignore[arg-type]
                paid=(1_001,),
                valid_by=p.now() + 9,
            ),
            InvalidInput,
        ),
        (
            "a split of one's own making",
            lambda p, _t: Message(
                kind=MessageKind.AGREEMENT,
                author=p.stage.buyer.account,  # type: ignore[arg-type]
                paid=(1,),
                valid_by=p.now() + 9,
                signature=b"\1" * 65,
            ),
            Forbidden,
        ),
        (
            "a dispute without a panel",
            lambda p, _t: Message(
                kind=MessageKind.DISPUTE,
                author=p.stage.buyer.account,  # type: ignore[arg-type]
                valid_by=p.now() + 9,
            ),
            InvalidInput,
        ),
        (
            "a ruling without a panel",
            lambda p, _t: Message(kind=MessageKind.RULING, paid=(1,), valid_by=p.now() + 9),
            InvalidInput,
        ),
    ]


def test_what_is_not_good_is_refused_and_changes_nothing(parties: Parties) -> None:
    terms = parties.open(parties.terms(PROOF))
    for what, make, error in _refusals():
        with pytest.raises(error):
            parties.send(terms, parties.stage.buyer.lei, make(parties, terms))
        with parties.venue.database.reading() as conn:
            kept = parties.venue.store.messages(conn, escrow_id(terms, parties.domain))
        assert {one.kind for one in kept} == {MessageKind.CONSENT}, what


def test_terms_are_refused_whole(parties: Parties) -> None:
    terms = parties.terms(PROOF)
    with pytest.raises(InvalidInput, match="text"):
        parties.propose(replace(terms, text=bytes(32)), parties.stage.buyer)
    with pytest.raises(Reverted):
        parties.propose(
            with_text(replace(terms, open_by=parties.now() - 1), REGISTER), parties.stage.buyer
        )
    with pytest.raises(Forbidden), parties.venue.database.transaction() as conn:
        propose_escrow(parties.venue, conn, Lei("5299000000000000ZZ00"), terms, parties.now())
    with pytest.raises(NotFound):
        parties.sign(terms, parties.stage.buyer.key)
