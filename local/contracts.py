"""make contracts: the JSON Schemas of the public queues and doors, from the models themselves."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from firstreply.channels.generic.shape import Gone, Posted, Taken, Written
from firstreply.contracts import PUBLIC, CloudEvent

FOLDER = Path(__file__).parent.parent / "docs" / "contracts"

# What the generic channel takes, what it posts, and what it takes for an answer to that.
GENERIC: dict[str, TypeAdapter[Any]] = {
    "firstreply.message.v1": TypeAdapter(
        Written | Gone | Annotated[list[Written | Gone], Field(min_length=1)]
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


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, "utf-8")
        print(f"docs/contracts/{name}")
