"""Meta's own rules of answering: where, in which window, under which proof; and what we ask it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from firstreply.channels.meta import fetch, find_reply, parse, send
from firstreply.errors import (
    AccountDead,
    FirstReplyError,
    RateLimited,
    Refuse,
    TryLater,
    Unsure,
)
from firstreply.message import Hint, Message, Reply
from firstreply.platform import Platform
from local.simulator import DEMO_SECRET
from tests.unit.channels.platforms import NOON, TEXT, Recorder, World, answer_to, clock, settings
from tests.unit.channels.samples import messages

PAGE, INSTAGRAM, BY_LOGIN = "102030405060708", "17841400000000001", "17841400000000002"
ACCOUNTS = DEMO_SECRET["meta"]["accounts"]
SAMPLE = {
    f"{message.network} {message.kind}": message
    for message in messages("meta")
    if message.account in ACCOUNTS
}
IN_PRIVATE = sorted(kind for kind, message in SAMPLE.items() if not message.public)
COMMENT, DIRECT, DM = "facebook comment", "messenger message", "instagram message"
DONE = {"id": "1", "message_id": "1"}
HOURS, DAYS = timedelta(hours=1), timedelta(days=1)
A_BIT = timedelta(minutes=2)


def aged(kind: str, age: timedelta, **how: Any) -> Reply:
    """An answer to what was said so long before noon."""
    return replace(answer_to(replace(SAMPLE[kind], sent_at=NOON - age)), **how)


def body_of(request: httpx.Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content)
    return body


def sent(reply: Reply) -> list[httpx.Request]:
    recorder = Recorder(200, DONE, {})
    assert send(reply, recorder.platform("meta")) == "1"
    return recorder.asked


def refused(reply: Reply) -> None:
    recorder = Recorder(200, DONE, {})
    with pytest.raises(Refuse) as raised:
        send(reply, recorder.platform("meta"))
    assert raised.type is Refuse
    assert recorder.asked == [], "nobody is asked in vain"


def steps(world: World) -> list[tuple[str, str, str | None]]:
    return [(call["method"], call["path"], call["what"]) for call in world.calls()]


# --- where --------------------------------------------------------------------------------------

SAY_TO_A_PERSON = ["mark_seen", "typing_on", "text"]


@pytest.mark.parametrize(
    ("place", "edge"),
    [
        ("facebook_comment", "comments"),
        ("facebook_post", "comments"),
        ("instagram_comment", "replies"),
    ],
)
def test_a_public_answer_is_one_call_below_what_it_answers(
    world: World, place: str, edge: str
) -> None:
    message = world.hear(place)
    world.send(answer_to(message))
    assert steps(world) == [("POST", f"/graph/v26.0/{message.id}/{edge}", None)]


def test_a_mention_is_answered_where_it_stands() -> None:
    (request,) = sent(answer_to(SAMPLE["facebook mention"]))
    assert request.url.path.endswith(f"/{SAMPLE['facebook mention'].id}/comments")
    assert body_of(request) == {"message": TEXT}


@pytest.mark.parametrize(
    "place", ["messenger", "instagram_message", "instagram_story_reply", "instagram_story_mention"]
)
def test_a_person_sees_that_we_read_and_type_before_we_answer(world: World, place: str) -> None:
    message = world.hear(place)
    world.send(answer_to(message))
    path = "/graph/v26.0/me/messages"
    assert steps(world) == [("POST", path, what) for what in SAY_TO_A_PERSON]
    (said,) = world.said()
    assert (said["to"], said["text"]) == (message.conversation.customer, TEXT)
    assert "tag" not in said
    assert "private_reply" not in said


@pytest.mark.parametrize("place", ["instagram_comment", "instagram_message"])
def test_an_account_by_instagram_login_is_called_at_its_own_host(world: World, place: str) -> None:
    """With the secret of its own app; the simulator takes no other."""
    message = world.hear(place, account=BY_LOGIN)
    reply = answer_to(message)
    id = world.send(reply)
    assert world.find(reply) == id
    assert {path.split("/")[1] for _, path, _ in steps(world)} == {"instagram"}


@pytest.mark.parametrize("kind", ["facebook review", "instagram mention"])
def test_what_has_no_way_to_answer_is_refused(kind: str) -> None:
    refused(answer_to(SAMPLE[kind]))
    refused(replace(answer_to(SAMPLE[kind]), in_private=True))


# --- to a person --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", IN_PRIVATE)
def test_a_message_says_that_it_responds(kind: str) -> None:
    seen, typing, said = map(body_of, sent(answer_to(SAMPLE[kind])))
    person = {"id": SAMPLE[kind].conversation.customer}
    assert seen == {"recipient": person, "sender_action": "mark_seen"}
    assert typing == {"recipient": person, "sender_action": "typing_on"}
    metadata = {} if kind.startswith("instagram") else {"metadata": f"{SAMPLE[kind].id}#ack"}
    assert said == {
        "recipient": person,
        "messaging_type": "RESPONSE",
        "message": {"text": TEXT} | metadata,
    }


@pytest.mark.parametrize("kind", IN_PRIVATE)
@pytest.mark.parametrize("by_human", [True, False])
@pytest.mark.parametrize("age", [-A_BIT, timedelta(), 24 * HOURS - A_BIT])
def test_within_a_day_nobody_needs_a_tag(kind: str, by_human: bool, age: timedelta) -> None:
    said = body_of(sent(aged(kind, age, by_human=by_human))[-1])
    assert said["messaging_type"] == "RESPONSE"
    assert "tag" not in said


@pytest.mark.parametrize("kind", IN_PRIVATE)
@pytest.mark.parametrize("age", [24 * HOURS, 3 * DAYS, 7 * DAYS - A_BIT])
def test_after_a_day_a_human_may_answer_under_the_human_s_tag_and_nobody_else(
    kind: str, age: timedelta
) -> None:
    """Automatic text under it breaks Meta's policy for the whole app."""
    said = body_of(sent(aged(kind, age, by_human=True))[-1])
    assert (said["messaging_type"], said["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    refused(aged(kind, age))


@pytest.mark.parametrize("kind", IN_PRIVATE)
@pytest.mark.parametrize("age", [7 * DAYS, 8 * DAYS, 400 * DAYS])
def test_after_a_week_not_even_a_human_may_answer(kind: str, age: timedelta) -> None:
    refused(aged(kind, age, by_human=True))
    refused(aged(kind, age))


def test_the_window_opens_again_when_the_customer_writes_again() -> None:
    for by_human in (True, False):
        reply = aged(DIRECT, 30 * DAYS, heard_at=NOON - HOURS, by_human=by_human)
        assert body_of(sent(reply)[-1])["messaging_type"] == "RESPONSE"
    heard = NOON - 2 * DAYS
    assert body_of(sent(aged(DIRECT, 30 * DAYS, heard_at=heard, by_human=True))[-1])["tag"]
    refused(aged(DIRECT, 30 * DAYS, heard_at=heard))


@pytest.mark.parametrize("place", ["messenger", "instagram_message"])
def test_meta_takes_a_human_s_answer_of_the_third_day(world: World, place: str) -> None:
    message = world.hear(place, sent_at=(clock() - 2 * DAYS).isoformat())
    with pytest.raises(Refuse):
        world.send(answer_to(message))
    world.send(replace(answer_to(message), by_human=True))
    assert [one["tag"] for one in world.said()] == ["HUMAN_AGENT"]


def test_only_messenger_is_given_our_key(world: World) -> None:
    for place, expected in (("messenger", True), ("instagram_message", False)):
        reply = answer_to(world.hear(place))
        world.send(reply)
        assert (world.said()[-1].get("metadata") == reply.key) is expected
    for kind, message in SAMPLE.items():
        if message.is_answerable and message.network == "instagram":
            assert "metadata" not in str(body_of(sent(answer_to(message))[-1])), kind


class Script(Recorder):
    """Says yes to every message, and something else to what goes before it."""

    def __init__(self, action: Callable[[], httpx.Response]) -> None:
        super().__init__(200, DONE, {})
        self._action = action

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "sender_action" in body_of(request):
            self.asked.append(request)
            return self._action()
        return super().__call__(request)


def graph_error(code: int | None, subcode: int | None = None) -> dict[str, Any]:
    return {"error": {"message": "Graph's words", "code": code, "error_subcode": subcode}}


def no_answer() -> httpx.Response:
    raise httpx.ReadTimeout("slow")


@pytest.mark.parametrize("kind", [DIRECT, DM])
@pytest.mark.parametrize(
    "action",
    [
        no_answer,
        lambda: httpx.Response(500, json=graph_error(2)),
        lambda: httpx.Response(400, json=graph_error(100, 2018001)),
        lambda: httpx.Response(400, json=graph_error(190)),
        lambda: httpx.Response(403, json=graph_error(10, 2018278)),
        lambda: httpx.Response(200, json={}),
        lambda: httpx.Response(200, content=b"<html>"),
    ],
)
def test_a_courtesy_that_fails_does_not_hold_up_the_message(
    kind: str, action: Callable[[], httpx.Response]
) -> None:
    script = Script(action)
    assert send(answer_to(SAMPLE[kind]), script.platform("meta")) == "1"
    assert len(script.asked) == 3
    assert body_of(script.asked[-1])["message"]["text"] == TEXT


def test_a_throttled_courtesy_is_a_throttled_message() -> None:
    """Calling on would lengthen the block, and nothing is out yet."""
    script = Script(lambda: httpx.Response(400, json=graph_error(4)))
    platform = script.platform("meta")
    with pytest.raises(RateLimited):
        send(answer_to(SAMPLE[DIRECT]), platform)
    assert len(script.asked) == 1
    assert platform.rests == {"all": 300}


# --- to a person, about what was public ---------------------------------------------------------

PRIVATELY = {
    COMMENT: "comment_id",
    "facebook post": "post_id",
    "instagram comment": "comment_id",
    "instagram live_comment": "comment_id",
}


def privately(kind: str, age: timedelta = HOURS, **how: Any) -> Reply:
    return aged(kind, age, in_private=True, **how)


@pytest.mark.parametrize("kind", sorted(PRIVATELY))
def test_a_private_reply_names_what_it_is_about_and_is_one_call(kind: str) -> None:
    (request,) = sent(privately(kind))
    assert request.url.path == "/graph/v26.0/me/messages"
    metadata = {"metadata": f"{SAMPLE[kind].id}#ack"} if kind.startswith("facebook") else {}
    assert body_of(request) == {
        "recipient": {PRIVATELY[kind]: SAMPLE[kind].id},
        "message": {"text": TEXT} | metadata,
    }


@pytest.mark.parametrize(
    ("place", "in_private"),
    [
        ("facebook_comment", True),
        ("facebook_post", True),
        ("instagram_comment", True),
        # The only answer that there is.
        ("instagram_live_comment", True),
        ("instagram_live_comment", False),
    ],
)
def test_meta_takes_one_private_reply_and_no_second(
    world: World, place: str, in_private: bool
) -> None:
    message = world.hear(place)
    reply = replace(answer_to(message), in_private=in_private)
    id = world.send(reply)
    (said,) = world.said()
    assert (said["id"], said["in_reply_to"], said["private_reply"]) == (id, message.id, True)
    with pytest.raises(Refuse, match="answered in private before"):
        world.send(reply)


@pytest.mark.parametrize("kind", sorted(PRIVATELY))
@pytest.mark.parametrize("by_human", [True, False])
def test_after_a_week_there_is_no_private_reply(kind: str, by_human: bool) -> None:
    sent(privately(kind, 7 * DAYS - A_BIT, by_human=by_human))
    refused(privately(kind, 7 * DAYS, by_human=by_human))
    # It is the comment's week, whenever its author wrote elsewhere.
    refused(privately(kind, 7 * DAYS, by_human=by_human, heard_at=NOON - HOURS))


def test_a_public_answer_has_no_window() -> None:
    for kind in (COMMENT, "facebook post", "instagram comment"):
        assert len(sent(aged(kind, 400 * DAYS))) == 1


# --- as whom ------------------------------------------------------------------------------------


def proof(token: str, secret: str) -> str:
    return hmac.new(secret.encode(), token.encode(), sha256).hexdigest()


HINTS = [
    Hint(account=PAGE, about={"facebook_mention": "600100200300400_500"}),
    Hint(account=INSTAGRAM, about={"instagram_comment": "17900000000000031"}),
    Hint(account=INSTAGRAM, about={"instagram_media": "18000000000000032"}),
]


@pytest.mark.parametrize("own_secret", ["", "a secret of its own"])
@pytest.mark.parametrize("api", ["facebook", "instagram"])
def test_every_call_is_versioned_and_proven_and_at_the_account_s_host(
    own_secret: str, api: str
) -> None:
    calls = Recorder(200, DONE | {"data": [], "message": "x", "mentioned_comment": {"text": 1}}, {})
    known = {"token": "the-token", "api": api, "handle": "h"} | (
        {"app_secret": own_secret} if own_secret else {}
    )
    secret = {
        "app_secrets": ["the first", "another"],
        "accounts": dict.fromkeys((PAGE, INSTAGRAM, BY_LOGIN), known),
    }
    platform = replace(calls.platform("meta"), secret=secret)
    for message in SAMPLE.values():
        if message.is_answerable:
            send(answer_to(message), platform)
            with suppress(Unsure):
                find_reply(answer_to(message), platform)
    for hint in HINTS:
        with suppress(Refuse):
            fetch(hint, platform)
    assert len(calls.asked) > 20
    host = "instagram" if api == "instagram" else "graph"
    for request in calls.asked:
        assert request.url.path.startswith(f"/{host}/v26.0/")
        assert request.headers["authorization"] == "Bearer the-token"
        expected = proof("the-token", own_secret or "the first")
        assert request.url.params["appsecret_proof"] == expected


def test_the_version_is_the_setting_s() -> None:
    recorder = Recorder(200, DONE, {})
    plain = settings("https://platform.example")
    platform = replace(
        recorder.platform("meta"),
        setting=lambda name: "v99.9" if name == "GRAPH_API_VERSION" else plain(name),
    )
    send(answer_to(SAMPLE[COMMENT]), platform)
    assert recorder.asked[0].url.path.startswith("/graph/v99.9/")


def test_a_rotated_token_is_dead_and_the_new_one_is_not(world: World) -> None:
    message = world.hear("messenger")
    world.order("/accounts", channel="meta", id=PAGE, token="another-token")
    with pytest.raises(AccountDead):
        world.send(answer_to(message))
    known = {**DEMO_SECRET["meta"], "accounts": {PAGE: {"token": "another-token"}}}
    assert send(answer_to(message), world.platform("meta", known))


# --- how it says no -----------------------------------------------------------------------------

# platform-facts 1.10: code and subcode, what it means for an answer and for a question.
NO: list[tuple[int, int | None, int, type[FirstReplyError], type[FirstReplyError]]] = [
    *((code, None, 400, RateLimited, RateLimited) for code in (4, 17, 32, 613)),
    (613, 1996, 400, RateLimited, RateLimited),
    *((code, None, 400, RateLimited, RateLimited) for code in (80001, 80002, 80006, 80008)),
    *((190, subcode, 401, AccountDead, AccountDead) for subcode in (None, 458, 463, 467)),
    (102, None, 401, AccountDead, AccountDead),
    (10, None, 403, Refuse, Refuse),
    *((code, None, 403, Refuse, Refuse) for code in (200, 210, 299)),
    *((10, subcode, 400, Refuse, Refuse) for subcode in (2018278, 2534022, 2018065, 2018108)),
    *((551, subcode, 400, Refuse, Refuse) for subcode in (None, 1545041)),
    (200, 1545041, 403, Refuse, Refuse),
    *((100, subcode, 400, Refuse, Refuse) for subcode in (None, 33, 2018001)),
    *((code, None, 400, Refuse, Refuse) for code in (230, 2018218, 2018300, 2018321)),
    *((code, None, 400, Refuse, Refuse) for code in (10900, 10902, 10903)),
    *((code, None, 500, Unsure, TryLater) for code in (1, 2)),
    (2, None, 400, Unsure, TryLater),
    (368, None, 503, Unsure, TryLater),
]


@pytest.mark.parametrize(("code", "subcode", "status", "saying", "asking"), NO)
@pytest.mark.parametrize("place", ["facebook_comment", "messenger", "instagram_message"])
def test_each_of_graph_s_errors_says_one_thing_to_do(
    world: World,
    place: str,
    code: int,
    subcode: int | None,
    status: int,
    saying: type[FirstReplyError],
    asking: type[FirstReplyError],
) -> None:
    reply = answer_to(world.hear(place))
    fault: dict[str, Any] = {"on": place, "fault": "graph_error", "code": code, "status": status}
    fault |= {"subcode": subcode} if subcode else {}
    world.order("/faults", **fault)
    with pytest.raises(saying) as raised:
        world.send(reply)
    assert raised.type is saying
    assert f"{code}/{subcode}" in str(raised.value)
    world.order("/faults", **fault, at="read")
    with pytest.raises(asking) as raised_too:
        world.find(reply)
    assert raised_too.type is asking
    assert world.said() == []


@pytest.mark.parametrize(
    ("code", "subcode", "meaning"),
    [
        *((10, subcode, "the time to answer is over") for subcode in (2018278, 2534022, 2018065)),
        (10, 2018108, "this person cannot be messaged"),
        (551, None, "this person cannot be messaged"),
        (200, 1545041, "this person cannot be messaged"),
        (100, 33, "it is not there any more"),
        (100, 2018001, "no such person"),
        (2018218, None, "no such person"),
        (230, None, "this person has not agreed to messages"),
        (10903, None, "answered in private before"),
        (10902, None, "too old for a private answer"),
        *((code, None, "no permission") for code in (10, 200, 299, 2018300, 2018321)),
    ],
)
def test_a_human_is_told_what_a_refusal_means(code: int, subcode: int | None, meaning: str) -> None:
    recorder = Recorder(400, graph_error(code, subcode), {})
    with pytest.raises(Refuse) as raised:
        send(answer_to(SAMPLE[COMMENT]), recorder.platform("meta"))
    assert raised.value.reason == f"graph 400 {code}/{subcode}: {meaning}"


# --- and that it soon will ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "minutes", "rest"),
    [(1, 0, 0), (89, 0, 0), (90, 0, 60), (96, 5, 300), (100, 60, 3600), (50, 5, 0)],
)
def test_what_is_nearly_used_up_is_left_alone(
    world: World, percent: int, minutes: int, rest: int
) -> None:
    reply = answer_to(world.hear("facebook_comment"))
    world.order("/settings", usage_percent=percent, usage_wait_minutes=minutes)
    for call in (send, find_reply):
        platform = world.platform("meta")
        assert call(reply, platform)
        assert platform.rests == ({"all": rest} if rest else {})


APP, CASES = "x-app-usage", "x-business-use-case-usage"
FULL = {"call_count": 1, "total_cputime": 95, "total_time": 2}


@pytest.mark.parametrize(
    ("headers", "rest"),
    [
        ({APP: json.dumps(FULL)}, 60),
        ({APP: json.dumps({"total_time": 99})}, 60),
        ({APP: json.dumps({"call_count": 90})}, 60),
        ({APP: json.dumps({"call_count": 89.9})}, 0),
        ({APP: json.dumps({"total_time": "99", "other": 99})}, 0),
        ({APP: "{", CASES: "[]"}, 0),
        ({CASES: json.dumps({"1": [{}, None, FULL], "2": 5})}, 60),
        ({CASES: json.dumps({"1": [FULL], "2": [{"estimated_time_to_regain_access": 7}]})}, 420),
        (
            {
                APP: json.dumps({"call_count": 1}),
                CASES: json.dumps({"1": [{**FULL, "estimated_time_to_regain_access": 0}]}),
            },
            60,
        ),
    ],
)
def test_any_of_meta_s_shares_may_be_nearly_used_up(headers: Mapping[str, str], rest: int) -> None:
    platform = Recorder(200, DONE, headers).platform("meta")
    send(answer_to(SAMPLE[COMMENT]), platform)
    assert platform.rests == ({"all": rest} if rest else {})


def test_a_refusal_tells_what_is_used_up_as_well() -> None:
    platform = Recorder(400, graph_error(100), {APP: json.dumps(FULL)}).platform("meta")
    with pytest.raises(Refuse):
        send(answer_to(SAMPLE[COMMENT]), platform)
    assert platform.rests == {"all": 60}


def test_a_longer_rest_is_not_shortened() -> None:
    platform = replace(Recorder(200, DONE, {APP: json.dumps(FULL)}).platform("meta"))
    platform.rest(900)
    send(answer_to(SAMPLE[COMMENT]), platform)
    assert platform.rests == {"all": 900}


@pytest.mark.parametrize("place", ["facebook_comment", "messenger"])
def test_a_block_is_rested_out(world: World, place: str) -> None:
    reply = answer_to(world.hear(place))
    world.order("/faults", on=place, fault="rate_limited")
    platform = world.platform("meta")
    with pytest.raises(RateLimited) as raised:
        send(reply, platform)
    assert platform.rests == {"all": raised.value.wait} == {"all": 60}


# --- is it there? -------------------------------------------------------------------------------


def looked(reply: Reply, content: object) -> str | None:
    return find_reply(reply, Recorder(200, content, {}).platform("meta"))


def under(id: str, text: str = TEXT, *, by: str = PAGE, at: datetime = NOON) -> dict[str, Any]:
    """One comment as Facebook lists it."""
    return {"id": id, "message": text, "from": {"id": by}, "created_time": at.isoformat()}


@pytest.mark.parametrize("place", ["facebook_comment", "instagram_comment"])
def test_an_answer_to_a_reply_is_looked_for_wherever_meta_puts_it(world: World, place: str) -> None:
    """Instagram has two levels: what answers a reply stands beside it, as does what answers the
    comment above or another reply, so there the same words are only a sign."""
    above = world.hear(place)
    message = world.hear(place, author={"name": "Bo"}, parent=above.id)
    assert message.in_reply_to == above.id
    reply = answer_to(message)
    assert world.find(reply) is None
    id = world.send(reply)
    if place == "instagram_comment":
        with pytest.raises(Unsure):
            world.find(reply)
    else:
        assert world.find(reply) == id


@pytest.mark.parametrize("place", ["facebook_comment", "facebook_post", "instagram_comment"])
def test_a_private_reply_cannot_be_proven_absent(world: World, place: str) -> None:
    """Meta may list it under another id of the commenter's."""
    reply = replace(answer_to(world.hear(place)), in_private=True)
    with pytest.raises(Unsure):
        world.find(reply)


def test_a_private_reply_that_is_listed_is_found() -> None:
    ours = {"id": "m_1", "message": TEXT, "from": {"id": PAGE}, "created_time": NOON.isoformat()}
    assert looked(privately(COMMENT), {"data": [{"messages": {"data": [ours]}}]}) == "m_1"


@pytest.mark.parametrize("kind", [COMMENT, "facebook post"])
def test_words_are_compared_not_the_blanks_between_them(kind: str) -> None:
    reply = answer_to(SAMPLE[kind], "Hi Ada,\n\nwe are on it. ")
    assert looked(reply, {"data": [under("7", "Hi Ada, we are  on it.")]}) == "7"


@pytest.mark.parametrize("kind", [COMMENT, DIRECT])
def test_what_was_there_before_the_message_is_no_answer_to_it(kind: str) -> None:
    reply = answer_to(SAMPLE[kind])
    earlier = under("7", at=reply.message.sent_at - 5 * A_BIT)
    same_minute = under("8", at=reply.message.sent_at - timedelta(seconds=30))
    if kind == COMMENT:
        assert looked(reply, {"data": [earlier]}) is None
        assert looked(reply, {"data": [earlier, same_minute]}) == "8"
    else:
        assert looked(reply, {"data": [{"messages": {"data": [earlier]}}]}) is None
        assert looked(reply, {"data": [{"messages": {"data": [same_minute, earlier]}}]}) == "8"


def test_twenty_messages_prove_it_if_they_reach_back_to_the_message() -> None:
    reply = answer_to(SAMPLE[DIRECT])
    more = {"paging": {"next": "https://graph.example/2"}}

    def seen(at: datetime, more: Mapping[str, Any]) -> str | None:
        theirs = under("1", "?", by="4711", at=at)
        return looked(reply, {"data": [{"messages": {"data": [theirs], **more}}]})

    assert seen(reply.message.sent_at - HOURS, more) is None
    assert seen(reply.message.sent_at, {}) is None
    for at in (reply.message.sent_at, reply.message.sent_at + HOURS):
        with pytest.raises(Unsure):
            seen(at, more)
    ours = {"data": [under("9")], **more}
    assert looked(reply, {"data": [{"messages": ours}]}) == "9"


@pytest.mark.parametrize(
    "content",
    [{"data": []}, {"data": [{}]}, {"data": [{"messages": {}}]}, {"data": [{"id": "t_1"}]}],
    ids=str,
)
def test_no_conversation_proves_nothing_since_the_customer_s_message_is_missing_too(
    content: object,
) -> None:
    for kind in (DIRECT, DM):
        with pytest.raises(Unsure):
            looked(answer_to(SAMPLE[kind]), content)


@pytest.mark.parametrize("kind", IN_PRIVATE)
def test_messages_are_asked_for_with_the_person_on_the_right_platform(kind: str) -> None:
    recorder = Recorder(200, {"data": []}, {})
    with pytest.raises(Unsure):
        find_reply(answer_to(SAMPLE[kind]), recorder.platform("meta"))
    (request,) = recorder.asked
    assert (request.method, request.url.path) == ("GET", "/graph/v26.0/me/conversations")
    query = request.url.params
    assert query["user_id"] == SAMPLE[kind].conversation.customer
    assert query["platform"] == ("messenger" if kind == DIRECT else "instagram")


def test_instagram_knows_us_by_our_handle() -> None:
    """The ids in its messages are of another scope."""
    reply = answer_to(SAMPLE[DM])
    customer = reply.message.conversation.customer
    for id, by, found in (("4711", "larkspurair", "7"), (customer, "mirela.v", None)):
        one = under("7") | {"from": {"id": id, "username": by}}
        assert looked(reply, {"data": [{"messages": {"data": [one]}}]}) == found
    comment = answer_to(SAMPLE["instagram comment"])
    for by, found in (("larkspurair", "7"), ("mirela.v", None)):
        one = {"id": "7", "text": TEXT, "username": by, "timestamp": NOON.isoformat()}
        assert looked(comment, {"data": [one]}) == found


def test_more_answers_under_the_parent_than_a_page_prove_nothing() -> None:
    reply = answer_to(replace(SAMPLE[COMMENT], in_reply_to="700_1"))

    def pages(request: httpx.Request) -> httpx.Response:
        is_parent = "/700_1/" in request.url.path
        more = {"paging": {"next": "https://graph.example/2"}} if is_parent else {}
        return httpx.Response(200, json={"data": []} | more)

    platform = Recorder(200, {}, {}).platform("meta")
    with (
        httpx.Client(transport=httpx.MockTransport(pages)) as http,
        pytest.raises(Unsure),
    ):
        find_reply(reply, replace(platform, http=http))


def test_the_same_words_to_the_parent_s_author_are_not_it(world: World) -> None:
    """Two customers under one post, the second below the first, acknowledged in the same words."""
    first = world.hear("facebook_comment")
    second = world.hear("facebook_comment", author={"name": "Bo"}, parent=first.id)
    world.send(answer_to(first))
    with suppress(Unsure):
        assert world.find(answer_to(second)) is None


# --- ask ----------------------------------------------------------------------------------------

SECRETLY = ("facebook_mention", "instagram_mention")


@pytest.mark.parametrize("parent", ["", "18000000000000077"])
@pytest.mark.parametrize("place", SECRETLY)
def test_what_was_hinted_at_is_fetched_as_a_delivery(world: World, place: str, parent: str) -> None:
    where = (
        {"parent": f"4711_{parent}" if place == "facebook_mention" else parent} if parent else {}
    )
    hint = world.told(place, "Larkspur lost my dog \N{DOG FACE}", **where)
    assert isinstance(hint, Hint)
    body = fetch(hint, world.platform("meta"))
    assert fetch(hint, world.platform("meta")) == body, "so that it is kept once"
    assert body.isascii()
    (message,) = parse(body)
    assert isinstance(message, Message)
    id = next(iter(hint.about.values()))
    assert (message.id, message.account, message.kind) == (id, hint.account, "mention")
    assert message.text == "Larkspur lost my dog \N{DOG FACE}"
    assert abs(message.sent_at - clock()) < HOURS
    assert message.permalink
    assert message.is_anonymous is False
    assert message.is_answerable is (place == "facebook_mention")


def test_a_fetched_mention_on_facebook_can_be_answered(world: World) -> None:
    hint = world.told("facebook_mention", "Larkspur lost my dog")
    assert isinstance(hint, Hint)
    (message,) = parse(fetch(hint, world.platform("meta")))
    assert isinstance(message, Message)
    reply = answer_to(message)
    assert world.find(reply) is None
    assert world.send(reply) == world.find(reply)


WORDLESS: list[dict[str, Any]] = [
    {},
    {"id": "1"},
    {"message": "", "mentioned_comment": {"text": ""}, "mentioned_media": {"caption": ""}},
    {"message": None, "mentioned_comment": {"text": None}, "mentioned_media": {"caption": None}},
    {"mentioned_comment": [], "mentioned_media": None},
]


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: next(iter(hint.about)))
@pytest.mark.parametrize("content", WORDLESS, ids=str)
def test_what_has_no_words_is_refused(hint: Hint, content: dict[str, Any]) -> None:
    with pytest.raises(Refuse):
        fetch(hint, Recorder(200, content, {}).platform("meta"))


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: next(iter(hint.about)))
@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (400, graph_error(100, 33), Refuse),
        (400, graph_error(10), Refuse),
        (400, graph_error(190), AccountDead),
        (400, graph_error(4), RateLimited),
        (500, graph_error(2), TryLater),
        (502, b"busy", TryLater),
    ],
)
def test_a_question_that_fails_is_asked_again_or_given_up(
    hint: Hint, status: int, content: object, error: type[FirstReplyError]
) -> None:
    with pytest.raises(error) as raised:
        fetch(hint, Recorder(status, content, {}).platform("meta"))
    assert raised.type is error


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: next(iter(hint.about)))
@pytest.mark.parametrize("id", ["1){x", "me", "1/2", "", "١٢٣", "1 ", "../1", "1,access_token"])
def test_an_id_that_is_none_becomes_no_part_of_a_question(hint: Hint, id: str) -> None:
    recorder = Recorder(200, {"message": "x"}, {})
    (kind,) = hint.about
    with pytest.raises(Refuse):
        fetch(Hint(account=hint.account, about={kind: id}), recorder.platform("meta"))
    assert recorder.asked == []


def test_a_question_not_answered_is_asked_again(world: World) -> None:
    def hang_up(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    with httpx.Client(transport=httpx.MockTransport(hang_up)) as http:
        platform = Platform(http, settings("https://g.example"), DEMO_SECRET["meta"], clock)
        for hint in HINTS:
            with pytest.raises(TryLater) as raised:
                fetch(hint, platform)
            assert raised.type is TryLater
