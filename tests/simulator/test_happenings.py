"""What happens to a message afterwards reaches the webhook too, and Graph knows of it."""

import base64
import json
from urllib.parse import parse_qs

import pytest

from tests.simulator.client import INSTAGRAM, PAGE, Client, Receiver, mac
from tests.simulator.test_graph import code

ALMA = {"id": "77", "name": "Alma"}
PRIVATE = ("messenger", "instagram_message")


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post"])
def test_a_comment_or_post_is_edited(place: str, client: Client, receiver: Receiver) -> None:
    id = client.say(place, "Lost", author=ALMA)["id"]
    done = client.do("/edit", id=id, text="Found")
    before, after = (delivered.value for delivered in receiver.delivered)
    assert [delivery["status"] for delivery in done["deliveries"]] == [200]
    assert (after["verb"], after["message"], after["from"]) == ("edited", "Found", ALMA)
    assert after["edited_time"] >= after["created_time"] == before["created_time"]
    assert client.ask("/received")[0]["text"] == "Found"


@pytest.mark.parametrize("place", PRIVATE)
def test_a_message_is_edited(place: str, client: Client, receiver: Receiver) -> None:
    id = client.say(place, "Lost", author=ALMA)["id"]
    for text in ("Lots", "Found"):
        client.do("/edit", id=id, text=text)
    event = receiver.delivered[2].event
    assert event["message_edit"] == {"mid": id, "text": "Found", "num_edit": 2}
    assert event["sender"]["id"] == "77"


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post"])
@pytest.mark.parametrize("with_author", [True, False])
def test_what_is_removed_has_no_words(
    place: str, with_author: bool, client: Client, receiver: Receiver
) -> None:
    id = client.say(place)["id"]
    client.do("/remove", id=id, with_author=with_author)
    value = receiver.delivered[1].value
    assert value["verb"] == "remove"
    assert id in (value.get("comment_id"), value["post_id"])
    assert "message" not in value
    assert ("from" in value) == with_author


def test_an_instagram_message_is_unsent(client: Client, receiver: Receiver) -> None:
    id = client.say("instagram_message", author=ALMA)["id"]
    client.do("/remove", id=id)
    assert receiver.delivered[1].event["message"] == {"mid": id, "is_deleted": True}
    assert client.ask("/received")[0]["removed"] is True


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post", "instagram_comment"])
def test_what_was_removed_is_gone(place: str, client: Client) -> None:
    id = client.say(place)["id"]
    client.do("/remove", id=id)
    token = "instagram-token" if place.startswith("instagram_") else "page-token-1"
    edge = "replies" if place.startswith("instagram_") else "comments"
    for method, path in (("GET", id), ("GET", f"{id}/{edge}"), ("POST", f"{id}/{edge}")):
        answer = client.graph(method, path, {"message": "So sorry"}, token=token)
        assert code(answer) == (100, 33), path
    assert client.said() == []


def test_a_hidden_comment_is_seen_but_not_answered(client: Client, receiver: Receiver) -> None:
    id = client.say("facebook_comment", author=ALMA)["id"]
    client.do("/hide", id=id)
    refused = (client.comment(id), client.message({"comment_id": id}))
    seen = client.graph("GET", id)
    client.do("/hide", id=id, hidden=False)
    hide, unhide = (delivered.value for delivered in receiver.delivered[1:])
    assert {code(answer) for answer in refused} == {(100, 33)}
    assert seen.status_code == client.comment(id).status_code == 200
    assert (hide["verb"], hide["from"], unhide["verb"]) == ("hide", ALMA, "unhide")


def test_meta_tells_nobody_what_happens_to_an_instagram_comment(
    client: Client, receiver: Receiver
) -> None:
    id = client.say("instagram_comment")["id"]
    assert client.do("/hide", id=id)["deliveries"] == []
    assert code(client.instagram_reply(id)) == (100, 33)
    assert client.do("/remove", id=id)["deliveries"] == []
    assert len(receiver.delivered) == 1


def test_a_human_answers_a_comment(client: Client, receiver: Receiver) -> None:
    comment = client.say("facebook_comment")["id"]
    answer = client.do("/answer", in_reply_to=comment, text="We have it")
    value = receiver.delivered[1].value
    listed = client.graph("GET", f"{comment}/comments").json()["data"]
    assert value["from"]["id"] == PAGE
    assert (value["parent_id"], value["comment_id"]) == (comment, answer["id"])
    assert value["message"] == "We have it"
    assert [delivery["status"] for delivery in answer["deliveries"]] == [200]
    assert [(reply["id"], reply["from"]["id"]) for reply in listed] == [(answer["id"], PAGE)]
    assert client.said() == []


def test_a_human_answers_on_instagram(client: Client, receiver: Receiver) -> None:
    comment = client.say("instagram_comment")["id"]
    answer = client.do("/answer", in_reply_to=comment, text="We have it")
    value = receiver.delivered[1].value
    listed = client.graph("GET", f"{comment}/replies", token="instagram-token").json()["data"]
    assert (value["from"]["id"], value["from"]["username"]) == (INSTAGRAM, "northwind")
    assert value["from"]["self_ig_scoped_id"]
    assert value["parent_id"] == comment
    assert [reply["id"] for reply in listed] == [answer["id"]]


@pytest.mark.parametrize("place", PRIVATE)
def test_a_human_answers_in_private(place: str, client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    message = client.say(place, author=ALMA)["id"]
    client.message({"id": "77"}, account=PAGE if place == "messenger" else INSTAGRAM)
    receiver.wait_for(2)
    answer = client.do("/answer", in_reply_to=message, text="We have it")
    ours, theirs = (delivered.event for delivered in receiver.delivered[1:])
    assert theirs["recipient"]["id"] == "77"
    assert theirs["message"]["is_echo"] is True
    assert theirs["message"]["mid"] == answer["id"]
    assert "metadata" not in theirs["message"]
    assert theirs["message"]["app_id"] != ours["message"]["app_id"]


@pytest.mark.parametrize("place", ["facebook_mention", "instagram_mention"])
def test_in_somebody_elses_place_the_brand_does_not_hear_itself(place: str, client: Client) -> None:
    id = client.say(place)["id"]
    assert client.do("/answer", in_reply_to=id, text="We have it")["deliveries"] == []


def test_a_reaction_to_either_sides_message(client: Client, receiver: Receiver) -> None:
    heard = client.say("messenger", author=ALMA)["id"]
    said = client.message({"id": "77"}).json()["message_id"]
    for mid in (heard, said):
        client.do("/react", id=mid, reaction="love")
        event = receiver.delivered[-1].event
        assert event["sender"]["id"] == "77"
        reaction = event["reaction"]
        assert reaction.pop("emoji")
        assert reaction == {"mid": mid, "action": "react", "reaction": "love"}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/edit", "instagram_comment"),
        ("/edit", "facebook_review"),
        ("/edit", "x_mention"),
        ("/hide", "messenger"),
        ("/react", "facebook_comment"),
        ("/answer", "facebook_review"),
    ],
)
def test_what_cannot_happen_is_turned_down(path: str, place: str, client: Client) -> None:
    id = client.say(place)["id"]
    texts = {"/edit": {"text": "?"}, "/react": {"reaction": "love"}, "/hide": {}}
    ask = texts.get(path, {"text": "?"}) | {"in_reply_to" if path == "/answer" else "id": id}
    answer = client.http.post(path, json=ask)
    assert answer.status_code == 400
    assert place in answer.json()["error"] or id in answer.json()["error"]


def test_what_nobody_wrote_cannot_be_changed(client: Client) -> None:
    for path in ("/remove", "/hide"):
        assert client.http.post(path, json={"id": "nothing"}).status_code == 400


@pytest.mark.parametrize(("how", "is_good"), [("valid", True), ("wrong", False)])
def test_a_deletion_is_asked_for_under_a_signature(
    how: str, is_good: bool, client: Client, receiver: Receiver
) -> None:
    answer = client.do("/delete_data", person="77", signature=how)
    [delivered] = receiver.delivered
    [signed] = parse_qs(delivered.raw.decode())["signed_request"]
    signature, payload = signed.split(".")
    asked = json.loads(base64.urlsafe_b64decode(payload + "=="))
    expected = base64.urlsafe_b64encode(mac("app-secret-now", payload.encode())).decode()
    assert delivered.channel == "meta"
    assert delivered.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (asked["algorithm"], asked["user_id"]) == ("HMAC-SHA256", "77")
    assert asked["issued_at"] > 0
    assert (signature == expected.rstrip("=")) == is_good
    assert "=" not in signed
    assert answer == {"status": 200, "body": ""}
