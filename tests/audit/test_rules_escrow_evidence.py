"""Each rule of evidence, broken by hand: what was shown has to be what the terms ask for."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from escrow_bench import DELIVERED, HOUR, EscrowBench
from rule_bench import ALPHA, BRAVO, NOW, ORACLE, Silent, sign

from settle.audit.escrow_terms import EscrowTerms
from settle.audit.findings import Code
from settle.domain.escrow.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    Signed,
    TimeReached,
)
from settle.domain.ids import Address

SECRET = b"\x5e" * 32
LOCK = Preimage(digest=hashlib.sha256(SECRET).digest())
STATED = Signed(signer=Address(ORACLE), statement=DELIVERED)
GOLD = b"gold".ljust(32, b"\0")
ROUND = Reading(signer=Address(ORACLE), feed=GOLD, kind=0, at=7, low=-5, high=10)
INSTANT = replace(ROUND, kind=1, at=NOW + 2 * HOUR)
EARLY, NEVER = TimeReached(at=NOW), Never()


@pytest.fixture
def bench() -> EscrowBench:
    return EscrowBench()


def stated(
    bench: EscrowBench,
    terms: EscrowTerms,
    *,
    at: int = NOW,
    milestone: int = 0,
    statement: bytes = DELIVERED,
    by: bytes = ORACLE,
) -> bytes:
    digest = bench.said.attestation(bench.identity(terms), milestone, ORACLE, statement, at)
    return at.to_bytes(8, "big") + sign(digest, by)


def read(
    bench: EscrowBench,
    terms: EscrowTerms,
    value: int,
    leaf: Reading = ROUND,
    *,
    at: int = NOW,
    by: bytes = ORACLE,
) -> bytes:
    what = (ORACLE, leaf.feed, leaf.kind, leaf.at)
    digest = bench.said.reading(bench.identity(terms), 0, what, value, at)
    return value.to_bytes(16, "big", signed=True) + at.to_bytes(8, "big") + sign(digest, by)


# ---------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (NEVER, False),
        (EARLY, True),
        (TimeReached(at=NOW + 1), False),
        (AllOf(of=(EARLY, EARLY)), True),
        (AllOf(of=(EARLY, TimeReached(at=NOW + 1))), False),
        (AnyOf(of=(TimeReached(at=NOW + 1), EARLY)), True),
        (AnyOf(of=(TimeReached(at=NOW + 1),) * 2), False),
        (AtLeast(count=2, of=(EARLY, TimeReached(at=NOW + 1), EARLY)), True),
        (AtLeast(count=2, of=(EARLY, *(TimeReached(at=NOW + 1),) * 2)), False),
    ],
)
def test_a_condition_that_did_not_hold_is_found(
    bench: EscrowBench, condition: Condition, holds: bool
) -> None:
    assert bench.meet(bench.running(condition)) == (set() if holds else {Code.CONDITION})


def test_a_dispute_moves_a_time_that_was_not_reached(bench: EscrowBench) -> None:
    terms = bench.running(TimeReached(at=NOW + HOUR), panel=True)
    assert bench.dispute(terms) == set()
    bench.time = NOW + 4 * HOUR - 1
    assert bench.meet(terms) == {Code.CONDITION}
    other = EscrowBench()
    other.open(terms)
    other.time = NOW + HOUR
    assert other.dispute(terms) == set()
    assert other.meet(terms) == set()


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (OutcomeOf(milestone=0, mask=1), True),
        (OutcomeOf(milestone=0, mask=2), False),
        (OutcomeOf(milestone=0, mask=5), True),
        (Not(of=OutcomeOf(milestone=0, mask=2)), True),
        (Not(of=OutcomeOf(milestone=0, mask=1)), False),
    ],
)
def test_an_outcome_counts_once_it_came(
    bench: EscrowBench, condition: Condition, holds: bool
) -> None:
    terms = bench.running(EARLY, condition)
    assert bench.meet(terms) == set()
    assert bench.meet(terms, 1) == (set() if holds else {Code.CONDITION})
    other = EscrowBench()
    other.open(terms)
    assert other.meet(terms, 1) == {Code.CONDITION}


def test_an_outcome_counts_while_its_payments_wait(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, OutcomeOf(milestone=0, mask=1))
    bench.books.accounts[ALPHA].frozen = True
    assert bench.meet(terms, waits=True) == set()
    assert bench.meet(terms, 1, waits=True) == set()


# ---------------------------------------------------------------------------- statements


def test_evidence_in_order_has_no_finding(bench: EscrowBench) -> None:
    terms = bench.running(AllOf(of=(STATED, LOCK, ROUND)))
    bench.time = NOW + HOUR
    evidence = [stated(bench, terms), SECRET, read(bench, terms, -5, at=NOW + HOUR)]
    assert bench.meet(terms, evidence=evidence) == set()
    assert bench.stage.consents.signatures == 4


@pytest.mark.parametrize("count", [0, 2])
def test_evidence_that_is_missing_or_too_much_is_found(bench: EscrowBench, count: int) -> None:
    terms = bench.running(LOCK)
    found = bench.meet(terms, evidence=[SECRET] * count)
    assert found == {Code.EVIDENCE, Code.CONDITION}


def test_evidence_that_was_not_shown_shows_nothing(bench: EscrowBench) -> None:
    assert bench.meet(bench.running(LOCK), evidence=[b""]) == {Code.CONDITION}


@pytest.mark.parametrize("shown", [b"\x5f" * 32, SECRET[:31], SECRET + b"\0"])
def test_a_preimage_that_does_not_fit_is_found(bench: EscrowBench, shown: bytes) -> None:
    terms = bench.running(AnyOf(of=(LOCK, EARLY)))
    assert bench.meet(terms, evidence=[shown]) == {Code.EVIDENCE}


def test_a_hash_of_another_length_does_not_fit(bench: EscrowBench) -> None:
    long = Preimage(digest=hashlib.sha256(SECRET + b"\0").digest())
    terms = bench.running(AnyOf(of=(long, EARLY)))
    assert bench.meet(terms, evidence=[SECRET + b"\0"]) == {Code.EVIDENCE}


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"at": NOW - 1}, "observed at 999999"),
        ({"at": NOW + HOUR + 1}, "observed at 1003601"),
        ({"by": BRAVO}, "a statement that its signer did not sign"),
        ({"milestone": 1}, "a statement that its signer did not sign"),
        ({"statement": bytes(32)}, "a statement that its signer did not sign"),
    ],
)
def test_a_statement_that_does_not_count_is_found(
    bench: EscrowBench, changes: dict[str, Any], fact: str
) -> None:
    terms = bench.running(AnyOf(of=(STATED, EARLY)))
    bench.time = NOW + HOUR
    assert bench.meet(terms, evidence=[stated(bench, terms, **changes)]) == {Code.EVIDENCE}
    assert bench.facts() == {fact}


@pytest.mark.parametrize("size", [1, 7, 8, 71, 74])
def test_a_statement_that_is_cut_is_found(bench: EscrowBench, size: int) -> None:
    terms = bench.running(STATED)
    shown = (stated(bench, terms) + b"\0")[:size]
    assert bench.meet(terms, evidence=[shown]) == {Code.EVIDENCE, Code.CONDITION}


def test_no_wallet_states_anything(bench: EscrowBench) -> None:
    """What was good stays good: a wallet could say yes today and no tomorrow."""

    class Yes(Silent):
        def call(self, method: str, *_params: Any) -> Any:
            return "0x1626ba7e" + "00" * 28 if method == "eth_call" else super().call(method)

    bench = EscrowBench(Yes())
    terms = bench.running(STATED)
    found = bench.meet(terms, evidence=[stated(bench, terms, by=BRAVO)])
    assert found == {Code.EVIDENCE, Code.CONDITION}


# ---------------------------------------------------------------------------- readings


@pytest.mark.parametrize(("value", "holds"), [(-6, False), (-5, True), (10, True), (11, False)])
def test_a_reading_counts_within_its_range(bench: EscrowBench, value: int, holds: bool) -> None:
    terms = bench.running(ROUND)
    found = bench.meet(terms, evidence=[read(bench, terms, value)])
    assert found == (set() if holds else {Code.CONDITION})


def test_a_reading_of_an_instant_was_observed_then(bench: EscrowBench) -> None:
    terms = bench.running(AnyOf(of=(INSTANT, EARLY)))
    bench.time = INSTANT.at + 1
    good, bad = (read(bench, terms, 0, INSTANT, at=INSTANT.at + k) for k in (0, 1))
    assert bench.meet(terms, evidence=[good]) == set()
    other = EscrowBench()
    other.open(terms)
    other.time = INSTANT.at + 1
    assert other.meet(terms, evidence=[bad]) == {Code.EVIDENCE}


@pytest.mark.parametrize(
    "changes", [{"leaf": replace(ROUND, at=8)}, {"leaf": replace(ROUND, feed=bytes(32))}]
)
def test_a_reading_of_another_round_or_feed_is_found(
    bench: EscrowBench, changes: dict[str, Any]
) -> None:
    terms = bench.running(AnyOf(of=(ROUND, EARLY)))
    assert bench.meet(terms, evidence=[read(bench, terms, 0, **changes)]) == {Code.EVIDENCE}


def test_a_reading_that_does_not_count_is_found(bench: EscrowBench) -> None:
    terms = bench.running(AnyOf(of=(ROUND, EARLY)))
    assert bench.meet(terms, evidence=[read(bench, terms, 0, by=BRAVO)]) == {Code.EVIDENCE}
    other = EscrowBench()
    other.open(terms)
    assert other.meet(terms, evidence=[read(other, terms, 0, at=NOW + 1)]) == {Code.EVIDENCE}


@pytest.mark.parametrize("size", [15, 23, 24, 87])
def test_a_reading_that_is_cut_is_found(bench: EscrowBench, size: int) -> None:
    terms = bench.running(AnyOf(of=(ROUND, EARLY)))
    assert bench.meet(terms, evidence=[read(bench, terms, 0)[:size]]) == {Code.EVIDENCE}


def test_an_oracle_that_says_two_things_of_one_round_is_found(bench: EscrowBench) -> None:
    """In two escrows: none of them alone gives it away."""
    first, second = bench.running(ROUND), bench.running(ROUND, salt=bytes(32))
    assert bench.meet(first, evidence=[read(bench, first, 3)]) == set()
    assert bench.meet(second, evidence=[read(bench, second, 4)]) == {Code.EQUIVOCATION}
    [finding] = bench.findings.kept
    assert (finding.account, finding.stated, finding.computed) == (ORACLE, 4, 3)


def test_an_oracle_that_repeats_itself_or_speaks_of_another_round_is_fine(
    bench: EscrowBench,
) -> None:
    other = replace(ROUND, at=8)
    first = bench.running(AllOf(of=(ROUND, other, replace(ROUND, feed=bytes(32)))))
    second = bench.running(ROUND, salt=bytes(32))
    evidence = [
        read(bench, first, 3),
        read(bench, first, 4, other),
        read(bench, first, 5, replace(ROUND, feed=bytes(32))),
    ]
    assert bench.meet(first, evidence=evidence) == set()
    assert bench.meet(second, evidence=[read(bench, second, 3)]) == set()


def test_a_word_that_the_oracle_did_not_sign_is_no_second_one(bench: EscrowBench) -> None:
    first, second = (bench.running(AnyOf(of=(ROUND, EARLY)), salt=bytes((n,)) * 32) for n in (1, 2))
    assert bench.meet(first, evidence=[read(bench, first, 3, by=BRAVO)]) == {Code.EVIDENCE}
    assert bench.meet(second, evidence=[read(bench, second, 4)]) == {Code.EVIDENCE}
