"""Promise: wherever a function crashes, nothing is lost, nothing is said twice, no second case.

Each flow runs once to count its I/O boundaries (before and after every AWS call and every platform
call), then once for each of them with a crash right there; then everything is delivered again, as
the platforms, the stream and the queues do.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any, cast

import httpx
import pytest

from functions.classify import app as classify
from functions.escalate import app as escalate
from functions.respond import app as respond
from functions.webhook import app as webhook
from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.promises.fuse import Crash, Fuse, Fused, crash, fuse_calls, kept
from tests.sink import URL, Internet, Sink, opened
from tests.unit.channels.samples import body, standard_headers
from tests.unit.test_path import PLACES

type RecordProperty = Callable[[str, object], None]

LEASE_OVER = timedelta(seconds=61)


class Clock:
    """Every invocation comes a lease later than the one before, as retries do."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self) -> None:
        self._ahead += LEASE_OVER

    def reset(self) -> None:
        self._ahead = timedelta()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sink, Internet]]:
    with opened(monkeypatch) as made:
        yield made


@pytest.fixture
def sink(away: tuple[Sink, Internet]) -> Sink:
    """Who takes the answers to reviews."""
    return away[0]


@pytest.fixture
def fuse(
    connected: World, away: tuple[Sink, Internet], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fuse]:
    fuse, clock = Fuse(), Clock()
    for module in (webhook, classify, respond, escalate):
        monkeypatch.setattr(module, "now", clock)
        monkeypatch.setattr(module, "handler", _ends_with_a_crash(module.handler, clock))
    fuse_calls(fuse)
    monkeypatch.setenv("COOL_DOWN_MINUTES", "1")
    with httpx.Client(transport=Fused(fuse, away[1])) as way_out:
        monkeypatch.setattr(respond, "http", kept(way_out))
        yield fuse


def _ends_with_a_crash(handler: Any, clock: Clock) -> Any:
    """To whoever invoked the function, a crash is a failed invocation."""

    def call(event: Any, context: Any) -> Any:
        clock.advance()
        try:
            return handler(event, context)
        except Crash:
            raise RuntimeError("crashed") from None

    return call


def run(connected: World, customers: httpx.Client, place: str, text: str, person: int) -> str:
    cast("Any", webhook).now.reset()  # a message of the day before is nobody's to answer
    if place in REVIEWS:
        return review(connected, place, text, person)
    body = {"place": place, "text": text, "author": {"name": f"Customer {person}"}}
    message_id: str = customers.post("/say", json=body).raise_for_status().json()["id"]
    connected.drain()
    return message_id


# Where other sources want their answers.
NEVER_CONFIRMED = "review, answers never confirmed"
REVIEWS: Mapping[str, Mapping[str, str]] = {
    "review": {"reply_url": URL},
    NEVER_CONFIRMED: {"reply_url": URL},
    "review without reply_url": {},
}


def review(connected: World, place: str, text: str, person: int) -> str:
    one = f"{person}.{sha256(text.encode()).hexdigest()[:8]}"
    told = {
        "source": "google_business",
        "account": "locations/4200",
        "id": one,
        "author": {"id": str(person)},
        "sent_at": cast("Any", webhook).now().isoformat(),
        "text": text,
        "kind": "review",
    }
    insist(connected, "generic", {**told, **REVIEWS[place]})
    connected.drain()
    return f"google_business:{one}"


def insist(connected: World, entrance: str, told: object) -> None:
    """POST it until it is taken, as Standard Webhooks has it."""
    raw = body(told)
    for _ in range(3):
        now = cast("Any", webhook).now()
        headers = standard_headers(DEMO_SECRET[entrance]["secrets"][0], raw, at=now)
        try:
            if connected.knock(entrance, raw.decode(), headers)["statusCode"] == 200:
                return
        except RuntimeError:  # the function crashed
            continue
    raise AssertionError("it was never taken")


def said(customers: httpx.Client, sink: Sink) -> list[dict[str, Any]]:
    """What was said anywhere. All that is posted in answer to one message is the same."""
    posted = sink.said()
    assert len({raw for *_, raw in sink.asked}) == len(posted)
    return [*customers.get("/said").json(), *posted]


@dataclass
class Flow:
    """What a customer writes, again and again by another one, and what must come of it."""

    connected: World
    customers: httpx.Client
    fuse: Fuse
    sink: Sink
    place: str
    text: str
    people: Iterator[int] = field(default_factory=lambda: count(1))

    def boundaries(self) -> int:
        """How many it has when nothing crashes."""
        self.start_over()
        self._run()
        assert self.fuse.passed > 12
        return self.fuse.passed

    def start_over(self) -> None:
        """Nothing is kept, but the clients are made and the secret is read."""
        self.connected.start_over()
        self.customers.delete("/").raise_for_status()
        many = 1_000_000  # limits are another test's
        settings = {"x_post_limit": many, "x_direct_message_limit": many, "echo": False}
        self.customers.post("/settings", json=settings).raise_for_status()
        self.fuse.set(0)
        self._run()
        self.fuse.set(0)

    def happen_twice(self, first: int, second: int) -> bool:
        """A crash at a boundary, and one so many boundaries later; False if there is none."""

        def crash_again() -> None:
            self.fuse.set(second)
            crash()

        self.fuse.set(first, crash_again)
        self.happen(f"crash at boundary {first}, and then at the {second}th after it")
        return self.fuse.passed >= second

    def happen(self, where: str) -> None:
        """Somebody writes, and everything is delivered until nothing moves any more."""
        connected = self.connected
        message_id = self._run()
        answers = [s for s in said(self.customers, self.sink) if s["in_reply_to"] == message_id]
        events = connected.bodies("escalation.fifo")
        texts = Counter(one["kind"] for one in answers)
        assert max(texts.values(), default=0) <= 1, where
        assert len(answers) <= (2 if self.text == CONTINUED else 1), where
        opened = [e for e in events if e["type"] == "firstreply.case.opened.v1"]
        assert len(opened) == len({e["data"]["case_id"] for e in events}) <= 1, where
        assert opened, where
        if self.place in REVIEWS:
            told = ["opened"]
            if "reply_url" in REVIEWS[self.place]:
                told += ["reply_refused" if self._is_never_confirmed else "reply_sent"]
            assert [e["type"].split(".")[2] for e in events] == told, where
            assert len(answers) == len(told) - 1, where
        if self.text == CONTINUED and len(answers) < 2:  # a human is told which one is missing
            assert [e for e in events if e["type"].endswith("reply_refused.v1")], where
        assert connected.dead == [], where

    @property
    def _is_never_confirmed(self) -> bool:
        return self.place == NEVER_CONFIRMED

    def _run(self) -> str:
        self.connected.empty()  # what lies there from before makes all slower
        self.sink.start_over()
        self.sink.statuses += [504] * 9 * self._is_never_confirmed
        return run(self.connected, self.customers, self.place, self.text, next(self.people))


# Acknowledged in public, continued in private by a second answer.
CONTINUED = "My parcel is broken"
FLOWS = [
    *((place, "My kettle stopped working") for place in (*PLACES, *REVIEWS)),
    ("messenger", "What time do you open on Sunday?"),
    ("facebook_comment", CONTINUED),
]
# Two crashes beside the tries that fail anyhow make a dead letter: an operator has it then.
FLOWS_OF_PAIRS = [one for one in FLOWS if one[0] != NEVER_CONFIRMED]


@pytest.fixture
def flow(
    request: pytest.FixtureRequest,
    connected: World,
    customers: httpx.Client,
    fuse: Fuse,
    sink: Sink,
) -> Flow:
    place, text = request.param
    return Flow(connected, customers, fuse, sink, place, text)


# In `make test` every second boundary of the flow that says most, and some of the others and of the
# pairs; which, say the figures that it prints.
SEED = int(os.environ.get("CRASH_SEED", "5"))
SOME, SOME_OF_A_LIFE, SOME_PAIRS = 5, 12, 6
STEPS = {CONTINUED: 2, NEVER_CONFIRMED: 16}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("flow", FLOWS, indirect=True, ids=" ".join)
@pytest.mark.parametrize("every", [SOME, pytest.param(1, marks=pytest.mark.deep)])
def test_a_crash_at_any_boundary_loses_nothing_and_doubles_nothing(
    flow: Flow, every: int, record_property: RecordProperty
) -> None:
    boundaries = flow.boundaries()
    step = 1 if every == 1 else STEPS.get(flow.text, STEPS.get(flow.place, every))
    chosen = range(1 + SEED % step, boundaries + 1, step)
    for boundary in chosen:
        flow.fuse.set(boundary)
        flow.happen(f"crash at boundary {boundary} of {boundaries}")
        assert flow.fuse.passed >= boundary, "the crash did not happen"
    record_property(
        "figure",
        f"{flow.place}: {boundaries} boundaries, a crash at {len(chosen)} of them"
        f" (CRASH_SEED={SEED}); lost 0, doubled 0",
    )


@pytest.mark.parametrize("flow", FLOWS_OF_PAIRS, indirect=True, ids=" ".join)
def test_a_second_crash_while_the_first_is_made_good_loses_and_doubles_nothing_either(
    flow: Flow, record_property: RecordProperty
) -> None:
    boundaries = flow.boundaries()
    chance, happened = Random(f"{SEED} {flow.place} {flow.text}"), 0
    while happened < SOME_PAIRS:
        first, second = chance.randint(1, boundaries), chance.randint(1, boundaries)
        happened += flow.happen_twice(first, second)
    record_property(
        "figure", f"{flow.place}: {happened} pairs of crashes (CRASH_SEED={SEED}); lost 0"
    )


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("flow", FLOWS_OF_PAIRS, indirect=True, ids=" ".join)
def test_no_pair_of_crashes_loses_or_doubles_anything(
    flow: Flow, record_property: RecordProperty
) -> None:
    """Every boundary, with every one that is passed afterwards until all is done."""
    boundaries, pairs = flow.boundaries(), 0
    for first in range(1, boundaries + 1):
        flow.start_over()
        for second in count(1):
            if not flow.happen_twice(first, second):
                break
            pairs += 1
    record_property(
        "figure",
        f"{flow.place}: {boundaries} boundaries, {pairs} pairs of crashes; lost 0, doubled 0",
    )


# --- the life of a case ---------------------------------------------------------------------------

# Of the second message, after the case was closed.
AGAIN = "It broke again"
# Of the agent.
BRIEF = "A new one is on its way, {}"


type Ask = Callable[[World, dict[str, Any]], None]


def _by_queue(connected: World, request: dict[str, Any]) -> None:
    connected.sqs.send_message(QueueUrl=connected.urls["reply"], MessageBody=json.dumps(request))


def _by_door(connected: World, request: dict[str, Any]) -> None:
    insist(connected, "helpdesk", {"specversion": "1.0", **request})


def _answer_and_close(event: dict[str, Any], person: int, text: str = BRIEF) -> dict[str, Any]:
    """What an agent asks for."""
    return {
        "type": "firstreply.reply.requested.v1",
        "id": f"note-{person}",
        "source": "helpdesk",
        "time": cast("Any", webhook).now().isoformat(),
        "data": {
            "conversation": event["data"]["conversation"],
            "in_reply_to": event["data"]["message"]["id"],
            "text": text.format(person),
            "author": {"kind": "agent", "name": "Kim"},
            "close_case": True,
        },
    }


@dataclass
class Life:
    """A case is opened, answered and closed, and opened again by the next message."""

    connected: World
    customers: httpx.Client
    fuse: Fuse
    sink: Sink
    place: str
    ask: Ask
    people: Iterator[int] = field(default_factory=lambda: count(1))

    def boundaries(self) -> int:
        self.customers.post("/settings", json={"echo": False}).raise_for_status()
        self._live(next(self.people))
        self.fuse.set(0)
        self._live(next(self.people))
        assert self.fuse.passed > 60
        return self.fuse.passed

    def happen(self, where: str) -> None:
        person, already = next(self.people), len(said(self.customers, self.sink))
        told = list({event["id"]: event for event in self._live(person)}.values())
        assert self.connected.dead == [], where
        life = [event["type"].split(".")[2] for event in told]
        assert [kind for kind in life if "open" in kind or kind == "closed"] == [
            "opened",
            "closed",
            "reopened",
        ], where
        assert len({event["data"]["case_id"] for event in told}) == 1, where
        (case,) = self.connected.items("CASE")
        assert case["is_open"], where
        answers = said(self.customers, self.sink)[already:]
        (agents,) = [one["text"] for one in answers if one["text"].endswith(f"way, {person}")]
        sent = [e["data"]["reply"] for e in told if e["type"].endswith("reply_sent.v1")]
        assert [one["text"] for one in sent if one["author"]["kind"] == "agent"] == [agents], where
        assert sorted(one["id"] for one in sent) == sorted(one["id"] for one in answers), where

    def _live(self, person: int) -> list[dict[str, Any]]:
        connected, customers = self.connected, self.customers
        connected.empty()
        run(connected, customers, self.place, "My kettle stopped working", person)
        events = connected.bodies("escalation.fifo")
        opened = next((e for e in events if e["type"].endswith("opened.v1")), None)
        assert opened, "no human knows of it"
        self.ask(connected, _answer_and_close(opened, person))
        connected.drain()
        events += connected.bodies("escalation.fifo")
        run(connected, customers, self.place, AGAIN, person)
        return events + connected.bodies("escalation.fifo")


LIVES = {
    "messenger, by the queue": ("messenger", _by_queue),
    "messenger, by the door": ("messenger", _by_door),
    "review, by the door": ("review", _by_door),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("every", [SOME_OF_A_LIFE, pytest.param(1, marks=pytest.mark.deep)])
def test_a_crash_at_any_boundary_of_a_case_s_life_loses_and_doubles_nothing(
    connected: World,
    customers: httpx.Client,
    fuse: Fuse,
    sink: Sink,
    name: str,
    every: int,
    record_property: RecordProperty,
) -> None:
    life = Life(connected, customers, fuse, sink, *LIVES[name])
    boundaries = life.boundaries()
    chosen = range(1 + SEED % every, boundaries + 1, every)
    for boundary in chosen:
        fuse.set(boundary)
        life.happen(f"crash at boundary {boundary} of {boundaries}")
        assert fuse.passed >= boundary, "the crash did not happen"
    record_property(
        "figure",
        f"life of a case ({name}): {boundaries} boundaries, a crash at {len(chosen)} of them"
        f" (CRASH_SEED={SEED}); lost 0, doubled 0",
    )


# --- a thread -----------------------------------------------------------------------------------

LONG = " ".join(f"Step {{0}}.{n}: unplug it, and let it cool for an hour." for n in range(12))


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.deep)])
def test_a_crash_at_any_boundary_of_a_thread_loses_doubles_and_misplaces_no_part(
    connected: World,
    customers: httpx.Client,
    fuse: Fuse,
    monkeypatch: pytest.MonkeyPatch,
    every: int,
    record_property: RecordProperty,
) -> None:
    monkeypatch.setenv("AUTO_REPLY", "off")  # under the same message it would leave doubt
    people = count(1)

    def once(boundary: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What is said, and what is told of it; with a crash there."""
        person = next(people)
        connected.empty()
        customers.delete("/").raise_for_status()
        customers.post("/settings", json={"echo": False}).raise_for_status()
        fuse.set(0)
        run(connected, customers, "x_mention", "My kettle stopped working", person)
        opened, *_ = connected.bodies("escalation.fifo")
        fuse.set(boundary)
        _by_queue(connected, _answer_and_close(opened, person, LONG))
        connected.drain()
        events = {one["id"]: one for one in connected.bodies("escalation.fifo")}
        under = [opened["data"]["message"]["id"]]
        said: list[dict[str, Any]] = customers.get("/said").json()
        under += [one["id"] for one in said[:-1]]
        where = f"crash at boundary {boundary}"
        assert [one["in_reply_to"] for one in said] == under, where
        words = [one["text"].rpartition(" ") for one in said]
        assert [number for *_, number in words] == ["1/3", "2/3", "3/3"], where
        assert " ".join(text for text, *_ in words) == LONG.format(person), where
        return said, list(events.values())

    once(0)
    once(0)
    boundaries = fuse.passed
    assert boundaries > 50
    chosen = range(1 + SEED % every, boundaries + 1, every)
    for boundary in chosen:
        said, events = once(boundary)
        where = f"crash at boundary {boundary} of {boundaries}"
        assert fuse.passed >= boundary, "the crash did not happen"
        assert connected.dead == [], where
        *sent, closed = events
        assert closed["type"] == "firstreply.case.closed.v1", where
        assert [one["data"]["reply"]["id"] for one in sent] == [one["id"] for one in said], where
        assert not connected.items("CASE")[0]["is_open"], where
    record_property(
        "figure",
        f"thread of three: {boundaries} boundaries, a crash at {len(chosen)} of them"
        f" (CRASH_SEED={SEED}); lost 0, doubled 0",
    )


# --- what happens to a message afterwards, and to its answer (make test-deep) ---------------------

CHANGED = "My kettle stopped working and is wet"


def _happen(connected: World, customers: httpx.Client, what: str, message_id: str) -> None:
    """Deliveries that a crash answers with 500 come again, as Meta's do."""
    body = {"id": message_id} | ({"text": CHANGED} if what == "edit" else {})
    customers.post(f"/{what}", json=body).raise_for_status()
    connected.drain()


def _token_dies(connected: World, customers: httpx.Client) -> None:
    """For the next answer; nothing is known of it yet."""
    for item in connected.items("ACCOUNT"):
        key = {name: item[name] for name in ("conversation", "item")}
        connected.conversations.delete_item(Key=key)
    customers.delete("/faults").raise_for_status()
    fault = {"on": "any", "fault": "graph_error", "code": 190, "times": 50}
    customers.post("/faults", json=fault).raise_for_status()


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["edit", "remove", "dead token"])
def test_a_crash_at_any_boundary_of_what_comes_after_loses_nothing_either(
    connected: World, customers: httpx.Client, fuse: Fuse, what: str
) -> None:
    people = count(1)

    def once(person: int) -> str:
        if what == "dead token":
            _token_dies(connected, customers)
        message_id = run(
            connected, customers, "facebook_comment", "My kettle stopped working", person
        )
        if what != "dead token":
            _happen(connected, customers, what, message_id)
        return message_id

    once(next(people))
    fuse.set(0)
    once(next(people))
    boundaries = fuse.passed
    assert boundaries > 40
    for boundary in range(1, boundaries + 1):
        connected.bodies("escalation.fifo")
        fuse.set(boundary)
        message_id = once(next(people))
        where = f"crash at boundary {boundary} of {boundaries}"
        assert fuse.passed >= boundary, "the crash did not happen"
        said = [s for s in customers.get("/said").json() if s["in_reply_to"] == message_id]
        events = connected.bodies("escalation.fifo")
        kinds = [event["type"].split(".")[2] for event in events]
        assert len(said) == (0 if what == "dead token" else 1), where
        assert len({event["data"]["case_id"] for event in events}) == 1, where
        assert connected.dead == [], where
        if what == "edit":
            assert events[-1]["data"]["message"]["text"] == CHANGED, where
        elif what == "remove":
            assert kinds[-1] == "withdrawn", where
        else:
            assert set(kinds) == {"opened", "reply_refused"}, where
