"""Makes the classifier's files from the corpus: python -m training.train

Each encoder first learns from four fifths of the sectors: on the rest of them temperatures and
bands are set and it is measured. Then it learns from everything, in the same way. Seeded.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from functions.classify.trained.ngrams import MODEL
from functions.classify.trained.pieces import CUTTERS
from training import bands, base, corpus, export, finetune, heads, ngram_fit
from training.base import Base
from training.corpus import LANGUAGES, Example
from training.finetune import Settings
from training.scoring import f1, short
from training.tasks import TASKS, columns, labels

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An encoder of the model: for which languages (None: all), how its pieces are cut, after which
    layers its features are taken."""

    name: str
    languages: tuple[str, ...] | None
    pieces: str
    taps: tuple[int, ...]
    settings: Settings

    def knows(self, example: Example) -> bool:
        return self.languages is None or example.language in self.languages


RECIPES = (
    Recipe(
        name="multilingual",
        languages=None,
        pieces="likeliest",
        taps=(6, 8, 10),
        settings=Settings(fixed_layers=4, epochs=1.5),
    ),
    Recipe(
        name="english",
        languages=("en",),
        pieces="longest",
        taps=(2, 4, 6),
        settings=Settings(fixed_layers=1, epochs=2),
    ),
)


def main() -> None:
    """Read, learn, pack, and write what it is worth."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=MODEL)
    folder = arguments.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    examples = corpus.read()
    ngram_fit.fit(examples, folder)
    seen, unseen = _sectors(examples)
    bases = {
        "multilingual": base.multilingual((one.text for one in examples), max(RECIPES[0].taps)),
        "english": base.english(),
    }
    told = []
    for recipe in RECIPES:
        start = bases[recipe.name]
        (folder / f"{recipe.name}.tsv").write_text("\n".join(start.pieces) + "\n", "utf-8")
        _learn(recipe, start, seen, folder)
        told.append(_measure(recipe, unseen, folder))
        _learn(recipe, start, examples, folder)
    about = {"tasks": TASKS, "encoders": [entry for entry, _ in told]}
    (folder / "model.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    together = {task: np.nanmean([one[task] for _, one in told], axis=0) for task in TASKS}
    _card(folder, examples, unseen, together)


def _sectors(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """To learn from and to hold back: whole sectors, in every language, about a fifth."""
    folds = GroupKFold(5).split(examples, groups=[one.sector for one in examples])
    seen, unseen = next(folds)
    return [examples[i] for i in seen], [examples[i] for i in unseen]


def _learn(recipe: Recipe, start: Base, examples: Sequence[Example], folder: Path) -> None:
    """Writes the encoder with its heads: the mean of those that learned with it, and of others that
    were fitted to it afterwards."""
    path = folder / f"{recipe.name}.onnx"
    mine = [one for one in examples if recipe.knows(one)]
    export.export(start, recipe.taps, path)
    told = heads.fit(answers(recipe, mine, folder, "features"), mine)
    cut = _cutter(recipe, folder)
    learned = finetune.fit(start, recipe.taps, cut, mine, told, recipe.settings, _tell)
    export.export(learned[0], recipe.taps, path)
    features = answers(recipe, mine, folder, "features")
    again = heads.fit(features, mine, heads.FREEDOM_AFTERWARDS)
    export.export(learned[0], recipe.taps, path, [learned[1], again])


def _measure(
    recipe: Recipe, examples: Sequence[Example], folder: Path
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Its entry in model.json, and its probabilities: a row per example, NaN where the language is
    not its own."""
    known = np.flatnonzero([recipe.knows(one) for one in examples])
    mine = [examples[i] for i in known]
    scores = answers(recipe, mine, folder, "scores")
    heat, probabilities = {}, {}
    for task in TASKS:
        wanted = labels(mine, task)
        part = scores[:, columns(task)]
        heat[task] = bands.temperature(part[wanted >= 0], wanted[wanted >= 0])
        probabilities[task] = np.full((len(examples), part.shape[1]), np.nan)
        probabilities[task][known] = bands.softmax(part / heat[task])
    entry = {
        "name": recipe.name,
        "languages": recipe.languages,
        "pieces": recipe.pieces,
        "temperatures": heat,
    }
    return entry, probabilities


def answers(recipe: Recipe, examples: Sequence[Example], folder: Path, which: str) -> Floats:
    """By the packed encoder itself, as it will run: a row per example."""
    cut = _cutter(recipe, folder)
    path = str(folder / f"{recipe.name}.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rows = [
        session.run([which], {"pieces": np.array([cut(one.text)], np.int64)})[0] for one in examples
    ]
    return np.concatenate(rows)


def _cutter(recipe: Recipe, folder: Path) -> Callable[[str], list[int]]:
    return CUTTERS[recipe.pieces](folder / f"{recipe.name}.tsv")


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _card(
    folder: Path,
    examples: Sequence[Example],
    unseen: Sequence[Example],
    found: dict[str, Floats],
) -> None:
    """MODEL_CARD.md from the words beside this file, and the figures."""
    complains = np.array([one.intent == "complaint" for one in unseen])
    likely = found["intent"][:, TASKS["intent"].index("complaint")]
    limits = bands.thresholds(likely, complains)
    counts = Counter(one.language for one in examples)
    words = Path(__file__).with_name("model_card.md").read_text("utf-8")
    card = words.format(
        messages=len(examples),
        by_language=", ".join(f"{name} {counts[name]}" for name in LANGUAGES),
        sectors=", ".join(sorted({one.sector for one in unseen})),
        unseen="\n".join(_row(name, unseen, found, likely) for name in (None, *LANGUAGES)),
        sure=limits["sure"],
        none=limits["not"],
        bands="\n".join(_band_rows(bands.bands(likely, complains, limits))),
    )
    (folder / "MODEL_CARD.md").write_text(card, "utf-8")


def _row(
    language: str | None, examples: Sequence[Example], found: dict[str, Floats], likely: Floats
) -> str:
    chosen = np.flatnonzero([language in (None, one.language) for one in examples])
    complains = np.array([examples[i].intent == "complaint" for i in chosen], int)
    cells = [str(f1(complains, (likely[chosen] >= 0.5).astype(int), 2))]
    for task in ("intent", "topic", "sentiment"):
        wanted = labels(examples, task)[chosen]
        score = f1(wanted, found[task][chosen].argmax(1), len(TASKS[task]))
        cells.append(short(score.value))
    return f"| {language or 'all'} | {len(chosen)} | {' | '.join(cells)} |"


def _band_rows(found: dict[str, bands.Band]) -> list[str]:
    return [
        f"| {name} | {band.share:.1%} | {band.complaints:.1%} | {band.of_complaints:.1%} |"
        for name, band in found.items()
    ]


if __name__ == "__main__":
    main()
