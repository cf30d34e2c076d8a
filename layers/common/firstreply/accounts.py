"""The brand's accounts: whether a platform takes anything from them at the moment.

    open ──token refused──▶ dead (for that secret) ──the secret changes──▶ open
      └──a limit is near or reached──▶ resting until … ──▶ open

One item an account in the Conversations table: `<channel>#<account>`, `ACCOUNT`. What is to be said
while an account is dead goes to humans; while it rests, it waits. It rests from everything, or
from what is said in public or in private alone, as the platform's limits go.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from firstreply.aws import refused_item
from firstreply.errors import AccountDead, RateLimited, TryLater
from firstreply.observe import count, decided
from firstreply.secrets import Secrets, Section, accounts_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from firstreply.platform import Platform

type Scope = Literal["all", "public", "private"]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Reads and writes how accounts stand. `retention`: how long after the last write."""

    table: Table
    retention: timedelta
    secrets: Secrets
    clock: Callable[[], datetime]

    def require_open(self, channel: str, account: str, scope: Scope, platform: Platform) -> None:
        """AccountDead or RateLimited if nothing of this kind may be said for it now; TryLater if
        the secret has changed meanwhile."""
        known = self.table.get_item(Key=_key(channel, account)).get("Item") or {}
        if known.get("dead_for") == _fingerprint(platform.secret, account):
            self._require_same_secret()
            count("AccountDead")
            raise AccountDead(str(known["reason"]))
        until = max(int(str(known.get(f"rests_{one}", 0))) for one in ("all", scope))
        left = until - int(self.clock().timestamp())
        if left > 0:
            raise RateLimited("the account rests", after=left)

    def note(
        self, channel: str, account: str, platform: Platform, error: Exception | None = None
    ) -> None:
        """What a call has told, for all who come after: the token is dead, or the platform wants
        to be left alone for a while. TryLater if another secret may be better."""
        for scope, seconds in platform.rests.items():
            self._rest(channel, account, scope, seconds)
        if isinstance(error, AccountDead):
            self._require_same_secret()
            self.stop(channel, account, platform.secret, error.reason)

    def stop(self, channel: str, account: str, secret: Section, reason: str) -> None:
        """Nothing more for this account, until the channel's secret is another one."""
        decided("account", "stopped", reason, level="error", channel=channel, account=account)
        count("AccountDead")
        self.table.update_item(
            Key=_key(channel, account),
            UpdateExpression="SET dead_for = :secret, reason = :reason, expires_at = :expires",
            ExpressionAttributeValues={
                ":secret": _fingerprint(secret, account),
                ":reason": reason,
                ":expires": self._expires(),
            },
        )

    def _rest(self, channel: str, account: str, scope: Scope, seconds: int) -> None:
        """A longer rest stays."""
        until = int(self.clock().timestamp()) + seconds
        try:
            self.table.update_item(
                Key=_key(channel, account),
                UpdateExpression=f"SET rests_{scope} = :until, expires_at = :expires",
                ConditionExpression=Attr(f"rests_{scope}").not_exists()
                | Attr(f"rests_{scope}").lt(until),
                ExpressionAttributeValues={":until": until, ":expires": self._expires()},
            )
        except ClientError as error:
            refused_item(error)

    def _require_same_secret(self) -> None:
        if self.secrets.refetch():
            raise TryLater("the secret has changed", after=1)

    def _expires(self) -> int:
        return int((self.clock() + self.retention).timestamp())


def _key(channel: str, account: str) -> dict[str, str]:
    """A conversation's key has a third part."""
    return {"conversation": f"{channel}#{quote(account, safe='')}", "item": "ACCOUNT"}


def _fingerprint(secret: Section, account: str) -> str:
    """Tells what opens an account from what opened it before, and nothing else about it."""
    shared = {name: value for name, value in secret.items() if name != "accounts"}
    keys = [shared, accounts_of(secret).get(account)]
    return sha256(json.dumps(keys, sort_keys=True).encode()).hexdigest()
