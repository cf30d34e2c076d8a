"""Teaches the heads alone what was added to the corpus, and the n-grams all of it:

    python -m training.refit --before FOLDER --added faults

FOLDER has the model's files of before. Layers, pieces and temperatures stay. What ships is the mean
of heads that were tuned with the layers and of heads that were fitted to them afterwards. Only the
latter learn anew, so the mean moves by half of what the added sectors change in them.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from functions.classify.trained.ngrams import MODEL
from training import corpus, export, heads, ngram_fit
from training.corpus import Example
from training.train import RECIPES, Recipe, answers


def main() -> None:
    """Reads the files of before, writes those of now."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--before", type=Path, required=True)
    arguments.add_argument("--added", nargs="+", required=True, help="sectors")
    arguments.add_argument("--out", type=Path, default=MODEL)
    asked = arguments.parse_args()
    examples = corpus.read()
    shutil.copytree(asked.before, asked.out, dirs_exist_ok=True)
    ngram_fit.fit(examples, asked.out)
    for recipe in RECIPES:
        _learn(recipe, examples, asked.added, asked.out)


def _learn(recipe: Recipe, examples: Sequence[Example], added: Sequence[str], folder: Path) -> None:
    mine = [one for one in examples if recipe.knows(one)]
    features = answers(recipe, mine, folder, "features")
    known = np.flatnonzero([one.sector not in added for one in mine])
    before = heads.fit(features[known], [mine[i] for i in known], heads.FREEDOM_AFTERWARDS)
    after = heads.fit(features, mine, heads.FREEDOM_AFTERWARDS)
    path = folder / f"{recipe.name}.onnx"
    told = zip(export.heads_of(path), before.folded(), after.folded(), strict=True)
    matrix, bias = (shipped + (new - old) / 2 for shipped, old, new in told)
    export.change_heads(path, matrix, bias)


if __name__ == "__main__":
    main()
