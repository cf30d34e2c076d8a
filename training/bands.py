"""How sure is sure: thresholds on the probability of a complaint, and temperatures, from texts
that no weight has seen.

Strangers' customers write otherwise than we do, so both aims are stricter than what is promised.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

# Promised: .90 and .03.
PRECISION = 0.95
MISSED = 0.02


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the messages: how many of them, how many of those complain, of all that do."""

    share: float
    complaints: float
    of_complaints: float


def thresholds(probability: Floats, complains: Flags) -> dict[str, float]:
    """`sure`: from here on a complaint. `not`: below, none. Between them a human looks."""
    steps = np.round(np.arange(0.01, 1.0, 0.01), 2)
    # A step is good if all above it are, or a lucky few at the top would decide.
    good = [complains[probability >= step].mean() >= PRECISION for step in steps]
    sure = next((step for i, step in enumerate(steps) if all(good[i:-3])), steps[-1])
    missed = [(probability[complains] < step).mean() <= MISSED for step in steps]
    few = [step for step, is_few in zip(steps, missed, strict=True) if is_few]
    return {"sure": float(sure), "not": float(min(max(few, default=0.0), sure))}


def bands(probability: Floats, complains: Flags, limits: dict[str, float]) -> dict[str, Band]:
    """The three bands as they turn out on these messages."""
    sure, none = probability >= limits["sure"], probability < limits["not"]
    inside = {"sure complaint": sure, "unsure": ~sure & ~none, "surely not": none}
    return {name: _band(those, complains) for name, those in inside.items()}


def _band(those: Flags, complains: Flags) -> Band:
    both = float((those & complains).sum())
    return Band(
        share=float(those.mean()),
        complaints=both / max(float(those.sum()), 1.0),
        of_complaints=both / max(float(complains.sum()), 1.0),
    )


def temperature(scores: Floats, wanted: NDArray[np.int_]) -> float:
    """What makes the probabilities as right as they are sure: least surprise on these labels."""
    tried = np.round(np.arange(0.5, 3.01, 0.05), 2)
    return float(min(tried, key=lambda heat: _surprise(scores / heat, wanted)))


def softmax(scores: Floats) -> Floats:
    """Rows that add up to one."""
    raised = np.exp(scores - scores.max(1, keepdims=True))
    found: Floats = raised / raised.sum(1, keepdims=True)
    return found


def _surprise(scores: Floats, wanted: NDArray[np.int_]) -> float:
    scores = scores - scores.max(1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    return float(-logs[np.arange(len(wanted)), wanted].mean())
