"""Cuts a text into the pieces that an encoder knows: the likeliest cut of each word, or the longest
pieces first. Which of them an encoder learned with is for its maker to say.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from functions.classify.trained.normalise import normalise

START, _PAD, END, UNKNOWN = range(4)
# Stands for the space before a word.
SPACE = "▁"
LONGEST = 16
# What comes first says most, and the end of a long message what is wanted.
LIMIT, TAIL = 96, 32
# No piece is worse than a letter that nobody knows.
_PENALTY = 10.0

# Of the pieces that are cut longest first: how one that goes on with a word begins, and how long a
# word may be.
GOES_ON = "##"
LONGEST_WORD = 100
# Marks of letters, and what cannot be seen.
_DROPPED = frozenset(("Mn", "Cc", "Cf", "Co", "Cs"))
_IDEOGRAPHS = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002a6df\U0002a700-\U0002b81f\U0002b920-\U0002ceaf\U0002f800-\U0002fa1f]"
)


class Likeliest:
    """A vocabulary: a line has a piece, a tab and the logarithm of its likelihood."""

    def __init__(self, path: Path) -> None:
        lines = [line.split("\t") for line in path.read_text("utf-8").split("\n") if line]
        self._known = {
            piece: (number, float(score))
            for number, (piece, score) in enumerate(lines)
            if number > UNKNOWN
        }
        self._letters = frozenset("".join(self._known))
        self._unknown = min(score for _, score in self._known.values()) - _PENALTY
        self.cut = lru_cache(4096)(self._cut_word)

    def __call__(self, text: str) -> list[int]:
        """Numbers of the pieces, between a start and an end."""
        found = [number for word in normalise(text).split() for number in self.cut(word)]
        return _shortened([START, *found, END])

    def _cut_word(self, word: str) -> tuple[int, ...]:
        """The best way to each letter, then back from the last one."""
        word = SPACE + "".join(map(self._known_letter, word)).replace(" ", SPACE)
        ways = [(0.0, 0, UNKNOWN)]
        for end in range(1, len(word) + 1):
            # A letter alone always does, known or not.
            best = (ways[end - 1][0] + self._unknown, end - 1, UNKNOWN)
            for start in range(max(0, end - LONGEST), end):
                known = self._known.get(word[start:end])
                if known and ways[start][0] + known[1] > best[0]:
                    best = (ways[start][0] + known[1], start, known[0])
            ways.append(best)
        return _back(ways)

    def _known_letter(self, letter: str) -> str:
        """An emoji that has no piece is called by its name; a letter loses its marks."""
        if letter in self._letters:
            return letter
        if unicodedata.category(letter) in {"So", "Sk", "Sm"}:
            return _name(letter)
        plain = unicodedata.normalize("NFD", letter)[0]
        return plain if plain in self._letters else letter


class Longest:
    """BERT's: a vocabulary without capitals and marks; a line has a piece. From the start of a word
    the longest piece that is known, and so on."""

    def __init__(self, path: Path) -> None:
        lines = path.read_text("utf-8").removesuffix("\n").split("\n")
        self._known = {line.partition("\t")[0]: number for number, line in enumerate(lines)}
        self._start, self._end, self._unknown = (
            self._known[name] for name in ("[CLS]", "[SEP]", "[UNK]")
        )
        self.cut = lru_cache(4096)(self._cut_word)

    def __call__(self, text: str) -> list[int]:
        """Numbers of the pieces, between a start and an end."""
        told = "".join(map(self._known_letter, normalise(text)))
        found = [number for word in _plain_words(told) for number in self.cut(word)]
        return _shortened([self._start, *found, self._end])

    def _known_letter(self, letter: str) -> str:
        """An emoji that is no piece is called by its name."""
        if unicodedata.category(letter) != "So" or letter in self._known:
            return letter
        return _name(letter)

    def _cut_word(self, word: str) -> tuple[int, ...]:
        """One unknown piece if any part of it is."""
        if len(word) > LONGEST_WORD:
            return (self._unknown,)
        cut, start = [], 0
        while start < len(word):
            goes_on = GOES_ON if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if goes_on + word[start:end] in self._known), None)
            if end is None:
                return (self._unknown,)
            cut.append(self._known[goes_on + word[start:end]])
            start = end
        return tuple(cut)


# By the name that a model's file gives to the way its encoder's pieces are cut.
CUTTERS: Mapping[str, Callable[[Path], Callable[[str], list[int]]]] = {
    "likeliest": Likeliest,
    "longest": Longest,
}


def _shortened(cut: list[int]) -> list[int]:
    """With its start and its end, which carry the end of the text."""
    return cut if len(cut) <= LIMIT else cut[: LIMIT - TAIL - 1] + cut[-TAIL - 1 :]


def _name(letter: str) -> str:
    return f" {unicodedata.name(letter, '').lower()} "


def _back(ways: list[tuple[float, int, int]]) -> tuple[int, ...]:
    cut = []
    end = len(ways) - 1
    while end:
        _, start, number = ways[end]
        cut.append(number)
        end = start
    return tuple(reversed(cut))


def _plain_words(text: str) -> list[str]:
    """Small letters without marks; a sign or an ideograph is a word."""
    return "".join(
        f" {letter} " if _stands_alone(letter) else letter.lower()
        for letter in unicodedata.normalize("NFD", text)
        if unicodedata.category(letter) not in _DROPPED or letter.isspace()
    ).split()


def _stands_alone(letter: str) -> bool:
    if letter.isascii():
        return letter.isprintable() and not letter.isalnum() and letter != " "
    return unicodedata.category(letter)[0] == "P" or bool(_IDEOGRAPHS.match(letter))
