"""The door for other sources, deployed. What is posted to a `reply_url` is not seen here: it goes
to the internet only, never to this machine. tests/unit/test_generic_path.py has that part."""

from typing import Any

import httpx
import pytest

from local.desk import review
from local.play import Outcome, Stage
from local.simulator import DEMO_SECRET
from tests.e2e.test_path import rest
from tests.unit.channels.samples import body, standard_headers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SECRET = DEMO_SECRET["generic"]["secrets"][0]
OPENED = "firstreply.case.opened.v1"


def post(stage: Stage, raw: bytes, headers: dict[str, str]) -> int:
    url = f"{stage.stack.api_url}/webhooks/generic"
    return httpx.post(url, content=raw, headers=headers, timeout=60).status_code


def became(stage: Stage, told: dict[str, Any]) -> Outcome:
    """Of a message, once nothing moves any more."""
    message_id = f"{told['source']}:{told['id']}"
    assert stage.settle(message_id, []).is_settled
    rest(stage)
    return stage.outcome(message_id, [])


def test_a_signed_review_of_one_star_is_a_case_whatever_the_words(stage: Stage) -> None:
    told = review("A visitor", "Lovely lounge.")
    raw = body(told)
    assert post(stage, raw, standard_headers(SECRET, raw)) == 200
    (case,) = became(stage, told).events
    assert case["type"] == OPENED
    assert case["data"]["channel"] == "google_business"
    assert case["data"]["message"]["text"] == "Lovely lounge."
    assert case["data"]["message"]["verdict"] == "negative"
    assert case["data"]["acknowledgement"] == {"silence": "unanswerable"}


def test_the_same_delivery_again_and_under_another_id_is_one_case(stage: Stage) -> None:
    told = review("Another visitor", "Two hours in the queue, and then the counter closed.")
    raw = body(told)
    once = standard_headers(SECRET, raw)
    for headers in (once, once, standard_headers(SECRET, raw, one="msg_2")):
        assert post(stage, raw, headers) == 200
    assert [one["type"] for one in became(stage, told).events] == [OPENED]


@pytest.mark.parametrize("wrong", ["another secret", "another body", "no signature"])
def test_what_is_not_rightly_signed_is_turned_away_and_not_stored(stage: Stage, wrong: str) -> None:
    raw = body(review("A stranger", "Let me in."))
    headers = {
        "another secret": standard_headers(DEMO_SECRET["helpdesk"]["secrets"][0], raw),
        "another body": standard_headers(SECRET, raw + b" "),
        "no signature": {},
    }[wrong]
    table = stage.stack.dynamodb.Table(stage.stack.outputs["InboxTable"])
    before = table.scan(Select="COUNT")["Count"]
    assert post(stage, raw, headers) == 401
    assert table.scan(Select="COUNT")["Count"] == before


def test_an_answer_goes_to_no_machine_inside_and_a_human_reads_why(stage: Stage) -> None:
    told = review("A third visitor", "The counter was closed.")
    told["reply_url"] = f"{stage.stack.endpoint.replace('http:', 'https:')}/replies"
    raw = body(told)
    assert post(stage, raw, standard_headers(SECRET, raw)) == 200
    events = became(stage, told).events
    assert [one["type"] for one in events] == [OPENED, "firstreply.case.reply_refused.v1"]
    assert events[1]["data"]["failed_reply"]["reason"].startswith("reply_url: ")
