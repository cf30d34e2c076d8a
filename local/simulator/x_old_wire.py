"""X's webhooks before the X Activity API: Account Activity, deprecated but still in the field."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from local.simulator import x_wire as new
from local.simulator.accounts import Profile
from local.simulator.common import Json, objects, readable
from local.simulator.world import Message

CUT_LENGTH: Final = 140  # of a post longer than new.POST_LENGTH
DATE: Final = "%a %b %d %H:%M:%S +0000 %Y"


def _rounded(id: str) -> int | str:
    """The numeric id, as lossy as in X's own samples: only id_str can be trusted."""
    return int(float(id)) if id.isdecimal() else id


def _user(id: str, name: str, handle: str) -> Json:
    return {"id": _rounded(id), "id_str": id, "name": name, "screen_name": handle}


def _entities(text: str, profile: Profile) -> Json:
    mentions = [
        {
            "screen_name": mention["username"],
            "name": profile.name,
            "id": _rounded(profile.id),
            "id_str": profile.id,
            "indices": [mention["start"], mention["end"]],
        }
        for mention in new.mentions(text, profile)["mentions"]
    ]
    return {"hashtags": [], "urls": [], "user_mentions": mentions, "symbols": []}


def post(message: Message, profile: Profile) -> Json:
    text = message.text
    answers = message.parent or None
    status: Json = {
        "created_at": message.sent_at.astimezone(UTC).strftime(DATE),
        "id": _rounded(message.id),
        "id_str": message.id,
        "text": text,
        "truncated": False,
        "in_reply_to_status_id_str": answers,
        "in_reply_to_user_id_str": profile.id if answers else None,
        "in_reply_to_screen_name": profile.handle if answers else None,
        "user": _user(message.author, message.name, new.handle_of(message)),
        "is_quote_status": False,
        "entities": _entities(text, profile),
        "lang": "und",
        "timestamp_ms": str(new.milliseconds(message.sent_at)),
    }
    if len(text) > new.POST_LENGTH:
        cut = f"{text[: CUT_LENGTH - 1]}…"
        whole = {"full_text": text, "display_text_range": [0, len(text)]}
        status |= {"text": cut, "truncated": True, "entities": _entities(cut, profile)}
        status["extended_tweet"] = whole | {"entities": _entities(text, profile)}
    # A string, not a boolean; and only on mentions.
    blocked = {"user_has_blocked": "false"} if message.summons else {}
    return {"for_user_id": profile.id, **blocked, "tweet_create_events": [status]}


def direct(message: Message, profile: Profile) -> Json:
    people = (
        (message.author, message.name, new.handle_of(message)),
        (profile.id, profile.name, profile.handle),
    )
    return {
        "for_user_id": profile.id,
        "direct_message_events": [new.heard(message)],
        "users": {id: {"id": id, "name": n, "screen_name": handle} for id, n, handle in people},
    }


def read(body: object, profiles: Mapping[str, Profile]) -> Iterator[Message]:
    account = body.get("for_user_id") if isinstance(body, dict) else None
    for status in objects(body, "tweet_create_events"):
        yield from readable(_read_post, account, status, profiles)
    for event in objects(body, "direct_message_events"):
        yield from readable(new.read_direct, account, event)


def _read_post(account: str, status: Json, profiles: Mapping[str, Profile]) -> Message:
    text = status.get("extended_tweet", {}).get("full_text", status["text"])
    if status["user"]["id_str"] == account:
        raise ValueError("the account's own")
    quoted = status.get("quoted_status", {}).get("user", {}).get("id_str")
    return Message(
        id=status["id_str"],
        place="x_mention",
        account=account,
        author=status["user"]["id_str"],
        name=status["user"].get("name", ""),
        text=text,
        sent_at=datetime.strptime(status["created_at"], DATE).replace(tzinfo=UTC),
        parent=status.get("in_reply_to_status_id_str") or "",
        summons=quoted == account or new.names(text, profiles[account].handle),
    )
