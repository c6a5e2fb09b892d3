"""Payments that wait, what no event of an escrow can do, and settlements on record."""

from __future__ import annotations

from typing import Any

import pytest
from escrow_bench import DAY, EscrowBench
from rule_bench import ALPHA, ANYBODY, BRAVO, CHARLIE, EURO, NOW, SHARES, Bench, sign

from settle.audit.escrow_terms import MAX_WAIT_S, EscrowTerms, Line
from settle.audit.explain_escrows import AGREEMENT, CONDITION
from settle.audit.findings import Code
from settle.audit.terms import OPTION_RECORD, Instruction, parties
from settle.domain.escrow.conditions import Never, OutcomeOf, TimeReached

EARLY, NEVER = TimeReached(at=NOW), Never()
WHOLE = (100, 10)


@pytest.fixture
def bench() -> EscrowBench:
    return EscrowBench()


def waiting(
    bench: EscrowBench, *, account: bytes | None = BRAVO, asset: int | None = None
) -> EscrowTerms:
    """Alpha's 100 euro against Bravo's 10 shares, decided while something was frozen."""
    terms = bench.running(EARLY, swap=True)
    if account is not None:
        bench.books.accounts[account].frozen = True
    if asset is not None:
        bench.books.assets[asset].frozen = True
    assert bench.meet(terms, waits=True) == set()
    return terms


def thaw(bench: EscrowBench) -> None:
    for account in bench.books.accounts.values():
        account.frozen = False
    for asset in bench.books.assets.values():
        asset.frozen = False


# ---------------------------------------------------------------------------- deciding


@pytest.mark.parametrize("frozen", [{"account": ALPHA}, {"account": None, "asset": SHARES}])
def test_payments_wait_behind_a_freeze_and_are_made_after_it(
    bench: EscrowBench, frozen: dict[str, Any]
) -> None:
    terms = waiting(bench, **frozen)
    assert bench.books.holding(ALPHA, EURO) == (900, 100)
    thaw(bench)
    bench.time = NOW + 99 * DAY
    assert bench.pay_out(terms, WHOLE) == set()
    assert bench.books.holding(BRAVO, EURO) == (1_100, 0)
    assert bench.books.escrows[bench.identity(terms)].outcomes == 1


def test_a_frozen_beneficiary_waits_for_nothing(bench: EscrowBench) -> None:
    terms = bench.running(EARLY)
    bench.books.accounts[BRAVO].frozen = True
    assert bench.meet(terms) == set()


def test_what_is_not_paid_goes_back_at_once(bench: EscrowBench) -> None:
    """Whatever waits of the others, and also to one who is frozen."""
    terms = bench.running(NEVER, swap=True)
    bench.books.accounts[ALPHA].frozen = True
    bench.ended(terms, 0, AGREEMENT, (40, 0), waits=True)
    assert bench.agree(terms, (40, 0)) == set()
    assert bench.books.holding(BRAVO, SHARES) == (1_000, 0)
    assert bench.books.holding(ALPHA, EURO) == (960, 40)


def test_a_frozen_party_that_pays_nothing_lets_nobody_wait(bench: EscrowBench) -> None:
    terms = bench.running(NEVER, swap=True)
    bench.books.accounts[BRAVO].frozen = True
    assert bench.agree(terms, (40, 0)) == set()


def test_payments_made_in_spite_of_a_freeze_are_found(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, swap=True)
    bench.books.accounts[BRAVO].frozen = True
    found = bench.meet(terms)
    assert found == {Code.EVENT_DIFFERS, Code.ACCOUNT_FROZEN, Code.UNEXPLAINED}
    other = EscrowBench()
    other.open(terms)
    other.books.assets[SHARES].frozen = True
    assert other.meet(terms) == {Code.EVENT_DIFFERS, Code.ASSET_FROZEN, Code.UNEXPLAINED}


def test_payments_that_wait_for_nothing_are_found(bench: EscrowBench) -> None:
    terms = bench.running(EARLY)
    assert {Code.EVENT_DIFFERS, Code.EVENT_MISSING} == bench.meet(terms, waits=True)


# ---------------------------------------------------------------------------- paying out


def test_payments_behind_a_freeze_are_found(bench: EscrowBench) -> None:
    assert bench.pay_out(waiting(bench), WHOLE) == {Code.ACCOUNT_FROZEN}
    other = EscrowBench()
    terms = waiting(other, account=None, asset=EURO)
    assert other.pay_out(terms, WHOLE) == {Code.ASSET_FROZEN}


@pytest.mark.parametrize("paid", [(99, 10), (100,), (100, 10, 0), (10, 100)])
def test_payments_that_were_not_decided_are_found(
    bench: EscrowBench, paid: tuple[int, ...]
) -> None:
    terms = waiting(bench)
    thaw(bench)
    bench.pay_out(terms, paid)
    assert "payments that were not decided" in bench.facts()


def test_payments_that_do_not_wait_are_found(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, swap=True)
    assert bench.meet(terms) == set()
    bench.say(terms, "PaymentsMade", milestone=0)
    found = bench.pay_out(terms, ())
    assert found == {Code.TERMS, Code.IMPOSSIBLE}
    assert bench.facts() == {"payments that were not decided", "payments of milestone 0"}


def test_a_payment_that_is_left_out_is_found(bench: EscrowBench) -> None:
    terms = waiting(bench)
    thaw(bench)
    bench.say(terms, "PaymentsMade", milestone=0)
    bench.paid(terms, 0, 100)
    assert bench.pay_out(terms, WHOLE) == {Code.EVENT_MISSING, Code.IMPOSSIBLE}


@pytest.mark.parametrize(
    ("event", "changes"),
    [("PaymentsMade", {"milestone": 1}), ("LinePaid", {"beneficiary": CHARLIE})],
)
def test_payments_that_say_something_else_are_found(
    bench: EscrowBench, event: str, changes: dict[str, Any]
) -> None:
    terms = waiting(bench)
    thaw(bench)
    bench.say(terms, "PaymentsMade", milestone=0)
    for k, amount in enumerate(WHOLE):
        bench.paid(terms, k, amount)
    bench.alter(event, **changes)
    assert Code.EVENT_DIFFERS in bench.pay_out(terms, WHOLE)


def test_nothing_ends_twice_while_it_waits(bench: EscrowBench) -> None:
    terms = waiting(bench)
    bench.say(terms, "MilestoneEnded", milestone=0, by=0, outcome=1, waits=1, paid=WHOLE)
    bench.agree(terms, WHOLE)
    assert {"a milestone that has ended ends", "milestone 0"} <= bench.facts()


# ---------------------------------------------------------------------------- giving up


def test_a_free_depositor_gives_up_after_the_longest_wait(bench: EscrowBench) -> None:
    terms = waiting(bench)
    bench.time = NOW + MAX_WAIT_S
    assert bench.give_up(terms, WHOLE) == set()
    assert bench.books.holding(ALPHA, EURO) == (1_000, 0)
    assert bench.books.holding(BRAVO, SHARES) == (1_000, 0)
    assert bench.books.escrows[bench.identity(terms)].waiting == {}


def test_the_wait_counts_from_the_end(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, swap=True)
    bench.books.accounts[BRAVO].frozen = True
    bench.time = NOW + DAY - 1
    assert bench.meet(terms, waits=True) == set()
    bench.time += MAX_WAIT_S - 1
    assert bench.give_up(terms, WHOLE) == {Code.WINDOW}


@pytest.mark.parametrize("caller", [BRAVO, CHARLIE, ANYBODY])
def test_nobody_gives_up_who_is_frozen_or_no_depositor(bench: EscrowBench, caller: bytes) -> None:
    terms = waiting(bench)
    bench.time = NOW + MAX_WAIT_S
    assert bench.give_up(terms, WHOLE, caller) == {Code.COMMITTED}


def test_nobody_gives_up_while_nothing_is_frozen(bench: EscrowBench) -> None:
    terms = waiting(bench)
    thaw(bench)
    bench.time = NOW + MAX_WAIT_S
    assert bench.give_up(terms, WHOLE) == {Code.COMMITTED}


def test_a_depositor_with_one_payment_that_is_stopped_does_not_give_up(bench: EscrowBench) -> None:
    line = Line(0, EURO, ALPHA, BRAVO, 100, 100, 0, 0)
    lines = (line, line._replace(asset=SHARES), line._replace(depositor=CHARLIE, quantity=0))
    more = line._replace(asset=SHARES, depositor=BRAVO, beneficiary=ALPHA)
    terms = bench.running(EARLY, lines=(*lines[:2], more))
    bench.books.assets[SHARES].frozen = True
    assert bench.meet(terms, waits=True) == set()
    bench.time = NOW + MAX_WAIT_S
    assert bench.give_up(terms, (100, 100, 100)) == {Code.COMMITTED}


def test_one_who_pays_nothing_of_what_waits_does_not_give_up(bench: EscrowBench) -> None:
    terms = bench.running(NEVER, swap=True)
    bench.books.accounts[BRAVO].frozen = True
    bench.ended(terms, 0, AGREEMENT, (0, 10), waits=True)
    assert bench.agree(terms, (0, 10)) == set()
    bench.time = NOW + MAX_WAIT_S
    assert bench.give_up(terms, (0, 10)) == {Code.COMMITTED}


def test_giving_up_what_was_not_decided_is_found(bench: EscrowBench) -> None:
    terms = waiting(bench)
    bench.time = NOW + MAX_WAIT_S
    bench.give_up(terms, (100, 9))
    assert "payments that were not decided" in bench.facts()


def test_giving_up_in_anothers_name_is_found(bench: EscrowBench) -> None:
    terms = waiting(bench)
    bench.time = NOW + MAX_WAIT_S
    bench.say(terms, "PaymentsGivenUp", milestone=0, account=BRAVO)
    for k, amount in enumerate(WHOLE):
        bench.returned(terms, k, amount)
    assert bench.give_up(terms, WHOLE) == {Code.EVENT_DIFFERS}


def test_giving_up_returns_everything(bench: EscrowBench) -> None:
    terms = waiting(bench)
    bench.time = NOW + MAX_WAIT_S
    bench.say(terms, "PaymentsGivenUp", milestone=0, account=ALPHA)
    bench.returned(terms, 0, 100)
    assert bench.give_up(terms, WHOLE) == {Code.EVENT_MISSING, Code.IMPOSSIBLE}


# ---------------------------------------------------------------------------- events alone


def folded(bench: EscrowBench, terms: EscrowTerms, name: str, **arguments: Any) -> set[str]:
    """Apply one event that no call explains; what is impossible about it."""
    bench.say(terms, name, **arguments)
    assert bench.fold() <= {Code.IMPOSSIBLE, Code.RESULT, Code.UNEXPLAINED}
    return {one.fact for one in bench.findings.kept if one.code is Code.IMPOSSIBLE}


HELD = {"line": 0, "depositor": ALPHA, "asset": EURO, "quantity": 100, "holding": 0}
PAID = {**HELD, "beneficiary": BRAVO, "depositorHolding": 0, "beneficiaryHolding": 0}
ENDED = {"milestone": 0, "by": 0, "outcome": 1, "waits": 0, "paid": (100,)}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("LineHeld", HELD),
        ("LineReturned", HELD),
        ("LinePaid", PAID),
        ("MilestoneEnded", ENDED),
        ("PaymentsMade", {"milestone": 0}),
        ("PaymentsGivenUp", {"milestone": 0, "account": ALPHA}),
        ("DisputeOpened", {"milestone": 0, "account": ALPHA, "evidence": bytes(32)}),
    ],
)
def test_nothing_happens_to_an_escrow_that_is_not_open(
    bench: EscrowBench, name: str, arguments: dict[str, Any]
) -> None:
    assert "an escrow" in folded(bench, bench.draft(EARLY), name, **arguments)
    other = EscrowBench()
    assert other.withdraw(other.draft(EARLY), ALPHA) == set()
    assert "an escrow" in folded(other, other.draft(EARLY), name, **arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "fact"),
    [
        ("LineHeld", HELD, "line 0"),
        ("LineReturned", {**HELD, "line": 1}, "line 1"),
        ("LineReturned", {**HELD, "depositor": BRAVO}, "line 0"),
        ("LineReturned", {**HELD, "asset": SHARES}, "line 0"),
        ("LineReturned", {**HELD, "quantity": 101}, "what is held of line 0"),
        ("LineReturned", {**HELD, "quantity": 1}, "what is held of line 0"),
        ("LinePaid", PAID, "what is held of line 0"),
        ("LinePaid", {**PAID, "line": 1}, "line 1"),
        ("MilestoneEnded", {**ENDED, "outcome": 3}, "the outcome"),
        ("MilestoneEnded", {**ENDED, "outcome": 2}, "the outcome"),
        ("MilestoneEnded", {**ENDED, "paid": (0,)}, "the outcome"),
        ("MilestoneEnded", {**ENDED, "paid": (7,)}, "the outcome"),
        ("MilestoneEnded", {**ENDED, "paid": (100, 100)}, "the outcome"),
        ("MilestoneEnded", ENDED, "what is held of line 0"),
        ("PaymentsMade", {"milestone": 0}, "payments of milestone 0"),
        ("PaymentsGivenUp", {"milestone": 0, "account": ALPHA}, "payments of milestone 0"),
    ],
)
def test_what_no_event_can_do_is_found(
    bench: EscrowBench, name: str, arguments: dict[str, Any], fact: str
) -> None:
    assert fact in folded(bench, bench.running(EARLY), name, **arguments)


def test_more_than_what_waits_cannot_go_back(bench: EscrowBench) -> None:
    terms = waiting(bench)
    given = {**HELD, "quantity": 1, "holding": 901 | 99 << 128}
    assert folded(bench, terms, "LineReturned", **given) == {"what is held of line 0"}


def test_an_end_of_one_milestone_ends_no_other(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, OutcomeOf(milestone=0, mask=1))
    bench.ended(terms, 0, CONDITION, (100,))
    bench.alter("LinePaid", line=1)
    bench.meet(terms)
    assert {"what is held of line 0", "what is held of line 1"} <= bench.facts()


# ---------------------------------------------------------------------------- on record


def recorded(bench: Bench, terms: Instruction, identity: bytes | None = None) -> None:
    bench.settled(terms)
    identity = identity or bench.digests.instruction(terms)
    bench.event("InstructionRecorded", identity, instruction=identity)


def test_a_settlement_that_asks_for_it_is_recorded(bench: EscrowBench) -> None:
    terms = bench.terms(options=OPTION_RECORD)
    recorded(bench, terms)
    assert bench.settle(terms) == set()
    assert bench.books.recorded == {bench.digests.instruction(terms)}


def test_a_record_that_nobody_asked_for_is_found(bench: EscrowBench) -> None:
    terms = bench.terms()
    recorded(bench, terms)
    assert bench.settle(terms) == {Code.UNEXPLAINED}


def test_a_record_that_is_missing_is_found(bench: EscrowBench) -> None:
    assert bench.settle(bench.terms(options=OPTION_RECORD)) == {Code.EVENT_MISSING}


def test_a_record_of_another_is_found(bench: EscrowBench) -> None:
    terms = bench.terms(options=OPTION_RECORD)
    recorded(bench, terms, b"\1" * 32)
    assert bench.settle(terms) == {Code.EVENT_DIFFERS}


def test_records_in_a_batch_stand_behind_their_settlements(bench: EscrowBench) -> None:
    requests = []
    for nonce in (5, 6):
        terms = bench.terms(
            options=OPTION_RECORD, nonce=nonce, legs=bench.terms().legs[nonce - 5 :][:1]
        )
        identity = bench.digests.instruction(terms)
        recorded(bench, terms)
        value = (*terms[:-1], tuple(tuple(leg) for leg in terms.legs))
        requests.append((value, tuple(sign(identity, a) for a in parties(terms.legs))))
    bench.settling.settle_many(bench.call(), {"requests": tuple(requests)})
    assert bench.codes() == set()
    assert len(bench.books.recorded) == 2
