"""The trained classifier: a small multilingual encoder, eight bits a weight, on one core."""

import json
import math
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime

from training.handover.pieces import Pieces

Probabilities = dict[str, dict[str, float]]


class Encoder:
    """Probabilities of every label of every task. Loads when first asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._about = json.loads((folder / "encoder.json").read_text("utf-8"))

    def __call__(self, text: str) -> Probabilities:
        numbers = np.array([self._pieces(text)], np.int64)
        (scores,) = self._session.run(None, {"pieces": numbers})
        return self._by_task([float(score) for score in np.asarray(scores)[0]])

    def _by_task(self, scores: list[float]) -> Probabilities:
        tasks: dict[str, list[str]] = self._about["tasks"]
        heat: dict[str, float] = self._about["temperatures"]
        ends = [0]
        for labels in tasks.values():
            ends.append(ends[-1] + len(labels))
        return {
            task: dict(zip(labels, softmax(scores[start:end], heat[task]), strict=True))
            for (task, labels), (start, end) in zip(tasks.items(), pairwise(ends), strict=True)
        }

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces(self._folder / "pieces.tsv")

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # Memory that is kept for the longest message so far is memory that is paid for.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(
            str(self._folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )


def softmax(scores: list[float], temperature: float = 1.0) -> list[float]:
    """Scores as probabilities that add up to one; a higher temperature is less sure."""
    most = max(scores)
    raised = [math.exp((score - most) / temperature) for score in scores]
    total = sum(raised)
    return [one / total for one in raised]
