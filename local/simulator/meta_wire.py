"""Facebook's webhooks byte for byte: payloads, their encoding, their signature."""

import hmac
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from local.simulator.common import Json, Signature, objects, readable
from local.simulator.world import Message, Reply, now

APP_ID: Final = 100000000000001  # the app whose token sent it; comes back in a message's echo
POSTS: Final = {"post", "status", "photo", "video", "link", "share"}  # a visitor's post on the page


def encode(body: object) -> bytes:
    """Meta escapes whatever is not ASCII as \\uXXXX, in lowercase hex, before it signs."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def sign(secret: str, raw: bytes, how: Signature) -> dict[str, str]:
    def digest(key: str, algorithm: str) -> str:
        return hmac.new(key.encode(), raw, algorithm).hexdigest()

    return {
        "valid": {"X-Hub-Signature-256": f"sha256={digest(secret, 'sha256')}"},
        "wrong": {"X-Hub-Signature-256": f"sha256={digest(f'not {secret}', 'sha256')}"},
        "sha1": {"X-Hub-Signature": f"sha1={digest(secret, 'sha1')}"},
        "missing": {},
    }[how]


def number() -> str:
    return str(10**14 + secrets.randbelow(9 * 10**14))


def mid() -> str:
    return f"m_{secrets.token_urlsafe(60)}"


def page_post(page: str) -> str:
    """The page's one post, under which all comments stand; the same in every run."""
    return f"{page}_{int(sha256(page.encode()).hexdigest(), 16) % 10**15:015}"


def comment_id(thread: str) -> str:
    """A post is {page}_{post}, and a comment under it {post}_{comment}."""
    return f"{thread.rpartition('_')[2]}_{number()}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _feed(page: str, value: Json) -> Json:
    # entry.time is when Meta sends; both times are in seconds here, milliseconds in Messenger.
    change = {"value": {"item": "comment", "verb": "add", **value}, "field": "feed"}
    return _page({"id": page, "time": int(now().timestamp()), "changes": [change]})


def _messaging(page: str, event: Json) -> Json:
    return _page({"id": page, "time": _milliseconds(now()), "messaging": [event]})


def _page(*entries: Json) -> Json:
    return {"object": "page", "entry": list(entries)}


def comment(message: Message) -> Json:
    page, _, post = message.thread.partition("_")
    return _feed(
        message.account,
        {
            "from": {"id": message.author, "name": message.name},
            "post": {
                "status_type": "mobile_status_update",
                "is_published": True,
                "updated_time": message.sent_at.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "permalink_url": f"https://www.facebook.com/{page}/posts/{post}",
                "promotion_status": "inactive",
                "id": message.thread,
            },
            "message": message.text,
            "post_id": message.thread,
            "comment_id": message.id,
            "created_time": int(message.sent_at.timestamp()),
            "parent_id": message.parent,
        },
    )


def comment_echo(reply: Reply, page_name: str, thread: str) -> Json:
    return _feed(
        reply.account,
        {
            "from": {"id": reply.account, "name": page_name},
            "message": reply.text,
            "post_id": thread,
            "comment_id": reply.id,
            "created_time": int(reply.at.timestamp()),
            "parent_id": reply.in_reply_to,
        },
    )


def direct(message: Message) -> Json:
    return _messaging(
        message.account,
        {
            "sender": {"id": message.author},
            "recipient": {"id": message.account},
            "timestamp": _milliseconds(message.sent_at),
            "message": {"mid": message.id, "text": message.text},
        },
    )


def direct_echo(reply: Reply) -> Json:
    said = {"mid": reply.id, "text": reply.text, "is_echo": True, "app_id": APP_ID}
    return _messaging(
        reply.account,
        {
            "sender": {"id": reply.account},
            "recipient": {"id": reply.to},
            "timestamp": _milliseconds(reply.at),
            "message": said | ({"metadata": reply.metadata} if reply.metadata else {}),
        },
    )


def read(body: object) -> Iterator[Message]:
    for entry in objects(body, "entry"):
        for change in objects(entry, "changes"):
            if _by_a_customer(entry, change):
                yield from readable(_comment, entry, change["value"])
        for event in objects(entry, "messaging"):
            if not isinstance(said := event.get("message"), dict) or not said.get("is_echo"):
                yield from readable(_direct, entry, event)


def _by_a_customer(entry: Json, change: Json) -> bool:
    value = change.get("value")
    if not isinstance(value, dict) or value.get("verb") != "add":
        return False
    return value.get("item") in {"comment", *POSTS} and _author(value)["id"] != entry.get("id")


def _author(value: Json) -> Json:
    """Old payloads and mentions have sender_id and sender_name instead of from."""
    old = {"id": str(value.get("sender_id", "")), "name": value.get("sender_name", "")}
    return value["from"] if isinstance(value.get("from"), dict) else old


def _comment(entry: Json, value: Json) -> Message:
    author = _author(value)
    return Message(
        id=value.get("comment_id") or value["post_id"],
        place="facebook_comment",
        account=entry["id"],
        author=author["id"],
        name=author.get("name", ""),
        text=value.get("message", ""),
        sent_at=datetime.fromtimestamp(value["created_time"], UTC),
        thread=value["post_id"],
        parent=value.get("parent_id") or value["post_id"],
    )


def _direct(entry: Json, event: Json) -> Message:
    return Message(
        id=event["message"]["mid"],
        place="messenger",
        account=entry["id"],
        author=event["sender"]["id"],
        name="",
        text=event["message"].get("text", ""),
        sent_at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
    )
