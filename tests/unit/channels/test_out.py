"""Saying something on a platform, and finding out whether it was said."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from firstreply import platform as way_out
from firstreply.errors import (
    AccountDead,
    FirstReplyError,
    RateLimited,
    Refuse,
    TryLater,
    Unsure,
)
from firstreply.message import Reply
from local.simulator import DEMO_SECRET
from tests.unit.channels.platforms import (
    CHANNEL,
    NOON,
    TEXT,
    Recorder,
    World,
    answer_to,
    clock,
    settings,
)
from tests.unit.channels.samples import messages, named

PLACES = sorted(CHANNEL)
IN_PUBLIC = ("facebook_comment", "facebook_post", "instagram_comment", "x_mention")
IN_PRIVATE = tuple(sorted(CHANNEL.keys() - set(IN_PUBLIC)))
# --- said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_a_reply_is_said_once_to_whom_it_is_for_and_its_id_comes_back(
    world: World, place: str
) -> None:
    world.hear(place, author={"name": "Somebody else"})
    message = world.hear(place)
    id = world.send(answer_to(message))
    (said,) = world.said()
    assert (said["id"], said["text"], said["in_reply_to"]) == (id, TEXT, message.id)
    assert (said["account"], said["to"]) == (
        message.conversation.account,
        message.conversation.customer,
    )


def test_messenger_is_given_our_key_so_that_the_echo_tells(world: World) -> None:
    reply = answer_to(world.hear("messenger"))
    world.send(reply)
    assert world.said()[0]["metadata"] == reply.key


@pytest.mark.parametrize("place", PLACES)
def test_what_was_said_is_found_and_what_was_not_is_not(world: World, place: str) -> None:
    reply = answer_to(world.hear(place))
    assert world.find(reply) is None
    id = world.send(reply)
    assert world.find(reply) == id


@pytest.mark.parametrize("place", PLACES)
def test_the_same_words_to_somebody_else_are_not_it(world: World, place: str) -> None:
    world.send(answer_to(world.hear(place, author={"name": "Somebody else"})))
    assert world.find(answer_to(world.hear(place))) is None


def test_the_same_words_in_an_earlier_answer_are_not_it(world: World) -> None:
    """The words of an acknowledgement are few; the same customer may get them twice."""
    for place in IN_PUBLIC:
        world.send(answer_to(world.hear(place)))
        assert world.find(answer_to(world.hear(place))) is None
    for place in IN_PRIVATE:
        earlier = world.hear(place)
        world.send(answer_to(earlier))
        later = replace(earlier, id="1990000000000000999", sent_at=clock() + timedelta(minutes=2))
        assert world.find(answer_to(later)) is None


def test_a_customer_who_repeats_our_words_is_not_us(world: World) -> None:
    message = world.hear("facebook_comment")
    page, post = message.conversation.account, message.id.partition("_")[0]
    parrot = {
        "item": "comment",
        "verb": "add",
        "from": {"id": "4711", "name": "Parrot"},
        "message": TEXT,
        "post_id": f"{page}_{post}",
        "comment_id": f"{post}_1",
        "parent_id": message.id,
        "created_time": int(clock().timestamp()),
    }
    change = {"field": "feed", "value": parrot}
    entry = {"id": page, "time": 1, "changes": [change]}
    world.order("/deliver", channel="meta", body={"object": "page", "entry": [entry]})
    assert world.find(answer_to(message)) is None
    for place in IN_PRIVATE:
        world.hear(place, text=TEXT)
        assert world.find(answer_to(world.hear(place))) is None


@pytest.mark.parametrize("place", PLACES)
def test_a_second_answer_is_told_from_the_first(world: World, place: str) -> None:
    """The first one's id would be a lie, and absence not certain: platforms alter texts. Meta's
    messages come back as they were."""
    message = world.hear(place)
    world.send(answer_to(message))
    second = answer_to(message, "Dana here: your bag is in Porto.", kind="request-1")
    if place in ("messenger", "instagram_message"):
        assert world.find(second) is None
    else:
        with pytest.raises(Unsure):
            world.find(second)
    id = world.send(second)
    assert world.find(second) == id


# --- what goes wrong ----------------------------------------------------------------------------

OUT, NOT_OUT = True, False
FAULTS: list[tuple[str, str, type[FirstReplyError], bool]] = [
    *(("accept_then_disconnect", place, Unsure, OUT) for place in PLACES),
    *(("accept_then_timeout", place, Unsure, OUT) for place in PLACES),
    *(("disconnect", place, Unsure, NOT_OUT) for place in PLACES),
    *(("server_error", place, Unsure, NOT_OUT) for place in PLACES),
    *(("rate_limited", place, RateLimited, NOT_OUT) for place in PLACES),
    *(("token_expired", place, AccountDead, NOT_OUT) for place in PLACES),
    *(("gone", place, Refuse, NOT_OUT) for place in PLACES),
    *(("window_closed", place, Refuse, NOT_OUT) for place in ("messenger", "instagram_message")),
    ("not_summoned", "x_mention", Refuse, NOT_OUT),
    # X refuses a text that was just said; it may have been this one.
    ("duplicate", "x_mention", Unsure, NOT_OUT),
]


@pytest.mark.parametrize(("fault", "place", "error", "out"), FAULTS)
def test_a_fault_says_what_to_do_next(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    place: str,
    error: type[FirstReplyError],
    out: bool,
) -> None:
    reply = answer_to(world.hear(place))
    world.order("/faults", on=place, fault=fault, hold_seconds=5)
    with monkeypatch.context() as impatient:
        if fault == "accept_then_timeout":
            impatient.setattr(way_out, "TIMEOUT", httpx.Timeout(0.7))
        with pytest.raises(error) as raised:
            world.send(reply)
    assert raised.type is error
    assert_nothing_leaks(raised.value)
    said = [one["id"] for one in world.said()]
    assert len(said) == out
    assert world.find(reply) == (said[0] if out else None)


@pytest.mark.parametrize(
    ("place", "least", "most"),
    [
        *((place, 60, 60) for place in PLACES if CHANNEL[place] == "meta"),
        ("x_mention", 800, 900),
        ("x_direct_message", 800, 900),
    ],
)
def test_a_throttled_reply_waits_as_long_as_the_platform_says(
    world: World, place: str, least: int, most: int
) -> None:
    reply = answer_to(world.hear(place))
    world.order("/faults", on=place, fault="rate_limited")
    with pytest.raises(RateLimited) as raised:
        world.send(reply)
    assert least <= raised.value.wait <= most
    assert raised.value.after == raised.value.wait
    assert world.send(reply)


@pytest.mark.parametrize("place", PLACES)
def test_a_platform_that_is_not_reached_did_nothing(world: World, place: str) -> None:
    reply = answer_to(world.hear(place))
    name = CHANNEL[place]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nowhere = replace(world.platform(name), setting=settings(f"http://127.0.0.1:{port}"))
    with pytest.raises(TryLater) as raised:
        named(name).send(reply, nowhere)
    assert_nothing_leaks(raised.value)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_platform_that_cannot_tell_now_is_asked_again_later(
    world: World, place: str, status: int
) -> None:
    reply = answer_to(world.hear(place))
    with pytest.raises(TryLater):
        find(reply, status, {})


# --- the secret ---------------------------------------------------------------------------------

Secret = dict[str, Any]


def without(name: str, *path: str) -> Secret:
    secret: Secret = deepcopy(dict(DEMO_SECRET[name]))
    parents = [secret]
    for step in path[:-1]:
        parents = [
            inner
            for parent in parents
            for inner in (parent.values() if step == "*" else [parent[step]])
        ]
    for parent in parents:
        parent.pop(path[-1], None)
    return secret


def with_token(name: str, token: object) -> Secret:
    secret: Secret = deepcopy(dict(DEMO_SECRET[name]))
    for account in secret["accounts"].values():
        account["token" if name == "meta" else "access_token"] = token
    return secret


@pytest.mark.parametrize("place", PLACES)
def test_without_tokens_nothing_is_sent_and_nobody_is_asked(world: World, place: str) -> None:
    name, message = CHANNEL[place], world.hear(place)
    secrets: list[Secret] = [{}, {"accounts": []}, without(name, "accounts")]
    unusable: list[object] = [None, "", 5, [], {}]
    if name == "meta":
        unusable += ["a b", "a\nb", "tökén", "\ud800"]
        needed = [("accounts", "*", "token"), ("app_secrets",)]
    else:
        needed = [("consumer_key",), ("consumer_secrets",)]
        needed += [("accounts", "*", "access_token"), ("accounts", "*", "access_token_secret")]
    secrets += [with_token(name, token) for token in unusable]
    secrets += [without(name, *path) for path in needed]
    for secret in secrets:
        with pytest.raises(Refuse) as raised:
            named(name).send(answer_to(message), world.platform(name, secret))
        assert_nothing_leaks(raised.value, json.dumps(secret))
    assert world.calls() == []


@pytest.mark.parametrize("place", PLACES)
def test_an_account_that_is_not_in_the_secret_cannot_speak(world: World, place: str) -> None:
    message = world.hear(place)
    other = replace(message, conversation=replace(message.conversation, account="999"))
    with pytest.raises(Refuse):
        world.send(answer_to(other))
    assert world.calls() == []


def test_a_token_pasted_with_a_newline_is_taken_for_the_token(world: World) -> None:
    message = world.hear("facebook_comment")
    token = DEMO_SECRET["meta"]["accounts"][message.account]["token"]
    pasted = world.platform("meta", with_token("meta", token + "\n"))
    assert named("meta").send(answer_to(message), pasted)


def assert_nothing_leaks(error: BaseException, also: str = "") -> None:
    """Whoever logs the error, with all that led to it, logs no secret and no customer's words."""
    private = [*_strings(DEMO_SECRET["meta"]), *_strings(DEMO_SECRET["x"]), TEXT, "Where is my bag"]
    private += _strings(json.loads(also)) if also else []
    seen: BaseException | None = error
    while seen:
        told = f"{seen} {seen!r} {seen.__dict__}"
        assert not [one for one in private if len(one) > 4 and one in told]
        seen = seen.__cause__ or seen.__context__


def _strings(value: object) -> list[str]:
    if isinstance(value, Mapping):
        value = [one for key, one in value.items() if key not in ("name", "handle", "api")]
    if isinstance(value, list):
        return [found for one in value for found in _strings(one)]
    return [value] if isinstance(value, str) else []


# --- what the simulator does not say ------------------------------------------------------------


SAMPLE = {
    f"{message.network} {message.kind}": message
    for name in ("meta", "x")
    for message in messages(name)
    if message.account in DEMO_SECRET[name]["accounts"] and message.is_answerable
}
COMMENT, MESSAGE = "facebook comment", "messenger message"
X_KINDS = ["x mention", "x reply", "x quote", "x direct_message"]
META_KINDS = sorted(SAMPLE.keys() - X_KINDS)
# Where others can see what was said; the rest is looked for among messages.
SHOWN = sorted({COMMENT, "facebook post", "facebook mention", "instagram comment", *X_KINDS})


def send(kind: str, status: int, content: object, headers: Mapping[str, str] | None = None) -> str:
    reply = answer_to(SAMPLE[kind])
    name = reply.message.conversation.channel
    return named(name).send(reply, Recorder(status, content, headers or {}).platform(name))


def find(reply: Reply, status: int, content: object) -> str | None:
    name = reply.message.conversation.channel
    return named(name).find_reply(reply, Recorder(status, content, {}).platform(name))


def graph_error(code: object, subcode: object = None) -> dict[str, object]:
    return {"error": {"message": "Graph's words", "code": code, "error_subcode": subcode}}


@pytest.mark.parametrize("kind", META_KINDS)
@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        *((400, graph_error(code), RateLimited) for code in (4, 17, 32, 613)),
        *((400, graph_error(code), RateLimited) for code in (80001, 80002, 80006, 80008)),
        *((403, graph_error(code), RateLimited) for code in (4, 32)),
        (429, b"slow down", RateLimited),
        *((500, graph_error(code), Unsure) for code in (1, 2, None)),
        (400, graph_error(2), Unsure),
        (503, b"<html>busy</html>", Unsure),
        (200, {}, Unsure),
        (200, b"", Unsure),
        (200, [], Unsure),
        (200, {"id": None, "message_id": ""}, Unsure),
        (200, graph_error(1), Unsure),
        *((400, graph_error(code), Refuse) for code in (10, 100, 200, 230, 299, 368, 551)),
        *((400, graph_error(code), Refuse) for code in (10902, 10903, 2018218, 2018300, 2018321)),
        *((status, graph_error(190, 463), AccountDead) for status in (400, 401)),
        (400, graph_error(190), AccountDead),
        (400, graph_error(102), AccountDead),
        (400, graph_error("32"), Refuse),
        (400, graph_error([32]), Refuse),
        (400, graph_error({}), Refuse),
        (400, graph_error(None), Refuse),
        (400, graph_error(100, [33]), Refuse),
        (400, {"error": "words"}, Refuse),
        (401, b"no", AccountDead),
    ],
)
def test_graph_s_codes_say_what_to_do_next(
    kind: str, status: int, content: object, error: type[FirstReplyError]
) -> None:
    with pytest.raises(error) as raised:
        send(kind, status, content)
    assert raised.type is error
    assert "words" not in str(raised.value), "they are Meta's, and change"


def regain(*minutes: object) -> str:
    """Meta's header, with a row for each of several accounts."""
    rows = [{"estimated_time_to_regain_access": one} for one in minutes]
    return json.dumps({str(account): [{}, row] for account, row in enumerate(rows)})


@pytest.mark.parametrize(
    ("header", "after"),
    [
        *((regain(7), 420), (regain(7, 9, 0), 540), (regain(0), 300), (regain("7", None), 300)),
        *((header, 300) for header in ('{"1":{}}', '{"1":[5,null]}', "[]", "{", "")),
    ],
)
def test_meta_s_estimate_is_in_minutes_and_may_be_missing(header: str, after: int) -> None:
    with pytest.raises(TryLater) as raised:
        send(COMMENT, 400, graph_error(32), {"x-business-use-case-usage": header})
    assert raised.value.after == after


def problem(detail: object, kind: object = "about:blank") -> dict[str, object]:
    return {"title": "Forbidden", "type": kind, "detail": detail}


@pytest.mark.parametrize("kind", X_KINDS)
@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (429, b"slow down", RateLimited),
        (500, b"", Unsure),
        (503, problem("busy"), Unsure),
        (403, problem("You are not allowed to create a Tweet with duplicate content."), Unsure),
        (403, problem("Reply to this conversation is not allowed."), Refuse),
        (403, problem(None, None), Refuse),
        (403, problem(["duplicate"], ["x"]), Refuse),
        *((status, problem("words"), Refuse) for status in (400, 402, 404)),
        (401, problem("words"), AccountDead),
        (201, {}, Unsure),
        (201, {"data": []}, Unsure),
        (200, {"data": {"id": "", "dm_event_id": None}}, Unsure),
    ],
)
def test_x_s_problems_say_what_to_do_next(
    kind: str, status: int, content: object, error: type[FirstReplyError]
) -> None:
    with pytest.raises(error) as raised:
        send(kind, status, content)
    assert raised.type is error
    assert "words" not in str(raised.value), "they are X's, and change"


def test_x_may_complain_beside_what_it_did() -> None:
    done = {"data": {"id": "5"}, "errors": [{"title": "a field is missing"}]}
    assert send("x mention", 201, done) == "5"


@pytest.mark.parametrize(
    ("reset", "after"),
    [
        (str(int(NOON.timestamp()) + 100), 101),
        (str(int(NOON.timestamp()) + 90_000), 900),
        (str(int(NOON.timestamp()) - 100), 1),
        ("soon", 61),
        (None, 61),
    ],
)
def test_x_s_window_ends_at_its_reset_and_lasts_15_minutes_at_most(
    reset: str | None, after: int
) -> None:
    with pytest.raises(TryLater) as raised:
        send("x mention", 429, {}, {} if reset is None else {"x-rate-limit-reset": reset})
    assert raised.value.after == after


def test_more_than_one_page_of_answers_is_read_no_further_and_so_proves_nothing() -> None:
    comment = answer_to(SAMPLE[COMMENT])
    with pytest.raises(Unsure):
        find(comment, 200, {"data": [], "paging": {"next": "https://graph.example/2"}})
    mine = {"from": {"id": comment.message.conversation.account}, "message": TEXT, "id": "1_2"}
    page = {"data": [mine], "paging": {"next": "https://graph.example/2"}}
    assert find(comment, 200, page) == "1_2"


@pytest.mark.parametrize("kind", [*SHOWN, MESSAGE])
@pytest.mark.parametrize(
    "content",
    [
        *({}, [], b"", b"<html>", {"data": None}, {"data": {}}, {"meta": {}}),
        {"data": None, "errors": [{"title": "Something is missing"}]},
    ],
    ids=repr,
)
def test_an_answer_without_a_list_proves_nothing(kind: str, content: object) -> None:
    with pytest.raises(Unsure):
        find(answer_to(SAMPLE[kind]), 200, content)


def test_a_comment_without_an_author_may_be_our_reply() -> None:
    reply = answer_to(SAMPLE[COMMENT])
    assert find(reply, 200, {"data": [{"id": "1_2", "message": TEXT}]}) == "1_2"
    with pytest.raises(Unsure):
        find(reply, 200, {"data": [{"id": "1_2", "message": "Something else"}]})


@pytest.mark.parametrize("kind", X_KINDS)
def test_x_s_newest_hundred_prove_it_if_they_reach_back_to_the_message(kind: str) -> None:
    reply = answer_to(SAMPLE[kind])

    def at(moment: datetime) -> dict[str, Any]:
        other = {"id": "1", "sender_id": "4711", "text": "?", "created_at": moment.isoformat()}
        return {"data": [other], "meta": {"next_token": "100"}}

    assert find(reply, 200, at(reply.message.sent_at - timedelta(hours=1))) is None
    for later in (reply.message.sent_at, reply.message.sent_at + timedelta(hours=1)):
        with pytest.raises(Unsure):
            find(reply, 200, at(later))
    with pytest.raises(Unsure):
        find(reply, 200, {"meta": {"next_token": "100"}})
    assert find(reply, 200, {"meta": {"result_count": 0}}) is None


def test_x_s_own_touches_to_a_text_do_not_hide_it() -> None:
    """It puts the handle before a reply and escapes &, < and >."""
    reply = answer_to(SAMPLE["x mention"])
    shown = "@ada_okafor " + TEXT.replace("&", "&amp;")
    answers = [{"type": "replied_to", "id": reply.message.id}]
    post = {"id": "7", "text": shown, "referenced_tweets": answers}
    assert find(reply, 200, {"data": [post]}) == "7"
    quoted = post | {"referenced_tweets": [{"type": "quoted", "id": reply.message.id}]}
    assert find(reply, 200, {"data": [quoted]}) is None


DONE = {"id": "1", "message_id": "1", "data": {"id": "1", "dm_event_id": "1"}}


@pytest.mark.parametrize("kind", sorted(SAMPLE))
def test_an_id_is_data_and_leads_nowhere_else(kind: str) -> None:
    message, strange = SAMPLE[kind], "../me?a=1#b/ é"
    conversation = replace(message.conversation, customer=strange)
    reply = answer_to(replace(message, id=strange, conversation=conversation))
    recorder = Recorder(200, DONE, {})
    assert named(conversation.channel).send(reply, recorder.platform(conversation.channel)) == "1"
    request = recorder.asked[-1]
    path = request.url.raw_path.decode().partition("?")[0]
    assert ".." not in path.split("/")
    assert path.endswith(("/comments", "/replies", "/messages", "/2/tweets"))
    assert request.url.fragment == ""


@pytest.mark.parametrize("kind", sorted(SAMPLE))
def test_no_secret_stands_in_an_address(kind: str) -> None:
    """Addresses end up in logs."""
    reply = answer_to(SAMPLE[kind])
    name = reply.message.conversation.channel
    recorder = Recorder(200, DONE, {})
    named(name).send(reply, recorder.platform(name))
    looker = Recorder(200, {"data": []}, {})
    with suppress(Unsure):  # messages are not there without a conversation
        assert named(name).find_reply(reply, looker.platform(name)) is None
    for request in (*recorder.asked, *looker.asked):
        assert request.headers["authorization"]
        assert not [one for one in _strings(DEMO_SECRET[name]) if one in str(request.url)]
