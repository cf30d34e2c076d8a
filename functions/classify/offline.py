"""The classifier that asks nobody and always answers: the encoders, or else n-grams, or else words
that are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from firstreply.message import Message
from firstreply.observe import count, decided
from firstreply.policy import ComplaintBands
from firstreply.understanding import Classifier, Understanding
from functions.classify import lexicon
from functions.classify.lexicon import Lexicon
from functions.classify.trained import language
from functions.classify.trained.classifier import Probabilities, Trained
from functions.classify.trained.language import Tongue
from functions.classify.trained.ngrams import MODEL, Ngrams
from functions.classify.trained.once import Once

if TYPE_CHECKING:
    from functions.classify.trained.encoder import Encoders

type Model = Callable[[str, str | None], Probabilities]


@dataclass(slots=True)
class Falls:
    """What did not answer, and by which error: counted each time, said once."""

    _said: set[tuple[str, str]] = field(default_factory=set)

    def note(self, name: str, error: Exception) -> None:
        """Not with the error's own words, which may quote the customer's."""
        count(f"{name}FellBack")
        known = (name, type(error).__name__)
        if known not in self._said:
            self._said.add(known)
            decided("understanding", "fell back", known[1], level="warning", backend=name)


@dataclass(slots=True)
class Falling:
    """A Classifier: the first of some that answers. `others`: each with the name that its failing
    is counted under; `last` has nobody behind it."""

    others: tuple[tuple[str, Classifier], ...]
    last: Classifier
    falls: Falls

    def understand(self, message: Message) -> Understanding:
        for name, classifier in self.others:
            try:
                return classifier.understand(message)
            except Exception as error:  # any: no message is lost to what another can do
                self.falls.note(name, error)
        return self.last.understand(message)


def offline(bands: ComplaintBands, folder: Path = MODEL) -> Classifier:
    """What this module is about, from the files in `folder`. Loads nothing yet."""
    falls = Falls()

    def tongue(text: str, told: str | None) -> Tongue:
        try:
            return language.tongue(text, told)
        except Exception as error:
            falls.note("Language", error)
            name = lexicon.language_of(text, told)
            return Tongue(name, is_foreign=name is None)

    def trained(model: Model) -> Trained:
        return Trained(model=model, tongue=tongue, words_for=lexicon.words_for, bands=bands)

    return Falling(
        others=(
            ("Encoder", trained(_when_asked(lambda: encoders(folder)))),
            ("Ngrams", trained(_when_asked(lambda: _ngrams(folder)))),
        ),
        last=Lexicon(),
        falls=falls,
    )


def _when_asked(make: Callable[[], Model]) -> Model:
    made = Once(make)
    return lambda text, spoken: made()(text, spoken)


@cache
def encoders(folder: Path) -> Encoders:
    """Once a process: they take a while to load."""
    from functions.classify.trained.encoder import Encoders  # needs what may not be there

    return Encoders(folder)


@cache
def _ngrams(folder: Path) -> Model:
    known = Ngrams(folder)
    return lambda text, _: known(text)
