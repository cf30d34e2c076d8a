"""Amazon Comprehend behind the classifier: it says how a message sounds, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from firstreply.message import Message
from firstreply.understanding import Classifier, Intent, Sentiment, Understanding
from functions.classify.asking import Service

# Ours that it knows: not Dutch.
LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "pt"})
MOST_BYTES = 5_000

_SENTIMENTS: Mapping[str, Sentiment] = {
    "NEGATIVE": "negative",
    "NEUTRAL": "neutral",
    "POSITIVE": "positive",
}


class Client(Protocol):
    """What we need of boto3's."""

    @property
    def detect_sentiment(self) -> Callable[..., Mapping[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Comprehend:
    """A Classifier that replaces the sentiment of another's understanding, where it can."""

    client: Client
    otherwise: Classifier
    service: Service = field(default_factory=lambda: Service(name="Comprehend"))

    def understand(self, message: Message) -> Understanding:
        understanding = self.otherwise.understand(message)
        if not _can_tell(message, understanding.language):
            return understanding
        sentiment = self.service.ask(lambda: self._sentiment(message, understanding))
        return replace(understanding, sentiment=sentiment) if sentiment else understanding

    def _sentiment(self, message: Message, understanding: Understanding) -> Sentiment:
        found = self.client.detect_sentiment(
            Text=message.text, LanguageCode=understanding.language
        )["Sentiment"]
        return _mixed(understanding.intent) if found == "MIXED" else _SENTIMENTS[found]


def _can_tell(message: Message, language: str) -> bool:
    """A language that the platform names and we do not know was taken for another by us."""
    spoken = {language, message.language or language}
    size = len(message.text.encode("utf-8", "surrogatepass"))
    return bool(message.text.strip()) and size <= MOST_BYTES and spoken <= LANGUAGES


def _mixed(intent: Intent) -> Sentiment:
    """We have no such label. Kind words beside a complaint are manners, and what is wrong stays
    wrong; in anything else good and bad leave neither."""
    return "negative" if intent == "complaint" else "neutral"
