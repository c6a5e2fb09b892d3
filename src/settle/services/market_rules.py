"""What the venue decides about its market: calendars, hours, tolerances, patience. All data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final

from settle.domain.tolerance import CSDR, Tolerance
from settle.domain.window import (
    WEEKDAYS,
    Calendar,
    Window,
    add_business_days,
    settlement_window,
    unix_seconds,
)

NORMAL_PRIORITY: Final = 4
"""1 reserved for the operator, 2 top, 3 high, 4 normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRules:
    """One market. `recycling_days` and `unmatched_days` count business days.

    Source: T2S: unmatched instructions are dropped after 20 business days, matched ones after 60.
    """

    zone: str = "Europe/Berlin"
    opens: time = time(0, 0)
    closes: time = time(18, 0)
    recycling_days: int = 60
    unmatched_days: int = 20
    calendars: tuple[Calendar, ...] = (WEEKDAYS,)
    tolerance: Tolerance = field(default=CSDR)

    def window(self, settlement_date: date) -> Window:
        """When a trade of this date settles. Raises InvalidInput for a date that is closed."""
        return _window(
            settlement_date,
            self.zone,
            self.recycling_days,
            self.opens,
            self.closes,
            self.calendars,
        )

    def unmatched_until(self, received_at: int) -> int:
        """When a side that found no other is dropped."""
        day = datetime.fromtimestamp(received_at, UTC).date()
        return _close_of(day, self.unmatched_days, self.closes, self.zone, self.calendars)


@lru_cache(maxsize=512)
def _window(
    day: date,
    zone: str,
    recycling_days: int,
    opens: time,
    closes: time,
    calendars: tuple[Calendar, ...],
) -> Window:
    return settlement_window(day, zone, recycling_days, opens, closes, calendars)


@lru_cache(maxsize=512)
def _close_of(
    day: date, count: int, closes: time, zone: str, calendars: tuple[Calendar, ...]
) -> int:
    return unix_seconds(add_business_days(day, count, calendars), closes, zone)
