"""What parties reserve on chain by themselves, and what the executor makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_engines import mine
from chain_market import ACCOUNTS, EURO, SHARES, Market, build_market

from settle.batch_gas import batch_limits
from settle.chain.engine import RunningEngine
from settle.domain.instruction import Instruction
from settle.domain.status import Status
from settle.services.trade_rows import Queue, TradeRow
from tests.support.operator_on_chain import OperatorOnChain, banks_of


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    return build_market(engine)


@pytest.fixture
def operator(market: Market, tmp_path: Path) -> Iterator[OperatorOnChain]:
    """ALPHA has 100 shares more than it had, BRAVO money enough."""
    market.issue("ALPHA", SHARES, 100)
    market.issue("BRAVO", EURO, 10_000)
    mine(market.node, 2)
    limits = batch_limits(market.engine.profile)
    made = OperatorOnChain(market, tmp_path, limits, banks_of("ALPHA", "BRAVO"))
    yield made
    made.close()


def reserve(operator: OperatorOnChain, terms: Instruction) -> None:
    """ALPHA consents and reserves by its own calls."""
    contract = operator.market.settlement
    operator.call("ALPHA", contract.affirm(terms, [b"", b""]))
    operator.call("ALPHA", contract.reserve(terms, ACCOUNTS["ALPHA"], b"", committed=False))


def terms_of(trade: TradeRow) -> Instruction:
    assert trade.instruction is not None
    return trade.instruction


def test_what_is_held_for_a_trade_settles_it(operator: OperatorOnChain) -> None:
    trade = operator.affirm("ALPHA", "BRAVO", 100, 500)
    reserve(operator, terms_of(trade))
    assert operator.round().sent == 1
    assert operator.row(trade).status is Status.SETTLED


def test_what_is_held_for_another_is_a_lack_until_it_is_released(
    operator: OperatorOnChain,
) -> None:
    other = operator.market.trade("ALPHA", "BRAVO", 100, 500)
    reserve(operator, other)
    trade = operator.affirm("ALPHA", "BRAVO", 60, 500)
    assert operator.round().sent == 0
    left = operator.row(trade)
    assert (left.status, left.queue) == (Status.PENDING, Queue.WAITING)
    assert [(r.code, r.needed, r.have) for r in left.reasons] == [("LACK", 60, 0)]
    contract = operator.market.settlement
    operator.call("ALPHA", contract.release(other, ACCOUNTS["ALPHA"], b""))
    assert operator.round().sent == 1
    assert operator.row(trade).status is Status.SETTLED


def test_what_is_held_for_a_trade_needs_nothing_that_others_leave(
    operator: OperatorOnChain,
) -> None:
    """The more urgent one takes all that is available; what is held is there all the same."""
    first = operator.affirm("ALPHA", "BRAVO", 50, 900)
    trade = operator.affirm("ALPHA", "BRAVO", 50, 100)
    reserve(operator, terms_of(trade))
    assert operator.round().sent == 2
    assert [operator.row(one).status for one in (first, trade)] == [Status.SETTLED] * 2
