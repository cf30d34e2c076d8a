"""Dead letters back to where they came from.

What is given back may fail again, and then it comes back here as a new dead letter: one run takes
no more than there were at its start. (SQS's own redrive, StartMessageMoveTask, does the same for
queues; it is not used, because the Inbox's dead letters are no messages of a queue, and because
the emulator does not have it.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from operate.replay import Choice, choose, replay
from operate.stack import OperatorError, Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# By name: the outputs that hold where dead letters lie and where they came from. The Inbox's came
# from its stream, so they are replayed.
SOURCES = {
    "reply": ("ReplyDeadLetterQueueUrl", "ReplyQueueUrl"),
    "complaint": ("ComplaintDeadLetterQueueUrl", "ComplaintQueueUrl"),
    "fetch": ("FetchDeadLetterQueueUrl", "FetchQueueUrl"),
    "escalation": ("EscalationDeadLetterQueueUrl", "EscalationQueueUrl"),
    "inbox": ("InboxDeadLetterQueueUrl", "InboxTable"),
}
# The stream's clock and ours, and a delivery that was stored before its record was.
MARGIN = timedelta(minutes=2)
HIDDEN_SECONDS = 300


@dataclass(slots=True)
class Redriven:
    """How many were given back, and why others lie where they lay."""

    given_back: int = 0
    left: list[str] = field(default_factory=list)


def redrive(stack: Stack, name: str, now: datetime, pause: Callable[[], None]) -> Redriven:
    """Give every dead letter back, and only then delete it. One that cannot be stays, and keeps
    no other."""
    outcome, hidden = Redriven(), list[str]()
    dead = stack.outputs[SOURCES[name][0]]
    try:
        for letter in _letters(stack, dead, waiting(stack, name)[0]):
            hidden.append(letter["ReceiptHandle"])
            try:
                _give_back(stack, name, letter, now, pause)
            except OperatorError as error:
                outcome.left.append(f"{letter['MessageId']}: {error}")
            else:
                stack.sqs.delete_message(QueueUrl=dead, ReceiptHandle=hidden.pop())
                outcome.given_back += 1
            pause()
    finally:  # also when we are stopped: what stays can be seen
        for receipt in hidden:
            stack.sqs.change_message_visibility(
                QueueUrl=dead, ReceiptHandle=receipt, VisibilityTimeout=0
            )
    return outcome


def waiting(stack: Stack, name: str) -> tuple[int, int]:
    """How many dead letters there are, about, and how many more that somebody is looking at."""
    url = stack.outputs[SOURCES[name][0]]
    wanted: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    visible, hidden = (int(found[name]) for name in wanted)
    return visible, hidden


def _letters(stack: Stack, url: str, left: int) -> Iterator[MessageTypeDef]:
    """One at a time, so that none waits in our hands until its time is over."""
    while left > 0:
        found = stack.sqs.receive_message(
            QueueUrl=url,
            MessageSystemAttributeNames=["MessageGroupId", "MessageDeduplicationId"],
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=1,
        ).get("Messages", [])
        if not found:
            return
        left -= 1
        yield found[0]


def _give_back(
    stack: Stack, name: str, letter: MessageTypeDef, now: datetime, pause: Callable[[], None]
) -> None:
    """OperatorError if it cannot be."""
    if name != "inbox":
        source = stack.outputs[SOURCES[name][1]]
        stack.sqs.send_message(QueueUrl=source, MessageBody=letter["Body"], **_order(letter))
        return
    keys = _keys(stack, letter["Body"], now)
    done, _ = replay(stack, keys, now, pause)
    if not done:
        raise OperatorError("its deliveries are not kept any more")


def _order(letter: MessageTypeDef) -> dict[str, Any]:
    """A FIFO queue's group, and an id of this death's own: with the first one's, SQS would take
    it for a repeat and drop it. Interrupted and given back again, it is the same once more."""
    attributes: Any = letter.get("Attributes", {})
    if "MessageGroupId" not in attributes:
        return {}
    once = f"{attributes['MessageDeduplicationId']} {letter['MessageId']}"
    return {
        "MessageGroupId": attributes["MessageGroupId"],
        "MessageDeduplicationId": sha256(once.encode()).hexdigest(),
    }


def _keys(stack: Stack, body: str, now: datetime) -> list[str]:
    """Which deliveries a dead letter is about: it names the one that classify set aside. What
    Lambda gave up on is known by its time alone."""
    try:
        told = json.loads(body)
        if "inbox_key" in told:
            return [str(told["inbox_key"])]
        batch = told["DDBStreamBatchInfo"]
        first, last = (
            datetime.fromisoformat(batch[f"approximateArrivalOf{which}Record"])
            for which in ("First", "Last")
        )
        around = Choice(since=first - MARGIN, until=last + MARGIN)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise OperatorError("it is none of ours") from None
    return choose(stack, around, now)
