from __future__ import annotations

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.money import (
    UINT128_MAX,
    cash_amount,
    floor_amount,
    format_quantity,
    parse_quantity,
    parse_units,
)


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [
        ("0", 2, 0),
        ("12.5", 2, 1250),
        ("12.50", 2, 1250),
        ("12.500", 2, 1250),  # zeros that say nothing
        ("28100", 2, 2_810_000),
        ("0.001", 3, 1),
        ("500", 0, 500),
        ("500.0", 0, 500),
    ],
)
def test_a_quantity_is_read_in_smallest_units(text: str, decimals: int, units: int) -> None:
    assert parse_quantity(text, decimals) == units


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12.345", "quantity_decimals"),
        ("0.001", "quantity_decimals"),
        ("-1", "quantity_form"),
        ("+1", "quantity_form"),
        ("1e3", "quantity_form"),
        ("1,000", "quantity_form"),
        ("1_000", "quantity_form"),
        (" 1", "quantity_form"),
        ("1.", "quantity_form"),
        (".5", "quantity_form"),
        ("01", "quantity_form"),
        ("", "quantity_form"),
        ("NaN", "quantity_form"),
        ("Infinity", "quantity_form"),
        ("\u0661", "quantity_form"),  # a digit, but not of ours
        ("1\n", "quantity_form"),
        ("9" * 1000, "quantity_form"),
        (str(UINT128_MAX + 1), "quantity_range"),
        (str(UINT128_MAX), "quantity_range"),  # two decimals make it a hundred times larger
    ],
)
def test_a_quantity_is_never_rounded_nor_guessed(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_quantity(text, 2, "/quantity")
    assert (refused.value.code, refused.value.pointer) == (code, "/quantity")


def test_a_quantity_is_written_with_all_its_decimals() -> None:
    assert format_quantity(1250, 2) == "12.50"
    assert format_quantity(5, 3) == "0.005"
    assert format_quantity(0, 2) == "0.00"
    assert format_quantity(500, 0) == "500"
    assert format_quantity(-5, 2) == "-0.05"


def test_cash_is_rounded_half_up_and_only_once() -> None:
    assert cash_amount(500, 0, "56.20", 2) == 2_810_000
    assert cash_amount(1, 0, "0.005", 2) == 1
    assert cash_amount(1, 0, "0.0049999999", 2) == 0
    assert cash_amount(1, 0, "0.015", 2) == 2
    assert cash_amount(3, 0, "0.005", 2) == 2
    assert cash_amount(1_234_567, 3, "99.995", 2) == 12_345_053  # 123450.526...
    assert cash_amount(7, 0, "100.5", 0) == 704
    assert cash_amount(1, 0, "1.0005", 3) == 1_001


def test_cash_that_128_bits_cannot_hold_is_refused() -> None:
    assert cash_amount(UINT128_MAX, 0, "1", 0) == UINT128_MAX
    with pytest.raises(InvalidInput) as refused:
        cash_amount(UINT128_MAX, 0, "1.01", 0, "/price")
    assert (refused.value.code, refused.value.pointer) == ("amount_range", "/price")
    with pytest.raises(InvalidInput):
        cash_amount(1, 0, "-1", 2)


def test_a_bound_is_rounded_down() -> None:
    assert floor_amount(2, "1.085", 2) == 217
    assert floor_amount(2, "160.999", 0) == 321


def test_units_in_json_are_strings_of_digits() -> None:
    assert parse_units("0") == 0
    assert parse_units(str(UINT128_MAX)) == UINT128_MAX
    not_digits = ("", "-1", "+1", "1.0", "1e3", "01", "00", "\u00b2", "\u0663", " 1")
    wrong_ones: tuple[object, ...] = (*not_digits, 1, 1.0, True, None, [])
    for wrong in wrong_ones:
        with pytest.raises(InvalidInput) as refused:
            parse_units(wrong, "/q")
        assert (refused.value.code, refused.value.pointer) == ("units_form", "/q")
    for large in (str(UINT128_MAX + 1), "9" * 100_000):
        with pytest.raises(InvalidInput) as refused:
            parse_units(large)
        assert refused.value.code == "units_range"
