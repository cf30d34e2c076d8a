"""Reading what platforms send: tolerant of everything, certain of what comes out."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from firstreply.errors import Unreadable

# Longer than any platform allows; keeps one item far below DynamoDB's 400 KB.
LONGEST_TEXT = 50_000
# 2001 to 2286 in seconds; the same digits in milliseconds are larger by a thousand.
_MILLISECONDS_FROM = 10_000_000_000

type Object = Mapping[str, Any]


def json_object(body: bytes) -> Object:
    """The body as a JSON object; Unreadable if it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"body is not JSON: {type(error).__name__}") from None
    if not isinstance(value, dict):
        raise Unreadable(f"body is a JSON {type(value).__name__}, not an object")
    return value


def child(value: Object, *path: str) -> Object:
    """The object at that path, empty if there is none."""
    for name in path:
        found = value.get(name)
        value = found if isinstance(found, dict) else {}
    return value


def children(value: Object, name: str) -> Iterator[Object]:
    """The list at that name; what is no object in it is read as an empty one, so it is counted."""
    found = value.get(name)
    for item in found if isinstance(found, list) else ():
        yield item if isinstance(item, dict) else {}


def identifier(value: object) -> str | None:
    """An id as text; platforms send it as text or as a number. None if it is neither or empty."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return clean(str(value)) or None


def string(value: object) -> str | None:
    """Text that can be stored and sent, None if it is no text or empty."""
    return clean(value)[:LONGEST_TEXT] or None if isinstance(value, str) else None


def clean(text: str) -> str:
    """The text with pairs of surrogates joined and lone ones replaced: they cannot be encoded."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def utc(value: object) -> datetime | None:
    """Seconds, milliseconds, digits or ISO 8601 as UTC; None if it is no time."""
    if isinstance(value, str) and not re.fullmatch(r"-?\d+", value, re.ASCII):
        return _from_iso(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
        return datetime.fromtimestamp(
            seconds / 1000 if abs(seconds) >= _MILLISECONDS_FROM else seconds, UTC
        )
    except (ValueError, OverflowError, OSError):
        return None


def _from_iso(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
