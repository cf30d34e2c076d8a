"""The public contracts: current, and kept by what the functions really send."""

import json
import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema import ValidationError as SchemaError

from firstreply.contracts import PUBLIC, CaseOpened, CaseUpdated, ReplyRequested
from local.contracts import FOLDER, event_type, samples, schemas, shapes
from tests.aws import World
from tests.unit.test_meta_path import agent
from tests.unit.test_path import say

SAMPLES = samples()


def check(event: dict[str, Any]) -> None:
    schema = json.loads((FOLDER / f"{event['type']}.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(event)


def test_the_committed_schemas_are_what_the_models_say() -> None:
    """If not: make contracts, and think of who reads the queues."""
    committed = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.schema.json")}
    assert committed == schemas()


def test_what_the_functions_send_keeps_the_contract(
    connected: World, customers: httpx.Client
) -> None:
    fault = {"on": "messenger", "fault": "window_closed"}
    customers.post("/faults", json=fault).raise_for_status()
    ada = {"author": {"id": "1", "name": "Ada"}}
    for text in ("My kettle stopped working 😡", "My kettle stopped working again, nobody answers"):
        say(customers, "messenger", text, **ada)
        connected.pump_inbox()
    unsent = say(customers, "instagram_message", "My kettle stopped working")
    connected.pump_inbox()
    for body in connected.bodies("reply"):
        # Ours, which nobody else may send; in all else it is what anybody may.
        assert body["data"]["author"] == {"kind": "firstreply"}
        check(body | {"data": body["data"] | {"author": {"kind": "agent"}}})
        connected.sqs.send_message(QueueUrl=connected.urls["reply"], MessageBody=json.dumps(body))
    connected.drain()
    customers.post("/remove", json={"id": unsent["id"]}).raise_for_status()
    connected.drain()
    events = connected.bodies("escalation.fifo")
    agent(connected, events[0], "A new one is on its way", close_case=True)
    say(customers, "messenger", "It broke again", **ada)
    connected.drain()
    events += connected.bodies("escalation.fifo")
    for event in events:
        check(event)
    assert {event["type"] for event in events} == {event_type(s) for s in PUBLIC} - {
        event_type(ReplyRequested)
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_the_published_samples_are_still_understood(name: str) -> None:
    samples = SAMPLES[name]
    assert samples, "each contract has one"
    for sample in samples.values():
        schema = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
        # AsyncAPI's tools read schemas by the older draft: both are to say the same.
        Draft202012Validator(schema).validate(sample)
        Draft7Validator(schema).validate(sample)
        shapes()[name].validate_python(sample)


def test_readme_explains_each_contract_once() -> None:
    rows = re.findall(
        r"^\| `(firstreply\.[\w.]+)` \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(shapes())


@pytest.mark.parametrize(
    ("data", "is_taken"),
    [
        ({"text": "Hello", "in_reply_to": "1"}, True),
        ({"text": "Hello", "in_reply_to": "1", "close_case": True}, True),
        ({"close_case": True}, True),
        ({"text": "", "close_case": True}, True),
        ({"in_reply_to": "1", "close_case": True}, True),
        ({"text": " \n", "close_case": True}, True),
        ({}, False),
        ({"text": " \n\0", "in_reply_to": "1"}, False),
        ({"text": "Hello", "in_reply_to": None}, False),
        ({"text": "Hello", "close_case": True}, False),
        ({"text": "a" * 50_001, "in_reply_to": "1"}, False),
        ({"in_reply_to": "1"}, False),
        ({"text": "", "in_reply_to": "1"}, False),
        ({"text": "Hello"}, False),
        ({"close_case": False}, False),
    ],
)
def test_who_does_not_close_says_something_in_answer_to_something(
    data: dict[str, Any], is_taken: bool
) -> None:
    """The schema and the model say the same."""
    event = json.loads((FOLDER / "samples" / "reply.requested.json").read_text("utf-8"))
    kept = {name: event["data"][name] for name in ("conversation", "author")}
    event["data"] = kept | data
    if is_taken:
        check(event)
        ReplyRequested.model_validate(event)
        return
    with pytest.raises(SchemaError):
        check(event)
    with pytest.raises(ValueError, match=r"text"):
        ReplyRequested.model_validate(event)


def test_who_reads_a_case_may_meet_fields_of_a_later_version() -> None:
    event = json.loads((FOLDER / "samples" / "case.opened.json").read_text("utf-8"))
    event["data"]["new_in_v1_1"] = event["extension"] = "something"
    assert CaseOpened.model_validate(event).data.case_id == event["data"]["case_id"]
    with pytest.raises(ValueError, match="type"):
        CaseUpdated.model_validate(event)
