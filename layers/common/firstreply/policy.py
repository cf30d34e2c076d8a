"""What may be said now, and who has to see it: one pure function over data.

classify asks when a message arrives, respond asks again at the moment of sending.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from firstreply.message import Message
from firstreply.understanding import Intent, Understanding, Urgency

type Probability = Annotated[float, Field(ge=0, le=1)]


class ComplaintBands(BaseModel):
    """What the probability of a complaint means: from `sure` on it is one, below `none` it is
    none, and between the two a human looks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sure: Probability
    none: Probability

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.none > self.sure:
            raise ValueError("none must not be above sure")
        return self

    def is_unsure(self, complaint: float) -> bool:
        return self.none <= complaint < self.sure


class Policy(BaseModel):
    """The brand's rules (brand/policy.yaml) and the stack's parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: frozenset[Intent]
    escalate: frozenset[Intent]
    escalate_if_unanswered: frozenset[Intent]
    complaint_bands: ComplaintBands
    bedrock_sure: Probability
    due_minutes: dict[Urgency, PositiveInt]
    oldest_answer: timedelta
    hands_off: timedelta
    links_on: frozenset[str]
    invite_to_private: frozenset[str]
    prices: dict[str, dict[str, PositiveFloat]]
    cool_down: timedelta
    auto_reply: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand. In the conversation: `answered_at`, our last automatic answer to another
    message; `human_at`, when a human last spoke for the brand; `erased_until`, up to when the
    customer wants nothing kept. Of the message itself, or of who
    wrote it: whether it is removed, hidden by a moderator, or from an account of our own."""

    answered_at: datetime | None = None
    human_at: datetime | None = None
    erased_until: datetime | None = None
    case_open: bool = False
    is_removed: bool = False
    is_hidden: bool = False
    is_own_account: bool = False


type Silence = Literal[
    "auto_reply_off",
    "removed",
    "not_for_us",
    "own_account",
    "other_account",
    "unanswerable",
    "hidden",
    "too_old",
    "human_answers",
    "cool_down",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`silence` says why nothing is answered, None if it is; `reasons` why a human sees it, and
    by `due_at`."""

    silence: Silence | None = None
    escalate: bool
    priority: Urgency
    due_at: datetime
    reasons: tuple[str, ...]


def decide(
    message: Message,
    understanding: Understanding,
    standing: Standing,
    policy: Policy,
    now: datetime,
) -> Decision:
    """Total and deterministic. Silence is worse than a late human: what is not answered though it
    should be, and what is not understood, goes to one."""
    silence = _silence(message, understanding, standing, policy, now)
    reasons = tuple(_why_escalate(message, understanding, standing, policy, silence))
    return Decision(
        silence=silence,
        escalate=bool(reasons),
        priority=understanding.urgency,
        due_at=message.sent_at + timedelta(minutes=policy.due_minutes[understanding.urgency]),
        reasons=reasons,
    )


def _silence(
    message: Message,
    understanding: Understanding,
    standing: Standing,
    policy: Policy,
    now: datetime,
) -> Silence | None:
    answered_at, human_at = standing.answered_at, standing.human_at
    nevers: tuple[tuple[Silence, bool], ...] = (
        ("auto_reply_off", not policy.auto_reply),
        ("removed", standing.is_removed),
        ("not_for_us", understanding.intent not in policy.answer),
        ("own_account", standing.is_own_account),
        ("unanswerable", message.is_anonymous or not message.is_answerable),
        ("hidden", standing.is_hidden),
        ("too_old", now - message.sent_at > policy.oldest_answer),
        ("human_answers", human_at is not None and now - human_at < policy.hands_off),
        ("cool_down", answered_at is not None and now - answered_at < policy.cool_down),
    )
    return next((name for name, applies in nevers if applies), None)


def _why_escalate(
    message: Message,
    understanding: Understanding,
    standing: Standing,
    policy: Policy,
    silence: Silence | None,
) -> list[str]:
    if standing.is_removed:
        return []
    intent, human_at = understanding.intent, standing.human_at
    is_answered = human_at is not None and human_at >= message.sent_at
    causes = (
        (f"intent:{intent}", intent in policy.escalate),
        ("unsure", understanding.unsure),
        ("urgent", understanding.urgency == "high"),
        ("case_open", standing.case_open),
        (
            f"unanswered:{silence}",
            silence is not None and not is_answered and intent in policy.escalate_if_unanswered,
        ),
    )
    return [name for name, applies in causes if applies]
