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
    CaseWithdrawn,
    CloudEvent,
    Customer,
    RefusedReply,
    Said,
    Withdrawal,
)
from firstreply.conversations import Case, Conversations, Remembered
from firstreply.errors import Refuse
from firstreply.message import Message
from firstreply.observe import count, logger
from firstreply.queues import Complaint, FailedReply, Queue
from firstreply.reference import reference

# What a case carries of the conversation so far; SQS takes 1 MiB.
HISTORY_MESSAGES = 20
HISTORY_TEXT = 2_000
MESSAGE_TEXT = 20_000

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
        failed = complaint.failed_reply
        if remembered.removed_at:
            if failed and self.conversations.case_id(complaint.conversation):
                self._tell(CaseReplyRefused, self._open(remembered.message), remembered, failed)
            self._withdraw(remembered)
        elif remembered.case_id is None:
            case = self._bring_in(remembered, failed)
            if failed:
                self._tell(CaseReplyRefused, case, remembered, failed)
        elif failed:
            self._tell(CaseReplyRefused, self._open(remembered.message), remembered, failed)
        elif remembered.told != _words(remembered):
            case = self._open(remembered.message)
            self._tell(CaseUpdated, case, remembered)
            self._note_told(remembered, case)

    def _bring_in(self, remembered: Remembered, failed: FailedReply | None = None) -> Case:
        """A message into its conversation's case, which it opens if there is none."""
        message = remembered.message
        case = self._open(message)
        opens = case.opened_by == message.id or not self._is_announced(case, message)
        self._tell(CaseOpened if opens else CaseUpdated, case, remembered, failed)
        if opens:
            self.conversations.announce(message.conversation)
        self._note_told(remembered, case)
        return case

    def _note_told(self, remembered: Remembered, case: Case) -> None:
        now = self.conversations.put_into_case(remembered, case, _words(remembered))
        if now and now.removed_at:  # while we told
            self._withdraw(now)

    def _withdraw(self, remembered: Remembered) -> None:
        """Let the helpdesk forget what it said. What no case knows is known to nobody."""
        message = remembered.message
        # Without a case of its own, another's may quote it in its history.
        case_id = remembered.case_id or self.conversations.case_id(message.conversation)
        if case_id is None or remembered.removed_at is None:
            return
        event = CaseWithdrawn(
            id=f"{case_id}:{message.id}:withdrawn",
            source="firstreply/escalate",
            time=self.clock(),
            subject=message.conversation.key,
            data=Withdrawal(
                case_id=case_id,
                conversation=message.conversation,
                channel=message.network,
                message_id=message.id,
                removed_at=remembered.removed_at,
            ),
        )
        self._send(event, message)

    def _open(self, message: Message) -> Case:
        now = self.clock()
        return self.conversations.open_case(_new_case(message, now), message.conversation, now)

    def _is_announced(self, case: Case, message: Message) -> bool:
        """Whether the helpdesk knows of the case. Who comes to a case whose opener was held up does
        the opener's work: nobody waits for one who may never come."""
        if not case.is_announced:
            opener = self.conversations.load(message.conversation, case.opened_by)
            if opener is None or opener.removed_at:
                return False
            if opener.case_id is None:
                self._bring_in(opener)
        return True

    def _tell(
        self,
        shape: AnyCaseEvent,
        case: Case,
        remembered: Remembered,
        failed: FailedReply | None = None,
    ) -> None:
        message = remembered.message
        about = failed.key if failed and shape is CaseReplyRefused else message.id
        if remembered.edited_at and shape is not CaseReplyRefused:
            # By both: words may be changed back, and twice within the same second.
            about += f":{remembered.edited_at.isoformat()}:{_words(remembered)}"
        event = shape(
            id=f"{case.case_id}:{about}:{shape.model_fields['type'].default}",
            source="firstreply/escalate",
            time=self.clock(),
            subject=message.conversation.key,
            data=self._event(case, remembered, failed),
        )
        self._send(event, message)

    def _send(self, event: CloudEvent, message: Message) -> None:
        self.escalations.send_in_order(event, group=message.conversation.key, once=event.id)
        logger().info("case", extra={"event": event.id})
        count("Escalated", channel=message.conversation.channel)

    def _event(self, case: Case, remembered: Remembered, failed: FailedReply | None) -> CaseEvent:
        message, decision = remembered.message, remembered.decision
        before = [
            _said(one, HISTORY_TEXT)
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
            message=_said(remembered, MESSAGE_TEXT),
            understanding=remembered.understanding,
            reference=reference(message.conversation),
            priority=decision.priority,
            due_at=decision.due_at,
            reasons=(*decision.reasons, *([failed.reason] if failed else [])),
            failed_reply=RefusedReply(text=failed.text, reason=failed.reason) if failed else None,
            candidates=remembered.recognised.candidates,
            acknowledgement=Acknowledgement(
                text=remembered.acknowledgement,
                continuation=remembered.continuation,
                silence=decision.silence,
            ),
            history=tuple(before[-HISTORY_MESSAGES:]),
        )


def _new_case(message: Message, now: datetime) -> Case:
    """The same id at every try, another one for another conversation or a later case."""
    digest = sha256(f"{message.conversation.key} {message.id}".encode()).hexdigest()
    return Case(case_id=f"case-{digest[:20]}", opened_by=message.id, opened_at=now)


def _words(remembered: Remembered) -> str:
    """Tells one wording from another, however fast the customer changes it."""
    return sha256(remembered.message.text.encode()).hexdigest()[:12]


def _said(remembered: Remembered, longest: int) -> Said:
    message = remembered.message
    return Said(
        id=message.id,
        text=message.text[:longest],
        sent_at=message.sent_at,
        edited_at=remembered.edited_at,
        kind=message.kind,
        public=message.public,
        permalink=message.permalink,
        in_reply_to=message.in_reply_to,
        verdict=message.verdict,
        attachments=message.attachments,
        personal_data=message.personal_data,
    )
