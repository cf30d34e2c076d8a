"""An agent's long answer on X is a thread: every part once, in order, or a human has the rest."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from functions.respond import app as respond
from local.simulator import DEMO_SECRET
from tests.aws import FakeContext, World
from tests.unit.test_meta_path import happen, kinds
from tests.unit.test_path import replies, say
from tests.unit.test_speaking import break_next

ADA = {"author": {"id": "4711", "name": "Ada"}}
COMPLAINT = "my kettle stopped working and nobody answers"
SENTENCE = "Step {}: unplug the kettle, let it cool, and look at the number below its foot."
TEXT = " ".join(SENTENCE.format(number) for number in range(1, 10))
OF = 3
(PROFILE,) = DEMO_SECRET["x"]["accounts"]


def complain(stack: World, customers: httpx.Client, place: str = "x_quote") -> dict[str, Any]:
    """The event of its case. What stands under our own post is as a mention to the simulator's
    faults, so after a quote they strike from the second part on."""
    say(customers, place, COMPLAINT, **ADA)
    stack.drain()
    opened, *_ = stack.bodies("escalation.fifo")
    return opened


def ask(stack: World, opened: dict[str, Any], text: str = TEXT, **more: object) -> None:
    request = {
        "type": "firstreply.reply.requested.v1",
        "id": "note-1",
        "source": "helpdesk",
        "time": stack.now().isoformat(),
        "data": {
            "conversation": opened["data"]["conversation"],
            "in_reply_to": opened["data"]["message"]["id"],
            "text": text,
            "author": {"kind": "agent", "name": "Kim"},
            **more,
        },
    }
    stack.sqs.send_message(QueueUrl=stack.urls["reply"], MessageBody=json.dumps(request))


def thread(customers: httpx.Client) -> list[dict[str, Any]]:
    """What was posted but the acknowledgement."""
    return [one for one in replies(customers) if "Step" in one["text"]]


def bare(one: dict[str, Any]) -> str:
    """Without its number."""
    text: str = one["text"]
    return text.rpartition(" ")[0]


def assert_whole(customers: httpx.Client, opened: dict[str, Any]) -> None:
    parts = thread(customers)
    assert [one["text"].rpartition(" ")[2] for one in parts] == ["1/3", "2/3", "3/3"]
    assert " ".join(bare(one) for one in parts) == TEXT
    under = [opened["data"]["message"]["id"], *(one["id"] for one in parts[:-1])]
    assert [one["in_reply_to"] for one in parts] == under


def assert_human_has_the_rest(customers: httpx.Client, refused: dict[str, Any], why: str) -> None:
    failed = refused["data"]["failed_reply"]
    parts = thread(customers)
    assert " ".join([*map(bare, parts), failed["text"]]) == TEXT
    assert failed["reason"].startswith(f"part {len(parts) + 1} of {OF}: {why}")
    assert failed["reason"] in refused["data"]["reasons"]


def follow(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    policy = respond.policy().model_copy(update={"long_answers": {"x": how}})
    monkeypatch.setattr(respond, "policy", lambda: policy)


# --- said -----------------------------------------------------------------------------------------


def test_every_part_is_said_once_under_the_one_before_and_told_and_then_the_case_is_closed(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    for _ in range(2):
        ask(connected, opened, close_case=True)
    connected.drain()
    ask(connected, opened, close_case=True)  # a helpdesk that is not sure
    ask(connected, opened, TEXT.replace("kettle", "iron"))  # another wish under the same name
    ask(connected, opened, f"{TEXT} {TEXT}")  # of more parts
    ask(connected, opened, "Hello Ada")
    connected.drain()
    assert_whole(customers, opened)
    entries = sorted(connected.items("REPLY#agent-"), key=lambda one: one["began_at"])
    above = [one["in_reply_to"] for one in thread(customers)]
    assert [one["answers"] for one in entries] == above
    events = connected.bodies("escalation.fifo")
    assert kinds(events) == ["reply_sent"] * OF + ["closed"]
    said = [event["data"]["reply"] for event in events[:-1]]
    assert [(one["id"], one["text"]) for one in said] == [
        (one["id"], one["text"]) for one in thread(customers)
    ]
    assert {one["in_reply_to"] for one in said} == {opened["data"]["message"]["id"]}
    assert {one["request_id"] for one in said} == {"note-1"}
    assert connected.came_back == connected.dead == []


def test_a_long_wish_does_not_go_on_from_a_short_one_of_the_same_name(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    for text in ("Step by step", TEXT):
        ask(connected, opened, text)
        connected.drain()
    assert [one["text"] for one in thread(customers)] == ["Step by step"]
    assert connected.events() == []


def test_what_fits_into_one_post_has_no_number(connected: World, customers: httpx.Client) -> None:
    ask(connected, complain(connected, customers), TEXT[:280])
    connected.drain()
    assert [one["text"] for one in thread(customers)] == [TEXT[:280]]


def test_each_part_has_its_price(
    connected: World, customers: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = complain(connected, customers)
    capfd.readouterr()
    ask(connected, opened, TEXT.replace("4: unplug the kettle", "4: larkspur.example"))
    connected.drain()
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    spent = [value for line in lines if "Spent" in line for value in line["Spent"]]
    assert spent == [one["price"] for one in thread(customers)] == [0.01, 0.2, 0.015]


# --- refused --------------------------------------------------------------------------------------


def test_where_policy_wants_no_threads_the_agent_hears_the_limit(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(monkeypatch, "refuse")
    ask(connected, complain(connected, customers))
    connected.drain()
    (refused,) = connected.events()
    assert refused["data"]["failed_reply"] == {
        "text": TEXT,
        "reason": f"x: {len(TEXT)} of 280 characters",
    }
    assert thread(customers) == []


@pytest.mark.parametrize("again", [False, True])
def test_what_is_too_long_for_a_thread_is_refused_with_the_limit(
    connected: World, customers: httpx.Client, again: bool
) -> None:
    opened, text = complain(connected, customers), " ".join([TEXT] * 3)
    for _ in range(1 + again):
        ask(connected, opened, text, close_case=True)
        connected.drain()
    (refused,) = connected.events()
    assert refused["data"]["failed_reply"] == {
        "text": text,
        "reason": f"x: {len(text)} characters do not fit into 5 posts of 276",
    }
    assert thread(customers) == []


def test_a_direct_message_is_no_thread(connected: World, customers: httpx.Client) -> None:
    opened, text = complain(connected, customers, "x_direct_message"), TEXT * 15
    ask(connected, opened, text)
    connected.drain()
    (refused,) = connected.events()
    assert refused["data"]["failed_reply"]["reason"] == f"x: {len(text)} of 10000 characters"


@pytest.mark.parametrize("fault", ["not_summoned", "gone", "x_error"])
def test_when_a_part_is_refused_a_human_gets_all_that_was_not_said(
    connected: World, customers: httpx.Client, fault: str
) -> None:
    opened = complain(connected, customers)
    break_next(customers, fault, on="x_mention")
    for _ in range(2):
        ask(connected, opened, close_case=True)
        connected.drain()
    (refused,) = connected.events()
    assert len(thread(customers)) == 1
    assert_human_has_the_rest(customers, refused, "x 40")
    assert connected.items("CASE")[0]["is_open"]


def test_a_refused_first_part_leaves_all_to_a_human(
    connected: World, customers: httpx.Client
) -> None:
    opened = complain(connected, customers)
    break_next(customers, "not_summoned", on="x_quote")
    ask(connected, opened)
    connected.drain()
    (refused,) = connected.events()
    assert thread(customers) == []
    assert_human_has_the_rest(customers, refused, "x 403")


def test_who_gives_up_leaves_the_rest_to_a_human(connected: World, customers: httpx.Client) -> None:
    opened = complain(connected, customers)
    break_next(customers, "disconnect", on="x_mention")
    break_next(customers, "server_error", on="x_mention", at="read", times=9)
    ask(connected, opened)
    connected.drain()
    (refused,) = connected.events()
    assert_human_has_the_rest(customers, refused, "")
    states = {one["item"][-2:]: one["state"] for one in connected.items("REPLY#agent-")}
    assert states.pop("-2") == "unknown"
    assert list(states.values()) == ["sent"]
    assert connected.dead == []


# --- held up --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["x_quote", "x_mention"])
@pytest.mark.parametrize("fault", ["accept_then_disconnect", "disconnect", "server_error"])
def test_a_part_in_doubt_is_looked_for_under_the_one_before(
    connected: World, customers: httpx.Client, place: str, fault: str
) -> None:
    """Of the first one our acknowledgement is no proof, so there only what is found goes on."""
    opened = complain(connected, customers, place)
    break_next(customers, fault, on="x_mention")
    ask(connected, opened)
    connected.drain()
    if place == "x_mention" and fault != "accept_then_disconnect":
        (refused,) = connected.events()
        assert_human_has_the_rest(customers, refused, "another reply of ours is there")
    else:
        assert_whole(customers, opened)
        assert kinds(connected.bodies("escalation.fifo")) == ["reply_sent"] * OF
    assert connected.dead == []


def test_a_limit_in_the_middle_is_waited_for(connected: World, customers: httpx.Client) -> None:
    """The acknowledgement and one part in a window; waiting is no failed try."""
    customers.post("/settings", json={"x_post_limit": 2, "x_window_seconds": 1}).raise_for_status()
    opened = complain(connected, customers)
    ask(connected, opened)
    connected.drain()
    assert_whole(customers, opened)
    assert connected.came_back == []


def test_what_there_is_no_time_for_is_said_in_the_next_invocation(
    connected: World, customers: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = complain(connected, customers)
    asked: list[str] = []

    def remaining(context: FakeContext) -> int:
        """Enough to begin, and for one part."""
        asked.append(context.aws_request_id)
        return 45_000 if asked.count(context.aws_request_id) < 3 else 20_000

    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", remaining)
    ask(connected, opened)
    connected.drain()
    assert_whole(customers, opened)
    assert len(connected.came_back) == OF - 1


@pytest.mark.parametrize(("before", "after"), [("thread", "refuse"), ("refuse", "thread")])
def test_however_it_was_begun_it_goes_on(
    connected: World,
    customers: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    after: str,
) -> None:
    """Policy changes while an answer is half said, or after it was refused."""
    opened = complain(connected, customers)
    break_next(customers, "accept_then_disconnect", on="x_mention")
    follow(monkeypatch, before)
    ask(connected, opened)
    connected.pump("reply", respond.handler)
    follow(monkeypatch, after)
    ask(connected, opened)
    connected.drain()
    if before == "thread":
        assert_whole(customers, opened)
        assert connected.events() == []
    else:
        assert thread(customers) == []
        assert kinds(connected.events()) == ["reply_refused"]


# --- our own words come back ----------------------------------------------------------------------

both_families = pytest.mark.parametrize("family", ["xaa", "aaa"])


def echo(customers: httpx.Client, family: str) -> None:
    customers.post("/settings", json={"echo": True, "x_echo_family": family}).raise_for_status()


@both_families
def test_no_part_is_a_human_s_or_a_customer_s_words(
    connected: World, customers: httpx.Client, family: str
) -> None:
    echo(customers, family)
    opened = complain(connected, customers)
    ask(connected, opened)
    for _ in range(3):
        connected.drain()
    assert_whole(customers, opened)
    last = thread(customers)[-1]
    reply: dict[str, Any] = {  # who is told of replies and mentions is told of our own too
        "id": last["id"],
        "author_id": PROFILE,
        "text": f"@LarkspurAir {last['text']}",
        "created_at": last["at"],
        "in_reply_to_user_id": PROFILE,
        "referenced_tweets": [{"type": "replied_to", "id": last["in_reply_to"]}],
    }
    for kind in ("post.reply.create", "post.mention.create"):
        data = {"event_type": kind, "filter": {"user_id": PROFILE}, "payload": reply}
        customers.post("/deliver", json={"channel": "x", "body": {"data": data}}).raise_for_status()
    connected.drain()
    assert connected.items("HUMAN#") == []
    assert len(connected.items("MSG#")) == 1
    assert len(replies(customers)) == 1 + OF


@both_families
@pytest.mark.parametrize("part", [1, 2])
def test_the_echo_of_a_part_in_doubt_settles_it(
    connected: World, customers: httpx.Client, family: str, part: int
) -> None:
    """Nobody has to be asked: looking is broken all the while."""
    echo(customers, family)
    opened = complain(connected, customers)
    break_next(customers, "accept_then_disconnect", on="x_quote" if part == 1 else "x_mention")
    break_next(customers, "server_error", on="x_mention", at="read", times=9)
    break_next(customers, "server_error", on="x_quote", at="read", times=9)
    ask(connected, opened)
    connected.pump("reply", respond.handler)
    assert len(thread(customers)) == part
    connected.drain()
    assert_whole(customers, opened)
    assert connected.items("HUMAN#") == []
    assert kinds(connected.bodies("escalation.fifo")) == ["reply_sent"] * OF


@both_families
@pytest.mark.parametrize(
    ("whose", "found"), [(lambda posted: posted[-1]["id"], 1), (lambda posted: "17", 0)]
)
def test_who_goes_on_under_our_post_in_x_s_own_app_is_a_human(
    connected: World,
    customers: httpx.Client,
    family: str,
    whose: Callable[[list[dict[str, Any]]], str],
    found: int,
) -> None:
    """In a thread that is about nobody we know, it is nothing to us."""
    opened = complain(connected, customers)
    ask(connected, opened)
    connected.drain()
    above = whose(thread(customers))
    if found:
        happen(customers, "answer", in_reply_to=above, text="And call me. Kim", family=family)
    else:
        post = {
            "id": "18",
            "author_id": PROFILE,
            "text": "And twice on Sundays.",
            "created_at": connected.now().isoformat(),
            "in_reply_to_user_id": PROFILE,
            "referenced_tweets": [{"type": "replied_to", "id": above}],
        }
        data = {"event_type": "post.create", "filter": {"user_id": PROFILE}, "payload": post}
        customers.post("/deliver", json={"channel": "x", "body": {"data": data}}).raise_for_status()
    connected.drain()
    assert [one["text"] for one in connected.items("HUMAN#")] == ["And call me. Kim"] * found
    conversations = {one["conversation"] for one in connected.items("") if "#" in one["item"]}
    assert len([one for one in conversations if one.count("#") == 2]) == 1
