"""The helpdesk worker's promises, on a helpdesk in memory."""

import base64
import hmac
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from examples.helpdesk import wording
from examples.helpdesk.seam import Down, Gone, Refused
from examples.helpdesk.way_back import LONGEST_TEXT, ByHttp
from firstreply.channels import _read
from firstreply.contracts import ReplyRequested
from local.contracts import FOLDER
from tests.examples.desk import MOST_RECEIVES, NOON, Shop, event, no_answer


def at_hour(hours: int) -> Callable[[], datetime]:
    return lambda: NOON + timedelta(hours=hours)


def texts(shop: Shop, case: int = 1) -> list[str]:
    return [entry.text for entry in shop.desk.ticket_of(f"case-{case}").entries]


def not_taken(error: Exception) -> Callable[[dict[str, Any]], None]:
    def send(request: dict[str, Any]) -> None:
        raise error

    return send


# --- events into tickets --------------------------------------------------------------------------


def test_a_case_is_one_ticket_and_what_happens_in_it_are_notes_in_order(shop: Shop) -> None:
    shop.put(event("opened", "m1", "It broke"), event("opened", "m1", "My bag?", case=2))
    shop.put(event("updated", "m2", "Hello?"), event("reply_refused", "m2", "Hello?"))
    shop.work()
    first, second, third = texts(shop)
    assert "> It broke\n| FirstReply: Hi Chidi" in first
    assert "> Hello?" in second
    assert "| NOT said (graph 400 100/33): Hi Chidi" in third
    assert len(texts(shop, case=2)) == 1
    assert shop.desk.tickets.keys() == shop.desk.cases.keys()
    assert shop.left() == 0
    assert not any(entry.public for t in shop.desk.tickets.values() for entry in t.entries)


@pytest.mark.parametrize("memory", ["kept", "lost"])
def test_an_event_that_comes_again_changes_nothing(shop: Shop, memory: str) -> None:
    events = [event("opened"), event("updated", "m2", "Hello?")]
    shop.put(*events)
    shop.work()
    before = shop.desk.ticket_of("case-1")
    shop.start(without_memory=memory == "lost")
    shop.put(*events, *events)
    shop.work()
    assert shop.desk.ticket_of("case-1") == before
    assert shop.intake.counts["repeated"] == 4
    assert shop.left() == 0


def test_an_update_without_its_opening_opens_the_ticket(shop: Shop) -> None:
    """As when the opening has become a dead letter."""
    shop.put(event("updated", "m2", "Hello?"))
    shop.work()
    shop.put(event("opened"))
    shop.work()
    assert ["Hello?" in text for text in texts(shop)] == [True, False]


def test_what_it_does_not_know_is_counted_and_let_go(shop: Shop) -> None:
    later = event("of_a_later_version")
    later["data"] = {"case_id": "case-1", "shape": "of a later version"}
    shop.put(later, event("opened") | {"extension": 1})
    shop.work()
    assert shop.intake.counts == {"unknown": 1, "opened": 1}
    assert shop.left() == 0


def test_a_ticket_that_was_deleted_is_opened_anew(shop: Shop) -> None:
    shop.put(event("opened"))
    shop.work()
    shop.desk.tickets.clear()
    shop.desk.cases.clear()
    shop.put(event("updated", "m2", "Hello?"))
    shop.work()
    shop.let_time_pass()
    shop.work()
    assert len(texts(shop)) == 1
    assert shop.left() == 0


def test_a_case_that_firstreply_closes_closes_its_ticket(shop: Shop) -> None:
    shop.put(event("opened"), event("closed"), event("closed"))
    shop.work()
    assert shop.desk.ticket_of("case-1").closed
    assert len(texts(shop)) == 2
    assert 'Closed by an agent, "Sam", 2026-11-22' in texts(shop)[1]
    shop.outlet.look()
    assert shop.requests() == [], "it was not closed here, by somebody who has seen all that"
    shop.put(event("reopened", "m2", "It is not solved"), event("closed"))
    shop.work()
    assert not shop.desk.ticket_of("case-1").closed, "nor by what comes a second time"
    shop.desk.solve("t1")
    shop.outlet.look()
    assert [one["data"]["in_reply_to"] for one in shop.requests()] == ["m2"]


# --- what may fail --------------------------------------------------------------------------------


def test_one_that_the_helpdesk_refuses_waits_and_holds_up_nobody_else(shop: Shop) -> None:
    def fail(call: str, about: str) -> None:
        if (call, about) == ("open", "case-1"):
            raise Refused("422")

    shop.desk.fails = fail
    shop.put(event("opened"), event("updated", "m2", "Hello?"), event("opened", case=2))
    shop.work()
    assert list(shop.desk.cases.values()) == ["case-2"]
    assert shop.left() == 2
    shop.desk.fails = lambda call, about: None
    shop.let_time_pass()
    shop.work()
    assert ["Hello?" in text for text in texts(shop)] == [False, True]
    assert shop.left() == 0


def test_while_the_helpdesk_is_down_events_stay_where_they_are(shop: Shop) -> None:
    shop.put(*(event("opened", case=case) for case in range(1, 20)))
    shop.desk.fails = no_answer(Down("POST: 503", after=7))
    shop.intake.turn(long_poll=0)
    assert shop.left() == 19
    assert shop.waits[:3] == [7, 7, 7]
    assert shop.desk.reads == 99, "it asked until it was to stop, and received nothing more"
    assert shop.intake.counts == {"Down": 1}


def test_it_goes_on_by_itself_once_the_helpdesk_answers(shop: Shop) -> None:
    def fail(call: str, about: str) -> None:
        if len(shop.waits) < 5:
            raise Down("ConnectError")

    shop.desk.fails = fail
    shop.put(event("opened"), event("opened", case=2))
    shop.work()
    assert shop.waits == [1, 2, 4, 8, 16]
    assert texts(shop, case=2)
    shop.let_time_pass()
    shop.work()
    assert len(texts(shop)) == 1
    assert shop.left() == 0


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id": 1}', '{"data": {"case_id": "case-1"}}'])
def test_what_is_no_event_becomes_a_dead_letter_and_holds_up_nobody(shop: Shop, body: str) -> None:
    torn = event("opened", case=3)
    del torn["data"]["message"]
    shop.put(body or " ", torn, event("opened"))
    for _ in range(MOST_RECEIVES + 1):
        shop.work()
        shop.let_time_pass()
    assert len(texts(shop)) == 1
    assert sorted(shop.dead()) == sorted([body or " ", json.dumps(torn)])


@pytest.mark.parametrize(
    "change",
    [
        {"understanding": []},
        {"customer": None},
        {"case_id": ["case-1"]},
        {"case_id": {"a": 1}},
        {"message": {"text": 5}},
        {"message": None},
        {"history": None},
        {"failed_reply": "x"},
        {"acknowledgement": None},
        {"due_at": "soon"},
        {"conversation": "x"},
    ],
)
def test_an_event_of_an_odd_shape_is_put_back_and_stops_nothing(
    shop: Shop, change: dict[str, Any]
) -> None:
    odd = event("opened")
    odd["data"] |= change
    shop.put(odd, event("opened", case=2))
    shop.work()
    assert texts(shop, case=2)
    assert shop.left() == 1
    assert shop.intake.counts["Refused"] == 1


def test_an_event_that_is_too_deep_to_be_read_is_put_back(shop: Shop) -> None:
    deep = "[" * 200_000 + "]" * 200_000
    shop.put(f'{{"id": "1", "source": "s", "type": "t", "data": {deep}}}')
    shop.work()
    assert shop.left() == 1
    assert shop.intake.counts == {"Refused": 1}


def test_no_helpdesk_is_given_what_it_cannot_store_or_what_turns_writing_round(shop: Shop) -> None:
    opened = event("opened", text="a\x00b \u202eevil\u202c \x1b[31m")
    opened["data"]["customer"]["name"] = "Chi\x00di\u202e"
    shop.put(opened)
    shop.work()
    assert "> ab evil [31m" in texts(shop)[0]
    assert '"Chidi"' in texts(shop)[0]


def test_no_word_of_a_customer_gets_into_the_log(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "helpdesk")
    torn = event("opened", text="my secret", case=2) | {"id": "torn"}
    del torn["data"]["priority"]
    shop.put(event("opened", text="my secret") | {"id": "fine"}, torn, '"my secret"')
    shop.work()
    shop.desk.answer("t1", "our secret")
    shop.outlet.send = not_taken(Gone("no"))
    shop.outlet.look()
    assert len(caplog.records) == 4
    assert "secret" not in caplog.text


# --- what is to be forgotten ----------------------------------------------------------------------


def test_a_removed_message_is_forgotten_wherever_it_was_quoted(shop: Shop) -> None:
    opened = event("opened", "m2", "second words")
    opened["data"]["history"] = [opened["data"]["message"] | {"id": "m1", "text": "first words"}]
    edited = event("updated", "m1", "first words, edited\nand more\u2028of them")
    shop.put(opened, edited, event("updated", "m3", "third words"), event("withdrawn", "m1"))
    shop.work()
    shop.desk.answer("t1", "I quote: first words")
    shop.put(event("withdrawn", "m1"))
    shop.work()
    whole = "\n".join(texts(shop)[:3])
    assert "first words" not in whole
    assert "and more" not in whole
    assert "of them" not in whole
    assert "second words" in whole
    assert "third words" in whole
    assert texts(shop)[3] == "I quote: first words", "an agent's own words are the agent's"
    shop.put(edited)
    shop.work()
    assert len(texts(shop)) == 4, "what came again after it was forgotten stays forgotten"


def test_with_a_message_go_its_writer_s_name_and_our_answer(shop: Shop) -> None:
    opened = event("opened")
    ours = "Hi Chidi [message 0123456789ab]\nabout your secret bag"
    opened["data"]["acknowledgement"]["text"] = ours
    shop.put(opened, event("withdrawn"))
    shop.work()
    assert "Chidi" not in texts(shop)[0]
    assert "secret" not in texts(shop)[0]
    assert wording.REMOVED in texts(shop)[0]


def test_a_removed_message_that_the_helpdesk_never_had_is_no_news(shop: Shop) -> None:
    shop.put(event("withdrawn"))
    shop.work()
    assert shop.desk.tickets == {}
    assert shop.left() == 0


@pytest.mark.parametrize("message", ["m_a-b==", "https://r.example/1 2", "a]\n[firstreply b", "é"])
def test_whatever_a_platform_calls_a_message_it_is_known_again(shop: Shop, message: str) -> None:
    shop.put(event("opened", message), event("opened", message))
    shop.work()
    shop.desk.answer("t1", "We are on it.")
    shop.outlet.look()
    assert len(texts(shop)) == 2
    assert [one["data"]["in_reply_to"] for one in shop.requests()] == [message]


def test_a_customer_cannot_write_our_marks(shop: Shop) -> None:
    later = event("updated", "m2", "later")
    forged = f"x\n[firstreply {wording.mark(later)} m9]\r[firstreply {wording.mark(later)} m9]"
    opened = event("opened", "m1", forged)
    opened["data"]["customer"]["name"] = f"A\n[firstreply {wording.mark(later)} m9]\n"
    shop.put(opened, later)
    shop.work()
    assert "> later" in texts(shop)[1]
    assert [about for _, about in wording.marks(shop.desk.tickets["t1"].entries)] == ["m1", "m2"]


@pytest.mark.parametrize("long", ["x\n" * 10_000, "😡" * 20_000, "\n😡" * 10_000])
def test_the_longest_conversation_fits_and_keeps_the_newest(long: str) -> None:
    opened = event("opened", "m1", f"the newest {long}")
    said = opened["data"]["message"] | {"text": long[:2_000]}
    opened["data"]["history"] = [said | {"id": f"m{n}"} for n in range(20)]
    text = wording.opening(opened)
    assert len(text.encode()) <= wording.LONGEST
    assert "> the newest" in text
    assert text.startswith('From the customer, "Chidi"'), "no words without their head"
    assert len(wording.literal(text).encode()) < 64 * 1024


# --- agents' answers ------------------------------------------------------------------------------


def test_a_public_answer_of_an_agent_is_requested_once(shop: Shop) -> None:
    shop.put(event("opened", "m1"), event("updated", "m2", "Hello?"))
    shop.work()
    shop.desk.answer("t1", "only for colleagues", public=False)
    shop.desk.answer("t1", " We are on it. \n")
    shop.desk.answer("t1", "  ")
    shop.outlet.look()
    shop.outlet.look()
    (request,) = shop.requests()
    schema = json.loads((FOLDER / f"{request['type']}.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(request)
    assert request["data"] == {
        "conversation": {"channel": "meta", "account": "9", "customer": "1"},
        "in_reply_to": "m2",
        "text": "We are on it.",
        "author": {"kind": "agent", "name": "Sam"},
    }


def test_without_its_memory_it_asks_for_the_same_again(shop: Shop) -> None:
    """Word for word, whatever has happened since: FirstReply then knows it by its id."""
    shop.put(event("opened", "m1"))
    shop.work()
    shop.desk.answer("t1", "We are on it.")
    shop.outlet.look()
    shop.put(event("updated", "m2", "Hello?"))
    shop.work()
    shop.start(without_memory=True)
    shop.outlet.look()
    first, second = shop.requests()
    assert first == second
    assert first["data"]["in_reply_to"] == "m1"


def test_one_answer_that_cannot_be_sent_holds_up_no_other(shop: Shop) -> None:
    shop.put(event("opened"), event("opened", case=2))
    shop.work()
    send, taken = shop.outlet.send, []

    def refuse_the_first(request: dict[str, Any]) -> None:
        taken.append(request["data"]["text"])
        if taken.count("one") == 1 and request["data"]["text"] == "one":
            raise httpx.ReadTimeout("no")
        send(request)

    shop.outlet.send = refuse_the_first
    shop.desk.answer("t1", "one")
    shop.desk.answer("t2", "two")
    for hours in (1, 2):
        shop.outlet.clock = at_hour(hours)
        shop.outlet.look()
    assert [one["data"]["text"] for one in shop.requests()] == ["two", "one"]


def test_a_ticket_whose_conversation_somebody_has_broken_holds_up_no_other(shop: Shop) -> None:
    shop.put(event("opened"), event("opened", case=2))
    shop.work()
    for ticket in ("t1", "t2"):
        shop.desk.answer(ticket, "Hello")
    shop.desk._set("t1", conversation="oops")
    shop.outlet.look()
    assert [one["data"]["conversation"]["customer"] for one in shop.requests()] == ["2"]
    assert shop.outlet.counts == {"failed": 1, "carried": 1}


def test_what_was_written_while_the_helpdesk_did_not_answer_is_carried_afterwards(
    shop: Shop,
) -> None:
    shop.put(event("opened"))
    shop.work()
    shop.outlet.look()
    shop.desk.answer("t1", "We are on it.")
    for hours, fails in enumerate((no_answer(Down("503")), lambda call, about: None), start=1):
        shop.desk.fails = fails
        shop.outlet.clock = at_hour(hours)
        shop.outlet.look()
    shop.outlet.look()
    assert len(shop.requests()) == 1


def test_who_closes_is_heard(shop: Shop) -> None:
    shop.put(event("opened"), event("opened", case=2))
    shop.work()
    shop.desk.solve("t2")
    for _ in range(2):
        shop.outlet.look()
    (request,) = shop.requests()
    assert ReplyRequested.model_validate(request).data.close_case
    assert request["data"]["conversation"] == event("opened", case=2)["data"]["conversation"]
    assert request["data"]["in_reply_to"] == event("opened", case=2)["data"]["message"]["id"]


def test_a_case_that_is_closed_again_is_told_again(shop: Shop) -> None:
    shop.put(event("opened"))
    shop.work()
    shop.desk.solve("t1")
    shop.outlet.look()
    shop.put(event("updated"))
    shop.work()
    shop.desk.solve("t1")
    shop.outlet.look()
    assert len({request["id"] for request in shop.requests()}) == 2


def test_what_can_never_be_sent_is_told_to_the_agent_and_holds_up_nothing(shop: Shop) -> None:
    """Once, with the memory and without."""
    shop.put(event("opened"), event("opened", case=2))
    shop.work()
    shop.desk.answer("t1", "x" * 50_001)
    shop.desk.solve("t1")
    shop.desk.answer("t2", "fine")
    for start in (0, 1, 2):
        if start:
            shop.start(without_memory=start == 2)
        shop.outlet.look()
        assert [one["data"]["text"] for one in shop.requests()] == ["fine"] * (1 + start // 2)
        assert shop.outlet.counts["failed"] == 0
        assert shop.memory.look_from(NOON) > NOON - timedelta(days=1)
    (note,) = texts(shop)[2:]
    assert note.startswith("This answer was NOT sent: 50001 of at most 50000 characters\n")
    assert not shop.desk.tickets["t1"].closed, "somebody should look"
    shop.desk.answer("t1", "shorter")
    shop.desk.solve("t1")
    shop.outlet.look()
    assert [one["data"].get("text") for one in shop.requests()][-2:] == ["shorter", None]


def test_a_ticket_s_closing_waits_for_its_last_words(shop: Shop) -> None:
    shop.put(event("opened"))
    shop.work()
    shop.desk.answer("t1", "Solved.")
    shop.desk.solve("t1")
    send = shop.outlet.send

    def refuse_words(request: dict[str, Any]) -> None:
        if "text" in request["data"]:
            raise Down("503")
        send(request)

    shop.outlet.send = refuse_words
    shop.outlet.look()
    shop.outlet.send = send
    shop.outlet.look()
    assert ["text" in one["data"] for one in shop.requests()] == [True, False]


def test_the_longest_answer_is_firstreply_s_own() -> None:
    assert LONGEST_TEXT == _read.LONGEST_TEXT


@pytest.mark.parametrize(
    ("status", "error", "hint"),
    [
        (400, Refused, "cannot be read"),
        (413, Refused, "too large"),
        (401, Down, "FIRSTREPLY_SECRET"),
        (404, Down, "<ApiUrl>/webhooks/helpdesk"),
        (302, Down, "302"),
        (429, Down, "429"),
        (500, Down, "500"),
    ],
)
def test_what_firstreply_answers_says_what_to_do(
    status: int, error: type[Exception], hint: str
) -> None:
    answer = httpx.MockTransport(lambda request: httpx.Response(status, text="Ada"))
    with httpx.Client(transport=answer) as http, pytest.raises(error, match=hint) as raised:
        ByHttp(http, "http://127.0.0.1/", "whsec_AAAA").send({"id": "1", "data": {}})
    assert "Ada" not in str(raised.value)


def test_while_firstreply_takes_nothing_each_look_says_so_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.put(event("opened"), event("opened", case=2))
    shop.work()
    for ticket in ("t1", "t2"):
        shop.desk.answer(ticket, "Hello")
    shop.outlet.send = not_taken(Down("FirstReply: 401"))
    for look in (1, 2):
        shop.outlet.look()
        assert caplog.text.count("FirstReply: 401") == look
    assert shop.outlet.counts == {"failed": 4}


def test_by_http_it_is_signed_as_standard_webhooks_asks() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202 if len(seen) == 1 else 503)

    key = b"0123456789abcdef"
    secret = f"whsec_{base64.b64encode(key).decode()}"
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        way = ByHttp(http, "http://127.0.0.1/webhooks/helpdesk", secret)
        way.send({"id": "ticket-1-entry-2", "data": {"text": "für dich"}})
        with pytest.raises(Down):
            way.send({"id": "ticket-1-entry-2"})
    (first, _) = seen
    signed = f"ticket-1-entry-2.{first.headers['webhook-timestamp']}.".encode() + first.content
    digest = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert first.headers["webhook-signature"] == f"v1,{digest}"
    assert first.headers["webhook-id"] == "ticket-1-entry-2"
