"""What we write in a ticket, how we know it again, and how a message's words are taken out.

    From Chidi, comment, public, 2026-11-22T11:58:03Z https://… [message 8f1d0c2b9a7e]
    > My suitcase hasn't arrived
    > FirstReply: Hi Chidi, we're sorry about this.
    Priority normal, due 2026-11-22T12:58:03Z: intent:complaint
    [firstreply 0b5f3a6c9d2e4f18 11223344_55667788]

The last line is the mark: of the event, and of the message that an answer from here on answers.
Others' words stand behind ">", so nobody can write such a line but we.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from examples.helpdesk.seam import Entry

type Event = Mapping[str, Any]

REMOVED = "(removed by its author or the platform)"
LONGEST = 60_000  # bytes of one entry; helpdesks take 64 KiB and more
LONGEST_TEXT = 10_000  # characters of one message; the link leads to the rest
_MARK = re.compile(r"^\[firstreply ([0-9a-f]{16}) (\S+)\]$", re.MULTILINE)
_HEAD = re.compile(r"\[message ([0-9a-f]{12})\]$")


def title(data: Event) -> str:
    """No words of the customer, no name: a title cannot always be changed later."""
    topics = ", ".join(data["understanding"].get("topics", [])).replace("_", " ")
    about = topics or data["understanding"].get("intent", "message")
    return f"{data['channel']}: {about} ({data['case_id']})"


def opening(event: Event) -> str:
    """All that is known, with the conversation so far."""
    data = event["data"]
    return _entry(
        event, [_quoted(event, said) for said in (*data.get("history", ()), data["message"])]
    )


def news(event: Event) -> str:
    """What happened in a case that has its ticket."""
    return _entry(event, [_quoted(event, event["data"]["message"])])


def mark(event: Event) -> str:
    """The same for the same event, however often it comes."""
    return sha256(f"{event['source']}\0{event['id']}".encode()).hexdigest()[:16]


def marks(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Of all events that a ticket was told: (mark, the message it was about), oldest first."""
    for entry in entries:
        if entry.ours:
            yield from ((of, unquote(about)) for of, about in _MARK.findall(entry.text))


def without(text: str, message_id: str) -> str:
    """An entry of ours without that message's words, its writer's name and our answer to it."""
    kept, in_block, tag = [], False, _tag(message_id)
    for line in text.split("\n"):
        head = _HEAD.search(line) if not line.startswith(">") else None
        if head:
            in_block = head[1] == tag
        if head and in_block:
            kept += [f"{REMOVED} [message {tag}]"]
        elif not (in_block and line.startswith(">")):
            kept += [line]
    return "\n".join(kept)


def _entry(event: Event, messages: list[str]) -> str:
    """The newest of the messages that fit, each whole: without its head none could be taken out."""
    data = event["data"]
    why = ", ".join(data.get("reasons", ()))
    reference = f", reference {data['reference']}" if data.get("reference") else ""
    tail = [
        _line(f"Priority {data['priority']}, due {data['due_at']}{reference}: {why}"),
        f"[firstreply {mark(event)} {quote(data['message']['id'], safe='_=:.')}]",
    ]
    while messages[1:] and len("\n".join([*messages, *tail]).encode()) > LONGEST:
        messages = messages[1:]
    return "\n".join([*messages, *tail])


def _quoted(event: Event, said: Event) -> str:
    data = event["data"]
    where = "public" if said["public"] else "private"
    facts = [
        f"From {_speaker(data, said)}, {said['kind']}, {where}, {said['sent_at']}",
        said.get("permalink") or "",
    ]
    lines = [_line(" ".join([*facts, f"[message {_tag(said['id'])}]"]))]
    lines += _behind(said["text"])
    if kinds := said.get("attachments"):
        lines += _behind(f"(with {', '.join(kinds)})")
    if said is data["message"]:
        for line in _answered(data):
            lines += _behind(line)
    return "\n".join(lines)


# Who speaks for the brand in a conversation.
_OURS = {"firstreply": "FirstReply", "agent": "an agent", "human": "the brand, in the app"}


def _speaker(data: Event, said: Event) -> str:
    customer: str = data["customer"].get("name") or data["customer"].get("handle") or "Customer"
    name: str = said.get("name") or _OURS.get(said.get("by", "customer"), customer)
    return name


def _answered(data: Event) -> Iterator[str]:
    """What we said, or did not; and which of the brand's ready answers may help."""
    ours = data.get("acknowledgement", {})
    if failed := data.get("failed_reply"):
        yield f"NOT said ({failed['reason']}): {failed['text']}"
    else:
        yield f"FirstReply: {ours.get('text') or 'no answer, ' + str(ours.get('silence'))}"
        if continued := ours.get("continuation"):
            yield f"FirstReply, in private: {continued}"
    for answer in data.get("candidates", ()):
        yield f"May fit ({answer['name']}): {answer['text']}"


def _behind(text: str) -> list[str]:
    cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} (…)"
    return [f"> {line}" for line in cut.splitlines()]


def _line(text: str) -> str:
    return " ".join(text.split())


def _tag(message_id: str) -> str:
    return sha256(message_id.encode()).hexdigest()[:12]
