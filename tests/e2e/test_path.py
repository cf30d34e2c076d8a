"""The deployed path, through HTTP only: the API, the simulated platforms, the queues."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.play import Line, Outcome, Stage
from local.play import play as play_script
from local.stack import WORK

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PLACES = ("facebook_comment", "messenger", "x_mention", "x_direct_message")
_people = count(1)


def play(stage: Stage, place: str, text: str, times: int = 1) -> Outcome:
    """Somebody new writes; what became of it once nothing moves any more."""
    line = Line(place, f"Customer {next(_people)}", text, "other", times)
    said = stage.say(line)
    outcome = stage.settle(said["id"], said["deliveries"])
    assert outcome.is_settled
    rest(stage)
    return stage.outcome(said["id"], said["deliveries"])


def rest(stage: Stage) -> None:
    """Until no delivery is on its way: one more answer or event would have come by then."""
    sqs = stage.stack.sqs
    every = sqs.list_queues()["QueueUrls"]
    between = [url for url in every if "-ReplyQueue-" in url or "-ComplaintQueue-" in url]
    assert len(between) == 2
    deadline, quiet = time.monotonic() + 60, 0
    while quiet < 3:
        assert time.monotonic() < deadline, "the queues do not come to rest"
        quiet = quiet + 1 if not any(_waiting(sqs, url) for url in between) else 0
        time.sleep(0.1)


def _waiting(sqs: SQSClient, url: str) -> int:
    found = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return sum(int(value) for value in found["Attributes"].values())


@pytest.mark.parametrize("place", PLACES)
def test_a_complaint_gets_one_answer_and_one_message_in_the_escalation_queue(
    stage: Stage, place: str
) -> None:
    outcome = play(stage, place, "Your app keeps crashing and nobody answers the phone")
    assert [one["status"] for one in outcome.deliveries] == [200]
    (said,) = outcome.said
    (event,) = outcome.events
    assert event["type"] == "firstreply.case.opened.v1"
    assert event["data"]["acknowledgement"]["text"] == said["text"]


@pytest.mark.parametrize("place", PLACES)
def test_thanks_get_an_answer_and_are_not_escalated(stage: Stage, place: str) -> None:
    outcome = play(stage, place, "Lovely crew, thank you")
    assert len(outcome.said) == 1
    assert outcome.events == []


def test_what_is_private_is_continued_in_private(stage: Stage) -> None:
    outcome = play(stage, "facebook_comment", "My parcel is two weeks late")
    assert sorted(one["kind"] for one in outcome.said) == ["comment", "message"]
    assert len(outcome.events) == 1


@pytest.mark.parametrize("place", PLACES)
def test_the_same_delivery_three_times_changes_nothing(stage: Stage, place: str) -> None:
    outcome = play(stage, place, "My kettle stopped working again", times=3)
    assert [one["status"] for one in outcome.deliveries] == [200] * 3
    assert len(outcome.said) == 1
    assert len(outcome.events) == 1


@pytest.mark.parametrize("channel", ["meta", "x"])
@pytest.mark.parametrize("signature", ["wrong", "missing", "sha1"])
def test_what_is_not_rightly_signed_is_turned_away_and_not_stored(
    stage: Stage, channel: str, signature: str
) -> None:
    table = stage.stack.dynamodb.Table(stage.stack.outputs["InboxTable"])
    before = table.scan(Select="COUNT")["Count"]
    body = {"channel": channel, "body": {"entry": [], "n": time.time()}, "signature": signature}
    answer = stage.simulator.post("/deliver", json=body).raise_for_status().json()
    assert [one["status"] for one in answer["deliveries"]] == [401]
    assert table.scan(Select="COUNT")["Count"] == before


def test_both_platforms_handshakes_succeed_and_a_wrong_token_fails(stage: Stage) -> None:
    assert stage.handshake("meta")
    assert stage.handshake("x")
    wrong = {"channel": "meta", "verify_token": "wrong"}
    answer = stage.simulator.post("/handshake", json=wrong).raise_for_status().json()
    assert (answer["ok"], answer["status"]) == (False, 403)


def test_an_unknown_channel_is_not_found(stage: Stage) -> None:
    for method in ("GET", "POST"):
        assert httpx.request(method, f"{stage.stack.api_url}/webhooks/fax").status_code == 404


def test_of_one_customer_s_messages_at_the_same_instant_one_is_answered(stage: Stage) -> None:
    def write(number: int) -> dict[str, Any]:
        question = f"What time do you open on Sunday, shop {number}?"
        return stage.say(Line("messenger", "Quick Writer", question, "other"))

    with ThreadPoolExecutor(6) as pool:
        ids = {said["id"] for said in pool.map(write, range(6))}
    for message_id in ids:
        deadline = time.monotonic() + 60
        while not any(r.message.id == message_id for r in stage.messages(message_id)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    rest(stage)
    answered = [one for one in stage.said() if one["in_reply_to"] in ids]
    escalated = {e["data"]["message"]["id"] for e in stage.cases()} & ids
    assert len(answered) == 1
    assert escalated == ids  # an acknowledgement is no answer


def test_the_script_of_make_run_says_whether_all_went_as_expected(stage: Stage) -> None:
    shown: list[str] = []
    assert play_script(stage, shown.append), "\n".join(shown)
    # The same customers again, within the cool-down: they are not answered a second time.
    assert not play_script(stage, shown.append)


def test_a_helpdesk_reads_the_queue_with_nothing_but_sqs(stage: Stage) -> None:
    outcome = play(stage, "facebook_comment", "The seat was dirty and the crew rude")
    sqs, url = stage.stack.sqs, stage.stack.outputs["EscalationQueueUrl"]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for message in sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", []):
            event = json.loads(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            said = event["data"].get("message")  # a closing has none
            if said and said["id"] == outcome.message_id and "customer" in event["data"]:
                assert event["data"]["customer"]["name"] == outcome.remembered.message.author_name  # type: ignore[union-attr]
                return
    pytest.fail("the case did not arrive")


def test_nothing_ended_in_a_dead_letter_queue(stage: Stage) -> None:
    play(stage, "messenger", "Your app keeps crashing and nobody answers")
    for name in stage.stack.outputs:
        if "DeadLetter" in name:
            assert stage.stack.peek(name) == []


@pytest.mark.usefixtures("stage")
def test_what_classify_carries_fits_into_lambda() -> None:
    """As it was built for this machine. Lambda takes 250 MB with the layers."""
    megabytes = {
        name: sum(path.stat().st_size for path in (WORK / "build" / name).rglob("*")) / 2**20
        for name in ("ClassifyFunction", "CommonLayer", "BrandLayer")
    }
    assert 50 < megabytes["ClassifyFunction"] < 210
    assert sum(megabytes.values()) < 240
