"""What may be said now, where, and who has to see it: one pure function over data.

classify asks when a message arrives, respond asks again at the moment of sending.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from firstreply.escalation import Facts, Haste, Priority, Row, why
from firstreply.hours import Hours
from firstreply.message import Message, Reach
from firstreply.privacy import Kind
from firstreply.understanding import Alarm, Intent, Topic, Understanding
from firstreply.voice import Place, Purpose

# An automatic notice says so in its first lines; and nobody is to wait for a book.
_LONGEST_READ = 4_000

type Probability = Annotated[float, Field(ge=0, le=1)]


class ComplaintBands(BaseModel):
    """What the probability of a complaint means: from `sure` on it is one, below `none` it is
    none, and between the two a human looks."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    sure: Probability
    none: Probability

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.none > self.sure:
            raise ValueError("none must not be above sure")
        return self

    def is_unsure(self, complaint: float) -> bool:
        return self.none <= complaint < self.sure


class Rules(BaseModel):
    """What a brand decides: most of brand/policy.yaml, where each is described."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    answer: frozenset[Intent]
    answer_if_unsure: frozenset[Intent]
    take_on_if_unsure: frozenset[Literal["public", "private"]]
    most_answers_a_day: PositiveInt
    automated: tuple[str, ...]
    private_topics: frozenset[Topic]
    private_alarms: frozenset[Alarm]
    continue_in_private: frozenset[str]
    invite_to_private: frozenset[str]
    grave_alarms: frozenset[Alarm]
    keep_in_private: frozenset[Kind]
    escalate: tuple[Row, ...]
    failed_reply: Haste
    promise_minutes: PositiveInt | None = None
    hours: Hours
    complaint_bands: ComplaintBands
    bedrock_sure: Probability
    links_on: frozenset[str]
    long_answers: Mapping[str, Literal["thread", "refuse"]] = {}

    @model_validator(mode="after")
    def _keeps_the_promises(self) -> Self:
        """What no brand may switch off: silence is worse than a late human."""
        alone = [next(iter(row.conditions.items())) for row in self.escalate if row.is_simple]
        if not any(name == "unsure" for name, _ in alone):
            raise ValueError("escalate needs a row of nothing but unsure: true")
        if not any(name == "intent" and "complaint" in value for name, value in alone):
            raise ValueError("escalate needs a row of nothing but intent: complaint")
        return self


class Policy(Rules):
    """The brand's rules with the stack's parameters."""

    oldest_answer: timedelta
    hands_off: timedelta
    repeated_within: timedelta
    cool_down: timedelta
    auto_reply: bool

    @property
    def promise(self) -> timedelta | None:
        """Within which policy promises an answer, while nothing is measured."""
        return timedelta(minutes=self.promise_minutes) if self.promise_minutes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand.

    In the conversation: `answered_at`, our last automatic answer to another message;
    `answers_today`, to how many other messages this day (UTC); `human_at`, when a human last spoke
    for the brand; `erased_until`, up to when the customer wants nothing kept; `opted_out`, they
    want no automatic answers; `chosen_by`, the message that asked for that, or for its end;
    `case_open`, it has an open case, `open_since` when; `closed_at`, when it was closed last.
    Of the message itself, or of who wrote it: whether it is removed, hidden by a moderator, from an
    account of our own, what the same person has said just before, word by word, or what they say
    to a ready answer; and `reach`, where and until when the platform takes an answer (None: that is
    not known, and no limit).
    """

    answered_at: datetime | None = None
    answers_today: int = 0
    human_at: datetime | None = None
    erased_until: datetime | None = None
    opted_out: bool = False
    chosen_by: str | None = None
    case_open: bool = False
    open_since: datetime | None = None
    closed_at: datetime | None = None
    is_removed: bool = False
    is_hidden: bool = False
    is_own_account: bool = False
    is_repeated: bool = False
    follows_ready_answer: bool = False
    reach: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyAnswer:
    """One of brand/answers.yaml, in the customer's language."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What the brand's own data knows of a message: that it asks us to stop, or to start again, or
    asks for a human; the brand's `answer` to it, if one surely fits, or the `candidates` that may,
    best first."""

    command: Literal["stop", "start"] | None = None
    asks_for_human: bool = False
    answer: ReadyAnswer | None = None
    candidates: tuple[ReadyAnswer, ...] = ()


NOTHING = Recognised()

type Silence = Literal[
    "auto_reply_off",
    "removed",
    "opted_out",
    "not_for_us",
    "own_account",
    "other_account",
    "unanswerable",
    "hidden",
    "automated",
    "unsure",
    "window_closed",
    "too_old",
    "human_answered",
    "human_answers",
    "cool_down",
    "daily_cap",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`silence` says why nothing is answered, None if it is; `reasons` why a human sees it, and
    by `due_at`. `purpose` is what is said, or would be, and `place` where; None if nothing.
    `both`: briefly in public, and then in private; `continues`: by a second answer of ours, and not
    by an invitation alone."""

    silence: Silence | None = None
    escalate: bool
    priority: Priority
    due_at: datetime
    reasons: tuple[str, ...]
    purpose: Purpose | None = None
    place: Place = "public"
    continues: bool = False
    is_grave: bool = False
    asks_removal: bool = False
    answer: ReadyAnswer | None = None


def decide(
    message: Message,
    understanding: Understanding,
    standing: Standing,
    policy: Policy,
    now: datetime,
    recognised: Recognised = NOTHING,
    *,
    found: Silence | None = None,
) -> Decision:
    """Total and deterministic. Silence is worse than a late human: what is not answered though it
    should be, and what is not understood, goes to one. `found`: what forbids an answer as was found
    elsewhere, by the outbox."""
    is_grave = not policy.grave_alarms.isdisjoint(understanding.alarms)
    purpose = _purpose(message, understanding, standing, policy, recognised)
    open_in = _open_in(message, standing, now)
    silence = found or _silence(message, understanding, standing, policy, now, purpose, open_in)
    haste, reasons = _why_escalate(
        message, understanding, standing, policy, recognised, silence, purpose
    )
    place, continues = _place(message, understanding, policy, purpose, open_in)
    return Decision(
        silence=silence,
        escalate=bool(reasons),
        priority=haste.priority,
        due_at=_due_at(message.sent_at, haste, policy.hours),
        reasons=reasons,
        purpose=purpose,
        place=place,
        continues=continues,
        is_grave=is_grave,
        asks_removal=message.public and bool(message.personal_data) and purpose is not None,
        answer=recognised.answer if purpose == "known_answer" else None,
    )


# --- what -------------------------------------------------------------------------------------

_COMMANDS: Mapping[str, Purpose] = {"stop": "stopped", "start": "started"}
# What says that a human will look: then one will, whatever the rows of `escalate` say.
_PROMISES: frozenset[Purpose | None] = frozenset({"complaint", "question", "unclear"})
_HELPED: frozenset[Purpose | None] = frozenset({"praise", "known_answer"})
# What is answered as another intent than its name says.
_INTENTS: Mapping[Purpose | None, Intent] = {"known_answer": "question", "unclear": "question"}


def _purpose(
    message: Message,
    understanding: Understanding,
    standing: Standing,
    policy: Policy,
    recognised: Recognised,
) -> Purpose | None:
    """None: nothing that is answered. A kind word is not for what is grave or urgent, and neither
    is silence: that is taken on, whatever else it says."""
    if recognised.command:  # one that changes nothing is confirmed by nothing
        is_news = standing.chosen_by == message.id
        return _COMMANDS[recognised.command] if is_news else None
    taken_on = (
        recognised.asks_for_human
        or not (policy.grave_alarms | policy.private_alarms).isdisjoint(understanding.alarms)
        or _is_unclear(message, understanding, policy)
    )
    match understanding.intent:
        case "praise" if understanding.alarms:
            return "unclear"
        case "praise" | "other" if taken_on:
            return "unclear"
        case "other":
            return None
        case "question" if recognised.answer and not understanding.alarms:
            return "known_answer"
        case intent:
            return intent


# A number, a question mark, an angry face: more than chatter, where people write to the brand.
_WANTS_SOMETHING = re.compile("[0-9?؟？😠😡🤬]")


def _is_unclear(message: Message, understanding: Understanding, policy: Policy) -> bool:
    read_in = "public" if message.public else "private"
    wants_something = not message.public and bool(_WANTS_SOMETHING.search(message.text))
    is_doubtful = understanding.unsure or (understanding.intent == "other" and wants_something)
    return is_doubtful and read_in in policy.take_on_if_unsure


# --- whether ----------------------------------------------------------------------------------


def _silence(
    message: Message,
    understanding: Understanding,
    standing: Standing,
    policy: Policy,
    now: datetime,
    purpose: Purpose | None,
    open_in: frozenset[str],
) -> Silence | None:
    answered_at, human_at = standing.answered_at, standing.human_at
    # A person who asks us to stop gets that one answer at once; the day's limit ends a loop.
    is_command = purpose in _COMMANDS.values()
    nevers: tuple[tuple[Silence, bool], ...] = (
        ("auto_reply_off", not policy.auto_reply),
        ("removed", standing.is_removed),
        ("opted_out", standing.opted_out and purpose != "stopped"),
        ("not_for_us", not (is_command or _INTENTS.get(purpose, purpose) in policy.answer)),
        ("own_account", standing.is_own_account),
        ("unanswerable", message.is_anonymous or not message.is_answerable),
        ("hidden", standing.is_hidden),
        ("automated", not is_command and _is_automated(message, standing, policy)),
        ("unsure", _is_too_unsure(understanding, policy, purpose)),
        ("window_closed", not open_in),
        ("too_old", now - message.sent_at > policy.oldest_answer),
        ("human_answered", human_at is not None and human_at >= message.sent_at),
        ("human_answers", _is_human_s(standing, policy, now)),
        (
            "cool_down",
            not is_command and answered_at is not None and now - answered_at < policy.cool_down,
        ),
        ("daily_cap", standing.answers_today >= policy.most_answers_a_day),
    )
    return next((name for name, applies in nevers if applies), None)


def _is_human_s(standing: Standing, policy: Policy, now: datetime) -> bool:
    """Whether a human has taken the conversation on: until the case is closed, that they have
    answered in. Without a case, or from before it was opened, for as long as the brand says."""
    human_at, since, closed_at = standing.human_at, standing.open_since, standing.closed_at
    if human_at is None:
        return False
    if standing.case_open and (since is None or human_at >= since):
        return True
    return (closed_at is None or human_at > closed_at) and now - human_at < policy.hands_off


def _is_too_unsure(understanding: Understanding, policy: Policy, purpose: Purpose | None) -> bool:
    """What may be meant otherwise gets no thanks."""
    is_as_said = purpose == understanding.intent
    return is_as_said and understanding.unsure and purpose not in policy.answer_if_unsure


def _is_automated(message: Message, standing: Standing, policy: Policy) -> bool:
    return standing.is_repeated or sounds_automated(message.text, policy.automated)


def sounds_automated(text: str, phrases: Iterable[str]) -> bool:
    """Whether a machine wrote it, by what such machines say of themselves."""
    said = f" {_plain(text[:_LONGEST_READ])} "
    return any(f" {_plain(phrase)} " in said for phrase in phrases)


def same_words(text: str, other: str) -> bool:
    """Whether somebody who wrote both has said the same twice; a picture alone says nothing."""
    plain = _plain(text[:_LONGEST_READ])
    return bool(plain) and plain == _plain(other[:_LONGEST_READ])


@lru_cache(maxsize=512)
def _plain(text: str) -> str:
    """The words: capitals, accents, apostrophes and marks make no difference."""
    spelt = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(char for char in spelt if not unicodedata.combining(char))
    return " ".join(re.findall(r"\w+", re.sub("['’]", "", letters)))


# --- where ------------------------------------------------------------------------------------


def _open_in(message: Message, standing: Standing, now: datetime) -> frozenset[str]:
    """Where the platform still takes an answer."""
    reach = standing.reach
    if reach is None:
        return frozenset({"public", "private"} if message.public else {"private"})
    until = {"public": reach.public, "private": reach.private}
    return frozenset(place for place, end in until.items() if end is not None and now <= end)


def _place(
    message: Message,
    understanding: Understanding,
    policy: Policy,
    purpose: Purpose | None,
    open_in: frozenset[str],
) -> tuple[Place, bool]:
    """And whether we continue in private ourselves."""
    if not message.public or open_in == {"private"}:
        return "private", False
    channel = message.conversation.channel
    can_continue = "private" in open_in and channel in policy.continue_in_private
    can_invite = channel in policy.invite_to_private
    is_private = _is_private(message, understanding, policy, purpose)
    if not is_private or not (can_continue or can_invite):
        return "public", False
    return "both", can_continue


def _is_private(
    message: Message, understanding: Understanding, policy: Policy, purpose: Purpose | None
) -> bool:
    """Whether it concerns what is nobody else's business. How something works in general, and
    thanks, are for everybody to read."""
    if purpose is not None and message.personal_data:
        return True
    return purpose in ("complaint", "question", "unclear") and not (
        policy.private_topics.isdisjoint(understanding.topics)
        and policy.private_alarms.isdisjoint(understanding.alarms)
    )


# --- who has to see it ------------------------------------------------------------------------


def _why_escalate(
    message: Message,
    understanding: Understanding,
    standing: Standing,
    policy: Policy,
    recognised: Recognised,
    silence: Silence | None,
    purpose: Purpose | None,
) -> tuple[Haste, tuple[str, ...]]:
    if standing.is_removed:
        return policy.failed_reply, ()
    is_command = recognised.command is not None
    human_answered = standing.human_at is not None and standing.human_at >= message.sent_at
    facts = Facts(
        # "Stop" is understood, whatever a classifier makes of one word.
        intent="other" if is_command else understanding.intent,
        topics=understanding.topics,
        alarms=() if is_command else understanding.alarms,
        personal_data=message.personal_data,
        urgency="normal" if is_command else understanding.urgency,
        confidence=1.0 if is_command else understanding.confidence,
        is_unsure=understanding.unsure and not is_command,
        is_case_open=standing.case_open,
        silence=silence,
        is_answered=human_answered
        or silence == "other_account"
        or (silence is None and purpose == "known_answer"),
    )
    haste, reasons = why(policy.escalate, facts)
    if recognised.asks_for_human:
        reasons = ("asked_for_human", *reasons)
    elif not reasons and not is_command and not facts.is_answered:
        reasons = ("promised",) if _is_promised(standing, silence, purpose) else ()
    return haste or policy.failed_reply, reasons


def _is_promised(standing: Standing, silence: Silence | None, purpose: Purpose | None) -> bool:
    """Whether our own words say that a human looks: those of now, those of a ready answer before,
    unless it surely helped, or what was said to who wants no automatic answers."""
    if silence is None:
        return purpose in _PROMISES or (standing.follows_ready_answer and purpose not in _HELPED)
    return (standing.follows_ready_answer or standing.opted_out) and purpose != "praise"


def _due_at(said_at: datetime, haste: Haste, hours: Hours) -> datetime:
    """What is of the highest priority waits for no opening."""
    if haste.priority == "highest":
        return said_at + timedelta(minutes=haste.due_minutes)
    return hours.due(said_at, haste.due_minutes).astimezone(UTC)
