"""What template.yaml grants is what the functions call: no more (attack), no less (outage)."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import httpx
import pytest

from firstreply import aws
from functions.classify import app as classify
from functions.escalate import app as escalate
from functions.respond import app as respond
from functions.webhook import app as webhook
from tests.aws import World
from tests.template.cfn import logical_id
from tests.template.test_template import ROLES, statements
from tests.unit.test_path import PLACES, say

type Granted = set[tuple[str, str]]

RESOURCE = {
    "inbox": "InboxTable",
    "conversations": "ConversationsTable",
    "reply": "ReplyQueue",
    "complaint": "ComplaintQueue",
    "escalation.fifo": "EscalationQueue",
    "inbox-dead": "InboxDeadLetterQueue",
    "channels": "Secret",
}
# An API call may need the permission of another name.
ACTION = {"sqs:SendMessageBatch": "sqs:SendMessage"}
# What Lambda itself does on a role's behalf: it polls sources and writes logs.
BY_LAMBDA = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}


def granted(role: str) -> Granted:
    found: Granted = set()
    for statement in statements(ROLES[role]):
        targets = statement["Resource"]
        for target in targets if isinstance(targets, list) else [targets]:
            for action in statement["Action"]:
                if action not in BY_LAMBDA:
                    found.add((action, logical_id(target)))
    return found


class Recorder:
    """Notes every AWS call that is made while a function runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.called: dict[str, Granted] = defaultdict(set)
        self._running: str | None = None
        for module in (webhook, classify, respond, escalate):
            name = module.__name__.split(".")[1].capitalize() + "Role"
            monkeypatch.setattr(module, "handler", self._noting(name, module.handler))
        for client in (aws.dynamodb_client(), aws.sqs(), aws.secretsmanager()):
            client.meta.events.register("before-parameter-build", self._note)
        aws.dynamodb().meta.client.meta.events.register("before-parameter-build", self._note)

    def _noting(self, name: str, handler: Any) -> Any:
        def call(event: Any, context: Any) -> Any:
            with self._as(name):
                return handler(event, context)

        return call

    @contextmanager
    def _as(self, name: str) -> Iterator[None]:
        self._running = name
        yield
        self._running = None

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self._running is None:
            return
        if model.name == "TransactWriteItems":
            for write in params["TransactItems"]:
                ((kind, one),) = write.items()
                self._add(f"dynamodb:{kind}Item", one["TableName"])
            return
        target = params.get("TableName") or params.get("QueueUrl", "").rsplit("/", 1)[-1]
        target = target or params["SecretId"].split(":")[6].rsplit("-", 1)[0]
        self._add(f"{model.service_model.service_name}:{model.name}", target)

    def _add(self, action: str, target: str) -> None:
        assert self._running
        self.called[self._running].add((ACTION.get(action, action), RESOURCE[target]))


def test_each_role_may_do_what_its_function_does_and_nothing_else(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch)
    for place in PLACES:
        for fault in (None, "server_error", "gone", "rate_limited", "accept_then_disconnect"):
            if fault:
                customers.post("/faults", json={"on": place, "fault": fault}).raise_for_status()
            for text in ("nobody answers", "What time do you open?"):
                say(customers, place, text, author={"name": "Ada"})
    customers.post("/deliver", json={"channel": "meta", "raw": "{not json"}).raise_for_status()
    large = {"object": "page", "entry": [], "filler": _incompressible(1_600_000)}
    customers.post("/deliver", json={"channel": "meta", "body": large}).raise_for_status()
    connected.drain()
    assert recorder.called == {role: granted(role) for role in ROLES}


def _incompressible(size: int) -> str:
    return Random(1).randbytes(size // 2).hex()
