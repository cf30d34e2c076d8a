"""Promise: no invocation is cut off in the middle of what it does, if it can be helped.

A function's time > a call to a platform > a call to AWS; and what there is no time left for comes
back untouched.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import httpx
import pytest

from firstreply import platform
from firstreply.aws import CONFIG
from firstreply.batch import ENOUGH_TIME
from firstreply.client import client
from firstreply.errors import TryLater, Unsure
from firstreply.platform import CALL_SECONDS, MOST_BYTES, TIMEOUT, Platform
from functions.respond.speaking import TIME_TO_SEND
from tests.aws import World
from tests.template.cfn import resources
from tests.unit.test_path import say

FUNCTIONS = resources("AWS::Serverless::Function")


def test_a_call_to_aws_fits_into_one_to_a_platform_and_that_into_a_function() -> None:
    settings = vars(CONFIG)
    tries = settings["retries"]["total_max_attempts"]
    to_aws = settings["connect_timeout"] + settings["read_timeout"]
    (connect, read) = (TIMEOUT.connect or 0, TIMEOUT.read or 0)
    assert to_aws < connect + read < CALL_SECONDS < TIME_TO_SEND.total_seconds()
    assert tries * to_aws <= ENOUGH_TIME.total_seconds()
    for name, function in FUNCTIONS.items():
        assert function["Timeout"] >= ENOUGH_TIME.total_seconds() * 2, name
    # Time to see how it stands, and then to send.
    needed = ENOUGH_TIME + TIME_TO_SEND
    assert FUNCTIONS["RespondFunction"]["Timeout"] >= needed.total_seconds()


def test_what_there_is_no_time_for_comes_back_untouched(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    connected.remaining_ms = int(ENOUGH_TIME.total_seconds() * 1000) - 1
    records = connected._new_records()
    from functions.classify import app as classify

    with pytest.raises(TryLater):
        classify.handler({"Records": records}, connected.context())
    assert connected.items("MSG#") == []


def test_a_batch_stops_when_too_little_time_is_left_and_returns_the_rest(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three complaints in one batch, and time for one."""
    from functions.escalate import app as escalate

    for number in range(3):
        say(customers, "facebook_comment", f"My kettle {number} stopped working")
    connected.pump_inbox()
    left = iter([45_000, 9_999, 9_999])
    url = connected.urls["complaint"]
    received = connected.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    records = [
        {"messageId": one["MessageId"], "body": one["Body"], "receiptHandle": one["ReceiptHandle"]}
        for one in received
    ]
    context = connected.context()
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: next(left))
    answer = escalate.handler({"Records": records}, context)
    returned = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    assert returned == {str(one["messageId"]) for one in records[1:]}
    assert len(connected.events()) == 1


def test_a_reply_is_not_begun_when_its_outcome_could_not_be_recorded(
    connected: World, customers: httpx.Client
) -> None:
    say(customers, "facebook_comment", "My kettle stopped working")
    connected.pump_inbox()
    connected.remaining_ms = int(TIME_TO_SEND.total_seconds() * 1000) - 1
    from functions.respond import app as respond

    connected.pump("reply", respond.handler)
    assert customers.get("/said").json() == []
    (reply,) = connected.items("REPLY#")
    assert "state" not in reply, "it was begun"
    connected.remaining_ms = 45_000
    connected.drain()
    assert len(customers.get("/said").json()) == 1


def way_to(http: httpx.Client) -> Platform:
    return Platform(http, dict[str, str]().__getitem__, {}, lambda: datetime.now(UTC))


@contextmanager
def server(head: bytes, chunk: bytes) -> Iterator[str]:
    """Answers once, and then goes on for as long as somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head)
                try:
                    while True:
                        connection.sendall(chunk)
                except OSError:
                    return

        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(("method", "error"), [("GET", TryLater), ("POST", Unsure)])
@pytest.mark.parametrize("endless", ["in time", "in size"])
def test_an_answer_without_end_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, method: str, error: type[Exception], endless: str
) -> None:
    """However slowly or fast it comes: a POST may have arrived nevertheless."""
    if endless == "in time":
        monkeypatch.setattr(platform, "CALL_SECONDS", 0.1)
        monkeypatch.setattr(platform, "MOST_BYTES", 10**12)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n"
    with (
        server(head, b" " * 1024) as url,
        client() as http,
        pytest.raises(error, match="not answered"),
    ):
        way_to(http).call(method, url)
    assert MOST_BYTES < 10**7


@contextmanager
def slow_server(head: bytes, drip: bytes, end: bytes, takes: int = 1) -> Iterator[str]:
    """Takes so many bytes, and a good second for its answer: never a break, all as HTTP has it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    taken = 0
                    while taken < takes and (piece := connection.recv(1_000_000)):
                        taken += len(piece)
                        Event().wait(0.02)
                    connection.sendall(head)
                    for _ in range(60):
                        Event().wait(0.02)
                        connection.sendall(drip)
                    connection.sendall(end)
                except OSError:  # nobody listens any more
                    return

        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()


SLOW = {
    "status": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\nx-slow: ", b"y", b"\r\ncontent-length: 0\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n", b" ", b""),
}


@pytest.mark.parametrize(("method", "error"), [("GET", TryLater), ("POST", Unsure)])
@pytest.mark.parametrize("what", SLOW)
def test_an_answer_that_drips_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, what: str, method: str, error: type[Exception]
) -> None:
    monkeypatch.setattr(platform, "CALL_SECONDS", 0.1)
    with (
        slow_server(*SLOW[what]) as there,
        client() as http,
        pytest.raises(error, match="not answered: ReadTimeout"),
    ):
        way_to(http).call(method, f"http://{there}")


def test_who_drips_while_we_agree_on_a_key_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS says how long a record is going to be, and sends it byte by byte."""
    monkeypatch.setattr(platform, "CALL_SECONDS", 0.1)
    with (
        slow_server(b"\x16\x03\x03\x3f\xff", b"\x02", b"") as there,
        client() as http,
        pytest.raises(TryLater, match="not reached: ConnectTimeout"),
    ):
        way_to(http).call("POST", f"https://{there}", content=b"{}")


def test_who_reads_slowly_may_have_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "CALL_SECONDS", 0.1)
    with (
        slow_server(*SLOW["body"], takes=50_000_000) as there,
        client() as http,
        pytest.raises(Unsure, match="not answered: WriteTimeout"),
    ):
        way_to(http).call("POST", f"http://{there}", content=bytes(50_000_000))
