"""What is learned: one logistic regression per task on an encoder's features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from training.corpus import Example
from training.export import Heads
from training.tasks import TASKS, labels

Floats = NDArray[np.floating[Any]]

# How little the weights are held down; chosen on sectors that were held back.
FREEDOM = 10.0
# Of heads that are fitted to features which know the same messages already.
FREEDOM_AFTERWARDS = 1.0
_STEPS = 400
# So often a message of these sectors counts in what is wanted and of what: the shipped layers were
# tuned without them. Chosen on parts of them that were held back.
COUNTS = {"faults": 4.0}
_COUNTED = ("intent", "topic")


def fit(features: Floats, examples: Sequence[Example], freedom: float = FREEDOM) -> Heads:
    """Standardised first: a feature that hardly moves says as much as one that moves a lot."""
    mean = features.mean(0)
    scale = 1 / np.maximum(features.std(0), 1e-5) / np.sqrt(features.shape[1])
    standard = (features - mean) * scale
    parts = [_task(standard, examples, task, freedom) for task in TASKS]
    matrix = np.concatenate([weights for weights, _ in parts]).T
    return Heads(mean, scale, matrix, np.concatenate([bias for _, bias in parts]))


def _task(
    standard: Floats, examples: Sequence[Example], task: str, freedom: float
) -> tuple[Floats, NDArray[np.float64]]:
    """Weights and biases, a row per label."""
    wanted = labels(examples, task)
    told = wanted >= 0
    model = LogisticRegression(C=freedom, max_iter=_STEPS)
    counts = COUNTS if task in _COUNTED else {}
    weights = np.array([counts.get(one.sector, 1.0) for one in examples])
    return rows(model.fit(standard[told], wanted[told], weights[told]))


def rows(model: LogisticRegression) -> tuple[Floats, NDArray[np.float64]]:
    """Of two labels a model keeps one row, which stands for both."""
    if len(model.classes_) == 2:
        signs = np.array([-0.5, 0.5])
        return signs[:, None] * model.coef_, signs * model.intercept_
    return model.coef_, model.intercept_
