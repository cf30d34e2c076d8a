"""What each call to Graph needs: who is calling, what about, and whether it is to go wrong."""

import hmac
import json
from collections.abc import Callable, Collection
from functools import partial
from hashlib import sha256
from typing import Literal

from flask import Response, g, request

from local.simulator import meta_bodies as bodies
from local.simulator.accounts import Accounts, Page
from local.simulator.common import Echo, Json, Refusal, with_fault
from local.simulator.faults import At, Fault, FaultName
from local.simulator.graph_errors import Kind, graph_error, refuse, trouble, usage
from local.simulator.places import INSTAGRAM, PRIVATE, Place
from local.simulator.world import Message, Reply, World

Host = Literal["graph", "instagram"]  # graph.facebook.com, graph.instagram.com


def given() -> Json:
    """Graph takes parameters from the query, a form or JSON; in a form, objects are JSON text."""
    in_json = request.get_json(silent=True)
    return {**request.args, **request.form, **(in_json if isinstance(in_json, dict) else {})}


def nested(parameters: Json, name: str) -> Json:
    value = parameters.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            refuse("parameter", name=name)
    return value if isinstance(value, dict) else {}


class Desk:
    def __init__(self, accounts: Accounts, world: World, echo: Echo, host: Host) -> None:
        self.world, self.host = world, host
        self._known, self._echo = accounts, echo

    def caller(self, parameters: Json) -> Page:
        """The account that the caller's token speaks for, at this host."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        in_header = bearer if scheme.lower() == "bearer" else ""
        token = str(parameters.get("access_token") or in_header)
        if not token:
            refuse("no_token")
        page = self._page_of(token)
        proof = parameters.get("appsecret_proof")
        if proof is None:
            refuse("no_proof")
        if str(proof) not in self._proofs(page, token):
            refuse("proof")
        g.page = page
        return page

    def _page_of(self, token: str) -> Page:
        tokens = self.world.tokens
        known = (
            page
            for page in self._known.pages.values()
            if (page.api == "instagram") == (self.host == "instagram")
            and tokens.get(page.id, page.token) == token
        )
        why = "token_expired" if token in self.world.expired_tokens else "bad_token"
        return next(known, None) or refuse(why)

    def _proofs(self, page: Page, token: str) -> set[str]:
        keys = (page.app_secret,) if page.app_secret else self._known.app_secrets
        return {hmac.new(key.encode(), token.encode(), sha256).hexdigest() for key in keys}

    def find(self, places: Collection[Place], page: Page, id: str) -> Message:
        """What a customer wrote there; Graph makes no difference between gone and another's."""
        known = self.world.find(places, page.id, id)
        return known or refuse("gone", id=id, method=request.method.lower())

    def open(self, places: Collection[Place], page: Page, id: str) -> Message:
        """The same, if it can be answered: what is hidden cannot."""
        message = self.find(places, page, id)
        if message.hidden:
            refuse("gone", id=id, method=request.method.lower())
        return message

    def publish(self, reply: Reply, message: Message, page: Page) -> None:
        self.world.replies.append(reply)
        if body := bodies.echo(reply, message, page):
            self._echo(reply, body)

    def place_of(self, page: Page, id: str, otherwise: Place) -> Place:
        message = self.world.messages.get((page.id, id))
        return message.place if message else otherwise

    def go(
        self, place: Place, page: Page, id: str, accept: Callable[[], Response], at: At = "answer"
    ) -> Response:
        """Do it, if no fault was ordered there."""
        gone = "unavailable" if place in PRIVATE else "gone"
        method = request.method.lower()
        throttled = usage(page.id, kind_of(place), 100, wait=1)
        refusals: dict[FaultName, Callable[[], Refusal]] = {
            "gone": partial(trouble, gone, id=id, method=method),
            "rate_limited": partial(trouble, "rate_limited", throttled),
            "server_error": partial(trouble, "server_error"),
            "token_expired": partial(trouble, "token_expired"),
            "window_closed": partial(trouble, "window_closed"),
        }

        def refusal(fault: Fault) -> Refusal | None:
            if fault.code is not None:
                return graph_error(fault.code, fault.subcode, fault.status)
            return refusals[fault.fault]() if fault.fault in refusals else None

        return with_fault(self.world, {place}, accept, refusal, at)


def kind_of(place: Place) -> Kind:
    if place in INSTAGRAM:
        return "instagram"
    return "messenger" if place == "messenger" else "pages"
