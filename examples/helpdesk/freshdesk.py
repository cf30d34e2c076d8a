"""Freshdesk, through its API v2. NOT RUN AGAINST THE LIVE SERVICE: built from its documents, tested
against answers of their shapes.

developers.freshdesk.com/api: Authentication, Rate Limit, Tickets (create, list: without
`updated_since` only thirty days), Conversations (notes, replies), Agents (the one of this key).

Its search lags behind by minutes, so a ticket that was just opened is found in the list of its
requester, which does not. So each conversation is a contact, by its key as `unique_external_id`.
The case and its conversation are kept in two custom text fields, `cf_firstreply_case` and
`cf_firstreply_conversation`. Texts are HTML there.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from examples.helpdesk.seam import Entry, Gone, NewTicket, Refused, Ticket
from examples.helpdesk.web import Rest

PRIORITY = {"highest": 4, "high": 3, "normal": 2}
OPEN, RESOLVED, CLOSED = 2, 4, 5
PAGE = 100
EVER = "2000-01-01T00:00:00Z"
DESCRIPTION = "description"


class Freshdesk:
    """`rest` stands at https://<you>.freshdesk.com/api/v2/ with the key as user and "X"."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._me: int | None = None

    def find(self, case_id: str, conversation: Mapping[str, str]) -> str | None:
        requester = _requester(conversation)
        try:
            for one in self._pages("tickets", unique_external_id=requester, updated_since=EVER):
                if one["custom_fields"].get("cf_firstreply_case") == case_id:
                    return str(one["id"])
        except Refused:  # it knows no such contact, and answers 400
            return None
        return None

    def open(self, new: NewTicket) -> str:
        body = {
            "subject": new.title,
            "description": _html(new.text),
            "status": OPEN,
            "priority": PRIORITY.get(new.priority, PRIORITY["highest"]),
            "unique_external_id": _requester(new.conversation),
            "name": f"Customer on {new.channel}",
            "tags": ["firstreply", new.channel],
            "custom_fields": {
                "cf_firstreply_case": new.case_id,
                "cf_firstreply_conversation": json.dumps(dict(new.conversation)),
            },
        }
        return str(self._rest.call("POST", "tickets", json=body)["id"])

    def read(self, ticket_id: str) -> Ticket:
        if self._me is None:
            self._me = self._rest.get("agents/me")["id"]
        found = self._rest.get(f"tickets/{ticket_id}")
        conversation = found["custom_fields"].get("cf_firstreply_conversation")
        if not conversation:
            raise Gone(f"ticket {ticket_id} is of no case")
        description = Entry(
            id=DESCRIPTION,
            text=_text(found["description"]),
            at=datetime.fromisoformat(found["created_at"]),
            public=False,
            ours=True,
            agent=False,
        )
        said = sorted(self._pages(f"tickets/{ticket_id}/conversations"), key=lambda one: one["id"])
        return Ticket(
            id=ticket_id,
            conversation=json.loads(conversation),
            entries=(description, *(self._entry(one) for one in said)),
            closed=found["status"] in (RESOLVED, CLOSED),
        )

    def update(self, ticket: Ticket, text: str) -> None:
        # First: a kill in between leaves it open and untold, and the next try tells it.
        if ticket.closed:
            self._rest.call("PUT", f"tickets/{ticket.id}", json={"status": OPEN})
        self._note(ticket, text)

    def forget(self, ticket: Ticket, entry: Entry, text: str) -> None:
        if entry.id == DESCRIPTION:
            self._rest.call("PUT", f"tickets/{ticket.id}", json={"description": _html(text)})
        else:
            self._rest.call("PUT", f"conversations/{entry.id}", json={"body": _html(text)})

    def close(self, ticket: Ticket, text: str) -> None:
        # The other way round, so that it is never closed without saying why.
        if not any(one.ours and one.text == text for one in ticket.entries):
            self._note(ticket, text)
        self._rest.call("PUT", f"tickets/{ticket.id}", json={"status": CLOSED})

    def changed(self, since: datetime) -> Iterator[str]:
        query = {"updated_since": since.isoformat(), "order_by": "updated_at", "order_type": "asc"}
        for one in self._pages("tickets", **query):
            if one["custom_fields"].get("cf_firstreply_case"):
                yield str(one["id"])

    def _note(self, ticket: Ticket, text: str) -> None:
        body = {"body": _html(text), "private": True}
        self._rest.call("POST", f"tickets/{ticket.id}/notes", json=body)

    def _entry(self, one: dict[str, Any]) -> Entry:
        return Entry(
            id=str(one["id"]),
            text=_text(one["body"]),
            at=datetime.fromisoformat(one["created_at"]),
            public=not one["private"],
            ours=one["user_id"] == self._me,
            agent=not one["incoming"],
        )

    def _pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            found = self._rest.get(path, **query, page=page, per_page=PAGE)
            yield from found
            if len(found) < PAGE:
                return
            page += 1


def _requester(conversation: Mapping[str, str]) -> str:
    return "#".join(conversation[name] for name in ("channel", "account", "customer"))


def _html(text: str) -> str:
    return "<div>" + "<br>".join(html.escape(line) for line in text.split("\n")) + "</div>"


def _text(body: str) -> str:
    """The words of a note as we wrote it, or as an agent's editor did."""
    lines = re.sub(r"<br\s*/?>|</(?:div|p|li)>", "\n", body)
    return html.unescape(re.sub(r"<[^>]*>", "", lines)).replace("\xa0", " ").strip()
