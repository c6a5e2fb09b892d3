"""When a trade may settle: one rule from dates to unix seconds. Calendars are data.

The window opens when the market opens on the intended settlement date, and ends when it closes on
the last day of recycling: [settle_from, settle_by), law L7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from settle.domain.errors import InvalidInput

SATURDAY: Final = 5
MAX_RECYCLING_DAYS: Final = 366
MAX_CLOSED_DAYS: Final = 366
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9990  # leaves room for a year that is closed, and for every time zone
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """On which days a market or a currency is closed: weekends and the listed holidays."""

    name: str
    version: str
    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({SATURDAY, SATURDAY + 1})  # Monday is 0

    def is_open(self, day: date) -> bool:
        """Whether `day` is a business day here."""
        return day.weekday() not in self.weekend and day not in self.holidays


WEEKDAYS: Final = Calendar(name="weekdays", version="1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """`settle_from <= now < settle_by`, in unix seconds."""

    settle_from: int
    settle_by: int


def is_business_day(day: date, calendars: Sequence[Calendar]) -> bool:
    """Whether every calendar is open: the asset's market and the currency both count."""
    return all(calendar.is_open(day) for calendar in calendars)


def add_business_days(day: date, count: int, calendars: Sequence[Calendar]) -> date:
    """Give the business day `count` after `day`; with 0 the first one not before `day`.

    Raises: InvalidInput if the calendars have no such day: closed for more than a year on end.
    """
    found = _open_from(day, calendars)
    # From a closed day the first open one is already the first of those that are counted.
    for _ in range(count if found == day else count - 1):
        found = _open_from(found + _DAY, calendars)
    return found


def _open_from(day: date, calendars: Sequence[Calendar]) -> date:
    if day.year > LAST_YEAR:
        message = f"dates are kept up to the year {LAST_YEAR}"
        raise InvalidInput("date_range", message, "/settlement_date")
    for ahead in range(MAX_CLOSED_DAYS + 1):
        if is_business_day(day + ahead * _DAY, calendars):
            return day + ahead * _DAY
    names = ", ".join(calendar.name for calendar in calendars)
    raise InvalidInput("calendar_closed", f"{names}: no business day within a year of {day}")


def unix_seconds(day: date, at: time, zone: str) -> int:
    """Give the instant at which the wall clock of `zone` first shows `at` on `day`.

    A time that a change of clocks skips is read with the offset before the change (PEP 495), so it
    is the instant after the change by as much as it lies inside the gap.
    Raises: InvalidInput for a zone that the time zone database does not have.
    """
    try:
        rules = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("zone_unknown", f"there is no time zone {zone!r}") from None
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), tzinfo=rules)
    return int(local.timestamp())


def settlement_window(
    settlement_date: date,
    zone: str,
    recycling_days: int,
    opens: time,
    closes: time,
    calendars: Sequence[Calendar] = (WEEKDAYS,),
) -> Window:
    """Give the window of a trade: from opening on its date to closing after its last recycling.

    Units: `recycling_days` in business days; 0 ends the window on the settlement date itself.
    Raises: InvalidInput if the settlement date is no business day, or the market closes before it
    opens.
    """
    return _window(settlement_date, zone, recycling_days, opens, closes, tuple(calendars))


@lru_cache(maxsize=4096)  # a day's trades share a few windows, and counting sixty days is slow
def _window(
    settlement_date: date,
    zone: str,
    recycling_days: int,
    opens: time,
    closes: time,
    calendars: tuple[Calendar, ...],
) -> Window:
    if not FIRST_YEAR < settlement_date.year <= LAST_YEAR:
        message = f"{settlement_date} is not a date that a clock in unix seconds shows"
        raise InvalidInput("date_range", message, "/settlement_date")
    if not is_business_day(settlement_date, calendars):
        message = f"{settlement_date} is not a business day"
        raise InvalidInput("settlement_date_closed", message, "/settlement_date")
    if not 0 <= recycling_days <= MAX_RECYCLING_DAYS:
        raise InvalidInput("recycling_days", f"{recycling_days} is not a number of recycling days")
    last = add_business_days(settlement_date, recycling_days, calendars)
    window = Window(
        settle_from=unix_seconds(settlement_date, opens, zone),
        settle_by=unix_seconds(last, closes, zone),
    )
    if window.settle_from >= window.settle_by:
        raise InvalidInput("window_empty", f"{opens} is not before {closes} in {zone}")
    return window
