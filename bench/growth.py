"""Growth: what a message costs when more come in one POST, when more are stored, and when one
customer has written more."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import batched, count
from statistics import median
from time import time
from typing import Any

from bench.door import forget
from bench.harness import Section, Table
from bench.invoke import Meter, post
from bench.requests import Requests
from bench.rig import Rig, open_rig
from local.simulator import DEMO_SECRET

UPDATES = (1, 10, 100, 1_000)
STORED = (10, 1_000, 100_000)
BEFORE = (0, 10, 100, 1_000)
_numbers = count(1)


def measure(*, quick: bool) -> Section:
    updates, stored, before = (
        (UPDATES[:3], STORED[:2], BEFORE[:3]) if quick else (UPDATES, STORED, BEFORE)
    )
    rounds = 3 if quick else 15
    with open_rig() as rig:
        _posts(rig, 1, 5)  # warm
        by_updates = {n: _posts(rig, n, max(1, min(rounds, 100 // n))) for n in updates}
        by_stored = {}
        there = 0
        for number in stored:
            _fill(rig, number - there)
            there = number
            by_stored[number] = _posts(rig, 1, rounds)
        by_history = {number: _history(rig, number, rounds) for number in before}
    header = ("CPU a message", "requests to AWS a message", "bytes sent to AWS a message")
    return Section(
        name="growth",
        title="Growth",
        about="CPU of the webhook and classify, and their requests to AWS, for a message that needs"
        " no answer; each of another customer, but for the last table.",
        tables=(
            Table(("updates in a POST", *header), _rows(by_updates)),
            Table(("messages stored, of others", *header), _rows(by_stored)),
            Table(
                ("messages of the same customer before", *header),
                _rows(by_history),
                "The whole conversation is read for each of its messages (a complaint that is"
                " repeated, a wait that has become long), so this one grows.",
            ),
        ),
        notes=(
            "To make the last one flat: read the newest of the conversation only, which needs the"
            " time in the item's name (`MSG#<time>#<id>`) or an index by time; what looks further"
            " back (what waits for a human) would be kept in PERSON.",
        ),
        figures={
            **{f"updates {n}": one[0] for n, one in by_updates.items()},
            **{f"stored {n}": one[0] for n, one in by_stored.items()},
            **{f"before {n}": one[0] for n, one in by_history.items()},
        },
        quick=quick,
    )


type Found = tuple[float, float, float]  # CPU in ms, requests, bytes; of one message


def _rows(found: dict[int, Found]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (f"{number:,}", f"{cpu:.1f} ms", f"{requests:.1f}", f"{size:,.0f}")
        for number, (cpu, requests, size) in found.items()
    )


def _posts(rig: Rig, updates: int, rounds: int) -> Found:
    return _measured(rig, [_post(_body(updates)) for _ in range(rounds)], updates)


def _history(rig: Rig, number: int, rounds: int) -> Found:
    customer = str(7_000_000_000 + next(_numbers))
    event = _post(_body(1, customer))
    _measured(rig, [event], 1)
    _clone(rig, customer, number)
    return _measured(rig, [_post(_body(1, customer)) for _ in range(min(rounds, 5))], 1)


def _measured(rig: Rig, events: list[dict[str, Any]], updates: int) -> Found:
    """The median POST's CPU, and the mean of the requests."""
    requests = Requests(rig)
    forget()
    rig.meter = Meter()
    rig.deliver(_post(_body(1)))  # what a warm function has: the secret, connections
    requests.listen()
    rig.meter = Meter()
    for event in events:
        rig.deliver(event)
    spent = [one.cpu_ms for one in rig.meter.spent]
    each = [sum(pair) / updates for pair in batched(spent, 2, strict=True)]
    messages = updates * len(events)
    rig.take("reply")
    rig.take("complaint")
    return median(each), requests.total / messages, requests.bytes / messages


def _body(updates: int, customer: str | None = None) -> bytes:
    page = next(iter(DEMO_SECRET["meta"]["accounts"]))
    now = time()
    values = [
        {
            "item": "comment",
            "verb": "add",
            "from": {"id": customer or str(8_000_000_000 + next(_numbers)), "name": "Somebody"},
            "post_id": f"{page}_1",
            "parent_id": f"{page}_1",
            "comment_id": f"{page}_{next(_numbers)}",
            "message": "see you there",
            "created_time": int(now),
        }
        for _ in range(updates)
    ]
    entry = {
        "id": page,
        "time": int(now),
        "changes": [{"field": "feed", "value": value} for value in values],
    }
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def _post(body: bytes) -> dict[str, Any]:
    key = DEMO_SECRET["meta"]["app_secrets"][0].encode()
    signature = hmac.new(key, body, sha256).hexdigest()
    headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
    return post("meta", body, headers)


# --- what is stored already -----------------------------------------------------------------------


def _fill(rig: Rig, number: int) -> None:
    """Messages of other customers, without what was made of them."""
    known = next(_all(rig))
    pattern = {name: known[name] for name in ("platform_id", "message", "expires_at")}
    _write(
        rig,
        (
            pattern | {"conversation": {"S": f"meta#other#{one}"}, "item": {"S": f"MSG#o{one}"}}
            for one in (next(_numbers) for _ in range(number))
        ),
    )


def _clone(rig: Rig, customer: str, number: int) -> None:
    pattern = next(one for one in _all(rig) if customer in one["conversation"]["S"])
    _write(rig, (_renamed(pattern, f"clone-{next(_numbers)}") for _ in range(number)))


def _renamed(pattern: dict[str, Any], name: str) -> dict[str, Any]:
    message = pattern["message"]["M"] | {"id": {"S": name}, "text": {"S": f"and {name}"}}
    return pattern | {
        "item": {"S": f"MSG#{name}"},
        "platform_id": {"S": name},
        "message": {"M": message},
    }


def _all(rig: Rig) -> Iterator[dict[str, Any]]:
    for page in rig.dynamodb.get_paginator("scan").paginate(TableName="conversations"):
        for item in page["Items"]:
            if item["item"]["S"].startswith("MSG#") and "message" in item:
                yield dict(item)


def _write(rig: Rig, items: Iterator[dict[str, Any]]) -> None:
    for some in batched(items, 25, strict=False):
        puts: Any = [{"PutRequest": {"Item": item}} for item in some]
        rig.dynamodb.batch_write_item(RequestItems={"conversations": puts})
