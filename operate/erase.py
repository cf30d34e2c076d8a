"""All that was said in a conversation, erased: as a platform's own deletion callback has it done,
and in the raw deliveries as well.

Nothing notes how far it has come: started again, after a crash or for no reason, it does the same
again. What is left in the tables keeps out what comes late, or is replayed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from firstreply.inbox import Delivery
from firstreply.message import (
    Conversation,
    Edited,
    Hidden,
    Hint,
    Ignored,
    Message,
    Removed,
    Requested,
    Spoken,
    Update,
)
from firstreply.queues import Complaint, Queue
from operate.redrive import waiting
from operate.replay import updates
from operate.stack import Stack

# DynamoDB keeps a stream's records for so long: an older delivery has been read, or a dead letter
# speaks of it.
STREAM = timedelta(hours=24)
BUSY = (
    "that came meanwhile, or tell of others too and may not have been read yet: they can be erased"
    " a day after they came, or were replayed, and while the InboxDeadLetterQueue is empty"
)


@dataclass(frozen=True, slots=True)
class Known:
    """A conversation, and the platform's ids of what the customer, and of what anybody said."""

    where: Conversation
    messages: frozenset[str]
    all: frozenset[str]


def look(stack: Stack, found: Sequence[Conversation], now: datetime) -> Iterator[str]:
    """How much there is to erase, and not a word of it."""
    messages = sum(len(stack.conversations.history(one)) for one in found)
    answers = sum(bool(i.get("text")) for one in found for i in stack.conversations.items(one, ""))
    free = [is_free for _, is_free in _deliveries(stack, found, now)]
    yield f"{messages} messages, {answers} answers, {free.count(True)} deliveries"
    if busy := free.count(False):
        yield f"{busy} more deliveries {BUSY}"


def erase(stack: Stack, found: Sequence[Conversation], now: datetime) -> list[str]:
    """What had to stay, and why."""
    complaints = Queue(stack.sqs, stack.outputs["ComplaintQueueUrl"])
    for one in found:
        removed = stack.conversations.erase(one, now, now)
        # By each the case is told to forget it. Escalate knows what it has told.
        complaints.send_all(
            [Complaint(conversation=one, message_id=each.message.id) for each in removed]
        )
    left = []
    if late := sum(len(stack.conversations.history(one)) for one in found):
        left.append(f"{late} messages that came meanwhile, or are dated in the future")
    busy = 0
    for key, is_free in list(_deliveries(stack, found, now)):
        if is_free:
            stack.inbox.erase(key)
        else:
            busy += 1
    return left + ([f"{busy} deliveries {BUSY}"] if busy else [])


def _deliveries(
    stack: Stack, found: Sequence[Conversation], now: datetime
) -> Iterator[tuple[str, bool]]:
    """The keys of those that tell of the conversations, and whether nobody needs them any more.
    One that tells of nobody else is not: what it says would not be kept."""
    everyone = [_known(stack, one) for one in found]
    is_quiet = waiting(stack, "inbox") == (0, 0)
    for delivery, last_at in stack.inbox.each():
        told = [one for one in updates(delivery) if not isinstance(one, Ignored)]
        is_theirs = [any(_is_of(known, delivery, one) for known in everyone) for one in told]
        if any(is_theirs) or _names(delivery.body, everyone):
            is_free = all(is_theirs) or (is_quiet and now - last_at > STREAM)
            yield delivery.key, is_free and delivery.received_at <= now


def _known(stack: Stack, where: Conversation) -> Known:
    items = list(stack.conversations.items(where, ""))
    names = (str(item["item"]).partition("#") for item in items)
    return Known(
        where,
        messages=frozenset(id for kind, _, id in names if kind == "MSG"),
        all=frozenset(str(item["platform_id"]) for item in items if "platform_id" in item),
    )


def _is_of(known: Known, delivery: Delivery, update: Update) -> bool:
    where = known.where
    if isinstance(update, Requested):
        return update.conversation == where
    if delivery.channel != where.channel or getattr(update, "account", None) != where.account:
        return False
    match update:
        case Message(id=id, conversation=conversation):
            return conversation == where or id in known.messages
        case Edited(message=message):
            return message.conversation == where or message.id in known.messages
        case Removed() | Hidden():
            return update.customer == where.customer or update.message_id in known.messages
        case Spoken():
            answered = {update.in_reply_to, (update.reply_key or "").rpartition("#")[0]}
            is_to_them = update.customer == where.customer or answered & known.messages
            return bool(is_to_them) or update.id in known.all
        case Hint():
            return bool(known.messages & set(update.about.values()))
    return False


def _names(body: bytes, everyone: Iterable[Known]) -> bool:
    """Whether it has the customer's id, whatever it tells: what is read past has names too, such as
    who liked something, or whom somebody else's message speaks of."""
    strings = _strings(body)
    return any({one.where.account, one.where.customer} <= strings for one in everyone)


def _strings(body: bytes) -> set[str]:
    """Everything that stands in quotes in a JSON document."""
    try:
        left, found = [json.loads(body)], set[str]()
    except (ValueError, RecursionError):
        return set()
    while left:
        match left.pop():
            case str(text):
                found.add(text)
            case dict(pairs):
                left += [*pairs, *pairs.values()]
            case list(values):
                left += values
    return found
