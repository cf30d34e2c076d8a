"""Macro-averaged F1 and how far it may be off by chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Score:
    """Macro-averaged F1 with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{short(self.value)} ({short(self.low)}–{short(self.high)})"


def f1(wanted: NDArray[np.int_], found: NDArray[np.int_], classes: int) -> Score:
    """Resampling messages is drawing the cells of the table of confusion."""
    cells = np.bincount(wanted * classes + found, minlength=classes * classes)
    drawn = np.random.default_rng(7).multinomial(len(wanted), cells / len(wanted), SAMPLES)
    values = [_macro(one.reshape(classes, classes)) for one in drawn]
    low, high = np.percentile(values, [2.5, 97.5])
    return Score(_macro(cells.reshape(classes, classes)), float(low), float(high))


def _macro(table: NDArray[np.int_]) -> float:
    """Over the labels that somebody gave."""
    both = table.sum(0) + table.sum(1)
    return float((2 * table.diagonal() / np.maximum(both, 1))[table.sum(1) > 0].mean())


def short(value: float) -> str:
    """.823"""
    return f"{value:.3f}".removeprefix("0")
