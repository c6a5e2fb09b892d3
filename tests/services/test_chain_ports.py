"""The port ChainReader: the fake answers what a node with the real contracts answers."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from chain_engines import FUNDED_KEYS, RICH, ROOT, mine, profile_by_hand
from chain_market import ACCOUNTS, EURO, KEYS, SHARES, Market, build_market

from settle.chain.eip712 import address_of, sign
from settle.chain.engine import start_engine
from settle.chain.operator_chain import NodeReader
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import (
    Instruction,
    Leg,
    SigningDomain,
    accounts_of,
    instruction_id,
)
from settle.domain.ledger import AssetClass, Standing
from settle.services.chain_calls import SignedInstruction
from tests.fakes import FakeChain, FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settle.domain.reasons import Reason
    from settle.services.ports import ChainReader

NOW = 1_795_690_800
KEY_OF = {ACCOUNTS[name]: key for name, key in KEYS.items()}


@dataclass
class Asked:
    """A chain on which ALPHA has 1,000 shares and BRAVO 50,000 cents; CHARLIE is suspended."""

    reader: ChainReader
    domain: SigningDomain
    now: int
    nonce: int = field(default=100)

    def trade(self, shares: int, cents: int, buyer: str = "BRAVO", **changes: Any) -> Instruction:
        seller, payer = ACCOUNTS["ALPHA"], ACCOUNTS[buyer]
        self.nonce += 1
        terms = Instruction(
            initiator=seller,
            nonce=self.nonce,
            settle_from=self.now - 1_000,
            settle_by=self.now + 100_000,
            legs=(
                Leg(asset=SHARES, deliverer=seller, receiver=payer, quantity=shares),
                Leg(asset=EURO, deliverer=payer, receiver=seller, quantity=cents),
            ),
        )
        return replace(terms, **changes)

    def signed(self, terms: Instruction) -> SignedInstruction:
        digest = instruction_id(terms, self.domain)
        signatures = tuple(sign(digest, KEY_OF[account]) for account in accounts_of(terms))
        return SignedInstruction(instruction=terms, signatures=signatures)

    def why_not(self, request: SignedInstruction) -> tuple[Reason, ...]:
        [reasons] = self.reader.why_not([request])
        return reasons

    def codes(self, terms: Instruction) -> list[str]:
        return [reason.code for reason in self.why_not(self.signed(terms))]


def fake() -> Asked:
    chain = FakeChain(clock=FakeClock(NOW))
    chain.admit(*ACCOUNTS.values())
    chain.create("DE0007164600", AssetClass.SECURITY)
    chain.create("DE0001102580", AssetClass.SECURITY, 2)
    chain.create("EUR", AssetClass.CENTRAL_BANK_MONEY, 2)
    chain.issue(ACCOUNTS["ALPHA"], SHARES, 1_000)
    chain.issue(ACCOUNTS["BRAVO"], EURO, 50_000)
    chain.admit(ACCOUNTS["CHARLIE"], standing=Standing.SUSPENDED)
    return Asked(reader=chain, domain=chain.domain, now=NOW)


def real(market: Market) -> Asked:
    reader = NodeReader(
        node=market.node, deployment=market.deployment, profile=market.engine.profile
    )
    return Asked(reader=reader, domain=market.deployment.domain, now=market.now())


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    started = start_engine(
        profile_by_hand("tester"),
        tmp_path_factory.mktemp("tester"),
        root=ROOT,
        fund={address_of(key): RICH for key in FUNDED_KEYS},
    )
    made = build_market(started)
    made.issue("ALPHA", SHARES, 1_000)
    made.issue("BRAVO", EURO, 50_000)
    charlie = "R0MUWSFPU8MPRO8K5P83"
    made.desk.perform([made.desk.set_standing(charlie, Standing.SUSPENDED, b"TEST")])
    mine(made.node, 2)
    yield made
    started.stop()


@pytest.fixture(params=["fake", "node"])
def asked(request: pytest.FixtureRequest) -> Asked:
    return fake() if request.param == "fake" else real(request.getfixturevalue("market"))


def test_what_would_settle_has_no_reason(asked: Asked) -> None:
    assert asked.codes(asked.trade(1_000, 50_000)) == []


def test_all_reasons_come_at_once_with_their_values(asked: Asked) -> None:
    terms = asked.trade(1_001, 50_002)
    assert [
        (r.code, r.leg, r.who, r.needed, r.have) for r in asked.why_not(asked.signed(terms))
    ] == [
        ("LACK", 0, ACCOUNTS["ALPHA"], 1_001, 1_000),
        ("MONY", 1, ACCOUNTS["BRAVO"], 50_002, 50_000),
    ]


def test_consents_that_are_missing_or_of_others(asked: Asked) -> None:
    terms = asked.trade(1, 1)
    good = asked.signed(terms).signatures
    none = SignedInstruction(instruction=terms, signatures=(b"", b""))
    swapped = SignedInstruction(instruction=terms, signatures=good[::-1])
    garbage = SignedInstruction(instruction=terms, signatures=(good[0], b"\x01" * 65))
    assert [(r.code, r.leg) for r in asked.why_not(none)] == [("XCON", 0), ("XCON", 1)]
    assert [(r.code, r.leg) for r in asked.why_not(swapped)] == [("XBAD", 0), ("XBAD", 1)]
    assert [(r.code, r.leg) for r in asked.why_not(garbage)] == [("XBAD", 1)]


def test_time_and_standing(asked: Asked) -> None:
    assert asked.codes(asked.trade(1, 1, settle_from=asked.now + 50_000)) == ["FUTU"]
    assert asked.codes(asked.trade(1, 1, settle_by=asked.now - 500)) == ["ADEA"]
    assert asked.codes(asked.trade(1, 1, buyer="CHARLIE")) == ["XSUS", "MONY"]


def test_terms_that_never_settle(asked: Asked) -> None:
    assert asked.codes(asked.trade(1, 1, cycle=b"\x01" * 32)) == ["XCYC"]
    assert asked.codes(asked.trade(0, 1)) == ["XQTY"]


def test_many_are_answered_in_their_order(asked: Asked) -> None:
    trades = [asked.trade(1, 1), asked.trade(1_001, 1), asked.trade(1, 50_001)]
    answers = asked.reader.why_not([asked.signed(terms) for terms in trades])
    assert [[r.code for r in reasons] for reasons in answers] == [[], ["LACK"], ["MONY"]]
    assert list(asked.reader.why_not([])) == []


def test_a_key_is_no_wallet(asked: Asked) -> None:
    digest = b"\x07" * 32
    account = ACCOUNTS["ALPHA"]
    assert not asked.reader.accepts(account, digest, sign(digest, KEYS["ALPHA"]))
    assert not asked.reader.accepts(Address(b"\x09" * 20), digest, b"")


def test_assets_have_the_same_numbers() -> None:
    assert (AssetId(1), AssetId(3)) == (SHARES, EURO)
