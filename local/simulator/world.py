"""What the platforms know: what customers wrote, what was answered, what is to go wrong."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, RLock
from typing import Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, model_validator

Channel = Literal["meta", "x"]
Place = Literal["facebook_comment", "messenger", "x_mention", "x_direct_message"]
Kind = Literal["comment", "message", "post", "direct_message"]
FaultName = Literal[
    "accept_then_timeout",
    "accept_then_disconnect",
    "disconnect",
    "server_error",
    "rate_limited",
    "token_expired",
    "gone",
    "window_closed",
    "duplicate",
    "not_summoned",
]

PLACES: Final[tuple[Place, ...]] = get_args(Place)
CHANNEL: Final[dict[Place, Channel]] = {
    "facebook_comment": "meta",
    "messenger": "meta",
    "x_mention": "x",
    "x_direct_message": "x",
}
# Faults that only one place knows; all others can happen everywhere.
ONLY_AT: Final[dict[FaultName, Place]] = {
    "window_closed": "messenger",
    "duplicate": "x_mention",
    "not_summoned": "x_mention",
}
LIMIT_SECONDS: Final = 15 * 60


def now() -> datetime:
    return datetime.now(UTC)


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
    thread: str = ""  # the post under which a comment stands
    parent: str = ""  # what it answers
    summons: bool = True  # X: names or quotes the account, so it may be answered
    posted: float = field(default_factory=time.monotonic, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Some come from bodies that were malformed on purpose."""
        texts = (self.id, self.account, self.author, self.name, self.text)
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
        }


@dataclass(frozen=True)
class Reply:
    """What a platform accepted from FirstReply."""

    id: str
    channel: Channel
    kind: Kind
    account: str
    in_reply_to: str
    to: str
    text: str
    metadata: str | None = None
    ms_after: float | None = None
    at: datetime = field(default_factory=now)

    @classmethod
    def answering(
        cls, message: Message, id: str, kind: Kind, text: str, metadata: str | None = None
    ) -> Self:
        return cls(
            id=id,
            channel=CHANNEL[message.place],
            kind=kind,
            account=message.account,
            in_reply_to=message.id,
            to=message.author,
            text=text,
            metadata=metadata,
            ms_after=round((time.monotonic() - message.posted) * 1000, 1),
        )

    def shown(self) -> dict[str, Any]:
        optional = {"metadata": self.metadata, "ms_after": self.ms_after}
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
    at: datetime = field(default_factory=now)

    def shown(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "at": self.at.isoformat(),
        }


class Fault(BaseModel):
    """Something to go wrong with the next replies of a kind."""

    model_config = ConfigDict(extra="forbid")

    on: Place | Literal["any"]
    fault: FaultName
    times: PositiveInt = 1
    hold_seconds: PositiveFloat = 15  # accept_then_timeout

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not any(self.strikes(place) for place in PLACES):
            raise ValueError(f"{self.fault} cannot happen to {self.on}")
        return self

    def strikes(self, place: Place) -> bool:
        return self.on in (place, "any") and ONLY_AT.get(self.fault, place) == place


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    echo: bool = True
    x_post_limit: PositiveInt = 100
    x_direct_message_limit: PositiveInt = 15


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
            self._spent: dict[tuple[str, str], tuple[int, int]] = {}

    def learn(self, messages: Iterable[Message]) -> None:
        """Told twice, a message keeps the moment at which it was first posted."""
        with self.lock:
            for message in messages:
                self.messages.setdefault((message.account, message.id), message)

    def find(self, place: Place, account: str, id: str) -> Message | None:
        with self.lock:
            message = self.messages.get((account, id))
            return message if message and message.place == place else None

    def latest(self, place: Place, account: str, author: str) -> Message | None:
        wanted = (place, account, author)
        with self.lock:
            mine = [m for m in self.messages.values() if (m.place, m.account, m.author) == wanted]
            return mine[-1] if mine else None

    def said(self, account: str, kind: Kind) -> list[Reply]:
        with self.lock:
            return [r for r in self.replies if (r.account, r.kind) == (account, kind)]

    def take_fault(self, place: Place) -> Fault | None:
        with self.lock:
            fault = next((fault for fault in self.faults if fault.strikes(place)), None)
            if fault:
                fault.times -= 1
                self.faults = [fault for fault in self.faults if fault.times]
            return fault

    def spend(self, account: str, what: str, limit: int) -> Allowance:
        clock = int(time.time())
        with self.lock:
            reset, used = self._spent.get((account, what), (0, 0))
            if reset <= clock:
                reset, used = clock + LIMIT_SECONDS, 0
            self._spent[account, what] = reset, used + 1
        return Allowance(limit, limit - used - 1, reset)
