"""tests/situations/*.yaml, as a support lead reads them: what is said, where, and who sees it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast, get_args

import pytest

from firstreply import brand
from firstreply.channels import Channel
from firstreply.conversations import Case, Remembered
from firstreply.hours import WEEKDAYS, Hours
from firstreply.message import Conversation, Message, Reply, Spoken
from firstreply.outbox import Outbox, Turn
from firstreply.policy import NOTHING, Decision, Policy, ReadyAnswer, Recognised, Silence, Standing
from firstreply.queues import CloseCase
from firstreply.understanding import Intent, Understanding
from functions.classify import app as classify
from functions.classify.considering import Considering
from functions.classify.listening import Listening
from functions.classify.urgency import urgent
from local.places import PLACES, Place
from local.simulator import DEMO_SECRET
from local.situations import PAGE, chapters, page
from tests.aws import world

MONDAY: Final = datetime(2026, 11, 23, tzinfo=UTC)
ROWS = [row for chapter in chapters() for row in chapter["situations"]]


# Monday to Friday, nine to six.
OFFICE: Final = Hours.model_validate(
    {"time_zone": "UTC", "open": {day: ["09:00-18:00"] for day in WEEKDAYS[:5]}}
)


# --- a row as what the code takes -----------------------------------------------------------------


def moment(text: str) -> datetime:
    day, time = text.split()
    hours, minutes = map(int, time.split(":"))
    return MONDAY + timedelta(days=WEEKDAYS.index(day), hours=hours, minutes=minutes)


def understood(row: dict[str, Any], text: str) -> Understanding:
    """As the row says; what is urgent about it is found in its words."""
    intent, _, topics = row["means"].partition("/")
    alarms = tuple(one.reason for one in urgent(text))
    return Understanding(
        intent=cast("Intent", intent),
        topics=tuple(topics.split(",")) if topics else ("other",),
        sentiment="neutral",
        urgency="high" if alarms else "normal",
        journey="complaint" if intent == "complaint" else "customer",
        language=row.get("language", "en"),
        confidence=row.get("confidence", 0.9),
        unsure=row.get("unsure", False),
        reasons=(),
        alarms=alarms,
    )


def policy_of(row: dict[str, Any]) -> Policy:
    given = dict(row.get("policy", {}))
    base = brand.policy(
        cool_down_minutes=given.pop("cool_down_minutes", 30),
        auto_reply=given.pop("auto_reply", True),
    )
    if "oldest_answer_hours" in given:
        given["oldest_answer"] = timedelta(hours=given.pop("oldest_answer_hours"))
    policy = Policy.model_validate(dict(base) | given)
    return policy.model_copy(update={"hours": OFFICE}) if row.get("hours") else policy


@dataclass
class Reader:
    """A classifier that understands what the row says it should."""

    meanings: dict[str, Understanding] = field(default_factory=dict)

    def understand(self, message: Message) -> Understanding:
        return self.meanings[message.id]


@dataclass
class Scene:
    """One row, played through classify with the clock where the row has it."""

    row: dict[str, Any]
    number: int
    now: datetime
    reader: Reader = field(default_factory=Reader)
    said: int = 0
    known: str | None = None

    @property
    def place(self) -> Place:
        return PLACES[self.row["where"]]

    @property
    def channel(self) -> Channel:
        return self.place.open()

    def message(self, text: str, sent_at: datetime, customer: str = "customer") -> Message:
        self.said += 1
        id, customer = f"{self.number}_{self.said}", f"{customer}-{self.number}"
        message = self.place.message(text, sent_at, id=id, customer=customer)
        return replace(message, is_anonymous="anonymous" in self.row.get("state", ()))

    def considering(self, at: datetime) -> Considering:
        policy, usual = policy_of(self.row), classify.listening()
        waiting = replace(usual.waiting, hours=policy.hours, clock=lambda: at)
        return replace(
            usual.considering,
            classifier=self.reader,
            policy=policy,
            expected=waiting.expected,
            ready=lambda _text, _language: self.recognised,
        )

    @property
    def recognised(self) -> Recognised:
        answer = self.known
        return Recognised(answer=ReadyAnswer(name="known", text=answer)) if answer else NOTHING

    def listening(self, at: datetime) -> Listening:
        considering = self.considering(at)
        return replace(classify.listening(), considering=considering, clock=lambda: at)

    def hear(self, message: Message, row: dict[str, Any], at: datetime) -> Remembered:
        self.reader.meanings[message.id] = understood(row, message.text)
        self.known = row.get("known_answer")
        self.listening(at).hear(self.channel, self.place.channel, message)
        found = classify.listening().conversations.load(message.conversation, message.id)
        assert found
        return found

    def play(self, event: dict[str, Any]) -> None:
        """What happened before."""
        at = self.now - timedelta(minutes=event["minutes"])
        if "human" in event:
            where = self.message("", at).conversation
            spoken = Spoken(
                account=where.account,
                id=f"human-{self.number}-{event['minutes']}",
                text=event["human"],
                at=at,
                customer=where.customer,
            )
            self.listening(at).hear(self.channel, self.place.channel, spoken)
            if event.get("closes"):
                self.close_case(where, at + timedelta(seconds=1))
            return
        who = "customer" if "customer" in event else "somebody"
        remembered = self.hear(self.message(event[who], at, who), event, at)
        if event.get("answered"):
            assert remembered.acknowledgement
            reply = Reply(
                key=f"{remembered.message.id}#ack",
                message=remembered.message,
                text=remembered.acknowledgement,
            )
            outbox = Outbox(classify.listening().conversations, owner="scene")
            outbox.claim(reply, at)
            assert outbox.begin(reply, at, Turn(timedelta(), 100)) is None
        if event.get("case"):
            self.open_case(remembered.message, at)

    def open_case(self, message: Message, at: datetime) -> None:
        """As escalate does, again if it was closed."""
        conversations, where = classify.listening().conversations, message.conversation
        opening = Case(
            case_id="case-1",
            opened_by=message.id,
            opened_at=at,
            words="words",
            since=at,
            heard_by=message.id,
            heard_at=at,
        )
        case = conversations.open_case(opening, where, at)
        if not case.is_open:
            conversations.reopen_case(case, opening, where, at)

    def close_case(self, where: Conversation, at: datetime) -> None:
        conversations = classify.listening().conversations
        case = conversations.case(where)
        assert case
        closing = CloseCase(key=f"closing-{at.timestamp()}", asked_at=at)
        conversations.close_case(case, where, closing, at)


@pytest.fixture(scope="module")
def stack() -> Iterator[None]:
    with (
        pytest.MonkeyPatch.context() as environment,
        world(environment, DEMO_SECRET, "http://127.0.0.1:9"),
    ):
        yield


def remembered_of(scene: Scene) -> Remembered:
    for event in scene.row.get("before", ()):
        scene.play(event)
    row = scene.row
    message = scene.message(row["text"], scene.now - timedelta(minutes=row.get("age_minutes", 0)))
    if row.get("state"):
        return considered(scene, message)
    return scene.hear(message, row, scene.now)


def considered(scene: Scene, message: Message) -> Remembered:
    """What no message by itself brings about: respond finds it, or the matching of answers."""
    row, state = scene.row, scene.row.get("state", ())
    standing = Standing(
        is_removed="removed" in state,
        is_hidden="hidden" in state,
        is_own_account="own account" in state,
    )
    scene.reader.meanings[message.id] = understood(row, row["text"])
    considering = scene.considering(scene.now)
    return considering.consider(scene.channel, message, standing, [], scene.now)


# --- what the row expects -------------------------------------------------------------------------


def answer_of(decision: Decision) -> str:
    if decision.silence:
        return f"none: {decision.silence}"
    where = {
        ("public", False): "in public",
        ("private", False): "in private",
        ("both", True): "in public, continued in private",
        ("both", False): "in public, with an invitation",
    }[decision.place, decision.continues]
    return f"{decision.purpose} {where}"


@pytest.mark.parametrize(
    ("number", "row"), list(enumerate(ROWS)), ids=[row["when"] for row in ROWS]
)
def test_the_situation_ends_as_it_is_written(stack: None, number: int, row: dict[str, Any]) -> None:
    scene = Scene(row, number, moment(row.get("at", "monday 10:00")))
    remembered = remembered_of(scene)
    decision, sent_at = remembered.decision, remembered.message.sent_at
    assert answer_of(decision) == row["answer"]
    assert bool(remembered.acknowledgement) == (decision.silence is None)
    assert bool(remembered.continuation) == ("continued" in row["answer"])
    assert decision.is_grave == (row.get("tone") == "grave")
    assert decision.asks_removal == ("removal" in row)
    if "masked" in row:
        assert remembered.message.text == row["masked"]
    if row["human"] == "nobody":
        assert not decision.escalate, decision.reasons
        return
    haste, _, reasons = row["human"].partition(": ")
    priority, minutes = haste.split()
    assert decision.reasons == tuple(reasons.split("; "))
    assert decision.priority == priority
    due = moment_after(sent_at, row["due"]) if "due" in row else None
    hours = policy_of(row).hours
    by_hours = hours.due(sent_at, int(minutes)) if priority != "highest" else None
    expected = due or by_hours or sent_at + timedelta(minutes=int(minutes))
    assert decision.due_at == expected


def moment_after(at: datetime, text: str) -> datetime:
    """The next one, be it in the week to come."""
    found = moment(text)
    return found if found > at else found + timedelta(days=7)


def test_there_are_enough_of_them_and_each_is_told_from_the_others() -> None:
    names = [row["when"] for row in ROWS]
    assert len(names) == len(set(names)) >= 120
    assert {row["where"] for row in ROWS} == set(PLACES)
    known = {
        *("when", "where", "at", "text", "means", "unsure", "confidence", "language", "before"),
        *("age_minutes", "state", "policy", "hours", "known_answer"),
        *("answer", "tone", "removal", "masked", "human", "due"),
    }
    assert not [row["when"] for row in ROWS if row.keys() - known]


def test_every_reason_to_keep_silent_has_its_situation() -> None:
    """Except the other account of the same brand, which the outbox finds out."""
    found = {row["answer"].removeprefix("none: ") for row in ROWS if row["answer"].startswith("no")}
    assert found == set(get_args(Silence.__value__)) - {"other_account"}


def test_the_page_is_what_the_files_say() -> None:
    """If not: make situations."""
    assert PAGE.read_text("utf-8") == page()
