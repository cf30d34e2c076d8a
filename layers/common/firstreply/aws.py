"""The one place that makes boto3 clients, lazily, with time-outs that fit inside a function's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from firstreply.errors import TryLater

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient, DynamoDBServiceResource
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

type Item = Mapping[str, Any]

# botocore waits 60 s by default and would outlive every function here. A call is given up after
# 2 tries of at most 1 + 3 s and a pause: the webhook makes two of them in its 20 s.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},
    # Its own it puts together anew for every request, which takes a tenth of the request's time.
    user_agent="firstreply",
)

# A back end that has another to stand in for it gets one try, and a whole message less than a call
# to AWS that cannot be done without.
MODEL_CONFIG = Config(connect_timeout=1, read_timeout=4, retries={"total_max_attempts": 1})
SENTIMENT_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})


@cache
def dynamodb() -> DynamoDBServiceResource:
    """The resource: its tables take and give plain Python values."""
    return boto3.resource("dynamodb", config=CONFIG)


@cache
def dynamodb_client() -> DynamoDBClient:
    return boto3.client("dynamodb", config=CONFIG)


@cache
def sqs() -> SQSClient:
    return boto3.client("sqs", config=CONFIG)


@cache
def secretsmanager() -> SecretsManagerClient:
    return boto3.client("secretsmanager", config=CONFIG)


# Any: who uses them says what of them (functions/classify/), which spares two packages of stubs.
@cache
def bedrock_runtime() -> Any:  # noqa: ANN401
    return boto3.client("bedrock-runtime", config=MODEL_CONFIG)


@cache
def comprehend() -> Any:  # noqa: ANN401
    return boto3.client("comprehend", config=SENTIMENT_CONFIG)


# What AWS says of a request that it will never take. SQS says some of them in either way.
FOR_GOOD = frozenset(
    [
        "ValidationException",
        "InvalidParameterValue",
        "InvalidMessageContents",
        "BatchRequestTooLong",
        "AWS.SimpleQueueService.BatchRequestTooLong",
    ]
)


def is_passing(error: Exception) -> bool:
    """Whether the same call may succeed later: AWS is down or slow, or refuses for now."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] not in FOR_GOOD
    return isinstance(error, BotoCoreError | TryLater) and not isinstance(
        error, ParamValidationError
    )


def refused_item(error: ClientError) -> Item | None:
    """The item that failed a condition; re-raises an error of any other kind."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    raw: Mapping[str, Any] = cast("Any", error.response).get("Item") or {}
    from boto3.dynamodb.types import TypeDeserializer  # the door starts without

    decode = TypeDeserializer().deserialize
    return {name: decode(value) for name, value in raw.items()} or None


def forget_clients() -> None:
    """Lets a test start over with another AWS."""
    for client in (dynamodb, dynamodb_client, sqs, secretsmanager, bedrock_runtime, comprehend):
        client.cache_clear()
