"""Graph in private: Messenger and Instagram messages, private replies, conversations."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Final

from flask import Response, g, jsonify, request

from local.simulator import meta_wire as wire
from local.simulator.accounts import Page
from local.simulator.common import Json
from local.simulator.graph_desk import Desk, given, nested
from local.simulator.graph_errors import refuse
from local.simulator.graph_fields import fields_of, paged, picked
from local.simulator.places import INSTAGRAM_PRIVATE, Place
from local.simulator.world import Message, Reply, now

HUMAN_AGENT: Final = "HUMAN_AGENT"
PRIVATE_REPLY_DAYS: Final = timedelta(days=7)
# How long after a person's last message each type may be sent. A tag other than HUMAN_AGENT is
# refused: the rest were retired on 2026-04-27.
WINDOWS: Final = {
    "RESPONSE": timedelta(hours=24),
    "UPDATE": timedelta(hours=24),
    "MESSAGE_TAG": timedelta(days=7),
}
ACTIONS: Final = ("mark_seen", "typing_on", "typing_off")
MESSENGER: Final[frozenset[Place]] = frozenset({"messenger"})
# What a private reply can be to, by the key of its recipient.
PRIVATELY: Final[dict[str, frozenset[Place]]] = {
    "comment_id": frozenset({"facebook_comment", "instagram_comment", "instagram_live_comment"}),
    "post_id": frozenset({"facebook_post"}),
}
LIMIT: Final = 2000  # characters, in Messenger
INSTAGRAM_LIMIT: Final = 1000  # bytes
PREFIX: Final = "t_"  # of a conversation's id; behind it the person's
FIELDS: Final = "id,created_time"


class Messages:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._world = desk, desk.world

    def post_message(self, node: str) -> Response:
        parameters = given()
        g.call.what = _what(parameters)
        page = self._own(parameters, node)
        recipient = nested(parameters, "recipient")
        if "sender_action" in parameters:
            return self._act(page, recipient, parameters)
        message = nested(parameters, "message")
        text = message.get("text")
        if not isinstance(text, str) or not text:
            refuse("parameter", name="message[text]")
        _refuse_too_long(page, text)

        def accept() -> Response:
            with self._world.lock:
                answered = self._answerable(page, recipient, parameters)
                id = wire.reply_id(answered, "message")
                reply = replace(
                    Reply.answering(answered, id, "message", text),
                    metadata=message.get("metadata"),
                    private_reply=_private_key(recipient) is not None,
                    tag=_tag(parameters),
                )
                self._desk.publish(reply, answered, page)
            return jsonify(recipient_id=reply.to, message_id=reply.id)

        return self._desk.go(self._place(page, recipient), page, _answered_id(recipient), accept)

    def get_conversations(self, node: str) -> Response:
        parameters = given()
        page = self._own(parameters, node)
        person = parameters.get("user_id")
        if not person:
            refuse("parameter", name="user_id")
        platform = "instagram" if page.is_instagram else "messenger"
        on_this = parameters.get("platform", "messenger") == platform

        def look() -> Response:
            messages = self._conversation(page, str(person)) if on_this else []
            id = f"{PREFIX}{person}"
            found = [_shown_conversation(id, messages, parameters)] if messages else []
            return jsonify(data=found)

        return self._desk.go(self._place(page, {"id": person}), page, str(person), look, "read")

    def get_messages(self, node: str) -> Response:
        """The further pages of a conversation."""
        parameters = given()
        page = self._desk.caller(parameters)
        person = node.removeprefix(PREFIX)

        def look() -> Response:
            fields = parameters.get("fields", FIELDS)
            messages = [picked(item, fields) for item in self._conversation(page, person)]
            return jsonify(paged(messages, parameters, request.base_url))

        return self._desk.go(self._place(page, {"id": person}), page, node, look, "read")

    def _own(self, parameters: Json, node: str) -> Page:
        page = self._desk.caller(parameters)
        if node not in (page.id, "me"):
            refuse("permission")
        return page

    def _act(self, page: Page, recipient: Json, parameters: Json) -> Response:
        """Read, or typing: a call of its own, that no fault strikes."""
        if "message" in parameters or parameters["sender_action"] not in ACTIONS:
            refuse("parameter", name="sender_action")
        person = str(recipient.get("id"))
        if not self._latest(page, person):
            refuse("nobody")
        return jsonify(recipient_id=person)

    def _latest(self, page: Page, person: str) -> Message | None:
        return self._world.latest(_places(page), page.id, person)

    def _place(self, page: Page, recipient: Json) -> Place:
        """A private reply is a message already, wherever the comment stands."""
        last = None if _private_key(recipient) else self._latest(page, str(recipient.get("id")))
        otherwise: Place = "instagram_message" if page.is_instagram else "messenger"
        return last.place if last else otherwise

    def _answerable(self, page: Page, recipient: Json, parameters: Json) -> Message:
        """The customer's message that this one answers, if the platform's rules let it."""
        if key := _private_key(recipient):
            return self._privately(self._desk.open(PRIVATELY[key], page, str(recipient[key])))
        window = WINDOWS.get(str(parameters.get("messaging_type")))
        if not window:
            refuse("parameter", name="messaging_type")
        if parameters["messaging_type"] == "MESSAGE_TAG" and parameters.get("tag") != HUMAN_AGENT:
            refuse("parameter", name="tag")
        last = self._latest(page, str(recipient.get("id")))
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

    def _conversation(self, page: Page, person: str) -> list[Json]:
        """Newest first."""
        with self._world.lock:
            heard = self._world.heard(_places(page), page.id, person)
            said = [r for r in self._world.said(page.id, "message") if r.to == person]
        rows = [(m.sent_at, m.id, m.author, m.name, m.text) for m in heard if not m.removed]
        rows += [(r.at, r.id, page.id, page.handle or page.name, r.text) for r in said]
        naming = "username" if page.is_instagram else "name"
        return [
            {
                "id": id,
                "created_time": wire.iso(at),
                "from": {naming: name, "id": author},
                "message": text,
            }
            for at, id, author, name, text in sorted(rows, reverse=True)
        ]


def _what(parameters: Json) -> str | None:
    """What kind of message this is, for the list of calls; never its words."""
    if (action := parameters.get("sender_action")) in ACTIONS:
        return str(action)
    return "text" if "message" in parameters else None


def _tag(parameters: Json) -> str | None:
    return HUMAN_AGENT if parameters.get("messaging_type") == "MESSAGE_TAG" else None


def _places(page: Page) -> Collection[Place]:
    return INSTAGRAM_PRIVATE if page.is_instagram else MESSENGER


def _private_key(recipient: Json) -> str | None:
    return next((key for key in PRIVATELY if recipient.get(key)), None)


def _answered_id(recipient: Json) -> str:
    return str(recipient.get(_private_key(recipient) or "id"))


def _refuse_too_long(page: Page, text: str) -> None:
    if page.is_instagram and len(text.encode("utf-8", "surrogatepass")) > INSTAGRAM_LIMIT:
        refuse("too_long", limit=f"{INSTAGRAM_LIMIT} bytes")
    if len(text) > LIMIT:
        refuse("too_long", limit=str(LIMIT))


def _shown_conversation(id: str, messages: list[Json], parameters: Json) -> Json:
    asked = fields_of(parameters.get("fields", "")).get("messages")
    if not asked:
        return {"id": id}
    fields = asked.inner or FIELDS
    shown = [picked(message, fields) for message in messages]
    url = f"{request.base_url.rsplit('/', 2)[0]}/{id}/messages"
    return {"id": id, "messages": paged(shown, asked.arguments, url, fields=fields)}
