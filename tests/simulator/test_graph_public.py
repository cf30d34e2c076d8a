"""In public Graph takes answers wherever the brand may speak, and shows what stands there."""

from typing import Any

import pytest

from tests.simulator.client import INSTAGRAM, PAGE, TOKENS, Client, Receiver
from tests.simulator.test_graph import code

AT = "2026-03-01T12:00:00+02:00"
AT_UTC = "2026-03-01T10:00:00+0000"
ALMA = {"id": "77", "name": "Alma"}
TOKEN = TOKENS[INSTAGRAM]


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post", "facebook_mention"])
def test_facebook_takes_comments(place: str, client: Client) -> None:
    id = client.say(place)["id"]
    reply = client.comment(id).json()["id"]
    listed = client.graph("GET", f"{id}/comments").json()["data"]
    assert [comment["id"] for comment in listed] == [reply]
    assert client.said()[0]["in_reply_to"] == id


def test_instagram_takes_replies(client: Client) -> None:
    id = client.say("instagram_comment", author=ALMA)["id"]
    theirs = client.say("instagram_comment", "Still lost", parent=id, author=ALMA, sent_at=AT)["id"]
    ours = client.instagram_reply(id, "So sorry").json()["id"]
    fields = {"fields": "id,text,username,timestamp,from"}
    first, second = client.graph("GET", f"{id}/replies", params=fields, token=TOKEN).json()["data"]
    [said] = client.said()
    assert first == {
        "id": theirs,
        "text": "Still lost",
        "username": "alma.77",
        "timestamp": AT_UTC,
        "from": {"id": "77", "username": "alma.77"},
    }
    assert second["from"] == {"id": INSTAGRAM, "username": "northwind"}
    assert (second["id"], second["text"]) == (ours, "So sorry")
    assert (said["kind"], said["in_reply_to"], said["account"]) == ("comment", id, INSTAGRAM)


def test_an_answer_to_an_instagram_reply_stands_beside_it(
    client: Client, receiver: Receiver
) -> None:
    client.http.post("/settings", json={"echo": True})
    top = client.say("instagram_comment")["id"]
    theirs = client.say("instagram_comment", parent=top)["id"]
    ours = client.instagram_reply(theirs).json()["id"]
    below_it = client.graph("GET", f"{theirs}/replies", token=TOKEN).json()
    below_top = client.graph("GET", f"{top}/replies", token=TOKEN).json()["data"]
    echo = receiver.wait_for(3)[2].value
    assert below_it == {"data": []}
    assert [reply["id"] for reply in below_top] == [theirs, ours]
    assert (echo["id"], echo["parent_id"], echo["from"]["id"]) == (ours, top, INSTAGRAM)
    assert client.said()[0]["in_reply_to"] == theirs


def test_a_live_comment_takes_no_public_reply(client: Client) -> None:
    id = client.say("instagram_live_comment")["id"]
    assert code(client.instagram_reply(id)) == (100, None)
    assert code(client.graph("GET", f"{id}/replies", token=TOKEN)) == (100, None)
    assert client.said() == []


def test_each_platform_has_its_own_edge(client: Client) -> None:
    facebook, instagram = (client.say(f"{p}_comment")["id"] for p in ("facebook", "instagram"))
    body = {"message": "So sorry"}
    assert code(client.graph("POST", f"{facebook}/replies", body)) == (100, 33)
    assert code(client.graph("POST", f"{instagram}/comments", body, token=TOKEN)) == (100, 33)


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post", "facebook_mention"])
def test_a_comment_or_post_can_be_read(place: str, client: Client) -> None:
    id = client.say(place, "Lost!", author=ALMA, sent_at=AT)["id"]
    fields = {"fields": "id,message,from,created_time,permalink_url"}
    read = client.graph("GET", id, params=fields).json()
    assert read.pop("permalink_url").startswith("https://www.facebook.com/")
    assert read == {"id": id, "message": "Lost!", "from": ALMA, "created_time": AT_UTC}
    assert client.graph("GET", id, params={"fields": "message"}).json().keys() == {"id", "message"}


def test_a_mention_in_a_comment_can_be_read(client: Client) -> None:
    id = client.say("facebook_mention", "Lost!", parent="8_9")["id"]
    assert client.graph("GET", id).json()["message"] == "Lost!"


def test_an_instagram_comment_can_be_read(client: Client) -> None:
    id = client.say("instagram_comment", "Lost!", author=ALMA)["id"]
    read = client.graph("GET", id, params={"fields": "id,text,username"}, token=TOKEN).json()
    assert read == {"id": id, "text": "Lost!", "username": "alma.77"}


def asked(client: Client, fields: str, node: str = INSTAGRAM) -> Any:
    return client.graph("GET", node, params={"fields": fields}, token=TOKEN)


@pytest.mark.parametrize("node", [INSTAGRAM, "me"])
def test_what_an_instagram_comment_said_of_the_brand(node: str, client: Client) -> None:
    said: dict[str, Any] = {"author": ALMA, "sent_at": AT, "parent": "99"}
    id = client.say("instagram_mention", "Lost!", **said)["id"]
    inner = "{id,text,timestamp,username,media{id,permalink}}"
    answer = asked(client, f"mentioned_comment.comment_id({id}){inner}", node).json()
    permalink = answer["mentioned_comment"]["media"].pop("permalink")
    assert permalink.startswith("https://www.instagram.com/")
    assert answer == {
        "id": INSTAGRAM,
        "mentioned_comment": {
            "id": id,
            "text": "Lost!",
            "timestamp": AT_UTC,
            "username": "alma.77",
            "media": {"id": "99"},
        },
    }


def test_what_an_instagram_caption_said_of_the_brand(client: Client) -> None:
    id = client.say("instagram_mention", "Lost!", author=ALMA, sent_at=AT)["id"]
    inner = "{id,caption,timestamp,username,permalink}"
    media = asked(client, f"mentioned_media.media_id({id}){inner}").json()["mentioned_media"]
    assert media.pop("permalink").startswith("https://www.instagram.com/")
    assert media == {"id": id, "caption": "Lost!", "timestamp": AT_UTC, "username": "alma.77"}


def test_a_mention_that_is_none_is_refused(client: Client) -> None:
    caption = client.say("instagram_mention")["id"]
    assert code(asked(client, f"mentioned_comment.comment_id({caption}){{text}}")) == (100, 33)
    assert code(asked(client, "mentioned_media.media_id(1){caption}")) == (100, 33)
    assert code(asked(client, "name")) == (100, None)
    assert code(client.graph("GET", PAGE, params={"fields": "name"})) == (100, None)


@pytest.mark.parametrize("place", ["facebook_review", "instagram_mention"])
def test_what_has_no_comments_takes_none(place: str, client: Client) -> None:
    id = client.say(place)["id"]
    token = TOKEN if place == "instagram_mention" else "page-token-1"
    assert code(client.comment(id, token=token)) == (100, 33)
