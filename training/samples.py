"""What the models learn from: texts with labels as numbers, and texts made a little worse."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from training.corpus import INTENTS, SENTIMENTS, TOPICS, Example
from training.public_sets import Row

TASKS: dict[str, tuple[str, ...]] = {
    "intent": INTENTS,
    "topic": TOPICS,
    "sentiment": SENTIMENTS,
    "journey": ("before_purchase", "customer"),
}
COMPLAINT = INTENTS.index("complaint")
UNTOLD, NOT_COMPLAINT = -1, -2

_NAMES = re.compile(r"@\w+|https?://\S+")
_MARKS = re.compile(r"[.,!?;:…]+")


@dataclass(frozen=True, slots=True)
class Sample:
    """A label per task, as its place in TASKS, or UNTOLD; NOT_COMPLAINT only for the intent."""

    text: str
    labels: tuple[int, ...]
    weight: float = 1.0


def of_corpus(examples: Iterable[Example]) -> list[Sample]:
    return [
        Sample(one.text, tuple(_place(task, getattr(one, task)) for task in TASKS))
        for one in examples
    ]


def of_public_sets(rows: Iterable[Row]) -> list[Sample]:
    return [
        Sample(
            row.text,
            (
                NOT_COMPLAINT if row.not_complaint else _place("intent", row.intent),
                _place("topic", row.topic),
                _place("sentiment", row.sentiment),
                UNTOLD,
            ),
            row.weight,
        )
        for row in rows
    ]


def _place(task: str, label: str | None) -> int:
    return TASKS[task].index(label) if label in TASKS[task] else UNTOLD


def worsened(text: str, chance: random.Random) -> str:
    """Half of the texts, each in one way that changes nothing of what it means."""
    if chance.random() < 0.5:
        return text
    ways = (_without_names, str.lower, _without_marks, str.upper, _to_brand, _with_link, _repeated)
    (way,) = chance.choices((*ways, None), (25, 25, 15, 5, 8, 6, 6, 10))
    return way(text) if way else _mistyped(text, chance)


def _without_names(text: str) -> str:
    return _NAMES.sub("", text).strip() or text


def _without_marks(text: str) -> str:
    return _MARKS.sub(" ", text).strip() or text


def _to_brand(text: str) -> str:
    return f"@brand {text}"


def _with_link(text: str) -> str:
    return f"{text} https://t.co/abc"


def _repeated(text: str) -> str:
    return f"RT @someone: {text}"


def _mistyped(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(1 + len(text) // 40):
        place = chance.randrange(len(letters))
        if len(letters) < 9 or not letters[place].isalpha():
            continue
        way = chance.choice(("lost", "lost", "swapped", "doubled"))
        if way == "lost":
            del letters[place]
        elif way == "doubled":
            letters.insert(place, letters[place])
        elif place:
            letters[place - 1 : place + 1] = letters[place], letters[place - 1]
    return "".join(letters)
