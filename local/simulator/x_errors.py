"""X's errors (problem+json), and the headers that tell how much an account may still do."""

from dataclasses import dataclass
from http.client import responses
from typing import Final, NoReturn

from local.simulator.common import Json, Refusal
from local.simulator.faults import Fault
from local.simulator.world import Allowance


@dataclass(frozen=True)
class Problem:
    """One of X's errors. Only status and detail tell the refusals apart."""

    status: int
    title: str
    detail: str


PROBLEMS: Final = {
    "unauthorized": Problem(401, "Unauthorized", "Unauthorized"),
    "forbidden": Problem(403, "Forbidden", "You are not permitted to perform this action."),
    "duplicate": Problem(
        403, "Forbidden", "You are not allowed to create a Tweet with duplicate content."
    ),
    "not_summoned": Problem(
        403,
        "Forbidden",
        "Reply to this conversation is not allowed because you have not been mentioned or "
        "otherwise engaged by the author of the post you are replying to.",
    ),
    "gone": Problem(
        403,
        "Forbidden",
        "You attempted to reply to a Tweet that is deleted or not visible to you.",
    ),
    "no_permission": Problem(
        403, "Forbidden", "You do not have permission to DM one or more participants."
    ),
    "not_found": Problem(404, "Not Found", "Not Found"),
    "rate_limited": Problem(429, "Too Many Requests", "Too Many Requests"),
    "server_error": Problem(500, "Internal Server Error", "Something is broken."),
}


def problem(name: str, headers: dict[str, str] | None = None) -> Refusal:
    known = PROBLEMS[name]
    body = {
        "title": known.title,
        "type": "about:blank",
        "status": known.status,
        "detail": known.detail,
    }
    return Refusal(known.status, body, headers, "application/problem+json")


def ordered(fault: Fault) -> Refusal:
    """Any other problem."""
    body = {
        "title": responses.get(fault.status, "Unknown"),
        "type": fault.type,
        "status": fault.status,
        "detail": fault.detail or "An error that was ordered",
    }
    return Refusal(fault.status, body, mimetype="application/problem+json")


def partial_errors(fault: Fault) -> Json:
    """What X says beside an answer, or in its place, without calling it a failure."""
    error = {
        "title": "Not Found Error",
        "type": fault.type,
        "detail": fault.detail or "Could not find all that was asked for.",
        "resource_type": "tweet",
    }
    return {"errors": [error]}


def refuse(name: str) -> NoReturn:
    raise problem(name)


def invalid(parameter: str, value: object, message: str) -> NoReturn:
    body = {
        "errors": [{"parameters": {parameter: [str(value)]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }
    raise Refusal(400, body, mimetype="application/problem+json")


def headers_of(allowance: Allowance) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(allowance.limit),
        "x-rate-limit-remaining": str(max(allowance.remaining, 0)),
        "x-rate-limit-reset": str(allowance.reset),
    }
