"""What a classifier says about a message."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from firstreply.message import Message

type Intent = Literal["complaint", "question", "praise", "other"]
type Sentiment = Literal["negative", "neutral", "positive"]
type Journey = Literal["before_purchase", "customer", "complaint"]
type Urgency = Literal["high", "normal"]
# The most serious first.
type Alarm = Literal[
    "self_harm",
    "safety",
    "injury",
    "bereavement",
    "security",
    "money_gone",
    "locked_out",
    "legal",
    "data_protection",
    "press",
    "repeated_contact",
]
type Topic = Literal[
    "fault_outage",
    "account_access",
    "billing",
    "delivery_delay",
    "refund_return",
    "cancel_change",
    "product_enquiry",
    "service_quality",
    "security_fraud",
    "other",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """`confidence` is 0 to 1; `unsure` asks for a human; `reasons` are for a person to read.
    `alarms`: why a human should come at once, the most serious first; of ours they are `Alarm`s,
    but what was remembered by another version may know more, or none."""

    intent: Intent
    topics: tuple[str, ...]
    sentiment: Sentiment
    urgency: Urgency
    journey: Journey
    language: str
    confidence: float
    unsure: bool
    reasons: tuple[str, ...]
    alarms: tuple[str, ...] = ()


class Classifier(Protocol):
    """Understands one message. The shipped one does it offline: no network, no fee, the same answer
    every time. An optional back end has it to fall back on (docs/decisions/0007)."""

    def understand(self, message: Message) -> Understanding: ...


# Who writes again so soon is waiting; what comes sooner still is one message in several bubbles.
AGAIN_WITHIN, ONE_BREATH = timedelta(hours=1), timedelta(minutes=2)


def heed_waiting(
    message: Message, understanding: Understanding, unanswered: Iterable[datetime]
) -> Understanding:
    """Who asks or complains again within the hour is urgent. `unanswered`: when the same customer
    wrote what no human has answered."""
    wants_something = understanding.intent in ("complaint", "question")
    is_again = any(ONE_BREATH <= message.sent_at - at <= AGAIN_WITHIN for at in unanswered)
    if not wants_something or not is_again:
        return understanding
    reasons = (*understanding.reasons, "urgent: repeated_contact (wrote again within the hour)")
    alarms = tuple(dict.fromkeys((*understanding.alarms, "repeated_contact")))
    return replace(understanding, urgency="high", reasons=reasons, alarms=alarms)


def heed_verdict(message: Message, understanding: Understanding) -> Understanding:
    """Who ticks "not recommended" complains, whatever the words; who ticks the opposite praises,
    unless the words complain: those a human reads."""
    if message.verdict is None:
        return understanding
    reasons = (*understanding.reasons, f"verdict: {message.verdict}")
    if message.verdict == "negative":
        return replace(
            understanding,
            intent="complaint",
            sentiment="negative",
            journey="complaint",
            confidence=1.0,
            unsure=False,
            reasons=reasons,
        )
    if understanding.intent in ("complaint", "question"):
        return replace(understanding, unsure=True, reasons=reasons)
    return replace(
        understanding,
        intent="praise",
        sentiment="positive",
        confidence=1.0,
        unsure=False,
        reasons=reasons,
    )
