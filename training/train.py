"""Makes everything that ships, from the corpus and the base model: python -m training.train

Nothing of the evaluation sets is opened here. Bands and temperatures come from held-back corpus.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import bands, base, corpus, export, ngram_fit, public_sets
from training.corpus import Example
from training.fit import Fitted, Settings, fit
from training.handover.encoder import Encoder
from training.handover.ngrams import Ngrams
from training.handover.pieces import Pieces
from training.samples import TASKS, of_corpus, of_public_sets

MODEL = Path(__file__).with_name("handover") / "model"
# Public rows beside the corpus: more of them would drown it.
PUBLIC_ROWS = 1500
# From here on a message counts as a complaint where only yes and no are asked for.
DECISION = 0.5


def main() -> None:
    """Read, train, export, measure on what was held back."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--public", type=Path, required=True, help="folder of the CC BY sets")
    arguments.add_argument("--out", type=Path, default=MODEL)
    asked = arguments.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    kept, held = corpus.split(corpus.read())
    samples = of_corpus(kept) + of_public_sets(public_sets.read(asked.public, PUBLIC_ROWS))
    ngram_fit.fit(samples, asked.out)
    with tempfile.TemporaryDirectory() as scratch:
        start = base.pruned(base.read(), [one.text for one in kept], Path(scratch) / "all.tsv")
    start.write_pieces(asked.out / "pieces.tsv")
    settings = Settings()
    fitted = fit(start, Pieces(asked.out / "pieces.tsv"), samples, settings)
    write(fitted, held, asked.out, settings)


def write(fitted: Fitted, held: list[Example], folder: Path, settings: Settings) -> None:
    """The graph, and beside it what the probabilities mean."""
    fixed, trained = fitted.fixed, fitted.trained
    layers = [*export.layers_of(fixed["layers"]), *export.layers_of(trained["layers"])]
    parameters = fixed | trained | {"layers": layers}
    export.export({k: _plain(v) for k, v in parameters.items()}, folder / "encoder.onnx")
    marks = sorted(corpus.mark(one.text) for one in held)
    (folder / "held_back.txt").write_text("\n".join(marks) + "\n", "utf-8")
    about: dict[str, Any] = {"tasks": TASKS, "temperatures": dict.fromkeys(TASKS, 1.0)}
    _save(folder / "encoder.json", about | {"settings": asdict(settings)})
    about["temperatures"] = _temperatures(Encoder(folder), held)
    _save(folder / "encoder.json", about | {"settings": asdict(settings)})
    _save(folder / "bands.json", _bands(folder, held))


def _plain(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list) else np.asarray(value)


def _temperatures(model: Encoder, held: list[Example]) -> dict[str, float]:
    """Per task, from the packed model's own answers."""
    answers = [model(one.text) for one in held]
    found = {}
    for task, labels in TASKS.items():
        told = [i for i, one in enumerate(held) if getattr(one, task) in labels]
        logs = np.log([[answers[i][task][label] for label in labels] for i in told])
        wanted = np.array([labels.index(getattr(held[i], task)) for i in told])
        found[task] = round(bands.temperature(logs, wanted), 2)
    return found


def _bands(folder: Path, held: list[Example]) -> dict[str, Any]:
    complains = np.array([one.intent == "complaint" for one in held])
    models: dict[str, Callable[[str], dict[str, dict[str, float]]]] = {
        "encoder": Encoder(folder),
        "ngrams": Ngrams(folder),
    }
    found: dict[str, Any] = {}
    for name, model in models.items():
        probability = _complaint(model, held)
        limits = bands.thresholds(probability, complains)
        measured = bands.as_json(bands.bands(probability, complains, limits))
        found[name] = {"decision": DECISION} | limits | {"held_back": measured}
    return found


def _complaint(
    model: Callable[[str], dict[str, dict[str, float]]], held: list[Example]
) -> NDArray[np.float64]:
    return np.array([model(one.text)["intent"]["complaint"] for one in held])


def _save(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
