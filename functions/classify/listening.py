"""One update at a time: what it changes in the Conversations, and what is to be queued for it.

Hearing one again is harmless: what is known is not changed, and what is queued again is recognised
by who receives it. So a repeat resumes wherever the first stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from firstreply.aws import Item
from firstreply.channels import Channel
from firstreply.contracts import Author, ReplyRequest, ReplyRequested
from firstreply.conversations import Conversations, Remembered, moment
from firstreply.message import (
    AccountUpdate,
    Conversation,
    Edited,
    Erasure,
    Hidden,
    Hint,
    Message,
    Removed,
    Spoken,
    unknown_author,
)
from firstreply.observe import count, decided
from firstreply.outbox import Outbox
from firstreply.privacy import mask
from firstreply.queues import Complaint, Hinted
from firstreply.waiting import Waiting
from functions.classify.considering import Considering


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be queued."""

    replies: tuple[ReplyRequested, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    hints: tuple[Hinted, ...] = ()


NOTHING = Outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Hears what happened in the conversations of a channel. `delivery`: the Inbox's key of what
    it is told by."""

    conversations: Conversations
    outbox: Outbox
    considering: Considering
    waiting: Waiting
    clock: Callable[[], datetime]
    delivery: str | None = None

    def hear(self, said_on: Channel, name: str, update: AccountUpdate) -> Outcome:
        """`name` is the channel's."""
        match update:
            case Message():
                return self._message(said_on, update)
            case Edited():
                return self._edited(said_on, update)
            case Removed():
                return self._removed(name, update)
            case Hidden():
                return self._hidden(name, update)
            case Spoken():
                return self._spoken(name, update)
            case Hint():
                return Outcome(hints=(Hinted(channel=name, hint=update, told_at=self.clock()),))

    def erase(self, conversation: Conversation, erasure: Erasure) -> tuple[bool, Outcome]:
        """Whether there was anything to erase, and which cases are to forget it too."""
        now = self.clock()
        removed = self.conversations.erase(conversation, erasure.at, now)
        return bool(removed), Outcome(complaints=tuple(_complaint(one) for one in removed))

    # --- a customer --------------------------------------------------------------------------

    def _message(self, said_on: Channel, message: Message) -> Outcome:
        known = self._settled(message)
        if known is None:
            return NOTHING
        # What is remembered stays as it is: its words are not asked about again.
        remembered = self.conversations.load(known.conversation, known.id) or self._remember(
            said_on, known
        )
        return self._outcome(remembered) if remembered else NOTHING

    def _settled(self, message: Message) -> Message | None:
        """The message with what is known of it from elsewhere; None if it is our own, or gone."""
        conversation = message.conversation
        if message.is_anonymous:
            return self._by_somebody(message)
        if not message.public:
            return message
        # It may have been told of before, without its author.
        nameless = replace(conversation, customer=unknown_author(message.id))
        before = self.conversations.item(nameless, f"MSG#{message.id}")
        if "removed_at" in before:
            return None
        if "message" in before:
            return replace(message, conversation=nameless, is_anonymous=True)
        if human_at := moment(before.get("human_ms")):
            self.conversations.human_spoke(conversation, human_at, self.clock())
        return replace(message, is_answerable=message.is_answerable and not before.get("is_hidden"))

    def _by_somebody(self, message: Message) -> Message | None:
        conversation = message.conversation
        channel, account = conversation.channel, conversation.account
        found = self.conversations.find(channel, account, message.id)
        if found and not found[0].is_message:
            return None
        if found and found[0].conversation != conversation:
            return replace(message, conversation=found[0].conversation, is_anonymous=False)
        words = Spoken(
            account=account,
            id=message.id,
            text=message.text,
            at=message.sent_at,
            in_reply_to=message.in_reply_to,
        )
        is_ours = message.in_reply_to and self.outbox.recognise(
            channel, self._whose(channel, words), words
        )
        return None if is_ours else message

    def _remember(
        self, said_on: Channel, message: Message, edited_at: datetime | None = None
    ) -> Remembered | None:
        now = self.clock()
        fresh = self._consider(said_on, message, now, edited_at)
        remembered = self.conversations.remember(fresh, now) if fresh else None
        if remembered:
            _note(remembered)
        return remembered

    def _consider(
        self, said_on: Channel, message: Message, now: datetime, edited_at: datetime | None = None
    ) -> Remembered | None:
        """What we make of it. Of an edited one, the time that counts is that of the edit. None if
        its author wants nothing of that time kept."""
        conversation = message.conversation
        standing = self.conversations.standing(conversation, answering=message.id, now=now)
        if standing.erased_until and message.sent_at <= standing.erased_until:
            return None
        if command := self.considering.command(message):
            said_at = edited_at or message.sent_at
            self.conversations.choose(conversation, command, message.id, said_at)
            standing = self.conversations.standing(conversation, answering=message.id, now=now)
        before = [
            one for one in self.conversations.history(conversation) if one.message.id != message.id
        ]
        considered = self.considering.consider(said_on, message, standing, before, now, edited_at)
        return considered.model_copy(update={"delivery": self.delivery})

    def _edited(self, said_on: Channel, edited: Edited) -> Outcome:
        """Read again; what was answered before is not answered again."""
        message = self._settled(edited.message)
        if message is None:
            return NOTHING
        before = self.conversations.load(message.conversation, message.id)
        if before is None:
            before = self._remember(said_on, message, edited.at)
            if before is None or before.edited_at == edited.at:
                return self._outcome(before) if before else NOTHING
        now = self._reconsider(said_on, before, message, edited.at)
        if now is None or not self.conversations.edit(now, edited.at):
            return NOTHING
        _note(now)
        outcome = self._outcome(now)
        if before.case_id or before.decision.escalate:  # it must not keep the old words
            return replace(outcome, complaints=(_complaint(now),))
        return outcome

    def _reconsider(
        self, said_on: Channel, before: Remembered, edited: Message, at: datetime
    ) -> Remembered | None:
        """An edit changes what was said, not who said it, nor when or where."""
        message = replace(
            before.message,
            text=edited.text,
            attachments=edited.attachments,
            verdict=edited.verdict,
        )
        now = self._consider(said_on, message, self.clock(), at)
        if now is None or not before.acknowledgement:
            return now
        said, decision = before.decision, now.decision
        if said.escalate and not decision.escalate and before.case_id is None:  # it was promised
            why = {name: getattr(said, name) for name in ("priority", "due_at", "reasons")}
            decision = replace(decision, escalate=True, **why)
        decision = replace(
            decision,
            silence=said.silence,
            purpose=said.purpose,
            place=said.place,
            continues=said.continues,
            answer=said.answer,
        )
        kept = {"acknowledgement": before.acknowledgement, "continuation": before.continuation}
        return now.model_copy(update={**kept, "decision": decision})

    def _removed(self, name: str, removed: Removed) -> Outcome:
        """Wherever it is kept; if nowhere, it is still to come."""
        now, complaints = self.clock(), []
        for conversation in self._of(name, removed):
            at = removed.at or now
            remembered = self.conversations.remove(conversation, removed.message_id, at, now)
            if remembered:
                complaints.append(_complaint(remembered))  # its case hears of it, if it has one
        decided("message", "removed", message_id=removed.message_id)
        return Outcome(complaints=tuple(complaints))

    def _hidden(self, name: str, hidden: Hidden) -> Outcome:
        for conversation in self._of(name, hidden):
            self.conversations.hide(
                conversation, hidden.message_id, hidden.at, self.clock(), hidden=hidden.hidden
            )
        return NOTHING

    def _of(self, name: str, update: Removed | Hidden) -> list[Conversation]:
        """Whose message it is about, as the platform says, or as we know."""
        found = self.conversations.find(name, update.account, update.message_id)
        known = [one.conversation for one in found if one.is_message]
        if known and not update.customer:
            return known
        named = Conversation(
            channel=name,
            account=update.account,
            customer=update.customer or unknown_author(update.message_id),
        )
        return list(dict.fromkeys((named, *known)))

    # --- the brand itself --------------------------------------------------------------------

    def _spoken(self, name: str, spoken: Spoken) -> Outcome:
        """Our own answer, or a human's: then FirstReply leaves the conversation alone."""
        spoken = replace(spoken, text=mask(spoken.text))
        whose = self._whose(name, spoken)
        if ours := self.outbox.recognise(name, whose, spoken):
            return Outcome(complaints=_arrived_after_all(ours))
        if not whose and spoken.in_reply_to and not spoken.goes_on:
            nameless = Conversation(
                channel=name, account=spoken.account, customer=unknown_author(spoken.in_reply_to)
            )
            self.conversations.expect_human(nameless, spoken.in_reply_to, spoken.at, self.clock())
        for conversation in whose:
            self.waiting.note(conversation, spoken.at)
            self.conversations.note_human(conversation, spoken, self.clock())
            decided("human", "answered", message_id=spoken.in_reply_to, channel=name)
        return NOTHING

    def _whose(self, name: str, spoken: Spoken) -> list[Conversation]:
        """To whom it was said. A private reply may go to another id of the same person, so the
        message that our key names counts first."""
        ids = [spoken.in_reply_to, (spoken.reply_key or "").rpartition("#")[0]]
        found = [
            one.conversation
            for message_id in filter(None, ids)
            for one in self.conversations.find(name, spoken.account, message_id)
        ]
        if spoken.customer and not found and not spoken.goes_on:
            return [Conversation(channel=name, account=spoken.account, customer=spoken.customer)]
        return list(dict.fromkeys(found))

    # --- out ---------------------------------------------------------------------------------

    def _outcome(self, remembered: Remembered) -> Outcome:
        texts = {"ack": remembered.acknowledgement, "private": remembered.continuation}
        return Outcome(
            replies=tuple(
                self._request(remembered, kind, text) for kind, text in texts.items() if text
            ),
            complaints=(_complaint(remembered),) if remembered.decision.escalate else (),
        )

    def _request(self, remembered: Remembered, kind: str, text: str) -> ReplyRequested:
        message = remembered.message
        return ReplyRequested(
            id=f"{kind}:{message.id}",
            source="firstreply/classify",
            time=self.clock(),
            subject=message.conversation.key,
            data=ReplyRequest(
                conversation=message.conversation,
                in_reply_to=message.id,
                text=text,
                author=Author(kind="firstreply"),
                in_private=kind == "private",
            ),
        )


def _complaint(remembered: Remembered) -> Complaint:
    message = remembered.message
    return Complaint(conversation=message.conversation, message_id=message.id)


def _arrived_after_all(ours: Item) -> tuple[Complaint, ...]:
    """A human was told that this reply is not there or in doubt, and is not to say it again."""
    if not ours.get("handed_over") or "sent" in ours.get("told", ()):
        return ()
    key = str(ours["item"]).removeprefix("REPLY#")
    return (
        Complaint(
            conversation=Conversation.of_key(str(ours["conversation"])),
            message_id=ours.get("message_id") or key.rpartition("#")[0],
            sent_reply=key,
        ),
    )


def _note(remembered: Remembered) -> None:
    """What was made of a message, or of its edit."""
    understanding, decision = remembered.understanding, remembered.decision
    decided(
        "message",
        "edited" if remembered.edited_at else "remembered",
        message_id=remembered.message.id,
        channel=remembered.message.conversation.channel,
        key=remembered.delivery,
        intent=understanding.intent,
        silence=decision.silence,
        escalate=decision.reasons,
    )
    count("Classified", intent=understanding.intent)
