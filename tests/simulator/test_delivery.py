"""Deliveries arrive as often, and as stubbornly, as the platforms' do."""

import json

import pytest

from local.simulator import Simulator
from tests.simulator.client import PAGE, SECRET, Client, Receiver

DIRECT = {
    "id": "1",
    "created_timestamp": "1784928224372",
    "message_create": {"sender_id": "4", "message_data": {"text": "Hello"}},
}


def test_the_answer_tells_how_the_webhook_took_it(client: Client, receiver: Receiver) -> None:
    answer = client.say("messenger", sent_at="2026-03-01T12:00:00Z")
    [delivery] = answer["deliveries"]
    assert delivery["status"] == 200
    assert delivery["ms"] > 0
    assert answer["sent_at"] == "2026-03-01T12:00:00+00:00"


def test_duplicates_are_the_same_bytes(client: Client, receiver: Receiver) -> None:
    client.say("facebook_comment", times=3)
    assert len(receiver.delivered) == 3
    assert len({(d.raw, d.headers["X-Hub-Signature-256"]) for d in receiver.delivered}) == 1


def test_a_delivery_is_repeated_until_200(client: Client, receiver: Receiver) -> None:
    receiver.statuses.extend([500, 204])
    answer = client.say("x_mention")
    assert [delivery["status"] for delivery in answer["deliveries"]] == [500, 204, 200]
    assert len({delivered.raw for delivered in receiver.delivered}) == 1


def test_three_tries_are_the_most(client: Client, receiver: Receiver) -> None:
    receiver.statuses.extend([500] * 5)
    assert len(client.say("messenger")["deliveries"]) == 3


def test_nobody_there_is_status_0() -> None:
    with Receiver() as gone:
        pass
    with Simulator(SECRET) as simulator:
        simulator.connect(gone.url)
        client = Client(simulator.url)
        with client.http:
            assert {d["status"] for d in client.say("messenger")["deliveries"]} == {0}
            answer = client.http.post("/handshake", json={"channel": "x"}).json()
    assert (answer["ok"], answer["status"]) == (False, 0)


def test_without_a_connection_it_says_what_is_missing() -> None:
    with Simulator(SECRET) as simulator, Receiver() as receiver:
        client = Client(simulator.url)
        with client.http as http:
            answer = http.post("/say", json={"place": "messenger", "text": "Hello"})
            http.post("/connect", json={"webhooks": f"{receiver.url}/"})
            client.say("messenger")
    assert answer.status_code == 409
    assert "/connect" in answer.json()["error"]
    assert receiver.delivered[0].channel == "meta"


def test_any_bytes_can_be_delivered_many_at_a_time(client: Client, receiver: Receiver) -> None:
    ask = {"channel": "x", "raw": "{not json", "times": 20, "parallel": 8}
    deliveries = client.http.post("/deliver", json=ask).json()["deliveries"]
    assert [delivery["status"] for delivery in deliveries] == [200] * 20
    assert {delivered.raw for delivered in receiver.wait_for(20)} == {b"{not json"}


def test_a_body_is_delivered_once_whatever_the_answer(client: Client, receiver: Receiver) -> None:
    receiver.statuses.append(500)
    assert [d["status"] for d in client.deliver("meta", {"object": "page"})] == [500]


def test_what_a_batch_tells_can_be_answered(client: Client, receiver: Receiver) -> None:
    """A batch of whatever; three messages by customers are in it."""
    client.say("facebook_comment", "one")
    client.say("messenger", "two")
    client.say("facebook_comment", "three", account="2222")
    entries = [delivered.body["entry"][0] for delivered in receiver.delivered]
    own = {"item": "comment", "verb": "add", "comment_id": "9", "from": {"id": PAGE}}
    poison = [{"id": PAGE, "changes": [{"value": own}, {"value": 7}, None]}, "?", {"messaging": 1}]
    client.http.delete("/")
    client.deliver("meta", {"object": "page", "entry": [*poison, *entries]})
    received = client.ask("/received")
    assert [message["text"] for message in received] == ["one", "two", "three"]
    assert client.comment(received[0]["id"]).status_code == 200
    assert client.comment("9").status_code == 400


@pytest.mark.parametrize("family", ["xaa", "aaa"])
def test_what_x_tells_can_be_answered(family: str, client: Client, receiver: Receiver) -> None:
    mention = client.say("x_mention", "late", family=family)
    client.say("x_direct_message", "late", family=family, author={"id": "5"})
    client.http.delete("/")
    for delivered in list(receiver.delivered):
        client.deliver("x", delivered.body)
    assert client.post(mention["id"]).status_code == 201
    assert client.direct("5").status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        *(None, 7, [], {}, {"data": 1}, {"data": {"filter": 1}}),
        {"for_user_id": ["3333"], "direct_message_events": [DIRECT]},
        {"for_user_id": "3333", "direct_message_events": [DIRECT | {"created_timestamp": 9**99}]},
        {"entry": [{"id": 1111, "messaging": [{"message": {"mid": "m"}, "timestamp": 1}]}]},
    ],
)
@pytest.mark.parametrize("channel", ["meta", "x"])
def test_nonsense_is_delivered_and_not_understood(
    channel: str, body: object, client: Client, receiver: Receiver
) -> None:
    client.deliver(channel, body)
    assert receiver.delivered[0].body == body
    assert client.ask("/received") == []


@pytest.mark.parametrize("raw", ["", "[" * 50_000, '"\ud800"'])
@pytest.mark.parametrize("channel", ["meta", "x"])
def test_not_even_json_is_delivered(
    channel: str, raw: str, client: Client, receiver: Receiver
) -> None:
    answer = client.http.post("/deliver", content=json.dumps({"channel": channel, "raw": raw}))
    assert answer.status_code == 200
    assert receiver.delivered[0].raw == raw.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("channel", ["meta", "x"])
def test_the_handshake_passes_at_a_good_door(channel: str, client: Client) -> None:
    answer = client.http.post("/handshake", json={"channel": channel}).json()
    assert (answer["ok"], answer["status"]) == (True, 200)


def test_the_handshake_fails_at_a_bad_door(
    client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "consumer_secret", "another")
    x = client.http.post("/handshake", json={"channel": "x"}).json()
    asked = {"channel": "meta", "verify_token": "wrong"}
    meta = client.http.post("/handshake", json=asked).json()
    assert (x["ok"], x["status"]) == (False, 200)
    assert (meta["ok"], meta["status"]) == (False, 403)
