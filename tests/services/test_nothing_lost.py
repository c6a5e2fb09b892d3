"""Random lives of a venue: nothing is sent twice at a time, is lost, or sleeps for ever.

Blocks are taken back, batches revert or vanish, holdings come late, accounts are frozen, processes
restart. When all that is over, every trade that both signed settles or was cancelled by both.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from settle.domain.instruction import instruction_id
from settle.domain.ledger import NonceState
from settle.domain.status import Status
from settle.services.chain_rows import TransactionState
from settle.services.executor import Executor
from settle.services.trade_rows import Queue
from settle.store.database import open_database
from tests.fakes import DOMAIN, Call
from tests.support.trade_sides import LEI_A, LEI_B, LEI_C
from tests.support.venue_world import ACCOUNTS, LIMITS, World

if TYPE_CHECKING:
    from pathlib import Path

    from settle.domain.chainstate import ChainState
    from settle.services.trade_rows import TradeRow

LEIS = (LEI_A, LEI_B, LEI_C)
STEPS = 120


class Life:
    """One seed."""

    def __init__(self, path: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = World(open_database(f"sqlite:///{path}"), replace(LIMITS, legs=8))
        self.world.open_market(shares=50, cents=5_000)
        self.world.chain.capacity = 3
        self.trades: list[TradeRow] = []
        self.final_state: ChainState = self.world.chain.state
        self.unfinal_calls: list[Call] = []
        self.told: list[tuple[Call, bool]] = []
        self.sent_again: set[bytes] = set()

    def act(self) -> None:
        act = self.dice.choice(
            (
                *(self.affirm,) * 4,
                *(self.step,) * 4,
                *(self.mine,) * 3,
                *(self.finish,) * 2,
                *(self.issue, self.freeze, self.turn_back, self.vanish, self.restart),
                *(self.poison, self.cancel, self.pass_time),
            )
        )
        act()
        self.check()

    # ------------------------------------------------------------------ what may happen

    def affirm(self) -> None:
        seller, buyer = self.dice.sample(LEIS, 2)
        self.trades.append(
            self.world.affirm(
                submitted_by=seller,
                delivering_party=seller,
                receiving_party=buyer,
                quantity=self.dice.randrange(1, 60),
                amount=self.dice.randrange(1, 6_000),
            )
        )

    def step(self) -> None:
        self.world.step()

    def mine(self) -> None:
        self.world.mine(final=False)
        self.unfinal_calls += [call for call, _ in self.world.chain.ended]
        self.told += self.world.chain.ended
        self.world.chain.ended = []

    def finish(self) -> None:
        self.mine()
        self.world.mine(final=True)
        self.told += self.world.chain.ended
        self.world.chain.ended = self.told
        self.told, self.unfinal_calls = [], []
        self.world.tell_sender()
        self.final_state = self.world.chain.state

    def turn_back(self) -> None:
        """Blocks are taken back; the sender hands the same bytes out again, others do not."""
        self.world.chain._said = []
        self.world.retract(self.final_state)
        self.world.chain.queue = [*self.unfinal_calls, *self.world.chain.queue]
        self.sent_again |= {
            instruction_id(one.instruction, DOMAIN)
            for call in self.unfinal_calls
            for one in call.batch
        }
        self.unfinal_calls, self.told = [], []

    def vanish(self) -> None:
        """A transaction makes way for an empty one."""
        if self.world.chain.queue:
            call = self.world.chain.queue.pop(self.dice.randrange(len(self.world.chain.queue)))
            self.world.tell_ended(call, TransactionState.VOID)

    def restart(self) -> None:
        self.world.executor = Executor(self.world.venue, self.world.limits)

    def issue(self) -> None:
        lei = self.dice.choice(LEIS)
        if self.world.chain.state.books.account(ACCOUNTS[lei]).frozen:
            return
        asset = self.dice.choice((self.world.share, self.world.euro))
        self.world.issue(lei, asset, self.dice.randrange(1, 3_000))

    def freeze(self) -> None:
        account = ACCOUNTS[self.dice.choice(LEIS)]
        frozen = self.world.chain.state.books.account(account).frozen
        self.world.chain.freeze(account, frozen=not frozen)

    def poison(self) -> None:
        if self.trades:
            digest = self.dice.choice(self.trades).digest
            assert digest is not None
            self.world.chain.poison ^= {digest}

    def cancel(self) -> None:
        live = [t for t in self.trades if not self.world.row(t).status.is_terminal]
        if live:
            trade = self.dice.choice(live)
            for lei in trade.parties:
                self.world.cancel(trade, lei)

    def pass_time(self) -> None:
        self.world.clock.now += self.dice.choice((1, 30, 400))

    # ----------------------------------------------------------------------- what must hold

    @property
    def not_cancelled(self) -> set[str | None]:
        """Trades whose cancellation came too late: both may ask again."""
        failed = "trade.cancellation_failed"
        return {event.trade_id for event in self.world.told() if event.kind == failed}

    def check(self) -> None:
        digests = Counter(
            instruction_id(one.instruction, DOMAIN)
            for call in self.world.chain.queue
            if call.purpose == "settle"
            for one in call.batch
        )
        twice = {digest for digest, count in digests.items() if count > 1}
        assert twice <= self.sent_again
        for trade in self.trades:
            row = self.world.row(trade)
            cancelled = row.cancel_id is not None or trade.trade_id in self.not_cancelled
            assert (row.queue is None) <= (row.status.is_terminal or cancelled)
            if row.queue is Queue.SENT:
                assert row.batch_id is not None

    def end(self) -> None:
        """Everything that stood in the way goes; all that is left must come to its end."""
        world = self.world
        self.turn_back()
        world.chain.poison.clear()
        for lei in LEIS:
            if world.chain.state.books.account(ACCOUNTS[lei]).frozen:
                world.chain.freeze(ACCOUNTS[lei], frozen=False)
            for asset in (world.share, world.euro):
                world.issue(lei, asset, 10**9)
        for trade in self.trades:
            if trade.trade_id in self.not_cancelled and not world.row(trade).status.is_terminal:
                for lei in trade.parties:
                    world.cancel(trade, lei)
        for _ in range(60):
            world.step()
            self.finish()
            world.clock.now += 60
        for trade in self.trades:
            row = world.row(trade)
            assert row.status in {Status.SETTLED, Status.CANCELLED}, row
            state = world.chain.state.books.nonce_state(row.initiator, row.nonce)
            settled = row.status is Status.SETTLED
            assert state is (NonceState.SETTLED if settled else NonceState.CANCELLED)
        told = Counter(e.trade_id for e in world.told() if e.kind == "trade.settled")
        assert set(told.values()) <= {1}
        with world.database.reading() as conn:
            held = {
                (row.account, row.asset): row.available
                for row in world.store.holdings_of(conn, ACCOUNTS.values())
            }
        books = world.chain.state.books
        for (account, asset), available in held.items():
            assert available == books.holding(account, asset).available


@pytest.mark.parametrize("seed", range(8))
def test_a_random_life_ends_well(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path / "settle.sqlite", seed)
    for _ in range(STEPS):
        life.act()
    life.end()
    assert len(life.trades) > STEPS // 20
    life.world.database.close()
