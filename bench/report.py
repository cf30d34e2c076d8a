"""docs/benchmarks.md, from what was measured."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.harness import Goal, Section, Table

_HEAD = """# Benchmarks

Measured on one machine by `make bench`, written by it, and not edited. Every comparison is a ratio
of two things that ran by turns in the same run, since a machine is busier at one time than at
another; a figure is the median, and in brackets stands between what half of the values lie. Times
in milliseconds are this machine's; ratios and counts travel better.

    make bench                        # everything
    make bench ARGS="door cold"       # some sections
    make bench ARGS=--quick           # all, in a few minutes, with fewer repetitions

{machine}
"""


def machine() -> str:
    """Without a name: what decides how fast it is."""
    import os

    return (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()},"
        f" {platform.system()}"
    )


def markdown(sections: Sequence[Section], machine: str) -> str:
    parts = [_HEAD.format(machine=machine), "\n".join(_goals(sections))]
    parts += ["\n\n".join(_section(one)) for one in sections]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _goals(sections: Iterable[Section]) -> Iterator[str]:
    yield "| goal | at most | found | |"
    yield "|---|---|---|---|"
    for section in sections:
        for goal in section.goals:
            place = f"[{section.title}](#{anchor(section.title)}), {goal.what}"
            yield f"| {place} | {goal.most:g}{goal.unit} | {_found(goal)} | {goal.verdict} |"


def _found(goal: Goal) -> str:
    digits = 0 if goal.found == int(goal.found) else 2 if goal.unit != " ms" else 1
    return f"{goal.found:.{digits}f}{goal.unit}"


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    how = "; quick: fewer repetitions" if section.quick else ""
    yield f"{section.about} Taken {section.taken_at[:16].replace('T', ' ')} UTC{how}."
    for table in section.tables:
        yield "\n".join(_table(table))
        if table.caption:
            yield table.caption
    if section.notes:
        yield "\n".join(f"* {note}" for note in section.notes)


def _table(table: Table) -> Iterator[str]:
    yield _row(table.header)
    yield _row("---" for _ in table.header)
    yield from map(_row, table.rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def anchor(title: str) -> str:
    """As GitHub makes them."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


def plain(section: Section) -> dict[str, Any]:
    return asdict(section)


def section_of(data: Mapping[str, Any]) -> Section:
    """From JSON, as `plain` made it."""
    tables = tuple(
        Table(tuple(one["header"]), tuple(map(tuple, one["rows"])), one["caption"])
        for one in data["tables"]
    )
    goals = tuple(Goal(**one) for one in data["goals"])
    return Section(**{**data, "tables": tables, "goals": goals, "notes": tuple(data["notes"])})
