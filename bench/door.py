"""The door: our webhook against the least that a webhook can do, on the same fake AWS."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from typing import Any

from bench.harness import Goal, Section, Table, alternate, ratio, spread
from bench.invoke import Meter, post

KEY = b"the app's secret"
_numbers = count(1)


def measure(*, quick: bool) -> Section:
    with _fake_aws():
        from functions.webhook import app  # reads the environment when it is called

        ours, floor = Meter(), Meter()
        put_once = _floor()
        per_round, rounds = (20, 5) if quick else (50, 30)

        def of_ours() -> float:
            return _round(ours, app.handler, per_round)

        def of_floor() -> float:
            return _round(floor, put_once, per_round)

        found = alternate(rounds, {"floor": of_floor, "webhook": of_ours}, warm_up=2)
    times = ratio(found["webhook"], found["floor"])
    names = {"floor": "HMAC, `json.loads`, one conditional put", "webhook": "FirstReply's webhook"}
    return Section(
        name="door",
        title="The door",
        about="CPU time for one signed delivery of Meta's (a comment of 600 bytes), everything"
        " warm: our handler against a handler that checks the HMAC, reads the JSON and puts the"
        " body once, with boto3 and nothing else. The same process, the same fake AWS in another,"
        f" {rounds} × {per_round} deliveries each, in turns.",
        tables=(
            Table(
                ("", "CPU a delivery", "ratio"),
                tuple(
                    (
                        names[name],
                        spread(found[name]).show(" ms"),
                        times.show("×") if name == "webhook" else "1",
                    )
                    for name in names
                ),
            ),
        ),
        goals=(Goal("webhook: to the floor", 1.3, times.median),),
        figures={"ratio": times.median},
        quick=quick,
    )


def _round(meter: Meter, handler: Any, times: int) -> float:  # noqa: ANN401
    """Milliseconds a delivery, the making of it left out."""
    for event in [_delivery() for _ in range(times)]:
        assert meter.invoke(handler, event)["statusCode"] == 200
    return sum(one.cpu_ms for one in meter.spent[-times:]) / times


def _delivery() -> dict[str, Any]:
    number = next(_numbers)
    value = {
        "item": "comment",
        "verb": "add",
        "from": {"id": "5000000001", "name": "Alma Example"},
        "post_id": "101_1",
        "parent_id": "101_1",
        "comment_id": f"101_{number}",
        "message": "My suitcase has not arrived for three days, nobody answers the phone and the"
        " form on your site says that the number of my claim does not exist. " * 2,
        "created_time": 1_790_000_000 + number,
    }
    entry = {"id": "101", "time": 1_790_000_000, "changes": [{"field": "feed", "value": value}]}
    body = json.dumps({"object": "page", "entry": [entry]}).encode()
    signature = hmac.new(KEY, body, sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "user-agent": "facebookexternalua",
        "x-hub-signature-256": f"sha256={signature}",
    }
    return post("meta", body, headers)


def _floor() -> Any:  # noqa: ANN401
    """No less would do: what is not checked, read and kept is not a webhook."""
    import boto3

    client = boto3.client("dynamodb")

    def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
        body = event["body"].encode()
        expected = "sha256=" + hmac.new(KEY, body, sha256).hexdigest()
        if not hmac.compare_digest(expected, event["headers"]["x-hub-signature-256"]):
            return {"statusCode": 401}
        json.loads(body)
        client.put_item(
            TableName="inbox",
            Item={"key": {"S": sha256(body).hexdigest()}, "body": {"B": body}},
            ConditionExpression="attribute_not_exists(#key)",
            ExpressionAttributeNames={"#key": "key"},
        )
        return {"statusCode": 200}

    handler.__module__ = "bench.floor.app"
    return handler


@contextmanager
def _fake_aws() -> Iterator[None]:
    secret = json.dumps({"meta": {"app_secrets": [KEY.decode()], "accounts": {}}})
    command = [sys.executable, "-m", "bench.fake_aws", secret]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = process.stdout.readline().strip()
        try:
            with environment(
                {
                    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                    "AWS_DEFAULT_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": "none",
                    "AWS_SECRET_ACCESS_KEY": "none",
                    "INBOX_TABLE": "inbox",
                    "INBOX_RETENTION_DAYS": "14",
                    "SECRET_ARN": "secret",
                    "POWERTOOLS_SERVICE_NAME": "webhook",
                    "POWERTOOLS_METRICS_NAMESPACE": "FirstReply",
                }
            ):
                yield
        finally:
            process.terminate()


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set for a while; what the functions keep of it is forgotten before and after."""
    kept = dict(os.environ)
    os.environ.update(values)
    forget()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
        forget()


def forget() -> None:
    """As tests/aws.py: what the functions have made is made anew."""
    import boto3

    from firstreply import aws

    aws.forget_clients()
    boto3.DEFAULT_SESSION = None
    for name in ("webhook", "classify", "fetch", "respond", "escalate"):
        app = sys.modules.get(f"functions.{name}.app")
        for thing in vars(app).values() if app else ():
            if hasattr(thing, "cache_clear"):
                thing.cache_clear()
