"""With the operator dead, the people of an escrow open and end it on the chain by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from chain_engines import FUNDED_KEYS, mine
from chain_market import ACCOUNTS, EURO, KEYS, Market, build_market

from settle.chain.direct import DirectSender
from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine
from settle.client import KeySigner
from settle.client.escrows import EscrowMessage
from settle.domain.errors import Refused
from settle.domain.escrow.conditions import Condition, Never, Signed
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.program import write_program
from settle.domain.escrow.terms import EscrowLine, EscrowTerms
from settle.signer.alone import Done, any_node
from settle.signer.escrow_alone import AloneOnEscrow
from settle.signer.escrow_journal import EscrowJournal
from settle.signer.escrow_words import EscrowWords

HOUR_S, DAY_S = 3_600, 86_400
WITNESS_KEY, *ARBITER_KEYS = (bytes([n]) * 32 for n in range(41, 45))
DELIVERED = b"delivered".ljust(32, b"\0")
PROOF = Signed(signer=address_of(WITNESS_KEY), statement=DELIVERED)
SALTS = count(1)


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    market = build_market(engine)
    market.issue("BRAVO", EURO, 100_000)
    return market


@dataclass
class Deal:
    """BRAVO pays ALPHA 1,000 cents; a stranger with means, who has the bundle, sends the calls."""

    market: Market
    terms: EscrowTerms
    journal: EscrowJournal
    alone: AloneOnEscrow
    said: list[EscrowMessage] = field(default_factory=list)

    def words(self, key: bytes) -> EscrowWords:
        return EscrowWords(self.terms, self.market.deployment.domain, KeySigner(key))

    def act(self, *messages: EscrowMessage) -> Done:
        identity = self.words(WITNESS_KEY).id
        self.journal.keep(identity, self.terms, messages)
        return self.alone.act(*self.journal.bundle(identity))

    def open(self) -> Done:
        keys = [KEYS["ALPHA"], KEYS["BRAVO"]]
        keys += ARBITER_KEYS if self.terms.arbiters else []
        return self.act(*(self.words(key).consent() for key in keys))

    def end(self) -> tuple[Outcome, EndedBy | None, tuple[int, ...]]:
        record = self.alone.record(self.terms)
        assert record is not None
        [one] = record.milestones
        return one.outcome, one.ended_by, one.paid


Make = Callable[..., Deal]


@pytest.fixture
def make(market: Market, tmp_path: Path) -> Make:
    def deal(condition: Condition, *, panel: bool = False) -> Deal:
        now = market.now()
        line = EscrowLine(
            milestone=0,
            asset=EURO,
            depositor=ACCOUNTS["BRAVO"],
            beneficiary=ACCOUNTS["ALPHA"],
            quantity=1_000,
            if_met=1_000,
            by_default=0,
            if_unruled=500 if panel else 0,
        )
        terms = EscrowTerms(
            open_by=now + HOUR_S,
            lines=(line,),
            deadlines=(now + DAY_S,),
            program=write_program([condition]),
            arbiters=tuple(map(address_of, ARBITER_KEYS)) if panel else (),
            quorum=2 if panel else 0,
            answer_time=HOUR_S if panel else 0,
            salt=next(SALTS).to_bytes(32, "big"),
        )
        direct = DirectSender(
            node=market.node,
            profile=any_node(market.deployment.chain_id, confirmations=1),
            key=FUNDED_KEYS[0],
            pause=lambda: mine(market.node),
        )
        alone = AloneOnEscrow(deployment=market.deployment, direct=direct)
        return Deal(market, terms, EscrowJournal(tmp_path / "journal.db"), alone)

    return deal


def test_it_opens_and_ends_by_what_was_proved(make: Make) -> None:
    deal = make(PROOF)
    assert deal.open().verb == "openEscrow"
    with pytest.raises(Refused):
        deal.act()
    now = deal.market.now()
    forged = deal.words(WITNESS_KEY).statement(0, observed_at=now + DAY_S)
    with pytest.raises(Refused):
        deal.act(forged)
    done = deal.act(deal.words(WITNESS_KEY).statement(0, observed_at=now))
    assert done.verb == "endByCondition"
    assert deal.end() == (Outcome.RELEASED, EndedBy.CONDITION, (1_000,))
    with pytest.raises(Refused, match="nothing can be done now"):
        deal.act()


def test_it_ends_by_what_all_agree(make: Make) -> None:
    deal = make(Never())
    deal.open()
    later = deal.market.now() + HOUR_S
    with pytest.raises(Refused, match="nothing can be done now"):
        deal.act(deal.words(KEYS["ALPHA"]).split(0, [400], valid_by=later))
    assert deal.act(deal.words(KEYS["BRAVO"]).split(0, [400], valid_by=later)).verb == (
        "endByAgreement"
    )
    assert deal.end() == (Outcome.SPLIT, EndedBy.AGREEMENT, (400,))


def test_a_panel_is_asked_and_rules(make: Make) -> None:
    deal = make(PROOF, panel=True)
    deal.open()
    later = deal.market.now() + HOUR_S
    asked = deal.words(KEYS["BRAVO"]).dispute(0, b"\5" * 32, valid_by=later)
    assert deal.act(asked).verb == "openDispute"
    deal.market.node.rpc.call("evm_increaseTime", 2)  # a ruling comes after the dispute's second
    mine(deal.market.node)
    rulings = [
        deal.words(key).ruling(0, [250], reason="LATE", valid_by=later) for key in ARBITER_KEYS[:2]
    ]
    with pytest.raises(Refused):
        deal.act(rulings[0])
    assert deal.act(rulings[1]).verb == "endByRuling"
    assert deal.end() == (Outcome.SPLIT, EndedBy.PANEL, (250,))


def test_a_signature_taken_back_closes_it(make: Make, market: Market) -> None:
    deal = make(PROOF)
    with pytest.raises(Refused):
        deal.alone.withdraw(deal.terms)  # by a stranger
    taken_back = deal.words(KEYS["ALPHA"]).withdrawal()
    assert deal.act(taken_back).verb == "withdrawFromEscrow"
    with pytest.raises(Refused):
        deal.open()
    identity = deal.words(WITNESS_KEY).id
    block = market.node.head().number
    assert market.settlement.is_withdrawn_from_escrow(market.node, identity, block)


def test_silence_ends_it(make: Make) -> None:
    deal = make(PROOF)
    deal.open()
    deal.market.node.rpc.call("evm_increaseTime", DAY_S + HOUR_S)
    mine(deal.market.node)
    assert deal.act().verb == "endByDefault"
    assert deal.end() == (Outcome.REFUNDED, EndedBy.DEFAULT, (0,))
