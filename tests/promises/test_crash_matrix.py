"""Promise: wherever a function crashes, nothing is lost, nothing is said twice, no second case.

Each flow runs once to count its I/O boundaries (before and after every AWS call and every platform
call), then once for each of them with a crash right there; then everything is delivered again, as
the platforms, the stream and the queues do.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import httpx
import pytest

from firstreply import aws
from functions.classify import app as classify
from functions.escalate import app as escalate
from functions.respond import app as respond
from functions.webhook import app as webhook
from tests.aws import World
from tests.unit.test_path import PLACES

LEASE_OVER = timedelta(seconds=61)


class Crash(BaseException):
    """No `except Exception` may survive it."""


class Fuse:
    """Counts boundaries, and blows at one of them."""

    def __init__(self) -> None:
        self.passed, self._blows_at = 0, 0

    def set(self, at: int) -> None:
        self.passed, self._blows_at = 0, at

    def tick(self, **_: Any) -> None:
        self.passed += 1
        if self.passed == self._blows_at:
            raise Crash


class Fused(httpx.BaseTransport):
    """The way to the platforms, with the fuse before and after each call."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse, self._inner = fuse, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._fuse.tick()
        answer = self._inner.handle_request(request)
        answer.read()
        self._fuse.tick()
        return answer

    def close(self) -> None:
        self._inner.close()


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
def fuse(connected: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fuse]:
    fuse, clock = Fuse(), Clock()
    for module in (webhook, classify, respond, escalate):
        monkeypatch.setattr(module, "now", clock)
        monkeypatch.setattr(module, "handler", _ends_with_a_crash(module.handler, clock))
    clients = (
        aws.dynamodb_client(),
        aws.sqs(),
        aws.secretsmanager(),
        aws.dynamodb().meta.client,
    )
    for client in clients:
        client.meta.events.register("before-call", fuse.tick)
        client.meta.events.register("after-call", fuse.tick)
    monkeypatch.setenv("COOL_DOWN_MINUTES", "1")
    with httpx.Client(transport=Fused(fuse)) as way_out:
        monkeypatch.setattr(respond, "http", _with_cache_clear(way_out))
        yield fuse


def _with_cache_clear(client: httpx.Client) -> Any:
    from functools import cache

    return cache(lambda: client)


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
    body = {"place": place, "text": text, "author": {"name": f"Customer {person}"}}
    message_id: str = customers.post("/say", json=body).raise_for_status().json()["id"]
    connected.drain()
    return message_id


FLOWS = [(place, "My parcel is broken") for place in PLACES] + [
    ("messenger", "What time do you open?")
]


@pytest.mark.parametrize(("place", "text"), FLOWS)
def test_a_crash_at_any_boundary_loses_nothing_and_doubles_nothing(
    connected: World, customers: httpx.Client, fuse: Fuse, place: str, text: str
) -> None:
    people, many = count(1), 10_000  # limits are another test's
    limits = {"x_post_limit": many, "x_direct_message_limit": many}
    customers.post("/settings", json=limits).raise_for_status()
    run(connected, customers, place, text, next(people))  # the clients are made, the secret is read
    connected.bodies("escalation.fifo")
    fuse.set(0)
    run(connected, customers, place, text, next(people))
    boundaries = fuse.passed
    assert boundaries > 20
    for boundary in range(1, boundaries + 1):
        connected.bodies("escalation.fifo")
        fuse.set(boundary)
        message_id = run(connected, customers, place, text, next(people))
        assert fuse.passed >= boundary, "the crash did not happen"
        said = [s for s in customers.get("/said").json() if s["in_reply_to"] == message_id]
        events = connected.bodies("escalation.fifo")
        where = f"crash at boundary {boundary} of {boundaries}"
        assert len(said) <= 1, where
        opened = [e for e in events if e["type"] == "firstreply.case.opened.v1"]
        assert len(opened) == len({e["data"]["case_id"] for e in events}) <= 1, where
        if "broken" in text:
            assert opened, where
        assert said or opened, where
        assert connected.dead == [], where


# --- what happens to a message afterwards, and to its answer (make test-deep) ---------------------

CHANGED = "My parcel is broken and wet"


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
        message_id = run(connected, customers, "facebook_comment", "My parcel is broken", person)
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
