"""What template.yaml grants is what the functions call: no more (attack), no less (outage)."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from botocore.exceptions import ConnectTimeoutError

from firstreply import aws
from functions.classify import app as classify
from tests.aws import FUNCTIONS as HANDLERS
from tests.aws import World
from tests.everything import everything
from tests.sink import site
from tests.template.cfn import logical_id
from tests.template.test_template import ALL_ON, FUNCTIONS, ROLES, sources, statements
from tests.unit.test_listening import SAID

type Granted = set[tuple[str, str]]

RESOURCE = {
    "inbox": "InboxTable",
    "conversations": "ConversationsTable",
    "conversations/index": "ConversationsTable/index",
    "fetch": "FetchQueue",
    "reply": "ReplyQueue",
    "complaint": "ComplaintQueue",
    "escalation.fifo": "EscalationQueue",
    "inbox-dead": "InboxDeadLetterQueue",
    "channels": "Secret",
}
# An API call may need the permission of another name.
ACTION = {"sqs:SendMessageBatch": "sqs:SendMessage"}
# What Lambda itself does with a role: it polls the function's source and writes its logs.
POLLS_QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
READS_STREAM = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
WRITES_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def by_lambda(role: str) -> Granted:
    """What Lambda needs for the function of a role."""
    verb = role.removesuffix("Role")
    needed = {(action, f"{verb}LogGroup") for action in WRITES_LOGS}
    needed |= {(action, "*") for action in TRACES}
    function = FUNCTIONS[f"{verb}Function"]
    for source in sources(function, "SQS"):
        needed |= {(action, logical_id(source["Queue"])) for action in POLLS_QUEUE}
    for source in sources(function, "DynamoDB"):
        needed |= {(action, logical_id(source["Stream"])) for action in READS_STREAM}
        on_failure = source["DestinationConfig"]["OnFailure"]["Destination"]
        needed |= {("sqs:SendMessage", logical_id(on_failure))}
    return needed


def granted(role: str) -> Granted:
    found: Granted = set()
    for statement in statements(ROLES[role]):
        targets = statement["Resource"]
        for target in targets if isinstance(targets, list) else [targets]:
            name = target if target == "*" else logical_id(target)
            found |= {(action, name) for action in statement["Action"]}
    return found


class Recorder:
    """Notes every AWS call that is made while a function runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.called: dict[str, Granted] = defaultdict(set)
        self._running: str | None = None
        for module in HANDLERS:
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
        target += "/index" if "IndexName" in params else ""
        target = target or params["SecretId"].split(":")[6].rsplit("-", 1)[0]
        self._add(f"{model.service_model.service_name}:{model.name}", target)

    def _add(self, action: str, target: str) -> None:
        assert self._running
        self.called[self._running].add((ACTION.get(action, action), RESOURCE[target]))


def test_each_role_may_do_what_its_function_does_and_nothing_else(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch)
    with site(monkeypatch) as sink:
        everything(connected, customers, sink)
    needed = {role: by_lambda(role) | recorder.called[role] for role in ROLES}
    for role in ROLES:
        assert needed[role] - granted(role) == set(), f"{role} may do too little"
        assert granted(role) - needed[role] == set(), f"{role} may do too much"


def test_an_optional_back_end_brings_its_own_permission_and_no_other(
    stack: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDROCK_MODEL_ID", ALL_ON["BedrockModelId"])
    monkeypatch.setenv("COMPREHEND_SENTIMENT", ALL_ON["ComprehendSentiment"])
    called = set()

    def note(model: Any, **_: Any) -> None:
        called.add(f"{model.service_model.signing_name}:{model.name}")
        raise ConnectTimeoutError(endpoint_url="none")

    for client in (aws.bedrock_runtime(), aws.comprehend()):
        client.meta.events.register("before-parameter-build", note)
    classify.classifier().understand(replace(SAID, text="My kettle stopped working"))
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
    needed = {"bedrock:InvokeModel" if one == "bedrock:Converse" else one for one in called}
    for name, role in ROLES.items():
        off = {action for statement in statements(role) for action in statement["Action"]}
        on = {action for one in statements(role, **ALL_ON) for action in one["Action"]}
        assert on - off == (needed if name == "ClassifyRole" else set())
