"""What text may stand in an element without children: the plain types of the ISO 20022 schemas.

Where a type has check digits (ISIN, LEI) or a list of its own (ISO 4217), those are checked too, so
that no later step meets an identifier that cannot be. Sources: W3C XML Schema part 2 (decimal,
date, dateTime, boolean), ISO 20022 data dictionary (lengths, digits, patterns).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Final

from settle.domain.errors import InvalidInput
from settle.domain.ids import parse_currency, parse_isin, parse_lei

XML_SPACE: Final = " \t\r\n"
TRUE: Final = ("true", "1")
FALSE: Final = ("false", "0")

_CALL = re.compile(r"(?P<name>\w+)(?:\((?P<arguments>[^)]*)\))?\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_INSTANT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.[0-9]+)?(?P<zone>Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?\Z"
)
_CURRENCY = re.compile(r"[A-Z]{3}\Z")

Check = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainType:
    """A rule for text: `fault` says in a sentence what is wrong, None where nothing is.

    `collapse` is whether space around the value is no part of it. `currency` is whether the element
    carries the attribute Ccy: "none", "any" (three letters) or "current" (ISO 4217 knows it).
    """

    fault: Check
    collapse: bool = False
    currency: str = "none"


def canonical_decimal(text: str) -> str:
    """Write a decimal of XML Schema in the one way that domain.money reads: no sign, no padding.

    `canonical_decimal(" +007.50 ")` is "7.5". The text must be one that a decimal type accepted and
    not negative.
    """
    whole, _, fraction = text.strip(XML_SPACE).lstrip("+").partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _text(least: int, most: int) -> Check:
    def fault(value: str) -> str | None:
        if least <= len(value) <= most:
            return None
        return f"must have {least} to {most} characters and has {len(value)}"

    return fault


def _pattern(pattern: str, description: str) -> Check:
    compiled = re.compile(f"(?:{pattern})\\Z")

    def fault(value: str) -> str | None:
        return None if compiled.match(value) else f"must be {description}, not {value[:40]!r}"

    return fault


def _one(*values: str) -> Check:
    def fault(value: str) -> str | None:
        if value in values:
            return None
        listed = ", ".join(values) if len(values) <= 6 else "a code of its list"
        return f"must be {listed}, not {value[:40]!r}"

    return fault


def _decimal(total: int, fraction: int, *, signed: bool = True) -> Check:
    def fault(value: str) -> str | None:
        if not _DECIMAL.match(value):
            return f"must be decimal digits, not {value[:40]!r}"
        digits = canonical_decimal(value.lstrip("+-"))
        whole, _, decimals = digits.partition(".")
        if len(decimals) > fraction:
            return f"has more than {fraction} decimals: {value[:40]}"
        if len(whole.lstrip("0") + decimals) > total:
            return f"has more than {total} digits: {value[:40]}"
        if not signed and value.startswith("-"):
            return f"must not be negative: {value[:40]}"
        return None

    return fault


def _date(value: str) -> str | None:
    if not _DATE.match(value):
        return f"must be a date like 2026-03-31 without a zone, not {value[:40]!r}"
    try:
        date.fromisoformat(value)
    except ValueError:
        return f"is no day of the calendar: {value}"
    return None


def _instant(value: str) -> str | None:
    found = _INSTANT.match(value)
    if not found:
        return f"must be a date and time like 2026-03-31T09:30:00Z, not {value[:40]!r}"
    try:
        datetime.fromisoformat(f"{found['date']}T{found['time']}")
    except ValueError:
        return f"is no instant of the calendar: {value[:40]}"
    return None


def _zulu(value: str) -> str | None:
    return _instant(value) or (None if value.endswith("Z") else "must end in Z: it is UTC")


def _parsed(parse: Callable[[str], object]) -> Check:
    def fault(value: str) -> str | None:
        try:
            parse(value)
        except InvalidInput as refusal:
            return f"is not valid: {refusal.message}"
        return None

    return fault


def currency_fault(kind: str, code: str) -> str | None:
    """Say what is wrong with an attribute Ccy. `kind` is PlainType.currency."""
    if not _CURRENCY.match(code):
        return f"the currency must be three capital letters, not {code[:40]!r}"
    return _parsed(parse_currency)(code) if kind == "current" else None


_BIC: Final = "[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?"
_OLD_BIC: Final = "[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?"  # head.001.001.01 alone

_SIMPLE: Final[dict[str, PlainType]] = {
    "boolean": PlainType(fault=_one(*TRUE, *FALSE), collapse=True),
    "date": PlainType(fault=_date, collapse=True),
    "instant": PlainType(fault=_instant, collapse=True),
    "zulu": PlainType(fault=_zulu, collapse=True),
    "isin": PlainType(fault=_parsed(parse_isin)),
    "lei": PlainType(fault=_parsed(parse_lei)),
    "bic": PlainType(fault=_pattern(_BIC, "a BIC of 8 or 11 characters")),
    "old_bic": PlainType(fault=_pattern(_OLD_BIC, "a BIC of 8 or 11 characters")),
    "mic": PlainType(fault=_pattern("[A-Z0-9]{4}", "a market code of 4 characters")),
    "country": PlainType(fault=_pattern("[A-Z]{2}", "a country code of 2 letters")),
    "four": PlainType(fault=_pattern("[a-zA-Z0-9]{4}", "4 letters or digits")),
    "message": PlainType(
        fault=_pattern(r"[a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2}", "the name of a message")
    ),
    "word": PlainType(fault=_text(0, 1000)),
}


@cache
def plain_type(name: str) -> PlainType:
    """Build a plain type from its name in a table, such as `text(35)` or `amount(18,5)`."""
    if name in _SIMPLE:
        return _SIMPLE[name]
    call = _CALL.match(name)
    arguments = call["arguments"].split(",") if call and call["arguments"] else []
    match (call and call["name"], *arguments):
        case ("text", most):
            return PlainType(fault=_text(1, int(most)))
        case ("digits", least, most):
            description = f"{least} to {most} digits"
            return PlainType(fault=_pattern(f"[0-9]{{{least},{most}}}", description))
        case ("decimal", total, fraction):
            return PlainType(fault=_decimal(int(total), int(fraction)), collapse=True)
        case ("quantity", total, fraction):
            fault = _decimal(int(total), int(fraction), signed=False)
            return PlainType(fault=fault, collapse=True)
        case (("amount" | "old_amount") as kind, total, fraction):
            fault = _decimal(int(total), int(fraction), signed=False)
            currency = "current" if kind == "amount" else "any"
            return PlainType(fault=fault, collapse=True, currency=currency)
        case ("one", *values):
            return PlainType(fault=_one(*values))
        case _:
            raise ValueError(f"no such plain type: {name!r}")
