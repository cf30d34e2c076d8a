"""How surely frequent questions are recognised: python -m training.answers --sets FOLDER --out FILE

Of strangers' questions (BANKING77) some intents play the brand's answers, with a few of their
questions as wordings; the rest of these are to be matched, and those of all other intents, of
CLINC150 and of the care openings are not. Thresholds are chosen on one half of the intents, and the
figures stated on the other. The shipped answers are asked for in words that they do not hold.
"""

import argparse
import csv
import gzip
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from firstreply import brand
from firstreply.answers import Answer, Answers
from functions.classify.recognising import (
    SURE_MEANING,
    SURE_WORDS,
    Recogniser,
    Score,
    _is_one_question,
    recogniser,
)
from training.corpus import LANGUAGES
from training.scoring import short

OWN = Path(__file__).with_name("evaluation") / "answers.tsv"
NONE = "-"
DRAWS, ANSWERS, WORDINGS = 3, 12, 8
WANTED = 0.97
WORDS = [n / 20 for n in range(21)]
MEANINGS = [n / 20 for n in range(10, 21)]
# The rules were made with these at hand; of the others only near misses that had been answered.
SEEN = ("en", "de", "es")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what was to be found (NONE: nothing), and the one answer that may be sure."""

    wanted: str
    near: bool
    found: Score | None
    best: str | None


type Sure = Callable[[Score], bool]


def main() -> None:
    """Writes the tables as Markdown, and prints them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sets", type=Path, help="folder of the evaluation sets")
    arguments.add_argument("--out", type=Path)
    asked = arguments.parse_args()
    sections = [
        Path(__file__).with_suffix(".md").read_text("utf-8").rstrip(),
        _section("The shipped answers, in words they do not hold", _own_table()),
    ]
    if asked.sets:
        halves = [list(_strangers(asked.sets, half)) for half in (0, 1)]
        bare = [[_without_meaning(one) for one in half] for half in halves]
        sections += [
            _section("Strangers' questions, by words and meaning", _stranger_table(halves, True)),
            _section("Strangers' questions, by words alone", _stranger_table(bare, False)),
        ]
    sections.append(_section("What it costs", _cost_table()))
    text = "\n\n".join(sections) + "\n"
    if asked.out:
        asked.out.write_text(text, "utf-8")
    sys.stdout.write(text)


# --- the shipped answers ------------------------------------------------------------------------


def own(known: Recogniser, language: str) -> Iterator[Asked]:
    """Every line of ours in a language: an answer's name or NONE, and the question."""
    for line in OWN.read_text("utf-8").splitlines():
        spoken, wanted, text = line.split("\t")
        if spoken == language:
            yield _ask(known, text, language, wanted, near=wanted == NONE)


def _own_table() -> list[list[str]]:
    rows = [["language", "questions", "near misses", "precision", "recall", "best candidate right"]]
    every: list[Asked] = []
    unseen: list[Asked] = []
    known = recogniser(brand.answers())
    for language in LANGUAGES:
        asked = list(own(known, language))
        every += asked
        unseen += [] if language in SEEN else asked
        rows.append([language + " (seen)" * (language in SEEN), *_own_cells(asked)])
    return [
        *rows,
        ["**unseen languages**", *_own_cells(unseen)],
        ["**all**", *_own_cells(every)],
        ["all, words alone", *_own_cells(_own_without_meaning())],
    ]


def _own_without_meaning() -> list[Asked]:
    known = Recogniser(brand.answers(), _nothing)
    return [one for language in LANGUAGES for one in own(known, language)]


def _own_cells(asked: Sequence[Asked]) -> list[str]:
    right = [one for one in asked if one.wanted != NONE]
    precision, recall = _figures(asked, lambda score: score.is_sure)
    best = sum(one.best == one.wanted for one in right) / len(right)
    return [str(len(right)), str(len(asked) - len(right)), precision, recall, short(best)]


# --- strangers' ---------------------------------------------------------------------------------


def _strangers(folder: Path, half: int) -> Iterator[Asked]:
    meaning = cache(recogniser(Answers()).meaning)
    intents: dict[str, list[str]] = {}
    for row in _rows(folder, "banking77_train"):
        intents.setdefault(row["category"], []).append(row["text"])
    far = [row["text"] for row in _rows(folder, "clinc150_train_val")]
    far += [row["text"] for row in _rows(folder, "care_openings_unlabelled")]
    names = sorted(intents)
    random.Random(5).shuffle(names)  # noqa: S311
    for draw in range(DRAWS):
        chance = random.Random(f"{half} {draw}")  # noqa: S311
        drawn = chance.sample(names[half::2], len(names[half::2]))
        mixed = {name: chance.sample(intents[name], len(intents[name])) for name in drawn}
        chosen = {
            name: Answer(wordings={"en": tuple(mixed[name][:WORDINGS])}, say={"en": "So."})
            for name in drawn[:ANSWERS]
        }
        known = Recogniser(Answers.model_construct(answers=chosen), meaning)
        right = [(name, text) for name in chosen for text in mixed[name][WORDINGS:]]
        near = [text for name in drawn[ANSWERS:] for text in mixed[name]]
        for name, text in right:
            yield _ask(known, text, "en", name, near=False)
        for text in chance.sample(near, min(len(near), len(right))):
            yield _ask(known, text, "en", NONE, near=True)
        for text in chance.sample(far, len(right)):
            yield _ask(known, text, "en", NONE, near=False)


def _stranger_table(halves: Sequence[Sequence[Asked]], has_meaning: bool) -> list[list[str]]:
    chosen_on, stated_on = halves
    best = _choose(chosen_on, has_meaning)
    rows = [["words from", "meaning from", "precision, 1st half", "recall", "precision, 2nd half"]]
    rows[0] += ["recall", "of near ones answered", "of far ones answered"]
    lines = [(SURE_WORDS, meaning) for meaning in (0.6, 0.7, 0.75, 0.8, 0.9) if has_meaning]
    lines = lines or [(limit, 0.0) for limit in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]
    shipped = (SURE_WORDS, SURE_MEANING if has_meaning else 0.0)
    for limits in sorted({*lines, shipped, *([best] if best else [])}):
        sure = _from(*limits)
        marks = " (shipped)" * (limits == shipped) + " (chosen)" * (limits == best)
        rows.append(
            [
                f"{limits[0]:.2f}{marks}",
                f"{limits[1]:.2f}" if has_meaning else "–",
                *_figures(chosen_on, sure),
                *_figures(stated_on, sure),
                _answered([one for one in stated_on if one.near], sure),
                _answered([o for o in stated_on if o.wanted == NONE and not o.near], sure),
            ]
        )
    return rows


def _choose(asked: Sequence[Asked], has_meaning: bool) -> tuple[float, float] | None:
    """The limits with the most right ones among those that are precise enough; None if none are."""
    limits = product(WORDS, MEANINGS if has_meaning else [0.0])
    enough = [(_count(asked, _from(*one)), one) for one in limits]
    fits = [(right, one) for (right, all_), one in enough if all_ and right / all_ >= WANTED]
    return max(fits)[1] if fits else None


def _from(words: float, meaning: float) -> Sure:
    return lambda score: (
        score.is_covered
        and score.words >= words
        and (score.meaning is None or score.meaning >= meaning)
    )


# --- counting -----------------------------------------------------------------------------------


def _ask(known: Recogniser, text: str, language: str, wanted: str, *, near: bool) -> Asked:
    scores = known.scores(text, language)
    covered = [one for one in scores if one.is_covered]
    is_one = len(covered) == 1 and _is_one_question(text, language)
    best = scores[0].name if scores else None
    return Asked(wanted, near, covered[0] if is_one else None, best)


def _without_meaning(asked: Asked) -> Asked:
    found = replace(asked.found, meaning=None) if asked.found else None
    return replace(asked, found=found)


def _count(asked: Iterable[Asked], sure: Sure) -> tuple[int, int]:
    """How many are answered rightly, and how many at all."""
    answered = [one for one in asked if one.found and sure(one.found)]
    right = [one for one in answered if one.found and one.found.name == one.wanted]
    return len(right), len(answered)


def _figures(asked: Sequence[Asked], sure: Sure) -> tuple[str, str]:
    """Precision with its counts, and recall."""
    right, answered = _count(asked, sure)
    wanted = sum(one.wanted != NONE for one in asked)
    precision = f"{short(right / answered)} ({right} of {answered})" if answered else "–"
    return precision, short(right / wanted)


def _answered(asked: Sequence[Asked], sure: Sure) -> str:
    return f"{_count(asked, sure)[1]} of {len(asked)}"


# --- cost ---------------------------------------------------------------------------------------


def _cost_table() -> list[list[str]]:
    rows = [["answers", "language", "first question, ms", "a further one, ms (median)"]]
    shipped = brand.answers().answers
    for size, language in product((len(shipped), 100), ("en", "de")):
        many = {f"{name}_{n}": one for n in range(size) for name, one in shipped.items()}
        chosen = dict(list(many.items())[:size]) if size > len(shipped) else dict(shipped)
        known = recogniser(Answers.model_construct(answers=chosen))
        known.meaning("warm", language)
        times = [_milliseconds(known, text, language) for text in _texts(language)]
        rows.append([str(size), language, f"{times[0]:.0f}", f"{statistics.median(times[1:]):.1f}"])
    return rows


def _texts(language: str) -> list[str]:
    lines = [line.split("\t") for line in OWN.read_text("utf-8").splitlines()]
    return [text for spoken, _, text in lines if spoken == language]


def _milliseconds(known: Recogniser, text: str, language: str) -> float:
    began = time.perf_counter()
    known.match(text, language)
    return 1000 * (time.perf_counter() - began)


# --- the rest -----------------------------------------------------------------------------------


def _nothing(_text: str, _language: str) -> None:
    return None


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _section(title: str, rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"## {title}", "", head, "|" + "---|" * len(rows[0]), *body])


if __name__ == "__main__":
    main()
