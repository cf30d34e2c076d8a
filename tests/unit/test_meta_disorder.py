"""What platforms do to a reader of their webhooks: bad order, missing authors, crashes between."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest

from functions.classify import app as classify
from functions.respond import app as respond
from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.unit.test_meta_path import (
    ADA,
    COMPLAINT,
    INSTAGRAM,
    PAGE,
    QUESTION,
    change_secret,
    happen,
    kinds,
    message,
)
from tests.unit.test_path import replies, say

CHAT = "see you there"


def deliver(customers: httpx.Client, *values: dict[str, Any], seconds: float = 0) -> None:
    """Changes of a Page's feed, told at a moment of their own."""
    time = int(datetime.now(UTC).timestamp() + seconds)
    changes = [{"field": "feed", "value": value} for value in values]
    entry = {"id": PAGE, "time": time, "changes": changes}
    body = {"channel": "meta", "body": {"object": "page", "entry": [entry]}}
    customers.post("/deliver", json=body).raise_for_status()


def comment(text: str, author: str | None = "4711", verb: str = "add", **more: Any) -> Any:
    value = {
        "item": "comment",
        "verb": verb,
        "comment_id": "9_1",
        "post_id": f"{PAGE}_9",
        "parent_id": f"{PAGE}_9",
        "message": text,
        "created_time": int(datetime.now(UTC).timestamp()),
        **more,
    }
    return value | ({"from": {"id": author, "name": "Ada"}} if author else {})


# --- a dead account -----------------------------------------------------------------------------


def test_a_reply_that_met_a_dead_token_reaches_a_human_also_after_a_hiccup(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = {"on": "any", "fault": "graph_error", "code": 190}
    customers.post("/faults", json=fault).raise_for_status()
    say(customers, "messenger", QUESTION)
    connected.pump_inbox()
    build, broken = respond.speaking, iter([True])

    class Hiccup:
        def __init__(self, queue: Any) -> None:
            self._queue = queue

        def send_all(self, bodies: Any) -> None:
            if next(broken, False):
                raise ConnectionError
            self._queue.send_all(bodies)

    def speaking(context: Any) -> Any:
        made = build(context)
        return replace(made, complaints=cast("Any", Hiccup(made.complaints)))

    monkeypatch.setattr(respond, "speaking", speaking)
    connected.drain()
    assert kinds(connected.events()) == ["opened", "reply_refused"]
    assert connected.dead == []


def test_a_mention_waits_for_a_limit_and_a_dead_token_stops_the_account_for_it_too(
    connected: World, customers: httpx.Client
) -> None:
    fault = {"on": "any", "fault": "graph_error", "code": 32, "at": "read", "times": 7}
    customers.post("/faults", json=fault).raise_for_status()
    say(customers, "facebook_mention", COMPLAINT)
    connected.drain()
    assert kinds(connected.events()) == ["opened"]
    assert connected.dead == []
    dead = {"on": "any", "fault": "graph_error", "code": 190, "at": "read"}
    customers.post("/faults", json=dead).raise_for_status()
    say(customers, "facebook_mention", COMPLAINT)
    connected.drain()
    assert len(connected.dead) == 1
    assert "dead_for" in connected.items("ACCOUNT")[0]


# --- whose words --------------------------------------------------------------------------------


def test_our_answer_in_a_thread_is_ours_whoever_began_the_thread(
    connected: World, customers: httpx.Client
) -> None:
    customers.post("/settings", json={"echo": True}).raise_for_status()
    top = say(customers, "instagram_comment", CHAT, **ADA)
    connected.drain()
    say(customers, "instagram_comment", QUESTION, parent=top["id"], author={"name": "Bo"})
    for _ in range(3):
        connected.drain()
    assert len(replies(customers)) == 1
    assert connected.items("HUMAN#") == []


@pytest.mark.parametrize("handle", ["LarkspurAir", "@larkspurair", None])
def test_a_message_on_instagram_is_not_sent_again_however_the_handle_is_written(
    connected: World, customers: httpx.Client, handle: str | None
) -> None:
    known = DEMO_SECRET["meta"]["accounts"][INSTAGRAM]
    change_secret(
        **{INSTAGRAM: {**known, "handle": handle} if handle else {"token": known["token"]}}
    )
    fault = {"on": "any", "fault": "accept_then_disconnect"}
    customers.post("/faults", json=fault).raise_for_status()
    say(customers, "instagram_message", QUESTION)
    connected.drain()
    assert len(replies(customers)) == 1


def test_a_human_who_is_heard_before_the_customer_is_heard_all_the_same(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "facebook_comment", QUESTION, **ADA)
    happen(customers, "answer", in_reply_to=said["id"], text="Ten to six. Kim")
    first, second = connected._new_records()
    for record in (second, first):
        connected._invoke(classify.handler, [record])
    connected.drain()
    assert replies(customers) == []


def test_another_account_of_the_brand_s_is_no_customer(
    connected: World, customers: httpx.Client
) -> None:
    deliver(customers, comment(COMPLAINT, author=INSTAGRAM))
    connected.drain()
    assert connected.items("MSG#") == []


# --- without an author, or too early ------------------------------------------------------------


def test_a_removal_without_author_that_comes_first_wins(
    connected: World, customers: httpx.Client
) -> None:
    deliver(customers, comment("", author=None, verb="remove"))
    connected.drain()
    deliver(customers, comment(COMPLAINT))
    connected.drain()
    assert connected.events() == []
    assert "kettle" not in json.dumps(connected.items("MSG#"), default=str)


def test_a_comment_without_author_is_removed_also_by_its_author(
    connected: World, customers: httpx.Client
) -> None:
    deliver(customers, comment(COMPLAINT, author=None))
    connected.drain()
    deliver(customers, comment("", verb="remove"))
    connected.drain()
    assert kinds(connected.events()) == ["opened", "withdrawn"]
    assert "kettle" not in json.dumps(connected.items("MSG#"), default=str)


def test_a_comment_that_comes_without_and_then_with_its_author_is_one(
    connected: World, customers: httpx.Client
) -> None:
    deliver(customers, comment(COMPLAINT, author=None))
    connected.drain()
    deliver(customers, comment(COMPLAINT))
    connected.drain()
    assert kinds(connected.events()) == ["opened"]
    assert len(connected.items("MSG#")) == 1


def test_a_comment_that_was_hidden_before_it_came_is_not_answered(
    connected: World, customers: httpx.Client
) -> None:
    deliver(customers, comment("", verb="hide"))
    connected.drain()
    deliver(customers, comment(QUESTION))
    connected.drain()
    assert message(connected, "9_1")["is_hidden"] is True
    assert [c for c in customers.get("/calls").json() if c["method"] == "POST"] == []
    assert "opened" in kinds(connected.events())


def test_a_late_older_edit_does_not_undo_a_newer_one_that_was_heard_first(
    connected: World, customers: httpx.Client
) -> None:
    now = int(datetime.now(UTC).timestamp())
    deliver(customers, comment(COMPLAINT, verb="edited", edited_time=now))
    connected.drain()
    deliver(customers, comment(CHAT, verb="edited", edited_time=now - 100))
    deliver(customers, comment("First words"))
    connected.drain()
    assert message(connected, "9_1")["message"]["text"] == COMPLAINT
    texts = [one["data"]["message"]["text"] for one in connected.events()]
    assert texts
    assert set(texts) == {COMPLAINT}


def test_an_edit_changes_the_words_and_not_who_said_them(
    connected: World, customers: httpx.Client
) -> None:
    deliver(customers, comment(COMPLAINT))
    connected.drain()
    deliver(customers, comment(f"{COMPLAINT}!", author=None, verb="edited"))
    connected.drain()
    _, updated = connected.events()
    assert updated["data"]["customer"] == {"id": "4711", "name": "Ada"}
    assert updated["data"]["message"]["text"] == f"{COMPLAINT}!"


# --- a case that is told while its words change -------------------------------------------------


def escalate_and_die_before_noting_it(stack: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:

        def die(*_: object) -> None:
            raise ConnectionError

        dying.setattr("functions.escalate.cases.Cases._note_told", die)
        stack.pump_complaints()


def test_words_that_changed_after_a_crash_reach_the_helpdesk(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = say(customers, "facebook_comment", COMPLAINT)
    connected.pump_inbox()
    escalate_and_die_before_noting_it(connected, monkeypatch)
    happen(customers, "edit", id=said["id"], text="My kettle stopped working too")
    connected.drain()
    events = connected.events()
    assert len({event["id"] for event in events}) == len(events)
    assert events[-1]["data"]["message"]["text"] == "My kettle stopped working too"


def test_words_that_were_removed_after_a_crash_are_withdrawn(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = say(customers, "facebook_comment", COMPLAINT)
    connected.pump_inbox()
    escalate_and_die_before_noting_it(connected, monkeypatch)
    happen(customers, "remove", id=said["id"])
    connected.drain()
    assert kinds(connected.events()) == ["opened", "withdrawn"]


def test_words_that_a_case_only_quotes_are_withdrawn_too(
    connected: World, customers: httpx.Client
) -> None:
    chat = say(customers, "facebook_comment", CHAT, **ADA)
    connected.drain()
    say(customers, "facebook_comment", COMPLAINT, **ADA)
    connected.drain()
    happen(customers, "remove", id=chat["id"])
    connected.drain()
    opened, withdrawn = connected.events()
    quoted = [
        one for one in opened["data"]["history"] if "by" not in one or one["by"] == "customer"
    ]
    assert [one["id"] for one in quoted] == [chat["id"]]
    assert withdrawn["data"]["message_id"] == chat["id"]


# --- deletion of a person's data ----------------------------------------------------------------


def test_a_deletion_that_was_interrupted_withdraws_everything_when_it_is_repeated(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in (COMPLAINT, "My parcel is still broken and nobody answers"):
        say(customers, "messenger", text, **ADA)
        connected.drain()
    connected.events()
    customers.post("/delete_data", json={"person": "4711"}).raise_for_status()
    complaints, broken = classify.reading().complaints, iter([True])

    class Hiccup:
        def send_all(self, bodies: Any) -> None:
            if bodies and next(broken, False):
                raise TimeoutError
            complaints.send_all(bodies)

    object.__setattr__(classify.reading(), "complaints", Hiccup())
    connected.drain()
    assert kinds(connected.events()) == ["withdrawn", "withdrawn"]
    assert connected.bodies("inbox-dead") == []


def test_a_message_of_before_the_deletion_that_is_read_after_it_is_not_kept(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", QUESTION, **ADA)
    connected.drain()
    customers.post("/delete_data", json={"person": "4711"}).raise_for_status()
    connected.drain()
    before = datetime.now(UTC) - timedelta(minutes=5)
    say(customers, "messenger", COMPLAINT, sent_at=before.isoformat(), **ADA)
    connected.drain()
    assert "kettle" not in json.dumps(connected.items("MSG#"), default=str)
    assert kinds(connected.events()) == ["opened", "withdrawn"]
