"""What both platforms' APIs do alike: refuse, go wrong on demand, and keep a list of calls."""

import socket
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Literal

from flask import Blueprint, Response, g, json, request

from local.simulator.faults import At, Fault
from local.simulator.places import Place
from local.simulator.world import Call, Reply, World

Json = dict[str, Any]
Echo = Callable[[Reply, Json], None]
Signature = Literal["valid", "wrong", "missing", "sha1"]


class Refusal(Exception):
    """A platform's "no", in its own words."""

    def __init__(
        self,
        status: int,
        body: Json,
        headers: Mapping[str, str] | None = None,
        mimetype: str = "application/json",
    ) -> None:
        self.response = Response(json.dumps(body), status, headers, mimetype)


class HungUp(Response):
    """The connection is gone; nothing of this reaches anybody."""


def hang_up() -> HungUp:
    # Shut down, not closed: werkzeug expects a dropped connection, but not a closed socket.
    with suppress(OSError):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return HungUp()


def with_fault(
    world: World,
    places: Collection[Place],
    accept: Callable[[], Response],
    refusal: Callable[[Fault], Refusal | None],
    at: At = "answer",
) -> Response:
    """Accept a call, unless a fault was ordered that strikes before or after."""
    fault = world.take_fault(places, at)
    if not fault:
        return accept()
    if fault.fault == "disconnect":
        return hang_up()
    if refused := refusal(fault):
        raise refused
    if fault.fault == "strange_answer":
        return strange(fault, accept)
    response = accept()
    if fault.fault == "accept_then_disconnect":
        return hang_up()
    world.stopping.wait(fault.hold_seconds)
    return response


def strange(fault: Fault, accept: Callable[[], Response]) -> Response:
    """Any words in place of the platform's own, whether or not it did what it was asked for."""
    if fault.accepted:
        accept()
    return Response(fault.body, fault.status, mimetype="application/json")


def record_calls(blueprint: Blueprint, world: World) -> None:
    def arrive() -> None:
        g.call = Call(request.method, request.path)
        world.calls.append(g.call)

    def leave(response: Response) -> Response:
        if not isinstance(response, HungUp):
            g.call.status = response.status_code
        return response

    blueprint.before_request(arrive)
    blueprint.after_request(leave)


def objects(value: object, *path: str) -> list[Any]:
    """The JSON objects listed at a path; none where the body is not of that shape."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parsed(raw: bytes) -> object:
    """The JSON value; nothing if it is none."""
    try:
        known: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return known


def readable[T](read: Callable[..., T], *parts: object) -> list[T]:
    """What `read` makes of the parts; nothing if they are malformed."""
    with suppress(KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return [read(*parts)]
    return []
