from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.window import (
    WEEKDAYS,
    Calendar,
    add_business_days,
    is_business_day,
    settlement_window,
    unix_seconds,
)

BERLIN = "Europe/Berlin"
OPENS, CLOSES = time(7), time(16)
TARGET = Calendar(
    name="TARGET",
    version="2026",
    holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25)}),
)


def _utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_a_window_opens_on_its_date_and_closes_after_the_last_recycling() -> None:
    window = settlement_window(date(2026, 11, 26), BERLIN, 2, OPENS, CLOSES)
    assert window.settle_from == _utc("2026-11-26T06:00")  # Thursday
    assert window.settle_by == _utc("2026-11-30T15:00")  # Monday


def test_without_recycling_a_window_is_one_day() -> None:
    window = settlement_window(date(2026, 11, 26), BERLIN, 0, OPENS, CLOSES)
    assert (window.settle_from, window.settle_by) == (
        _utc("2026-11-26T06:00"),
        _utc("2026-11-26T15:00"),
    )


def test_a_window_over_the_change_to_summer_time_loses_an_hour() -> None:
    # Sunday 29 March 2026, 02:00 becomes 03:00.
    window = settlement_window(date(2026, 3, 27), BERLIN, 1, OPENS, CLOSES)
    assert window.settle_from == _utc("2026-03-27T06:00")
    assert window.settle_by == _utc("2026-03-30T14:00")
    assert window.settle_by - window.settle_from == (3 * 24 + 9 - 1) * 3600


def test_a_window_over_the_change_to_winter_time_gains_an_hour() -> None:
    # Sunday 25 October 2026, 03:00 becomes 02:00.
    window = settlement_window(date(2026, 10, 23), BERLIN, 1, OPENS, CLOSES)
    assert window.settle_from == _utc("2026-10-23T05:00")
    assert window.settle_by == _utc("2026-10-26T15:00")
    assert window.settle_by - window.settle_from == (3 * 24 + 9 + 1) * 3600


def test_a_market_that_opens_on_the_sunday_of_a_change_is_open_then() -> None:
    every_day = Calendar(name="always", version="1", weekend=frozenset())
    short = settlement_window(date(2026, 3, 29), BERLIN, 0, time(1), time(4), (every_day,))
    assert short.settle_by - short.settle_from == 2 * 3600
    long = settlement_window(date(2026, 10, 25), BERLIN, 0, time(1), time(4), (every_day,))
    assert long.settle_by - long.settle_from == 4 * 3600


def test_a_time_that_is_skipped_lies_after_the_change() -> None:
    assert unix_seconds(date(2026, 3, 29), time(2, 30), BERLIN) == _utc("2026-03-29T01:30")
    assert unix_seconds(date(2026, 3, 29), time(3, 30), BERLIN) == _utc("2026-03-29T01:30")


def test_a_time_that_comes_twice_is_the_first_one() -> None:
    assert unix_seconds(date(2026, 10, 25), time(2, 30), BERLIN) == _utc("2026-10-25T00:30")
    assert unix_seconds(date(2026, 10, 25), time(2, 30, fold=1), BERLIN) == _utc("2026-10-25T00:30")


def test_holidays_are_data_and_every_calendar_counts() -> None:
    # Good Friday and Easter Monday are closed in TARGET, not by weekdays alone.
    thursday = date(2026, 4, 2)
    assert add_business_days(thursday, 1, (WEEKDAYS,)) == date(2026, 4, 3)
    assert add_business_days(thursday, 1, (TARGET,)) == date(2026, 4, 7)
    other = Calendar(name="other", version="1", holidays=frozenset({date(2026, 4, 7)}))
    assert add_business_days(thursday, 1, (TARGET, other)) == date(2026, 4, 8)
    assert not is_business_day(date(2026, 4, 7), (TARGET, other))


def test_no_business_days_later_is_the_first_open_day() -> None:
    assert add_business_days(date(2026, 4, 3), 0, (TARGET,)) == date(2026, 4, 7)
    assert add_business_days(date(2026, 4, 2), 0, (TARGET,)) == date(2026, 4, 2)


def test_the_market_may_have_another_weekend() -> None:
    friday_saturday = Calendar(name="ILS", version="1", weekend=frozenset({4, 5}))
    assert is_business_day(date(2026, 11, 29), (friday_saturday,))
    assert not is_business_day(date(2026, 11, 27), (friday_saturday,))


def test_sixty_business_days_recycle_over_twelve_weeks() -> None:
    window = settlement_window(date(2026, 6, 1), BERLIN, 60, OPENS, CLOSES)
    assert window.settle_by == _utc("2026-08-24T14:00")


@pytest.mark.parametrize(
    ("day", "zone", "recycling", "opens", "closes", "code"),
    [
        (date(2026, 11, 28), BERLIN, 1, OPENS, CLOSES, "settlement_date_closed"),
        (date(2026, 5, 1), BERLIN, 1, OPENS, CLOSES, "settlement_date_closed"),
        (date(2026, 11, 26), "Europe/Nowhere", 1, OPENS, CLOSES, "zone_unknown"),
        (date(2026, 11, 26), "../../etc/passwd", 1, OPENS, CLOSES, "zone_unknown"),
        (date(2026, 11, 26), "", 1, OPENS, CLOSES, "zone_unknown"),
        (date(2026, 11, 26), BERLIN, -1, OPENS, CLOSES, "recycling_days"),
        (date(2026, 11, 26), BERLIN, 367, OPENS, CLOSES, "recycling_days"),
        (date(2026, 11, 26), BERLIN, 0, CLOSES, OPENS, "window_empty"),
        (date(2026, 11, 26), BERLIN, 0, OPENS, OPENS, "window_empty"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    day: date, zone: str, recycling: int, opens: time, closes: time, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        settlement_window(day, zone, recycling, opens, closes, (TARGET,))
    assert refused.value.code == code


def test_a_calendar_that_never_opens_is_refused_and_not_searched_for_ever() -> None:
    never = Calendar(name="never", version="1", weekend=frozenset(range(7)))
    with pytest.raises(InvalidInput) as refused:
        add_business_days(date(2026, 11, 26), 1, (never,))
    assert refused.value.code == "calendar_closed"


def test_dates_at_the_ends_of_the_calendar_are_refused() -> None:
    for day in (date.min, date(1970, 6, 1), date.max, date(9991, 1, 1)):
        with pytest.raises(InvalidInput) as refused:
            settlement_window(day, BERLIN, 1, OPENS, CLOSES)
        assert (refused.value.code, refused.value.pointer) == ("date_range", "/settlement_date")
    with pytest.raises(InvalidInput):
        add_business_days(date.max, 1, (WEEKDAYS,))
    assert settlement_window(date(9990, 12, 31), BERLIN, 0, OPENS, CLOSES).settle_from > 0


def test_from_a_closed_day_the_first_open_one_is_the_first() -> None:
    saturday = date(2026, 11, 28)
    assert [add_business_days(saturday, count, (WEEKDAYS,)) for count in (0, 1, 2)] == [
        date(2026, 11, 30),
        date(2026, 11, 30),
        date(2026, 12, 1),
    ]
