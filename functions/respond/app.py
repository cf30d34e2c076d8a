"""The ReplyQueue in; said on the platform at most once, or given to a human."""

from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from aws_lambda_powertools.utilities.typing import LambdaContext

from firstreply import aws, brand
from firstreply.accounts import Accounts
from firstreply.batch import Deadline, Failures, Record, each_message
from firstreply.client import client
from firstreply.conversations import Conversations
from firstreply.errors import RateLimited, reason_of
from firstreply.observe import observed
from firstreply.outbox import Outbox
from firstreply.policy import Policy
from firstreply.queues import Queue
from firstreply.secrets import Secrets
from firstreply.settings import now, number, setting
from firstreply.waiting import Waiting
from functions.respond.asking import read
from functions.respond.speaking import Speaking

# Before the ReplyQueue's maxReceiveCount: a human is better than a dead letter.
LAST_TRY = 4
# For a platform that asks us to wait, which is no failed try. Ours wait while they may be given.
LONGEST_PATIENCE = timedelta(hours=24)


@cache
def conversations() -> Conversations:
    retention = timedelta(days=number("CONVERSATION_RETENTION_DAYS"))
    return Conversations(aws.dynamodb().Table(setting("CONVERSATIONS_TABLE")), retention)


@cache
def secrets() -> Secrets:
    return Secrets(aws.secretsmanager(), setting("SECRET_ARN"), now)


@cache
def http() -> httpx.Client:
    return client()


@cache
def policy() -> Policy:
    return brand.policy(
        cool_down_minutes=number("COOL_DOWN_MINUTES"), auto_reply=setting("AUTO_REPLY") == "on"
    )


@cache
def reply_queue() -> Queue:
    return Queue(aws.sqs(), setting("REPLY_QUEUE_URL"))


def speaking(context: LambdaContext) -> Speaking:
    return Speaking(
        conversations=conversations(),
        outbox=Outbox(conversations(), owner=context.aws_request_id),
        accounts=Accounts(conversations().table, conversations().retention, secrets(), now),
        secrets=secrets(),
        http=http(),
        setting=setting,
        policy=policy(),
        waiting=Waiting.under(policy(), conversations(), now),
        complaints=Queue(aws.sqs(), setting("COMPLAINT_QUEUE_URL")),
        clock=now,
        deadline=Deadline(context),
    )


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    replies = speaking(context)

    def handle(record: Record) -> None:
        request, wrong = read(record["body"])
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        if wrong or receives > LAST_TRY:
            replies.give_up(request, wrong or "the last try was cut off")
            return
        try:
            replies.say(request)
        except RateLimited as error:
            is_ours = request.data.author.kind == "firstreply"
            if now() - request.time > (policy().oldest_answer if is_ours else LONGEST_PATIENCE):
                replies.give_up(request, str(error))
            else:
                reply_queue().postpone(record["body"], error.wait)
        except Exception as error:  # any, even what nobody has thought of
            if receives < LAST_TRY:
                raise
            replies.give_up(request, reason_of(error))

    return each_message(event, context, handle, reply_queue())
