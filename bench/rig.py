"""The path in this process, warm: the five handlers one after another, with AWS (MiniStack) and the
platforms (the simulator) in processes of their own, so that what those spend does not count."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import httpx

from bench.door import environment
from bench.invoke import Handler, Meter, post
from local.bare import make, settings
from local.simulator import DEMO_SECRET
from local.stack import _ministack, require_free, where

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_people = count(1)


@dataclass
class Rig:
    """`dynamodb` and `sqs` are the bench's own clients. `events`: what the platforms posted."""

    simulator: httpx.Client
    dynamodb: DynamoDBClient
    sqs: SQSClient
    urls: Mapping[str, str]
    posted: Queue[dict[str, Any]]
    handlers: Mapping[str, Handler]
    meter: Meter = field(default_factory=Meter)

    def write(self, place: str, text: str, **more: object) -> dict[str, Any]:
        """Somebody new writes; the POST that the platform makes of it."""
        author = more.pop("author", {"name": f"Customer {next(_people)}"})
        body = {"place": place, "text": text, "author": author, **more}
        self.simulator.post("/say", json=body).raise_for_status()
        return self.posted.get(timeout=10)

    def deliver(self, event: dict[str, Any]) -> None:
        """Through the webhook and classify."""
        assert self.meter.invoke(self.handlers["webhook"], event)["statusCode"] == 200
        channel, body = event["pathParameters"]["channel"], event["body"].encode()
        key = sha256(channel.encode() + b"\0" + body).hexdigest()
        record = self.record(key)
        answer = self.meter.invoke(self.handlers["classify"], {"Records": [record]})
        assert not answer["batchItemFailures"]

    def record(self, key: str) -> dict[str, Any]:
        """As the Inbox's stream brings it."""
        image: Any = self.dynamodb.get_item(TableName="inbox", Key={"key": {"S": key}})["Item"]
        body = {"B": b64encode(image["body"]["B"]).decode()}
        change = {"SequenceNumber": key, "NewImage": {**image, "body": body}}
        return {"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}

    def pump(self, queue: str, function: str) -> int:
        """Everything that lies in a queue through its function, one by one; how many."""
        messages = self.take(queue)
        for message in messages:
            event = {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
            answer = self.meter.invoke(self.handlers[function], {"Records": [event]})
            assert not answer["batchItemFailures"], function
        return len(messages)

    def take(self, queue: str) -> list[Any]:
        url, found = self.urls[queue], list[Any]()
        while some := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in some:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += some
        return found

    def settle(self) -> None:
        """Answer and escalate all that waits."""
        while self.pump("reply", "respond") + self.pump("complaint", "escalate"):
            pass


@contextmanager
def open_rig(*, echo: bool = False) -> Iterator[Rig]:
    """Everything started, its tables and queues made, the functions pointed at them."""
    posted: Queue[dict[str, Any]] = Queue()
    with (
        tempfile.TemporaryDirectory(prefix="firstreply-") as scratch,
        _catcher(posted) as webhooks,
        _simulator() as platforms,
        _emulator(scratch) as endpoint,
        httpx.Client(base_url=platforms, timeout=60, trust_env=False) as simulator,
    ):
        simulator.post("/connect", json={"webhooks": webhooks}).raise_for_status()
        simulator.post("/settings", json={"echo": echo}).raise_for_status()
        own = boto3.session.Session()
        dynamodb: DynamoDBClient = own.client("dynamodb", **where(endpoint))
        sqs: SQSClient = own.client("sqs", **where(endpoint))
        secrets: Any = own.client("secretsmanager", **where(endpoint))
        arn = secrets.create_secret(Name="channels", SecretString=json.dumps(DEMO_SECRET))["ARN"]
        urls = make(dynamodb, sqs)
        with environment(_environment(endpoint, platforms, arn, urls)):
            yield Rig(simulator, dynamodb, sqs, urls, posted, _handlers())


def _handlers() -> Mapping[str, Handler]:
    from functions.classify import app as classify
    from functions.escalate import app as escalate
    from functions.respond import app as respond
    from functions.webhook import app as webhook

    return {
        "webhook": webhook.handler,
        "classify": classify.handler,
        "respond": respond.handler,
        "escalate": escalate.handler,
    }


def _environment(
    endpoint: str, platforms: str, arn: str, urls: Mapping[str, str]
) -> dict[str, str]:
    return settings(platforms, arn, urls) | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "NO_PROXY": "127.0.0.1,localhost",
    }


@contextmanager
def _emulator(scratch: str) -> Iterator[str]:
    port = free_port()
    with _ministack(port, scratch) as is_up:
        is_up()
        yield f"http://127.0.0.1:{port}"


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    require_free(port)
    return port


@contextmanager
def _simulator() -> Iterator[str]:
    command = [sys.executable, "-m", "local.simulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield next(
                word for word in process.stdout.readline().split() if word.startswith("http")
            )
        finally:
            process.terminate()


@contextmanager
def _catcher(posted: Queue[dict[str, Any]]) -> Iterator[str]:
    """Takes what the platforms post, to be handed to the webhook when its time is measured."""

    class Catcher(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            posted.put(post(self.path.rpartition("/")[2], body, headers))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Catcher)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
