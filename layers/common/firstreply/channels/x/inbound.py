"""What X's webhooks say, in both families.

XAA, the X Activity API: `data.{event_type, filter, payload, includes}`, one event a body, posts in
their v2 shape.
AAA, the Account Activity API (deprecated): `for_user_id` beside lists of events, v1.1 shape.
The same post may come as a mention and as a reply, and in both families: it is one message, since
its id is the post's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from html import unescape

from firstreply.channels._read import (
    Object,
    called,
    child,
    children,
    identifier,
    json_object,
    string,
    utc,
)
from firstreply.message import (
    Conversation,
    Ignored,
    Message,
    Removed,
    Revoked,
    Spoken,
    Unread,
    Update,
)


def parse(body: bytes) -> Iterator[Update]:
    """Every update, whichever family the body is of."""
    yield from list(_updates(json_object(body))) or [Ignored("event without content")]


def _updates(envelope: Object) -> Iterator[Update]:
    if "data" in envelope:
        yield from _activity(child(envelope, "data"))
    elif "user_event" in envelope:
        yield _revoked(child(envelope, "user_event", "revoke"))
    elif "for_user_id" in envelope:
        yield from _account_activity(envelope)
    else:
        yield Ignored("envelope of another kind")


# --- both families ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    """A post, out of v1.1 or v2. `kind` is how it came to us."""

    id: str | None
    author: str | None
    text: str | None
    sent_at: datetime | None
    kind: str
    language: object
    answers_post: str | None = None
    answers_user: str | None = None
    name: str | None = None
    handle: str | None = None
    is_answerable: bool = True

    def read(self, account: str | None) -> Update:
        if not account or not self.author or not self.id or not self.sent_at:
            return Unread("post without id, author, time or account")
        if self.author == account:
            return self._own(account, self.id, self.sent_at)
        if not self.text:
            return Ignored("post without text")
        return Message(
            conversation=_conversation(account, self.author),
            id=self.id,
            network="x",
            kind=self.kind,
            public=True,
            text=self.text,
            sent_at=self.sent_at,
            in_reply_to=self.answers_post,
            author_name=self.name,
            author_handle=self.handle,
            permalink=f"https://x.com/{self.handle or 'i'}/status/{self.id}",
            language=_language(self.language),
            is_answerable=self.is_answerable,
        )

    def _own(self, account: str, one: str, at: datetime) -> Update:
        """FirstReply's answer, or a human's in X's own app, or what follows it in a thread; X puts
        @handles before it, and may have escaped it as HTML."""
        if not self.answers_post:
            return Ignored("own post")
        return Spoken(
            account=account,
            id=one,
            text=bare(unescape(self.text or "")),
            at=at,
            customer=self.answers_user,
            in_reply_to=self.answers_post,
        )


def bare(text: str) -> str:
    """Without the @handles that X puts before an answer."""
    return re.sub(r"\A(?:@\w+\s+)+", "", text)


def _direct_messages(account: str | None, payload: Object) -> Iterator[Update]:
    """The same shape in both families: `direct_message_events[]` beside `users{}`."""
    users = child(payload, "users")
    for event in children(payload, "direct_message_events"):
        yield _direct_message(account, event, users)


def _direct_message(account: str | None, event: Object, users: Object) -> Update:
    if event.get("type") != "message_create":
        return Ignored("direct message event of another kind")
    created = child(event, "message_create")
    sender, message = identifier(created.get("sender_id")), identifier(event.get("id"))
    sent_at = utc(event.get("created_timestamp"))
    if not account or not sender or not message or not sent_at:
        return Unread("direct message without id, sender, time or account")
    data = child(created, "message_data")
    text = string(data.get("text")) or ""
    if sender == account:
        to = identifier(child(created, "target").get("recipient_id"))
        if not to or to == account:
            return Ignored("own direct message to nobody else")
        return Spoken(account=account, id=message, text=text, at=sent_at, customer=to)
    attachments = tuple(filter(None, [called(child(data, "attachment").get("type"))]))
    if not text and not attachments:
        return Ignored("direct message without text")
    person = child(users, sender, "data") or child(users, sender)
    return Message(
        conversation=_conversation(account, sender),
        id=message,
        network="x",
        kind="direct_message",
        public=False,
        text=text,
        attachments=attachments,
        sent_at=sent_at,
        author_name=called(person.get("name")),
        author_handle=called(person.get("username")) or called(person.get("screen_name")),
        is_answerable=not _is_automated(person),
    )


def _is_automated(user: Object) -> bool:
    """X's label for bots; answering one might never end."""
    return child(user, "affiliation").get("description") == "Automated"


def _revoked(event: Object) -> Update:
    """XAA: `user_id`; AAA: `source.user_id`. Names no subscribed user of its own."""
    account = identifier(event.get("user_id")) or identifier(child(event, "source").get("user_id"))
    if not account:
        return Unread("revocation without account")
    return Revoked(account=account, at=utc(event.get("date_time")))


def _removed(account: str | None, post: object, author: object, at: object) -> Update:
    one, customer = identifier(post), identifier(author)
    if not account or not one:
        return Unread("deletion without post or account")
    if customer == account:
        return Ignored("own post deleted")
    return Removed(account=account, customer=customer, message_id=one, at=utc(at))


def _conversation(account: str, customer: str) -> Conversation:
    return Conversation(channel="x", account=account, customer=customer)


def _language(value: object) -> str | None:
    """X's guess, if it is one: it says `und`, `qme`, `zxx` and the like where there is none."""
    return value if isinstance(value, str) and re.fullmatch(r"[a-z]{2}", value) else None


# --- X Activity API ---------------------------------------------------------------------------


def _activity(data: Object) -> Iterator[Update]:
    kind = str(data.get("event_type"))
    read = _EVENTS.get(kind)
    if read is None:
        is_known = kind.partition(".")[0] in _SIGNS_OF_LIFE or kind in _SIGNS_OF_LIFE
        yield Ignored("event of another kind") if is_known else UNKNOWN_EVENT
        return
    account = identifier(child(data, "filter").get("user_id"))
    yield from read(account, child(data, "payload"), data)


def _post(account: str | None, post: Object, data: Object, kind: str) -> Iterator[Update]:
    others = {
        str(other.get("type")): identifier(other.get("id"))
        for other in children(post, "referenced_tweets")
    }
    if "retweeted" in others:
        yield Ignored("repost")
        return
    author = identifier(post.get("author_id"))
    person = _people(data).get(author or "", {})
    yield _Post(
        id=identifier(post.get("id")),
        author=author,
        text=string(child(post, "note_tweet").get("text")) or string(post.get("text")),
        sent_at=utc(post.get("created_at")),
        kind=kind,
        language=post.get("lang"),
        answers_post=others.get("replied_to") or identifier(post.get("in_reply_to_tweet_id")),
        answers_user=identifier(post.get("in_reply_to_user_id")),
        name=called(person.get("name")),
        handle=called(person.get("username")),
        is_answerable=not _is_automated(person),
    ).read(account)


def _people(data: Object) -> Mapping[str, Object]:
    """The users that X includes, by id; sometimes each is wrapped in `data`."""
    found = (*children(child(data, "includes"), "users"), child(data, "payload", "author"))
    users = (child(user, "data") or user for user in found)
    return {identifier(user.get("id")) or "": user for user in users}


def _activity_message(account: str | None, payload: Object, _: Object) -> Iterator[Update]:
    yield from _direct_messages(account, payload)


def _encrypted(account: str | None, chat: Object, _: Object) -> Iterator[Update]:
    """XChat: only who holds the account's private key can read it. A human has to look."""
    sender, one = identifier(chat.get("sender_id")), identifier(chat.get("id"))
    sent_at = utc(chat.get("created_at_msec")) or utc(chat.get("created_at"))
    if not account or not sender or not one or not sent_at:
        yield Unread("encrypted message without id, sender, time or account")
    elif sender == account:
        to = _other(chat, account)
        spoken = Spoken(account=account, id=one, text="", at=sent_at, customer=to)
        yield spoken if to else Unread("own encrypted message without whom it is to")
    else:
        yield Message(
            conversation=_conversation(account, sender),
            id=one,
            network="x",
            kind="encrypted_message",
            public=False,
            text="",
            attachments=("encrypted message received",),
            sent_at=sent_at,
            is_answerable=False,
        )


def _other(chat: Object, account: str) -> str | None:
    """A conversation of two is named after both."""
    ids = re.findall(r"\d+", str(chat.get("conversation_id")))
    return next((one for one in ids if one != account), None)


def _activity_delete(account: str | None, post: Object, _: Object) -> Iterator[Update]:
    yield _removed(account, post.get("id"), post.get("author_id"), post.get("deleted_at"))


def _activity_revoke(_account: str | None, revoked: Object, _: Object) -> Iterator[Update]:
    yield _revoked(revoked)


_EVENTS: dict[str, Callable[[str | None, Object, Object], Iterator[Update]]] = {
    "post.mention.create": partial(_post, kind="mention"),
    "post.reply.create": partial(_post, kind="reply"),
    "post.quote.create": partial(_post, kind="quote"),
    "post.create": partial(_post, kind="post"),
    "post.delete": _activity_delete,
    "dm.received": _activity_message,
    "dm.sent": _activity_message,
    "chat.received": _encrypted,
    "chat.sent": _encrypted,
    "oauth.revoke": _activity_revoke,
}


# Nothing was said. What X may add to them could be a customer's words: an operator sees it.
_SIGNS_OF_LIFE = {"block", "dm.indicate_typing", "dm.read", "follow", "like", "mute"} | {
    "post.repost.create"
}
UNKNOWN_EVENT = Unread("event of an unknown kind")


# --- Account Activity API ---------------------------------------------------------------------


_LISTS = {"tweet_create_events", "direct_message_events", "tweet_delete_events"}
_LISTS_OF_SIGNS = {
    "block_events",
    "direct_message_indicate_typing_events",
    "direct_message_mark_read_events",
    "favorite_events",
    "follow_events",
    "mute_events",
}


def _account_activity(envelope: Object) -> Iterator[Update]:
    account = identifier(envelope.get("for_user_id"))
    if not _LISTS & envelope.keys():
        is_known = bool(_LISTS_OF_SIGNS & envelope.keys())
        yield Ignored("event of another kind") if is_known else UNKNOWN_EVENT
    # A string, and about the whole envelope.
    is_blocked = str(envelope.get("user_has_blocked")).lower() == "true"
    for post in children(envelope, "tweet_create_events"):
        yield _old_post(account, post, is_blocked=is_blocked)
    yield from _direct_messages(account, envelope)
    for event in children(envelope, "tweet_delete_events"):
        status = child(event, "status")
        yield _removed(account, status.get("id"), status.get("user_id"), event.get("timestamp_ms"))


def _old_post(account: str | None, post: Object, *, is_blocked: bool) -> Update:
    """A post in the v1.1 shape: numeric ids are rounded, so only `id_str` counts."""
    if post.get("retweeted_status"):
        return Ignored("repost")
    long, user = child(post, "extended_tweet"), child(post, "user")
    author = identifier(user.get("id_str"))
    kind = "post" if author == account else _how(account, post, long)
    if kind is None:
        return Ignored("post that is not for us")
    return _Post(
        id=identifier(post.get("id_str")),
        author=author,
        text=string(long.get("full_text")) or string(post.get("text")),
        sent_at=_when(post),
        kind=kind,
        language=post.get("lang"),
        answers_post=identifier(post.get("in_reply_to_status_id_str")),
        answers_user=identifier(post.get("in_reply_to_user_id_str")),
        name=called(user.get("name")),
        handle=called(user.get("screen_name")),
        is_answerable=not is_blocked and not _is_automated(user),
    ).read(account)


def _how(account: str | None, post: Object, long: Object) -> str | None:
    """How a post of somebody else's concerns us, if it does."""
    entities = child(long, "entities") or child(post, "entities")
    named = {identifier(one.get("id_str")) for one in children(entities, "user_mentions")}
    if account in named:
        return "mention"
    if identifier(post.get("in_reply_to_user_id_str")) == account:
        return "reply"
    quoted = child(post, "quoted_status", "user")
    return "quote" if identifier(quoted.get("id_str")) == account else None


def _when(post: Object) -> datetime | None:
    """Milliseconds beside `Wed Oct 10 20:19:24 +0000 2018`."""
    created = post.get("created_at")
    return utc(post.get("timestamp_ms")) or utc(created) or utc(created, _in_words)


def _in_words(text: str) -> datetime:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
