"""The Inbox's stream in; messages remembered, replies and complaints queued."""

from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firstreply import aws, brand
from firstreply.accounts import Accounts
from firstreply.batch import Deadline, Failures, each_stream_record
from firstreply.conversations import Conversations
from firstreply.inbox import Inbox
from firstreply.observe import observed
from firstreply.outbox import Outbox
from firstreply.policy import Policy
from firstreply.queues import Queue
from firstreply.secrets import Secrets, name_of
from firstreply.settings import now, number, optional_setting, setting
from firstreply.understanding import Classifier
from firstreply.waiting import Waiting
from functions.classify.considering import Considering
from functions.classify.listening import Listening
from functions.classify.offline import offline
from functions.classify.reading import Reading
from functions.classify.recognising import recogniser


@cache
def secrets() -> Secrets:
    return Secrets(aws.secretsmanager(), setting("SECRET_ARN"), now)


@cache
def policy() -> Policy:
    return brand.policy(
        cool_down_minutes=number("COOL_DOWN_MINUTES"), auto_reply=setting("AUTO_REPLY") == "on"
    )


@cache
def classifier() -> Classifier:
    """Offline; with the back ends that the stack's parameters switch on around it."""
    found = offline(policy().complaint_bands)
    if model_id := optional_setting("BEDROCK_MODEL_ID"):
        from functions.classify.bedrock import Bedrock  # most stacks start without it

        found = Bedrock(aws.bedrock_runtime(), model_id, found, policy().bedrock_sure)
    if setting("COMPREHEND_SENTIMENT") == "on":
        from functions.classify.comprehend import Comprehend

        found = Comprehend(aws.comprehend(), found)
    return found


@cache
def listening() -> Listening:
    conversations = Conversations(
        aws.dynamodb().Table(setting("CONVERSATIONS_TABLE")),
        timedelta(days=number("CONVERSATION_RETENTION_DAYS")),
    )
    waiting = Waiting.under(policy(), conversations, now)
    return Listening(
        conversations=conversations,
        outbox=Outbox(conversations, owner="classify"),
        considering=Considering(
            classifier=classifier(),
            voice=brand.voice(),
            policy=policy(),
            expected=waiting.expected,
            name_of=lambda one: name_of(secrets().section(one.channel), one.account),
            ready=recogniser(brand.answers()).recognise,
        ),
        waiting=waiting,
        clock=now,
    )


@cache
def reading() -> Reading:
    conversations = listening().conversations
    retention = timedelta(days=number("INBOX_RETENTION_DAYS"))
    return Reading(
        inbox=Inbox(aws.dynamodb_client(), setting("INBOX_TABLE"), retention),
        listening=listening(),
        accounts=Accounts(conversations.table, conversations.retention, secrets(), now),
        secrets=secrets(),
        replies=Queue(aws.sqs(), setting("REPLY_QUEUE_URL")),
        complaints=Queue(aws.sqs(), setting("COMPLAINT_QUEUE_URL")),
        hints=Queue(aws.sqs(), setting("FETCH_QUEUE_URL")),
        unreadable=Queue(aws.sqs(), setting("INBOX_DEAD_LETTER_QUEUE_URL")),
    )


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    deadline = Deadline(context)
    return each_stream_record(
        event, context, lambda record: reading().read(record["dynamodb"]["NewImage"], deadline)
    )
