"""Saying it at most once: every way in which a platform can fail, over real HTTP."""

import json
from datetime import timedelta
from typing import Any

import boto3
import httpx
import pytest

from firstreply import platform, settings
from firstreply.outbox import Outbox
from functions.respond import app as respond
from tests.aws import World
from tests.promises.fuse import Crash, ends_with_a_crash
from tests.unit.test_path import PLACES, replies, say

ADA = {"author": {"id": "4711", "name": "Ada"}}


def break_next(customers: httpx.Client, fault: str, times: int = 1, **more: object) -> None:
    body = {"on": "any", "fault": fault, "times": times, **more}
    customers.post("/faults", json=body).raise_for_status()


def told_of_a_failed_reply(stack: World) -> dict[str, Any]:
    """A case is opened for the message, and told of the reply that its customer did not get."""
    opened, failed = stack.events()
    assert [one["type"].split(".")[2] for one in (opened, failed)] == ["opened", "reply_refused"]
    assert failed["data"]["failed_reply"]["reason"] == failed["data"]["reasons"][-1]
    return failed


def entry(stack: World) -> dict[str, Any]:
    (item,) = stack.items("REPLY#")
    return item


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", ["accept_then_disconnect"])
def test_an_answer_that_was_accepted_in_silence_is_not_given_again(
    connected: World, customers: httpx.Client, place: str, fault: str
) -> None:
    break_next(customers, fault)
    say(customers, place, "Your app keeps crashing and nobody answers")
    connected.drain()
    (reply,) = replies(customers)
    assert (entry(connected)["state"], entry(connected)["platform_id"]) == ("sent", reply["id"])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", ["server_error", "disconnect"])
def test_an_answer_that_may_have_been_lost_is_given_only_when_it_is_surely_absent(
    connected: World, customers: httpx.Client, place: str, fault: str
) -> None:
    break_next(customers, fault)
    say(customers, place, "What time do you open on Sunday?")
    connected.drain()
    assert len(replies(customers)) == 1
    assert entry(connected)["state"] == "sent"


REFUSED = [
    *((place, fault) for place in PLACES for fault in ("token_expired", "gone")),
    ("messenger", "window_closed"),
    ("x_mention", "not_summoned"),
]


@pytest.mark.parametrize(("place", "fault"), REFUSED)
def test_a_refused_answer_reaches_a_human_with_the_reason(
    connected: World, customers: httpx.Client, place: str, fault: str
) -> None:
    break_next(customers, fault)
    say(customers, place, "Is breakfast included?")
    connected.drain()
    assert replies(customers) == []
    assert entry(connected)["state"] == "refused"
    event = told_of_a_failed_reply(connected)
    assert event["data"]["reasons"] == ["unanswered", entry(connected)["reason"]]
    assert event["data"]["reasons"][-1].startswith(("graph ", "x "))
    assert connected.dead == []


def test_two_customers_on_x_never_read_quite_the_same(
    connected: World, customers: httpx.Client
) -> None:
    """X refuses a text that the account has just posted."""
    for number in range(12):
        say(
            customers,
            "x_mention",
            "Your app keeps crashing and nobody answers",
            author={"name": f"Ada{number}"},
        )
    connected.drain()
    assert len({one["text"] for one in replies(customers)}) == 12


def test_a_text_that_is_refused_again_and_again_is_a_human_s(
    connected: World, customers: httpx.Client
) -> None:
    break_next(customers, "duplicate", times=10)
    say(customers, "x_mention", "What time do you open on Sunday?")
    connected.drain()
    assert replies(customers) == []
    assert connected.dead == []
    event = told_of_a_failed_reply(connected)
    assert event["data"]["reasons"] == ["unanswered", "x 403 about:blank duplicate"]


def test_a_refused_acknowledgement_of_a_complaint_is_an_event_of_its_case(
    connected: World, customers: httpx.Client
) -> None:
    break_next(customers, "window_closed")
    say(customers, "messenger", "My kettle stopped working")
    connected.drain()
    events = connected.events()
    assert {e["type"].split(".")[2] for e in events} == {"opened", "reply_refused"}
    assert len({e["data"]["case_id"] for e in events}) == 1


@pytest.mark.parametrize("place", PLACES)
def test_a_rate_limit_delays_and_loses_nothing(
    connected: World, customers: httpx.Client, place: str
) -> None:
    break_next(customers, "rate_limited")
    say(customers, place, "What time do you open on Sunday?")
    connected.drain()
    assert len(replies(customers)) == 1
    assert connected.dead == []


def test_while_a_platform_is_down_humans_take_over(
    stack: World, monkeypatch: pytest.MonkeyPatch, platforms: Any, control: httpx.Client
) -> None:
    """`stack` knows platforms at an address where nobody listens."""
    from tests.gateway import gateway

    with gateway(stack) as url:
        platforms.connect(url)
        say(control, "messenger", "My kettle stopped working")
        say(control, "x_mention", "What time do you open on Sunday?")
    stack.drain()
    assert stack.dead == []
    events = stack.events()
    assert len([e for e in events if e["type"] == "firstreply.case.opened.v1"]) == 2
    failed = [e for e in events if e["type"] == "firstreply.case.reply_refused.v1"]
    assert len(failed) == 2
    for event in failed:
        assert event["data"]["failed_reply"]["reason"] == "not reached: ConnectError"


def test_a_request_delivered_again_says_nothing_new(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "facebook_comment", "What time do you open on Sunday?")
    connected.pump_inbox()
    url = connected.urls["reply"]
    (message,) = connected.sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    for _ in range(3):
        connected.sqs.send_message(QueueUrl=url, MessageBody=message["Body"])
    connected.drain()
    assert len(replies(customers)) == 1


def test_switched_off_while_an_answer_waits_nothing_is_said_and_a_human_sees_it(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(customers, "facebook_comment", "What time do you open on Sunday?")
    connected.pump_inbox()
    monkeypatch.setenv("AUTO_REPLY", "off")
    respond.policy.cache_clear()
    connected.drain()
    assert replies(customers) == []
    assert entry(connected)["reason"] == "unanswered:auto_reply_off"
    (event,) = connected.events()
    assert event["data"]["reasons"] == ["unanswered"]


def test_an_answer_that_waited_too_long_in_the_queue_is_a_human_s(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(customers, "x_mention", "What time do you open on Sunday?")
    connected.pump_inbox()
    later = settings.now() + timedelta(hours=7)
    monkeypatch.setattr(respond, "now", lambda: later)
    connected.drain()
    assert replies(customers) == []
    assert entry(connected)["reason"] == "unanswered:too_old"
    (event,) = connected.events()
    assert event["data"]["reasons"] == ["unanswered"]


def test_an_agent_s_answer_goes_the_same_way_without_a_cool_down(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "messenger", "My kettle stopped working", **ADA)
    connected.drain()
    (opened,) = connected.events()
    request = {
        "specversion": "1.0",
        "type": "firstreply.reply.requested.v1",
        "id": "ticket-1-note-2",
        "source": "helpdesk",
        "time": "2026-11-22T12:00:00Z",
        "data": {
            "conversation": opened["data"]["conversation"],
            "in_reply_to": said["id"],
            "text": "Hello Ada, a new one is on its way.",
            "author": {"kind": "agent", "name": "Sam"},
        },
    }
    import json

    for _ in range(2):
        connected.sqs.send_message(
            QueueUrl=connected.urls["reply"], MessageBody=json.dumps(request)
        )
    connected.drain()
    assert [r["text"] for r in replies(customers)][1:] == ["Hello Ada, a new one is on its way."]


@pytest.mark.parametrize("place", PLACES)
def test_who_is_cut_off_at_every_try_leaves_it_to_a_human(
    connected: World, customers: httpx.Client, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the platform answers, it is the end of the function."""

    def die(_: bytes) -> None:
        raise Crash

    monkeypatch.setattr(platform, "_object", die)
    monkeypatch.setattr(respond, "handler", ends_with_a_crash(respond.handler))
    say(customers, place, "Your app keeps crashing and nobody answers")
    connected.drain()
    assert len(replies(customers)) <= 1  # of a courtesy that comes before it, it may die already
    failed = told_of_a_failed_reply(connected)["data"]["failed_reply"]
    assert failed["reason"] == "the last try was cut off"
    assert entry(connected)["state"] == "unknown"
    assert connected.dead == []


def test_what_nobody_has_thought_of_ends_with_a_human(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("words of a customer")

    monkeypatch.setattr(Outbox, "begin", fail)
    say(customers, "messenger", "Your app keeps crashing and nobody answers")
    connected.drain()
    assert told_of_a_failed_reply(connected)["data"]["failed_reply"]["reason"] == "KeyError"
    assert connected.dead == []


def agent_says(connected: World, customers: httpx.Client, text: str, **more: object) -> None:
    """On the ReplyQueue, where IAM says who may; the case is open."""
    said = say(customers, "messenger", "My kettle stopped working", **ADA)
    connected.drain()
    (opened,) = connected.events()
    data = {
        "conversation": opened["data"]["conversation"],
        "in_reply_to": said["id"],
        "text": text,
        "author": {"kind": "agent", "name": "Sam"},
        **more,
    }
    request = {
        "type": "firstreply.reply.requested.v1",
        "id": "note-1",
        "source": "helpdesk",
        "time": "2026-11-22T12:00:00Z",
        "data": data,
    }
    body = json.dumps(request, ensure_ascii=False)
    connected.sqs.send_message(QueueUrl=connected.urls["reply"], MessageBody=body)
    connected.drain()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" * 50_001, "text: longer than 50,000 characters; this is its beginning"),
        ("a" * 420_000, "text: longer than 50,000 characters; this is its beginning"),
        ("😡" * 90_000, "text: longer than 50,000 characters; this is its beginning"),
        (" \n\t", "text: nothing but blanks"),
    ],
    ids=["long", "longer than an item", "longer than a message", "blank"],
)
def test_an_agent_hears_of_a_text_that_cannot_be_said(
    connected: World, customers: httpx.Client, text: str, reason: str
) -> None:
    agent_says(connected, customers, text)
    (refused,) = connected.events()
    assert refused["type"] == "firstreply.case.reply_refused.v1"
    failed = refused["data"]["failed_reply"]
    assert failed["reason"] == reason
    assert failed["text"] == text[: len(failed["text"])]
    assert len(replies(customers)) == 1, "our acknowledgement"
    assert connected.dead == []


def test_blanks_with_a_wish_to_close_are_that_wish(
    connected: World, customers: httpx.Client
) -> None:
    agent_says(connected, customers, " ", close_case=True)
    assert [one["type"] for one in connected.events()] == ["firstreply.case.closed.v1"]
    assert len(replies(customers)) == 1, "our acknowledgement"


def test_a_poison_request_dies_alone(connected: World, customers: httpx.Client) -> None:
    for body in ("not json", "{}", '{"type":"firstreply.reply.requested.v1"}'):
        connected.sqs.send_message(QueueUrl=connected.urls["reply"], MessageBody=body)
    say(customers, "messenger", "What time do you open on Sunday?")
    connected.drain()
    assert len(replies(customers)) == 1
    assert len(connected.dead) == 3


def test_an_account_without_a_token_is_a_human_s(connected: World, customers: httpx.Client) -> None:
    import json

    from local.simulator import DEMO_SECRET

    nameless = {page: {"name": "No token"} for page in DEMO_SECRET["meta"]["accounts"]}
    without = {**DEMO_SECRET, "meta": {**DEMO_SECRET["meta"], "accounts": nameless}}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="channels", SecretString=json.dumps(without)
    )
    say(customers, "messenger", "What time do you open on Sunday?")
    connected.drain()
    event = told_of_a_failed_reply(connected)
    assert event["data"]["reasons"] == ["unanswered", "no token for this account in the secret"]
