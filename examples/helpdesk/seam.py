"""What the worker needs of a helpdesk: seven calls. An adapter is one class that has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """Something written in a ticket: its description, a note, a comment."""

    id: str
    text: str
    at: datetime
    public: bool  # meant for the customer
    ours: bool  # written by this worker's own user
    agent: bool  # written by a person of the helpdesk
    by: str | None = None  # that person's name, if the helpdesk tells


@dataclass(frozen=True, slots=True)
class Ticket:
    """A case in the helpdesk."""

    id: str
    conversation: Mapping[str, str]  # FirstReply's, as it came: channel, account, customer
    entries: tuple[Entry, ...]  # oldest first
    closed: bool


@dataclass(frozen=True, slots=True)
class NewTicket:
    case_id: str
    conversation: Mapping[str, str]
    channel: str
    title: str
    text: str
    priority: str  # highest, high, normal; more may come
    due_at: datetime


class HelpdeskError(Exception):
    """What to do next tells them apart; none carries a customer's words.

    HelpdeskError
     ├─ Down      not reachable, too busy, our key is refused: nobody can go on; ask again later
     ├─ Refused   it does not take this one, nor will it later: a human should look
     └─ Gone      the ticket is not there, or is of no case
    """


class Down(HelpdeskError):
    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after  # seconds, when the helpdesk says how long


class Refused(HelpdeskError):
    pass


class Gone(HelpdeskError):
    pass


class Helpdesk(Protocol):
    """The helpdesk keeps the state: which ticket is whose case, and what it was told (the marks
    in our own entries). Every call may raise a HelpdeskError, and may have worked nevertheless."""

    def find(self, case_id: str, conversation: Mapping[str, str]) -> str | None:
        """The ticket's id. It must see a ticket that was opened a moment ago."""

    def open(self, new: NewTicket) -> str: ...

    def read(self, ticket_id: str) -> Ticket: ...

    def update(self, ticket: Ticket, text: str) -> None:
        """A note for agents only. It opens a closed ticket again: somebody should look."""

    def forget(self, ticket: Ticket, entry: Entry, text: str) -> None:
        """`text` is what may stay of one of our own entries."""

    def close(self, ticket: Ticket, text: str) -> None:
        """With a note for agents."""

    def changed(self, since: datetime) -> Iterable[str]:
        """The tickets of cases in which anything was written since."""
