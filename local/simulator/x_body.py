"""What X takes in a request's body. Whatever it does not know, it refuses (openapi.json 2.167)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import request

from local.simulator.common import Json
from local.simulator.x_errors import invalid
from local.simulator.x_length import LIMIT, weight

POST_KEYS: Final[Mapping[str, type]] = {
    "card_uri": str,
    "community_id": str,
    "direct_message_deep_link": str,
    "edit_options": dict,
    "for_super_followers_only": bool,
    "geo": dict,
    "made_with_ai": bool,
    "media": dict,
    "nullcast": bool,
    "paid_partnership": bool,
    "poll": dict,
    "quote_tweet_id": str,
    "reply": dict,
    "reply_settings": str,
    "share_with_followers": bool,
    "text": str,
}
REPLY_KEYS: Final[Mapping[str, type]] = {
    "auto_populate_reply_metadata": bool,
    "exclude_reply_user_ids": list,
    "in_reply_to_tweet_id": str,
}
DIRECT_KEYS: Final[Mapping[str, type]] = {"text": str, "attachments": list}
DIRECT_LIMIT: Final = 10_000  # characters of a direct message
DEEP_LINK: Final = re.compile(
    r"https://(?:x|twitter)\.com/messages/compose\?recipient_id=[0-9]{1,19}(?:&\S*)?"
)


@dataclass(frozen=True)
class Post:
    text: str
    answers: str
    deep_link: str | None
    quotes: bool


def post() -> Post:
    body = _body(POST_KEYS)
    if weight(body["text"]) > LIMIT:
        invalid("text", body["text"], "Your Tweet text is too long.")
    link = body.get("direct_message_deep_link")
    if link is not None and not DEEP_LINK.fullmatch(link):
        invalid("direct_message_deep_link", link, "$.direct_message_deep_link: is not valid")
    reply = body.get("reply", {})
    _check(reply, REPLY_KEYS, "$.reply")
    if "reply" in body and not reply.get("in_reply_to_tweet_id"):
        invalid("reply", reply, "$.reply.in_reply_to_tweet_id: is missing but it is required")
    answers = reply.get("in_reply_to_tweet_id", "")
    return Post(body["text"], answers, link, quotes="quote_tweet_id" in body)


def direct_message() -> str:
    text: str = _body(DIRECT_KEYS)["text"]
    if len(text) > DIRECT_LIMIT:
        invalid("text", text, f"$.text: may only be {DIRECT_LIMIT} characters long")
    return text


def _body(keys: Mapping[str, type]) -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        invalid("body", "", "The request body is not a JSON object")
    _check(body, keys, "$")
    if not body.get("text"):
        invalid("text", body.get("text"), "$.text: is missing but it is required")
    return body


def _check(body: Mapping[str, Any], keys: Mapping[str, type], where: str) -> None:
    for key, value in body.items():
        if key not in keys:
            invalid(key, value, f"{where}.{key}: is not defined in the schema")
        if not isinstance(value, keys[key]):
            invalid(key, value, f"{where}.{key}: is not of type {keys[key].__name__}")
