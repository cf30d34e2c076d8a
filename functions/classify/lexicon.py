"""The baseline classifier: words that speak for an intent, counted.

It knows no grammar and no irony. The trained classifier is measured against it, and it answers
where that one cannot.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from firstreply.message import Message
from firstreply.understanding import Intent, Journey, Sentiment, Understanding
from functions.classify.urgency import urgent

# More words than this that say nothing to us may well be a complaint that we do not understand; so
# may a picture.
LONGEST_CHATTER = 5
# Who writes more has said by then what it is about; and nobody is to wait for a book.
LONGEST_READ = 4_000
_INTENTS = ("complaint", "praise", "question")
_SENTIMENT: dict[Intent, Sentiment] = {"complaint": "negative", "praise": "positive"}


class Lexicon:
    """A Classifier from functions/classify/lexicon.yaml."""

    def understand(self, message: Message) -> Understanding:
        text = _readable(message.text)
        words = _words()
        language, is_known = _language(text, message.language)
        # A platform's guess of a short text is often wrong, and so is ours.
        spoken = dict.fromkeys((language, _guess(text)[0]))
        found = {
            intent: _hits([stem for name in spoken for stem in words[intent][name]], text)
            for intent in _INTENTS
        }
        alarms = urgent(message.text[:LONGEST_READ])
        intent, confidence = _intent(text, found)
        is_chatter = len(re.findall(r"\w+", text)) <= LONGEST_CHATTER and not message.attachments
        return Understanding(
            intent=intent,
            topics=tuple(n for n, stems in words["topics"].items() if _hits(stems, text))
            or ("other",),
            sentiment=_SENTIMENT.get(intent, "neutral"),
            urgency="high" if alarms else "normal",
            journey=_journey(intent, bool(_hits(words["buying"], text))),
            language=language,
            confidence=confidence,
            unsure=(intent == "other" and not is_chatter)
            or not is_known
            or bool(found["complaint"] and found["praise"]),
            reasons=(
                *(f"{name}: {', '.join(hits)}" for name, hits in found.items() if hits),
                *(f"urgent: {one.reason}" for one in alarms),
                *(f"attachment: {kind}" for kind in message.attachments),
            ),
            alarms=tuple(one.reason for one in alarms),
        )


def words_for(text: str, intent: Intent, language: str) -> list[str]:
    """Our words for an intent that are in the text; none for what has none."""
    stems = _words().get(intent, {}).get(language, ())
    return [stem.removesuffix("!") for stem in _hits(stems, _readable(text))]


def language_of(text: str, told: str | None) -> str | None:
    """One of our languages, by words that are there; None for any other."""
    name, is_ours = _language(_readable(text), told)
    return name if is_ours else None


def _readable(text: str) -> str:
    return " ".join(text[:LONGEST_READ].casefold().replace("’", "'").split())


def _intent(text: str, found: dict[str, list[str]]) -> tuple[Intent, float]:
    """Who complains politely, or praises a delay, complains; who asks while thanking still asks."""
    complaint, praise = len(found["complaint"]), len(found["praise"])
    asks = "?" in text or "¿" in text
    if complaint and complaint + 1 >= praise:
        return "complaint", _confidence(complaint, praise)
    if asks or (found["question"] and not praise):
        return "question", 0.7 if asks and found["question"] else 0.5
    if praise:
        return "praise", _confidence(praise, complaint)
    return "other", 0.3


def _confidence(spoken_for: int, against: int) -> float:
    return round((spoken_for + 0.5) / (spoken_for + against + 1), 2)


def _journey(intent: Intent, is_buying: bool) -> Journey:
    if intent == "complaint":
        return "complaint"
    return "before_purchase" if is_buying else "customer"


def _language(text: str, told: str | None) -> tuple[str, bool]:
    """The language and whether it is one of ours."""
    if told:
        return (told, True) if told in _words()["languages"] else ("en", False)
    return _guess(text)


def _guess(text: str) -> tuple[str, bool]:
    """By the words that are there; without any sign of a language, English."""
    languages = _words()["languages"]
    tokens = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text)
    # The words for an intent count too: "Kaputt!" has no function word, and "no" is one of four.
    signs = {
        name: sum(token in common for token in tokens)
        + sum(len(_hits(_words()[intent][name], text)) for intent in _INTENTS)
        for name, common in languages.items()
    }
    best = max(signs, key=lambda name: signs[name])
    return (best, True) if signs[best] else ("en", all(c.isascii() for c in text if c.isalpha()))


def _hits(stems: Iterable[str], text: str) -> list[str]:
    """The stems that are there; "great" does not count beside the "great job" it is part of."""
    found = [stem for stem in stems if _pattern(stem).search(text)]
    return [one for one in found if not any(one != other and one in other for other in found)]


@cache
def _pattern(stem: str) -> re.Pattern[str]:
    """At the start of a word, `!` at its end too; an emoji anywhere."""
    start = r"(?<!\w)" if stem[0].isalpha() else ""
    return re.compile(
        start
        + re.escape(stem.removesuffix("!").casefold())
        + (r"(?!\w)" if stem[-1] == "!" else "")
    )


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("lexicon.yaml").read_text("utf-8")
    )
    words["languages"] = {name: frozenset(common) for name, common in words["languages"].items()}
    return words
