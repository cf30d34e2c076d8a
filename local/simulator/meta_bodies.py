"""What Meta's webhooks say: everything that happens on a page or an account, as JSON."""

from datetime import datetime
from typing import Final

from local.simulator import meta_wire as wire
from local.simulator.accounts import Page
from local.simulator.common import Json
from local.simulator.world import Message, Reply, now

# The app that sent a message; comes back in its echo. A human's is the inbox of Meta itself.
APP_ID: Final = 100000000000001
INBOX_APP_ID: Final = 263902037430900
BUTTON: Final = "BUTTON"  # what the app gave a button to be told when it is pressed
SHOWN_AS: Final = {"video": "video"}  # an attachment of a comment or post; all others are photos


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _body(page: Page, time: int, content: Json) -> Json:
    # entry.time is when Meta sends: in seconds with changes, in milliseconds with messages.
    entry = {"id": page.id, "time": time, **content}
    return {"object": "instagram" if page.is_instagram else "page", "entry": [entry]}


def _change(page: Page, field: str, value: Json) -> Json:
    change = {"value": value, "field": field}
    flat = page.api == "instagram"
    return _body(page, _seconds(now()), change if flat else {"changes": [change]})


# --- on a Facebook page -----------------------------------------------------------------------


def _thing(message: Message) -> Json:
    """What each webhook about a comment or a post names, whatever happened to it."""
    about = {
        "from": {"id": message.author, "name": message.name},
        "post_id": message.thread,
        "created_time": _seconds(message.sent_at),
    }
    if message.place == "facebook_post":
        return {"item": _item(message), **about}
    return {"item": "comment", **about, "comment_id": message.id, "parent_id": message.parent}


def _item(post: Message) -> str:
    return next(iter(_shown(post)), "status")


def _shown(message: Message) -> Json:
    kinds = dict.fromkeys(SHOWN_AS.get(kind, "photo") for kind in message.attachments)
    return {kind: f"https://files.example/{message.id}/{kind}" for kind in kinds}


def _feed(page: Page, message: Message, verb: str, more: Json) -> Json:
    return _change(page, "feed", _thing(message) | {"verb": verb} | more)


def comment(message: Message, page: Page) -> Json:
    of, _, post = message.thread.partition("_")
    context = {
        "status_type": "mobile_status_update",
        "is_published": True,
        "updated_time": wire.iso(message.sent_at),
        "permalink_url": f"https://www.facebook.com/{of}/posts/{post}",
        "promotion_status": "inactive",
        "id": message.thread,
    }
    said = {"post": context, "message": message.text}
    return _feed(page, message, "add", said | _shown(message))


def visitor_post(message: Message, page: Page) -> Json:
    return _feed(page, message, "add", {"message": message.text} | _shown(message))


def feed_edited(message: Message, page: Page) -> Json:
    edit = {"message": message.text, "edited_time": _seconds(now())}
    return _feed(page, message, "edited", edit)


def feed_removed(message: Message, page: Page, with_author: bool) -> Json:
    value = _thing(message) | {"verb": "remove"}
    if not with_author:
        del value["from"]
    return _change(page, "feed", value)


def comment_hidden(message: Message, page: Page) -> Json:
    verb = "hide" if message.hidden else "unhide"
    return _feed(page, message, verb, {"message": message.text})


def review(message: Message, page: Page) -> Json:
    value = {
        "item": "rating",
        "verb": "add",
        "reviewer_id": message.author,
        "reviewer_name": message.name,
        "review_text": message.text,
        "recommendation_type": "positive" if message.recommends else "negative",
        "created_time": _seconds(message.sent_at),
        "open_graph_story_id": message.id,
    }
    return _change(page, "ratings", value)


def mention(message: Message, page: Page) -> Json:
    """Tells where the page is named, but not with which words."""
    is_post = message.id == message.thread
    value = {
        "item": "post" if is_post else "comment",
        "verb": "add",
        "post_id": message.thread,
        "sender_id": message.author,
        "sender_name": message.name,
        "created_time": _seconds(message.sent_at),
    }
    return _change(page, "mention", value if is_post else value | {"comment_id": message.id})


# --- on an Instagram account ------------------------------------------------------------------


def _instagram_comment(id: str, text: str, author: Json, media: Json, parent: str) -> Json:
    value = {"from": author, "media": media, "id": id, "text": text}
    return value | ({"parent_id": parent} if parent else {})


def instagram_comment(message: Message, page: Page) -> Json:
    is_live = message.place == "instagram_live_comment"
    author = {"id": message.author, "username": message.name}
    media = {"id": message.thread, "media_product_type": "LIVE" if is_live else "FEED"}
    value = _instagram_comment(message.id, message.text, author, media, message.parent)
    return _change(page, "live_comments" if is_live else "comments", value)


def instagram_mention(message: Message, page: Page) -> Json:
    """Thinner still: not even who it was."""
    value = {"media_id": message.thread}
    in_comment = message.id != message.thread
    return _change(page, "mentions", value | ({"comment_id": message.id} if in_comment else {}))


# --- in private, on both ----------------------------------------------------------------------


def _event(
    page: Page, people: tuple[str, str], at: datetime, what: Json, array: str = "messaging"
) -> Json:
    sender, recipient = people
    event = {
        "sender": {"id": sender},
        "recipient": {"id": recipient},
        "timestamp": _milliseconds(at),
        **what,
    }
    return _body(page, _milliseconds(now()), {array: [event]})


def direct(message: Message, page: Page, standby: bool = False) -> Json:
    said = {"postback": _pressed(message, standby)} if message.postback else _written(message)
    people, array = (message.author, page.id), "standby" if standby else "messaging"
    return _event(page, people, message.sent_at, said, array)


def _pressed(message: Message, standby: bool) -> Json:
    pressed = {"mid": message.id, "title": message.text}
    return pressed if standby else pressed | {"payload": message.quick_reply or BUTTON}


def _written(message: Message) -> Json:
    written: Json = {"mid": message.id}
    if message.text and message.place != "instagram_story_mention":
        written["text"] = message.text
    if message.quick_reply:
        written["quick_reply"] = {"payload": message.quick_reply}
    if message.place == "instagram_story_reply":
        story = message.thread
        written["reply_to"] = {"story": {"url": f"https://stories.example/{story}", "id": story}}
    if attached := [_attached(message.id, kind) for kind in message.attachments]:
        written["attachments"] = attached
    return {"message": written}


def _attached(id: str, kind: str) -> Json:
    return {"type": kind, "payload": {"url": f"https://files.example/{id}/{kind}"}}


def direct_edited(message: Message, page: Page) -> Json:
    edit = {"mid": message.id, "text": message.text, "num_edit": message.edits}
    return _event(page, (message.author, page.id), now(), {"message_edit": edit})


def direct_unsent(message: Message, page: Page) -> Json:
    unsent = {"mid": message.id, "is_deleted": True}
    return _event(page, (message.author, page.id), now(), {"message": unsent})


def reaction(mid: str, person: str, page: Page, name: str) -> Json:
    reacted = {"mid": mid, "action": "react", "reaction": name, "emoji": "\u2764\ufe0f"}
    return _event(page, (person, page.id), now(), {"reaction": reacted})


# --- what the brand says, told to itself ------------------------------------------------------


def echo(reply: Reply, message: Message, page: Page) -> Json | None:
    """Whoever said it for the brand; nothing where it is said in somebody else's place."""
    if reply.kind == "message":
        return _direct_echo(reply, page)
    if message.place in {"facebook_mention", "instagram_mention"}:
        return None
    if page.is_instagram:
        own = {"self_ig_scoped_id": f"9{page.id}"}  # only the account's own comments have it
        author = {"id": page.id, "username": page.handle, **own}
        media = {"id": message.thread, "media_product_type": "FEED"}
        value = _instagram_comment(reply.id, reply.text, author, media, reply.under)
        return _change(page, "comments", value)
    value = {
        "item": "comment",
        "verb": "add",
        "from": {"id": page.id, "name": page.name},
        "message": reply.text,
        "post_id": message.thread,
        "comment_id": reply.id,
        "created_time": _seconds(reply.at),
        "parent_id": reply.under,
    }
    return _change(page, "feed", value)


def _direct_echo(reply: Reply, page: Page) -> Json:
    app = INBOX_APP_ID if reply.by_human else APP_ID
    said: Json = {"mid": reply.id, "text": reply.text, "is_echo": True, "app_id": app}
    if reply.metadata and not page.is_instagram:
        said["metadata"] = reply.metadata
    return _event(page, (page.id, reply.to), reply.at, {"message": said})
