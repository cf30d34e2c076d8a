"""What is ordered to go wrong goes wrong, as often as ordered, and nothing else does."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.simulator import Simulator
from tests.simulator.client import SECRET, Client, Receiver

PLACES = ("facebook_comment", "messenger", "x_mention", "x_direct_message")
META, X = PLACES[:2], PLACES[2:]
SHORT = 0.15


@pytest.mark.parametrize("place", PLACES)
def test_accepted_but_the_answer_comes_too_late(place: str, client: Client) -> None:
    client.fault(place, "accept_then_timeout", hold_seconds=3 * SHORT)
    with pytest.raises(httpx.ReadTimeout):
        client.reply(place, timeout=SHORT)
    assert len(client.said()) == 1
    assert client.ask("/calls")[-1]["status"] is None


@pytest.mark.parametrize("place", PLACES)
def test_accepted_but_the_connection_breaks(place: str, client: Client) -> None:
    client.fault(place, "accept_then_disconnect")
    with pytest.raises(httpx.RemoteProtocolError):
        client.reply(place)
    assert len(client.said()) == 1


@pytest.mark.parametrize("place", PLACES)
def test_the_connection_breaks_before(place: str, client: Client) -> None:
    client.fault(place, "disconnect")
    with pytest.raises(httpx.RemoteProtocolError):
        client.reply(place)
    assert client.said() == []
    assert client.ask("/calls")[-1]["status"] is None


@pytest.mark.parametrize("place", PLACES)
def test_the_platform_is_broken(place: str, client: Client) -> None:
    client.fault(place, "server_error")
    assert client.reply(place).status_code == 500
    assert client.said() == []


@pytest.mark.parametrize(
    ("place", "fault", "code", "subcode"),
    [
        ("facebook_comment", "rate_limited", 32, None),
        ("messenger", "rate_limited", 32, None),
        ("facebook_comment", "token_expired", 190, 463),
        ("messenger", "token_expired", 190, 463),
        ("messenger", "window_closed", 10, 2018278),
        ("facebook_comment", "gone", 100, 33),
        ("messenger", "gone", 551, 1545041),
        ("facebook_post", "gone", 100, 33),
        ("instagram_comment", "token_expired", 190, 463),
        ("instagram_message", "window_closed", 10, 2018278),
        ("instagram_story_reply", "window_closed", 10, 2018278),
        ("instagram_message", "gone", 551, 1545041),
    ],
)
def test_facebook_refuses(
    place: str, fault: str, code: int, subcode: int | None, client: Client
) -> None:
    client.fault(place, fault)
    error = client.reply(place).json()["error"]
    assert (error["code"], error.get("error_subcode")) == (code, subcode)
    assert client.said() == []


@pytest.mark.parametrize(
    ("place", "fault", "status", "detail"),
    [
        ("x_mention", "token_expired", 401, "Unauthorized"),
        ("x_direct_message", "token_expired", 401, "Unauthorized"),
        ("x_mention", "duplicate", 403, "duplicate content"),
        ("x_mention", "not_summoned", 403, "not been mentioned"),
        ("x_mention", "gone", 403, "deleted"),
        ("x_direct_message", "gone", 404, "Not Found"),
    ],
)
def test_x_refuses(place: str, fault: str, status: int, detail: str, client: Client) -> None:
    client.fault(place, fault)
    answer = client.reply(place)
    assert answer.status_code == status
    assert detail in answer.json()["detail"]
    assert client.said() == []


@pytest.mark.parametrize("place", META)
def test_a_throttled_page_is_told_how_long(place: str, client: Client) -> None:
    client.fault(place, "rate_limited")
    [[case]] = (
        httpx.Response(200, text=client.reply(place).headers["X-Business-Use-Case-Usage"])
        .json()
        .values()
    )
    assert case["call_count"] == 100
    assert case["estimated_time_to_regain_access"] > 0


@pytest.mark.parametrize("place", X)
def test_a_throttled_account_is_told_until_when(place: str, client: Client) -> None:
    client.fault(place, "rate_limited")
    answer = client.reply(place)
    assert answer.status_code == 429
    assert answer.headers["x-rate-limit-remaining"] == "0"
    assert int(answer.headers["x-rate-limit-reset"]) > time.time()


def test_a_fault_strikes_as_often_as_ordered_and_only_there(client: Client) -> None:
    client.fault("messenger", "server_error", times=2)
    assert client.reply("facebook_comment").status_code == 200
    assert [client.reply("messenger").status_code for _ in range(3)] == [500, 500, 200]
    assert client.ask("/faults") == []


def test_any_means_any_place_that_knows_it(client: Client) -> None:
    client.fault("any", "not_summoned")
    client.fault("any", "server_error")
    assert client.reply("messenger").status_code == 500
    assert client.reply("messenger").status_code == 200
    assert client.reply("x_mention").status_code == 403


def test_faults_can_be_listed_and_called_off(client: Client) -> None:
    client.fault("any", "disconnect", times=3)
    [fault] = client.ask("/faults")
    client.http.delete("/faults")
    assert (fault["on"], fault["fault"], fault["times"]) == ("any", "disconnect", 3)
    assert client.reply("messenger").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"on": "messenger", "fault": "not_summoned"},
        {"on": "x_mention", "fault": "window_closed"},
        {"on": "instagram_comment", "fault": "window_closed"},
        {"on": "x_mention", "fault": "graph_error", "code": 190},
        {"on": "messenger", "fault": "graph_error"},
        {"on": "messenger", "fault": "gone", "code": 190},
        {"on": "x_mention", "fault": "gone", "at": "read"},
        {"on": "messenger", "fault": "gone", "at": "night"},
        {"on": "messenger", "fault": "earthquake"},
        {"on": "messenger", "fault": "disconnect", "times": 0},
        {"on": "nowhere", "fault": "disconnect"},
    ],
)
def test_what_cannot_happen_cannot_be_ordered(fault: dict[str, object], client: Client) -> None:
    assert client.http.post("/faults", json=fault).status_code == 400
    assert client.ask("/faults") == []


@pytest.mark.parametrize("place", [*META, "facebook_mention", "instagram_comment"])
def test_any_error_of_graphs_can_be_ordered(place: str, client: Client) -> None:
    client.fault(place, "graph_error", code=80001, subcode=1996, status=429)
    client.fault("any", "graph_error", code=200)
    throttled, forbidden = (client.reply(place) for _ in range(2))
    error = throttled.json()["error"]
    assert (throttled.status_code, error["code"], error["error_subcode"]) == (429, 80001, 1996)
    assert (forbidden.status_code, forbidden.json()["error"]["code"]) == (400, 200)
    assert "error_subcode" not in forbidden.json()["error"]
    assert client.said() == []


def test_an_error_of_graphs_is_none_of_xs(client: Client) -> None:
    client.fault("any", "graph_error", code=190)
    assert client.reply("x_mention").status_code == 201
    assert len(client.ask("/faults")) == 1


def test_looking_for_a_reply_goes_wrong_apart_from_replying(client: Client) -> None:
    comment = client.say("facebook_comment")["id"]
    path = f"{comment}/comments"
    client.fault("facebook_comment", "server_error", at="read")
    assert client.comment(comment).status_code == 200
    assert [client.graph("GET", path).status_code for _ in range(2)] == [500, 200]
    client.fault("facebook_comment", "server_error")
    assert client.graph("GET", path).status_code == 200
    assert client.comment(comment).status_code == 500


@pytest.mark.parametrize("place", ["messenger", "facebook_mention", "facebook_post"])
def test_whatever_is_read_can_go_wrong(place: str, client: Client) -> None:
    id = client.say(place, author={"id": "4444"})["id"]
    query = {"user_id": "4444"} if place == "messenger" else {}
    path = "me/conversations" if place == "messenger" else id
    client.fault(place, "accept_then_disconnect", at="read")
    with pytest.raises(httpx.RemoteProtocolError):
        client.graph("GET", path, params=query)
    assert client.graph("GET", path, params=query).status_code == 200


def test_a_sender_action_uses_up_no_fault(client: Client) -> None:
    client.fault("any", "server_error")
    client.say("messenger", author={"id": "4444"})
    body = {"recipient": {"id": "4444"}, "sender_action": "typing_on"}
    assert client.graph("POST", "me/messages", body).status_code == 200
    assert client.reply("messenger").status_code == 500


def test_an_echo_comes_even_if_the_answer_does_not(client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    client.fault("messenger", "accept_then_disconnect")
    with pytest.raises(httpx.RemoteProtocolError):
        client.reply("messenger")
    [said] = client.said()
    event = receiver.wait_for(2)[1].body["entry"][0]["messaging"][0]
    assert event["message"]["mid"] == said["id"]


def test_a_held_answer_does_not_outlive_the_simulator() -> None:
    with Receiver() as receiver, ThreadPoolExecutor(1) as pool:
        with Simulator(SECRET) as simulator:
            simulator.connect(receiver.url)
            client = Client(simulator.url)
            client.fault("messenger", "accept_then_timeout", hold_seconds=600)
            held = pool.submit(client.reply, "messenger", timeout=30)
            receiver.wait_for(2)  # the echo: so the reply was accepted
            started = time.monotonic()
        assert held.result(timeout=5).status_code == 200
        assert time.monotonic() - started < 5
        client.http.close()


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_any_words_can_stand_in_place_of_an_answer(
    place: str, accepted: bool, client: Client
) -> None:
    client.fault(place, "strange_answer", status=200, body="{not json", accepted=accepted)
    answer = client.reply(place)
    assert (answer.status_code, answer.text) == (200, "{not json")
    assert len(client.said()) == accepted
