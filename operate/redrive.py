"""Dead letters back to where they came from.

What is given back may fail again, and then it comes back here as a new dead letter: one run takes
no more than there were at its start. (SQS's own redrive, StartMessageMoveTask, does the same for
queues; it is not used, because the Inbox's dead letters are no messages of a queue, and because
the emulator does not have it.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from operate.replay import Choice, choose, replay
from operate.stack import Stack

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


def redrive(stack: Stack, name: str, now: datetime, pause: Callable[[], None]) -> int:
    """Give every dead letter back, and only then delete it; how many there were."""
    dead, source = (stack.outputs[output] for output in SOURCES[name])
    done = 0
    for letter in _letters(stack, dead, waiting(stack, name)):
        if name == "inbox":
            replay(stack, _keys(stack, json.loads(letter["Body"]), now), now, pause)
        else:
            stack.sqs.send_message(QueueUrl=source, MessageBody=letter["Body"], **_order(letter))
        stack.sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
        done += 1
        pause()
    return done


def waiting(stack: Stack, name: str) -> int:
    """How many dead letters there are, about."""
    url = stack.outputs[SOURCES[name][0]]
    wanted: Any = ["ApproximateNumberOfMessages"]
    found = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def _letters(stack: Stack, url: str, left: int) -> Iterator[MessageTypeDef]:
    while left > 0:
        found = stack.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(left, 10),
            MessageSystemAttributeNames=["MessageGroupId", "MessageDeduplicationId"],
            VisibilityTimeout=300,
            WaitTimeSeconds=1,
        ).get("Messages", [])
        if not found:
            return
        left -= len(found)
        yield from found


def _order(letter: MessageTypeDef) -> dict[str, Any]:
    """A FIFO queue's group and deduplication id; a standard queue has none."""
    wanted = ("MessageGroupId", "MessageDeduplicationId")
    attributes: Any = letter.get("Attributes", {})
    return {name: attributes[name] for name in wanted if name in attributes}


def _keys(stack: Stack, body: dict[str, Any], now: datetime) -> list[str]:
    """Which deliveries a dead letter is about: it names the one that classify set aside. What
    Lambda gave up on is known by its time alone."""
    if "inbox_key" in body:
        return [body["inbox_key"]]
    batch = body["DDBStreamBatchInfo"]
    first, last = (
        datetime.fromisoformat(batch[f"approximateArrivalOf{which}Record"])
        for which in ("First", "Last")
    )
    return choose(stack, Choice(since=first - MARGIN, until=last + MARGIN), now)
