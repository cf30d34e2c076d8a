"""Cuts a text into the pieces that the encoder knows: the likeliest cut of each word."""

import unicodedata
from functools import lru_cache
from pathlib import Path

from training.handover.normalise import normalise

START, _PAD, END, UNKNOWN = range(4)
# Stands for the space before a word.
SPACE = "▁"
LONGEST = 16
# What comes first says most, and the end of a long message what is wanted.
LIMIT, TAIL = 96, 32
# No piece is worse than a letter that nobody knows.
_PENALTY = 10.0


class Pieces:
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
        if len(found) > LIMIT - 2:
            found = found[: LIMIT - 2 - TAIL] + found[-TAIL:]
        return [START, *found, END]

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
            return f" {unicodedata.name(letter, '').lower()} "
        plain = unicodedata.normalize("NFD", letter)[0]
        return plain if plain in self._letters else letter


def _back(ways: list[tuple[float, int, int]]) -> tuple[int, ...]:
    cut = []
    end = len(ways) - 1
    while end:
        _, start, number = ways[end]
        cut.append(number)
        end = start
    return tuple(reversed(cut))
