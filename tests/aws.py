"""AWS in process (moto), and a pump that does what AWS does between the functions."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import boto3
import moto.backends
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.handlers import disable_signing
from moto import mock_aws

from firstreply import aws
from functions.classify import app as classify
from functions.escalate import app as escalate
from functions.fetch import app as fetch
from functions.respond import app as respond
from functions.webhook import app as webhook
from local.bare import make, settings
from tests.quick_moto import quicken

if TYPE_CHECKING:
    import pytest
    from mypy_boto3_dynamodb import DynamoDBClient, DynamoDBServiceResource
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

FUNCTIONS = (webhook, classify, fetch, respond, escalate)
MOST_RECEIVES = 5  # the least maxReceiveCount in template.yaml

BACK_AFTER = timedelta(seconds=61)  # longer than any lease

type Event = dict[str, Any]

quicken()


@dataclass
class FakeContext:
    """What Lambda passes beside the event."""

    aws_request_id: str
    remaining_ms: int = 45_000
    function_name: str = "test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass
class World:
    """One stack's tables, queues and secret, and its four functions."""

    urls: Mapping[str, str]
    remaining_ms: int = 45_000  # of every invocation
    dead: list[str] = field(default_factory=list)
    # What a function failed on, each time: a queue's message, or the Inbox key of a delivery.
    came_back: list[str] = field(default_factory=list)
    _invocations: Iterator[int] = field(default_factory=lambda: count(1))
    _streamed: set[str] = field(default_factory=set)
    _ahead: timedelta = timedelta()

    @property
    def _queues(self) -> Mapping[str, Any]:
        queues: Mapping[str, Any] = backend("sqs").queues
        return queues

    @property
    def sqs(self) -> SQSClient:
        return _sqs()

    def now(self) -> datetime:
        """The functions' clock: what failed comes back after a while."""
        return datetime.now(UTC) + self._ahead

    @cached_property
    def inbox(self) -> Table:
        return _tables().Table("inbox")

    @cached_property
    def conversations(self) -> Table:
        return _tables().Table("conversations")

    def items(self, kind: str) -> list[dict[str, Any]]:
        """The items of the Conversations table of a kind: MSG, REPLY, CASE, PERSON."""
        found, page = [], self.conversations.scan()
        while page["Items"]:
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            page = self.conversations.scan(ExclusiveStartKey=page["LastEvaluatedKey"])
        return [cast("dict[str, Any]", i) for i in found if str(i["item"]).startswith(kind)]

    def knock(
        self,
        channel: str,
        body: str = "",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        query: Mapping[str, str] | None = None,
        *,
        encoded: bool = False,
    ) -> dict[str, Any]:
        """A request as the HTTP API passes it on (payload format 2.0)."""
        event = {
            "version": "2.0",
            "requestContext": {"http": {"method": method, "path": f"/webhooks/{channel}"}},
            "pathParameters": {"channel": channel},
            "headers": dict(headers or {}),
            "body": body,
            "isBase64Encoded": encoded,
        }
        if query:
            event["queryStringParameters"] = dict(query)
        answer: dict[str, Any] = webhook.handler(event, self.context())
        return answer

    def context(self) -> LambdaContext:
        context = FakeContext(f"invocation-{next(self._invocations)}", self.remaining_ms)
        return cast("LambdaContext", context)

    def drain(self) -> None:
        """Deliver stream records and queue messages until nothing moves any more."""
        while (
            self.pump_inbox()
            or self.pump("fetch", fetch.handler)
            or self.pump("reply", respond.handler)
            or self.pump_complaints()
            or self.let_time_pass()
        ):
            pass

    def image(self, key: str) -> Any:
        """An item of the Inbox, as its stream shows it."""
        return _dynamodb().get_item(TableName="inbox", Key={"key": {"S": key}})["Item"]

    def classify(self, records: list[dict[str, Any]]) -> None:
        """One batch, tried again while it fails."""
        for _ in range(MOST_RECEIVES):
            if not records or not self._invoke(classify.handler, records):
                break

    def pump_inbox(self) -> int:
        """The stream's new records through classify, one batch; tried again while it fails."""
        records = self._new_records()
        self.classify(records)
        return len(records)

    def let_time_pass(self) -> bool:
        """Until what was sent with a delay arrives."""
        sent = [one for name in ("reply", "fetch") for one in self._queues[name]._messages]
        late = [one for one in sent if one.delayed_until > time.time() * 1000]
        for message in late:
            self._ahead += timedelta(milliseconds=message.delayed_until - time.time() * 1000)
            message.delayed_until = 0
        return bool(late)

    def start_over(self) -> None:
        """As new: nothing kept, nothing on its way, the functions cold."""
        self.empty()
        _forget_what_was_cached(but=("http", "policy"))

    def empty(self) -> None:
        """Nothing kept, nothing on its way; the functions stay warm."""
        for table in backend("dynamodb").tables.values():
            table.items.clear()
        for queue in self._queues.values():
            queue._messages, queue._pending_messages = [], set()
            queue.deleted_messages = set()
        for kept in (self.dead, self.came_back, self._streamed):
            kept.clear()
        self._ahead = timedelta()

    def pump_complaints(self) -> int:
        return self.pump("complaint", escalate.handler)

    def pump(self, queue: str, handler: Callable[[Event, LambdaContext], Any]) -> int:
        """One batch of a queue through its function; failures come back, and die in the end."""
        if not self._queues[queue]._messages:  # most of the time
            return 0
        url = self.urls[queue]
        received = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            return 0
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"] | self._sent_at(message),
                "eventSource": "aws:sqs",
            }
            for message in received
        ]
        failed = self._invoke(handler, records)
        for message in received:
            receives = int(message["Attributes"]["ApproximateReceiveCount"])
            if message["MessageId"] in failed and receives < MOST_RECEIVES:
                self._ahead += BACK_AFTER
                self.sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
                continue
            if message["MessageId"] in failed:
                self.dead.append(message["Body"])
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(received)

    def _sent_at(self, message: Any) -> dict[str, str]:
        """By our clock, which is ahead of moto's."""
        sent_at = int(message["Attributes"]["SentTimestamp"]) + self._ahead // timedelta(
            milliseconds=1
        )
        return {"SentTimestamp": str(sent_at)}

    def bodies(self, queue: str) -> list[dict[str, Any]]:
        """Takes what lies in a queue."""
        url, found = self.urls[queue], []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def events(self) -> list[dict[str, Any]]:
        """Takes what the helpdesk is told, but for the answers that were sent."""
        found = self.bodies("escalation.fifo")
        return [one for one in found if one["type"] != "firstreply.case.reply_sent.v1"]

    def _invoke(
        self, handler: Callable[[Event, LambdaContext], Any], records: list[dict[str, Any]]
    ) -> set[str]:
        """The ids that failed; all of them when the function raises, as it does if all failed."""
        known = {_id(record): record for record in records}
        try:
            answer = handler({"Records": records}, self.context())
            failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        except Exception:
            failed = set(known)
        self.came_back += [known[one].get("body", one) for one in failed]
        return failed

    def _new_records(self) -> list[dict[str, Any]]:
        """What the stream brings: each new item, filtered as in template.yaml."""
        there = backend("dynamodb").tables["inbox"].all_items()  # a scan would take long
        found = {_version(item): item.attrs["key"].value for item in there}
        images = [self.image(key) for one, key in found.items() if one not in self._streamed]
        self._streamed |= found.keys()
        heads = [image for image in images if "channel" in image]
        return [
            stream_record(image) for image in sorted(heads, key=lambda i: i["received_at"]["S"])
        ]


@cache
def _session() -> boto3.Session:
    """One for all worlds: it has read what AWS's services look like. Nobody checks signatures."""
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    session.events.register("choose-signer", disable_signing)
    return session


# The tests' own clients, which no test changes; the functions' are new in every world.
@cache
def _dynamodb() -> DynamoDBClient:
    return _session().client("dynamodb")


@cache
def _tables() -> DynamoDBServiceResource:
    return _session().resource("dynamodb")


@cache
def _sqs() -> SQSClient:
    return _session().client("sqs")


@cache
def _secretsmanager() -> SecretsManagerClient:
    return _session().client("secretsmanager")


def backend(service: str) -> Any:
    """What moto keeps."""
    backends: Any = moto.backends
    return backends.get_backend(service)["123456789012"]["us-east-1"]


def _version(item: Any) -> str:
    """A replay changes the item, and the stream brings it again."""
    return "".join(item.attrs[name].value for name in ("key", "replayed_at") if name in item.attrs)


def _id(record: Mapping[str, Any]) -> str:
    return str(record.get("messageId") or record["dynamodb"]["SequenceNumber"])


def stream_record(image: Mapping[str, Any]) -> dict[str, Any]:
    """Lambda's event carries binary values as base64."""
    body = {"B": b64encode(image["body"]["B"]).decode()}
    return {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"SequenceNumber": image["key"]["S"], "NewImage": {**image, "body": body}},
    }


@contextmanager
def world(
    monkeypatch: pytest.MonkeyPatch,
    secret: Mapping[str, Any],
    platforms: str = "http://127.0.0.1:9",
) -> Iterator[World]:
    """A fresh AWS with the stack's resources; the functions' environment points at it."""
    _forget()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        sqs, dynamodb = _sqs(), _dynamodb()
        urls = make(dynamodb, sqs)
        arn = _secretsmanager().create_secret(Name="channels", SecretString=json.dumps(secret))[
            "ARN"
        ]
        environment = settings(platforms, arn, urls) | {"POWERTOOLS_SERVICE_NAME": "test"}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        made = World(urls)
        for function in FUNCTIONS:
            monkeypatch.setattr(function, "now", made.now)
        yield made
    _forget()


def _forget() -> None:
    """What the functions keep between invocations."""
    aws.forget_clients()
    for function in (fetch, respond):
        if function.http.cache_info().currsize:
            function.http().close()
    _forget_what_was_cached()


def _forget_what_was_cached(but: Container[str] = ()) -> None:
    for function in FUNCTIONS:
        for name, kept in vars(function).items():
            if hasattr(kept, "cache_clear") and name not in but:
                kept.cache_clear()
