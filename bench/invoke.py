"""Calls a function's handler as Lambda does: a context, and what it prints counted as its log."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter, process_time
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

type Handler = Callable[[dict[str, Any], LambdaContext], Any]

_numbers = count(1)


class _Log(io.StringIO):
    """Counts what is written to it. Powertools keeps the stream that it finds at first, so there
    is one."""

    bytes = 0

    def write(self, text: str) -> int:
        self.bytes += len(text.encode())
        return len(text)


LOG = _Log()


@dataclass
class Context:
    aws_request_id: str
    function_name: str = "bench"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:bench"

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


@dataclass(frozen=True, slots=True)
class Spent:
    """By one invocation."""

    function: str
    cpu_ms: float
    wall_ms: float
    log_bytes: int


@dataclass(slots=True)
class Meter:
    """Every invocation so far."""

    spent: list[Spent] = field(default_factory=list)

    def invoke(self, handler: Handler, event: dict[str, Any]) -> Any:  # noqa: ANN401
        context = cast("LambdaContext", Context(f"bench-{next(_numbers)}"))
        with _logging():
            logged, wall, cpu = LOG.bytes, perf_counter(), process_time()
            answer = handler(event, context)
            cpu, wall = process_time() - cpu, perf_counter() - wall
        name = handler.__module__.split(".")[1]
        self.spent.append(Spent(name, cpu * 1000, wall * 1000, LOG.bytes - logged))
        return answer

    def of(self, function: str) -> list[Spent]:
        return [one for one in self.spent if one.function == function]


@contextmanager
def _logging() -> Iterator[None]:
    kept, sys.stdout = sys.stdout, LOG
    try:
        yield
    finally:
        sys.stdout = kept


def post(channel: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """A POST as the HTTP API passes it on (payload format 2.0)."""
    path = f"/webhooks/{channel}"
    return {
        "version": "2.0",
        "requestContext": {"http": {"method": "POST", "path": path}, "domainName": "bench"},
        "pathParameters": {"channel": channel},
        "headers": headers,
        "body": body.decode(),
        "isBase64Encoded": False,
    }
