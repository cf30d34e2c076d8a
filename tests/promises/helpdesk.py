"""The helpdesk of a history: what it is told, what its agents ask for, and what it may count on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

# So long SQS drops what it has heard.
FORGETS: Final = timedelta(minutes=5)
# What makes a case open, or closed; and what may be told of one that is neither, open, or closed:
# what opens it again, what was on its way, and what needs nobody.
TURNS: Final = {"opened": True, "reopened": True, "closed": False}
AT_ANY_TIME: Final = {"updated", "reply_refused", "reply_sent", "withdrawn"}
MAY_BE_TOLD: Final[dict[bool | None, set[str]]] = {
    None: {"opened"},
    True: {"closed", *AT_ANY_TIME},
    False: {"reopened", *AT_ANY_TIME},
}

type Event = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What an agent wanted; `seen` is the message that they answered, or had before them."""

    request: Event
    at: datetime
    marker: str | None

    @property
    def conversation(self) -> str:
        return str(self.request["subject"])

    @property
    def seen(self) -> str | None:
        found: str | None = self.request["data"].get("in_reply_to")
        return found

    @property
    def agent(self) -> str:
        """Nobody asks twice under the same name."""
        return str(self.request["data"]["author"]["name"])

    @property
    def closes(self) -> bool:
        return bool(self.request["data"]["close_case"])

    @property
    def key(self) -> str:
        whole = f"{self.request['source']}\0{self.request['id']}"
        return "agent-" + sha256(whole.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Span:
    """A case was open: since its opener was written, until it was closed (None: it still is)."""

    since: datetime
    until: datetime | None


@dataclass
class Helpdesk:
    """`told` is in order, by event id, and `told_at` when the model noticed."""

    told: dict[str, Event] = field(default_factory=dict)
    told_at: dict[str, datetime] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    repeats: int = 0  # that SQS let through
    _heard_at: dict[str, datetime] = field(default_factory=dict)

    def hear(self, events: Iterable[Event], now: datetime) -> None:
        for event in events:
            one = event["id"]
            if one in self._heard_at and now - self._heard_at[one] < FORGETS:
                continue
            self.repeats += one in self._heard_at
            self._heard_at[one] = now
            self.told_at.setdefault(one, now)
            self.told.setdefault(one, event)

    def request(
        self, about: Event, now: datetime, text: tuple[str, str] | None, *, closes: bool
    ) -> Event:
        """An agent asks, about an event; `text` comes with its marker."""
        number = len(self.asked) + 1
        words, marker = text or ("", None)
        request = {
            "specversion": "1.0",
            "type": "firstreply.reply.requested.v1",
            "id": f"note-{number}",
            "source": "helpdesk",
            "time": now.isoformat(),
            "subject": about["subject"],
            "data": {
                "conversation": about["data"]["conversation"],
                "in_reply_to": about["data"]["message"]["id"],
                "text": words,
                "author": {"kind": "agent", "name": f"Kim the {number}."},
                "close_case": closes,
            },
        }
        self.asked.append(Asked(request, now, marker))
        return request

    # --- what it knows --------------------------------------------------------------------------

    def with_messages(self) -> list[Event]:
        return [event for event in self.told.values() if "message" in event["data"]]

    def cases(self) -> dict[str, list[Event]]:
        """By conversation."""
        found: dict[str, list[Event]] = {}
        for event in self.told.values():
            found.setdefault(event["subject"], []).append(event)
        return found

    def closed(self) -> list[str]:
        """The conversations whose cases it takes for closed."""
        return [where for where, told in self.cases().items() if _turns(told)[-1:] == ["closed"]]

    def spans(self, conversation: str, unannounced: datetime | None) -> list[Span]:
        """`unannounced`: a closing that was decided, and perhaps not told yet."""
        spans = list[Span]()
        for event in self.cases().get(conversation, []):
            if TURNS.get(kind(event)):
                written = datetime.fromisoformat(event["data"]["message"]["sent_at"])
                before = spans[-1].until if spans else None
                spans.append(Span(max(written, before or written), None))
            elif kind(event) == "closed":
                closed_at = datetime.fromisoformat(event["data"]["closed_at"])
                spans[-1] = Span(spans[-1].since, closed_at)
        if unannounced and spans and spans[-1].until is None:
            spans[-1] = Span(spans[-1].since, unannounced)
        return spans

    def told_while_open(self) -> Iterator[Event]:
        """Events that somebody looks at: of a closed case nobody reads anything."""
        for told in self.cases().values():
            is_open = False
            for event in told:
                is_open = TURNS.get(kind(event), is_open)
                if is_open:
                    yield event

    # --- what it may count on -------------------------------------------------------------------

    def check_order(self) -> None:
        for conversation, told in self.cases().items():
            assert len({e["data"]["case_id"] for e in told}) == 1, f"two cases of {conversation}"
            is_open = None
            for event in told:
                what = kind(event)
                assert what in MAY_BE_TOLD[is_open], f"{what} of a case, open: {is_open}"
                is_open = TURNS.get(what, is_open)

    def check_closings(self, is_gone: Callable[[str], bool]) -> None:
        """At the end: what came after the agent had asked is not closed with the rest, unseen."""
        by_name = {one.agent: one for one in self.asked}
        for told in self.cases().values():
            first_told = {e["data"]["message"]["id"]: e for e in reversed(told) if _message(e)}
            for at, event in ((n, e) for n, e in enumerate(told) if kind(e) == "closed"):
                asked = by_name[event["data"]["closed_by"]["name"]]
                opened = max(n for n, e in enumerate(told[:at]) if TURNS.get(kind(e)))
                unseen = [
                    e
                    for e in told[opened:at]
                    if (one := _message(e))
                    and datetime.fromisoformat(e["time"]) > asked.at
                    and not (one == asked.seen and e is first_told[one])
                ]
                if unseen and not any(is_gone(str(_message(e))) for e in unseen):
                    assert _turns(told[at:])[1:2] == ["reopened"], "closed over what nobody saw"


def kind(event: Event) -> str:
    return str(event["type"].split(".")[2])


def _turns(told: Iterable[Event]) -> list[str]:
    return [kind(event) for event in told if kind(event) in TURNS]


def _message(event: Event) -> str | None:
    found: str | None = event["data"].get("message", {}).get("id")
    return found
