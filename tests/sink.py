"""Who takes the answers to other sources' messages: a server on this machine.

The functions may not go there, and cannot: what takes their connections to the internet is put in
here, behind everything that is theirs.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, cast

import httpx
import pytest

from firstreply.channels import Knock, channel
from functions.respond import app as respond
from local.simulator import DEMO_SECRET

PUBLIC_ADDRESS = "93.184.216.34"
ADDRESS = "https://reviews.example"
URL = f"{ADDRESS}/replies?token=not-to-be-logged"


@dataclass
class Sink:
    """It does as the contract asks: a repeat is answered alike, and dropped."""

    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    published: dict[str, dict[str, Any]] = field(default_factory=dict)
    # What to answer instead, one after the other; a 2xx or 504, and it is published nevertheless.
    statuses: list[int] = field(default_factory=list)
    _hanging: dict[str, Event] = field(default_factory=dict)

    def start_over(self) -> None:
        for kept in (self.asked, self.published, self.statuses):
            kept.clear()

    def hang(self, path: str) -> None:
        """Who asks there waits."""
        self._hanging[path] = Event()

    def go_on(self) -> None:
        """Nobody waits any more."""
        for one in self._hanging.values():
            one.set()

    def said(self) -> list[dict[str, Any]]:
        """In the simulator's words, with our ids; those of messages begin with their author's."""
        return [
            {
                "id": f"{one['source']}.own:at-{one['id']}",
                "platform": "generic",
                "kind": "reply",
                "account": f"{one['source']}:{one['account']}",
                "in_reply_to": f"{one['source']}:{one['in_reply_to']}",
                "to": one["in_reply_to"].partition(".")[0],
                "text": one["text"],
                "at": one["at"],
            }
            for one in self.published.values()
        ]

    def take(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, bytes]:
        if path in self._hanging:
            self._hanging[path].wait()
        self.asked.append((path, headers, raw))
        at = cast("Any", respond).now()
        generic = channel("generic")
        assert generic
        assert generic.is_signed(Knock(headers=headers, body=raw, at=at), DEMO_SECRET["generic"])
        status = self.statuses.pop(0) if self.statuses else 200
        one = headers["webhook-id"]
        if status < 400 or status == 504:
            self.published.setdefault(one, json.loads(raw) | {"at": at.isoformat()})
        return status, json.dumps({"id": f"at-{one}"}).encode()


class Internet(httpx.BaseTransport):
    """As from where the functions run, but that what goes to the sink's name arrives there."""

    def __init__(self, sink: tuple[str, int]) -> None:
        self._sink, self._inner = sink, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == PUBLIC_ADDRESS:
            assert request.url.scheme == "https"
            assert request.extensions["sni_hostname"] == "reviews.example"
            host, port = self._sink
            request.url = request.url.copy_with(scheme="http", host=host, port=port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Who asked did not wait for the answer."""


@contextmanager
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sink, Internet]]:
    """The sink, under a name that leads to a public address; and the way there."""
    made = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = made.take(self.path, headers, raw)
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    resolve = socket.getaddrinfo

    def look_up(host: str, port: int, *more: Any, **named: Any) -> Any:
        if host != "reviews.example":
            return resolve(host, port, *more, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC_ADDRESS, port))]

    server = _Quiet(("127.0.0.1", 0), Handler)
    running = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    running.start()
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        yield made, Internet((str(server.server_address[0]), server.server_address[1]))
    finally:
        made.go_on()
        server.shutdown()
        running.join()
        server.server_close()


@contextmanager
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """The sink, and respond on its way there; what else it calls stays where it was."""
    with opened(monkeypatch) as (made, internet), httpx.Client(transport=internet) as way_out:
        monkeypatch.setattr(respond, "http", cache(lambda: way_out))
        yield made
