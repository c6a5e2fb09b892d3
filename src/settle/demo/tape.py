"""Reads tapes of trades: our own small CSV, and the post-trade CSV of Xetra.

A tape says what was traded and at which price, not between whom.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from settle.domain.errors import InvalidInput
from settle.domain.ids import CURRENCY_DECIMALS, CurrencyCode, Isin, parse_currency, parse_isin
from settle.domain.money import cash_amount, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_OWN: Final = ("isin", "quantity", "price", "currency")
_XETRA: Final = ("isin", "lastQty", "lastTrade", "currency")
_MOST_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeTrade:
    """One line: quantity in the security's smallest unit, amount in the currency's (cents)."""

    line: int
    isin: Isin
    quantity: int
    currency: CurrencyCode
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """All lines, and the decimals of each security: as many as its finest quantity needs."""

    trades: tuple[TapeTrade, ...]
    decimals: Mapping[Isin, int]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    isin: Isin
    quantity: str
    price: str
    currency: CurrencyCode


def read_tape(path: Path) -> Tape:
    """Read a whole tape, or nothing of it.

    Cash is quantity times price, rounded half up to the currency's smallest unit.
    Raises: InvalidInput naming the line at fault and what is wrong with it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise InvalidInput("tape_unreadable", f"{path}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise InvalidInput("tape_unreadable", f"{path} is no text in UTF-8") from fault
    rows = csv.reader(text.splitlines(), strict=True)
    header = next(rows, [])
    names = next((one for one in (_OWN, _XETRA) if set(one) <= set(header)), None)
    if names is None:
        message = f"{path}: line 1: no tape has the columns {','.join(header) or '(none)'}"
        raise InvalidInput("tape_columns", message)
    places = [header.index(name) for name in names]
    lines = _lines(path, rows, places, len(header))
    if not lines:
        raise InvalidInput("tape_empty", f"{path}: no trades after the header")
    decimals = _decimals(lines)
    trades = tuple(_trade(path, line, decimals[line.isin]) for line in lines)
    return Tape(trades=trades, decimals=decimals)


def _lines(path: Path, rows: Any, places: Sequence[int], width: int) -> list[_Line]:  # noqa: ANN401  a csv reader
    lines: list[_Line] = []
    try:
        for row in rows:
            if not row:
                continue
            _check_width(len(row), width)
            isin, quantity, price, currency = (row[place].strip() for place in places)
            line = _Line(rows.line_num, parse_isin(isin), quantity, price, parse_currency(currency))
            parse_quantity(quantity, _MOST_DECIMALS)
            lines.append(line)
    except (InvalidInput, csv.Error) as fault:
        raise InvalidInput("tape_line", f"{path}: line {rows.line_num}: {fault}") from fault
    return lines


def _check_width(fields: int, width: int) -> None:
    if fields != width:
        raise InvalidInput("tape_line", f"{fields} fields where the header has {width}")


def _check_positive(quantity: int, amount: int) -> None:
    if quantity < 1 or amount < 1:
        raise InvalidInput("tape_line", "a trade moves something and costs something")


def _decimals(lines: Sequence[_Line]) -> dict[Isin, int]:
    most: dict[Isin, int] = {}
    for line in lines:
        used = len(line.quantity.partition(".")[2].rstrip("0"))
        most[line.isin] = max(used, most.get(line.isin, 0))
    return most


def _trade(path: Path, line: _Line, decimals: int) -> TapeTrade:
    try:
        whole, _, fraction = line.quantity.partition(".")
        fraction = fraction.rstrip("0")
        quantity = parse_quantity(f"{whole}.{fraction}" if fraction else whole, decimals)
        cents = CURRENCY_DECIMALS[line.currency]
        amount = cash_amount(quantity, decimals, line.price, cents)
        _check_positive(quantity, amount)
    except InvalidInput as fault:
        raise InvalidInput("tape_line", f"{path}: line {line.number}: {fault}") from fault
    return TapeTrade(
        line=line.number,
        isin=line.isin,
        quantity=quantity,
        currency=line.currency,
        amount=amount,
    )
