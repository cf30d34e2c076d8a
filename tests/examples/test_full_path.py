"""From a customer's complaint to an agent's answer under it: FirstReply in process, its platforms
simulated, the example worker between its queues and a helpdesk."""

import boto3
import httpx

from examples.helpdesk.memory import Memory
from tests.aws import World
from tests.examples.desk import Clock, Desk, Shop
from tests.unit.test_path import say


def test_an_agent_s_answer_is_said_once_however_often_the_worker_asks(
    connected: World, customers: httpx.Client
) -> None:
    urls = {"escalation": connected.urls["escalation.fifo"], "reply": connected.urls["reply"]}
    desk = Desk(Clock())
    memory = Memory(":memory:")
    shop = Shop(boto3.client("sqs"), urls, desk, connected.now, desk, memory)
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
    shop.memory.close()
