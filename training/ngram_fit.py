"""Trains the classifier without dependencies: a logistic regression per task, packed into bytes."""

import json
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from training.handover import ngrams
from training.samples import TASKS, Sample

# How little the weights are held down; chosen on held-back corpus.
_FREEDOM = 10.0
_STEPS = 150


def fit(samples: list[Sample], folder: Path) -> None:
    """Writes ngrams.bin and ngrams.json."""
    table = matrix([one.text for one in samples])
    fitted = [_task(table, samples, number) for number in range(len(TASKS))]
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


def matrix(texts: list[str]) -> csr_matrix:
    """A row per text, a column per bucket."""
    found = [ngrams.features(text) for text in texts]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.fromiter((bucket for one in found for bucket in one), np.int32)
    values = np.fromiter((value for one in found for value in one.values()), np.float32)
    return csr_matrix((values, columns, ends), shape=(len(texts), ngrams.BUCKETS))


def _task(
    table: csr_matrix, samples: list[Sample], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and biases, a row per label."""
    told = np.array([i for i, one in enumerate(samples) if one.labels[number] >= 0])
    wanted = [samples[i].labels[number] for i in told]
    model = LogisticRegression(C=_FREEDOM, max_iter=_STEPS, tol=1e-3)
    model.fit(table[told], wanted, sample_weight=[samples[i].weight for i in told])
    if len(model.classes_) == 2:  # one row stands for both
        return np.concatenate([-model.coef_, model.coef_]) / 2, np.array([-1, 1]) * (
            model.intercept_ / 2
        )
    return model.coef_, model.intercept_
