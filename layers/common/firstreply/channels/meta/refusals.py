"""How Graph says no, and how it says that it soon will: codes, never texts (they change)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from firstreply.channels._read import Object, child, children, json_object
from firstreply.errors import AccountDead, RateLimited, Refuse, TryLater, Unreadable, Unsure

if TYPE_CHECKING:
    from firstreply.platform import Answered

# Nothing was done, and calling on lengthens the block.
_THROTTLED = {4, 17, 32, 613, 80001, 80002, 80006, 80008}
# "Try again" of an unknown cause: Meta may have published it all the same.
_TRANSIENT = {1, 2}
# The token is expired, revoked, or its session is.
_TOKEN = {102, 190}
# What a human can make of it. Everything else is refused under its bare numbers.
_MEANING = {
    (10, 2018278): "the time to answer is over",
    (10, 2534022): "the time to answer is over",
    (10, 2018065): "the time to answer is over",
    (10, 2018108): "this person cannot be messaged",
    (200, 1545041): "this person cannot be messaged",
    (551, 1545041): "this person cannot be messaged",
    (551, None): "this person cannot be messaged",
    (230, None): "this person has not agreed to messages",
    (100, 33): "it is not there any more",
    (100, 2018001): "no such person",
    (2018218, None): "no such person",
    (2018300, None): "no permission",
    (2018321, None): "no permission",
    (10900, None): "answered in private before",
    (10903, None): "answered in private before",
    (10902, None): "too old for a private answer",
}
# Meta's own estimate is missing: what it asks for in general is "a while".
_LONG_BREAK = 300
# From here on (percent of a limit) we leave the account alone before Meta does it to us.
_NEARLY_ALL = 90
_SHORT_BREAK = 60
_SHARES = ("call_count", "total_time", "total_cputime")


def refuse(answer: Answered, *, reading: bool) -> NoReturn:
    """Graph's error as what to do next."""
    error = child(answer.json, "error")
    code, subcode = _whole(error.get("code")), _whole(error.get("error_subcode"))
    reason = f"graph {answer.status} {code}/{subcode}"
    if code in _THROTTLED or answer.status == 429:
        raise RateLimited(reason, after=_told_to_wait(answer) or _LONG_BREAK)
    if code in _TOKEN or (code is None and answer.status == 401):
        raise AccountDead(f"{reason}: the token is not valid any more")
    if code in _TRANSIENT or answer.status >= 500:
        if reading:
            raise TryLater(reason)
        raise Unsure(reason)
    meaning = _MEANING.get((code or 0, subcode)) or (
        "no permission" if code == 10 or 200 <= (code or 0) < 300 else ""
    )
    raise Refuse(f"{reason}: {meaning}" if meaning else reason)


def rest_after(answer: Answered) -> int:
    """For how many seconds to leave the account alone, by what the headers say is used up."""
    used = max(
        (
            share
            for row in _usage(answer)
            for name in _SHARES
            if isinstance(share := row.get(name), int | float)
        ),
        default=0,
    )
    return (_told_to_wait(answer) or _SHORT_BREAK) if used >= _NEARLY_ALL else 0


def _told_to_wait(answer: Answered) -> int:
    """Meta's estimate, which is in minutes, in seconds; 0 if it gives none."""
    minutes = [row.get("estimated_time_to_regain_access") for row in _usage(answer)]
    return max((60 * m for m in minutes if isinstance(m, int) and m > 0), default=0)


def _usage(answer: Answered) -> Iterator[Object]:
    """The rows of both headers: of the app, and of each business use case."""
    yield _header(answer, "x-app-usage")
    cases = _header(answer, "x-business-use-case-usage")
    for name in cases:
        yield from children(cases, name)


def _header(answer: Answered, name: str) -> Object:
    try:
        return json_object(answer.headers.get(name, "").encode())
    except Unreadable:
        return {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
