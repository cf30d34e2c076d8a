"""What we say on Facebook, Messenger and Instagram, whether it is there already, and what we ask.

public    a comment under the comment, post or mention; on Instagram one of its replies
private   a message to the person, or the one private reply that a comment or post may get
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from firstreply.channels._read import (
    Object,
    before,
    child,
    children,
    cut_at_word,
    id_of,
    identifier,
    string,
    utc,
)
from firstreply.channels._rules import FOREVER, rule
from firstreply.channels._sign import digest, secrets_of
from firstreply.channels.meta.refusals import refuse, rest_after
from firstreply.errors import RateLimited, Refuse, Unsure
from firstreply.message import Reach, bare_handle

if TYPE_CHECKING:
    from firstreply.message import Hint, Message, Reply
    from firstreply.platform import Answered, Platform

_FACEBOOK, _INSTAGRAM, _VERSION = "GRAPH_API_URL", "INSTAGRAM_API_URL", "GRAPH_API_VERSION"
SETTINGS = (_FACEBOOK, _INSTAGRAM, _VERSION)
# In bytes: Instagram's messages take 1,000, Messenger's 2,000 characters, comments 8,000.
LONGEST_REPLY = 1_000
_LONGEST_MESSAGE, _LONGEST_COMMENT = 2_000, 8_000
# A window is so much shorter for us: it must still be open when we arrive.
_MARGIN = timedelta(minutes=1)
_HUMAN_TAG = "HUMAN_AGENT"
# Where a public answer goes; what is not here has none (live comments, reviews).
_PUBLIC = {
    ("facebook", "comment"): "comments",
    ("facebook", "post"): "comments",
    ("facebook", "mention"): "comments",
    ("instagram", "comment"): "replies",
}
_SHOWN = {
    "comments": "id,from,message,created_time",
    "replies": "id,from,username,text,timestamp",
}
# What a private reply names instead of a person.
_PRIVATE = {
    ("facebook", "comment"): "comment_id",
    ("facebook", "post"): "post_id",
    ("instagram", "comment"): "comment_id",
    ("instagram", "live_comment"): "comment_id",
}
# Only these newest ones of a conversation come with their details.
_DETAILED = 20


def shorten(text: str) -> str:
    """The text within the tightest limit, cut at a word."""
    if len(text.encode()) <= LONGEST_REPLY:
        return text
    room = LONGEST_REPLY - len("…".encode())
    return cut_at_word(text, len(text.encode()[:room].decode(errors="ignore")))


# --- say --------------------------------------------------------------------------------------


def send(reply: Reply, platform: Platform) -> str:
    """Say it where it belongs; Meta's id of it."""
    edge = _PUBLIC.get(_kind(reply))
    _require_room(reply, platform)
    if reply.is_public and edge:
        answer = _post(
            platform, reply, f"{_path(reply.message.id)}/{edge}", {"message": reply.text}
        )
        return id_of(answer.json)
    body: dict[str, Any] = {"message": {"text": reply.text} | _metadata(reply, platform)}
    if reply.message.public:
        return _message(platform, reply, body | {"recipient": _private_reply(reply, platform)})
    body |= _window(reply, platform) | {"recipient": _person(reply)}
    for action in ("mark_seen", "typing_on"):  # each alone, never with a message
        # A courtesy: whatever is wrong, the message itself will tell.
        with suppress(Refuse, Unsure):
            act = {"recipient": _person(reply), "sender_action": action}
            _post(platform, reply, "/me/messages", act)
    return _message(platform, reply, body)


def _require_room(reply: Reply, platform: Platform) -> None:
    """Nobody's words are cut: who wrote too much hears how much."""
    length, most, what = len(reply.text), _LONGEST_MESSAGE, "characters"
    if reply.is_public and _kind(reply) in _PUBLIC:
        most = _LONGEST_COMMENT
    elif _is_instagram(reply, platform):
        length, most, what = len(reply.text.encode()), LONGEST_REPLY, "bytes"
    if length > most:
        raise Refuse(f"graph: {length} of {most} {what}")


def _kind(reply: Reply) -> tuple[str, str]:
    return reply.message.network, reply.message.kind


def _metadata(reply: Reply, platform: Platform) -> dict[str, str]:
    """Comes back in Messenger's echo; Instagram has none."""
    return {} if _is_instagram(reply, platform) else {"metadata": reply.key}


def _is_instagram(reply: Reply, platform: Platform) -> bool:
    """Webhooks have been seen to call Instagram's messages a page's; the account knows."""
    account = child(platform.secret, "accounts", reply.message.account)
    return reply.message.network == "instagram" or "handle" in account


def _person(reply: Reply) -> Mapping[str, str]:
    return {"id": reply.message.conversation.customer}


def _private_reply(reply: Reply, platform: Platform) -> Mapping[str, str]:
    """Once per comment or post, within 7 days; Meta's refusal of a second one is final."""
    name = _PRIVATE.get(_kind(reply))
    if name is None:
        raise Refuse("graph: no way to answer this")
    now = platform.clock()
    if now > _private_until(reply.message, now):
        raise Refuse("graph: too old for a private answer")
    return {name: reply.message.id}


def _window(reply: Reply, platform: Platform) -> dict[str, str]:
    """Within 24 hours of the person's last message; a human may answer for 7 days. Automatic text
    under the human's tag breaks the policy for the whole app."""
    now, heard_at = platform.clock(), reply.heard_at or reply.message.sent_at
    if now <= heard_at + _window_of("standard_window_hours", now):
        return {"messaging_type": "RESPONSE"}
    is_tagged = reply.by_human and _HUMAN_TAG in rule("meta", "message_tags", now)
    if is_tagged and now <= heard_at + _window_of("human_window_days", now):
        return {"messaging_type": "MESSAGE_TAG", "tag": _HUMAN_TAG}
    raise Refuse("graph: the time to answer is over")


def _window_of(name: str, at: datetime) -> timedelta:
    """The rule's name ends in its unit."""
    return timedelta(**{name.rpartition("_")[2]: rule("meta", name, at)}) - _MARGIN


def _private_until(message: Message, at: datetime) -> datetime:
    return message.sent_at + _window_of("private_reply_days", at)


def reach(message: Message) -> Reach:
    """In public for ever; a private reply, and an answer to a message, within their windows."""
    at, kind = message.sent_at, (message.network, message.kind)
    if not message.public:
        return Reach(private=at + _window_of("standard_window_hours", at))
    return Reach(
        public=FOREVER if kind in _PUBLIC else None,
        private=_private_until(message, at) if kind in _PRIVATE else None,
    )


def _message(platform: Platform, reply: Reply, body: Mapping[str, Any]) -> str:
    # "me" is whoever the token is for: the Page, also for the Instagram account behind it.
    return id_of(_post(platform, reply, "/me/messages", body).json, "message_id")


# --- is it there? -----------------------------------------------------------------------------


def find_reply(reply: Reply, platform: Platform) -> str | None:
    """Looks for our words under our name, where they would be."""
    edge = _PUBLIC.get(_kind(reply))
    if reply.is_public and edge:
        return _find_comment(reply, platform, edge)
    return _find_message(reply, platform)


def _find_comment(reply: Reply, platform: Platform, edge: str) -> str | None:
    """Under the comment itself, and under its parent: there Instagram puts what answers a reply."""
    for above in filter(None, (reply.message.id, reply.message.in_reply_to)):
        fields = {"fields": _SHOWN[edge], "limit": "100"}
        answer = _get(platform, reply.message.account, f"{_path(above)}/{edge}", fields)
        ours = [one for one in _list(answer.json) if _is_ours(one, reply, platform)]
        found = _with_words(ours, reply)
        if found and above != reply.message.id:
            raise Unsure("the same words answer the comment above, or this one")
        if found:
            return found
        if ours and above == reply.message.id:
            raise Unsure("another reply of ours is there")
        if child(answer.json, "paging").get("next"):
            raise Unsure("more replies than one page")
    return None


def _find_message(reply: Reply, platform: Platform) -> str | None:
    """Among the newest messages with this person, those since what we answer."""
    network = "instagram" if _is_instagram(reply, platform) else "messenger"
    query = {
        "platform": network,
        "user_id": reply.message.conversation.customer,
        "fields": f"messages.limit({_DETAILED}){{id,from,message,created_time}}",
    }
    answer = _get(platform, reply.message.account, "/me/conversations", query)
    threads = _list(answer.json)
    messages = [one for thread in threads for one in _list(child(thread, "messages"))]
    # Our own id may be of another scope here; the customer's is the one that we asked for.
    customer = reply.message.conversation.customer
    ours = [m for m in messages if identifier(child(m, "from").get("id")) != customer]
    if found := _with_words([m for m in ours if _is_since(m, reply)], reply):
        return found
    if reply.message.public:
        # A private reply may be under an id that is not the commenter's.
        raise Unsure("a private reply that may be there")
    times = [at for one in messages if (at := utc(one.get("created_time")))]
    is_all = bool(messages) and not any("next" in child(t, "messages", "paging") for t in threads)
    if not is_all and not (times and min(times) < before(reply)):
        raise Unsure("messages that do not go back far enough")
    return None


def _list(answer: Object) -> list[Object]:
    """An answer without the list proves nothing."""
    if not isinstance(answer.get("data"), list):
        raise Unsure("graph answered without the list")
    return list(children(answer, "data"))


def _is_ours(one: Object, reply: Reply, platform: Platform) -> bool:
    """By the account's id or handle, since the message that we answer; nameless it may be ours."""
    author = child(one, "from")
    account = reply.message.account
    handle = bare_handle(child(platform.secret, "accounts", account).get("handle"))
    by, name = (
        identifier(author.get("id")),
        bare_handle(one.get("username") or author.get("username")),
    )
    is_us = by == account or (by is None and not name) or bool(name and name == handle)
    return is_us and _is_since(one, reply)


def _is_since(one: Object, reply: Reply) -> bool:
    at = utc(one.get("created_time")) or utc(one.get("timestamp"))
    return at is None or at >= before(reply)


def _with_words(ours: list[Object], reply: Reply) -> str | None:
    for one in ours:
        text = string(one.get("message")) or string(one.get("text")) or ""
        if text.split() == reply.text.split():
            return id_of(one)
    return None


def price(_reply: Reply, _at: datetime) -> float | None:
    """Meta charges nothing for an answer."""
    return None


# --- ask --------------------------------------------------------------------------------------


def fetch(hint: Hint, platform: Platform) -> bytes:
    """The delivery that Meta would have sent, had it put the words in."""
    known = dict(hint.about)
    kind = next(kind for kind in _ASKS if kind in known)
    one = known.pop(kind)
    if not re.fullmatch(r"[0-9_]+", one):  # it becomes part of an expression
        raise Refuse("graph: an id that is none")
    field, value = _ASKS[kind](hint.account, one, platform)
    if not (value.get("message") or value.get("text")):
        raise Refuse("graph: what was hinted at has no words")
    change = {"field": field, "value": {**known, **value}}
    return json.dumps({"entry": [{"id": hint.account, "changes": [change]}]}).encode()


def _facebook_mention(account: str, one: str, platform: Platform) -> tuple[str, Object]:
    fields = {"fields": "id,message,from,created_time,permalink_url"}
    said = _get(platform, account, _path(one), fields).json
    return "mention", {**said, "verb": "add", "comment_id": one}


def _instagram_comment(account: str, one: str, platform: Platform) -> tuple[str, Object]:
    """Readable through the account that is named in it only."""
    asked = f"mentioned_comment.comment_id({one}){{id,text,timestamp,username,media{{permalink}}}}"
    said = _get(platform, account, _path(account), {"fields": asked}).json
    comment = child(said, "mentioned_comment")
    permalink = child(comment, "media").get("permalink")
    return "mentions", {**comment, "comment_id": one, "permalink": permalink}


def _instagram_media(account: str, one: str, platform: Platform) -> tuple[str, Object]:
    asked = f"mentioned_media.media_id({one}){{id,caption,timestamp,username,permalink}}"
    said = _get(platform, account, _path(account), {"fields": asked}).json
    media = child(said, "mentioned_media")
    return "mentions", {**media, "media_id": one, "text": media.get("caption")}


_ASKS = {
    "facebook_mention": _facebook_mention,
    "instagram_comment": _instagram_comment,
    "instagram_media": _instagram_media,
}


# --- one call ---------------------------------------------------------------------------------


def _path(one: str) -> str:
    """An id is data, whatever is in it."""
    return "/" + quote(one, safe="")


def _post(platform: Platform, reply: Reply, path: str, body: Mapping[str, Any]) -> Answered:
    return _graph(platform, reply.message.account, "POST", path, {}, body)


def _get(platform: Platform, account: str, path: str, query: Mapping[str, str]) -> Answered:
    return _graph(platform, account, "GET", path, query, None)


def _graph(
    platform: Platform,
    account: str,
    method: str,
    path: str,
    query: Mapping[str, str],
    body: Mapping[str, Any] | None,
) -> Answered:
    """One Graph call as one of our accounts."""
    known = child(platform.secret, "accounts", account)
    # Pasted with a newline behind it, it would stand in the HTTP client's error.
    token = (string(known.get("token")) or "").strip()
    own_secret = secrets_of([known.get("app_secret")])
    app_secret = next(own_secret, None) or next(
        secrets_of(platform.secret.get("app_secrets")), None
    )
    if not re.fullmatch(r"[!-~]+", token) or not app_secret:
        raise Refuse("no token for this account in the secret")
    # Accounts connected by Instagram Login have a host of their own.
    host = _INSTAGRAM if known.get("api") == "instagram" else _FACEBOOK
    answer = platform.call(
        method,
        f"{platform.setting(host)}/{platform.setting(_VERSION)}{path}",
        params={**query, "appsecret_proof": digest(app_secret, token.encode()).hex()},
        json=body,
        # Not in the address, where it would end up in somebody's access log.
        headers={"authorization": f"Bearer {token}"},
    )
    platform.rest(rest_after(answer))
    if answer.status != 200 or "error" in answer.json:
        try:
            refuse(answer, reading=method == "GET")
        except RateLimited as error:
            platform.rest(error.wait)
            raise
    return answer
