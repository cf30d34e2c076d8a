"""What the platforms know: what customers wrote, what was answered, what is to go wrong."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event, RLock
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from local.simulator.faults import At, Fault
from local.simulator.places import CHANNEL, Channel, Family, Place

Kind = Literal["comment", "message", "post", "direct_message"]


class Clock:
    """The platforms' clock. A test may stop it, and set it."""

    def __init__(self) -> None:
        self.stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return self.stopped_at or datetime.now(UTC)


now = Clock()


@dataclass(frozen=True)
class Message:
    """What a customer wrote to a brand's account."""

    id: str
    place: Place
    account: str
    author: str
    name: str
    text: str
    sent_at: datetime
    thread: str = ""  # the post (Instagram: the media) under which a comment stands
    parent: str = ""  # what it answers
    parent_author: str = ""  # X: whose post that is
    quotes: str = ""  # X: the post that it quotes
    lang: str = "en"  # X: its guess
    automated: bool = False  # X: the author says to be a bot
    summons: bool = True  # X: names or quotes the account, so it may be answered
    attachments: tuple[str, ...] = ()  # their types
    recommends: bool = False  # a review
    postback: bool = False  # a button that was pressed; the text is its title
    quick_reply: str = ""  # the payload of the suggestion that was tapped
    edits: int = 0
    removed: bool = False
    hidden: bool = False
    posted: float = field(default_factory=time.monotonic, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Some come from bodies that were malformed on purpose."""
        whose = (self.account, self.author, self.name)
        texts = (self.id, *whose, self.text, self.thread, self.parent)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("not a message")

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "place": self.place,
            "account": self.account,
            "author": {"id": self.author, "name": self.name},
            "text": self.text,
            "sent_at": self.sent_at.isoformat(),
        } | {state: True for state in ("removed", "hidden") if getattr(self, state)}


@dataclass(frozen=True)
class Reply:
    """What a platform accepted from FirstReply, or from a human at the brand."""

    id: str
    channel: Channel
    kind: Kind
    account: str
    in_reply_to: str
    to: str
    text: str
    under: str = ""  # the comment or post below which it is listed
    metadata: str | None = None
    private_reply: bool = False
    tag: str | None = None
    deep_link: str | None = None  # X: the button that opens a direct message
    price: float | None = None  # X: in dollars
    removed: bool = False
    by_human: bool = False  # in the platform's own app
    ms_after: float | None = None
    at: datetime = field(default_factory=now)

    @classmethod
    def answering(cls, message: Message, id: str, kind: Kind, text: str) -> Self:
        return cls(
            id=id,
            channel=CHANNEL[message.place],
            kind=kind,
            account=message.account,
            in_reply_to=message.id,
            to=message.author,
            text=text,
            ms_after=round((time.monotonic() - message.posted) * 1000, 1),
        )

    @classmethod
    def continuing(cls, own: Self, id: str, text: str) -> Self:
        """Under a post of one's own: a thread."""
        return cls(
            id=id,
            channel=own.channel,
            kind=own.kind,
            account=own.account,
            in_reply_to=own.id,
            to=own.account,
            text=text,
            under=own.under or own.id,
        )

    def shown(self) -> dict[str, Any]:
        optional = {
            "metadata": self.metadata,
            "private_reply": self.private_reply or None,
            "tag": self.tag,
            "direct_message_deep_link": self.deep_link,
            "price": self.price,
            "removed": self.removed or None,
            "ms_after": self.ms_after,
        }
        return {
            "id": self.id,
            "platform": self.channel,
            "kind": self.kind,
            "account": self.account,
            "in_reply_to": self.in_reply_to,
            "to": self.to,
            "text": self.text,
            "at": self.at.isoformat(),
        } | {name: value for name, value in optional.items() if value is not None}


@dataclass
class Call:
    """One request to a platform's API. No status: it got no answer (yet)."""

    method: str
    path: str
    status: int | None = None
    what: str | None = None  # of a message by Graph: a sender action, or "text"
    at: datetime = field(default_factory=now)

    def shown(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "what": self.what,
            "at": self.at.isoformat(),
        }


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    echo: bool = True
    x_post_limit: PositiveInt = 100
    x_direct_message_limit: PositiveInt = 15
    x_window_seconds: PositiveInt = 15 * 60  # of X's limits
    x_duplicate_seconds: NonNegativeInt = 15 * 60  # how long X remembers a text; theirs: hours
    x_echo_family: Family = "xaa"
    usage_percent: Annotated[NonNegativeInt, Field(le=100)] = 1  # in Graph's usage headers
    usage_wait_minutes: NonNegativeInt = 0


@dataclass(frozen=True)
class Allowance:
    """What is left of a limit after a request; below zero it was one too many."""

    limit: int
    remaining: int
    reset: int


class World:
    """Shared by all threads. Hold `lock` while looking and then writing."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.stopping = Event()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.messages: dict[tuple[str, str], Message] = {}
            self.replies: list[Reply] = []
            self.faults: list[Fault] = []
            self.calls: list[Call] = []
            self.echoes: list[dict[str, Any]] = []
            self.settings = Settings()
            self.tokens: dict[str, str] = {}  # of accounts whose token is not the secret's any more
            self.expired_tokens: set[str] = set()
            # Of accounts on X whose token is not the secret's any more: the token and its secret.
            self.x_tokens: dict[str, tuple[str, str] | None] = {}
            self._nonces: set[tuple[str, ...]] = set()
            self._spent: dict[tuple[str, str], tuple[int, int]] = {}

    def learn(self, messages: Iterable[Message]) -> None:
        """Told twice, a message keeps the moment at which it was first posted."""
        with self.lock:
            for message in messages:
                self.messages.setdefault((message.account, message.id), message)

    def find(self, places: Collection[Place], account: str, id: str) -> Message | None:
        """What stands there; not what its author took back."""
        with self.lock:
            message = self.messages.get((account, id))
            known = message and message.place in places and not message.removed
            return message if known else None

    def heard(self, places: Collection[Place], account: str, author: str) -> list[Message]:
        """All that this person wrote, in the order in which the platform was told."""
        with self.lock:
            return [
                message
                for message in self.messages.values()
                if message.place in places
                and (message.account, message.author) == (account, author)
            ]

    def latest(self, places: Collection[Place], account: str, author: str) -> Message | None:
        heard = self.heard(places, account, author)
        return heard[-1] if heard else None

    def change(self, message: Message) -> None:
        with self.lock:
            self.messages[message.account, message.id] = message

    def rotate(self, account: str, old: str, new: str) -> None:
        with self.lock:
            self.tokens[account] = new
            self.expired_tokens = (self.expired_tokens | {old}) - {new}

    def said(self, account: str, kind: Kind) -> list[Reply]:
        with self.lock:
            return [
                reply
                for reply in self.replies
                if (reply.account, reply.kind) == (account, kind) and not reply.removed
            ]

    def own_post(self, account: str, id: str) -> Reply | None:
        """What the account has posted under that id, and not taken back."""
        return next((reply for reply in self.said(account, "post") if reply.id == id), None)

    def take_back(self, id: str) -> Reply | None:
        """The account's own post, which is gone now; nothing if there was none."""
        with self.lock:
            for at, reply in enumerate(self.replies):
                if (reply.id, reply.kind) == (id, "post") and not reply.removed:
                    self.replies[at] = replace(reply, removed=True)
                    return reply
        return None

    def is_first_use(self, *nonce: str) -> bool:
        with self.lock:
            first = nonce not in self._nonces
            self._nonces.add(nonce)
            return first

    def take_fault(self, places: Collection[Place], at: At) -> Fault | None:
        with self.lock:
            struck = (f for f in self.faults if any(f.strikes(place, at) for place in places))
            fault = next(struck, None)
            if fault:
                fault.times -= 1
                self.faults = [fault for fault in self.faults if fault.times]
            return fault

    def spend(self, account: str, what: str, limit: int) -> Allowance:
        clock = int(now().timestamp())
        with self.lock:
            reset, used = self._spent.get((account, what), (0, 0))
            if reset <= clock:
                reset, used = clock + self.settings.x_window_seconds, 0
            self._spent[account, what] = reset, used + 1
        return Allowance(limit, limit - used - 1, reset)
