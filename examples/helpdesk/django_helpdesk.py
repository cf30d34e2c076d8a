"""django-helpdesk (2.6), through its REST API. A test runs it against the real program.

The site needs nothing but a staff user of its own for the worker. Case and conversation stand in
the last line of what we open a ticket with. What its source says, and a try confirmed:

* `views/staff.py`, `forms.py`: an agent's answer in the browser empties all custom fields, unless
  HELPDESK_SHOW_CUSTOM_FIELDS_FOLLOW_UP_LIST names some. No place for a case's id.
* `views/api.py`: tickets can be filtered by status alone. To find one, all are read, 100 a page: a
  helpdesk of very many tickets wants a filter there. `Memory` spares it for every known case.
* `update_ticket.py`: a follow-up's comment is rendered as a Django template, and one that is none
  ("{% oops") is a 500. See `_untouched`.
* `models.py`, get_markdown: descriptions and comments are shown as Markdown. See `_shown`.
* `templated_email.py`: a comment gets into the mail to the ticket's owner as HTML. See `_shown`.
* `update_ticket.py`: "#42" in a comment writes into ticket 42. HELPDESK_ENABLE_BACKLINKS = False.
* `webhooks.py`: its webhooks are not signed and not repeated, so they only tell us to look.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from examples.helpdesk.seam import Entry, Gone, NewTicket, Ticket
from examples.helpdesk.web import Rest
from examples.helpdesk.wording import literal

PAGE = 100
OPEN, REOPENED, RESOLVED, CLOSED = 1, 2, 3, 4
_CASE = re.compile(r"^\[firstreply-case (\S+) (\{.*\})\]$", re.MULTILINE)
PRIORITY = {"highest": 1, "high": 2, "normal": 3}


class DjangoHelpdesk:
    """`rest` stands at …/api/ with the worker's token; `user` is that user's id."""

    def __init__(self, rest: Rest, queue: int, user: int) -> None:
        self._rest, self._queue, self._user = rest, queue, user

    def find(self, case_id: str, conversation: Mapping[str, str]) -> str | None:  # noqa: ARG002
        for ticket in self._all("tickets/"):
            if self._case(ticket)[0] == case_id:
                return str(ticket["id"])
        return None

    def open(self, new: NewTicket) -> str:
        conversation = json.dumps(dict(new.conversation))
        body = {
            "queue": self._queue,
            "title": new.title[:200],
            "description": _shown(f"{new.text}\n[firstreply-case {new.case_id} {conversation}]"),
            "priority": PRIORITY.get(new.priority, PRIORITY["highest"]),
            "due_date": new.due_at.isoformat(),
        }
        return str(self._rest.call("POST", "tickets/", json=body)["id"])

    def read(self, ticket_id: str) -> Ticket:
        found = self._rest.get(f"tickets/{ticket_id}/")
        case_id, conversation = self._case(found)
        if not case_id:
            raise Gone(f"ticket {ticket_id} is of no case")
        entries = sorted(found["followup_set"], key=lambda one: int(one["id"]))
        return Ticket(
            id=ticket_id,
            conversation=json.loads(conversation),
            entries=tuple(self._entry(one) for one in entries),
            closed=found["status"] in (RESOLVED, CLOSED),
        )

    def update(self, ticket: Ticket, text: str) -> None:
        self._follow_up(ticket, text, REOPENED if ticket.closed else None)

    def forget(self, ticket: Ticket, entry: Entry, text: str) -> None:
        if entry.id == ticket.entries[0].id:
            self._rest.call("PATCH", f"tickets/{ticket.id}/", json={"description": text})
        # Not rendered here: that is only done to new ones.
        self._rest.call("PATCH", f"followups/{entry.id}/", json={"comment": text})

    def close(self, ticket: Ticket, text: str) -> None:
        self._follow_up(ticket, text, CLOSED)

    def changed(self, since: datetime) -> Iterator[str]:
        seen = set()
        for one in self._newest("followups/"):
            if datetime.fromisoformat(one["date"]) < since:
                return
            if one["user"] not in (None, self._user) and one["ticket"] not in seen:
                seen.add(one["ticket"])
                yield str(one["ticket"])

    def _follow_up(self, ticket: Ticket, text: str, status: int | None) -> None:
        comment = _untouched(_shown(text))
        body: dict[str, Any] = {"ticket": ticket.id, "comment": comment, "public": False}
        if status is not None:
            body["new_status"] = status
        self._rest.call("POST", "followups/", json=body)

    def _case(self, ticket: dict[str, Any]) -> tuple[str, str]:
        """Its id and its conversation, as JSON; empty, if it is of none."""
        for one in ticket["followup_set"]:
            if one["user"] == self._user and (found := _CASE.search(one["comment"] or "")):
                return found[1], found[2]
        return "", ""

    def _entry(self, one: dict[str, Any]) -> Entry:
        return Entry(
            id=str(one["id"]),
            text=one["comment"] or "",
            at=datetime.fromisoformat(one["date"]),
            public=one["public"],
            ours=one["user"] == self._user,
            agent=one["user"] is not None,  # it keeps the user of staff alone
        )

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            found = self._rest.get(path, page=page, page_size=PAGE)
            yield from found["results"]
            if not found["next"]:
                return
            page += 1

    def _newest(self, path: str) -> Iterator[dict[str, Any]]:
        """By date, the newest first. What comes meanwhile moves nothing: they are counted from the
        oldest."""
        total = self._rest.get(path, page_size=1)["count"]
        for page in range(-(-total // PAGE), 0, -1):
            yield from reversed(self._rest.get(path, page=page, page_size=PAGE)["results"])


def _shown(text: str) -> str:
    """As it is, on the page and in mails: a customer's HTML would be HTML there."""
    return literal(text).replace("<", "‹")


def _untouched(text: str) -> str:
    """Rendered as a template, the text itself."""
    return re.sub(r"[{}]", lambda brace: '{{ "' + brace[0] + '" }}', text)
