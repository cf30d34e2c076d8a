"""What a classifier says about a message."""

from dataclasses import dataclass
from typing import Literal, Protocol

from firstreply.message import Message

type Intent = Literal["complaint", "question", "praise", "other"]
type Sentiment = Literal["negative", "neutral", "positive"]
type Journey = Literal["before_purchase", "customer", "complaint"]
type Urgency = Literal["high", "normal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """`confidence` is 0 to 1; `unsure` asks for a human; `reasons` are for a person to read."""

    intent: Intent
    topics: tuple[str, ...]
    sentiment: Sentiment
    urgency: Urgency
    journey: Journey
    language: str
    confidence: float
    unsure: bool
    reasons: tuple[str, ...]


class Classifier(Protocol):
    """Understands one message, offline: no network, no fee, the same answer every time."""

    def understand(self, message: Message) -> Understanding: ...
