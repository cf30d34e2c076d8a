"""What we write in a ticket, how we know it again, and how a message's words are taken out.

    From the customer, "Chidi", comment, public, 2026-11-22T11:58:03Z [message 8f1d0c2b9a7e]
    > My suitcase hasn't arrived
    | FirstReply: Hi Chidi, we're sorry about this.
    |   A colleague will write to you.
    Priority normal, due 2026-11-22T12:58:03Z: intent:complaint
    [firstreply 0b5f3a6c9d2e4f18 11223344_55667788]

The last line is the mark: of the event, and of the message that an answer from here on answers.
What was written to us or by us stands behind ">", each line of it, and a name in quotes behind who
it is. So nobody can write a line that looks like one of ours: like the mark, like what FirstReply
said or may say ("|"), or like what another has said.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from textwrap import TextWrapper
from typing import Any
from urllib.parse import quote, unquote

from examples.helpdesk.seam import Entry

type Event = Mapping[str, Any]

REMOVED = "(removed by its author or the platform)"
LONGEST = 60_000  # bytes of one entry; helpdesks take 64 KiB and more
LONGEST_TEXT = 10_000  # characters of one message; the link leads to the rest
_MARK = re.compile(r"^\[firstreply ([0-9a-f]{16})(?: (\S+))?\]$", re.MULTILINE)
_HEAD = re.compile(r"\[message ([0-9a-f]{12})\]$")
# Helpdesks take no NUL, and what turns the direction of writing may show a line as another.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_WRAPPED = TextWrapper(
    width=100,
    replace_whitespace=False,
    drop_whitespace=False,
    break_long_words=False,
    break_on_hyphens=False,
)


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


def closed(event: Event) -> str:
    """Why the ticket is closed, though no agent closed it here."""
    data = event["data"]
    who = _named("an agent", data["closed_by"].get("name"))
    return "\n".join(
        [_line(f"Closed by {who}, {data['closed_at']}"), f"[firstreply {mark(event)}]"]
    )


def not_sent(request: Event, reason: str) -> str:
    """What FirstReply will never take."""
    what = "This answer was" if "text" in request["data"] else "That this is closed was"
    return f"{what} NOT sent: {reason}\n{_not_sent(request)}"


def is_not_sent(request: Event, entries: Iterable[Entry]) -> bool:
    """Whether that stands there."""
    return any(one.ours and _not_sent(request) in one.text.split("\n") for one in entries)


def _not_sent(request: Event) -> str:
    return f"[firstreply-not-sent {mark(request)}]"


def literal(text: str) -> str:
    """As a code block, for a helpdesk that renders Markdown: nobody's picture, link or heading. No
    line within begins with the fence, since others' words stand behind ">"."""
    lines = [line for one in text.split("\n") for line in _wrapped(one)]
    return "\n".join(["```", *lines, "```"])


def mark(event: Event) -> str:
    """The same for the same event, however often it comes."""
    return sha256(f"{event['source']}\0{event['id']}".encode()).hexdigest()[:16]


def marks(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Of all events that a ticket was told: (mark, the message it was about, if it was about one),
    oldest first."""
    for entry in entries:
        if entry.ours:
            yield from ((of, unquote(about)) for of, about in _MARK.findall(entry.text))


def without(text: str, message_id: str) -> str:
    """An entry of ours without that message's words, its writer's name and our answer to it."""
    kept, in_block, tag = [], False, _tag(message_id)
    for line in text.split("\n"):
        head = _HEAD.search(line) if not line.startswith((">", "|")) else None
        if head:
            in_block = head[1] == tag
        if head and in_block:
            kept += [f"{REMOVED} [message {tag}]"]
        elif not (in_block and line.startswith((">", "|"))):
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
    return _UNSEEN.sub("", "\n".join([*messages, *tail]))


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
        lines += _ours(f"(with {', '.join(kinds)})")
    if said is data["message"]:
        for line in _answered(data):
            lines += _ours(line)
    return "\n".join(lines)


_WHO = {
    "customer": "the customer",
    "firstreply": "FirstReply",
    "agent": "an agent",
    "human": "the brand, in the app",
}


def _speaker(data: Event, said: Event) -> str:
    by, customer = said.get("by", "customer"), data["customer"]
    name = customer.get("name") or customer.get("handle") if by == "customer" else said.get("name")
    return _named(_WHO.get(by, "somebody"), name)


def _named(who: str, name: str | None) -> str:
    return f'{who}, "{name.replace('"', "'")}"' if name else who


def _answered(data: Event) -> Iterator[str]:
    """What we said, or did not; and which of the brand's ready answers may help."""
    ours = data.get("acknowledgement", {})
    if failed := data.get("failed_reply"):
        yield f"NOT said ({_line(failed['reason'])}): {failed['text']}"
    else:
        yield f"FirstReply: {ours.get('text') or 'no answer, ' + str(ours.get('silence'))}"
        if continued := ours.get("continuation"):
            yield f"FirstReply, in private: {continued}"
    for answer in data.get("candidates", ()):
        yield f"May fit ({_line(answer['name'])}): {answer['text']}"


def _behind(text: str) -> list[str]:
    return [f"> {line}" for line in _lines(text)]


def _ours(text: str) -> list[str]:
    """What goes on is further in: a customer's name in it may have lines."""
    first, *more = _lines(text)
    return [f"| {first}", *(f"|   {line}" for line in more)]


def _lines(text: str) -> list[str]:
    return (text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} (…)").splitlines()


def _wrapped(line: str) -> list[str]:
    """A code block would show the beginning of a long line only."""
    start, goes_on = line[:2], {"> ": "> ", "| ": "|   "}.get(line[:2])
    if goes_on is None:
        return [line]
    first, *more = _WRAPPED.wrap(line[2:]) or [""]
    return [start + first, *(goes_on + one for one in more)]


def _line(text: str) -> str:
    return " ".join(text.split())


def _tag(message_id: str) -> str:
    return sha256(message_id.encode()).hexdigest()[:12]
