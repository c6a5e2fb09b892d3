from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.side import check_side
from tests.support.trade_sides import (
    ACCOUNT_A,
    DELIVERY,
    LEI_A,
    LEI_B,
    LEI_C,
    RECEIPT,
    delivery,
    receipt,
)


def test_the_two_example_sides_stand() -> None:
    check_side(DELIVERY)
    check_side(RECEIPT)
    check_side(delivery(payment="FREE", currency=None, amount=None))
    check_side(delivery(partial_allowed=True, minimum_lot=500))


def test_each_side_names_the_other_party() -> None:
    assert DELIVERY.counterparty == LEI_B
    assert RECEIPT.counterparty == LEI_A


def test_the_older_side_sorts_first_and_no_two_are_of_one_age() -> None:
    assert DELIVERY.age < RECEIPT.age
    assert delivery(received_at=2_000).age < RECEIPT.age  # by their ids


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"submitted_by": LEI_C}, "submitter_is_no_party", "/delivering_party"),
        ({"submitted_by": LEI_B}, "submitter_is_no_party", "/delivering_party"),
        ({"movement": "RECE"}, "submitter_is_no_party", "/receiving_party"),
        ({"receiving_party": LEI_A}, "same_party", "/receiving_party"),
        (
            {"account": ACCOUNT_A, "counterparty_account": ACCOUNT_A},
            "same_account",
            "/counterparty_account",
        ),
        ({"settlement_date": date(2026, 11, 23)}, "dates_order", "/settlement_date"),
        ({"quantity": 0}, "quantity_range", "/quantity"),
        ({"quantity": -1}, "quantity_range", "/quantity"),
        ({"quantity": 2**128}, "quantity_range", "/quantity"),
        ({"minimum_lot": 1}, "minimum_lot_range", "/minimum_lot"),
        ({"partial_allowed": True, "minimum_lot": 501}, "minimum_lot_range", "/minimum_lot"),
        ({"nonce": 2**64}, "nonce_range", "/nonce"),
        ({"nonce": -1}, "nonce_range", "/nonce"),
        ({"trade_ref": b"\x01" * 31}, "word_form", "/trade_ref"),
        ({"terms": b""}, "word_form", "/terms"),
        ({"amount": None}, "amount_range", "/amount"),
        ({"amount": 0}, "amount_range", "/amount"),
        ({"amount": 2**128}, "amount_range", "/amount"),
        ({"currency": None}, "currency_missing", "/currency"),
        ({"payment": "FREE"}, "payment_of_free", "/amount"),
        ({"payment": "FREE", "amount": None}, "payment_of_free", "/currency"),
    ],
)
def test_a_side_that_contradicts_itself_is_refused(
    changes: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_side(delivery(**changes))
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_a_receiver_submits_as_the_receiving_party() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_side(receipt(submitted_by=LEI_A))
    assert refused.value.pointer == "/receiving_party"
