"""All that happens to a stack, once: what it calls, counts and logs is then all that it ever does.

Whatever customers and agents say and are called begins with a word of WORDS, which no log may hold.
"""

import json
from base64 import b64encode
from datetime import timedelta
from random import Random
from typing import Any

import boto3
import httpx

from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.sink import URL, Sink
from tests.unit.channels.samples import body, sealed, standard_headers
from tests.unit.test_generic_path import review
from tests.unit.test_helpdesk import answer_to
from tests.unit.test_meta_path import agent, happen
from tests.unit.test_path import PLACES, say

WORDS = ("quasarish", "zebulon", "zeb@mail.example", "zeb-site")
COMPLAINT = "Your quasarish app keeps crashing and nobody answers, write to zeb@mail.example"
QUESTION = "What time do you open on Sunday, quasarish friends?"
PRAISE = "Lovely quasarish crew, thank you"
FAULTS = ("server_error", "gone", "rate_limited", "accept_then_disconnect", "token_expired")
SITE = f"{URL}&zeb-site=1"


def everything(stack: World, customers: httpx.Client, sink: Sink) -> None:
    """Messages everywhere, faults, agents, other sources, what nobody signed; in the end nothing
    can be stored any more."""
    other_sources(stack, sink)  # while the stack's clock is still the sink's
    a_case_s_life(stack, customers)
    for place in PLACES:
        for text in (COMPLAINT, QUESTION, PRAISE):
            talk(stack, customers, place, text, times=2)
        talk(stack, customers, place, QUESTION, author=called("impatient"))
        talk(stack, customers, place, QUESTION, author=called("impatient"))
        stack.drain()
    unreadable(stack, customers)
    a_reply_fails_before_its_message_is_told(stack, customers)
    other_updates(stack, customers)
    for fault in FAULTS:
        for place in PLACES:
            customers.post("/faults", json={"on": place, "fault": fault}).raise_for_status()
            for text in (COMPLAINT, QUESTION):
                talk(stack, customers, place, text, author=called(fault))
        stack.drain()
    unreachable(stack, customers)
    not_signed(stack, customers)
    boto3.client("dynamodb").delete_table(TableName="inbox")
    raw = body({"object": "page", "entry": [], "zebulon": "quasarish"})
    assert deliver(stack, "meta", raw) == 500


def called(what: str) -> dict[str, str]:
    return {"name": f"Zebulon {what}"}  # on X, the handle is made of it


def talk(stack: World, customers: httpx.Client, place: str, text: str, **more: Any) -> Any:
    said = {"author": called("anybody"), "sent_at": stack.now().isoformat(), **more}
    return say(customers, place, text, **said)


def deliver(stack: World, channel: str, raw: bytes) -> int:
    """Signed as it should be, at the stack's own time."""
    keys = DEMO_SECRET[channel]
    name = next(one for one in ("app_secrets", "consumer_secrets", "secrets") if one in keys)
    key = keys[name][0]
    if name == "secrets":
        headers = standard_headers(key, raw, at=stack.now())
    else:
        headers = sealed(channel, key, raw)
    answer = stack.knock(channel, b64encode(raw).decode(), headers, encoded=True)
    return int(answer["statusCode"])


def other_updates(stack: World, customers: httpx.Client) -> None:
    """Mentions that are fetched; edits, removals, a human in the platform's app, a deletion."""
    for place in ("facebook_mention", "instagram_mention"):
        fault = {"on": "any", "fault": "graph_error", "code": 4, "at": "read"}
        customers.post("/faults", json=fault).raise_for_status()
        talk(stack, customers, place, COMPLAINT)
        stack.drain()
    zed = {"author": {"id": "9", **called("to be forgotten")}}
    commented = talk(stack, customers, "facebook_comment", COMPLAINT, **zed)
    stack.drain()
    agent(stack, stack.events()[-1], "quasarish: we are on it")
    about = {"id": commented["id"]}
    for what, more in (
        ("answer", {"in_reply_to": commented["id"], "text": "quasarish: we are on it"}),
        ("edit", {**about, "text": f"{COMPLAINT}!"}),
        ("hide", about),
        ("remove", {**about, "with_author": False}),
        ("delete_data", {"person": "9"}),
    ):
        customers.post(f"/{what}", json=more).raise_for_status()
        stack.drain()


def a_case_s_life(stack: World, customers: httpx.Client) -> None:
    """Opened, answered and closed through the helpdesk's entrance, opened again, and answered in
    the platform's own app."""
    zed: dict[str, Any] = {"author": {"id": "4711", **called("with a case")}}
    talk(stack, customers, "messenger", COMPLAINT, **zed)
    stack.drain()
    opened = stack.events()[-1]
    request = answer_to(opened, "Zebulon here: your quasarish kettle is on its way.")
    request["data"] |= {"close_case": True, "author": {"kind": "agent", "name": "Zebulon"}}
    assert deliver(stack, "helpdesk", body(request)) == 200
    stack.drain()
    other = request | {"traceparent": "00-1", "data": request["data"] | {"text": "quasarish!"}}
    assert deliver(stack, "helpdesk", body(other)) == 200  # the same request, for something else
    assert deliver(stack, "helpdesk", body([{**request, "id": None}])) == 200
    stack.drain()
    stack._ahead += timedelta(minutes=31)
    talk(stack, customers, "messenger", COMPLAINT, sent_at=stack.now().isoformat(), **zed)
    stack.drain()
    lives = [one["type"].split(".")[2] for one in stack.bodies("escalation.fifo")]
    assert {"reply_sent", "closed", "reopened"} <= set(lives)
    waiting = say(customers, "x_mention", COMPLAINT, author=called("waiting"))
    stack.drain()
    answer = {"in_reply_to": waiting["id"], "text": "quasarish: a human is here"}
    happen(customers, "answer", **answer)
    stack.drain()


def other_sources(stack: World, sink: Sink) -> None:
    """A review that is answered, edited and withdrawn, and what is none of ours."""
    first = review(
        text=COMPLAINT,
        author={"id": "1", "name": "Zebulon"},
        reply_url=SITE,
        sent_at=stack.now().isoformat(),
    )
    now = stack.now().isoformat()
    for told in (
        first,
        first | {"text": f"{COMPLAINT}!", "edited_at": now},
        {name: first[name] for name in ("source", "account", "id")} | {"removed_at": now},
        [first | {"id": "another", "kind": "quasarish"}],
    ):
        raw = body(told)
        assert deliver(stack, "generic", raw) == 200
        stack.drain()
    assert sink.published


def unreadable(stack: World, customers: httpx.Client) -> None:
    for channel in ("meta", "x", "generic", "helpdesk"):
        raw = b'{"text": "quasarish zebulon" not json'
        assert deliver(stack, channel, raw) == 200
    # In parts; and of an account that is not in the secret; and of nothing that we listen to.
    for entry in ([], [{"id": "999", "time": 1, "changes": []}]):
        large = {"object": "page", "entry": entry, "filler": Random(1).randbytes(800_000).hex()}
        customers.post("/deliver", json={"channel": "meta", "body": large}).raise_for_status()
    stack.pump_inbox()
    reply = answer_to(
        {
            "data": {
                "conversation": {"channel": "meta", "account": "999", "customer": "1"},
                "message": {"id": "1"},
            }
        },
        "quasarish",
    )
    assert deliver(stack, "helpdesk", body(reply)) == 200
    stack.drain()


def a_reply_fails_before_its_message_is_told(stack: World, customers: httpx.Client) -> None:
    talk(stack, customers, "messenger", COMPLAINT, author=called("told late"))
    stack.pump_inbox()
    (told,) = stack.bodies("complaint")
    failed = {"key": f"{told['message_id']}#ack", "text": "quasarish", "reason": "refused"}
    for complaint in (told | {"failed_reply": failed}, told):
        url = stack.urls["complaint"]
        stack.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(complaint))
        stack.pump_complaints()
    stack.drain()


def unreachable(stack: World, customers: httpx.Client) -> None:
    """A platform that is down for as long as we try."""
    fault = {"on": "messenger", "fault": "server_error", "times": 20}
    customers.post("/faults", json=fault).raise_for_status()
    talk(stack, customers, "messenger", COMPLAINT, author=called("unheard"))
    stack.drain()


def not_signed(stack: World, customers: httpx.Client) -> None:
    wrong = {"channel": "meta", "raw": "quasarish zebulon", "signature": "wrong"}
    customers.post("/deliver", json=wrong).raise_for_status()
    raw = Random(7).randbytes(4_500_000)
    assert deliver(stack, "meta", raw) == 413
