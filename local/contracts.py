"""make contracts: the JSON Schemas of the public queues and doors, from the models themselves, and
the AsyncAPI document that names who sends which where."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter

from firstreply.channels._read import MOST_AT_ONCE
from firstreply.channels.generic.shape import Gone, Posted, Taken, Written
from firstreply.contracts import PUBLIC, CloudEvent
from local.asyncapi import document

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "contracts"
# What consumers of the last release have in hands: written by `make contracts ARGS=--release` only.
RELEASED = FOLDER / "released.json"

# What the generic channel takes, what it posts, and what it takes for an answer to that.
GENERIC: dict[str, TypeAdapter[Any]] = {
    "firstreply.message.v1": TypeAdapter(
        Annotated[
            Written
            | Gone
            | Annotated[list[Written | Gone], Field(min_length=1, max_length=MOST_AT_ONCE)],
            Field(description="A message, a change or removal of one, or a list of these."),
        ]
    ),
    "firstreply.reply.v1": TypeAdapter(Posted),
    "firstreply.reply.taken.v1": TypeAdapter(Taken),
}


def shapes() -> dict[str, TypeAdapter[Any]]:
    """All that is public, by its type."""
    return {event_type(shape): TypeAdapter(shape) for shape in PUBLIC} | GENERIC


def schemas() -> dict[str, str]:
    """The text of each file by its name."""
    return {f"{name}.schema.json": schema(shape) for name, shape in shapes().items()}


def event_type(shape: type[CloudEvent]) -> str:
    name: str = shape.model_fields["type"].default
    return name


def schema(shape: TypeAdapter[Any]) -> str:
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    made |= shape.json_schema()
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def samples() -> dict[str, dict[str, Any]]:
    """What is published as an example of each type, by the name of its file."""
    found: dict[str, dict[str, Any]] = {name: {} for name in shapes()}
    for path in sorted((FOLDER / "samples").glob("*.json")):
        sample = json.loads(path.read_text("utf-8"))
        found[sample.get("type", f"firstreply.{path.stem}.v1")][path.stem] = sample
    for path in sorted((ROOT / "events" / "generic").glob("*.json")):
        if path.stem != "tripadvisor_several":  # it holds what breaks the schema, too
            found["firstreply.message.v1"][path.stem] = json.loads(path.read_text("utf-8"))
    return found


def asyncapi() -> str:
    """The text of asyncapi.yaml."""
    made = document({name: _says(name, shape) for name, shape in shapes().items()}, samples())
    text = yaml.dump(made, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    return f"# Written by make contracts.\n{text}"


class _Plain(yaml.SafeDumper):
    """Without anchors: what is there twice is written twice."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _says(name: str, shape: TypeAdapter[Any]) -> str:
    """Its description, without the type that some begin with."""
    return " ".join(shape.json_schema()["description"].split()).removeprefix(f"`{name}`: ")


def release() -> str:
    """The text of released.json: schemas and samples as they are now, a contract a line."""
    published = samples()
    lines = [
        f'"{name}": '
        + json.dumps(
            {"schema": shape.json_schema(), "samples": published[name]}, ensure_ascii=False
        )
        for name, shape in shapes().items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    texts = schemas() | {"asyncapi.yaml": asyncapi()}
    if "--release" in sys.argv:
        texts[RELEASED.name] = release()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, "utf-8")
        print(f"docs/contracts/{name}")
