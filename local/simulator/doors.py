"""What each platform does at FirstReply's door: it writes, signs, and asks beforehand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from local.simulator.common import Json, Signature
from local.simulator.places import Channel, Family, Place
from local.simulator.world import Message


@dataclass(frozen=True)
class Draft:
    """What a customer is about to write; ids still missing are the platform's to give."""

    message: Message
    under: Message | None = None  # Meta: the comment or post that it answers
    standby: bool = False  # Meta: another app has the conversation
    # X
    family: Family = "xaa"
    mention: bool | None = None  # whether it names the account; as the place has it
    also: tuple[str, ...] = ()  # other accounts that it names
    blocked: bool = False  # what AAA says of it
    wrapped: bool = False  # the users that XAA includes


@dataclass(frozen=True)
class Challenge:
    query: str
    headers: dict[str, str]
    answer: str | Json  # text, or JSON


class Door(Protocol):
    @property
    def channel(self) -> Channel: ...

    def accounts_at(self, place: Place) -> tuple[str, ...]: ...

    def write(self, draft: Draft) -> list[tuple[Message, Json]]:
        """Each body that tells of it, and the message as that body's account knows it."""

    def read(self, body: object) -> Iterator[Message]:
        """The messages in a body, whatever else is in it."""

    def encode(self, body: object) -> bytes: ...

    def sign(self, raw: bytes, how: Signature) -> dict[str, str]: ...

    def challenge(self, verify_token: str | None) -> Challenge: ...
