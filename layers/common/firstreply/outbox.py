"""The outbox: every reply is a record, and says where it stands.

    (none) ──claim──▶ claimed ──begin──▶ sending ──settle──▶ sent (its id)
      ▲                 │ lease ends       │ │           ├─▶ refused (reason)
      └─────────────────┘                  │ │           └─▶ unknown (reason)
      └──release: nothing was sent─────────┘ └──rearm──▶ claimed
    settle sent: also by the platform's own word, its echo (recognise), from any other state.
    rearm: from sending or unknown once their lease is over (a platform may take a moment to show
    what it accepted), and only when the platform has shown that the reply is not there. Nothing
    else leads back: `sending` is never repeated blindly.

The claim names its owner: botocore repeats a write whose answer was lost, and the repeat fails its
own condition; "mine already" must not look like "somebody else's".

An agent's reply is named by the request alone. Who asks again for something else under the same
name gets what was claimed first: `digest` tells. A long one may be a thread: an entry for each of
its parts, claimed when the one before is sent. How many there are is settled by the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape
from typing import TYPE_CHECKING, Any, Literal
from unicodedata import normalize

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from firstreply.aws import Item, refused_item
from firstreply.conversations import (
    Conversations,
    Found,
    answered_on,
    day_of,
    person_key,
    reply_item,
)
from firstreply.errors import TryLater
from firstreply.message import Conversation, Reply, Spoken
from firstreply.privacy import mask

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase

# Longer than respond may run (template.yaml: 45 s), so that a live sender is never overtaken.
LEASE = timedelta(seconds=60)

type State = Literal["claimed", "sending", "sent", "refused", "unknown"]
type Bar = Literal["cool_down", "daily_cap", "other_account"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What an automatic answer has to wait for, and how many messages a day are answered.
    `is_shared`: another account of the brand's may be told of the same public message."""

    cool_down: timedelta
    most_a_day: int
    is_shared: bool = True


class Entry(BaseModel):
    """Where a reply stands. `lease_until` is in unix seconds; `told` is what its case knows of it;
    `digest` tells what an agent wants said, and in answer to what, in how many `parts`."""

    model_config = ConfigDict(defer_build=True, frozen=True, hide_input_in_errors=True)

    state: State
    owner: str
    lease_until: int
    reason: str = ""
    platform_id: str = ""
    handed_over: bool = False
    rearmed: int = 0  # how often it was
    began_at: datetime | None = None
    told: frozenset[str] = frozenset()
    digest: str | None = None
    parts: int = 1

    @property
    def sent_as(self) -> str | None:
        """The platform's id of it, if it is there and no human has been asked to say it."""
        return self.platform_id if self.state == "sent" and not self.handed_over else None


class Outbox:
    """The replies of the Conversations table. `owner` is unique to one invocation."""

    def __init__(self, conversations: Conversations, owner: str) -> None:
        self._conversations, self._owner = conversations, owner
        self._table = conversations.table

    def claim(self, reply: Reply, now: datetime) -> Entry:
        """Take it, or see where it stands; `is_mine` tells which."""
        is_new = Attr("state").not_exists()
        lease_is_over = Attr("state").eq("claimed") & Attr("lease_until").lt(_epoch(now))
        is_mine = Attr("state").eq("claimed") & Attr("owner").eq(self._owner)
        return self._to_claimed(reply, now, is_new | lease_is_over | is_mine)

    def rearm(self, reply: Reply, seen: Entry, now: datetime) -> Entry:
        """Take it again, after the platform has shown that it is not there. `seen` is what was
        asked about: if somebody has tried since, the platform's answer is no longer true."""
        is_in_doubt = Attr("state").is_in(["sending", "unknown"])
        has_settled_down = Attr("lease_until").lt(_epoch(now))
        is_nobody_s = Attr("handed_over").not_exists()
        return self._to_claimed(
            reply,
            now,
            is_in_doubt & has_settled_down & is_nobody_s & _is_still(seen),
            rearmed=seen.rearmed + 1,
        )

    def is_other(self, reply: Reply, entry: Entry) -> bool:
        """Whether the same request has asked for something else before."""
        return entry.digest is not None and entry.digest != _digest(reply)

    def is_mine(self, entry: Entry) -> bool:
        return entry.state == "claimed" and entry.owner == self._owner

    def begin(self, reply: Reply, now: datetime, turn: Turn | None) -> Bar | None:
        """Mark it as being sent, or say what came first: another automatic answer within the
        cool-down, as many as a day allows, or another account's to the same public message.
        `turn` is None for what a human wrote.

        Three writes of one item each, since a transaction costs twice as much. Each is a condition
        that one of several at the same instant meets, and the last of them alone lets send: of two
        messages one is answered. Each knows who met it (the account, the message, the claim's
        owner), so a repeat meets it again: a crash between them, or a lost answer, leaves nothing
        to undo. At worst a turn was taken for a message that is not sent: what comes within the
        cool-down keeps silent then, and a human has it.
        A second answer to the same message (in private) takes no second turn.
        """
        try:
            if turn and (
                bar := self._speak_for_all(reply, now, turn) or self._take(reply, now, turn)
            ):
                return bar
            self._start(reply, now)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise TryLater(f"reply could not be begun: {code}", after=1) from error
        return None

    def release(self, reply: Reply) -> None:
        """Back to the start, when it is certain that nothing was sent; if it is ours."""
        try:
            self._table.update_item(
                Key=_key(reply),
                UpdateExpression="REMOVE #state",
                ConditionExpression=Attr("state").is_in(["claimed", "sending"])
                & Attr("owner").eq(self._owner),
                ExpressionAttributeNames={"#state": "state"},
            )
        except ClientError as error:
            refused_item(error)

    def settle(
        self,
        reply: Reply,
        state: State,
        *,
        platform_id: str = "",
        reason: str = "",
        handed_over: bool = False,
        ask_from: datetime | None = None,
        seen: Entry | None = None,
    ) -> None:
        """Record the outcome: the platform's id of what was sent, or the reason it was not.

        `handed_over`: no human has to be told any more. `ask_from`: before then the platform may
        not show yet what it accepted. `seen`: TryLater if it is no longer as it was seen.
        What the platform has told to be sent stays so, whatever was concluded meanwhile.
        """
        facts: dict[str, Any] = {"state": state, "reason": reason}
        if platform_id:  # an index takes no empty one
            facts |= {"platform_id": platform_id}
        if handed_over:
            facts |= {"handed_over": True}
        if ask_from:
            facts |= {"lease_until": _epoch(ask_from)}
        condition: dict[str, Any] = {}
        if seen:
            condition = {"ConditionExpression": _is_still(seen)}
        elif state != "sent":
            is_open = Attr("state").not_exists() | Attr("state").ne("sent")
            condition = {"ConditionExpression": is_open}
        try:
            self._table.update_item(
                Key=_key(reply),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in facts),
                ExpressionAttributeNames={f"#{name}": name for name in facts},
                ExpressionAttributeValues={f":{name}": value for name, value in facts.items()},
                **condition,
            )
        except ClientError as error:
            refused_item(error)
            raise TryLater("somebody else has moved the reply on", after=1) from error

    def recognise(
        self, channel: str, conversations: Iterable[Conversation], spoken: Spoken
    ) -> Item | None:
        """The reply that this is, as it was known before; None if somebody else said it. If we did
        not know that it arrived, now we do.

        By the key that came back with it, by its id, or else by its words while we wait for them:
        among our answers in these conversations, and those to others of the same thread, since a
        platform may put them all under the comment at its top.
        """
        found: list[Item] = []
        for conversation in conversations:
            if spoken.reply_key:
                name = reply_item(spoken.reply_key)
                found.append(self._conversations.item(conversation, name))
            else:
                ours = self._conversations.items(conversation, "REPLY#")
                found += [one for one in ours if _may_answer(one, spoken.in_reply_to)]
        for one in self._elsewhere(channel, spoken):
            found.append(self._conversations.item(one.conversation, one.item))
        for is_this in (_is_surely, _is_in_these_words):
            for item in found:
                if "state" in item and is_this(item, spoken):
                    if item["state"] != "sent":
                        self._note_sent(item, spoken.id)
                    return item
        return None

    def mark_handed_over(self, reply: Reply) -> None:
        """A human has it."""
        self._table.update_item(
            Key=_key(reply),
            UpdateExpression="SET handed_over = :yes",
            ExpressionAttributeValues={":yes": True},
        )

    def _elsewhere(self, channel: str, spoken: Spoken) -> Iterator[Found]:
        ids = [spoken.id, *([_under(spoken.in_reply_to)] if spoken.in_reply_to else [])]
        for one in ids:
            for found in self._conversations.find(channel, spoken.account, one):
                if found.item.startswith("REPLY#"):
                    yield found

    def _note_sent(self, item: Item, platform_id: str) -> None:
        self._table.update_item(
            Key={"conversation": item["conversation"], "item": item["item"]},
            UpdateExpression="SET #state = :sent, platform_id = :id",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":sent": "sent", ":id": platform_id},
        )

    def _to_claimed(
        self, reply: Reply, now: datetime, condition: ConditionBase, **more: int
    ) -> Entry:
        lease_until = _epoch(now + LEASE)
        facts = {
            "state": "claimed",
            "owner": self._owner,
            "lease_until": lease_until,
            "expires_at": self._conversations.expires_at(now),
            **_kept(reply),
            **more,
        }
        if reply.by_human:
            is_same = Attr("digest").not_exists() | Attr("digest").eq(facts["digest"])
            condition = condition & is_same
        try:
            self._table.update_item(
                Key=_key(reply),
                UpdateExpression="SET "
                + ", ".join(f"#{name} = :{name}" for name in facts)
                # It stays what it was once the platform has named it.
                + ", platform_id = if_not_exists(platform_id, :under)",
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in facts},
                ExpressionAttributeValues={f":{name}": value for name, value in facts.items()}
                | {":under": _under(_top(reply))},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            stored = refused_item(error)
            if stored and "state" not in stored and stored.get("digest") != facts.get("digest"):
                stored = {**stored, "state": "claimed"}  # what was asked for first waits for a try
            if stored is None or "state" not in stored:
                raise TryLater("reply was released while it was claimed", after=1) from error
            return Entry.model_validate(stored)
        return Entry(
            state="claimed",
            owner=self._owner,
            lease_until=lease_until,
            parts=reply.part.of if reply.part else 1,
        )

    def _start(self, reply: Reply, now: datetime) -> None:
        """Once for each claim: the same moment is botocore's repeat."""
        began_at = _stamp(now)
        is_repeat = Attr("state").eq("sending") & Attr("began_at").eq(began_at)
        self._table.update_item(
            Key=_key(reply),
            UpdateExpression="SET #state = :sending, lease_until = :lease, began_at = :now",
            ConditionExpression=Attr("owner").eq(self._owner)
            & (Attr("state").eq("claimed") | is_repeat),
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={
                ":sending": "sending",
                ":lease": _epoch(now + LEASE),
                ":now": began_at,
            },
        )

    def _speak_for_all(self, reply: Reply, now: datetime, turn: Turn) -> Bar | None:
        """A post that names two accounts of the brand's is answered by one of them."""
        where = reply.message.conversation
        if not (turn.is_shared and reply.message.public):
            return None
        try:
            self._table.update_item(
                Key={"conversation": f"{where.channel}#{reply.message.id}", "item": "ANSWERED"},
                UpdateExpression="SET #by = :us, expires_at = :expires",
                ConditionExpression=Attr("by").not_exists() | Attr("by").eq(where.account),
                ExpressionAttributeNames={"#by": "by"},
                ExpressionAttributeValues={
                    ":us": where.account,
                    ":expires": self._conversations.expires_at(now),
                },
            )
        except ClientError as error:
            refused_item(error)
            return "other_account"
        return None

    def _take(self, reply: Reply, now: datetime, turn: Turn) -> Bar | None:
        """The conversation's turn, and one of its day's (UTC): the messages that the day answered
        are kept, each counted once. The first of a day replaces them, another joins them."""
        this, today, over = reply.message.id, day_of(now), _stamp(now - turn.cool_down)
        facts: dict[str, Any] = {
            ":now": _stamp(now),
            ":this": this,
            ":these": {this},
            ":expires": self._conversations.expires_at(now),
        }
        taken = " automatic_at = :now, automatic_for = :this, expires_at = :expires"
        is_due = (
            Attr("automatic_at").not_exists()
            | Attr("automatic_at").lte(over)
            | Attr("automatic_for").eq(this)
        )
        # Later than today: by the clock of who was here at midnight.
        is_first = Attr("answered_day").not_exists() | Attr("answered_day").lt(today)
        has_room = Attr("answered").size().lt(turn.most_a_day) | Attr("answered").contains(this)
        joins = Attr("answered_day").gte(today) & has_room
        first = f"SET answered = :these, answered_day = :today,{taken}"
        for change, condition, more in (
            (first, is_first & is_due, {":today": today}),
            (f"ADD answered :these SET{taken}", joins & is_due, {}),
        ):
            try:
                self._table.update_item(
                    Key=person_key(reply.message.conversation),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=facts | more,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                person = refused_item(error) or {}
            else:
                return None
            if person.get("automatic_for") != this and person.get("automatic_at", "") > over:
                return "cool_down"
            answered = answered_on(person, now)
            if this not in answered and len(answered) >= turn.most_a_day:
                return "daily_cap"
        raise TryLater("somebody else was answered at the same instant", after=1)


def _kept(reply: Reply) -> dict[str, Any]:
    """What is remembered of what we say; of a human's, also what tells it from any other."""
    kept: dict[str, Any] = {
        "text": mask(reply.text),
        "answers": reply.answers,
        "is_public": reply.is_public,
    }
    if reply.by_human:
        kept |= {"author": reply.author, "request_id": reply.request_id, "digest": _digest(reply)}
        kept |= {"parts": reply.part.of if reply.part else 1, "message_id": reply.message.id}
    return {name: value for name, value in kept.items() if value is not None}


def _digest(reply: Reply) -> str:
    """Of the whole: every part has the same."""
    text = reply.part.whole if reply.part else reply.text
    what = f"{reply.message.id}\0{reply.in_private}\0{text}"
    return sha256(what.encode(errors="surrogatepass")).hexdigest()[:32]


def _may_answer(item: Item, message_id: str | None) -> bool:
    """None: the platform does not say what was answered."""
    if message_id is None:
        return True
    return item.get("answers") == message_id or item["item"].startswith(f"REPLY#{message_id}#")


def _top(reply: Reply) -> str:
    """What a platform may say that it stands under."""
    if reply.answers != reply.message.id:
        return reply.answers
    return reply.message.in_reply_to or reply.message.id


def _under(message_id: str) -> str:
    """Where an answer will stand: its entry in the index, until it has an id of its own."""
    return f"under {message_id}"


def _is_surely(item: Item, spoken: Spoken) -> bool:
    is_named = spoken.reply_key is not None and item["item"] == reply_item(spoken.reply_key)
    return is_named or item.get("platform_id") == spoken.id


def _is_in_these_words(item: Item, spoken: Spoken) -> bool:
    is_awaited = item["state"] in ("sending", "unknown")
    return is_awaited and _words(item["text"]) == _words(mask(spoken.text))


def _words(text: str) -> list[str]:
    """What stays the same on the way through a platform: it may escape a text, put @handles before
    it, shorten its links and add one of its own."""
    words = normalize("NFC", unescape(text)).split()
    while words and words[0].startswith("@"):
        del words[0]
    return [word for word in words if not re.search(r"://|\w\.\w", word)]


def _is_still(seen: Entry) -> ConditionBase:
    """As it was when we read it: any claim or outcome since has changed one of these."""
    return (
        Attr("state").eq(seen.state)
        & Attr("owner").eq(seen.owner)
        & Attr("lease_until").eq(seen.lease_until)
    )


def _key(reply: Reply) -> dict[str, str]:
    return {"conversation": reply.message.conversation.key, "item": reply_item(reply.key)}


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
