"""X keeps its rules, counts what things cost, and goes wrong as ordered."""

import time
from typing import Any

import httpx
import pytest

from tests.simulator.client import OTHER_PROFILE, PROFILE, Client, answering
from tests.simulator.test_x_api import refusal

OWN = f"users/{PROFILE}/tweets"
EVENTS = "dm_conversations/with/77/dm_events"
LINK = "https://twitter.com/messages/compose?recipient_id=3333"
POSTS = ("x_mention", "x_reply", "x_quote")
PLACES = (*POSTS, "x_direct_message")
OTHER = {"resource_owner_key": "3334-token", "resource_owner_secret": "other-token-secret"}
SHORT = 0.15


def answer_at(place: str, client: Client, **more: Any) -> httpx.Response:
    """A reply that X would take, were there no fault."""
    options = {"mention": True} if place == "x_reply" else {}
    return client.reply(place, **options, **more)


# --- signatures ---------------------------------------------------------------------------------


def test_a_signature_is_good_once(client: Client) -> None:
    headers = client.signed("GET", f"/x/2/{OWN}")
    answers = [client.http.get(f"/x/2/{OWN}", headers=headers) for _ in range(2)]
    assert answers[0].status_code == 200
    assert refusal(answers[1]) == (401, "Unauthorized")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_is_of_now(minutes: int, client: Client) -> None:
    late = client.x("GET", OWN, timestamp=str(int(time.time()) + minutes * 60))
    assert refusal(late)[0] == 401
    assert client.x("GET", OWN, timestamp=str(int(time.time()) + minutes * 40)).status_code == 200


def test_the_query_is_signed_and_a_json_body_is_not(client: Client) -> None:
    assert client.x("GET", f"{OWN}?max_results=5&tweet.fields=created_at%2Ctext").status_code == 200
    mention = client.say("x_mention")["id"]
    headers = client.signed("POST", "/x/2/tweets")
    sent = client.http.post("/x/2/tweets", json=answering(mention, "Whatever"), headers=headers)
    assert sent.status_code == 201


@pytest.mark.parametrize("stamp", ["yesterday", "²", "9" * 5000])
def test_a_time_that_is_none_is_refused(stamp: str, client: Client) -> None:
    headers = client.signed("GET", f"/x/2/{OWN}", timestamp=stamp)
    assert client.http.get(f"/x/2/{OWN}", headers=headers).status_code == 401


# --- limits -------------------------------------------------------------------------------------


def test_the_headers_are_on_every_answer(client: Client) -> None:
    client.say("x_direct_message", author={"id": "77"})
    answers = [client.x("GET", OWN), client.x("GET", EVENTS), client.post("1"), client.direct("77")]
    answers.append(client.x("POST", "tweets", {}))
    for answer in answers:
        assert int(answer.headers["x-rate-limit-limit"]) >= 15
        assert int(answer.headers["x-rate-limit-reset"]) > time.time()
        assert answer.headers["x-rate-limit-remaining"].isdecimal()


def test_posts_messages_and_accounts_have_limits_of_their_own(client: Client) -> None:
    client.http.post("/settings", json={"x_post_limit": 1, "x_direct_message_limit": 1})
    mention = client.say("x_mention", author={"id": "77"}, also=[OTHER_PROFILE])["id"]
    client.say("x_direct_message", author={"id": "77"})
    assert [client.post(mention, text).status_code for text in ("1", "2")] == [201, 429]
    assert [client.direct("77", text).status_code for text in ("1", "2")] == [201, 429]
    assert client.post(mention, "3", **OTHER).status_code == 201
    assert client.x("GET", OWN).status_code == 200


def test_a_limit_is_over_at_its_reset(client: Client) -> None:
    client.http.post("/settings", json={"x_post_limit": 1, "x_window_seconds": 2})
    mention = client.say("x_mention")["id"]
    assert client.post(mention, "First").status_code == 201
    refused = client.post(mention, "Second")
    assert refusal(refused) == (429, "Too Many Requests")
    reset = int(refused.headers["x-rate-limit-reset"])
    while (left := reset - time.time()) > 0:
        time.sleep(left)
    assert client.post(mention, "Second").status_code == 201


# --- prices -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("So sorry", 0.01),
        ("See https://example.com/help", 0.2),
        ("See example.com for more.", 0.2),
        ("Sorry.We look, e.g. at noon", 0.01),
    ],
)
@pytest.mark.parametrize("place", POSTS)
def test_a_summoned_reply_is_cheap_unless_it_has_a_link(
    place: str, text: str, price: float, client: Client
) -> None:
    id = client.say(place, mention=True)["id"]
    client.post(id, text)
    assert [said["price"] for said in client.said()] == [price]


def test_a_post_and_a_direct_message_have_their_prices(client: Client) -> None:
    client.x("POST", "tweets", {"text": "We fly to Lisbon"})
    client.x("POST", "tweets", {"text": "We fly: http://example.com"})
    client.reply("x_direct_message")
    assert [said["price"] for said in client.said()] == [0.015, 0.2, 0.015]


def test_a_thread_stands_under_one_s_own_posts_and_is_of_ordinary_ones(
    client: Client,
) -> None:
    above = [client.say("x_mention", author={"id": "77"})["id"]]
    for text in ("So sorry 1/3", "We look 2/3", "See example.com 3/3"):
        above.append(client.post(above[-1], text).json()["data"]["id"])
    assert [said["in_reply_to"] for said in client.said()] == above[:-1]
    assert [said["price"] for said in client.said()] == [0.01, 0.015, 0.2]
    path = f"users/{PROFILE}/tweets?tweet.fields=referenced_tweets%2Cconversation_id"
    posts = client.x("GET", path).json()["data"]
    assert [post["referenced_tweets"][0]["id"] for post in posts] == above[-2::-1]
    assert len({post["conversation_id"] for post in posts}) == 1
    client.do("/remove", id=above[-1])
    assert client.post(above[-1], "And more").status_code == 403


def test_a_thread_can_be_refused_where_the_mention_was_not(client: Client) -> None:
    """What stands under one's own post is as a mention to the faults."""
    own = client.post(client.say("x_quote")["id"], "So sorry 1/2").json()["data"]["id"]
    client.fault("x_mention", "not_summoned")
    assert client.post(own, "We look 2/2").status_code == 403
    assert client.post(own, "We look 2/2").status_code == 201


def test_what_is_refused_costs_nothing_and_what_is_accepted_does(client: Client) -> None:
    client.fault("x_mention", "server_error")
    client.fault("x_mention", "accept_then_disconnect")
    client.reply("x_mention")
    with pytest.raises(httpx.RemoteProtocolError):
        client.reply("x_mention")
    assert [said["price"] for said in client.said()] == [0.01]


def test_meta_has_no_prices(client: Client) -> None:
    client.reply("messenger")
    assert "price" not in client.said()[0]


# --- what may be said ---------------------------------------------------------------------------


def test_a_button_that_opens_a_direct_message_is_remembered(client: Client) -> None:
    mention = client.say("x_mention")["id"]
    body = answering(mention, made_with_ai=False, direct_message_deep_link=LINK)
    assert client.x("POST", "tweets", body).status_code == 201
    [said] = client.said()
    assert (said["direct_message_deep_link"], said["price"]) == (LINK, 0.2)


def test_all_that_a_reply_knows_is_taken(client: Client) -> None:
    mention = client.say("x_mention")["id"]
    reply = {"exclude_reply_user_ids": ["5"], "auto_populate_reply_metadata": True}
    body = {"text": "Hi", "reply": {"in_reply_to_tweet_id": mention, **reply}, "nullcast": False}
    assert client.x("POST", "tweets", body | {"reply_settings": "following"}).status_code == 201


def test_nobody_but_enterprises_quotes(client: Client) -> None:
    answer = client.x("POST", "tweets", {"text": "Hi", "quote_tweet_id": "12345"})
    assert refusal(answer)[0] == 403


@pytest.mark.parametrize(
    ("place", "mention", "status"),
    [("x_reply", False, 403), ("x_reply", True, 201), ("x_quote", False, 201)],
)
def test_who_names_or_quotes_the_brand_summons_it(
    place: str, mention: bool, status: int, client: Client
) -> None:
    id = client.say(place, "Late", mention=mention)["id"]
    assert client.post(id).status_code == status


def test_a_humans_words_are_not_repeated_either(client: Client) -> None:
    first, second = (client.say("x_mention")["id"] for _ in range(2))
    client.do("/answer", in_reply_to=first, text="So sorry")
    assert "duplicate" in refusal(client.post(second, "So sorry"))[1]


def test_two_accounts_may_say_the_same(client: Client) -> None:
    mention = client.say("x_mention", also=[OTHER_PROFILE])["id"]
    assert client.post(mention).status_code == 201
    assert client.post(mention, **OTHER).status_code == 201
    assert [said["account"] for said in client.said()] == [PROFILE, OTHER_PROFILE]


@pytest.mark.parametrize(
    "body",
    [{"text": "Hi", "colour": "red"}, {"text": "a" * 10_001}, {"text": 7}, {"attachments": []}],
)
def test_a_malformed_direct_message_is_refused(body: object, client: Client) -> None:
    client.say("x_direct_message", author={"id": "77"})
    answer = client.x("POST", "dm_conversations/with/77/messages", body)
    assert refusal(answer)[0] == 400


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_any_problem_of_xs_can_be_ordered(place: str, client: Client) -> None:
    kind = "https://api.twitter.com/2/problems/client-forbidden"
    client.fault(place, "x_error", status=403, type=kind, detail="No.")
    answer = answer_at(place, client)
    assert refusal(answer) == (403, "No.")
    assert (answer.json()["type"], answer.json()["title"]) == (kind, "Forbidden")
    assert client.said() == []
    assert answer_at(place, client).status_code == 201


def test_even_a_problem_without_a_name_can_be_ordered(client: Client) -> None:
    client.fault("any", "x_error", status=420)
    answer = client.reply("x_mention")
    assert refusal(answer)[0] == 420
    assert answer.json()["type"] == "about:blank"


@pytest.mark.parametrize("place", PLACES)
def test_errors_stand_beside_the_answer(place: str, client: Client) -> None:
    client.fault(place, "partial")
    answer = answer_at(place, client)
    assert answer.status_code == 200
    assert answer.json()["errors"]
    [said] = client.said()
    assert said["id"] in answer.json()["data"].values()


@pytest.mark.parametrize("place", PLACES)
def test_errors_stand_in_the_answers_place(place: str, client: Client) -> None:
    client.fault(place, "partial", with_data=False, type="https://example.com/no", detail="No.")
    answer = answer_at(place, client)
    [error] = answer.json().pop("errors")
    assert answer.status_code == 200
    assert "data" not in answer.json()
    assert (error["type"], error["detail"]) == ("https://example.com/no", "No.")
    assert client.said() == []


@pytest.mark.parametrize("place", POSTS)
def test_every_kind_of_post_is_accepted_in_silence(place: str, client: Client) -> None:
    client.fault(place, "accept_then_timeout", hold_seconds=3 * SHORT)
    client.fault(place, "accept_then_disconnect")
    with pytest.raises(httpx.ReadTimeout):
        answer_at(place, client, timeout=SHORT)
    client.http.post("/settings", json={"x_duplicate_seconds": 0})
    with pytest.raises(httpx.RemoteProtocolError):
        answer_at(place, client)
    assert len(client.said()) == 2


@pytest.mark.parametrize("place", POSTS)
def test_a_kind_of_post_has_faults_of_its_own(place: str, client: Client) -> None:
    for other in PLACES:
        if other != place:
            client.fault(other, "server_error")
    assert answer_at(place, client).status_code == 201
    client.fault(place, "gone")
    assert answer_at(place, client).status_code == 403


@pytest.mark.parametrize(("place", "path"), [*((p, OWN) for p in POSTS), (PLACES[-1], EVENTS)])
def test_looking_goes_wrong_apart_from_saying(place: str, path: str, client: Client) -> None:
    client.fault(place, "x_error", status=503, at="read")
    client.fault(place, "rate_limited", at="read")
    client.fault(place, "partial", at="read")
    client.fault(place, "disconnect", at="read")
    assert answer_at(place, client).status_code == 201
    answers = [client.x("GET", path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 429, 200]
    assert {"errors", "meta"} <= answers[2].json().keys()
    with pytest.raises(httpx.RemoteProtocolError):
        client.x("GET", path)
    assert client.x("GET", path).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"on": "messenger", "fault": "x_error"},
        {"on": "messenger", "fault": "partial"},
        {"on": "x_chat", "fault": "server_error"},
        {"on": "x_mention", "fault": "x_error", "status": 200},
        {"on": "x_mention", "fault": "gone", "detail": "No."},
        {"on": "x_mention", "fault": "x_error", "with_data": False},
        {"on": "x_reply", "fault": "duplicate", "at": "read"},
        {"on": "x_direct_message", "fault": "not_summoned"},
    ],
)
def test_what_x_cannot_do_cannot_be_ordered(fault: dict[str, object], client: Client) -> None:
    assert client.http.post("/faults", json=fault).status_code == 400
    assert client.ask("/faults") == []
