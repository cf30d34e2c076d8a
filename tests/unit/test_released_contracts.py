"""What consumers of the last release rely on still holds: docs/contracts/released.json.

Within a version a contract only grows. What breaks it on purpose is a new type, `….v2`, beside it.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local.contracts import RELEASED, shapes

type Schema = dict[str, Any]

RELEASE = json.loads(RELEASED.read_text("utf-8"))
INCOMING = {
    "firstreply.reply.requested.v1",
    "firstreply.message.v1",
    "firstreply.reply.taken.v1",
}
# Of these, README.md says that more may come.
GROWING = {"priority"}


@dataclass(frozen=True)
class Field:
    """What may stand there (JSON's types, or the very values), and whether something must."""

    kinds: frozenset[str]
    required: bool


def fields(schema: Schema) -> dict[str, Field]:
    """By path: `.data.history[].text`; of several objects that may be there, with their titles."""
    return dict(_walk(schema, schema, "", True))


def _walk(
    schema: Schema, node: Schema, path: str, is_required: bool
) -> Iterator[tuple[str, Field]]:
    options = list(_options(schema, node))
    yield path, Field(frozenset(kind for one in options for kind in _kinds(one)), is_required)
    objects = [one for one in options if "properties" in one]
    for option in options:
        mark = f"({option['title']})" if option in objects and len(objects) > 1 else ""
        for name, inner in option.get("properties", {}).items():
            must = name in option.get("required", ())
            yield from _walk(schema, inner, f"{path}{mark}.{name}", must)
        if "items" in option:
            yield from _walk(schema, option["items"], f"{path}[]", False)


def _options(schema: Schema, node: Schema) -> Iterator[Schema]:
    if "$ref" in node:
        yield from _options(schema, schema["$defs"][node["$ref"].removeprefix("#/$defs/")])
    elif "anyOf" in node and "properties" not in node:
        for one in node["anyOf"]:
            yield from _options(schema, one)
    else:
        yield node


def _kinds(node: Schema) -> list[str]:
    if "const" in node:
        return [repr(node["const"])]
    return [repr(one) for one in node["enum"]] if "enum" in node else [node["type"]]


def broken(old: Schema, new: Schema, *, incoming: bool) -> list[str]:
    """Where the new one does not keep what the old one promised."""
    was, now = fields(old), fields(new)
    parents = {_parent(path) for path in was}
    gone = [f"{path} is gone" for path in was.keys() - now.keys()]
    kept = [(path, was[path], now[path]) for path in was.keys() & now.keys()]
    if incoming:
        fresh = [path for path in now.keys() - was.keys() if _parent(path) in parents]
        return [
            *gone,
            *(f"{path} is new, and must be there" for path in fresh if now[path].required),
            *(f"{path} must be there" for path, a, b in kept if b.required and not a.required),
            *(f"{path} takes less" for path, a, b in kept if a.kinds - b.kinds),
        ]
    return [
        *gone,
        *(f"{path} may be missing" for path, a, b in kept if a.required and not b.required),
        *(
            f"{path} holds something else"
            for path, a, b in kept
            if b.kinds - a.kinds and path.rpartition(".")[2] not in GROWING
        ),
    ]


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


@pytest.mark.parametrize("name", RELEASE)
def test_what_was_released_is_still_kept(name: str) -> None:
    """If not: keep it, or make a new version of the contract beside this one."""
    assert name in shapes()
    now = shapes()[name].json_schema()
    assert broken(RELEASE[name]["schema"], now, incoming=name in INCOMING) == []


@pytest.mark.parametrize("name", RELEASE)
def test_the_released_samples_are_still_understood(name: str) -> None:
    now = Draft202012Validator(shapes()[name].json_schema())
    assert RELEASE[name]["samples"]
    for sample in RELEASE[name]["samples"].values():
        now.validate(sample)
        shapes()[name].validate_python(sample)


# --- and that would be noticed ------------------------------------------------------------------

OUT, IN = "firstreply.case.opened.v1", "firstreply.reply.requested.v1"
MESSAGE = "firstreply.message.v1"
WORDS = [f"{many}(Written).{name}" for many in ("", "[]") for name in ("text", "title")]


def drop(*path: str) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        *way, last = path
        node = _at(schema, way)
        node["required"] = [one for one in node["required"] if one != last]
        del node["properties"][last]

    return change


def rename(shape: str, old: str, new: str) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        node = schema["$defs"][shape]
        node["properties"][new] = node["properties"].pop(old)
        node["required"] = [new if one == old else one for one in node["required"]]

    return change


def put(*path: str, value: Any) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        *way, last = path
        _at(schema, way)[last] = value

    return change


def relax(shape: str, name: str) -> Callable[[Schema], None]:
    return lambda schema: schema["$defs"][shape]["required"].remove(name)


def demand(shape: str, name: str) -> Callable[[Schema], None]:
    return lambda schema: schema["$defs"][shape].setdefault("required", []).append(name)


def both(*changes: Callable[[Schema], None]) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        for one in changes:
            one(schema)

    return change


def _at(schema: Schema, way: list[str]) -> Schema:
    node = schema["$defs"][way[0]] if way else schema
    for name in way[1:]:
        node = node[name]
    return node


def new(shape: str, name: str = "new") -> Callable[[Schema], None]:
    return put(shape, "properties", name, value={"type": "string"})


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        (OUT, drop("CaseEvent", "due_at"), [".data.due_at is gone"]),
        (OUT, drop("time"), [".time is gone"]),
        (OUT, rename("Customer", "id", "key"), [".data.customer.id is gone"]),
        (OUT, relax("CaseEvent", "case_id"), [".data.case_id may be missing"]),
        (
            OUT,
            put("CaseEvent", "properties", "case_id", "type", value="integer"),
            [".data.case_id holds something else"],
        ),
        (
            OUT,
            put("Intent", "enum", value=["complaint", "question", "praise", "other", "rage"]),
            [".data.understanding.intent holds something else"],
        ),
        (OUT, new("CaseEvent"), []),
        (OUT, both(new("CaseEvent"), demand("CaseEvent", "new")), []),
        (OUT, put("Priority", "enum", value=["highest", "high", "normal", "soon"]), []),
        (IN, drop("ReplyRequest", "in_private"), [".data.in_private is gone"]),
        (IN, demand("ReplyRequest", "in_private"), [".data.in_private must be there"]),
        (
            IN,
            both(new("ReplyRequest"), demand("ReplyRequest", "new")),
            [".data.new is new, and must be there"],
        ),
        (IN, new("ReplyRequest"), []),
        (IN, relax("ReplyRequest", "author"), []),
        (
            IN,
            put("Author", "properties", "kind", "enum", value=["agent"]),
            [".data.author.kind takes less"],
        ),
        (
            MESSAGE,
            demand("Written", "text"),
            ["(Written).text must be there", "[](Written).text must be there"],
        ),
        (
            MESSAGE,
            put("Words", "type", value="integer"),
            [f"{path} takes less" for path in WORDS],
        ),
    ],
)
def test_a_change_that_breaks_somebody_is_found(
    name: str, change: Callable[[Schema], None], found: list[str]
) -> None:
    later = deepcopy(RELEASE[name]["schema"])
    change(later)
    told = broken(RELEASE[name]["schema"], later, incoming=name in INCOMING)
    assert sorted(told) == found
