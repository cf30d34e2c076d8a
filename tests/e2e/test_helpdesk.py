"""From a customer's complaint to a ticket in a real helpdesk, and back: the deployed stack, its
platforms simulated, the example worker, django-helpdesk."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr

from local.play import Line, Stage
from local.stack import ACCOUNT, REGION
from tests.examples.site import Site, end, open_site, started, until, work_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_people = count(1)
CLOSED = 4
# Of a type that the worker does not know.
NOTHING: Any = {
    "MessageBody": '{"id": "1", "source": "this test", "type": "nothing", "data": {}}',
    "MessageGroupId": "nothing",
    "MessageDeduplicationId": "1",
}


@pytest.fixture(scope="module")
def site(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the worker, on the stack's queues."""
    folder, queues = tmp_path_factory.mktemp("site"), stage.stack.outputs
    escalation = queues["EscalationQueueUrl"]
    stage.stack.sqs.purge_queue(QueueUrl=escalation)  # other tests' cases
    settings = {
        "AWS_ENDPOINT_URL_SQS": stage.stack.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "ESCALATION_QUEUE_URL": escalation,
        "REPLY_QUEUE_URL": queues["ReplyQueueUrl"],
    }
    with open_site(folder) as running, started() as workers:
        workers.append(work_for(running, folder / "memory.sqlite", settings))
        yield running
        end(workers[0], wake=lambda: stage.stack.sqs.send_message(**NOTHING, QueueUrl=escalation))
    stage.stack.sqs.purge_queue(QueueUrl=escalation)


@pytest.mark.parametrize("place", ["facebook_comment", "x_mention"])
def test_a_complaint_is_a_ticket_and_its_agent_s_answer_stands_under_it(
    stage: Stage, site: Site, place: str
) -> None:
    author = f"Helped {next(_people)} on {place}"
    words = "Your app keeps crashing and nobody answers"

    def write(text: str) -> str:
        return str(stage.say(Line(place, author, text, "complaint"))["id"])

    def case() -> dict[str, object]:
        table = stage.stack.dynamodb.Table(stage.stack.outputs["ConversationsTable"])
        found = table.scan(FilterExpression=Attr("opened_by").is_in([complaint, later]))["Items"]
        return dict(found[0]) if found else {}

    def ticket() -> dict[str, object]:
        case_id = case().get("case_id")
        return next(iter(site.tickets(str(case_id))), {})

    complaint, later = write(words), "not yet"
    until(lambda: words in json.dumps(ticket()), "the complaint is a ticket")
    case_id = str(case()["case_id"])

    site.answer(case_id, f"We are on it, {author}. Sam").raise_for_status()
    until(lambda: [s for s in stage.said() if f"on it, {author}" in s["text"]], "it is answered")
    (said,) = [s for s in stage.said() if f"on it, {author}" in s["text"]]
    assert said["in_reply_to"] == complaint

    later = write("It crashed again right after the update")
    until(lambda: "right after the update" in json.dumps(ticket()), "the next one is a follow-up")
    assert len(site.tickets(case_id)) == 1

    site.answer(case_id, "Solved on the telephone", public=False, new_status=CLOSED)
    until(lambda: case().get("is_open") is False, "closing the ticket closes the case")

    stage.simulator.post("/remove", json={"id": complaint}).raise_for_status()
    until(lambda: words not in json.dumps(ticket()), "what is removed is forgotten")
    assert ticket()["status"] == CLOSED
    assert len([s for s in stage.said() if f"on it, {author}" in s["text"]]) == 1
