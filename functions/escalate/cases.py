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
    RefusedReply,
    Said,
)
from firstreply.conversations import Case, Conversations, Remembered
from firstreply.errors import Refuse, TryLater
from firstreply.message import Message
from firstreply.observe import count, logger
from firstreply.queues import Complaint, FailedReply, Queue

# What a case carries of the conversation so far; SQS takes 1 MiB.
HISTORY_MESSAGES = 20
HISTORY_TEXT = 2_000
MESSAGE_TEXT = 20_000
# Seconds that an event waits for the one that has to come before it.
FIRST_COMES_FIRST = 20

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
        failed, is_in_case = complaint.failed_reply, remembered.case_id is not None
        if failed is None and is_in_case:
            return
        if failed and remembered.decision.escalate and not is_in_case:
            raise TryLater("the message itself comes first", after=FIRST_COMES_FIRST)
        message, now = remembered.message, self.clock()
        case = self.conversations.open_case(_new_case(message, now), message.conversation, now)
        shape = _shape(case, remembered, failed)
        if shape is not CaseOpened and not case.is_announced:
            raise TryLater("the case is opened first", after=FIRST_COMES_FIRST)
        event = shape(
            id=_event_id(case, message, shape, failed),
            source="firstreply/escalate",
            time=now,
            subject=message.conversation.key,
            data=self._event(case, remembered, failed),
        )
        self.escalations.send_in_order(event, group=message.conversation.key, once=event.id)
        if shape is CaseOpened:
            self.conversations.announce(message.conversation)
        self.conversations.put_into_case(message, case)
        logger().info("case", extra={"case_id": case.case_id, "type": event.type})
        count("Escalated", channel=message.conversation.channel)

    def _event(self, case: Case, remembered: Remembered, failed: FailedReply | None) -> CaseEvent:
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
            message=_said(message, MESSAGE_TEXT),
            understanding=remembered.understanding,
            priority=decision.priority,
            due_at=decision.due_at,
            reasons=(*decision.reasons, *([failed.reason] if failed else [])),
            failed_reply=RefusedReply(text=failed.text, reason=failed.reason) if failed else None,
            acknowledgement=Acknowledgement(
                text=remembered.acknowledgement, silence=decision.silence
            ),
            history=tuple(before[-HISTORY_MESSAGES:]),
        )


def _shape(case: Case, remembered: Remembered, failed: FailedReply | None) -> AnyCaseEvent:
    if case.opened_by == remembered.message.id and not remembered.case_id:
        return CaseOpened
    return CaseReplyRefused if failed else CaseUpdated


def _event_id(case: Case, message: Message, shape: AnyCaseEvent, failed: FailedReply | None) -> str:
    """A message is told once; a reply that failed as well, each for itself."""
    about = failed.key if failed and shape is CaseReplyRefused else message.id
    return f"{case.case_id}:{about}:{shape.model_fields['type'].default}"


def _new_case(message: Message, now: datetime) -> Case:
    """The same id at every try, another one for another conversation or a later case."""
    digest = sha256(f"{message.conversation.key} {message.id}".encode()).hexdigest()
    return Case(case_id=f"case-{digest[:20]}", opened_by=message.id, opened_at=now)


def _said(message: Message, longest: int) -> Said:
    return Said(
        id=message.id,
        text=message.text[:longest],
        sent_at=message.sent_at,
        kind=message.kind,
        public=message.public,
        permalink=message.permalink,
        attachments=message.attachments,
    )
