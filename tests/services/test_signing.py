"""Consents to matched instructions: whose they are, when they still count, who may read them."""

from __future__ import annotations

import pytest

from settle.chain.eip712 import compact, sign
from settle.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from settle.domain.ids import InstructionId
from settle.domain.instruction import instruction_id
from settle.domain.status import Status
from settle.services.show_trades import list_to_sign, show_bundle
from settle.services.sign_instructions import Consent, Signed, check_consents, sign_instructions
from settle.services.trade_rows import Queue
from tests.fakes import DOMAIN
from tests.support.trade_sides import LEI_A, LEI_B, LEI_C
from tests.support.venue_world import ACCOUNTS, KEYS, World, signed_by_all


def test_many_consents_at_once(world_on_both: World) -> None:
    world = world_on_both
    trades = [world.match() for _ in range(30)]
    done: list[Signed] = []
    for lei in (LEI_A, LEI_B):
        consents = [
            Consent(digest=t.digest, signature=sign(t.digest, KEYS[lei]))
            for t in trades
            if t.digest
        ]
        checked = check_consents(world.venue, lei, consents)
        with world.database.transaction() as conn:
            done = sign_instructions(world.venue, conn, checked, world.clock.now)
    assert {one.trade.status for one in done} == {Status.AFFIRMED}
    assert {world.row(t).queue for t in trades} == {Queue.READY}


def test_a_consent_of_the_wrong_key_refuses_all(world: World) -> None:
    good, bad = world.match(), world.match()
    assert good.digest is not None
    assert bad.digest is not None
    consents = [
        Consent(digest=good.digest, signature=sign(good.digest, KEYS[LEI_A])),
        Consent(digest=bad.digest, signature=sign(bad.digest, KEYS[LEI_B])),
    ]
    with pytest.raises(Forbidden, match=r"^/1: ") as refusal:
        check_consents(world.venue, LEI_A, consents)
    assert refusal.value.code == "signature_of_another"


def test_a_consent_over_other_terms_is_refused(world: World) -> None:
    one, other = world.match(), world.match()
    assert one.digest is not None
    assert other.digest is not None
    consent = Consent(digest=one.digest, signature=sign(other.digest, KEYS[LEI_A]))
    with pytest.raises(Forbidden):
        check_consents(world.venue, LEI_A, [consent])


def test_a_digest_of_others_does_not_exist(world: World) -> None:
    trade = world.match()
    assert trade.digest is not None
    for digest in (trade.digest, InstructionId(b"\x01" * 32)):
        consent = Consent(digest=digest, signature=sign(digest, KEYS[LEI_C]))
        with pytest.raises(NotFound):
            check_consents(world.venue, LEI_C, [consent])


def test_bytes_that_are_no_signature(world: World) -> None:
    trade = world.match()
    assert trade.digest is not None
    for signature in (b"", b"\x00" * 65, b"\xff" * 64, b"\x01" * 500):
        with pytest.raises(Forbidden):
            check_consents(world.venue, LEI_A, [Consent(digest=trade.digest, signature=signature)])


def test_both_forms_of_a_signature_settle(world: World) -> None:
    trade = world.match()
    assert trade.digest is not None
    short = compact(sign(trade.digest, KEYS[LEI_A]))
    checked = check_consents(world.venue, LEI_A, [Consent(digest=trade.digest, signature=short)])
    with world.database.transaction() as conn:
        sign_instructions(world.venue, conn, checked, world.clock.now)
    world.sign(trade, LEI_B)
    world.settle()
    assert world.row(trade).status is Status.SETTLED


def test_a_wallet_is_asked_on_chain(world: World) -> None:
    trade = world.match()
    assert trade.digest is not None
    world.chain.wallets[ACCOUNTS[LEI_A]] = b"wallet"
    checked = check_consents(
        world.venue, LEI_A, [Consent(digest=trade.digest, signature=b"wallet")]
    )
    assert checked[0].account == ACCOUNTS[LEI_A]


def test_signing_again_changes_nothing(world: World) -> None:
    trade = world.match()
    [first] = world.sign(trade, LEI_A)
    [again] = world.sign(trade, LEI_A)
    assert again.accepted
    assert again.trade == first.trade
    assert world.kinds(trade).count("trade.signed") == 1


def test_a_consent_after_the_end_is_not_accepted(world: World) -> None:
    trade = world.match()
    world.sign(trade, LEI_A)
    world.cancel(trade, LEI_A)
    world.cancel(trade, LEI_B)
    [late] = world.sign(trade, LEI_B)
    assert (late.accepted, late.trade.status) == (False, Status.MATCHED)
    world.mine()
    [later] = world.sign(trade, LEI_B)
    assert (later.accepted, later.trade.status) == (False, Status.CANCELLED)


def test_no_consents_and_too_many(world: World) -> None:
    consent = Consent(digest=InstructionId(bytes(32)), signature=b"")
    for count in (0, 5_001):
        with pytest.raises(InvalidInput):
            check_consents(world.venue, LEI_A, [consent] * count)


def test_what_there_is_to_sign_comes_with_what_was_instructed(world: World) -> None:
    trades = [world.match() for _ in range(3)]
    world.sign(trades[1], LEI_A)
    with world.database.reading() as conn:
        mine = list_to_sign(world.venue, conn, LEI_A)
        theirs = list_to_sign(world.venue, conn, LEI_B, above=trades[0].trade_id, limit=1)
        assert list_to_sign(world.venue, conn, LEI_C) == []
    assert [one.trade.trade_id for one in mine] == [trades[0].trade_id, trades[2].trade_id]
    assert {one.own_side.submitted_by for one in mine} == {LEI_A}
    assert {one.accounts for one in mine} == {(ACCOUNTS[LEI_A],)}
    assert [one.trade.trade_id for one in theirs] == [trades[1].trade_id]


def test_the_bundle_is_whole_or_not_given(world: World) -> None:
    trade = world.match()
    with world.database.reading() as conn, pytest.raises(Conflict) as refusal:
        show_bundle(world.venue, conn, LEI_A, trade.trade_id)
    assert refusal.value.code == "bundle_incomplete"
    world.sign(trade)
    with world.database.reading() as conn:
        bundle = show_bundle(world.venue, conn, LEI_B, trade.trade_id)
        with pytest.raises(NotFound):
            show_bundle(world.venue, conn, LEI_C, trade.trade_id)
    assert bundle.digest == instruction_id(bundle.instruction, DOMAIN)
    assert bundle.signatures == signed_by_all(bundle.instruction)
