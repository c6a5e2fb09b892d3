"""Each rule of disputes and rulings, broken by hand: who asks, who answers, and when."""

from __future__ import annotations

from typing import Any

import pytest
from escrow_bench import DAY, DELIVERED, HOUR, REASON, EscrowBench
from rule_bench import ALPHA, ARBITERS, BRAVO, CHARLIE, EURO, NOW

from settle.audit.escrow_terms import NOBODY, Line
from settle.audit.explain_escrows import PANEL
from settle.audit.findings import Code
from settle.domain.escrow.conditions import AllOf, Never, OutcomeOf, Preimage, TimeReached

NEVER = Never()
LOCK = Preimage(digest=b"\x11" * 32)
EARLY = TimeReached(at=NOW)
LINE = Line(0, EURO, ALPHA, BRAVO, 100, 100, 0, 50)


@pytest.fixture
def bench() -> EscrowBench:
    return EscrowBench()


# ---------------------------------------------------------------------------- disputes


def test_a_dispute_in_order_has_no_finding(bench: EscrowBench) -> None:
    terms = bench.running(NEVER, panel=True)
    bench.time = NOW + DAY - 1
    assert bench.dispute(terms) == set()
    assert bench.books.escrows[bench.identity(terms)].disputes == {0: NOW + DAY - 1}
    other = EscrowBench()
    other.open(terms)
    assert other.dispute(terms, account=BRAVO, signature=b"", caller=BRAVO) == set()


def test_a_dispute_where_none_is_possible_is_found(bench: EscrowBench) -> None:
    assert bench.dispute(bench.running()) == {Code.TERMS}


@pytest.mark.parametrize("milestone", [0, 1])
def test_a_hash_lock_forbids_disputes_of_what_it_hangs_on(
    bench: EscrowBench, milestone: int
) -> None:
    locked = (OutcomeOf(milestone=0, mask=1), LOCK)
    terms = bench.running(NEVER, AllOf(of=locked), NEVER, panel=True)
    assert bench.dispute(terms, 2) == set()
    assert bench.dispute(terms, milestone) == {Code.TERMS}


def test_a_dispute_of_a_stranger_is_found(bench: EscrowBench) -> None:
    more = LINE._replace(milestone=1, beneficiary=CHARLIE)
    terms = bench.running(NEVER, NEVER, lines=(LINE, more), panel=True)
    assert bench.dispute(terms, 1, CHARLIE) == set()
    assert bench.dispute(terms, 0, CHARLIE) == {Code.CONSENT_MISSING}


def test_a_dispute_that_the_account_did_not_sign_is_found(bench: EscrowBench) -> None:
    terms = bench.running(NEVER, panel=True)
    assert bench.dispute(terms, signature=b"\1" * 65) == {Code.SIGNATURE}


@pytest.mark.parametrize(("at", "valid_by"), [(DAY, NOW + 2 * DAY), (HOUR, NOW + HOUR)])
def test_a_dispute_that_comes_late_is_found(bench: EscrowBench, at: int, valid_by: int) -> None:
    terms = bench.running(NEVER, panel=True)
    bench.time = NOW + at
    assert bench.dispute(terms, valid_by=valid_by) == {Code.WINDOW}


def test_a_second_dispute_is_found(bench: EscrowBench) -> None:
    terms = bench.running(NEVER, panel=True)
    assert bench.dispute(terms) == set()
    assert bench.dispute(terms, account=BRAVO) == {Code.IMPOSSIBLE}


def test_a_dispute_of_what_has_ended_is_found(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, panel=True)
    assert bench.meet(terms) == set()
    assert bench.dispute(terms) == {Code.IMPOSSIBLE}


@pytest.mark.parametrize(
    "changes", [{"account": BRAVO}, {"evidence": b"\1" * 32}, {"milestone": 1}]
)
def test_a_dispute_that_says_something_else_is_found(
    bench: EscrowBench, changes: dict[str, Any]
) -> None:
    terms = bench.running(NEVER, NEVER, panel=True)
    bench.say(terms, "DisputeOpened", milestone=0, account=ALPHA, evidence=DELIVERED)
    bench.alter("DisputeOpened", **changes)
    assert bench.dispute(terms) == {Code.EVENT_DIFFERS}


# ---------------------------------------------------------------------------- rulings


def disputed(bench: EscrowBench, **more: Any) -> Any:
    """Terms of one milestone, disputed an hour after the opening, and it is a second later."""
    terms = bench.running(NEVER, **{"panel": True, **more})
    bench.time = NOW + HOUR
    assert bench.dispute(terms) == set()
    bench.time += 1
    return terms


@pytest.mark.parametrize("by", [(0, 2), (1, 2), (0, 1, 2)])
def test_a_ruling_in_order_has_no_finding(bench: EscrowBench, by: tuple[int, ...]) -> None:
    assert bench.rule(disputed(bench), by) == set()
    assert bench.books.holding(BRAVO, EURO) == (1_040, 0)


@pytest.mark.parametrize("by", [(0,), (0, 0), (2, 0), (0, 3), (0, 255), ()])
def test_a_ruling_of_too_few_or_of_others_is_found(bench: EscrowBench, by: tuple[int, ...]) -> None:
    terms = disputed(bench)
    assert Code.CONSENT_MISSING in bench.rule(terms, by)


def test_a_ruling_without_a_dispute_is_found(bench: EscrowBench) -> None:
    assert bench.rule(bench.running(NEVER, panel=True), (0, 2)) == {Code.TERMS}


@pytest.mark.parametrize(
    ("by", "at", "in_time"),
    [
        ((0, 2), NOW + HOUR, False),
        ((0, 2), NOW + DAY + 2 * HOUR - 1, True),
        ((0, 2), NOW + DAY + 2 * HOUR, False),
        ((255,), NOW + DAY + 2 * HOUR - 1, False),
        ((255,), NOW + DAY + 2 * HOUR, True),
        ((255,), NOW + DAY + 3 * HOUR - 1, True),
        ((255,), NOW + DAY + 3 * HOUR, False),
    ],
)
def test_panel_and_fallback_have_their_turns(
    bench: EscrowBench, by: tuple[int, ...], at: int, in_time: bool
) -> None:
    terms = disputed(bench)
    bench.time = at
    assert bench.rule(terms, by) == (set() if in_time else {Code.WINDOW})


@pytest.mark.parametrize(
    ("by", "at", "in_time"),
    [
        ((0, 2), 4 * HOUR - 1, True),
        ((0, 2), 4 * HOUR, False),
        ((255,), 4 * HOUR - 1, False),
        ((255,), 4 * HOUR, True),
    ],
)
def test_turns_end_before_a_time_would_meet_the_condition(
    bench: EscrowBench, by: tuple[int, ...], at: int, in_time: bool
) -> None:
    terms = bench.running(TimeReached(at=NOW + 2 * HOUR), panel=True)
    assert bench.dispute(terms) == set()
    bench.time = NOW + at
    assert bench.rule(terms, by) == (set() if in_time else {Code.WINDOW})


def test_a_time_that_was_reached_ends_no_turn(bench: EscrowBench) -> None:
    terms = bench.running(TimeReached(at=NOW + HOUR), panel=True)
    bench.time = NOW + HOUR
    assert bench.dispute(terms) == set()
    bench.time = NOW + DAY + 2 * HOUR - 1
    assert bench.rule(terms, (0, 2)) == set()


def test_a_fallback_that_nobody_named_is_found(bench: EscrowBench) -> None:
    terms = disputed(bench, fallback=NOBODY, fallback_time=0)
    bench.time = NOW + DAY + 2 * HOUR - 1
    assert {Code.SIGNATURE, Code.WINDOW} <= bench.rule(terms, (255,))
    other = EscrowBench()
    terms = disputed(other, fallback=NOBODY, fallback_time=0)
    other.time = NOW + DAY + 2 * HOUR - 1
    assert other.rule(terms, (0, 1)) == set()


def test_a_ruling_has_its_time(bench: EscrowBench) -> None:
    terms = disputed(bench)
    assert bench.rule(terms, (0, 2), valid_by=bench.time) == {Code.WINDOW}
    other = EscrowBench()
    assert other.rule(disputed(other), (0, 2), valid_by=NOW + HOUR + 2) == set()


def test_a_ruling_over_other_amounts_is_found(bench: EscrowBench) -> None:
    assert bench.rule(disputed(bench), (0, 2), signed=(41,)) == {Code.SIGNATURE}


def test_an_arbiter_cannot_rule_by_a_call_alone(bench: EscrowBench) -> None:
    terms = disputed(bench)
    bench.ended(terms, 0, PANEL, (40,), spoken=ARBITERS[:2])
    rulings = tuple((place, REASON, NOW + DAY, b"") for place in (0, 1))
    found = bench.explain("endByRuling", terms, caller=ARBITERS[0], paid=(40,), rulings=rulings)
    assert found == {Code.SIGNATURE}


@pytest.mark.parametrize("changes", [{"reason": b"ELSE"}, {"arbiter": ARBITERS[1]}])
def test_a_reason_that_the_arbiter_did_not_give_is_found(
    bench: EscrowBench, changes: dict[str, Any]
) -> None:
    terms = disputed(bench)
    bench.ended(terms, 0, PANEL, (40,), spoken=(ARBITERS[0], ARBITERS[2]))
    bench.alter("Ruled", **changes)
    assert bench.rule(terms, (0, 2)) == {Code.EVENT_DIFFERS}


@pytest.mark.parametrize("paid", [(101,), (40, 0)])
def test_a_ruling_beyond_what_is_held_is_found(bench: EscrowBench, paid: tuple[int, ...]) -> None:
    terms = disputed(bench)
    bench.event("Ruled", bench.identity(terms), id=bench.identity(terms))
    assert bench.rule(terms, (0, 2), paid) == {Code.TERMS, Code.UNEXPLAINED}
