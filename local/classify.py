"""make classify: what the classifier makes of messages, one JSON line for each.

In: {"id": .., "text": .., "language": .., "channel": ..}, the last two if they are known. Out: what
a stack without optional back ends makes of it, card and bank account numbers masked before.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any, BinaryIO

from firstreply import brand
from firstreply.errors import FirstReplyError
from firstreply.message import Conversation, Message
from firstreply.privacy import mask
from firstreply.understanding import Classifier, Understanding
from functions.classify.offline import offline

SAID = datetime(2026, 1, 1, tzinfo=UTC)  # nothing depends on it


FIELDS: dict[str, tuple[type, ...]] = {
    "id": (str, int),
    "text": (str,),
    "language": (str, NoneType),
    "channel": (str, NoneType),
}
KINDS = {str: "a string", int: "a whole number"}


class BadLineError(Exception):
    """A line that cannot be understood; says what is wrong with it."""


def main(arguments: list[str] | None = None) -> int:
    """0; 1 if there was a bad line; 2 if the file or the brand's rules cannot be read."""
    parser = argparse.ArgumentParser(prog="make classify", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="standard input if there is none")
    file: Path | None = parser.parse_args(arguments).file
    out = sys.stdout.buffer
    # Counts and logs go to standard output in Lambda, and must not come between the answers here.
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "FirstReply")
    with redirect_stdout(sys.stderr):
        try:
            with file.open("rb") if file else sys.stdin.buffer as lines:
                return classify(lines, out, _complain)
        except BrokenPipeError:  # who reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            return 0
        except (OSError, FirstReplyError) as error:
            _complain(str(error))
            return 2
        except KeyboardInterrupt:
            return 130


def classify(lines: Iterable[bytes], out: BinaryIO, complain: Callable[[str], None]) -> int:
    """An answer to each line as soon as it is there. 1 if one of them could not be answered."""
    policy = brand.policy(cool_down_minutes=1, auto_reply=False)
    classifier, is_bad = offline(policy.complaint_bands), 0
    for number, line in enumerate(lines, 1):
        try:
            answers = list(_answers(line, classifier))
        except BadLineError as error:
            complain(f"line {number}: {error}")
            is_bad = 1
            continue
        for answer in answers:
            text = json.dumps(answer, ensure_ascii=False)
            # Half of a surrogate pair has no bytes; JSON's own way to write it is `\ud83d`.
            out.write(text.encode("utf-8", "backslashreplace") + b"\n")
            out.flush()
    return is_bad


def _answers(line: bytes, classifier: Classifier) -> Iterator[dict[str, Any]]:
    """One; none for a blank line."""
    if line.removeprefix(b"\xef\xbb\xbf").strip():
        asked = _read(line)
        message = _message(asked)
        try:
            yield _answer(asked["id"], classifier.understand(message))
        except Exception as error:  # any: the next line may do
            raise BadLineError(f"cannot be classified: {type(error).__name__}") from error


def _read(line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadLineError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise BadLineError("not JSON") from None
    if not isinstance(asked, dict):
        raise BadLineError("not a JSON object")
    for name, kinds in FIELDS.items():
        _check(name, asked.get(name), kinds)
    return asked


def _check(name: str, value: object, kinds: tuple[type, ...]) -> None:
    if value is None and NoneType not in kinds:
        raise BadLineError(f"no {name}")
    if type(value) not in kinds:
        raise BadLineError(f"{name} is not {' or '.join(KINDS[k] for k in kinds if k in KINDS)}")


def _message(asked: dict[str, Any]) -> Message:
    channel = asked.get("channel") or "unknown"
    return Message(
        conversation=Conversation(channel=channel, account="", customer=""),
        id=str(asked["id"]),
        network=channel,
        kind="message",
        public=True,
        text=mask(asked["text"]),
        sent_at=SAID,
        language=asked.get("language") or None,
    )


def _answer(id: str | int, found: Understanding) -> dict[str, Any]:
    return {
        "id": id,
        "intent": found.intent,
        "topic": found.topics[0],
        "sentiment": found.sentiment,
        "journey": found.journey,
        "urgency": found.urgency,
        "language": found.language,
        "confidence": found.confidence,
        "unsure": found.unsure,
        "reasons": found.reasons,
    }


def _complain(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
