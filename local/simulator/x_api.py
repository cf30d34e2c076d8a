"""The v2 endpoints of X: posts and direct messages."""

from dataclasses import replace
from datetime import timedelta
from typing import Final, Literal

from flask import Blueprint, Response, jsonify, request

from local.simulator import x_body
from local.simulator import x_wire as wire
from local.simulator.accounts import Accounts, Profile
from local.simulator.common import Echo, Json, record_calls
from local.simulator.places import X_POSTS
from local.simulator.world import Reply, World, now
from local.simulator.x_desk import Desk, show_limit
from local.simulator.x_errors import invalid, refuse
from local.simulator.x_families import ECHOES
from local.simulator.x_length import has_link

POST_FIELDS: Final = ("id", "text", "edit_history_tweet_ids")
EVENT_FIELDS: Final = ("id", "event_type", "text")
# In dollars. Of a summoned reply with a link X does not say which price it is: the higher one.
PRICE_POST: Final = 0.015
PRICE_LINK: Final = 0.200
PRICE_SUMMONED: Final = 0.010
PRICE_DIRECT: Final = 0.015


class XApi:
    def __init__(self, accounts: Accounts, world: World, echo: Echo) -> None:
        self._world, self._echo = world, echo
        self._desk = Desk(accounts, world)
        self.blueprint = blueprint = Blueprint("x", __name__, url_prefix="/x")
        record_calls(blueprint, world)
        blueprint.after_request(show_limit)
        conversation = "/2/dm_conversations/with/<participant>"
        for rule, view, method in (
            ("/2/tweets", self.post_tweet, "POST"),
            ("/2/users/<user>/tweets", self.get_tweets, "GET"),
            (f"{conversation}/messages", self.post_direct, "POST"),
            (f"{conversation}/dm_events", self.get_directs, "GET"),
        ):
            blueprint.add_url_rule(rule, view_func=view, methods=[method])
        methods = ["GET", "POST", "PUT", "DELETE"]
        blueprint.add_url_rule("/<path:_path>", view_func=self.unknown, methods=methods)

    def post_tweet(self) -> Response:
        profile = self._desk.caller("post")
        post = x_body.post()
        if post.quotes:  # only Enterprise may
            refuse("forbidden")

        def accept() -> Response:
            with self._world.lock:
                reply = self._posted(profile, post)
                self._world.replies.append(reply)
            self._tell(reply, profile)
            data = {"id": reply.id, "text": post.text, "edit_history_tweet_ids": [reply.id]}
            return _created(data)

        return self._desk.go({self._desk.place_of(profile, post.answers)}, accept)

    def _posted(self, profile: Profile, post: x_body.Post) -> Reply:
        remembered = now() - timedelta(seconds=self._world.settings.x_duplicate_seconds)
        said = self._world.said(profile.id, "post")
        if any(reply.text == post.text and reply.at > remembered for reply in said):
            refuse("duplicate")
        with_link = bool(post.deep_link) or has_link(post.text)
        if own := self._world.own_post(profile.id, post.answers):
            # Whether one may without being summoned, X does not say.
            reply = Reply.continuing(own, wire.new_id(), post.text)
            price, under = PRICE_POST, reply.under
        elif post.answers:
            message = self._world.find(X_POSTS, profile.id, post.answers) or refuse("gone")
            if not message.summons:
                refuse("not_summoned")
            reply = Reply.answering(message, wire.new_id(), "post", post.text)
            price, under = PRICE_SUMMONED, message.thread
        else:
            reply = Reply(wire.new_id(), "x", "post", profile.id, "", "", post.text)
            price, under = PRICE_POST, ""
        price = PRICE_LINK if with_link else price
        return replace(reply, under=under, price=price, deep_link=post.deep_link)

    def get_tweets(self, user: str) -> Response:
        profile = self._desk.caller("posts")
        if user != profile.id:
            refuse("forbidden")

        def look() -> Response:
            posts = [_shown(reply) for reply in reversed(self._world.said(user, "post"))]
            return jsonify(_listed(posts, "tweet.fields", POST_FIELDS, fewest=5, default=10))

        return self._desk.go(X_POSTS, look, "read")

    def post_direct(self, participant: str) -> Response:
        profile = self._desk.caller("direct_message")
        text = x_body.direct_message()

        def accept() -> Response:
            with self._world.lock:
                message = self._world.latest({"x_direct_message"}, profile.id, participant)
                if not message:
                    refuse("no_permission")
                reply = Reply.answering(message, wire.new_id(), "direct_message", text)
                reply = replace(reply, price=PRICE_DIRECT)
                self._world.replies.append(reply)
            self._tell(reply, profile)
            conversation = wire.conversation(profile.id, participant)
            return _created({"dm_conversation_id": conversation, "dm_event_id": reply.id})

        return self._desk.go({"x_direct_message"}, accept)

    def get_directs(self, participant: str) -> Response:
        profile = self._desk.caller("direct_messages")

        def look() -> Response:
            events = self._events(profile, participant)
            return jsonify(_listed(events, "dm_event.fields", EVENT_FIELDS, fewest=1, default=100))

        return self._desk.go({"x_direct_message"}, look, "read")

    def _events(self, profile: Profile, participant: str) -> list[Json]:
        heard = [
            (m.sent_at, m.id, m.author, m.text)
            for m in self._world.heard({"x_direct_message"}, profile.id, participant)
        ]
        said = [
            (r.at, r.id, profile.id, r.text)
            for r in self._world.said(profile.id, "direct_message")
            if r.to == participant
        ]
        return [
            {
                "id": id,
                "event_type": "MessageCreate",
                "text": text,
                "sender_id": sender,
                "created_at": wire.iso(at),
                "dm_conversation_id": wire.conversation(profile.id, participant),
            }
            for at, id, sender, text in sorted(heard + said, reverse=True)
        ]

    def _tell(self, reply: Reply, profile: Profile) -> None:
        body = ECHOES[reply.kind, self._world.settings.x_echo_family](reply, profile)
        self._echo(reply, body)

    def unknown(self, _path: str) -> Response:
        refuse("not_found")


def _shown(reply: Reply) -> Json:
    post: Json = {
        "id": reply.id,
        "text": reply.text,
        "edit_history_tweet_ids": [reply.id],
        "author_id": reply.account,
        "created_at": wire.iso(reply.at),
        "conversation_id": reply.under or reply.id,
    }
    if reply.in_reply_to:
        post["in_reply_to_user_id"] = reply.to
        post["referenced_tweets"] = [{"type": "replied_to", "id": reply.in_reply_to}]
    return post


def _created(data: Json) -> Response:
    response = jsonify(data=data)
    response.status_code = 201
    return response


def _listed(
    items: list[Json],
    fields: Literal["tweet.fields", "dm_event.fields"],
    always: tuple[str, ...],
    fewest: int,
    default: int,
) -> Json:
    """One page, with the fields asked for. Where there is nothing, X leaves out `data`."""
    try:
        size = int(request.args.get("max_results", default))
        first = int(request.args.get("pagination_token", 0))
    except ValueError:
        size = first = -1
    if not fewest <= size <= 100 or first < 0:
        invalid("max_results", size, f"The `max_results` is not between {fewest} and 100")
    wanted = {*always, *request.args.get(fields, "").split(",")}
    shown = [{k: v for k, v in item.items() if k in wanted} for item in items[first : first + size]]
    meta: Json = {"result_count": len(shown)}
    if shown:
        meta |= {"newest_id": shown[0]["id"], "oldest_id": shown[-1]["id"]}
    if len(items) > first + size:
        meta["next_token"] = str(first + size)
    return ({"data": shown} if shown else {}) | {"meta": meta}
