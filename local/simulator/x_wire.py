"""X's webhooks byte for byte: the X Activity API, and what both of its families share."""

import hmac
import json
import re
import secrets
import time
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Final

from local.simulator.accounts import Profile
from local.simulator.common import Json, Signature, objects, readable
from local.simulator.places import Place
from local.simulator.world import Message, Reply
from local.simulator.x_length import LIMIT, weight

SIGNATURE: Final = "x-twitter-webhooks-signature"
POSTED: Final[Mapping[str, Place]] = {
    "post.mention.create": "x_mention",
    "post.reply.create": "x_reply",
    "post.quote.create": "x_quote",
}
APP_ID: Final = "29000001"
_EPOCH_MS: Final = 1288834974657  # from which X's ids count the milliseconds
_MACHINE: Final = secrets.randbelow(1024)
_sequence = count()


def encode(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def mac(secret: str, raw: bytes, algorithm: str = "sha256") -> str:
    return b64encode(hmac.digest(secret.encode(), raw, algorithm)).decode()


def sign(secret: str, raw: bytes, how: Signature) -> dict[str, str]:
    return {
        "valid": {SIGNATURE: f"sha256={mac(secret, raw)}"},
        "wrong": {SIGNATURE: f"sha256={mac(f'not {secret}', raw)}"},
        "sha1": {SIGNATURE: f"sha1={mac(secret, raw, 'sha1')}"},
        "missing": {},
    }[how]


def new_id(milliseconds: int | None = None) -> str:
    """Ids grow with time: milliseconds, then a machine, then a sequence."""
    milliseconds = time.time_ns() // 10**6 if milliseconds is None else milliseconds
    return str((milliseconds - _EPOCH_MS) << 22 | _MACHINE << 12 | next(_sequence) % 4096)


def own_post(account: str) -> str:
    """The post of the brand that customers answer; the same in every run."""
    return derived(account)


def derived(text: str) -> str:
    return str(10**18 + int(sha256(text.encode()).hexdigest(), 16) % 10**17)


def conversation(account: str, person: str) -> str:
    return "-".join(sorted((account, person), key=lambda id: (len(id), id)))


def cut(text: str, length: int) -> str:
    """The beginning of a long post, as it stands where only a short one fits."""
    kept = text[: length - 1]
    while weight(kept) >= length:
        kept = kept[:-1]
    return f"{kept}…"


def names(text: str, handle: str) -> bool:
    return bool(re.search(rf"@{re.escape(handle)}\b", text, re.IGNORECASE))


def iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def handle_of(message: Message) -> str:
    """A customer's handle: their name's letters and the end of their id, at most 15 long."""
    letters = re.sub(r"[^A-Za-z]", "", message.name) or "Customer"
    return f"{letters[:10]}{message.author[-5:]}"


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _activity(
    account: str | None, event_type: str, payload: Json, users: Collection[Json] = ()
) -> Json:
    event = {
        "event_uuid": str(secrets.randbits(64) - 2**63),  # may be negative
        "filter": {"user_id": account} if account else {},
        "event_type": event_type,
        "tag": event_type,
        "payload": payload,
    }
    return {"data": event | ({"includes": {"users": list(users)}} if users else {})}


def _user(id: str, name: str, handle: str) -> Json:
    return {
        "id": id,
        "name": name,
        "username": handle,
        "protected": False,
        "verified": False,
        "verified_type": "none",
        "created_at": "2020-02-02T20:20:20.000Z",
        "description": "",
    }


def affiliation(message: Message) -> Json:
    """What a bot says of itself."""
    return {"affiliation": {"description": "Automated"}} if message.automated else {}


def _users(profile: Profile, message: Message) -> tuple[Json, Json]:
    return (
        _user(message.author, message.name, handle_of(message)) | affiliation(message),
        _user(profile.id, profile.name, profile.handle),
    )


def mentions(text: str, profiles: Collection[Profile]) -> list[Json]:
    found = [
        {"start": m.start(), "end": m.end(), "username": m.group()[1:], "id": profile.id}
        for profile in profiles
        for m in re.finditer(rf"@{re.escape(profile.handle)}\b", text, re.IGNORECASE)
    ]
    return sorted(found, key=lambda mention: mention["start"])


def _post(
    id: str,
    author: str,
    text: str,
    at: datetime,
    answers: str,
    answers_whom: str,
    thread: str,
    lang: str = "en",
) -> Json:
    post = {
        "id": id,
        "text": text,
        "author_id": author,
        "created_at": iso(at),
        "conversation_id": thread or id,
        "edit_history_tweet_ids": [id],
        "lang": lang,
        "possibly_sensitive": False,
        "reply_settings": "everyone",
    }
    if answers:
        post["in_reply_to_tweet_id"] = answers
        post["in_reply_to_user_id"] = answers_whom
        post["referenced_tweets"] = [{"type": "replied_to", "id": answers}]
    return post


def post(event_type: str, message: Message, profiles: Mapping[str, Profile], wrapped: bool) -> Json:
    text, known = message.text, profiles.values()
    payload = _post(
        message.id,
        message.author,
        text,
        message.sent_at,
        message.parent,
        message.parent_author,
        message.thread,
        message.lang,
    )
    payload["entities"] = {"mentions": mentions(text, known)}
    if message.quotes:
        quoted = {"type": "quoted", "id": message.quotes}
        payload.setdefault("referenced_tweets", []).append(quoted)
    if weight(text) > LIMIT:
        payload["note_tweet"] = {"text": text, "entities": payload["entities"]}
        payload["text"] = cut(text, LIMIT)
        payload["entities"] = {"mentions": mentions(payload["text"], known)}
    users = _users(profiles[message.account], message)
    shown = [{"data": user} for user in users] if wrapped else users
    return _activity(message.account, event_type, payload, shown)


def post_echo(reply: Reply, profile: Profile) -> Json:
    payload = _post(
        reply.id, profile.id, reply.text, reply.at, reply.in_reply_to, reply.to, reply.under
    )
    users = [_user(profile.id, profile.name, profile.handle)]
    return _activity(profile.id, "post.create", payload, users)


def post_deleted(account: str, id: str, author: str) -> Json:
    return _activity(account, "post.delete", {"id": id, "author_id": author})


def revoked(account: str, at: datetime) -> Json:
    """The account took back its leave; the filter does not say whose."""
    payload = {"date_time": iso(at), "user_id": account, "app_id": APP_ID}
    return _activity(None, "oauth.revoke", payload)


def direct_event(id: str, sender: str, recipient: str, text: str, at: datetime) -> Json:
    nothing: Json = {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}
    return {
        "type": "message_create",
        "id": id,
        "created_timestamp": str(milliseconds(at)),
        "message_create": {
            "target": {"recipient_id": recipient},
            "sender_id": sender,
            "message_data": {"text": text, "entities": nothing},
        },
    }


def heard(message: Message) -> Json:
    return direct_event(message.id, message.author, message.account, message.text, message.sent_at)


def direct(message: Message, profile: Profile) -> Json:
    users = {user["id"]: {"data": user} for user in _users(profile, message)}
    payload = {"direct_message_events": [heard(message)], "users": users}
    return _activity(profile.id, "dm.received", payload)


def chat(message: Message, profile: Profile) -> Json:
    """Encrypted from end to end: whoever has no key learns that somebody said something."""
    payload = {
        "encoded_event": b64encode(secrets.token_bytes(96)).decode(),
        "conversation_key_version": str(milliseconds(message.sent_at)),
        "sender_id": message.author,
        "conversation_id": conversation(profile.id, message.author),
        "id": message.id,
        "created_at_msec": str(milliseconds(message.sent_at)),
    }
    return _activity(profile.id, "chat.received", payload)


def direct_echo(reply: Reply, profile: Profile) -> Json:
    event = direct_event(reply.id, profile.id, reply.to, reply.text, reply.at)
    users = {profile.id: {"data": _user(profile.id, profile.name, profile.handle)}}
    return _activity(profile.id, "dm.sent", {"direct_message_events": [event], "users": users})


def read(body: object, profiles: Mapping[str, Profile]) -> Iterator[Message]:
    event = body.get("data") if isinstance(body, dict) else None
    account = readable(lambda: event["filter"]["user_id"]) if isinstance(event, dict) else []
    if not account or not isinstance(event, dict):
        return
    if event.get("event_type") in POSTED:
        yield from readable(_read_post, account[0], event, profiles)
    if event.get("event_type") == "dm.received":
        for direct_event in objects(event, "payload", "direct_message_events"):
            yield from readable(read_direct, account[0], direct_event)


def _read_post(account: str, event: Json, profiles: Mapping[str, Profile]) -> Message:
    payload = event["payload"]
    text = payload.get("note_tweet", payload)["text"]
    author = payload["author_id"]
    users = objects(event, "includes", "users")
    people = [user.get("data", user) for user in users]
    quotes = any(post.get("type") == "quoted" for post in objects(payload, "referenced_tweets"))
    return Message(
        id=payload["id"],
        place=POSTED[event["event_type"]],
        account=account,
        author=author,
        name=next((user["name"] for user in people if user.get("id") == author), ""),
        text=text,
        sent_at=datetime.fromisoformat(payload["created_at"]).astimezone(UTC),
        thread=str(payload.get("conversation_id") or ""),
        parent=payload.get("in_reply_to_tweet_id", ""),
        summons=quotes or names(text, profiles[account].handle),
    )


def read_direct(account: str, event: Json) -> Message:
    sent = event["message_create"]
    if sent["sender_id"] == account:
        raise ValueError("the account's own")
    return Message(
        id=event["id"],
        place="x_direct_message",
        account=account,
        author=sent["sender_id"],
        name="",
        text=sent["message_data"]["text"],
        sent_at=datetime.fromtimestamp(int(event["created_timestamp"]) / 1000, UTC),
    )
