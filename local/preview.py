"""make preview: what would be said to a message on each channel, and why.

One message a line, typed or piped in; it is taken as the first of a customer whom nobody has
answered yet, with the rules, words and answers that are in brand/ now.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from textwrap import wrap

from firstreply import brand
from firstreply.conversations import Remembered
from firstreply.errors import FirstReplyError
from firstreply.policy import Standing
from firstreply.secrets import name_of
from functions.classify.considering import Considering
from functions.classify.offline import offline
from functions.classify.recognising import recogniser
from local.places import PLACES
from local.simulator import DEMO_SECRET

# One of each form that an answer takes.
SHOWN = (
    "facebook comment",
    "messenger",
    "instagram comment",
    "instagram message",
    "x mention",
    "x direct message",
)
COLUMN, WIDTH = 20, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes, and when: the words may depend on it."""

    name: str | None
    handle: str | None
    language: str | None
    at: datetime


def main(arguments: list[str] | None = None) -> int:
    """0; 2 if brand/ cannot be used."""
    parser = argparse.ArgumentParser(prog="make preview", description=__doc__)
    parser.add_argument(
        "text", nargs="*", help="a message each; lines of standard input if there is none"
    )
    parser.add_argument("--name", help="what the customer is called", default="Ada Example")
    parser.add_argument("--handle", help="and on X", default="ada")
    parser.add_argument("--language", help="two letters, if the platform tells")
    parser.add_argument("--at", help="2026-12-24T20:00, in the brand's time zone", type=_moment)
    given = parser.parse_args(arguments)
    texts = given.text or _typed()
    # Logs go to standard output in Lambda.
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "FirstReply")
    out = sys.stdout
    try:
        with redirect_stdout(sys.stderr):
            considering = _considering()
            for text in texts:
                at = _in_zone(given.at, considering)
                writer = Writer(
                    name=given.name, handle=given.handle, language=given.language, at=at
                )
                print("\n".join(preview(text, writer, considering)), file=out, flush=True)
    except FirstReplyError as error:
        print(error, file=sys.stderr)
        return 2
    except (BrokenPipeError, KeyboardInterrupt):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    return 0


def preview(text: str, writer: Writer, considering: Considering) -> Iterator[str]:
    """The page of one message, line by line."""
    found = {name: _considered(name, text, writer, considering) for name in SHOWN}
    first = next(iter(found.values()))
    yield f"“{text}”"
    yield from _row("understood", _understood(first))
    if first.understanding.intent == "question":
        yield from _row("ready answer", _ready(first))
    yield from _row("a human", _human(found.values()))
    for name, remembered in found.items():
        for where, said in _said(remembered):
            yield from _row(name if where != "then in private" else "", f"{where}: {said}")
    yield ""


def _considering() -> Considering:
    policy = brand.policy(cool_down_minutes=30, auto_reply=True)
    return Considering(
        classifier=offline(policy.complaint_bands),
        voice=brand.voice(),
        policy=policy,
        expected=lambda _: policy.promise,
        name_of=lambda one: name_of(DEMO_SECRET[one.channel], one.account),
        ready=recogniser(brand.answers()).recognise,
    )


def _considered(name: str, text: str, writer: Writer, considering: Considering) -> Remembered:
    place = PLACES[name]
    message = place.message(text, writer.at, id=f"{name}: {text}", customer="1")
    message = replace(
        message,
        author_name=writer.name,
        author_handle=writer.handle if place.network == "x" else None,
        language=writer.language,
    )
    # Who says stop is confirmed because of this very message.
    standing = Standing(chosen_by=message.id, opted_out=considering.command(message) == "stop")
    return considering.consider(place.open(), message, standing, [], writer.at)


def _understood(one: Remembered) -> str:
    what = one.understanding
    parts = [
        f"{what.intent} ({what.confidence:.2f}{', unsure' if what.unsure else ''})",
        ", ".join(what.topics),
        what.language,
        *what.reasons,
    ]
    return "; ".join(parts)


def _ready(one: Remembered) -> str:
    found = one.recognised
    if found.answer:
        return found.answer.name
    names = ", ".join(each.name for each in found.candidates)
    return f"none surely; a human is shown {names}" if names else "none"


def _human(found: Iterable[Remembered]) -> str:
    """The same everywhere, but where the answer is another."""
    seen = [one.decision for one in found]
    wanting = [one for one in seen if one.escalate]
    if not wanting:
        return "does not see it"
    one = wanting[0]
    reasons = ", ".join(dict.fromkeys(reason for each in wanting for reason in each.reasons))
    return f"sees it, {one.priority}, to answer by {one.due_at:%a %d %b %H:%M} UTC ({reasons})"


def _said(one: Remembered) -> Iterator[tuple[str, str]]:
    decision = one.decision
    if decision.silence:
        yield "nothing", decision.silence
        return
    yield ("in private" if decision.place == "private" else "in public"), one.acknowledgement or ""
    if one.continuation:
        yield "then in private", one.continuation


def _row(name: str, text: str) -> Iterator[str]:
    lines = wrap(text, WIDTH - COLUMN) or [""]
    yield f"  {name:<{COLUMN}}{lines[0]}"
    for line in lines[1:]:
        yield f"  {'':<{COLUMN}}{line}"


def _typed() -> Iterator[str]:
    if sys.stdin.isatty():
        print("Type a message and Enter; Ctrl-D ends.", file=sys.stderr)
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    return (line.strip() for line in sys.stdin if line.strip())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _in_zone(at: datetime | None, considering: Considering) -> datetime:
    if at is None:
        return datetime.now(UTC)
    local = considering.policy.hours.local(datetime.now(UTC))
    return at if at.tzinfo else at.replace(tzinfo=local.tzinfo)


if __name__ == "__main__":
    sys.exit(main())
