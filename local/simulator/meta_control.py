"""What else happens on Meta's platforms: to a message, beside FirstReply, and to its accounts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

import httpx
from flask import Blueprint, Response, jsonify

from local.simulator import meta_bodies as bodies
from local.simulator import meta_wire as wire
from local.simulator.accounts import Page
from local.simulator.asking import Answer, Ask, Refused, Remove, Rotate, asked, explain_refusals
from local.simulator.common import Json
from local.simulator.deliver import NO_ANSWER, Courier
from local.simulator.graph_comments import ON_FACEBOOK, ON_INSTAGRAM, below
from local.simulator.meta_door import MetaDoor
from local.simulator.places import CHANNEL, PRIVATE, Place
from local.simulator.world import Kind, Message, Reply, World

IN_FEED: Final[frozenset[Place]] = frozenset({"facebook_comment", "facebook_post"})
COMMENTED: Final = ON_FACEBOOK | ON_INSTAGRAM | {"instagram_mention"}


class Edit(Ask):
    id: str
    text: str


class Hide(Ask):
    id: str
    hidden: bool = True


class React(Ask):
    id: str
    reaction: str


class DeleteData(Ask):
    person: str
    signature: Literal["valid", "wrong"] = "valid"


class MetaControl:
    def __init__(self, world: World, courier: Courier, door: MetaDoor) -> None:
        self._world, self._courier, self._door = world, courier, door
        self.blueprint = blueprint = Blueprint("meta_control", __name__)
        routes: tuple[tuple[str, Callable[[], Response]], ...] = (
            ("/edit", self.edit),
            ("/hide", self.hide),
            ("/react", self.react),
            ("/delete_data", self.delete_data),
        )
        for rule, view in routes:
            blueprint.add_url_rule(rule, view_func=view, methods=["POST"])
        explain_refusals(blueprint)

    def edit(self) -> Response:
        ask = asked(Edit)
        message = self._message(ask.id)
        write = _editing(message)
        message = replace(message, text=ask.text, edits=message.edits + 1)
        self._world.change(message)
        return self._told(write(message, self._page(message)))

    def remove(self, ask: Remove) -> Response:
        _only_on_x(ask)
        message = replace(self._message(ask.id), removed=True)
        self._world.change(message)
        page = self._page(message)
        if message.place in IN_FEED:
            return self._told(bodies.feed_removed(message, page, ask.with_author))
        unsent = message.place in PRIVATE and page.is_instagram
        return self._told(bodies.direct_unsent(message, page) if unsent else None)

    def hide(self) -> Response:
        ask = asked(Hide)
        message = self._message(ask.id)
        if message.place not in COMMENTED:
            raise Refused(f"a {message.place} cannot be hidden")
        message = replace(message, hidden=ask.hidden)
        self._world.change(message)
        told = message.place == "facebook_comment"
        return self._told(bodies.comment_hidden(message, self._page(message)) if told else None)

    def answer(self, ask: Answer) -> Response:
        """A human at the brand, in the platform's own app."""
        _only_on_x(ask)
        message = self._message(ask.in_reply_to)
        kind: Kind = "message" if message.place in PRIVATE else "comment"
        if kind == "comment" and message.place not in COMMENTED:
            raise Refused(f"a {message.place} cannot be answered here")
        id = wire.reply_id(message, kind)
        under = below(message) if kind == "comment" else ""
        reply = replace(Reply.answering(message, id, kind, ask.text), under=under, by_human=True)
        with self._world.lock:
            self._world.replies.append(reply)
        return self._told(bodies.echo(reply, message, self._page(message)), id=id)

    def react(self) -> Response:
        """To a message of either side."""
        ask = asked(React)
        reply = next((r for r in self._world.replies if r.id == ask.id), None)
        if reply and reply.kind == "message":
            account, person = reply.account, reply.to
        else:
            message = self._message(ask.id)
            if message.place not in PRIVATE:
                raise Refused(f"Meta tells of no reaction to a {message.place}")
            account, person = message.account, message.author
        page = self._door.pages[account]
        return self._told(bodies.reaction(ask.id, person, page, ask.reaction))

    def delete_data(self) -> Response:
        ask = asked(DeleteData)
        form = self._door.deletion(ask.person, ask.signature)
        try:
            answer = self._courier.submit("meta", form)
        except httpx.TransportError as error:
            return jsonify(status=NO_ANSWER, body=type(error).__name__)
        return jsonify(status=answer.status_code, body=answer.text)

    def rotate(self, ask: Rotate) -> Response:
        page = self._door.pages.get(ask.id)
        if not page:
            raise Refused(f"no account {ask.id!r} on meta, only {tuple(self._door.pages)}")
        self._world.rotate(page.id, self._world.tokens.get(page.id, page.token), ask.token)
        return jsonify(id=page.id)

    def _message(self, id: str) -> Message:
        """What a customer wrote to any account, and did not take back."""
        with self._world.lock:
            for message in self._world.messages.values():
                on_meta = CHANNEL[message.place] == "meta" and message.account in self._door.pages
                if message.id == id and on_meta and not message.removed:
                    return message
        raise Refused(f"no customer wrote {id!r} on meta")

    def _page(self, message: Message) -> Page:
        return self._door.pages[message.account]

    def _told(self, body: Json | None, **more: str) -> Response:
        """Deliver it; some things the platform tells nobody."""
        raw = self._door.encode(body)
        signed = self._door.sign(raw, "valid")
        deliveries = self._courier.insist("meta", raw, signed) if body else []
        return jsonify(**more, deliveries=[delivery.shown() for delivery in deliveries])


def _only_on_x(ask: Answer | Remove) -> None:
    if "family" in ask.model_fields_set:
        raise Refused("only X has families")


def _editing(message: Message) -> Callable[[Message, Page], Json]:
    if message.place in IN_FEED:
        return bodies.feed_edited
    if message.place in PRIVATE and not message.postback:
        return bodies.direct_edited
    raise Refused(f"Meta tells of no edit of a {message.place}")
