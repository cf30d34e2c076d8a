"""make contracts: the JSON Schemas of the public queues, from the models themselves."""

import json
from pathlib import Path

from firstreply.contracts import PUBLIC, CloudEvent

FOLDER = Path(__file__).parent.parent / "docs" / "contracts"


def schemas() -> dict[str, str]:
    """The text of each file by its name."""
    return {f"{event_type(shape)}.schema.json": schema(shape) for shape in PUBLIC}


def event_type(shape: type[CloudEvent]) -> str:
    name: str = shape.model_fields["type"].default
    return name


def schema(shape: type[CloudEvent]) -> str:
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    made |= shape.model_json_schema()
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, "utf-8")
        print(f"docs/contracts/{name}")
