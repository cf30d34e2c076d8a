"""Graph takes FirstReply's replies, and refuses them in Facebook's words."""

from typing import Any

import httpx
import pytest

from tests.simulator.client import OTHER_PAGE, PAGE, Client, Receiver, proof

DAYS_AGO = "2026-03-01T12:00:00Z"


def code(answer: httpx.Response) -> tuple[Any, Any]:
    error = answer.json()["error"]
    assert error["message"]
    assert error["type"]
    assert error["fbtrace_id"]
    return error["code"], error.get("error_subcode")


def test_a_comment_is_answered_and_remembered(client: Client) -> None:
    comment = client.say("facebook_comment", author={"id": "77"})["id"]
    answer = client.comment(comment, "So sorry")
    [said] = client.said()
    assert answer.status_code == 200
    assert said["id"] == answer.json()["id"] != comment
    assert (said["platform"], said["kind"], said["account"]) == ("meta", "comment", PAGE)
    assert (said["in_reply_to"], said["to"], said["text"]) == (comment, "77", "So sorry")
    assert said["ms_after"] > 0


def test_a_message_is_answered_with_its_metadata(client: Client) -> None:
    client.say("messenger", author={"id": "77"})
    last = client.say("messenger", author={"id": "77"})["id"]
    message = {"text": "So sorry", "metadata": "our key"}
    answer = client.message({"id": "77"}, message=message).json()
    [said] = client.said()
    assert answer == {"recipient_id": "77", "message_id": said["id"]}
    assert (said["kind"], said["in_reply_to"], said["metadata"]) == ("message", last, "our key")


def test_replies_are_told_apart(client: Client) -> None:
    first, second = (client.say("facebook_comment")["id"] for _ in range(2))
    for id in (first, second, second):
        client.comment(id)
    assert len(client.ask(f"/said?in_reply_to={second}")) == 2
    assert len(client.ask(f"/said?in_reply_to={second}&account={OTHER_PAGE}")) == 0


def test_the_replies_to_a_comment_can_be_listed(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    ids = [client.comment(comment, f"Reply {n}").json()["id"] for n in range(3)]
    path = f"{comment}/comments"
    fields = "id,from,message,created_time"
    listed = client.graph("GET", path, params={"fields": fields}).json()
    first = client.graph("GET", path, params={"limit": 2}).json()
    rest = client.graph("GET", path, params={"after": first["paging"]["cursors"]["after"]}).json()
    assert [reply["id"] for reply in listed["data"]] == ids
    assert listed["data"][0]["from"] == {"id": PAGE, "name": "Northwind"}
    assert set(listed["data"][0]) == set(fields.split(","))
    assert [reply["id"] for reply in (*first["data"], *rest["data"])] == ids
    assert "next" in first["paging"]
    assert "next" not in rest["paging"]


def test_a_comment_nobody_answered_has_no_replies(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    assert client.graph("GET", f"{comment}/comments").json() == {"data": []}


def test_what_does_not_exist_cannot_be_answered(client: Client) -> None:
    elsewhere = client.say("facebook_comment", account=OTHER_PAGE)["id"]
    assert code(client.comment("1_2")) == (100, 33)
    assert code(client.comment(elsewhere)) == (100, 33)
    assert code(client.graph("GET", "1_2/comments")) == (100, 33)
    assert code(client.message({"id": "nobody"})) == (100, 2018001)
    assert client.said() == []


def test_the_token_is_looked_at(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    path = f"/graph/v26.0/{comment}/comments"
    assert code(client.comment(comment, token="wrong")) == (190, None)
    assert code(client.http.post(path, json={"message": "Hi"})) == (104, None)
    assert code(client.comment(comment, token="page-token-2")) == (100, 33)
    assert code(client.graph("POST", f"{OTHER_PAGE}/messages")) == (200, None)
    assert code(client.graph("GET", f"{OTHER_PAGE}/conversations")) == (200, None)


@pytest.mark.parametrize("carrier", ["query", "form", "json", "header"])
def test_the_token_may_come_in_any_of_four_ways(carrier: str, client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    token, message = {"access_token": "page-token-1"}, {"message": "Hi"}
    ways: dict[str, dict[str, Any]] = {
        "query": {"params": token, "json": message},
        "form": {"data": token | message},
        "json": {"json": token | message},
        "header": {"headers": {"Authorization": "Bearer page-token-1"}, "json": message},
    }
    way = ways[carrier] | {"params": ways[carrier].get("params", {}) | proof("page-token-1")}
    answer = client.http.post(f"/graph/v26.0/{comment}/comments", **way)
    assert answer.status_code == 200


@pytest.mark.parametrize("secret", ["app-secret-now", "app-secret-before"])
def test_a_proof_must_be_made_with_an_app_secret(secret: str, client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    good = client.comment(comment, params=proof("page-token-1", secret))
    bad = client.comment(comment, params=proof("page-token-1", "another secret"))
    assert good.status_code == 200
    assert code(bad) == (100, None)


def test_without_a_proof_nothing_is_done(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    headers = {"Authorization": "Bearer page-token-1"}
    path = f"/graph/v26.0/{comment}/comments"
    answer = client.http.post(path, json={"message": "Hi"}, headers=headers)
    assert code(answer) == (100, None)
    assert "appsecret_proof" in answer.json()["error"]["message"]
    assert client.said() == []


@pytest.mark.parametrize("version", ["", "26.0/", "v26/"])
def test_a_call_needs_a_version(version: str, client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    headers = {"Authorization": "Bearer page-token-1"}
    path = f"/graph/{version}{comment}/comments"
    answer = client.http.post(path, json={"message": "Hi"}, headers=headers)
    assert code(answer) == (2500, None)


def test_a_private_reply_is_possible_once(client: Client) -> None:
    comment = client.say("facebook_comment", author={"id": "77"})["id"]
    answer = client.message({"comment_id": comment})
    assert answer.json()["recipient_id"] == "77"
    assert code(client.message({"comment_id": comment})) == (10903, None)
    assert [said["in_reply_to"] for said in client.said()] == [comment]


def test_a_private_reply_is_possible_for_a_week(client: Client) -> None:
    comment = client.say("facebook_comment", sent_at=DAYS_AGO)["id"]
    assert code(client.message({"comment_id": comment})) == (10902, None)


def test_the_window_closes_after_a_day(client: Client) -> None:
    client.say("messenger", author={"id": "77"}, sent_at=DAYS_AGO)
    assert code(client.message({"id": "77"})) == (10, 2018278)
    client.say("messenger", author={"id": "77"})
    assert client.message({"id": "77"}).status_code == 200


def test_of_the_tags_only_the_human_agents_is_left(client: Client) -> None:
    client.say("messenger", author={"id": "77"})
    old = client.message({"id": "77"}, messaging_type="MESSAGE_TAG", tag="ACCOUNT_UPDATE")
    human = client.message({"id": "77"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    assert code(old) == (100, None)
    assert human.status_code == 200


def test_a_text_must_be_there_and_not_too_long(client: Client) -> None:
    client.say("messenger", author={"id": "77"})
    comment = client.say("facebook_comment")["id"]
    assert code(client.message({"id": "77"}, "a" * 2001)) == (100, None)
    assert code(client.message({"id": "77"}, "")) == (100, None)
    assert code(client.message({"id": "77"}, messaging_type=None)) == (100, None)
    assert code(client.comment(comment, "")) == (100, None)
    assert client.message({"id": "77"}, "a" * 2000).status_code == 200


def test_a_page_hears_itself(client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    comment = client.say("facebook_comment")["id"]
    reply = client.comment(comment, "So sorry").json()["id"]
    said, echo = receiver.wait_for(2)
    value = echo.body["entry"][0]["changes"][0]["value"]
    assert value["from"] == {"id": PAGE, "name": "Northwind"}
    assert (value["comment_id"], value["parent_id"]) == (reply, comment)
    assert value["post_id"] == said.body["entry"][0]["changes"][0]["value"]["post_id"]


def test_a_message_echoes_with_app_and_metadata(client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    client.say("messenger", author={"id": "77"})
    message = {"text": "So sorry", "metadata": "our key"}
    reply = client.message({"id": "77"}, message=message).json()["message_id"]
    event = receiver.wait_for(2)[1].body["entry"][0]["messaging"][0]
    assert (event["sender"]["id"], event["recipient"]["id"]) == (PAGE, "77")
    assert event["message"].pop("app_id")
    assert event["message"] == message | {"mid": reply, "is_echo": True}
