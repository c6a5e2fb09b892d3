"""Wallets in batches, on real chains: one that uses up its gas takes nobody else along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chain_engines import mine
from chain_market import EURO, SHARES, Market, build_market

from settle.batch_gas import batch_limits
from settle.chain.direct import Order
from settle.chain.engine import RunningEngine
from settle.chain.signing import created_address
from settle.domain.ids import Address
from settle.domain.status import Status
from settle.services.chain_calls import BatchLimits
from settle.services.executor import Executor
from settle.services.trade_rows import Queue
from tests.support.operator_on_chain import Bank, OperatorOnChain, banks_of
from tests.support.trade_sides import LEI_C

MAGIC = f"7f1626ba7e{'00' * 28}"
CODE = bytes.fromhex(
    "366020" + "14603b57"  # a call of 32 bytes sets the mood
    "600054601157"  # mood 0:
    "5b600d56"  # ... round and round
    f"5b{MAGIC}60005260206000f3"  # any other: agrees
    "5b60003560005500"
)
WALLET = bytes.fromhex(f"60{len(CODE):02x}80600b6000396000f3") + CODE
"""Agrees to all while its first slot is not 0, else uses up whatever gas it is given."""
_MANY = 60
"""So many that what the other estimates leave over does not suffice for them."""
AGREES, BURNS = (1).to_bytes(32, "big"), bytes(32)


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    made = build_market(engine)
    for name in ("ALPHA", "BRAVO"):
        made.issue(name, SHARES, 100_000)
        made.issue(name, EURO, 100_000)
    first = made.trade("ALPHA", "BRAVO", 1, 1)  # from here on the word of ALPHA's nonces is in use
    settle = made.settlement.settle(first, made.signatures(first))
    to = made.deployment.settlement
    made.direct.send(Order(to=to, data=settle, gas=500_000, what="a first trade"))
    return made


@pytest.fixture(scope="module")
def wallet(market: Market) -> Address:
    """A wallet that is admitted and has some of both."""
    direct, node = market.direct, market.node
    account = Address(
        created_address(direct.address, node.nonce(direct.address, node.head().number))
    )
    direct.send(Order(to=b"", data=WALLET, gas=500_000, what="a wallet"))
    desk = market.desk
    desk.perform(
        [
            desk.admit(LEI_C, "COBADEFF", [account]),
            *(desk.issue(asset, account, 100_000, bytes(32)) for asset in (SHARES, EURO)),
        ]
    )
    return account


class Place(OperatorOnChain):
    """An operator with two banks and the wallet."""

    def mood(self, mood: bytes) -> None:
        account = self.banks["WALLET"].account
        self.market.direct.send(Order(to=account, data=mood, gas=100_000, what="a mood"))
        mine(self.market.node, 2)


def place(market: Market, wallet: Address, path: Path, limits: BatchLimits) -> Place:
    banks = {**banks_of("ALPHA", "BRAVO"), "WALLET": Bank(LEI_C, wallet, None)}
    made = Place(market, path, limits, banks)
    made.mood(AGREES)
    return made


@pytest.fixture
def operator(market: Market, wallet: Address, tmp_path: Path) -> Iterator[Place]:
    made = place(market, wallet, tmp_path, batch_limits(market.engine.profile))
    yield made
    made.close()


@pytest.fixture
def mistaken(market: Market, wallet: Address, tmp_path: Path) -> Iterator[Place]:
    """One who holds wallets for free, and leaves nothing over."""
    limits = replace(
        batch_limits(market.engine.profile),
        gas_base=55_000,
        gas_instruction=6_000,
        gas_leg=10_000,
        gas_wallet=0,
    )
    made = place(market, wallet, tmp_path, limits)
    yield made
    made.close()


def test_wallets_that_use_up_their_gas_stop_nobody_else(operator: Place) -> None:
    burning = [operator.affirm("ALPHA", "WALLET", 1, 1) for _ in range(_MANY)]
    good = [operator.affirm("ALPHA", "BRAVO", 1, 2) for _ in range(3)]
    operator.mood(BURNS)
    assert operator.round().sent == _MANY + 3
    assert [operator.row(trade).status for trade in good] == [Status.SETTLED] * 3
    left = [operator.row(trade) for trade in burning]
    assert {(row.status, row.queue) for row in left} == {(Status.PENDING, Queue.WAITING)}
    assert {reason.code for row in left for reason in row.reasons} == {"XBAD"}
    operator.mood(AGREES)
    operator.now += 300
    operator.round()
    assert [operator.row(trade).status for trade in burning] == [Status.SETTLED] * _MANY


def test_a_batch_that_reverts_is_halved_until_the_one_stands_alone(mistaken: Place) -> None:
    good = [mistaken.affirm("ALPHA", "BRAVO", 1, 2) for _ in range(7)]
    burning = mistaken.affirm("ALPHA", "WALLET", 1, 1)
    mistaken.mood(BURNS)
    assert mistaken.round().sent == 8
    for _ in range(3):
        mistaken.round()
    assert [mistaken.row(trade).status for trade in good] == [Status.SETTLED] * 7
    left = mistaken.row(burning)
    assert (left.status, left.queue) == (Status.PENDING, Queue.WAITING)
    assert [reason.code for reason in left.reasons] == ["XREV"]
    with mistaken.database.reading() as conn:
        [alarm] = mistaken.venue.alarms.open_alarms(conn, f"executor:{burning.trade_id}")
    assert alarm.kind == "trade_reverts"
    # It goes on by itself, and takes nobody along meanwhile.
    late = mistaken.affirm("ALPHA", "BRAVO", 1, 2)
    mistaken.now += 300
    mistaken.round()
    assert mistaken.row(late).status is Status.SETTLED
    assert [reason.code for reason in mistaken.row(burning).reasons] == ["XREV"]
    mistaken.mood(AGREES)
    mistaken.executor = Executor(mistaken.venue, batch_limits(mistaken.market.engine.profile))
    mistaken.now += 300
    mistaken.round()
    assert mistaken.row(burning).status is Status.SETTLED
