"""The HTTP client of fetch and respond: what it tells a server, and what it does not take from one.

How long a call may last: tests/promises/test_time.py.
"""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import ModuleType

import httpx
import pytest

from firstreply.errors import TryLater, Unsure
from firstreply.platform import MOST_BYTES, Platform
from functions.fetch import app as fetch
from functions.respond import app as respond

type Asked = list[dict[str, str]]


@pytest.fixture(params=[fetch, respond], ids=["fetch", "respond"])
def http(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    function: ModuleType = request.param
    with function.http.__wrapped__() as made:
        yield made


@contextmanager
def site(answer: bytes, **headers: str) -> Iterator[tuple[str, Asked]]:
    """What it is asked, by the headers of each request."""
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        running.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()
            running.join()


def way_to(http: httpx.Client) -> Platform:
    return Platform(http, dict[str, str]().__getitem__, {}, lambda: datetime.now(UTC))


def test_two_sites_on_one_address_share_no_cookie(http: httpx.Client) -> None:
    with site(b"{}", set_cookie="session=of-the-first; Path=/") as (url, asked):
        for name in ("first.example", "second.example"):
            way_to(http).call("POST", url, content=b"{}", headers={"host": name})
    assert [one["host"] for one in asked] == ["first.example", "second.example"]
    assert [one.get("cookie") for one in asked] == [None, None]
    assert not http.cookies


@pytest.mark.parametrize(
    ("encoding", "read"), [("gzip", {"id": "1"}), ("gzip, gzip", {}), ("br", {})]
)
def test_what_was_packed_without_being_asked_for_is_opened_once(
    http: httpx.Client, encoding: str, read: dict[str, str]
) -> None:
    """Beyond that the status says what became of the request."""
    packed = b'{"id":"1"}'
    for _ in encoding.split():
        packed = gzip.compress(packed)
    with site(packed, content_encoding=encoding) as (url, asked):
        answer = way_to(http).call("POST", url, content=b"{}")
    assert (answer.status, answer.json) == (200, read)
    assert asked[0]["accept-encoding"] == "identity"


def test_what_is_packed_is_opened_no_further_than_we_would_read(http: httpx.Client) -> None:
    """A kilobyte may be a gigabyte."""
    bomb = gzip.compress(b" " * (MOST_BYTES + 1))
    with (
        site(bomb, content_encoding="gzip") as (url, _),
        pytest.raises(Unsure, match="ReadError"),
    ):
        way_to(http).call("POST", url, content=b"{}")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE"])
def test_the_environment_shows_no_other_way(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The address that is connected to is the one that was checked."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    for function in (fetch, respond):
        with function.http.__wrapped__() as http, site(b'{"id":"1"}') as (url, asked):
            assert way_to(http).call("POST", url, content=b"{}").json == {"id": "1"}
            assert len(asked) == 1


def test_no_proxy_is_asked_for_the_way(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens; a proxy would have answered."""
    with site(b"") as (url, asked):
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(TryLater, match="not reached: ConnectError"):
            way_to(http).call("POST", "https://127.0.0.1:9/", content=b"{}")
    assert asked == []
