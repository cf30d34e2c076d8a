"""The trained classifier: a model for what is meant, stated rules for what is urgent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from firstreply.message import Message
from firstreply.policy import ComplaintBands
from firstreply.understanding import Intent, Journey, Sentiment, Topic, Understanding
from functions.classify.trained.language import OURS, Tongue, says_something
from functions.classify.urgency import urgent

type Probabilities = Mapping[str, Mapping[str, float]]

# A topic that is less likely is not told; more than so many say nothing.
LEAST_TOPIC, MOST_TOPICS = 0.2, 3
# An intent that is less likely than all others together is a guess.
LEAST_INTENT = 0.5
# So many letters an encoder reads whole (pieces.LIMIT). Of more it reads the start and the end, and
# who does not complain there may do so between them.
READ_WHOLE = 300
UNKNOWN_LANGUAGE = "und"  # ISO 639


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What the words mean; as it stands, nothing that could be told."""

    intent: Intent = "other"
    topics: tuple[Topic, ...] = ("other",)
    sentiment: Sentiment = "neutral"
    journey: Journey = "customer"
    confidence: float = 0.0
    unsure: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A Classifier. `model` gives the probability of every label of every task (intent, topic,
    sentiment, journey) of a text in a language; `tongue` says which, by the text and what the
    platform told. `words_for`: what of our own words is in it that speaks for an intent; a
    customer's are not repeated in the reasons, which go further than the message does."""

    model: Callable[[str, str | None], Probabilities]
    tongue: Callable[[str, str | None], Tongue]
    words_for: Callable[[str, Intent, str], Sequence[str]]
    bands: ComplaintBands

    def understand(self, message: Message) -> Understanding:
        spoken = self.tongue(message.text, message.language)
        alarms = urgent(message.text)
        # A model answers whatever it is asked.
        is_guess = spoken.is_foreign or not says_something(message.text)
        meant = Meant() if is_guess else self._meant(message.text, spoken.name)
        return Understanding(
            intent=meant.intent,
            topics=meant.topics,
            sentiment=meant.sentiment,
            urgency="high" if alarms else "normal",
            journey=meant.journey,
            language=_language(spoken, message.language),
            confidence=round(meant.confidence, 2),
            unsure=spoken.is_foreign
            or meant.unsure
            or (bool(message.attachments) and meant.intent == "other"),
            reasons=(
                *meant.reasons,
                *(f"urgent: {one.reason}" for one in alarms),
                *(("not one of our languages",) if spoken.is_foreign else ()),
                *(f"attachment: {kind}" for kind in message.attachments),
            ),
            alarms=tuple(one.reason for one in alarms),
        )

    def _meant(self, text: str, language: str | None) -> Meant:
        told = self.model(text, language)
        intent, confidence = _intent(told["intent"], self.bands)
        unsure = (
            self.bands.is_unsure(told["intent"]["complaint"])
            or max(told["intent"].values()) < LEAST_INTENT
            or (intent != "complaint" and len(text) > READ_WHOLE)
        )
        words = self.words_for(text, intent, language or UNKNOWN_LANGUAGE)
        return Meant(
            intent=intent,
            topics=_topics(told["topic"]),
            sentiment=cast("Sentiment", _best(told["sentiment"])),
            journey="complaint"
            if intent == "complaint"
            else cast("Journey", _best(told["journey"])),
            confidence=confidence,
            unsure=unsure,
            reasons=(
                *((f"{intent}: {', '.join(words)}",) if words else ()),
                *((_doubt(told["intent"]),) if unsure else ()),
                *(("long: read in part",) if len(text) > READ_WHOLE else ()),
            ),
        )


def _intent(told: Mapping[str, float], bands: ComplaintBands) -> tuple[Intent, float]:
    """The likeliest; what is surely a complaint, or surely none, is said to be so."""
    likely = dict(told)
    if likely["complaint"] >= bands.sure:
        return "complaint", likely["complaint"]
    if likely["complaint"] < bands.none:
        del likely["complaint"]
    best = _best(likely)
    return cast("Intent", best), likely[best]


def _doubt(told: Mapping[str, float]) -> str:
    """The two likeliest, or a complaint that may be one, with how likely they are."""
    first, second, *_ = sorted(told, key=lambda name: -told[name])
    other = second if first == "complaint" else "complaint"
    return f"hard to tell: {first} ({told[first]:.2f}) or {other} ({told[other]:.2f})"


def _topics(likely: Mapping[str, float]) -> tuple[Topic, ...]:
    ranked = sorted(likely, key=lambda name: -likely[name])[:MOST_TOPICS]
    told = [name for name in ranked if likely[name] >= LEAST_TOPIC] or ranked[:1]
    return cast("tuple[Topic, ...]", tuple(told))


def _language(spoken: Tongue, told: str | None) -> str:
    """A foreign one as the platform calls it, unless it mistook it for one of ours."""
    if spoken.is_foreign and told not in OURS:
        return told or UNKNOWN_LANGUAGE
    return spoken.name or UNKNOWN_LANGUAGE


def _best(likely: Mapping[str, float]) -> str:
    return max(likely, key=lambda name: likely[name])
