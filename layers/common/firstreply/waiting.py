"""How long customers wait for a human, as measured: what may be expected is never invented.

One item for each brand account and hour class in the Conversations table: `<channel>#<account>`,
`WAITS#open` or `WAITS#closed`, with the last waits, newest first, one of each customer: no one of
them tells how long others wait. A wait is from the first message that wanted an answer and had none
until a human gave one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from firstreply.aws import refused_item
from firstreply.conversations import Conversations
from firstreply.hours import Hours
from firstreply.message import Conversation
from firstreply.observe import took
from firstreply.policy import Policy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# The last so many are kept; fewer than that say nothing yet.
MOST, ENOUGH = 20, 8
# For so long an instance goes by what it has read.
FRESH = timedelta(minutes=5)
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """`promise`: what the policy promises while too little is measured, if it does."""

    conversations: Conversations
    hours: Hours
    promise: timedelta | None
    clock: Callable[[], datetime]
    _read: dict[tuple[str, str], tuple[datetime, timedelta | None]] = field(default_factory=dict)

    @classmethod
    def under(
        cls, policy: Policy, conversations: Conversations, clock: Callable[[], datetime]
    ) -> Waiting:
        return cls(
            conversations=conversations, hours=policy.hours, promise=policy.promise, clock=clock
        )

    def note(self, conversation: Conversation, answered_at: datetime) -> None:
        """A human answers: to be told before it is noted when a human last did. Telling it again is
        harmless. Measured once, however often it is told."""
        first = self.conversations.first_unanswered(conversation, answered_at)
        if first is None:
            return
        hours = self._hour_class(first.sent_at)
        key = _key(conversation, hours)
        seconds = max(0, int((answered_at - first.sent_at).total_seconds()))
        who = sha256(conversation.key.encode()).hexdigest()[:16]
        wait = {"who": who, "at": int(first.sent_at.timestamp()), "seconds": seconds}
        for _ in range(_TRIES):  # a few at once may lose one: they are many
            is_known = self._keep(key, wait)
            if is_known is not None:
                break
        if not is_known:
            took("HumanAnswerSeconds", seconds, channel=conversation.channel, hours=hours)

    def expected(self, conversation: Conversation) -> timedelta | None:
        """Within which a human is expected to answer what is written now; None if nobody knows."""
        now = self.clock()
        hour_class = self._hour_class(now)
        key = _key(conversation, hour_class)
        name = (key["conversation"], hour_class)
        read_at, found = self._read.get(name, (None, None))
        if read_at is None or not timedelta() <= now - read_at < FRESH:
            found = self._measured(key)
            self._read[name] = (now, found)
        return found or (self.promise if hour_class == "open" else None)

    def _measured(self, key: Mapping[str, str]) -> timedelta | None:
        waits = _waits(self._table.get_item(Key=key).get("Item"))
        if len(waits) < ENOUGH:
            return None
        return timedelta(seconds=float(median(int(one["seconds"]) for one in waits)))

    def _keep(self, key: dict[str, str], wait: Mapping[str, Any]) -> bool | None:
        """Whether it was known before; None if somebody else kept one meanwhile."""
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item") or {}
        waits, seen = _waits(item), item.get("version", 0)
        others = [one for one in waits if one["who"] != wait["who"]]
        if any(one["at"] >= wait["at"] for one in waits if one not in others):
            return True
        if len(others) == MOST and all(one["at"] > wait["at"] for one in others):
            return False  # too old to be among the last
        newest = sorted((wait, *others), key=lambda one: int(one["at"]), reverse=True)[:MOST]
        try:
            self._table.update_item(
                Key=key,
                UpdateExpression="SET waits = :waits, version = :next, expires_at = :expires",
                ConditionExpression=Attr("version").not_exists() | Attr("version").eq(seen),
                ExpressionAttributeValues={
                    ":waits": newest,
                    ":next": int(str(seen)) + 1,
                    ":expires": self.conversations.expires_at(self.clock()),
                },
            )
        except ClientError as error:
            refused_item(error)
            return None
        return False

    def _hour_class(self, at: datetime) -> str:
        return "open" if self.hours.is_open(at) else "closed"

    @property
    def _table(self) -> Table:
        return self.conversations.table


def _waits(item: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return list((item or {}).get("waits", ()))


def _key(conversation: Conversation, hour_class: str) -> dict[str, str]:
    """A conversation's key has a third part."""
    account = f"{conversation.channel}#{quote(conversation.account, safe='')}"
    return {"conversation": account, "item": f"WAITS#{hour_class}"}
