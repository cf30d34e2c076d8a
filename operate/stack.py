"""A deployed stack, as its CloudFormation outputs tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from firstreply.aws import CONFIG
from firstreply.conversations import Conversations
from firstreply.inbox import Inbox

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class OperatorError(Exception):
    """What was asked for cannot be done; says why, and what to do."""


@dataclass(frozen=True)
class Stack:
    """`outputs` by name; `retention`: how long conversations are kept; `where`: what boto3 needs
    to find the account, beside the environment."""

    outputs: Mapping[str, str]
    retention: timedelta
    where: Mapping[str, Any]

    @classmethod
    def find(cls, name: str, where: Mapping[str, Any]) -> Stack:
        try:
            client = boto3.client("cloudformation", config=CONFIG, **where)
            found = client.describe_stacks(StackName=name)["Stacks"][0]
        except (BotoCoreError, ClientError) as error:
            raise OperatorError(
                f"stack {name} cannot be read ({error}); give --stack, and AWS credentials"
            ) from error
        parameters = {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", ())}
        outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())}
        if "InboxTable" not in outputs:
            raise OperatorError(f"stack {name} is none of FirstReply's")
        return cls(
            outputs=outputs,
            retention=timedelta(days=int(parameters.get("ConversationRetentionDays", 90))),
            where=where,
        )

    @cached_property
    def inbox(self) -> Inbox:
        client = boto3.client("dynamodb", **self.where)
        return Inbox(client, self.outputs["InboxTable"], timedelta())

    @cached_property
    def conversations(self) -> Conversations:
        table = boto3.resource("dynamodb", **self.where).Table(self.outputs["ConversationsTable"])
        return Conversations(table, self.retention)

    @cached_property
    def sqs(self) -> SQSClient:
        return boto3.client("sqs", **self.where)
