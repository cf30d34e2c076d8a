"""The FetchQueue in; what a platform only hinted at, as a delivery in the Inbox."""

from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from aws_lambda_powertools.utilities.typing import LambdaContext

from firstreply import aws
from firstreply.accounts import Accounts
from firstreply.batch import Failures, Record, each_message
from firstreply.client import client
from firstreply.errors import RateLimited
from firstreply.inbox import Inbox
from firstreply.observe import observed
from firstreply.queues import Hinted, Queue
from firstreply.secrets import Secrets
from firstreply.settings import now, number, setting
from functions.fetch.fetching import Fetching

# For a platform that asks us to wait, which is no failed try. Then it is set aside, with an alarm.
LONGEST_PATIENCE = timedelta(hours=24)


@cache
def http() -> httpx.Client:
    return client()


@cache
def fetch_queue() -> Queue:
    return Queue(aws.sqs(), setting("FETCH_QUEUE_URL"))


@cache
def fetching() -> Fetching:
    return Fetching(
        inbox=Inbox(
            aws.dynamodb_client(),
            setting("INBOX_TABLE"),
            timedelta(days=number("INBOX_RETENTION_DAYS")),
        ),
        accounts=Accounts(
            aws.dynamodb().Table(setting("CONVERSATIONS_TABLE")),
            timedelta(days=number("CONVERSATION_RETENTION_DAYS")),
            Secrets(aws.secretsmanager(), setting("SECRET_ARN"), now),
            now,
        ),
        http=http(),
        setting=setting,
        clock=now,
    )


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
    def handle(record: Record) -> None:
        hinted = Hinted.model_validate_json(record["body"])
        try:
            fetching().fetch(hinted)
        except RateLimited as error:
            if now() - hinted.told_at > LONGEST_PATIENCE:
                raise
            fetch_queue().postpone(record["body"], error.wait)

    return each_message(event, context, handle)
