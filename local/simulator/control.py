"""Facebook, Instagram and X, simulated: how to play the customer, and make things go wrong.

Let a customer write; the answer tells how FirstReply's webhook took it:

  curl URL/say -d '{"place": "facebook_comment", "text": "My bag is lost and nobody answers!"}'
  curl URL/say -d '{"place": "messenger", "text": "Where is my bag?", "author": {"name": "Alma"}}'
  curl URL/say -d '{"place": "instagram_comment", "text": "Lost again", "account": "1784..."}'
  curl URL/say -d '{"place": "x_mention", "text": "@LarkspurAir three hours late again"}'
  curl URL/say -d '{"place": "x_direct_message", "text": "I want my money back"}'

    place     facebook_comment, facebook_post (a visitor's), facebook_review, facebook_mention,
              messenger, instagram_comment, instagram_live_comment, instagram_mention,
              instagram_message, instagram_story_reply, instagram_story_mention,
              x_mention, x_reply (to the brand's post), x_quote (of it), x_direct_message,
              x_chat (encrypted: no text). Mentions by Meta tell no text: Graph has it.
    author    {"id", "name"}: a name alone is the same person each time; none is somebody new
    account   the page's or the account's id; the first one that has the place if left out
    id        the platform's id for it, instead of a new one
    times     deliver the same bytes so often; sent_at: an ISO time instead of now
    parent    the customer's comment that this comment answers; of a mention, the post (media)
              of somebody else under which it is a comment; on X, any post that this post answers
    attachments  their types, as ["image"]; then text may be left out
    recommends   true or false (the default), of a review
    postback  true: a button with this title was pressed; quick_reply: a suggestion's payload
    standby   true: another app has the conversation
    Of X alone:
    family    "xaa" (X Activity API, the default) or "aaa" (Account Activity API; no x_chat)
    mention   true, as of an x_mention if left out: the brand's handle is put before a text that
              lacks it; false, as of the others: it is not. A post that neither names nor quotes
              the brand answers its post, and X lets nobody reply to it. XAA tells of a reply or
              quote that names the brand twice, under two event_uuids
    also      ids of other accounts that the post names: X tells each of them
    lang      X's guess, "en" if left out; automated: true: the author says to be a bot
    blocked   true: AAA says "true" of user_has_blocked; wrapped: true: XAA puts each included
              user into {"data": ...}
    Each delivery is tried until it is answered 200, three times at most. Status 0: no answer.

What else happens to a message (no deliveries: the platform tells nobody):

  curl URL/edit -d '{"id": ID, "text": "My two bags are lost"}'
  curl URL/remove -d '{"id": ID, "with_author": true}'
  curl URL/remove -d '{"id": ID, "family": "aaa"}'          on X; a customer's post or the brand's
  curl URL/hide -d '{"id": ID, "hidden": true}'             by the page; false: shown again
  curl URL/answer -d '{"in_reply_to": ID, "text": "We have it"}'   a human, in the platform's own
                                         app; on X also "family"
  curl URL/react -d '{"id": ID, "reaction": "love"}'        the id of either side's message

Posts on X cannot be edited, hidden or reacted to here.

What FirstReply said, what it was told, which API calls it made, and what came back as an echo:

  curl URL/said                          also ?in_reply_to=ID and ?account=ID; on X with its price
                                         in dollars and its direct_message_deep_link
  curl URL/received
  curl URL/calls                         status null: no answer (yet); what: "mark_seen",
                                         "typing_on", "typing_off" or "text", of a message by Graph
  curl URL/echoes                        the account's own words, delivered to its webhook

Deliver any body, once, a hundred times, eight at a time; well signed or not; without retries.
Messages found in it can be replied to:

  curl URL/deliver -d '{"channel": "meta", "body": {"object": "page", "entry": []}}'
  curl URL/deliver -d '{"channel": "x", "raw": "{not json", "signature": "wrong"}'

    signature "valid" (default), "wrong", "missing" or "sha1";  times, parallel: 1 if left out

Knock as the platforms do before they deliver (Meta's verification, X's CRC), and as Meta does for
a person who wants their data deleted:

  curl URL/handshake -d '{"channel": "meta"}'          also "verify_token", to try a wrong one
  curl URL/handshake -d '{"channel": "x", "times": 3}'   until one fails
  curl URL/delete_data -d '{"person": ID}'             also "signature": "wrong"

Give an account another token, from now on; the old one has expired. Or take away the leave to
speak for an account on X: it has no token until it is given another:

  curl URL/accounts -d '{"channel": "meta", "id": ID, "token": "another"}'
  curl URL/accounts -d '{"channel": "x", "id": ID, "token": "another", "token_secret": "secret"}'
  curl URL/revoke -d '{"account": ID, "family": "xaa"}'     the first account if left out

Make the next replies go wrong; "on" is a place or "any", "times" is 1 if left out:

  curl URL/faults -d '{"on": "messenger", "fault": "accept_then_timeout", "hold_seconds": 15}'
  curl URL/faults -d '{"on": "any", "fault": "graph_error", "code": 190, "subcode": 463}'
  curl URL/faults                        what is still to come
  curl URL/faults -X DELETE

    accept_then_timeout, accept_then_disconnect: the reply is out, but nobody is told
    disconnect, server_error, rate_limited, token_expired, gone: the reply is not out
    window_closed (in private on Meta), duplicate and not_summoned (replies to posts on X)
    graph_error (Meta): the reply is not out; code, and if you like subcode and status (400)
    x_error (X): the reply is not out; if you like status (400), type and detail
    partial (X): 200 with "errors" beside the "data"; "with_data": false: in its place, and the
    reply is not out; if you like type and detail
    strange_answer: "status" (400) and "body" (empty) in place of the platform's own answer;
    "accepted" true: the reply is out all the same
    "at": "answer" (default) strikes replies; "read" strikes what is asked by GET. On X, a look at
    one's own posts is struck by what is ordered on any kind of post.
    A private reply to a comment is a "messenger" or "instagram_message". Sender actions as
    typing_on are never struck.

  curl URL/settings -d '{"echo": false, "x_post_limit": 100, "x_direct_message_limit": 15}'
  curl URL/settings -d '{"x_window_seconds": 900, "x_duplicate_seconds": 900}'
  curl URL/settings -d '{"x_echo_family": "aaa"}'           "xaa" if left out
  curl URL/settings -d '{"usage_percent": 96, "usage_wait_minutes": 5}'   Graph's usage headers
  curl URL/connect -d '{"webhooks": "http://127.0.0.1:4566/webhooks"}'
  curl URL/ -X DELETE                    forget all but the accounts and the connection

FirstReply calls Graph under URL/graph (GraphApiUrl) and X under URL/x (XApiUrl). Accounts by
Instagram Login ("api": "instagram" in the secret) are called under URL/instagram instead.

X keeps its own rules: only who is named or quoted may reply, nobody posts the same text twice
within x_duplicate_seconds, only who wrote gets a direct message, a signature is good once, for five
minutes. Limits are per account, for posts and direct messages apart, in windows of
x_window_seconds. Prices: a post 0.015, a reply to who named or quoted the account 0.01, either
with a link 0.2 (a direct_message_deep_link is one), a direct message 0.015.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from secrets import choice
from typing import Annotated, Any, Final, Self

import httpx
from flask import Blueprint, Response, jsonify, request
from pydantic import Field, PositiveInt, model_validator

from local.simulator.asking import Ask, Refused, asked, explain_refusals
from local.simulator.common import Json, Signature, parsed
from local.simulator.deliver import NO_ANSWER, Courier, Echoes
from local.simulator.doors import Door, Draft
from local.simulator.faults import Fault
from local.simulator.places import CHANNEL, PRIVATE, X_POSTS, Channel, Family, Place
from local.simulator.world import Message, Settings, World, now

NAMES: Final = ("Alma", "Bruno", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana")
MOST_TIMES: Final = 10_000
MOST_PARALLEL: Final = 64

COMMENTS: Final = frozenset[Place]({"facebook_comment", "instagram_comment"})
MENTIONS: Final = frozenset[Place]({"facebook_mention", "instagram_mention"})
MESSAGES: Final = frozenset[Place]({"messenger", "instagram_message"})
IN_FEED: Final = frozenset[Place]({"facebook_comment", "facebook_post"})
# What only some places know, by its name in /say.
ONLY_AT: Final[Mapping[str, frozenset[Place]]] = {
    "parent": COMMENTS | MENTIONS | X_POSTS,
    "attachments": IN_FEED | MESSAGES | {"instagram_story_reply"},
    "recommends": frozenset({"facebook_review"}),
    "postback": MESSAGES,
    "quick_reply": MESSAGES,
    "standby": PRIVATE,
    "also": X_POSTS,
    "blocked": X_POSTS,
    "wrapped": X_POSTS,
    "lang": X_POSTS,
    "automated": X_POSTS | {"x_direct_message"},
}
# What is told without words.
WORDLESS: Final = frozenset[Place]({"instagram_story_mention", "x_chat"})


class Author(Ask):
    id: str = ""
    name: str = ""


class Say(Ask):
    place: Place
    text: str = ""
    author: Author = Author()
    account: str = ""
    family: Family = "xaa"
    mention: bool | None = None
    also: tuple[str, ...] = ()
    blocked: bool = False
    wrapped: bool = False
    automated: bool = False
    lang: str = "en"
    id: str = ""
    times: Annotated[PositiveInt, Field(le=MOST_TIMES)] = 1
    sent_at: datetime | None = None
    parent: str = ""
    attachments: tuple[str, ...] = ()
    recommends: bool = False
    postback: bool = False
    quick_reply: str = ""
    standby: bool = False

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name in self.model_fields_set & ONLY_AT.keys():
            if self.place not in ONLY_AT[name]:
                raise ValueError(f"a {self.place} has no {name}")
        wordless = self.attachments or self.place in WORDLESS
        if "text" not in self.model_fields_set and not wordless:
            raise ValueError("text is missing")
        return self


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
    times: Annotated[PositiveInt, Field(le=MOST_TIMES)] = 1


class Connect(Ask):
    webhooks: Annotated[str, Field(pattern=r"^https?://\S+$")]


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
        explain_refusals(blueprint)

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
        written = door.write(self._draft(ask, door))
        message = written[0][0]
        self._world.learn(message for message, _ in written)
        bodies = [door.encode(body) for _, body in written]
        deliveries = [
            delivery
            for raw in bodies * ask.times
            for delivery in self._courier.insist(door.channel, raw, door.sign(raw, "valid"))
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
        self._world.learn(door.read(parsed(raw)))
        signed = door.sign(raw, ask.signature)
        with ThreadPoolExecutor(ask.parallel) as pool:
            deliveries = list(
                pool.map(lambda _: self._courier.post(door.channel, raw, signed), range(ask.times))
            )
        return jsonify(deliveries=[delivery.shown() for delivery in deliveries])

    def handshake(self) -> Response:
        ask = asked(Handshake)
        for _ in range(ask.times):
            shaken = self._shake(ask)
            if not shaken["ok"]:
                break
        return jsonify(shaken)

    def _shake(self, ask: Handshake) -> Json:
        asked_for = self._doors[ask.channel].challenge(ask.verify_token)
        try:
            answer = self._courier.get(ask.channel, asked_for.query, asked_for.headers)
        except httpx.TransportError as error:
            return {"ok": False, "status": NO_ANSWER, "body": type(error).__name__}
        plain = isinstance(asked_for.answer, str)
        heard = answer.text if plain else parsed(answer.content)
        ok = answer.status_code == httpx.codes.OK and heard == asked_for.answer
        return {"ok": ok, "status": answer.status_code, "body": answer.text}

    def said(self) -> Response:
        with self._world.lock:
            replies = [reply for reply in self._world.replies if not reply.by_human]
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

    def _draft(self, ask: Say, door: Door) -> Draft:
        sent_at = ask.sent_at or now()
        message = Message(
            id=ask.id,
            place=ask.place,
            account=_account(ask, door),
            author=ask.author.id or _person(ask.author.name),
            name=ask.author.name or choice(NAMES),
            text=ask.text,
            sent_at=sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC),
            parent=ask.parent,
            attachments=ask.attachments,
            recommends=ask.recommends,
            postback=ask.postback,
            quick_reply=ask.quick_reply,
            lang=ask.lang,
            automated=ask.automated,
        )
        return Draft(
            message,
            self._under(message),
            standby=ask.standby,
            family=ask.family,
            mention=ask.mention,
            also=_others(ask, door),
            blocked=ask.blocked,
            wrapped=ask.wrapped,
        )

    def _under(self, message: Message) -> Message | None:
        """What a comment answers. A mention stands in a place that nobody here knows."""
        if not message.parent or message.place not in COMMENTS:
            return None
        answerable = IN_FEED if message.place in IN_FEED else COMMENTS - IN_FEED
        under = self._world.find(answerable, message.account, message.parent)
        if not under:
            raise Refused(f"no customer wrote {message.parent!r} to {message.account}")
        return under


def _account(ask: Say, door: Door) -> str:
    accounts = door.accounts_at(ask.place)
    account = ask.account or next(iter(accounts), "")
    if account not in accounts:
        raise Refused(f"no account {account!r} has {ask.place}, only {accounts}")
    return account


def _others(ask: Say, door: Door) -> tuple[str, ...]:
    for account in ask.also:
        if account not in door.accounts_at(ask.place):
            raise Refused(f"no account {account!r} to mention also")
    return ask.also


def _person(name: str) -> str:
    """The id that goes with a name; of somebody without one the platform makes a new one."""
    return str(10**15 + int(sha256(name.encode()).hexdigest(), 16) % 10**15) if name else ""
