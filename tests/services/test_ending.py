"""Trades that do not settle: cancelled by one, by both, lapsed, taken back on chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from settle.domain import chainstate as twin
from settle.domain.errors import Broken, Conflict, Forbidden, InvalidInput, NotFound
from settle.domain.status import Status
from settle.services.cancel_trade import cancel_trade, check_cancellation
from settle.services.chain_rows import TransactionState
from settle.services.trade_rows import Queue, SideState
from tests.support.trade_sides import LEI_A, LEI_B, LEI_C
from tests.support.venue_world import ACCOUNTS, KEYS, World, signed_by_all

NEXT_WEEK = date(2026, 12, 3)


class TestCancellingAlone:
    def test_the_submitter_cancels_what_has_not_matched(self, world_on_both: World) -> None:
        world = world_on_both
        [first] = world.submit(world.pair()[0])
        done = world.cancel(first.trade, LEI_A)
        assert (done.trade.status, done.missing) == (Status.CANCELLED, ())
        assert [r.code for r in done.trade.reasons] == ["CANI"]
        assert not world.chain.queue
        with world.database.reading() as conn:
            [side] = world.store.sides_of(conn, [first.trade.trade_id])[first.trade.trade_id]
        assert side.state is SideState.ENDED

    def test_an_allegement_is_not_the_others_to_cancel(self, world: World) -> None:
        [first] = world.submit(world.pair()[0])
        with pytest.raises(Forbidden):
            world.cancel(first.trade, LEI_B)
        with pytest.raises(NotFound):
            world.cancel(first.trade, LEI_C)

    def test_cancelling_again_changes_nothing(self, world: World) -> None:
        [first] = world.submit(world.pair()[0])
        done = world.cancel(first.trade, LEI_A)
        assert world.cancel(done.trade, LEI_A).trade == done.trade

    def test_a_match_in_between_takes_the_right_away(self, world: World) -> None:
        ours, theirs = world.pair()
        [first] = world.submit(ours)
        asked = check_cancellation(world.venue, LEI_A, first.trade.trade_id, None)
        world.submit(theirs)
        with world.database.transaction() as conn, pytest.raises(Conflict) as refusal:
            cancel_trade(world.venue, conn, asked, world.clock.now)
        assert refusal.value.code == "trade_matched"


class TestCancellingTogether:
    def test_both_ask_and_the_chain_says_so(self, world_on_both: World) -> None:
        world = world_on_both
        trade = world.affirm()
        half = world.cancel(trade, LEI_A)
        assert (half.trade.status, half.missing) == (Status.AFFIRMED, (ACCOUNTS[LEI_B],))
        whole = world.cancel(trade, LEI_B)
        assert (whole.missing, whole.trade.queue) == ((), None)
        assert whole.trade.cancel_id is not None
        assert world.step().sent == 0
        world.mine()
        ended = world.row(trade)
        assert (ended.status, [r.code for r in ended.reasons]) == (Status.CANCELLED, ["CANI"])
        assert world.kinds(trade).count("trade.cancellation_requested") == 2

    def test_a_matched_trade_takes_a_signature(self, world: World) -> None:
        trade = world.match()
        with pytest.raises(InvalidInput) as refusal:
            check_cancellation(world.venue, LEI_A, trade.trade_id, None)
        assert refusal.value.code == "signature_missing"

    def test_a_signature_of_somebody_else_is_forbidden(self, world: World) -> None:
        trade = world.match()
        with pytest.raises(Forbidden):
            world.cancel(trade, LEI_A, key=KEYS[LEI_B])
        with pytest.raises(NotFound):
            world.cancel(trade, LEI_C)

    def test_both_sign_the_same_instant(self, world: World) -> None:
        trade = world.match()
        now = world.clock.now
        world.cancel(trade, LEI_A, valid_by=now + 100)
        with pytest.raises(Conflict) as refusal:
            world.cancel(trade, LEI_B, valid_by=now + 200)
        assert refusal.value.code == "valid_by_differs"
        world.clock.now = now + 100  # the first one serves no more
        renewed = world.cancel(trade, LEI_B, valid_by=now + 300)
        assert renewed.missing == (ACCOUNTS[LEI_A],)
        assert world.cancel(trade, LEI_A, valid_by=now + 300).missing == ()
        world.mine()
        assert world.row(trade).status is Status.CANCELLED

    def test_an_instant_that_is_too_near_is_refused(self, world: World) -> None:
        trade = world.match()
        with pytest.raises(InvalidInput):
            world.cancel(trade, LEI_A, valid_by=world.clock.now + 29)

    def test_asking_again_is_no_fault(self, world: World) -> None:
        trade = world.match()
        for lei in (LEI_A, LEI_A, LEI_B, LEI_B):
            world.cancel(trade, lei)
        assert len(world.chain.queue) == 1

    def test_what_settled_first_stays_settled(self, world: World) -> None:
        trade = world.affirm()
        world.step()
        world.cancel(trade, LEI_A)
        both = world.cancel(trade, LEI_B)
        assert both.trade.queue is Queue.SENT
        world.mine()
        world.tell_sender()
        assert world.row(trade).status is Status.SETTLED
        with pytest.raises(Conflict) as refusal:
            world.cancel(trade, LEI_A)
        assert refusal.value.code == "trade_ended"

    def test_a_cancellation_that_came_too_late_can_be_asked_for_again(self, world: World) -> None:
        trade = world.affirm()
        world.cancel(trade, LEI_A)
        world.cancel(trade, LEI_B)
        world.clock.now += 600
        world.mine()
        world.tell_sender()
        failed = world.row(trade)
        assert (failed.status, failed.cancel_id) == (Status.AFFIRMED, None)
        assert world.kinds(trade)[-1] == "trade.cancellation_failed"
        assert world.step().sent == 0  # both asked not to
        world.cancel(trade, LEI_A)
        world.cancel(trade, LEI_B)
        world.mine()
        world.tell_sender()
        assert world.row(trade).status is Status.CANCELLED


class TestLapsing:
    def test_silence_ends_a_trade_when_the_chain_s_time_has_come(
        self, world_on_both: World
    ) -> None:
        world = world_on_both
        trade = world.match()
        world.clock.now = trade.settle_by - 1
        world.mine()
        assert world.row(trade).status is Status.MATCHED
        world.clock.now = trade.settle_by
        assert world.row(trade).status is Status.MATCHED  # the wall clock alone decides nothing
        world.mine(final=False)
        assert world.row(trade).status is Status.MATCHED
        world.mine()
        lapsed = world.row(trade)
        assert (lapsed.status, [r.code for r in lapsed.reasons]) == (Status.LAPSED, ["ADEA"])

    def test_what_stood_in_the_way_is_told_with_it(self, world: World) -> None:
        trade = world.affirm(quantity=1_000_000)
        world.step()
        world.clock.now = trade.settle_by
        assert world.step().sent == 0
        world.mine()
        assert [r.code for r in world.row(trade).reasons] == ["ADEA", "LACK"]

    def test_an_unmatched_side_is_dropped_and_matches_no_more(self, world: World) -> None:
        ours, theirs = world.pair()
        [first] = world.submit(ours)
        assert first.trade.deadline_at < first.trade.settle_by
        world.clock.now = first.trade.deadline_at
        world.mine()
        dropped = world.row(first.trade)
        assert (dropped.status, dropped.reasons[0].code) == (Status.LAPSED, "CANS")
        assert world.submit(theirs)[0].trade.status is Status.UNMATCHED

    def test_a_lapsed_nonce_is_free(self, world: World) -> None:
        trade = world.match()
        world.clock.now = trade.settle_by
        world.mine()
        later = world.pair(nonce=trade.nonce, settlement_date=NEXT_WEEK)
        assert world.submit(later[0])[0].trade.nonce == trade.nonce

    def test_a_settled_trade_does_not_lapse(self, world: World) -> None:
        trade = world.affirm()
        world.settle()
        world.clock.now = trade.settle_by
        world.mine()
        assert world.row(trade).status is Status.SETTLED

    def test_settled_in_the_block_that_is_the_last_to_settle(self, world: World) -> None:
        """The outcome of the head's own block comes before the time of it."""
        trade = world.affirm()
        world.step()
        world.clock.now = trade.settle_by - 1
        world.mine(final=False)
        world.clock.now = trade.settle_by
        world.mine()
        assert world.row(trade).status is Status.SETTLED


class TestOnChainWithoutUs:
    def test_the_initiator_cancels_by_itself(self, world: World) -> None:
        trade = world.affirm()
        assert trade.instruction is not None
        world.chain.do(
            twin.cancel(
                world.chain.state,
                trade.instruction,
                [twin.Brought.NOTHING],
                valid_by=2**40,
                caller=ACCOUNTS[LEI_A],
                now=world.clock.now,
            )
        )
        world.mine()
        assert world.row(trade).status is Status.CANCELLED

    def test_a_party_takes_its_consent_back(self, world: World) -> None:
        trade = world.affirm()
        assert trade.instruction is not None
        world.chain.do(
            twin.withdraw(
                world.chain.state,
                trade.instruction,
                ACCOUNTS[LEI_B],
                brought=twin.Brought.NOTHING,
                caller=ACCOUNTS[LEI_B],
                now=world.clock.now,
            )
        )
        world.mine()
        ended = world.row(trade)
        assert ended.status is Status.CANCELLED
        assert [(r.code, r.who) for r in ended.reasons] == [("XWDR", ACCOUNTS[LEI_B])]

    def test_whoever_holds_the_signatures_settles(self, world: World) -> None:
        """Also what we only saw matched."""
        trade = world.match()
        assert trade.instruction is not None
        brought = world.chain.brought(trade.instruction, signed_by_all(trade.instruction))
        world.chain.do(
            twin.settle(world.chain.state, trade.instruction, brought, now=world.clock.now)
        )
        world.mine()
        assert world.row(trade).status is Status.SETTLED

    def test_another_instruction_on_the_nonce_ends_the_trade(self, world: World) -> None:
        trade = world.affirm()
        assert trade.instruction is not None
        other = replace(trade.instruction, terms=b"\x09" * 32)
        brought = world.chain.brought(other, signed_by_all(other))
        world.chain.do(twin.settle(world.chain.state, other, brought, now=world.clock.now))
        world.mine()
        ended = world.row(trade)
        assert (ended.status, [r.code for r in ended.reasons]) == (Status.CANCELLED, ["XDON"])

    def test_a_chain_that_contradicts_itself_stops_the_line(self, world: World) -> None:
        trade = world.affirm()
        world.step()
        events = world.chain.mine(2)
        world.block = 2
        world._follow(events, final=True)
        assert world.row(trade).status is Status.SETTLED
        world.block = 3
        moved = [replace(one, place=replace(one.place, block_number=3)) for one in events]
        with pytest.raises(Broken) as stop:
            world._follow(moved, final=True)
        assert stop.value.code == "chain_contradicts_itself"


def test_a_cancellation_that_never_was_is_sent_again(world: World) -> None:
    trade = world.affirm()
    world.cancel(trade, LEI_A)
    world.cancel(trade, LEI_B)
    [call] = world.chain.queue
    world.chain.queue.clear()
    world.tell_ended(call, TransactionState.VOID)
    [again] = world.chain.queue
    assert world.row(trade).cancel_id == again.number != call.number
    world.chain.queue.clear()
    world.clock.now += 600
    world.tell_ended(again, TransactionState.VOID)
    assert world.chain.queue == []
    assert world.kinds(trade)[-1] == "trade.cancellation_failed"


def test_a_transaction_that_never_was_brings_its_trades_back(world: World) -> None:
    trade = world.affirm()
    world.step()
    [call] = world.chain.queue
    world.chain.queue.clear()
    world.tell_ended(call, TransactionState.VOID)
    back = world.row(trade)
    assert (back.queue, back.batch_id, back.batch_cap) == (Queue.READY, None, None)
    world.settle()
    assert world.row(trade).status is Status.SETTLED
