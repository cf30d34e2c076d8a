"""What every section uses: repetitions that alternate, medians with their spread, and results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median, quantiles
from time import process_time


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, and between what half of the values lie."""

    median: float
    low: float
    high: float

    def show(self, unit: str = "", digits: int = 2) -> str:
        low, high = f"{self.low:.{digits}f}", f"{self.high:.{digits}f}"
        return f"{self.median:.{digits}f}{unit} ({low}–{high})"


def spread(values: Sequence[float]) -> Spread:
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def ratio(ours: Sequence[float], floor: Sequence[float]) -> Spread:
    """Of neighbours in time: a machine that slows down slows down both."""
    return spread([one / other for one, other in zip(ours, floor, strict=True)])


def alternate(
    rounds: int, what: Mapping[str, Callable[[], float]], warm_up: int = 1
) -> dict[str, list[float]]:
    """Each in turn, every other round backwards; what each returns, round by round."""
    found: dict[str, list[float]] = {name: [] for name in what}
    for number in range(-warm_up, rounds):
        for name in list(what) if number % 2 else reversed(list(what)):
            value = what[name]()
            if number >= 0:
                found[name].append(value)
    return found


def cpu_ms(act: Callable[[], object]) -> float:
    """Of this process: user and system."""
    before = process_time()
    act()
    return (process_time() - before) * 1000


@dataclass(frozen=True, slots=True)
class Goal:
    """`unit` goes after the number. `why` says what stands in the way of one that is not met."""

    what: str
    most: float
    found: float
    unit: str = "×"
    why: str = ""

    @property
    def met(self) -> bool:
        return self.found <= self.most

    @property
    def verdict(self) -> str:
        if self.met:
            return "met"
        return f"not met: {self.why}" if self.why else "not met"


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What one measurement found; `about` says what was done, `notes` what to know of it."""

    name: str
    title: str
    about: str
    tables: tuple[Table, ...]
    goals: tuple[Goal, ...] = ()
    notes: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    quick: bool = False
    taken_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="minutes"))
