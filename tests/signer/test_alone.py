"""With the operator dead, a participant takes its own trade to the chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chain_engines import FUNDED_KEYS, mine
from chain_market import ACCOUNTS, EURO, KEYS, SHARES, Market, build_market

from settle.chain.direct import DirectSender, Order
from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine
from settle.chain.signing import UnsignedTransaction, sign_transaction
from settle.domain.errors import Broken, InvalidInput, NotFound, Refused, Unavailable
from settle.domain.instruction import Instruction, instruction_id
from settle.domain.ledger import NonceState
from settle.signer.alone import Alone, any_node
from settle.signer.journal import Consent, Journal
from tests.signer.test_review import SIDE

WEI = 10**18


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    market = build_market(engine)
    give_means(market, "ALPHA", "BRAVO")
    return market


def give_means(market: Market, *names: str) -> None:
    """Send what gas costs to accounts that have no means of their own."""
    node = market.node
    for name in names:
        head = node.head()
        transaction = UnsignedTransaction(
            chain_id=node.chain_id(),
            nonce=node.nonce(address_of(FUNDED_KEYS[0]), head.number),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=2 * head.base_fee + 1,
            gas=21_000,
            to=ACCOUNTS[name],
            data=b"",
            value=WEI,
        )
        assert node.broadcast([sign_transaction(transaction, FUNDED_KEYS[0]).raw]) == [None]
        mine(node)


@dataclass
class Ours:
    """A participant of the market with its journal and its way to the chain."""

    market: Market
    name: str
    journal: Journal
    alone: Alone

    def sign(self, reference: str, terms: Instruction, *, bundle: bool = True) -> None:
        digest = instruction_id(terms, self.market.deployment.domain)
        self.journal.instruct([replace(SIDE, reference=reference)])
        signatures = self.market.signatures(terms)
        consent = Consent(reference=reference, digest=digest, terms=terms, signature=signatures[0])
        assert self.journal.record([consent]) == {}
        if bundle:
            self.journal.keep_bundle(digest, signatures)

    def nonce_state(self, terms: Instruction) -> NonceState:
        market, block = self.market, self.market.node.head().number
        keys = [(terms.initiator, terms.nonce)]
        return market.settlement.nonce_states(market.node, keys, block)[0]


def ours(market: Market, name: str, folder: Path) -> Ours:
    direct = DirectSender(
        node=market.node,
        profile=any_node(market.deployment.chain_id, confirmations=1),
        key=KEYS[name],
        pause=lambda: mine(market.node),
    )
    journal = Journal(folder / f"{name}.db")
    alone = Alone(deployment=market.deployment, journal=journal, direct=direct, clock=market.now)
    return Ours(market, name, journal, alone)


@pytest.fixture
def alpha(market: Market, tmp_path: Path) -> Ours:
    return ours(market, "ALPHA", tmp_path)


@pytest.fixture
def bravo(market: Market, tmp_path: Path) -> Ours:
    return ours(market, "BRAVO", tmp_path)


def test_a_trade_settles_by_its_bundle_alone(market: Market, alpha: Ours) -> None:
    market.issue("ALPHA", SHARES, 10)
    market.issue("BRAVO", EURO, 1_000)
    terms = market.trade("ALPHA", "BRAVO", 10, 1_000)
    alpha.sign("R1", terms)
    done = alpha.alone.settle("R1")
    assert market.node.receipts([done.transaction])[0] is not None
    assert market.node.head().number > done.block
    assert alpha.nonce_state(terms) is NonceState.SETTLED
    with pytest.raises(Refused) as again:
        alpha.alone.settle("R1")
    assert again.value.reasons[0].code == "XDON"


def test_every_reason_is_told_and_nothing_is_sent(market: Market, alpha: Ours) -> None:
    terms = market.trade("ALPHA", "BRAVO", 10**9, 10**9)
    alpha.sign("R1", terms)
    before = market.node.head().number
    with pytest.raises(Refused) as refusal:
        alpha.alone.settle("R1")
    assert [reason.code for reason in refusal.value.reasons] == ["LACK", "MONY"]
    assert market.node.head().number == before


def test_without_all_signatures_nothing_settles(market: Market, alpha: Ours) -> None:
    alpha.sign("R1", market.trade("ALPHA", "BRAVO", 1, 1), bundle=False)
    with pytest.raises(NotFound, match="not complete"):
        alpha.alone.settle("R1")
    with pytest.raises(NotFound, match="nothing is signed"):
        alpha.alone.settle("R2")


def test_the_initiator_cancels_and_may_then_sign_other_terms(market: Market, alpha: Ours) -> None:
    terms = market.trade("ALPHA", "BRAVO", 1, 1)
    alpha.sign("R1", terms)
    alpha.alone.cancel("R1")
    assert alpha.nonce_state(terms) is NonceState.CANCELLED
    alpha.sign("R1", market.trade("ALPHA", "BRAVO", 2, 2))


def test_only_the_initiator_cancels_alone(market: Market, bravo: Ours) -> None:
    bravo.sign("R1", market.trade("ALPHA", "BRAVO", 1, 1))
    with pytest.raises(Refused, match="withdraw your consent instead"):
        bravo.alone.cancel("R1")


def test_a_consent_that_is_withdrawn_settles_nothing(
    market: Market, alpha: Ours, bravo: Ours
) -> None:
    terms = market.trade("ALPHA", "BRAVO", 1, 1)
    for one in (alpha, bravo):
        one.sign("R1", terms)
    with pytest.raises(Refused, match="cancel it instead"):
        alpha.alone.withdraw("R1")
    bravo.alone.withdraw("R1")
    with pytest.raises(Refused) as refusal:
        alpha.alone.settle("R1")
    assert "XWDR" in [reason.code for reason in refusal.value.reasons]


def test_what_was_reserved_is_released(market: Market, alpha: Ours) -> None:
    market.issue("ALPHA", SHARES, 5)
    terms = market.trade("ALPHA", "BRAVO", 5, 1)
    alpha.sign("R1", terms)
    with pytest.raises(Refused):
        alpha.alone.release("R1")
    for data in (
        market.settlement.affirm(terms, [b"", b""]),
        market.settlement.reserve(terms, ACCOUNTS["ALPHA"], b"", committed=False),
    ):
        order = Order(to=market.settlement.address, data=data, gas=500_000, what="reservation")
        alpha.alone._direct.send(order)
    block = market.node.head().number
    keys = [(ACCOUNTS["ALPHA"], SHARES)]
    assert market.settlement.holdings(market.node, keys, block)[0].held == 5
    alpha.alone.release("R1")
    block = market.node.head().number
    assert market.settlement.holdings(market.node, keys, block)[0].held == 0


def test_another_key_and_another_chain_are_refused(
    market: Market, alpha: Ours, tmp_path: Path
) -> None:
    alpha.sign("R1", market.trade("BRAVO", "CHARLIE", 1, 1))
    with pytest.raises(InvalidInput, match="another key is meant"):
        alpha.alone.settle("R1")
    alpha.sign("R2", market.trade("ALPHA", "BRAVO", 1, 1))
    alpha.alone._deployment = replace(market.deployment, genesis_hash=bytes(32))
    with pytest.raises(Broken, match="another chain under the same number"):
        alpha.alone.settle("R2")


def test_a_key_without_means_is_told_what_it_lacks(market: Market, tmp_path: Path) -> None:
    charlie = ours(market, "CHARLIE", tmp_path)
    charlie.sign("R1", market.trade("CHARLIE", "BRAVO", 1, 1))
    if not market.node.head().base_fee:
        pytest.skip("gas costs nothing on this engine now")
    with pytest.raises(Unavailable, match="cannot pay"):
        charlie.alone.cancel("R1")
