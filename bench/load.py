"""Under load: FirstReply deployed to MiniStack, customers writing at a steady rate whether or not
it keeps up; only addresses of this machine, for a bounded time."""

from __future__ import annotations

import io
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import boto3

from bench.harness import Goal, Section, Table, spread
from bench.rig import free_port
from local.play import Stage, open_stage
from local.stack import where

RATES = (20.0, 15.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.0, 1.0)
# Kept up with: everything is answered so soon after the last message was written.
SOON_SECONDS = 3.0
PATIENCE_SECONDS = 60.0
HOPS = 3  # webhook, classify, respond
WRITTEN = (
    ("messenger", "What time do you open on Sunday?"),
    ("facebook_comment", "My suitcase has not arrived for three days and nobody answers"),
    ("messenger", "Your app crashes when I try to log in"),
    ("facebook_comment", "Lovely crew, thank you"),
)
_people = count(1)


@dataclass(frozen=True, slots=True)
class Wave:
    """One steady rate for a while. `late`: seconds from the last message to the last answer, None
    if some were not answered at all."""

    rate: float
    ids: tuple[str, ...]
    refused: int
    seconds: float
    late: float | None
    times: tuple[float, ...]  # from POST to answer, in ms

    @property
    def kept_up(self) -> bool:
        is_on_time = self.seconds * self.rate <= len(self.ids) * 1.1
        return (
            is_on_time and not self.refused and self.late is not None and self.late < SOON_SECONDS
        )


def measure(*, quick: bool) -> Section:
    port = free_port()
    with open_stage(port=port, platforms_port=0, say=lambda text: print(text, flush=True)) as stage:
        stage.simulator.post("/settings", json={"echo": False}).raise_for_status()
        _wave(stage, 1, 5)  # warm
        empty = _empty_function(stage.stack.endpoint)
        single = _wave(stage, 0.5, 6 if quick else 20)
        tried = [_wave(stage, RATES[0], 5 if quick else 12)]
        while not tried[-1].kept_up and (slower := _slower(tried[-1])):
            tried.append(_wave(stage, slower, 5 if quick else 12))
        before = _memory(port)
        inbox = _count(stage)
        wave = _wave(stage, tried[-1].rate, 10 if quick else 60)
        after = _memory(port)
        stored = _count(stage) - inbox
        ids = set(wave.ids)
        decided = {one.message.id for one in stage.messages()} & ids
        answered = {one["in_reply_to"] for one in stage.said()} & ids
        told = {one["data"].get("message", {}).get("id") for one in stage.cases()} & ids
    lost = len(ids - answered - told)
    hop = spread(empty)
    share = HOPS * hop.median / median(single.times)
    return Section(
        name="load",
        title="Under load, through MiniStack",
        about="The template deployed to MiniStack on this machine by `sam deploy`; the simulated"
        " platforms post comments and messages of new customers at a steady rate, whether or not"
        " they are answered, and note when the answer comes. The emulator, its Lambda workers, the"
        f" platforms and the customers share {os.cpu_count()} cores.",
        tables=(
            Table(
                ("", "messages", "a second", "POST to answer: median", "99 of 100", "kept up"),
                tuple(_row(name, one) for name, one in _named(single, tried, wave)),
            ),
            Table(
                ("emulator's share", ""),
                (
                    ("an empty function, invoked warm", hop.show(" ms", 0)),
                    (f"{HOPS} of them, of the median one at a time", f"{share:.0%}"),
                ),
                "Asked for by the emulator's API; its own polls of the stream and the queues may"
                " invoke faster, so the share can come to more than all.",
            ),
            Table(
                ("", "messages"),
                (
                    ("posted", str(len(wave.ids) + wave.refused)),
                    ("accepted (200)", str(len(wave.ids))),
                    ("stored in the Inbox", str(stored)),
                    ("decided", str(len(decided))),
                    ("answered", str(len(answered))),
                    ("handed over to humans", str(len(told))),
                    ("neither", str(lost)),
                ),
            ),
            Table(
                ("memory of all processes of MiniStack", "before", "after"),
                (
                    ("processes", str(len(before)), str(len(after))),
                    ("MB", f"{sum(before):.0f}", f"{sum(after):.0f}"),
                ),
                "The emulator keeps every item and log line in memory itself.",
            ),
        ),
        goals=(
            Goal("messages accepted and then neither answered nor handed over", 0, lost, ""),
            Goal(
                "accepted but not stored, or stored but not decided",
                0,
                abs(len(wave.ids) - stored) + len(ids - decided),
                "",
            ),
        ),
        notes=(
            f"{wave.rate:g} a second is the most that was kept up with (tried: from {RATES[0]:g}"
            " downwards), and it is this machine's and the emulator's measure, not FirstReply's: an"
            f" invocation of nothing takes {hop.median:.0f} ms of it, and a message that opens a"
            " case makes five or six invocations and some thirty requests, all of them to one"
            " process of the emulator, beside the platforms and the customers.",
        ),
        figures={"rate": wave.rate, "p99_ms": _p99(wave), "lost": lost},
        quick=quick,
    )


def _slower(wave: Wave) -> float | None:
    """The next rate that it can keep up with, by what it got done of this one."""
    done = len(wave.times) / (wave.seconds + (wave.late or PATIENCE_SECONDS))
    below = [rate for rate in RATES if rate < wave.rate]
    return next((rate for rate in below if rate <= done), below[-1] if below else None)


def _named(single: Wave, tried: list[Wave], wave: Wave) -> list[tuple[str, Wave]]:
    trials = [(f"{one.rate:g} a second, tried", one) for one in tried]
    return [("one at a time", single), *trials, (f"{wave.rate:g} a second, for longer", wave)]


def _row(name: str, wave: Wave) -> tuple[str, ...]:
    times = [f"{median(wave.times):.0f} ms", f"{_p99(wave):.0f} ms"] if wave.times else ["–", "–"]
    rate = f"{len(wave.ids) / wave.seconds:.1f}"
    return (name, str(len(wave.ids)), rate, *times, "yes" if wave.kept_up else "no")


def _p99(wave: Wave) -> float:
    return quantiles(wave.times, n=100, method="inclusive")[98] if len(wave.times) > 1 else 0.0


def _wave(stage: Stage, rate: float, seconds: float) -> Wave:
    number = max(3, round(rate * seconds))
    began = time.monotonic()

    def write(at: int) -> dict[str, Any]:
        time.sleep(max(0.0, began + at / rate - time.monotonic()))
        place, text = WRITTEN[at % len(WRITTEN)]
        author = {"name": f"Customer {next(_people)}"}
        body = {"place": place, "text": text, "author": author}
        answer: dict[str, Any] = stage.simulator.post("/say", json=body).raise_for_status().json()
        return answer

    with ThreadPoolExecutor(min(64, max(4, int(rate * 4)))) as pool:
        said = list(pool.map(write, range(number)))
    ended = time.monotonic()
    ids = [one["id"] for one in said if one["deliveries"][-1]["status"] == 200]
    first = _first_answers(stage, set(ids), ended + PATIENCE_SECONDS)
    late = time.monotonic() - ended if len(first) == len(ids) else None
    return Wave(
        rate=rate,
        ids=tuple(ids),
        refused=number - len(ids),
        seconds=ended - began,
        late=late,
        times=tuple(first.values()),
    )


def _first_answers(stage: Stage, ids: set[str], until: float) -> dict[str, float]:
    """By message, as soon as all are there, or when patience ends."""
    while True:
        found: dict[str, float] = {}
        for one in stage.said():
            if one["in_reply_to"] in ids:
                found.setdefault(one["in_reply_to"], one["ms_after"])
        if len(found) == len(ids) or time.monotonic() > until:
            return found
        time.sleep(0.25)


def _count(stage: Stage) -> int:
    """Of the deliveries in the Inbox."""
    found: int = 0
    table: Any = stage.stack.dynamodb.Table(stage.stack.outputs["InboxTable"])
    page = table.scan(Select="COUNT")
    while True:
        found += page["Count"]
        if "LastEvaluatedKey" not in page:
            return found
        page = table.scan(Select="COUNT", ExclusiveStartKey=page["LastEvaluatedKey"])


def _empty_function(endpoint: str) -> list[float]:
    """Milliseconds of warm invocations of a function that does nothing."""
    client: Any = boto3.client("lambda", **where(endpoint))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return {}\n")
    client.create_function(
        FunctionName="empty",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/none",
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
        MemorySize=512,
    )
    times = []
    for _ in range(25):
        began = time.perf_counter()
        client.invoke(FunctionName="empty", Payload=b"{}")["Payload"].read()
        times.append((time.perf_counter() - began) * 1000)
    return times[5:]


def _memory(port: int) -> list[float]:
    """MB of each process that was started for that port."""
    needle, found = f"GATEWAY_PORT={port}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (process / "environ").read_bytes():
                pages = int((process / "statm").read_text().split()[1])
                found.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
        except OSError:
            continue
    return found
