"""X's webhooks before the X Activity API: Account Activity, deprecated but still in the field."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from local.simulator import x_wire as new
from local.simulator.accounts import Profile
from local.simulator.common import Json, objects, readable
from local.simulator.places import Place
from local.simulator.world import Message, Reply, now
from local.simulator.x_length import LIMIT, weight

CUT_LENGTH: Final = 140  # of a post that is too long for one
DATE: Final = "%a %b %d %H:%M:%S +0000 %Y"


def _rounded(id: str) -> int | str:
    """The numeric id, as lossy as in X's own samples: only id_str can be trusted."""
    return int(float(id)) if id.isdecimal() else id


def _user(id: str, name: str, handle: str) -> Json:
    return {"id": _rounded(id), "id_str": id, "name": name, "screen_name": handle}


def _entities(text: str, profiles: Mapping[str, Profile]) -> Json:
    mentions = [
        {
            "screen_name": mention["username"],
            "name": profiles[mention["id"]].name,
            "id": _rounded(mention["id"]),
            "id_str": mention["id"],
            "indices": [mention["start"], mention["end"]],
        }
        for mention in new.mentions(text, profiles.values())
    ]
    return {"hashtags": [], "urls": [], "user_mentions": mentions, "symbols": []}


def _status(id: str, user: Json, text: str, at: datetime, profiles: Mapping[str, Profile]) -> Json:
    status: Json = {
        "created_at": at.astimezone(UTC).strftime(DATE),
        "id": _rounded(id),
        "id_str": id,
        "text": text,
        "truncated": False,
        "in_reply_to_status_id_str": None,
        "in_reply_to_user_id_str": None,
        "in_reply_to_screen_name": None,
        "user": user,
        "is_quote_status": False,
        "entities": _entities(text, profiles),
        "lang": "en",
        "timestamp_ms": str(new.milliseconds(at)),
    }
    if weight(text) > LIMIT:
        cut = new.cut(text, CUT_LENGTH)
        whole = {"full_text": text, "display_text_range": [0, len(text)]}
        status["extended_tweet"] = whole | {"entities": status["entities"]}
        status |= {"text": cut, "truncated": True, "entities": _entities(cut, profiles)}
    return status


def post(message: Message, profiles: Mapping[str, Profile], blocked: bool) -> Json:
    profile = profiles[message.account]
    user = _user(message.author, message.name, new.handle_of(message)) | new.affiliation(message)
    status = _status(message.id, user, message.text, message.sent_at, profiles)
    status["lang"] = message.lang
    if message.parent:
        answered = profiles.get(message.parent_author)
        status["in_reply_to_status_id_str"] = message.parent
        status["in_reply_to_user_id_str"] = message.parent_author
        status["in_reply_to_screen_name"] = answered.handle if answered else None
    if message.quotes:
        status |= {"is_quote_status": True, "quoted_status": _quoted(message, profiles)}
    # A string, not a boolean; and only on mentions.
    named = new.names(message.text, profile.handle)
    state = {"user_has_blocked": "true" if blocked else "false"} if named else {}
    return {"for_user_id": profile.id, **state, "tweet_create_events": [status]}


def _quoted(message: Message, profiles: Mapping[str, Profile]) -> Json:
    """The brand's one post; which account's it is, its id tells."""
    author = next(p for p in profiles.values() if new.own_post(p.id) == message.quotes)
    user = _user(author.id, author.name, author.handle)
    return _status(message.quotes, user, "We fly to Lisbon daily.", message.sent_at, profiles)


def post_echo(reply: Reply, profile: Profile) -> Json:
    user = _user(profile.id, profile.name, profile.handle)
    status = _status(reply.id, user, reply.text, reply.at, {profile.id: profile})
    status["in_reply_to_status_id_str"] = reply.in_reply_to or None
    status["in_reply_to_user_id_str"] = reply.to or None
    return {"for_user_id": profile.id, "tweet_create_events": [status]}


def post_deleted(account: str, id: str, author: str) -> Json:
    deleted = {
        "status": {"id": id, "user_id": author},
        "timestamp_ms": str(new.milliseconds(now())),
    }
    return {"for_user_id": account, "tweet_delete_events": [deleted]}


def revoked(account: str, at: datetime) -> Json:
    revoke = {
        "date_time": at.astimezone(UTC).isoformat(timespec="seconds"),
        "target": {"app_id": new.APP_ID},
        "source": {"user_id": account},
    }
    return {"user_event": {"revoke": revoke}}


def direct_echo(reply: Reply, profile: Profile) -> Json:
    event = new.direct_event(reply.id, profile.id, reply.to, reply.text, reply.at)
    user = {"id": profile.id, "name": profile.name, "screen_name": profile.handle}
    return {
        "for_user_id": profile.id,
        "direct_message_events": [event],
        "users": {profile.id: user},
    }


def direct(message: Message, profile: Profile) -> Json:
    customer = {"id": message.author, "name": message.name, "screen_name": new.handle_of(message)}
    brand = {"id": profile.id, "name": profile.name, "screen_name": profile.handle}
    return {
        "for_user_id": profile.id,
        "direct_message_events": [new.heard(message)],
        "users": {message.author: customer | new.affiliation(message), profile.id: brand},
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
    quoted = status.get("quoted_status", {}).get("user", {}).get("id_str") == account
    named = new.names(text, profiles[account].handle)
    place: Place = "x_mention" if named else "x_reply"
    return Message(
        id=status["id_str"],
        place="x_quote" if quoted else place,
        account=account,
        author=status["user"]["id_str"],
        name=status["user"].get("name", ""),
        text=text,
        sent_at=datetime.strptime(status["created_at"], DATE).replace(tzinfo=UTC),
        parent=status.get("in_reply_to_status_id_str") or "",
        summons=quoted or named,
    )
