from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from settle.domain.ids import AssetId, CurrencyCode, Isin
from settle.domain.instruction import Instruction
from settle.domain.matching import (
    TradeSide,
    candidates,
    canonical_terms,
    compare,
    match_key,
    proposed_terms,
)
from settle.domain.reasons import kind_of
from settle.domain.tolerance import CSDR, Tolerance, tolerance_by_rate
from settle.domain.window import Window
from tests.support.strategies import pairs, sides
from tests.support.trade_sides import ACCOUNTS, ASSETS, delivery, receipt

Pair = tuple[TradeSide, TradeSide]
two_sides = pairs() | st.tuples(sides(), sides())
WINDOW = Window(settle_from=1_000, settle_by=2_000)
EVERY_ASSET = {
    **ASSETS,
    Isin("US0378331005"): ASSETS[CurrencyCode("EUR")],
    CurrencyCode("USD"): AssetId(3),
}
RATES = tolerance_by_rate("test", {CurrencyCode("USD"): "1.0855"})


def _terms(first: TradeSide, second: TradeSide) -> Instruction:
    return canonical_terms(first, second, EVERY_ASSET, ACCOUNTS, WINDOW)


@given(pair=two_sides, tolerance=st.sampled_from([CSDR, RATES]))
def test_a_match_is_the_same_whoever_asks(pair: Pair, tolerance: Tolerance) -> None:
    a, b = pair
    ours, theirs = compare(a, b, tolerance), compare(b, a, tolerance)
    assert sorted(each.code for each in ours) == sorted(each.code for each in theirs)
    assert sorted((each.code, str(each.ours), str(each.theirs)) for each in ours) == sorted(
        (each.code, str(each.theirs), str(each.ours)) for each in theirs
    )


@given(pair=two_sides)
def test_every_mismatch_has_a_code_of_the_unmatched_list(pair: Pair) -> None:
    a, b = pair
    for each in compare(a, b, CSDR):
        assert kind_of(each.code).iso_list == "unmatched"
        assert (each.ours == each.theirs) == (each.code == "DELN")  # one direction is the fault


@given(pair=two_sides)
def test_sides_that_match_face_each_other_and_share_their_key(pair: Pair) -> None:
    a, b = pair
    if compare(a, b, CSDR):
        return
    assert {a.movement, b.movement} == {"DELI", "RECE"}
    assert match_key(a) == match_key(b)


@given(amount=st.integers(1, 20_000_000), by=st.integers(-3_000, 3_000))
def test_the_boundary_of_the_tolerance_is_exact(amount: int, by: int) -> None:
    other = max(1, amount + by)
    allowed = 200 if min(amount, other) <= 10_000_000 else 2_500
    matched = not compare(delivery(amount=amount), receipt(amount=other), CSDR)
    assert matched == (abs(amount - other) <= allowed)


@given(pair=two_sides)
def test_terms_do_not_depend_on_who_came_first_but_for_what_the_first_gives(pair: Pair) -> None:
    a, b = pair
    if compare(a, b, CSDR):
        return
    one, two = _terms(a, b), _terms(b, a)
    given_by_first = ("initiator", "nonce", "trade_ref", "terms")
    assert replace(two, **{name: getattr(one, name) for name in given_by_first}) == one
    assert (one.nonce, one.trade_ref, one.terms) == (a.nonce, a.trade_ref, a.terms)
    assert {one.initiator, two.initiator} == {one.legs[0].deliverer, one.legs[0].receiver}


@given(pair=two_sides)
def test_terms_say_what_both_sides_stated(pair: Pair) -> None:
    a, b = pair
    if compare(a, b, CSDR):
        return
    terms = _terms(a, b)
    assert terms.legs[0].quantity == a.quantity == b.quantity
    assert len(terms.legs) == (2 if a.payment == "APMT" else 1)
    if a.amount is not None and b.amount is not None:
        assert terms.legs[1].quantity == (a if a.movement == "DELI" else b).amount
        assert (terms.legs[1].deliverer, terms.legs[1].receiver) == (
            terms.legs[0].receiver,
            terms.legs[0].deliverer,
        )
    assert terms.minimum_lot <= (a.quantity if terms.options else 0)


@given(side=sides(), waiting=st.lists(sides(), max_size=6, unique_by=lambda s: s.side_id))
def test_candidates_do_not_depend_on_the_order_of_the_waiting(
    side: TradeSide, waiting: list[TradeSide]
) -> None:
    found = candidates(side, waiting, CSDR)
    assert found == candidates(side, reversed(waiting), CSDR)
    assert found == candidates(side, sorted(waiting, key=lambda other: other.side_id), CSDR)


@given(side=sides(), waiting=st.lists(sides(), max_size=6, unique_by=lambda s: s.side_id))
def test_the_candidate_is_the_oldest_of_all_that_match(
    side: TradeSide, waiting: list[TradeSide]
) -> None:
    fitting = [
        other
        for other in waiting
        if not compare(side, other, CSDR) and other.submitted_by == side.counterparty
    ]
    found = candidates(side, waiting, CSDR)
    assert found.match == min(fitting, key=lambda other: other.age, default=None)
    if found.near:
        assert found.match is None
        assert found.mismatches == compare(side, found.near, CSDR)
        assert found.mismatches


@given(pair=two_sides)
def test_a_candidate_takes_who_would_take_it(pair: Pair) -> None:
    a, b = pair
    ours, theirs = candidates(a, [b], CSDR), candidates(b, [a], CSDR)
    assert (ours.match is None) == (theirs.match is None)
    assert (ours.near is None) == (theirs.near is None)


@given(pair=two_sides)
def test_a_proposal_differs_from_the_terms_only_where_the_second_side_may_choose(
    pair: Pair,
) -> None:
    a, b = pair
    if compare(a, b, CSDR) or a.amount != b.amount or a.account is None:
        return
    if b.account is not None and a.counterparty_account is None:
        return
    proposal = proposed_terms(a, EVERY_ASSET, ACCOUNTS, WINDOW)
    terms = _terms(a, b)
    parts: dict[str, Any] = {"options": terms.options, "minimum_lot": terms.minimum_lot}
    assert replace(proposal, **parts) == terms
