"""A helpdesk in memory that records, the queues (moto), and the worker between them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import moto.backends

from examples.helpdesk.memory import Memory
from examples.helpdesk.seam import Entry, Gone, Helpdesk, HelpdeskError, NewTicket, Ticket
from examples.helpdesk.way_back import ByQueue
from examples.helpdesk.worker import Intake, Outlet

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SAMPLES = Path(__file__).parents[2] / "docs" / "contracts" / "samples"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOST_RECEIVES = 10  # template.yaml


class Clock:
    """A second later at every look."""

    def __init__(self) -> None:
        self._seconds = count()

    def __call__(self) -> datetime:
        return NOON + timedelta(seconds=next(self._seconds))


@dataclass
class Desk:
    """Helpdesk and agents. `fails` may raise before a write: (call, case or ticket id)."""

    clock: Callable[[], datetime]
    fails: Callable[[str, str], None] = lambda call, about: None
    tickets: dict[str, Ticket] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)  # of each ticket
    reads: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def find(self, case_id: str, conversation: Mapping[str, str]) -> str | None:
        return next((t for t, case in self.cases.items() if case == case_id), None)

    def open(self, new: NewTicket) -> str:
        self.fails("open", new.case_id)
        ticket_id = f"t{next(self._numbers)}"
        self.tickets[ticket_id] = Ticket(ticket_id, new.conversation, (), closed=False)
        self.cases[ticket_id] = new.case_id
        self._write(ticket_id, new.text, ours=True)
        return ticket_id

    def read(self, ticket_id: str) -> Ticket:
        self.reads += 1
        self.fails("read", ticket_id)
        if ticket_id not in self.tickets:
            raise Gone("no such ticket")
        return self.tickets[ticket_id]

    def update(self, ticket: Ticket, text: str) -> None:
        self.fails("update", ticket.id)
        self._write(ticket.id, text, ours=True)
        self._set(ticket.id, closed=False)

    def forget(self, ticket: Ticket, entry: Entry, text: str) -> None:
        self.fails("forget", ticket.id)
        entries = self.tickets[ticket.id].entries
        changed = (replace(one, text=text) if one.id == entry.id else one for one in entries)
        self._set(ticket.id, entries=tuple(changed))

    def close(self, ticket: Ticket, text: str) -> None:
        self.fails("close", ticket.id)
        self._write(ticket.id, text, ours=True)
        self._set(ticket.id, closed=True)

    def changed(self, since: datetime) -> Iterator[str]:
        self.fails("changed", "")
        for ticket in list(self.tickets.values()):
            if any(entry.at >= since for entry in ticket.entries):
                yield ticket.id

    def answer(self, ticket_id: str, text: str, *, public: bool = True) -> str:
        """An agent writes."""
        return self._write(ticket_id, text, ours=False, public=public)

    def solve(self, ticket_id: str) -> None:
        """An agent closes."""
        self._set(ticket_id, closed=True)

    def ticket_of(self, case_id: str) -> Ticket:
        (ticket_id,) = [t for t, case in self.cases.items() if case == case_id]
        return self.tickets[ticket_id]

    def _write(self, ticket_id: str, text: str, *, ours: bool, public: bool = False) -> str:
        entry_id = str(next(self._ids))
        by = None if ours else "Sam"
        entry = Entry(entry_id, text, self.clock(), public, ours, not ours, by)
        self._set(ticket_id, entries=(*self.tickets[ticket_id].entries, entry))
        return entry_id

    def _set(self, ticket_id: str, **change: Any) -> None:
        self.tickets[ticket_id] = replace(self.tickets[ticket_id], **change)


@dataclass
class Shop:
    """The queues with a worker, which may be started anew."""

    sqs: SQSClient
    urls: Mapping[str, str]
    desk: Desk
    clock: Callable[[], datetime]
    helpdesk: Helpdesk
    memory: Memory
    waits: list[float] = field(default_factory=list)
    stops_after: int = 100
    _sent: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.start()

    def start(self, *, without_memory: bool = False) -> None:
        """Anew, as after a kill."""
        if without_memory:
            self.memory.close()
            self.memory = Memory(":memory:")
        self.intake = Intake(
            self.sqs, self.urls["escalation"], self.helpdesk, self.memory, self._wait
        )
        send = ByQueue(self.sqs, self.urls["reply"]).send
        self.outlet = Outlet(self.helpdesk, self.memory, send, "helpdesk/test", self.clock)

    def start_over(self, helpdesk: Callable[[Desk], Helpdesk]) -> None:
        """Nothing is kept, nothing on its way."""
        for name in ("escalation.fifo", "dead.fifo", "reply"):
            self._queue(name)._messages, self._queue(name)._pending_messages = [], set()
        self.desk = Desk(self.clock)
        self.helpdesk = helpdesk(self.desk)
        self.start(without_memory=True)

    def put(self, *events: dict[str, Any] | str, group: str = "") -> None:
        """Each as new to SQS, as after its five minutes."""
        for event in events:
            body = event if isinstance(event, str) else json.dumps(event)
            of = group or (event["subject"] if isinstance(event, dict) else "none")
            self.sqs.send_message(
                QueueUrl=self.urls["escalation"],
                MessageBody=body,
                MessageGroupId=of,
                MessageDeduplicationId=str(next(self._sent)),
            )

    def work(self) -> None:
        """All that can be received now."""
        while self.intake.turn(long_poll=0):
            pass

    def let_time_pass(self) -> None:
        """Whatever is hidden may be received again."""
        for message in self._queue("escalation.fifo")._messages:
            message.visible_at = 0

    def left(self) -> int:
        return len(self._queue("escalation.fifo")._messages)

    def dead(self) -> list[str]:
        return [message.body for message in self._queue("dead.fifo")._messages]

    def requests(self) -> list[dict[str, Any]]:
        """What lies in the ReplyQueue; it stays there."""
        return [json.loads(message.body) for message in self._queue("reply")._messages]

    def _wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return len(self.waits) >= self.stops_after

    def _queue(self, name: str) -> Any:
        backend: Any = moto.backends.get_backend("sqs")["123456789012"]["us-east-1"]
        return backend.queues[name]


def open_shop() -> Shop:
    """In moto."""
    sqs, clock = boto3.client("sqs"), Clock()
    dead = sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = json.dumps({"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": MOST_RECEIVES})
    urls = {
        "escalation": sqs.create_queue(
            QueueName="escalation.fifo", Attributes={"FifoQueue": "true", "RedrivePolicy": policy}
        )["QueueUrl"],
        "reply": sqs.create_queue(QueueName="reply")["QueueUrl"],
    }
    desk = Desk(clock)
    return Shop(sqs, urls, desk, clock, desk, Memory(":memory:"))


def event(kind: str, message: str = "m1", text: str = "It broke", case: int = 1) -> dict[str, Any]:
    """As FirstReply puts it on the queue; a case and a customer of that number."""
    sample = "reply_refused" if kind == "reply_refused" else kind
    if kind not in ("opened", "withdrawn", "reply_refused", "closed"):
        sample = "updated"
    made: dict[str, Any] = json.loads((SAMPLES / f"case.{sample}.json").read_text("utf-8"))
    data, conversation = made["data"], {"channel": "meta", "account": "9", "customer": str(case)}
    made |= {
        "id": f"case-{case}:{message}:{kind}:{sha256(text.encode()).hexdigest()[:12]}",
        "type": f"firstreply.case.{kind}.v1",
        "subject": f"meta#9#{case}",
    }
    data |= {"case_id": f"case-{case}", "conversation": conversation}
    if kind == "withdrawn":
        data["message_id"] = message
    elif kind != "closed":
        data["message"] |= {"id": message, "text": text}
        data["history"] = []
    return made


def no_answer(error: HelpdeskError) -> Callable[[str, str], None]:
    def fail(call: str, about: str) -> None:
        raise error

    return fail
