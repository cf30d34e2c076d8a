"""Graph's way of asking for fields and pages: `messages.limit(20){id,message}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import request

from local.simulator.common import Json
from local.simulator.graph_errors import refuse

FIELD: Final = re.compile(
    r"(?P<name>\w+)"
    r"(?P<arguments>(?:\.\w+\([^)]*\))*)"
    r"(?:\{(?P<inner>(?:[^{}]|\{[^{}]*\})*)\})?"  # fields of fields, two levels deep
)
PAGE: Final = 25
ARGUMENT: Final = re.compile(r"\.(\w+)\(([^)]*)\)")


@dataclass(frozen=True)
class Field:
    arguments: Mapping[str, str]
    inner: str


def fields_of(text: object) -> dict[str, Field]:
    return {
        found["name"]: Field(dict(ARGUMENT.findall(found["arguments"])), found["inner"] or "")
        for found in FIELD.finditer(str(text))
    }


def picked(item: Json, text: object) -> Json:
    """What was asked for, and the id."""
    fields = fields_of(text) | {"id": Field({}, "")}
    return {
        name: picked(value, fields[name].inner) if fields[name].inner else value
        for name, value in item.items()
        if name in fields
    }


def paged(items: list[Json], parameters: Mapping[str, Any], url: str, **more: str) -> Json:
    """One page of a list; our cursors are plain positions. `more` changes the next page's query."""
    try:
        first, size = int(parameters.get("after", 0)), int(parameters.get("limit", PAGE))
    except (TypeError, ValueError):
        refuse("parameter", name="limit")
    shown = items[first : first + size]
    answer: Json = {"data": shown}
    if shown:
        cursors = {"before": str(first), "after": str(first + len(shown))}
        answer["paging"] = {"cursors": cursors}
    if len(items) > first + size:
        query = urlencode({**request.args, **more, "limit": size, "after": first + size})
        answer["paging"]["next"] = f"{url}?{query}"
    return answer
