"""Reading what platforms send: tolerant of everything, certain of what comes out."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unicodedata import category
from urllib.parse import quote

from firstreply.errors import Unreadable, Unsure
from firstreply.message import Reply, Unread, Update

if TYPE_CHECKING:
    from pydantic import ValidationError

# Longer than any platform allows; keeps one item far below DynamoDB's 400 KB.
LONGEST_TEXT = 50_000
# Quoted; two of them fit into DynamoDB's partition key (2,048 bytes), one into a sort key (1,024).
LONGEST_ID = 500
LONGEST_NAME = 200
# As many as Meta puts into one POST: what is known already is read again at every try, and an
# invocation has to get to the end of it.
MOST_AT_ONCE = 1_000
# Those of Unicode (Cc), for a pattern: no id holds one, and helpdesks refuse what does.
CONTROLS = r"\x00-\x1f\x7f-\x9f"
_NEEDLESS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"}
# Zero width joiner, skin tones, tags; the letters that flags are made of.
_ZWJ = "\u200d"
_JOIN = frozenset([_ZWJ, *map(chr, range(0x1F3FB, 0x1F400)), *map(chr, range(0xE0020, 0xE0080))])
_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
# 2001 to 2286 in seconds; the same digits in milliseconds are larger by a thousand.
_MILLISECONDS_FROM = 10_000_000_000

type Object = Mapping[str, Any]


def json_object(body: bytes) -> Object:
    """The body as a JSON object; Unreadable if it is none."""
    value = _json(body)
    if not isinstance(value, dict):
        raise Unreadable(f"body is a JSON {type(value).__name__}, not an object")
    return value


def one_or_many(body: bytes, read: Callable[[Any], Update]) -> Iterator[Update]:
    """What a body says that is a JSON object, or a list of them: whatever it holds, since one bad
    item takes no other with it, nor one too many. Unreadable if it is neither, or empty."""
    value = _json(body)
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list) or not items:
        raise Unreadable(f"body is a JSON {type(value).__name__} of nothing that is known")
    yield from map(read, items[:MOST_AT_ONCE])
    for _ in items[MOST_AT_ONCE:]:
        yield Unread(f"one of more than {MOST_AT_ONCE:,} in a list")


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"body is not JSON: {type(error).__name__}") from None


def broken(what: str, error: "ValidationError") -> Unread:
    """What does not keep to its schema, and where: never a word of it."""
    found = {".".join(map(str, one["loc"])) for one in error.errors()} - {""}
    where = ", ".join(sorted(found)[:2])
    return Unread(f"{what} without a usable {where}" if where else f"{what} that is no object")


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
    """An id as text; platforms send it as text or as a number. None if it can be no id."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    raw = str(value)
    text = clean(raw)
    # Dots alone would be a step up in a platform's address.
    is_one = text.strip(".") and not re.search(f"[{CONTROLS}]", raw)
    return text if is_one and len(quote(text, safe="")) <= LONGEST_ID else None


def id_of(said: Object, name: str = "id") -> str:
    """The id of what a platform took or shows; Unsure if it is there, but without one."""
    there = identifier(said.get(name))
    if there is None:
        raise Unsure(f"it is there, but without {name}")
    return there


def string(value: object, longest: int = LONGEST_TEXT) -> str | None:
    """Text that can be stored and sent, None if it is no text or empty."""
    return clean(value)[:longest] or None if isinstance(value, str) else None


def called(value: object) -> str | None:
    """What somebody is called."""
    return string(value, LONGEST_NAME)


def clean(text: str) -> str:
    """The text with pairs of surrogates joined and lone ones replaced, which cannot be encoded, and
    without control characters."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return without_controls(whole)


def without_controls(text: str) -> str:
    """Tabs and line breaks stay."""
    return text.translate(_NEEDLESS)


def cut_at_word(text: str, length: int) -> str:
    """At most `length` characters of a longer text and an ellipsis; no word is cut but the only."""
    length = between_characters(text, length)
    kept = text[:length]
    words = kept.rsplit(maxsplit=1)
    if len(words) > 1 and not text[length].isspace():
        kept = words[0]
    return kept.rstrip().rstrip(",.;:") + "…"


def between_characters(text: str, length: int) -> int:
    """The same place or one before it, where no emoji or accented letter is torn."""
    before = length
    while before and _is_within(text, before):
        before -= 1
    return before or length


def _is_within(text: str, at: int) -> bool:
    """By the rules that matter for emoji (UAX 29): what follows joins on, or the joiner is before,
    or it is the second half of a flag."""
    if at >= len(text):
        return False
    after = text[at]
    if category(after)[0] == "M" or after in _JOIN or text[at - 1] == _ZWJ:
        return True
    flags = len(text[:at]) - len(text[:at].rstrip(_FLAGS))
    return after in _FLAGS and flags % 2 == 1


def before(reply: Reply) -> datetime:
    """When the message that it answers was not there yet, whatever the platform's clocks say."""
    return reply.message.sent_at - timedelta(minutes=1)


def utc(value: object, read: Callable[[str], datetime] = datetime.fromisoformat) -> datetime | None:
    """Seconds, milliseconds, digits or what `read` reads as UTC; None if it is no time."""
    if isinstance(value, str) and not re.fullmatch(r"-?\d+", value, re.ASCII):
        moment = _from_text(value, read)
    else:
        moment = _from_number(value)
    # Whoever adds an hour to it must not fall off the calendar.
    return moment if moment and MINYEAR < moment.year < MAXYEAR else None


def _from_number(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
        return datetime.fromtimestamp(
            seconds / 1000 if abs(seconds) >= _MILLISECONDS_FROM else seconds, UTC
        )
    except (ValueError, OverflowError, OSError):
        return None


def _from_text(value: str, read: Callable[[str], datetime]) -> datetime | None:
    try:
        moment = read(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
