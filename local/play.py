"""A short script of customers, played through the simulator, and what became of each message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from boto3.dynamodb.conditions import Attr

from firstreply.conversations import Remembered
from firstreply.understanding import Intent
from local.desk import Helpdesk, knock, review
from local.simulator import DEMO_SECRET, Simulator
from local.stack import LocalStack, local_stack

PATIENCE_SECONDS = 60
REVIEW = "review"  # a place that is none of the simulator's
AGENT, ANSWER = "Sam", "Hello Chidi, your suitcase is on tonight's flight. Sam from customer care"


@dataclass(frozen=True, slots=True)
class Line:
    """What a customer writes, where, and what is expected of FirstReply; `helped` by an agent who
    gives ANSWER."""

    place: str
    author: str
    text: str
    intent: Intent
    times: int = 1
    helped: bool = False


SCRIPT = (
    Line("facebook_comment", "Alma", "Do you fly to Bergen in winter?", "question"),
    Line("facebook_comment", "Bruno", "Great crew on the Oslo flight, thank you! ❤", "praise"),
    Line(
        "facebook_comment",
        "Chidi",
        "My suitcase hasn't arrived for three days and nobody answers the phone 😡",
        "complaint",
        helped=True,
    ),
    Line(
        "messenger", "Dana", "I was charged twice for the same seat. Please fix this!", "complaint"
    ),
    Line("instagram_comment", "Jonas", "My stroller came back broken, what now?", "complaint"),
    Line(
        "instagram_message",
        "Kaya",
        "Thank you so much for the lovely flight home, what a great crew!",
        "praise",
    ),
    Line("x_mention", "Emre", "what time does check-in open in Lisbon?", "question"),
    Line("x_mention", "Freya", "thanks, best flight I've had in years 👏", "praise"),
    Line(
        "x_mention",
        "Goran",
        "still waiting for my refund, six weeks now. Unacceptable",
        "complaint",
    ),
    Line("x_direct_message", "Hana", "Your app crashes when I try to log in", "complaint"),
    # A platform may deliver the same bytes again at any time.
    Line(
        "facebook_comment", "Ines", "The heating was broken all night, awful.", "complaint", times=3
    ),
    Line(REVIEW, "Lena", "Three hours on the plane at the gate, not even water.", "complaint"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message: as delivered, remembered, said (or `unsaid`: why not) and
    escalated."""

    message_id: str
    deliveries: list[dict[str, Any]]
    remembered: Remembered | None
    said: list[dict[str, Any]]
    unsaid: str | None
    events: list[dict[str, Any]]

    @property
    def texts(self) -> int:
        """How many answers were decided: none, one, or another in private besides."""
        one = self.remembered
        return bool(one and one.acknowledgement) + bool(one and one.continuation)

    @property
    def is_settled(self) -> bool:
        """Nothing more is to be expected."""
        remembered = self.remembered
        if remembered is None:
            return False
        is_answered = len(self.said) >= self.texts or bool(self.unsaid)
        return is_answered and (bool(self.events) or not remembered.decision.escalate)


@dataclass(frozen=True, slots=True)
class Stage:
    """The deployed stack and the simulated platforms, seen from outside."""

    stack: LocalStack
    simulator: httpx.Client

    def say(self, line: Line) -> dict[str, Any]:
        """One customer's message, delivered as the platform does."""
        if line.place == REVIEW:
            told = review(line.author, line.text)
            delivery = knock(self.stack, "generic", told["id"].rpartition("/")[2], told)
            return {"id": f"{told['source']}:{told['id']}", "deliveries": [delivery]}
        return self._post(
            "/say",
            {
                "place": line.place,
                "text": line.text,
                "author": {"name": line.author},
                "times": line.times,
            },
        )

    def handshake(self, channel: str) -> bool:
        return bool(self._post("/handshake", {"channel": channel})["ok"])

    def outcome(self, message_id: str, deliveries: list[dict[str, Any]]) -> Outcome:
        return Outcome(
            message_id=message_id,
            deliveries=deliveries,
            remembered=next(
                (r for r in self.messages(message_id) if r.message.id == message_id), None
            ),
            said=[s for s in self.said() if s["in_reply_to"] == message_id],
            unsaid=self._unsaid(message_id),
            events=[e for e in self.cases() if _about(e) == message_id],
        )

    def settle(self, message_id: str, deliveries: list[dict[str, Any]]) -> Outcome:
        """The outcome once it is settled, or as it is when patience ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            outcome = self.outcome(message_id, deliveries)
            if outcome.is_settled or time.monotonic() > deadline:
                return outcome
            time.sleep(0.1)

    def messages(self, begins_with: str = "") -> list[Remembered]:
        """All, or those whose id begins with something."""
        found = self._items(f"MSG#{begins_with}")
        return [Remembered.model_validate(item) for item in found if "message" in item]

    def _unsaid(self, message_id: str) -> str | None:
        """Why there is no acknowledgement, once that is settled."""
        for item in self._items(f"REPLY#{message_id}#ack"):
            if item.get("state") in ("refused", "unknown"):
                return f"{item['state']} ({item['reason']})"
        return None

    def _items(self, prefix: str) -> list[dict[str, Any]]:
        table = self.stack.dynamodb.Table(self.stack.outputs["ConversationsTable"])
        query: Any = {
            "FilterExpression": Attr("item").begins_with(prefix),
            "ConsistentRead": True,
        }
        found: list[dict[str, Any]] = []
        while True:
            page = table.scan(**query)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return found
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def cases(self) -> list[dict[str, Any]]:
        """The events that lie in the EscalationQueue, but for the answers that were sent: `said`
        has those."""
        events = self.stack.peek("EscalationQueueUrl")
        return [one for one in events if one["type"] != "firstreply.case.reply_sent.v1"]

    def said(self) -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = self.simulator.get("/said").raise_for_status().json()
        return said

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.simulator.post(path, json=body).raise_for_status().json()
        return answer


@contextmanager
def open_stage(
    *,
    port: int,
    platforms_port: int,
    say: Callable[[str], None],
    secret: Mapping[str, Any] = DEMO_SECRET,
) -> Iterator[Stage]:
    """The stack deployed on this machine and the platforms simulated, each knowing the other."""
    with (
        Simulator(secret, platforms_port) as simulator,
        local_stack(
            port=port,
            secret=secret,
            platforms=simulator.url,
            say=say,
        ) as stack,
        httpx.Client(base_url=simulator.url, timeout=90) as platforms,
    ):
        simulator.connect(f"{stack.api_url}/webhooks")
        yield Stage(stack, platforms)


def _about(event: dict[str, Any]) -> str:
    """Which message an event of a case is about."""
    data = event["data"]
    return str(data["message"]["id"] if "message" in data else data.get("message_id"))


def play(stage: Stage, show: Callable[[str], None]) -> bool:
    """Play the script; True only if everything expected happened, and nothing else."""
    before, expected = len(stage.said()), 0
    as_expected = [_shake_hands(stage, channel, show) for channel in ("meta", "x")]
    to_help: list[str] = []
    for line in SCRIPT:
        said = stage.say(line)
        outcome = stage.settle(said["id"], said["deliveries"])
        wrong = list(_wrong(line, outcome))
        expected += outcome.texts
        to_help += [said["id"]] * line.helped
        for text in (
            *describe(outcome, line.author),
            *(f"    NOT AS EXPECTED: {w}" for w in wrong),
        ):
            show(text)
        as_expected.append(not wrong)
    as_expected.append(_help(stage, to_help, show))
    expected += len(to_help)
    extra = len(stage.said()) - before - expected
    if extra:
        show(f"NOT AS EXPECTED: {extra:+} answers, compared with what was decided")
    return all(as_expected) and not extra


def describe(outcome: Outcome, author: str | None = None) -> Iterator[str]:
    """For the terminal: received, understood, answered, escalated."""
    remembered = outcome.remembered
    if remembered is None:
        yield f"\n  {author} wrote {outcome.message_id}, which was not remembered"
        return
    message, understood = remembered.message, remembered.understanding
    who = author or message.author_name or "somebody"
    yield f"\n  {message.network} {message.kind}, {who}: “{message.text}”"
    if outcome.deliveries:
        took = ", ".join(f"{one['status']} in {one['ms']:.0f} ms" for one in outcome.deliveries)
        yield f"    received    {took}"
    guess = f"{understood.intent} ({understood.confidence:.2f})"
    yield f"    understood  {guess}, {', '.join(understood.topics)}, {understood.language}"
    for said in outcome.said:
        where = "in private, " if said["kind"] == "message" and message.public else ""
        yield f"    answered    {where}after {said['ms_after']:.0f} ms: “{said['text']}”"
    if not outcome.said:
        why = remembered.decision.silence or outcome.unsaid or "not yet"
        yield f"    answered    no: {why}"
    for event in outcome.events:
        data = event["data"]
        yield f"    escalated   {event['type']} {data['case_id']}, priority {data['priority']}"
        yield f"                because: {', '.join(data['reasons'])}"


def _shake_hands(stage: Stage, channel: str, show: Callable[[str], None]) -> bool:
    answered = stage.handshake(channel)
    show(f"  handshake {channel}: {'ok' if answered else 'REFUSED'}")
    return answered


def _help(stage: Stage, message_ids: Iterable[str], show: Callable[[str], None]) -> bool:
    """A helpdesk reads its queue, and an agent answers those messages there and closes their
    cases; True if that is what happened."""
    desk, started = Helpdesk(stage.stack), time.monotonic()
    while desk.read():
        pass
    took = _ms_since(started)
    show(f"\n  a helpdesk reads the EscalationQueue: {len(desk.events)} events in {took}")
    for event in desk.events:
        if "message" in (data := event["data"]):
            name = event["type"].removeprefix("firstreply.case.").removesuffix(".v1")
            show(f"    {name:<8} {data['channel']:<15} {data['priority']:<7} {data['case_id']}")
    return all([_answer(stage, desk, one, show) for one in message_ids])


def _answer(stage: Stage, desk: Helpdesk, message_id: str, show: Callable[[str], None]) -> bool:
    case = desk.case_of(message_id)
    if case is None:
        show(f"    NOT AS EXPECTED: {message_id} did not reach the helpdesk")
        return False
    show(f"\n  {AGENT} answers {case['data']['customer']['name']} there, and closes the case")
    started = time.monotonic()
    taken = desk.answer(case, AGENT, ANSWER)
    show(f"    received    {taken['status']} in {taken['ms']:.0f} ms")
    if taken["status"] != 200:
        show("    NOT AS EXPECTED: it was not taken")
        return False

    def is_said() -> bool:
        said = [one["text"] for one in stage.said() if one["in_reply_to"] == message_id]
        return ANSWER in said

    def is_closed() -> bool:
        desk.read()
        return desk.is_closed(case)

    for word, is_so, what in (
        ("answered", is_said, f"“{ANSWER}”"),
        ("closed", is_closed, f"firstreply.case.closed.v1 {case['data']['case_id']}"),
    ):
        if not _wait_for(is_so):
            show(f"    NOT AS EXPECTED: it is not {word}")
            return False
        show(f"    {word:<11} after {_ms_since(started)}: {what}")
    return True


def _wait_for(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _ms_since(started: float) -> str:
    return f"{(time.monotonic() - started) * 1000:.0f} ms"


def _wrong(line: Line, outcome: Outcome) -> Iterator[str]:
    statuses = [one["status"] for one in outcome.deliveries]
    if statuses != [200] * line.times:
        yield f"deliveries were answered {statuses}"
    if outcome.remembered is None:
        yield "it was not remembered"
        return
    if outcome.remembered.understanding.intent != line.intent:
        yield f"it was meant as a {line.intent}"
    if len(outcome.said) != outcome.texts:
        yield f"{len(outcome.said)} answers, not {outcome.texts}"
    if bool(outcome.texts) != (line.place != REVIEW):
        yield "an answer was decided" if outcome.texts else "no answer was decided"
    is_for_humans = line.intent in ("complaint", "question")
    expected = ["firstreply.case.opened.v1"] if is_for_humans else []
    if [event["type"] for event in outcome.events] != expected:
        yield f"{len(outcome.events)} events in the EscalationQueue, not {len(expected)}"
