"""When people are there: business hours by time zone, with holidays. Pure; zoneinfo knows the
clock's changes (its tables come with the layer, in tzdata).

A time that the clock skips in spring is the moment when it does; of one that comes twice in autumn
the first counts.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

type Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = Weekday.__value__.__args__

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
# What is due later is due by then: nobody waits for longer, and the walk has an end.
_YEAR = 365 * _DAY
_INTERVAL = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", re.ASCII)
_YEARLY = re.compile(r"\d\d-\d\d", re.ASCII)
# Minutes since midnight.
type Interval = tuple[int, int]


def _interval(value: object) -> object:
    """`09:00-18:00` as minutes since midnight."""
    found = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("write it like 09:00-18:00")
    hour, minute, until_hour, until_minute = map(int, found.groups())
    start, end = hour * 60 + minute, until_hour * 60 + until_minute
    if not start < end <= 24 * 60:
        raise ValueError("it must end after it begins, by 24:00; split what goes past midnight")
    return start, end


def _in_order(intervals: tuple[Interval, ...]) -> tuple[Interval, ...]:
    if any(end > start for (_, end), (start, _) in pairwise(intervals)):
        raise ValueError("the hours of a day come one after the other")
    return intervals


def _some(days: dict[Weekday, tuple[Interval, ...]]) -> dict[Weekday, tuple[Interval, ...]]:
    if not any(days.values()):
        raise ValueError("at least one day of the week must have hours")
    return days


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("no such time zone; write it like Europe/Berlin") from None
    return name


def _holiday(value: object) -> object:
    """A date, or `12-25` for that of every year."""
    if isinstance(value, str) and _YEARLY.fullmatch(value):
        month, day = map(int, value.split("-"))
        date(2000, month, day)  # a leap year; ValueError if there is no such day
        return value
    if type(value) is date:
        return value.isoformat()
    raise ValueError("write it like 2026-12-25, or 12-25 for every year")


class Hours(BaseModel):
    """`open`: the hours of each weekday, none if it is missing. `holidays`: closed all day."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    time_zone: Annotated[str, AfterValidator(_zone)]
    open: Annotated[
        dict[
            Weekday,
            Annotated[
                tuple[Annotated[Interval, BeforeValidator(_interval)], ...],
                AfterValidator(_in_order),
            ],
        ],
        AfterValidator(_some),
    ]
    # With so few, some weekday that has hours is open within three years whatever they are: a day
    # of the year falls on the same weekday at most once in them.
    holidays: Annotated[
        frozenset[Annotated[str, BeforeValidator(_holiday)]], Field(max_length=100)
    ] = frozenset()

    def is_open(self, at: datetime) -> bool:
        start, _ = next(self._spans(at))
        return start <= at

    def opens_at(self, after: datetime) -> datetime:
        """The next opening, in the brand's zone; `after` itself if it is open then."""
        start, _ = next(self._spans(after))
        return self.local(max(start, after))

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.time_zone))

    def due(self, at: datetime, minutes: int) -> datetime:
        """So many minutes after `at`, counting open hours only, or when it first closes more than
        a year after it; in the brand's zone."""
        left = timedelta(minutes=minutes)
        now = at.astimezone(UTC)
        for start, end in self._spans(at):
            now = max(now, start)
            if now + left <= end:
                return self.local(now + left)
            left -= max(end - now, timedelta())
            now = max(now, end)
            if now > at + _YEAR:
                return self.local(now)
        raise AssertionError("spans never end")

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Each time that it is open from `at` on (the first may have begun before), in UTC."""
        day = self.local(at).date() - _DAY
        while True:
            for first, last in self._intervals(day):
                start, end = self._instant(day, first), self._instant(day, last)
                if at < end and start < end:
                    yield start, end
            day += _DAY

    def _intervals(self, day: date) -> tuple[Interval, ...]:
        if {day.isoformat(), f"{day:%m-%d}"} & self.holidays:
            return ()
        return self.open.get(WEEKDAYS[day.weekday()], ())

    def _instant(self, day: date, minutes: int) -> datetime:
        """The first moment when the clock shows so many minutes after midnight, or more."""
        shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
        zone = ZoneInfo(self.time_zone)
        first, last = sorted(
            shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)
        )

        def is_past(minute: int) -> bool:
            return (first + minute * _MINUTE).astimezone(zone).replace(tzinfo=None) >= shown

        if is_past(0):
            return first
        skipped = range((last - first) // _MINUTE)
        return first + bisect_left(skipped, True, key=is_past) * _MINUTE
