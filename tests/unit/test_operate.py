"""What an operator can do: look, replay, redrive. None of it may do any harm."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from firstreply.queues import Queue, SetAside
from operate.__main__ import main
from operate.redrive import _order, redrive, waiting
from operate.replay import Choice, choose, replay
from operate.show import show
from operate.stack import OperatorError, Stack
from tests.aws import World
from tests.unit.test_meta_path import PAGE, agent
from tests.unit.test_x_path import PROFILE


def no_pause() -> None:
    pass


def today(world: World, **more: Any) -> Choice:
    return Choice(since=world.now() - timedelta(hours=1), until=world.now(), **more)


def say(customers: httpx.Client, place: str, text: str, **more: object) -> str:
    answer = customers.post("/say", json={"place": place, "text": text, **more})
    return str(answer.raise_for_status().json()["id"])


def test_a_replay_says_nothing_twice_and_opens_no_second_case(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    for place in ("facebook_comment", "x_mention"):
        say(customers, place, "My kettle stopped working")
    connected.drain()
    said, events = customers.get("/said").json(), connected.events()
    items = connected.items("MSG#")
    assert (len(said), len(events)) == (2, 2)
    keys = choose(deployed, today(connected), connected.now())
    assert replay(deployed, keys, connected.now(), no_pause) == (len(keys), 0)
    connected.drain()
    assert customers.get("/said").json() == said
    assert connected.events() == []
    assert connected.items("MSG#") == items


def test_a_replay_does_what_was_left_undone(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    message_id = say(customers, "facebook_comment", "My kettle stopped working")
    connected.pump_inbox()
    connected.bodies("reply")  # as if classify had died, and its record had expired
    connected.bodies("complaint")
    connected.drain()
    assert customers.get("/said").json() == []
    replay(deployed, choose(deployed, today(connected), connected.now()), connected.now(), no_pause)
    connected.drain()
    assert [one["in_reply_to"] for one in customers.get("/said").json()] == [message_id]
    assert len(connected.events()) == 1


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, 2),
        ({"channel": "meta"}, 1),
        ({"channel": "x"}, 1),
        ({"account": PAGE}, 1),
        ({"account": PROFILE}, 1),
        ({"channel": "x", "account": PAGE}, 0),
    ],
)
def test_a_replay_takes_what_was_chosen(
    connected: World,
    customers: httpx.Client,
    deployed: Stack,
    more: dict[str, str],
    expected: int,
) -> None:
    for place in ("facebook_comment", "x_mention"):
        say(customers, place, "My kettle stopped working")
    assert len(choose(deployed, today(connected, **more), connected.now())) == expected
    long_ago = Choice(since=datetime.now(UTC) - timedelta(days=2), until=connected.now())
    before = Choice(since=long_ago.since, until=long_ago.since + timedelta(days=1), **more)
    assert choose(deployed, before, connected.now()) == []


def test_a_delivery_that_expired_meanwhile_does_not_come_back(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    keys = choose(deployed, today(connected), connected.now())
    connected.inbox.delete_item(Key={"key": keys[0]})
    assert replay(deployed, keys, connected.now(), no_pause) == (0, 1)
    assert connected.inbox.scan()["Items"] == []


def test_what_has_been_forgotten_is_not_replayed(connected: World, deployed: Stack) -> None:
    older = Choice(since=connected.now() - timedelta(days=91), until=connected.now())
    with pytest.raises(OperatorError, match="90 days"):
        choose(deployed, older, connected.now())


@pytest.mark.parametrize("name", ["reply", "complaint"])
def test_dead_letters_go_back_to_where_they_came_from(
    connected: World, customers: httpx.Client, deployed: Stack, name: str
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    connected.pump_inbox()
    for body in connected.bodies(name):
        connected.sqs.send_message(
            QueueUrl=connected.urls[f"{name}-dead"], MessageBody=json.dumps(body)
        )
    assert redrive(deployed, name, connected.now(), no_pause).given_back == 1
    assert waiting(deployed, name) == (0, 0)
    connected.drain()
    assert len(customers.get("/said").json()) == 1
    assert len(connected.events()) == 1


def test_a_dead_case_keeps_its_place_in_the_conversation(connected: World, deployed: Stack) -> None:
    dead = connected.sqs.create_queue(
        QueueName="escalation-dead.fifo", Attributes={"FifoQueue": "true"}
    )["QueueUrl"]
    with_dead = Stack(
        {**deployed.outputs, "EscalationDeadLetterQueueUrl": dead}, deployed.retention, {}
    )
    for number in (1, 2):
        connected.sqs.send_message(
            QueueUrl=dead,
            MessageBody=json.dumps({"number": number}),
            MessageGroupId="a conversation",
            MessageDeduplicationId=f"event {number}",
        )
    redrive(with_dead, "escalation", connected.now(), no_pause)
    redrive(with_dead, "escalation", connected.now(), no_pause)  # a group's next one comes later
    answer = connected.sqs.receive_message(
        QueueUrl=connected.urls["escalation.fifo"],
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["All"],
    )["Messages"]
    assert [json.loads(one["Body"])["number"] for one in answer] == [1, 2]
    assert {one["Attributes"]["MessageGroupId"] for one in answer} == {"a conversation"}


def test_what_was_set_aside_is_read_again_once_it_can_be(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    (delivery,) = connected.inbox.scan()["Items"]
    connected._new_records()  # classify could not read it
    aside = SetAside(inbox_key=str(delivery["key"]), channel="meta", reason="a mistake of ours")
    Queue(connected.sqs, connected.urls["inbox-dead"]).send_all([aside])
    assert redrive(deployed, "inbox", connected.now(), no_pause).given_back == 1
    connected.drain()
    assert len(customers.get("/said").json()) == 1


def test_what_the_stream_gave_up_on_is_found_by_its_time(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    connected._new_records()
    arrived = connected.now().isoformat().replace("+00:00", "Z")
    batch = {
        "approximateArrivalOfFirstRecord": arrived,
        "approximateArrivalOfLastRecord": arrived,
    }
    connected.sqs.send_message(
        QueueUrl=connected.urls["inbox-dead"],
        MessageBody=json.dumps({"DDBStreamBatchInfo": {"shardId": "shardId-1", **batch}}),
    )
    assert redrive(deployed, "inbox", connected.now(), no_pause).given_back == 1
    connected.drain()
    assert len(customers.get("/said").json()) == 1


def test_show_tells_what_was_received_understood_decided_and_said(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    message_id = say(customers, "facebook_comment", "My kettle stopped working")
    connected.drain()
    (event,) = connected.events()
    (said,) = customers.get("/said").json()
    key = str(connected.inbox.scan()["Items"][0]["key"])
    by_message = "\n".join(show(deployed, message_id))
    for known in (
        event["data"]["case_id"],
        message_id,
        "My kettle stopped working",
        f"delivery {key}",
        "complaint (",
        "to answer complaint in public",
        "normal, by ",
        "intent:complaint",
        said["text"],
        "sent",
        said["id"],
    ):
        assert known in by_message
    for same in (event["subject"], event["data"]["case_id"], said["id"]):
        assert "\n".join(show(deployed, same)) == by_message
    assert "My kettle stopped working" in "\n".join(show(deployed, key))


def test_show_tells_whether_the_case_is_closed_or_open_again(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    ada = {"author": {"id": "4711", "name": "Ada"}}
    message_id = say(customers, "messenger", "My kettle stopped working", **ada)
    connected.drain()
    opened, *_ = connected.events()
    assert ", opened 20" in "\n".join(show(deployed, message_id))
    agent(connected, opened, "A new one is on its way", close_case=True)
    shown = "\n".join(show(deployed, message_id))
    assert "by Kim" in shown
    assert ", closed 20" in shown
    assert "an agent, Kim" in shown
    again = say(customers, "messenger", "It broke again", **ada)
    connected.drain()
    shown = "\n".join(show(deployed, message_id))
    assert ", reopened 20" in shown
    assert f"by {again}" in shown


def test_show_tells_who_wants_no_automatic_answers(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    message_id = say(customers, "messenger", "stop")
    connected.drain()
    shown = "\n".join(show(deployed, message_id))
    assert "no automatic answers, since " in shown
    assert "to answer stopped in private" in shown


def test_show_cannot_be_made_to_steer_the_terminal(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    message_id = say(customers, "facebook_comment", "broken\x1b[2J\u202e!")
    connected.drain()
    shown = "\n".join(show(deployed, message_id))
    assert "broken[2J·!" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_show_says_when_it_knows_nothing(deployed: Stack) -> None:
    with pytest.raises(OperatorError, match="nothing is known of 4711"):
        list(show(deployed, "4711"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay", "--since", "yesterday"], "no time: try"),
        (["replay"], "--since"),
        (["redrive", "drafts"], "invalid choice"),
        (["show"], "what"),
        (["replay", "--since", "1h", "--per-second", "0"], "more than 0"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["make", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert says in capsys.readouterr().err


def test_a_stack_that_is_not_there_is_an_error_that_says_what_to_give(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["make", "show", "--local", "--port", "9", "4711"])
    assert main() == 2
    error = capsys.readouterr().err
    assert "stack firstreply-local cannot be read" in error
    assert "give --stack" in error


def put_dead(world: World, name: str, body: str) -> None:
    world.sqs.send_message(QueueUrl=world.urls[f"{name}-dead"], MessageBody=body)


def gave_up(at: datetime) -> str:
    """What Lambda writes about records of a stream that it gave up on."""
    arrived = at.isoformat().replace("+00:00", "Z")
    of_both = {f"approximateArrivalOf{which}Record": arrived for which in ("First", "Last")}
    return json.dumps({"DDBStreamBatchInfo": {"shardId": "shardId-1", **of_both}})


def test_a_replay_that_the_stream_gave_up_on_is_found_again(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    """A day later, the record of the replay is as dead as the first one was."""
    say(customers, "facebook_comment", "My kettle stopped working")
    connected._new_records()
    put_dead(connected, "inbox", gave_up(connected.now()))
    later = connected.now() + timedelta(days=1)
    assert redrive(deployed, "inbox", later, no_pause).given_back == 1
    connected._new_records()
    put_dead(connected, "inbox", gave_up(later))
    once_more = later + timedelta(hours=1)
    assert redrive(deployed, "inbox", once_more, no_pause).given_back == 1
    connected.drain()
    assert len(connected.items("MSG#")) == 1


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        '"x"',
        '{"foo": 1}',
        '{"inbox_key": 5}',
        '{"inbox_key": "of one that has expired"}',
        '{"DDBStreamBatchInfo": {"approximateArrivalOfFirstRecord": "yesterday"}}',
    ],
)
def test_a_letter_that_cannot_be_given_back_stays_and_keeps_no_other(
    connected: World, customers: httpx.Client, deployed: Stack, body: str
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    connected._new_records()
    put_dead(connected, "inbox", body)
    put_dead(connected, "inbox", gave_up(connected.now()))
    outcome = redrive(deployed, "inbox", connected.now(), no_pause)
    assert (outcome.given_back, len(outcome.left)) == (1, 1)
    assert waiting(deployed, "inbox") == (1, 0), "it is to be seen at once"


def test_who_is_interrupted_leaves_nothing_hidden(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    for number in range(3):
        put_dead(connected, "reply", json.dumps({"number": number}))

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        redrive(deployed, "reply", connected.now(), interrupted)
    assert waiting(deployed, "reply") == (2, 0)


def test_a_case_that_dies_twice_within_minutes_is_offered_twice(
    connected: World, deployed: Stack
) -> None:
    """A FIFO queue drops what has an id that it has seen: a letter's death has one of its own."""
    letter: Any = {
        "MessageId": "m-1",
        "Attributes": {"MessageGroupId": "g", "MessageDeduplicationId": "event 1"},
    }
    first, again = _order(letter), _order(letter)
    second = _order(letter | {"MessageId": "m-2"})
    assert first == again, "interrupted and given back again, it is one"
    assert second["MessageGroupId"] == "g"
    assert len({one["MessageDeduplicationId"] for one in (first, second)} | {"event 1"}) == 3


def test_a_delivery_of_which_a_part_has_expired_is_set_aside_and_holds_nobody_up(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    (item,) = connected.inbox.scan()["Items"]
    connected.inbox.update_item(
        Key={"key": item["key"]},
        UpdateExpression="SET parts = :two",
        ExpressionAttributeValues={":two": 2},
    )
    say(customers, "facebook_comment", "The other kettle stopped working")
    connected.drain()
    (aside,) = connected.bodies("inbox-dead")
    assert (aside["inbox_key"], aside["reason"]) == (item["key"], "a part of it has expired")
    assert len(connected.items("MSG#")) == 1


def test_a_name_cannot_steer_the_terminal_either(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    body = {"place": "facebook_comment", "text": "broken", "author": {"name": "Eve\x1b[31m\x9b\nx"}}
    message_id = str(customers.post("/say", json=body).raise_for_status().json()["id"])
    connected.drain()
    shown = list(show(deployed, message_id))
    assert all(line.isprintable() for line in shown)
    key = str(connected.inbox.scan()["Items"][0]["key"])
    assert all(line.isprintable() for line in show(deployed, key))
