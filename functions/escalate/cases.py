"""One open case per conversation, and what happens in it as events in its order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from firstreply.contracts import (
    Acknowledgement,
    CaseEvent,
    CaseOpened,
    CaseReplyRefused,
    CaseUpdated,
    Customer,
    Said,
)
from firstreply.conversations import Case, Conversations, Remembered
from firstreply.errors import Refuse
from firstreply.message import Message
from firstreply.observe import count, logger
from firstreply.queues import Complaint, Queue

# What a case carries of the conversation so far; SQS takes 1 MiB.
HISTORY_MESSAGES = 20
HISTORY_TEXT = 2_000

type AnyCaseEvent = type[CaseOpened | CaseUpdated | CaseReplyRefused]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Turns complaints into events of cases."""

    conversations: Conversations
    escalations: Queue
    clock: Callable[[], datetime]

    def escalate(self, complaint: Complaint) -> None:
        """Give it to the helpdesk. An event's id is the same at every try, so a second one is
        recognised: by SQS within five minutes, by the helpdesk ever after."""
        remembered = self.conversations.load(complaint.conversation, complaint.message_id)
        if remembered is None:
            raise Refuse("the message to escalate is not remembered")
        if complaint.cause == "message" and remembered.case_id:
            return
        message, now = remembered.message, self.clock()
        case = self.conversations.open_case(_new_case(message, now), message.conversation, now)
        shape = _shape(case, remembered, complaint)
        event = shape(
            id=f"{case.case_id}:{message.id}:{shape.model_fields['type'].default}",
            source="firstreply/escalate",
            time=now,
            subject=message.conversation.key,
            data=self._event(case, remembered, complaint),
        )
        self.escalations.send_in_order(event, group=message.conversation.key, once=event.id)
        self.conversations.put_into_case(message, case)
        logger().info("case", extra={"case_id": case.case_id, "type": event.type})
        count("Escalated", channel=message.conversation.channel)

    def _event(self, case: Case, remembered: Remembered, complaint: Complaint) -> CaseEvent:
        message, decision = remembered.message, remembered.decision
        before = [
            _said(one.message, HISTORY_TEXT)
            for one in self.conversations.history(message.conversation)
            if one.message.id != message.id
        ]
        return CaseEvent(
            case_id=case.case_id,
            conversation=message.conversation,
            channel=message.network,
            customer=Customer(
                id=message.conversation.customer,
                name=message.author_name,
                handle=message.author_handle,
            ),
            message=_said(message),
            understanding=remembered.understanding,
            priority=decision.priority,
            due_at=decision.due_at,
            reasons=(*decision.reasons, *([complaint.reason] if complaint.reason else [])),
            acknowledgement=Acknowledgement(
                text=remembered.acknowledgement, silence=decision.silence
            ),
            history=tuple(before[-HISTORY_MESSAGES:]),
        )


def _shape(case: Case, remembered: Remembered, complaint: Complaint) -> AnyCaseEvent:
    if case.opened_by == remembered.message.id and not remembered.case_id:
        return CaseOpened
    return CaseReplyRefused if complaint.cause == "reply_failed" else CaseUpdated


def _new_case(message: Message, now: datetime) -> Case:
    """The same id at every try, another one for another conversation or a later case."""
    digest = sha256(f"{message.conversation.key} {message.id}".encode()).hexdigest()
    return Case(case_id=f"case-{digest[:20]}", opened_by=message.id, opened_at=now)


def _said(message: Message, longest: int | None = None) -> Said:
    return Said(
        id=message.id,
        text=message.text[:longest],
        sent_at=message.sent_at,
        kind=message.kind,
        public=message.public,
        permalink=message.permalink,
    )
