"""The Conversations table: all that is remembered of a customer, a partition a conversation.

conversation  meta#<account>#<customer>
item          MSG#<message id>             a message and what we made of it (Remembered)
              REPLY#<message id>#<kind>    what we said (outbox.py)
              CASE                         the open case
              PERSON                       when we last answered by ourselves
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from firstreply.message import Conversation, Message
from firstreply.policy import Decision, Standing
from firstreply.understanding import Understanding

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

type Item = Mapping[str, Any]


class Remembered(BaseModel):
    """A message with what we made of it: `acknowledgement` is what to say at once, if anything;
    `case_id` the case that has it, once one does."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    message: Message
    understanding: Understanding
    decision: Decision
    acknowledgement: str | None = None
    case_id: str | None = None


class Case(BaseModel):
    """The case of a conversation. `opened_by` is the message that opened it; `is_announced`: the
    helpdesk has been told that it is open, so it may be told more."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    case_id: str
    opened_by: str
    opened_at: datetime
    is_announced: bool = False


def to_item(value: BaseModel) -> dict[str, Any]:
    """As DynamoDB takes it: no floats, times as ISO 8601, nothing that is None."""
    text = value.model_dump_json(exclude_none=True)
    item: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return item


def refused_item(error: ClientError) -> Item | None:
    """The item that failed a condition; re-raises an error of any other kind."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    raw: Mapping[str, Any] = cast("Any", error.response).get("Item") or {}
    decode = TypeDeserializer().deserialize
    return {name: decode(value) for name, value in raw.items()} or None


def message_key(conversation: Conversation, message_id: str) -> dict[str, str]:
    return {"conversation": conversation.key, "item": f"MSG#{message_id}"}


def person_key(conversation: Conversation) -> dict[str, str]:
    return {"conversation": conversation.key, "item": "PERSON"}


def case_key(conversation: Conversation) -> dict[str, str]:
    return {"conversation": conversation.key, "item": "CASE"}


class Conversations:
    """Reads and writes messages, standing and cases. `retention`: how long after the last write."""

    def __init__(self, table: Table, retention: timedelta) -> None:
        self.table, self._retention = table, retention

    def expires_at(self, now: datetime) -> int:
        return int((now + self._retention).timestamp())

    def remember(self, remembered: Remembered, now: datetime) -> Remembered:
        """Keep it once; what was kept first, if it was there already."""
        item = to_item(remembered) | message_key(
            remembered.message.conversation, remembered.message.id
        )
        try:
            self.table.put_item(
                Item=item | {"expires_at": self.expires_at(now)},
                ConditionExpression=Attr("item").not_exists(),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            stored = refused_item(error)
            return Remembered.model_validate(stored) if stored else remembered
        return remembered

    def load(self, conversation: Conversation, message_id: str) -> Remembered | None:
        found = self.table.get_item(
            Key=message_key(conversation, message_id), ConsistentRead=True
        ).get("Item")
        return Remembered.model_validate(found) if found else None

    def history(self, conversation: Conversation) -> list[Remembered]:
        """Every message, oldest first."""
        query: Any = {
            "KeyConditionExpression": Key("conversation").eq(conversation.key)
            & Key("item").begins_with("MSG#"),
            "ConsistentRead": True,
        }
        found: list[Remembered] = []
        while True:
            page = self.table.query(**query)
            found += [Remembered.model_validate(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return sorted(found, key=lambda one: (one.message.sent_at, one.message.id))
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def standing(self, conversation: Conversation, *, answering: str) -> Standing:
        """How things stand, leaving out our own answer to the message `answering`."""
        person = self._get(person_key(conversation))
        answered_at = None
        if person.get("automatic_for") != answering and "automatic_at" in person:
            answered_at = datetime.fromisoformat(person["automatic_at"])
        return Standing(
            answered_at=answered_at, case_open="case_id" in self._get(case_key(conversation))
        )

    def open_case(self, case: Case, conversation: Conversation, now: datetime) -> Case:
        """Open it, unless one is open: then that one."""
        try:
            self.table.put_item(
                Item=to_item(case) | case_key(conversation) | {"expires_at": self.expires_at(now)},
                ConditionExpression=Attr("item").not_exists(),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            stored = refused_item(error)
            return Case.model_validate(stored) if stored else case
        return case

    def announce(self, conversation: Conversation) -> None:
        """Note that the helpdesk knows of the case."""
        self.table.update_item(
            Key=case_key(conversation),
            UpdateExpression="SET is_announced = :yes",
            ConditionExpression=Attr("item").exists(),
            ExpressionAttributeValues={":yes": True},
        )

    def put_into_case(self, message: Message, case: Case) -> None:
        """Note that the helpdesk has it."""
        self.table.update_item(
            Key=message_key(message.conversation, message.id),
            UpdateExpression="SET case_id = :case",
            ConditionExpression=Attr("item").exists(),
            ExpressionAttributeValues={":case": case.case_id},
        )

    def _get(self, key: dict[str, str]) -> Item:
        return self.table.get_item(Key=key, ConsistentRead=True).get("Item") or {}
