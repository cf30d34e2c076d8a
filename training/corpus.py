"""Reads the corpus and tells what is wrong with it: columns, labels, duplicates, balance, leakage.

`python -m training.corpus` prints a report and fails when a line is wrong. Leakage is looked for
in the evaluation sets of the folder given by `--against`, if it is there.
"""

import argparse
import csv
import gzip
import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from functions.classify.trained.normalise import normalise

FOLDER = Path(__file__).with_name("corpus")
HELD_BACK = Path(__file__).with_name("evaluation") / "plain"
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl")
INTENTS = ("complaint", "question", "praise", "other")
TOPICS = (
    "fault_outage",
    "account_access",
    "billing",
    "delivery_delay",
    "refund_return",
    "cancel_change",
    "product_enquiry",
    "service_quality",
    "security_fraud",
    "other",
)
SENTIMENTS = ("negative", "neutral", "positive")
JOURNEYS = ("before_purchase", "customer", "complaint")
URGENCIES = (
    "normal",
    "safety",
    "security",
    "legal",
    "self_harm",
    "press",
    "locked_out",
    "repeated_contact",
    "money_gone",
)
CHANNELS = ("facebook", "instagram", "messenger", "x")
COLUMNS = (INTENTS, TOPICS, SENTIMENTS, JOURNEYS, URGENCIES, CHANNELS)
EVALUATION_SETS = (
    "complaints_dev",
    "sentiment_8_languages_dev",
    "german_rail_dev",
    "care_openings_unlabelled",
)
# Two texts that share this part of their words' trigrams are one text, changed a little.
NEAR = 0.8
LEAST = {"en": 2500} | dict.fromkeys(LANGUAGES[1:], 500)


@dataclass(frozen=True, slots=True)
class Example:
    """A message with its labels, and where it stands."""

    text: str
    intent: str
    topic: str
    sentiment: str
    journey: str
    urgency: str
    channel: str
    language: str
    sector: str


def read(folder: Path = FOLDER) -> list[Example]:
    """Every well-formed line, each text once, in whatever language it is first."""
    found: dict[str, Example] = {}
    for path, _, columns in _lines(folder):
        if not _faults(columns):
            text = columns[6].replace("\\n", "\n")
            intent, topic, sentiment, journey, urgency, channel = columns[:6]
            example = Example(
                text,
                intent,
                topic,
                sentiment,
                journey,
                urgency,
                channel,
                language=path.parent.name,
                sector=path.stem,
            )
            found.setdefault(key(text), example)
    return list(found.values())


def key(text: str) -> str:
    """The same for texts that differ only in case, marks, names, links or numbers."""
    return " ".join(re.findall(r"[^\W\d_]+|[^\w\s.,!?'\"-]", normalise(text).casefold())) or text


def mark(text: str) -> str:
    """Stands for a text where the text itself need not."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lines(folder: Path) -> Iterator[tuple[Path, int, list[str]]]:
    for path in sorted(folder.glob("*/*.tsv")):
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
            if line:
                yield path, number, line.rstrip("\r").split("\t")


def _faults(columns: list[str]) -> list[str]:
    if len(columns) != len(COLUMNS) + 1:
        return [f"{len(columns)} columns"]
    faults = [
        f"unknown label {value!r}"
        for value, known in zip(columns, COLUMNS, strict=False)
        if value not in known
    ]
    intent, journey, text = columns[0], columns[3], columns[6]
    if (intent == "complaint") != (journey == "complaint"):
        faults.append(f"a {intent} whose journey is {journey}")
    if not text.strip():
        faults.append("no text")
    return faults


def faults(folder: Path = FOLDER) -> list[str]:
    """What is wrong with single lines, and texts that stand there twice."""
    found = []
    seen: dict[str, str] = {}
    for path, number, columns in _lines(folder):
        place = f"{path.parent.name}/{path.name}:{number}"
        wrong = _faults(columns)
        found += [f"{place}: {fault}" for fault in wrong]
        if not wrong:
            first = seen.setdefault(f"{path.parent.name} {key(columns[6])}", place)
            if first != place:
                found.append(f"{place}: says the same as {first}")
    return found


def near_duplicates(texts: list[str], others: list[str] | None = None) -> list[tuple[int, int]]:
    """Pairs (a text, an earlier text or one of the others) that are nearly the same."""
    shingles = [_shingles(text) for text in texts]
    against = shingles if others is None else [_shingles(text) for text in others]
    index: defaultdict[int, list[int]] = defaultdict(list)
    for number, those in enumerate(against):
        for one in those:
            index[one].append(number)
    pairs = []
    for number, those in enumerate(shingles):
        shared = Counter(other for one in those for other in index.get(one, ()))
        pairs += [
            (number, other)
            for other, count in shared.items()
            if (others is not None or other < number)
            and count >= NEAR * len(those | against[other])
        ]
    return pairs


def _shingles(text: str) -> set[int]:
    words = key(text).split()
    if len(words) < 4:  # greetings and thanks are alike, and everyone's
        return set()
    return {hash(tuple(words[i : i + 3])) for i in range(len(words) - 2)}


def _learned_though_held_back(examples: Iterable[Example]) -> list[str]:
    held_back = {key(one.text) for one in read(HELD_BACK)}
    return [
        f"{one.language}/{one.sector}.tsv: {one.text!r} is held back"
        for one in examples
        if key(one.text) in held_back
    ]


def evaluation_texts(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and texts of each evaluation set that is there."""
    for name in EVALUATION_SETS:
        path = folder / f"{name}.csv.gz"
        if path.exists():
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                yield name, [row["text"] for row in csv.DictReader(file)]


def balance(examples: Iterable[Example]) -> str:
    """Messages per language and intent, and per topic, as lines of text."""
    examples = list(examples)
    lines = [f"{'':4}" + "".join(f"{intent:>11}" for intent in INTENTS) + f"{'all':>8}"]
    for language in LANGUAGES:
        counts = Counter(one.intent for one in examples if one.language == language)
        lines.append(
            f"{language:4}"
            + "".join(f"{counts[intent]:>11}" for intent in INTENTS)
            + f"{counts.total():>8}"
        )
    for name in ("topic", "sentiment", "journey", "urgency", "channel"):
        counts = Counter(str(getattr(one, name)) for one in examples)
        lines.append(f"{name}: " + ", ".join(f"{n} {count}" for n, count in counts.most_common()))
    return "\n".join(lines)


def main() -> int:
    """Print the report; 1 if something is wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--against", type=Path, help="folder of the evaluation sets")
    against = arguments.parse_args().against
    examples = read()
    wrong = faults() + faults(HELD_BACK) + _learned_though_held_back(examples)
    counts = Counter(one.language for one in examples)
    wrong += [f"{name}: {counts[name]} messages" for name in LEAST if counts[name] < LEAST[name]]
    texts = [one.text for one in examples]
    near = near_duplicates(texts)
    told = [f"{len(examples)} messages", balance(examples), f"near duplicates: {len(near)}"]
    told += [f"  {texts[one]!r} / {texts[other]!r}" for one, other in near]
    for name, those in evaluation_texts(against) if against else ():
        known = {key(text) for text in those if len(key(text).split()) > 3}
        same = sum(key(text) in known for text in texts)
        alike = len({one for one, _ in near_duplicates(texts, those)})
        told.append(f"leakage, {name}: {same} the same, {alike} nearly the same")
        wrong += [f"{name}: {same} texts of it are in the corpus"] * bool(same)
    sys.stdout.write("\n".join([*told, *(wrong or ["nothing wrong"])]) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
