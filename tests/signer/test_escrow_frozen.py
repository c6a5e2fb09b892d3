"""Payments that wait behind a freeze, taken further by `settle escrow alone`: nobody operates."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from chain_engines import FUNDED_KEYS, mine
from chain_market import ACCOUNTS, EURO, KEYS, LEIS, SHARES, Market, build_market

from settle.chain.deployment import save_deployment
from settle.chain.direct import Order
from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine
from settle.chain.keystore import save_key
from settle.client import KeySigner
from settle.client.escrows import EscrowMessage
from settle.domain.escrow.conditions import Signed
from settle.domain.escrow.program import write_program
from settle.domain.escrow.terms import MAX_WAIT, EscrowLine, EscrowTerms
from settle.domain.ids import to_hex
from settle.domain.ledger import Holding
from settle.signer.escrow_journal import EscrowJournal
from settle.signer.escrow_words import EscrowWords
from tests.cli.conftest import Settle, settle

__all__ = ["settle"]

HOUR_S, DAY_S = 3_600, 86_400
WITNESS_KEY = bytes([41]) * 32
PROOF = Signed(signer=address_of(WITNESS_KEY), statement=b"delivered".ljust(32, b"\0"))
REASON = b"COUR"
SALTS = count(1)
_CHEAP = 2
"""Work of the keystores' scrypt: these keys guard nothing."""


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    market = build_market(engine)
    market.issue("BRAVO", EURO, 100_000)
    market.issue("ALPHA", SHARES, 100)
    means = [
        Order(to=ACCOUNTS[name], data=b"", gas=21_000, what="means", value=10**18)
        for name in ("ALPHA", "BRAVO")
    ]
    market.direct.send_all(means)
    return market


@contextmanager
def mined(market: Market) -> Iterator[None]:
    """Blocks come by themselves, as they do where a command is run."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.05):
            mine(market.node)

    miner = threading.Thread(target=go_on)
    miner.start()
    try:
        yield
    finally:
        over.set()
        miner.join()


@dataclass
class Deal:
    """BRAVO pays 1,000 cents; where it is an exchange, ALPHA gives 10 shares at the same time."""

    market: Market
    terms: EscrowTerms
    folder: Path
    settle: Settle

    def words(self, key: bytes) -> EscrowWords:
        return EscrowWords(self.terms, self.market.deployment.domain, KeySigner(key))

    def alone(self, who: str, *options: str, code: int = 0) -> Any:
        """Run the command as somebody who has the bundle, a node and the deployment file."""
        with mined(self.market):
            return self.settle(
                *("escrow", "alone", to_hex(self.words(WITNESS_KEY).id), "--json"),
                *("-p", self.folder / f"{who}.toml", *options),
                code=code,
            ).json()

    def refused(self, who: str, *options: str) -> str:
        return str(self.alone(who, *options, code=1)["error"]["code"])

    def keep(self, *messages: EscrowMessage) -> None:
        with EscrowJournal(self.folder / "journal.db") as journal:
            journal.keep(self.words(WITNESS_KEY).id, self.terms, messages)

    def open(self) -> None:
        self.keep(*(self.words(KEYS[name]).consent() for name in ("ALPHA", "BRAVO")))
        assert self.alone("stranger")["verb"] == "openEscrow"

    def end(self) -> None:
        """The witness states what it saw, and a stranger shows it."""
        now = self.market.now()
        self.keep(self.words(WITNESS_KEY).statement(0, observed_at=now))
        assert self.alone("stranger")["verb"] == "endByCondition"

    def holdings(self) -> list[Holding]:
        """Of ALPHA and BRAVO: euro, then shares."""
        keys = [(ACCOUNTS[name], asset) for asset in (EURO, SHARES) for name in ("ALPHA", "BRAVO")]
        node = self.market.node
        return self.market.settlement.holdings(node, keys, node.head().number)

    def euro(self) -> list[tuple[int, int]]:
        return [(one.available, one.held) for one in self.holdings()[:2]]

    def travel(self, seconds: int) -> None:
        self.market.node.rpc.call("evm_increaseTime", seconds)
        mine(self.market.node)


Make = Callable[..., Deal]


@pytest.fixture
def make(market: Market, tmp_path: Path, settle: Settle) -> Make:
    save_deployment(market.deployment, tmp_path / "deployment.json")
    (tmp_path / "password").write_text("x")
    (tmp_path / "password").chmod(0o600)
    for who, key in (("stranger", FUNDED_KEYS[0]), *KEYS.items()):
        save_key(tmp_path / f"{who}.json", key, "x", work=_CHEAP)
        (tmp_path / f"{who}.toml").write_text(f"""
api = "http://127.0.0.1:1"
lei = "{LEIS[0]}"
keystore = "{who}.json"
password_file = "password"
journal = "journal.db"
rpc = "{market.engine.url}"
deployment = "deployment.json"
""")

    def deal(*, exchange: bool = False) -> Deal:
        now = market.now()
        quantities = [(EURO, "BRAVO", "ALPHA", 1_000)]
        quantities += [(SHARES, "ALPHA", "BRAVO", 10)] if exchange else []
        lines = tuple(
            EscrowLine(
                milestone=0,
                asset=asset,
                depositor=ACCOUNTS[gives],
                beneficiary=ACCOUNTS[gets],
                quantity=quantity,
                if_met=quantity,
                by_default=0,
                if_unruled=0,
            )
            for asset, gives, gets, quantity in quantities
        )
        terms = EscrowTerms(
            open_by=now + HOUR_S,
            lines=lines,
            deadlines=(now + DAY_S,),
            program=write_program([PROOF]),
            salt=next(SALTS).to_bytes(32, "big"),
        )
        return Deal(market, terms, tmp_path, settle)

    return deal


Freeze = Callable[[bool], None]


def freezes(market: Market, what: str) -> Freeze:
    def account(frozen: bool) -> None:
        market.desk.perform([market.desk.freeze_account(ACCOUNTS["BRAVO"], REASON, frozen=frozen)])

    def asset(frozen: bool) -> None:
        market.desk.perform([market.desk.freeze_asset(EURO, REASON, frozen=frozen)])

    return account if what == "giver" else asset


@contextmanager
def frozen(market: Market, what: str) -> Iterator[Freeze]:
    freeze = freezes(market, what)
    freeze(True)
    try:
        yield freeze
    finally:
        freeze(False)


@pytest.mark.parametrize("what", ["giver", "asset"])
def test_what_waited_is_paid_by_anybody_once_the_freeze_is_over(make: Make, what: str) -> None:
    deal = make()
    deal.open()
    [receiver, (free, held)] = deal.euro()
    assert held == 1_000
    with frozen(deal.market, what) as freeze:
        deal.end()
        assert deal.euro() == [receiver, (free, 1_000)], "decided, and still held"
        for who in ("stranger", "ALPHA", "BRAVO"):
            assert deal.refused(who) == "payments_frozen"
        freeze(False)
        assert deal.alone("stranger")["verb"] == "payOut"
    assert deal.euro() == [(receiver[0] + 1_000, 0), (free, 0)]
    assert deal.refused("ALPHA") == "nothing_to_do"


def test_a_frozen_receiver_is_paid_at_once(make: Make) -> None:
    deal = make()
    deal.open()
    [receiver, (free, _)] = deal.euro()
    desk = deal.market.desk
    desk.perform([desk.freeze_account(ACCOUNTS["ALPHA"], REASON)])
    try:
        deal.end()
        assert deal.euro() == [(receiver[0] + 1_000, 0), (free, 0)]
        assert deal.refused("stranger") == "nothing_to_do"
    finally:
        desk.perform([desk.freeze_account(ACCOUNTS["ALPHA"], REASON, frozen=False)])


@pytest.mark.parametrize("what", ["giver", "asset"])
def test_who_is_shut_in_has_all_returned_after_thirty_days(make: Make, what: str) -> None:
    deal = make(exchange=True)
    before = deal.holdings()
    deal.open()
    with frozen(deal.market, what):
        deal.end()
        waiting = deal.holdings()
        assert [one.held for one in waiting] == [0, 1_000, 10, 0]
        deal.travel(MAX_WAIT - HOUR_S)
        assert deal.refused("ALPHA", "--give-up") == "too_early_to_give_up"
        deal.travel(HOUR_S)
        assert deal.refused("stranger", "--give-up") == "not_a_party"
        assert deal.refused("BRAVO", "--give-up") == "payments_frozen", "the cause of the wait"
        assert deal.refused("ALPHA") == "payments_frozen", "not asked for, nothing is given up"
        assert deal.holdings() == waiting
        assert deal.alone("ALPHA", "--give-up")["verb"] == "giveUpPayments"
        assert deal.holdings() == before, "everybody has what was there before the opening"
        assert deal.refused("ALPHA", "--give-up") == "nothing_to_do"
    assert deal.refused("stranger") == "nothing_to_do"


def test_nothing_is_given_up_that_can_be_paid(make: Make) -> None:
    deal = make(exchange=True)
    before = deal.holdings()
    deal.open()
    with frozen(deal.market, "giver"):
        deal.end()
        deal.travel(MAX_WAIT)
    assert deal.refused("ALPHA", "--give-up") == "payments_not_frozen"
    assert deal.alone("stranger")["verb"] == "payOut"
    after = deal.holdings()
    moved = [now.balance - then.balance for now, then in zip(after, before, strict=True)]
    assert moved == [1_000, -1_000, -10, 10]
    assert [one.held for one in after] == [0, 0, 0, 0]


def test_a_single_depositor_does_not_give_up_what_it_owes(make: Make) -> None:
    deal = make()
    before = deal.holdings()
    deal.open()
    with frozen(deal.market, "asset"):
        deal.end()
        deal.travel(MAX_WAIT + DAY_S)
        for who, code in (
            ("BRAVO", "payments_frozen"),
            ("ALPHA", "not_a_party"),
            ("stranger", "not_a_party"),
        ):
            assert deal.refused(who, "--give-up") == code
    assert deal.alone("stranger")["verb"] == "payOut"
    assert deal.holdings()[0].balance == before[0].balance + 1_000


def test_a_command_does_one_thing(make: Make) -> None:
    deal = make()
    deal.keep()
    told = deal.alone("ALPHA", "--withdraw", "--give-up", code=2)
    assert told["error"]["code"] == "one_act"
