"""The whole path in process: signed webhook in, answer and case out, the platforms over HTTP."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from firstreply import brand
from tests.aws import World

PLACES = ("facebook_comment", "messenger", "x_mention", "x_direct_message")


def say(customers: httpx.Client, place: str, text: str, **more: object) -> dict[str, Any]:
    answer = customers.post("/say", json={"place": place, "text": text, **more})
    said: dict[str, Any] = answer.raise_for_status().json()
    assert {one["status"] for one in said["deliveries"]} == {200}
    return said


def replies(customers: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = customers.get("/said").raise_for_status().json()
    return found


@pytest.mark.parametrize("place", PLACES)
def test_a_complaint_gets_one_answer_and_one_case(
    connected: World, customers: httpx.Client, place: str
) -> None:
    said = say(customers, place, "Your app keeps crashing and nobody answers", times=3)
    connected.drain()
    (reply,) = replies(customers)
    assert reply["in_reply_to"] == said["id"]
    (event,) = connected.events()
    assert event["type"] == "firstreply.case.opened.v1"
    assert event["data"]["message"]["id"] == said["id"]
    assert event["data"]["acknowledgement"]["text"] == reply["text"]


@pytest.mark.parametrize("place", PLACES)
def test_a_question_gets_an_answer_and_a_human_who_answers_it(
    connected: World, customers: httpx.Client, place: str
) -> None:
    said = say(customers, place, "What are your opening hours on Sunday?")
    connected.drain()
    assert [one["in_reply_to"] for one in replies(customers)] == [said["id"]]
    (event,) = connected.events()
    assert event["data"]["reasons"] == ["unanswered"]


@pytest.mark.parametrize("place", PLACES)
def test_a_frequent_question_gets_the_brand_s_answer_and_needs_no_human(
    connected: World, customers: httpx.Client, place: str
) -> None:
    ada = {"author": {"id": "1", "name": "Ada"}}
    said = say(customers, place, "When are you open?", **ada)
    connected.drain()
    (reply,) = replies(customers)
    assert reply["in_reply_to"] == said["id"]
    assert (brand.answers().say("opening_hours", "en") or "nothing") in reply["text"]
    assert connected.events() == []
    say(customers, place, "see you there", **ada)
    connected.drain()
    (event,) = connected.events()
    assert event["data"]["reasons"] == ["promised"]


@pytest.mark.parametrize("place", PLACES)
def test_a_question_that_is_nearly_a_frequent_one_goes_to_a_human_with_the_candidates(
    connected: World, customers: httpx.Client, place: str
) -> None:
    say(customers, place, "What are your opening hours on Sunday?")
    connected.drain()
    (event,) = connected.events()
    (candidate, *_) = event["data"]["candidates"]
    assert candidate["name"] == "opening_hours"
    assert candidate["text"] == brand.answers().say("opening_hours", "en")


@pytest.mark.parametrize("place", PLACES)
def test_thanks_get_an_answer_and_no_case(
    connected: World, customers: httpx.Client, place: str
) -> None:
    said = say(customers, place, "Lovely crew, thank you")
    connected.drain()
    assert [one["in_reply_to"] for one in replies(customers)] == [said["id"]]
    assert connected.events() == []


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post", "instagram_comment"])
def test_what_concerns_an_order_is_acknowledged_in_public_and_continued_in_private(
    connected: World, customers: httpx.Client, place: str
) -> None:
    said = say(customers, place, "My parcel is two weeks late", times=3)
    connected.drain()
    public, private = sorted(replies(customers), key=lambda one: one["kind"])
    assert [one["in_reply_to"] for one in (public, private)] == [said["id"]] * 2
    assert (public["kind"], private["kind"]) == ("comment", "message")
    (event,) = connected.events()
    said_by_us = event["data"]["acknowledgement"]
    assert said_by_us == {"text": public["text"], "continuation": private["text"]}
    (person,) = connected.items("PERSON")
    assert person["answered"] == {said["id"]}, "two texts, one answer"


def test_a_private_answer_that_is_refused_reaches_a_human(
    connected: World, customers: httpx.Client
) -> None:
    fault = {"on": "messenger", "fault": "graph_error", "code": 10900, "times": 5}
    customers.post("/faults", json=fault).raise_for_status()
    say(customers, "facebook_comment", "My parcel is two weeks late")
    connected.drain()
    (public,) = replies(customers)
    assert public["kind"] == "comment"
    opened, refused = connected.events()
    assert [one["type"].split(".")[2] for one in (opened, refused)] == ["opened", "reply_refused"]
    failed = refused["data"]["failed_reply"]
    assert failed["text"] == opened["data"]["acknowledgement"]["continuation"]
    assert "answered in private before" in failed["reason"]


def test_personal_data_in_public_is_masked_wherever_it_goes(
    connected: World, customers: httpx.Client
) -> None:
    words = "Heating broken, call me on +44 20 7946 0958 or ada@mail.example"
    say(customers, "facebook_comment", words)
    connected.drain()
    (event,) = connected.events()
    kept = json.dumps([event, connected.items("")], default=str)
    assert "7946" not in kept
    assert "mail.example" not in kept
    assert event["data"]["message"]["personal_data"] == ["email", "phone"]


def test_stop_is_honoured_and_confirmed_once_and_start_lifts_it(
    connected: World, customers: httpx.Client
) -> None:
    ada = {"author": {"id": "4711", "name": "Ada"}}
    said = []
    for text in ("stop", "My kettle stopped working", "STOP!", "start", "Lovely crew, thank you"):
        one = say(customers, "messenger", text, sent_at=connected.now().isoformat(), **ada)
        said.append(one["id"])
        connected.drain()
        connected._ahead += timedelta(minutes=31)
    answered = [one["in_reply_to"] for one in replies(customers)]
    assert answered == [said[0], said[3], said[4]]
    (event,) = [e for e in connected.events() if "opened" in e["type"]]
    assert event["data"]["acknowledgement"] == {"silence": "opted_out"}


def test_x_in_its_older_family_is_the_same_message(
    connected: World, customers: httpx.Client
) -> None:
    post = {"id": "1790000000000000123", "author": {"id": "42", "name": "Ada"}}
    for family in ("xaa", "aaa"):
        say(customers, "x_mention", "still no refund, unacceptable", family=family, **post)
        connected.drain()
    assert len(connected.items("MSG#")) == 1
    assert len(replies(customers)) == 1
    assert len(connected.events()) == 1


def test_a_second_complaint_joins_the_case_and_is_not_acknowledged_again(
    connected: World, customers: httpx.Client
) -> None:
    ada = {"author": {"id": "4711", "name": "Ada"}}
    first = say(customers, "messenger", "My order is broken", **ada)
    connected.drain()
    second = say(
        customers,
        "messenger",
        "My order is still broken and nobody answers, this is terrible",
        **ada,
    )
    connected.drain()
    opened, updated = connected.events()
    assert [e["type"].split(".")[2] for e in (opened, updated)] == ["opened", "updated"]
    assert opened["data"]["case_id"] == updated["data"]["case_id"]
    (complaint, acknowledgement) = updated["data"]["history"]
    assert (complaint["id"], acknowledgement["by"]) == (first["id"], "firstreply")
    assert updated["data"]["message"]["id"] == second["id"]
    assert updated["data"]["acknowledgement"] == {"silence": "cool_down"}
    assert len(replies(customers)) == 1


def test_a_question_that_is_not_answered_reaches_a_human(
    connected: World, customers: httpx.Client
) -> None:
    ada = {"author": {"id": "4711", "name": "Ada"}}
    say(customers, "messenger", "What time do you open on Sunday?", **ada)
    connected.drain()
    say(customers, "messenger", "What time do you close on Sunday?", **ada)
    connected.drain()
    _, event = connected.events()
    assert event["data"]["reasons"] == ["unanswered", "case_open", "unanswered:cool_down"]


def test_an_answer_given_now_to_an_old_message_would_be_an_embarrassment(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "x_mention", "what time is it?", sent_at="2026-01-01T10:00:00Z")
    connected.drain()
    assert replies(customers) == []
    (event,) = connected.events()
    assert event["data"]["reasons"] == ["unanswered", "unanswered:too_old"]


def test_the_brand_s_own_words_are_not_answered(connected: World, customers: httpx.Client) -> None:
    customers.post("/settings", json={"echo": True}).raise_for_status()
    for place in PLACES:
        say(customers, place, "nobody answers, terrible service")
    for _ in PLACES:
        connected.drain()
    assert len(replies(customers)) == len(connected.items("MSG#")) == len(PLACES)


def test_a_card_number_is_masked_before_it_is_kept_or_passed_on(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", "You charged 4111 1111 1111 1111 twice, fix it")
    connected.drain()
    (event,) = connected.events()
    (item,) = connected.items("MSG#")
    for kept in (event["data"]["message"]["text"], item["message"]["text"]):
        assert kept == "You charged [card number] twice, fix it"


def test_an_unreadable_delivery_is_set_aside_and_holds_up_nobody(
    connected: World, customers: httpx.Client
) -> None:
    for raw in ("{not json", "[]", '"text"', "{}"):
        customers.post("/deliver", json={"channel": "meta", "raw": raw}).raise_for_status()
    said = say(customers, "facebook_comment", "Your app keeps crashing and nobody answers")
    connected.drain()
    assert [one["in_reply_to"] for one in replies(customers)] == [said["id"]]
    aside = connected.bodies("inbox-dead")
    assert len(aside) == 3
    assert all(one["channel"] == "meta" and one["inbox_key"] for one in aside)
