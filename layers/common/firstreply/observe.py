"""Logs and metrics: ids and reasons, never a message's text, a token or a body."""

import logging
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

# They log addresses, headers or bodies below WARNING, whatever our own level is.
_CHATTY = ("httpx", "httpcore", "oauthlib", "botocore", "boto3", "urllib3")

type Handler = Callable[[dict[str, Any], LambdaContext], Any]


@cache
def logger() -> Logger:
    """Powertools reads the environment when it is made, so it is made when it is needed."""
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # A line that cannot be written would be explained by a traceback, which may quote a customer.
    logging.raiseExceptions = False
    return Logger()


def count(name: str, value: float = 1, *, channel: str | None = None) -> None:
    """Count something that happened (as an EMF line in the log; no call is made). Without a
    channel, for an alarm, which watches one set of dimensions: whichever function counts."""
    with single_metric(name, MetricUnit.Count, value) as metric:
        if channel:
            metric.add_dimension("channel", channel)
        else:
            metric.add_dimension("service", "firstreply")


def observed(handler: Handler) -> Handler:
    """Puts the invocation's id on every log line."""

    @wraps(handler)
    def call(event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401
        handle: Handler = logger().inject_lambda_context(handler)
        return handle(event, context)

    return call
