"""The sets that tell how good a model is: strangers' messages, read for nothing else."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training import corpus

OPENINGS = Path(__file__).with_name("evaluation") / "care_openings.tsv"
_LANGUAGES = {
    "english": "en",
    "german": "de",
    "spanish": "es",
    "french": "fr",
    "portuguese": "pt",
    "italian": "it",
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, what is known of it, and the group that it belongs to."""

    text: str
    language: str
    group: str
    complains: bool | None = None
    topic: str | None = None
    sentiment: str | None = None
    intent: str | None = None


def read(folder: Path | None) -> Iterator[tuple[str, list[Labelled]]]:
    readers = {
        "complaints_dev": _complaints,
        "german_rail_dev": _german_rail,
        "sentiment_8_languages_dev": _sentiment,
        "care_openings_unlabelled": _openings,
    }
    for name, reader in readers.items():
        path = folder / f"{name}.csv.gz" if folder else None
        if path and path.exists():
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                yield name.removesuffix("_unlabelled"), list(reader(csv.DictReader(file)))


def plain() -> dict[str, list[Labelled]]:
    """Our own short, plain messages that are trained on by nothing: a set per file's name."""
    found: dict[str, list[Labelled]] = {}
    for one in corpus.read(corpus.HELD_BACK):
        told = Labelled(one.text, one.language, one.language, one.intent == "complaint")
        found.setdefault(one.sector, []).append(told)
    return found


def _complaints(rows: csv.DictReader[str]) -> Iterator[Labelled]:
    for row in rows:
        group = "random" if row["domain"].startswith("random") else "brands"
        yield Labelled(row["text"], "en", group, complains=row["complaint"] == "1")


def _german_rail(rows: csv.DictReader[str]) -> Iterator[Labelled]:
    for row in rows:
        group = "relevant" if row["relevant"] == "true" else "other"
        negative = row["sentiment"] == "negative"
        yield Labelled(row["text"], "de", group, negative, None, row["sentiment"])


def _sentiment(rows: csv.DictReader[str]) -> Iterator[Labelled]:
    for row in rows:
        if row["lang"] in _LANGUAGES:
            name = _LANGUAGES[row["lang"]]
            yield Labelled(row["text"], name, name, sentiment=row["sentiment"])


def _openings(rows: csv.DictReader[str]) -> Iterator[Labelled]:
    """Labelled by hand, before any model ran; our labels know a text by its hash."""
    lines = OPENINGS.read_text("utf-8").splitlines() if OPENINGS.exists() else []
    labels = {name: rest for name, *rest in (line.split("\t") for line in lines if line)}
    for row in rows:
        name = corpus.mark(row["text"])
        if name in labels:
            intent, topic, sentiment, *_ = labels[name]
            complains = intent == "complaint"
            yield Labelled(row["text"], "en", "en", complains, topic, sentiment, intent)
