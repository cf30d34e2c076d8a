"""Promise: for 36 hours Meta, or another source, delivers again what it likes, packed as it likes,
in any order, and a message is one message.

The clock is moved, so the repeats lie hours apart; eight deliveries are taken at a time, and what
follows from them is worked on by eight at a time.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import batched, pairwise
from random import Random
from threading import RLock
from typing import Any, Literal

import httpx
import pytest
from botocore.client import BaseClient

from firstreply.inbox import Delivery
from functions.respond import app as respond
from local.simulator import DEMO_SECRET
from local.simulator import meta_wire as wire
from tests.aws import World, stream_record
from tests.sink import URL, Sink, opened
from tests.unit.channels.samples import standard_headers

type Place = Literal["facebook_comment", "messenger", "instagram_comment", "review"]

PLACES: tuple[Place, ...] = ("facebook_comment", "messenger", "instagram_comment", "review")
PAGE, INSTAGRAM = "102030405060708", "17841400000000001"
# What each is, and how often of a hundred somebody writes it.
TEXTS = {
    "complaint": ("Your app keeps crashing and nobody answers", 40),
    "question": ("What are your opening hours on Sunday?", 30),
    "praise": ("Great service, thank you so much!", 15),
    "chatter": ("see you there", 15),
}
ANSWERED = ("complaint", "question", "praise")
FOR_HUMANS = ("complaint", "question")  # if they are not answered

TIMES = 10  # that each message is delivered
AT_ONCE = 8
RETRIES_FOR = timedelta(hours=36)
WRITTEN_WITHIN = timedelta(hours=24)
# brand/policy.yaml, and the stack's parameter.
TOO_OLD, COOL_DOWN = timedelta(hours=6), timedelta(minutes=30)
# A step is handled at the moment of its last delivery, and takes a moment itself.
A_MOMENT = timedelta(minutes=2)


@dataclass(frozen=True)
class Said:
    """A customer's message."""

    id: str
    place: Place
    customer: str
    kind: str
    sent_at: datetime

    @property
    def conversation(self) -> tuple[str, str]:
        return self.place, self.customer

    @property
    def text(self) -> str:
        """Nobody says the very same again: that would be a machine. Letters that nobody can speak
        would be taken for none of a sentence."""
        digits = [int(digit, 16) for digit in sha256(self.id.encode()).hexdigest()[:4]]
        name = "".join("bdfgklmnprstvwzh"[digit] + "aeiou"[digit % 5] for digit in digits)
        return f"{TEXTS[self.kind][0]} for {name.capitalize()}"

    def entry(self, told_at: datetime) -> dict[str, Any]:
        """Of a webhook. A comment on Instagram has no time but that of its entry."""
        match self.place:
            case "messenger":
                at = int(self.sent_at.timestamp() * 1000)
                people = {"sender": {"id": self.customer}, "recipient": {"id": PAGE}}
                event = people | {"timestamp": at, "message": {"mid": self.id, "text": self.text}}
                return {"id": PAGE, "time": _ms(told_at), "messaging": [event]}
            case "facebook_comment":
                change = {"field": "feed", "value": self._comment()}
                return {"id": PAGE, "time": _ms(told_at) // 1000, "changes": [change]}
            case "instagram_comment":
                change = {"field": "comments", "value": self._comment_on_instagram()}
                return {"id": INSTAGRAM, "time": _ms(self.sent_at), "changes": [change]}
            case "review":
                return self._review()

    def _comment(self) -> dict[str, Any]:
        return {
            "item": "comment",
            "verb": "add",
            "comment_id": self.id,
            "post_id": f"{PAGE}_1",
            "parent_id": f"{PAGE}_1",
            "from": {"id": self.customer, "name": "Somebody"},
            "message": self.text,
            "created_time": _ms(self.sent_at) // 1000,
        }

    def _review(self) -> dict[str, Any]:
        return {
            "source": "app_store",
            "account": "4200",
            "id": self.id.partition(":")[2],
            "author": {"id": self.customer},
            "sent_at": self.sent_at.isoformat(),
            "text": self.text,
            "reply_url": URL,
        }

    def _comment_on_instagram(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "from": {"id": self.customer, "username": f"somebody{self.customer}"},
            "media": {"id": "9", "media_product_type": "FEED"},
            "text": self.text,
        }


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


# --- what is written, and when it is delivered ----------------------------------------------------


def written(count: int, people: int, dice: Random) -> list[Said]:
    """Some write again within minutes."""
    begin = datetime.now(UTC)
    said: list[Said] = []
    for number in range(count):
        place, person = dice.choice(PLACES), dice.randrange(people)
        sent_at = begin + dice.random() * WRITTEN_WITHIN
        if said and dice.random() < 0.3:
            before = dice.choice(said)
            place, person = before.place, int(before.customer[1:])
            sent_at = before.sent_at + dice.random() * timedelta(minutes=40)
        (kind,) = dice.choices(list(TEXTS), [weight for _, weight in TEXTS.values()])
        customer = f"{5 + PLACES.index(place)}{person:05}"
        source = "app_store:" if place == "review" else ""
        said.append(Said(f"{source}{PAGE}_{number:05}", place, customer, kind, sent_at))
    return said


def schedule(said: Sequence[Said], dice: Random) -> list[tuple[datetime, Said]]:
    """Each comes ten times within the hours that Meta tries; one in five comes late at first."""
    deliveries = []
    for one in said:
        late = dice.random() * RETRIES_FOR if dice.random() < 0.2 else timedelta()
        for _ in range(TIMES):
            again = late + dice.random() * (RETRIES_FOR - late)
            deliveries.append((one.sent_at + again, one))
        deliveries[-1] = (one.sent_at + late, one)
    dice.shuffle(deliveries)
    return sorted(deliveries, key=lambda delivery: delivery[0])


def packed(deliveries: Sequence[tuple[datetime, Said]], dice: Random) -> list[list[Any]]:
    """A message alone, in the very bytes of before, or several together, in new ones."""
    left, posts = list(deliveries), []
    while left:
        size = 1 if dice.random() < 0.6 else dice.randint(2, 6)
        posts.append(left[:size])
        del left[:size]
    return posts


OF = {"instagram_comment": "instagram", "review": "sources"}


def bodies(post: Sequence[tuple[datetime, Said]]) -> Iterator[tuple[str, bytes]]:
    """One of Facebook's, one of Instagram's, one of other sources; each with its channel."""
    told_at = post[0][1].sent_at if len(post) == 1 else post[-1][0]
    entries = defaultdict(list)
    for _, one in post:
        entries[OF.get(one.place, "page")].append(one.entry(told_at))
    for of, some in entries.items():
        if of == "sources":
            yield "generic", wire.encode(some)
        else:
            yield "meta", wire.encode({"object": of, "entry": some})


# --- a day and a half -----------------------------------------------------------------------------


@dataclass
class Day:
    """Deliveries in, and when each message first came in."""

    stack: World
    customers: httpx.Client
    sink: Sink
    pool: ThreadPoolExecutor
    arrived: dict[str, datetime] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    # When it was, by the clock on the wall, that a step began; and by the clock of the functions.
    _walls: list[datetime] = field(default_factory=list)
    _steps: list[datetime] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def introduce(self, said: Iterable[Said]) -> None:
        """The platforms know what was written. A forged delivery tells them, and is turned away."""
        for some in batched(said, 100, strict=False):
            of_meta = [(one.sent_at, one) for one in some if one.place != "review"]
            for _, body in bodies(of_meta):
                forged = {"channel": "meta", "raw": body.decode(), "signature": "wrong"}
                answer = self.customers.post("/deliver", json=forged).raise_for_status().json()
                assert [one["status"] for one in answer["deliveries"]] == [401]

    def step(self, posts: Sequence[Sequence[tuple[datetime, Said]]]) -> int:
        """Eight at once; all that follows from them before the next ones come."""
        now = max(at for post in posts for at, _ in post)
        self.stack._ahead = now - datetime.now(UTC)
        self._walls.append(datetime.now(UTC))
        self._steps.append(now)
        for post in posts:
            for _, one in post:
                self.arrived.setdefault(one.id, now)
        raw = [body for post in posts for body in bodies(post)]
        list(self.pool.map(self._deliver, raw))
        list(self.pool.map(self.stack.classify, self._streamed(raw)))
        for pump in (self._pump_replies, self._pump_complaints):
            while sum(self.pool.map(pump, range(AT_ONCE))):  # of all: any() would not wait
                pass
        # At once: SQS keeps a second one out for five minutes only, and these are hours apart.
        self.events += self.stack.events()
        return len(raw)

    def _deliver(self, post: tuple[str, bytes]) -> None:
        channel, body = post
        if channel == "meta":
            signed = wire.sign(DEMO_SECRET["meta"]["app_secrets"][0], body, "valid")
        else:
            key = DEMO_SECRET["generic"]["secrets"][0]
            signed = standard_headers(key, body, at=self.stack.now())
        headers = {name.lower(): value for name, value in signed.items()}
        assert self.stack.knock(channel, body.decode(), headers)["statusCode"] == 200

    def _streamed(self, raw: Iterable[tuple[str, bytes]]) -> list[list[dict[str, Any]]]:
        """What the stream shows of them, as batches for functions side by side."""
        now = datetime.now(UTC)
        keys = {Delivery(channel=name, body=body, received_at=now).key for name, body in raw}
        new = sorted(keys - self._known)
        self._known |= keys
        self.stack._streamed |= keys
        records = [stream_record(self.stack.image(key)) for key in new]
        return [list(some) for some in batched(records, 2, strict=False)]

    def _pump_replies(self, _: int) -> int:
        return self.stack.pump("reply", respond.handler)

    def _pump_complaints(self, _: int) -> int:
        return self.stack.pump_complaints()

    def answers(self) -> list[tuple[str, datetime]]:
        """Which message was answered, and when; an answer that is continued in private is one."""
        posted = self.sink.said()
        assert len({raw for *_, raw in self.sink.asked}) == len(posted)
        found: list[Any] = self.customers.get("/said").raise_for_status().json() + posted
        keys = Counter(_key(one) for one in found)
        assert set(keys.values()) <= {1}
        return [(_key(one)[0], self._when(one)) for one in found if _key(one)[1] != "private"]

    def _when(self, answer: dict[str, Any]) -> datetime:
        at = datetime.fromisoformat(answer["at"])
        if answer["platform"] == "generic":
            return at  # by the clock of the functions
        return self._steps[bisect(self._walls, at) - 1]


def _key(answer: dict[str, Any]) -> tuple[str, str]:
    """Of which message, and which answer to it. In private the simulator takes what was written
    last; Messenger brings back our own key."""
    message_id, _, which = str(answer.get("metadata") or f"{answer['in_reply_to']}#ack").rpartition(
        "#"
    )
    return message_id, which


@pytest.fixture
def day(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Day]:
    """AWS takes one call at a time: neither moto nor boto3's tables are made for threads, which
    Lambda has none of. Between two calls of a function comes whoever comes."""
    client: Any = BaseClient
    lock, call = RLock(), client._make_api_call

    def one_by_one(self: Any, *parts: Any, **named: Any) -> Any:
        with lock:
            return call(self, *parts, **named)

    monkeypatch.setattr(client, "_make_api_call", one_by_one)
    with (
        opened(monkeypatch) as (sink, internet),
        httpx.Client(transport=internet) as way_out,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        monkeypatch.setattr(respond, "http", cache(lambda: way_out))
        yield Day(connected, customers, sink, pool)


@pytest.mark.parametrize(
    ("messages", "people"),
    [
        pytest.param(40, 16, id="40 x 10"),
        pytest.param(
            1_000, 400, id="1,000 x 10", marks=(pytest.mark.deep, pytest.mark.timeout(1_800))
        ),
    ],
)
def test_a_message_is_one_message_however_often_and_in_whatever_company_it_comes(
    day: Day, messages: int, people: int, record_property: Callable[[str, object], None]
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")  # noqa: T201  (shown if it fails)
    dice = Random(seed)
    said = written(messages, people, dice)
    day.introduce(said)
    posts = packed(schedule(said, dice), dice)
    delivered = sum(day.step(some) for some in batched(posts, AT_ONCE, strict=False))
    day.stack.drain()
    remembered = Counter(item["message"]["id"] for item in day.stack.items("MSG#"))
    assert remembered == Counter(one.id for one in said)
    answers = day.answers()
    check_answers(day, said, answers)
    cases = check_cases(day, said, {message_id for message_id, _ in answers})
    assert day.stack.dead == []
    assert day.stack.bodies("inbox-dead") == []
    record_property(
        "figure",
        f"{messages:,} messages of {people} people, {TIMES} times each in {delivered:,} deliveries"
        f" within {RETRIES_FOR.total_seconds() / 3600:.0f} h, {AT_ONCE} at once: {len(answers)}"
        f" answers, {cases} cases, lost 0, doubled 0",
    )


def check_answers(day: Day, said: Sequence[Said], answers: Sequence[tuple[str, datetime]]) -> None:
    """One each at most, one in a cool-down, none too late; and none is missing without a cause."""
    by_id = {one.id: one for one in said}
    assert max(Counter(message_id for message_id, _ in answers).values()) == 1
    turns = defaultdict(list)
    for message_id, at in answers:
        one = by_id[message_id]
        # In private, chatter of which we are not sure is taken on.
        assert one.kind in ANSWERED or one.place == "messenger"
        assert day.arrived[message_id] - one.sent_at <= TOO_OLD + A_MOMENT
        turns[one.conversation].append(at)
    for times in turns.values():
        times.sort()
        assert all(b - a >= COOL_DOWN - A_MOMENT for a, b in pairwise(times))
    given = {message_id for message_id, _ in answers}
    for one in said:
        at = day.arrived[one.id]
        is_late = at - one.sent_at > TOO_OLD - A_MOMENT
        if one.kind in ANSWERED and one.id not in given and not is_late:
            before = [a for a in turns[one.conversation] if abs(at - a) < COOL_DOWN + A_MOMENT]
            assert before, f"{one} was not answered, and nothing else was"


def check_cases(day: Day, said: Sequence[Said], answered: set[str]) -> int:
    """One case for a conversation; every complaint in it once, and what nobody answered."""
    events = [*day.events, *day.stack.events()]
    told = Counter(event["id"] for event in events)
    assert set(told.values()) <= {1}
    case_of, heard = defaultdict(set), Counter[str]()
    for event in events:
        data = event["data"]
        case_of[data["conversation"]["account"], data["conversation"]["customer"]].add(
            data["case_id"]
        )
        if "failed_reply" not in data:
            heard[data["message"]["id"]] += 1
    assert all(len(cases) == 1 for cases in case_of.values())
    assert set(heard.values()) == {1}
    opened = Counter(
        event["data"]["case_id"] for event in events if event["type"].endswith("opened.v1")
    )
    assert set(opened.values()) == {1}
    known = set(heard) | {
        event["data"]["message"]["id"] for event in events if "failed_reply" in event["data"]
    }
    for one in said:
        if one.kind == "complaint":
            assert heard[one.id] == 1, f"{one} is in no case"
        elif one.kind in FOR_HUMANS:
            assert one.id in answered or one.id in known, f"{one} is lost"
    return len(opened)
