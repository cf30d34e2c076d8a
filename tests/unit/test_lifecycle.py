"""A case is opened, closed and opened again; the helpdesk hears of each once, and what was said."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from firstreply import brand
from firstreply.conversations import Case, Conversations, Remembered, Uttered
from firstreply.message import Conversation, Message
from firstreply.policy import NOTHING, Standing, decide
from firstreply.queues import Complaint, FailedReply, Queue
from firstreply.understanding import Understanding
from functions.escalate import app as escalate
from functions.escalate.cases import Cases
from functions.respond import app as respond
from tests.aws import World
from tests.promises.fuse import Crash, Fuse, fuse_calls
from tests.unit.test_cases import kinds, put
from tests.unit.test_meta_path import agent, happen
from tests.unit.test_path import replies, say

ADA = {"author": {"id": "4711", "name": "Ada"}}
COMPLAINT, AGAIN, THANKS = "My kettle stopped working", "It broke again", "Lovely crew, thank you"
LIFE = ("opened", "reopened", "closed")


def complain(stack: World, customers: httpx.Client, text: str = COMPLAINT) -> dict[str, Any]:
    """What the case is told of it; its acknowledgement is said."""
    sent_at = stack.now().isoformat()
    said = say(customers, "messenger", text, sent_at=sent_at, **ADA)
    stack.drain()
    events = stack.bodies("escalation.fifo")
    return next(e for e in events if e["data"].get("message", {}).get("id") == said["id"])


def ask(
    stack: World,
    event: dict[str, Any],
    id: str = "click-1",
    ahead: timedelta = timedelta(),
    **more: object,
) -> None:
    """An agent asks for something without a word; the helpdesk's clock may be ahead."""
    request = {
        "type": "firstreply.reply.requested.v1",
        "id": id,
        "source": "helpdesk",
        "time": (stack.now() + ahead).isoformat(),
        "data": {
            "conversation": event["data"]["conversation"],
            "author": {"kind": "agent", "name": "Kim"},
            "close_case": True,
            **more,
        },
    }
    stack.sqs.send_message(QueueUrl=stack.urls["reply"], MessageBody=json.dumps(request))


def case(stack: World) -> dict[str, Any]:
    (item,) = stack.items("CASE")
    return item


def later(stack: World, minutes: int = 31) -> None:
    """The cool-down is over."""
    stack._ahead += timedelta(minutes=minutes)


# --- open, closed, open ---------------------------------------------------------------------------


def test_an_agent_s_last_answer_closes_the_case_once_it_is_sent(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    agent(connected, opened, "A new one is on its way", close_case=True)
    sent, closed = connected.bodies("escalation.fifo")
    assert kinds([sent, closed]) == ["reply_sent", "closed"]
    reply = sent["data"]["reply"]
    (_, said) = replies(customers)
    assert (reply["id"], reply["text"]) == (said["id"], said["text"])
    assert reply["author"] == {"kind": "agent", "name": "Kim"}
    assert reply["in_reply_to"] == opened["data"]["message"]["id"]
    assert reply["request_id"] == "note-A new one is on its way"
    assert closed["data"]["closed_by"] == {"kind": "agent", "name": "Kim"}
    assert closed["data"]["conversation"] == opened["data"]["conversation"]
    assert {e["data"]["case_id"] for e in (opened, sent, closed)} == {case(connected)["case_id"]}
    assert case(connected)["is_open"] is False


def test_the_next_complaint_opens_the_same_case_again_and_thanks_do_not(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    ask(connected, opened)
    connected.drain()
    assert kinds(connected.bodies("escalation.fifo")) == ["closed"]
    later(connected)
    say(customers, "messenger", THANKS, sent_at=connected.now().isoformat(), **ADA)
    connected.drain()
    assert connected.bodies("escalation.fifo") == []
    assert case(connected)["is_open"] is False
    later(connected)
    reopened = complain(connected, customers, AGAIN)
    assert kinds([reopened]) == ["reopened"]
    assert reopened["data"]["case_id"] == opened["data"]["case_id"]
    assert reopened["data"]["message"]["text"] == AGAIN
    assert case(connected)["is_open"] is True
    assert len(replies(customers)) == 3
    later(connected)
    ask(connected, opened, "click-2")
    connected.drain()
    assert kinds(connected.bodies("escalation.fifo")) == ["closed"]


def test_closing_twice_is_closing_once(connected: World, customers: httpx.Client) -> None:
    opened = complain(connected, customers)
    for id in ("click-1", "click-1", "click-2"):
        ask(connected, opened, id)
    connected.drain()
    assert kinds(connected.bodies("escalation.fifo")) == ["closed"]
    later(connected)
    complain(connected, customers, AGAIN)
    for id in ("click-1", "click-2"):  # what was asked before it was opened again
        ask(connected, opened, id)
    connected.drain()
    assert connected.bodies("escalation.fifo") == []
    assert case(connected)["is_open"] is True


@pytest.mark.parametrize("minutes", [-60, 0, 60])
def test_which_message_the_agent_saw_counts_whatever_the_helpdesk_s_clock_says(
    connected: World, customers: httpx.Client, minutes: int
) -> None:
    opened = complain(connected, customers)
    later(connected)
    newer = complain(connected, customers, AGAIN)
    ahead, (first, last) = timedelta(minutes=minutes), (_id_of(opened), _id_of(newer))
    ask(connected, opened, "click-1", ahead, in_reply_to=first)
    connected.drain()
    events = connected.bodies("escalation.fifo")
    assert kinds(events) == ["closed", "reopened"]
    assert _id_of(events[1]) == last
    assert case(connected)["is_open"] is True
    ask(connected, opened, "click-2", ahead, in_reply_to=last)
    connected.drain()
    assert kinds(connected.bodies("escalation.fifo")) == ["closed"]
    assert case(connected)["is_open"] is False


def test_a_clock_that_is_ahead_closes_nothing_that_was_told_after_the_request_had_come(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    later(connected)
    ask(connected, opened, ahead=timedelta(minutes=5))
    connected.pump("reply", respond.handler)
    (closing,) = connected.bodies("complaint")
    put(connected, closing)
    say(customers, "messenger", AGAIN, sent_at=connected.now().isoformat(), **ADA)
    while connected.pump_inbox():
        pass
    newest = max(connected.items("MSG#"), key=lambda item: str(item["message"]["sent_at"]))
    message = {"conversation": closing["conversation"], "message_id": newest["message"]["id"]}
    escalate.cases().escalate(Complaint.model_validate(message))
    connected.drain()
    assert kinds(connected.events()) == ["updated", "closed", "reopened"]
    assert case(connected)["is_open"] is True


def _id_of(event: dict[str, Any]) -> str:
    return str(event["data"]["message"]["id"])


def test_a_refused_answer_does_not_close(connected: World, customers: httpx.Client) -> None:
    opened = complain(connected, customers)
    fault = {"on": "messenger", "fault": "window_closed"}
    customers.post("/faults", json=fault).raise_for_status()
    agent(connected, opened, "A new one is on its way", close_case=True)
    assert kinds(connected.bodies("escalation.fifo")) == ["reply_refused"]
    assert case(connected)["is_open"] is True


def test_an_answer_that_is_refused_after_the_closing_opens_the_case_again(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    ask(connected, opened)
    connected.drain()
    fault = {"on": "messenger", "fault": "window_closed"}
    customers.post("/faults", json=fault).raise_for_status()
    agent(connected, opened, "One more thing")
    events = connected.bodies("escalation.fifo")
    assert kinds(events) == ["closed", "reopened", "reply_refused"]
    assert case(connected)["is_open"] is True


def test_what_is_edited_to_need_nobody_leaves_it_closed(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "facebook_comment", COMPLAINT, **ADA)
    connected.drain()
    opened, *_ = connected.bodies("escalation.fifo")
    ask(connected, opened)
    connected.drain()
    happen(customers, "edit", id=said["id"], text="See you there")
    connected.drain()
    assert kinds(connected.bodies("escalation.fifo")) == ["closed", "updated"]
    assert case(connected)["is_open"] is False
    happen(customers, "edit", id=said["id"], text=COMPLAINT)
    connected.drain()
    assert kinds(connected.bodies("escalation.fifo")) == ["reopened"]


def test_a_case_outlives_the_message_that_opened_it(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    complain(connected, customers, AGAIN)
    item = f"MSG#{opened['data']['message']['id']}"
    key = {"conversation": opened["subject"], "item": item}
    connected.conversations.delete_item(Key=key)
    ask(connected, opened)
    connected.drain()
    (closed,) = connected.bodies("escalation.fifo")
    assert (kinds([closed]), closed["data"]["channel"]) == (["closed"], "messenger")
    later(connected)
    assert kinds([complain(connected, customers, "And again it broke")]) == ["reopened"]


def test_nobody_but_an_agent_closes(connected: World, customers: httpx.Client) -> None:
    opened = complain(connected, customers)
    ask(connected, opened, author={"kind": "firstreply"})
    connected.drain()
    assert connected.bodies("escalation.fifo") == []


def test_the_case_lives_as_long_as_its_conversation(
    connected: World, customers: httpx.Client
) -> None:
    complain(connected, customers)
    before = case(connected)["expires_at"]
    later(connected, minutes=60 * 24 * 80)
    complain(connected, customers, AGAIN)
    assert case(connected)["expires_at"] >= before + 80 * 24 * 3600


# --- a human has it -------------------------------------------------------------------------------


def complaint_is_answered(stack: World, customers: httpx.Client) -> bool:
    before = len(replies(customers))
    at = stack.now().isoformat()
    say(customers, "messenger", f"My kettle broke at {at}", sent_at=at, **ADA)
    stack.drain()
    return len(replies(customers)) > before


@pytest.mark.parametrize("who", ["agent", "human"])
def test_who_has_answered_has_the_conversation_until_the_case_is_closed(
    connected: World, customers: httpx.Client, who: str
) -> None:
    opened = complain(connected, customers)
    if who == "agent":
        agent(connected, opened, "I am looking into it")
    else:
        message = opened["data"]["message"]["id"]
        happen(customers, "answer", in_reply_to=message, text="I am looking into it")
        connected.drain()
    later(connected, minutes=60 * 24 * 5)
    assert not complaint_is_answered(connected, customers)
    ask(connected, opened)
    connected.drain()
    assert complaint_is_answered(connected, customers), "as soon as it is closed"
    later(connected)
    assert complaint_is_answered(connected, customers), "nobody has answered since"


def test_a_message_from_before_the_closing_answer_is_not_answered(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    later(connected)
    written = connected.now()
    later(connected, minutes=1)
    agent(connected, opened, "A new one is on its way", close_case=True)
    before = len(replies(customers))
    say(customers, "messenger", AGAIN, sent_at=written.isoformat(), **ADA)
    connected.drain()
    assert len(replies(customers)) == before
    assert kinds(connected.events())[-2:] == ["closed", "reopened"]


# --- our answers ----------------------------------------------------------------------------------


def test_an_answer_without_a_case_costs_no_message(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", THANKS, **ADA)
    connected.pump_inbox()
    connected.pump("reply", respond.handler)
    assert len(replies(customers)) == 1
    assert connected.bodies("complaint") == []


def test_an_answer_that_is_told_first_comes_after_the_opening(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", COMPLAINT, **ADA)
    connected.pump_inbox()
    (message,) = connected.bodies("complaint")
    connected.drain()
    assert kinds(connected.bodies("escalation.fifo")) == ["opened", "reply_sent"]
    put(connected, message)
    connected.drain()
    assert connected.bodies("escalation.fifo") == []


def test_a_case_tells_who_said_what_before(connected: World, customers: httpx.Client) -> None:
    customers.post("/settings", json={"echo": True}).raise_for_status()
    opened = complain(connected, customers)
    agent(connected, opened, "I am looking into it")
    message = opened["data"]["message"]["id"]
    happen(customers, "answer", in_reply_to=message, text="Still looking")
    connected.drain()
    updated = complain(connected, customers, AGAIN)
    history = updated["data"]["history"]
    assert [one["by"] for one in history] == ["customer", "firstreply", "agent", "human"]
    texts = [one["text"] for one in history]
    assert texts[0] == COMPLAINT
    assert texts[2:] == ["I am looking into it", "Still looking"]
    assert history[2]["name"] == "Kim"
    assert [one["public"] for one in history] == [False] * 4


def test_who_was_told_that_an_answer_is_in_doubt_hears_that_it_arrived_after_all(
    connected: World, customers: httpx.Client
) -> None:
    """An agent would say it a second time."""
    opened = complain(connected, customers)
    unclear = {"on": "messenger", "fault": "accept_then_disconnect"}
    customers.post("/faults", json=unclear).raise_for_status()
    blind = {"on": "messenger", "fault": "server_error", "at": "read", "times": 20}
    customers.post("/faults", json=blind).raise_for_status()
    agent(connected, opened, "A new one is on its way")
    assert kinds(connected.bodies("escalation.fifo")) == ["reply_refused"]
    (_, said) = replies(customers)
    page = opened["data"]["conversation"]["account"]
    echo = {
        "sender": {"id": page},
        "recipient": {"id": said["to"]},
        "timestamp": int(connected.now().timestamp() * 1000),
        "message": {
            "mid": said["id"],
            "is_echo": True,
            "text": said["text"],
            "metadata": said["metadata"],
        },
    }
    entry = {"id": page, "time": 1, "messaging": [echo]}
    for nth in range(2):
        body = {"object": "page", "entry": [entry], "n": nth}
        customers.post("/deliver", json={"channel": "meta", "body": body}).raise_for_status()
        connected.drain()
    (sent,) = connected.bodies("escalation.fifo")
    assert kinds([sent]) == ["reply_sent"]
    assert sent["data"]["reply"]["id"] == said["id"]
    assert len(replies(customers)) == 2


def test_a_request_asks_for_one_thing_only(connected: World, customers: httpx.Client) -> None:
    """Whatever message it says it answers, and in whatever words."""
    first = complain(connected, customers)
    second = complain(connected, customers, AGAIN)
    before = len(replies(customers))
    for event, text in ((first, "Hello"), (second, "Hello"), (first, "Other words")):
        about = {"in_reply_to": event["data"]["message"]["id"], "text": text}
        ask(connected, event, "note-1", close_case=False, **about)
        connected.drain()
    assert [one["text"] for one in replies(customers)[before:]] == ["Hello"]
    assert connected.dead == []


@pytest.mark.parametrize(
    ("place", "text", "reason"),
    [
        ("x_mention", "a" * 1_381, "x: 1381 characters do not fit into 5 posts of 276"),
        ("x_direct_message", "a" * 10_001, "x: 10001 of 10000 characters"),
        ("messenger", "a" * 2_001, "graph: 2001 of 2000 characters"),
        ("facebook_comment", "a" * 8_001, "graph: 8001 of 8000 characters"),
        ("instagram_message", "é" * 501, "graph: 1002 of 1000 bytes"),
    ],
)
def test_an_answer_that_is_too_long_is_refused_and_never_cut(
    connected: World, customers: httpx.Client, place: str, text: str, reason: str
) -> None:
    say(customers, place, COMPLAINT)
    connected.drain()
    opened = connected.events()[0]
    before = len(replies(customers))
    agent(connected, opened, text, close_case=True)
    (refused,) = connected.events()
    assert refused["data"]["failed_reply"] == {"text": text, "reason": reason}
    assert len(replies(customers)) == before


def test_what_fills_its_place_is_said(connected: World, customers: httpx.Client) -> None:
    for place, text in (
        ("x_mention", "a" * 280),
        ("messenger", "a" * 2_000),
        ("facebook_comment", "a" * 8_000),
        ("instagram_message", "é" * 500),
    ):
        say(customers, place, COMPLAINT)
        connected.drain()
        agent(connected, connected.events()[0], text)
        assert replies(customers)[-1]["text"] == text


# --- once, whatever happens -----------------------------------------------------------------------


class Told:
    """An EscalationQueue that has forgotten what it heard, as SQS has after five minutes."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def send_in_order(self, body: BaseModel, *, group: str, once: str) -> None:
        self.events.append(body.model_dump(mode="json", exclude_none=True))

    @property
    def ids(self) -> list[str]:
        return [event["id"] for event in self.events]

    def life(self) -> list[str]:
        """What a helpdesk that drops what it has seen knows of the case."""
        seen = {event["id"]: event for event in reversed(self.events)}
        kept = [e for e in self.events if seen.pop(e["id"], None)]
        return [kind for kind in kinds(kept) if kind in LIFE]


@pytest.fixture
def told(connected: World, monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()
    cases = replace(escalate.cases(), escalations=cast("Queue", told), clock=connected.now)
    monkeypatch.setattr(escalate, "cases", cache(lambda: cases))
    return told


def work(bodies: list[dict[str, Any]]) -> None:
    """escalate, with each by itself."""
    for body in bodies:
        escalate.cases().escalate(Complaint.model_validate(body))


def script(stack: World, customers: httpx.Client) -> Iterator[list[dict[str, Any]]]:
    """What comes to the ComplaintQueue in the life of a case, step by step."""

    def heard(text: str) -> dict[str, Any]:
        later(stack)
        sent_at = stack.now().isoformat()
        return say(customers, "messenger", text, sent_at=sent_at, **ADA)

    def collect() -> list[dict[str, Any]]:
        while stack.pump_inbox() or stack.pump("reply", respond.handler):
            pass
        return stack.bodies("complaint")

    first = heard(COMPLAINT)
    steps = collect()
    yield steps
    where = steps[0]["conversation"]
    event = {"data": {"conversation": where, "message": {"id": first["id"]}}}
    ask(stack, event, "note-1", in_reply_to=first["id"], text="A new one is on its way")
    yield collect()
    heard(AGAIN)
    yield collect()
    customers.post("/faults", json={"on": "messenger", "fault": "window_closed"})
    ask(stack, event, "note-2", in_reply_to=first["id"], text="Another", close_case=False)
    yield collect()
    ask(stack, event, "click-2")
    yield collect()
    yield [{**steps[0], "failed_reply": {"key": f"{first['id']}#ack", "text": "a", "reason": "b"}}]


LIVED = ["opened", "reply_sent", "reply_sent", "closed", "reopened", "reply_sent"]
LIVED += ["reply_refused", "closed", "reopened", "reply_refused"]


def test_no_event_comes_twice_however_late_everything_is_delivered_again(
    connected: World, customers: httpx.Client, told: Told
) -> None:
    all_of_it: list[dict[str, Any]] = []
    for step in script(connected, customers):
        all_of_it += step
        work(step)
        work(step)
        known = list(told.ids)
        work(all_of_it)
        assert told.ids == known
    assert kinds(told.events) == LIVED
    assert len(set(told.ids)) == len(told.ids)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.deep)])
def test_a_crash_anywhere_in_the_life_of_a_case_repeats_at_most_one_event(
    connected: World, customers: httpx.Client, told: Told, every: int
) -> None:
    """And leaves no case open that the helpdesk takes for closed, nor the other way round."""
    steps, fuse = list(script(connected, customers)), Fuse()
    fuse_calls(fuse)
    for step in steps:
        work(step)
    boundaries = fuse.passed
    assert boundaries > 60
    for boundary in range(1, boundaries + 1, every):
        forget(connected)
        told.events.clear()
        fuse.set(boundary)
        crashes = 0
        for step in steps:
            for body in step:
                try:
                    work([body])
                except Crash:
                    crashes += 1
                    work([body])
        where = f"crash at boundary {boundary} of {boundaries}"
        assert crashes == 1, where
        assert len(told.ids) - len(set(told.ids)) <= 1, where
        assert told.life() == [kind for kind in LIVED if kind in LIFE], where
        assert set(kinds(told.events)) == set(LIVED), where
        assert case(connected)["is_open"] is True, where


def forget(stack: World) -> None:
    """No case, and nothing told."""
    for item in stack.items("CASE"):
        key = {name: item[name] for name in ("conversation", "item")}
        stack.conversations.delete_item(Key=key)
    for item in [*stack.items("MSG#"), *stack.items("REPLY#")]:
        for name in ("case_id", "told", "withdrawn"):
            item.pop(name, None)
        stack.conversations.put_item(Item=item)


@pytest.mark.parametrize("inner", ["close", "message"])
def test_a_closing_and_a_message_that_meet_leave_the_case_open(
    connected: World, customers: httpx.Client, told: Told, inner: str
) -> None:
    """Whichever comes first, at whatever boundary of the other: the agent has not seen it."""
    first, closing, second, *_ = script(connected, customers)
    fuse = Fuse()
    fuse_calls(fuse)
    close, message = [closing[-1]], [second[0]]
    outer_one, inner_one = (message, close) if inner == "close" else (close, message)
    boundary = 0
    while True:
        boundary += 1
        forget(connected)
        work(first)
        told.events.clear()
        fuse.set(boundary, lambda: work(inner_one))
        work(outer_one)
        if fuse.passed < boundary:
            break
        fuse.set(0)
        where = f"{inner} at boundary {boundary}"
        assert told.life() == ["closed", "reopened"], where
        seen_after = kinds(told.events).index("closed")
        after = told.events[seen_after:]
        assert [e for e in after if e["data"].get("message", {}).get("text") == AGAIN], where
        assert case(connected)["is_open"] is True, where
        work([*close, *message, *first])
        assert told.life() == ["closed", "reopened"], where
    assert boundary > 8


@pytest.mark.parametrize("news", ["edit", "refusal"])
def test_news_of_the_message_that_the_agent_had_seen_is_not_closed_unseen(
    connected: World, customers: httpx.Client, news: str
) -> None:
    """Its other words, or that its answer did not get through, after the agent wanted to close."""
    said = say(customers, "facebook_comment", COMPLAINT, **ADA)
    connected.drain()
    opened, *_ = connected.bodies("escalation.fifo")
    if news == "edit":
        ask(connected, opened, in_reply_to=said["id"])
        happen(customers, "edit", id=said["id"], text="My kettle is on fire")
    else:
        customers.post("/faults", json={"on": "facebook_comment", "fault": "gone"})
        asked = {"in_reply_to": said["id"], "text": "A new one is on its way"}
        ask(connected, opened, "note-1", close_case=False, **asked)
        ask(connected, opened, in_reply_to=said["id"])
    connected.drain()
    told = kinds(connected.events())
    assert told == ["updated" if news == "edit" else "reply_refused", "closed", "reopened"]
    assert case(connected)["is_open"] is True


def test_a_case_is_opened_once_though_a_crash_and_an_edit_meet(
    connected: World, customers: httpx.Client, told: Told
) -> None:
    said = say(customers, "facebook_comment", COMPLAINT, **ADA)
    connected.pump_inbox()
    (body,) = connected.bodies("complaint")
    connected.bodies("reply")
    fuse = Fuse()
    fuse_calls(fuse)
    for text in ("It is wet too", COMPLAINT):
        for boundary in range(1, 30):
            fuse.set(boundary)
            try:
                work([body])
            except Crash:
                happen(customers, "edit", id=said["id"], text=f"{text} {boundary}")
                connected.pump_inbox()
                connected.bodies("complaint")
                work([body])
            fuse.set(0)
            opened = {e["id"] for e in told.events if e["type"].endswith("opened.v1")}
            assert len(opened) == 1
            first_of_each = {e["id"]: e for e in reversed(told.events)}
            newest = max(first_of_each.values(), key=told.events.index)
            (item,) = connected.items("MSG#")
            assert newest["data"]["message"]["text"] == item["message"]["text"]
            forget(connected)
            told.events.clear()


# --- size -----------------------------------------------------------------------------------------

WHERE = Conversation(channel="meta", account="page", customer="ada")
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORDS = st.sampled_from(["word ", "é", "\U0001f600", "\x00", '"\\', "\u2028"])


class Talk:
    """Conversations in which as much was said as anybody likes."""

    def __init__(self, said: list[Remembered], ours: list[Uttered]) -> None:
        self._said, self._ours = said, ours

    def dialogue(self, _: Conversation) -> tuple[list[Remembered], list[Uttered]]:
        return self._said, self._ours


def remembered(number: int, text: str) -> Remembered:
    message = Message(
        conversation=WHERE,
        id=str(number),
        network="facebook",
        kind="comment",
        public=True,
        text=text,
        sent_at=AT + timedelta(minutes=number),
    )
    understanding = Understanding(
        intent="complaint",
        topics=("other",),
        sentiment="negative",
        urgency="normal",
        journey="complaint",
        language="en",
        confidence=1.0,
        unsure=False,
        reasons=(),
    )
    policy = brand.policy(cool_down_minutes=30, auto_reply=True)
    decision = decide(message, understanding, Standing(), policy, AT, NOTHING)
    return Remembered(
        message=message, understanding=understanding, decision=decision, acknowledgement="a" * 2_000
    )


@settings(max_examples=25, deadline=None)
@given(WORDS, st.integers(0, 60_000), st.integers(0, 25), st.integers(0, 25))
def test_an_event_fits_into_a_queue_whatever_is_said(
    word: str, length: int, customer_s: int, our_s: int
) -> None:
    text = word * (length // len(word))
    said = [remembered(number, text) for number in range(customer_s + 1)]
    ours = [
        Uttered(by="agent", id=f"a{n}", text=text, at=AT + timedelta(minutes=n), public=True)
        for n in range(our_s)
    ]
    cases = Cases(
        conversations=cast("Conversations", Talk(said, ours)),
        escalations=cast("Queue", Told()),
        clock=lambda: AT,
    )
    a_case = Case(case_id="case-1", opened_by="0", opened_at=AT)
    failed = FailedReply(key="0#ack", text=text, reason="refused")
    event = cases._event(a_case, said[-1], failed)
    size = len(json.dumps(event.model_dump(mode="json", exclude_none=True)).encode())
    assert size < 250 * 1024
    whole = customer_s + our_s
    assert len(event.history) <= 20
    if len(text) * 12 < 4_000:
        assert len(event.history) == min(20, whole)
    times = [one.sent_at for one in event.history]
    assert times == sorted(times)
    if event.history:
        assert times[-1] == max(one.sent_at for one in event.history)
