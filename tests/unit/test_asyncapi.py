"""docs/contracts/asyncapi.yaml: current, valid, and naming every public contract where it goes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

from local.asyncapi import POSTED_REQUEST
from local.contracts import FOLDER, ROOT, asyncapi, samples, shapes

SPECIFICATION = ROOT / ".venv/npm/node_modules/@asyncapi/specs/schemas/3.0.0.json"
TEXT = (FOLDER / "asyncapi.yaml").read_text("utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
MESSAGES = DOCUMENT["components"]["messages"]


def refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from refs(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from refs(inner)


def at(ref: str) -> Any:
    """What it refers to. KeyError or FileNotFoundError if there is nothing."""
    if not ref.startswith("#/"):
        return json.loads((FOLDER / ref).read_text("utf-8"))
    node: Any = DOCUMENT
    for name in ref.removeprefix("#/").split("/"):
        node = node[name]
    return node


def of(operation: dict[str, Any]) -> list[str]:
    """The types of its messages."""
    return [at(at(one["$ref"])["$ref"])["name"] for one in operation["messages"]]


def test_the_committed_document_is_what_is_written_now() -> None:
    """If not: make contracts."""
    assert asyncapi() == TEXT


def test_it_keeps_asyncapi_s_own_schema() -> None:
    if not SPECIFICATION.is_file():
        pytest.fail(f"no {SPECIFICATION.relative_to(ROOT)}: run `make test`")
    Draft7Validator(json.loads(SPECIFICATION.read_text("utf-8"))).validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    found = set(refs(DOCUMENT))
    for ref in found:
        assert at(ref)
    assert {f"./{name}.schema.json" for name in shapes()} <= found


def test_every_public_contract_travels_one_way_and_one_may_also_be_posted() -> None:
    assert MESSAGES.keys() == shapes().keys() | {POSTED_REQUEST}
    ways = {
        (operation["action"], at(operation["channel"]["$ref"])["address"]): of(operation)
        for operation in DOCUMENT["operations"].values()
    }
    cases = [name for name in shapes() if name.startswith("firstreply.case.")]
    assert len(cases) == 7
    assert {way: sorted(names) for way, names in ways.items()} == {
        ("send", "EscalationQueue"): sorted(cases),
        ("receive", "ReplyQueue"): ["firstreply.reply.requested.v1"],
        ("receive", "/webhooks/helpdesk"): ["firstreply.reply.requested.v1"],
        ("receive", "/webhooks/generic"): ["firstreply.message.v1"],
        ("send", None): ["firstreply.reply.v1"],
    }
    assert of(DOCUMENT["operations"]["postReply"]["reply"]) == ["firstreply.reply.taken.v1"]


def test_what_goes_by_http_has_the_headers_of_its_signature_but_for_an_answer() -> None:
    signed = {name for name, message in MESSAGES.items() if "headers" in message}
    assert signed == {POSTED_REQUEST, "firstreply.message.v1", "firstreply.reply.v1"}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_examples_are_the_published_samples_and_keep_their_schema(name: str) -> None:
    message = MESSAGES[name]
    examples = {one["name"]: one["payload"] for one in message["examples"]}
    assert samples()[message["name"].removesuffix(".posted")].items() <= examples.items()
    resources = [
        (f"./{one}.schema.json", Resource.from_contents(at(f"./{one}.schema.json")))
        for one in shapes()
    ]
    registry: Registry[Any] = Registry().with_resources(resources)
    for example in examples.values():
        Draft202012Validator(message["payload"], registry=registry).validate(example)
