from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from settle.domain.window import (
    WEEKDAYS,
    Calendar,
    add_business_days,
    is_business_day,
    settlement_window,
)

days = st.dates(date(2000, 1, 1), date(2060, 12, 31))
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"])
calendars = st.builds(
    Calendar,
    name=st.just("some"),
    version=st.just("1"),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=30),
)
near = st.dates(date(2026, 1, 1), date(2026, 11, 30))


@given(day=days, zone=zones, recycling=st.integers(0, 60))
def test_a_window_opens_and_closes_on_business_days_at_local_time(
    day: date, zone: str, recycling: int
) -> None:
    first = add_business_days(day, 0, (WEEKDAYS,))
    window = settlement_window(first, zone, recycling, time(7), time(16))
    opens, closes = (
        datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(zone))
        for instant in (window.settle_from, window.settle_by)
    )
    assert (opens.date(), opens.time()) == (first, time(7))
    assert closes.time() == time(16)
    assert closes.date() == add_business_days(first, recycling, (WEEKDAYS,))
    assert window.settle_from < window.settle_by


@given(day=near, count=st.integers(0, 40), calendar=calendars)
def test_so_many_business_days_lie_between(day: date, count: int, calendar: Calendar) -> None:
    start = add_business_days(day, 0, (calendar,))
    end = add_business_days(start, count, (calendar,))
    between = [
        date.fromordinal(number)
        for number in range(start.toordinal() + 1, end.toordinal() + 1)
        if is_business_day(date.fromordinal(number), (calendar,))
    ]
    assert len(between) == count
    assert is_business_day(end, (calendar,))
