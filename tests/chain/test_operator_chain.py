from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_engines import FUNDED_KEYS, mine
from chain_market import ACCOUNTS, EURO, SHARES, Market, build_market
from chain_sending import Bench

from settle.chain.eip712 import sign
from settle.chain.engine import RunningEngine
from settle.chain.operator_chain import NodeReader, SenderOutgoing
from settle.domain.instruction import accounts_of, cancellation_digest, instruction_id
from settle.domain.ledger import ChainStatus, NonceState
from settle.services.chain_calls import SignedInstruction
from settle.services.ports import ChainReader, Outgoing

KEY = FUNDED_KEYS[0]


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    made = build_market(engine)
    made.issue("ALPHA", SHARES, 1_000)
    made.issue("BRAVO", EURO, 50_000)
    mine(made.node, 2)
    return made


@pytest.fixture
def bench(engine: RunningEngine, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(engine, tmp_path)
    yield made
    made.close()


def signed(market: Market, *trade: object) -> SignedInstruction:
    instruction = market.trade(*trade)  # type: ignore[arg-type]
    return SignedInstruction(
        instruction=instruction, signatures=tuple(market.signatures(instruction))
    )


def test_the_questions_of_the_services_are_answered_at_one_block(market: Market) -> None:
    reader: ChainReader = NodeReader(
        node=market.node, deployment=market.deployment, profile=market.engine.profile
    )
    good = signed(market, "ALPHA", "BRAVO", 1, 1)
    poor = signed(market, "ALPHA", "BRAVO", 10**6, 10**9)
    unsigned = SignedInstruction(instruction=good.instruction, signatures=(b"", b""))
    fine, lacking, without = reader.why_not([good, poor, unsigned])
    assert fine == ()
    assert [reason.code for reason in lacking] == ["LACK", "MONY"]
    assert [reason.who for reason in lacking] == [ACCOUNTS["ALPHA"], ACCOUNTS["BRAVO"]]
    assert {reason.code for reason in without} == {"XCON"}
    assert not reader.accepts(ACCOUNTS["ALPHA"], bytes(32), b"\x01" * 65)
    assert not reader.accepts(market.deployment.settlement, bytes(32), b"\x01" * 65)


def test_the_id_is_the_one_that_the_contract_computes(market: Market) -> None:
    instruction = market.trade("ALPHA", "CHARLIE", 3, 4)
    block = market.node.head().number
    assert market.settlement.instruction_id(market.node, instruction, block) == instruction_id(
        instruction, market.deployment.domain
    )
    assert market.settlement.status(market.node, instruction, block) is ChainStatus.OPEN


def test_batches_and_cancellations_go_through_the_sender(market: Market, bench: Bench) -> None:
    sender = bench.sender()
    sender.start()
    outgoing: Outgoing = SenderOutgoing(sender=sender, deployment=market.deployment)
    trades = [signed(market, "ALPHA", "BRAVO", 2, 30) for _ in range(3)]
    doomed = market.trade("ALPHA", "BRAVO", 1, 1)
    digest = instruction_id(doomed, market.deployment.domain)
    valid_by = market.now() + 1_000
    consents = tuple(
        sign(
            cancellation_digest(account, digest, market.deployment.domain, valid_by=valid_by),
            key,
        )
        for account, key in ((account, key_of(account)) for account in accounts_of(doomed))
    )
    with bench.database.transaction() as conn:
        assert outgoing.room(conn) == market.engine.profile.in_flight
        outgoing.settle_many(conn, trades, gas=1_000_000)
        outgoing.cancel(
            conn, SignedInstruction(instruction=doomed, signatures=consents), valid_by=valid_by
        )
        rows = bench.store.open_transactions(conn, sender.address, limit=5)
    assert [row.purpose for row in rows] == ["settle", "cancel"]
    told = json.loads(rows[0].subject)["instructions"]
    assert told == [
        "0x" + instruction_id(t.instruction, market.deployment.domain).hex() for t in trades
    ]
    for _ in range(8):
        if sender.pump().idle:
            break
        mine(market.node)
    assert [state for _, state, _ in bench.results()] == ["succeeded", "succeeded"]
    keys = [(t.instruction.initiator, t.instruction.nonce) for t in trades]
    block = market.node.head().number
    states = market.settlement.nonce_states(
        market.node, [*keys, (doomed.initiator, doomed.nonce)], block
    )
    assert states == [NonceState.SETTLED] * 3 + [NonceState.CANCELLED]


def key_of(account: bytes) -> bytes:
    from chain_market import KEYS

    return next(KEYS[name] for name, a in ACCOUNTS.items() if a == account)
