"""When people are there: by the brand's own clock, whatever it does."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from firstreply.hours import WEEKDAYS, Hours

WORKDAYS = {day: ["09:00-18:00"] for day in WEEKDAYS[:5]}
MINUTE, YEAR = timedelta(minutes=1), timedelta(days=365)


def hours(
    zone: str = "Europe/Berlin", open: dict[str, Any] | None = None, holidays: tuple[Any, ...] = ()
) -> Hours:
    return Hours.model_validate(
        {"time_zone": zone, "open": WORKDAYS if open is None else open, "holidays": holidays}
    )


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("now", "is_open", "opens"),
    [
        ("2026-11-23 08:59", False, "2026-11-23 09:00"),  # a Monday
        ("2026-11-23 09:00", True, "2026-11-23 09:00"),
        ("2026-11-23 17:59", True, "2026-11-23 17:59"),
        ("2026-11-23 18:00", False, "2026-11-24 09:00"),
        ("2026-11-27 18:00", False, "2026-11-30 09:00"),
        ("2026-12-24 18:00", False, "2026-12-28 09:00"),  # Christmas on a Friday
        ("2026-12-31 18:00", False, "2027-01-04 09:00"),
    ],
)
def test_it_opens_on_the_next_day_that_has_hours(now: str, is_open: bool, opens: str) -> None:
    there = hours(holidays=("12-25", date(2027, 1, 1)))
    assert there.is_open(at(now)) is is_open
    assert there.opens_at(at(now)) == at(opens)


def test_a_day_may_open_twice_and_a_night_may_be_split_at_midnight() -> None:
    there = hours(
        open={"friday": ["08:00-12:00", "13:30-17:00", "22:00-24:00"], "saturday": ["00:00-02:00"]}
    )
    friday = "2026-11-27"
    assert there.opens_at(at(f"{friday} 12:00")) == at(f"{friday} 13:30")
    assert there.is_open(at(f"{friday} 23:59"))
    assert there.is_open(at("2026-11-28 00:00"))
    assert not there.is_open(at("2026-11-28 02:00"))
    assert there.due(at(f"{friday} 23:00"), 120) == at("2026-11-28 01:00")
    assert there.due(at(f"{friday} 11:30"), 60) == at(f"{friday} 14:00")


def test_a_closed_week_is_waited_for() -> None:
    week = tuple(date(2026, 12, 21) + timedelta(days=n) for n in range(7))
    there = hours(holidays=week)
    assert there.opens_at(at("2026-12-18 18:00")) == at("2026-12-28 09:00")
    assert there.due(at("2026-12-18 17:30"), 60) == at("2026-12-28 09:30")


def test_even_with_every_holiday_of_a_weekday_it_opens_some_day() -> None:
    mondays = [date(2026, 1, 5) + timedelta(weeks=n) for n in range(100)]
    there = hours(open={"monday": ["09:00-10:00"]}, holidays=tuple(mondays))
    assert there.opens_at(at("2026-01-01 00:00")) == at("2027-12-06 09:00")
    yearly = tuple(f"{one:%m-%d}" for one in mondays[:52])
    assert hours(open={"monday": ["09:00-10:00"]}, holidays=yearly).opens_at(
        at("2026-01-05 09:00")
    ) < at("2027-01-12 00:00")


def test_what_it_says_is_in_the_brand_s_zone() -> None:
    utc = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    for moment in (hours().opens_at(utc), hours().local(utc), hours().due(utc, 5)):
        assert moment.tzinfo == ZoneInfo("Europe/Berlin")
    assert hours().local(utc).isoformat() == "2026-11-24T00:30:00+01:00"


def test_an_opening_that_the_clock_skips_is_when_it_skips_it() -> None:
    there = hours(open={"sunday": ["02:30-04:00"]})
    assert there.opens_at(at("2026-03-29 00:00")).isoformat() == "2026-03-29T03:00:00+02:00"
    assert there.due(at("2026-03-29 00:00"), 60) == at("2026-03-29 04:00")
    gone = hours(open={"sunday": ["02:10-02:50"]})
    assert gone.opens_at(at("2026-03-28 00:00")) == at("2026-04-05 02:10")


def test_an_hour_that_comes_twice_counts_as_the_clock_went() -> None:
    there = hours(open={"sunday": ["01:00-04:00"]})
    start = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)  # 01:00, an hour before it is 02:00 twice
    assert there.due(start, 4 * 60) == at("2026-10-25 04:00")
    ends = hours(open={"sunday": ["01:00-02:30"]})
    assert ends.is_open(datetime(2026, 10, 25, 0, 29, tzinfo=UTC))
    assert not ends.is_open(datetime(2026, 10, 25, 1, 15, tzinfo=UTC)), "02:15 for the second time"


@pytest.mark.parametrize(
    ("now", "minutes", "due"),
    [
        ("2026-11-23 10:00", 60, "2026-11-23 11:00"),
        ("2026-11-23 17:30", 30, "2026-11-23 18:00"),
        ("2026-11-23 17:30", 31, "2026-11-24 09:01"),
        ("2026-11-27 17:30", 60, "2026-11-30 09:30"),
        ("2026-11-28 12:00", 15, "2026-11-30 09:15"),
        ("2026-11-28 12:00", 0, "2026-11-30 09:00"),
        ("2026-11-23 09:00", 10 * 60, "2026-11-24 10:00"),
    ],
)
def test_what_is_due_is_counted_in_open_hours(now: str, minutes: int, due: str) -> None:
    assert hours().due(at(now), minutes) == at(due)


def test_nobody_waits_for_years_whatever_the_week() -> None:
    there = hours(open={"monday": ["09:00-09:01"]})
    now, days = at("2026-11-23 09:00"), []
    assert there.due(now, 3) == at("2026-12-07 09:01")
    for minutes in (53, 54, 43_200, 10**9):
        days.append(there.due(now, minutes))
    assert days == [at("2027-11-22 09:01"), *[at("2027-11-29 09:01")] * 3]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": "../etc"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
        ({"open": {}}, "open"),
        ({"open": {"monday": []}}, "open"),
        ({"open": {"someday": ["09:00-10:00"]}}, "open"),
        *(
            ({"open": {"monday": [interval]}}, "open")
            for interval in (
                *("9:00-10:00", "09:00", "10:00-09:00", "09:00-09:00", "22:00-02:00"),
                *("09:00-24:01", "09:60-10:00", "25:00-26:00", 540, None, "09:00–18:00"),
            )
        ),
        ({"open": {"monday": ["09:00-12:00", "11:00-14:00"]}}, "open"),
        ({"open": {"monday": ["13:00-14:00", "09:00-12:00"]}}, "open"),
        *(({"holidays": [day]}, "holidays") for day in ("13-01", "02-30", "Christmas", 1225)),
        ({"holidays": [datetime(2026, 12, 25)]}, "holidays"),
        ({"holidays": [date(2026, 1, 1) + timedelta(days=n) for n in range(101)]}, "holidays"),
        ({"closed": []}, "closed"),
    ],
)
def test_hours_that_cannot_be_are_refused(wrong: dict[str, Any], place: str) -> None:
    data = {"time_zone": "Europe/Berlin", "open": WORKDAYS} | wrong
    with pytest.raises(ValidationError) as raised:
        Hours.model_validate(data)
    assert raised.value.errors()[0]["loc"][0] == place


# --- whatever the week, the zone and the day ----------------------------------------------------

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Africa/Cairo", "America/Santiago", "UTC")  # fmt: skip


@st.composite
def days(draw: st.DrawFn) -> list[str]:
    edges = draw(st.lists(st.integers(0, 24 * 12), max_size=6, unique=True).map(sorted))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    shown = [f"{edge // 12:02}:{edge % 12 * 5:02}" for pair in pairs for edge in pair]
    return [f"{start}-{end}" for start, end in zip(shown[::2], shown[1::2], strict=True)]


weeks = st.dictionaries(st.sampled_from(WEEKDAYS), days()).filter(lambda week: any(week.values()))
places = st.builds(
    hours,
    st.sampled_from(ZONES),
    weeks,
    st.lists(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=20).map(tuple),
)
moments = st.datetimes(
    datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.sampled_from([UTC, ZoneInfo(ZONES[2])])
).map(lambda moment: moment.astimezone(UTC))


@given(places, moments)
def test_it_opens_at_the_first_moment_when_it_is_open(there: Hours, now: datetime) -> None:
    opens = there.opens_at(now)
    assert opens >= now
    assert there.is_open(opens)
    assert there.is_open(now) == (opens.astimezone(UTC) == now)
    wait = (opens - now) // 7
    assert not any(there.is_open(now + n * wait) for n in range(7) if opens > now)
    if opens > now:
        assert not there.is_open(opens.astimezone(UTC) - timedelta(microseconds=1))


@given(places, moments, st.integers(0, 3000), st.integers(0, 3000))
def test_what_is_due_later_is_later_and_can_be_counted_in_two_steps(
    there: Hours, now: datetime, some: int, more: int
) -> None:
    due = there.due(now, some)
    assert due >= now + some * MINUTE
    assert there.due(now, some) <= there.due(now, some + more)
    if there.due(now, some + more) - now > YEAR:
        return
    assert there.due(due, more) in (there.due(now, some + more), there.opens_at(due))
    assert there.is_open(due) or (some and there.is_open(due.astimezone(UTC) - MINUTE / 60))


@given(places, moments)
def test_minutes_are_counted_as_a_clock_on_the_wall_would(there: Hours, now: datetime) -> None:
    """Minute by minute for five hours: what is open is what counts."""
    now = now.replace(second=0, microsecond=0)
    counted = sum(there.is_open(now + n * MINUTE) for n in range(300))
    if counted:
        assert now < there.due(now, counted).astimezone(UTC) <= now + 300 * MINUTE
    assert there.due(now, counted + 1).astimezone(UTC) > now + 300 * MINUTE


@given(moments)
@example(datetime(2026, 10, 24, 23, tzinfo=UTC))
def test_who_is_always_there_is_always_there(now: datetime) -> None:
    there = hours(open={day: ["00:00-24:00"] for day in WEEKDAYS})
    assert there.is_open(now)
    # In UTC: Python calls an hour that comes twice equal to no moment of another zone (PEP 495).
    assert there.due(now, 90).astimezone(UTC) == now + 90 * MINUTE


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sampled_from(ZONES[:2]))
def test_on_ordinary_days_it_is_the_clock_that_counts(day: date, zone: str) -> None:
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    assert hours(zone).is_open(noon) == (day.weekday() < 5)
