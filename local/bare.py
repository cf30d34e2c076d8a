"""The stack's tables, queues and settings without the stack: for functions that run in a process of
ours, against an AWS in it or beside it. As template.yaml has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

QUEUES = (
    "fetch",
    "reply",
    "reply-dead",
    "complaint",
    "complaint-dead",
    "escalation.fifo",
    "inbox-dead",
)


def make(dynamodb: DynamoDBClient, sqs: SQSClient) -> dict[str, str]:
    """Makes the tables and the queues; the queues' addresses by their names."""
    dynamodb.create_table(
        TableName="inbox",
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.create_table(
        TableName="conversations",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("conversation", "item", "platform_id")
        ],
        KeySchema=[
            {"AttributeName": "conversation", "KeyType": "HASH"},
            {"AttributeName": "item", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "platform_id",
                "KeySchema": [{"AttributeName": "platform_id", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    fifo: Any = {"FifoQueue": "true"}
    return {
        name: sqs.create_queue(QueueName=name, Attributes=fifo if name.endswith(".fifo") else {})[
            "QueueUrl"
        ]
        for name in QUEUES
    }


def settings(platforms: str, secret_arn: str, urls: Mapping[str, str]) -> dict[str, str]:
    """The functions' environment, all of theirs in one."""
    return {
        "INBOX_TABLE": "inbox",
        "INBOX_RETENTION_DAYS": "14",
        "CONVERSATIONS_TABLE": "conversations",
        "CONVERSATION_RETENTION_DAYS": "90",
        "SECRET_ARN": secret_arn,
        "REPLY_QUEUE_URL": urls["reply"],
        "COMPLAINT_QUEUE_URL": urls["complaint"],
        "ESCALATION_QUEUE_URL": urls["escalation.fifo"],
        "FETCH_QUEUE_URL": urls["fetch"],
        "INBOX_DEAD_LETTER_QUEUE_URL": urls["inbox-dead"],
        "GRAPH_API_URL": f"{platforms}/graph",
        "INSTAGRAM_API_URL": f"{platforms}/instagram",
        "GRAPH_API_VERSION": "v26.0",
        "X_API_URL": f"{platforms}/x",
        "AUTO_REPLY": "on",
        "COOL_DOWN_MINUTES": "30",
        "BEDROCK_MODEL_ID": "",
        "COMPREHEND_SENTIMENT": "off",
        "POWERTOOLS_METRICS_NAMESPACE": "FirstReply",
    }
