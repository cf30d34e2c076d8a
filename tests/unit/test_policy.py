"""What may be said, and who must see it: as a support lead would state it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from firstreply import brand
from firstreply.escalation import Row
from firstreply.message import Conversation, Message, Reach
from firstreply.policy import Decision, Policy, ReadyAnswer, Recognised, Standing, decide
from firstreply.privacy import KINDS
from firstreply.understanding import Alarm, Intent, Topic, Understanding

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday, and people are there
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
        ("question", None, ("unanswered",)),
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
        ("question", ("unanswered", "unanswered:cool_down")),
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
    reasons = ("unanswered", "unanswered:auto_reply_off")
    assert decision("question", policy=off).reasons == reasons


def test_an_instant_answer_is_not_given_hours_later() -> None:
    assert decision("question", now=NOW + timedelta(hours=6)).silence is None
    late = decision("question", now=NOW + timedelta(hours=6, seconds=1))
    assert (late.silence, late.reasons) == ("too_old", ("unanswered", "unanswered:too_old"))


def test_what_is_not_understood_or_urgent_or_belongs_to_a_case_is_seen_by_a_human() -> None:
    assert decision("praise", unsure=True).reasons == ("unsure",)
    assert decision("praise", Standing(case_open=True)).reasons == ("case_open",)
    urgent = decision("question", urgency="high")
    assert (urgent.reasons, urgent.priority) == (("urgent", "unanswered"), "high")


def test_the_due_time_counts_from_when_the_customer_wrote() -> None:
    later = NOW + timedelta(minutes=40)
    assert decision("complaint", now=later).due_at == NOW + timedelta(minutes=60)
    assert decision("complaint", urgency="high", now=later).due_at == NOW + timedelta(minutes=15)


# --- properties -----------------------------------------------------------------------------------

moments = st.none() | st.integers(-3_000, 10_000).map(
    lambda minutes: NOW - timedelta(minutes=minutes)
)
ALARMS = get_args(Alarm.__value__)
topics = st.lists(st.sampled_from(get_args(Topic.__value__)), max_size=3).map(tuple)
understandings = st.builds(
    Understanding,
    intent=st.sampled_from(get_args(Intent.__value__)),
    # Another version may have known more alarms and topics than this one.
    topics=topics | st.just(("something new",)),
    sentiment=st.just("neutral"),
    urgency=st.sampled_from(["high", "normal"]),
    journey=st.just("customer"),
    language=st.sampled_from(["en", "de", "tlh"]),
    confidence=st.floats(0, 1),
    unsure=st.booleans(),
    reasons=st.just(()),
    alarms=st.lists(st.sampled_from([*ALARMS, "something new"]), max_size=3).map(tuple),
)
standings = st.builds(
    Standing,
    answered_at=moments,
    answers_today=st.integers(0, 10),
    human_at=moments,
    opted_out=st.booleans(),
    chosen_by=st.sampled_from([None, "1", "2"]),
    case_open=st.booleans(),
    open_since=moments,
    closed_at=moments,
    is_removed=st.booleans(),
    is_hidden=st.booleans(),
    is_own_account=st.booleans(),
    is_repeated=st.booleans(),
    reach=st.none() | st.builds(Reach, public=moments, private=moments),
)
messages = st.builds(
    replace,
    st.just(MESSAGE),
    sent_at=st.integers(-100, 10_000).map(lambda minutes: NOW - timedelta(minutes=minutes)),
    text=st.sampled_from(["words", "This is an automated reply", "", "stop"]),
    public=st.booleans(),
    is_anonymous=st.booleans(),
    is_answerable=st.booleans(),
    personal_data=st.lists(st.sampled_from([*KINDS, "something new"]), max_size=2).map(tuple),
    conversation=st.sampled_from(["meta", "x"]).map(
        lambda name: Conversation(channel=name, account="brand", customer="ada")
    ),
)
policies = st.builds(
    lambda cool_down, auto_reply, invites: brand.policy(
        cool_down_minutes=cool_down, auto_reply=auto_reply
    ).model_copy(update={"invite_to_private": frozenset(invites)}),
    st.integers(0, 10_000),
    st.booleans(),
    st.sets(st.sampled_from(["x"])),
)
HOURS = ReadyAnswer(name="hours", text="We are open from nine.")
recognitions = st.builds(
    Recognised,
    command=st.sampled_from([None, None, "stop", "start"]),
    asks_for_human=st.sampled_from([False, False, True]),
    answer=st.none() | st.just(HOURS),
    candidates=st.just((HOURS,)),
)
SITUATION = {
    "message": messages,
    "understanding": understandings,
    "standing": standings,
    "policy": policies,
    "recognised": recognitions,
    "found": st.sampled_from([None, None, None, "cool_down", "daily_cap", "other_account"]),
}
COMMANDS = ("stopped", "started")


@given(**SITUATION)
def test_it_always_decides_and_always_the_same(
    message: Message, understanding: Understanding, standing: Standing, policy: Policy, **more: Any
) -> None:
    recognised, found = more["recognised"], more["found"]
    made, again = (
        decide(message, understanding, standing, policy, NOW, recognised, found=found)
        for _ in range(2)
    )
    assert made == again
    assert made.escalate == bool(made.reasons)
    assert made.due_at > message.sent_at
    assert TypeAdapter(Decision).validate_json(TypeAdapter(Decision).dump_json(made)) == made


@given(**SITUATION)
def test_it_never_sends_against_a_never(
    message: Message, understanding: Understanding, standing: Standing, policy: Policy, **more: Any
) -> None:
    recognised, found = more["recognised"], more["found"]
    made = decide(message, understanding, standing, policy, NOW, recognised, found=found)
    if made.silence is not None:
        return
    is_command = made.purpose in COMMANDS
    answered_at, human_at, reach = standing.answered_at, standing.human_at, standing.reach
    assert found is None
    assert policy.auto_reply
    assert made.purpose
    assert not standing.opted_out or made.purpose == "stopped"
    assert not standing.is_removed
    assert not standing.is_hidden
    assert not standing.is_own_account
    assert message.is_answerable
    assert not message.is_anonymous
    assert not standing.is_repeated
    assert "automated" not in message.text
    kind = {"known_answer": "question", "unclear": "question"}.get(made.purpose, made.purpose)
    assert is_command or kind in policy.answer
    is_chatter = message.public and understanding.intent == "other" and not understanding.alarms
    assert is_command or recognised.asks_for_human or not is_chatter
    assert NOW - message.sent_at <= policy.oldest_answer
    assert human_at is None or human_at < message.sent_at
    assert not is_human_s(standing, policy)
    assert is_command or answered_at is None or NOW - answered_at >= policy.cool_down
    assert standing.answers_today < policy.most_answers_a_day
    if reach:
        ends = {"public": reach.public, "private": reach.private}
        used = {"both": ["public"], "public": ["public"], "private": ["private"]}[made.place]
        used += ["private"] if made.continues else []
        assert all(end is not None and end >= NOW for end in map(ends.get, used)) or (
            not message.public
        )


def is_human_s(standing: Standing, policy: Policy) -> bool:
    """As a support lead would say it: whoever answered in the open case has it until it is closed;
    else, since the last closing, for as long as the brand says."""
    human_at, since, closed_at = standing.human_at, standing.open_since, standing.closed_at
    if human_at is None:
        return False
    has_the_open_case = standing.case_open and (since is None or human_at >= since)
    is_before_the_closing = closed_at is not None and human_at <= closed_at
    return has_the_open_case or (not is_before_the_closing and NOW - human_at < policy.hands_off)


@pytest.mark.parametrize("hours", [1, 25, 1_000])
def test_a_human_keeps_an_open_case_and_gives_a_closed_one_back(hours: int) -> None:
    human_at = NOW - timedelta(hours=hours)
    opened_at = human_at - timedelta(minutes=5)
    an_open_one = Standing(human_at=human_at, case_open=True, open_since=opened_at)
    assert decision("complaint", an_open_one).silence == "human_answers"
    closed = Standing(human_at=human_at, closed_at=human_at + timedelta(minutes=5))
    assert decision("complaint", closed).silence is None
    reopened = replace(closed, case_open=True, open_since=NOW - timedelta(minutes=1))
    assert decision("complaint", reopened).silence is None
    no_case = decision("complaint", Standing(human_at=human_at)).silence
    assert no_case == ("human_answers" if hours < 24 else None)


@given(**SITUATION)
def test_a_human_sees_what_nobody_else_can_solve(
    message: Message, understanding: Understanding, standing: Standing, policy: Policy, **more: Any
) -> None:
    recognised, found = more["recognised"], more["found"]
    made = decide(message, understanding, standing, policy, NOW, recognised, found=found)
    if standing.is_removed:
        assert not made.escalate
    elif recognised.asks_for_human:
        assert made.escalate
    elif recognised.command is None:
        at_once = {"self_harm", "safety", "legal", "data_protection", "press"}
        if at_once & set(understanding.alarms):
            assert (made.escalate, made.priority) == (True, "highest")
            assert made.due_at == message.sent_at + timedelta(minutes=15)
        human_at = standing.human_at
        is_answered = human_at is not None and human_at >= message.sent_at
        is_told = made.silence is None and made.purpose == "known_answer"
        if understanding.intent == "question" and not (
            is_answered or is_told or made.silence == "other_account"
        ):
            assert made.escalate
        assert made.escalate or not (understanding.unsure or understanding.intent == "complaint")


@given(**SITUATION)
def test_nothing_cheerful_is_said_to_what_is_grave_urgent_or_not_surely_praise(
    message: Message, understanding: Understanding, standing: Standing, policy: Policy, **more: Any
) -> None:
    made = decide(message, understanding, standing, policy, NOW, more["recognised"])
    if made.silence is None and made.purpose == "praise":
        assert not understanding.alarms
        assert not understanding.unsure
        assert not made.is_grave


@given(**SITUATION)
def test_who_is_told_that_a_human_looks_is_seen_by_one(
    message: Message, understanding: Understanding, standing: Standing, policy: Policy, **more: Any
) -> None:
    rows = tuple(row for row in policy.escalate if row.is_simple and "question" not in str(row))
    fewer = policy.model_copy(update={"escalate": rows})
    made = decide(message, understanding, standing, fewer, NOW, more["recognised"])
    if made.silence is None and made.purpose in ("complaint", "question", "unclear"):
        assert made.escalate


def test_a_policy_that_hides_complaints_or_what_is_unsure_is_refused() -> None:
    for wanted in ({"intent": "complaint"}, {"unsure": True}):
        rows = [{**wanted, "priority": "normal", "due_minutes": 60}]
        with pytest.raises(ValidationError, match="escalate needs a row"):
            Policy.model_validate(dict(POLICY) | {"escalate": rows})


@pytest.mark.parametrize(
    "row",
    [
        {"priority": "normal", "due_minutes": 60},
        {"alarm": "weather", "priority": "normal", "due_minutes": 60},
        {"intent": [], "priority": "normal", "due_minutes": 60},
        {"intent": "complaint", "priority": "low", "due_minutes": 60},
        {"intent": "complaint", "priority": "normal"},
        {"intents": "complaint", "priority": "normal", "due_minutes": 60},
    ],
)
def test_a_row_that_says_nothing_or_something_unknown_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Row.model_validate(row)


def test_a_decision_of_before_can_still_be_read() -> None:
    stored = {"silence": None, "escalate": True, "priority": "high", "reasons": ["urgent"]}
    found = TypeAdapter(Decision).validate_python({**stored, "due_at": NOW.isoformat()})
    assert (found.purpose, found.place, found.continues) == (None, "public", False)
    understood = TypeAdapter(Understanding).dump_python(UNDERSTOOD)
    del understood["alarms"]
    assert TypeAdapter(Understanding).validate_python(understood) == UNDERSTOOD
