"""Promise: a poison delivery, or a platform's or an account's trouble, holds up nobody else.

Nothing is timed here. That nobody else waits is: one step of the pump answers them, without the
clock moving on, and nothing of theirs comes back for a second try.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
import pytest

from firstreply import platform
from firstreply.channels import meta
from firstreply.inbox import Delivery
from firstreply.message import Message
from firstreply.understanding import Understanding
from functions.classify.offline import Falling
from functions.respond import app as respond
from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.sink import ADDRESS, Sink, opened
from tests.template.cfn import resources
from tests.unit.channels.samples import body, sealed

PAGE = "102030405060708"
THANKS = "Lovely crew, thank you"
COMPLAINT = "Your app keeps crashing and nobody answers"
POISON = "poison"

type Stage = tuple[World, httpx.Client]


def say(stage: Stage, place: str, text: str = THANKS, **more: object) -> str:
    body = {"place": place, "text": text, **more}
    said: str = stage[1].post("/say", json=body).raise_for_status().json()["id"]
    return said


def deliver(stage: Stage, raw: str) -> None:
    body = {"channel": "meta", "raw": raw}
    answer = stage[1].post("/deliver", json=body).raise_for_status().json()
    assert [one["status"] for one in answer["deliveries"]] == [200]


def answered(stage: Stage) -> list[str]:
    """In order, as the customers read it."""
    return [one["in_reply_to"] for one in stage[1].get("/said").raise_for_status().json()]


def calls(stage: Stage, host: str) -> int:
    found = stage[1].get("/calls").raise_for_status().json()
    return sum(one["path"].startswith(f"/{host}/") for one in found)


def order(stage: Stage, fault: str, on: str, **more: object) -> None:
    stage[1].post("/faults", json={"on": on, "fault": fault, **more}).raise_for_status()


def one_step(stage: Stage) -> None:
    """What is new is read once, and what then waits in the ReplyQueue is tried once."""
    stack = stage[0]
    assert stack.pump_inbox() <= 10
    waiting = stack.sqs.get_queue_attributes(
        QueueUrl=stack.urls["reply"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    for _ in range(-(-int(waiting) // 10)):
        stack.pump("reply", respond.handler)


def whose_came_back(stage: Stage) -> set[str]:
    """The customers' messages whose answers were tried in vain."""
    return {json.loads(body)["data"]["in_reply_to"] for body in stage[0].came_back}


def set_aside(stage: Stage) -> list[tuple[str, str]]:
    return sorted((one["inbox_key"], one["reason"]) for one in stage[0].bodies("inbox-dead"))


def key_of(raw: str) -> str:
    return Delivery(channel="meta", body=raw.encode(), received_at=datetime.now(UTC)).key


def messages(*texts: str) -> str:
    """One delivery of what several people wrote to the Page, as it is signed."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    events = [
        {
            "sender": {"id": f"9{number}"},
            "recipient": {"id": PAGE},
            "timestamp": now,
            "message": {"mid": f"m_{number}", "text": text},
        }
        for number, text in enumerate(texts)
    ]
    entry = {"id": PAGE, "time": now, "messaging": events}
    return json.dumps({"object": "page", "entry": [entry]})


# --- a poison delivery ----------------------------------------------------------------------------


@pytest.mark.parametrize("raw", ["{not json", "[]", '"text"', "[" * 5_000, "\x00"])
def test_what_cannot_be_read_is_set_aside_and_the_rest_of_its_batch_is_answered(
    stage: Stage, raw: str
) -> None:
    before = [say(stage, place) for place in ("facebook_comment", "messenger", "x_mention")]
    deliver(stage, raw)
    after = [say(stage, place) for place in ("instagram_comment", "x_direct_message")]
    one_step(stage)
    assert sorted(answered(stage)) == sorted(before + after)
    assert stage[0].came_back == []
    ((key, reason),) = set_aside(stage)
    assert key == key_of(raw)
    assert "body is" in reason


def _raises_on_poison(understand: Any) -> Any:
    def call(self: Falling, message: Message) -> Understanding:
        if message.text == POISON:
            raise ZeroDivisionError(message.text)
        known: Understanding = understand(self, message)
        return known

    return call


def test_an_update_that_our_own_code_fails_on_is_set_aside_and_its_neighbours_are_answered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a delivery, in the middle of a batch."""
    monkeypatch.setattr(Falling, "understand", _raises_on_poison(Falling.understand))
    alone = [say(stage, "facebook_comment")]
    raw = messages(THANKS, POISON, THANKS)
    deliver(stage, raw)
    alone += [say(stage, "x_mention")]
    one_step(stage)
    assert sorted(answered(stage)) == sorted([*alone, "m_0", "m_2"])
    assert stage[0].came_back == []
    assert set_aside(stage) == [(key_of(raw), "ZeroDivisionError at message m_1")]


def test_a_delivery_that_our_parser_fails_on_is_set_aside_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = messages(POISON)
    parse = meta.parse

    def fails(body: bytes) -> Any:
        if body == raw.encode():
            raise KeyError(POISON)
        return parse(body)

    monkeypatch.setattr(meta, "parse", fails)
    before = say(stage, "messenger")
    deliver(stage, raw)
    after = say(stage, "instagram_comment")
    one_step(stage)
    assert sorted(answered(stage)) == sorted([before, after])
    assert stage[0].came_back == []
    ((key, reason),) = set_aside(stage)
    assert (key, reason.split(" ")[0]) == (key_of(raw), "KeyError")


def test_what_is_set_aside_is_still_in_the_inbox_and_rings_an_alarm(stage: Stage) -> None:
    deliver(stage, "{not json")
    one_step(stage)
    ((key, _),) = set_aside(stage)
    assert stage[0].image(key)["channel"] == {"S": "meta"}
    watched = [
        one["Dimensions"][0]["Value"]
        for one in resources("AWS::CloudWatch::Alarm").values()
        if one.get("MetricName") == "ApproximateNumberOfMessagesVisible" and "Dimensions" in one
    ]
    assert {"Fn::GetAtt": "InboxDeadLetterQueue.QueueName"} in watched


@pytest.mark.parametrize("queue", ["reply", "complaint"])
def test_a_poison_in_a_queue_dies_alone_and_its_batch_goes_on(stage: Stage, queue: str) -> None:
    stack = stage[0]
    first = say(stage, "facebook_comment", COMPLAINT)
    stack.pump_inbox()
    stack.sqs.send_message(QueueUrl=stack.urls[queue], MessageBody='{"poison": true}')
    second = say(stage, "messenger", COMPLAINT)
    stack.pump_inbox()
    stack.pump("reply", respond.handler)
    stack.pump_complaints()
    assert answered(stage) == [first, second]
    opened = [event["data"]["message"]["id"] for event in stack.events()]
    assert sorted(opened) == sorted([first, second])
    assert stack.came_back == ['{"poison": true}']
    stack.drain()
    assert stack.dead == ['{"poison": true}']


# --- one account's trouble ------------------------------------------------------------------------


def test_an_account_whose_token_is_dead_is_the_only_one_that_is_silent(stage: Stage) -> None:
    """And its platform is asked once, not once for every customer."""
    rotated = {"channel": "meta", "id": PAGE, "token": "another"}
    stage[1].post("/accounts", json=rotated).raise_for_status()
    lost, others = [], []
    for _ in range(3):
        lost.append(say(stage, "facebook_comment"))
        others += [say(stage, "instagram_comment"), say(stage, "x_mention")]
    one_step(stage)
    assert sorted(answered(stage)) == sorted(others)
    assert stage[0].came_back == []
    assert calls(stage, "graph") == 1 + 3
    stage[0].drain()
    events = stage[0].events()
    assert {event["data"]["message"]["id"] for event in events} == set(lost)


def test_an_account_at_its_limit_waits_alone_and_without_asking(stage: Stage) -> None:
    order(stage, "rate_limited", "instagram_comment")
    waits = [say(stage, "instagram_comment")]
    others = [say(stage, "facebook_comment"), say(stage, "x_mention")]
    waits += [say(stage, "instagram_comment")]
    others += [say(stage, "messenger"), say(stage, "x_direct_message")]
    one_step(stage)
    assert sorted(answered(stage)) == sorted(others)
    assert stage[0].came_back == [], "waiting is no failed try"
    stage[0].drain()
    assert sorted(answered(stage)) == sorted(others + waits)


def test_an_account_that_is_not_ours_takes_nobody_with_it(stage: Stage) -> None:
    raw = messages(THANKS).replace(PAGE, "777")
    deliver(stage, raw)
    said = say(stage, "messenger")
    one_step(stage)
    assert answered(stage) == [said]
    assert set_aside(stage) == [(key_of(raw), "account 777 is not in the secret")]


# --- one platform's trouble -----------------------------------------------------------------------

META, X = ("facebook_comment", "messenger"), ("x_mention", "x_direct_message")


@pytest.mark.parametrize(
    ("setting", "down", "up"), [("X_API_URL", X, META), ("GRAPH_API_URL", META, X)]
)
def test_a_platform_that_is_not_reached_makes_nobody_wait_on_the_other(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    down: tuple[str, ...],
    up: tuple[str, ...],
) -> None:
    waits, others = [], []
    for _ in range(2):
        waits += [say(stage, place) for place in down]
        others += [say(stage, place) for place in up]
    with monkeypatch.context() as outage:
        outage.setenv(setting, "http://127.0.0.1:9")
        one_step(stage)
        assert sorted(answered(stage)) == sorted(others)
        assert whose_came_back(stage) == set(waits)
    stage[0].drain()
    assert sorted(answered(stage)) == sorted(others + waits)


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("accept_then_timeout", {"hold_seconds": 0.4}),
        ("disconnect", {}),
        ("server_error", {}),
        ("rate_limited", {}),
    ],
)
@pytest.mark.parametrize(("down", "up"), [(X, META), (META, X)], ids=["X", "Meta"])
def test_a_platform_that_hangs_breaks_or_is_full_makes_nobody_wait_on_the_other(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    more: dict[str, object],
    down: tuple[str, ...],
    up: tuple[str, ...],
) -> None:
    monkeypatch.setattr(platform, "TIMEOUT", httpx.Timeout(0.2))
    waits, others = [], []
    for here, there in zip(down, up, strict=True):
        order(stage, fault, here, **more)
        waits.append(say(stage, here))
        others.append(say(stage, there))
    one_step(stage)
    assert set(others) <= set(answered(stage))
    assert whose_came_back(stage) <= set(waits)
    stage[0].drain()
    assert sorted(answered(stage)) == sorted(others + waits)


def review(stage: Stage, name: str, **more: object) -> str:
    """Of another source, as it is delivered."""
    told = {
        "source": "app_store",
        "account": "4200",
        "id": name,
        "author": {"id": f"author-{name}"},
        "sent_at": datetime.now(UTC).isoformat(),
        "text": THANKS,
        **more,
    }
    raw = body(told)
    headers = sealed("generic", DEMO_SECRET["generic"]["secrets"][0], raw)
    assert stage[0].knock("generic", raw.decode(), headers)["statusCode"] == 200
    return f"app_store:{name}"


@pytest.fixture
def sink(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    with opened(monkeypatch) as (made, internet), httpx.Client(transport=internet) as way_out:
        monkeypatch.setattr(respond, "http", cache(lambda: way_out))
        yield made


def published(sink: Sink) -> list[str]:
    return [one["in_reply_to"] for one in sink.said()]


def test_a_reply_url_that_hangs_makes_nobody_wait_on_another_channel_or_source(
    stage: Stage, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "TIMEOUT", httpx.Timeout(0.2))
    sink.hang("/slow")
    waits = [review(stage, f"slow-{n}", reply_url=f"{ADDRESS}/slow") for n in range(2)]
    others = [say(stage, place) for place in META + X]
    quick = review(stage, "quick", reply_url=f"{ADDRESS}/quick")
    one_step(stage)
    assert sorted(answered(stage)) == sorted(others)
    assert published(sink) == [quick]
    assert whose_came_back(stage) == set(waits)
    sink.go_on()
    stage[0].drain()
    assert sorted(published(sink)) == sorted([*waits, quick])
    assert sorted(answered(stage)) == sorted(others)


def test_a_reply_url_that_never_answers_ends_with_a_human(
    stage: Stage, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "TIMEOUT", httpx.Timeout(0.2))
    sink.hang("/slow")
    slow = review(stage, "slow", reply_url=f"{ADDRESS}/slow")
    other = say(stage, "messenger")
    stage[0].drain()
    assert answered(stage) == [other]
    told = stage[0].events()
    assert {event["data"]["message"]["id"] for event in told} == {slow}
    assert told[-1]["data"]["failed_reply"]["reason"] == "not answered: ReadTimeout"
    assert stage[0].dead == []


def test_a_customer_on_a_slow_platform_has_an_invocation_of_their_own() -> None:
    """What the pump cannot show: in AWS nobody shares a batch of the ReplyQueue."""
    (function,) = [
        one
        for one in resources("AWS::Serverless::Function").values()
        if one["Handler"].startswith("functions.respond.")
    ]
    (source,) = [one["Properties"] for one in function["Events"].values() if one["Type"] == "SQS"]
    assert source["BatchSize"] == 1
