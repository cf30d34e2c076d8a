"""The Graph endpoints of Facebook: replies to comments, and Messenger."""

import hmac
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Final, Literal
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from local.simulator import meta_wire as wire
from local.simulator.accounts import Accounts, Page
from local.simulator.common import Echo, Json, Refusal, record_calls, with_fault
from local.simulator.graph_errors import TEXT_LIMIT, refuse, trouble, usage
from local.simulator.world import FaultName, Message, Place, Reply, World, now

VERSION: Final = re.compile(r"v\d+\.\d+")
PRIVATE_REPLY_DAYS: Final = timedelta(days=7)
# How long after a person's last message each type may be sent. A tag other than HUMAN_AGENT is
# refused: the rest were retired on 2026-04-27.
WINDOWS: Final = {
    "RESPONSE": timedelta(hours=24),
    "UPDATE": timedelta(hours=24),
    "MESSAGE_TAG": timedelta(days=7),
}
COMMENT_FIELDS: Final = "created_time,from,message,id"


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


class Graph:
    def __init__(self, accounts: Accounts, world: World, echo: Echo) -> None:
        self._known, self._world, self._echo = accounts, world, echo
        self.blueprint = blueprint = Blueprint("graph", __name__, url_prefix="/graph")
        record_calls(blueprint, world)
        blueprint.before_request(self._check_version)
        blueprint.after_request(self._show_usage)
        comments, messages = "/<version>/<node>/comments", "/<version>/<node>/messages"
        blueprint.add_url_rule(comments, view_func=self.get_comments, methods=["GET"])
        blueprint.add_url_rule(comments, view_func=self.post_comment, methods=["POST"])
        blueprint.add_url_rule(messages, view_func=self.post_message, methods=["POST"])
        methods = ["GET", "POST", "PUT", "DELETE"]
        blueprint.add_url_rule("/<path:_path>", view_func=self.unknown, methods=methods)

    def post_comment(self, node: str) -> Response:
        parameters = given()
        page = self._page(parameters)
        text = parameters.get("message")
        if not isinstance(text, str) or not text:
            refuse("parameter", name="message")

        def accept() -> Response:
            with self._world.lock:
                comment = self._comment(page, node)
                id = wire.comment_id(comment.thread)
                reply = Reply.answering(comment, id, "comment", text)
                self._world.replies.append(reply)
            self._echo(reply, wire.comment_echo(reply, page.name, comment.thread))
            return jsonify(id=reply.id)

        return self._answer("facebook_comment", page, node, accept)

    def get_comments(self, node: str) -> Response:
        parameters = given()
        page = self._page(parameters)
        self._comment(page, node)
        with self._world.lock:
            said = [r for r in self._world.said(page.id, "comment") if r.in_reply_to == node]
            heard = [
                m
                for m in self._world.messages.values()
                if (m.account, m.parent) == (page.id, node) and m.id != node
            ]
        rows = [(r.at, r.id, page.id, page.name, r.text) for r in said]
        rows += [(m.sent_at, m.id, m.author, m.name, m.text) for m in heard]
        fields = str(parameters.get("fields", COMMENT_FIELDS)).split(",")
        comments = [
            {
                "id": id,
                "created_time": at.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "from": {"id": author, "name": name},
                "message": text,
            }
            for at, id, author, name, text in sorted(rows)
        ]
        return jsonify(_paged(comments, parameters, {"id", *fields}))

    def post_message(self, node: str) -> Response:
        parameters = given()
        page = self._page(parameters)
        if node not in (page.id, "me"):
            refuse("permission")
        recipient, message = nested(parameters, "recipient"), nested(parameters, "message")
        text = message.get("text")
        if not isinstance(text, str) or not text:
            refuse("parameter", name="message[text]")
        if len(text) > TEXT_LIMIT:
            refuse("too_long")

        def accept() -> Response:
            with self._world.lock:
                answered = self._answerable(page, recipient, parameters)
                reply = Reply.answering(
                    answered, wire.mid(), "message", text, metadata=message.get("metadata")
                )
                self._world.replies.append(reply)
            self._echo(reply, wire.direct_echo(reply))
            return jsonify(recipient_id=reply.to, message_id=reply.id)

        return self._answer("messenger", page, _answered_id(recipient), accept)

    def unknown(self, _path: str) -> Response:
        refuse("path", path=request.path.removeprefix("/graph"))

    def _answerable(self, page: Page, recipient: Json, parameters: Json) -> Message:
        """The customer's message that this one answers, if Messenger's rules let it."""
        if private := recipient.get("comment_id") or recipient.get("post_id"):
            return self._privately(self._comment(page, str(private)))
        window = WINDOWS.get(str(parameters.get("messaging_type")))
        if not window:
            refuse("parameter", name="messaging_type")
        if parameters["messaging_type"] == "MESSAGE_TAG" and parameters.get("tag") != "HUMAN_AGENT":
            refuse("parameter", name="tag")
        last = self._world.latest("messenger", page.id, str(recipient.get("id")))
        if not last:
            refuse("nobody")
        if now() - last.sent_at > window:
            refuse("window_closed")
        return last

    def _privately(self, comment: Message) -> Message:
        """Once per comment, within seven days; a refusal is final."""
        before = self._world.said(comment.account, "message")
        if any(reply.in_reply_to == comment.id for reply in before):
            refuse("replied_before")
        if now() - comment.sent_at > PRIVATE_REPLY_DAYS:
            refuse("too_old")
        return comment

    def _comment(self, page: Page, id: str) -> Message:
        comment = self._world.find("facebook_comment", page.id, id)
        return comment or refuse("gone", id=id, method=request.method.lower())

    def _answer(
        self, place: Place, page: Page, id: str, accept: Callable[[], Response]
    ) -> Response:
        kind: Literal["pages", "messenger"] = "messenger" if place == "messenger" else "pages"
        gone = "unavailable" if place == "messenger" else "gone"
        refusals: dict[FaultName, Callable[[], Refusal]] = {
            "gone": partial(trouble, gone, id=id, method="post"),
            "rate_limited": partial(trouble, "rate_limited", usage(page.id, kind, 100, wait=1)),
            "server_error": partial(trouble, "server_error"),
            "token_expired": partial(trouble, "token_expired"),
            "window_closed": partial(trouble, "window_closed"),
        }
        return with_fault(self._world, place, accept, refusals)

    def _page(self, parameters: Json) -> Page:
        """The page that the caller's token speaks for."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = parameters.get("access_token") or (bearer if scheme.lower() == "bearer" else "")
        if not token:
            refuse("no_token")
        page = next((page for page in self._known.pages.values() if page.token == token), None)
        if not page:
            refuse("bad_token")
        proof = parameters.get("appsecret_proof")
        if proof is not None and str(proof) not in self._proofs(token):
            refuse("proof")
        return page

    def _proofs(self, token: str) -> set[str]:
        keys = self._known.app_secrets
        return {hmac.new(key.encode(), token.encode(), sha256).hexdigest() for key in keys}

    def _check_version(self) -> None:
        """Real Graph serves an unversioned call with its oldest version: a trap, so refused."""
        arguments: dict[str, Any] = request.view_args or {}
        if "version" in arguments and not VERSION.fullmatch(arguments.pop("version")):
            refuse("path", path=request.path.removeprefix("/graph"))

    def _show_usage(self, response: Response) -> Response:
        for name, value in usage("0", "pages", 1, wait=0).items():
            response.headers.setdefault(name, value)
        return response


def _answered_id(recipient: Json) -> str:
    return str(recipient.get("comment_id") or recipient.get("post_id") or recipient.get("id"))


def _paged(items: list[Json], parameters: Json, fields: set[str]) -> Json:
    """One page of a Graph list; our cursors are plain positions."""
    try:
        first, size = int(parameters.get("after", 0)), int(parameters.get("limit", 25))
    except (TypeError, ValueError):
        refuse("parameter", name="limit")
    shown = items[first : first + size]
    answer: Json = {"data": [{k: v for k, v in item.items() if k in fields} for item in shown]}
    if shown:
        cursors = {"before": str(first), "after": str(first + len(shown))}
        answer["paging"] = {"cursors": cursors}
    if len(items) > first + size:
        query = urlencode({**request.args, "after": first + size})
        answer["paging"]["next"] = f"{request.base_url}?{query}"
    return answer
