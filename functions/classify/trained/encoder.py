"""The trained encoders: small, eight bits a weight, on one core; several may answer together."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from functions.classify.trained.once import Once
from functions.classify.trained.pieces import CUTTERS

Probabilities = dict[str, dict[str, float]]

# Of the features the last ones know what a text is about (training/export.py).
_WIDTH = 384


class Encoder:
    """Probabilities of every label of every task. Loads when first asked, and raises what the
    file system or the run time does about its files.

    `about`: its entry in model.json, {"name": .., "languages": null or [..], "pieces": how to cut,
    "temperatures": {task: ..}}; `tasks`: the labels of each task, in the order of its scores.
    """

    def __init__(
        self, folder: Path, tasks: Mapping[str, Sequence[str]], about: Mapping[str, Any]
    ) -> None:
        self._folder, self._tasks, self._about = folder, tasks, about
        self._loaded = Once(self._load)

    def knows(self, language: str | None) -> bool:
        """Whether it learned to read that language."""
        languages: Sequence[str] | None = self._about["languages"]
        return languages is None or language in languages

    def __call__(self, text: str) -> Probabilities:
        cut, session = self._loaded()
        (scores,) = session.run(["scores"], {"pieces": np.array([cut(text)], np.int64)})
        return self._by_task([float(score) for score in np.asarray(scores)[0]])

    def knows_only(self, language: str) -> bool:
        """Whether it learned to read that language and no other."""
        languages: Sequence[str] | None = self._about["languages"]
        return languages == [language]

    def meaning(self, text: str) -> list[float]:
        """What the text is about, as a vector of length one."""
        cut, session = self._loaded()
        (features,) = session.run(["features"], {"pieces": np.array([cut(text)], np.int64)})
        found: list[float] = np.asarray(features)[0, -_WIDTH:].tolist()
        return found

    def _by_task(self, scores: list[float]) -> Probabilities:
        heat: dict[str, float] = self._about["temperatures"]
        ends = [0]
        for labels in self._tasks.values():
            ends.append(ends[-1] + len(labels))
        return {
            task: dict(zip(labels, softmax(scores[start:end], heat[task]), strict=True))
            for (task, labels), (start, end) in zip(
                self._tasks.items(), pairwise(ends), strict=True
            )
        }

    def _load(self) -> tuple[Callable[[str], list[int]], onnxruntime.InferenceSession]:
        name = self._about["name"]
        cut = CUTTERS[self._about["pieces"]](self._folder / f"{name}.tsv")
        return cut, _session(self._folder / f"{name}.onnx")


class Encoders:
    """The encoders of a model.json; `tasks` has the labels of each task."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "model.json").read_text("utf-8"))
        self.tasks: dict[str, list[str]] = about["tasks"]
        self._encoders = [Encoder(folder, self.tasks, one) for one in about["encoders"]]

    def __call__(self, text: str, language: str | None = None) -> Probabilities:
        """The mean of those that know the language."""
        return mean([encoder(text) for encoder in self._encoders if encoder.knows(language)])

    def meaning(self, text: str, language: str) -> list[float] | None:
        """By the encoder of that language alone, None if there is none: one of many languages
        tells questions apart no better than their words do (docs/answers.md)."""
        return next((e.meaning(text) for e in self._encoders if e.knows_only(language)), None)


def mean(answers: Sequence[Probabilities]) -> Probabilities:
    """Label by label; ValueError if nobody answered."""
    if not answers:
        raise ValueError("no encoder for this language")
    return {
        task: {
            label: sum(answer[task][label] for answer in answers) / len(answers) for label in labels
        }
        for task, labels in answers[0].items()
    }


def softmax(scores: list[float], temperature: float = 1.0) -> list[float]:
    """Scores as probabilities that add up to one; a higher temperature is less sure."""
    most = max(scores)
    raised = [math.exp((score - most) / temperature) for score in scores]
    total = sum(raised)
    return [one / total for one in raised]


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Memory that is kept for the longest message so far is memory that is paid for.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
