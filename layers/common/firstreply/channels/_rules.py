"""What a platform changes by date: the rows of a channel's rules.json.

A row holds from its date on, until a later one of the same name does; `from` is null for what has
held as long as we know. `source` says who says so, `grade` how surely (docs/channels.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rule:
    """`since` is a day in UTC."""

    name: str
    since: date | None
    value: Any
    source: str
    grade: str


def rule(channel: str, name: str, at: datetime) -> Any:  # noqa: ANN401  (any JSON)
    """What holds at that time; KeyError if nothing does."""
    day = at.astimezone(UTC).date()
    holding = [one for one in rules(channel) if one.name == name and (one.since or day) <= day]
    if not holding:
        raise KeyError(f"{channel}: no rule {name!r} holds on {day}")
    return max(holding, key=lambda one: one.since or date.min).value


@cache
def rules(channel: str) -> tuple[Rule, ...]:
    """All of a channel's rows; none if it has no such file."""
    table = files(f"{__package__}.{channel}").joinpath("rules.json")
    text = table.read_text("utf-8") if table.is_file() else "[]"
    return tuple(
        Rule(
            name=row["rule"],
            since=date.fromisoformat(row["from"]) if row["from"] else None,
            value=row["value"],
            source=row["source"],
            grade=row["grade"],
        )
        for row in json.loads(text)
    )
