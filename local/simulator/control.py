"""Facebook and X, simulated. This is how to play the customer, and how to make things go wrong.

Let a customer write; the answer tells how FirstReply's webhook took it:

  curl URL/say -d '{"place": "facebook_comment", "text": "My bag is lost and nobody answers!"}'
  curl URL/say -d '{"place": "messenger", "text": "Where is my bag?", "author": {"name": "Alma"}}'
  curl URL/say -d '{"place": "x_mention", "text": "@LarkspurAir three hours late again"}'
  curl URL/say -d '{"place": "x_direct_message", "text": "I want my money back"}'

    author    {"id", "name"}: a name alone is the same person each time; none is somebody new
    account   the page's or the X account's id; the first one of the secret if left out
    family    "xaa" (X Activity API, the default) or "aaa" (Account Activity API)
    mention   false: an answer to the brand's post on X that does not name it, so X lets nobody
              reply; otherwise the brand's handle is put before a text that lacks it
    id        the platform's id for it, instead of a new one
    times     deliver the same bytes so often; sent_at: an ISO time instead of now
    Each delivery is tried until it is answered 200, three times at most. Status 0: no answer.

What FirstReply said, what it was told, which API calls it made, and what came back as an echo:

  curl URL/said                          also ?in_reply_to=ID and ?account=ID
  curl URL/received
  curl URL/calls                         status null: no answer (yet)
  curl URL/echoes                        the account's own words, delivered to its webhook

Deliver any body, once, a hundred times, eight at a time; well signed or not; without retries.
Messages found in it can be replied to:

  curl URL/deliver -d '{"channel": "meta", "body": {"object": "page", "entry": []}}'
  curl URL/deliver -d '{"channel": "x", "raw": "{not json", "signature": "wrong"}'

    signature "valid" (default), "wrong", "missing" or "sha1";  times, parallel: 1 if left out

Knock as the platforms do before they deliver (Meta's verification, X's CRC):

  curl URL/handshake -d '{"channel": "meta"}'          also "verify_token", to try a wrong one
  curl URL/handshake -d '{"channel": "x"}'

Make the next replies go wrong; "on" is a place or "any", "times" is 1 if left out:

  curl URL/faults -d '{"on": "messenger", "fault": "accept_then_timeout", "hold_seconds": 15}'
  curl URL/faults                        what is still to come
  curl URL/faults -X DELETE

    accept_then_timeout, accept_then_disconnect: the reply is out, but nobody is told
    disconnect, server_error, rate_limited, token_expired, gone: the reply is not out
    window_closed (messenger), duplicate and not_summoned (x_mention)

  curl URL/settings -d '{"echo": false, "x_post_limit": 100, "x_direct_message_limit": 15}'
  curl URL/connect -d '{"webhooks": "http://127.0.0.1:4566/webhooks"}'
  curl URL/ -X DELETE                    forget all but the accounts and the connection

FirstReply calls Graph under URL/graph (GraphApiUrl) and X under URL/x (XApiUrl).
"""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from secrets import choice
from typing import Annotated, Any, Final, Self

import httpx
from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from local.simulator.common import Signature
from local.simulator.deliver import NO_ANSWER, Courier, Echoes, NotConnected
from local.simulator.doors import Door, Draft, Family
from local.simulator.world import CHANNEL, Channel, Fault, Message, Place, Settings, World, now

NAMES: Final = ("Alma", "Bruno", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana")
MOST_TIMES: Final = 10_000
MOST_PARALLEL: Final = 64


class Refused(Exception):
    """The question makes no sense; says why."""


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Author(Ask):
    id: str = ""
    name: str = ""


class Say(Ask):
    place: Place
    text: str
    author: Author = Author()
    account: str = ""
    family: Family = "xaa"
    mention: bool = True
    id: str = ""
    times: Annotated[PositiveInt, Field(le=MOST_TIMES)] = 1
    sent_at: datetime | None = None


class Deliver(Ask):
    channel: Channel
    body: Any = None
    raw: str | None = None
    signature: Signature = "valid"
    times: Annotated[PositiveInt, Field(le=MOST_TIMES)] = 1
    parallel: Annotated[PositiveInt, Field(le=MOST_PARALLEL)] = 1

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if ("body" in self.model_fields_set) == (self.raw is not None):
            raise ValueError("give either body or raw")
        return self


class Handshake(Ask):
    channel: Channel
    verify_token: str | None = None


class Connect(Ask):
    webhooks: Annotated[str, Field(pattern=r"^https?://\S+$")]


def asked[A: BaseModel](form: type[A]) -> A:
    return form.model_validate(request.get_json(force=True, silent=True))


def shown(items: list[Any]) -> Response:
    return jsonify([item.shown() for item in items])


class Control:
    def __init__(
        self,
        world: World,
        courier: Courier,
        echoes: Echoes,
        doors: Mapping[Channel, Door],
    ) -> None:
        self._world, self._courier, self._echoes = world, courier, echoes
        self._doors = doors
        self.blueprint = blueprint = Blueprint("control", __name__)
        routes: tuple[tuple[str, str, Callable[[], Response]], ...] = (
            ("GET", "/", self.help),
            ("DELETE", "/", self.reset),
            ("POST", "/say", self.say),
            ("POST", "/deliver", self.deliver),
            ("POST", "/handshake", self.handshake),
            ("GET", "/said", self.said),
            ("GET", "/received", self.received),
            ("GET", "/calls", self.calls),
            ("GET", "/echoes", self.echoes),
            ("GET", "/faults", self.faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("GET", "/settings", self.settings),
            ("POST", "/settings", self.change_settings),
            ("POST", "/connect", self.connect),
        )
        for method, rule, view in routes:
            blueprint.add_url_rule(rule, view_func=view, methods=[method])
        blueprint.register_error_handler(ValidationError, _invalid)
        blueprint.register_error_handler(Refused, _refused)
        blueprint.register_error_handler(NotConnected, _not_connected)

    def help(self) -> Response:
        text = (__doc__ or "").replace("URL", request.host_url.rstrip("/"))
        return Response(text, mimetype="text/plain")

    def reset(self) -> Response:
        self._echoes.clear()
        self._world.reset()
        return jsonify({})

    def say(self) -> Response:
        ask = asked(Say)
        door = self._doors[CHANNEL[ask.place]]
        message, body = door.write(_draft(ask, door))
        self._world.learn([message])
        raw = door.encode(body)
        signed = door.sign(raw, "valid")
        deliveries = [
            delivery
            for _ in range(ask.times)
            for delivery in self._courier.insist(door.channel, raw, signed)
        ]
        return jsonify(
            id=message.id,
            deliveries=[delivery.shown() for delivery in deliveries],
            sent_at=message.sent_at.isoformat(),
        )

    def deliver(self) -> Response:
        ask = asked(Deliver)
        door = self._doors[ask.channel]
        raw = door.encode(ask.body) if ask.raw is None else ask.raw.encode("utf-8", "surrogatepass")
        self._world.learn(door.read(_json(raw)))
        signed = door.sign(raw, ask.signature)
        with ThreadPoolExecutor(ask.parallel) as pool:
            deliveries = list(
                pool.map(lambda _: self._courier.post(door.channel, raw, signed), range(ask.times))
            )
        return jsonify(deliveries=[delivery.shown() for delivery in deliveries])

    def handshake(self) -> Response:
        ask = asked(Handshake)
        asked_for = self._doors[ask.channel].challenge(ask.verify_token)
        try:
            answer = self._courier.get(ask.channel, asked_for.query, asked_for.headers)
        except httpx.TransportError as error:
            return jsonify(ok=False, status=NO_ANSWER, body=type(error).__name__)
        plain = isinstance(asked_for.answer, str)
        heard = answer.text if plain else _json(answer.content)
        ok = answer.status_code == httpx.codes.OK and heard == asked_for.answer
        return jsonify(ok=ok, status=answer.status_code, body=answer.text)

    def said(self) -> Response:
        with self._world.lock:
            replies = list(self._world.replies)
        for name in request.args.keys() & {"in_reply_to", "account"}:
            replies = [r for r in replies if getattr(r, name) == request.args[name]]
        return shown(replies)

    def received(self) -> Response:
        with self._world.lock:
            return shown(list(self._world.messages.values()))

    def calls(self) -> Response:
        return shown(list(self._world.calls))

    def echoes(self) -> Response:
        return jsonify(list(self._world.echoes))

    def faults(self) -> Response:
        return jsonify([fault.model_dump() for fault in self._world.faults])

    def add_fault(self) -> Response:
        fault = asked(Fault)
        with self._world.lock:
            self._world.faults.append(fault)
        return self.faults()

    def clear_faults(self) -> Response:
        with self._world.lock:
            self._world.faults.clear()
        return self.faults()

    def settings(self) -> Response:
        return jsonify(self._world.settings.model_dump())

    def change_settings(self) -> Response:
        changes = asked(Settings).model_dump(exclude_unset=True)
        with self._world.lock:
            self._world.settings = self._world.settings.model_copy(update=changes)
        return self.settings()

    def connect(self) -> Response:
        self._courier.webhooks = asked(Connect).webhooks.rstrip("/")
        return jsonify(webhooks=self._courier.webhooks)


def _draft(ask: Say, door: Door) -> Draft:
    account = ask.account or next(iter(door.accounts), "")
    if account not in door.accounts:
        raise Refused(f"no account {account!r} on {door.channel}, only {door.accounts}")
    sent_at = ask.sent_at or now()
    message = Message(
        id=ask.id,
        place=ask.place,
        account=account,
        author=ask.author.id or _person(ask.author.name),
        name=ask.author.name or choice(NAMES),
        text=ask.text,
        sent_at=sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC),
    )
    return Draft(message, ask.family, ask.mention)


def _person(name: str) -> str:
    """The id that goes with a name; of somebody without one the platform makes a new one."""
    return str(10**15 + int(sha256(name.encode()).hexdigest(), 16) % 10**15) if name else ""


def _json(raw: bytes) -> object:
    try:
        known: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return known


def _invalid(error: ValidationError) -> tuple[Response, int]:
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
        for problem in error.errors()
    ]
    return jsonify(error="; ".join(problems)), 400


def _refused(error: Refused) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


def _not_connected(_error: NotConnected) -> tuple[Response, int]:
    return jsonify(error="not connected: POST /connect says where the webhooks are"), 409
