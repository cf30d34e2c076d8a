"""Batches, record by record: one that fails comes back alone, and so does what there is no time
left for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext

from firstreply.errors import FirstReplyError, TryLater, reason_of
from firstreply.observe import begin, decided
from firstreply.queues import Queue

type Record = Mapping[str, Any]
# What Lambda is answered: the batch's ReportBatchItemFailures. (Powertools has the same, and
# imports asyncio and every event of AWS for it: a tenth of a cold start.)
type Failures = dict[Literal["batchItemFailures"], list[dict[Literal["itemIdentifier"], str]]]

# One call to AWS with its second try (aws.py) fits in. An invocation that is cut off leaves more
# behind to be found out than one that stops by itself.
ENOUGH_TIME = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When Lambda will end this invocation."""

    context: LambdaContext

    def require(self, time: timedelta = ENOUGH_TIME) -> None:
        """TryLater if less is left."""
        if timedelta(milliseconds=self.context.get_remaining_time_in_millis()) < time:
            raise TryLater("too little time is left in this invocation", after=1)


def each_message(
    event: dict[str, Any],
    context: LambdaContext,
    handle: Callable[[Record], None],
    source: Queue | None = None,
) -> Failures:
    """A batch of an SQS queue. Never raises: a failed invocation makes Lambda poll slower, for
    everybody. With `source`, a record comes back when its TryLater says."""

    def call(record: Record) -> None:
        try:
            _noting(handle, record, context)
        except TryLater as error:
            if source and error.after is not None:
                source.delay(record["receiptHandle"], error.after)
            raise

    return _failures(record["messageId"] for record in event["Records"] if not _works(call, record))


def each_stream_record(
    event: dict[str, Any], context: LambdaContext, handle: Callable[[Record], None]
) -> Failures:
    """A batch of a DynamoDB stream: from the first record that fails on, all come back. Raises
    TryLater if all failed."""

    def call(record: Record) -> None:
        _noting(handle, record, context)

    records = event["Records"]
    failed = [
        record["dynamodb"]["SequenceNumber"] for record in records if not _works(call, record)
    ]
    if records and len(failed) == len(records):
        raise TryLater("every record of the batch failed")
    return _failures(failed)


def _works(call: Callable[[Record], None], record: Record) -> bool:
    try:
        call(record)
    except Exception:  # any: it is logged, and the record comes back
        return False
    return True


def _failures(ids: Iterable[str]) -> Failures:
    return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}


def _noting(handle: Callable[[Record], None], record: Record, context: LambdaContext) -> None:
    """Log why a record failed."""
    begin()
    try:
        Deadline(context).require()
        handle(record)
    except FirstReplyError as error:
        decided("record", "failed", reason_of(error), level="warning", record=_id(record))
        raise
    except Exception as error:  # any: it is raised again
        decided("record", "failed", reason_of(error), level="error", record=_id(record))
        raise


def _id(record: Record) -> str | None:
    """Of a queue's message, or the Inbox's key of a delivery."""
    image = record.get("dynamodb", {}).get("NewImage", {})
    found: str | None = record.get("messageId") or image.get("key", {}).get("S")
    return found
