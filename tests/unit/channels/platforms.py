"""The platforms as the channels meet them: the simulator over HTTP, or one that only records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from firstreply.channels import Knock
from firstreply.message import Message, Reply, Update
from firstreply.platform import Platform
from local.simulator import DEMO_SECRET
from tests.simulator.client import Receiver
from tests.unit.channels.samples import named

CHANNEL = {
    "facebook_comment": "meta",
    "facebook_post": "meta",
    "instagram_comment": "meta",
    "messenger": "meta",
    "instagram_message": "meta",
    "x_mention": "x",
    "x_direct_message": "x",
}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXT = "Hi Ada, we're sorry about this. A colleague has your message & will look into it. 🙏"


def settings(url: str) -> Callable[[str], str]:
    return {
        "GRAPH_API_URL": f"{url}/graph",
        "INSTAGRAM_API_URL": f"{url}/instagram",
        "GRAPH_API_VERSION": "v26.0",
        "X_API_URL": f"{url}/x",
    }.__getitem__


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """Both platforms on this machine, and a webhook that keeps what they deliver."""

    control: httpx.Client
    http: httpx.Client
    receiver: Receiver

    def platform(self, name: str, secret: Mapping[str, Any] | None = None) -> Platform:
        url = str(self.control.base_url).rstrip("/")
        return Platform(
            self.http, settings(url), DEMO_SECRET[name] if secret is None else secret, clock
        )

    def hear(self, place: str, text: str = "Where is my bag?", **more: object) -> Message:
        """What a customer wrote, as it was delivered, signed and read."""
        update = self.told(place, text, **more)
        assert isinstance(update, Message)
        return update

    def told(self, place: str, text: str = "Where is my bag?", **more: object) -> Update:
        ada = {"author": {"name": "Ada"}}
        self.order("/say", place=place, text=text, **(ada | more))
        name = "x" if place.startswith("x_") else "meta"
        delivered, channel = self.receiver.delivered[-1], named(name)
        headers = {name.lower(): value for name, value in delivered.headers.items()}
        knock = Knock(headers=headers, body=delivered.raw)
        assert channel.is_signed(knock, DEMO_SECRET[name])
        (update,) = channel.parse(delivered.raw)
        return update

    def order(self, path: str, **what: object) -> None:
        self.control.post(path, json=what).raise_for_status()

    def said(self) -> list[dict[str, Any]]:
        replies: list[dict[str, Any]] = self.control.get("/said").raise_for_status().json()
        return replies

    def calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = self.control.get("/calls").raise_for_status().json()
        return calls

    def send(self, reply: Reply) -> str:
        name = reply.message.conversation.channel
        return named(name).send(reply, self.platform(name))

    def find(self, reply: Reply) -> str | None:
        name = reply.message.conversation.channel
        return named(name).find_reply(reply, self.platform(name))


def answer_to(message: Message, text: str = TEXT, kind: str = "ack") -> Reply:
    return Reply(key=f"{message.id}#{kind}", message=message, text=text)


class Recorder:
    """A platform that answers one thing, and keeps what it was asked."""

    def __init__(self, status: int, content: object, headers: Mapping[str, str]) -> None:
        self.asked: list[httpx.Request] = []
        self._status, self._content, self._headers = status, content, headers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self._content, bytes):
            return httpx.Response(self._status, content=self._content, headers=self._headers)
        return httpx.Response(self._status, json=self._content, headers=self._headers)

    def platform(self, name: str, at: datetime = NOON) -> Platform:
        http = httpx.Client(transport=httpx.MockTransport(self))
        setting = settings("https://platform.example")
        return Platform(http, setting, DEMO_SECRET[name], lambda: at)
