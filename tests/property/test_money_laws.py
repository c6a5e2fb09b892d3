from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settle.domain.errors import InvalidInput
from settle.domain.money import (
    UINT128_MAX,
    cash_amount,
    floor_amount,
    format_quantity,
    parse_quantity,
    parse_units,
)

decimals = st.integers(0, 18)
units = st.integers(0, UINT128_MAX)
prices = st.from_regex(
    r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,12})?", fullmatch=True, alphabet="0123456789."
)


@given(value=units, places=decimals)
def test_a_quantity_comes_back_as_it_was_written(value: int, places: int) -> None:
    assert parse_quantity(format_quantity(value, places), places) == value


@given(value=units)
def test_units_come_back_as_they_were_written(value: int) -> None:
    assert parse_units(str(value)) == value


@given(text=st.text(max_size=20))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        value = parse_quantity(text, 4)
    except InvalidInput:
        return
    assert Fraction(value, 10**4) == Fraction(text)


@given(
    quantity=st.integers(0, 10**15),
    quantity_decimals=st.integers(0, 6),
    price=prices,
    currency_decimals=st.sampled_from([0, 2, 3]),
)
def test_cash_is_the_nearest_amount_and_the_larger_of_two_nearest(
    quantity: int, quantity_decimals: int, price: str, currency_decimals: int
) -> None:
    exact = Fraction(quantity, 10**quantity_decimals) * Fraction(price) * 10**currency_decimals
    amount = cash_amount(quantity, quantity_decimals, price, currency_decimals)
    assert -Fraction(1, 2) < amount - exact <= Fraction(1, 2)


@given(whole=st.integers(0, 10**9), rate=prices, places=st.sampled_from([0, 2, 3]))
def test_a_bound_is_never_more_than_exact(whole: int, rate: str, places: int) -> None:
    exact = whole * Fraction(rate) * 10**places
    assert 0 <= exact - floor_amount(whole, rate, places) < 1


@given(price=st.sampled_from(["-1", "1e5", "0x1", "1.", ".1", "1/3", "", "01", " 1"]))
def test_a_price_is_plain_decimal_text(price: str) -> None:
    with pytest.raises(InvalidInput):
        cash_amount(1, 0, price, 2)
