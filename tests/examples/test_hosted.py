"""The adapters for Zendesk and Freshdesk, over HTTP, against their documents' shapes: what every
adapter must keep, in one table. Neither was run against the live service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from flask import Flask

from examples.helpdesk import wording
from examples.helpdesk.freshdesk import Freshdesk
from examples.helpdesk.seam import Down, Gone, Helpdesk, NewTicket, Refused
from examples.helpdesk.web import Rest
from examples.helpdesk.zendesk import Zendesk
from tests.examples.desk import event
from tests.examples.hosted import AGENT, CUSTOMER, FIELD, Hosted, freshdesk, zendesk
from tests.examples.sqs import serving

CONVERSATION = {"channel": "meta", "account": "9", "customer": "1"}
MARK = "[firstreply 0123456789abcdef m1]"
TEXT = f"Chidi, comment [message 0a1b2c3d4e5f]\n> My <b>bag</b> & “co”\n>   is lost\n{MARK}"


@dataclass
class Service:
    adapter: Helpdesk
    desk: Hosted
    comment: Callable[..., Any]  # (ticket, body, user, public=…)


@pytest.fixture(params=["zendesk", "freshdesk"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    desk, app = Hosted(), Flask("none")
    auth: tuple[str, str] = ("worker@example.com/token", "key")
    if request.param == "zendesk":
        app = zendesk(desk)
    else:
        app, auth = freshdesk(desk), ("key", "X")
    with (
        serving(app) as url,
        httpx.Client(base_url=f"{url}/api/v2/", auth=auth, timeout=5) as http,
    ):
        rest = Rest(http)
        adapter: Helpdesk = Zendesk(rest, FIELD) if request.param == "zendesk" else Freshdesk(rest)
        yield Service(adapter, desk, app.config["comment"])


def new(case: str = "case-1", text: str = TEXT) -> NewTicket:
    due = datetime(2026, 11, 22, 13, tzinfo=UTC)
    return NewTicket(case, CONVERSATION, "facebook", "facebook: bag", text, "high", due)


def test_what_is_opened_is_found_at_once_and_read_as_written(service: Service) -> None:
    find = service.adapter.find
    assert find("case-1", CONVERSATION) is None
    ticket_id = service.adapter.open(new())
    assert find("case-1", CONVERSATION) == ticket_id
    assert find("case-2", CONVERSATION) is None
    ticket = service.adapter.read(ticket_id)
    assert (ticket.conversation, ticket.closed) == (CONVERSATION, False)
    (entry,) = ticket.entries
    assert entry.text in (TEXT, wording.literal(TEXT))
    assert (entry.ours, entry.public) == (True, False)


def test_notes_come_in_order_and_who_wrote_them_is_known(service: Service) -> None:
    ticket_id = service.adapter.open(new())
    service.adapter.update(service.adapter.read(ticket_id), TEXT)
    number = int(ticket_id)
    service.comment(number, "We look into it.", AGENT, public=True)
    service.comment(number, "For us.", AGENT, public=False)
    service.comment(number, "Me too!", CUSTOMER, public=True)
    entries = service.adapter.read(ticket_id).entries
    assert [entry.text for entry in entries[1:]] == [
        entries[0].text,
        "We look into it.",
        "For us.",
        "Me too!",
    ]
    assert [(e.ours, e.agent, e.public) for e in entries[1:]] == [
        (True, entries[1].agent, False),
        (False, True, True),
        (False, True, False),
        (False, False, True),
    ]
    assert len(list(wording.marks(entries))) == 2


def test_a_customer_s_words_are_shown_as_words(service: Service) -> None:
    """Zendesk renders Markdown, Freshdesk HTML."""
    words = "<img src=x> ![x](https://evil.example/x.png)\n```\r~~~\n# Big"
    opened = wording.opening(event("opened", text=words))
    ticket_id = service.adapter.open(new(text=opened))
    service.adapter.update(service.adapter.read(ticket_id), opened)
    said = [one["body"] for one in service.desk.said[int(ticket_id)]]
    if isinstance(service.adapter, Freshdesk):
        said.append(service.desk.tickets[int(ticket_id)]["description"])
        assert not [body for body in said if re.search("<(?!/?div>|br>)", body)]
    else:
        for body in said:
            first, *lines, last = body.splitlines()
            assert (first, last) == ("```", "```")
            assert not [line for line in lines if line.lstrip().startswith("```")]
    assert len(said) == 2


def test_many_notes_are_read_page_by_page(service: Service) -> None:
    ticket_id = service.adapter.open(new())
    for number in range(250):
        service.comment(int(ticket_id), f"note {number}", AGENT, public=False)
    texts = [entry.text for entry in service.adapter.read(ticket_id).entries]
    assert texts[1:] == [f"note {number}" for number in range(250)]


def test_what_is_forgotten_is_gone_and_the_marks_stay(service: Service) -> None:
    opened = event("opened", "m1", "1\nIt broke\n\nand I am furious")
    text = wording.opening(opened)
    ticket_id = service.adapter.open(new(text=text))
    service.adapter.update(service.adapter.read(ticket_id), text)
    ticket = service.adapter.read(ticket_id)
    for entry in ticket.entries:
        service.adapter.forget(ticket, entry, wording.without(entry.text, "m1"))
    after = service.adapter.read(ticket_id)
    for word in ("broke", "furious", "sorry about this", "Chidi"):
        assert word not in str(service.desk.tickets) + str(service.desk.said)
    assert list(wording.marks(after.entries)) == list(wording.marks(ticket.entries))
    for entry in after.entries:
        service.adapter.forget(after, entry, wording.without(entry.text, "m1"))
    assert service.adapter.read(ticket_id).entries == after.entries, "again it changes nothing"


def test_a_closed_ticket_is_opened_by_news(service: Service) -> None:
    ticket_id = service.adapter.open(new())
    service.adapter.close(service.adapter.read(ticket_id), "Closed by Sam")
    closed = service.adapter.read(ticket_id)
    assert closed.closed
    assert "Closed by Sam" in closed.entries[-1].text
    service.adapter.update(closed, TEXT)
    assert not service.adapter.read(ticket_id).closed


def test_a_closing_that_was_cut_short_is_noted_once() -> None:
    desk = Hosted()
    with (
        serving(freshdesk(desk)) as url,
        httpx.Client(base_url=f"{url}/api/v2/", auth=("key", "X"), timeout=5) as http,
    ):
        adapter = Freshdesk(Rest(http))
        ticket_id = adapter.open(new())
        for _ in range(2):
            desk.tickets[int(ticket_id)]["status"] = 2
            adapter.close(adapter.read(ticket_id), "Closed by Sam")
        ticket = adapter.read(ticket_id)
    assert ticket.closed
    assert [entry.text for entry in ticket.entries[1:]] == ["Closed by Sam"]


def test_what_changed_is_of_cases_only(service: Service) -> None:
    made = {service.adapter.open(new(f"case-{number}")) for number in range(3)}
    other = service.adapter.open(new(case=""))
    found = set(service.adapter.changed(datetime.now(UTC) - timedelta(minutes=10)))
    assert found == made
    assert other not in found
    assert set(service.adapter.changed(datetime.now(UTC))) >= made, "the last minute too"


@pytest.mark.parametrize(
    ("status", "headers", "error", "after"),
    [
        (429, {"retry-after": "13"}, Down, 13),
        (429, {}, Down, None),
        (503, {}, Down, None),
        (401, {}, Down, None),
        (404, {}, Gone, None),
        (422, {}, Refused, None),
    ],
)
def test_what_to_do_next_follows_from_the_answer(
    service: Service, status: int, headers: dict[str, str], error: type[Exception], after: Any
) -> None:
    details = {"subject": [{"description": "my secret words: too long"}]}
    errors = [{"field": "subject", "message": "my secret words: too long"}]
    for body in ({"error": "RecordInvalid", "details": details}, {"errors": errors}, "my secret"):
        service.desk.trouble = [(status, headers, body)]
        with pytest.raises(error) as raised:
            service.adapter.open(new())
        assert getattr(raised.value, "after", None) == after
        assert "secret" not in str(raised.value)


def test_who_cannot_be_reached_is_down() -> None:
    with httpx.Client(base_url="http://127.0.0.1:9/") as http, pytest.raises(Down):
        Freshdesk(Rest(http)).read("1")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"location": "/login"}),
        httpx.Response(301, json={}),
        httpx.Response(200, html="<title>Maintenance</title>"),
        httpx.Response(200),
        httpx.Response(200, text="[" * 200_000),
    ],
)
def test_somebody_else_s_answer_is_none(answer: httpx.Response) -> None:
    """A proxy's page for maintenance, a way to log in."""
    transport = httpx.MockTransport(lambda request: answer)
    with httpx.Client(base_url="http://desk.example/", transport=transport) as http:
        for method in ("GET", "POST"):
            with pytest.raises(Down):
                Rest(http).call(method, "tickets")


@pytest.mark.parametrize(
    "said",
    [
        {"errors": "subject: my secret card is 4111"},
        {"errors": 5},
        {"errors": [["my secret"], None, {"field": ["my secret"]}]},
        {"my secret broke": ["invalid"]},
        {"errors": {"my secret": {"deep": "my secret"}}},
        "my secret",
        None,
    ],
)
def test_of_a_refusal_only_our_own_names_are_told(said: object) -> None:
    said = {**said, "subject": ["my secret"]} if isinstance(said, dict) else said
    transport = httpx.MockTransport(lambda request: httpx.Response(422, json=said))
    with (
        httpx.Client(base_url="http://desk.example/", transport=transport) as http,
        pytest.raises(Refused) as raised,
    ):
        Rest(http).call("POST", "tickets", json={"ticket": {"subject": "my secret"}})
    names = " subject" if isinstance(said, dict) else ""
    assert str(raised.value) == f"POST tickets: 422{names}"


def test_zendesk_takes_the_case_as_idempotency_key() -> None:
    desk = Hosted()
    with (
        serving(zendesk(desk)) as url,
        httpx.Client(base_url=f"{url}/api/v2/", auth=("worker@example.com/token", "key")) as http,
    ):
        adapter = Zendesk(Rest(http), FIELD)
        assert adapter.open(new()) == adapter.open(new())
        desk.tickets[int(adapter.open(new()))]["status"] = "closed"
        with pytest.raises(Refused, match="422 status"):
            adapter.update(adapter.read("101"), TEXT)
