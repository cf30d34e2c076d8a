"""Meta's webhooks read again: the customers' messages in any body."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from local.simulator.accounts import Page
from local.simulator.common import Json, objects, readable
from local.simulator.places import Place
from local.simulator.world import Message, now

POSTS: Final = {"post", "status", "photo", "video", "link", "share"}  # a visitor's post on the page


def read(body: object, pages: Mapping[str, Page]) -> Iterator[Message]:
    """Each reader raises at what it does not understand, or what no customer wrote."""
    for entry in objects(body, "entry"):
        flat = [entry] if "field" in entry else []
        for change in (*objects(entry, "changes"), *flat):
            yield from readable(_changed, entry, change)
        for event in (*objects(entry, "messaging"), *objects(entry, "standby")):
            yield from readable(_direct, entry, event, pages)


def _changed(entry: Json, change: Json) -> Message:
    return READERS[change["field"]](entry["id"], change["value"])


def _ensure(is_so: bool) -> None:
    if not is_so:
        raise ValueError("no customer's")


def _author(value: Json) -> Json:
    """Old payloads and mentions have sender_id and sender_name instead of from."""
    old = {"id": str(value.get("sender_id", "")), "name": value.get("sender_name", "")}
    return value["from"] if isinstance(value.get("from"), dict) else old


def _feed(account: str, value: Json) -> Message:
    author, is_post = _author(value), value["item"] in POSTS
    _ensure(value["verb"] == "add" and author["id"] != account)
    _ensure(is_post or value["item"] == "comment")
    return Message(
        id=value["post_id"] if is_post else value.get("comment_id") or value["post_id"],
        place="facebook_post" if is_post else "facebook_comment",
        account=account,
        author=author["id"],
        name=author.get("name", ""),
        text=value.get("message", ""),
        sent_at=datetime.fromtimestamp(value["created_time"], UTC),
        thread=value["post_id"],
        parent="" if is_post else value.get("parent_id") or value["post_id"],
    )


def _review(account: str, value: Json) -> Message:
    return Message(
        id=value["open_graph_story_id"],
        place="facebook_review",
        account=account,
        author=value["reviewer_id"],
        name=value.get("reviewer_name", ""),
        text=value.get("review_text", ""),
        sent_at=datetime.fromtimestamp(value["created_time"], UTC),
        recommends=value.get("recommendation_type") == "positive",
    )


def _mention(account: str, value: Json) -> Message:
    author = _author(value)
    id = value.get("comment_id") or value["post_id"]
    return Message(
        id=id,
        place="facebook_mention",
        account=account,
        author=author["id"],
        name=author.get("name", ""),
        text="",
        sent_at=datetime.fromtimestamp(value["created_time"], UTC),
        thread=value.get("post_id") or id,
    )


def _instagram_comment(account: str, value: Json, place: Place = "instagram_comment") -> Message:
    author = value["from"]
    _ensure(author["id"] != account and "self_ig_scoped_id" not in author)
    return Message(
        id=value.get("id") or value["comment_id"],
        place=place,
        account=account,
        author=author["id"],
        name=author.get("username", ""),
        text=value.get("text", ""),
        sent_at=now(),
        thread=value["media"]["id"],
        parent=value.get("parent_id") or "",
    )


def _live_comment(account: str, value: Json) -> Message:
    return _instagram_comment(account, value, "instagram_live_comment")


def _instagram_mention(account: str, value: Json) -> Message:
    return Message(
        id=value.get("comment_id") or value["media_id"],
        place="instagram_mention",
        account=account,
        author="",
        name="",
        text="",
        sent_at=now(),
        thread=value["media_id"],
    )


READERS: Final[dict[str, Callable[[str, Json], Message]]] = {
    "feed": _feed,
    "ratings": _review,
    "mention": _mention,
    "comments": _instagram_comment,
    "live_comments": _live_comment,
    "mentions": _instagram_mention,
}


def _direct(entry: Json, event: Json, pages: Mapping[str, Page]) -> Message:
    account, pressed = entry["id"], event.get("postback")
    said = pressed or event["message"]
    _ensure(not said.get("is_echo") and not said.get("is_deleted"))
    page = pages.get(account)
    return Message(
        id=said["mid"],
        place=_private_place(said) if page and page.is_instagram else "messenger",
        account=account,
        author=event["sender"]["id"],
        name="",
        text=said.get("title" if pressed else "text", ""),
        sent_at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
        postback=bool(pressed),
    )


def _private_place(said: Json) -> Place:
    if "story" in said.get("reply_to", {}):
        return "instagram_story_reply"
    kinds = [attached.get("type") for attached in objects(said, "attachments")]
    return "instagram_story_mention" if "story_mention" in kinds else "instagram_message"
