from __future__ import annotations

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.ids import CurrencyCode
from settle.domain.tolerance import CSDR, tolerance_by_rate

EUR, USD, JPY, KWD = (CurrencyCode(code) for code in ("EUR", "USD", "JPY", "KWD"))
BOUND = 100_000_00  # cents


@pytest.mark.parametrize(
    ("amount", "allowed"), [(1, 200), (BOUND - 1, 200), (BOUND, 200), (BOUND + 1, 2_500)]
)
def test_two_euro_up_to_a_hundred_thousand_and_twenty_five_above(amount: int, allowed: int) -> None:
    assert CSDR.allowed(EUR, amount) == allowed


def test_a_currency_without_a_rate_has_no_tolerance() -> None:
    assert CSDR.allowed(USD, 1) == CSDR.allowed(USD, 10**12) == 0


def test_other_currencies_follow_by_rate_in_their_own_smallest_unit() -> None:
    table = tolerance_by_rate("2026-11", {USD: "1.0855", JPY: "161.3", KWD: "0.3331"})
    assert table.version == "2026-11"
    assert table.allowed(USD, 108_550_00) == 217  # 2.171 rounded down
    assert table.allowed(USD, 108_550_01) == 2_713  # 27.1375
    assert table.allowed(JPY, 16_130_000) == 322
    assert table.allowed(JPY, 16_130_001) == 4_032
    assert table.allowed(KWD, 33_310_000) == 666
    assert table.allowed(KWD, 33_310_001) == 8_327
    assert table.allowed(EUR, BOUND) == 200


def test_a_rate_is_decimal_text() -> None:
    for wrong in ("-1", "1e3", "", "one"):
        with pytest.raises(InvalidInput):
            tolerance_by_rate("x", {USD: wrong})
