"""Each rule of affirming and of ending without settlement, broken by hand."""

from __future__ import annotations

from typing import Any

import pytest
from rule_bench import (
    ALPHA,
    BRAVO,
    EURO,
    FIRST,
    NOW,
    SETTLEMENT,
    SHARES,
    Bench,
    sign,
)

from settle.audit import books as state
from settle.audit.books import Account, Hold
from settle.audit.findings import Code
from settle.audit.terms import Instruction, Leg


@pytest.fixture
def bench() -> Bench:
    return Bench()


def signatures(bench: Bench, terms: Instruction, *accounts: bytes) -> tuple[bytes, ...]:
    identity = bench.digests.instruction(terms)
    return tuple(sign(identity, a) if a in accounts else b"" for a in (ALPHA, BRAVO))


# ---------------------------------------------------------------------------- affirming


def affirmed(bench: Bench, terms: Instruction, consents: int) -> None:
    bench.event(
        *("InstructionAffirmed", bench.digests.instruction(terms)),
        initiator=terms.initiator,
        nonce=terms.nonce,
        consents=consents,
        accounts=2,
    )


def test_an_affirmation_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b01)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == set()
    affirmed(bench, terms, 0b11)
    assert bench.act("affirm", terms, BRAVO, signatures=(b"", b"")) == set()
    assert bench.stage.consents.own_calls == 1


def test_more_consents_than_were_brought_are_found(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b11)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == {
        Code.EVENT_DIFFERS
    }


def test_an_affirmation_before_the_initiator_is_found(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b10)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, BRAVO)) == {
        Code.CONSENT_MISSING
    }


def test_an_affirmation_by_one_that_withdrew_or_is_unknown_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.books.withdrawn.add((ALPHA, bench.digests.instruction(terms)))
    bench.books.accounts[ALPHA].standing = state.UNKNOWN
    affirmed(bench, terms, 0b01)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == {
        Code.CONSENT_WITHDRAWN,
        Code.STANDING,
    }


def test_an_affirmation_with_too_few_places_is_found(bench: Bench) -> None:
    terms = bench.terms()
    affirmed(bench, terms, 0b01)
    one = signatures(bench, terms, ALPHA)[:1]
    assert bench.act("affirm", terms, signatures=one) == {Code.CONSENT_MISSING}


@pytest.mark.parametrize(("ahead", "codes"), [(0, set()), (1, {Code.WINDOW})])
def test_an_affirmation_for_longer_than_the_longest_wait_is_found(
    bench: Bench, ahead: int, codes: set[Code]
) -> None:
    terms = bench.terms(settle_by=NOW + 120 * 86_400 + ahead)
    affirmed(bench, terms, 0b01)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == codes


def test_an_act_on_malformed_terms_is_found(bench: Bench) -> None:
    terms = bench.terms(options=4)
    affirmed(bench, terms, 0b01)
    codes = bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA))
    assert codes == {Code.TERMS, Code.UNEXPLAINED}


def test_an_act_after_the_window_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.time = NOW + 10
    affirmed(bench, terms, 0b01)
    assert bench.act("affirm", terms, signatures=signatures(bench, terms, ALPHA)) == {Code.WINDOW}


def reserved(bench: Bench, terms: Instruction, *, committed: bool = False) -> None:
    """Write the events of a reservation of leg 0 by its deliverer."""
    identity, leg = bench.digests.instruction(terms), terms.legs[0]
    hold = Hold(*(SETTLEMENT, identity, 0, leg.deliverer, leg.asset, leg.quantity), terms.settle_by)
    available, held = bench.books.holding(leg.deliverer, leg.asset)
    after = (available - leg.quantity, held + leg.quantity)
    bench.event("HoldPlaced", identity, **hold.arguments(), holding=after)
    bench.event("Reserved", identity, account=leg.deliverer, committed=int(committed))


def reservation(bench: Bench, terms: Instruction, account: bytes = ALPHA) -> dict[str, Any]:
    digest = bench.digests.reservation(account, bench.digests.instruction(terms), 0)
    return {"account": account, "committed": 0, "signature": sign(digest, account)}


def test_a_reservation_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    live = bench.live(terms)
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == set()
    assert (live.reserved, live.committed) == (1, 0)


def test_a_reservation_of_what_is_not_live_is_found(bench: Bench) -> None:
    terms = bench.terms()
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == {Code.IMPOSSIBLE}


def test_a_reservation_consents_for_its_account_alone(bench: Bench) -> None:
    legs = (Leg(SHARES, BRAVO, ALPHA, 3), Leg(EURO, ALPHA, BRAVO, 4), Leg(EURO, FIRST, BRAVO, 1))
    terms = bench.terms(legs=legs)
    bench.live(terms, consents=0b010)
    bench.books.accounts[FIRST] = Account(standing=state.ADMITTED)
    reserved(bench, terms)
    last = bench.stage.stream.pop()
    bench.event(
        *("InstructionAffirmed", bench.digests.instruction(terms)),
        initiator=ALPHA,
        nonce=5,
        consents=0b111,
        accounts=3,
    )
    bench.stage.stream.append(last)
    codes = bench.act("reserve", terms, **reservation(bench, terms, BRAVO))
    assert codes == {Code.EVENT_DIFFERS}


def test_a_reservation_of_another_quantity_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    reserved(bench, terms)
    bench.stage.stream[0].arguments["quantity"] = 29
    assert Code.EVENT_DIFFERS in bench.act("reserve", terms, **reservation(bench, terms))


def test_a_reservation_with_the_message_of_another_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    reserved(bench, terms)
    asked = {
        **reservation(bench, terms),
        "signature": reservation(bench, terms, BRAVO)["signature"],
    }
    assert bench.act("reserve", terms, **asked) == {Code.SIGNATURE}


def test_a_message_that_serves_a_second_time_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms, released={ALPHA})
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == {Code.MESSAGE_REUSED}


def test_a_reservation_by_a_frozen_account_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    bench.books.accounts[ALPHA].frozen = True
    reserved(bench, terms)
    assert bench.act("reserve", terms, **reservation(bench, terms)) == {Code.ACCOUNT_FROZEN}


# ---------------------------------------------------------------------------- failing


def release(bench: Bench, terms: Instruction, hold: Hold) -> dict[str, Any]:
    identity = bench.digests.instruction(terms)
    bench.hold_ended(hold, executed=False)
    bench.event("ReservationEnded", identity, account=ALPHA)
    return {"account": ALPHA, "signature": sign(bench.digests.release(ALPHA, identity), ALPHA)}


def test_a_release_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    live = bench.live(terms, consents=0b01)
    hold = bench.reserve(terms, 0, committed=True)
    assert bench.act("release", terms, **release(bench, terms, hold)) == set()
    assert (live.reserved, live.committed, live.released) == (0, 0, {ALPHA})
    assert live.word() == (0b01, 0, 0, 0b01)


def test_a_release_of_what_binds_is_found(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 30),))
    bench.live(terms)
    hold = bench.reserve(terms, 0, committed=True)
    assert bench.act("release", terms, **release(bench, terms, hold)) == {Code.COMMITTED}


def test_from_the_deadline_on_anybody_releases(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 30),))
    bench.live(terms)
    hold = bench.reserve(terms, 0, committed=True)
    bench.time = terms.settle_by
    asked = {**release(bench, terms, hold), "signature": b""}
    assert bench.act("release", terms, **asked) == set()


def test_a_release_by_somebody_else_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    hold = bench.reserve(terms, 0)
    asked = {**release(bench, terms, hold), "signature": b""}
    assert bench.act("release", terms, **asked) == {Code.CONSENT_MISSING}


def withdrawal(bench: Bench, terms: Instruction, account: bytes, left: int) -> dict[str, Any]:
    identity = bench.digests.instruction(terms)
    bench.event("ConsentWithdrawn", identity, account=account, consents=left)
    digest = bench.digests.withdrawal(account, identity)
    return {"account": account, "signature": sign(digest, account)}


def test_a_withdrawal_in_order_has_no_finding(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 3), Leg(EURO, BRAVO, FIRST, 4)))
    live = bench.live(terms, consents=0b011)
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, BRAVO, 0b001)) == set()
    assert live.consents == 1
    assert bench.books.accounts[BRAVO].withdrawals == 1


def test_a_withdrawal_after_all_consented_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, BRAVO, 1)) == {Code.COMMITTED}


def test_a_withdrawal_from_what_is_over_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.books.set_nonce(ALPHA, 5, state.SETTLED)
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, BRAVO, 0)) == {Code.NONCE}


def test_a_withdrawal_by_the_initiator_is_found(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.act("withdraw", terms, **withdrawal(bench, terms, ALPHA, 0)) == {Code.TERMS}


def cancellation(
    bench: Bench, terms: Instruction, *accounts: bytes, valid_by: int = NOW + 5
) -> dict[str, Any]:
    identity = bench.digests.instruction(terms)
    bench.event(
        *("InstructionCancelled", identity),
        initiator=ALPHA,
        nonce=5,
        byAll=int(len(accounts) == 2),
    )
    return {
        "validBy": valid_by,
        "signatures": tuple(
            sign(bench.digests.cancellation(a, identity, valid_by), a) for a in accounts
        ),
    }


def test_cancellations_in_order_have_no_finding(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.act("cancel", terms, **cancellation(bench, terms, ALPHA)) == set()
    assert bench.books.nonce(ALPHA, 5) == state.CANCELLED
    other = Bench()
    other.live(terms)
    assert other.act("cancel", terms, **cancellation(other, terms, ALPHA, BRAVO)) == set()


def test_a_cancellation_by_one_after_all_consented_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    assert bench.act("cancel", terms, **cancellation(bench, terms, ALPHA)) == {Code.COMMITTED}


def test_a_cancellation_without_signatures_is_found(bench: Bench) -> None:
    terms = bench.terms()
    asked = {**cancellation(bench, terms, ALPHA), "signatures": ()}
    assert bench.act("cancel", terms, **asked) == {Code.CONSENT_MISSING}


def test_a_cancellation_by_another_is_found(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.act("cancel", terms, **cancellation(bench, terms, BRAVO)) == {Code.SIGNATURE}


def test_a_cancellation_that_serves_no_more_is_found(bench: Bench) -> None:
    terms = bench.terms()
    asked = cancellation(bench, terms, ALPHA, valid_by=NOW)
    assert bench.act("cancel", terms, **asked) == {Code.WINDOW}


def test_a_cancellation_of_what_settled_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.settle(terms)
    assert bench.act("cancel", terms, **cancellation(bench, terms, ALPHA)) == {Code.NONCE}
