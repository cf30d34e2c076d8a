"""In private Graph keeps the rules of Messenger and of Instagram."""

from typing import Any

import pytest

from tests.simulator.client import INSTAGRAM, PAGE, TOKENS, Client, Receiver
from tests.simulator.test_graph import code

LONG_AGO = "2026-03-01T12:00:00Z"
PLACES = {
    "messenger": PAGE,
    "instagram_message": INSTAGRAM,
    "instagram_story_reply": INSTAGRAM,
    "instagram_story_mention": INSTAGRAM,
}
COMMENTS = {
    "facebook_comment": (PAGE, "comment_id"),
    "facebook_post": (PAGE, "post_id"),
    "instagram_comment": (INSTAGRAM, "comment_id"),
    "instagram_live_comment": (INSTAGRAM, "comment_id"),
}


@pytest.mark.parametrize(("place", "account"), PLACES.items())
def test_a_message_is_answered(place: str, account: str, client: Client) -> None:
    message = client.say(place, author={"id": "77"})["id"]
    answer = client.message({"id": "77"}, account=account)
    [said] = client.said()
    assert answer.json() == {"recipient_id": "77", "message_id": said["id"]}
    assert (said["kind"], said["in_reply_to"]) == ("message", message)
    assert {"private_reply", "tag"}.isdisjoint(said)


def test_me_is_the_account_of_the_token(client: Client) -> None:
    client.say("instagram_message", author={"id": "77"})
    body = {"messaging_type": "RESPONSE", "recipient": {"id": "77"}, "message": {"text": "Hi"}}
    answer = client.graph("POST", "me/messages", body, token=TOKENS[INSTAGRAM])
    assert answer.status_code == 200
    assert client.said()[0]["account"] == INSTAGRAM


@pytest.mark.parametrize("place", ["messenger", "instagram_message"])
@pytest.mark.parametrize("anew", [{"postback": True}, {}])
def test_the_window_opens_with_whatever_the_person_does(
    place: str, anew: dict[str, Any], client: Client
) -> None:
    account = PLACES[place]
    client.say(place, author={"id": "77"}, sent_at=LONG_AGO)
    assert code(client.message({"id": "77"}, account=account)) == (10, 2018278)
    client.say(place, author={"id": "77"}, **anew)
    assert client.message({"id": "77"}, account=account).status_code == 200


def test_a_story_opens_instagrams_window(client: Client) -> None:
    client.say("instagram_message", author={"id": "77"}, sent_at=LONG_AGO)
    client.say("instagram_story_mention", author={"id": "77"})
    assert client.message({"id": "77"}, account=INSTAGRAM).status_code == 200


def test_the_human_agents_tag_is_remembered(client: Client) -> None:
    client.say("messenger", author={"id": "77"})
    client.message({"id": "77"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    assert client.said()[0]["tag"] == "HUMAN_AGENT"


def test_instagram_counts_bytes(client: Client) -> None:
    client.say("instagram_message", author={"id": "77"})
    assert code(client.message({"id": "77"}, "ä" * 501, INSTAGRAM)) == (100, None)
    assert client.message({"id": "77"}, "ä" * 500, INSTAGRAM).status_code == 200


@pytest.mark.parametrize("action", ["mark_seen", "typing_on", "typing_off"])
@pytest.mark.parametrize("place", ["messenger", "instagram_message"])
def test_a_sender_action_goes_alone(place: str, action: str, client: Client) -> None:
    path, token = f"{PLACES[place]}/messages", TOKENS[PLACES[place]]
    client.say(place, author={"id": "77"})
    body = {"recipient": {"id": "77"}, "sender_action": action}
    alone = client.graph("POST", path, body, token=token)
    beside = client.graph("POST", path, body | {"message": {"text": "Hi"}}, token=token)
    assert alone.json() == {"recipient_id": "77"}
    assert code(beside) == (100, None)
    assert client.said() == []


def test_nobody_is_shown_typing_to_nobody(client: Client) -> None:
    body = {"recipient": {"id": "77"}, "sender_action": "typing_on"}
    assert code(client.graph("POST", "me/messages", body)) == (100, 2018001)
    body["sender_action"] = "dancing_on"
    assert code(client.graph("POST", "me/messages", body)) == (100, None)


def test_the_calls_tell_actions_from_texts(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    client.say("messenger", author={"id": "77"})
    for action in ("mark_seen", "typing_on"):
        body = {"recipient": {"id": "77"}, "sender_action": action}
        client.graph("POST", "me/messages", body)
    client.message({"id": "77"}, "a secret text")
    client.comment(comment)
    listed = client.http.get("/calls")
    assert [call["what"] for call in listed.json()] == ["mark_seen", "typing_on", "text", None]
    assert "secret" not in listed.text


@pytest.mark.parametrize(("place", "way"), COMMENTS.items())
def test_a_private_reply_is_possible_once_everywhere(
    place: str, way: tuple[str, str], client: Client
) -> None:
    account, key = way
    id = client.say(place, author={"id": "77"})["id"]
    first, second = (client.message({key: id}, account=account) for _ in range(2))
    [said] = client.said()
    assert first.json() == {"recipient_id": "77", "message_id": said["id"]}
    assert code(second) == (10903, None)
    assert (said["kind"], said["in_reply_to"], said["private_reply"]) == ("message", id, True)


@pytest.mark.parametrize(("place", "way"), COMMENTS.items())
def test_a_private_reply_is_possible_for_a_week_everywhere(
    place: str, way: tuple[str, str], client: Client
) -> None:
    account, key = way
    id = client.say(place, sent_at=LONG_AGO)["id"]
    assert code(client.message({key: id}, account=account)) == (10902, None)


def test_a_private_reply_does_not_open_the_window(client: Client) -> None:
    id = client.say("facebook_comment", author={"id": "77"})["id"]
    client.message({"comment_id": id})
    assert code(client.message({"id": "77"})) == (100, 2018001)


def test_a_mention_gets_no_private_reply(client: Client) -> None:
    id = client.say("facebook_mention")["id"]
    assert code(client.message({"post_id": id})) == (100, 33)


def test_an_echo_on_instagram_has_no_metadata(client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    client.say("instagram_message", author={"id": "77"})
    message = {"text": "So sorry", "metadata": "our key"}
    id = client.message({"id": "77"}, account=INSTAGRAM, message=message).json()["message_id"]
    echo = receiver.wait_for(2)[1]
    assert echo.body["object"] == "instagram"
    assert echo.event["message"]["mid"] == id
    assert echo.event["message"]["is_echo"] is True
    assert "metadata" not in echo.event["message"]
    assert client.said()[0]["metadata"] == "our key"


@pytest.mark.parametrize(("platform", "account"), [("messenger", PAGE), ("instagram", INSTAGRAM)])
def test_a_conversation_is_listed_newest_first(platform: str, account: str, client: Client) -> None:
    place = "messenger" if platform == "messenger" else "instagram_message"
    first = client.say(place, "Where is it?", author={"id": "77"})["id"]
    ours = client.message({"id": "77"}, "Coming", account).json()["message_id"]
    human = client.do("/answer", in_reply_to=first, text="Here it is")["id"]
    fields = "messages.limit(20){id,message,from,created_time}"
    query = {"platform": platform, "user_id": "77", "fields": fields}
    listed = client.graph("GET", "me/conversations", params=query, token=TOKENS[account]).json()
    [conversation] = listed["data"]
    messages = conversation["messages"]["data"]
    assert conversation["id"].startswith("t_")
    assert [message["id"] for message in messages] == [human, ours, first]
    assert [message["message"] for message in messages] == ["Here it is", "Coming", "Where is it?"]
    assert [message["from"]["id"] for message in messages] == [account, account, "77"]
    assert all(message["created_time"].endswith("+0000") for message in messages)
    assert "next" not in conversation["messages"]["paging"]


def test_a_long_conversation_has_further_pages(client: Client) -> None:
    ids = [client.say("messenger", author={"id": "77"})["id"] for _ in range(5)]
    query = {"user_id": "77", "fields": "messages.limit(2){id,message}"}
    listed = client.graph("GET", f"{PAGE}/conversations", params=query).json()
    page = listed["data"][0]["messages"]
    found = [page]
    headers = {"Authorization": "Bearer page-token-1"}
    while "next" in page["paging"]:
        page = client.http.get(page["paging"]["next"], headers=headers).json()
        found.append(page)
    messages = [message for page in found for message in page["data"]]
    assert [len(page["data"]) for page in found] == [2, 2, 1]
    assert [message["id"] for message in messages] == ids[::-1]
    assert all(set(message) == {"id", "message"} for message in messages)


@pytest.mark.parametrize("query", [{"user_id": "78"}, {"user_id": "77", "platform": "instagram"}])
def test_where_nobody_spoke_is_no_conversation(query: dict[str, str], client: Client) -> None:
    client.say("messenger", author={"id": "77"})
    assert client.graph("GET", "me/conversations", params=query).json() == {"data": []}


def test_a_conversation_is_somebodys(client: Client) -> None:
    assert code(client.graph("GET", "me/conversations")) == (100, None)


def test_what_was_unsent_is_not_in_the_conversation(client: Client) -> None:
    id = client.say("instagram_message", author={"id": "77"})["id"]
    client.do("/remove", id=id)
    query = {"platform": "instagram", "user_id": "77", "fields": "messages"}
    listed = client.graph("GET", "me/conversations", params=query, token=TOKENS[INSTAGRAM])
    assert listed.json() == {"data": []}
