"""The Conversations table: all that is remembered of a customer, a partition a conversation.

conversation  meta#<account>#<customer>
item          MSG#<message id>             a message and what we made of it (Remembered)
              REPLY#<message id>#<kind>    what we said (outbox.py)
              REPLY#agent-<hash>           what an agent said, by the event that asked for it
              HUMAN#<id>                   what a human said for the brand in the platform's own app
              CASE                         its case, open or closed (escalate's cases.py)
              PERSON                       when we, and when a human, last answered; the messages
                                           that we answered on the last such day
              CHOICE                       that they want no automatic answers, or want them again

Messages, sent replies and humans' words carry their `platform_id`; the index of that name finds
them when the platform does not say whose conversation it speaks of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from firstreply.aws import Item, refused_item
from firstreply.errors import TryLater
from firstreply.message import Conversation, Message, Spoken
from firstreply.policy import NOTHING, Decision, Recognised, Standing
from firstreply.queues import CloseCase
from firstreply.understanding import Understanding

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from mypy_boto3_dynamodb.service_resource import Table

INDEX = "platform_id"
# What an edit changes of a remembered message.
_EDITED = frozenset(
    {
        *("message", "understanding", "decision", "recognised"),
        *("acknowledgement", "continuation", "edited_at"),
    }
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where something with a platform's id is kept."""

    conversation: Conversation
    item: str

    @property
    def is_message(self) -> bool:
        return self.item.startswith("MSG#")


class Remembered(BaseModel):
    """A message with what we made of it: `acknowledgement` is what to say at once, if anything, and
    `continuation` what to say in private besides; `recognised` what the brand's data knew of it;
    `case_id` the case that has it, once one does, `told` in which words, and `withdrawn` which of
    them it was asked to forget; `delivery` the Inbox's key of what brought it. Of a removed one
    nothing is left but its ids."""

    model_config = ConfigDict(defer_build=True, frozen=True, hide_input_in_errors=True)

    message: Message
    understanding: Understanding
    decision: Decision
    acknowledgement: str | None = None
    continuation: str | None = None
    recognised: Recognised = NOTHING
    case_id: str | None = None
    edited_at: datetime | None = None
    removed_at: datetime | None = None
    is_hidden: bool = False
    told: str | None = None
    withdrawn: str | None = None
    delivery: str | None = None

    @property
    def waits_for_human(self) -> bool:
        """Whether the customer wants something, and got no more than an acknowledgement."""
        is_told = self.acknowledgement is not None and self.decision.answer is not None
        return self.understanding.intent in ("complaint", "question") and not is_told


class Case(BaseModel):
    """The case of a conversation, in its `turn`: each opening and each closing begins a new one.

    `opened_by` is the message that opened it last, in those `words`, and `since` the time from when
    it is open (`opened_at`, `network`: at first). `is_announced`: the helpdesk has been told how it
    stands, so it may be told more. `heard_by` is what it was told of last, at `heard_at`, and
    `heard_again` that it knew that message before: what is new are its words, or a reply's failure.
    `closed_by` is the wish that closed it last, at `closed_at`; `closings` are the keys of all."""

    model_config = ConfigDict(defer_build=True, frozen=True, hide_input_in_errors=True)

    case_id: str
    opened_by: str
    opened_at: datetime
    network: str = ""
    words: str = ""
    since: datetime | None = None
    turn: int = 0
    is_open: bool = True
    is_announced: bool = False
    heard_by: str | None = None
    heard_at: datetime | None = None
    heard_again: bool = False
    closed_by: CloseCase | None = None
    closed_at: datetime | None = None
    closings: frozenset[str] = frozenset()
    expires_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Uttered:
    """What the brand said. `id` is the platform's; `public` is None if that is not known."""

    by: Literal["firstreply", "agent", "human"]
    id: str
    text: str
    at: datetime
    public: bool | None = None
    in_reply_to: str | None = None
    name: str | None = None
    request_id: str | None = None


def to_item(value: BaseModel) -> dict[str, Any]:
    """As DynamoDB takes it: no floats, times as ISO 8601, nothing that is None."""
    text = value.model_dump_json(exclude_none=True)
    item: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return item


def message_key(conversation: Conversation, message_id: str) -> dict[str, str]:
    return {"conversation": conversation.key, "item": f"MSG#{message_id}"}


def person_key(conversation: Conversation) -> dict[str, str]:
    return {"conversation": conversation.key, "item": "PERSON"}


def day_of(now: datetime) -> str:
    """The day (UTC) that automatic answers are counted by."""
    return f"{now.astimezone(UTC).date()}"


def answered_on(person: Item, now: datetime) -> frozenset[str]:
    """The messages that got an automatic answer this day, as PERSON has them."""
    return frozenset(person["answered"] if person.get("answered_day", "") >= day_of(now) else ())


def choice_key(conversation: Conversation) -> dict[str, str]:
    return {"conversation": conversation.key, "item": "CHOICE"}


def case_key(conversation: Conversation) -> dict[str, str]:
    return {"conversation": conversation.key, "item": "CASE"}


def reply_item(key: str) -> str:
    """An agent's reply is known by its request alone, whichever message that says it answers."""
    kind = key.rpartition("#")[2]
    return f"REPLY#{kind if kind.startswith('agent-') else key}"


class Conversations:
    """Reads and writes messages, standing and cases. `retention`: how long after the last write."""

    def __init__(self, table: Table, retention: timedelta) -> None:
        self.table, self.retention = table, retention

    def expires_at(self, now: datetime) -> int:
        return int((now + self.retention).timestamp())

    def remember(self, remembered: Remembered, now: datetime) -> Remembered | None:
        """Keep it once; what was kept first, if it was there already; None if it was removed
        before it came."""
        message = remembered.message
        key = message_key(message.conversation, message.id)
        item = to_item(remembered) | {
            "platform_id": message.id,
            "expires_at": self.expires_at(now),
        }
        if remembered.edited_at:
            item["edited_ms"] = _ms(remembered.edited_at)
        try:
            self.table.put_item(
                Item=item | key,
                ConditionExpression=Attr("item").not_exists(),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            stored = refused_item(error)
            if stored is None or "message" in stored or "removed_at" in stored:
                return _remembered(stored or item)
            # Something was told of it before it came: that stays.
            is_new = Attr("message").not_exists() & Attr("removed_at").not_exists()
            self._change(key, {k: v for k, v in item.items() if k not in stored}, is_new)
            return self.load(message.conversation, message.id)
        return remembered

    def edit(self, remembered: Remembered, at: datetime) -> bool:
        """Keep how a remembered message reads since then; False if it is removed or has been
        edited later. Doing it twice is doing it once."""
        changed = {name: value for name, value in to_item(remembered).items() if name in _EDITED}
        is_newer = Attr("edited_ms").not_exists() | Attr("edited_ms").lte(_ms(at))
        return self._change(
            message_key(remembered.message.conversation, remembered.message.id),
            changed | {"edited_ms": _ms(at)},
            Attr("message").exists() & Attr("removed_at").not_exists() & is_newer,
        )

    def hide(
        self,
        conversation: Conversation,
        message_id: str,
        at: datetime,
        now: datetime,
        *,
        hidden: bool,
    ) -> None:
        """Note that a message is not public any more, or again; it may still be to come."""
        is_newer = Attr("hidden_ms").not_exists() | Attr("hidden_ms").lt(_ms(at))
        hiding = {"is_hidden": hidden, "hidden_ms": _ms(at), "expires_at": self.expires_at(now)}
        self._change(message_key(conversation, message_id), hiding, is_newer)

    def remove(
        self, conversation: Conversation, message_id: str, at: datetime, now: datetime
    ) -> Remembered | None:
        """Erase what it said; the rest of it, None if it was not known. One that comes after its
        removal is not remembered any more."""
        key = message_key(conversation, message_id)
        remembered = self.load(conversation, message_id)
        if remembered:
            erased = to_item(_without_words(remembered)) | {"removed_at": at.isoformat()}
            self._change(key, erased, Attr("message").exists())
            return self.load(conversation, message_id)
        tombstone = {
            "removed_at": at.isoformat(),
            "platform_id": message_id,
            "expires_at": self.expires_at(now),
        }
        if not self._change(key, tombstone, Attr("message").not_exists()):
            return self.remove(conversation, message_id, at, now)  # it came in between
        return None

    def note_human(self, conversation: Conversation, spoken: Spoken, now: datetime) -> None:
        """Keep what a human said for the brand, and when one last did; of before an erasure, only
        that they did."""
        erased_ms = self._get(person_key(conversation)).get("erased_ms")
        is_erased = erased_ms is not None and _ms(spoken.at) <= erased_ms
        said = {"at": spoken.at.isoformat(), "platform_id": spoken.id}
        said["text"] = "" if is_erased else spoken.text
        if spoken.in_reply_to:
            said |= {"answers": spoken.in_reply_to}
        self._change(
            {"conversation": conversation.key, "item": f"HUMAN#{spoken.id}"},
            said | {"expires_at": self.expires_at(now)},
        )
        self.human_spoke(conversation, spoken.at, now)

    def expect_human(
        self, conversation: Conversation, message_id: str, at: datetime, now: datetime
    ) -> None:
        """Note that a human answered a message that is still to come."""
        spoke = {"human_ms": _ms(at), "expires_at": self.expires_at(now)}
        self._change(message_key(conversation, message_id), spoke)

    def human_spoke(self, conversation: Conversation, at: datetime, now: datetime) -> None:
        """Note when a human last answered."""
        is_news = Attr("human_ms").not_exists() | Attr("human_ms").lt(_ms(at))
        spoke = {"human_ms": _ms(at), "expires_at": self.expires_at(now)}
        self._change(person_key(conversation), spoke, is_news)

    def erase(self, conversation: Conversation, until: datetime, now: datetime) -> list[Remembered]:
        """Remove every message up to then, also one that comes only now, and the words of every
        answer. The messages; the same ones at every try."""
        removed = []
        for item in list(self.items(conversation, "")):
            if remembered := _remembered(item):
                message = remembered.message
                if message.sent_at <= until:
                    removed.append(self.remove(conversation, message.id, until, now))
            elif "text" in item and _said_at(item) <= until.isoformat():
                key = {"conversation": conversation.key, "item": item["item"]}
                self._change(key, {"text": ""}, Attr("item").exists())
        erased = {"erased_ms": _ms(until), "expires_at": self.expires_at(now)}
        is_later = Attr("erased_ms").not_exists() | Attr("erased_ms").lt(_ms(until))
        self._change(person_key(conversation), erased, is_later)
        return [one for one in removed if one]

    def find(self, channel: str, account: str, platform_id: str) -> list[Found]:
        """What of this account has that id. A moment old, it may not be found yet."""
        ours, found = (channel, account), self.find_anywhere(platform_id)
        return [f for f in found if (f.conversation.channel, f.conversation.account) == ours]

    def find_anywhere(self, platform_id: str) -> list[Found]:
        """What has that id, of whichever account."""
        answer = self.table.query(
            IndexName=INDEX, KeyConditionExpression=Key("platform_id").eq(platform_id)
        )
        return [
            Found(Conversation.of_key(str(item["conversation"])), str(item["item"]))
            for item in answer["Items"]
        ]

    def load(self, conversation: Conversation, message_id: str) -> Remembered | None:
        return _remembered(self._get(message_key(conversation, message_id)))

    def history(self, conversation: Conversation) -> list[Remembered]:
        """Every message that is still there, oldest first."""
        return _there(self.items(conversation, "MSG#"))

    def dialogue(self, conversation: Conversation) -> tuple[list[Remembered], list[Uttered]]:
        """Every message that is still there, and what the brand said, each oldest first."""
        items = list(self.items(conversation, ""))
        ours = [one for item in items if (one := uttered(item))]
        return _there(items), sorted(ours, key=lambda one: (one.at, one.id))

    def first_unanswered(self, conversation: Conversation, until: datetime) -> Message | None:
        """The first that wanted an answer since a human last answered, of those before `until`."""
        human_at = moment(self._get(person_key(conversation)).get("human_ms"))
        waiting = (
            one.message
            for one in self.history(conversation)
            if one.waits_for_human
            and one.message.sent_at <= until
            and (human_at is None or human_at < one.message.sent_at)
        )
        return next(waiting, None)

    def heard_at(self, conversation: Conversation) -> datetime | None:
        """When the customer last wrote in private."""
        return max(
            (one.message.sent_at for one in self.history(conversation) if not one.message.public),
            default=None,
        )

    def choose(
        self,
        conversation: Conversation,
        choice: Literal["stop", "start"],
        message_id: str,
        at: datetime,
    ) -> None:
        """Note that they want no automatic answers, or want them again; of two wishes the later
        counts, in whatever order they come. Kept for ever: who said stop has said it.

        `by` is the message that changed something; who says it again has changed nothing.
        """
        key, said = choice_key(conversation), {"choice": choice, "choice_ms": _ms(at)}
        is_newer = Attr("choice_ms").lt(_ms(at))
        is_other = Attr("choice").eq("start" if choice == "stop" else "stop")
        is_first = Attr("choice").not_exists()
        changes: ConditionBase = is_other & is_newer
        if choice == "stop":
            changes = changes | is_first
        if self._change(key, said | {"by": message_id}, changes):
            return
        # The same again, or a "start" that ends nothing: only its time counts.
        if not self._change(key, said, is_first):
            self._change(key, said, Attr("choice").eq(choice) & is_newer)

    def standing(self, conversation: Conversation, *, answering: str, now: datetime) -> Standing:
        """How things stand `now`, leaving out our own answer to the message `answering`."""
        person = self._get(person_key(conversation))
        # CASE and CHOICE lie side by side: one question for the two.
        beside = {str(one["item"]): one for one in self._between(conversation, "CASE", "CHOICE")}
        choice = beside.get(choice_key(conversation)["item"], {})
        case = Case.model_validate(beside["CASE"]) if "CASE" in beside else None
        answered_at = None
        if person.get("automatic_for") != answering and "automatic_at" in person:
            answered_at = datetime.fromisoformat(person["automatic_at"])
        return Standing(
            answered_at=answered_at,
            answers_today=len(answered_on(person, now) - {answering}),
            human_at=moment(person.get("human_ms")),
            erased_until=moment(person.get("erased_ms")),
            opted_out=choice.get("choice") == "stop",
            chosen_by=str(choice["by"]) if "by" in choice else None,
            case_open=case is not None and case.is_open,
            open_since=case.since or case.opened_at if case and case.is_open else None,
            closed_at=case.closed_at if case else None,
        )

    def case(self, conversation: Conversation) -> Case | None:
        """Its case, be it open or closed."""
        found = self._get(case_key(conversation))
        return Case.model_validate(found) if found else None

    def open_case(self, case: Case, conversation: Conversation, now: datetime) -> Case:
        """Open it, unless there is one: then that one, open or closed."""
        item = {name: value for name, value in to_item(case).items() if name != "closings"}
        try:
            self.table.put_item(
                Item=item | case_key(conversation) | {"expires_at": self.expires_at(now)},
                ConditionExpression=Attr("item").not_exists(),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            stored = refused_item(error)
            return Case.model_validate(stored) if stored else case
        return case

    def announce(self, case: Case, conversation: Conversation) -> None:
        """Note that the helpdesk knows how the case stands, unless it has moved on."""
        self._change(case_key(conversation), {"is_announced": True}, _in_turn(case))

    def hear(
        self,
        case: Case,
        conversation: Conversation,
        message_id: str,
        now: datetime,
        *,
        again: bool,
    ) -> bool:
        """Note that the open case was told of a message; it lives on with its conversation. False
        if it was closed meanwhile: then the message may have been told to nobody."""
        heard = {"heard_by": message_id, "heard_at": now.isoformat(), "heard_again": again}
        return self._change(
            case_key(conversation), heard | {"expires_at": self.expires_at(now)}, _in_turn(case)
        )

    def renew_case(self, case: Case, conversation: Conversation, now: datetime) -> None:
        """It lives on with its conversation: written only when a good part of its time is over."""
        expires_at = self.expires_at(now)
        if expires_at - case.expires_at > self.retention.total_seconds() / 10:
            self._change(case_key(conversation), {"expires_at": expires_at}, Attr("item").exists())

    def reopen_case(
        self, case: Case, opening: Case, conversation: Conversation, now: datetime
    ) -> Case:
        """From closed to open in the next turn, as a new one would be opened. How it is then, or is
        now, if somebody else has moved it."""
        new = to_item(opening)
        taken = ("opened_by", "words", "since", "heard_by", "heard_at", "heard_again")
        changed = {name: new[name] for name in taken} | {"turn": case.turn + 1, "is_open": True}
        return self._turn(case, conversation, changed, now)

    def close_case(
        self, case: Case, conversation: Conversation, closing: CloseCase, now: datetime
    ) -> Case:
        """From open to closed, in the next turn; if it is closed already, the wish is noted. How it
        is then, or is now, if somebody else has moved it."""
        closed = {
            "turn": case.turn + 1,
            "is_open": False,
            "closed_by": to_item(closing),
            "closed_at": now.isoformat(),
        }
        return self._turn(case, conversation, closed if case.is_open else {}, now, closing.key)

    def _turn(
        self,
        case: Case,
        conversation: Conversation,
        changed: Mapping[str, Any],
        now: datetime,
        closing: str | None = None,
    ) -> Case:
        """A turn that begins is one that nobody was told of."""
        values = {**changed, "expires_at": self.expires_at(now)}
        values |= {"is_announced": False} if changed else {}
        added = " ADD closings :wish" if closing else ""
        try:
            answer = self.table.update_item(
                Key=case_key(conversation),
                UpdateExpression="SET " + ", ".join(f"#{n} = :{n}" for n in values) + added,
                ConditionExpression=_in_turn(case),
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()}
                | ({":wish": {closing}} if closing else {}),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if stored := refused_item(error):
                return Case.model_validate(stored)
            raise TryLater("the case expired meanwhile", after=1) from error
        return Case.model_validate(answer["Attributes"])

    def note_told(
        self, conversation: Conversation, key: str, what: Literal["sent", "refused"]
    ) -> None:
        """Note that the case knows what became of a reply."""
        try:
            self.table.update_item(
                Key={"conversation": conversation.key, "item": reply_item(key)},
                UpdateExpression="ADD told :what",
                ConditionExpression=Attr("item").exists(),
                ExpressionAttributeValues={":what": {str(what)}},
            )
        except ClientError as error:
            refused_item(error)

    def note_withdrawn(self, remembered: Remembered) -> None:
        """Note which words the helpdesk was asked to forget."""
        message = remembered.message
        self._change(
            message_key(message.conversation, message.id), {"withdrawn": remembered.told or ""}
        )

    def put_into_case(self, remembered: Remembered, case: Case, told: str) -> Remembered | None:
        """Note that the helpdesk has it, in which words; how it is now."""
        message = remembered.message
        changed = self.table.update_item(
            Key=message_key(message.conversation, message.id),
            UpdateExpression="SET case_id = :case, told = :told",
            ConditionExpression=Attr("item").exists(),
            ExpressionAttributeValues={":case": case.case_id, ":told": told},
            ReturnValues="ALL_NEW",
        )
        return _remembered(changed["Attributes"])

    def items(self, conversation: Conversation, beginning: str) -> Iterator[Item]:
        """The items of a conversation whose name begins so."""
        where: ConditionBase = Key("conversation").eq(conversation.key)
        if beginning:
            where = where & Key("item").begins_with(beginning)
        return self._query(where)

    def _between(self, conversation: Conversation, first: str, last: str) -> Iterator[Item]:
        """The items of a conversation from one name to another."""
        is_this: ConditionBase = Key("conversation").eq(conversation.key)
        return self._query(is_this & Key("item").between(first, last))

    def _query(self, where: ConditionBase) -> Iterator[Item]:
        query: Any = {"KeyConditionExpression": where, "ConsistentRead": True}
        while True:
            page = self.table.query(**query)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _change(
        self,
        key: dict[str, str],
        values: Mapping[str, Any],
        condition: Any = None,  # noqa: ANN401
    ) -> bool:
        """Set some attributes of an item; False if the condition does not hold."""
        names = {f"#{name}": name for name in values}
        given: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        try:
            self.table.update_item(
                Key=key,
                UpdateExpression="SET " + ", ".join(f"{n} = :{n[1:]}" for n in names),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
                **given,
            )
        except ClientError as error:
            refused_item(error)
            return False
        return True

    def item(self, conversation: Conversation, name: str) -> Item:
        """One item, empty if it is not there."""
        return self._get({"conversation": conversation.key, "item": name})

    def _get(self, key: dict[str, str]) -> Item:
        return self.table.get_item(Key=key, ConsistentRead=True).get("Item") or {}


def _remembered(item: Item) -> Remembered | None:
    """None if it is not there, or only the tombstone of what never came."""
    return Remembered.model_validate(item) if "message" in item else None


def _there(items: Iterable[Item]) -> list[Remembered]:
    found = [_remembered(item) for item in items]
    there = [one for one in found if one and not one.removed_at]
    return sorted(there, key=lambda one: (one.message.sent_at, one.message.id))


def uttered(item: Item) -> Uttered | None:
    """A reply that was sent, or a human's words; None if the item is neither, or erased."""
    kind, _, name = str(item.get("item", "")).partition("#")
    at = _said_at(item)
    is_said = kind == "HUMAN" or (kind == "REPLY" and item.get("state") == "sent")
    if not is_said or not at or not item.get("text"):
        return None
    is_agent = name.rpartition("#")[2].startswith("agent-")
    ours: Literal["agent", "firstreply"] = "agent" if is_agent else "firstreply"
    return Uttered(
        by="human" if kind == "HUMAN" else ours,
        id=str(item.get("platform_id", name)),
        text=str(item["text"]),
        at=datetime.fromisoformat(at),
        public=item.get("is_public"),
        in_reply_to=item.get("answers") or name.rpartition("#")[0] or None,
        name=item.get("author"),
        request_id=item.get("request_id"),
    )


def _in_turn(case: Case) -> ConditionBase:
    """As long as nobody has opened or closed it since."""
    is_first = Attr("turn").not_exists() & Attr("item").exists()
    return Attr("turn").eq(case.turn) | is_first if case.turn == 0 else Attr("turn").eq(case.turn)


def _said_at(item: Item) -> str:
    """When an answer was given, in ISO 8601; empty if that is not known."""
    return str(item.get("began_at") or item.get("at") or "")


def _without_words(remembered: Remembered) -> Remembered:
    """Neither what the customer wrote nor what we concluded from it word by word."""
    message = replace(
        remembered.message,
        text="",
        author_name=None,
        author_handle=None,
        permalink=None,
        reply_url=None,
        attachments=(),
    )
    understanding = replace(remembered.understanding, reasons=())
    blank: dict[str, object] = {
        "message": message,
        "understanding": understanding,
        "recognised": NOTHING,
    }
    blank |= {"acknowledgement": "", "continuation": ""}
    return remembered.model_copy(update=blank)


def moment(ms: object) -> datetime | None:
    return datetime.fromtimestamp(float(str(ms)) / 1000, UTC) if ms else None


def _ms(moment: datetime) -> int:
    """Comparable where ISO 8601 is not: with and without a fraction of a second."""
    return int(moment.timestamp() * 1000)
