from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from settle.domain.escrow.check import Report, check
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
    Settled,
    Signed,
    TimeReached,
)
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.explore import explore
from settle.domain.escrow.graph import draw
from settle.domain.escrow.payouts import totals_at
from settle.domain.escrow.reading import WrittenTerms, read_terms
from settle.domain.escrow.terms import EscrowTerms
from settle.domain.escrow.wording import print_terms
from settle.domain.ids import ZERO_ADDRESS, InstructionId
from tests.support import escrow_world as w

EXAMPLES = Path(__file__).parents[3] / "examples" / "escrow"
SHOWN = (EndedBy.CONDITION, Outcome.RELEASED)
RETURNED = (EndedBy.DEFAULT, Outcome.REFUNDED)
RULED = {
    (by, outcome)
    for by in (EndedBy.PANEL, EndedBy.FALLBACK_ARBITER)
    for outcome in (Outcome.RELEASED, Outcome.REFUNDED, Outcome.SPLIT)
}
SIGNED = Signed(signer=w.ORACLE, statement=b"delivered".ljust(32, b"\x00"))
OTHER = Signed(signer=w.ORACLE, statement=b"accepted".ljust(32, b"\x00"))
LOCK = Preimage(digest=b"\x01" * 32)
FIRST = OutcomeOf(milestone=0, mask=1)


def read(name: str) -> WrittenTerms:
    return read_terms((EXAMPLES / f"{name}.toml").read_text())


def alone(*conditions: Condition) -> EscrowTerms:
    """Terms without a panel."""
    return replace(
        w.panel_terms(*conditions),
        arbiters=(),
        quorum=0,
        answer_time=0,
        fallback_arbiter=ZERO_ADDRESS,
        fallback_time=0,
    )


def codes(report: Report) -> set[str]:
    return {one.code for one in report.findings if one.severity == "refused"}


def warnings(report: Report) -> set[str]:
    return {one.code for one in report.findings if one.severity == "warning"}


# ------------------------------------------------------------------------------ the examples


def test_there_are_five_examples_and_each_is_accepted() -> None:
    names = sorted(path.stem for path in EXAMPLES.glob("*.toml"))
    assert names == ["cross-chain", "deposit", "purchase", "receivable", "subscription"]
    for name in names:
        written = read(name)
        report = check(written.terms, written.locks)
        assert not report.is_refused, (name, report.findings)
        assert report.exploration is not None
        assert report.exploration.complete


def test_a_purchase_pays_for_what_was_delivered_and_the_rest_after_inspection() -> None:
    found = explore(read("purchase").terms)
    shipment, delivery, inspection = found.ends
    silence = (EndedBy.SILENCE, Outcome.REFUNDED)
    assert shipment == delivery == {SHOWN, RETURNED, silence} | RULED
    assert inspection == {SHOWN, RETURNED, (EndedBy.SILENCE, Outcome.SPLIT)} | RULED
    assert (SHOWN, SHOWN, SHOWN) in found.whole
    assert (RETURNED, RETURNED, RETURNED) in found.whole
    # Goods that were never shipped are not delivered, and what was not delivered not accepted.
    assert not any(whole[0] == RETURNED and whole[1] == SHOWN for whole in found.whole)
    assert not any(whole[1] == RETURNED and whole[2] == SHOWN for whole in found.whole)


def test_a_financier_is_paid_only_for_an_advance_that_was_made() -> None:
    written = read("receivable")
    found = explore(written.terms)
    assert found.whole == {(SHOWN, SHOWN), (SHOWN, RETURNED), (RETURNED, RETURNED)}
    totals = totals_at(written.terms, (SHOWN, SHOWN))
    assert totals is not None
    by_name = {written.labels[account]: total for (account, _), total in totals.items()}
    assert by_name == {"supplier": 9_700_000, "buyer": -10_000_000, "financier": 300_000}


def test_a_delivery_across_chains_is_opened_by_the_secret_or_returns() -> None:
    assert explore(read("cross-chain").terms).whole == {(SHOWN,), (RETURNED,)}


def test_a_subscription_goes_through_whole_or_everybody_has_everything_back() -> None:
    written = read("subscription")
    report = check(written.terms)
    assert report.exploration is not None
    assert report.exploration.whole == {(SHOWN,), (RETURNED,)}
    assert totals_at(written.terms, (RETURNED,)) == {}
    assert warnings(report) == {"given_up"}


def test_a_deposit_that_no_arbiter_answers_is_halved() -> None:
    written = read("deposit")
    found = explore(written.terms)
    silence = (EndedBy.SILENCE, Outcome.SPLIT)
    assert found.ends[0] == {SHOWN, RETURNED, silence} | RULED
    totals = totals_at(written.terms, (silence,))
    assert totals is not None
    assert sorted(totals.values()) == [-150_000, 150_000]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_is_printed_and_drawn(path: Path) -> None:
    written = read(path.stem)
    text = print_terms(written.terms, written.register)
    assert all(len(line) <= 160 for line in text.split("\n"))
    drawing = draw(
        written.terms,
        explore(written.terms),
        register=written.register,
        labels=written.labels,
        names=written.milestones,
    )
    words = "".join(ET.fromstring(drawing).itertext())
    assert all(name in words for name in written.milestones)
    assert "condition shown: released" in words


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ((SIGNED, AllOf(of=(FIRST, Not(of=FIRST)))), "unreachable"),
        ((SIGNED, AllOf(of=(FIRST, OutcomeOf(milestone=0, mask=2)))), "unreachable"),
        ((SIGNED, AnyOf(of=(SIGNED, OutcomeOf(milestone=0, mask=4)))), "unreachable"),
        ((TimeReached(at=w.NOW + w.HOUR),), "time_before_opening"),
        ((AtLeast(count=2, of=(SIGNED, SIGNED, OTHER)),), "counted_twice"),
        ((LOCK,), "hash_lock_unstated"),
        ((TimeReached(at=w.NOW + 3 * w.DAY),), "malformed"),
        (
            (Not(of=Settled(instruction=InstructionId(b"\x07" * 32))), FIRST, FIRST),
            "instruction_unseen",
        ),
        ((Never(), OutcomeOf(milestone=0, mask=2)), ""),
    ],
)
def test_a_branch_that_cannot_be_reached_or_means_nothing_is_refused(
    conditions: tuple[Condition, ...], code: str
) -> None:
    assert codes(check(alone(*conditions))) == ({code} if code else set())


def test_two_ranges_of_one_reading_cannot_both_hold() -> None:
    low = Reading(signer=w.ORACLE, feed=bytes(32), kind=0, at=1, low=0, high=4)
    apart, touching = replace(low, low=5, high=9), replace(low, low=4, high=9)
    assert codes(check(alone(AllOf(of=(low, apart))))) == {"unreachable"}
    assert codes(check(alone(AllOf(of=(low, touching))))) == set()
    assert codes(check(alone(AllOf(of=(low, replace(apart, at=2)))))) == set()


def test_a_settled_instruction_has_not_failed() -> None:
    settled = Settled(instruction=InstructionId(b"\x07" * 32))
    unseen = {"instruction_unseen"}
    assert codes(check(alone(AllOf(of=(settled, Not(of=settled)))))) == {"unreachable"} | unseen
    assert codes(check(alone(AnyOf(of=(settled, Not(of=settled)))))) == unseen


def test_a_ruling_can_bring_about_what_no_condition_does() -> None:
    split = OutcomeOf(milestone=0, mask=4)
    terms = w.panel_terms(SIGNED, split, lines=[w.line(0, pays=(100, 0, 0)), w.line(1)])
    assert codes(check(terms)) == set()
    assert codes(check(alone(SIGNED, split))) == {"unreachable"}


def test_a_panel_that_can_never_be_asked_is_refused() -> None:
    assert "panel_never_asked" in codes(check(w.panel_terms(LOCK)))
    some = check(w.panel_terms(LOCK, SIGNED))
    assert "panel_never_asked" not in codes(some)
    assert "no_dispute" in warnings(some)


# ------------------------------------------------------------------------------ hash locks


def cross_chain(**changed: str) -> set[str]:
    """Refuse the example with some members of its hash lock written otherwise."""
    text = (EXAMPLES / "cross-chain.toml").read_text()
    for name, value in changed.items():
        old = next(line for line in text.split("\n") if line.startswith(f"{name} = "))
        text = text.replace(old, f"{name} = {value}")
    written = read_terms(text)
    return codes(check(written.terms, written.locks))


def test_the_leg_that_is_opened_second_stays_open_longer() -> None:
    # There until day 2, final after 2 hours, and a day to claim here: 3 days and 2 hours.
    assert cross_chain(deadline='"74 hours"') == set()
    assert cross_chain(deadline='"73 hours 59 minutes"') == {"hash_lock_margin"}
    assert cross_chain(margin='"3 days"') == {"hash_lock_margin"}
    assert cross_chain(finality_there='"2 days"') == {"hash_lock_margin"}


def test_who_reveals_first_and_where_must_fit_who_is_paid() -> None:
    assert "secret_order" in cross_chain(revealed_first='"here"')
    here = {"revealed_first": '"here"', "secret_of": '"buyer"'}
    assert cross_chain(**here) == {"hash_lock_margin"}
    assert cross_chain(**here, other_deadline='"5 days 2 minutes"') == set()


def test_both_chains_ask_for_a_secret_of_the_same_length() -> None:
    assert cross_chain(length_checked_there="false") == {"secret_length"}
