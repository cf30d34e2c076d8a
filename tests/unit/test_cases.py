"""Cases: opened once, in order, and every failed reply told for itself."""

import json
from typing import Any

import httpx
import pytest

from firstreply.message import Message
from firstreply.understanding import Understanding
from functions.classify.offline import Falling
from functions.escalate import app as escalate
from tests.aws import World
from tests.unit.channels.samples import ROOT
from tests.unit.test_meta_path import agent, happen
from tests.unit.test_path import replies, say

ADA = {"author": {"id": "4711", "name": "Ada"}}


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].split(".")[2] for event in events]


def test_a_case_is_opened_before_anything_else_is_told_of_it(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The opener is held up after it took the case; the next complaint does its work."""
    for text in ("My kettle stopped working", "Your app keeps crashing and nobody answers"):
        say(customers, "messenger", text, **ADA)
        connected.pump_inbox()
    first, second = connected.bodies("complaint")
    escalations = escalate.cases().escalations

    class Down:
        def send_in_order(self, *_: Any, **__: Any) -> None:
            raise ConnectionError

    object.__setattr__(escalate.cases(), "escalations", Down())
    put(connected, first)
    connected.pump_complaints()
    object.__setattr__(escalate.cases(), "escalations", escalations)
    take_back = connected.bodies("complaint")
    put(connected, second)
    connected.pump_complaints()
    opened, updated = connected.events()
    assert kinds([opened, updated]) == ["opened", "updated"]
    assert [e["data"]["message"]["id"] for e in (opened, updated)] == [
        first["message_id"],
        second["message_id"],
    ]
    for body in take_back:
        put(connected, body)
    connected.drain()
    assert connected.events() == []


def put(stack: World, body: dict[str, Any]) -> None:
    stack.sqs.send_message(QueueUrl=stack.urls["complaint"], MessageBody=json.dumps(body))


def test_every_reply_that_fails_is_told_for_itself(
    connected: World, customers: httpx.Client
) -> None:
    fault = {"on": "messenger", "fault": "window_closed", "times": 4}
    customers.post("/faults", json=fault).raise_for_status()
    said = say(customers, "messenger", "My kettle stopped working", **ADA)
    connected.drain()
    opened, refused = connected.events()
    assert kinds([opened, refused]) == ["opened", "reply_refused"]
    for number in range(3):
        request = {
            "type": "firstreply.reply.requested.v1",
            "id": f"note-{number}",
            "source": "helpdesk",
            "time": "2026-11-22T12:00:00Z",
            "data": {
                "conversation": opened["data"]["conversation"],
                "in_reply_to": said["id"],
                "text": f"Answer {number}",
                "author": {"kind": "agent", "name": "Sam"},
            },
        }
        connected.sqs.send_message(
            QueueUrl=connected.urls["reply"], MessageBody=json.dumps(request)
        )
    connected.drain()
    events = connected.events()
    assert [e["data"]["failed_reply"]["text"] for e in events] == [
        "Answer 0",
        "Answer 1",
        "Answer 2",
    ]
    assert len({event["id"] for event in (opened, refused, *events)}) == 5


def test_who_is_not_named_may_be_ourselves_and_is_left_to_a_human(
    connected: World, customers: httpx.Client
) -> None:
    def comment(number: int, text: str) -> dict[str, Any]:
        value = {
            "item": "comment",
            "verb": "add",
            "comment_id": f"1_{number}",
            "created_time": 4_000_000_000,
            "message": text,
        }
        change = {"field": "feed", "value": value}
        return {"id": "102030405060708", "time": 1, "changes": [change]}

    body = {"object": "page", "entry": [comment(1, "Thank you!"), comment(2, "It is broken")]}
    customers.post("/deliver", json={"channel": "meta", "body": body}).raise_for_status()
    connected.drain()
    assert replies(customers) == []
    (event,) = connected.events()
    assert event["data"]["message"]["id"] == "1_2"


def test_a_picture_without_words_is_looked_at_by_a_human(
    connected: World, customers: httpx.Client
) -> None:
    sample = json.loads((ROOT / "events/meta/messenger_attachment_only.json").read_text())
    customers.post("/deliver", json={"channel": "meta", "body": sample}).raise_for_status()
    connected.drain()
    assert replies(customers) == []
    (event,) = connected.events()
    assert event["data"]["message"]["attachments"] == ["image"]
    assert event["data"]["understanding"]["reasons"] == ["attachment: image"]


def test_a_message_that_we_fail_on_is_set_aside_and_holds_up_nobody(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    understand = Falling.understand

    def fails_on_one(self: Falling, message: Message) -> Understanding:
        if "poison" in message.text:
            raise KeyError(message.text)
        return understand(self, message)

    monkeypatch.setattr(Falling, "understand", fails_on_one)
    for text in ("this is poison", "Your app keeps crashing and nobody answers"):
        say(customers, "facebook_comment", text)
    connected.drain()
    assert len(replies(customers)) == 1
    (aside,) = connected.bodies("inbox-dead")
    assert aside["reason"].startswith("KeyError at message ")
    assert "poison" not in json.dumps(aside)


def test_who_changes_their_words_back_says_something_new(
    connected: World, customers: httpx.Client
) -> None:
    """Else the helpdesk would be left with what is not meant any more."""
    said = say(customers, "facebook_comment", "My kettle is on fire", **ADA)
    connected.drain()
    for text in ("My kettle stopped working", "My kettle is on fire"):
        happen(customers, "edit", id=said["id"], text=text)
        connected.drain()
    events = connected.events()
    assert kinds(events) == ["opened", "updated", "updated"]
    assert events[-1]["data"]["message"]["text"] == "My kettle is on fire"
    assert len({event["id"] for event in events}) == 3


def test_an_agent_whose_answer_is_refused_hears_of_it_though_the_message_is_gone(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "facebook_comment", "My kettle stopped working", **ADA)
    connected.drain()
    (opened,) = connected.events()
    happen(customers, "remove", id=said["id"])
    connected.drain()
    assert kinds(connected.events()) == ["withdrawn"]
    agent(connected, opened, "We are on it")
    events = connected.events()
    assert kinds(events)[0] == "reply_refused"
    assert events[0]["data"]["failed_reply"]["text"] == "We are on it"
    assert events[0]["data"]["message"]["text"] == ""
