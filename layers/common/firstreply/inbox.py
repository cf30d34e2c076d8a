"""The Inbox table: every signed delivery as it was received. Its stream is the queue to classify.

An item is `key` (a hash of channel and body), `channel`, `body` (compressed), `parts`,
`received_at` and `expires_at`. What does not fit into one item goes on in items `<key>#1`, `#2`, …
that have no `channel`, written in the same transaction: all of a delivery is there, or none.
A change of an item is a replay: the stream brings it to classify again. An erased one has neither
`channel` nor `body`: nobody is told of it, and the same bytes do not come in again.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from firstreply.errors import TooLarge, TryLater, Unreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# An item holds 400 KB, a transaction 4 MB: the rest is for keys and attribute names.
PART_BYTES = 390_000
MOST_PARTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One signed POST. `received_at` is in UTC."""

    channel: str
    body: bytes
    received_at: datetime

    @property
    def key(self) -> str:
        """The same for the same bytes, however often they come."""
        return sha256(self.channel.encode() + b"\0" + self.body).hexdigest()


class Inbox:
    """Writes and reads deliveries. `client` is DynamoDB's, `retention` how long they are kept."""

    def __init__(self, client: DynamoDBClient, table: str, retention: timedelta) -> None:
        self._client, self._table, self._retention = client, table, retention

    def put(self, delivery: Delivery) -> bool:
        """Keep it; False if it was there already. TooLarge, or TryLater if it was not stored."""
        items = self._items(delivery)
        try:
            if len(items) == 1:
                self._client.put_item(**self._once(items[0]))
            else:
                writes: Any = [{"Put": self._once(item)} for item in items]
                self._client.transact_write_items(TransactItems=writes)
        except (BotoCoreError, ClientError) as error:
            if _condition_failed(error):
                return False
            raise TryLater(f"the Inbox cannot be written: {type(error).__name__}") from error
        return True

    def read(self, image: Mapping[str, Any]) -> Delivery:
        """The delivery of a stream record's new image, its other parts fetched."""
        return self._whole(image, base64.b64decode(image["body"]["B"]))

    def load(self, key: str) -> Delivery | None:
        """The delivery of that key, if it is still kept."""
        item = self._get(key)
        return self._whole(item, item["body"]["B"]) if "channel" in item else None

    def received(
        self, since: datetime, until: datetime, channel: str | None = None
    ) -> Iterator[tuple[str, str]]:
        """When (ISO 8601) and under which keys deliveries came, or were replayed, in that time; in
        no order. Reads the whole table."""
        condition = "#channel = :channel" if channel else "attribute_exists(#channel)"
        given = {":channel": {"S": channel}} if channel else {}
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            ProjectionExpression="#key, received_at",
            FilterExpression=f"{condition} AND (received_at BETWEEN :since AND :until"
            " OR replayed_at BETWEEN :since AND :until)",
            ExpressionAttributeNames={"#key": "key", "#channel": "channel"},
            ExpressionAttributeValues=given
            | {
                ":since": {"S": since.astimezone(UTC).isoformat()},
                ":until": {"S": until.astimezone(UTC).isoformat()},
            },
        )
        for page in pages:
            for item in page["Items"]:
                yield item["received_at"]["S"], item["key"]["S"]

    def replay(self, key: str, now: datetime) -> bool:
        """Let the stream bring it to classify once more; False if it is not kept any more."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                UpdateExpression="SET replayed_at = :now",
                ConditionExpression="attribute_exists(channel)",
                ExpressionAttributeValues={":now": {"S": now.isoformat()}},
            )
        except ClientError as error:
            if _condition_failed(error):
                return False
            raise
        return True

    def each(self) -> Iterator[tuple[Delivery, datetime]]:
        """Every whole delivery, and when it last went to classify. Reads the whole table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="attribute_exists(channel)",
        )
        for item in chain.from_iterable(page["Items"] for page in pages):
            last_at = item.get("replayed_at", item["received_at"])["S"]
            with suppress(Unreadable):
                yield self._whole(item, item["body"]["B"]), datetime.fromisoformat(last_at)

    def erase(self, key: str) -> None:
        """Nothing of it is left but its key, until that expires."""
        head = {
            "TableName": self._table,
            "Key": {"key": {"S": key}},
            "UpdateExpression": "REMOVE channel, body, parts",
            "ConditionExpression": "attribute_exists(channel)",
        }
        parts = int(self._get(key).get("parts", {"N": "0"})["N"])
        rest = [
            {"TableName": self._table, "Key": {"key": {"S": f"{key}#{part}"}}}
            for part in range(1, parts)
        ]
        writes: Any = [{"Update": head}, *({"Delete": part} for part in rest)]
        try:
            self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if not _condition_failed(error):  # it has expired, or was erased already
                raise

    def _whole(self, item: Mapping[str, Any], first: bytes) -> Delivery:
        key, parts = item["key"]["S"], int(item["parts"]["N"])
        body = first + b"".join(self._part(f"{key}#{part}") for part in range(1, parts))
        return Delivery(
            channel=item["channel"]["S"],
            body=_unpacked(body),
            received_at=datetime.fromisoformat(item["received_at"]["S"]),
        )

    def _items(self, delivery: Delivery) -> list[dict[str, Any]]:
        packed = zlib.compress(delivery.body)
        parts = [packed[at : at + PART_BYTES] for at in range(0, len(packed), PART_BYTES)]
        if len(parts) > MOST_PARTS:
            raise TooLarge(f"{len(delivery.body)} bytes, {len(packed)} compressed")
        expires = {"expires_at": {"N": str(_epoch(delivery.received_at + self._retention))}}
        head = {
            "key": {"S": delivery.key},
            "channel": {"S": delivery.channel},
            "parts": {"N": str(len(parts))},
            "received_at": {"S": delivery.received_at.isoformat()},
            "body": {"B": parts[0]},
        }
        rest = [
            {"key": {"S": f"{delivery.key}#{number}"}, "body": {"B": part}}
            for number, part in enumerate(parts[1:], 1)
        ]
        return [item | expires for item in (head, *rest)]

    def _once(self, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": "key"},
        }

    def _part(self, key: str) -> bytes:
        item = self._get(key)
        if "body" not in item:  # written in one transaction: it has expired, and stays away
            raise Unreadable("a part of it has expired")
        body: bytes = item["body"]["B"]
        return body

    def _get(self, key: str) -> Mapping[str, Any]:
        found = self._client.get_item(
            TableName=self._table, Key={"key": {"S": key}}, ConsistentRead=True
        )
        return found.get("Item") or {}


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error:
        raise Unreadable("it is not what was written") from None


def _condition_failed(error: Exception) -> bool:
    """Whether a condition failed, alone or as the reason of a cancelled transaction."""
    response = error.response if isinstance(error, ClientError) else {}
    codes = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
    codes.add(response.get("Error", {}).get("Code"))
    return bool(codes & {"ConditionalCheckFailed", "ConditionalCheckFailedException"})


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
