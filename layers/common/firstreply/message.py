"""The vocabulary: what happened in a conversation; no platform's words in here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from firstreply.contracts import ReplyRequested


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

    @classmethod
    def of_key(cls, key: str) -> "Conversation":
        channel, account, customer = (unquote(part) for part in key.split("#"))
        return cls(channel=channel, account=account, customer=customer)


def unknown_author(message_id: str) -> str:
    """Who wrote a message, when the platform does not say: nobody else's conversation partner."""
    return f"author-of-{message_id}"


def bare_handle(value: object) -> str:
    """A handle as it can be compared, empty if it is none."""
    return value.casefold().lstrip("@") if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that a customer said.

    `id` is the platform's own id, so a redelivery is the same message; `in_reply_to` the id of what
    it stands under or answers. `network` and `kind` are for people and for the channel that made
    them (`facebook` `comment`); nothing branches on them outside that channel. `sent_at` is the
    platform's time, in UTC. `attachments` are kinds (`photo`); with one, `text` may be empty.
    `verdict`: what the customer ticked beside writing, a recommendation or stars. `personal_data`:
    the kinds of it that were masked in the text (privacy.py).

    `is_anonymous`: the platform did not say who wrote it; it could be ourselves. `is_answerable`:
    not if there is no way to answer it, or another has been charged with that. `reply_url`: where
    its channel is to put the answer, if the message itself says so; it may carry a secret.
    """

    conversation: Conversation
    id: str
    network: str
    kind: str
    public: bool
    text: str
    sent_at: datetime
    in_reply_to: str | None = None
    author_name: str | None = None
    author_handle: str | None = None
    permalink: str | None = None
    language: str | None = None
    verdict: Literal["positive", "negative"] | None = None
    is_anonymous: bool = False
    is_answerable: bool = True
    attachments: tuple[str, ...] = ()
    personal_data: tuple[str, ...] = ()
    reply_url: str | None = None

    @property
    def account(self) -> str:
        return self.conversation.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Until when a platform takes an automatic answer to a message, in public and in private; None
    where it takes none at all."""

    public: datetime | None = None
    private: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A customer changed the words of a message; `message` is how it reads since `at`."""

    message: Message
    at: datetime

    @property
    def account(self) -> str:
        return self.message.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A message is gone from the platform, whoever removed it. `at`: if the platform says so."""

    account: str
    customer: str | None
    message_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A moderator has hidden a message from the public, or shows it again."""

    account: str
    customer: str | None
    message_id: str
    hidden: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """The brand's own account said something: FirstReply did, or a human in the platform's app.

    `id` is the platform's; `reply_key` ours, if the platform gives it back. Whom it was said to is
    told by `customer`, or by `in_reply_to`, the message it stands under. `customer` is the account
    itself if that is the brand's own, as in a thread.
    """

    account: str
    id: str
    text: str
    at: datetime
    customer: str | None = None
    in_reply_to: str | None = None
    reply_key: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it stands under what the brand has said itself."""
        return self.customer == self.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Something was said, but not what: the platform has to be asked. `about` is the channel's."""

    account: str
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """The owner of one of our accounts has taken back what we were allowed."""

    account: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A person wants all of theirs up to `at` erased."""

    customer: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """The helpdesk wants something said; `event` is how it asked for it."""

    event: "ReplyRequested"

    @property
    def conversation(self) -> Conversation:
        return self.event.data.conversation

    @property
    def account(self) -> str:
        return self.conversation.account


@dataclass(frozen=True, slots=True)
class Unread:
    """It may be a customer's words, but it cannot be read: kept, and shown to an operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An update that is no message for us; unknown is a value, never an exception."""

    reason: str


# What happens in the conversations of an account.
type AccountUpdate = Message | Edited | Removed | Hidden | Spoken | Hint
type Update = AccountUpdate | Revoked | Erasure | Requested | Unread | Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of a text that is too long for one answer: which, of how many, of what; `rest` is this and
    all that follows. `under` is the platform's id of the part before; None if it is the first."""

    number: int
    of: int
    whole: str
    rest: str
    under: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What we are about to say. `key` is ours, and the same at every try.

    `in_private`: to the customer alone, though the message was public. `by_human`: an agent wrote
    it. `heard_at`: when the customer last wrote in private, if later than `message`. `invites`: in
    public, with an invitation to go on in private. `author` is the agent's name, `request_id` the
    id of the event that asked for it. `part`: if `text` is one of a thread.
    """

    key: str
    message: Message
    text: str
    in_private: bool = False
    by_human: bool = False
    heard_at: datetime | None = None
    invites: bool = False
    author: str | None = None
    request_id: str | None = None
    part: Part | None = None

    @property
    def answers(self) -> str:
        """The id of what it stands under: the message, or the part before it."""
        return (self.part and self.part.under) or self.message.id

    @property
    def is_public(self) -> bool:
        return self.message.public and not self.in_private

    @property
    def scope(self) -> Literal["public", "private"]:
        """Which of an account's limits it falls under."""
        return "public" if self.is_public else "private"
