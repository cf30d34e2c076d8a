"""Cost: every request that a real run makes, priced; against the least that the path can cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import httpx

from bench import pricing
from bench.door import forget
from bench.harness import Goal, Section, Table
from bench.invoke import Handler, Meter
from bench.pricing import Bill
from bench.requests import Requests
from bench.rig import Rig, open_rig

MOST_DOLLARS, MOST_RATIO = 4.50, 1.5
# What is answered: complaints and questions, in public and in private, on both platforms.
WRITTEN = (
    ("facebook_comment", "My suitcase has not arrived for three days and nobody answers the phone"),
    ("messenger", "What time do you open on Sunday?"),
    ("x_mention", "still waiting for my refund, six weeks now. Unacceptable"),
    ("x_direct_message", "Your app crashes when I try to log in"),
)
MILLION = 1_000_000


@dataclass(slots=True)
class Metered(Meter):
    """Also prices what each invocation took: our computing, and AWS's and the platform's assumed
    times."""

    requests: Requests | None = None
    platform: Counter[str] = field(default_factory=Counter)

    def invoke(self, handler: Handler, event: dict[str, Any]) -> Any:  # noqa: ANN401
        assert self.requests
        waited, called = self.requests.waits_ms, self.platform["calls"]
        answer = Meter.invoke(self, handler, event)
        spent, assumed = self.spent[-1], pricing.prices()["assumed"]
        waits = self.requests.waits_ms - waited
        waits += (self.platform["calls"] - called) * assumed["ms"]["platform"]
        bill = self.requests.bill
        bill.add_invocation(spent.function, spent.cpu_ms, waits)
        bill.log_bytes += spent.log_bytes + assumed["log_bytes_per_invocation"]
        if spent.function == "webhook":
            bill.gateway += pricing.gateway_requests(len(event["body"]))
            bill.log_bytes += assumed["access_log_bytes"]
        return answer


@dataclass(frozen=True, slots=True)
class Run:
    """Of so many messages. `bill` has no DynamoDB units if its requests were not `sized`."""

    messages: int
    bill: Bill
    operations: Mapping[str, int]
    functions: Mapping[str, int]
    cpu_ms: Mapping[str, float]
    platform_calls: int
    body_bytes: int
    units: Counter[str]


def measure(*, quick: bool) -> Section:
    count = 12 if quick else 60
    with open_rig() as rig:
        _run(rig, len(WRITTEN) * 2)
        timed = _run(rig, count)
        sized = _run(rig, count, sized=True)
    with open_rig(echo=True) as rig:
        _run(rig, len(WRITTEN), echo=True)
        echoed = _run(rig, count, echo=True)
        echoed_sized = _run(rig, count, sized=True, echo=True)
    ours, theirs = _dollars(timed, sized), _dollars(echoed, echoed_sized)
    least = pricing.floor_bill(timed.body_bytes // count, min(timed.cpu_ms.values())).dollars()
    floor = {name: value * MILLION for name, value in least.items()}
    total, floor_total = sum(ours.values()), sum(floor.values())
    found = pricing.prices()
    rows = [
        (name, f"{ours[name]:.2f}", f"{theirs[name] - ours[name]:.2f}", f"{floor[name]:.2f}")
        for name in ours
    ]
    rows.append(
        (
            "**together**",
            f"**{total:.2f}**",
            f"{sum(theirs.values()) - total:.2f}",
            f"**{floor_total:.2f}**",
        )
    )
    usd, share = found["usd"], found["assumed"]["traced_share"]
    traces = usd["trace"] * MILLION * _invocations(timed)
    x = (found["x_usd"]["mention_received"] + found["x_usd"]["reply_sent"]) * MILLION
    most = sorted(ours, key=lambda name: floor[name] - ours[name])[:3]
    return Section(
        name="cost",
        title="Cost",
        about=f"Every request to AWS of {count} answered messages (complaints and questions, half"
        " of them in private, on Facebook, Messenger and X; each of a new customer, one at a time,"
        " warm; each is handed to the helpdesk too, as a case),"
        " counted where botocore sends them, and priced by"
        f" [bench/prices.yaml](../bench/prices.yaml) ({found['region']}, {found['architecture']},"
        f" {found['date']}; {found['source']}). Dollars per million answered messages, without"
        " AWS's free amounts.",
        tables=(
            Table(("", "FirstReply", "and its echoes", "floor"), tuple(rows)),
            Table(
                ("per answered message", "requests"),
                tuple(
                    (name, f"{value / count:.2f}")
                    for name, value in sorted(timed.operations.items())
                )
                + tuple(
                    (f"invocations of {name}", f"{value / count:.2f}")
                    for name, value in timed.functions.items()
                )
                + (("calls to the platform", f"{timed.platform_calls / count:.2f}"),),
            ),
            Table(
                ("DynamoDB writes an answered message", "write units", "$ a million"),
                tuple(
                    (
                        name,
                        f"{value / count:.2f}",
                        f"{value / count * MILLION * found['usd']['dynamodb_write_unit']:.2f}",
                    )
                    for name, value in sized.units.most_common()
                ),
            ),
        ),
        goals=(
            Goal(
                "dollars per million answered messages, AWS",
                MOST_DOLLARS,
                total,
                " $",
                f"most above the floor: {', '.join(most)}",
            ),
            Goal(
                "to the floor of the same path",
                MOST_RATIO,
                total / floor_total,
                "×",
                f"most above the floor: {', '.join(most)}",
            ),
        ),
        notes=(
            "Floor: one gateway request, one put, one read of the stream (free for Lambda), one"
            " queue hop, two writes of an outbox, one call to the platform, three invocations with"
            " the least computing of ours. It keeps no conversation and tells no helpdesk.",
            f"X's own fees for the same million: ${x:,.0f} (a mention read, a summoned reply).",
            "Lambda's milliseconds: our CPU time on this machine, longer where the function has"
            " less than a processor, and assumed answers: "
            + ", ".join(f"{name} {ms} ms" for name, ms in found["assumed"]["ms"].items())
            + ". An assumption, not a measurement.",
            "Echoes: a platform posts our own answers back to us, if the app is subscribed to them"
            " (a Page's comments always are).",
            f"With `Tracing=Active`, X-Ray besides: ${traces * share:.2f} a million for {share:.0%}"
            " of the invocations, as in a stream of many messages a second. Lambda traces the first"
            f" of every second, so at one message a second or less it traces all: ${traces:.2f}.",
            "Each month besides, whatever the traffic: what [cost.md](cost.md) calls fixed, and"
            " Lambda's empty polls of three queues"
            f" ${3 * 5 * 3 * 43_200 * usd['sqs_request']:.2f} (five pollers, 20 s each).",
        ),
        figures={"dollars": total, "floor": floor_total},
        quick=quick,
    )


def _invocations(run: Run) -> float:
    return sum(run.functions.values()) / run.messages


def _dollars(timed: Run, sized: Run) -> dict[str, float]:
    """Units of the one run, everything else of the other."""
    bill = timed.bill
    bill.write_units, bill.read_units = sized.bill.write_units, sized.bill.read_units
    bill.stored_gb_months = sized.bill.stored_gb_months
    return {name: value / timed.messages * MILLION for name, value in bill.dollars().items()}


def _run(rig: Rig, count: int, *, sized: bool = False, echo: bool = False) -> Run:
    from functions.respond import app as respond

    forget()
    requests = Requests(rig, sized)
    requests.listen()
    meter = Metered(requests=requests)
    rig.meter, size = meter, 0

    def note(request: httpx.Request) -> None:
        meter.platform["calls"] += 1
        requests.bill.out_bytes += len(request.read()) + len(str(request.headers))

    respond.http().event_hooks["request"] = [note]
    answered = len(rig.simulator.get("/said").json())
    stored = _stored(rig) if sized else {}
    for place, text in islice(cycle(WRITTEN), count):
        event = rig.write(place, text)
        size += len(event["body"])
        said = len(rig.simulator.get("/said").json())
        rig.deliver(event)
        rig.settle()
        if echo:
            for _ in range(len(rig.simulator.get("/said").json()) - said):
                rig.deliver(rig.posted.get(timeout=10))
            rig.settle()
    assert len(rig.simulator.get("/said").json()) - answered >= count, "not all were answered"
    if sized:
        requests.bill.stored_gb_months = sum(
            (value - stored[table]) / 1e9 * days / 30
            for (table, days), value in zip(_DAYS, _stored(rig).values(), strict=True)
        )
    functions = Counter(one.function for one in meter.spent)
    return Run(
        messages=count,
        bill=requests.bill,
        operations=dict(requests.by_operation),
        functions=functions,
        cpu_ms={
            name: sum(one.cpu_ms for one in meter.of(name)) / times
            for name, times in functions.items()
        },
        platform_calls=meter.platform["calls"],
        body_bytes=size,
        units=requests.units,
    )


# The tables, and for how many days their items are kept by default.
_DAYS = (("inbox", 14), ("conversations", 90))


def _stored(rig: Rig) -> dict[str, int]:
    """Bytes, with the 100 that DynamoDB adds to an item."""
    return {
        table: sum(
            pricing.item_bytes(item) + 100
            for page in rig.dynamodb.get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
        )
        for table, _ in _DAYS
    }
