"""From a delivery to decisions: parse, understand, decide, remember once, queue."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any

from firstreply import contracts
from firstreply.aws import is_passing
from firstreply.brand import Voice
from firstreply.channels import Channel, channel
from firstreply.contracts import ReplyRequested
from firstreply.conversations import Conversations, Remembered
from firstreply.errors import Unreadable
from firstreply.inbox import Delivery, Inbox
from firstreply.message import Ignored, Message, Update
from firstreply.observe import count, logger
from firstreply.policy import Policy, decide
from firstreply.privacy import mask
from firstreply.queues import Complaint, Queue, SetAside
from firstreply.understanding import Classifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Reads deliveries. Reading one again is harmless: a message is remembered once, and what is
    queued again is recognised by who receives it. So a repeat resumes wherever the first stopped.
    """

    inbox: Inbox
    conversations: Conversations
    classifier: Classifier
    voice: Voice
    policy: Policy
    replies: Queue
    complaints: Queue
    unreadable: Queue
    clock: Callable[[], datetime]

    def read(self, image: Mapping[str, Any]) -> None:
        """The delivery of a stream record's new image; raises what should be tried again."""
        delivery = self.inbox.read(image)
        try:
            said_on, updates = _parse(delivery)
        except Unreadable as error:
            self._set_aside(delivery, error.reason)
            return
        _count(delivery, updates)
        messages = [update for update in updates if isinstance(update, Message)]
        # A few at a time: the first of a thousand is not to wait for the last.
        for some in batched(messages, 10, strict=False):
            remembered = [kept for one in some if (kept := self._try(delivery, said_on, one))]
            self.replies.send_all([self._request(one) for one in remembered if one.acknowledgement])
            self.complaints.send_all(
                [_complaint(one) for one in remembered if one.decision.escalate]
            )

    def _try(self, delivery: Delivery, said_on: Channel, message: Message) -> Remembered | None:
        """AWS's failures are tried again, for as long as it takes; a message that we fail on would
        fail again, so it is set aside and keeps nobody waiting."""
        try:
            return self._remember(said_on, message)
        except Exception as error:
            if is_passing(error):
                raise
            self._set_aside(delivery, f"{type(error).__name__} at message {message.id}")
            return None

    def _remember(self, said_on: Channel, message: Message) -> Remembered:
        message = replace(message, text=mask(message.text))
        understanding = self.classifier.understand(message)
        standing = self.conversations.standing(message.conversation, answering=message.id)
        now = self.clock()
        decision = decide(message, understanding, standing, self.policy, now)
        acknowledgement = None
        if decision.silence is None:
            acknowledgement = self.voice.acknowledge(message, understanding, said_on.shorten)
        remembered = self.conversations.remember(
            Remembered(
                message=message,
                understanding=understanding,
                decision=decision,
                acknowledgement=acknowledgement,
            ),
            now,
        )
        logger().info(
            "message",
            extra={
                "message_id": message.id,
                "intent": remembered.understanding.intent,
                "silence": remembered.decision.silence,
                "escalate": remembered.decision.reasons,
            },
        )
        return remembered

    def _request(self, remembered: Remembered) -> ReplyRequested:
        message = remembered.message
        return ReplyRequested(
            id=f"ack:{message.id}",
            source="firstreply/classify",
            time=self.clock(),
            subject=message.conversation.key,
            data=contracts.ReplyRequest(
                conversation=message.conversation,
                in_reply_to=message.id,
                text=remembered.acknowledgement or "",
                author=contracts.Author(kind="firstreply"),
            ),
        )

    def _set_aside(self, delivery: Delivery, reason: str) -> None:
        """Kept where an alarm shows it; trying again would only fail again."""
        logger().error("set aside", extra={"key": delivery.key, "reason": reason})
        count("SetAside", channel=delivery.channel)
        self.unreadable.send_all(
            [SetAside(inbox_key=delivery.key, channel=delivery.channel, reason=reason)]
        )


def _parse(delivery: Delivery) -> tuple[Channel, list[Update]]:
    said_on = channel(delivery.channel)
    if said_on is None:
        raise Unreadable("its channel is gone")
    try:
        return said_on, list(said_on.parse(delivery.body))
    except Unreadable:
        raise
    except Exception as error:  # a mistake of ours: it would only fail again
        raise Unreadable(f"{type(error).__name__} in its channel") from None


def _count(delivery: Delivery, updates: list[Update]) -> None:
    reasons = Counter(update.reason for update in updates if isinstance(update, Ignored))
    messages = len(updates) - reasons.total()
    logger().info("updates", extra={"messages": messages, "ignored": dict(reasons)})
    for name, value in (("Messages", messages), ("Ignored", reasons.total())):
        if value:
            count(name, value, channel=delivery.channel)


def _complaint(remembered: Remembered) -> Complaint:
    message = remembered.message
    return Complaint(conversation=message.conversation, message_id=message.id)
