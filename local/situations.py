"""make situations: docs/situations.md, from tests/situations/*.yaml, for a support lead to read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "situations"
PAGE = ROOT / "docs" / "situations.md"
_HEAD = """# What is said, where, and who sees it

Written by `make situations` from `tests/situations/`; each row is a test
(`tests/unit/test_situations.py`). The rules behind it are `brand/policy.yaml`; what a customer
wrote is taken as understood as the row says. The reasons are those of the record and of the case.
"""
_COLUMNS = ("situation", "where", "the customer writes", "FirstReply answers", "a human sees it")


def chapters() -> list[dict[str, Any]]:
    """Each file's `title`, `about` and `situations`."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]


def page() -> str:
    parts = [_HEAD]
    for chapter in chapters():
        rows = [_row(_cells(one)) for one in chapter["situations"]]
        head = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS))]
        parts.append("\n".join([f"## {chapter['title']}", "", chapter["about"], "", *head, *rows]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _cells(one: dict[str, Any]) -> Iterator[str]:
    yield one["when"]
    yield "<br>".join([one["where"], *([one["at"]] if "at" in one else [])])
    yield "<br>".join([*_before(one), f"“{one['text']}”", f"*{_meaning(one)}*", *_more(one)])
    yield "<br>".join(_answer(one))
    yield _human(one)


def _before(one: dict[str, Any]) -> Iterator[str]:
    for event in one.get("before", ()):
        who = next(name for name in ("customer", "somebody", "human") if name in event)
        name = {"customer": "they", "somebody": "another customer", "human": "a human of ours"}[who]
        after = ", was answered" if event.get("answered") else ""
        case = ", a case is open" if event.get("case") else ""
        closed = ", and the case is closed" if event.get("closes") else ""
        yield f"{event['minutes']} min before, {name}: “{event[who]}”{after}{case}{closed}"
    if "age_minutes" in one:
        yield f"{one['age_minutes']} min ago:"


def _meaning(one: dict[str, Any]) -> str:
    sure = ["unsure"] if one.get("unsure") else []
    sure += [f"confidence {one['confidence']}"] if "confidence" in one else []
    return ", ".join([one["means"].replace("/", ": ").replace(",", ", "), *sure])


def _more(one: dict[str, Any]) -> Iterator[str]:
    for name in ("state", "policy", "known_answer", "hours"):
        if name in one:
            value = one[name]
            if isinstance(value, dict):
                value = "; ".join(f"{key} {_plain(item)}" for key, item in value.items())
            yield f"{name.replace('_', ' ')}: {_plain(value)}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value) or "none"
    if isinstance(value, dict):
        return " ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return {"True": "on", "False": "off"}.get(str(value), str(value))


def _answer(one: dict[str, Any]) -> Iterator[str]:
    answer = one["answer"].replace("_", " ")
    yield answer.replace("none: ", "nothing: ")
    if one.get("tone") == "grave":
        yield "grave"
    if "removal" in one:
        yield "asks to remove it"
    if one.get("masked", one["text"]) != one["text"]:
        yield f"kept as “{one['masked']}”"


def _human(one: dict[str, Any]) -> str:
    if one["human"] == "nobody":
        return "no"
    haste, _, reasons = one["human"].partition(": ")
    priority, minutes = haste.split()
    due = f", by {one['due']}" if "due" in one else f", within {minutes} min"
    return f"{priority}{due}<br>{reasons}"


def _row(cells: Any) -> str:  # noqa: ANN401  (any iterable of texts)
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(PAGE.relative_to(ROOT))
