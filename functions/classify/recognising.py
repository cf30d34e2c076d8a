"""Which of the brand's frequent questions a message asks, if it surely asks one.

The words decide in every language: those that tell in one wording of the answer have to be there,
and none but those of this and at most one more. Where an encoder can tell what a text means, the
meaning has to be close as well. docs/answers.md has the figures.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from firstreply.answers import Answers
from firstreply.policy import ReadyAnswer, Recognised
from functions.classify.offline import Falls, encoders
from functions.classify.trained.language import NAMES
from functions.classify.trained.ngrams import MODEL
from functions.classify.trained.normalise import normalise
from functions.classify.trained.once import Once

# From these on it is surely that question: the closeness (cosine) of the words to one wording, and
# that of the meaning, where it can be told. For a precision of .97 among strangers' questions:
# docs/answers.md has the figures, and how the two were chosen.
SURE_WORDS, SURE_MEANING = 0.5, 0.8
# What a human is shown has to have something to do with it.
LEAST, MOST_CANDIDATES = 0.2, 3
# Nobody asks one plain question in more letters; what is longer says something besides.
LONGEST = 200

_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[.?!;\n¿¡…]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
# Stands for any word of one's own case.
_OWN = "_"
# Stands between and after words that are read as one.
_JOINT = "_"
# Words are forms of one another if they begin alike, with so many letters and for that part.
_STEM, _PART = 4, 0.6
_GRAMS = (3, 4)

type Meaning = Callable[[str, str], Sequence[float] | None]
type Vector = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Match:
    """`known` is the name of the answer that surely fits; `candidates` those that may, best first,
    at most three."""

    known: str | None = None
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """How close a message is to the wordings of one answer: `words` and `meaning` (None: cannot be
    told) to the closest one, at most 1. `is_covered`: whether it is one of them in other words."""

    name: str
    words: float
    meaning: float | None
    is_covered: bool

    @property
    def is_sure(self) -> bool:
        return (
            self.is_covered
            and self.words >= SURE_WORDS
            and (self.meaning is None or self.meaning >= SURE_MEANING)
        )

    @property
    def closeness(self) -> float:
        return self.words if self.meaning is None else (self.words + self.meaning) / 2


@dataclass(slots=True)
class Recogniser:
    """Knows the brand's questions, language by language from the first one asked in it on.
    `meaning`: a text's in a language, as a vector of length one; what it raises is noted in
    `falls`, and the words decide alone."""

    answers: Answers
    meaning: Meaning
    falls: Falls = field(default_factory=Falls)
    _known: dict[str, tuple[Known, ...]] = field(default_factory=dict)

    def match(self, text: str, language: str) -> Match:
        """Total and deterministic. A question that holds anything besides matches nothing for
        sure, and neither does one that two answers fit."""
        scores = self.scores(text, language)
        sure = [one.name for one in scores if one.is_sure]
        return Match(
            known=sure[0] if len(sure) == 1 and _is_one_question(text, language) else None,
            candidates=tuple(
                one.name for one in scores[:MOST_CANDIDATES] if one.closeness >= LEAST
            ),
        )

    def recognise(self, text: str, language: str) -> Recognised:
        """The same with what is said in that language."""
        found = self.match(text, language)
        ready = {
            name: ReadyAnswer(name=name, text=said)
            for name in (found.known, *found.candidates)
            if name and (said := self.answers.say(name, language))
        }
        return Recognised(
            answer=ready.get(found.known or ""),
            candidates=tuple(ready[name] for name in found.candidates if name in ready),
        )

    def scores(self, text: str, language: str) -> list[Score]:
        """Of every answer that speaks the language, the closest first."""
        asked = _read(text, language)
        if not asked.words or language not in _words():
            return []
        known = self._questions(language)
        ranked = sorted(((one.closeness(asked), one) for one in known), key=lambda pair: -pair[0])
        # A wording's meaning takes milliseconds: only that of what may fit is asked for.
        near = ranked[:MOST_CANDIDATES]
        far = [pair for pair in ranked[MOST_CANDIDATES:] if pair[1].covers(asked)]
        mine = self._meaning(text, language) if near or far else None
        scores = [
            Score(one.name, words, self._closest(mine, one, language), one.covers(asked))
            for words, one in near + far
        ]
        return sorted(scores, key=lambda one: -one.closeness)

    def _questions(self, language: str) -> tuple[Known, ...]:
        if language not in self._known:
            self._known[language] = _known(self.answers.wordings(language), language)
        return self._known[language]

    def _closest(self, mine: Sequence[float] | None, known: Known, language: str) -> float | None:
        if mine is None:
            return None
        theirs = known.meanings(lambda text: self._meaning(text, language))
        return max((_dot(mine, one) for one in theirs), default=None)

    def _meaning(self, text: str, language: str) -> Sequence[float] | None:
        try:
            return self.meaning(text, language)
        except Exception as error:  # any: the words can do without
            self.falls.note("Meaning", error)
            return None


def recogniser(answers: Answers, folder: Path = MODEL) -> Recogniser:
    """With the encoders in `folder`. Loads nothing yet."""
    made = Once(lambda: encoders(folder))
    return Recogniser(answers, lambda text, language: made().meaning(text, language))


# --- one question of the brand's -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wording:
    """One as it is read. `telling`: of its words those without which it asks something else."""

    words: frozenset[str]
    own: frozenset[str]
    telling: frozenset[str]

    def is_told(self, words: frozenset[str]) -> bool:
        return all(_knows(words, one) for one in self.telling)

    def covers(self, other: Wording, asked: Read) -> bool:
        """Together with another that has a word of it as well."""
        has, own = self.words | other.words, self.own | other.own
        return (
            any(_knows(self.words, one) and _knows(other.words, one) for one in asked.words)
            and all(_knows(has, one) for one in asked.words)
            and all(_knows(own, one) for one in asked.own)
        )


@dataclass(slots=True)
class Known:
    """An answer's wordings in one language, as they are compared."""

    name: str
    wordings: tuple[str, ...]
    read: tuple[Wording, ...]
    vector: Callable[[Read], Vector]
    _vectors: list[Vector] = field(default_factory=list)
    _meanings: list[Sequence[float]] = field(default_factory=list)

    def covers(self, asked: Read) -> bool:
        """Whether it has what tells in a wording, and nothing but words of this one, or of this
        and another, or forms of them."""
        words = frozenset(asked.words)
        told = [one for one in self.read if one.is_told(words)]
        return any(one.covers(other, asked) for one in told for other in self.read)

    def closeness(self, asked: Read) -> float:
        mine = self.vector(asked)
        return max(_cosine(mine, one) for one in self._vectors)

    def meanings(self, meaning: Callable[[str], Sequence[float] | None]) -> list[Sequence[float]]:
        """Of the wordings; each told once."""
        if not self._meanings:
            found = [meaning(one) for one in self.wordings]
            self._meanings = [one for one in found if one is not None]
        return self._meanings


def _known(wordings: Mapping[str, Sequence[str]], language: str) -> tuple[Known, ...]:
    """What many wordings have tells little of any; what no other answer has tells most."""
    read = {name: [_read(one, language) for one in those] for name, those in wordings.items()}
    every = [one for those in read.values() for one in those]
    counts = Counter(gram for one in every for gram in one.grams | one.small)
    has = [frozenset(word for one in those for word in one.words) for those in read.values()]
    alone = {
        word for word in frozenset().union(*has) if sum(_knows(words, word) for words in has) == 1
    }

    def vector(read: Read) -> Vector:
        """Of length one. A small word that no wording has is no difference."""
        grams = sorted(read.grams | (read.small & counts.keys()))
        weights = {gram: math.log((len(every) + 1) / (counts[gram] + 0.5)) for gram in grams}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {gram: weight / length for gram, weight in weights.items()}

    def wording(read: Read) -> Wording:
        words = frozenset(read.words)
        return Wording(words, frozenset(read.own), telling=words & alone or words)

    return tuple(
        Known(
            name=name,
            wordings=tuple(wordings[name]),
            read=tuple(map(wording, those)),
            vector=vector,
            _vectors=[vector(one) for one in those],
        )
        for name, those in read.items()
    )


# --- reading ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """A text's words that matter, and the words before those of one's own case. `grams`: three and
    four letters of the former; `small`: of fillers."""

    words: tuple[str, ...]
    own: tuple[str, ...]
    grams: frozenset[str]
    small: frozenset[str]


@dataclass(frozen=True, slots=True)
class Words:
    """A language of recognising.yaml. `together`: what is read as one word, and as which."""

    manners: re.Pattern[str]
    own: re.Pattern[str]
    together: tuple[tuple[re.Pattern[str], str], ...]
    fillers: frozenset[str]


def _read(text: str, language: str) -> Read:
    known = _words().get(language, _NONE)
    # In public the brand's own name stands before the question.
    told = f" {_plain(NAMES.sub(' ', normalise(text)))} "
    told = known.manners.sub(" ", told)
    for phrases, word in known.together:
        told = phrases.sub(word, told)
    words = known.own.sub(f" {_OWN} ", told).split()
    before = zip(["^", *words], words, strict=False)
    telling = tuple(one for one in words if one != _OWN and one not in known.fillers)
    return Read(
        words=telling,
        own=tuple(one for one, own in before if own == _OWN),
        grams=frozenset(gram for one in telling for gram in _grams(one)),
        small=frozenset(gram for one in words if one in known.fillers for gram in _grams(one)),
    )


def _is_one_question(text: str, language: str) -> bool:
    """With nothing besides but manners."""
    told = [one for one in _SENTENCE.split(text) if _read(one, language).words]
    return len(text) <= LONGEST and len(told) == 1


def _plain(text: str) -> str:
    """Small letters without marks, one space between words."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_UMLAUTS))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(bare.replace("_", " ")))


def _grams(word: str) -> Iterator[str]:
    framed = f"<{word}>"
    for size in _GRAMS:
        for start in range(len(framed) - size + 1):
            yield framed[start : start + size]


def _knows(words: frozenset[str], word: str) -> bool:
    return word in words or any(_is_form(word, one) for one in words)


@lru_cache(1 << 14)
def _is_form(one: str, other: str) -> bool:
    """Of the same word, as far as its beginning tells: no language needs endings of its own."""
    if _JOINT in one or _JOINT in other:
        return False
    alike = 0
    for mine, its in zip(one, other, strict=False):
        if mine != its:
            break
        alike += 1
    return alike >= max(_STEM, _PART * max(len(one), len(other))) and not one[:alike].isdigit()


def _cosine(one: Vector, other: Vector) -> float:
    few, many = sorted((one, other), key=len)
    return sum(weight * many.get(gram, 0.0) for gram, weight in few.items())


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(mine * its for mine, its in zip(one, other, strict=True))


_NONE = Words(re.compile("(?!)"), re.compile("(?!)"), (), frozenset())


@cache
def _words() -> dict[str, Words]:
    path = Path(__file__).with_suffix(".yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load(path.read_text("utf-8"), loader)  # noqa: S506  # both are safe
    return {
        language: Words(
            manners=_any_of(lists["manners"]),
            own=_any_of(lists["own"]),
            together=tuple((_any_of(those), _joined(those[0])) for those in lists["together"]),
            fillers=frozenset(_plain(lists["fillers"]).split()),
        )
        for language, lists in read.items()
    }


def _joined(phrase: str) -> str:
    """One word, and no form of any other."""
    return _JOINT.join([*_plain(phrase).split(), ""])


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    """The longest that stands there, as whole words."""
    ways = sorted(map(_plain, phrases), key=len, reverse=True)
    return re.compile(rf"(?<=\s)(?:{'|'.join(map(re.escape, ways))})(?=\s)")
