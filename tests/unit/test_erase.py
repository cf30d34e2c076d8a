"""What an operator erases is gone, stays gone, and takes nobody else's with it."""

import json
import zlib
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import boto3
import httpx
import pytest

from firstreply.inbox import PART_BYTES, Delivery, Inbox
from operate import __main__ as operate
from operate.erase import erase
from operate.replay import Choice, choose, replay
from operate.show import find
from operate.stack import Stack
from tests.aws import World, backend
from tests.promises.fuse import Crash, Fuse
from tests.unit.test_helpdesk import answer_to, knock
from tests.unit.test_meta_disorder import comment, deliver
from tests.unit.test_meta_path import ADA, PAGE, happen, kinds
from tests.unit.test_path import say

BO = {"author": {"id": "4712", "name": "Bo"}}
WORDS = ("kettle", "Ada", "parcel")
PLACES = (
    "facebook_comment",
    "messenger",
    "instagram_comment",
    "instagram_message",
    "x_mention",
    "x_direct_message",
)
A_DAY = timedelta(hours=24, seconds=1)


def deliveries(world: World) -> dict[str, bytes]:
    """By key, every body that is kept."""
    parts: dict[str, dict[int, bytes]] = {}
    for item in world.inbox.scan()["Items"]:
        key, _, number = str(item["key"]).partition("#")
        if "body" in item:
            parts.setdefault(key, {})[int(number or 0)] = bytes(item["body"])  # type: ignore[arg-type]
    return {
        key: zlib.decompress(b"".join(dict(sorted(of.items())).values()))
        for key, of in parts.items()
    }


def left(world: World) -> list[str]:
    """Which words are in the tables still."""
    kept = [json.dumps(world.conversations.scan()["Items"], default=repr, ensure_ascii=False)]
    kept += [body.decode() for body in deliveries(world).values()]
    kept += [body.decode("unicode_escape", "replace") for body in deliveries(world).values()]
    return [word for word in WORDS if any(word in one for one in kept)]


def of(world: World, person: str) -> Any:
    """Another customer's items, and the deliveries that speak of them alone."""
    items = [one for one in world.items("") if str(one["conversation"]).endswith(f"#{person}")]
    bodies = {k: b for k, b in deliveries(world).items() if f'"{person}"' in b.decode()}
    return items, bodies


def settle(world: World) -> None:
    """Also what the platforms tell of what we said."""
    for _ in range(3):
        world.drain()


def replay_all(world: World, stack: Stack) -> None:
    period = Choice(since=world.now() - timedelta(hours=2), until=world.now())
    replay(stack, choose(stack, period, world.now()), world.now(), lambda: None)
    settle(world)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_left_of_whom_an_operator_erases_and_all_of_everybody_else(
    connected: World, customers: httpx.Client, deployed: Stack, place: str
) -> None:
    customers.post("/settings", json={"echo": True}).raise_for_status()
    say(customers, place, "My toaster burns", **BO)
    said = say(customers, place, "My kettle stopped working", **ADA)
    settle(connected)
    (opened,) = [one for one in connected.events() if one["subject"].endswith("#4711")]
    happen(customers, "answer", in_reply_to=said["id"], text="Another kettle, Ada. Kim")
    assert knock(connected, answer_to(opened, "Your parcel is on its way, Ada")) == 200
    settle(connected)
    connected.events()
    bo, before = of(connected, "4712"), deliveries(connected)
    assert left(connected) == list(WORDS)
    found = find(deployed, said["id"])
    assert erase(deployed, found, connected.now()) == []
    assert left(connected) == []
    settle(connected)
    assert kinds(connected.events()) == ["withdrawn"]
    assert of(connected, "4712") == bo
    assert bo[1]
    # Neither a replay nor a late redelivery brings it back, in the same envelope or in another.
    items = connected.items("")
    replay_all(connected, deployed)
    assert (connected.items("MSG#"), left(connected)) == (
        [one for one in items if str(one["item"]).startswith("MSG#")],
        [],
    )
    inbox = Inbox(boto3.client("dynamodb"), "inbox", timedelta(days=14))
    gone = [body for key, body in before.items() if key not in deliveries(connected)]
    assert len(gone) >= 3
    channel = found[0].channel
    for body in gone:
        name = "helpdesk" if b"firstreply" in body else channel
        again = Delivery(channel=name, body=body, received_at=connected.now())
        assert not inbox.put(again)
        assert inbox.put(replace(again, body=body + b"\n"))
    settle(connected)
    assert connected.events() == []
    assert not [word for word in WORDS if word in json.dumps(connected.items(""), default=repr)]
    assert erase(deployed, found, connected.now()) == []
    assert left(connected) == []
    settle(connected)
    assert connected.events() == []


def test_an_edit_and_what_is_read_past_are_erased_too(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    """No item names these deliveries."""
    deliver(customers, comment("see you there"))
    deliver(customers, comment("My kettle stopped working", verb="edited"))
    like = {"item": "reaction", "verb": "add", "reaction_type": "like", "post_id": f"{PAGE}_9"}
    deliver(customers, like | {"from": {"id": "4711", "name": "Ada"}})
    settle(connected)
    assert len(deliveries(connected)) == 3
    assert erase(deployed, find(deployed, "9_1"), connected.now()) == []
    assert (deliveries(connected), left(connected)) == ({}, [])


def test_a_delivery_of_others_too_stays_while_somebody_may_need_it(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    bo = comment("My toaster burns", comment_id="9_2")
    deliver(customers, comment("My kettle stopped working"), bo | {"from": {"id": "4712"}})
    settle(connected)
    (key,), found = deliveries(connected), find(deployed, "9_1")
    now = connected.now()
    (busy,) = erase(deployed, found, now)
    assert busy.startswith("1 deliveries that came meanwhile, or tell of others too")
    assert (list(deliveries(connected)), "kettle" in repr(connected.items(""))) == ([key], False)
    dead = connected.urls["inbox-dead"]
    connected.sqs.send_message(QueueUrl=dead, MessageBody="{}")
    assert erase(deployed, found, now + A_DAY)
    connected.sqs.purge_queue(QueueUrl=dead)
    deployed.inbox.replay(key, now + A_DAY)
    assert erase(deployed, found, now + A_DAY * 1.5), "it was replayed half a day ago"
    assert erase(deployed, found, now + A_DAY * 2) == []
    assert deliveries(connected) == {}
    assert "toaster" in repr(connected.items("MSG#"))


def test_all_parts_of_a_large_delivery_are_erased(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    noise = "".join(chr(33 + byte % 90) for byte in Random(1).randbytes(600_000))
    deliver(customers, comment("My kettle stopped working", unknown=noise))
    settle(connected)
    ((key, body),) = deliveries(connected).items()
    assert len(zlib.compress(body)) > PART_BYTES
    assert erase(deployed, find(deployed, "9_1"), connected.now()) == []
    (item,) = connected.inbox.scan()["Items"]
    assert set(item) <= {"key", "received_at", "expires_at"}
    again = Delivery(channel="meta", body=body, received_at=connected.now())
    assert not Inbox(boto3.client("dynamodb"), "inbox", timedelta(days=14)).put(again)
    assert not deployed.inbox.replay(key, connected.now())


def test_a_human_s_words_of_before_are_not_kept_when_they_come_late(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    said = say(customers, "messenger", "My kettle stopped working", **ADA)
    settle(connected)
    happen(customers, "answer", in_reply_to=said["id"], text="Another kettle, Ada. Kim")
    records = connected._new_records()  # the stream still has what the Inbox has no more
    assert erase(deployed, find(deployed, said["id"]), connected.now()) == []
    connected.classify(records)
    (human,) = connected.items("HUMAN#")
    assert human["text"] == ""
    assert left(connected) == []


def test_what_comes_meanwhile_is_left_alone_and_told(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    said = say(customers, "messenger", "My toaster burns", **ADA)
    settle(connected)
    then = connected.now()
    say(customers, "messenger", "My kettle stopped working", **ADA)
    settle(connected)
    messages, busy = erase(deployed, find(deployed, said["id"]), then)
    assert messages.startswith("1 messages")
    assert busy.startswith("1 deliveries that came meanwhile")
    assert len(deliveries(connected)) == 1
    assert ("kettle" in repr(connected.items("MSG#"))) is True
    assert "toaster" not in repr(connected.items("MSG#"))
    assert erase(deployed, find(deployed, said["id"]), connected.now()) == []
    assert left(connected) == []


def test_what_is_said_after_an_erasure_is_heard(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    said = say(customers, "messenger", "My kettle stopped working", **ADA)
    settle(connected)
    erase(deployed, find(deployed, said["id"]), connected.now())
    settle(connected)
    connected.events()
    say(customers, "messenger", "My toaster burns", **ADA)
    settle(connected)
    assert kinds(connected.events()) == ["updated"]


def test_wherever_it_crashes_the_same_command_completes_it(
    connected: World, customers: httpx.Client, deployed: Stack
) -> None:
    fuse = Fuse()
    clients = (deployed.sqs, deployed.inbox._client, deployed.conversations.table.meta.client)
    for client in clients:
        for moment in ("before-call", "after-call"):
            client.meta.events.register(moment, fuse.tick)
    for text in ("My kettle stopped working", "And the parcel is late"):
        said = say(customers, "messenger", text, **ADA)
        settle(connected)
    tables = backend("dynamodb").tables
    before = {name: deepcopy(table.items) for name, table in tables.items()}
    found, now = find(deployed, said["id"]), connected.now()

    def once(crash_at: int) -> int:
        connected.empty()
        for name, table in tables.items():
            table.items = deepcopy(before[name])
        assert left(connected)
        fuse.set(crash_at)
        try:
            assert erase(deployed, found, now) == []
        except Crash:
            passed = fuse.passed
            fuse.set(0)
            assert erase(deployed, found, now) == []
        else:
            passed = fuse.passed
        assert left(connected) == []
        settle(connected)
        assert kinds(connected.events()) == ["withdrawn", "withdrawn"]
        assert not connected.bodies("inbox-dead") + connected.came_back
        return passed

    boundaries = once(0)
    assert boundaries > 20
    assert [once(at) for at in range(1, boundaries + 1)] == list(range(1, boundaries + 1))


@pytest.mark.parametrize(("arguments", "answer"), [(["--yes"], None), ([], "yes"), ([], "y")])
def test_it_says_how_much_and_asks(
    connected: World,
    customers: httpx.Client,
    deployed: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    answer: str | None,
) -> None:
    said = say(customers, "messenger", "My kettle stopped working", **ADA)
    settle(connected)
    monkeypatch.setattr(operate, "_stack", lambda _: deployed)
    monkeypatch.setattr(operate, "now", connected.now)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    monkeypatch.setattr("sys.argv", ["make", "erase", *arguments, said["id"]])
    is_agreed = answer != "y"
    assert operate.main() == (0 if is_agreed else 2)
    told = capsys.readouterr()
    assert "1 messages, 1 answers, 1 deliveries" in told.out
    assert (left(connected) == []) == is_agreed
    assert not [word for word in WORDS if word in told.out + told.err]


def test_nobody_to_ask_is_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    assert not operate._agreed("?")
