"""The door: who gets in, what is kept, what is answered."""

import base64
import hmac
import json
import zlib
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstreply.channels import Knock
from firstreply.errors import TryLater
from firstreply.inbox import Delivery, Inbox
from firstreply.secrets import Secrets
from functions.webhook.app import _knock
from functions.webhook.door import Door
from local.simulator import DEMO_SECRET
from tests.aws import World

BODY = json.dumps({"object": "page", "entry": [{"id": "1", "time": 1, "changes": []}]})
META = {
    "x-hub-signature-256": "sha256="
    + hmac.new(DEMO_SECRET["meta"]["app_secrets"][0].encode(), BODY.encode(), sha256).hexdigest()
}
X = {
    "x-twitter-webhooks-signature": "sha256="
    + base64.b64encode(
        hmac.digest(DEMO_SECRET["x"]["consumer_secrets"][0].encode(), BODY.encode(), sha256)
    ).decode()
}
SIGNED = pytest.mark.parametrize(("channel", "headers"), [("meta", META), ("x", X)])


def stored(stack: World) -> list[dict[str, Any]]:
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="inbox")
    return [item for page in pages for item in page["Items"]]


@SIGNED
def test_what_is_signed_is_kept_as_it_came(
    stack: World, channel: str, headers: dict[str, str]
) -> None:
    assert stack.knock(channel, BODY, headers)["statusCode"] == 200
    (item,) = stored(stack)
    assert zlib.decompress(item["body"]["B"]) == BODY.encode()
    assert item["channel"]["S"] == channel


@SIGNED
def test_header_names_may_be_written_in_any_case(
    stack: World, channel: str, headers: dict[str, str]
) -> None:
    shouted = {name.upper(): value for name, value in headers.items()}
    assert stack.knock(channel, BODY, shouted)["statusCode"] == 200


@SIGNED
def test_the_gateway_may_encode_the_body(
    stack: World, channel: str, headers: dict[str, str]
) -> None:
    encoded = base64.b64encode(BODY.encode()).decode()
    assert stack.knock(channel, encoded, headers, encoded=True)["statusCode"] == 200


@SIGNED
def test_the_same_delivery_again_is_kept_once(
    stack: World, channel: str, headers: dict[str, str]
) -> None:
    assert [stack.knock(channel, BODY, headers)["statusCode"] for _ in range(3)] == [200] * 3
    assert len(stored(stack)) == 1


@pytest.mark.parametrize("channel", ["meta", "x"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {
            "x-hub-signature": "sha1="
            + hmac.new(
                DEMO_SECRET["meta"]["app_secrets"][0].encode(), BODY.encode(), "sha1"
            ).hexdigest()
        },
        {"x-hub-signature-256": META["x-hub-signature-256"][:-1] + "0"},
        {"x-hub-signature-256": "sha256="},
        {"x-twitter-webhooks-signature": "sha256=AAAA"},
        {"x-twitter-webhooks-signature": "é"},
    ],
    ids=["missing", "sha1 only", "wrong", "empty", "short", "not ascii"],
)
def test_anything_else_is_turned_away_and_not_kept(
    stack: World, channel: str, headers: dict[str, str]
) -> None:
    assert stack.knock(channel, BODY, headers)["statusCode"] == 401
    assert stored(stack) == []


@SIGNED
def test_one_channel_s_signature_is_no_other_s(
    stack: World, channel: str, headers: dict[str, str]
) -> None:
    other = {"meta": "x", "x": "meta"}[channel]
    assert stack.knock(other, BODY, headers)["statusCode"] == 401


@pytest.mark.parametrize("name", ["telegram", "_read", "", "meta.py", "../meta", "__init__"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_channel_is_not_found(stack: World, name: str, method: str) -> None:
    assert stack.knock(name, BODY, META, method)["statusCode"] == 404


@pytest.mark.parametrize("secret", ["{}", '{"meta": null, "x": []}', '{"meta": {}}'])
@SIGNED
def test_without_a_secret_nothing_passes(
    stack: World, channel: str, headers: dict[str, str], secret: str
) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId="channels", SecretString=secret)
    assert stack.knock(channel, BODY, headers)["statusCode"] == 401
    query = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}
    query |= {"crc_token": "abc"}
    assert stack.knock(channel, method="GET", query=query)["statusCode"] == 403


def test_meta_s_handshake_returns_the_challenge_bare(stack: World) -> None:
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": DEMO_SECRET["meta"]["verify_token"],
        "hub.challenge": "0012345",
    }
    answer = stack.knock("meta", method="GET", query=query)
    assert (answer["statusCode"], answer["body"]) == (200, "0012345")
    assert answer["headers"]["content-type"] == "text/plain"
    assert (
        stack.knock("meta", method="GET", query=query | {"hub.verify_token": "x"})["statusCode"]
        == 403
    )


def test_x_s_challenge_is_answered_without_a_write(stack: World) -> None:
    answer = stack.knock("x", method="GET", query={"crc_token": "a-token"})
    expected = hmac.digest(b"demo-consumer-secret-not-real", b"a-token", sha256)
    assert json.loads(answer["body"]) == {
        "response_token": "sha256=" + base64.b64encode(expected).decode()
    }
    assert answer["headers"]["content-type"] == "application/json"
    assert stored(stack) == []


def test_x_s_challenge_signs_no_body_for_anybody(stack: World) -> None:
    """Both use the same key: who could choose the token freely could sign a delivery with it."""
    assert stack.knock("x", method="GET", query={"crc_token": BODY})["statusCode"] == 403


def test_what_cannot_be_stored_is_asked_for_again(stack: World) -> None:
    boto3.client("dynamodb").delete_table(TableName="inbox")
    assert stack.knock("meta", BODY, META)["statusCode"] == 500


def test_a_secret_that_cannot_be_read_asks_for_another_try(stack: World) -> None:
    boto3.client("secretsmanager").delete_secret(
        SecretId="channels", ForceDeleteWithoutRecovery=True
    )
    assert stack.knock("meta", BODY, META)["statusCode"] == 500


def signed(body: bytes) -> Knock:
    key = DEMO_SECRET["meta"]["app_secrets"][0].encode()
    return Knock(
        headers={"x-hub-signature-256": "sha256=" + hmac.new(key, body, sha256).hexdigest()},
        body=body,
    )


def door(clock: datetime = datetime(2026, 11, 22, tzinfo=UTC)) -> Door:
    inbox = Inbox(boto3.client("dynamodb"), "inbox", timedelta(days=14))
    secrets = Secrets(boto3.client("secretsmanager"), "channels", lambda: clock)
    return Door(inbox, secrets, lambda: clock)


def test_a_body_too_large_for_one_item_is_split_without_loss(stack: World) -> None:
    body = Random(7).randbytes(1_000_000)
    assert [door().answer("POST", "meta", signed(body)).status for _ in range(2)] == [200, 200]
    assert len(stored(stack)) == 3
    (head,) = [item for item in stored(stack) if "channel" in item]
    image: Any = {**head, "body": {"B": base64.b64encode(head["body"]["B"]).decode()}}
    read = Inbox(boto3.client("dynamodb"), "inbox", timedelta(days=14)).read(image)
    assert read.body == body
    assert read.channel == "meta"


def test_a_body_that_cannot_be_kept_is_too_large(stack: World) -> None:
    assert door().answer("POST", "meta", signed(Random(7).randbytes(4_500_000))).status == 413
    assert stored(stack) == []


def test_a_delivery_expires_with_all_its_parts(stack: World) -> None:
    clock = datetime(2026, 11, 22, tzinfo=UTC)
    door(clock).answer("POST", "meta", signed(Random(7).randbytes(500_000)))
    expected = int((clock + timedelta(days=14)).timestamp())
    assert {int(item["expires_at"]["N"]) for item in stored(stack)} == {expected}


class CountingSecrets:
    """Secrets Manager, as far as Secrets asks it; counts, and can be told to fail."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document, self.fetches, self.fails = document, 0, False

    def get_secret_value(self, **_: str) -> dict[str, str]:
        from botocore.exceptions import EndpointConnectionError

        self.fetches += 1
        if self.fails:
            raise EndpointConnectionError(endpoint_url="https://secrets")
        return {"SecretString": json.dumps(self.document)}


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


def rotating() -> tuple[CountingSecrets, Clock, Secrets]:
    source, clock = CountingSecrets({"meta": {"app_secrets": ["old"]}}), Clock()
    client: Any = source
    return source, clock, Secrets(client, "arn", clock)


def test_a_rotated_secret_is_seen_at_once_and_a_flood_fetches_once_a_minute(stack: World) -> None:
    source, clock, secrets = rotating()
    inbox = Inbox(boto3.client("dynamodb"), "inbox", timedelta(days=14))
    entrance = Door(inbox, secrets, clock)
    assert entrance.answer("POST", "meta", signed(b"1")).status == 401
    source.document = {"meta": DEMO_SECRET["meta"]}
    clock.time += timedelta(seconds=61)
    assert entrance.answer("POST", "meta", signed(b"1")).status == 200
    fetched = source.fetches
    for _ in range(1000):
        assert entrance.answer("POST", "meta", Knock(body=b"forged")).status == 401
    assert source.fetches == fetched


def test_a_handshake_never_uses_a_secret_older_than_a_minute(stack: World) -> None:
    """X switches a webhook off for one wrong answer."""
    source, clock, secrets = rotating()
    entrance = Door(Inbox(boto3.client("dynamodb"), "inbox", timedelta(days=1)), secrets, clock)
    source.document = {"x": {"consumer_secrets": ["one"]}}
    first = entrance.answer("GET", "x", Knock(query={"crc_token": "t"}))
    source.document = {"x": {"consumer_secrets": ["two", "one"]}}
    clock.time += timedelta(seconds=61)
    second = entrance.answer("GET", "x", Knock(query={"crc_token": "t"}))
    assert first.status == second.status == 200
    assert first.body != second.body


def test_secrets_manager_may_be_down_once_the_secret_is_known() -> None:
    source, clock, secrets = rotating()
    known = secrets.section("meta")
    source.fails = True
    clock.time += timedelta(hours=1)
    assert secrets.section("meta") == known
    assert not secrets.refetch()
    fresh = rotating()
    fresh[0].fails = True
    with pytest.raises(TryLater):
        fresh[2].section("meta")


@given(st.binary(), st.sampled_from(["meta", "x"]))
def test_a_delivery_s_key_tells_channels_and_bodies_apart(body: bytes, channel: str) -> None:
    def key(channel: str, body: bytes) -> str:
        at = datetime(2026, 11, 22, tzinfo=UTC)
        return Delivery(channel=channel, body=body, received_at=at).key

    assert key(channel, body) == key(channel, body)
    assert key(channel, body) != key(channel, body + b"x")
    assert key("meta", body) != key("x", body)


@given(st.binary())
def test_the_bytes_that_were_signed_reach_the_check_whatever_the_gateway_does(body: bytes) -> None:
    to = {"requestContext": {"http": {"path": "/webhooks/meta"}}, "headers": {}}
    event = {**to, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    assert _knock(event).body == body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    assert _knock({**to, "body": text, "isBase64Encoded": False}).body == body
