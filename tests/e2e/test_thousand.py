"""The most that Meta puts into one POST: 1,000 updates, here for 20 Pages (in make test: 200)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from firstreply.conversations import Remembered
from local.play import Stage
from tests.e2e.conftest import MORE_PAGES
from tests.e2e.test_path import rest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# Of 1,000, the comments of a Page, and its messages.
ALL = 25


def many(each: int, now: float) -> dict[str, Any]:
    """For each Page so many comments and messages: one complains, one asks, the others chat."""
    entries: list[dict[str, Any]] = []
    for page in MORE_PAGES:
        comments = [comment(page, number, now, each) for number in range(each)]
        messages = [message(page, number, now, each) for number in range(each)]
        entries.append({"id": page, "time": int(now), "changes": comments})
        entries.append({"id": page, "time": int(now * 1000), "messaging": messages})
    return {"object": "page", "entry": entries}


def comment(page: str, number: int, now: float, each: int) -> dict[str, Any]:
    value = {
        "item": "comment",
        "verb": "add",
        "from": {"id": f"5{page}{each}{number:02}", "name": "Somebody"},
        "post_id": f"{page}_1",
        "parent_id": f"{page}_1",
        "comment_id": f"{page}_{each}{number:02}",
        "message": "Your app keeps crashing and nobody answers" if number == 4 else "see you there",
        "created_time": int(now),
    }
    return {"field": "feed", "value": value}


def message(page: str, number: int, now: float, each: int) -> dict[str, Any]:
    return {
        "sender": {"id": f"6{page}{each}{number:02}"},
        "recipient": {"id": page},
        "timestamp": int(now * 1000),
        "message": {
            "mid": f"m_{page}_{each}{number:02}",
            "text": "What time do you open on Sunday?" if number == 3 else "see you there",
        },
    }


@pytest.mark.parametrize("each", [5, pytest.param(ALL, marks=pytest.mark.deep)])
def test_a_thousand_updates_are_taken_at_once_and_each_is_decided_once(
    stage: Stage, each: int, record_property: Callable[[str, object], None]
) -> None:
    updates = 2 * each * len(MORE_PAGES)
    ids = {f"{page}_{each}{number:02}" for page in MORE_PAGES for number in range(each)}
    ids |= {f"m_{one}" for one in ids}
    said_before = len(stage.said())
    body = {"channel": "meta", "body": many(each, time.time()), "times": 2}
    inbox = stage.stack.dynamodb.Table(stage.stack.outputs["InboxTable"])
    before = inbox.scan(Select="COUNT")["Count"]
    started = time.monotonic()
    answer = stage.simulator.post("/deliver", json=body, timeout=60).raise_for_status().json()
    assert [one["status"] for one in answer["deliveries"]] == [200, 200]
    assert inbox.scan(Select="COUNT")["Count"] - before == 1  # one put, however many updates
    deadline = time.monotonic() + 180
    known: list[Remembered] = []
    while len(known) < updates:
        assert time.monotonic() < deadline, f"{len(known)} of {updates} messages are there"
        time.sleep(1)  # who asks for a thousand more often takes the time of who decides on them
        known = [one for one in stage.messages() if one.message.id in ids]
    took = time.monotonic() - started
    rest(stage)
    known = [one for one in stage.messages() if one.message.id in ids]
    assert len({one.message.id for one in known}) == len(known) == updates
    assert Counter(one.understanding.intent for one in known) == {
        "other": updates - 40,
        "complaint": 20,
        "question": 20,
    }
    said = Counter(one["account"] for one in stage.said()[said_before:])
    assert said == dict.fromkeys(MORE_PAGES, 2)
    opened = [
        event["data"]["conversation"]["account"]
        for event in stage.cases()
        if event["data"]["message"]["id"] in ids
    ]
    assert Counter(opened) == dict.fromkeys(MORE_PAGES, 2)
    times = " and ".join(f"{one['ms']:.0f} ms" for one in answer["deliveries"])
    record_property(
        "figure",
        f"{updates:,} updates for 20 Pages: answered in {times}; all decided in {took:.1f} s",
    )
