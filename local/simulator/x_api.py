"""The v2 endpoints of X: posts and direct messages."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal, cast

from flask import Blueprint, Response, g, jsonify, request
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature as oauth

from local.simulator import x_wire as wire
from local.simulator.accounts import Accounts, Profile
from local.simulator.common import Echo, Json, Refusal, record_calls, with_fault
from local.simulator.faults import Fault, FaultName
from local.simulator.places import Place
from local.simulator.world import LIMIT_SECONDS, Reply, World
from local.simulator.x_errors import headers_of, invalid, problem, refuse
from local.simulator.x_length import LIMIT, weight

READ_LIMIT: Final = 300
# The request body of POST /2/tweets (openapi.json 2.167); additional properties are refused.
POST_KEYS: Final = {
    *("card_uri", "community_id", "direct_message_deep_link", "edit_options", "geo", "media"),
    *("for_super_followers_only", "made_with_ai", "nullcast", "paid_partnership", "poll"),
    *("quote_tweet_id", "reply", "reply_settings", "share_with_followers", "text"),
}
DIRECT_KEYS: Final = {"text", "attachments"}
POST_FIELDS: Final = ("id", "text", "edit_history_tweet_ids")
EVENT_FIELDS: Final = ("id", "event_type", "text")


def given(keys: Collection[str]) -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        invalid("body", "", "The request body is not a JSON object")
    for key in body.keys() - set(keys):
        invalid(key, body[key], f"$.{key}: is not defined in the schema")
    if not isinstance(body.get("text"), str) or not body["text"]:
        invalid("text", body.get("text"), "$.text: is missing but it is required")
    return body


class XApi:
    def __init__(self, accounts: Accounts, world: World, echo: Echo) -> None:
        self._known, self._world, self._echo = accounts, world, echo
        self.blueprint = blueprint = Blueprint("x", __name__, url_prefix="/x")
        record_calls(blueprint, world)
        blueprint.after_request(self._show_limit)
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
        profile = self._signer()
        self._spend(profile, "post", self._world.settings.x_post_limit)
        body = given(POST_KEYS)
        text = body["text"]
        if weight(text) > LIMIT:
            invalid("text", text, "Your Tweet text is too long.")
        reply_to = body.get("reply", {})
        if not isinstance(reply_to, dict):
            invalid("reply", reply_to, "$.reply: is not an object")
        answers = str(reply_to.get("in_reply_to_tweet_id", ""))

        def accept() -> Response:
            with self._world.lock:
                reply = self._posted(profile, text, answers)
                self._world.replies.append(reply)
            self._echo(reply, wire.post_echo(reply, profile))
            return _created({"id": reply.id, "text": text, "edit_history_tweet_ids": [reply.id]})

        return self._answer("x_mention", accept)

    def _posted(self, profile: Profile, text: str, answers: str) -> Reply:
        before = self._world.said(profile.id, "post")
        if before and before[-1].text == text:
            refuse("duplicate")
        if not answers:
            return Reply(wire.new_id(), "x", "post", profile.id, in_reply_to="", to="", text=text)
        message = self._world.find({"x_mention"}, profile.id, answers)
        if not message:
            refuse("gone")
        if not message.summons:
            refuse("not_summoned")
        return Reply.answering(message, wire.new_id(), "post", text)

    def get_tweets(self, user: str) -> Response:
        profile = self._signer()
        self._spend(profile, "posts", READ_LIMIT)
        if user != profile.id:
            refuse("forbidden")
        posts: list[Json] = []
        for reply in reversed(self._world.said(user, "post")):
            post: Json = {
                "id": reply.id,
                "text": reply.text,
                "edit_history_tweet_ids": [reply.id],
                "author_id": user,
                "created_at": wire.iso(reply.at),
                "conversation_id": reply.in_reply_to or reply.id,
            }
            if reply.in_reply_to:
                post["in_reply_to_user_id"] = reply.to
                post["referenced_tweets"] = [{"type": "replied_to", "id": reply.in_reply_to}]
            posts.append(post)
        return jsonify(_listed(posts, "tweet.fields", POST_FIELDS, fewest=5, default=10))

    def post_direct(self, participant: str) -> Response:
        profile = self._signer()
        self._spend(profile, "direct_message", self._world.settings.x_direct_message_limit)
        text = given(DIRECT_KEYS)["text"]

        def accept() -> Response:
            with self._world.lock:
                message = self._world.latest({"x_direct_message"}, profile.id, participant)
                if not message:
                    refuse("no_permission")
                reply = Reply.answering(message, wire.new_id(), "direct_message", text)
                self._world.replies.append(reply)
            self._echo(reply, wire.direct_echo(reply, profile))
            conversation = _conversation(profile, participant)
            return _created({"dm_conversation_id": conversation, "dm_event_id": reply.id})

        return self._answer("x_direct_message", accept)

    def get_directs(self, participant: str) -> Response:
        profile = self._signer()
        self._spend(profile, "direct_messages", READ_LIMIT)
        heard = [
            (m.sent_at, m.id, m.author, m.text)
            for m in self._world.heard({"x_direct_message"}, profile.id, participant)
        ]
        said = [
            (r.at, r.id, profile.id, r.text)
            for r in self._world.said(profile.id, "direct_message")
            if r.to == participant
        ]
        events = [
            {
                "id": id,
                "event_type": "MessageCreate",
                "text": text,
                "sender_id": sender,
                "created_at": wire.iso(at),
                "dm_conversation_id": _conversation(profile, participant),
            }
            for at, id, sender, text in sorted(heard + said, reverse=True)
        ]
        return jsonify(_listed(events, "dm_event.fields", EVENT_FIELDS, fewest=1, default=100))

    def unknown(self, _path: str) -> Response:
        refuse("not_found")

    def _signer(self) -> Profile:
        """The account whose OAuth 1.0a signature the request bears."""
        header = {"Authorization": request.headers.get("Authorization", "")}
        query = request.query_string.decode()
        try:
            signed = oauth.collect_parameters(uri_query=query, headers=header)
            sent = dict(oauth.collect_parameters(headers=header, exclude_oauth_signature=False))
        except ValueError:
            refuse("unauthorized")
        profiles = self._known.profiles.values()
        token = sent.get("oauth_token")
        profile = next((profile for profile in profiles if profile.token == token), None)
        expected = (self._known.consumer_key, "HMAC-SHA1")
        if not profile or (
            (sent.get("oauth_consumer_key"), sent.get("oauth_signature_method")) != expected
        ):
            refuse("unauthorized")
        claim: Any = Request(request.base_url, cast(Any, request.method))
        claim.params, claim.signature = signed, sent.get("oauth_signature", "")
        if not any(
            oauth.verify_hmac_sha1(claim, secret, profile.token_secret)
            for secret in self._known.consumer_secrets
        ):
            refuse("unauthorized")
        return profile

    def _spend(self, profile: Profile, what: str, limit: int) -> None:
        g.allowance = self._world.spend(profile.id, what, limit)
        if g.allowance.remaining < 0:
            refuse("rate_limited")

    def _answer(self, place: Place, accept: Callable[[], Response]) -> Response:
        used_up = replace(g.allowance, remaining=0, reset=int(time.time()) + LIMIT_SECONDS)
        gone = "gone" if place == "x_mention" else "not_found"
        refusals: dict[FaultName, Callable[[], Refusal]] = {
            "token_expired": partial(problem, "unauthorized"),
            "gone": partial(problem, gone),
            "rate_limited": partial(problem, "rate_limited", headers_of(used_up)),
            "duplicate": partial(problem, "duplicate"),
            "not_summoned": partial(problem, "not_summoned"),
            "server_error": partial(problem, "server_error"),
        }

        def refusal(fault: Fault) -> Refusal | None:
            return refusals[fault.fault]() if fault.fault in refusals else None

        return with_fault(self._world, place, accept, refusal)

    def _show_limit(self, response: Response) -> Response:
        if "allowance" in g:
            for name, value in headers_of(g.allowance).items():
                response.headers.setdefault(name, value)
        return response


def _created(data: Json) -> Response:
    response = jsonify(data=data)
    response.status_code = 201
    return response


def _conversation(profile: Profile, participant: str) -> str:
    return "-".join(sorted((profile.id, participant), key=lambda id: (len(id), id)))


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
