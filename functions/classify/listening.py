"""One update at a time: what it changes in the Conversations, and what is to be queued for it.

Hearing one again is harmless: what is known is not changed, and what is queued again is recognised
by who receives it. So a repeat resumes wherever the first stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from firstreply.brand import Voice
from firstreply.channels import Channel
from firstreply.contracts import Author, ReplyRequest, ReplyRequested
from firstreply.conversations import Conversations, Remembered
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
)
from firstreply.observe import count, logger
from firstreply.outbox import Outbox
from firstreply.policy import Policy, decide
from firstreply.privacy import mask
from firstreply.queues import Complaint, Hinted
from firstreply.understanding import Classifier, heed_verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be queued."""

    replies: tuple[ReplyRequested, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    hints: tuple[Hinted, ...] = ()


NOTHING = Outcome()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Hears what happened in the conversations of a channel."""

    conversations: Conversations
    outbox: Outbox
    classifier: Classifier
    voice: Voice
    policy: Policy
    clock: Callable[[], datetime]

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
                return Outcome(hints=(Hinted(channel=name, hint=update),))

    def erase(self, conversation: Conversation, erasure: Erasure) -> tuple[bool, Outcome]:
        """Whether there was anything to erase, and which cases are to forget it too."""
        now = self.clock()
        removed = self.conversations.erase(conversation, erasure.at, now)
        return bool(removed), Outcome(complaints=tuple(_complaint(one) for one in removed))

    # --- a customer --------------------------------------------------------------------------

    def _message(self, said_on: Channel, message: Message) -> Outcome:
        if message.is_anonymous:
            known = self._known(message)
            if known is None:
                return NOTHING
            message = known
        remembered = self._remember(said_on, message)
        return self._outcome(remembered) if remembered else NOTHING

    def _known(self, message: Message) -> Message | None:
        """Somebody's whom we know from elsewhere; None if it is our own."""
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
        is_ours = bool(message.in_reply_to) and any(
            self.outbox.recognise(other, words) for other in self._whose(channel, words)
        )
        return None if is_ours else message

    def _remember(
        self, said_on: Channel, message: Message, edited_at: datetime | None = None
    ) -> Remembered | None:
        now = self.clock()
        fresh = self._consider(said_on, message, now, edited_at)
        remembered = self.conversations.remember(fresh, now)
        if remembered:
            _log(remembered)
        return remembered

    def _consider(
        self, said_on: Channel, message: Message, now: datetime, edited_at: datetime | None = None
    ) -> Remembered:
        """What we make of it. Of an edited one, the time that counts is that of the edit."""
        message = replace(message, text=mask(message.text))
        understanding = heed_verdict(message, self.classifier.understand(message))
        standing = self.conversations.standing(message.conversation, answering=message.id)
        heard = replace(message, sent_at=edited_at) if edited_at else message
        decision = decide(heard, understanding, standing, self.policy, now)
        acknowledgement = None
        if decision.silence is None:
            acknowledgement = self.voice.acknowledge(message, understanding, said_on.shorten)
        return Remembered(
            message=message,
            understanding=understanding,
            decision=decision,
            acknowledgement=acknowledgement,
            edited_at=edited_at,
        )

    def _edited(self, said_on: Channel, edited: Edited) -> Outcome:
        """Read again; what was answered before is not answered again."""
        message = edited.message
        if message.is_anonymous:
            known = self._known(message)
            if known is None:
                return NOTHING
            message = known
        before = self.conversations.load(message.conversation, message.id)
        if before is None:
            new = self._remember(said_on, message, edited.at)
            return self._outcome(new) if new else NOTHING
        message = replace(message, sent_at=before.message.sent_at)
        now = self._consider(said_on, message, self.clock(), edited.at)
        if before.acknowledgement:
            decision = replace(now.decision, silence=before.decision.silence)
            now = now.model_copy(
                update={"acknowledgement": before.acknowledgement, "decision": decision}
            )
        if not self.conversations.edit(now, edited.at):
            return NOTHING
        _log(now)
        outcome = self._outcome(now)
        if before.case_id or before.decision.escalate:  # it must not keep the old words
            return replace(outcome, complaints=(_complaint(now),))
        return outcome

    def _removed(self, name: str, removed: Removed) -> Outcome:
        remembered = self.conversations.remove(
            self._of(name, removed), removed.message_id, removed.at, self.clock()
        )
        logger().info("removed", extra={"message_id": removed.message_id})
        # The case hears of it, if there is one.
        return Outcome(complaints=(_complaint(remembered),)) if remembered else NOTHING

    def _hidden(self, name: str, hidden: Hidden) -> Outcome:
        self.conversations.hide(
            self._of(name, hidden), hidden.message_id, hidden.at, hidden=hidden.hidden
        )
        return NOTHING

    def _of(self, name: str, update: Removed | Hidden) -> Conversation:
        """Whose message it is about; the platform may not say."""
        if update.customer:
            return Conversation(channel=name, account=update.account, customer=update.customer)
        for found in self.conversations.find(name, update.account, update.message_id):
            if found.is_message:
                return found.conversation
        unknown = f"author-of-{update.message_id}"
        return Conversation(channel=name, account=update.account, customer=unknown)

    # --- the brand itself --------------------------------------------------------------------

    def _spoken(self, name: str, spoken: Spoken) -> Outcome:
        """Our own answer, or a human's: then FirstReply leaves the conversation alone."""
        spoken = replace(spoken, text=mask(spoken.text))
        for conversation in self._whose(name, spoken):
            if not self.outbox.recognise(conversation, spoken):
                self.conversations.note_human(conversation, spoken, self.clock())
                logger().info("a human answered", extra={"message_id": spoken.in_reply_to})
                count("HumanAnswered", channel=name)
        return NOTHING

    def _whose(self, name: str, spoken: Spoken) -> list[Conversation]:
        if spoken.customer:
            return [Conversation(channel=name, account=spoken.account, customer=spoken.customer)]
        found = self.conversations.find(name, spoken.account, spoken.in_reply_to or "-")
        return [one.conversation for one in found]

    # --- out ---------------------------------------------------------------------------------

    def _outcome(self, remembered: Remembered) -> Outcome:
        return Outcome(
            replies=(self._request(remembered),) if remembered.acknowledgement else (),
            complaints=(_complaint(remembered),) if remembered.decision.escalate else (),
        )

    def _request(self, remembered: Remembered) -> ReplyRequested:
        message = remembered.message
        return ReplyRequested(
            id=f"ack:{message.id}",
            source="firstreply/classify",
            time=self.clock(),
            subject=message.conversation.key,
            data=ReplyRequest(
                conversation=message.conversation,
                in_reply_to=message.id,
                text=remembered.acknowledgement or "",
                author=Author(kind="firstreply"),
            ),
        )


def _complaint(remembered: Remembered) -> Complaint:
    message = remembered.message
    return Complaint(conversation=message.conversation, message_id=message.id)


def _log(remembered: Remembered) -> None:
    logger().info(
        "message",
        extra={
            "message_id": remembered.message.id,
            "intent": remembered.understanding.intent,
            "silence": remembered.decision.silence,
            "escalate": remembered.decision.reasons,
        },
    )
