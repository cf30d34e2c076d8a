"""A person with curl can do with it all that is promised."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.simulator import DEMO_SECRET, Simulator
from tests.simulator.client import PATIENCE, Client, Receiver, proof


def test_it_explains_itself(client: Client) -> None:
    answer = client.http.get("/")
    assert answer.headers["content-type"].startswith("text/plain")
    assert f"curl {client.url}/say" in answer.text
    paths = (
        *("deliver", "handshake", "said", "received", "calls", "faults", "settings"),
        *("edit", "remove", "hide", "answer", "react", "delete_data", "accounts", "revoke"),
    )
    for path in paths:
        assert f"{client.url}/{path}" in answer.text


def test_reset_forgets_all_but_accounts_and_connection(client: Client, receiver: Receiver) -> None:
    client.reply("messenger")
    client.fault("any", "disconnect")
    client.http.post("/settings", json={"x_post_limit": 1})
    client.http.delete("/")
    for path in ("/said", "/received", "/calls", "/echoes", "/faults"):
        assert client.ask(path) == [], path
    assert client.ask("/settings")["x_post_limit"] == 100
    assert client.reply("messenger").status_code == 200


def test_a_reset_waits_for_the_echo_that_is_on_its_way(client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    comment = client.say("facebook_comment")["id"]
    receiver.is_open.clear()
    client.comment(comment)
    client.comment(comment)
    receiver.wait_for(2)
    with ThreadPoolExecutor(1) as pool:
        reset = pool.submit(client.http.delete, "/")
        with pytest.raises(TimeoutError):
            reset.result(timeout=0.1)
        receiver.is_open.set()
        reset.result(timeout=PATIENCE)
    assert len(receiver.delivered) == 2


def test_calls_are_listed_without_their_tokens(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    path, token = f"/graph/v26.0/{comment}/comments", {"access_token": "page-token-1"}
    client.http.post(path, params=token | proof("page-token-1"), json={"message": "Hi"})
    client.post("12345")
    listed = client.http.get("/calls")
    calls = [(call["method"], call["path"], call["status"]) for call in listed.json()]
    assert calls == [("POST", path, 200), ("POST", "/x/2/tweets", 403)]
    assert "token" not in listed.text


def test_unknown_paths_are_refused_and_listed(client: Client) -> None:
    assert client.http.get("/graph/v26.0/me").status_code == 400
    assert client.http.get("/x/2/users/me").status_code == 404
    assert [call["status"] for call in client.ask("/calls")] == [400, 404]


def test_echoes_are_accounted_for(client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    receiver.statuses.extend([200, 500])
    client.reply("messenger")
    receiver.wait_for(3)
    client.reply("facebook_comment")
    receiver.wait_for(5)
    first = client.ask("/echoes")[0]
    assert first["reply"] == client.said()[0]["id"]
    assert [delivery["status"] for delivery in first["deliveries"]] == [500, 200]


@pytest.mark.parametrize(
    "ask",
    [
        {"place": "carrier_pigeon", "text": "Hello"},
        {"place": "messenger"},
        {"place": "messenger", "text": "Hello", "account": "unknown"},
        {"place": "messenger", "text": "Hello", "colour": "red"},
    ],
)
def test_a_question_that_makes_no_sense_is_answered_why(
    ask: dict[str, str], client: Client
) -> None:
    answer = client.http.post("/say", json=ask)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_either_a_body_or_raw_is_delivered(client: Client) -> None:
    for wrong in ({}, {"body": {}, "raw": ""}):
        answer = client.http.post("/deliver", json={"channel": "x", **wrong})
        assert answer.status_code == 400


def test_a_port_is_free_again_afterwards() -> None:
    with Simulator(DEMO_SECRET) as first:
        port = int(first.url.rsplit(":", 1)[1])
    with Simulator(DEMO_SECRET, port) as second:
        assert httpx.get(f"{second.url}/said", trust_env=False).json() == []
