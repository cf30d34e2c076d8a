"""Logs and metrics: ids and reasons, never a message's text, a token or a body.

A line of the log is written at once, so an invocation that is cut off has told what it had done.
What it counts is written at its end, in a line for each set of dimensions: a line for each count
was a third of what the logs cost. docs/metrics.md lists the metrics.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache, wraps
from time import monotonic
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

# They log addresses, headers or bodies below WARNING, whatever our own level is.
_CHATTY = ("httpx", "httpcore", "oauthlib", "botocore", "boto3", "urllib3")
# Without another dimension: the whole stack, whichever function counts. That is what alarms watch.
_ALL = {"service": "firstreply"}

_began: ContextVar[float] = ContextVar("began")
# What the invocation has counted so far, by dimensions.
_counted: ContextVar[dict[tuple[str, ...], EphemeralMetrics]] = ContextVar("counted")

type Handler = Callable[[dict[str, Any], LambdaContext], Any]


@cache
def logger() -> Logger:
    """Powertools reads the environment when it is made, so it is made when it is needed."""
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # A line that cannot be written would be explained by a traceback, which may quote a customer.
    logging.raiseExceptions = False
    return Logger()


def begin() -> None:
    """A piece of work begins: `duration_ms` is counted from here."""
    _began.set(monotonic())


def decided(
    stage: str,
    outcome: str,
    reason: str = "",
    *,
    level: Literal["info", "warning", "error"] = "info",
    **ids: object,
) -> None:
    """The line that every decision leaves in the log: its stage, how it came out, and for which
    reason; of what it was, by ids; and how long after its piece of work began."""
    facts: dict[str, object] = {"stage": stage, "outcome": outcome}
    if reason:
        facts["reason"] = reason
    if began := _began.get(0.0):
        facts["duration_ms"] = round(1000 * (monotonic() - began))
    known = {name: value for name, value in ids.items() if value is not None}
    getattr(logger(), level)("decision", extra=facts | known, stacklevel=3)  # whose line it is


def count(name: str, value: float = 1, /, **by: str) -> None:
    """Count something that happened: for the whole stack, and by each dimension apart (not by their
    combinations, which would be paid one by one). No call is made: it is an EMF line in the log."""
    _add(name, MetricUnit.Count, value, by)


def took(name: str, seconds: float, /, **by: str) -> None:
    """The same for a time that passed; of clocks that disagree, none."""
    _add(name, MetricUnit.Seconds, max(0.0, seconds), by)


def _add(name: str, unit: MetricUnit, value: float, by: dict[str, str]) -> None:
    counted = _counted.get({})  # outside an invocation the line is written at once
    key = tuple(f"{dimension}={of}" for dimension, of in by.items())
    if key not in counted:
        counted[key] = EphemeralMetrics(default_dimensions=_ALL)
        for dimension, of in by.items():
            counted[key].add_dimensions(**{dimension: of})
    counted[key].add_metric(name, unit, value)
    if _counted.get(None) is None:
        counted[key].flush_metrics()


def observed(handler: Handler) -> Handler:
    """Puts the invocation's id on every log line, and writes down what it counted."""

    @wraps(handler)
    def call(event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401
        begin()
        counted: dict[tuple[str, ...], EphemeralMetrics] = {}
        before = _counted.set(counted)
        handle: Handler = logger().inject_lambda_context(handler)
        try:
            return handle(event, context)
        finally:
            _counted.reset(before)
            for metrics in counted.values():
                if metrics.metric_set:  # the hundredth value of one has it written at once
                    metrics.flush_metrics()

    return call
