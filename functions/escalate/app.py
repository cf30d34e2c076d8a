"""The ComplaintQueue in; events of cases out, on the EscalationQueue."""

from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from firstreply import aws
from firstreply.batch import Record, each_message
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
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    def handle(record: Record) -> None:
        cases().escalate(Complaint.model_validate_json(record["body"]))

    return each_message(event, context, handle)
