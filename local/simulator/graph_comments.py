"""Graph in public: comments on Facebook, replies on Instagram, and what stands under them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from flask import Response, jsonify, request

from local.simulator import meta_wire as wire
from local.simulator.accounts import Page
from local.simulator.common import Json
from local.simulator.graph_desk import Desk, given
from local.simulator.graph_errors import refuse
from local.simulator.graph_fields import paged, picked
from local.simulator.places import Place
from local.simulator.world import Message, Reply

ON_FACEBOOK: Final[frozenset[Place]] = frozenset(
    {"facebook_comment", "facebook_post", "facebook_mention"}
)
ON_INSTAGRAM: Final[frozenset[Place]] = frozenset({"instagram_comment", "instagram_live_comment"})
FIELDS: Final = "created_time,from,message,id"
INSTAGRAM_FIELDS: Final = "id,text,timestamp"


class Comments:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._world = desk, desk.world

    def post_comment(self, node: str) -> Response:
        return self._post(ON_FACEBOOK, "facebook_comment", node)

    def get_comments(self, node: str) -> Response:
        return self._get(ON_FACEBOOK, node)

    def post_reply(self, node: str) -> Response:
        return self._post(ON_INSTAGRAM, "instagram_comment", node)

    def get_replies(self, node: str) -> Response:
        return self._get(ON_INSTAGRAM, node)

    def get_node(self, node: str) -> Response:
        """One comment or post, as its own page would show it."""
        parameters = given()
        page = self._desk.caller(parameters)
        message = self._desk.find(ON_FACEBOOK | ON_INSTAGRAM, page, node)

        def look() -> Response:
            item = _heard(message, page) | {"permalink_url": wire.permalink(message)}
            return jsonify(picked(item, parameters.get("fields", _fields(page))))

        return self._desk.go(message.place, page, node, look, "read")

    def _post(self, places: Collection[Place], otherwise: Place, node: str) -> Response:
        parameters = given()
        page = self._desk.caller(parameters)
        text = parameters.get("message")
        if not isinstance(text, str) or not text:
            refuse("parameter", name="message")

        def accept() -> Response:
            with self._world.lock:
                message = self._commentable(places, page, node)
                id = wire.reply_id(message, "comment")
                reply = Reply.answering(message, id, "comment", text)
                reply = replace(reply, under=below(message))
                self._desk.publish(reply, message, page)
            return jsonify(id=reply.id)

        place = self._desk.place_of(page, node, otherwise)
        return self._desk.go(place, page, node, accept)

    def _get(self, places: Collection[Place], node: str) -> Response:
        parameters = given()
        page = self._desk.caller(parameters)
        message = self._desk.find(places, page, node)
        _refuse_live(message)

        def look() -> Response:
            fields = parameters.get("fields", _fields(page))
            comments = [picked(comment, fields) for comment in self._below(page, node)]
            return jsonify(paged(comments, parameters, request.base_url))

        return self._desk.go(message.place, page, node, look, "read")

    def _commentable(self, places: Collection[Place], page: Page, node: str) -> Message:
        message = self._desk.open(places, page, node)
        _refuse_live(message)
        return message

    def _below(self, page: Page, node: str) -> list[Json]:
        """Whoever wrote it, oldest first."""
        with self._world.lock:
            said = [r for r in self._world.said(page.id, "comment") if r.under == node]
            heard = [
                m
                for m in self._world.messages.values()
                if (m.account, m.parent, m.removed) == (page.id, node, False) and m.id != node
            ]
        rows = [(reply.at, _said(reply, page)) for reply in said]
        rows += [(message.sent_at, _heard(message, page)) for message in heard]
        return [item for _, item in sorted(rows, key=lambda row: (row[0], row[1]["id"]))]


def below(message: Message) -> str:
    """Where an answer is listed; on Instagram, which has two levels, never below an answer."""
    top_only = message.place in ON_INSTAGRAM and message.parent
    return message.parent if top_only else message.id


def _refuse_live(message: Message) -> None:
    if message.place == "instagram_live_comment":
        refuse("live")


def _fields(page: Page) -> str:
    return INSTAGRAM_FIELDS if page.is_instagram else FIELDS


def _heard(message: Message, page: Page) -> Json:
    author = {"id": message.author, _naming(page): message.name}
    return _shown(page, message.id, author, message.text, wire.iso(message.sent_at))


def _said(reply: Reply, page: Page) -> Json:
    author = {"id": page.id, _naming(page): page.handle or page.name}
    return _shown(page, reply.id, author, reply.text, wire.iso(reply.at))


def _naming(page: Page) -> str:
    return "username" if page.is_instagram else "name"


def _shown(page: Page, id: str, author: Json, text: str, at: str) -> Json:
    if not page.is_instagram:
        return {"id": id, "created_time": at, "from": author, "message": text}
    username = author["username"]
    return {"id": id, "timestamp": at, "from": author, "username": username, "text": text}
