"""What else happens on X: to a post, beside FirstReply, and to its accounts."""

from dataclasses import replace

from flask import Blueprint, Response, jsonify

from local.simulator import x_wire as wire
from local.simulator.asking import Answer, Ask, Refused, Remove, Rotate, asked, explain_refusals
from local.simulator.common import Json
from local.simulator.deliver import Courier
from local.simulator.places import CHANNEL, X_POSTS, Family
from local.simulator.world import Kind, Message, Reply, World, now
from local.simulator.x_door import XDoor
from local.simulator.x_families import DELETED, ECHOES, REVOKED


class Revoke(Ask):
    account: str = ""
    family: Family = "xaa"


class XControl:
    def __init__(self, world: World, courier: Courier, door: XDoor) -> None:
        self._world, self._courier, self._door = world, courier, door
        self.blueprint = Blueprint("x_control", __name__)
        self.blueprint.add_url_rule("/revoke", view_func=self.revoke, methods=["POST"])
        explain_refusals(self.blueprint)

    def knows(self, id: str) -> bool:
        said = any(reply.id == id and reply.channel == "x" for reply in self._world.replies)
        return said or bool(self._heard(id))

    def remove(self, ask: Remove) -> Response:
        """By its author: a customer, or somebody at the brand. X tells every account it told."""
        if "with_author" in ask.model_fields_set:
            raise Refused("X always names the author")
        heard = self._heard(ask.id)
        if heard and heard[0].place not in X_POSTS:
            raise Refused(f"X tells of no removal of a {heard[0].place}")
        reply = self._world.take_back(ask.id)
        for message in heard:
            self._world.change(replace(message, removed=True))
        told = [(message.account, message.author) for message in heard]
        told += [(reply.account, reply.account)] if reply else []
        if not told:
            raise Refused(f"no post {ask.id!r} is on x")
        tell = DELETED[ask.family]
        return self._told([tell(account, ask.id, author) for account, author in told])

    def answer(self, ask: Answer) -> Response:
        """A human at the brand, in X's own app."""
        reply = self._under_own(ask) or self._to_customer(ask)
        with self._world.lock:
            self._world.replies.append(reply)
        tell = ECHOES[reply.kind, ask.family]
        return self._told([tell(reply, self._door.profiles[reply.account])], id=reply.id)

    def _under_own(self, ask: Answer) -> Reply | None:
        """What a human adds to a post of the brand's own."""
        for account in self._door.profiles:
            if own := self._world.own_post(account, ask.in_reply_to):
                reply = Reply.continuing(own, wire.new_id(), ask.text)
                return replace(reply, by_human=True)
        return None

    def _to_customer(self, ask: Answer) -> Reply:
        heard = self._heard(ask.in_reply_to)
        if not heard:
            raise Refused(f"no customer wrote {ask.in_reply_to!r} on x")
        message = heard[0]
        if message.place == "x_chat":
            raise Refused("an answer in an x_chat is as secret as what it answers")
        kind: Kind = "post" if message.place in X_POSTS else "direct_message"
        reply = Reply.answering(message, wire.new_id(), kind, ask.text)
        return replace(reply, under=message.thread, by_human=True)

    def rotate(self, ask: Rotate) -> Response:
        """Whatever was before is no good any more; what was revoked is good again."""
        self._world.x_tokens[self._account(ask.id)] = (ask.token, ask.token_secret)
        return jsonify(id=ask.id)

    def revoke(self) -> Response:
        """The account's owner takes back the leave to speak for it."""
        ask = asked(Revoke)
        account = self._account(ask.account or next(iter(self._door.profiles), ""))
        self._world.x_tokens[account] = None
        return self._told([REVOKED[ask.family](account, now())])

    def _account(self, id: str) -> str:
        if id not in self._door.profiles:
            raise Refused(f"no account {id!r} on x, only {tuple(self._door.profiles)}")
        return id

    def _heard(self, id: str) -> list[Message]:
        """What a customer wrote and did not take back, as each account knows it."""
        with self._world.lock:
            return [
                message
                for message in self._world.messages.values()
                if message.id == id and CHANNEL[message.place] == "x" and not message.removed
            ]

    def _told(self, bodies: list[Json], **more: str) -> Response:
        deliveries = []
        for body in bodies:
            raw = self._door.encode(body)
            deliveries += self._courier.insist("x", raw, self._door.sign(raw, "valid"))
        return jsonify(**more, deliveries=[delivery.shown() for delivery in deliveries])
