"""Submitting sides: what is refused, what matches, what differs, what is signed beforehand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from settle.chain.eip712 import sign
from settle.domain.errors import Conflict, Forbidden, InvalidInput
from settle.domain.ids import Address, Isin, Lei, isin_check_digit, lei_check_digits
from settle.domain.instruction import instruction_id
from settle.domain.matching import proposed_terms
from settle.domain.status import Status
from settle.services.examine_sides import SideRequest, examine_sides
from settle.services.show_trades import alleged_terms
from settle.services.trade_rows import OwnedAccount, Queue
from tests.fakes import DOMAIN
from tests.support.trade_sides import EUR, LEI_A, LEI_B, LEI_C, SHARE
from tests.support.venue_world import ACCOUNTS, KEYS, NOON, RULES, TODAY, World

if TYPE_CHECKING:
    from settle.domain.instruction import Instruction
    from settle.domain.side import TradeSide

STRANGER = Lei("529900XXXXXXXXXXXX" + lei_check_digits("529900XXXXXXXXXXXX"))
OTHER_SHARE = Isin("DE000710000" + isin_check_digit("DE000710000"))


def proposal(world: World, side: TradeSide) -> Instruction:
    """What a participant's own program proposes: the rules are public."""
    assets = {SHARE: world.share, EUR: world.euro}
    return proposed_terms(side, assets, ACCOUNTS, RULES.window(side.settlement_date))


def signed(world: World, side: TradeSide, key: bytes | None = None) -> dict[str, Any]:
    terms = proposal(world, side)
    digest = instruction_id(terms, DOMAIN)
    return {"signature": sign(digest, key or KEYS[side.submitted_by]), "instruction": terms}


class TestRefusedBeforeAnythingIsStored:
    @pytest.mark.parametrize(
        ("changes", "code", "pointer"),
        [
            ({"quantity": 0}, "quantity_range", "/1/quantity"),
            ({"receiving_party": STRANGER}, "party_unknown", "/1/receiving_party"),
            ({"isin": OTHER_SHARE}, "asset_unknown", "/1/isin"),
            ({"currency": "USD"}, "asset_unknown", "/1/currency"),
            (
                {"counterparty_account": ACCOUNTS[LEI_C]},
                "account_unknown",
                "/1/counterparty_account",
            ),
            (
                {"settlement_date": date(2026, 11, 20), "trade_date": date(2026, 11, 20)},
                "settlement_date_over",
                "/1/settlement_date",
            ),
        ],
    )
    def test_a_wrong_side_refuses_all_of_the_request(
        self, world: World, changes: dict[str, Any], code: str, pointer: str
    ) -> None:
        good, _ = world.pair()
        bad = replace(world.pair()[0], **changes)
        with pytest.raises(InvalidInput) as refusal:
            world.submit(good, bad)
        assert (refusal.value.code, refusal.value.pointer) == (code, pointer)
        assert world.told() == []

    def test_a_side_of_somebody_else(self, world: World) -> None:
        ours, _ = world.pair()
        with pytest.raises(Forbidden):
            examine_sides(world.venue, LEI_B, [SideRequest(side=ours)], NOON)

    def test_an_account_of_somebody_else(self, world: World) -> None:
        ours, _ = world.pair(account=ACCOUNTS[LEI_C])
        with pytest.raises(Forbidden):
            world.submit(ours)

    def test_one_reference_twice_in_a_request(self, world: World) -> None:
        ours, _ = world.pair()
        again = replace(world.pair()[0], reference=ours.reference)
        with pytest.raises(InvalidInput) as refusal:
            world.submit(ours, again)
        assert refusal.value.pointer == "/1/reference"

    def test_no_sides_and_too_many(self, world: World) -> None:
        for count in (0, 5_001):
            requests = [SideRequest(side=world.pair()[0])] * count
            with pytest.raises(InvalidInput):
                examine_sides(world.venue, LEI_A, requests, NOON)


class TestOnce:
    def test_the_same_side_again_changes_nothing(self, world: World) -> None:
        ours, theirs = world.pair()
        [first] = world.submit(ours)
        [again] = world.submit(ours)
        assert again.repeated
        assert (again.side_id, again.trade) == (first.side_id, first.trade)
        world.submit(theirs)
        [later] = world.submit(ours)
        assert later.trade.status is Status.MATCHED
        assert len(world.told()) == 2

    def test_a_repeat_is_answered_also_after_its_time(self, world: World) -> None:
        ours, _ = world.pair()
        [first] = world.submit(ours)
        world.clock.now = first.trade.settle_by
        assert world.submit(ours)[0].repeated

    def test_another_side_under_a_known_reference_is_a_conflict(self, world: World) -> None:
        ours, _ = world.pair()
        world.submit(ours)
        fresh = world.pair()[0]
        with pytest.raises(Conflict) as refusal:
            world.submit(fresh, replace(ours, quantity=1))
        assert refusal.value.code == "duplicate_reference"
        assert len(world.told()) == 1

    def test_a_nonce_serves_one_live_trade(self, world: World) -> None:
        ours, _ = world.pair()
        world.submit(ours)
        with pytest.raises(Conflict) as refusal:
            world.submit(world.pair(nonce=ours.nonce)[0])
        assert refusal.value.code == "nonce_in_use"
        with pytest.raises(Conflict):
            world.submit(world.pair(nonce=77)[0], world.pair(nonce=77)[0])

    def test_the_nonce_of_the_second_side_is_not_used(self, world: World) -> None:
        ours, theirs = world.pair()
        world.submit(ours)
        world.submit(theirs)
        other = world.answer(world.pair()[0], nonce=theirs.nonce)
        assert world.submit(other)[0].trade.status is Status.UNMATCHED

    def test_a_nonce_is_free_again_after_an_unmatched_trade_was_cancelled(
        self, world: World
    ) -> None:
        ours, _ = world.pair()
        [first] = world.submit(ours)
        world.cancel(first.trade, LEI_A)
        [second] = world.submit(world.pair(nonce=ours.nonce)[0])
        assert second.trade.nonce == ours.nonce


class TestMatching:
    def test_within_the_tolerance_the_deliverer_s_amount_counts(self, world: World) -> None:
        ours, theirs = world.pair(amount=2_810_000)
        world.submit(replace(theirs, amount=2_810_200))
        [matched] = world.submit(ours)
        assert matched.trade.status is Status.MATCHED
        assert matched.trade.instruction is not None
        assert matched.trade.instruction.legs[1].quantity == 2_810_000
        assert matched.trade.instruction.initiator == ACCOUNTS[LEI_B]

    def test_outside_the_tolerance_both_name_the_amount(self, world: World) -> None:
        ours, theirs = world.pair(amount=2_810_000)
        [first] = world.submit(ours)
        [second] = world.submit(replace(theirs, amount=2_810_201))
        assert second.trade.trade_id != first.trade.trade_id
        assert [(d.field, d.code, d.ours, d.theirs) for d in second.differences] == [
            ("amount", "DMON", "2810201", "2810000")
        ]
        waiting = world.row(first.trade)
        assert [(d.field, d.ours) for d in waiting.differences] == [("amount", "2810000")]
        assert [r.code for r in waiting.reasons] == ["DMON"]
        assert waiting.near_trade == second.trade.trade_id
        assert world.kinds(waiting) == ["trade.received", "trade.unmatched"]

    def test_without_a_counterpart_the_reason_says_so(self, world: World) -> None:
        [alone] = world.submit(world.pair()[0])
        assert [r.code for r in alone.trade.reasons] == ["CMIS"]
        assert alone.differences == ()

    def test_the_same_direction_twice_is_named(self, world: World) -> None:
        ours, theirs = world.pair()
        world.submit(ours)
        wrong = replace(
            theirs,
            movement="DELI",
            delivering_party=LEI_B,
            receiving_party=LEI_A,
        )
        [second] = world.submit(wrong)
        assert [d.code for d in second.differences] == ["DELN"]

    def test_a_side_that_differs_matches_after_it_was_corrected(self, world: World) -> None:
        ours, theirs = world.pair()
        [first] = world.submit(ours)
        [wrong] = world.submit(replace(theirs, quantity=499))
        world.cancel(wrong.trade, LEI_B)
        waiting = world.row(first.trade)
        assert [r.code for r in waiting.reasons] == ["CPCA"]
        assert (waiting.differences, waiting.near_trade) == ((), None)
        [right] = world.submit(replace(theirs, reference="B-right"))
        assert (right.trade.trade_id, right.trade.status) == (
            first.trade.trade_id,
            Status.MATCHED,
        )

    def test_whoever_named_a_side_that_is_gone_forgets_it(self, world: World) -> None:
        ours, theirs = world.pair()
        [first] = world.submit(replace(ours, quantity=1))
        [near] = world.submit(theirs)
        assert world.row(first.trade).near_trade == near.trade.trade_id
        [matched] = world.submit(replace(ours, reference="A-right", nonce=1_000))
        assert matched.trade.trade_id == near.trade.trade_id
        left = world.row(first.trade)
        assert ([r.code for r in left.reasons], left.near_trade) == (["CMIS"], None)

    def test_equal_trades_match_one_to_one_oldest_first(self, world: World) -> None:
        pairs = [world.pair(common_reference=None) for _ in range(5)]
        firsts = [s.trade.trade_id for s in world.submit(*(ours for ours, _ in pairs))]
        seconds = [s.trade.trade_id for s in world.submit(*(theirs for _, theirs in pairs))]
        assert seconds == firsts

    def test_different_references_keep_equal_trades_apart(self, world: World) -> None:
        pairs = [world.pair() for _ in range(5)]
        firsts = [s.trade.trade_id for s in world.submit(*(ours for ours, _ in pairs))]
        backwards = world.submit(*(theirs for _, theirs in reversed(pairs)))
        assert [s.trade.trade_id for s in backwards] == firsts[::-1]

    def test_a_side_that_has_ended_matches_no_more(self, world: World) -> None:
        ours, theirs = world.pair()
        [first] = world.submit(ours)
        world.cancel(first.trade, LEI_A)
        assert world.submit(theirs)[0].trade.status is Status.UNMATCHED

    def test_free_of_payment_has_one_leg(self, world: World) -> None:
        trade = world.match(payment="FREE", amount=None, currency=None)
        assert trade.instruction is not None
        assert (len(trade.instruction.legs), trade.value) == (1, 500)


class TestSignedBeforehand:
    def test_the_deliverer_s_consent_counts_once_the_other_side_is_there(
        self, world: World
    ) -> None:
        ours, theirs = world.pair()
        world.submit(ours, **signed(world, ours))
        [matched] = world.submit(theirs)
        assert matched.trade.status is Status.MATCHED
        [done] = world.sign(matched.trade, LEI_B)
        assert (done.trade.status, done.trade.queue) == (Status.AFFIRMED, Queue.READY)

    def test_the_signature_alone_means_the_proposal(self, world: World) -> None:
        ours, theirs = world.pair()
        world.submit(ours, signature=signed(world, ours)["signature"])
        [matched] = world.submit(theirs)
        assert world.sign(matched.trade, LEI_B)[0].trade.status is Status.AFFIRMED

    def test_an_answer_that_signs_the_alleged_terms_affirms_at_once(self, world: World) -> None:
        ours, theirs = world.pair()
        [first] = world.submit(ours, **signed(world, ours))
        with world.database.reading() as conn:
            terms = alleged_terms(world.venue, conn, LEI_B, first.trade.trade_id)
        assert terms == proposal(world, ours)
        consent = sign(instruction_id(terms, DOMAIN), KEYS[LEI_B])
        [answer] = world.submit(theirs, signature=consent, instruction=terms)
        assert (answer.trade.status, answer.trade.queue) == (Status.AFFIRMED, Queue.READY)
        world.settle()
        assert world.row(answer.trade).status is Status.SETTLED

    def test_the_side_that_has_signed_brings_the_terms(self, world: World) -> None:
        """The other one waited, but has signed nothing yet."""
        ours, theirs = world.pair()
        world.submit(theirs)
        [matched] = world.submit(ours, **signed(world, ours))
        trade = matched.trade
        assert trade.instruction == proposal(world, replace(ours, account=ACCOUNTS[LEI_A]))
        assert (trade.initiator, trade.nonce) == (ACCOUNTS[LEI_A], ours.nonce)
        assert world.sign(trade, LEI_B)[0].trade.status is Status.AFFIRMED

    def test_two_sides_with_terms_of_their_own_do_not_meet(self, world: World) -> None:
        free = {"payment": "FREE", "amount": None, "currency": None}
        ours, theirs = world.pair(**free)
        world.submit(ours, **signed(world, ours))
        with pytest.raises(Conflict) as refusal:
            world.submit(theirs, **signed(world, theirs))
        assert refusal.value.code == "presigned_twice"
        assert len(world.told()) == 1

    def test_an_answer_to_terms_that_are_gone_is_a_conflict(self, world: World) -> None:
        ours, theirs = world.pair()
        terms = proposal(world, ours)
        consent = sign(instruction_id(terms, DOMAIN), KEYS[LEI_B])
        with pytest.raises(Conflict) as refusal:
            world.submit(theirs, signature=consent, instruction=terms)
        assert refusal.value.code == "allegement_changed"
        world.submit(replace(ours, terms=b"\x09" * 32))
        with pytest.raises(Conflict):
            world.submit(theirs, signature=consent, instruction=terms)
        assert len(world.told()) == 1

    def test_a_signature_of_another_is_forbidden(self, world: World) -> None:
        ours, _ = world.pair()
        with pytest.raises(Forbidden) as refusal:
            world.submit(ours, **signed(world, ours, KEYS[LEI_B]))
        assert refusal.value.code == "signature_of_another"
        with pytest.raises(Forbidden):
            world.submit(ours, signature=b"\x01" * 65)
        assert world.told() == []

    def test_terms_that_do_not_follow_from_the_side_are_named(self, world: World) -> None:
        ours, _ = world.pair()
        terms = replace(proposal(world, ours), settle_by=2**40)
        given = {
            "instruction": terms,
            "signature": sign(instruction_id(terms, DOMAIN), KEYS[LEI_A]),
        }
        with pytest.raises(InvalidInput) as refusal:
            world.submit(ours, **given)
        assert refusal.value.pointer == "/0/instruction/settle_by"

    def test_what_the_answer_could_change_is_not_signed_beforehand(self, world: World) -> None:
        ours, theirs = world.pair()
        for side, code in (
            (theirs, "presignature_of_receiver"),
            (replace(ours, partial_allowed=True), "presignature_with_parts"),
        ):
            with pytest.raises(InvalidInput) as refusal:
                world.submit(side, **signed(world, side))
            assert refusal.value.code == code

    def test_an_instruction_without_its_signature_is_refused(self, world: World) -> None:
        ours, _ = world.pair()
        with pytest.raises(InvalidInput) as refusal:
            world.submit(ours, instruction=proposal(world, ours))
        assert refusal.value.code == "signature_missing"

    def test_a_wallet_may_sign_beforehand(self, world: World) -> None:
        ours, theirs = world.pair()
        world.chain.wallets[ACCOUNTS[LEI_A]] = b"wallet says yes"
        world.submit(ours, signature=b"wallet says yes")
        [matched] = world.submit(theirs)
        assert world.sign(matched.trade, LEI_B)[0].trade.status is Status.AFFIRMED

    def test_the_nonce_of_a_cancelled_side_that_was_signed_stays_taken(self, world: World) -> None:
        ours, _ = world.pair()
        [first] = world.submit(ours, **signed(world, ours))
        world.cancel(first.trade, LEI_A)
        with pytest.raises(Conflict):
            world.submit(world.pair(nonce=ours.nonce)[0])


def test_more_than_one_account(world: World) -> None:
    """An own account that is named is used; the first one where none is."""
    second = Address(b"\x77" * 20)
    with world.database.transaction() as conn:
        row = OwnedAccount(address=second, lei=LEI_A, position=1, created_at=1)
        world.store.put_accounts(conn, [row])
    ours, theirs = world.pair(account=second)
    [first] = world.submit(ours)
    assert first.trade.initiator == second
    [differs] = world.submit(replace(theirs, counterparty_account=ACCOUNTS[LEI_A]))
    assert [d.code for d in differs.differences] == ["SAFE"]
    assert world.row(first.trade).settlement_date == TODAY
