"""Each rule of settlement, broken by hand: the auditor judges by its own books alone."""

from __future__ import annotations

from typing import Any

import pytest
from rule_bench import (
    ALPHA,
    ANYBODY,
    BRAVO,
    EURO,
    NOW,
    SHARES,
    Bench,
    sign,
)

from settle.audit import books as state
from settle.audit.findings import Code
from settle.audit.terms import Instruction, Leg


@pytest.fixture
def bench() -> Bench:
    return Bench()


def signatures(bench: Bench, terms: Instruction, *accounts: bytes) -> tuple[bytes, ...]:
    identity = bench.digests.instruction(terms)
    return tuple(sign(identity, a) if a in accounts else b"" for a in (ALPHA, BRAVO))


# ---------------------------------------------------------------------------- settling


def test_a_settlement_in_order_has_no_finding(bench: Bench) -> None:
    assert bench.settle(bench.terms()) == set()
    assert bench.books.holding(BRAVO, SHARES) == (1_030, 0)
    assert bench.books.nonce(ALPHA, 5) == state.SETTLED
    assert bench.settling.instructions == 1


@pytest.mark.parametrize(("at", "in_window"), [(-11, False), (-10, True), (9, True), (10, False)])
def test_a_window_is_open_at_its_beginning_and_over_at_its_end(
    bench: Bench, at: int, in_window: bool
) -> None:
    bench.time = NOW + at
    assert bench.settle(bench.terms()) == (set() if in_window else {Code.WINDOW})


@pytest.mark.parametrize(
    "changes",
    [
        {"options": 4},
        {"cycle": b"\1" * 32},
        {"predecessor": b"\1" * 32},
        {"initiator": ANYBODY},
        {"minimum_lot": 3},
    ],
)
def test_malformed_terms_that_settled_are_found(bench: Bench, changes: dict[str, Any]) -> None:
    assert bench.settle(bench.terms(**changes)) == {Code.TERMS}


@pytest.mark.parametrize("before", [state.SETTLED, state.CANCELLED, state.LIVE])
def test_a_nonce_that_is_not_free_is_found(bench: Bench, before: int) -> None:
    bench.books.set_nonce(ALPHA, 5, before)
    assert bench.settle(bench.terms()) == {Code.NONCE}


@pytest.mark.parametrize("standing", [state.UNKNOWN, state.SUSPENDED])
def test_a_party_that_is_not_admitted_is_found(bench: Bench, standing: int) -> None:
    bench.books.accounts[BRAVO].standing = standing
    assert bench.settle(bench.terms()) == {Code.STANDING}


def test_a_frozen_deliverer_is_found_and_a_frozen_receiver_is_none(bench: Bench) -> None:
    bench.books.accounts[BRAVO].frozen = True
    one_way = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 30),))
    assert bench.settle(one_way) == set()
    assert bench.settle(bench.terms(nonce=6)) == {Code.ACCOUNT_FROZEN}


def test_a_frozen_or_unknown_asset_is_found(bench: Bench) -> None:
    bench.books.assets[EURO].frozen = True
    assert bench.settle(bench.terms()) == {Code.ASSET_FROZEN}
    other = Bench()
    del other.books.assets[EURO]
    assert other.settle(other.terms()) == {Code.ASSET_FROZEN, Code.IMPOSSIBLE}


def test_a_deliverer_without_the_quantity_is_found(bench: Bench) -> None:
    legs = (Leg(SHARES, ALPHA, BRAVO, 1_001), Leg(EURO, BRAVO, ALPHA, 40))
    assert Code.NOT_COVERED in bench.settle(bench.terms(legs=legs))


def test_an_earlier_leg_may_cover_a_later_one(bench: Bench) -> None:
    legs = (Leg(SHARES, ALPHA, BRAVO, 500), Leg(SHARES, BRAVO, ALPHA, 1_500))
    assert bench.settle(bench.terms(legs=legs)) == set()
    other = Bench()
    legs = (Leg(SHARES, BRAVO, ALPHA, 1_500), Leg(SHARES, ALPHA, BRAVO, 500))
    assert Code.NOT_COVERED in other.settle(other.terms(legs=legs))


def test_a_consent_that_was_not_given_is_found(bench: Bench) -> None:
    terms = bench.terms()
    assert bench.settle(terms, signatures(bench, terms, ALPHA)) == {Code.CONSENT_MISSING}
    assert Bench().settle(terms, ()) == {Code.CONSENT_MISSING}
    assert Bench().settle(terms, (b"", b"", b"")) == {Code.CONSENT_MISSING}


def test_a_consent_on_chain_counts_for_whose_it_is(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms, consents=0b10)
    assert bench.settle(terms, signatures(bench, terms, ALPHA)) == set()
    other = Bench()
    other.live(terms, consents=0b10)
    assert other.settle(terms, signatures(other, terms, BRAVO)) == {Code.CONSENT_MISSING}


def test_a_withdrawn_consent_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.books.withdrawn.add((BRAVO, bench.digests.instruction(terms)))
    bench.books.accounts[BRAVO].withdrawals = 1
    assert bench.settle(terms) == {Code.CONSENT_WITHDRAWN}


def test_a_reservation_is_executed_with_its_instruction(bench: Bench) -> None:
    terms = bench.terms(legs=(Leg(SHARES, ALPHA, BRAVO, 900), Leg(EURO, BRAVO, ALPHA, 40)))
    bench.live(terms)
    hold = bench.reserve(terms, 0)
    bench.settled(terms, executed=[hold])
    assert bench.settle(terms, ()) == set()
    assert bench.books.holding(ALPHA, SHARES) == (100, 0)


def test_a_reservation_that_outlives_its_instruction_is_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.live(terms)
    bench.reserve(terms, 0)
    assert bench.settle(terms, ()) == {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}


def test_legs_in_another_order_are_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.settled(terms)
    stream = bench.stage.stream
    stream[0], stream[1] = stream[1], stream[0]
    assert Code.EVENT_DIFFERS in bench.settle(terms)


def test_legs_without_an_end_are_found(bench: Bench) -> None:
    terms = bench.terms()
    bench.settled(terms)
    bench.stage.stream.pop()
    assert {Code.EVENT_MISSING, Code.IMPOSSIBLE} <= bench.settle(terms)
