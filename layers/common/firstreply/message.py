"""The vocabulary: what a customer said, to whom, where; no platform's words in here."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Everything between one brand account and one customer on one channel."""

    channel: str
    account: str
    customer: str

    @property
    def key(self) -> str:
        """The partition key, also the FIFO group; unambiguous whatever the ids contain."""
        return "#".join(
            quote(part, safe="") for part in (self.channel, self.account, self.customer)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that a customer said.

    `id` is the platform's own id, so a redelivery is the same message. `network` and `kind` are
    for people and for the channel that made them (`facebook` `comment`); nothing branches on them
    outside that channel. `sent_at` is the platform's time, in UTC. `is_anonymous`: the platform did
    not say who wrote it; it could be ourselves, so nobody is answered. `attachments` are kinds
    (`photo`); with one, `text` may be empty.
    """

    conversation: Conversation
    id: str
    network: str
    kind: str
    public: bool
    text: str
    sent_at: datetime
    author_name: str | None = None
    author_handle: str | None = None
    permalink: str | None = None
    language: str | None = None
    is_anonymous: bool = False
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """An update that is no message for us; unknown is a value, never an exception."""

    reason: str


type Update = Message | Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What we are about to say. `key` is ours, and the same at every try."""

    key: str
    message: Message
    text: str
