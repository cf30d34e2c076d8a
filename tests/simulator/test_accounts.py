"""Each account of Meta is spoken for by its own token, at its own host, under its app's secret."""

import json

import pytest

from local.simulator import DEMO_SECRET
from local.simulator.accounts import Accounts
from tests.simulator.client import BY_LOGIN, INSTAGRAM, PAGE, TOKENS, Client, proof
from tests.simulator.test_graph import code

LOGIN_TOKEN = TOKENS[BY_LOGIN]


def test_the_demo_has_a_page_and_both_kinds_of_instagram_accounts() -> None:
    pages = list(Accounts.read(DEMO_SECRET).pages.values())
    kinds = [(page.id, page.handle, page.api) for page in pages]
    assert kinds == [
        ("102030405060708", "", "facebook"),
        ("17841400000000001", "larkspurair", "facebook"),
        ("17841400000000002", "larkspurholidays", "instagram"),
    ]
    assert pages[2].app_secret in DEMO_SECRET["meta"]["app_secrets"]


def test_instagram_login_has_a_host_of_its_own(client: Client) -> None:
    comment = client.say("instagram_comment", account=BY_LOGIN)["id"]
    path, body = f"{comment}/replies", {"message": "So sorry"}
    there = client.graph("POST", path, body, token=LOGIN_TOKEN, host="instagram")
    here = client.graph("POST", path, body, token=LOGIN_TOKEN)
    assert there.json()["id"] == client.said()[0]["id"]
    assert code(here) == (190, None)


@pytest.mark.parametrize("account", [PAGE, INSTAGRAM])
def test_facebook_login_has_not(account: str, client: Client) -> None:
    query = {"user_id": "77"}
    path, token = "me/conversations", TOKENS[account]
    there = client.graph("GET", path, params=query, token=token, host="instagram")
    here = client.graph("GET", path, params=query, token=token)
    assert code(there) == (190, None)
    assert here.status_code == 200


def test_all_that_instagram_does_is_at_both_hosts(client: Client) -> None:
    client.say("instagram_message", account=BY_LOGIN, author={"id": "77"})
    body = {"messaging_type": "RESPONSE", "recipient": {"id": "77"}, "message": {"text": "Hi"}}
    sent = client.graph("POST", "me/messages", body, token=LOGIN_TOKEN, host="instagram")
    unversioned = client.http.get("/instagram/me/messages")
    assert sent.json()["recipient_id"] == "77"
    assert code(unversioned) == (2500, None)
    assert [call["path"] for call in client.ask("/calls")] == [
        "/instagram/v26.0/me/messages",
        "/instagram/me/messages",
    ]


def test_an_app_of_its_own_has_a_proof_of_its_own(client: Client) -> None:
    query = {"user_id": "77"}
    for secret, status in (("instagram-secret", 200), ("app-secret-now", 400)):
        params = query | proof(LOGIN_TOKEN, secret)
        answer = client.graph(
            "GET", "me/conversations", params=params, token=LOGIN_TOKEN, host="instagram"
        )
        assert answer.status_code == status


def test_a_token_is_rotated_until_the_reset(client: Client) -> None:
    def ask(token: str) -> object:
        answer = client.graph("GET", "me/conversations", params={"user_id": "77"}, token=token)
        return answer.status_code if answer.status_code == 200 else code(answer)

    for token in ("second", "third"):
        client.do("/accounts", channel="meta", id=PAGE, token=token)
    assert [ask(token) for token in ("page-token-1", "second", "third", "wrong")] == [
        (190, 463),
        (190, 463),
        200,
        (190, None),
    ]
    client.http.delete("/")
    assert [ask(token) for token in ("page-token-1", "third")] == [200, (190, None)]


def test_only_known_accounts_get_tokens(client: Client) -> None:
    for ask in ({"channel": "meta", "id": "?"}, {"channel": "x", "id": PAGE}):
        answer = client.http.post("/accounts", json=ask | {"token": "another"})
        assert answer.status_code == 400


def test_the_headers_tell_how_much_is_used_up(client: Client) -> None:
    usage = {"usage_percent": 96, "usage_wait_minutes": 5}
    quiet = client.reply("facebook_comment").headers
    client.http.post("/settings", json=usage)
    for headers in (client.reply("instagram_message").headers, client.graph("GET", "1").headers):
        [[case]] = json.loads(headers["X-Business-Use-Case-Usage"]).values()
        assert json.loads(headers["X-App-Usage"])["call_count"] == 96
        assert (case["call_count"], case["estimated_time_to_regain_access"]) == (96, 5)
    assert json.loads(quiet["X-App-Usage"])["call_count"] == 1


def test_more_than_all_cannot_be_used_up(client: Client) -> None:
    assert client.http.post("/settings", json={"usage_percent": 101}).status_code == 400
