"""What a viewer sees: its own, what is alleged to it, and nothing of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from settle.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from settle.domain.ids import Address, Bic
from settle.domain.status import Status
from settle.services.admit_participants import Admission, admit_participants
from settle.services.explain_trade import explain_trade
from settle.services.show_trades import alleged_terms, list_trades, show_trade
from settle.services.trade_rows import Role
from tests.support.trade_sides import LEI_A, LEI_B, LEI_C
from tests.support.venue_world import ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.domain.reasons import Reason
    from settle.services.chain_calls import SignedInstruction
    from settle.services.show_trades import TradeView
    from settle.services.trade_rows import TradeRow
    from tests.support.venue_world import World


def seen(world: World, viewer: object, trade: TradeRow) -> TradeView:
    with world.database.reading() as conn:
        return show_trade(world.venue, conn, viewer, trade.trade_id)  # type: ignore[arg-type]


def test_an_allegement_shows_what_is_alleged_and_not_what_is_private(world: World) -> None:
    ours, _ = world.pair(delivering_client="our client", receiving_client="your client")
    [first] = world.submit(ours)
    own, alleged = seen(world, LEI_A, first.trade), seen(world, LEI_B, first.trade)
    assert (own.alleged, alleged.alleged) == (False, True)
    assert own.sides[0].reference == ours.reference
    [side] = alleged.sides
    assert (side.reference, side.delivering_client) == ("", None)
    assert (side.receiving_client, side.amount) == ("your client", ours.amount)
    assert seen(world, None, first.trade).sides == own.sides


def test_nobody_else_sees_a_trade(world: World) -> None:
    trade = world.affirm()
    with pytest.raises(NotFound):
        seen(world, LEI_C, trade)
    with pytest.raises(NotFound):
        explain_trade(world.venue, LEI_C, trade.trade_id)
    with world.database.reading() as conn:
        assert list_trades(world.venue, conn, LEI_C) == []
        assert len(list_trades(world.venue, conn, None)) == 1


def test_differences_are_told_as_the_viewer_sees_them(world: World) -> None:
    ours, theirs = world.pair()
    [first] = world.submit(ours)
    world.submit(replace(theirs, quantity=499))
    [mine] = seen(world, LEI_A, first.trade).differences
    [yours] = seen(world, LEI_B, first.trade).differences
    assert (mine.ours, mine.theirs) == ("500", "499")
    assert (yours.ours, yours.theirs) == ("499", "500")


def test_lists_are_filtered_and_continue(world: World) -> None:
    trades = [world.match() for _ in range(3)]
    world.sign(trades[0])
    with world.database.reading() as conn:
        matched = list_trades(world.venue, conn, LEI_A, statuses=[Status.MATCHED], limit=1)
        rest = list_trades(
            world.venue,
            conn,
            LEI_A,
            statuses=[Status.MATCHED],
            below=matched[0].trade.trade_id,
        )
        for limit in (0, 1_001):
            with pytest.raises(InvalidInput):
                list_trades(world.venue, conn, LEI_A, limit=limit)
    found = [view.trade.trade_id for view in (*matched, *rest)]
    assert found == [trades[2].trade_id, trades[1].trade_id]
    assert seen(world, LEI_A, trades[0]).consents == tuple(
        sorted((ACCOUNTS[LEI_A], ACCOUNTS[LEI_B]))
    )


def test_an_answer_is_offered_to_whom_it_is_alleged_alone(world: World) -> None:
    ours, theirs = world.pair()
    [first] = world.submit(ours)
    with world.database.reading() as conn:
        terms = alleged_terms(world.venue, conn, LEI_B, first.trade.trade_id)
        with pytest.raises(Conflict):
            alleged_terms(world.venue, conn, LEI_A, first.trade.trade_id)
    [matched] = world.submit(theirs)
    assert matched.trade.instruction == terms
    with world.database.reading() as conn, pytest.raises(Conflict):
        alleged_terms(world.venue, conn, LEI_B, first.trade.trade_id)


class TestExplaining:
    def test_stored_reasons_and_those_of_now(self, world: World) -> None:
        trade = world.affirm(quantity=10_001)
        world.step()
        told = explain_trade(world.venue, LEI_A, trade.trade_id)
        assert told.now is not None
        assert [one.reason.code for one in told.stored] == ["LACK"]
        assert [one.reason.code for one in told.now] == ["LACK"]
        assert told.stored[0].sentence.endswith(".")
        assert told.stored[0].clears

    def test_a_missing_consent_is_a_reason_of_now(self, world: World) -> None:
        trade = world.match()
        told = explain_trade(world.venue, LEI_B, trade.trade_id)
        assert told.stored == ()
        assert told.now is not None
        assert {one.reason.code for one in told.now} == {"XCON"}

    def test_what_has_no_terms_or_has_ended_is_not_asked_about(self, world: World) -> None:
        [first] = world.submit(world.pair()[0])
        done = world.affirm()
        world.settle()
        asked = world.chain.asked
        for trade in (first.trade, done):
            assert explain_trade(world.venue, LEI_A, trade.trade_id).now is None
        assert world.chain.asked == asked

    def test_a_silent_chain_leaves_what_is_stored(self, world: World) -> None:
        trade = world.affirm(quantity=10_001)
        world.step()

        def silent(requests: Sequence[SignedInstruction]) -> Sequence[tuple[Reason, ...]]:
            raise Unavailable("the node is silent")

        world.chain.why_not = silent  # type: ignore[method-assign]  # a moment
        told = explain_trade(world.venue, LEI_A, trade.trade_id)
        assert (told.now, len(told.stored)) == (None, 1)


class TestAdmitting:
    def test_what_belongs_to_another_is_refused(self, world: World) -> None:
        taken = Admission(lei=LEI_A, bic=None, name="A", accounts=(ACCOUNTS[LEI_B],))
        with world.database.transaction() as conn, pytest.raises(Conflict) as refusal:
            admit_participants(world.venue, conn, [taken], 1)
        assert refusal.value.code == "account_taken"
        bic = Bic("BANKDEFFXXX")
        for lei, code in ((LEI_A, None), (LEI_B, "bic_taken")):
            one = Admission(lei=lei, bic=bic, name="A", accounts=(ACCOUNTS[lei],))
            with world.database.transaction() as conn:
                if code is None:
                    admit_participants(world.venue, conn, [one], 1)
                else:
                    with pytest.raises(Conflict) as refusal:
                        admit_participants(world.venue, conn, [one], 1)
                    assert refusal.value.code == code

    def test_admitting_again_adds_accounts_behind_those_that_are_there(self, world: World) -> None:
        more = Address(b"\x66" * 20)
        key = Address(b"\x67" * 20)
        again = Admission(
            lei=LEI_A,
            bic=None,
            name="New name",
            accounts=(more, ACCOUNTS[LEI_A]),
            request_keys=(key,),
            role=Role.PARTICIPANT,
        )
        for _ in range(2):
            with world.database.transaction() as conn:
                admit_participants(world.venue, conn, [again], 1)
        with world.database.reading() as conn:
            assert world.store.accounts_of(conn, [LEI_A]) == {LEI_A: [ACCOUNTS[LEI_A], more]}
            assert world.store.participants_of(conn, [LEI_A])[LEI_A].name == "New name"
            owner = world.store.request_key_owner(conn, key)
        assert owner is not None
        assert owner.lei == LEI_A
