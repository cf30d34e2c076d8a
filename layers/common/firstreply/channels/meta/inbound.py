"""What Meta's webhooks say: every shape of envelope, entry and update.

Meta branches by what is there, so do we: `changes`, `messaging`, `standby`, a flat `field`, or
`changed_fields`. The account is the entry's, never the whole body's.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

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
from firstreply.channels.meta.door import DELETION, signed_request
from firstreply.errors import Unreadable
from firstreply.message import (
    Conversation,
    Edited,
    Erasure,
    Hidden,
    Hint,
    Ignored,
    Message,
    Removed,
    Spoken,
    Unread,
    Update,
    unknown_author,
)

LONGEST_LINK = 2_000
# The dashboard's "Test" button sends as this account.
_NOBODY = "0"
# "Facebook user", in the Page's language: somebody who is not told, or left.
_NO_NAME = re.compile(r"\b(?:facebook|instagram)\b", re.IGNORECASE)
_MEDIA = {
    "photo": ("photo", "photos", "photo_id", "photo_ids"),
    "video": ("video", "video_id"),
}


def parse(body: bytes) -> Iterator[Update]:
    """Every update of every entry, in their order."""
    if body.startswith(DELETION):
        yield _deletion(body)
        return
    envelope = json_object(body)
    entries = list(children(envelope, "entry"))
    if not entries:
        yield Ignored("body without entries")
    for entry in entries:
        yield from list(_entry(entry, envelope.get("object"))) or [Ignored("entry without updates")]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an update comes from. `at` is when Meta sent it, for updates without a time."""

    account: str
    at: datetime | None
    network: str
    is_ours_to_answer: bool = True

    def conversation(self, customer: str) -> Conversation:
        return Conversation(channel="meta", account=self.account, customer=customer)


def _entry(entry: Object, product: object) -> Iterator[Update]:
    account = identifier(entry.get("id"))
    if account is None:
        yield Unread("entry without the id of its account")
        return
    if account == _NOBODY:
        yield Ignored("test of the dashboard")
        return
    if "changed_fields" in entry:
        yield Unread('values are missing: switch on "Include Values" for the webhook')
    network = "instagram" if product == "instagram" else "messenger"
    place = _Place(account, utc(entry.get("time")), network)
    for change in (*children(entry, "changes"), *([entry] if "field" in entry else [])):
        yield _change(place, change)
    for event in children(entry, "messaging"):
        yield _event(place, event)
    # Another app has the thread: it answers, we only listen.
    aside = _Place(account, place.at, network, is_ours_to_answer=False)
    for event in children(entry, "standby"):
        yield _event(aside, event)


# --- changes ----------------------------------------------------------------------------------


def _change(place: _Place, change: Object) -> Update:
    read = _FIELDS.get(str(change.get("field")))
    return read(place, child(change, "value")) if read else Ignored("field of another kind")


def _feed(place: _Place, value: Object) -> Update:
    """Comments and posts on a Page. Real verbs: add, edited, remove, hide, unhide."""
    item = value.get("item")
    if item == "comment":
        return _by_verb(place, value, "comment", value.get("comment_id"))
    if item in ("post", "status", "photo", "video", "link", "share", "album"):
        return _by_verb(place, value, "post", value.get("post_id"))
    return Ignored("feed item of another kind")


def _mention(place: _Place, value: Object) -> Update:
    """The Page is named somewhere else; Meta may leave out the words."""
    about = identifier(value.get("comment_id")) or identifier(value.get("post_id"))
    if about and value.get("verb") == "add" and not value.get("message"):
        author, name = _author(value)
        known = {"sender_id": author, "sender_name": name}
        return Hint(
            account=place.account,
            about={"facebook_mention": about} | {k: v for k, v in known.items() if v},
        )
    return _by_verb(place, value, "mention", about)


def _rating(place: _Place, value: Object) -> Update:
    """A review, or a comment under one. A person has one review of a Page."""
    if value.get("item") == "comment":
        return _feed(place, value)
    story = identifier(value.get("open_graph_story_id"))
    one = story or _nameless(value)
    if value.get("item") not in (None, "rating") or value.get("rating_type") == "reaction":
        return Ignored("rating of another kind")
    return _by_verb(place, {"verb": "add", **value}, "review", one)


def _nameless(value: Object) -> str | None:
    """Our own id for a review that Meta gives none."""
    reviewer = identifier(value.get("reviewer_id"))
    return reviewer and f"review-by-{reviewer}"


def _by_verb(place: _Place, value: Object, kind: str, found: object) -> Update:
    one, act = identifier(found), _VERBS.get(str(value.get("verb")))
    if act is None:
        return Ignored("verb of another kind")
    if one is None:
        return Unread(f"{kind} without id")
    return act(place, value, kind, one)


def _author(value: Object) -> tuple[str | None, str | None]:
    """Id and name: in `from`, in `sender_*`, in `reviewer_*`, or missing."""
    known = child(value, "from")
    ids = (known.get("id"), value.get("sender_id"), value.get("reviewer_id"))
    names = (known.get("name"), value.get("sender_name"), value.get("reviewer_name"))
    return next(filter(None, map(identifier, ids)), None), next(
        (name for name in map(called, names) if name and not _NO_NAME.search(name)), None
    )


def _added(place: _Place, value: Object, kind: str, one: str) -> Update:
    author, name = _author(value)
    sent_at = utc(value.get("created_time")) or place.at
    if sent_at is None:
        return Unread(f"{kind} without time")
    text = string(value.get("message")) or string(value.get("review_text")) or ""
    parent, post = identifier(value.get("parent_id")), identifier(value.get("post_id"))
    if author == place.account:
        return _own_words(place, kind, one, text, sent_at, parent or post)
    attachments = _media(value)
    verdict = _VERDICTS.get(str(value.get("recommendation_type")).lower())
    if not text and not attachments and not verdict:
        return Ignored(f"{kind} without text")
    return Message(
        conversation=place.conversation(author or unknown_author(one)),
        id=one,
        network="facebook",
        kind=kind,
        public=True,
        text=text,
        attachments=attachments,
        verdict=verdict,
        sent_at=sent_at,
        in_reply_to=_stands_under(value, kind, nameless=author is None),
        author_name=name,
        is_anonymous=author is None,
        # Graph has no documented way to answer a review.
        is_answerable=kind != "review" and not value.get("is_hidden"),
        permalink=_link(value)
        or (f"https://www.facebook.com/{one}" if one != _nameless(value) else None),
    )


def _stands_under(value: Object, kind: str, *, nameless: bool) -> str | None:
    """The comment above it. Of one that may be our own, whatever is above it."""
    parent, post = identifier(value.get("parent_id")), identifier(value.get("post_id"))
    if kind != "comment" or (parent == post and not nameless):
        return None
    return parent or (post if nameless else None)


def _own_words(
    place: _Place, kind: str, one: str, text: str, at: datetime, parent: str | None
) -> Update:
    if kind != "comment" or not parent:
        return Ignored("own post")
    return Spoken(account=place.account, id=one, text=text, at=at, in_reply_to=parent)


def _media(value: Object) -> tuple[str, ...]:
    return tuple(kind for kind, names in _MEDIA.items() if any(map(value.get, names)))


def _link(value: Object) -> str | None:
    found = child(value, "post").get("permalink_url") or value.get("permalink_url")
    return string(found, LONGEST_LINK)


def _edited(place: _Place, value: Object, kind: str, one: str) -> Update:
    at = utc(value.get("edited_time")) or place.at or utc(value.get("created_time"))
    update = _added(place, value, kind, one)
    if isinstance(update, Message) and at:
        return Edited(message=update, at=at)
    return Ignored("own words changed") if isinstance(update, Spoken) else update


def _removed(place: _Place, value: Object, kind: str, one: str) -> Update:
    if place.at is None:
        return Unread(f"removal of a {kind} without time")
    return Removed(
        account=place.account, customer=_customer(place, value), message_id=one, at=place.at
    )


def _hidden(place: _Place, value: Object, kind: str, one: str, *, hidden: bool) -> Update:
    if place.at is None:
        return Unread(f"hiding of a {kind} without time")
    return Hidden(
        account=place.account,
        customer=_customer(place, value),
        message_id=one,
        hidden=hidden,
        at=place.at,
    )


def _customer(place: _Place, value: Object) -> str | None:
    """Whose it is; the Page itself may be named as who did it."""
    author, _ = _author(value)
    return author if author != place.account else None


def _instagram_comment(place: _Place, value: Object, kind: str) -> Update:
    """No time of its own. `from.self_ig_scoped_id` is there when it is our own."""
    one = identifier(value.get("id")) or identifier(value.get("comment_id"))
    if one is None or place.at is None:
        return Unread(f"{kind} without id or time")
    known = child(value, "from")
    author, text = identifier(known.get("id")), string(value.get("text")) or ""
    parent = identifier(value.get("parent_id"))
    if author == place.account or "self_ig_scoped_id" in known:
        return _own_words(place, "comment", one, text, place.at, parent)
    if not text:
        return Ignored(f"{kind} without text")
    return Message(
        conversation=place.conversation(author or unknown_author(one)),
        id=one,
        network="instagram",
        kind=kind,
        public=True,
        text=text,
        sent_at=place.at,
        in_reply_to=parent,
        author_handle=called(known.get("username")),
        is_anonymous=author is None,
    )


def _instagram_mention(place: _Place, value: Object) -> Update:
    """The account is named in a caption or a comment; Meta leaves out the words, `fetch` adds
    them. A mention is answered by an endpoint of its own that we do not use."""
    media, comment = identifier(value.get("media_id")), identifier(value.get("comment_id"))
    one = comment or media
    if one is None:
        return Unread("mention without id")
    if "text" not in value:
        kind = "instagram_comment" if comment else "instagram_media"
        return Hint(account=place.account, about={kind: one})
    sent_at, handle = utc(value.get("timestamp")) or place.at, called(value.get("username"))
    text, author = string(value.get("text")), identifier(handle and f"@{handle}")
    if not sent_at or not text:
        return Unread("mention without text or time")
    return Message(
        conversation=place.conversation(author or unknown_author(one)),
        id=one,
        network="instagram",
        kind="mention",
        public=True,
        text=text,
        sent_at=sent_at,
        author_handle=handle,
        is_anonymous=author is None,
        is_answerable=False,
        permalink=string(value.get("permalink"), LONGEST_LINK),
    )


_VERDICTS: dict[str, Literal["positive", "negative"]] = {
    "positive": "positive",
    "negative": "negative",
}
_VERBS: dict[str, Callable[[_Place, Object, str, str], Update]] = {
    "add": _added,
    "edit": _edited,
    "edited": _edited,
    "update": _edited,
    "remove": _removed,
    "delete": _removed,
    "hide": partial(_hidden, hidden=True),
    "unhide": partial(_hidden, hidden=False),
}
_FIELDS: dict[str, Callable[[_Place, Object], Update]] = {
    "feed": _feed,
    "mention": _mention,
    "ratings": _rating,
    "comments": partial(_instagram_comment, kind="comment"),
    "live_comments": partial(_instagram_comment, kind="live_comment"),
    "mentions": _instagram_mention,
    # Meta's dashboard sends its test of these as changes.
    "messages": lambda place, value: _event(place, value),
}


# --- messaging --------------------------------------------------------------------------------


def _event(place: _Place, event: Object) -> Update:
    """One event of Messenger or Instagram; its kind is the key that is there."""
    for key, read in _EVENTS.items():
        if key in event:
            return read(place, event, child(event, key))
    return Ignored(next((key for key in _SIGNS if key in event), "event of another kind"))


def _said(place: _Place, event: Object, message: Object) -> Update:
    sender, mid = identifier(child(event, "sender").get("id")), identifier(message.get("mid"))
    sent_at = utc(event.get("timestamp")) or place.at
    if not sender or not mid or not sent_at:
        return Unread("message without id, sender or time")
    is_own = bool(message.get("is_echo") or message.get("is_self")) or sender == place.account
    if message.get("is_deleted"):
        if is_own:
            return Ignored("own words removed")
        return Removed(account=place.account, customer=sender, message_id=mid, at=sent_at)
    if is_own:
        return _echo(place, event, message, mid, sent_at)
    return _from_customer(place, sender, message, mid, sent_at)


def _echo(place: _Place, event: Object, message: Object, mid: str, sent_at: datetime) -> Update:
    """We said it if our `metadata` is in it, or a human did, in an inbox of Meta's or another's."""
    customer = identifier(child(event, "recipient").get("id"))
    if not customer or customer == place.account or message.get("is_self"):
        return Ignored("own words to nobody else")
    return Spoken(
        account=place.account,
        id=mid,
        text=string(message.get("text")) or "",
        at=sent_at,
        customer=customer,
        reply_key=identifier(message.get("metadata")),
    )


def _from_customer(
    place: _Place, sender: str, message: Object, mid: str, sent_at: datetime
) -> Update:
    text, attachments = string(message.get("text")), _attachments(message)
    if not text and not attachments:
        return Ignored("message without text")
    kind, link = _story(message)
    return Message(
        conversation=place.conversation(sender),
        id=mid,
        network=place.network,
        kind=kind,
        public=False,
        text=text or "",
        attachments=attachments,
        sent_at=sent_at,
        in_reply_to=identifier(child(message, "reply_to").get("mid")),
        permalink=link,
        is_answerable=place.is_ours_to_answer,
    )


def _attachments(message: Object) -> tuple[str, ...]:
    """Their types. A sticker (until 2026-08-30 an image with a `sticker_id`) is a gesture, not an
    attachment that somebody has to look at; what Meta cannot pass on is one."""
    kinds = [
        kind
        for one in children(message, "attachments")
        if (kind := called(one.get("type"))) not in (None, "sticker")
        and "sticker_id" not in child(one, "payload")
    ]
    return (*map(str, kinds), *(["unsupported"] if message.get("is_unsupported") else []))


def _story(message: Object) -> tuple[str, str | None]:
    """Kind and link of what stands to a story; the link works only for a while."""
    story = child(message, "reply_to", "story")
    if story:
        return "story_reply", string(story.get("url"), LONGEST_LINK)
    for one in children(message, "attachments"):
        if one.get("type") == "story_mention":
            return "story_mention", string(child(one, "payload").get("url"), LONGEST_LINK)
    return "message", None


def _changed_words(place: _Place, event: Object, edit: Object) -> Update:
    update = _said(place, event, edit)
    if isinstance(update, Message):
        return Edited(message=update, at=update.sent_at)
    return Ignored("own words changed") if isinstance(update, Spoken) else update


def _pressed(place: _Place, event: Object, postback: Object) -> Update:
    """A button: its title is what the customer says by it. Old ones have no id."""
    sender = identifier(child(event, "sender").get("id"))
    sent_at = event.get("timestamp") or place.at
    mid = postback.get("mid") or f"postback-{sender}-{sent_at}"
    update = _said(place, event, {"mid": mid, "text": postback.get("title")})
    return update if not isinstance(update, Spoken) else Ignored("own words to nobody else")


_EVENTS: dict[str, Callable[[_Place, Object, Object], Update]] = {
    "message": _said,
    "message_edit": _changed_words,
    "postback": _pressed,
}
# Signs of life that are no words: counted by their names.
_SIGNS = (
    *("reaction", "read", "delivery", "referral", "optin", "account_linking"),
    *("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"),
    "policy_enforcement",
)


# --- data deletion ----------------------------------------------------------------------------


def _deletion(body: bytes) -> Update:
    """`signed_request`: the payload is base64url of JSON."""
    _, _, payload = signed_request(body).partition(".")
    try:
        decoded = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    except ValueError:
        raise Unreadable("signed_request is not base64url") from None
    request = json_object(decoded)
    customer, at = identifier(request.get("user_id")), utc(request.get("issued_at"))
    if not customer or not at:
        return Unread("deletion without person or time")
    # In whole seconds, and what was said within the last one is meant too.
    return Erasure(customer=customer, at=at + timedelta(seconds=1))
