"""The platforms: one module each, and what FirstReply expects of it.

A channel is a module with the functions of `Channel`. It alone knows its platform's words. It is
found by its file name, which is also its route (`/webhooks/<name>`) and its section of the secret.
The webhook imports it too, so pydantic and httpx stay out of it.

The helpdesk has an entrance too, but is no channel: nobody is answered there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from firstreply.message import Hint, Message, Reach, Reply, Update
from firstreply.secrets import Section

if TYPE_CHECKING:
    from firstreply.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A request at the door. Header names are lower case; `body` is exactly what was received;
    `address` is what was knocked at, without the query; `at` is when (UTC), and what is signed
    with its time does not pass without it; `kept_days` is how long what comes in is kept."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = ""
    at: datetime | None = None
    kept_days: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door answers."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


class Entrance(Protocol):
    """What may be knocked at: a module that says who may come in, and what they say."""

    def handshake(self, knock: Knock, secret: Section) -> Answer:
        """The platform's proof that this address is ours (a GET)."""

    def is_signed(self, knock: Knock, secret: Section) -> bool:
        """Whether the platform signed exactly these bytes. Never raises; no secret, no pass."""

    def accept(self, knock: Knock) -> Answer:
        """What to answer to a signed delivery that was kept: some 200."""

    def parse(self, body: bytes) -> Iterator[Update]:
        """Every update of a signed body, unknown ones as Ignored; Unreadable if it is no body."""


class Channel(Entrance, Protocol):
    """What a channel module provides."""

    @property
    def SETTINGS(self) -> tuple[str, ...]:
        """The settings that it reads: its API's addresses and the like."""

    def is_ours(self, account: str, secret: Section) -> bool:
        """Whether it is an account of the brand's."""

    def shorten(self, text: str) -> str:
        """The text, cut at a word if it is longer than the platform takes."""

    def send(self, reply: Reply, platform: Platform) -> str:
        """Say it; the platform's id of the answer. TryLater, Refuse or Unsure if not."""

    def find_reply(self, reply: Reply, platform: Platform) -> str | None:
        """The id of the answer if it is already there, None if it is surely not; else Unsure."""

    def reach(self, message: Message) -> Reach:
        """Where, and until when, the platform takes an automatic answer to it."""

    def price(self, reply: Reply, at: datetime) -> float | None:
        """What the platform charges for it then, in dollars; None if nothing."""

    def fetch(self, hint: Hint, platform: Platform) -> bytes:
        """Ask what was only hinted at: a body for `parse`, the same at every try. TryLater or
        Refuse if there is none."""


class Threads(Channel, Protocol):
    """What a channel provides besides, if a long public answer can be a thread there: several,
    each in answer to the one before (`Reply.part`)."""

    def split(self, text: str) -> tuple[str, ...]:
        """Its parts, in order, with room behind each for its number (` 1/3`); one if it fits as it
        is. Only blanks are lost. Refuse if there would be too many: nothing is cut."""


@cache
def names() -> frozenset[str]:
    """The channels there are."""
    return frozenset(name for _, name, _ in iter_modules(__path__) if not name.startswith("_"))


def channel(name: str) -> Channel | None:
    """The channel of that name, None if there is none."""
    return cast("Channel", import_module(f"{__name__}.{name}")) if name in names() else None


def threads(name: str) -> Threads | None:
    """The channel of that name, None if it has no threads."""
    found = channel(name)
    return cast("Threads", found) if hasattr(found, "split") else None


HELPDESK = "helpdesk"


def entrances() -> frozenset[str]:
    """All that may be knocked at."""
    return names() | {HELPDESK}


def entrance(name: str) -> Entrance | None:
    """A channel's, or the helpdesk's; None if there is none of that name."""
    if name == HELPDESK:
        return cast("Entrance", import_module("firstreply.helpdesk"))
    return channel(name)
