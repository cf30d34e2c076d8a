"""What else happens on X reaches the webhook too, and the API knows of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator.client import OTHER_PROFILE, PAGE, PROFILE, Client, Receiver

ALMA = {"id": "77", "name": "Alma"}
NEW: dict[str, Any] = {"resource_owner_key": "new", "resource_owner_secret": "new secret"}
FAMILIES = pytest.mark.parametrize("family", ["xaa", "aaa"])


def own_posts(client: Client) -> list[str]:
    path = f"users/{PROFILE}/tweets?tweet.fields=referenced_tweets"
    return [post["id"] for post in client.x("GET", path).json().get("data", [])]


def deleted(body: Any, family: str) -> object:
    if family == "aaa":
        [event] = body["tweet_delete_events"]
        assert event["timestamp_ms"].isdecimal()
        return body["for_user_id"], event["status"]["id"], event["status"]["user_id"]
    event = body["data"]
    assert event["event_type"] == "post.delete"
    return (
        event["filter"]["user_id"],
        event["payload"]["id"],
        event["payload"]["author_id"],
    )


@FAMILIES
@pytest.mark.parametrize("place", ["x_mention", "x_reply", "x_quote"])
def test_a_removed_post_is_told_and_cannot_be_answered(
    place: str, family: str, client: Client, receiver: Receiver
) -> None:
    id = client.say(place, author=ALMA)["id"]
    client.do("/remove", id=id, family=family)
    answer = client.post(id)
    assert deleted(receiver.delivered[-1].body, family) == (PROFILE, id, "77")
    assert answer.status_code == 403
    assert "deleted or not visible" in answer.json()["detail"]
    assert client.ask("/received")[0]["removed"] is True
    assert client.http.post("/remove", json={"id": id}).status_code == 400


@FAMILIES
def test_every_account_that_was_told_of_a_post_is_told_of_its_removal(
    family: str, client: Client, receiver: Receiver
) -> None:
    id = client.say("x_mention", author=ALMA, also=[OTHER_PROFILE])["id"]
    client.do("/remove", id=id, family=family)
    told = [deleted(delivered.body, family) for delivered in receiver.delivered[2:]]
    assert told == [(PROFILE, id, "77"), (OTHER_PROFILE, id, "77")]


@FAMILIES
def test_the_brand_removes_its_own_post(family: str, client: Client, receiver: Receiver) -> None:
    id = client.reply("x_mention").json()["data"]["id"]
    client.do("/remove", id=id, family=family)
    assert deleted(receiver.delivered[-1].body, family) == (PROFILE, id, PROFILE)
    assert own_posts(client) == []
    assert client.said()[0]["removed"] is True


@FAMILIES
def test_a_human_answers_a_post(family: str, client: Client, receiver: Receiver) -> None:
    mention = client.say("x_mention", author=ALMA)["id"]
    id = client.do("/answer", in_reply_to=mention, text="We have it", family=family)["id"]
    body = receiver.delivered[-1].body
    if family == "aaa":
        [post] = body["tweet_create_events"]
        told = post["id_str"], post["user"]["id_str"], post["in_reply_to_status_id_str"]
    else:
        post = body["data"]["payload"]
        assert body["data"]["event_type"] == "post.create"
        told = post["id"], post["author_id"], post["in_reply_to_tweet_id"]
    assert told == (id, PROFILE, mention)
    assert post["text"] == "We have it"
    assert own_posts(client) == [id]
    assert client.said() == []


@FAMILIES
def test_a_human_goes_on_under_a_post_of_the_brand_s(
    family: str, client: Client, receiver: Receiver
) -> None:
    own = client.post(client.say("x_mention")["id"]).json()["data"]["id"]
    client.do("/answer", in_reply_to=own, text="We have it", family=family)
    body = receiver.delivered[-1].body
    post = body["tweet_create_events"][0] if family == "aaa" else body["data"]["payload"]
    names = ("in_reply_to_status_id_str", "in_reply_to_user_id_str")
    names = names if family == "aaa" else ("in_reply_to_tweet_id", "in_reply_to_user_id")
    assert [post[name] for name in names] == [own, PROFILE]
    assert [said["id"] for said in client.said()] == [own]


@FAMILIES
def test_a_human_answers_a_direct_message(family: str, client: Client, receiver: Receiver) -> None:
    message = client.say("x_direct_message", author=ALMA)["id"]
    id = client.do("/answer", in_reply_to=message, text="We have it", family=family)["id"]
    body = receiver.delivered[-1].body
    payload = body if family == "aaa" else body["data"]["payload"]
    [event] = payload["direct_message_events"]
    listed = client.x("GET", "dm_conversations/with/77/dm_events").json()["data"]
    assert family == "aaa" or body["data"]["event_type"] == "dm.sent"
    assert (event["id"], event["message_create"]["sender_id"]) == (id, PROFILE)
    assert event["message_create"]["target"]["recipient_id"] == "77"
    assert {item["id"] for item in listed} == {message, id}
    assert client.said() == []


@FAMILIES
def test_the_brand_hears_what_firstreply_says(
    family: str, client: Client, receiver: Receiver
) -> None:
    client.http.post("/settings", json={"echo": True, "x_echo_family": family})
    client.reply("x_mention")
    client.reply("x_direct_message")
    bodies = [delivered.body for delivered in receiver.wait_for(4)]
    post, direct = client.said()
    if family == "xaa":
        payloads = [body["data"]["payload"] for body in bodies]
        posts = [payload["id"] for payload in payloads if "author_id" in payload]
    else:
        payloads = bodies
        posts = [
            p["tweet_create_events"][0]["id_str"] for p in bodies if "tweet_create_events" in p
        ]
    directs = [p["direct_message_events"][0] for p in payloads if "direct_message_events" in p]
    assert post["id"] in posts
    senders = {event["id"]: event["message_create"]["sender_id"] for event in directs}
    assert senders[direct["id"]] == PROFILE


def test_a_revoked_token_is_no_good_until_there_is_another(
    client: Client, receiver: Receiver
) -> None:
    mention = client.say("x_mention")["id"]
    client.do("/revoke", account=PROFILE)
    event = receiver.delivered[-1].activity
    assert (event["event_type"], event["filter"]) == ("oauth.revoke", {})
    assert set(event["payload"]) == {"date_time", "user_id", "app_id"}
    assert event["payload"]["user_id"] == PROFILE
    assert datetime.fromisoformat(event["payload"]["date_time"]) <= datetime.now(UTC)
    refused = client.post(mention)
    assert (refused.status_code, refused.json()["title"]) == (401, "Unauthorized")
    client.do("/accounts", channel="x", id=PROFILE, token="new", token_secret="new secret")
    assert client.post(mention, **NEW).status_code == 201


def test_aaa_tells_of_a_revocation_without_saying_to_whom(
    client: Client, receiver: Receiver
) -> None:
    client.do("/revoke", family="aaa")
    body = receiver.delivered[-1].body
    assert set(body) == {"user_event"}
    assert body["user_event"]["revoke"]["source"] == {"user_id": PROFILE}
    assert body["user_event"]["revoke"]["target"]["app_id"]


def test_a_token_of_x_is_rotated_until_the_reset(client: Client) -> None:
    client.do("/accounts", channel="x", id=PROFILE, token="new", token_secret="new secret")
    path = f"users/{PROFILE}/tweets"
    old = client.x("GET", path)
    mixed = client.x("GET", path, resource_owner_key="new")
    assert [old.status_code, mixed.status_code] == [401, 401]
    assert client.x("GET", path, **NEW).status_code == 200
    client.http.delete("/")
    assert client.x("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("path", "ask"),
    [
        ("/accounts", {"channel": "x", "id": PROFILE, "token": "new"}),
        ("/accounts", {"channel": "x", "id": "?", "token": "new", "token_secret": "new"}),
        ("/accounts", {"channel": "meta", "id": PAGE, "token": "new", "token_secret": "new"}),
        ("/revoke", {"account": "nobody"}),
        ("/remove", {"id": "nothing", "family": "aaa"}),
    ],
)
def test_what_makes_no_sense_is_turned_down(
    path: str, ask: dict[str, object], client: Client
) -> None:
    answer = client.http.post(path, json=ask)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_what_cannot_happen_on_x_is_turned_down(client: Client) -> None:
    chat, direct = (client.say(place)["id"] for place in ("x_chat", "x_direct_message"))
    mention = client.say("x_mention")["id"]
    ours = client.reply("x_direct_message").json()["data"]["dm_event_id"]
    for path, ask in (
        ("/answer", {"in_reply_to": chat, "text": "?"}),
        ("/answer", {"in_reply_to": ours, "text": "?"}),
        ("/remove", {"id": direct}),
        ("/remove", {"id": ours}),
        ("/remove", {"id": mention, "with_author": False}),
    ):
        assert client.http.post(path, json=ask).status_code == 400, (path, ask)


def test_meta_knows_no_families(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    for path, ask in (
        ("/answer", {"in_reply_to": comment, "text": "?"}),
        ("/remove", {"id": comment}),
    ):
        assert client.http.post(path, json=ask | {"family": "xaa"}).status_code == 400


def test_the_check_is_repeated_until_it_fails(client: Client, receiver: Receiver) -> None:
    answer = client.do("/handshake", channel="x", times=3)
    assert (answer["ok"], answer["status"]) == (True, 200)
