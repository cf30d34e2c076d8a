"""X through the whole path, both families, the platform over HTTP."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest

from firstreply import brand
from functions.classify import app as classify
from functions.respond import app as respond
from local.simulator import DEMO_SECRET
from local.simulator.world import now as platforms
from tests.aws import World
from tests.unit.channels.samples import SAMPLES
from tests.unit.test_meta_path import agent, happen, kinds
from tests.unit.test_path import replies, say

ADA = {"author": {"id": "4711", "name": "Ada"}}
COMPLAINT = "my kettle stopped working and nobody answers"
QUESTION = "what are your opening hours on Sunday?"
(PROFILE,) = DEMO_SECRET["x"]["accounts"]

both_families = pytest.mark.parametrize("family", ["xaa", "aaa"])


@both_families
@pytest.mark.parametrize("place", ["x_mention", "x_quote", "x_direct_message"])
def test_a_complaint_is_answered_and_is_a_case(
    connected: World, customers: httpx.Client, place: str, family: str
) -> None:
    said = say(customers, place, COMPLAINT, family=family, times=2)
    connected.drain()
    assert [one["in_reply_to"] for one in replies(customers)] == [said["id"]]
    assert kinds(connected.events()) == ["opened"]


@both_families
def test_who_did_not_name_us_may_not_be_answered_and_is_a_human_s(
    connected: World, customers: httpx.Client, family: str
) -> None:
    """A refusal is what X's rule looks like; it costs nothing."""
    say(customers, "x_reply", QUESTION, family=family)
    connected.drain()
    assert replies(customers) == []
    opened, refused = connected.events()
    assert kinds([opened, refused]) == ["opened", "reply_refused"]
    assert refused["data"]["failed_reply"]["reason"].startswith("x 403 ")
    assert connected.dead == []


def test_a_reply_that_names_us_comes_twice_and_is_one_message(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "x_reply", COMPLAINT, mention=True)
    assert len(said["deliveries"]) == 2
    connected.drain()
    assert len(connected.items("MSG#")) == 1
    assert len(replies(customers)) == 1
    assert kinds(connected.events()) == ["opened"]


def test_an_encrypted_message_is_a_human_s(connected: World, customers: httpx.Client) -> None:
    say(customers, "x_chat", "")
    connected.drain()
    assert replies(customers) == []
    (event,) = connected.events()
    assert event["data"]["message"]["attachments"] == ["encrypted message received"]
    assert event["data"]["reasons"] == ["unsure"]


@pytest.mark.parametrize("more", [{"automated": True}, {"blocked": True, "family": "aaa"}])
def test_robots_and_who_blocked_us_are_not_answered(
    connected: World, customers: httpx.Client, more: dict[str, object]
) -> None:
    say(customers, "x_mention", COMPLAINT, **more)
    connected.drain()
    assert replies(customers) == []
    (event,) = connected.events()
    assert event["data"]["acknowledgement"] == {"silence": "unanswerable"}


@both_families
@pytest.mark.parametrize("place", ["x_mention", "x_direct_message"])
def test_a_human_s_answer_in_x_s_own_app_stops_the_automatic_one(
    connected: World, customers: httpx.Client, place: str, family: str
) -> None:
    said = say(customers, place, QUESTION, family=family, **ADA)
    connected.pump_inbox()
    happen(customers, "answer", in_reply_to=said["id"], text="Ten to six. Kim", family=family)
    connected.pump_inbox()
    connected.drain()
    assert replies(customers) == []
    (human,) = connected.items("HUMAN#")
    assert human["text"] == "Ten to six. Kim"


@both_families
@pytest.mark.parametrize("place", ["x_mention", "x_direct_message"])
def test_our_own_words_come_back_and_are_neither_a_human_s_nor_a_customer_s(
    connected: World, customers: httpx.Client, place: str, family: str
) -> None:
    customers.post("/settings", json={"echo": True, "x_echo_family": family}).raise_for_status()
    say(customers, place, COMPLAINT)
    for _ in range(3):
        connected.drain()
    assert len(replies(customers)) == len(connected.items("MSG#")) == 1
    assert connected.items("HUMAN#") == []


@both_families
def test_a_deleted_post_is_erased_here_and_withdrawn_from_its_case(
    connected: World, customers: httpx.Client, family: str
) -> None:
    said = say(customers, "x_mention", COMPLAINT, **ADA)
    connected.drain()
    happen(customers, "remove", id=said["id"], family=family)
    connected.drain()
    assert kinds(connected.events()) == ["opened", "withdrawn"]
    kept = json.dumps(connected.items("MSG#"), default=str)
    assert not [word for word in ("kettle", "stopped", "nobody", "Ada") if word in kept]


@both_families
def test_a_revoked_account_sends_nothing_until_the_secret_is_another(
    connected: World, customers: httpx.Client, family: str
) -> None:
    happen_revoked = customers.post("/revoke", json={"account": PROFILE, "family": family})
    happen_revoked.raise_for_status()
    connected.drain()
    say(customers, "x_mention", QUESTION)
    connected.drain()
    assert [call for call in customers.get("/calls").json() if call["method"] == "POST"] == []
    _, refused = connected.events()
    assert refused["data"]["failed_reply"]["reason"] == "the account's authorisation is revoked"
    fresh = {"token": "fresh-token", "token_secret": "fresh-token-secret"}
    again = {"channel": "x", "id": PROFILE, **fresh}
    customers.post("/accounts", json=again).raise_for_status()
    account = DEMO_SECRET["x"]["accounts"][PROFILE] | {
        "access_token": fresh["token"],
        "access_token_secret": fresh["token_secret"],
    }
    secret = {**DEMO_SECRET, "x": {**DEMO_SECRET["x"], "accounts": {PROFILE: account}}}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="channels", SecretString=json.dumps(secret)
    )
    respond.secrets.cache_clear()
    say(customers, "x_mention", QUESTION)
    connected.drain()
    assert len(replies(customers)) == 1


def test_a_post_by_one_who_never_wrote_in_private_is_not_answered_in_private(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "x_mention", COMPLAINT)
    connected.drain()
    (opened,) = connected.events()
    agent(connected, opened, "Your booking code?", in_private=True)
    assert len(replies(customers)) == 1
    (refused,) = connected.events()
    assert refused["data"]["failed_reply"]["reason"].startswith("x: only who wrote")


@pytest.mark.parametrize("invites", [frozenset[str](), frozenset({"x"})])
def test_a_complaint_carries_the_button_to_go_on_in_private_if_policy_says_so(
    connected: World,
    customers: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    invites: frozenset[str],
) -> None:
    policy = respond.policy().model_copy(update={"invite_to_private": invites})
    for made in (respond.policy, classify.listening, classify.reading):
        made.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(brand, "policy", lambda **_: policy)
        say(customers, "x_mention", "still no refund, unacceptable")
        say(customers, "x_mention", QUESTION)
        connected.drain()
    complaint, question = replies(customers)
    assert ("direct_message_deep_link" in complaint) is bool(invites)
    assert "direct_message_deep_link" not in question


def test_what_was_spent_is_what_x_charged(
    connected: World, customers: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    for place in ("x_mention", "x_quote", "x_direct_message", "facebook_comment"):
        say(customers, place, COMPLAINT)
    connected.drain()
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    spent = [value for line in lines if "Spent" in line for value in line["Spent"]]
    charged = [one["price"] for one in replies(customers) if "price" in one]
    assert sorted(spent) == sorted(charged) == [0.01, 0.01, 0.015]


def test_a_post_that_names_two_of_our_accounts_is_answered_by_one(
    connected: World, customers: httpx.Client
) -> None:
    """X: one automated reply per interaction."""
    account = DEMO_SECRET["x"]["accounts"][PROFILE]
    other = {**account, "name": "Larkspur Cargo", "handle": "LarkspurCargo"}
    secret = {**DEMO_SECRET["x"], "accounts": {PROFILE: account, "1500000000000000002": other}}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="channels", SecretString=json.dumps({**DEMO_SECRET, "x": secret})
    )
    body = json.loads(SAMPLES["x/mention_xaa.json"])
    body["data"]["payload"]["created_at"] = connected.now().isoformat()
    for number, profile in enumerate((PROFILE, "1500000000000000002")):
        body["data"]["filter"]["user_id"] = profile
        body["data"]["event_uuid"] = str(number)
        customers.post("/deliver", json={"channel": "x", "body": body}).raise_for_status()
    connected.drain()
    assert len([c for c in customers.get("/calls").json() if c["path"].endswith("/2/tweets")]) == 1
    reasons = {str(item.get("reason")) for item in connected.items("REPLY#")}
    assert "unanswered:other_account" in reasons


def test_an_echo_that_x_has_changed_is_still_ours(
    connected: World, customers: httpx.Client
) -> None:
    """Escaped, composed otherwise, its link shortened: before we know that it arrived."""
    said = say(customers, "x_mention", QUESTION, **ADA)
    connected.pump_inbox()
    fault = {"on": "x_mention", "fault": "accept_then_disconnect"}
    customers.post("/faults", json=fault).raise_for_status()
    connected.pump("reply", respond.handler)
    (entry,) = connected.items("REPLY#")
    assert entry["state"] == "unknown"
    connected.conversations.update_item(
        Key={"conversation": entry["conversation"], "item": entry["item"]},
        UpdateExpression="SET #t = :t",
        ExpressionAttributeNames={"#t": "text"},
        ExpressionAttributeValues={":t": "Hi @ada, caf\u00e9 & more at larkspur.example/help"},
    )
    (customer,) = {item["message"]["conversation"]["customer"] for item in connected.items("MSG#")}
    post = {
        "id": "1990000000000000999",
        "author_id": PROFILE,
        "text": "@ada Hi @ada, cafe\u0301 &amp; more at https://t.co/abc https://t.co/def",
        "created_at": connected.now().isoformat(),
        "in_reply_to_user_id": customer,
        "referenced_tweets": [{"type": "replied_to", "id": said["id"]}],
    }
    data = {"event_type": "post.create", "filter": {"user_id": PROFILE}, "payload": post}
    customers.post("/deliver", json={"channel": "x", "body": {"data": data}}).raise_for_status()
    connected.pump_inbox()
    assert connected.items("HUMAN#") == []
    (entry,) = connected.items("REPLY#")
    assert (entry["state"], entry["platform_id"]) == ("sent", post["id"])


def test_fifty_wait_for_x_s_limit_and_hold_up_nobody(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten posts a window: all are answered in the end, none twice, and Facebook at once."""
    limit: dict[str, Any] = {"x_post_limit": 10, "x_window_seconds": 1}
    customers.post("/settings", json=limit).raise_for_status()
    ids = [
        say(customers, "x_mention", f"{QUESTION} {number}", author={"name": f"C{number}"})["id"]
        for number in range(50)
    ]
    on_facebook = say(customers, "facebook_comment", QUESTION)["id"]
    monkeypatch.setattr(platforms, "stopped_at", datetime.now(UTC))  # within one window
    while connected.pump_inbox():
        pass
    for _ in range(6):  # each of the 51 once
        connected.pump("reply", respond.handler)
    monkeypatch.setattr(platforms, "stopped_at", None)
    first = [one["in_reply_to"] for one in replies(customers)]
    assert on_facebook in first
    assert len(first) < 51
    connected.drain()
    answered = [one["in_reply_to"] for one in replies(customers)]
    events = connected.events()
    given_to_humans = {event["data"]["message"]["id"] for event in events}
    assert len(answered) == len(set(answered))
    assert set(answered) | given_to_humans == {*ids, on_facebook}
    assert connected.dead == []
    refused = [c for c in customers.get("/calls").json() if c["status"] == 429]
    assert len(refused) <= 20, "whoever waits does not ask"
