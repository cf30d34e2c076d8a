"""Facebook, Messenger and Instagram through the whole path, the platforms over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest

from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.template.cfn import resources, template
from tests.unit.test_path import replies, say

ADA = {"author": {"id": "4711", "name": "Ada"}}
PAGE, INSTAGRAM = "102030405060708", "17841400000000001"
COMPLAINT = "Your app keeps crashing and nobody answers"
QUESTION = "What are your opening hours on Sunday?"


def happen(customers: httpx.Client, what: str, **more: object) -> dict[str, Any]:
    """Something else than a message; every delivery of it is taken."""
    answer: dict[str, Any] = customers.post(f"/{what}", json=more).raise_for_status().json()
    assert all(one["status"] == 200 for one in answer["deliveries"])
    return answer


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].split(".")[2] for event in events]


def message(stack: World, message_id: str) -> dict[str, Any]:
    (item,) = [one for one in stack.items("MSG#") if one["item"] == f"MSG#{message_id}"]
    return item


def change_secret(**accounts: object) -> None:
    meta = {**DEMO_SECRET["meta"], "accounts": {**DEMO_SECRET["meta"]["accounts"], **accounts}}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="channels", SecretString=json.dumps({**DEMO_SECRET, "meta": meta})
    )


# --- every place --------------------------------------------------------------------------------

ANSWERED = [
    ("facebook_comment", "comment", False),
    ("facebook_post", "comment", False),
    ("facebook_mention", "comment", False),
    ("messenger", "message", False),
    ("instagram_comment", "comment", False),
    ("instagram_live_comment", "message", True),
    ("instagram_message", "message", False),
    ("instagram_story_reply", "message", False),
]


@pytest.mark.parametrize(("place", "kind", "is_private_reply"), ANSWERED)
def test_a_complaint_is_answered_where_it_belongs_and_is_a_case(
    connected: World, customers: httpx.Client, place: str, kind: str, is_private_reply: bool
) -> None:
    said = say(customers, place, COMPLAINT, times=2)
    connected.drain()
    (reply,) = replies(customers)
    assert (reply["in_reply_to"], reply["kind"]) == (said["id"], kind)
    assert reply.get("private_reply", False) is is_private_reply
    (event,) = connected.events()
    assert event["data"]["message"]["text"] == COMPLAINT
    assert connected.dead == []


@pytest.mark.parametrize("place", ["facebook_review", "instagram_mention"])
def test_what_cannot_be_answered_there_is_a_human_s(
    connected: World, customers: httpx.Client, place: str
) -> None:
    say(customers, place, COMPLAINT)
    connected.drain()
    assert replies(customers) == []
    (event,) = connected.events()
    assert event["data"]["acknowledgement"] == {"silence": "unanswerable"}


def test_the_account_by_instagram_login_is_answered_at_its_own_host(
    connected: World, customers: httpx.Client
) -> None:
    for place in ("instagram_comment", "instagram_message"):
        say(customers, place, COMPLAINT, account="17841400000000002")
    connected.drain()
    assert len(replies(customers)) == 2
    paths = {call["path"].split("/")[1] for call in customers.get("/calls").json()}
    assert paths == {"instagram"}


def test_a_bad_review_is_a_complaint_whatever_its_words_and_a_good_one_is_none(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "facebook_review", "Great crew, thank you", recommends=False)
    say(customers, "facebook_review", "Great crew, thank you", recommends=True)
    connected.drain()
    (event,) = connected.events()
    assert event["data"]["message"]["verdict"] == "negative"
    assert event["data"]["understanding"]["intent"] == "complaint"
    assert "verdict: negative" in event["data"]["understanding"]["reasons"]


def test_a_picture_alone_is_seen_by_a_human(connected: World, customers: httpx.Client) -> None:
    say(customers, "instagram_message", "", attachments=["image"])
    say(customers, "instagram_story_mention", "")
    connected.drain()
    assert [e["data"]["reasons"] for e in connected.events()] == [["unsure"]] * 2


def test_who_presses_a_button_says_what_is_on_it(connected: World, customers: httpx.Client) -> None:
    say(customers, "messenger", "Where is my refund?", postback=True)
    connected.drain()
    assert len(replies(customers)) == 1


def test_a_thread_of_another_app_is_read_but_not_answered(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", COMPLAINT, standby=True)
    connected.drain()
    assert replies(customers) == []
    assert kinds(connected.events()) == ["opened"]


# --- what becomes of a message ------------------------------------------------------------------


def test_an_edit_that_complains_is_a_case_and_is_acknowledged_once(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "facebook_comment", "first")
    connected.drain()
    assert replies(customers) == []
    happen(customers, "edit", id=said["id"], text=COMPLAINT)
    connected.drain()
    happen(customers, "edit", id=said["id"], text=f"{COMPLAINT} at all!")
    connected.drain()
    assert [one["in_reply_to"] for one in replies(customers)] == [said["id"]]
    opened, updated = connected.events()
    assert kinds([opened, updated]) == ["opened", "updated"]
    assert updated["data"]["message"]["text"] == f"{COMPLAINT} at all!"
    assert updated["data"]["message"]["edited_at"]


def test_an_answered_message_that_is_edited_is_not_answered_again(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "messenger", QUESTION)
    connected.drain()
    happen(customers, "edit", id=said["id"], text=COMPLAINT)
    connected.drain()
    assert len(replies(customers)) == 1
    assert kinds(connected.events()) == ["opened", "updated"]


@pytest.mark.parametrize("with_author", [True, False])
def test_a_removed_message_is_erased_here_and_withdrawn_from_its_case(
    connected: World, customers: httpx.Client, with_author: bool
) -> None:
    said = say(customers, "facebook_comment", COMPLAINT, **ADA)
    connected.drain()
    happen(customers, "remove", id=said["id"], with_author=with_author)
    connected.drain()
    opened, withdrawn = connected.events()
    assert kinds([opened, withdrawn]) == ["opened", "withdrawn"]
    assert withdrawn["data"]["message_id"] == said["id"]
    assert withdrawn["data"]["case_id"] == opened["data"]["case_id"]
    kept = json.dumps(message(connected, said["id"]), default=str)
    assert not [word for word in ("kettle", "stopped", "nobody", "Ada") if word in kept]
    say(customers, "facebook_comment", "Still nobody answers", **ADA)
    connected.drain()
    (updated,) = connected.events()
    assert updated["data"]["history"] == []


def test_an_unsent_message_is_not_answered_any_more(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "instagram_message", COMPLAINT)
    connected.pump_inbox()
    happen(customers, "remove", id=said["id"])
    connected.drain()
    assert replies(customers) == []
    assert connected.events() == []
    assert connected.dead == []


def test_a_removal_that_arrives_first_wins(connected: World, customers: httpx.Client) -> None:
    said = say(customers, "facebook_comment", COMPLAINT)
    happen(customers, "remove", id=said["id"])
    (first, second) = connected._new_records()
    for record in (second, first):
        connected._invoke(_classify(), [record])
    connected.drain()
    assert replies(customers) == []
    assert connected.events() == []
    assert "message" not in message(connected, said["id"])


def _classify() -> Any:
    from functions.classify import app

    return app.handler


def test_an_edit_that_arrives_before_its_message_is_what_counts(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "facebook_comment", "Lovely picture")
    happen(customers, "edit", id=said["id"], text=COMPLAINT)
    first, second = connected._new_records()
    for record in (second, first):
        connected._invoke(_classify(), [record])
    connected.drain()
    assert message(connected, said["id"])["message"]["text"] == COMPLAINT
    assert len(replies(customers)) == 1
    assert kinds(connected.events()) == ["opened"]


def test_of_two_edits_the_later_one_counts_in_whatever_order_they_come(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "messenger", "Hello")
    connected.drain()
    for text in (COMPLAINT, "Thanks, all is well"):
        happen(customers, "edit", id=said["id"], text=text)
    first, second = connected._new_records()
    for record in (second, first):
        connected._invoke(_classify(), [record])
    assert message(connected, said["id"])["message"]["text"] == "Thanks, all is well"


def test_a_comment_that_a_moderator_hid_is_not_answered_in_public(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "facebook_comment", QUESTION)
    connected.pump_inbox()
    happen(customers, "hide", id=said["id"])
    connected.drain()
    assert replies(customers) == []
    assert [e["data"]["reasons"] for e in connected.events()] == [["unanswered"]]


# --- the brand itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["facebook_comment", "messenger", "instagram_comment"])
def test_a_human_s_answer_stops_the_automatic_one(
    connected: World, customers: httpx.Client, place: str
) -> None:
    said = say(customers, place, QUESTION, **ADA)
    connected.pump_inbox()
    answered = happen(customers, "answer", in_reply_to=said["id"], text="Ten to six. Kim")
    connected.pump_inbox()
    connected.drain()
    assert replies(customers) == []
    assert kinds(connected.events()) == ["opened"]
    (human,) = connected.items("HUMAN#")
    assert (human["platform_id"], human["text"]) == (answered["id"], "Ten to six. Kim")


def test_a_conversation_that_a_human_has_taken_is_left_to_humans(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "messenger", COMPLAINT, **ADA)
    connected.drain()
    happen(customers, "answer", in_reply_to=said["id"], text="I am looking into it. Kim")
    connected.drain()
    say(customers, "messenger", QUESTION, **ADA)
    connected.drain()
    assert len(replies(customers)) == 1
    _, updated = connected.events()
    assert updated["data"]["acknowledgement"] == {"silence": "human_answers"}


@pytest.mark.parametrize("place", [place for place, _, private in ANSWERED if not private])
def test_our_own_echo_is_neither_a_human_nor_a_customer(
    connected: World, customers: httpx.Client, place: str
) -> None:
    customers.post("/settings", json={"echo": True}).raise_for_status()
    say(customers, place, COMPLAINT)
    for _ in range(3):
        connected.drain()
    assert len(replies(customers)) == 1
    assert len(connected.items("MSG#")) == 1
    assert connected.items("HUMAN#") == []


def test_the_echo_settles_what_a_time_out_left_open(
    connected: World, customers: httpx.Client
) -> None:
    """The platform is not asked: it has told."""
    say(customers, "messenger", QUESTION)
    connected.pump_inbox()
    fault = {"on": "messenger", "fault": "accept_then_disconnect"}
    customers.post("/faults", json=fault).raise_for_status()
    from functions.respond import app as respond

    connected.pump("reply", respond.handler)
    (entry,) = connected.items("REPLY#")
    assert entry["state"] == "unknown"
    (reply,) = replies(customers)
    echo = {
        "sender": {"id": PAGE},
        "recipient": {"id": reply["to"]},
        "timestamp": 1_790_000_000_000,
        "message": {
            "mid": reply["id"],
            "is_echo": True,
            "text": reply["text"],
            "metadata": reply["metadata"],
        },
    }
    body = {"object": "page", "entry": [{"id": PAGE, "time": 1, "messaging": [echo]}]}
    customers.post("/deliver", json={"channel": "meta", "body": body}).raise_for_status()
    connected.pump_inbox()
    (entry,) = connected.items("REPLY#")
    assert (entry["state"], entry["platform_id"]) == ("sent", reply["id"])
    connected.drain()
    assert len(replies(customers)) == 1
    assert not [c for c in customers.get("/calls").json() if c["method"] == "GET"]


def test_our_own_comment_without_its_author_is_no_customer(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "facebook_comment", COMPLAINT)
    connected.drain()
    connected.events()
    (reply,) = replies(customers)
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": reply["id"],
        "parent_id": said["id"],
        "post_id": f"{PAGE}_1",
        "message": reply["text"],
        "created_time": int(datetime.now(UTC).timestamp()),
    }
    entry = {"id": PAGE, "time": 1, "changes": [{"field": "feed", "value": value}]}
    body = {"channel": "meta", "body": {"object": "page", "entry": [entry]}}
    customers.post("/deliver", json=body).raise_for_status()
    connected.drain()
    assert len(connected.items("MSG#")) == 1
    assert connected.events() == []


# --- an agent's answer --------------------------------------------------------------------------


def agent(stack: World, event: dict[str, Any], text: str, **more: object) -> None:
    request = {
        "specversion": "1.0",
        "type": "firstreply.reply.requested.v1",
        "id": f"note-{text[:100]}",
        "source": "helpdesk",
        "time": datetime.now(UTC).isoformat(),
        "data": {
            "conversation": event["data"]["conversation"],
            "in_reply_to": event["data"]["message"]["id"],
            "text": text,
            "author": {"kind": "agent", "name": "Kim"},
            **more,
        },
    }
    stack.sqs.send_message(QueueUrl=stack.urls["reply"], MessageBody=json.dumps(request))
    stack.drain()


@pytest.mark.parametrize(("days", "tag"), [(0, None), (2, "HUMAN_AGENT")])
def test_an_agent_may_answer_for_seven_days_and_says_that_a_human_does(
    connected: World, customers: httpx.Client, days: int, tag: str | None
) -> None:
    sent_at = datetime.now(UTC) - timedelta(days=days)
    say(customers, "messenger", COMPLAINT, sent_at=sent_at.isoformat())
    connected.drain()
    (opened,) = connected.events()
    agent(connected, opened, "A new one is on its way")
    (reply,) = [r for r in replies(customers) if r["text"] == "A new one is on its way"]
    assert reply.get("tag") == tag


def test_after_seven_days_a_human_reads_why_not(connected: World, customers: httpx.Client) -> None:
    sent_at = datetime.now(UTC) - timedelta(days=8)
    say(customers, "messenger", COMPLAINT, sent_at=sent_at.isoformat())
    connected.drain()
    (opened,) = connected.events()
    agent(connected, opened, "A new one is on its way")
    (refused,) = connected.events()
    assert refused["data"]["failed_reply"]["reason"] == "graph: the time to answer is over"


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post", "instagram_comment"])
def test_an_agent_may_answer_a_public_complaint_in_private_once(
    connected: World, customers: httpx.Client, place: str
) -> None:
    say(customers, place, COMPLAINT)
    connected.drain()
    (opened,) = connected.events()
    agent(connected, opened, "May we have your booking code?", in_private=True)
    agent(connected, opened, "And your name?", in_private=True)
    assert [r["text"] for r in replies(customers) if r.get("private_reply")] == [
        "May we have your booking code?"
    ]
    (refused,) = connected.events()
    assert refused["data"]["failed_reply"]["reason"].endswith("answered in private before")


# --- the account --------------------------------------------------------------------------------


def test_a_dead_token_stops_the_account_and_a_new_secret_starts_it_again(
    connected: World, customers: httpx.Client
) -> None:
    rotated = {"channel": "meta", "id": PAGE, "token": "another-token"}
    customers.post("/accounts", json=rotated).raise_for_status()
    for _ in range(3):
        say(customers, "messenger", QUESTION)
        connected.drain()
    calls = [c for c in customers.get("/calls").json() if c["what"] == "text"]
    assert len(calls) == 1  # the first one: after that nobody knocks at a closed door
    events = connected.events()
    assert kinds(events) == ["opened", "reply_refused"] * 3
    assert {e["data"]["reasons"][-1] for e in events} == {
        "unanswered",
        "graph 400 190/463: the token is not valid any more",
    }
    say(customers, "instagram_message", QUESTION)  # another account is not concerned
    connected.drain()
    assert len(replies(customers)) == 1
    change_secret(**{PAGE: {"token": "another-token", "name": "Larkspur Air"}})
    connected._ahead += timedelta(minutes=6)
    say(customers, "messenger", QUESTION, sent_at=connected.now().isoformat())
    connected.drain()
    assert len(replies(customers)) == 2
    assert connected.dead == []


def test_the_alarm_of_a_dead_token_watches_what_is_counted(
    connected: World, customers: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    fault = {"on": "any", "fault": "graph_error", "code": 190}
    customers.post("/faults", json=fault).raise_for_status()
    say(customers, "messenger", QUESTION)
    connected.drain()
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    (line,) = [line for line in lines if "AccountDead" in line]
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    alarm = resources("AWS::CloudWatch::Alarm")["AccountDeadAlarm"]
    functions = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert functions["POWERTOOLS_METRICS_NAMESPACE"] == alarm["Namespace"]
    assert metrics["Dimensions"] == [[one["Name"] for one in alarm["Dimensions"]]]
    assert alarm["MetricName"] == "AccountDead"


def test_a_token_that_was_rotated_a_moment_ago_is_read_again_before_a_human_is_bothered(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", QUESTION)
    connected.drain()
    rotated = {"channel": "meta", "id": PAGE, "token": "another-token"}
    customers.post("/accounts", json=rotated).raise_for_status()
    change_secret(**{PAGE: {"token": "another-token", "name": "Larkspur Air"}})
    connected._ahead += timedelta(minutes=2)  # within the secret's five minutes
    say(customers, "messenger", QUESTION, sent_at=connected.now().isoformat())
    connected.drain()
    assert len(replies(customers)) == 2
    assert kinds(connected.events()) == ["opened"] * 2


def test_a_limit_nearly_reached_lets_the_account_rest_and_costs_no_try(
    connected: World, customers: httpx.Client
) -> None:
    usage = {"usage_percent": 95, "usage_wait_minutes": 3}
    customers.post("/settings", json=usage).raise_for_status()
    say(customers, "messenger", QUESTION)
    connected.drain()
    assert len(replies(customers)) == 1
    customers.post("/settings", json={"usage_percent": 1, "usage_wait_minutes": 0})
    before = connected.now()
    for _ in range(7):
        say(customers, "messenger", QUESTION, sent_at=connected.now().isoformat())
    connected.drain()
    assert len(replies(customers)) == 8
    assert connected.now() - before >= timedelta(minutes=2)
    assert set(kinds(connected.events())) == {"opened"}


def test_an_account_that_is_not_ours_is_set_aside_and_disturbs_nobody(
    connected: World, customers: httpx.Client
) -> None:
    def entry(account: str) -> dict[str, Any]:
        event = {
            "sender": {"id": "9"},
            "recipient": {"id": account},
            "timestamp": int(datetime.now(UTC).timestamp() * 1000),
            "message": {"mid": f"m_{account}", "text": COMPLAINT},
        }
        return {"id": account, "time": 1, "messaging": [event, event]}

    entries = [entry(account) for account in ("777", PAGE, "888", INSTAGRAM)]
    body = {"channel": "meta", "body": {"object": "page", "entry": entries}}
    customers.post("/deliver", json=body).raise_for_status()
    connected.drain()
    accounts = {e["data"]["conversation"]["account"] for e in connected.events()}
    assert accounts == {PAGE, INSTAGRAM}
    assert sorted(one["reason"] for one in connected.bodies("inbox-dead")) == [
        "account 777 is not in the secret",
        "account 888 is not in the secret",
    ]


# --- data deletion ------------------------------------------------------------------------------


def test_who_asks_for_deletion_is_told_where_to_ask_and_is_forgotten(
    connected: World, customers: httpx.Client
) -> None:
    said = say(customers, "messenger", COMPLAINT, **ADA)
    connected.drain()
    answer = customers.post("/delete_data", json={"person": "4711"}).raise_for_status().json()
    told = json.loads(answer["body"]) if isinstance(answer["body"], str) else answer["body"]
    assert answer["status"] == 200
    assert told["confirmation_code"] in told["url"]
    connected.drain()
    assert kinds(connected.events()) == ["opened", "withdrawn"]
    kept = json.dumps(connected.conversations.scan()["Items"], default=str)
    assert not [word for word in ("kettle", "stopped", "nobody", "Ada") if word in kept]
    assert message(connected, said["id"])["removed_at"]
    page = connected.knock("meta", method="GET", query={"deletion": told["confirmation_code"]})
    assert (page["statusCode"], told["confirmation_code"] in page["body"]) == (200, True)
    assert "14 days" in page["body"]


def test_a_deletion_for_somebody_we_do_not_know_is_shown_to_an_operator(
    connected: World, customers: httpx.Client
) -> None:
    customers.post("/delete_data", json={"person": "1"}).raise_for_status()
    connected.drain()
    (aside,) = connected.bodies("inbox-dead")
    assert "deletion" in aside["reason"]


def test_a_deletion_that_is_wrongly_signed_is_turned_away(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "messenger", COMPLAINT, **ADA)
    connected.drain()
    wrong = {"person": "4711", "signature": "wrong"}
    assert customers.post("/delete_data", json=wrong).json()["status"] == 401
    connected.drain()
    assert connected.items("MSG#")[0]["message"]["text"] == COMPLAINT


# --- a mention without words --------------------------------------------------------------------


def test_a_mention_whose_words_cannot_be_had_waits_where_an_operator_sees_it(
    connected: World, customers: httpx.Client
) -> None:
    fault = {"on": "any", "fault": "graph_error", "code": 100, "subcode": 33, "at": "read"}
    customers.post("/faults", json=fault | {"times": 9}).raise_for_status()
    say(customers, "instagram_mention", COMPLAINT)
    connected.drain()
    assert connected.items("MSG#") == []
    (hint,) = connected.dead
    assert json.loads(hint)["channel"] == "meta"


@pytest.mark.parametrize("place", ["facebook_mention", "instagram_mention"])
def test_a_mention_is_fetched_after_trouble_and_is_one_message(
    connected: World, customers: httpx.Client, place: str
) -> None:
    fault = {"on": "any", "fault": "graph_error", "code": 2, "status": 500, "at": "read"}
    customers.post("/faults", json=fault).raise_for_status()
    said = say(customers, place, COMPLAINT, times=3)
    connected.drain()
    assert [item["item"] for item in connected.items("MSG#")] == [f"MSG#{said['id']}"]
    assert kinds(connected.events()) == ["opened"]
