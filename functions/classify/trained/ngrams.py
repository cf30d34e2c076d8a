"""The classifier without dependencies: n-grams of words and letters, hashed, one weight per label.

It answers where the encoders cannot.
"""

import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from functions.classify.trained.normalise import normalise

Probabilities = dict[str, dict[str, float]]

# What is shipped: these weights, and the encoders'.
MODEL = Path(__file__).with_name("model")
BUCKETS = 1 << 17
LONGEST_WORD = 24
# A word is letters, digits or a mark that speaks: an emoji, "?", "!".
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")
_SHOUT = 0.6


def features(text: str) -> dict[int, float]:
    """Buckets with their weights; the squares of the weights add up to one."""
    counts: dict[int, int] = {}
    for name in _names(normalise(text)):
        bucket = zlib.crc32(name.encode()) % BUCKETS
        counts[bucket] = counts.get(bucket, 0) + 1
    weights = {bucket: 1 + math.log(count) for bucket, count in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {bucket: weight / length for bucket, weight in weights.items()}


def _names(text: str) -> Iterator[str]:
    letters = [letter for letter in text if letter.isalpha()]
    if len(letters) > 9 and sum(map(str.isupper, letters)) > _SHOUT * len(letters):
        yield "s shouts"
    words = _WORD.findall(text.casefold())
    yield f"l {min(len(words).bit_length(), 7)}"
    for before, word in zip(["^", *words], [*words, "$"], strict=True):
        yield f"b {before} {word}"
        yield f"w {word}"
        framed = f"<{word[:LONGEST_WORD]}>"
        for size in (3, 4, 5):
            for start in range(len(framed) - size + 1):
                yield f"c {framed[start : start + size]}"


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Weights as signed bytes, a bucket's labels side by side."""

    weights: memoryview
    scales: Sequence[float]
    biases: Sequence[float]

    def scores(self, found: Mapping[int, float]) -> list[float]:
        width = len(self.scales)
        sums = [0.0] * width
        for bucket, value in found.items():
            start = bucket * width
            row = self.weights[start : start + width]
            sums = [total + value * weight for total, weight in zip(sums, row, strict=True)]
        return [
            total * scale + bias
            for total, scale, bias in zip(sums, self.scales, self.biases, strict=True)
        ]


class Ngrams:
    """Probabilities of every label of every task."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._about = json.loads((folder / "ngrams.json").read_text("utf-8"))

    def __call__(self, text: str) -> Probabilities:
        scores = iter(self._table.scores(features(text)))
        return {
            task: softmax({label: next(scores) for label in labels})
            for task, labels in self._about["tasks"].items()
        }

    @cached_property
    def _table(self) -> _Table:
        packed = zlib.decompress((self._folder / "ngrams.bin").read_bytes())
        weights = memoryview(packed).cast("b")
        return _Table(weights, self._about["scales"], self._about["biases"])


def softmax(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores as probabilities that add up to one."""
    most = max(scores.values())
    raised = {label: math.exp(score - most) for label, score in scores.items()}
    total = sum(raised.values())
    return {label: value / total for label, value in raised.items()}
