"""Graph on Instagram mentions, whose webhooks are thin: what was said, and where."""

from typing import Final

from flask import Response, jsonify

from local.simulator import meta_wire as wire
from local.simulator.common import Json
from local.simulator.graph_desk import Desk, given
from local.simulator.graph_errors import refuse
from local.simulator.graph_fields import Field, fields_of, picked
from local.simulator.world import Message

ASKED_BY: Final = {"mentioned_comment": "comment_id", "mentioned_media": "media_id"}


class Mentions:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get_mentioned(self) -> Response:
        """What the account's own node knows: mentions, and nothing else here."""
        parameters = given()
        page = self._desk.caller(parameters)
        name, field = _asked(parameters)
        id = field.arguments.get(ASKED_BY[name], "")
        message = self._desk.find({"instagram_mention"}, page, id)
        is_comment = message.id != message.thread
        if is_comment != (name == "mentioned_comment"):
            refuse("gone", id=id, method="get")

        def look() -> Response:
            shown = picked(_shown(message, is_comment), field.inner)
            return jsonify({name: shown, "id": page.id})

        return self._desk.go(message.place, page, id, look, "read")


def _asked(parameters: Json) -> tuple[str, Field]:
    fields = fields_of(parameters.get("fields", ""))
    found = next(((name, fields[name]) for name in ASKED_BY if name in fields), None)
    return found or refuse("parameter", name="fields")


def _shown(message: Message, is_comment: bool) -> Json:
    shown = {
        "id": message.id,
        "timestamp": wire.iso(message.sent_at),
        "username": message.name,
        "permalink": wire.permalink(message),
    }
    if not is_comment:
        return shown | {"caption": message.text}
    del shown["permalink"]
    media = {"id": message.thread, "permalink": wire.permalink(message)}
    return shown | {"text": message.text, "media": media}
