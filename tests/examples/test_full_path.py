"""From a customer's complaint to an agent's answer under it: FirstReply in process, its platforms
simulated, the example worker between its queues and a helpdesk."""

from collections.abc import Iterator
from datetime import timedelta

import boto3
import httpx
import pytest

from examples.helpdesk.memory import Memory
from examples.helpdesk.seam import Refused
from tests.aws import World
from tests.examples.desk import Clock, Desk, Shop
from tests.unit.test_path import say


@pytest.fixture
def helpdesk(connected: World) -> Iterator[Shop]:
    urls = {"escalation": connected.urls["escalation.fifo"], "reply": connected.urls["reply"]}
    desk = Desk(Clock())
    shop = Shop(boto3.client("sqs"), urls, desk, connected.now, desk, Memory(":memory:"))
    yield shop
    shop.memory.close()


def test_an_agent_s_answer_is_said_once_however_often_the_worker_asks(
    connected: World, customers: httpx.Client, helpdesk: Shop
) -> None:
    shop, desk = helpdesk, helpdesk.desk
    complaint = say(customers, "facebook_comment", "My parcel is broken 😡 and nobody answers!")
    connected.drain()
    shop.work()
    (ticket_id,) = desk.tickets
    desk.answer(ticket_id, "Ada, your new parcel left today. Sam")
    shop.outlet.look()
    connected.drain()
    shop.start(without_memory=True)
    say(customers, "facebook_comment", "My parcel is broken and still nobody answers!")
    connected.drain()
    shop.work()
    shop.outlet.look()
    connected.drain()
    said = [one for one in customers.get("/said").json() if "Sam" in one["text"]]
    assert [one["in_reply_to"] for one in said] == [complaint["id"]]


@pytest.mark.parametrize("memory", ["kept", "lost"])
@pytest.mark.parametrize("note", [True, False])
def test_what_the_agent_has_not_seen_does_not_stay_closed(
    connected: World, customers: httpx.Client, helpdesk: Shop, note: bool, memory: str
) -> None:
    """The helpdesk takes the second message late; meanwhile the agent closes the ticket."""
    shop, desk = helpdesk, helpdesk.desk
    desk.clock = connected.now

    def complain(text: str) -> None:
        connected._ahead += timedelta(minutes=2)
        sent_at, ada = connected.now().isoformat(), {"id": "4711", "name": "Ada"}
        say(customers, "messenger", text, sent_at=sent_at, author=ada)
        connected.drain()
        shop.work()

    def fail(call: str, about: str) -> None:
        if call == "update":
            raise Refused("PUT tickets: 409")

    complain("My kettle stopped working and nobody answers")
    (ticket_id,) = desk.tickets
    desk.fails = fail
    complain("It is burning now, please help!")
    assert "burning" not in str(desk.tickets)
    if note:
        desk.answer(ticket_id, "Told her how to descale it", public=False)
    desk.solve(ticket_id)
    shop.outlet.look()
    desk.fails = lambda call, about: None
    shop.let_time_pass()
    connected.drain()
    while shop.intake.turn(long_poll=0):  # whatever the ticket is like on the way
        if memory == "lost":
            shop.start(without_memory=True)
        shop.outlet.look()
        connected.drain()
    assert "burning" in str(desk.tickets)
    assert not desk.tickets[ticket_id].closed
    (case,) = connected.items("CASE")
    assert case["is_open"] is True
    desk.solve(ticket_id)
    shop.outlet.look()
    connected.drain()
    shop.work()
    (case,) = connected.items("CASE")
    assert case["is_open"] is False
    assert desk.tickets[ticket_id].closed
