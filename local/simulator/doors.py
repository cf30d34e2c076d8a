"""How each platform knocks at FirstReply's door: what it writes, signs, and asks beforehand."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol
from urllib.parse import urlencode

from local.simulator import x_old_wire, x_wire
from local.simulator.accounts import Accounts
from local.simulator.common import Json, Signature
from local.simulator.places import Channel, Place
from local.simulator.world import Message

Family = Literal["xaa", "aaa"]  # X Activity API, Account Activity API
X_BODIES: Final = {
    ("x_mention", "xaa"): x_wire.post,
    ("x_mention", "aaa"): x_old_wire.post,
    ("x_direct_message", "xaa"): x_wire.direct,
    ("x_direct_message", "aaa"): x_old_wire.direct,
}


@dataclass(frozen=True)
class Draft:
    """What a customer is about to write; ids still missing are the platform's to give."""

    message: Message
    under: Message | None = None  # the comment or post that it answers
    standby: bool = False  # Meta: another app has the conversation
    family: Family = "xaa"
    mention: bool = True


@dataclass(frozen=True)
class Challenge:
    query: str
    headers: dict[str, str]
    answer: str | Json  # text, or JSON


class Door(Protocol):
    @property
    def channel(self) -> Channel: ...

    def accounts_at(self, place: Place) -> tuple[str, ...]: ...

    def write(self, draft: Draft) -> tuple[Message, Json]:
        """The message as the platform knows it, and the body that tells of it."""

    def read(self, body: object) -> Iterator[Message]:
        """The messages in a body, whatever else is in it."""

    def encode(self, body: object) -> bytes: ...

    def sign(self, raw: bytes, how: Signature) -> dict[str, str]: ...

    def challenge(self, verify_token: str | None) -> Challenge: ...


class XDoor:
    channel: Final = "x"

    def __init__(self, accounts: Accounts) -> None:
        self._known = accounts
        self.encode = x_wire.encode

    def accounts_at(self, _place: Place) -> tuple[str, ...]:
        return tuple(self._known.profiles)

    def write(self, draft: Draft) -> tuple[Message, Json]:
        message = draft.message
        message = replace(
            message,
            id=message.id or x_wire.new_id(x_wire.milliseconds(message.sent_at)),
            author=message.author or x_wire.new_id(),
        )
        profile = self._known.profiles[message.account]
        if message.place == "x_mention" and not x_wire.names(message.text, profile.handle):
            message = self._naming(message, profile.handle, draft.mention)
        return message, X_BODIES[message.place, draft.family](message, profile)

    def read(self, body: object) -> Iterator[Message]:
        for wire in (x_wire, x_old_wire):
            yield from wire.read(body, self._known.profiles)

    def sign(self, raw: bytes, how: Signature) -> dict[str, str]:
        return x_wire.sign(self._known.consumer_secrets[0], raw, how)

    def challenge(self, _verify_token: str | None) -> Challenge:
        """The CRC. X signs its query as it signs a body."""
        token = secrets.token_urlsafe(24)
        query = urlencode({"crc_token": token, "nonce": secrets.token_urlsafe(16)})
        answer = f"sha256={x_wire.mac(self._known.consumer_secrets[0], token.encode())}"
        return Challenge(query, self.sign(query.encode(), "valid"), {"response_token": answer})

    @staticmethod
    def _naming(message: Message, handle: str, mention: bool) -> Message:
        """A mention names the brand; what names nobody can only answer the brand's own post."""
        if mention:
            return replace(message, text=f"@{handle} {message.text}")
        return replace(message, summons=False, parent=x_wire.own_post(message.account))
