"""Everything that is known of a conversation, in the order of its happening: what was received,
how it was understood, what was decided and why, what was said."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from boto3.dynamodb.conditions import Attr

from firstreply.aws import Item
from firstreply.conversations import Case, Remembered, moment
from firstreply.inbox import Delivery
from firstreply.message import Conversation
from firstreply.policy import Decision
from operate.stack import OperatorError, Stack

type Moment = tuple[datetime, list[str]]

NOT_YET = datetime.max.replace(tzinfo=UTC)


def show(stack: Stack, what: str) -> Iterator[str]:
    """`what`: a conversation's key, a platform's id of something said in it, a case's id, or the
    key of a delivery (that is shown as it was received). No line can steer a terminal."""
    for text in _lines(stack, what):
        yield "".join(c if c.isprintable() else "·" for c in text)


def _lines(stack: Stack, what: str) -> Iterator[str]:
    if delivery := stack.inbox.load(what):
        yield from _delivery(what, delivery)
        return
    for conversation in find(stack, what):
        yield from _conversation(stack, conversation)


def find(stack: Stack, what: str) -> list[Conversation]:
    """The conversations of a key, of an id in them, or of a case's id; OperatorError if none."""
    if found := _find(stack, what):
        return found
    raise OperatorError(
        f"nothing is known of {what}: it is neither a delivery's nor a conversation's key, nor"
        " a case's or a message's id; or it has expired"
    )


def _find(stack: Stack, what: str) -> list[Conversation]:
    if what.count("#") == 2:
        conversation = Conversation.of_key(what)
        return [conversation] if any(stack.conversations.items(conversation, "")) else []
    if what.startswith("case-"):
        return [Conversation.of_key(key) for key in _of_case(stack, what)]
    return list(dict.fromkeys(f.conversation for f in stack.conversations.find_anywhere(what)))


def _of_case(stack: Stack, case_id: str) -> Iterator[str]:
    """Reads the whole table: no index knows cases."""
    scan: dict[str, Any] = {
        "FilterExpression": Attr("item").eq("CASE") & Attr("case_id").eq(case_id)
    }
    while True:
        page = stack.conversations.table.scan(**scan)
        yield from (str(item["conversation"]) for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _delivery(key: str, delivery: Delivery) -> Iterator[str]:
    yield f"delivery      {key}"
    yield f"  channel     {delivery.channel}"
    yield f"  received    {_time(delivery.received_at)}"
    try:
        body = json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        body = delivery.body.decode("utf-8", "backslashreplace")
    yield from body.splitlines()


def _conversation(stack: Stack, conversation: Conversation) -> Iterator[str]:
    items = {str(item["item"]): item for item in stack.conversations.items(conversation, "")}
    yield f"conversation  {conversation.key}"
    yield from _fields(_standing(items))
    moments = chain(
        (_message(stack, item) for name, item in items.items() if name.startswith("MSG#")),
        (_reply(name, item) for name, item in items.items() if name.startswith("REPLY#")),
        (_human(item) for name, item in items.items() if name.startswith("HUMAN#")),
    )
    for at, lines in sorted(moments):
        yield ""
        yield f"{'not yet' if at == NOT_YET else _time(at)}  {lines[0]}"
        yield from lines[1:]


def _standing(items: dict[str, Item]) -> Iterator[tuple[str, object]]:
    case, person = items.get("CASE", {}), items.get("PERSON", {})
    if case:
        yield "case", _case(Case.model_validate(case))
    if items.get("CHOICE", {}).get("choice") == "stop":
        yield "wishes", f"no automatic answers, since {_time(moment(items['CHOICE']['choice_ms']))}"
    yield "answered", person.get("automatic_at")
    yield "human", moment(person.get("human_ms"))
    yield "erased until", moment(person.get("erased_ms"))


def _case(case: Case) -> str:
    """Its id and how it stands, which the helpdesk may not know yet."""
    if not case.is_open:
        by = case.closed_by.by if case.closed_by else None
        state = f"closed {_time(case.closed_at)} by {by or 'an agent'}"
    else:
        opened = "reopened" if case.turn else "opened"
        state = f"{opened} {_time(case.since or case.opened_at)} by {case.opened_by}"
    return f"{case.case_id}, {state}" + ("" if case.is_announced else ", not announced yet")


def _message(stack: Stack, item: Item) -> Moment:
    if "message" not in item:
        told = {name: str(value) for name, value in item.items() if name.endswith(("_at", "_ms"))}
        return NOT_YET, [f"{item['item']}, of which we were only told: {told}"]
    one = Remembered.model_validate(item)
    message = one.message
    place = "public" if message.public else "private"
    who = message.author_name or message.author_handle or "customer"
    head = f"{who}, {message.network} {message.kind}, {place}"
    return message.sent_at, [head, *_fields(_facts(stack, one))]


def _facts(stack: Stack, one: Remembered) -> Iterator[tuple[str, object]]:
    message, thought, decision = one.message, one.understanding, one.decision
    delivery = stack.inbox.load(one.delivery) if one.delivery else None
    yield "id", message.id
    yield "said", _quoted(message.text)
    yield "with", ", ".join(message.attachments)
    yield "edited", one.edited_at
    yield "removed", one.removed_at
    yield "hidden", one.is_hidden
    if one.delivery:
        received = f"{_time(delivery.received_at)}, " if delivery else "expired, "
        yield "received", f"{received}delivery {one.delivery}"
    sure = "unsure" if thought.unsure else f"{thought.confidence:.2f}"
    topics = ", ".join(thought.topics)
    yield (
        "understood",
        f"{thought.intent} ({sure}), {topics}, {thought.sentiment}, {thought.journey},"
        f" {thought.urgency}, {thought.language}",
    )
    yield "because", "; ".join(thought.reasons)
    yield "decided", _decided(decision)
    yield "candidates", ", ".join(answer.name for answer in one.recognised.candidates)
    if decision.escalate:
        due = f"{decision.priority}, by {_time(decision.due_at)}"
        yield "escalated", f"{due}: {', '.join(decision.reasons)}"
    yield "in case", one.case_id


def _decided(decision: Decision) -> str:
    if decision.silence:
        return f"silence: {decision.silence}"
    what = f"{decision.purpose} ({decision.answer.name})" if decision.answer else decision.purpose
    where = "in public, then in private" if decision.continues else f"in {decision.place}"
    tone = ", grave" if decision.is_grave else ""
    return f"to answer {what}{tone} {where.replace('in both', 'in public')}"


def _reply(name: str, item: Item) -> Moment:
    message_id, _, kind = name.removeprefix("REPLY#").rpartition("#")
    agent = item.get("author")
    who = "FirstReply"
    if kind.startswith("agent-"):
        who = f"an agent, {agent}" if agent else "an agent"
    state = str(item.get("state", "not begun"))
    handed = ", handed to a human" if item.get("handed_over") else ""
    facts = (
        ("to", item.get("answers", message_id)),
        ("said", _quoted(str(item.get("text", "")))),
        ("state", state + handed),
        ("because", item.get("reason")),
        ("id", item.get("platform_id") if state == "sent" else None),
    )
    began = item.get("began_at")
    return datetime.fromisoformat(began) if began else NOT_YET, [who, *_fields(facts)]


def _human(item: Item) -> Moment:
    at = datetime.fromisoformat(str(item["at"]))
    facts = (("id", item.get("platform_id")), ("said", _quoted(str(item.get("text", "")))))
    return at, ["a human, in the platform's app", *_fields(facts)]


def _fields(facts: Iterable[tuple[str, object]]) -> Iterator[str]:
    for name, value in facts:
        if value:
            yield f"  {name:<11} {_time(value) if isinstance(value, datetime) else value}"


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""


def _time(moment: datetime | None) -> str:
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment else "(no time yet)      "
    )
