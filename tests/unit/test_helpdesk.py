"""The helpdesk's entrance: an agent's answer in, said on the platform once."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from firstreply import queues
from firstreply.channels import channel, entrance, entrances, names
from firstreply.contracts import ReplyRequested
from firstreply.errors import Unreadable
from firstreply.message import Requested, Unread, unknown_author
from firstreply.queues import Queue
from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.unit.channels.samples import ROOT, body, quick, standard_headers
from tests.unit.test_path import replies, say

KEY = DEMO_SECRET["helpdesk"]["secrets"][0]
SAMPLE: dict[str, Any] = json.loads(
    (ROOT / "docs/contracts/samples/reply.requested.json").read_text("utf-8")
)
PLACES = ("facebook_comment", "messenger", "x_mention")


def parsed(raw: bytes) -> list[Any]:
    found = entrance("helpdesk")
    assert found
    return list(found.parse(raw))


def knock(stack: World, value: object, **signature: Any) -> int:
    raw = body(value)
    headers = {"content-type": "application/cloudevents+json"}
    headers |= standard_headers(signature.pop("key", KEY), raw, **signature)
    status: int = stack.knock("helpdesk", raw.decode(), headers)["statusCode"]
    return status


def answer_to(case: dict[str, Any], text: str = "Dana here: your kettle is on its way.") -> Any:
    data = case["data"]
    return {
        "specversion": "1.0",
        "id": "note-2",
        "source": "helpdesk",
        "type": "firstreply.reply.requested.v1",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "conversation": data["conversation"],
            "in_reply_to": data["message"]["id"],
            "text": text,
            "author": {"kind": "agent", "name": "Dana"},
        },
    }


# --- who may come in ----------------------------------------------------------------------------


def test_the_helpdesk_is_no_channel() -> None:
    """Policy and voice speak of channels: nobody is answered there."""
    assert "helpdesk" not in names()
    assert channel("helpdesk") is None
    assert entrances() == names() | {"helpdesk"}
    assert entrance("nobody") is None


def test_only_the_helpdesk_s_signature_opens_it(stack: World) -> None:
    generic = DEMO_SECRET["generic"]["secrets"][0]
    assert knock(stack, SAMPLE, key=generic) == 401
    assert stack.knock("helpdesk", json.dumps(SAMPLE), {})["statusCode"] == 401
    assert stack.knock("helpdesk", method="GET")["statusCode"] == 403
    assert knock(stack, SAMPLE) == 200


def test_a_request_that_was_recorded_opens_it_for_no_longer_than_five_minutes(
    stack: World,
) -> None:
    recorded = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
    assert knock(stack, SAMPLE, at=recorded) == 401
    assert stack.inbox.scan()["Items"] == []


def test_the_same_request_under_another_id_is_one_delivery(stack: World) -> None:
    """What counts is what is asked: the event has an id of its own."""
    assert [knock(stack, SAMPLE, one=f"msg_{n}") for n in range(3)] == [200] * 3
    assert len(stack.inbox.scan()["Items"]) == 1


# --- what it says -------------------------------------------------------------------------------


def test_the_published_sample_is_a_request() -> None:
    (update,) = parsed(body(SAMPLE))
    assert isinstance(update, Requested)
    assert update.event.id == "ticket-4711-note-2"
    assert update.account == "102030405060708"


def test_one_or_a_list_and_what_is_unknown_is_ignored() -> None:
    other = SAMPLE | {"id": "2", "traceparent": "00-1"}
    other["data"] = SAMPLE["data"] | {"close_case": True}
    assert [one.event.id for one in parsed(body([SAMPLE, other]))] == ["ticket-4711-note-2", "2"]


def with_data(**more: object) -> dict[str, Any]:
    return SAMPLE | {"data": SAMPLE["data"] | more}


def in_conversation(**more: object) -> dict[str, Any]:
    return with_data(conversation=SAMPLE["data"]["conversation"] | more)


AGENT_ONLY = "reply request that is no agent's: nobody puts words into FirstReply's mouth"
NO_ID = "reply request with an id that can be none"
BAD = [
    (with_data(author={"kind": "firstreply"}), AGENT_ONLY),
    (with_data(author={"kind": "robot"}), "reply request without a usable data.author.kind"),
    (with_data(author=None), "reply request without a usable data.author"),
    (with_data(text=""), "reply request without a usable data"),
    (with_data(text=" \n"), "reply request without a usable data"),
    (with_data(text="x" * 50_001), "reply request without a usable data.text"),
    (with_data(text="half a pair \ud83d"), "reply request without a usable data.text"),
    (with_data(in_reply_to=""), NO_ID),
    (with_data(in_reply_to=".."), NO_ID),
    (with_data(in_reply_to="9" * 600), NO_ID),
    (with_data(in_reply_to="a\0b"), NO_ID),
    (with_data(in_reply_to=None), "reply request without a usable data"),
    (with_data(conversation="meta#1#2"), "reply request without a usable data.conversation"),
    (in_conversation(channel="helpdesk"), "reply request for a channel that there is not"),
    (in_conversation(channel="../x"), "reply request for a channel that there is not"),
    (in_conversation(account=""), NO_ID),
    (in_conversation(customer="."), NO_ID),
    (in_conversation(customer=5), "reply request without a usable data.conversation.customer"),
    ({k: v for k, v in SAMPLE.items() if k != "id"}, "reply request without a usable id"),
    (SAMPLE | {"source": ""}, "reply request without a usable source"),
    (SAMPLE | {"source": "a" * 1_001}, "reply request without a usable source"),
    (SAMPLE | {"id": "a" * 1_001}, "reply request without a usable id"),
    (SAMPLE | {"id": "a\0b"}, "reply request without a usable id"),
    (SAMPLE | {"subject": "a" * 2_049}, "reply request without a usable subject"),
    (SAMPLE | {"time": "2026-11-22T11:58:04"}, "reply request without a usable time"),
    (SAMPLE | {"specversion": "0.3"}, "reply request without a usable specversion"),
    (SAMPLE | {"type": "firstreply.case.opened.v1"}, "reply request without a usable type"),
    # CloudEvents' binary mode: the rest would be in headers.
    (SAMPLE["data"], "reply request without a usable data, id"),
    ([5], "reply request that is no object"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_what_is_no_proper_request_is_set_aside_with_the_reason(bad: Any, reason: str) -> None:
    assert parsed(body(bad)) == [Unread(reason)]


# A time without an offset: its format says so. Half a pair is no text in JSON.
UNTOLD = ({"time": "2026-11-22T11:58:04"}, {"text": "half a pair \ud83d"})


@pytest.mark.parametrize(("bad", "reason"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_what_is_set_aside_breaks_the_schema(bad: Any, reason: str) -> None:
    schema = Draft202012Validator(TypeAdapter(ReplyRequested).json_schema())
    everything = {**bad, **bad.get("data", {})} if isinstance(bad, dict) else {}
    is_told = not any(one.items() <= everything.items() for one in UNTOLD)
    assert schema.is_valid(bad) == (not is_told)


def test_the_longest_of_everything_is_taken_and_fits_into_the_queue(stack: World) -> None:
    longest = in_conversation(channel="generic", account="a" * 500, customer="c" * 500)
    longest |= {"id": "\N{POUTING FACE}" * 1_000, "source": "\N{POUTING FACE}" * 1_000}
    longest |= {"subject": "\N{POUTING FACE}" * 2_048}
    longest["data"] |= {
        "in_reply_to": "m" * 500,
        "text": "\N{POUTING FACE}" * 50_000,
        "author": {"kind": "agent", "name": "\N{POUTING FACE}" * 1_000},
    }
    assert knock(stack, [longest | {"source": f"{n}"} for n in range(3)] + [longest]) == 200
    stack.pump_inbox()
    queued = stack.bodies("reply")
    assert [one["data"]["text"] for one in queued] == [longest["data"]["text"]] * 4
    assert {one["data"]["author"]["name"] for one in queued} == {"\N{POUTING FACE}" * 200}
    assert (stack.bodies("inbox-dead"), stack.came_back) == ([], [])


def test_controls_are_no_part_of_what_is_said() -> None:
    (update,) = parsed(body(with_data(text="a\0b\nc", author={"kind": "agent", "name": "D\0"})))
    assert isinstance(update, Requested)
    assert (update.event.data.text, update.event.data.author.name) == ("ab\nc", "D")


def test_who_wrote_a_message_need_not_be_known(stack: World) -> None:
    """Whoever it was is called by the message's id, however long that is."""
    nobody = in_conversation(channel="generic", customer=unknown_author("m" * 500))
    assert isinstance(parsed(body(nobody))[0], Requested)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"5", b"{", b"\xff", b"<html>"])
def test_what_is_no_json_of_theirs_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        parsed(raw)


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*SAMPLE, *SAMPLE["data"], "x"]), inner, max_size=4)
    ),
    max_leaves=9,
)


@quick
@given(found=st.lists(json_value, min_size=1, max_size=3))
def test_whatever_comes_is_counted_and_hides_no_good_one(found: list[Any]) -> None:
    updates = parsed(body([*found, SAMPLE]))
    assert len(updates) == len(found) + 1
    assert isinstance(updates[-1], Requested)
    assert all(len(one.reason) < 100 for one in updates if isinstance(one, Unread))


# --- what becomes of it -------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_an_agent_s_answer_is_said_once_though_posted_three_times(
    connected: World, customers: httpx.Client, place: str
) -> None:
    said = say(customers, place, "My kettle stopped working and nobody answers")
    connected.drain()
    (case,) = connected.events()
    request = answer_to(case)
    assert knock(connected, request) == 200
    connected.drain()
    assert knock(connected, request) == 200  # the very same
    assert knock(connected, request | {"traceparent": "00-1"}) == 200  # the same in other bytes
    assert knock(connected, [request, request]) == 200
    connected.drain()
    texts = [one["text"] for one in replies(customers) if one["in_reply_to"] == said["id"]]
    assert texts.count(request["data"]["text"]) == 1
    assert len(texts) > 1, "it was acknowledged before"
    assert connected.bodies("inbox-dead") == []
    assert connected.dead == []


def test_what_is_queued_is_what_was_asked(connected: World, customers: httpx.Client) -> None:
    say(customers, "messenger", "My kettle stopped working and nobody answers")
    connected.drain()
    (case,) = connected.events()
    request = answer_to(case)
    assert knock(connected, request) == 200
    connected.pump_inbox()
    (queued,) = connected.bodies("reply")
    queued["time"] = datetime.fromisoformat(queued["time"])
    request["time"] = datetime.fromisoformat(request["time"])
    defaults = {"in_private": False, "close_case": False}
    assert queued == request | {"data": request["data"] | defaults}


def test_a_bad_request_is_set_aside_and_the_good_one_beside_it_is_said(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", "My kettle stopped working and nobody answers")
    connected.drain()
    (case,) = connected.events()
    request = answer_to(case)
    forged = json.loads(json.dumps(request))
    forged["data"]["author"] = {"kind": "firstreply"}
    assert knock(connected, [forged, request]) == 200
    connected.drain()
    assert request["data"]["text"] in [one["text"] for one in replies(customers)]
    assert [one["reason"] for one in connected.bodies("inbox-dead")] == [AGENT_ONLY]


@pytest.mark.parametrize("channel", sorted(names() - {"generic"}))
def test_a_conversation_of_nobody_s_account_is_set_aside(stack: World, channel: str) -> None:
    """Its own channel and account count, and not who asks."""
    request = in_conversation(channel=channel, account="999")
    assert knock(stack, request) == 200
    stack.drain()
    (aside,) = stack.bodies("inbox-dead")
    assert aside["channel"] == "helpdesk"
    assert aside["reason"] == "account 999 is not in the secret"
    assert stack.bodies("reply") == []


def test_more_answers_than_sqs_takes_at_once_are_all_queued(stack: World) -> None:
    many = [with_data(text="é" * 20_000) | {"id": f"note-{n}"} for n in range(10)]
    assert knock(stack, many) == 200
    stack.pump_inbox()
    assert [one["id"] for one in stack.bodies("reply")] == [one["id"] for one in many]
    assert stack.came_back == []


def test_what_no_queue_takes_is_set_aside_and_holds_nobody_up(
    stack: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits of the schema keep it from happening; if it does, it is no reason to stop."""
    monkeypatch.setattr(queues, "MOST_BYTES", 3_000)
    many = [with_data(text="x" * (5_000 * (n == 1) + 9)) | {"id": f"note-{n}"} for n in range(3)]
    assert knock(stack, many) == 200
    stack.pump_inbox()
    assert {one["id"] for one in stack.bodies("reply")} == {"note-0", "note-2"}
    (aside,) = stack.bodies("inbox-dead")
    assert aside["reason"] == "TooLarge at requested"
    assert stack.came_back == []


def test_what_sqs_refuses_for_good_is_set_aside_and_holds_nobody_up(stack: World) -> None:
    """As long as SQS is only down, it is tried again."""
    kept = Queue.send_all
    refused = ClientError({"Error": {"Code": "InvalidMessageContents"}}, "SendMessageBatch")

    def send_all(self: Queue, bodies: Sequence[ReplyRequested]) -> None:
        if any(getattr(one, "id", None) == "note-1" for one in bodies):
            raise refused
        kept(self, bodies)

    many = [SAMPLE | {"id": f"note-{n}"} for n in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Queue, "send_all", send_all)
        assert knock(stack, many) == 200
        stack.pump_inbox()
    assert {one["id"] for one in stack.bodies("reply")} == {"note-0", "note-2"}
    (aside,) = stack.bodies("inbox-dead")
    assert aside["reason"] == "ClientError at requested"
    assert stack.came_back == []


def test_the_words_are_in_no_log(stack: World, capsys: pytest.CaptureFixture[str]) -> None:
    request = with_data(text="a word that is nowhere else")
    for one in (request, request | {"id": None}):
        assert knock(stack, one) == 200
    stack.pump_inbox()
    logged = capsys.readouterr()
    assert "nowhere else" not in logged.out + logged.err
