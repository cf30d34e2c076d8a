"""What customers do on X reaches the webhook as X tells it, in both families."""

import base64

import pytest

from local.simulator.x_length import weight
from tests.simulator.client import OTHER_PROFILE, PROFILE, Client, Receiver

MENTION, REPLY, QUOTE = "post.mention.create", "post.reply.create", "post.quote.create"
LONG = "My bag is lost. " * 30
POSTS = ("x_mention", "x_reply", "x_quote")


def told(receiver: Receiver) -> list[str]:
    return [delivered.activity["event_type"] for delivered in receiver.delivered]


@pytest.mark.parametrize(
    ("place", "mention", "events"),
    [
        ("x_mention", None, [MENTION]),
        ("x_mention", False, [REPLY]),
        ("x_reply", None, [REPLY]),
        ("x_reply", True, [MENTION, REPLY]),
        ("x_quote", None, [QUOTE]),
        ("x_quote", True, [MENTION, QUOTE]),
    ],
)
def test_xaa_tells_once_for_every_way_in_which_a_post_concerns_the_brand(
    place: str, mention: bool | None, events: list[str], client: Client, receiver: Receiver
) -> None:
    option = {} if mention is None else {"mention": mention}
    said = client.say(place, "Late", **option)
    assert told(receiver) == events
    assert {d.activity["payload"]["id"] for d in receiver.delivered} == {said["id"]}
    assert len({d.activity["event_uuid"] for d in receiver.delivered}) == len(events)
    assert len(said["deliveries"]) == len(events)


@pytest.mark.parametrize("place", POSTS)
@pytest.mark.parametrize("mention", [True, False])
def test_aaa_tells_once(place: str, mention: bool, client: Client, receiver: Receiver) -> None:
    said = client.say(place, "Late", mention=mention, family="aaa")
    [delivered] = receiver.delivered
    assert delivered.status["id_str"] == said["id"]
    assert delivered.body["for_user_id"] == PROFILE
    assert ("user_has_blocked" in delivered.body) == mention


def test_a_reply_answers_the_brands_post(client: Client, receiver: Receiver) -> None:
    for family in ("xaa", "aaa"):
        client.say("x_reply", "Late", family=family)
    payload, status = receiver.delivered[0].activity["payload"], receiver.delivered[1].status
    parent = payload["in_reply_to_tweet_id"]
    assert payload["in_reply_to_user_id"] == PROFILE
    assert payload["referenced_tweets"] == [{"type": "replied_to", "id": parent}]
    assert payload["conversation_id"] == status["in_reply_to_status_id_str"] == parent
    assert status["in_reply_to_user_id_str"] == PROFILE
    assert status["in_reply_to_screen_name"] == "northwind"
    assert payload["text"] == status["text"] == "Late"


def test_a_quote_quotes_the_brands_post(client: Client, receiver: Receiver) -> None:
    for family in ("xaa", "aaa"):
        client.say("x_quote", "Look at this", family=family)
    payload, status = receiver.delivered[0].activity["payload"], receiver.delivered[1].status
    assert payload["referenced_tweets"] == [
        {"type": "quoted", "id": status["quoted_status"]["id_str"]}
    ]
    assert status["is_quote_status"] is True
    assert status["quoted_status"]["user"]["id_str"] == PROFILE
    assert payload["entities"]["mentions"] == status["entities"]["user_mentions"] == []


def test_a_conversation_goes_on_under_the_brands_reply(client: Client, receiver: Receiver) -> None:
    first = client.say("x_mention", author={"id": "77"})["id"]
    ours = client.post(first).json()["data"]["id"]
    second = client.say("x_reply", "Thanks", author={"id": "77"}, parent=ours)["id"]
    third = client.say("x_mention", "Me too", author={"id": "78"}, parent=second)["id"]
    answer, aside = (delivered.activity for delivered in receiver.delivered[1:])
    assert answer["event_type"] == REPLY
    assert answer["payload"]["in_reply_to_tweet_id"] == ours
    assert (aside["event_type"], aside["payload"]["in_reply_to_user_id"]) == (MENTION, "77")
    assert {e["payload"]["conversation_id"] for e in (answer, aside)} == {first}
    assert client.post(third, "And you?").status_code == 201


def test_xaa_does_not_tell_of_replies_to_customers(client: Client) -> None:
    mention = client.say("x_mention")["id"]
    ask = {"place": "x_reply", "text": "Same here", "parent": mention}
    assert client.http.post("/say", json=ask).status_code == 400


def test_under_a_post_that_nobody_knows_stands_a_mention(
    client: Client, receiver: Receiver
) -> None:
    client.say("x_mention", parent="1790000000000000123")
    [delivered] = receiver.delivered
    assert delivered.activity["event_type"] == MENTION
    assert delivered.activity["payload"]["in_reply_to_user_id"] not in ("", PROFILE)


@pytest.mark.parametrize("family", ["xaa", "aaa"])
def test_a_post_that_names_two_accounts_is_told_to_each(
    family: str, client: Client, receiver: Receiver
) -> None:
    id = client.say("x_mention", "Late", also=[OTHER_PROFILE], family=family)["id"]
    first, second = (delivered.body for delivered in receiver.delivered)
    if family == "xaa":
        to = [body["data"]["filter"]["user_id"] for body in (first, second)]
        posts = [body["data"]["payload"] for body in (first, second)]
        named = [m["id"] for m in posts[1]["entities"]["mentions"]]
        assert posts[0] == posts[1]
    else:
        to = [body["for_user_id"] for body in (first, second)]
        posts = [body["tweet_create_events"][0] for body in (first, second)]
        named = [m["id_str"] for m in posts[1]["entities"]["user_mentions"]]
    assert to == named == [PROFILE, OTHER_PROFILE]
    assert {post["text"] for post in posts} == {"@northwind @southwind Late"}
    assert [(m["id"], m["account"]) for m in client.ask("/received")] == [
        (id, PROFILE),
        (id, OTHER_PROFILE),
    ]


def test_a_reply_that_names_another_account_is_a_mention_there(
    client: Client, receiver: Receiver
) -> None:
    client.say("x_reply", "Late", also=[OTHER_PROFILE])
    to = [(d.activity["filter"]["user_id"], d.activity["event_type"]) for d in receiver.delivered]
    assert to == [(PROFILE, REPLY), (OTHER_PROFILE, MENTION)]


def test_an_encrypted_message_tells_no_text(client: Client, receiver: Receiver) -> None:
    sent_at = "2026-03-01T12:00:00.123Z"
    said = client.say("x_chat", "A secret", author={"id": "77", "name": "Alma"}, sent_at=sent_at)
    [delivered] = receiver.delivered
    event = delivered.activity
    cipher = event["payload"].pop("encoded_event")
    assert event["event_type"] == "chat.received"
    assert base64.b64decode(cipher, validate=True)
    assert event["payload"].pop("conversation_key_version").isdecimal()
    assert event["payload"] == {
        "sender_id": "77",
        "conversation_id": f"77-{PROFILE}",
        "id": said["id"],
        "created_at_msec": "1772366400123",
    }
    assert b"secret" not in delivered.raw
    assert client.direct("77").status_code == 403


def test_an_encrypted_message_needs_no_text(client: Client) -> None:
    assert client.http.post("/say", json={"place": "x_chat"}).status_code == 200


@pytest.mark.parametrize("place", [*POSTS, "x_direct_message"])
@pytest.mark.parametrize("family", ["xaa", "aaa"])
def test_a_bot_says_so(place: str, family: str, client: Client, receiver: Receiver) -> None:
    for automated in (True, False):
        client.say(place, "Late", family=family, author={"id": "77"}, automated=automated)
    users = []
    for body in (delivered.body for delivered in receiver.delivered):
        data = body.get("data", body)
        people = data.get("users", data.get("payload", {}).get("users"))
        if people:
            users.append(people["77"].get("data", people["77"]))
        elif family == "xaa":
            users.append(data["includes"]["users"][0])
        else:
            users.append(data["tweet_create_events"][0]["user"])
    assert [user.get("affiliation") for user in users] == [{"description": "Automated"}, None]


def test_aaa_quotes_whether_the_author_is_blocked(client: Client, receiver: Receiver) -> None:
    for blocked in (True, False):
        client.say("x_mention", family="aaa", blocked=blocked)
    assert [d.body["user_has_blocked"] for d in receiver.delivered] == ["true", "false"]


def test_users_are_wrapped_where_x_does_so(client: Client, receiver: Receiver) -> None:
    client.say("x_mention", author={"id": "77"}, wrapped=True)
    users = receiver.delivered[0].activity["includes"]["users"]
    assert [user["data"]["id"] for user in users] == ["77", PROFILE]


@pytest.mark.parametrize("place", POSTS)
def test_the_language_is_xs_guess(place: str, client: Client, receiver: Receiver) -> None:
    for options in ({}, {"lang": "de"}):
        client.say(place, **options)
        client.say(place, family="aaa", **options)
    new, old = receiver.delivered[::2], receiver.delivered[1::2]
    assert [delivered.activity["payload"]["lang"] for delivered in new] == ["en", "de"]
    assert [delivered.status["lang"] for delivered in old] == ["en", "de"]


@pytest.mark.parametrize("text", [LONG, "你" * 141])
def test_what_is_too_long_by_weight_is_cut(text: str, client: Client, receiver: Receiver) -> None:
    for family in ("xaa", "aaa"):
        client.say("x_quote", text, family=family)
    payload, status = receiver.delivered[0].activity["payload"], receiver.delivered[1].status
    assert payload["note_tweet"]["text"] == status["extended_tweet"]["full_text"] == text
    assert status["truncated"] is True
    assert weight(payload["text"].rstrip("…")) < 280
    assert weight(status["text"].rstrip("…")) < 140


def test_what_just_fits_is_whole(client: Client, receiver: Receiver) -> None:
    for family in ("xaa", "aaa"):
        client.say("x_quote", "你" * 140, family=family)
    assert "note_tweet" not in receiver.delivered[0].activity["payload"]
    assert receiver.delivered[1].status["truncated"] is False


@pytest.mark.parametrize("place", POSTS)
@pytest.mark.parametrize("family", ["xaa", "aaa"])
def test_every_post_that_x_tells_is_known_again(
    place: str, family: str, client: Client, receiver: Receiver
) -> None:
    id = client.say(place, "Late", family=family)["id"]
    client.http.delete("/")
    client.deliver("x", receiver.delivered[0].body)
    [received] = client.ask("/received")
    assert (received["id"], received["place"], received["text"][-4:]) == (id, place, "Late")
    assert client.post(id).status_code == (403 if place == "x_reply" else 201)


@pytest.mark.parametrize(
    "ask",
    [
        {"place": "x_chat", "family": "aaa"},
        {"place": "x_direct_message", "text": "Hi", "also": [OTHER_PROFILE]},
        {"place": "x_mention", "text": "Hi", "also": ["nobody"]},
        {"place": "messenger", "text": "Hi", "lang": "de"},
        {"place": "x_chat", "automated": True},
        {"place": "x_direct_message"},
    ],
)
def test_what_x_does_not_know_cannot_be_said(ask: dict[str, object], client: Client) -> None:
    assert client.http.post("/say", json=ask).status_code == 400
    assert client.ask("/received") == []
