"""How Meta knocks at FirstReply's door."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from local.simulator import meta_bodies as bodies
from local.simulator import meta_read
from local.simulator import meta_wire as wire
from local.simulator.accounts import Accounts, Page
from local.simulator.common import Json, Signature
from local.simulator.doors import Challenge, Draft
from local.simulator.places import INSTAGRAM, PRIVATE, Place
from local.simulator.world import Message

PUBLIC: Final[Mapping[Place, Callable[[Message, Page], Json]]] = {
    "facebook_comment": bodies.comment,
    "facebook_post": bodies.visitor_post,
    "facebook_review": bodies.review,
    "facebook_mention": bodies.mention,
    "instagram_comment": bodies.instagram_comment,
    "instagram_live_comment": bodies.instagram_comment,
    "instagram_mention": bodies.instagram_mention,
}


class MetaDoor:
    channel: Final = "meta"

    def __init__(self, accounts: Accounts) -> None:
        self._known = accounts
        self.encode = wire.encode

    @property
    def pages(self) -> Mapping[str, Page]:
        return self._known.pages

    def accounts_at(self, place: Place) -> tuple[str, ...]:
        on_instagram = place in INSTAGRAM
        return tuple(p.id for p in self.pages.values() if p.is_instagram == on_instagram)

    def write(self, draft: Draft) -> list[tuple[Message, Json]]:
        page = self.pages[draft.message.account]
        message = _named(draft.message)
        if message.place in PRIVATE:
            message = _told_in_private(message)
            return [(message, bodies.direct(message, page, draft.standby))]
        message = _placed(message, draft.under)
        return [(message, PUBLIC[message.place](message, page))]

    def read(self, body: object) -> Iterator[Message]:
        return meta_read.read(body, self.pages)

    def sign(self, raw: bytes, how: Signature) -> dict[str, str]:
        page = self.pages.get(wire.addressee(raw))
        own = page.app_secret if page and page.api == "instagram" else ""
        return wire.sign(own or self._known.app_secrets[0], raw, how)

    def deletion(self, person: str, how: Signature) -> dict[str, str]:
        """The form of a data deletion callback."""
        secret = self._known.app_secrets[0]
        return {"signed_request": wire.signed_request(secret, person, how)}

    def challenge(self, verify_token: str | None) -> Challenge:
        answer = wire.number()
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": answer,
            "hub.verify_token": self._known.verify_token if verify_token is None else verify_token,
        }
        return Challenge(urlencode(query), {}, answer)


def _named(message: Message) -> Message:
    author = message.author or wire.number()
    on_instagram = message.place in INSTAGRAM
    name = wire.username(message.name, author) if on_instagram else message.name
    return replace(message, author=author, name=name)


def _told_in_private(message: Message) -> Message:
    id = message.id or wire.mid()
    if message.place == "instagram_story_reply":
        return replace(message, id=id, thread=wire.number())
    if message.place == "instagram_story_mention":
        return replace(message, id=id, attachments=("story_mention",))
    return replace(message, id=id)


def _placed(message: Message, under: Message | None) -> Message:
    """With its id, the post under which it stands, and what it answers there."""
    if message.place == "facebook_comment":
        post = under.thread if under else wire.page_post(message.account)
        id = message.id or wire.comment_id(post)
        return replace(message, id=id, thread=post, parent=under.id if under else post)
    if message.place in ("instagram_comment", "instagram_live_comment"):
        # Instagram knows two levels: an answer to an answer stands beside it.
        media = under.thread if under else wire.page_post(message.account).partition("_")[2]
        parent = (under.parent or under.id) if under else ""
        return replace(message, id=message.id or wire.number(), thread=media, parent=parent)
    return _elsewhere(message)


def _elsewhere(message: Message) -> Message:
    """A post of the customer's own, or a comment under somebody's that mentions the brand."""
    id = message.id or _id_elsewhere(message)
    return replace(message, id=id, thread=message.parent or id, parent="")


def _id_elsewhere(message: Message) -> str:
    if message.place == "facebook_post":
        return f"{message.account}_{wire.number()}"
    if message.place == "facebook_mention":
        in_comment = bool(message.parent)
        return wire.comment_id(message.parent if in_comment else f"_{message.author}")
    return wire.number()
