"""The channel for other sources, the whole path in process: a review in, answer and case out."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.client import BaseClient

from firstreply import platform
from firstreply.channels._read import MOST_AT_ONCE
from firstreply.contracts import Author, ReplyRequest, ReplyRequested
from firstreply.message import Conversation
from firstreply.outbox import Outbox
from functions.respond import app as respond
from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.promises.fuse import Crash, ends_with_a_crash
from tests.sink import URL, Sink, site
from tests.unit.channels.samples import body, sealed

KEY = DEMO_SECRET["generic"]["secrets"][0]


@pytest.fixture
def sink(stack: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    with site(monkeypatch) as made:
        yield made


def review(**more: object) -> dict[str, Any]:
    return {
        "source": "google_business",
        "account": "locations/4200",
        "id": "reviews/1",
        "author": {"id": "contributor-1", "name": "A visitor"},
        "sent_at": datetime.now(UTC).isoformat(),
        "text": "Two hours in the queue, and then the counter closed.",
        "kind": "review",
        "rating": {"value": 1},
        **more,
    }


def deliver(stack: World, *told: dict[str, Any]) -> None:
    raw = body(list(told) if len(told) > 1 else told[0])
    assert stack.knock("generic", raw.decode(), sealed("generic", KEY, raw))["statusCode"] == 200


def test_one_star_is_a_case_whatever_the_words(stack: World) -> None:
    deliver(stack, review(text="Lovely place."))
    stack.drain()
    (case,) = stack.events()
    assert case["type"] == "firstreply.case.opened.v1"
    assert case["data"]["channel"] == "google_business"
    assert case["data"]["message"]["id"] == "google_business:reviews/1"
    assert case["data"]["message"]["verdict"] == "negative"
    assert case["data"]["acknowledgement"] == {"silence": "unanswerable"}
    assert stack.items("REPLY") == []


def test_five_stars_are_praise_unless_the_words_complain(stack: World) -> None:
    five = {"rating": {"value": 5}}
    deliver(
        stack,
        review(**five, text="Thank you for a wonderful stay!"),
        review(
            **five,
            id="reviews/2",
            author={"id": "contributor-2"},
            text="My suitcase hasn't arrived for three days and nobody answers the phone",
        ),
    )
    stack.drain()
    (case,) = stack.events()
    assert case["data"]["message"]["id"] == "google_business:reviews/2"


def test_with_a_reply_url_the_answer_is_posted_there_signed_and_once(
    stack: World, sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    told = review(reply_url=URL)
    for _ in range(3):
        deliver(stack, told)
        stack.drain()
    deliver(stack, told, told)  # as another delivery
    stack.drain()
    ((path, headers, _),) = sink.asked
    assert path == "/replies?token=not-to-be-logged"
    assert headers["host"] == "reviews.example"
    (said,) = sink.published.values()
    (case,) = stack.events()
    assert said["text"] == case["data"]["acknowledgement"]["text"]
    assert (said["source"], said["account"]) == ("google_business", "locations/4200")
    assert (said["in_reply_to"], said["author"]) == ("reviews/1", {"kind": "firstreply"})
    (kept,) = stack.items("REPLY")
    assert (kept["state"], kept["platform_id"]) == ("sent", f"google_business.own:at-{said['id']}")
    logged = capsys.readouterr()
    assert "not-to-be-logged" not in logged.out + logged.err


def test_an_answer_whose_outcome_is_lost_is_posted_again_as_the_same(
    stack: World, sink: Sink
) -> None:
    sink.statuses = [504, 500]
    deliver(stack, review(reply_url=URL))
    stack.drain()
    assert len(sink.asked) == 3
    assert len({headers["webhook-id"] for _, headers, _ in sink.asked}) == 1
    assert len({raw for *_, raw in sink.asked}) == 1
    assert len(sink.published) == 1
    (kept,) = stack.items("REPLY")
    assert kept["state"] == "sent"
    assert [one["type"] for one in stack.events()] == ["firstreply.case.opened.v1"]


def test_an_answer_that_was_posted_as_the_function_died_is_published_once(
    stack: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, deaths = Outbox.settle, [MemoryError("killed")]

    def dying(self: Outbox, *about: Any, **more: Any) -> None:
        if deaths:
            raise deaths.pop()
        settle(self, *about, **more)

    monkeypatch.setattr(Outbox, "settle", dying)
    deliver(stack, review(reply_url=URL))
    stack.drain()
    assert [headers["webhook-id"] for _, headers, _ in sink.asked] == [*sink.published] * 2
    (kept,) = stack.items("REPLY")
    assert kept["state"] == "sent"


def test_who_says_stop_in_the_meantime_is_not_asked_by_saying_it_again(
    stack: World, sink: Sink
) -> None:
    """Policy is asked before each try, also of what is in doubt."""
    sink.statuses = [500]
    deliver(stack, review(reply_url=URL))
    stack.pump_inbox()
    stack.pump("reply", respond.handler)
    deliver(stack, review(id="reviews/2", text="stop", rating=None))
    stack.drain()
    assert len(sink.asked) == 1
    reasons = [one["data"].get("failed_reply") for one in stack.events()]
    assert [one["reason"] for one in reasons if one] == []
    assert {str(one["state"]) for one in stack.items("REPLY")} == {"refused"}


def test_what_stays_in_doubt_reaches_a_human(stack: World, sink: Sink) -> None:
    sink.statuses = [500] * 9
    deliver(stack, review(reply_url=URL))
    stack.drain()
    events = stack.events()
    assert events[-1]["data"]["failed_reply"]["reason"] == "generic 500"
    assert len(sink.asked) <= 4


@pytest.mark.parametrize(
    ("death", "reason"),
    [(MemoryError(), "not understood: MemoryError"), (Crash(), "cut off again and again")],
)
def test_an_answer_that_kills_whoever_reads_it_ends_with_a_human(
    stack: World, sink: Sink, monkeypatch: pytest.MonkeyPatch, death: BaseException, reason: str
) -> None:
    """However it dies: the same is posted three times, and no more."""

    def die(_: bytes) -> None:
        raise death

    monkeypatch.setattr(platform, "_object", die)
    monkeypatch.setattr(respond, "handler", ends_with_a_crash(respond.handler))
    deliver(stack, review(reply_url=URL))
    stack.drain()
    assert [headers["webhook-id"] for _, headers, _ in sink.asked] == [*sink.published] * 3
    failed = stack.events()[-1]
    assert failed["type"] == "firstreply.case.reply_refused.v1"
    assert failed["data"]["failed_reply"]["reason"] == reason
    assert stack.items("REPLY")[0]["state"] == "unknown"
    assert stack.dead == []


@pytest.mark.parametrize(
    "url",
    ["https://169.254.169.254/latest", "http://reviews.example/", "https://localhost/", "nowhere"],
)
def test_an_answer_that_may_not_go_there_goes_to_a_human_with_the_reason(
    stack: World, sink: Sink, url: str
) -> None:
    deliver(stack, review(reply_url=url))
    stack.drain()
    events = stack.events()
    failed = events[-1]["data"]["failed_reply"]
    assert failed["reason"].startswith("reply_url: ")
    assert sink.asked == []
    assert stack.dead == []


def test_an_agent_s_answer_goes_the_same_way(stack: World, sink: Sink) -> None:
    deliver(stack, review(reply_url=URL))
    stack.drain()
    where = Conversation(
        channel="generic", account="google_business:locations/4200", customer="contributor-1"
    )
    request = ReplyRequested(
        id="note-1",
        source="helpdesk",
        time=datetime.now(UTC),
        data=ReplyRequest(
            conversation=where,
            in_reply_to="google_business:reviews/1",
            text="We have more counters now.",
            author=Author(kind="agent"),
        ),
    )
    stack.sqs.send_message(QueueUrl=stack.urls["reply"], MessageBody=request.model_dump_json())
    stack.drain()
    assert [one["author"]["kind"] for one in sink.published.values()] == ["firstreply", "agent"]


def test_whatever_an_answer_is_called_there_no_message_is_taken_for_it(
    stack: World, sink: Sink
) -> None:
    deliver(stack, review(reply_url=URL))
    stack.drain()
    assert stack.events()
    named_alike = {"id": "reply-1", "author": None, "text": "They burned my house down"}
    deliver(stack, review(**named_alike))
    stack.drain()
    (case,) = stack.events()
    assert case["data"]["message"]["id"] == "google_business:reply-1"


def test_a_case_holds_no_character_that_a_helpdesk_refuses(stack: World) -> None:
    deliver(stack, review(text="My kettle\0 broke", author={"id": "7", "name": "A\0"}))
    stack.drain()
    (case,) = stack.events()
    assert case["data"]["message"]["text"] == "My kettle broke"
    assert case["data"]["customer"] == {"id": "7", "name": "A"}
    deliver(stack, review(id="reviews/\0", author={"id": "8\0"}))
    stack.drain()
    (aside,) = stack.bodies("inbox-dead")
    assert aside["reason"] == "message without a usable author.id, id"


def test_our_own_answer_that_comes_back_is_recognised(stack: World, sink: Sink) -> None:
    deliver(stack, review(reply_url=URL))
    stack.drain()
    (said,) = sink.published.values()
    ours = {"by_brand": True, "in_reply_to": "reviews/1", "rating": None}
    deliver(stack, review(**ours, id=f"at-{said['id']}", text=said["text"], author={"id": "owner"}))
    stack.drain()
    assert stack.items("HUMAN") == []
    deliver(stack, review(**ours, id="reply-2", text="Sam here, sorry!", author={"id": "owner"}))
    stack.drain()
    assert len(stack.items("HUMAN")) == 1


def test_an_edit_and_a_removal_reach_the_case(stack: World) -> None:
    first = review()
    deliver(stack, first)
    stack.drain()
    now = datetime.now(UTC).isoformat()
    deliver(stack, first | {"text": "Three hours!", "edited_at": now})
    stack.drain()
    gone = {name: first[name] for name in ("source", "account", "id")}
    deliver(stack, gone | {"removed_at": now})
    stack.drain()
    events = stack.events()
    assert [one["type"].split(".")[-2] for one in events] == ["opened", "updated", "withdrawn"]
    assert events[1]["data"]["message"]["text"] == "Three hours!"
    (kept,) = stack.items("MSG")
    assert "reply_url" not in kept["message"]


def test_a_bad_message_is_set_aside_and_takes_no_other_with_it(stack: World) -> None:
    deliver(stack, review(id=None), review(), {"id": "?"})
    stack.drain()
    assert len(stack.events()) == 1
    reasons = {one["reason"] for one in stack.bodies("inbox-dead")}
    assert reasons == {
        "message without a usable id",
        "message without a usable account, sent_at",
    }


def test_the_longest_list_is_done_in_one_invocation(
    stack: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 4 ms a call to AWS, with half of classify's 120 s for its own work; each who is not named
    costs the most."""
    calls = 0
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(self: BaseClient, *about: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        return call(self, *about, **more)

    deliver(stack, *(review(id=n, author=None, in_reply_to="t") for n in range(20)))
    records = stack._new_records()
    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    stack.classify(records)
    assert len(stack.items("MSG")) == 20
    assert calls / 20 * MOST_AT_ONCE * 0.004 < 60


def test_if_the_secret_lists_accounts_others_are_set_aside(
    stack: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    listed = {**DEMO_SECRET["generic"], "accounts": {"google_business:other": {"name": "Other"}}}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="channels", SecretString=json.dumps({**DEMO_SECRET, "generic": listed})
    )
    deliver(stack, review())
    stack.drain()
    (aside,) = stack.bodies("inbox-dead")
    assert aside["reason"] == "account google_business:locations/4200 is not in the secret"
