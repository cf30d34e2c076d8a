"""One case per conversation, and what happens in it as events in its order.

    (none) ──▶ opening ──told──▶ open ──close──▶ closing ──told──▶ closed
                  ▲   opened, or reopened             closed         │
                  └──────────────────────────────────────────────────┘
    To opening leads what a human has to see: a message that escalates, or a reply that failed. Each
    arrow but "told" is a turn of the CASE item, written before the helpdesk is told of it, and only
    from the turn that was read. Who comes to a turn that was not told yet (whoever began it was
    held up) tells it first; so what happens is told in its order, whoever is faster.
    What is told in an open case is noted there afterwards. If it was closed meanwhile, the helpdesk
    may have closed what it has not seen: then that opens the case again. So does what it was told
    after the agent had asked to close, unless that agent had surely seen it: a message that they
    answered, as it was told at first.

An event's id is the same at every try; what was told is noted beside what it is of (a turn, a
message's words, a reply, a withdrawal), and not told again. Who dies between telling and noting
tells again, under the same id: SQS drops it within five minutes, the helpdesk ever after.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from firstreply.contracts import (
    Acknowledgement,
    Author,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    CaseReopened,
    CaseReply,
    CaseReplyRefused,
    CaseReplySent,
    CaseUpdated,
    CaseWithdrawn,
    Closing,
    CloudEvent,
    Customer,
    RefusedReply,
    Said,
    SentReply,
    Withdrawal,
)
from firstreply.conversations import (
    Case,
    Conversations,
    Remembered,
    Uttered,
    reply_item,
    uttered,
)
from firstreply.errors import Refuse
from firstreply.message import Conversation, Message
from firstreply.observe import count, decided, took
from firstreply.queues import CloseCase, Complaint, FailedReply, Queue
from firstreply.reference import reference

# What a case carries of the conversation so far.
HISTORY_MESSAGES = 20
HISTORY_TEXT = 2_000
# In bytes as JSON, of which an emoji takes twelve: SQS takes 1 MiB, its older clients 256 KiB.
HISTORY_BYTES = 90_000
MESSAGE_BYTES = 100_000
REPLY_BYTES = 20_000

type _About = CaseEvent | CaseReply | Closing | Withdrawal
type AnyCaseEvent = type[CaseOpened | CaseReopened | CaseUpdated | CaseReplyRefused]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Turns complaints into events of cases."""

    conversations: Conversations
    escalations: Queue
    clock: Callable[[], datetime]

    def escalate(self, complaint: Complaint) -> None:
        """Give it to the helpdesk, once."""
        where = complaint.conversation
        if complaint.message_id is not None:
            remembered = self.conversations.load(where, complaint.message_id)
            if remembered is None:
                raise Refuse("the message to escalate is not remembered")
            if complaint.sent_reply:
                self._sent(remembered, complaint.sent_reply)
            elif complaint.failed_reply:
                self._failed(remembered, complaint.failed_reply)
            else:
                self._message(remembered)
        if complaint.close:
            self._close(where, complaint.close)

    # --- what happens in it ------------------------------------------------------------------

    def _message(self, remembered: Remembered) -> None:
        if remembered.removed_at:
            self._withdraw(remembered)
        elif remembered.case_id is None or remembered.told != _words(remembered):
            self._bring_in(remembered)

    def _failed(self, remembered: Remembered, failed: FailedReply) -> None:
        """A reply did not get through, or may not have: a human has to see that."""
        where = remembered.message.conversation
        is_gone = remembered.removed_at is not None
        item = self.conversations.item(where, reply_item(failed.key))
        is_told = "refused" in item.get("told", ())
        if not is_told and not (is_gone and self.conversations.case(where) is None):
            if remembered.case_id is None and not is_gone:
                self._bring_in(remembered, failed)
            self._in_open_case(remembered, failed)
            self.conversations.note_told(where, failed.key, "refused")
        if is_gone:
            self._withdraw(remembered)

    def _in_open_case(self, remembered: Remembered, failed: FailedReply) -> None:
        """Tell it, until it is told in a case that was open all the while."""
        where = remembered.message.conversation
        while True:
            case = self._open(remembered)
            self._announce(case, remembered, failed)
            self._tell(CaseReplyRefused, case, remembered, failed)
            now = self.clock()
            if self.conversations.hear(case, where, remembered.message.id, now, again=True):
                return

    def _sent(self, remembered: Remembered, key: str) -> None:
        """A reply got through. That opens no case; but a message that does is brought in before."""
        message = remembered.message
        where = message.conversation
        is_unknown = remembered.case_id is None and remembered.removed_at is None
        if is_unknown and remembered.decision.escalate:
            self._bring_in(remembered)
        item = self.conversations.item(where, reply_item(key))
        case, said = self.conversations.case(where), uttered(item)
        if case is None or said is None or "sent" in item.get("told", ()):
            return
        self._require_announced(case, where)
        self._send(
            CaseReplySent,
            _id(case.case_id, key, CaseReplySent),
            CaseReply(
                case_id=case.case_id,
                conversation=where,
                channel=message.network,
                reply=_sent_reply(said, message),
            ),
        )
        self.conversations.note_told(where, key, "sent")
        self.conversations.renew_case(case, where, self.clock())

    def _close(self, where: Conversation, closing: CloseCase) -> None:
        """As an agent wants, once; twice is once. What they cannot have seen opens it again."""
        case = self.conversations.case(where)
        if case is None:
            return  # its retention is over
        while closing.key not in case.closings:
            self._require_announced(case, where)
            case = self.conversations.close_case(case, where, closing, self.clock())
        self._require_announced(case, where)
        if _is_unseen(case, closing):
            unseen = self.conversations.load(where, case.heard_by or "")
            if unseen and not unseen.removed_at:
                self._announce(self._open(unseen, case), unseen)

    def _withdraw(self, remembered: Remembered) -> None:
        """Let the helpdesk forget what it said. What no case knows is known to nobody."""
        message = remembered.message
        # Without a case of its own, another's may quote it in its history.
        case = self.conversations.case(message.conversation)
        case_id = remembered.case_id or (case.case_id if case else None)
        words = remembered.told or ""
        if case_id is None or remembered.removed_at is None or remembered.withdrawn == words:
            return
        # What is told after a withdrawal needs another one.
        self._send(
            CaseWithdrawn,
            f"{case_id}:{message.id}:withdrawn" + (f":{words}" if words else ""),
            Withdrawal(
                case_id=case_id,
                conversation=message.conversation,
                channel=message.network,
                message_id=message.id,
                removed_at=remembered.removed_at,
            ),
        )
        self.conversations.note_withdrawn(remembered)

    # --- its turns ---------------------------------------------------------------------------

    def _bring_in(self, remembered: Remembered, failed: FailedReply | None = None) -> None:
        """A message into its conversation's case, which it opens if none is open. What was edited
        to need no human leaves a closed one as it is."""
        where = remembered.message.conversation
        needs_human = remembered.decision.escalate or failed is not None
        case = None if needs_human else self.conversations.case(where)
        if case is None or case.is_open:
            case = self._open(remembered)
        elif remembered.case_id is None:
            return
        is_heard = case.is_open and self._announce(case, remembered, failed)
        if not is_heard:
            self._tell(CaseUpdated, case, remembered, failed)
            now, again = self.clock(), remembered.told is not None
            if case.is_open and not self.conversations.hear(
                case, where, remembered.message.id, now, again=again
            ):
                self._bring_in(remembered, failed)  # closed while we told
                return
        self._note_told(remembered, case)

    def _note_told(self, remembered: Remembered, case: Case) -> None:
        now = self.conversations.put_into_case(remembered, case, _words(remembered))
        if now and now.removed_at:  # while we told
            self._withdraw(now)

    def _open(self, remembered: Remembered, heard: Case | None = None) -> Case:
        """The conversation's case, open: by this message if it is not. `heard`: as the helpdesk was
        told of it before, so that opening it again is no news."""
        where, now = remembered.message.conversation, self.clock()
        opening = _opening(remembered, now)
        if heard:
            known = {"heard_at": heard.heard_at, "heard_again": heard.heard_again}
            opening = opening.model_copy(update=known)
        case = self.conversations.open_case(opening, where, now)
        while not case.is_open:
            self._require_announced(case, where)
            since = max(opening.since or now, case.closed_at or now)
            opening = opening.model_copy(update={"since": since})
            case = self.conversations.reopen_case(case, opening, where, now)
        return case

    def _announce(
        self, case: Case, remembered: Remembered, failed: FailedReply | None = None
    ) -> bool:
        """See to it that the helpdesk knows that it is open; whether it knows this message in
        these words by that. Who comes to a case whose opener was held up does the opener's work:
        nobody waits for one who may never come."""
        message = remembered.message
        is_opener = case.opened_by == message.id and case.words == _words(remembered)
        if case.is_announced:
            return is_opener and remembered.told is None and remembered.edited_at is None
        if case.opened_by != message.id:
            opener = self.conversations.load(message.conversation, case.opened_by)
            if opener and not opener.removed_at:
                self._bring_in(opener)
                return False
        self._tell(CaseReopened if case.turn else CaseOpened, case, remembered, failed)
        self.conversations.announce(case, message.conversation)
        # If it was told by another, or in other words, before we came, this one was dropped.
        return is_opener

    def _require_announced(self, case: Case, where: Conversation) -> None:
        """The same, for who brings no message."""
        if case.is_announced:
            return
        if case.is_open:
            opener = self.conversations.load(where, case.opened_by)
            if opener is None:
                raise Refuse("the message that opened the case is not remembered")
            self._announce(case, opener)
            return
        self._send(
            CaseClosed,
            _id(case.case_id, case.turn, CaseClosed),
            Closing(
                case_id=case.case_id,
                conversation=where,
                channel=case.network or where.channel,
                closed_by=Author(kind="agent", name=case.closed_by.by if case.closed_by else None),
                closed_at=case.closed_at or self.clock(),
            ),
        )
        self.conversations.announce(case, where)

    # --- out ---------------------------------------------------------------------------------

    def _tell(
        self,
        shape: AnyCaseEvent,
        case: Case,
        remembered: Remembered,
        failed: FailedReply | None = None,
    ) -> None:
        message = remembered.message
        about = _about(shape, case, remembered, failed)
        self._send(shape, _id(case.case_id, about, shape), self._event(case, remembered, failed))
        count("Escalated", channel=message.conversation.channel)
        if shape in (CaseOpened, CaseReopened):
            said_at = remembered.edited_at or message.sent_at
            took("CaseSeconds", (self.clock() - said_at).total_seconds())

    def _send(self, shape: Callable[..., CloudEvent], id: str, data: _About) -> None:
        where = data.conversation
        event = shape(
            id=id,
            source="firstreply/escalate",
            time=self.clock(),
            subject=where.key,
            data=data,
        )
        self.escalations.send_in_order(event, group=where.key, once=id)
        decided("case", type(event).__name__, event=id)

    def _event(self, case: Case, remembered: Remembered, failed: FailedReply | None) -> CaseEvent:
        message, decision = remembered.message, remembered.decision
        return CaseEvent(
            case_id=case.case_id,
            conversation=message.conversation,
            channel=message.network,
            customer=Customer(
                id=message.conversation.customer,
                name=message.author_name,
                handle=message.author_handle,
            ),
            message=_said(remembered, cut(message.text, MESSAGE_BYTES)),
            understanding=remembered.understanding,
            reference=reference(message.conversation),
            priority=decision.priority,
            due_at=decision.due_at,
            reasons=(*decision.reasons, *([failed.reason] if failed else [])),
            failed_reply=RefusedReply(text=cut(failed.text, REPLY_BYTES), reason=failed.reason)
            if failed
            else None,
            candidates=remembered.recognised.candidates,
            acknowledgement=Acknowledgement(
                text=remembered.acknowledgement,
                continuation=remembered.continuation,
                silence=decision.silence,
            ),
            history=self._history(message),
        )

    def _history(self, message: Message) -> tuple[Said, ...]:
        """What else was said, oldest first: as much of the newest as there is room for."""
        customer_s, ours = self.conversations.dialogue(message.conversation)
        public = {one.message.id: one.message.public for one in customer_s}
        told = [
            *(
                _said(one, one.message.text[:HISTORY_TEXT])
                for one in customer_s
                if one.message.id != message.id
            ),
            # What we said ourselves to a message that is gone may tell what that said.
            *(
                _said_by_us(one, public)
                for one in ours
                if one.by != "firstreply" or one.in_reply_to in public
            ),
        ]
        told.sort(key=lambda one: (one.sent_at, one.by != "customer", one.id))
        room, kept = HISTORY_BYTES, list[Said]()
        for one in reversed(told[-HISTORY_MESSAGES:]):
            room -= _size(one.model_dump_json(exclude_none=True))
            if room < 0:
                break
            kept.append(one)
        return tuple(reversed(kept))


# --- ids ------------------------------------------------------------------------------------------


def _id(case_id: str, about: object, shape: type[CloudEvent]) -> str:
    """The same at every try: by what happened, and to what."""
    return f"{case_id}:{about}:{shape.model_fields['type'].default}"


def _about(
    shape: AnyCaseEvent, case: Case, remembered: Remembered, failed: FailedReply | None
) -> str:
    """What makes an event another one: an opening is its turn's, whoever tells it."""
    if shape is CaseOpened:
        return case.opened_by
    if shape is CaseReopened:
        return str(case.turn)
    if failed and shape is CaseReplyRefused:
        return failed.key
    about = remembered.message.id
    if remembered.edited_at:
        # By both: words may be changed back, and twice within the same second.
        about += f":{remembered.edited_at.isoformat()}:{_words(remembered)}"
    return about


def _opening(remembered: Remembered, now: datetime) -> Case:
    """The same id at every try, another one for another conversation or a later case."""
    message = remembered.message
    digest = sha256(f"{message.conversation.key} {message.id}".encode()).hexdigest()
    return Case(
        case_id=f"case-{digest[:20]}",
        opened_by=message.id,
        opened_at=now,
        network=message.network,
        words=_words(remembered),
        # A human may answer before we come to it.
        since=min(message.sent_at, now),
        heard_by=message.id,
        heard_at=now,
        heard_again=remembered.told is not None,
    )


def _words(remembered: Remembered) -> str:
    """Tells one wording from another, however fast the customer changes it."""
    return sha256(remembered.message.text.encode()).hexdigest()[:12]


def _is_unseen(case: Case, closing: CloseCase) -> bool:
    """Whether it was closed by this wish, and the helpdesk was told last of something else than
    what the agent saw last. If they do not say, or it was news of that same message, then if it was
    told after they had asked: a clock's word counts for less, it may be behind or ahead."""
    if case.is_open or case.closed_by is None or case.closed_by.key != closing.key:
        return False
    if closing.seen not in (None, case.heard_by):
        return True
    is_later = case.heard_at is not None and case.heard_at > closing.asked_at
    return is_later and (closing.seen is None or case.heard_again)


# --- shapes ---------------------------------------------------------------------------------------


def _said(remembered: Remembered, text: str) -> Said:
    message = remembered.message
    return Said(
        id=message.id,
        text=text,
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


def _said_by_us(one: Uttered, public: dict[str, bool]) -> Said:
    """`public`: whether a message of the conversation is; what answers a public one is too, if we
    do not know better."""
    is_public = public.get(one.in_reply_to or "", False) if one.public is None else one.public
    return Said(
        by=one.by,
        name=one.name,
        id=one.id,
        text=one.text[:HISTORY_TEXT],
        sent_at=one.at,
        kind="answer",
        public=is_public,
        in_reply_to=one.in_reply_to,
    )


def _sent_reply(said: Uttered, answered: Message) -> SentReply:
    kind: Literal["agent", "firstreply"] = "agent" if said.by == "agent" else "firstreply"
    return SentReply(
        id=said.id,
        text=cut(said.text, REPLY_BYTES),
        author=Author(kind=kind, name=said.name),
        public=answered.public if said.public is None else said.public,
        in_reply_to=answered.id,
        sent_at=said.at,
        request_id=said.request_id,
    )


def cut(text: str, most: int) -> str:
    """Its beginning, in at most so many bytes of JSON (queues.py writes ASCII)."""
    while (size := _size(text)) > most:
        text = text[: len(text) * most // size]
    return text


def _size(text: str) -> int:
    return len(json.dumps(text)) - 2
