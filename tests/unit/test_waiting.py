"""How long customers wait is measured, once for each, and never invented; and what it is called."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstreply.conversations import Conversations, Remembered
from firstreply.hours import WEEKDAYS, Hours
from firstreply.message import Conversation, Message
from firstreply.policy import Decision
from firstreply.reference import ALPHABET, LENGTH, reference
from firstreply.understanding import Intent, Understanding
from firstreply.waiting import ENOUGH, MOST, Waiting
from tests.aws import World

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADA = Conversation(channel="meta", account="page", customer="ada")
PROMISE = timedelta(hours=4)


def open_from(hours: str) -> Hours:
    return Hours.model_validate({"time_zone": "UTC", "open": {day: [hours] for day in WEEKDAYS}})


ALWAYS, MORNINGS = open_from("00:00-24:00"), open_from("00:00-12:00")


@pytest.fixture
def conversations(stack: World) -> Conversations:
    return Conversations(boto3.resource("dynamodb").Table("conversations"), timedelta(days=90))


def waiting(conversations: Conversations, at: datetime = NOW, **more: Any) -> Waiting:
    given_: dict[str, Any] = {"hours": ALWAYS, "promise": None, **more}
    return Waiting(conversations=conversations, clock=lambda: at, **given_)


def wrote(
    conversations: Conversations,
    id: str,
    at: datetime,
    intent: Intent = "question",
    who: str = "ada",
) -> Conversation:
    where = replace(ADA, customer=who)
    message = Message(
        conversation=where,
        id=id,
        network="messenger",
        kind="message",
        public=False,
        text="words",
        sent_at=at,
    )
    understanding = Understanding(
        intent=intent,
        topics=("other",),
        sentiment="neutral",
        urgency="normal",
        journey="customer",
        language="en",
        confidence=0.9,
        unsure=False,
        reasons=(),
    )
    decision = Decision(escalate=True, priority="normal", due_at=at, reasons=())
    remembered = Remembered(message=message, understanding=understanding, decision=decision)
    conversations.remember(remembered, at)
    return where


def answered(conversations: Conversations, where: Conversation, at: datetime) -> None:
    waiting(conversations, at).note(where, at)
    conversations.human_spoke(where, at, at)


def waits(stack: World) -> list[int]:
    return [int(one["seconds"]) for item in stack.items("WAITS#") for one in item["waits"]]


def test_a_wait_is_from_the_first_unanswered_message_and_counts_once(
    stack: World, conversations: Conversations
) -> None:
    wrote(conversations, "1", NOW, "other")
    wrote(conversations, "2", NOW + timedelta(minutes=1))
    wrote(conversations, "3", NOW + timedelta(minutes=9), "complaint")
    for _ in range(2):  # also if the first try crashed before it noted the human
        waiting(conversations).note(ADA, NOW + timedelta(minutes=11))
    answered(conversations, ADA, NOW + timedelta(minutes=11))
    answered(conversations, ADA, NOW + timedelta(minutes=12))  # nothing was open any more
    assert waits(stack) == [600]
    wrote(conversations, "4", NOW + timedelta(minutes=20))
    answered(conversations, ADA, NOW + timedelta(minutes=25))
    assert waits(stack) == [300]  # of one customer the last


def test_nobody_alone_tells_how_long_others_wait(conversations: Conversations) -> None:
    for number in range(2 * ENOUGH):
        at = NOW + timedelta(minutes=10 * number)
        wrote(conversations, str(number), at)
        answered(conversations, ADA, at + timedelta(seconds=20))
    later = NOW + timedelta(minutes=20 * ENOUGH)
    assert waiting(conversations, later).expected(ADA) is None


def test_who_was_never_waiting_was_not_kept_waiting(
    stack: World, conversations: Conversations
) -> None:
    answered(conversations, ADA, NOW)
    wrote(conversations, "1", NOW + timedelta(minutes=1), "praise")
    answered(conversations, ADA, NOW + timedelta(minutes=2))
    assert stack.items("WAITS#") == []


def measure(
    conversations: Conversations, minutes: list[int], at: datetime = NOW, **more: Any
) -> None:
    for number, wait in enumerate(minutes):
        said_at = at + timedelta(minutes=number)
        where = wrote(conversations, f"{at.hour}-{number}", said_at, who=f"{at.hour}-{number}")
        waiting(conversations, **more).note(where, said_at + timedelta(minutes=wait))


def test_too_few_say_nothing_and_then_the_promise_counts_if_there_is_one(
    conversations: Conversations,
) -> None:
    measure(conversations, [10] * (ENOUGH - 1))
    assert waiting(conversations).expected(ADA) is None
    assert waiting(conversations, promise=PROMISE).expected(ADA) == PROMISE


def test_enough_of_them_count_by_their_median_and_more_than_any_promise(
    conversations: Conversations,
) -> None:
    measure(conversations, [10, 10, 10, 10, 20, 20, 20, 6000, 6000])
    assert waiting(conversations, promise=PROMISE).expected(ADA) == timedelta(minutes=20)


def test_open_and_closed_hours_are_not_mixed_nor_are_accounts(
    conversations: Conversations,
) -> None:
    measure(conversations, [10] * 8, NOW - timedelta(hours=3), hours=MORNINGS)
    measure(conversations, [600] * 8, NOW + timedelta(hours=6), hours=MORNINGS)
    morning, evening = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    for at, minutes in ((morning, 10), (evening, 600)):
        found = waiting(conversations, at, hours=MORNINGS).expected(ADA)
        assert found == timedelta(minutes=minutes)
    other = replace(ADA, account="another")
    assert waiting(conversations, hours=MORNINGS, promise=PROMISE).expected(other) is None


def test_only_the_last_ones_are_kept(stack: World, conversations: Conversations) -> None:
    measure(conversations, [60] * 15 + [5] * MOST)
    assert waits(stack) == [300] * MOST
    measure(conversations, [60], NOW - timedelta(hours=5))  # an old one that comes late
    assert waits(stack) == [300] * MOST


def test_each_wait_is_counted_once_also_one_too_old_to_be_kept(
    conversations: Conversations, capfd: pytest.CaptureFixture[str]
) -> None:
    measure(conversations, [5] * MOST)
    capfd.readouterr()
    where = wrote(conversations, "late", NOW - timedelta(hours=5), who="patient")
    answered(conversations, where, NOW)
    answered(conversations, where, NOW)  # told again
    ada = wrote(conversations, "1", NOW + timedelta(hours=1))
    for _ in range(2):  # also if the first try crashed before it noted the human
        waiting(conversations).note(ada, NOW + timedelta(hours=2))
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    counted = [(one["HumanAnswerSeconds"], one["channel"], one["hours"]) for one in lines]
    assert counted == [([5 * 3600.0], "meta", "open"), ([3600.0], "meta", "open")]


def test_it_is_read_once_in_five_minutes(conversations: Conversations) -> None:
    at = [NOW]
    one = replace(waiting(conversations), clock=lambda: at[0])
    assert one.expected(ADA) is None
    measure(conversations, [10] * 8)
    at[0] += timedelta(minutes=4)
    assert one.expected(ADA) is None
    at[0] += timedelta(minutes=2)
    assert one.expected(ADA) == timedelta(minutes=10)


# --- what a conversation is called ----------------------------------------------------------------

ids = st.text(min_size=1, max_size=20)


@given(channel=ids, account=ids, customer=ids)
def test_a_reference_is_the_conversation_s_own_and_can_be_read_aloud(
    channel: str, account: str, customer: str
) -> None:
    one = Conversation(channel=channel, account=account, customer=customer)
    found = reference(one)
    assert found == reference(Conversation.of_key(one.key))
    assert len(found) == LENGTH
    assert set(found) <= set(ALPHABET)
    assert not set("01258ILOSUBZAEU") & set(ALPHABET)


def test_a_thousand_conversations_have_a_thousand_references() -> None:
    found = {reference(replace(ADA, customer=str(number))) for number in range(1000)}
    assert len(found) == 1000
