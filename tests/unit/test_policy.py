"""What may be said, and who must see it: as a support lead would state it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstreply import brand
from firstreply.message import Conversation, Message
from firstreply.policy import Decision, Policy, Standing, decide
from firstreply.understanding import Intent, Understanding

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = brand.policy(cool_down_minutes=30, auto_reply=True)
MESSAGE = Message(
    conversation=Conversation(channel="x", account="brand", customer="ada"),
    id="1",
    network="x",
    kind="mention",
    public=True,
    text="words",
    sent_at=NOW,
)
UNDERSTOOD = Understanding(
    intent="complaint",
    topics=("billing",),
    sentiment="negative",
    urgency="normal",
    journey="complaint",
    language="en",
    confidence=0.9,
    unsure=False,
    reasons=(),
)


def decision(
    intent: Intent,
    standing: Standing | None = None,
    policy: Policy = POLICY,
    now: datetime = NOW,
    **understood: Any,
) -> Decision:
    understanding = replace(UNDERSTOOD, intent=intent, **understood)
    return decide(MESSAGE, understanding, standing or Standing(), policy, now)


@pytest.mark.parametrize(
    ("intent", "silence", "reasons"),
    [
        ("complaint", None, ("intent:complaint",)),
        ("question", None, ()),
        ("praise", None, ()),
        ("other", "not_for_us", ()),
    ],
)
def test_what_is_answered_and_what_a_human_sees(
    intent: Intent, silence: str | None, reasons: tuple[str, ...]
) -> None:
    made = decision(intent)
    assert (made.silence, made.reasons) == (silence, reasons)
    assert made.escalate == bool(reasons)


JUST_ANSWERED = Standing(answered_at=NOW - timedelta(minutes=29))


@pytest.mark.parametrize(
    ("intent", "reasons"),
    [
        ("complaint", ("intent:complaint", "unanswered:cool_down")),
        ("question", ("unanswered:cool_down",)),
        ("praise", ()),
    ],
)
def test_in_the_cool_down_nothing_is_said_and_a_human_takes_over(
    intent: Intent, reasons: tuple[str, ...]
) -> None:
    made = decision(intent, JUST_ANSWERED)
    assert (made.silence, made.reasons) == ("cool_down", reasons)


def test_the_cool_down_ends() -> None:
    assert decision("praise", Standing(answered_at=NOW - timedelta(minutes=30))).silence is None


def test_the_kill_switch_silences_everything_and_loses_nothing() -> None:
    off = brand.policy(cool_down_minutes=30, auto_reply=False)
    for intent in get_args(Intent.__value__):
        assert decision(intent, policy=off).silence == "auto_reply_off"
    assert decision("question", policy=off).reasons == ("unanswered:auto_reply_off",)


def test_an_instant_answer_is_not_given_hours_later() -> None:
    assert decision("question", now=NOW + timedelta(hours=6)).silence is None
    late = decision("question", now=NOW + timedelta(hours=6, seconds=1))
    assert (late.silence, late.reasons) == ("too_old", ("unanswered:too_old",))


def test_what_is_not_understood_or_urgent_or_belongs_to_a_case_is_seen_by_a_human() -> None:
    assert decision("praise", unsure=True).reasons == ("unsure",)
    assert decision("praise", Standing(case_open=True)).reasons == ("case_open",)
    urgent = decision("question", urgency="high")
    assert (urgent.reasons, urgent.priority) == (("urgent",), "high")


def test_the_due_time_counts_from_when_the_customer_wrote() -> None:
    later = NOW + timedelta(minutes=40)
    assert decision("complaint", now=later).due_at == NOW + timedelta(minutes=60)
    assert decision("complaint", urgency="high", now=later).due_at == NOW + timedelta(minutes=15)


@given(
    intent=st.sampled_from(get_args(Intent.__value__)),
    urgency=st.sampled_from(["high", "normal"]),
    unsure=st.booleans(),
    answered_before=st.none() | st.integers(-10_000, 10_000),
    age=st.integers(-10_000, 10_000),
    case_open=st.booleans(),
    auto_reply=st.booleans(),
    cool_down=st.integers(0, 10_000),
)
def test_it_always_decides_the_same_and_never_against_a_never(
    intent: Intent,
    urgency: Any,
    unsure: bool,
    answered_before: int | None,
    age: int,
    case_open: bool,
    auto_reply: bool,
    cool_down: int,
) -> None:
    policy = brand.policy(cool_down_minutes=cool_down, auto_reply=auto_reply)
    answered_at = None if answered_before is None else NOW - timedelta(minutes=answered_before)
    standing = Standing(answered_at=answered_at, case_open=case_open)
    message = replace(MESSAGE, sent_at=NOW - timedelta(minutes=age))
    understanding = replace(UNDERSTOOD, intent=intent, urgency=urgency, unsure=unsure)
    made = decide(message, understanding, standing, policy, NOW)
    assert made == decide(message, understanding, standing, policy, NOW)
    if made.silence is None:
        assert auto_reply
        assert intent in policy.answer
        assert age <= 360
        assert answered_before is None or answered_before >= cool_down
    assert made.escalate == bool(made.reasons)
    if intent == "complaint" or (intent == "question" and made.silence):
        assert made.escalate
