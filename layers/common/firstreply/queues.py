"""The queues, and what travels on the internal one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from firstreply.aws import FOR_GOOD
from firstreply.errors import Refuse, TooLarge, TryLater
from firstreply.message import Conversation, Hint

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


LONGEST_WAIT = 43_000  # SQS: 12 hours from the receipt, in seconds
LONGEST_DELAY = 900  # SQS: of a new message
# SQS: so many messages and bytes at once, and no more bytes in one message either.
MOST_AT_ONCE, MOST_BYTES = 10, 1_048_576


class FailedReply(BaseModel):
    """What we could not say, or do not know whether we said; `key` is the outbox's."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    key: str
    text: str
    reason: str


class CloseCase(BaseModel):
    """An agent wants the case closed, since `asked_at`. `key` tells this wish from any other;
    `seen` is the message that they surely had seen."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    key: str
    asked_at: AwareDatetime
    by: str | None = None
    seen: str | None = None


class Complaint(BaseModel):
    """ComplaintQueue: what a case has to hear: a message that a human has to see, for itself or for
    a reply that failed; a reply that was sent (its key in the outbox); that it is closed."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    conversation: Conversation
    message_id: str | None = None
    failed_reply: FailedReply | None = None
    sent_reply: str | None = None
    close: CloseCase | None = None


class Hinted(BaseModel):
    """FetchQueue: a platform said that something was said, but not what; we were told `told_at`."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    channel: str
    hint: Hint
    told_at: AwareDatetime


class SetAside(BaseModel):
    """InboxDeadLetterQueue: a signed delivery that its channel cannot read; the Inbox has it."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    inbox_key: str
    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A standard or FIFO queue."""

    client: SQSClient
    url: str

    def send_all(self, bodies: Sequence[BaseModel]) -> None:
        """Send every one; TryLater, or Refuse if one of them will never be taken. Sending one twice
        must be harmless to who receives it."""
        for batch in _batches(map(_json, bodies)):
            answer = self.client.send_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)
                ],
            )
            if failed := answer.get("Failed"):
                reason = f"SQS refused {len(failed)} of {len(batch)} messages"
                is_for_good = {one["Code"] for one in failed} <= FOR_GOOD
                raise Refuse(reason) if is_for_good else TryLater(reason)

    def send_in_order(self, body: BaseModel, *, group: str, once: str) -> None:
        """Send to a FIFO queue; `once` keeps a second one out for five minutes."""
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=_json(body),
            MessageGroupId=group[:128],
            MessageDeduplicationId=sha256(once.encode()).hexdigest(),
        )

    def delay(self, receipt_handle: str, seconds: int) -> None:
        """Let a message that is about to fail come back then, not when the queue thinks fit."""
        self.client.change_message_visibility(
            QueueUrl=self.url,
            ReceiptHandle=receipt_handle,
            VisibilityTimeout=min(seconds, LONGEST_WAIT),
        )

    def postpone(self, body: str, seconds: int) -> None:
        """Send it anew, to arrive then: unlike a try that failed, this costs no receive."""
        self.client.send_message(
            QueueUrl=self.url, MessageBody=body, DelaySeconds=max(1, min(seconds, LONGEST_DELAY))
        )


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    """As many at once as SQS takes; TooLarge at one that it does not even take alone."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        if len(body) > MOST_BYTES:
            raise TooLarge(f"{len(body)} bytes for a queue")
        if len(batch) == MOST_AT_ONCE or size + len(body) > MOST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body)
    if batch:
        yield batch


def _json(body: BaseModel) -> str:
    """ASCII: SQS refuses some characters that customers can write, but not their JSON escapes."""
    return json.dumps(body.model_dump(mode="json", exclude_none=True), separators=(",", ":"))
