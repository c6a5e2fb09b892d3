"""Each rule of opening and ending an escrow, broken by hand: the auditor judges anew."""

from __future__ import annotations

from typing import Any

import pytest
from escrow_bench import DAY, HOUR, EscrowBench
from rule_bench import (
    ALPHA,
    ARBITERS,
    BRAVO,
    CHARLIE,
    EURO,
    FALLBACK,
    NOW,
    SHARES,
    sign,
)

from settle.audit import books as state
from settle.audit.escrow_terms import NOBODY, Line
from settle.audit.explain_escrows import CONDITION, DEFAULT, SILENCE
from settle.audit.findings import Code
from settle.domain.escrow.conditions import (
    AllOf,
    Condition,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    TimeReached,
)

NEVER = Never()
LOCK = Preimage(digest=b"\x11" * 32)
EARLY = TimeReached(at=NOW)
LINE = Line(0, EURO, ALPHA, BRAVO, 100, 100, 0, 50)


@pytest.fixture
def bench() -> EscrowBench:
    return EscrowBench()


# ---------------------------------------------------------------------------- opening


@pytest.mark.parametrize("more", [{}, {"swap": True}, {"panel": True}])
def test_an_opening_in_order_has_no_finding(bench: EscrowBench, more: dict[str, bool]) -> None:
    terms = bench.draft(NEVER, Not(of=OutcomeOf(milestone=0, mask=1)), **more)
    assert bench.open(terms) == set()
    assert bench.books.holding(ALPHA, EURO) == (800, 200)
    assert bench.books.escrows[bench.identity(terms)].opened_at == NOW


def test_a_foreign_text_is_found(bench: EscrowBench) -> None:
    assert bench.open(bench.draft(NEVER, text=b"\x77" * 32)) == {Code.FOREIGN_TEXT}
    [finding] = bench.findings.kept
    assert (finding.stated, finding.computed) == (b"\x77" * 32, bench.draft(NEVER).text)
    other = EscrowBench()
    other.books.assets[EURO].code = b"\xff" * 12
    assert other.open(other.draft(NEVER)) == {Code.FOREIGN_TEXT}
    assert other.findings.kept[0].computed == "nothing that can be printed"


def lines(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"lines": tuple(LINE._replace(**one) for one in changes)}


PANEL: dict[str, Any] = {
    "arbiters": tuple(ARBITERS),
    "quorum": 2,
    "answer_time": HOUR,
    "fallback": FALLBACK,
    "fallback_time": HOUR,
}


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"lines": ()}, "0 lines"),
        (lines(*({"quantity": 1, "if_met": 1, "if_unruled": 1},) * 17), "17 lines"),
        ({"deadlines": ()}, "0 milestones"),
        ({"deadlines": (NOW + DAY,) * 9}, "9 milestones"),
        ({**PANEL, "arbiters": (*ARBITERS,) * 3, "quorum": 5}, "9 arbiters"),
        ({"program": bytes(2_049)}, "2049 bytes"),
        (lines({"quantity": 0, "if_met": 0, "if_unruled": 0}), "line 0 moves nothing"),
        (lines({"beneficiary": ALPHA}), "line 0 moves nothing"),
        (lines({"if_met": 101}), "pays more"),
        (lines({"by_default": 101}), "pays more"),
        (lines({"if_unruled": 101}), "pays more"),
        (lines({"milestone": 1}), "in order"),
        ({"open_by": NOW}, "opened before"),
        ({"deadlines": (NOW + 2 * HOUR - 1,)}, "deadline of milestone 0"),
        ({"deadlines": (NOW + 1_096 * DAY + 1,)}, "deadline of milestone 0"),
        ({"quorum": 1}, "the panel"),
        ({"answer_time": 1}, "the panel"),
        ({**PANEL, "quorum": 1}, "the panel"),
        ({**PANEL, "quorum": 4}, "the panel"),
        ({**PANEL, "arbiters": tuple(ARBITERS[:2]), "quorum": 1}, "the panel"),
        ({**PANEL, "answer_time": 0}, "the panel"),
        ({**PANEL, "fallback_time": 0}, "the panel"),
        ({**PANEL, "fallback": NOBODY}, "the panel"),
        ({**PANEL, "answer_time": 90 * DAY}, "the panel"),
        ({**PANEL, "arbiters": (*ARBITERS[:2], ARBITERS[0])}, "the panel"),
        ({**PANEL, "fallback": ARBITERS[2]}, "the panel"),
        ({**PANEL, "arbiters": (*ARBITERS[:2], BRAVO)}, "an arbiter is a party"),
        ({**PANEL, "fallback": ALPHA}, "an arbiter is a party"),
        ({"program": b"\0\0"}, "the conditions: 1 bytes are left over"),
        ({"program": b"\x08"}, "the conditions: milestone 0, byte 0"),
        ({"program": b""}, "the conditions: milestone 0, byte 0"),
    ],
)
def test_malformed_terms_that_were_opened_are_found(
    bench: EscrowBench, changes: dict[str, Any], fact: str
) -> None:
    assert bench.open(bench.draft(NEVER, **changes)) == {Code.TERMS}
    assert any(fact in one for one in bench.facts()), bench.facts()


@pytest.mark.parametrize(
    "changes",
    [
        lines(*({"quantity": 1, "if_met": 1, "if_unruled": 1},) * 16),
        {"deadlines": (NOW + 2 * HOUR,)},
        {"deadlines": (NOW + 1_096 * DAY,)},
        {"open_by": NOW + 1},
        {**PANEL, "quorum": 3},
        {**PANEL, "arbiters": tuple(ARBITERS[:2]), "quorum": 2},
        {**PANEL, "answer_time": 90 * DAY - HOUR},
        {**PANEL, "fallback": NOBODY, "fallback_time": 0},
        lines({"if_met": 0, "by_default": 100, "if_unruled": 100}),
    ],
)
def test_terms_on_the_edge_have_no_finding(bench: EscrowBench, changes: dict[str, Any]) -> None:
    assert bench.open(bench.draft(NEVER, **changes)) == set()


def test_eight_milestones_and_a_time_an_hour_before_the_end_have_no_finding(
    bench: EscrowBench,
) -> None:
    assert bench.open(bench.draft(*(NEVER,) * 8)) == set()
    last = TimeReached(at=NOW + DAY - HOUR)
    assert bench.open(bench.draft(last)) == set()


def test_conditions_that_the_contract_refuses_are_found(bench: EscrowBench) -> None:
    soon = TimeReached(at=NOW + DAY - HOUR + 1)
    assert bench.open(bench.draft(soon)) == {Code.TERMS}
    one_day = Reading(signer=BRAVO, feed=bytes(32), kind=0, at=1, low=0, high=1)
    other = EscrowBench()
    assert other.open(other.draft(one_day)) == {Code.TERMS}
    assert "the conditions: an oracle is a party" in other.facts()


@pytest.mark.parametrize(("leaves", "fits"), [(4, True), (5, False)])
def test_a_condition_has_32_nodes_at_most(bench: EscrowBench, leaves: int, fits: bool) -> None:
    groups = (AllOf(of=(EARLY,) * 8),) * 3
    condition = AllOf(of=(*groups, *(EARLY,) * leaves))
    assert bench.open(bench.draft(condition)) == (set() if fits else {Code.TERMS})


@pytest.mark.parametrize(("depth", "fits"), [(4, True), (5, False)])
def test_a_condition_is_4_deep_at_most(bench: EscrowBench, depth: int, fits: bool) -> None:
    condition: Condition = EARLY
    for _ in range(depth - 1):
        condition = AllOf(of=(condition, EARLY))
    assert bench.open(bench.draft(condition)) == (set() if fits else {Code.TERMS})


def test_a_condition_that_breaks_off_is_found(bench: EscrowBench) -> None:
    assert bench.open(bench.draft(EARLY, program=b"\x10\x02\x01" + bytes(8))) == {Code.TERMS}
    assert "the conditions: milestone 0, byte 11" in bench.facts()


def test_a_hash_lock_with_two_depositors_is_found(bench: EscrowBench) -> None:
    assert bench.open(bench.draft(LOCK)) == set()
    assert bench.open(bench.draft(LOCK, swap=True)) == {Code.TERMS}


def test_a_signature_that_is_missing_or_anothers_is_found(bench: EscrowBench) -> None:
    terms = bench.draft(NEVER, panel=True)
    signatures = [sign(bench.identity(terms), account) for account in terms.signers()]
    assert bench.open(terms, signatures[:-1]) == {Code.CONSENT_MISSING}
    other = EscrowBench()
    signatures[3] = signatures[2]
    assert other.open(terms, signatures) == {Code.SIGNATURE}
    [finding] = other.findings.kept
    assert finding.account == ARBITERS[1]


def test_terms_that_are_open_or_were_withdrawn_from_cannot_be_opened(bench: EscrowBench) -> None:
    terms = bench.running()
    assert bench.open(terms) == {Code.IMPOSSIBLE}
    other = EscrowBench()
    assert other.withdraw(terms, BRAVO) == set()
    assert other.open(terms) == {Code.IMPOSSIBLE}


@pytest.mark.parametrize("account", [ALPHA, BRAVO])
@pytest.mark.parametrize("standing", [state.UNKNOWN, state.SUSPENDED])
def test_a_party_that_is_not_admitted_is_found(
    bench: EscrowBench, account: bytes, standing: int
) -> None:
    bench.books.accounts[account].standing = standing
    assert bench.open(bench.draft(NEVER)) == {Code.STANDING}


def test_a_frozen_depositor_is_found_and_a_frozen_beneficiary_is_none(bench: EscrowBench) -> None:
    bench.books.accounts[BRAVO].frozen = True
    assert bench.open(bench.draft(NEVER)) == set()
    assert bench.open(bench.draft(NEVER, swap=True)) == {Code.ACCOUNT_FROZEN}


def test_a_frozen_asset_is_found(bench: EscrowBench) -> None:
    bench.books.assets[EURO].frozen = True
    assert bench.open(bench.draft(NEVER)) == {Code.ASSET_FROZEN}


def test_a_deposit_that_nobody_has_is_found(bench: EscrowBench) -> None:
    terms = bench.draft(NEVER, lines=(LINE._replace(quantity=1_001),))
    assert bench.open(terms) == {Code.RESULT}


@pytest.mark.parametrize(
    ("event", "changes", "codes"),
    [
        ("EscrowOpened", {"text": b"\1" * 32}, {Code.EVENT_DIFFERS}),
        ("EscrowOpened", {"milestones": 2}, {Code.EVENT_DIFFERS}),
        ("EscrowOpened", {"lines": 2}, {Code.EVENT_DIFFERS}),
        ("LineHeld", {"quantity": 99}, {Code.EVENT_DIFFERS, Code.RESULT}),
        ("LineHeld", {"depositor": CHARLIE}, {Code.EVENT_DIFFERS, Code.RESULT}),
        ("LineHeld", {"asset": SHARES}, {Code.EVENT_DIFFERS}),
        ("LineHeld", {"line": 9}, {Code.EVENT_DIFFERS}),
        ("LineHeld", {"holding": 900 | 99 << 128}, {Code.RESULT}),
    ],
)
def test_an_opening_that_says_something_else_is_found(
    bench: EscrowBench, event: str, changes: dict[str, Any], codes: set[Code]
) -> None:
    terms = bench.draft(NEVER)
    bench.opened(terms)
    bench.alter(event, **changes)
    assert bench.open(terms) == codes


def test_a_line_that_is_held_never_or_twice_is_found(bench: EscrowBench) -> None:
    terms = bench.draft(NEVER)
    bench.opened(terms)
    bench.stage.stream.pop()
    assert bench.open(terms) == {Code.EVENT_MISSING}
    other = EscrowBench()
    other.opened(terms)
    other.held(terms, "LineHeld", 0, (-100, 100))
    assert other.open(terms) == {Code.UNEXPLAINED, Code.IMPOSSIBLE}


# ---------------------------------------------------------------------------- withdrawing


def test_a_signer_may_take_its_signature_back(bench: EscrowBench) -> None:
    terms = bench.draft(NEVER, panel=True)
    assert bench.withdraw(terms, ARBITERS[1]) == set()
    assert bench.books.escrows[bench.identity(terms)].withdrawn
    other = EscrowBench()
    assert other.withdraw(terms, ALPHA, b"", caller=ALPHA) == set()


def test_a_withdrawal_of_a_stranger_or_by_another_is_found(bench: EscrowBench) -> None:
    terms = bench.draft(NEVER)
    assert bench.withdraw(terms, CHARLIE) == {Code.CONSENT_MISSING}
    other = EscrowBench()
    digest = other.said.withdrawal(ALPHA, other.identity(terms))
    assert other.withdraw(terms, ALPHA, sign(digest, BRAVO)) == {Code.SIGNATURE}
    third = EscrowBench()
    assert third.withdraw(terms, ALPHA, b"", caller=BRAVO) == {Code.CONSENT_MISSING}


def test_a_withdrawal_from_terms_beyond_the_bounds_is_found(bench: EscrowBench) -> None:
    assert bench.withdraw(bench.draft(NEVER, lines=(LINE,) * 17), ALPHA) == {Code.TERMS}
    # The program is not looked at: without one they can never be opened either.
    other = EscrowBench()
    assert other.withdraw(other.draft(NEVER, program=b""), ALPHA) == set()


def test_a_withdrawal_from_what_is_open_or_was_withdrawn_is_found(bench: EscrowBench) -> None:
    assert bench.withdraw(bench.running(), ALPHA) == {Code.IMPOSSIBLE}
    other = EscrowBench()
    terms = other.draft(NEVER)
    assert other.withdraw(terms, ALPHA) == set()
    assert other.withdraw(terms, ALPHA) == {Code.IMPOSSIBLE}


def test_a_withdrawal_of_another_account_is_found(bench: EscrowBench) -> None:
    terms = bench.draft(NEVER)
    signature = sign(bench.said.withdrawal(ALPHA, bench.identity(terms)), ALPHA)
    bench.say(terms, "EscrowConsentWithdrawn", account=BRAVO)
    given = {"account": ALPHA, "signature": signature}
    assert bench.explain("withdrawFromEscrow", terms, **given) == {Code.EVENT_DIFFERS}


# ---------------------------------------------------------------------------- ends


def test_an_end_by_its_condition_has_no_finding(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, swap=True)
    assert bench.meet(terms) == set()
    assert bench.books.holding(BRAVO, EURO) == (1_100, 0)
    assert bench.books.holding(ALPHA, SHARES) == (1_010, 0)


@pytest.mark.parametrize("act", ["endByCondition", "endByDefault", "payOut"])
def test_an_act_on_no_escrow_or_no_milestone_is_found(bench: EscrowBench, act: str) -> None:
    given: dict[str, Any] = {"evidence": (), "paid": (100,)}
    assert bench.explain(act, bench.draft(EARLY), **given) == {Code.TERMS}
    other = EscrowBench()
    assert other.explain(act, other.running(EARLY), 1, **given) == {Code.TERMS}
    third = EscrowBench()
    terms = third.draft(EARLY)
    assert third.withdraw(terms, ALPHA) == set()
    assert third.explain(act, terms, **given) == {Code.TERMS}


def test_an_act_on_conditions_that_are_none_is_found(bench: EscrowBench) -> None:
    terms = bench.draft(NEVER, program=b"\x08")
    assert bench.open(terms) == {Code.TERMS}
    count = bench.findings.total
    assert bench.explain("endByDefault", terms) == {Code.TERMS}
    assert bench.findings.total == count + 1


@pytest.mark.parametrize(("at", "in_time"), [(DAY - 1, True), (DAY, False)])
def test_evidence_counts_before_the_deadline_only(
    bench: EscrowBench, at: int, in_time: bool
) -> None:
    terms = bench.running(EARLY)
    bench.time = NOW + at
    assert bench.meet(terms) == (set() if in_time else {Code.WINDOW})


def test_an_end_of_what_has_ended_is_found(bench: EscrowBench) -> None:
    terms = bench.running(EARLY)
    assert bench.meet(terms) == set()
    bench.time = NOW + DAY
    bench.ended(terms, 0, DEFAULT, [0])
    bench.stage.stream.pop()
    assert bench.lapse(terms) == {Code.IMPOSSIBLE, Code.EVENT_MISSING}
    assert {"a milestone that has ended ends", "milestone 0"} <= bench.facts()


@pytest.mark.parametrize(
    ("event", "changes", "codes"),
    [
        ("MilestoneEnded", {"by": DEFAULT}, {Code.EVENT_DIFFERS}),
        ("MilestoneEnded", {"outcome": 2}, {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ("MilestoneEnded", {"waits": 1}, {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ("MilestoneEnded", {"paid": (99,), "outcome": 3}, {Code.EVENT_DIFFERS}),
        ("MilestoneEnded", {"paid": (100, 0)}, {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ("MilestoneEnded", {"milestone": 1}, {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ("LinePaid", {"beneficiary": CHARLIE}, {Code.EVENT_DIFFERS, Code.RESULT}),
        ("LinePaid", {"depositor": CHARLIE}, {Code.EVENT_DIFFERS, Code.RESULT, Code.IMPOSSIBLE}),
        ("LinePaid", {"asset": SHARES}, {Code.EVENT_DIFFERS, Code.RESULT, Code.IMPOSSIBLE}),
        ("LinePaid", {"quantity": 90}, {Code.EVENT_DIFFERS, Code.RESULT, Code.IMPOSSIBLE}),
        ("LinePaid", {"quantity": 110}, {Code.EVENT_DIFFERS, Code.RESULT, Code.IMPOSSIBLE}),
        ("LinePaid", {"line": 1}, {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ("LinePaid", {"depositorHolding": 901}, {Code.RESULT}),
        ("LinePaid", {"beneficiaryHolding": 1_000}, {Code.RESULT}),
    ],
)
def test_an_end_that_says_something_else_is_found(
    bench: EscrowBench, event: str, changes: dict[str, Any], codes: set[Code]
) -> None:
    terms = bench.running(EARLY)
    bench.ended(terms, 0, CONDITION, [100])
    bench.alter(event, **changes)
    assert bench.meet(terms) == codes


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"quantity": 59}, {Code.EVENT_DIFFERS, Code.RESULT, Code.IMPOSSIBLE}),
        ({"depositor": BRAVO}, {Code.EVENT_DIFFERS, Code.RESULT, Code.IMPOSSIBLE}),
        ({"asset": SHARES}, {Code.EVENT_DIFFERS, Code.RESULT, Code.IMPOSSIBLE}),
        ({"line": 1}, {Code.EVENT_DIFFERS, Code.IMPOSSIBLE}),
        ({"holding": 960}, {Code.RESULT}),
    ],
)
def test_a_return_that_says_something_else_is_found(
    bench: EscrowBench, changes: dict[str, Any], codes: set[Code]
) -> None:
    terms = bench.running(EARLY, lines=(LINE._replace(if_met=40),))
    bench.ended(terms, 0, CONDITION, [40])
    bench.alter("LineReturned", **changes)
    assert bench.meet(terms) == codes


def test_what_is_not_paid_has_to_go_back(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, lines=(LINE._replace(if_met=40),))
    bench.ended(terms, 0, CONDITION, [40])
    del bench.stage.stream[1]
    assert bench.meet(terms) == {Code.EVENT_MISSING, Code.RESULT, Code.IMPOSSIBLE}
    assert "what is held of line 0" in bench.facts()


# ---------------------------------------------------------------------------- by default


def test_a_default_has_its_time(bench: EscrowBench) -> None:
    terms = bench.running(NEVER)
    bench.time = NOW + DAY
    assert bench.lapse(terms) == set()
    assert bench.books.holding(ALPHA, EURO) == (1_000, 0)
    other = EscrowBench()
    terms = other.running(NEVER)
    other.time = NOW + DAY - 1
    assert other.lapse(terms) == {Code.WINDOW}


@pytest.mark.parametrize("milestone", [0, 1])
def test_a_dispute_moves_the_default_of_its_milestone_and_of_dependants(
    bench: EscrowBench, milestone: int
) -> None:
    terms = bench.running(NEVER, OutcomeOf(milestone=0, mask=1), panel=True)
    assert bench.dispute(terms) == set()
    disputed = milestone == 0
    bench.time = terms.deadlines[milestone] + 3 * HOUR - 1
    assert bench.lapse(terms, milestone, disputed=disputed) == {Code.WINDOW}
    other = EscrowBench()
    other.open(terms)
    other.dispute(terms)
    other.time = terms.deadlines[milestone] + 3 * HOUR
    assert other.lapse(terms, milestone, disputed=disputed) == set()


def test_silence_and_default_are_two_ends(bench: EscrowBench) -> None:
    terms = bench.running(NEVER, panel=True)
    assert bench.dispute(terms) == set()
    bench.time = NOW + DAY + 3 * HOUR
    bench.ended(terms, 0, DEFAULT, [0])
    assert Code.EVENT_DIFFERS in bench.lapse(terms)
    other = EscrowBench()
    terms = other.running(NEVER, panel=True)
    other.time = NOW + DAY
    other.ended(terms, 0, SILENCE, [50])
    assert Code.EVENT_DIFFERS in other.lapse(terms)


# ---------------------------------------------------------------------------- by agreement


def test_all_parties_may_agree_at_any_time(bench: EscrowBench) -> None:
    terms = bench.running(NEVER, swap=True)
    bench.time = NOW + 2 * DAY
    assert bench.agree(terms, [30, 10], valid_by=NOW + 3 * DAY) == set()
    assert bench.books.holding(ALPHA, EURO) == (970, 0)


def test_a_party_may_agree_by_its_own_call(bench: EscrowBench) -> None:
    terms = bench.running()
    said = (bench.identity(terms), 0, BRAVO, (7,), NOW + DAY)
    signatures = [b"", sign(bench.said.split(*said), BRAVO)]
    assert bench.agree(terms, [7], signatures=signatures, caller=ALPHA) == set()
    other = EscrowBench()
    other.open(terms)
    assert other.agree(terms, [7], signatures=signatures) == {Code.CONSENT_MISSING}


def test_an_agreement_needs_the_parties_of_dependants(bench: EscrowBench) -> None:
    more = LINE._replace(milestone=1, beneficiary=CHARLIE)
    terms = bench.running(NEVER, OutcomeOf(milestone=0, mask=1), lines=(LINE, more))
    assert bench.agree(terms, [7]) == {Code.CONSENT_MISSING}
    other = EscrowBench()
    other.open(terms)
    assert other.agree(terms, [7], (ALPHA, BRAVO, CHARLIE)) == set()


def test_an_agreement_that_one_did_not_sign_is_found(bench: EscrowBench) -> None:
    assert bench.agree(bench.running(), [7], (ALPHA, CHARLIE)) == {Code.SIGNATURE}
    [finding] = bench.findings.kept
    assert finding.account == BRAVO


def test_an_agreement_has_its_time(bench: EscrowBench) -> None:
    assert bench.agree(bench.running(), [7], valid_by=NOW) == {Code.WINDOW}
    other = EscrowBench()
    assert other.agree(other.running(), [7], valid_by=NOW + 1) == set()


@pytest.mark.parametrize("paid", [(101,), (), (50, 50)])
def test_an_agreement_beyond_what_is_held_is_found(
    bench: EscrowBench, paid: tuple[int, ...]
) -> None:
    terms = bench.running()
    bench.event("Ruled", bench.identity(terms), id=bench.identity(terms))
    assert bench.agree(terms, paid) == {Code.TERMS, Code.UNEXPLAINED}
