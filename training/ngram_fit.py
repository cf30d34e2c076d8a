"""Trains the classifier without dependencies: a logistic regression per task, packed into bytes."""

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from functions.classify.trained import ngrams
from training.corpus import Example
from training.heads import rows
from training.tasks import TASKS, labels

# How little the weights are held down; chosen on held-back corpus.
_FREEDOM = 10.0
_STEPS = 150


def fit(examples: Sequence[Example], folder: Path) -> None:
    """Writes ngrams.bin and ngrams.json."""
    table = matrix([one.text for one in examples])
    fitted = []
    for task in TASKS:
        wanted = labels(examples, task)
        told = np.flatnonzero(wanted >= 0)
        model = LogisticRegression(C=_FREEDOM, max_iter=_STEPS, tol=1e-3)
        fitted.append(rows(model.fit(table[told], wanted[told])))
    weights = np.concatenate([weights for weights, _ in fitted])
    scales = np.maximum(np.abs(weights).max(1) / 127, 1e-9)
    packed = np.round(weights / scales[:, None]).astype(np.int8).T
    (folder / "ngrams.bin").write_bytes(zlib.compress(np.ascontiguousarray(packed).tobytes(), 9))
    about = {
        "tasks": TASKS,
        "scales": [round(float(scale), 7) for scale in scales],
        "biases": [round(float(bias), 5) for _, biases in fitted for bias in biases],
    }
    (folder / "ngrams.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def matrix(texts: Sequence[str]) -> csr_matrix:
    """A row per text, a column per bucket."""
    found = [ngrams.features(text) for text in texts]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.fromiter((bucket for one in found for bucket in one), np.int32)
    values = np.fromiter((value for one in found for value in one.values()), np.float32)
    return csr_matrix((values, columns, ends), shape=(len(texts), ngrams.BUCKETS))
