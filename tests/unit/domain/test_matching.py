from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.ids import ZERO_WORD, Address, AssetId, Bic, CurrencyCode, Isin, Lei
from settle.domain.instruction import OPTION_PARTIAL, Leg
from settle.domain.matching import (
    Mismatch,
    candidates,
    canonical_terms,
    compare,
    match_key,
    proposed_terms,
)
from settle.domain.side import TradeSide
from settle.domain.tolerance import CSDR, tolerance_by_rate
from settle.domain.window import Window
from tests.support.trade_sides import (
    ACCOUNT_A,
    ACCOUNT_B,
    ACCOUNTS,
    ASSETS,
    DELIVERY,
    EUR,
    LEI_A,
    LEI_B,
    LEI_C,
    RECEIPT,
    SHARE,
    delivery,
    receipt,
)

WINDOW = Window(settle_from=1_000, settle_by=2_000)
BOUND = 100_000_00  # cents
OTHER = Address(b"\xcc" * 20)


def _differences(ours: TradeSide, theirs: TradeSide) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in compare(ours, theirs, CSDR)]


def test_two_sides_that_say_the_same_match() -> None:
    assert compare(DELIVERY, RECEIPT, CSDR) == ()
    assert compare(RECEIPT, DELIVERY, CSDR) == ()


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"payment": "FREE", "currency": None, "amount": None}, "payment", "FRAP"),
        ({"transaction_type": "REPU"}, "transaction_type", "SETR"),
        ({"isin": Isin("US0378331005")}, "isin", "DSEC"),
        ({"quantity": 501}, "quantity", "DQUA"),
        ({"quantity_kind": "FaceAmt"}, "quantity_kind", "DQUA"),
        ({"trade_date": date(2026, 11, 23)}, "trade_date", "DTRD"),
        ({"settlement_date": date(2026, 11, 27)}, "settlement_date", "DDAT"),
        ({"currency": CurrencyCode("USD")}, "currency", "NCRR"),
        ({"amount": 2_810_201}, "amount", "DMON"),
        ({"delivering_party": LEI_C}, "delivering_party", "ICAG"),
        ({"delivering_depository": Bic("DAKVDEFF")}, "delivering_depository", "DEPT"),
        ({"receiving_depository": Bic("DAKVDEFF")}, "receiving_depository", "DEPT"),
        ({"opt_out": True}, "opt_out", "DMCT"),
        ({"opt_out": False}, "opt_out", "DMCT"),
        ({"ex_cum": "XCPN"}, "ex_cum", "DCMX"),
    ],
)
def test_a_mismatch_names_its_field(changes: dict[str, Any], field: str, code: str) -> None:
    theirs = receipt(**changes)
    found = compare(DELIVERY, theirs, CSDR)
    expected = [(field, code)]
    if field == "payment":  # free of payment has no currency either
        expected.append(("currency", "NCRR"))
    assert [(each.field, each.code) for each in found] == expected


def test_a_mismatch_shows_what_each_side_states() -> None:
    assert compare(DELIVERY, receipt(amount=2_900_000), CSDR) == (
        Mismatch(field="amount", code="DMON", ours="2810000", theirs="2900000"),
    )
    assert compare(DELIVERY, receipt(settlement_date=date(2026, 11, 27)), CSDR) == (
        Mismatch(field="settlement_date", code="DDAT", ours="2026-11-26", theirs="2026-11-27"),
    )
    assert compare(delivery(opt_out=True), RECEIPT, CSDR) == (
        Mismatch(field="opt_out", code="DMCT", ours="True", theirs=None),
    )


@pytest.mark.parametrize(
    ("field", "code", "value", "other"),
    [
        ("common_reference", "IIND", "R1", "R2"),
        ("delivering_client", "ICUS", "C1", "C2"),
        ("receiving_client", "ICUS", "C1", "C2"),
    ],
)
def test_an_optional_field_counts_only_where_both_give_it(
    field: str, code: str, value: str, other: str
) -> None:
    ours = delivery(**{field: value})
    assert _differences(ours, RECEIPT) == []
    assert _differences(ours, receipt(**{field: value})) == []
    assert _differences(ours, receipt(**{field: other})) == [(field, code)]


def test_an_account_counts_only_where_both_state_it() -> None:
    assert _differences(delivery(account=ACCOUNT_A), RECEIPT) == []
    assert _differences(delivery(account=ACCOUNT_A), receipt(counterparty_account=ACCOUNT_A)) == []
    assert _differences(delivery(account=ACCOUNT_A), receipt(counterparty_account=OTHER)) == [
        ("account", "SAFE")
    ]
    assert _differences(delivery(counterparty_account=OTHER), receipt(account=ACCOUNT_B)) == [
        ("counterparty_account", "SAFE")
    ]


def test_two_sides_in_one_direction_differ_in_nothing_else() -> None:
    wrong = receipt(movement="DELI", delivering_party=LEI_B, receiving_party=LEI_A)
    assert _differences(DELIVERY, wrong) == [("movement", "DELN")]
    assert _differences(wrong, DELIVERY) == [("movement", "DELN")]
    depositories = {
        "delivering_depository": Bic("DAKVDEFF"),
        "receiving_depository": Bic("MGTCBEBE"),
    }
    turned: dict[str, Any] = {
        "delivering_depository": Bic("MGTCBEBE"),
        "receiving_depository": Bic("DAKVDEFF"),
    }
    assert _differences(delivery(**depositories), replace(wrong, **turned)) == [
        ("movement", "DELN")
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "match"),
    [
        (5_000, 5_200, True),
        (5_000, 5_201, False),
        (BOUND, BOUND - 200, True),
        (BOUND, BOUND - 201, False),
        # One side at the bound: its own EUR 2 decide, whatever the other side may differ by.
        (BOUND, BOUND + 200, True),
        (BOUND, BOUND + 201, False),
        (BOUND + 1, BOUND + 1 + 2_500, True),
        (BOUND + 1, BOUND + 1 + 2_501, False),
        (BOUND + 1, BOUND - 199, True),
        (BOUND + 1, BOUND - 200, False),
        (500_000_00, 500_000_00 - 2_500, True),
        (500_000_00, 500_000_00 - 2_501, False),
    ],
)
def test_amounts_match_exactly_up_to_the_tolerance_of_each_side(
    ours: int, theirs: int, match: bool
) -> None:
    for deliverer, receiver in ((ours, theirs), (theirs, ours)):
        found = _differences(delivery(amount=deliverer), receipt(amount=receiver))
        assert found == ([] if match else [("amount", "DMON")])


def test_a_currency_without_a_rate_must_agree_to_the_smallest_unit() -> None:
    dollars = {"currency": CurrencyCode("USD"), "amount": 1_000_00}
    ours, theirs = delivery(**dollars), receipt(**{**dollars, "amount": 1_000_01})
    assert _differences(ours, theirs) == [("amount", "DMON")]
    assert compare(ours, theirs, tolerance_by_rate("x", {CurrencyCode("USD"): "1"})) == ()


def test_sides_that_match_have_one_key() -> None:
    assert match_key(DELIVERY) == match_key(RECEIPT)
    assert match_key(delivery(amount=1)) == match_key(RECEIPT)
    assert match_key(delivery(quantity=501)) != match_key(RECEIPT)


# ---------------------------------------------------------------------------------- candidates


def test_nothing_waits_for_a_first_side() -> None:
    found = candidates(DELIVERY, [], CSDR)
    assert (found.match, found.near, found.mismatches) == (None, None, ())


def test_the_oldest_of_several_that_fit_is_taken_whatever_the_order() -> None:
    waiting = [
        receipt(side_id="young", received_at=30),
        receipt(side_id="old-2", received_at=10),
        receipt(side_id="old-1", received_at=10),
        receipt(side_id="oldest-but-wrong", received_at=5, quantity=501),
    ]
    for order in permutations(waiting):
        match = candidates(DELIVERY, order, CSDR).match
        assert match
        assert match.side_id == "old-1"


def test_a_side_of_another_party_is_no_candidate() -> None:
    stranger = receipt(submitted_by=LEI_C, receiving_party=LEI_C)
    elsewhere = receipt(delivering_party=LEI_C)
    found = candidates(DELIVERY, [stranger, elsewhere], CSDR)
    assert (found.match, found.near) == (None, None)


def test_a_side_does_not_match_another_of_its_own_party() -> None:
    found = candidates(DELIVERY, [delivery(side_id="twin")], CSDR)
    assert (found.match, found.near) == (None, None)


def test_a_side_that_nearly_fits_names_its_field() -> None:
    found = candidates(DELIVERY, [receipt(amount=2_900_000)], CSDR)
    assert found.match is None
    assert found.near
    assert found.near.side_id == "side-b"
    assert [each.code for each in found.mismatches] == ["DMON"]


def test_the_nearest_is_shown_and_of_equals_the_oldest() -> None:
    waiting = [
        receipt(side_id="two", received_at=1, quantity=501, amount=1),
        receipt(side_id="one-late", received_at=3, quantity=501),
        receipt(side_id="one-early", received_at=2, amount=1),
    ]
    for order in permutations(waiting):
        near = candidates(DELIVERY, order, CSDR).near
        assert near
        assert near.side_id == "one-early"


def test_a_common_reference_decides_which_trade_is_meant() -> None:
    ours = delivery(common_reference="R1")
    other_trade = receipt(common_reference="R2")
    same_trade = receipt(side_id="same", common_reference="R1", isin=Isin("US0378331005"))
    assert candidates(ours, [other_trade], CSDR).near is None
    found = candidates(ours, [other_trade, same_trade], CSDR)
    assert found.near == same_trade
    assert [each.code for each in found.mismatches] == ["DSEC"]


def test_another_security_without_a_reference_is_another_trade() -> None:
    found = candidates(DELIVERY, [receipt(isin=Isin("US0378331005"))], CSDR)
    assert (found.match, found.near) == (None, None)


# ------------------------------------------------------------------------------ canonical terms


def test_the_terms_are_delivery_against_payment_in_two_legs() -> None:
    terms = canonical_terms(DELIVERY, RECEIPT, ASSETS, ACCOUNTS, WINDOW)
    assert terms.legs == (
        Leg(asset=AssetId(1), deliverer=ACCOUNT_A, receiver=ACCOUNT_B, quantity=500),
        Leg(asset=AssetId(2), deliverer=ACCOUNT_B, receiver=ACCOUNT_A, quantity=2_810_000),
    )
    assert (terms.settle_from, terms.settle_by) == (1_000, 2_000)
    assert (terms.options, terms.minimum_lot) == (0, 0)
    assert (terms.cycle, terms.predecessor) == (ZERO_WORD, ZERO_WORD)


def test_the_first_side_gives_initiator_nonce_and_salts_and_nothing_else() -> None:
    one = canonical_terms(DELIVERY, RECEIPT, ASSETS, ACCOUNTS, WINDOW)
    two = canonical_terms(RECEIPT, DELIVERY, ASSETS, ACCOUNTS, WINDOW)
    assert (one.initiator, one.nonce, one.trade_ref, one.terms) == (
        ACCOUNT_A,
        7,
        DELIVERY.trade_ref,
        DELIVERY.terms,
    )
    assert (two.initiator, two.nonce, two.trade_ref, two.terms) == (
        ACCOUNT_B,
        9,
        RECEIPT.trade_ref,
        RECEIPT.terms,
    )
    ours: dict[str, Any] = {
        "initiator": ACCOUNT_A,
        "nonce": 7,
        "trade_ref": one.trade_ref,
        "terms": one.terms,
    }
    assert replace(two, **ours) == one


def test_within_the_tolerance_the_deliverers_amount_counts() -> None:
    theirs = receipt(amount=2_810_200)
    for first, second in ((DELIVERY, theirs), (theirs, DELIVERY)):
        terms = canonical_terms(first, second, ASSETS, ACCOUNTS, WINDOW)
        assert terms.legs[1].quantity == 2_810_000


def test_free_of_payment_has_one_leg() -> None:
    free = {"payment": "FREE", "currency": None, "amount": None}
    terms = canonical_terms(delivery(**free), receipt(**free), ASSETS, ACCOUNTS, WINDOW)
    assert len(terms.legs) == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "options", "lot"),
    [
        ((True, 0), (True, 0), OPTION_PARTIAL, 1),
        ((True, 100), (True, 250), OPTION_PARTIAL, 250),
        ((True, 100), (True, 251), 0, 0),  # two lots do not fit into 500
        ((True, 0), (False, 0), 0, 0),
        ((False, 0), (True, 0), 0, 0),
    ],
)
def test_parts_need_both_sides_and_room_for_two_lots(
    ours: tuple[bool, int], theirs: tuple[bool, int], options: int, lot: int
) -> None:
    terms = canonical_terms(
        delivery(partial_allowed=ours[0], minimum_lot=ours[1]),
        receipt(partial_allowed=theirs[0], minimum_lot=theirs[1]),
        ASSETS,
        ACCOUNTS,
        WINDOW,
    )
    assert (terms.options, terms.minimum_lot) == (options, lot)


def test_an_account_is_the_owners_then_the_one_named_for_it_then_the_registers() -> None:
    def receiver(ours: TradeSide, theirs: TradeSide) -> Address:
        return canonical_terms(ours, theirs, ASSETS, ACCOUNTS, WINDOW).legs[0].receiver

    assert receiver(DELIVERY, RECEIPT) == ACCOUNT_B
    assert receiver(delivery(counterparty_account=OTHER), RECEIPT) == OTHER
    assert receiver(DELIVERY, receipt(account=OTHER)) == OTHER


def test_what_the_register_does_not_know_is_refused() -> None:
    cases: tuple[tuple[dict[str, AssetId], dict[Lei, Address], str], ...] = (
        ({EUR: AssetId(2)}, ACCOUNTS, "/isin"),
        ({SHARE: AssetId(1)}, ACCOUNTS, "/currency"),
        ({**ASSETS}, {LEI_A: ACCOUNT_A}, "/account"),
    )
    for assets, accounts, pointer in cases:
        with pytest.raises(InvalidInput) as refused:
            canonical_terms(DELIVERY, RECEIPT, assets, accounts, WINDOW)
        assert refused.value.pointer == pointer


def test_a_proposal_is_what_results_if_the_other_party_states_the_same() -> None:
    for first, second in ((DELIVERY, RECEIPT), (RECEIPT, DELIVERY)):
        proposal = proposed_terms(first, ASSETS, ACCOUNTS, WINDOW)
        assert proposal == canonical_terms(first, second, ASSETS, ACCOUNTS, WINDOW)
    named = delivery(account=ACCOUNT_A, counterparty_account=OTHER)
    terms = proposed_terms(named, ASSETS, {}, WINDOW)
    assert (terms.legs[0].deliverer, terms.legs[0].receiver) == (ACCOUNT_A, OTHER)
