"""The brand's accounts: whether a platform takes anything from them at the moment.

    open ──token refused──▶ dead (for that secret) ──the secret changes──▶ open
      └──a limit is near or reached──▶ resting until … ──▶ open

One item an account in the Conversations table: `<channel>#<account>`, `ACCOUNT`. What is to be said
while an account is dead goes to humans; while it rests, it waits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from firstreply.conversations import refused_item
from firstreply.errors import AccountDead, RateLimited
from firstreply.secrets import Section

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class Accounts:
    """Reads and writes how accounts stand. `retention`: how long after the last write."""

    table: Table
    retention: timedelta

    def require_open(self, channel: str, account: str, secret: Section, now: datetime) -> None:
        """AccountDead or RateLimited if nothing may be said for it now."""
        known = self.table.get_item(Key=_key(channel, account)).get("Item") or {}
        if known.get("dead_for") == _fingerprint(secret):
            raise AccountDead(str(known["reason"]))
        left = int(str(known.get("rests_until", 0))) - int(now.timestamp())
        if left > 0:
            raise RateLimited("the account rests", after=left)

    def stop(self, channel: str, account: str, secret: Section, reason: str, now: datetime) -> None:
        """Nothing more for this account, until the channel's secret is another one."""
        self.table.update_item(
            Key=_key(channel, account),
            UpdateExpression="SET dead_for = :secret, reason = :reason, expires_at = :expires",
            ExpressionAttributeValues={
                ":secret": _fingerprint(secret),
                ":reason": reason,
                ":expires": int((now + self.retention).timestamp()),
            },
        )

    def rest(self, channel: str, account: str, seconds: int, now: datetime) -> None:
        """Nothing for this account for so long; a longer rest stays."""
        until = int(now.timestamp()) + seconds
        try:
            self.table.update_item(
                Key=_key(channel, account),
                UpdateExpression="SET rests_until = :until, expires_at = :expires",
                ConditionExpression=Attr("rests_until").not_exists()
                | Attr("rests_until").lt(until),
                ExpressionAttributeValues={
                    ":until": until,
                    ":expires": int((now + self.retention).timestamp()),
                },
            )
        except ClientError as error:
            refused_item(error)


def _key(channel: str, account: str) -> dict[str, str]:
    """A conversation's key has a third part."""
    return {"conversation": f"{channel}#{quote(account, safe='')}", "item": "ACCOUNT"}


def _fingerprint(secret: Section) -> str:
    """Tells one secret from another, and nothing else about it."""
    return sha256(json.dumps(secret, sort_keys=True).encode()).hexdigest()
