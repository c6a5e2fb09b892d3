"""Quantities and money: integers in the smallest unit inside, decimal text only at the edges."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from settle.domain.errors import InvalidInput

UINT128_MAX: Final = 2**128 - 1
MAX_DECIMALS: Final = 36  # more than any asset has; keeps hostile text small

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,60})(?:\.([0-9]{1,60}))?\Z")


def _parts(text: str, code: str, pointer: str) -> tuple[str, str]:
    found = _DECIMAL.match(text)
    if not found:
        message = f"expected digits with at most one point, no sign and no exponent, not {text!r}"
        raise InvalidInput(code, message, pointer)
    return found[1], found[2] or ""


def parse_quantity(text: str, decimals: int, pointer: str = "") -> int:
    """Read decimal text as smallest units, without rounding: more decimals are refused.

    Units: `parse_quantity("12.50", 2)` is 1250. Trailing zeros beyond `decimals` are no decimals.
    """
    whole, fraction = _parts(text, "quantity_form", pointer)
    fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        message = f"{text} has {len(fraction)} decimals, the asset has {decimals}"
        raise InvalidInput("quantity_decimals", message, pointer)
    units = int(whole + fraction.ljust(decimals, "0"))
    if units > UINT128_MAX:
        raise InvalidInput("quantity_range", f"{text} is more than 128 bits hold", pointer)
    return units


def format_quantity(units: int, decimals: int) -> str:
    """Write smallest units as decimal text with all its decimals: `format_quantity(1250, 2)`."""
    if units < 0:
        return "-" + format_quantity(-units, decimals)
    digits = str(units).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def parse_units(text: object, pointer: str = "", *, maximum: int = UINT128_MAX) -> int:
    """Read a JSON string of digits as an integer in smallest units. Numbers of JSON are refused."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit():
        message = "expected a string of digits: JSON numbers lose precision above 2^53"
        raise InvalidInput("units_form", message, pointer)
    if text != "0" and text.startswith("0"):
        raise InvalidInput("units_form", f"{text[:20]!r} begins with a zero", pointer)
    if len(text) > len(str(maximum)) or int(text) > maximum:
        raise InvalidInput("units_range", f"the number is more than {maximum}", pointer)
    return int(text)


def _exact(quantity: int, quantity_decimals: int, price: str, decimals: int, ptr: str) -> Fraction:
    whole, fraction = _parts(price, "price_form", ptr)
    return Fraction(
        quantity * int(whole + fraction) * 10**decimals, 10 ** (len(fraction) + quantity_decimals)
    )


def cash_amount(
    quantity: int, quantity_decimals: int, price: str, currency_decimals: int, pointer: str = ""
) -> int:
    """Price times quantity in the currency's smallest unit, rounded half up (ROUND_HALF_UP).

    Units: `quantity` in the asset's smallest unit, `price` decimal text per one whole of it.
    Exact until the one rounding at the end, whatever the number of decimals.
    """
    exact = _exact(quantity, quantity_decimals, price, currency_decimals, pointer)
    amount = math.floor(exact + Fraction(1, 2))
    if not 0 <= amount <= UINT128_MAX:
        raise InvalidInput("amount_range", "the amount is not one of 128 bits", pointer)
    return amount


def floor_amount(whole_units: int, rate: str, decimals: int) -> int:
    """Whole units times a rate in the smallest unit of the target, rounded down (ROUND_FLOOR)."""
    return math.floor(_exact(whole_units, 0, rate, decimals, ""))
