"""Every model side by side on every set: python -m training.evaluate --sets FOLDER --out FILE

Strangers' messages, read here and nowhere else: nothing was trained or tuned on them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firstreply.brand import policy
from firstreply.message import Conversation, Message
from functions.classify.lexicon import Lexicon
from functions.classify.trained.encoder import Encoder, Encoders
from functions.classify.trained.ngrams import MODEL, Ngrams
from training import bands, corpus
from training.evaluate_cost import MODELS
from training.evaluation_sets import Labelled, plain, read
from training.scoring import f1, short
from training.tasks import TASKS

Probabilities = dict[str, dict[str, float]]
Model = Callable[[str, str], Probabilities]

_NOBODY = Conversation(channel="meta", account="1", customer="2")


def main() -> None:
    """Writes the tables as Markdown, and prints them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sets", type=Path, help="folder of the evaluation sets")
    arguments.add_argument("--model", type=Path, default=MODEL)
    arguments.add_argument("--out", type=Path)
    asked = arguments.parse_args()
    sets = dict(read(asked.sets))
    if not sets:
        sys.exit(f"no evaluation set in {asked.sets}: SETS=FOLDER names where they are")
    sets |= plain()
    answers = {
        name: {of: [model(one.text, one.language) for one in rows] for of, rows in sets.items()}
        for name, model in _models(asked.model).items()
    }
    bands_ = policy(cool_down_minutes=0, auto_reply=True).complaint_bands
    limits = {"sure": bands_.sure, "not": bands_.none}
    text = "\n\n".join(
        [
            Path(__file__).with_name("understanding.md").read_text("utf-8").rstrip(),
            _section("Complaint or not (macro-F1, 95 % interval)", _complaint_table(sets, answers)),
            _section("Sentiment (macro-F1)", _label_table(sets, answers, "sentiment")),
            _section("Intent (macro-F1)", _label_table(sets, answers, "intent")),
            _section("Topic (macro-F1; accuracy)", _label_table(sets, answers, "topic")),
            _section("Per topic (F1)", _topic_table(sets, answers)),
            _section("Bands", _band_table(sets, answers["shipped"], limits)),
            _section("Calibration", _calibration_table(sets, answers["shipped"])),
            _section("Speed and size", _cost_table(asked.model)),
        ]
    )
    if asked.out:
        asked.out.write_text(text + "\n", "utf-8")
    sys.stdout.write(text + "\n")


def _models(folder: Path) -> dict[str, Model]:
    """`multilingual` alone is what every language but English gets."""
    words, ngrams = Lexicon(), Ngrams(folder)
    about = json.loads((folder / "model.json").read_text("utf-8"))
    multilingual = Encoder(folder, about["tasks"], about["encoders"][0])
    return {
        "lexicon": lambda text, _: _lexicon(words, text),
        "n-grams": lambda text, _: ngrams(text),
        "multilingual": lambda text, _: multilingual(text),
        "shipped": Encoders(folder),
    }


def _lexicon(lexicon: Lexicon, text: str) -> Probabilities:
    """Its answers as if it were sure of them; it gives no probabilities."""
    said = lexicon.understand(
        Message(
            conversation=_NOBODY,
            id="1",
            network="x",
            kind="mention",
            public=True,
            text=text,
            sent_at=datetime.now(UTC),
        )
    )
    wanted = {"intent": said.intent, "topic": said.topics[0], "sentiment": said.sentiment}
    return {
        task: {label: float(label == wanted.get(task, "customer")) for label in labels}
        for task, labels in TASKS.items()
    }


def _complaint_table(
    sets: dict[str, list[Labelled]], answers: dict[str, dict[str, list[Probabilities]]]
) -> list[list[str]]:
    rows = [["set", "messages", *answers]]
    for name, labelled in sets.items():
        groups = sorted({one.group for one in labelled})
        for group in [None, *(groups if len(groups) > 1 else [])]:
            chosen = [
                i
                for i, one in enumerate(labelled)
                if one.complains is not None and group in (None, one.group)
            ]
            wanted = np.array([bool(labelled[i].complains) for i in chosen], int)
            if len(set(wanted.tolist())) < 2:
                continue
            title = f"{name}, {group}" if group else f"**{name}**"
            found = [
                str(f1(wanted, (_complaint(those[name])[chosen] >= 0.5).astype(int), 2))
                for those in answers.values()
            ]
            rows.append([title, str(len(chosen)), *found])
    return rows


def _label_table(
    sets: dict[str, list[Labelled]],
    answers: dict[str, dict[str, list[Probabilities]]],
    task: str,
) -> list[list[str]]:
    rows = [["set", "messages", *answers]]
    for name, labelled in sets.items():
        told = [i for i, one in enumerate(labelled) if getattr(one, task)]
        groups = sorted({labelled[i].group for i in told})
        parts = [
            (group, [i for i in told if labelled[i].group == group])
            for group in groups
            if len(groups) > 1
        ]
        for group, chosen in [("", told), *parts] if told else []:
            title = f"{name}, {group}" if group else f"**{name}**"
            cells = [_label_cell(labelled, those[name], chosen, task) for those in answers.values()]
            rows.append([title, str(len(chosen)), *cells])
        if len(parts) > 1 and set(groups) <= set(corpus.LANGUAGES):
            rows.append([f"{name}, mean over languages", "", *_means(rows, len(parts))])
    return rows


def _means(rows: list[list[str]], count: int) -> list[str]:
    columns = zip(*(row[2:] for row in rows[-count:]), strict=True)
    return [short(float(np.mean([float(cell.split()[0]) for cell in cells]))) for cells in columns]


def _label_cell(
    labelled: list[Labelled], those: list[Probabilities], chosen: list[int], task: str
) -> str:
    labels = list(TASKS[task])
    wanted = np.array([labels.index(getattr(labelled[i], task)) for i in chosen])
    found = np.array([labels.index(_best(those[i][task])) for i in chosen])
    score = str(f1(wanted, found, len(labels)))
    return f"{score}; {short(float((wanted == found).mean()))}" if task == "topic" else score


def _topic_table(
    sets: dict[str, list[Labelled]], answers: dict[str, dict[str, list[Probabilities]]]
) -> list[list[str]]:
    names = [name for name, rows in sets.items() if any(one.topic for one in rows)]
    table = [["topic", *(f"{of}, {name}" for name in names for of in answers)]]
    for topic in corpus.TOPICS:
        cells = []
        for name in names:
            wanted = np.array([one.topic == topic for one in sets[name]])
            for those in answers.values():
                found = np.array([_best(one["topic"]) == topic for one in those[name]])
                both = 2 * (wanted & found).sum() / max(wanted.sum() + found.sum(), 1)
                cells.append(short(float(both)) if wanted.any() else "–")
        table.append([topic, *cells])
    return table


def _band_table(
    sets: dict[str, list[Labelled]],
    answers: dict[str, list[Probabilities]],
    limits: dict[str, Any],
) -> list[list[str]]:
    rows = [["set", "band", "of all messages", "of these complain", "of all complaints"]]
    for name, labelled in sets.items():
        if any(one.complains is None for one in labelled):
            continue
        complains = np.array([bool(one.complains) for one in labelled])
        found = bands.bands(_complaint(answers[name]), complains, limits)
        for title, band in found.items():
            cells = (band.share, band.complaints, band.of_complaints)
            rows.append([name, title, *(f"{100 * cell:.1f} %" for cell in cells)])
    rows.append([f"sure from {limits['sure']}, not below {limits['not']}", "", "", "", ""])
    return rows


def _calibration_table(
    sets: dict[str, list[Labelled]], answers: dict[str, list[Probabilities]]
) -> list[list[str]]:
    edges = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.001])
    titles = [f"{low:.1f}–{min(high, 1):.1f}" for low, high in pairwise(edges)]
    rows = [["set: share that complains where p is", *titles]]
    for name, labelled in sets.items():
        if any(one.complains is None for one in labelled):
            continue
        complains = np.array([bool(one.complains) for one in labelled])
        place = np.digitize(_complaint(answers[name]), edges) - 1
        cells = [
            f"{short(float(complains[place == i].mean()))} of {(place == i).sum()}"
            if (place == i).any()
            else "–"
            for i in range(len(titles))
        ]
        rows.append([name, *cells])
    return rows


def _cost_table(folder: Path) -> list[list[str]]:
    rows = [["model", "load, s", "ms a message (median)", "ms (95th of 100)", "resident, MB"]]
    for name in MODELS:
        command = [sys.executable, "-m", "training.evaluate_cost", name, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        rows.append([name, *done.stdout.split()])
    size = {path.name: path.stat().st_size / 1e6 for path in sorted(folder.iterdir())}
    listed = ", ".join(f"{name} {megabytes:.1f} MB" for name, megabytes in size.items())
    return [*rows, [f"files: {listed}", "", "", "", ""]]


def _complaint(those: list[Probabilities]) -> NDArray[np.float64]:
    return np.array([one["intent"]["complaint"] for one in those])


def _best(labels: dict[str, float]) -> str:
    return max(labels, key=lambda label: labels[label])


def _section(title: str, rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"## {title}", "", head, "|" + "---|" * len(rows[0]), *body])


if __name__ == "__main__":
    main()
