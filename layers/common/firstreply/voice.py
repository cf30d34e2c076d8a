"""The words of an automatic answer: rows of data, and how one answer is put together from them.

An answer is a greeting and, from the most specific rows that apply, an opening and what happens
next. docs/voice.md says how a brand writes them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from hashlib import sha256
from itertools import combinations, groupby, product
from string import Formatter
from typing import Annotated, Literal
from unicodedata import category, normalize

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from firstreply.channels import names
from firstreply.datafile import Wrong
from firstreply.message import Message
from firstreply.understanding import Topic

# Of what is `unclear` no more is said than that it is there.
type Purpose = Literal[
    "complaint", "question", "praise", "unclear", "known_answer", "stopped", "started"
]
type Place = Literal["public", "private", "both"]  # both: briefly in public, continued in private
type Part = Literal["opening", "next", "human", "removal"]

PURPOSES: tuple[Purpose, ...] = Purpose.__value__.__args__
PLACES: tuple[Place, ...] = Place.__value__.__args__
TOPICS: tuple[Topic, ...] = Topic.__value__.__args__

# What each answer consists of, after the greeting; and the request to take a message down, if it
# is made.
PARTS: Mapping[Purpose, tuple[Part, ...]] = {
    "complaint": ("opening", "next"),
    "question": ("opening", "next"),
    "praise": ("opening", "next"),
    "unclear": ("opening", "next"),
    "known_answer": ("opening", "human"),
    "stopped": ("opening", "next"),
    "started": ("opening", "next"),
}
# What may be about something grave: each needs sober words of its own.
GRAVE: tuple[Purpose, ...] = ("complaint", "question", "praise", "unclear")

# What a person can be called by: one word of letters. Anything else in a name (a link, a command,
# an emoji) is not repeated under the brand's name.
_FIRST_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LONGEST_FIRST_NAME = 30
# Titles, what programs put where a name is missing, words of our own, and what nobody is to be
# called under the brand's name; as `plain` writes them.
_NO_NAMES = frozenset(
    {
        *("mr", "mrs", "ms", "miss", "mx", "sir", "madam", "dr", "prof", "herr", "frau", "familie"),
        *("senor", "senora", "sr", "sra", "monsieur", "madame", "mme", "mlle"),
        *("senhor", "senhora", "signor", "signora", "sig", "meneer", "mevrouw", "dhr", "mevr"),
        *("the", "der", "die", "los", "las", "les", "os", "il", "het"),
        *("user", "usuario", "utilisateur", "utilizador", "utente", "nutzer", "benutzer"),
        *("gebruiker", "customer", "guest", "anonymous", "unknown", "deleted", "admin"),
        *("administrator", "moderator", "support", "team", "official", "null", "none", "undefined"),
        *("nan", "true", "false", "test", "stop", "start", "help"),
        *("fuck", "fucker", "shit", "bitch", "asshole", "cunt", "idiot", "arschloch", "scheisse"),
        *("puta", "puto", "mierda", "merde", "connard", "caralho", "merda", "cazzo", "stronzo"),
        *("kut", "klootzak", "nazi", "hitler"),
    }
)
# SeveralWordsInOne is a slogan; a MacLeod or a DeAndre has two.
_HUMPS = re.compile(r"(?:[A-Z][a-z]+){3,}")
_HANDLE = re.compile(r"\w{1,30}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """All that the words of an automatic answer may depend on.

    `place` is where this very text stands: `both` is the public one of two. `called` comes from
    `called()`. Of the fields, `reference` is `{case}`, `expected` within which time a human is
    expected to answer, `back_at` (`{hours}`) when people are back, if it is out of hours; it and
    `now` are in the brand's time zone. `answer`: the brand's own, to a frequent question.
    """

    message_id: str
    purpose: Purpose
    topic: str = "other"
    is_grave: bool = False
    language: str = "en"
    channel: str = "x"
    place: Place = "public"
    called: str | None = None
    brand: str | None = None
    reference: str | None = None
    expected: timedelta | None = None
    back_at: datetime | None = None
    now: datetime | None = None
    asks_removal: bool = False
    answer: str | None = None


def called(message: Message, *, public: bool) -> str | None:
    """By the handle where everybody reads it: it is the customer's own, and it keeps two replies
    apart (X refuses a text that the account has just posted)."""
    if public and _HANDLE.fullmatch(message.author_handle or ""):
        return f"@{message.author_handle}"
    return _first_name(message.author_name)


def has_link(text: str) -> bool:
    """Anything that a platform could take for one: a dot within a word."""
    return bool(re.search(r"\w\.[^\W\d_]{2}", text))


# --- a text with fields -------------------------------------------------------------------------

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


@cache
def pieces(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Its parts in turn, each with its fields; every second one stood in square brackets.
    ValueError if brackets or braces are not as they should be."""
    parts = tuple((part, _fields(part)) for part in _BRACKETS.split(text))
    if any(mark in part for part, _ in parts for mark in "[]"):
        raise ValueError("square brackets come in pairs, none within another")
    if not all(fields for _, fields in parts[1::2]):
        raise ValueError("square brackets hold what is left out without its field: there is none")
    return parts


def fill(text: str, values: Mapping[str, str]) -> str:
    """With its fields; without what stands in brackets if a field in it has no value."""
    return "".join(
        part.format_map(values)
        for number, (part, fields) in enumerate(pieces(text))
        if number % 2 == 0 or fields <= values.keys()
    )


def _fields(text: str) -> frozenset[str]:
    found = list(Formatter().parse(text))
    if any(
        field == "" or layout or conversion or "{" in plain or "}" in plain
        for plain, field, layout, conversion in found
    ):
        raise ValueError("braces hold a field's name, and nothing else")
    return frozenset(field for _, field, _, _ in found if field)


def _takes(*required: str, optional: tuple[str, ...] = ()) -> AfterValidator:
    """Checks that a phrase has just these fields: no customer is to be the first to try it."""

    def check(text: str) -> str:
        fields = frozenset[str]().union(*(fields for _, fields in pieces(text)))
        if len(pieces(text)) > 1 or not set(required) <= fields <= {*required, *optional}:
            raise ValueError(f"it takes {_in_braces(required) or 'no field'}, and no brackets")
        return text

    return AfterValidator(check)


def _in_braces(fields: tuple[str, ...]) -> str:
    return ", ".join(f"{{{field}}}" for field in fields)


# --- the file of a language ---------------------------------------------------------------------


class _Data(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


type Counted = Annotated[str, _takes("count")]
type Plain = Annotated[str, Field(pattern=r"\S"), _takes()]
type Time = Annotated[str, _takes("minute", optional=("hour", "hour12", "half", "zone"))]


class Greeting(_Data):
    """How a customer is addressed, with the mark that ends it; `{called}` is a first name or an
    @handle."""

    named: Annotated[str, _takes("called")]
    unnamed: Plain


class Expected(_Data):
    """How a duration is promised; each stands well in any sentence."""

    minutes: Counted
    hour: Plain
    hours: Counted
    day: Plain
    days: Counted

    def phrase(self, within: timedelta) -> str:
        """Rounded up: to five minutes, to an hour, from a day on to days."""
        minutes = max(5, -(-within // timedelta(minutes=5)) * 5)
        hours = -(-within // timedelta(hours=1))
        if minutes < 60:
            return self.minutes.format(count=minutes)
        if hours < 24:
            return self.hours.format(count=hours) if hours > 1 else self.hour
        days = -(-within // timedelta(days=1))
        return self.days.format(count=days) if days > 1 else self.day


class Written(_Data):
    """How a time and a date are written. `{hour}` is 0 to 23, `{hour12}` 1 to 12, `{half}` am or
    pm, `{zone}` the time zone's short name; `{day}` is the day of the month. `times` and `dates`
    say it otherwise at some hours and on some days: "alle 9:00", but "all'1:00"."""

    time: Time
    date: Annotated[str, _takes("day", "month")]
    times: dict[Annotated[int, Field(ge=0, le=23)], Time] = {}
    dates: dict[
        Annotated[int, Field(ge=1, le=31)], Annotated[str, _takes("month", optional=("day",))]
    ] = {}

    def time_of(self, at: datetime) -> str:
        return self.times.get(at.hour, self.time).format(
            hour=at.hour,
            hour12=at.hour % 12 or 12,
            half="am" if at.hour < 12 else "pm",
            minute=f"{at.minute:02}",
            zone=at.tzname(),
        )

    def date_of(self, at: datetime, months: tuple[str, ...]) -> str:
        return self.dates.get(at.day, self.date).format(day=at.day, month=months[at.month - 1])


class BackAt(_Data):
    """How it is said when people are back; each stands well in any sentence."""

    today: Annotated[str, _takes("time")]
    tomorrow: Annotated[str, _takes("time")]
    weekday: Annotated[str, _takes("day", "time")]
    date: Annotated[str, _takes("date", "time")]
    weekdays: Annotated[tuple[Plain, ...], Field(min_length=7, max_length=7)]  # from Monday
    months: Annotated[tuple[Plain, ...], Field(min_length=12, max_length=12)]
    written: Written

    def phrase(self, at: datetime, now: datetime | None) -> str:
        """By the weekday while it can be no other week's; both in the brand's time zone."""
        days = (at.date() - now.date()).days if now else -1
        near = {0: self.today, 1: self.tomorrow} | dict.fromkeys(range(2, 7), self.weekday)
        return near.get(days, self.date).format(
            time=self.written.time_of(at),
            day=self.weekdays[at.weekday()],
            date=self.written.date_of(at, self.months),
        )


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _channel(name: str) -> str:
    if name not in names():
        raise ValueError(f"there is no such channel, only {', '.join(sorted(names()))}")
    return name


# In the order of what weighs more when several rows apply.
type When = tuple[str | bool | None, ...]


class Row(_Data):
    """What may be said in one part of an answer. It applies where all that it names is so, and
    gives way to a row that names more; `say` are variations of equal standing."""

    part: Part
    purpose: Annotated[tuple[Purpose, ...], BeforeValidator(_listed)] = ()
    tone: Literal["grave"] | None = None
    topic: Topic | None = None
    place: Place | None = None
    out_of_hours: Literal[True] | None = None
    channel: Annotated[str, AfterValidator(_channel)] | None = None
    say: Annotated[tuple[str, ...], Field(min_length=1)]

    @property
    def when(self) -> When:
        return (self.tone, self.topic, self.place, self.out_of_hours, self.channel)

    @property
    def is_ready_answer(self) -> bool:
        """It holds the brand's own answer to a question."""
        return self.part == "opening" and "known_answer" in self.purpose

    def applies(self, when: When) -> bool:
        return all(mine in (None, its) for mine, its in zip(self.when, when, strict=True))

    @model_validator(mode="after")
    def _is_whole(self) -> "Row":
        if (self.part == "removal") == bool(self.purpose):
            raise Wrong(("purpose",), "every part has some, but removal, which has none")
        for purpose in self.purpose:
            if self.part not in PARTS[purpose]:
                parts = ", ".join(PARTS[purpose])
                raise Wrong(("purpose",), f"an answer to {purpose} consists of {parts}")
        if self.is_ready_answer and len(self.purpose) > 1:
            raise Wrong(("purpose",), "known_answer has openings of its own, with {answer}")
        for number, text in enumerate(self.say):
            try:
                self._check(text)
            except ValueError as error:
                raise Wrong(("say", number), str(error)) from error
        return self

    def _check(self, text: str) -> None:
        given = {"hours"} if self.out_of_hours else set[str]()
        given |= {"answer"} if self.is_ready_answer else set()
        allowed = {"first_name", "brand", "case", "hours", "expected", *given}
        parts = pieces(text)
        for number, (_, fields) in enumerate(parts):
            if unknown := fields - allowed:
                raise ValueError(f"{_in_braces(tuple(sorted(unknown)))} is no field here")
            if number % 2 == 0 and (missing := fields - given):
                raise ValueError(
                    f"{_in_braces(tuple(sorted(missing)))} may be missing: put it, and what goes"
                    " without it, in square brackets"
                )
        if not "".join(part for part, _ in parts[::2]).strip():
            raise ValueError("nothing is left without what stands in square brackets")
        if self.is_ready_answer and not any("answer" in fields for _, fields in parts[::2]):
            raise ValueError("{answer} is missing")


def plain(words: str) -> str:
    """Without handles, links, case, accents, marks, emoji, what cannot be seen, and words that
    only repeat the one before. "I'd" is one word."""
    words = re.sub(r"https?://\S+|www\.\S+|@\w+", " ", words)
    letters = normalize("NFKD", re.sub("['’`´]", "", words.casefold()))
    bare = "".join(one for one in letters if category(one) not in ("Mn", "Me", "Cf"))
    return " ".join(word for word, _ in groupby(re.sub(r"[\W_]+", " ", bare).split()))


type Kind = Literal["stop", "start", "human"]
type Command = Annotated[str, Field(pattern=r"\w"), AfterValidator(plain)]


class Words(_Data):
    """brand/voice/<language>.yaml. `stop`, `start` and `human`: what a whole message says, in the
    last with any words of `polite`. What is `in_default_language` is answered in that, on
    purpose."""

    greeting: Greeting
    grave_greeting: Greeting | None = None
    expected: Expected
    hours: BackAt
    in_default_language: frozenset[Purpose] = frozenset()
    stop: Annotated[tuple[Command, ...], Field(min_length=1)]
    start: Annotated[tuple[Command, ...], Field(min_length=1)]
    human: Annotated[tuple[Command, ...], Field(min_length=1)]
    polite: tuple[Command, ...] = ()
    sentences: tuple[Row, ...]

    @model_validator(mode="after")
    def _covers_everything(self) -> "Words":
        self._refuse_twins()
        for purpose in PURPOSES:
            if purpose not in self.in_default_language:
                self._require(purpose)
        for place in PLACES:
            self._find("removal", "stopped", (None, "any", place, None, None))
        return self

    @cached_property
    def _grouped(self) -> dict[tuple[Part, Purpose | None], list[Row]]:
        """The rows by part and purpose."""
        groups: dict[tuple[Part, Purpose | None], list[Row]] = {}
        for row in self.sentences:
            for purpose in row.purpose or (None,):
                groups.setdefault((row.part, purpose), []).append(row)
        return groups

    def _refuse_twins(self) -> None:
        seen: dict[tuple[Part, Purpose | None, When], int] = {}
        for number, row in enumerate(self.sentences):
            for purpose in row.purpose or (None,):
                first = seen.setdefault((row.part, purpose, row.when), number)
                if first != number:
                    raise Wrong(
                        ("sentences", number), f"it holds where sentences.{first} does: join them"
                    )

    def _require(self, purpose: Purpose) -> None:
        """Of any topic, at any place. What holds for a topic unheard of holds for all, and so do
        hours and channels: there it can only become more specific."""
        for part, place in product(PARTS[purpose], PLACES):
            self._find(part, purpose, (None, "any", place, None, None))
            if purpose in GRAVE:
                row = self._find(part, purpose, ("grave", "any", place, None, None))
                if not row.tone:
                    raise Wrong(("sentences",), f"no {part} of tone grave for {purpose}")

    def _find(self, part: Part, purpose: Purpose, when: When) -> Row:
        """The most specific row: what it names first in the order of `when` decides."""
        about = None if part == "removal" else purpose
        rows = [row for row in self._grouped.get((part, about), ()) if row.applies(when)]
        if not rows:
            named = f"{part} for {about}" if about else part
            _, topic, place, *_ = when
            raise Wrong(("sentences",), f"no {named}, topic {topic}, place {place}")
        return max(rows, key=lambda row: [one is not None for one in row.when])

    def rows(self, saying: Saying) -> list[Row]:
        """Those of each part of the answer, in turn."""
        when = (
            "grave" if saying.is_grave else None,
            saying.topic,
            saying.place,
            True if saying.back_at else None,
            saying.channel,
        )
        parts = (*PARTS[saying.purpose], *(("removal",) if saying.asks_removal else ()))
        return [self._find(part, saying.purpose, when) for part in parts]

    def hello(self, saying: Saying) -> str:
        greeting = (saying.is_grave and self.grave_greeting) or self.greeting
        called = _presentable(saying)
        return greeting.named.format(called=called) if called else greeting.unnamed

    def values(self, saying: Saying, *, may_link: bool) -> dict[str, str]:
        """Those fields that have one."""
        called, back_at, expected = _presentable(saying), saying.back_at, saying.expected
        found = {
            "first_name": called if called and not called.startswith("@") else None,
            "brand": _unlinked(saying.brand, may_link=may_link),
            "case": _unlinked(saying.reference, may_link=may_link),
            "hours": self.hours.phrase(back_at, saying.now) if back_at else None,
            "expected": self.expected.phrase(expected) if expected is not None else None,
            "answer": saying.answer,
        }
        return {field: value for field, value in found.items() if value}


# What a text that is too long can do without, in this order.
_GIVES_WAY = ("case", "brand", "first_name", "expected")

# --- what is said -------------------------------------------------------------------------------


class Voice(_Data):
    """brand/voice/: `languages` by their two letters; `default_language` is the policy's."""

    default_language: str
    languages: dict[str, Words]

    @model_validator(mode="after")
    def _has_every_fallback(self) -> "Voice":
        default = self.languages.get(self.default_language)
        if default is None:
            raise ValueError(f"there is no brand/voice/{self.default_language}.yaml")
        if default.in_default_language:
            raise ValueError("the default language has nothing to fall back on")
        kinds: tuple[Kind, ...] = ("stop", "start", "human")
        for one, other in combinations(kinds, 2):
            if both := self._commands(one) & self._commands(other):
                said = ", ".join(sorted(both))
                raise ValueError(f"brand/voice/: both {one} and {other}: {said}")
        return self

    def say(self, saying: Saying, shorten: Callable[[str], str], *, may_link: bool = True) -> str:
        """The same words for the same message, at every try. Before a text is cut it does without
        fields that it can do without, and then without the name."""
        words, saying = self._settle(saying)
        values = words.values(saying, may_link=may_link)
        chosen = [_choose(row, saying, may_link=may_link) for row in words.rows(saying)]
        text = _join(words.hello(saying), chosen, values)
        for field in _GIVES_WAY:
            if shorten(text) == text:
                break
            values.pop(field, None)
            text = _join(words.hello(saying), chosen, values)
        if shorten(text) != text:  # a name may be long
            text = _join(words.hello(replace(saying, called=None)), chosen, values)
        return shorten(text)

    def rows(self, saying: Saying) -> list[Row]:
        """Where its words come from, for who checks them."""
        words, saying = self._settle(saying)
        return words.rows(saying)

    def texts(self, saying: Saying, *, may_link: bool = True) -> Iterator[str]:
        """All that `say` may choose from, uncut."""
        words, saying = self._settle(saying)
        values = words.values(saying, may_link=may_link)
        for chosen in product(*(_sayable(row, may_link=may_link) for row in words.rows(saying))):
            yield _join(words.hello(saying), chosen, values)

    def is_stop(self, text: str) -> bool:
        """Whether that is all it says, in any language."""
        return plain(text) in self._commands("stop")

    def is_start(self, text: str) -> bool:
        return plain(text) in self._commands("start")

    def asks_for_human(self, text: str) -> bool:
        """Whether that is all it says, in any language, however politely."""
        asked = self._impolite(plain(text))
        return any(asked in requests for requests in self._requests.values())

    def command_language(self, text: str) -> str | None:
        """The only language in which it is a command; None if it is one in several, or none."""
        said = plain(text)
        asked = self._impolite(said)
        found = [
            code
            for code, words in self.languages.items()
            if said in (*words.stop, *words.start) or asked in self._requests[code]
        ]
        return found[0] if len(found) == 1 else None

    def _settle(self, saying: Saying) -> tuple[Words, Saying]:
        """In which words. What is grave gets no ready answer, and one that is missing cannot be
        given: it is taken on as a question."""
        if saying.purpose == "known_answer" and (saying.is_grave or not saying.answer):
            saying = replace(saying, purpose="question")
        words = self.languages.get(saying.language)
        if words is None or saying.purpose in words.in_default_language:
            words = self.languages[self.default_language]
        return words, saying

    def _commands(self, kind: Kind) -> set[str]:
        return {word for words in self.languages.values() for word in getattr(words, kind)}

    @cached_property
    def _requests(self) -> dict[str, frozenset[str]]:
        """By language, what asks for a human."""
        return {
            code: frozenset(map(self._impolite, words.human)) - {""}
            for code, words in self.languages.items()
        }

    @cached_property
    def _polite(self) -> re.Pattern[str]:
        """Every language's words, the longest first."""
        polite = {word for words in self.languages.values() for word in words.polite}
        ways = "|".join(sorted(map(re.escape, polite), key=len, reverse=True))
        return re.compile(rf"(?<!\S)(?:{ways or '(?!)'})(?!\S)")

    def _impolite(self, said: str) -> str:
        return " ".join(self._polite.sub(" ", said).split())


def _join(hello: str, chosen: Iterable[str], values: Mapping[str, str]) -> str:
    return " ".join((hello, *(fill(one, values) for one in chosen)))


def _sayable(row: Row, *, may_link: bool) -> list[str]:
    return [text for text in row.say if may_link or not has_link(text)]


def _choose(row: Row, saying: Saying, *, may_link: bool) -> str:
    """Each part for itself, so that they combine; and who reads us in public and then in private
    reads no sentence twice."""
    variations = _sayable(row, may_link=may_link)
    key = f"{row.part} {saying.message_id}".encode(errors="surrogatepass")
    turn = int.from_bytes(sha256(key).digest()[:4]) + PLACES.index(saying.place)
    return variations[turn % len(variations)]


def _unlinked(value: str | None, *, may_link: bool) -> str | None:
    return value if value and (may_link or not has_link(value)) else None


def _presentable(saying: Saying) -> str | None:
    """Whoever asks: nothing but a handle or a first name is repeated, and not the brand's own."""
    called = saying.called
    if called and called.startswith("@"):
        return called if _HANDLE.fullmatch(called[1:]) else None
    name = _first_name(called)
    return None if name and plain(name) in plain(saying.brand or "").split() else name


def _first_name(name: str | None) -> str | None:
    word = (name or "").split(maxsplit=1)[:1]
    if not word or len(word[0]) > _LONGEST_FIRST_NAME or not _FIRST_NAME.fullmatch(word[0]):
        return None
    return None if _HUMPS.fullmatch(word[0]) or plain(word[0]) in _NO_NAMES else word[0]
