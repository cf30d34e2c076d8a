"""What is counted is what docs/metrics.md lists, and no line of the log quotes anybody."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any, get_args

import httpx
import pytest
from botocore.exceptions import ConnectTimeoutError

from firstreply import aws
from firstreply.channels import entrances
from firstreply.observe import count, logger, observed
from firstreply.understanding import Intent
from functions.classify import app as classify
from functions.classify import offline
from functions.classify.trained import language
from functions.respond.speaking import Cause
from local.simulator import DEMO_SECRET, Simulator
from tests.aws import World, world
from tests.everything import WORDS, everything
from tests.gateway import gateway
from tests.sink import site
from tests.unit.channels.samples import ROOT
from tests.unit.test_listening import SAID

DOCS = (ROOT / "docs/metrics.md").read_text("utf-8")
VALUES = {
    "service": {"firstreply"},
    "channel": set(entrances()),
    "intent": set(get_args(Intent.__value__)),
    "reason": set(get_args(Cause.__value__)),
    "hours": {"open", "closed"},
}

type Metric = tuple[str, frozenset[str]]  # its unit, and what it is counted by


@dataclass
class Told:
    """What a stack to which everything has happened has written."""

    printed: str
    logged: str
    # Also what no handler of ours would write: what libraries say, at any level.
    records: list[logging.LogRecord]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.printed.splitlines() if '"_aws"' in line]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.logged.splitlines()]


class Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(scope="module")
def told(simulator: Simulator) -> Told:
    printed, logged, keeping = StringIO(), StringIO(), Keeping()
    httpx.delete(simulator.url).raise_for_status()
    root = logging.getLogger()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(printed),
        redirect_stderr(printed),
        world(patch, DEMO_SECRET, simulator.url) as stack,
        gateway(stack) as url,
        httpx.Client(base_url=simulator.url) as customers,
        site(patch) as sink,
    ):
        ours = logger()
        patch.setattr(ours.registered_handler, "stream", logged)
        patch.setattr(root, "handlers", [*root.handlers, keeping])
        patch.setattr(root, "level", logging.DEBUG)
        ours.setLevel("DEBUG")
        simulator.connect(url)
        customers.post("/settings", json={"echo": False}).raise_for_status()
        everything(stack, customers, sink)
        every_part_of_the_understanding_fails(stack, patch)
        ours.setLevel("INFO")
    return Told(printed.getvalue(), logged.getvalue(), keeping.records)


def every_part_of_the_understanding_fails(stack: World, patch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError("quasarish")

    def no_answer(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="none")

    patch.setenv("BEDROCK_MODEL_ID", "eu.amazon.nova-lite-v1:0")
    patch.setenv("COMPREHEND_SENTIMENT", "on")
    for client in (aws.bedrock_runtime(), aws.comprehend()):
        client.meta.events.register("before-parameter-build", no_answer)
    patch.setattr(offline, "encoders", fail)
    patch.setattr(offline, "_ngrams", fail)
    patch.setattr(language, "tongue", fail)
    classify.classifier.cache_clear()
    classify.classifier().understand(replace(SAID, text="My quasarish kettle stopped working"))


# --- metrics --------------------------------------------------------------------------------------


def documented() -> dict[str, Metric]:
    rows = re.findall(r"^\| (`[A-Z].*?`) \| (\w+) \| (.*?) ?\| .+ \|$", DOCS, re.MULTILINE)
    return {
        name: (unit, frozenset(re.findall(r"`(\w+)`", by)))
        for names, unit, by in rows
        for name in re.findall(r"`(\w+)`", names)
    }


def test_what_is_counted_is_what_is_documented(told: Told) -> None:
    counted: dict[str, Metric] = {}
    for line in told.metrics:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        whole, *others = directive["Dimensions"]
        assert whole == ["service"]
        assert all(one[0] == "service" and len(one) == 2 for one in others)
        by = frozenset(one[1] for one in others)
        assert directive["Namespace"] == "FirstReply"
        for metric in directive["Metrics"]:
            before = counted.get(metric["Name"], (metric["Unit"], frozenset()))
            counted[metric["Name"]] = (metric["Unit"], before[1] | by)
            assert before[0] == metric["Unit"]
            assert all(value >= 0 for value in line[metric["Name"]])
    assert counted == documented()


def test_a_dimension_has_few_values_and_all_of_them_cost_what_is_said(told: Told) -> None:
    for line in told.metrics:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        for name in {one for names in directive["Dimensions"] for one in names}:
            assert line[name] in VALUES[name]
    combinations = sum(1 + sum(len(VALUES[name]) for name in by) for _, by in documented().values())
    cost = f"there are {combinations} of them: ${combinations * 0.30:.2f} at most"
    assert cost in " ".join(DOCS.split())


def test_what_was_counted_stays_counted_when_the_invocation_fails(
    stack: World, capfd: pytest.CaptureFixture[str]
) -> None:
    """In one line for the same dimensions."""

    @observed
    def work(_event: object, _context: object) -> None:
        count("Received", channel="meta")
        count("Messages", 2, channel="meta")
        count("Messages", channel="meta")
        raise MemoryError

    with pytest.raises(MemoryError):
        work({}, stack.context())
    (line,) = [one for one in capfd.readouterr().out.splitlines() if '"_aws"' in one]
    told = json.loads(line)
    assert (told["Received"], told["Messages"]) == ([1.0], [2.0, 1.0])


@pytest.mark.parametrize("values", [99, 100, 101, 250])
def test_however_much_is_counted_is_counted_once(
    stack: World, capfd: pytest.CaptureFixture[str], values: int
) -> None:
    @observed
    def work(_event: object, _context: object) -> None:
        for value in range(values):
            count("Messages", value, channel="meta")

    work({}, stack.context())
    lines = [json.loads(one) for one in capfd.readouterr().out.splitlines() if '"_aws"' in one]
    assert [value for line in lines for value in line["Messages"]] == list(range(values))


# --- the log --------------------------------------------------------------------------------------


def private(secret: object) -> Iterator[str]:
    """Every string of the secret but the accounts' ids."""
    match secret:
        case Mapping():
            for one in secret.values():
                yield from private(one)
        case list() | tuple():
            for one in secret:
                yield from private(one)
        case str() if len(secret) > 3:
            yield secret


def test_no_line_quotes_a_customer_an_agent_or_a_secret(told: Told) -> None:
    said = [f"{one.getMessage()} {vars(one)}" for one in told.records if not is_theirs(one)]
    text = "\n".join((told.printed, told.logged, *said)).lower()
    assert len(told.lines) > 100
    for word in (*WORDS, *private(DEMO_SECRET)):
        assert word.lower() not in text


def is_theirs(record: logging.LogRecord) -> bool:
    """The simulator's web server runs in this process too."""
    return record.name.startswith("werkzeug")


def test_every_line_is_a_decision_of_a_documented_kind(told: Told) -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| (.+?) \| (.+?) \|$", DOCS, re.MULTILINE)
    known = {
        (stage, one) for stage, outcomes, _ in rows for one in re.findall(r"`([\w ]+)`", outcomes)
    }
    ids = {stage: set(re.findall(r"`(\w+)`", named)) for stage, _, named in rows}
    for line in told.lines:
        assert line["message"] == "decision"
        assert (line["stage"], line["outcome"]) in known
        assert isinstance(line.get("reason", ""), str)
        assert isinstance(line["duration_ms"], int)
        assert ids[line["stage"]] & line.keys(), line
    assert {line["stage"] for line in told.lines} == ids.keys()
