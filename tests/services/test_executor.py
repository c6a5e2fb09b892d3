"""The executor: what it sends, in which batches, what it parks and when it looks again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from settle.chain.contracts import SettlementContract
from settle.domain import chainstate as twin
from settle.domain.errors import Unavailable
from settle.domain.instruction import accounts_of, instruction_id
from settle.domain.ledger import Standing
from settle.domain.reasons import Reason
from settle.domain.status import Status
from settle.services.choose_batches import Candidate, Packer
from settle.services.executor import Executor
from settle.services.records import altered
from settle.services.sign_instructions import Consent, check_consents, sign_instructions
from settle.services.trade_rows import Queue
from settle.store.database import open_database
from tests.fakes import DOMAIN
from tests.support.trade_sides import LEI_A, LEI_B, LEI_C
from tests.support.venue_world import ACCOUNTS, LIMITS, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from settle.services.chain_calls import SignedInstruction
    from settle.services.trade_rows import TradeRow


@pytest.fixture
def poor(tmp_path: Path) -> Iterator[World]:
    """A market in which A has 1,000 shares and B 50,000 euro, and nobody has more."""
    database = open_database(f"sqlite:///{tmp_path / 'poor.sqlite'}")
    made = World(database)
    made.open_market(shares=0, cents=0)
    made.issue(LEI_A, made.share, 1_000)
    made.issue(LEI_B, made.euro, 5_000_000)
    made.mine()
    yield made
    database.close()


def sent(world: World) -> list[list[TradeRow]]:
    """What waits to be mined, as trades."""
    found = []
    for call in world.chain.queue:
        digests = [instruction_id(one.instruction, DOMAIN) for one in call.batch]
        with world.database.reading() as conn:
            by_digest = world.store.trades_by_digest(conn, digests)
        found.append([by_digest[digest] for digest in digests])
    return found


def codes(world: World, trade: TradeRow) -> list[str]:
    return [reason.code for reason in world.row(trade).reasons]


class TestOrder:
    def test_urgent_then_old_then_large(self, world: World) -> None:
        later = {"settlement_date": date(2026, 11, 26) - timedelta(days=1)}
        small = world.affirm(amount=100)
        large = world.affirm(amount=1_000)
        old = world.affirm(amount=1, **later, trade_date=date(2026, 11, 24))
        urgent = world.affirm(amount=1)
        row = world.row(urgent)
        with world.database.transaction() as conn:
            world.store.update_trades(conn, [replace(row, priority=2, version=row.version + 1)])
        world.step()
        [batch] = sent(world)
        assert [t.trade_id for t in batch] == [t.trade_id for t in (urgent, old, large, small)]

    def test_what_the_urgent_ones_use_up_is_not_sent_to_fail(self, poor: World) -> None:
        first = poor.affirm(quantity=600, amount=1_000)
        second = poor.affirm(quantity=600, amount=900)
        third = poor.affirm(quantity=400, amount=800)
        step = poor.step()
        assert (step.sent, step.parked) == (2, 1)
        [batch] = sent(poor)
        assert [t.trade_id for t in batch] == [first.trade_id, third.trade_id]
        parked = poor.row(second)
        assert (parked.status, parked.queue) == (Status.PENDING, Queue.WAITING)
        [reason] = parked.reasons
        assert (reason.code, reason.who, reason.needed, reason.have) == (
            "LACK",
            ACCOUNTS[LEI_A],
            600,
            400,
        )
        assert poor.chain.asked == 0  # the chain would have said that it settles

    def test_what_one_trade_brings_serves_the_next(self, poor: World) -> None:
        """C buys from A and sells on to B in the same batch."""
        poor.issue(LEI_C, poor.euro, 10_000)
        poor.mine()
        buys = poor.affirm(quantity=1_000, amount=10_000, receiving_party=LEI_C)
        sells = poor.affirm(
            quantity=1_000,
            amount=9_000,
            delivering_party=LEI_C,
            receiving_party=LEI_B,
            submitted_by=LEI_C,
        )
        assert poor.step().sent == 2
        poor.mine()
        assert [poor.row(t).status for t in (buys, sells)] == [Status.SETTLED] * 2


class TestBatches:
    def test_a_batch_keeps_to_gas_legs_and_bytes(self, world: World) -> None:
        one = 12_000 + 2 * 12_000 + 2 * 8_000
        words = 1 + 2 + 11 + 1 + 4 * 2 + 1 + 2 * (2 + 3)
        for limits, expected in (
            (replace(LIMITS, gas=30_000 + 4 * one + one - 1), [4, 4, 2]),
            (replace(LIMITS, legs=6), [3, 3, 3, 1]),
            (replace(LIMITS, calldata=68 + 32 * words * 5), [5, 5]),
        ):
            world.executor = Executor(world.venue, limits)
            for _ in range(10):
                world.affirm(amount=1, quantity=1)
            world.step()
            calls = world.chain.queue
            assert [len(call.batch) for call in calls] == expected
            assert all(call.gas <= limits.gas for call in calls)
            assert calls[0].gas == 30_000 + len(calls[0].batch) * one
            world.mine()

    def test_the_gas_of_asking_wallets_is_counted(self, world: World) -> None:
        one = 12_000 + 2 * 12_000 + 2 * 8_000
        trades = [world.match() for _ in range(3)]
        for trade in trades[:2]:
            assert trade.digest is not None
            world.chain.wallets[ACCOUNTS[LEI_A]] = bytes(65)
            consent = Consent(digest=trade.digest, signature=bytes(65))
            checked = check_consents(world.venue, LEI_A, [consent])
            with world.database.transaction() as conn:
                sign_instructions(world.venue, conn, checked, world.clock.now)
            world.sign(trade, LEI_B)
        world.sign(trades[2])
        world.step()
        [call] = world.chain.queue
        assert call.gas == LIMITS.gas_base + 3 * one + 2 * LIMITS.gas_wallet
        # Under suspicion, each signature may be a wallet's.
        suspect = altered(world.row(world.affirm()), batch_cap=1)
        with world.database.transaction() as conn:
            world.store.move_in_queue(conn, [suspect])
        world.step()
        assert world.chain.queue[-1].gas == LIMITS.gas_base + one + 2 * LIMITS.gas_wallet

    def test_the_calldata_is_counted_as_it_is_encoded(self, world: World) -> None:
        rows = [world.affirm(amount=1) for _ in range(3)]
        world.step()
        [call] = world.chain.queue
        encoded = SettlementContract(DOMAIN.verifying_contract).settle_many(
            [(one.instruction, list(one.signatures)) for one in call.batch]
        )
        packer = Packer(LIMITS, 1)
        for row, one in zip(rows, call.batch, strict=True):
            packer.put(Candidate(trade=row, signed=one))
        assert packer.batches[0].calldata == len(encoded)

    def test_no_more_transactions_than_there_is_room_for(self, world: World) -> None:
        world.executor = Executor(world.venue, replace(LIMITS, legs=4))
        world.chain.capacity = 2
        trades = [world.affirm(amount=1) for _ in range(5)]
        assert len(world.step().transactions) == 2
        assert [world.row(t).queue for t in trades].count(Queue.READY) == 1
        assert world.step().transactions == ()
        world.mine()
        assert len(world.step().transactions) == 1

    def test_who_finds_no_room_stands_in_nobody_s_way(self, poor: World) -> None:
        poor.executor = Executor(poor.venue, replace(LIMITS, legs=2))
        poor.chain.capacity = 1
        first = poor.affirm(quantity=1, amount=3)
        rest = [poor.affirm(quantity=999, amount=2), poor.affirm(quantity=1, amount=1)]
        step = poor.step()
        assert (step.sent, step.parked, poor.row(first).queue) == (1, 0, Queue.SENT)
        assert {poor.row(t).queue for t in rest} == {Queue.READY}

    def test_what_is_on_its_way_counts_as_moved(self, poor: World) -> None:
        poor.affirm(quantity=1_000, amount=1_000)
        assert poor.step().sent == 1
        again = poor.affirm(quantity=1_000, amount=1_000)
        assert (poor.step().parked, codes(poor, again)) == (1, ["LACK"])
        back = poor.affirm(
            quantity=1_000,
            amount=1_000,
            submitted_by=LEI_B,
            delivering_party=LEI_B,
            receiving_party=LEI_A,
        )
        assert poor.step().sent == 1
        poor.mine()
        assert poor.row(back).status is Status.SETTLED

    def test_after_a_restart_what_is_on_its_way_is_known(self, poor: World) -> None:
        poor.affirm(quantity=1_000, amount=1_000)
        poor.step()
        again = poor.affirm(quantity=1_000, amount=1_000)
        poor.executor = Executor(poor.venue, LIMITS)
        assert poor.step().parked == 1
        assert codes(poor, again) == ["LACK"]


class TestWaiting:
    def test_a_lack_names_all_reasons_and_ends_when_enough_is_there(
        self, world_on_both: World
    ) -> None:
        world = world_on_both
        trade = world.affirm(quantity=10_500, amount=100_000_001)
        world.step()
        assert codes(world, trade) == ["LACK", "MONY"]
        asked = world.chain.asked
        world.issue(LEI_A, world.share, 499)
        world.mine()
        assert world.step().woken == 0
        assert world.row(trade).queue is Queue.WAITING  # not enough: nobody looked
        world.issue(LEI_A, world.share, 1)
        world.mine()
        assert world.row(trade).queue is Queue.READY
        world.step()
        assert codes(world, trade) == ["MONY"]
        assert world.chain.asked == asked + 1
        world.issue(LEI_B, world.euro, 1)
        world.mine()
        world.settle()
        assert world.row(trade).status is Status.SETTLED
        assert world.kinds(trade) == [
            f"trade.{kind}"
            for kind in (
                *("received", "matched", "signed", "affirmed", "pending", "pending"),
                *("affirmed", "settled"),
            )
        ]

    def test_nothing_is_looked_at_that_nothing_changed(self, poor: World) -> None:
        """No polling: other trades settle, and those that wait are not read."""
        waiting = [poor.affirm(quantity=2_000, amount=1) for _ in range(5)]
        poor.step()
        asked = poor.chain.asked
        for _ in range(3):
            poor.affirm(quantity=1, amount=1)
            step = poor.step()
            assert (step.sent, step.parked) == (1, 0)
            poor.mine()
        assert poor.chain.asked == asked
        assert {poor.row(t).queue for t in waiting} == {Queue.WAITING}

    def test_a_trade_waits_for_its_date(self, world: World) -> None:
        tomorrow = date(2026, 11, 27)
        trade = world.affirm(settlement_date=tomorrow)
        step = world.step()
        opens = world.row(trade).settle_from
        assert (codes(world, trade), step.wake_at) == (["FUTU"], opens)
        world.clock.now = opens - 1
        assert world.step().woken == 0
        world.clock.now = opens
        step = world.step()
        assert (step.woken, step.sent, step.wake_at) == (1, 1, None)

    def test_a_frozen_account_delivers_again_when_it_is_free(self, world: World) -> None:
        world.chain.freeze(ACCOUNTS[LEI_A])
        world.mine()
        trade = world.affirm()
        world.settle()
        assert codes(world, trade) == ["BLOC"]
        world.settle()
        assert world.row(trade).queue is Queue.WAITING
        world.chain.freeze(ACCOUNTS[LEI_A], frozen=False)
        world.mine()
        world.settle()
        assert world.row(trade).status is Status.SETTLED

    def test_a_suspended_participant_settles_again_when_admitted(self, world: World) -> None:
        world.chain.admit(ACCOUNTS[LEI_B], standing=Standing.SUSPENDED)
        world.mine()
        trade = world.affirm()
        world.settle()
        assert codes(world, trade) == ["XSUS"]
        world.chain.admit(ACCOUNTS[LEI_B])
        world.mine()
        world.settle()
        assert world.row(trade).status is Status.SETTLED

    def test_who_stepped_back_for_another_comes_when_that_one_fails(self, poor: World) -> None:
        """The holding did not change, but nobody draws on it any more."""
        first = poor.affirm(quantity=1_000, amount=2_000)
        second = poor.affirm(quantity=1_000, amount=1_000)
        poor.step()
        assert codes(poor, second) == ["LACK"]
        assert first.instruction is not None
        poor.chain.do(
            twin.withdraw(
                poor.chain.state,
                first.instruction,
                ACCOUNTS[LEI_B],
                brought=twin.Brought.NOTHING,
                caller=ACCOUNTS[LEI_B],
                now=poor.clock.now,
            )
        )
        poor.mine()
        assert poor.row(first).status is Status.CANCELLED
        poor.settle()
        assert poor.row(second).status is Status.SETTLED

    def test_a_reservation_of_its_own_is_no_lack(self, poor: World) -> None:
        trade = poor.match(quantity=1_000, amount=1_000)
        terms = trade.instruction
        assert terms is not None
        good = [twin.Brought.GOOD] * len(accounts_of(terms))
        poor.chain.do(
            twin.affirm(poor.chain.state, terms, good, caller=ACCOUNTS[LEI_A], now=poor.clock.now)
        )
        poor.chain.do(
            twin.reserve(
                poor.chain.state,
                terms,
                ACCOUNTS[LEI_A],
                committed=False,
                brought=twin.Brought.NOTHING,
                caller=ACCOUNTS[LEI_A],
                now=poor.clock.now,
            )
        )
        poor.mine()
        poor.sign(trade)
        poor.settle()
        assert poor.row(trade).status is Status.SETTLED

    def test_a_chain_that_is_ahead_of_the_books_is_waited_for(self, poor: World) -> None:
        trade = poor.affirm(quantity=1_001, amount=1)
        poor.issue(LEI_A, poor.share, 1)  # on chain, and no block has told us
        step = poor.step()
        assert (step.sent, step.parked, poor.row(trade).queue) == (0, 1, Queue.WAITING)
        assert codes(poor, trade) == ["LACK"]
        poor.mine()
        poor.settle()
        assert poor.row(trade).status is Status.SETTLED

    def test_a_reason_that_the_books_contradict_is_asked_about_again(self, poor: World) -> None:
        """The node answered at an older block than the one that was followed already."""
        trade = poor.affirm(quantity=1_001, amount=1)
        ask = poor.chain.why_not
        older = Reason(code="BLOC", who=ACCOUNTS[LEI_A])
        poor.chain.why_not = lambda requests: [(older,) for _ in requests]  # type: ignore[method-assign]
        step = poor.step()
        assert (codes(poor, trade), step.wake_at) == (["BLOC"], poor.clock.now + 2)
        poor.chain.why_not = ask  # type: ignore[method-assign]
        poor.clock.now += 2
        poor.step()
        assert codes(poor, trade) == ["LACK"]

    def test_a_change_between_decision_and_write_is_not_slept_through(self, poor: World) -> None:
        trade = poor.affirm(quantity=1_001, amount=1)
        ask = poor.chain.why_not

        def meanwhile(requests: Sequence[SignedInstruction]) -> object:
            answer = ask(requests)
            poor.issue(LEI_A, poor.share, 1)
            poor.mine()
            return answer

        poor.chain.why_not = meanwhile  # type: ignore[method-assign,assignment]  # a moment
        poor.step()
        assert codes(poor, trade) == ["LACK"]
        assert poor.row(trade).queue is Queue.READY
        poor.settle()
        assert poor.row(trade).status is Status.SETTLED

    def test_a_trade_that_changed_meanwhile_is_left_alone(self, poor: World) -> None:
        trade = poor.affirm(quantity=1_001, amount=1)
        ask = poor.chain.why_not

        def meanwhile(requests: Sequence[SignedInstruction]) -> object:
            poor.cancel(trade, LEI_A)
            poor.cancel(trade, LEI_B)
            return ask(requests)

        poor.chain.why_not = meanwhile  # type: ignore[method-assign,assignment]  # a moment
        step = poor.step()
        assert (step.sent, step.parked) == (0, 0)
        assert poor.row(trade).queue is None

    def test_who_stepped_back_for_one_that_went_away_is_looked_at_again(self, poor: World) -> None:
        gone = poor.affirm(quantity=1_000, amount=2_000)
        second = poor.affirm(quantity=1_000, amount=1_000)
        third = poor.affirm(quantity=1_001, amount=1)
        ask = poor.chain.why_not

        def meanwhile(requests: Sequence[SignedInstruction]) -> object:
            poor.cancel(gone, LEI_A)
            poor.cancel(gone, LEI_B)
            return ask(requests)

        poor.chain.why_not = meanwhile  # type: ignore[method-assign,assignment]  # a moment
        poor.step()
        assert (poor.row(second).queue, poor.row(third).queue) == (Queue.READY, Queue.WAITING)

    def test_a_silent_chain_changes_nothing(self, poor: World) -> None:
        trade = poor.affirm(quantity=1_001, amount=1)
        fine = poor.affirm(quantity=1, amount=1)

        def silent(requests: Sequence[SignedInstruction]) -> object:
            raise Unavailable("the node is silent")

        poor.chain.why_not = silent  # type: ignore[method-assign,assignment]  # a moment
        with pytest.raises(Unavailable):
            poor.step()
        assert {poor.row(t).queue for t in (trade, fine)} == {Queue.READY}
        assert poor.chain.queue == []


class TestWhenABatchFails:
    def test_one_that_reverts_its_batch_is_found_by_halving(self, world: World) -> None:
        trades = [world.affirm(amount=1) for _ in range(8)]
        bad = trades[5]
        assert bad.digest is not None
        world.chain.poison.add(bad.digest)
        for _ in range(5):
            world.settle()
        assert [world.row(t).status for t in trades].count(Status.SETTLED) == 7
        left = world.row(bad)
        assert (left.queue, left.batch_cap) == (Queue.WAITING, 1)
        assert (left.status, codes(world, bad)) == (Status.PENDING, ["XREV"])
        with world.database.reading() as conn:
            [alarm] = world.venue.alarms.open_alarms(conn, f"executor:{bad.trade_id}")
        assert alarm.kind == "trade_reverts"
        world.chain.poison.clear()
        world.clock.now += 300
        world.settle()
        assert world.row(bad).status is Status.SETTLED

    def test_the_reason_of_the_chain_parks_a_trade_that_did_not_settle(self, world: World) -> None:
        trade = world.affirm(quantity=10_000)
        world.step()
        world.chain.freeze(ACCOUNTS[LEI_A])  # in the same block, before it
        world.mine()
        assert (world.row(trade).status, codes(world, trade)) == (Status.PENDING, ["BLOC"])
        assert world.row(trade).batch_id is None


class TestReorganisation:
    def test_what_was_taken_back_is_in_flight_again(self, world: World) -> None:
        trade = world.affirm()
        before = world.chain.state
        world.step()
        [call] = world.chain.queue
        world.mine(final=False)
        assert world.row(trade).queue is Queue.SEEN
        world.retract(before)
        assert world.row(trade).queue is Queue.SENT
        assert world.step().sent == 0
        assert world.kinds(trade)[-2:] == ["trade.seen", "trade.retracted"]
        world.chain.queue.append(call)  # the sender hands the same bytes out again
        world.mine(final=False)
        world.mine()
        assert world.row(trade).status is Status.SETTLED

    def test_a_lack_that_was_taken_back_is_looked_at_again(self, poor: World) -> None:
        trade = poor.affirm(quantity=1_000, amount=1)
        poor.step()
        before = poor.chain.state
        poor.chain.freeze(ACCOUNTS[LEI_A])
        poor.mine(final=False)
        assert codes(poor, trade) == ["BLOC"]
        poor.retract(before)
        assert poor.row(trade).queue is Queue.READY
        poor.settle()
        assert poor.row(trade).status is Status.SETTLED

    def test_a_withdrawal_that_was_taken_back_is_looked_at_again(self, world: World) -> None:
        trade = world.affirm()
        assert trade.instruction is not None
        world.step()
        before = world.chain.state
        world.chain.do(
            twin.withdraw(
                before,
                trade.instruction,
                ACCOUNTS[LEI_B],
                brought=twin.Brought.NOTHING,
                caller=ACCOUNTS[LEI_B],
                now=world.clock.now,
            )
        )
        world.mine(final=False)
        assert (codes(world, trade), world.row(trade).queue) == (["XWDR"], Queue.WAITING)
        world.retract(before)
        world.settle()
        assert world.row(trade).status is Status.SETTLED

    def test_a_settlement_by_others_that_was_taken_back_is_ours_to_send(self, world: World) -> None:
        trade = world.affirm()
        assert trade.instruction is not None
        before = world.chain.state
        good = [twin.Brought.GOOD] * 2
        world.chain.do(twin.settle(before, trade.instruction, good, now=world.clock.now))
        world.mine(final=False)
        assert (world.step().sent, world.row(trade).queue) == (0, Queue.SEEN)
        world.retract(before)
        assert world.row(trade).queue is Queue.READY
        world.settle()
        assert world.row(trade).status is Status.SETTLED
