"""The ComplaintQueue in; events of cases out, on the EscalationQueue."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firstreply import aws
from firstreply.batch import Failures, Record, each_message
from firstreply.conversations import Conversations
from firstreply.observe import observed
from firstreply.queues import Complaint, Queue
from firstreply.settings import now, number, setting
from functions.escalate.cases import Cases


@cache
def cases() -> Cases:
    return Cases(
        conversations=Conversations(
            aws.dynamodb().Table(setting("CONVERSATIONS_TABLE")),
            timedelta(days=number("CONVERSATION_RETENTION_DAYS")),
        ),
        escalations=Queue(aws.sqs(), setting("ESCALATION_QUEUE_URL")),
        clock=now,
    )


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    def handle(record: Record) -> None:
        cases().escalate(_complaint(record))

    return each_message(event, context, handle)


def _complaint(record: Record) -> Complaint:
    """Nobody asked to close later than we were told of it, however fast their clock is."""
    complaint = Complaint.model_validate_json(record["body"])
    if complaint.close is None:
        return complaint
    told_at = datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)
    asked_at = min(complaint.close.asked_at, told_at)
    close = complaint.close.model_copy(update={"asked_at": asked_at})
    return complaint.model_copy(update={"close": close})
