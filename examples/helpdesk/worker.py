"""The two ways between FirstReply's queues and a helpdesk, each a loop of its own.

    EscalationQueue ──▶ Intake ──▶ helpdesk ──▶ Outlet ──▶ ReplyQueue

Both may be killed at any point and started again: an event leaves the queue only after the helpdesk
has it, the helpdesk shows what it was told before, and an answer has the same id at every try.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from examples.helpdesk import wording
from examples.helpdesk.memory import Memory
from examples.helpdesk.seam import (
    Down,
    Entry,
    Gone,
    Helpdesk,
    HelpdeskError,
    NewTicket,
    Refused,
    Ticket,
)
from examples.helpdesk.way_back import answer, check, closing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

logger = logging.getLogger("helpdesk")

LONG_POLL = 20  # seconds; the longest that SQS offers
# So long an event is ours alone, and so long it waits after a kill. Longer than all calls for it.
OURS_FOR = 300
FIRST_WAIT, LONGEST_WAIT = 30, 900

TOLD = (
    "firstreply.case.opened.v1",
    "firstreply.case.updated.v1",
    "firstreply.case.reply_refused.v1",
    "firstreply.case.reopened.v1",
)
# The ticket has it already: as the agent's own words, or with the message that was answered.
KNOWN = ("firstreply.case.reply_sent.v1",)
WITHDRAWN = "firstreply.case.withdrawn.v1"
CLOSED = "firstreply.case.closed.v1"


@dataclass
class Intake:
    """Events into tickets. `wait(seconds)` returns True when it is time to stop."""

    sqs: SQSClient
    queue_url: str
    helpdesk: Helpdesk
    memory: Memory
    wait: Callable[[float], bool]
    counts: Counter[str] = field(default_factory=Counter)

    def turn(self, long_poll: int = LONG_POLL) -> bool:
        """One event, if there is one. One at a time: SQS then keeps the order of every
        conversation, and a stop has nothing to give back."""
        messages = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            WaitTimeSeconds=long_poll,
            VisibilityTimeout=OURS_FOR,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        ).get("Messages", [])
        for message in messages:
            self._take(message)
        return bool(messages)

    def _take(self, message: MessageTypeDef) -> None:
        try:
            self._apply(_event(message["Body"]))
        except HelpdeskError as error:
            self._put_back(message, error)
            if isinstance(error, Down):
                self._rest(error)
            return
        except Exception as error:  # of a shape that nobody foresaw, or our memory's disk is full
            self._put_back(message, Refused(f"could not be handled: {type(error).__name__}"))
            return
        self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def _apply(self, event: wording.Event) -> None:
        kind, case_id = event["type"], event["data"].get("case_id")
        if kind not in (*TOLD, WITHDRAWN, CLOSED) or not case_id:
            self._note("known" if kind in KNOWN else "unknown", event)
            return
        try:
            ticket_id = self._ticket_id(case_id, event["data"]["conversation"])
            if ticket_id:
                self._change(self.helpdesk.read(ticket_id), event)
            elif kind in TOLD:
                ticket_id = self.helpdesk.open(_new_ticket(event))
                self._note("opened", event)
            if ticket_id:
                self.memory.keep_ticket(case_id, ticket_id)
        except Gone:
            self.memory.drop_ticket(case_id)
            raise

    def _change(self, ticket: Ticket, event: wording.Event) -> None:
        if event["type"] == WITHDRAWN:
            for entry in ticket.entries:
                text = wording.without(entry.text, event["data"]["message_id"])
                if entry.ours and text != entry.text:
                    self.helpdesk.forget(ticket, entry, text)
        elif _is_told(ticket, event):
            self._note("repeated", event)
            return
        elif event["type"] != CLOSED:
            self.helpdesk.update(ticket, wording.news(event))
        elif not ticket.closed:
            self.helpdesk.close(ticket, wording.closed(event))
        self._note("changed", event)

    def _ticket_id(self, case_id: str, conversation: Mapping[str, str]) -> str | None:
        return self.memory.ticket(case_id) or self.helpdesk.find(case_id, conversation)

    def _put_back(self, message: MessageTypeDef, error: HelpdeskError) -> None:
        """Others go on meanwhile. After its last receive SQS makes it a dead letter."""
        tries = int(message["Attributes"]["ApproximateReceiveCount"])
        wait = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
        logger.warning("put back: %s: %s", type(error).__name__, error)
        self.counts[type(error).__name__] += 1
        self.sqs.change_message_visibility(
            QueueUrl=self.queue_url,
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=wait,
        )

    def _rest(self, error: Down) -> None:
        """Until the helpdesk answers: a receive that must fail brings an event nearer to the dead
        letters."""
        seconds: float = 1
        while not self.wait(error.after or seconds):
            seconds = min(seconds * 2, 60)
            try:
                self.helpdesk.read("0")
            except Down as again:
                error = again
            except HelpdeskError:  # there is no such ticket: it answers
                return

    def _note(self, what: str, event: wording.Event) -> None:
        self.counts[what] += 1
        logger.info("%s: %s", what, event["id"])


@dataclass
class Outlet:
    """Agents' answers to the ReplyQueue, and that a ticket was closed. `send` takes a CloudEvent,
    and may raise anything."""

    helpdesk: Helpdesk
    memory: Memory
    send: Callable[[dict[str, Any]], None]
    source: str  # names this helpdesk among others; never change it, answers' ids are its own
    clock: Callable[[], datetime]
    counts: Counter[str] = field(default_factory=Counter)
    _logged: set[str] = field(default_factory=set)  # in this look

    def look(self) -> None:
        """Carry all answers there are. What fails is tried again at the next look."""
        now = self.clock()
        self._logged.clear()
        since = self.memory.look_from(now)
        failed = self.counts["failed"]
        try:
            for ticket_id in self.helpdesk.changed(since):
                self._try(ticket_id, since)
        except HelpdeskError as error:
            self._note_failure(error)
        if self.counts["failed"] == failed:
            self.memory.keep_looked(now)

    def _try(self, ticket_id: str, since: datetime) -> None:
        try:
            self._carry(ticket_id, since)
        except Gone:
            pass
        except Down:
            raise
        except Refused as error:
            self._note_failure(error)
        except Exception as error:  # somebody has changed what we keep in it
            self._note_failure(Refused(f"ticket {ticket_id}: {type(error).__name__}"))

    def _carry(self, ticket_id: str, since: datetime) -> None:
        ticket = self.helpdesk.read(ticket_id)
        is_all_sent = True
        for position, entry in enumerate(ticket.entries):
            is_answer = entry.agent and entry.public and not entry.ours and entry.text.strip()
            if not is_answer or entry.at < since:
                continue
            about = [message for _, message in wording.marks(ticket.entries[:position]) if message]
            if about:
                key = self._key(ticket, entry)
                asked = answer(key, self.source, ticket, about[-1], entry)
                is_all_sent = self._send(asked, ticket) and is_all_sent
        told = list(wording.marks(ticket.entries))
        # News would have opened it again: one closing for each. Ours was not the agent's, who may
        # have seen less; and nothing is closed while its last words are not said.
        if ticket.closed and is_all_sent and told and told[-1][1]:
            of, seen = told[-1]
            key = f"ticket-{ticket.id}-closed-{of}"
            self._send(closing(key, self.source, ticket, seen), ticket)

    def _send(self, event: dict[str, Any], ticket: Ticket) -> bool:
        """Whether nobody waits for it: FirstReply has it, or the agent has read that it has not."""
        key = event["id"]
        if self.memory.is_carried(key) or wording.is_not_sent(event, ticket.entries):
            return True
        what = "carried"
        try:
            check(event)
            self.send(event)
        except Refused as error:
            what = "not sent"
            if not self._say_so(ticket, wording.not_sent(event, str(error))):
                return False
        except Exception as error:  # one that is not taken holds up nobody else
            self._note_failure(error)
            return False
        self.memory.keep_carried(key, self.clock())
        self.counts[what] += 1
        logger.info("answer %s: %s", what, key)
        return what == "carried"

    def _say_so(self, ticket: Ticket, text: str) -> bool:
        try:
            self.helpdesk.update(ticket, text)
        except Down as error:
            self._note_failure(error)
            return False
        except HelpdeskError as error:  # a ticket that takes no note: the log has to do
            logger.error("no note that an answer was not sent: %s", error)
        return True

    def _note_failure(self, error: Exception) -> None:
        """In each look once of each: what keeps one away keeps them all."""
        self.counts["failed"] += 1
        said = f"{type(error).__name__}: {error}"
        if said not in self._logged:
            self._logged.add(said)
            logger.warning("answers wait: %s", said)

    def _key(self, ticket: Ticket, entry: Entry) -> str:
        return f"ticket-{ticket.id}-entry-{entry.id}"


def _event(body: str) -> dict[str, Any]:
    """Refused when it is no CloudEvent: SQS sets it aside after its last receive."""
    try:
        event = json.loads(body)
        if not isinstance(event["data"], dict) or not all(
            isinstance(event[name], str) for name in ("id", "source", "type")
        ):
            raise Refused("no CloudEvent")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("no CloudEvent") from None
    return dict(event)


def _is_told(ticket: Ticket, event: wording.Event) -> bool:
    told = [mark for mark, _ in wording.marks(ticket.entries)]
    # A closing that was cut short is the last thing told, and done again.
    is_cut_short = event["type"] == CLOSED and not ticket.closed
    return wording.mark(event) in (told[:-1] if is_cut_short else told)


def _new_ticket(event: wording.Event) -> NewTicket:
    data = event["data"]
    return NewTicket(
        case_id=data["case_id"],
        conversation=dict(data["conversation"]),
        channel=data["channel"],
        title=wording.title(data),
        text=wording.opening(event),
        priority=data["priority"],
        due_at=datetime.fromisoformat(data["due_at"]),
    )
