"""Zendesk, through its Ticketing API. NOT RUN AGAINST THE LIVE SERVICE: built from its documents,
tested against answers of their shapes.

developer.zendesk.com/api-reference/ticketing: introduction (Idempotency-Key, rate limits),
tickets/tickets (`external_id` as a filter of the list), tickets/ticket_comments (redaction,
sideloaded users), ticket-management/incremental_exports (by cursor; needs an administrator's key;
the last minute is left out).

The case's id is the ticket's external id. The conversation is kept in a custom text field of
yours, whose number is `field`. A comment's `body` is rendered as Markdown. It cannot be changed,
but redacted: what is to be forgotten becomes ▇. A ticket that Zendesk has closed for good takes no
note: the event becomes a dead letter.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from typing import Any

from examples.helpdesk.seam import Entry, Gone, NewTicket, Ticket
from examples.helpdesk.web import Rest
from examples.helpdesk.wording import literal

PRIORITY = {"highest": "urgent", "high": "high", "normal": "normal"}
STAFF = ("agent", "admin")
MINUTE = timedelta(minutes=1)


class Zendesk:
    """`rest` stands at https://<you>.zendesk.com/api/v2/ with an e-mail/token; `field` is the
    number of the custom field."""

    def __init__(self, rest: Rest, field: int) -> None:
        self._rest, self._field = rest, field
        self._me: int | None = None

    def find(self, case_id: str, conversation: Mapping[str, str]) -> str | None:  # noqa: ARG002
        found = self._rest.get("tickets", external_id=case_id)["tickets"]
        return str(max(one["id"] for one in found)) if found else None

    def open(self, new: NewTicket) -> str:
        ticket = {
            "subject": new.title,
            "external_id": new.case_id,
            "priority": PRIORITY.get(new.priority, PRIORITY["highest"]),
            "tags": ["firstreply", new.channel],
            "custom_fields": [{"id": self._field, "value": json.dumps(dict(new.conversation))}],
            "comment": _note(new.text),
        }
        # For two hours the same key makes no second ticket; the external id does ever after.
        headers = {"idempotency-key": new.case_id}
        made = self._rest.call("POST", "tickets", json={"ticket": ticket}, headers=headers)
        return str(made["ticket"]["id"])

    def read(self, ticket_id: str) -> Ticket:
        found = self._rest.get(f"tickets/{ticket_id}")["ticket"]
        values = {one["id"]: one["value"] for one in found["custom_fields"]}
        if not values.get(self._field):
            raise Gone(f"ticket {ticket_id} is of no case")
        return Ticket(
            id=ticket_id,
            conversation=json.loads(values[self._field]),
            entries=tuple(self._entries(ticket_id)),
            closed=found["status"] in ("solved", "closed"),
        )

    def update(self, ticket: Ticket, text: str) -> None:
        self._put(ticket, {"status": "open", "comment": _note(text)})

    def forget(self, ticket: Ticket, entry: Entry, text: str) -> None:
        was = entry.text.split("\n")
        changes = SequenceMatcher(None, was, text.split("\n"), autojunk=False).get_opcodes()
        for kind, start, end, *_ in changes:
            if kind != "equal":
                # A whole block with its head: a word of it alone might stand in our mark too.
                gone = {"text": "\n".join(was[start:end])}
                path = f"tickets/{ticket.id}/comments/{entry.id}/redact"
                self._rest.call("PUT", path, json=gone)

    def close(self, ticket: Ticket, text: str) -> None:
        self._put(ticket, {"status": "solved", "comment": _note(text)})

    def changed(self, since: datetime) -> Iterator[str]:
        start = min(since, datetime.now(UTC) - MINUTE)
        query: dict[str, str | int] = {"start_time": int(start.timestamp())}
        while True:
            page = self._rest.get("incremental/tickets/cursor", **query)
            for one in page["tickets"]:
                if (one["external_id"] or "").startswith("case-") and one["status"] != "deleted":
                    yield str(one["id"])
            if page["end_of_stream"]:
                return
            query = {"cursor": page["after_cursor"]}

    def _put(self, ticket: Ticket, change: dict[str, Any]) -> None:
        self._rest.call("PUT", f"tickets/{ticket.id}", json={"ticket": change})

    def _entries(self, ticket_id: str) -> Iterator[Entry]:
        if self._me is None:
            self._me = self._rest.get("users/me")["user"]["id"]
        query: dict[str, str | int] = {"include": "users", "sort": "created_at", "page[size]": 100}
        while True:
            page = self._rest.get(f"tickets/{ticket_id}/comments", **query)
            people = {one["id"]: one for one in page["users"]}
            for one in page["comments"]:
                writer = people.get(one["author_id"], {})
                yield Entry(
                    id=str(one["id"]),
                    text=one["body"],
                    at=datetime.fromisoformat(one["created_at"]),
                    public=one["public"],
                    ours=one["author_id"] == self._me,
                    agent=writer.get("role") in STAFF,
                    by=writer.get("name"),
                )
            if not page["meta"]["has_more"]:
                return
            query["page[after]"] = page["meta"]["after_cursor"]


def _note(text: str) -> dict[str, Any]:
    return {"body": literal(text), "public": False}
