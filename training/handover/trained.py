"""The shipped classifier: a trained model for what is meant, stated rules for what is urgent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from firstreply.message import Message
from firstreply.understanding import Intent, Journey, Sentiment, Topic, Understanding
from functions.classify.urgency import urgent
from training.handover.language import tongue

type Probabilities = Mapping[str, Mapping[str, float]]

# A topic that is less likely is not told; more than so many say nothing.
LEAST_TOPIC, MOST_TOPICS = 0.2, 3
UNKNOWN_LANGUAGE = "und"  # ISO 639


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintBands:
    """What the probability of a complaint means: from `sure` on it is one, below `none` it is
    none, and between the two a human looks. To become policy that a brand may move."""

    sure: float
    none: float

    def is_unsure(self, complaint: float) -> bool:
        return self.none <= complaint < self.sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A Classifier. `model` gives the probability of every label of every task (intent, topic,
    sentiment, journey), `words_for` the words of a text that speak most for an intent."""

    model: Callable[[str], Probabilities]
    words_for: Callable[[str, Intent], list[str]]
    bands: ComplaintBands

    def understand(self, message: Message) -> Understanding:
        spoken = tongue(message.text, message.language)
        alarms = urgent(message.text)
        told = self.model(message.text)
        intent, confidence = _intent(told, self.bands)
        is_guess = spoken.is_foreign or not message.text.strip()
        if is_guess:  # a model answers whatever it is asked
            intent, confidence = "other", 0.0
        return Understanding(
            intent=intent,
            topics=("other",) if is_guess else _topics(told["topic"]),
            sentiment="neutral" if is_guess else cast("Sentiment", _best(told["sentiment"])),
            urgency="high" if alarms else "normal",
            journey=_journey(intent, told["journey"]),
            language=spoken.name
            or (message.language if spoken.is_foreign else None)
            or UNKNOWN_LANGUAGE,
            confidence=round(confidence, 2),
            unsure=spoken.is_foreign
            or (not is_guess and self.bands.is_unsure(told["intent"]["complaint"]))
            or (bool(message.attachments) and intent == "other"),
            reasons=(
                *(f"urgent: {one.reason} ({', '.join(one.words)})" for one in alarms),
                *(() if is_guess else self._because(message, intent)),
                *(("not one of our languages",) if spoken.is_foreign else ()),
                *(f"attachment: {kind}" for kind in message.attachments),
            ),
        )

    def _because(self, message: Message, intent: Intent) -> tuple[str, ...]:
        words = self.words_for(message.text, intent)
        return (f"{intent}: {', '.join(words)}",) if words else ()


def _intent(told: Probabilities, bands: ComplaintBands) -> tuple[Intent, float]:
    """The likeliest; what is surely a complaint, or surely none, is said to be so."""
    likely = dict(told["intent"])
    if likely["complaint"] >= bands.sure:
        return "complaint", likely["complaint"]
    if likely["complaint"] < bands.none:
        del likely["complaint"]
    best = _best(likely)
    return cast("Intent", best), likely[best]


def _topics(likely: Mapping[str, float]) -> tuple[Topic, ...]:
    ranked = sorted(likely, key=lambda name: -likely[name])[:MOST_TOPICS]
    told = [name for name in ranked if likely[name] >= LEAST_TOPIC] or ranked[:1]
    return cast("tuple[Topic, ...]", tuple(told))


def _journey(intent: Intent, likely: Mapping[str, float]) -> Journey:
    return "complaint" if intent == "complaint" else cast("Journey", _best(likely))


def _best(likely: Mapping[str, float]) -> str:
    return max(likely, key=lambda name: likely[name])
