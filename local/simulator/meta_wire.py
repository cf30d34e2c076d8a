"""Meta's webhooks byte for byte: encoding, signatures, ids."""

import hmac
import json
import re
import secrets
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

from local.simulator.common import Signature, objects, parsed
from local.simulator.places import INSTAGRAM
from local.simulator.world import Message, now


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


def signed_request(secret: str, person: str, how: Signature) -> str:
    """What a data deletion callback carries: here the HMAC is over text that is encoded already."""
    asked = {"algorithm": "HMAC-SHA256", "issued_at": int(now().timestamp()), "user_id": person}
    payload = _unpadded(encode(asked))
    key = secret if how == "valid" else f"not {secret}"
    return f"{_unpadded(hmac.digest(key.encode(), payload.encode(), sha256))}.{payload}"


def _unpadded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def addressee(raw: bytes) -> str:
    """The account that a body is about; Meta signs it with the secret of that account's app."""
    return next((str(entry.get("id")) for entry in objects(parsed(raw), "entry")), "")


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


def reply_id(message: Message, kind: str) -> str:
    if kind == "message":
        return mid()
    return number() if message.place in INSTAGRAM else comment_id(message.thread)


def username(name: str, person: str) -> str:
    """All that Instagram tells of a customer's name."""
    return f"{re.sub(r'[^a-z]', '', name.lower()) or 'customer'}.{person[-4:]}"


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def permalink(message: Message) -> str:
    if message.place in INSTAGRAM:
        return media_permalink(message.thread)
    page, _, post = message.thread.partition("_")
    link = f"https://www.facebook.com/{page}/posts/{post}"
    return link if message.id == message.thread else f"{link}?comment_id={message.id}"


def media_permalink(media: str) -> str:
    return f"https://www.instagram.com/p/{media}/"
