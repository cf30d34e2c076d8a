"""Whatever a customer can do on Facebook and Instagram reaches the webhook as Meta tells it."""

from typing import Any

import pytest

from tests.simulator.client import BY_LOGIN, INSTAGRAM, PAGE, Client, Receiver, mac

AT = "2026-03-01T12:00:00Z"
SECONDS = 1772366400
ALMA = {"id": "77", "name": "Alma"}
PRIVATE = ("messenger", "instagram_message")
EVERYWHERE = (
    *("facebook_comment", "facebook_post", "facebook_review", "facebook_mention", "messenger"),
    *("instagram_comment", "instagram_live_comment", "instagram_mention", "instagram_message"),
    *("instagram_story_reply", "instagram_story_mention"),
)


@pytest.mark.parametrize("place", EVERYWHERE)
def test_each_account_gets_what_its_platform_has(
    place: str, client: Client, receiver: Receiver
) -> None:
    on_instagram = place.startswith("instagram_")
    client.say(place)
    [delivered] = receiver.delivered
    assert delivered.entry["id"] == (INSTAGRAM if on_instagram else PAGE)
    assert delivered.body["object"] == ("instagram" if on_instagram else "page")


@pytest.mark.parametrize("place", EVERYWHERE)
def test_what_was_delivered_can_be_told_again(
    place: str, client: Client, receiver: Receiver
) -> None:
    id = client.say(place)["id"]
    client.http.delete("/")
    client.deliver("meta", receiver.delivered[0].body)
    [received] = client.ask("/received")
    assert (received["id"], received["place"]) == (id, place)


def test_a_visitors_post(client: Client, receiver: Receiver) -> None:
    plain = client.say("facebook_post", "Lost!", author=ALMA, sent_at=AT)["id"]
    client.say("facebook_post", attachments=["image"])
    first, second = (delivered.value for delivered in receiver.delivered)
    assert first == {
        "item": "status",
        "verb": "add",
        "from": ALMA,
        "post_id": plain,
        "created_time": SECONDS,
        "message": "Lost!",
    }
    assert plain.startswith(f"{PAGE}_")
    assert second["item"] == "photo"
    assert second["photo"].startswith("https://")


@pytest.mark.parametrize(("recommends", "kind"), [(True, "positive"), (False, "negative")])
def test_a_review(recommends: bool, kind: str, client: Client, receiver: Receiver) -> None:
    said = {"author": ALMA, "sent_at": AT, "recommends": recommends}
    id = client.say("facebook_review", "Lost!", **said)["id"]
    [change] = receiver.delivered[0].entry["changes"]
    assert change["field"] == "ratings"
    assert change["value"] == {
        "item": "rating",
        "verb": "add",
        "reviewer_id": "77",
        "reviewer_name": "Alma",
        "review_text": "Lost!",
        "recommendation_type": kind,
        "created_time": SECONDS,
        "open_graph_story_id": id,
    }


def test_a_mention_on_facebook_is_thin(client: Client, receiver: Receiver) -> None:
    post = client.say("facebook_mention", author=ALMA, sent_at=AT)["id"]
    comment = client.say("facebook_mention", author=ALMA, parent="8_9")["id"]
    [change] = receiver.delivered[0].entry["changes"]
    inside = receiver.delivered[1].value
    assert change["field"] == "mention"
    assert change["value"] == {
        "item": "post",
        "verb": "add",
        "post_id": post,
        "sender_id": "77",
        "sender_name": "Alma",
        "created_time": SECONDS,
    }
    assert (inside["item"], inside["comment_id"], inside["post_id"]) == ("comment", comment, "8_9")
    assert "message" not in inside


@pytest.mark.parametrize(
    ("place", "field"),
    [("instagram_comment", "comments"), ("instagram_live_comment", "live_comments")],
)
def test_an_instagram_comment_has_no_time(
    place: str, field: str, client: Client, receiver: Receiver
) -> None:
    id = client.say(place, "Lost!", author=ALMA)["id"]
    [change] = receiver.delivered[0].entry["changes"]
    media = change["value"].pop("media")
    assert change == {
        "field": field,
        "value": {"id": id, "text": "Lost!", "from": {"id": "77", "username": "alma.77"}},
    }
    assert set(media) == {"id", "media_product_type"}


def test_instagram_login_is_told_without_a_list_of_changes(
    client: Client, receiver: Receiver
) -> None:
    client.say("instagram_comment", "Lost!", account=BY_LOGIN)
    entry = receiver.delivered[0].entry
    assert "changes" not in entry
    assert (entry["field"], entry["value"]["text"]) == ("comments", "Lost!")


def test_an_app_of_its_own_signs_with_its_own_secret(client: Client, receiver: Receiver) -> None:
    client.say("instagram_comment", account=BY_LOGIN)
    client.say("instagram_message", account=BY_LOGIN)
    client.say("instagram_message", account=INSTAGRAM)
    secrets = ("instagram-secret", "instagram-secret", "app-secret-now")
    for secret, delivered in zip(secrets, receiver.delivered, strict=True):
        signature = f"sha256={mac(secret, delivered.raw).hex()}"
        assert delivered.headers["X-Hub-Signature-256"] == signature


def test_an_instagram_mention_is_thinner_still(client: Client, receiver: Receiver) -> None:
    media = client.say("instagram_mention")["id"]
    comment = client.say("instagram_mention", parent="99")["id"]
    changes = [delivered.entry["changes"][0] for delivered in receiver.delivered]
    assert changes[0] == {"field": "mentions", "value": {"media_id": media}}
    assert changes[1]["value"] == {"media_id": "99", "comment_id": comment}


def test_a_story_is_answered_or_names_the_brand(client: Client, receiver: Receiver) -> None:
    client.say("instagram_story_reply", "Lost!")
    client.http.post("/say", json={"place": "instagram_story_mention"})
    reply, mention = (delivered.event["message"] for delivered in receiver.delivered)
    assert set(reply["reply_to"]["story"]) == {"url", "id"}
    assert reply["text"] == "Lost!"
    assert mention["attachments"][0]["type"] == "story_mention"
    assert mention["attachments"][0]["payload"]["url"]
    assert "text" not in mention


def test_a_comment_answers_a_comment(client: Client, receiver: Receiver) -> None:
    first = client.say("facebook_comment")["id"]
    second = client.say("facebook_comment", parent=first)["id"]
    client.say("facebook_comment", parent=second)
    post = client.say("facebook_post")["id"]
    client.say("facebook_comment", parent=post)
    values = [delivered.value for delivered in receiver.delivered]
    threads = {value["post_id"] for value in values[:3]}
    assert [value["parent_id"] for value in values[1:3]] == [first, second]
    assert len(threads) == 1
    assert (values[4]["parent_id"], values[4]["post_id"]) == (post, post)


def test_instagram_has_two_levels_of_comments(client: Client, receiver: Receiver) -> None:
    top = client.say("instagram_comment")["id"]
    second = client.say("instagram_comment", parent=top)["id"]
    client.say("instagram_comment", parent=second)
    values = [delivered.value for delivered in receiver.delivered]
    assert "parent_id" not in values[0]
    assert [value["parent_id"] for value in values[1:]] == [top, top]


@pytest.mark.parametrize("place", PRIVATE)
def test_a_message_with_attachments_needs_no_words(
    place: str, client: Client, receiver: Receiver
) -> None:
    client.http.post("/say", json={"place": place, "attachments": ["image", "audio"]})
    message = receiver.delivered[0].event["message"]
    assert [attached["type"] for attached in message["attachments"]] == ["image", "audio"]
    assert "text" not in message


def test_a_photo_in_a_comment(client: Client, receiver: Receiver) -> None:
    client.say("facebook_comment", "Look", attachments=["image"])
    value = receiver.delivered[0].value
    assert (value["item"], value["message"]) == ("comment", "Look")
    assert value["photo"]


@pytest.mark.parametrize("place", PRIVATE)
def test_buttons_and_suggestions(place: str, client: Client, receiver: Receiver) -> None:
    pressed = client.say(place, "Talk to us", postback=True)["id"]
    client.say(place, "Yes", quick_reply="YES")
    postback, tapped = (delivered.event for delivered in receiver.delivered)
    assert "message" not in postback
    assert postback["postback"].pop("payload")
    assert postback["postback"] == {"mid": pressed, "title": "Talk to us"}
    assert tapped["message"]["quick_reply"] == {"payload": "YES"}


@pytest.mark.parametrize("place", PRIVATE)
def test_another_apps_conversation_stands_by(
    place: str, client: Client, receiver: Receiver
) -> None:
    client.say(place, standby=True)
    client.say(place, "Talk to us", standby=True, postback=True)
    message, pressed = (delivered.entry for delivered in receiver.delivered)
    assert "messaging" not in message
    assert message["standby"][0]["message"]["text"]
    assert set(pressed["standby"][0]["postback"]) == {"mid", "title"}  # Meta keeps the payload


@pytest.mark.parametrize(
    "ask",
    [
        {"place": "messenger", "text": "Hi", "parent": "1"},
        {"place": "facebook_comment", "text": "Hi", "parent": "nobody's"},
        {"place": "facebook_comment", "text": "Hi", "account": INSTAGRAM},
        {"place": "instagram_comment", "text": "Hi", "account": PAGE},
        {"place": "instagram_comment", "text": "Hi", "attachments": ["image"]},
        {"place": "facebook_comment", "text": "Hi", "postback": True},
        {"place": "x_mention", "text": "Hi", "standby": True},
        {"place": "facebook_review"},
    ],
)
def test_what_a_place_does_not_have_is_turned_down(ask: dict[str, Any], client: Client) -> None:
    answer = client.http.post("/say", json=ask)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert client.ask("/received") == []
