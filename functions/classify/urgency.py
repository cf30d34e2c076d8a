"""Why a human should come at once: urgency.yaml says by which words, in seven languages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from firstreply.understanding import Alarm
from functions.classify.notation import Found, Pattern, Search, Span, Token, pattern, tokens

type Reason = Alarm
type Language = Literal["any", "en", "de", "es", "fr", "pt", "it", "nl"]
# The most serious first.
REASONS: tuple[Reason, ...] = get_args(Alarm.__value__)
RULES = Path(__file__).with_name("urgency.yaml")
# A person reads them: a few say enough.
MOST_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgent:
    """`words` are the customer's, as written; `rule` is ours, and may go where theirs may not."""

    reason: Reason
    words: tuple[str, ...]
    rule: str


def urgent(text: str) -> tuple[Urgent, ...]:
    """Each reason that the text gives, the most serious first; none for most texts."""
    said = tokens(text)
    rules = _rules()
    found = rules.search.found(said)
    return tuple(
        Urgent(
            reason=reason,
            words=tuple(dict.fromkeys(_quote(text, said, spans) for _, spans in hits)),
            rule=hits[0][0].notation,
        )
        for reason in REASONS
        if (hits := rules.hits(reason, found)[:MOST_WORDS])
    )


def _quote(text: str, said: Sequence[Token], spans: Sequence[Span]) -> str:
    """("smell gas", "headache") as "smell gas … headache"."""
    return " … ".join(text[said[a].start : said[b - 1].end] for a, b in sorted(spans))


# --- the rules ------------------------------------------------------------------------------------


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Words(_Strict):
    """One language's rules for one reason."""

    alarm: list[str]
    but_not: list[str] = Field(default_factory=list, alias="not")


class RulesFile(_Strict):
    """urgency.yaml. A mistake in it is named by its place, as in `rules.safety.en.alarm.3`."""

    near: PositiveInt
    lists: dict[Language, dict[str, list[str]]]
    rules: dict[Reason, dict[Language, Words]]

    def patterns(self, reason: Reason, part: Literal["alarm", "but_not"]) -> Iterator[Pattern]:
        """Read with their language's lists and those of any language."""
        for language, words in self.rules[reason].items():
            lists = self.lists.get("any", {}) | self.lists.get(language, {})
            for place, notation in enumerate(getattr(words, part)):
                try:
                    yield pattern(notation, lists, self.near)
                except ValueError as error:
                    name = "not" if part == "but_not" else part
                    where = f"rules.{reason}.{language}.{name}.{place}"
                    raise ValueError(f"{where}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Rules:
    search: Search
    alarm: Mapping[Reason, Sequence[Pattern]]
    but_not: Mapping[Reason, Sequence[Pattern]]

    def hits(self, reason: Reason, found: Found) -> list[tuple[Pattern, tuple[Span, ...]]]:
        """The rules that speak, each with where it does first."""
        silent = frozenset(
            place
            for one in self.but_not[reason]
            for spans in found.matches(one)
            for place in range(min(spans)[0], max(end for _, end in spans))
        )
        first = ((one, next(found.matches(one, silent), None)) for one in self.alarm[reason])
        return [(one, spans) for one, spans in first if spans]


def read_rules(loaded: object) -> _Rules:
    """From what YAML gives; raises ValueError (pydantic's is one) for a mistake."""
    file = RulesFile.model_validate(loaded)
    if missing := set(REASONS) - set(file.rules):
        raise ValueError(f"rules: nothing is said of {', '.join(sorted(missing))}")
    alarm = {reason: list(file.patterns(reason, "alarm")) for reason in REASONS}
    but_not = {reason: list(file.patterns(reason, "but_not")) for reason in REASONS}
    every = [one for of in (alarm, but_not) for patterns in of.values() for one in patterns]
    return _Rules(Search(every), alarm, but_not)


@cache
def _rules() -> _Rules:
    return read_rules(yaml.load(RULES.read_text("utf-8"), yaml.CSafeLoader))
