"""Boundaries: before and after every AWS call and every platform call. There a test may strike."""

from collections.abc import Callable
from functools import cache
from typing import Any

import httpx

from firstreply import aws


class Crash(BaseException):
    """No `except Exception` may survive it."""


def crash() -> None:
    raise Crash


class Fuse:
    """Counts boundaries, and blows at one of them: with a crash, or whatever else is to happen."""

    def __init__(self) -> None:
        self.passed, self._blows_at, self._blow = 0, 0, crash

    def set(self, at: int, blow: Callable[[], None] = crash) -> None:
        self.passed, self._blows_at, self._blow = 0, at, blow

    def tick(self, **_: Any) -> None:
        self.passed += 1
        if self.passed == self._blows_at:
            self._blow()


class Fused(httpx.BaseTransport):
    """The way to the platforms, with the fuse before and after each call."""

    def __init__(self, fuse: Fuse, inner: httpx.BaseTransport | None = None) -> None:
        self._fuse, self._inner = fuse, inner or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._fuse.tick()
        answer = self._inner.handle_request(request)
        answer.read()
        self._fuse.tick()
        return answer

    def close(self) -> None:
        self._inner.close()


def fuse_calls(fuse: Fuse) -> None:
    """Every AWS call of the functions' own clients."""
    for client in (
        aws.dynamodb_client(),
        aws.sqs(),
        aws.secretsmanager(),
        aws.dynamodb().meta.client,
    ):
        client.meta.events.register("before-call", fuse.tick)
        client.meta.events.register("after-call", fuse.tick)


def kept(client: httpx.Client) -> Callable[[], httpx.Client]:
    """In place of a function's own `http`."""
    return cache(lambda: client)


def ends_with_a_crash(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """To whoever invoked the function, a crash is a failed invocation."""

    def call(event: Any, context: Any) -> Any:
        try:
            return handler(event, context)
        except Crash:
            raise RuntimeError("crashed") from None

    return call
