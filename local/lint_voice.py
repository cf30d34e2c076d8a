"""make voice: what is wrong with the words of brand/, beyond what loading them refuses.

Each finding is one line, `file:line: place: what is wrong`; the last line of a clean run says what
was checked.
"""

import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any
from unicodedata import category

import yaml

from firstreply import brand
from firstreply.channels import channel, names
from firstreply.datafile import located, tree_of
from firstreply.errors import Misconfigured
from firstreply.voice import PLACES, PURPOSES, TOPICS, Row, Saying, Voice, Words, has_link, pieces
from functions.classify.trained.language import OURS

# A public text is said to many; X refuses one that was just said.
FEWEST = 3

# The longest of each field: X's handles, a long first name and a long brand, a case's reference.
# A ready answer of this length is said whole (docs/voice.md says so); the request to take a message
# down is at its expense.
LONGEST_ANSWER, LONGEST_REMOVAL = 140, 60
_LONGEST = {"called": "@" + "m" * 15, "brand": "M" * 30, "reference": "case-" + "0" * 20}
_LONGEST_FIRST_NAME = "M" * 20
_BACK = [datetime(2026, 9, day, 12, 30, tzinfo=UTC) for day in (*range(1, 8), 30)]
_EXPECTED = [timedelta(minutes=55), timedelta(hours=1), timedelta(hours=23), timedelta(days=30)]


@dataclass(frozen=True, slots=True)
class Language:
    """One file, with all that a check needs of it."""

    code: str
    words: Words
    tree: yaml.Node | None
    links_on: frozenset[str]

    @property
    def name(self) -> str:
        return f"brand/voice/{self.code}.yaml"


type Path_ = tuple[int | str, ...]
type Findings = Iterator[tuple[Path_, str]]
type Check = Callable[[Language], Findings]


def main() -> int:
    try:
        found = list(findings())
    except Misconfigured as error:
        found = [str(error)]
    for line in found:
        print(line)
    if not found:
        print(f"brand/voice: {', '.join(sorted(brand.voice().languages))} say nothing wrong")
        print(f"brand/answers.yaml: nothing wrong with {len(brand.answers().answers)}")
    return 1 if found else 0


def findings() -> Iterator[str]:
    """All that is wrong, in the order of the files. Misconfigured if they do not even load."""
    yield from strange_files()
    voice, links_on = brand.voice(), brand.policy(cool_down_minutes=0, auto_reply=True).links_on
    for code, words in sorted(voice.languages.items()):
        tree = tree_of(brand.text(f"voice/{code}.yaml"))
        language = Language(code, words, tree, links_on)
        for check in CHECKS:
            for path, reason in check(language):
                yield located(language.name, language.tree, path, reason)
        yield from too_long(voice, language)
    yield from wrong_answers(voice)


# --- files --------------------------------------------------------------------------------------


def strange_files() -> Iterator[str]:
    """What nobody would ever hear."""
    for name in sorted(one.name for one in files("brand").joinpath("voice").iterdir()):
        code, _, _ = name.partition(".")
        if not re.fullmatch(r"[a-z]{2}\.yaml", name):
            yield f"brand/voice/{name}: is not read; name it by two letters, as in en.yaml"
        elif code not in OURS:
            known = ", ".join(sorted(OURS))
            yield f"brand/voice/{name}: the classifier knows no {code}, only {known}"


# --- each variation for itself ------------------------------------------------------------------


def promises_a_time(language: Language) -> Findings:
    for path, _, text in _said(language):
        bare = _bare(text)
        if found := (re.search(r"\d+", bare) or _given_away("time", language.code, bare)):
            yield path, f"{found[0]!r} promises a time; say it by {{expected}} or {{hours}}"


def poses_as_a_human(language: Language) -> Findings:
    for path, _, text in _said(language):
        if found := _given_away("posing", language.code, _bare(text)):
            yield path, f"{found[0]!r}: nobody is to take it for a human's"


def apologises_for_praise(language: Language) -> Findings:
    for path, row, text in _said(language):
        if "praise" in row.purpose and (found := _given_away("apology", language.code, text)):
            yield path, f"{found[0]!r}: an apology in an answer to praise"


def holds_a_link(language: Language) -> Findings:
    for path, row, text in _said(language):
        off = ({row.channel} if row.channel else names()) - language.links_on
        if off and has_link(text):
            yield path, f"a link, and policy.yaml allows none on {', '.join(sorted(off))}"


def cheers_what_is_grave(language: Language) -> Findings:
    for path, row, text in _said(language):
        if row.tone == "grave" and (cheer := [c for c in text if _is_cheerful(c)]):
            yield path, f"{cheer[0]!r} in an answer to something grave"


# --- the variations of a row --------------------------------------------------------------------


def repeats_itself(language: Language) -> Findings:
    for number, row in enumerate(language.words.sentences):
        seen: dict[str, int] = {}
        for variation, text in enumerate(row.say):
            first = seen.setdefault(_letters(text), variation)
            if first != variation:
                yield (
                    ("sentences", number, "say", variation),
                    f"differs from say.{first} in case or marks only",
                )


def has_few_words(language: Language) -> Findings:
    for number, row in enumerate(language.words.sentences):
        if row.place != "private" and row.part != "removal" and len(row.say) < FEWEST:
            yield (
                ("sentences", number, "say"),
                f"{len(row.say)} variations of what is said in public; it takes {FEWEST}",
            )


def knows_no_words(language: Language) -> Findings:
    for kind, words in _words().items():
        if language.code not in words:
            yield (), f"local/lint_voice.yaml has no list {kind!r} for this language"


CHECKS: tuple[Check, ...] = (
    knows_no_words,
    promises_a_time,
    poses_as_a_human,
    apologises_for_praise,
    holds_a_link,
    cheers_what_is_grave,
    repeats_itself,
    has_few_words,
)


# --- whole answers ------------------------------------------------------------------------------


def too_long(voice: Voice, language: Language) -> Iterator[str]:
    """With its longest fields every text is to pass the channel as it is. One finding for each row
    that says what happens next, with the longest text that it ends in."""
    worst: dict[tuple[str, int], str] = {}
    seen = set[object]()
    for saying in _sayings(language):
        rows = [id(row) for row in voice.rows(saying)]
        key = (saying.channel, saying.called, saying.answer, *rows)
        said_on = channel(saying.channel)
        if said_on is None or key in seen:
            continue
        seen.add(key)
        long = [text for text in voice.texts(saying) if said_on.shorten(text) != text]
        last = (saying.channel, rows[1])
        worst[last] = max((worst.get(last, ""), *long), key=len)
    for number, row in enumerate(language.words.sentences):
        for name in sorted(names()):
            if text := worst.get((name, id(row))):
                yield located(
                    language.name,
                    language.tree,
                    ("sentences", number),
                    f"too long for {name} with the longest fields: {text!r}",
                )


def _sayings(language: Language) -> Iterator[Saying]:
    """Everything that an answer may be about, each with the longest fields."""
    back_at = max(_BACK, key=lambda at: len(language.words.hours.phrase(at, _BACK[0])))
    expected = max(_EXPECTED, key=lambda one: len(language.words.expected.phrase(one)))
    spoken = [one for one in PURPOSES if one not in language.words.in_default_language]
    abouts = product(sorted(names()), spoken, TOPICS, PLACES)
    flags = list(product((False, True), repeat=3))
    for (name, purpose, topic, place), (is_grave, is_closed, asks_removal) in product(
        abouts, flags
    ):
        yield Saying(
            message_id="",
            purpose=purpose,
            topic=topic,
            place=place,
            is_grave=is_grave,
            channel=name,
            language=language.code,
            called=_LONGEST_FIRST_NAME if place == "private" else _LONGEST["called"],
            brand=_LONGEST["brand"],
            # In private there is room for either: the reference gives way.
            reference=None if asks_removal else _LONGEST["reference"],
            expected=expected,
            back_at=back_at if is_closed else None,
            now=_BACK[0],
            asks_removal=asks_removal,
            answer="m" * (LONGEST_ANSWER - (LONGEST_REMOVAL if asks_removal else 0)),
        )


# --- ready answers ------------------------------------------------------------------------------


def wrong_answers(voice: Voice) -> Iterator[str]:
    """What is wrong with brand/answers.yaml."""
    answers = brand.answers().answers
    tree = tree_of(brand.text("answers.yaml")) if answers else None
    for name, answer in answers.items():
        for code, text in answer.say.items():
            for reason in _wrong_with(text, code, voice):
                yield located("brand/answers.yaml", tree, ("answers", name, "say", code), reason)


def _wrong_with(text: str, code: str, voice: Voice) -> Iterator[str]:
    if code not in voice.languages:
        yield f"brand/voice/ has no {code}: the words around it would be of another language"
    if long := sorted(name for name in names() if _is_cut(text, name)):
        yield (
            f"{len(text)} characters, and more than {LONGEST_ANSWER} as {', '.join(long)} counts"
            " them; it may be cut where posts are short"
        )
    if found := _given_away("posing", code, text):
        yield f"{found[0]!r}: nobody is to take it for a human's"


def _is_cut(text: str, name: str) -> bool:
    """In what is the longest for the channel with the least room if LONGEST_ANSWER plain letters
    are in it: channels count others in their own ways."""
    rest = min(map(_room, names())) - LONGEST_ANSWER
    return _is_shortened("m" * (rest - 1) + " " + text, name)


@cache
def _room(name: str) -> int:
    """How many plain letters a channel takes."""
    return bisect_left(range(100_000), True, key=lambda n: _is_shortened("m" * n, name)) - 1


def _is_shortened(text: str, name: str) -> bool:
    said_on = channel(name)
    return said_on is not None and said_on.shorten(text) != text


# --- words --------------------------------------------------------------------------------------


def _said(language: Language) -> Iterator[tuple[Path_, Row, str]]:
    for number, row in enumerate(language.words.sentences):
        for variation, text in enumerate(row.say):
            yield ("sentences", number, "say", variation), row, text


def _bare(text: str) -> str:
    """Without its fields."""
    return re.sub(r"\{\w+\}", " ", "".join(part for part, _ in pieces(text)))


def _given_away(kind: str, language: str, text: str) -> re.Match[str] | None:
    return _pattern(kind, language).search(text.casefold().replace("’", "'"))


@cache
def _pattern(kind: str, language: str) -> re.Pattern[str]:
    words = sorted(_words()[kind].get(language, []), key=len, reverse=True)
    ways = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in words)
    return re.compile(rf"(?<!\w)(?:{ways or '(?!)'})(?!\w)")


@cache
def _words() -> Mapping[str, Mapping[str, list[str]]]:
    found: Any = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    checked: Mapping[str, Mapping[str, list[str]]] = found
    return checked


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _is_cheerful(letter: str) -> bool:
    """Marks and emoji."""
    return letter in "!¡" or category(letter) in {"So", "Sk"}


if __name__ == "__main__":
    sys.exit(main())
