"""What is to be told of a message: the labels of each task, in the order of their scores."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from training.corpus import INTENTS, SENTIMENTS, TOPICS, Example

# Who complains is a complainer in every journey, so that label is no task.
TASKS: dict[str, tuple[str, ...]] = {
    "intent": INTENTS,
    "topic": TOPICS,
    "sentiment": SENTIMENTS,
    "journey": ("before_purchase", "customer"),
}


def columns(task: str) -> slice:
    """Where the scores of a task stand."""
    ends = np.cumsum([0, *map(len, TASKS.values())]).tolist()
    return dict(zip(TASKS, (slice(*both) for both in pairwise(ends)), strict=True))[task]


def labels(examples: Sequence[Example], task: str) -> NDArray[np.int_]:
    """The number of each one's label, -1 where the task does not ask."""
    known = {label: number for number, label in enumerate(TASKS[task])}
    return np.array([known.get(getattr(one, task), -1) for one in examples])
