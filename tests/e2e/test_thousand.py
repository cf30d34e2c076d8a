"""The most that Meta puts into one POST: 1,000 updates, here for 20 Pages."""

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

UPDATES = 1_000


def thousand(now: float) -> dict[str, Any]:
    """For each Page 25 comments and 25 messages: one complains, one asks, the others chat."""
    entries: list[dict[str, Any]] = []
    for page in MORE_PAGES:
        comments = [comment(page, number, now) for number in range(25)]
        messages = [message(page, number, now) for number in range(25)]
        entries.append({"id": page, "time": int(now), "changes": comments})
        entries.append({"id": page, "time": int(now * 1000), "messaging": messages})
    return {"object": "page", "entry": entries}


def comment(page: str, number: int, now: float) -> dict[str, Any]:
    value = {
        "item": "comment",
        "verb": "add",
        "from": {"id": f"5{page}{number:02}", "name": "Somebody"},
        "post_id": f"{page}_1",
        "parent_id": f"{page}_1",
        "comment_id": f"{page}_{number:04}",
        "message": "Your app keeps crashing and nobody answers" if number == 7 else "see you there",
        "created_time": int(now),
    }
    return {"field": "feed", "value": value}


def message(page: str, number: int, now: float) -> dict[str, Any]:
    return {
        "sender": {"id": f"6{page}{number:02}"},
        "recipient": {"id": page},
        "timestamp": int(now * 1000),
        "message": {
            "mid": f"m_{page}_{number:04}",
            "text": "What time do you open on Sunday?" if number == 3 else "see you there",
        },
    }


def ours(text: str) -> bool:
    return any(page in text for page in MORE_PAGES)


def test_a_thousand_updates_are_taken_at_once_and_each_is_decided_once(
    stage: Stage, record_property: Callable[[str, object], None]
) -> None:
    body = {"channel": "meta", "body": thousand(time.time()), "times": 2}
    inbox = stage.stack.dynamodb.Table(stage.stack.outputs["InboxTable"])
    before = inbox.scan(Select="COUNT")["Count"]
    started = time.monotonic()
    answer = stage.simulator.post("/deliver", json=body, timeout=60).raise_for_status().json()
    assert [one["status"] for one in answer["deliveries"]] == [200, 200]
    assert inbox.scan(Select="COUNT")["Count"] - before == 1  # one put, however many updates
    deadline = time.monotonic() + 180
    known: list[Remembered] = []
    while len(known) < UPDATES:
        assert time.monotonic() < deadline, f"{len(known)} of {UPDATES} messages are there"
        time.sleep(1)  # who asks for a thousand more often takes the time of who decides on them
        known = [one for one in stage.messages() if ours(one.message.id)]
    took = time.monotonic() - started
    rest(stage)
    known = [one for one in stage.messages() if ours(one.message.id)]
    assert len({one.message.id for one in known}) == len(known) == UPDATES
    assert Counter(one.understanding.intent for one in known) == {
        "other": UPDATES - 40,
        "complaint": 20,
        "question": 20,
    }
    assert Counter(said["account"] for said in stage.said() if ours(said["account"])) == {
        page: 2 for page in MORE_PAGES
    }
    opened = [event["data"]["conversation"]["account"] for event in stage.cases()]
    assert Counter(filter(ours, opened)) == dict.fromkeys(MORE_PAGES, 2)
    times = " and ".join(f"{one['ms']:.0f} ms" for one in answer["deliveries"])
    record_property(
        "figure", f"1,000 updates for 20 Pages: answered in {times}; all decided in {took:.1f} s"
    )
