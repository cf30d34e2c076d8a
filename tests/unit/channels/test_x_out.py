"""X's own rules of answering: who may be answered, what it costs, when to wait, what is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from html import escape
from typing import Any

import httpx
import pytest

from firstreply import platform as way_out
from firstreply.channels.x import charged_as, find_reply, price, send
from firstreply.errors import AccountDead, FirstReplyError, RateLimited, Refuse, TryLater, Unsure
from firstreply.message import Hint, Part, Reply
from local.simulator import DEMO_SECRET
from tests.unit.channels.platforms import NOON, TEXT, Recorder, World, answer_to, clock
from tests.unit.channels.samples import messages, named

PROFILE = "1500000000000000001"
SAMPLE = {
    message.kind: message
    for message in messages("x")
    if message.is_answerable and message.account == PROFILE
}
POSTS = ["mention", "reply", "quote"]
KINDS = [*POSTS, "direct_message"]
SCOPE = {"x_mention": "public", "x_quote": "public", "x_direct_message": "private"}
PLACES = sorted(SCOPE)
DEEP_LINK = f"https://x.com/messages/compose?recipient_id={PROFILE}"
DONE = {"data": {"id": "1", "dm_event_id": "1"}}
WINDOW = range(840, 902)  # seconds, of 15 minutes just begun


def body_of(request: httpx.Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content)
    return body


def sent(reply: Reply) -> httpx.Request:
    recorder = Recorder(201, DONE, {})
    assert send(reply, recorder.platform("x")) == "1"
    (request,) = recorder.asked
    return request


def looked(reply: Reply, content: object) -> str | None:
    return find_reply(reply, Recorder(200, content, {}).platform("x"))


# --- said ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["xaa", "aaa"])
@pytest.mark.parametrize("place", PLACES)
def test_a_signed_answer_is_taken_and_found(world: World, place: str, family: str) -> None:
    """The simulator verifies OAuth's signature, with that of the query when we look for it."""
    reply = answer_to(world.hear(place, family=family))
    id = world.send(reply)
    (said,) = world.said()
    message = reply.message
    assert (said["id"], said["text"], said["in_reply_to"]) == (id, TEXT, message.id)
    assert world.find(reply) == id
    customer = message.conversation.customer
    assert [(call["method"], call["path"]) for call in world.calls()] == (
        [
            ("POST", f"/x/2/dm_conversations/with/{customer}/messages"),
            ("GET", f"/x/2/dm_conversations/with/{customer}/dm_events"),
        ]
        if place == "x_direct_message"
        else [("POST", "/x/2/tweets"), ("GET", f"/x/2/users/{PROFILE}/tweets")]
    )


def test_a_reply_that_names_us_is_answered_whichever_way_it_was_told(world: World) -> None:
    message = world.hear("x_reply", mention=True)
    assert world.send(answer_to(message))
    assert world.said()[0]["in_reply_to"] == message.id


@pytest.mark.parametrize(
    "wrong", [{"access_token": "another"}, {"access_token_secret": "another"}], ids=str
)
def test_a_signature_by_somebody_else_is_refused(world: World, wrong: dict[str, str]) -> None:
    secret: dict[str, Any] = deepcopy(dict(DEMO_SECRET["x"]))
    secret["accounts"][PROFILE] |= wrong
    for place in PLACES:
        reply = answer_to(world.hear(place))
        for call in (send, find_reply):
            with pytest.raises(AccountDead):
                call(reply, world.platform("x", secret))
    assert world.said() == []


def test_what_was_revoked_is_dead_until_the_secret_has_another_token(world: World) -> None:
    reply = answer_to(world.hear("x_mention"))
    world.order("/revoke", account=PROFILE)
    with pytest.raises(AccountDead):
        world.send(reply)
    world.order("/accounts", channel="x", id=PROFILE, token="new", token_secret="new secret")
    secret: dict[str, Any] = deepcopy(dict(DEMO_SECRET["x"]))
    secret["accounts"][PROFILE] |= {"access_token": "new", "access_token_secret": "new secret"}
    assert send(reply, world.platform("x", secret))


@pytest.mark.parametrize("kind", POSTS)
def test_a_post_has_no_key_that_x_does_not_know(kind: str) -> None:
    reply = answer_to(SAMPLE[kind])
    answers = {"in_reply_to_tweet_id": SAMPLE[kind].id}
    assert body_of(sent(reply)) == {"text": TEXT, "reply": answers}
    assert body_of(sent(replace(reply, invites=True))) == {
        "text": TEXT,
        "reply": answers,
        "direct_message_deep_link": DEEP_LINK,
    }


@pytest.mark.parametrize("how", [{}, {"invites": True}, {"by_human": True}], ids=str)
def test_a_direct_message_is_its_text(how: dict[str, Any]) -> None:
    reply = replace(answer_to(SAMPLE["direct_message"]), **how)
    assert body_of(sent(reply)) == {"text": TEXT}


@pytest.mark.parametrize("invites", [True, False])
def test_an_invitation_leads_to_our_own_messages(world: World, invites: bool) -> None:
    world.send(replace(answer_to(world.hear("x_mention")), invites=invites))
    assert world.said()[0].get("direct_message_deep_link") == (DEEP_LINK if invites else None)


def test_who_wrote_in_public_gets_no_direct_message() -> None:
    for kind in POSTS:
        recorder = Recorder(201, DONE, {})
        with pytest.raises(Refuse):
            send(replace(answer_to(SAMPLE[kind]), in_private=True), recorder.platform("x"))
        assert recorder.asked == []
    again = sent(replace(answer_to(SAMPLE["direct_message"]), in_private=True))
    assert again.url.path.endswith("/messages")


def test_x_hints_at_nothing() -> None:
    recorder = Recorder(200, DONE, {})
    with pytest.raises(Refuse):
        named("x").fetch(Hint(account=PROFILE, about={"id": "1"}), recorder.platform("x"))
    assert recorder.asked == []


# --- what it costs ------------------------------------------------------------------------------

PLAIN = "Hi Ada, we're sorry. A colleague will answer."
WITH_LINK = "Hi Ada, see https://larkspur.example/bags for news."


@pytest.mark.parametrize(
    ("place", "text", "invites", "costs"),
    [
        ("x_mention", PLAIN, False, "summoned_reply"),
        ("x_quote", PLAIN, False, "summoned_reply"),
        ("x_mention", PLAIN, True, "post_with_link"),
        ("x_quote", PLAIN, True, "post_with_link"),
        ("x_mention", WITH_LINK, False, "post_with_link"),
        ("x_mention", "See larkspur.example", False, "post_with_link"),
        ("x_direct_message", PLAIN, False, "direct_message"),
        ("x_direct_message", WITH_LINK, False, "direct_message"),
        ("x_direct_message", PLAIN, True, "direct_message"),
    ],
)
def test_the_price_we_name_is_what_x_charges(
    world: World, place: str, text: str, invites: bool, costs: str
) -> None:
    reply = replace(answer_to(world.hear(place), text), invites=invites)
    assert charged_as(reply, NOON) == costs
    world.send(reply)
    assert world.said()[0]["price"] == price(reply, NOON)


@pytest.mark.parametrize(("text", "costs"), [(PLAIN, "post"), (WITH_LINK, "post_with_link")])
def test_a_later_part_of_a_thread_stands_under_the_one_before(
    world: World, text: str, costs: str
) -> None:
    """So it is found there, whatever else of ours stands under the message; and is no summoned
    reply."""
    first = answer_to(world.hear("x_mention"))
    part = Part(number=2, of=2, whole=f"{TEXT} {text}", rest=text, under=world.send(first))
    second = replace(first, text=text, part=part)
    assert world.find(second) is None
    id = world.send(second)
    assert world.find(second) == id
    said = world.said()
    assert [one["in_reply_to"] for one in said] == [first.message.id, said[0]["id"]]
    assert charged_as(second, NOON) == costs
    assert said[1]["price"] == price(second, NOON)


def test_a_reply_to_who_did_not_call_us_is_a_post() -> None:
    """X lets nobody but Enterprise say it; the simulator never does."""
    assert charged_as(answer_to(SAMPLE["reply"], PLAIN), NOON) == "post"
    assert charged_as(answer_to(SAMPLE["reply"], WITH_LINK), NOON) == "post_with_link"
    assert price(answer_to(SAMPLE["reply"], PLAIN), NOON) == 0.015


def test_meta_charges_nothing() -> None:
    assert named("meta").price(answer_to(messages("meta")[0]), NOON) is None


# --- when to wait -------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_a_used_up_limit_is_waited_for_and_rests_its_own_kind(world: World, place: str) -> None:
    limits = {"x_direct_message_limit": 1} if place == "x_direct_message" else {"x_post_limit": 1}
    world.order("/settings", **limits)
    message = world.hear(place)
    platform = world.platform("x")
    assert send(answer_to(message), platform), "the last one is still said"
    assert platform.rests.keys() == {SCOPE[place]}
    assert platform.rests[SCOPE[place]] in WINDOW  # type: ignore[index]
    platform = world.platform("x")
    with pytest.raises(RateLimited) as raised:
        send(answer_to(message, "Something else"), platform)
    assert raised.value.wait in WINDOW
    assert platform.rests == {SCOPE[place]: raised.value.wait}
    assert len(world.said()) == 1
    world.order("/settings", x_post_limit=100, x_direct_message_limit=15)
    assert world.find(answer_to(message)) == world.said()[0]["id"], "looking has its own limit"


def test_the_other_kind_is_not_held_up(world: World) -> None:
    post, direct = world.hear("x_mention"), world.hear("x_direct_message")
    world.order("/settings", x_post_limit=1)
    assert world.send(answer_to(post))
    platform = world.platform("x")
    assert send(answer_to(direct), platform)
    assert platform.rests == {}
    world.order("/settings", x_post_limit=100)


@pytest.mark.parametrize("place", PLACES)
def test_too_many_questions_hold_up_no_answer(world: World, place: str) -> None:
    reply = answer_to(world.hear(place))
    world.order("/faults", on=place, fault="rate_limited", at="read")
    platform = world.platform("x")
    with pytest.raises(RateLimited) as raised:
        find_reply(reply, platform)
    assert raised.value.wait in WINDOW
    assert platform.rests == {}
    assert send(reply, platform)


@pytest.mark.parametrize(
    ("headers", "rests"),
    [
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "100"}, 101),
        ({"x-rate-limit-remaining": "0"}, 61),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "9999"}, 900),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "-5"}, 1),
        ({"x-rate-limit-remaining": "1", "x-rate-limit-reset": "100"}, None),
        ({"x-rate-limit-remaining": "many"}, None),
        ({}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_left_rests_until_the_reset(
    kind: str, headers: Mapping[str, str], rests: int | None
) -> None:
    at = int(NOON.timestamp())
    since_noon = {
        name: str(at + int(one)) if name.endswith("reset") else one for name, one in headers.items()
    }
    platform = Recorder(201, DONE, since_noon).platform("x")
    assert send(answer_to(SAMPLE[kind]), platform)
    scope = "private" if kind == "direct_message" else "public"
    assert platform.rests == ({scope: rests} if rests else {})
    looking = Recorder(200, {"meta": {"result_count": 0}}, since_noon).platform("x")
    assert find_reply(answer_to(SAMPLE[kind]), looking) is None
    assert looking.rests == {}


# --- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("fault", "saying", "asking"),
    [
        ({"fault": "server_error"}, Unsure, TryLater),
        ({"fault": "disconnect"}, Unsure, TryLater),
        ({"fault": "accept_then_timeout", "hold_seconds": 3}, Unsure, TryLater),
        ({"fault": "accept_then_disconnect"}, Unsure, TryLater),
        ({"fault": "token_expired"}, AccountDead, AccountDead),
        ({"fault": "x_error", "status": 503}, Unsure, TryLater),
        ({"fault": "x_error", "status": 400}, Refuse, Refuse),
        ({"fault": "x_error", "status": 403, "detail": "You cannot."}, Refuse, Refuse),
        ({"fault": "x_error", "status": 404}, Refuse, Refuse),
        ({"fault": "partial", "with_data": False}, Unsure, Unsure),
    ],
    ids=str,
)
def test_each_failure_says_one_thing_to_do(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    fault: dict[str, Any],
    saying: type[FirstReplyError],
    asking: type[FirstReplyError],
) -> None:
    reply = answer_to(world.hear(place))
    if fault["fault"] == "accept_then_timeout":
        monkeypatch.setattr(way_out, "TIMEOUT", httpx.Timeout(0.5))
    for at, call, error in (("read", find_reply, asking), ("answer", send, saying)):
        world.order("/faults", on=place, at=at, **fault)
        platform = world.platform("x")
        with pytest.raises(error) as raised:
            call(reply, platform)
        assert raised.type is error
        assert platform.rests == {}
    monkeypatch.undo()
    said = [one["id"] for one in world.said()]
    assert world.find(reply) == (said[0] if said else None), "a look settles it"


@pytest.mark.parametrize("place", ["x_mention", "x_quote"])
@pytest.mark.parametrize("fault", ["not_summoned", "gone"])
def test_what_x_forbids_goes_to_a_human(world: World, place: str, fault: str) -> None:
    world.order("/faults", on=place, fault=fault)
    with pytest.raises(Refuse) as raised:
        world.send(answer_to(world.hear(place)))
    assert raised.value.reason == "x 403 about:blank"


def test_who_did_not_call_us_is_not_answered(world: World) -> None:
    with pytest.raises(Refuse):
        world.send(answer_to(world.hear("x_reply")))
    assert world.said() == []


def test_who_never_wrote_in_private_or_took_it_back_is_not_answered(world: World) -> None:
    message = world.hear("x_direct_message")
    conversation = replace(message.conversation, customer="4711")
    with pytest.raises(Refuse):
        world.send(answer_to(replace(message, conversation=conversation)))
    deleted = world.hear("x_mention")
    world.order("/remove", id=deleted.id)
    with pytest.raises(Refuse):
        world.send(answer_to(deleted))


def test_a_duplicate_is_unsure_and_a_look_settles_it(world: World) -> None:
    reply = answer_to(world.hear("x_mention"))
    id = world.send(reply)
    with pytest.raises(Unsure):
        world.send(reply)
    assert world.find(reply) == id
    other = answer_to(world.hear("x_mention", author={"name": "Bo"}))
    with pytest.raises(Unsure):
        world.send(other)
    assert world.find(other) is None, "it was said, but to somebody else"


@pytest.mark.parametrize("place", PLACES)
def test_x_may_complain_beside_its_answer(world: World, place: str) -> None:
    """What was said was said; a list with gaps proves nothing."""
    reply = answer_to(world.hear(place))
    world.order("/faults", on=place, fault="partial")
    id = world.send(reply)
    assert world.said()[0]["id"] == id
    world.order("/faults", on=place, fault="partial", at="read")
    with pytest.raises(Unsure):
        world.find(reply)


# --- is it there? -------------------------------------------------------------------------------


def post(text: str, answers: str, id: str = "7") -> dict[str, Any]:
    references = [{"type": "replied_to", "id": answers}]
    return {"id": id, "text": text, "referenced_tweets": references, "created_at": NOON.isoformat()}


@pytest.mark.parametrize("before", ["", "@ada_okafor ", "@ada_okafor @bo_l  @x1 ", "@ada_okafor\n"])
@pytest.mark.parametrize("text", [TEXT, "Bags < 20 kg & \"carry-on\" > 'case' &amp; co"])
@pytest.mark.parametrize("kind", POSTS)
def test_x_s_touches_to_a_text_do_not_hide_it(kind: str, text: str, before: str) -> None:
    reply = answer_to(SAMPLE[kind], text)
    for shown in (escape(text, quote=False), escape(text)):
        assert looked(reply, {"data": [post(before + shown, SAMPLE[kind].id)]}) == "7"


@pytest.mark.parametrize("text", [TEXT, "Bags < 20 kg & more > less"])
def test_a_direct_message_is_found_escaped_or_not(text: str) -> None:
    reply = answer_to(SAMPLE["direct_message"], text)
    for shown in (text, escape(text, quote=False)):
        event = {"id": "7", "sender_id": PROFILE, "text": shown, "created_at": NOON.isoformat()}
        assert looked(reply, {"data": [event]}) == "7"


def test_handles_that_we_wrote_ourselves_do_not_hide_it() -> None:
    reply = answer_to(SAMPLE["mention"], "@ada_okafor Hi Ada")
    for shown in ("@ada_okafor Hi Ada", "@ada_okafor @ada_okafor Hi Ada", "Hi Ada"):
        assert looked(reply, {"data": [post(shown, reply.message.id)]}) == "7"


def test_a_quote_of_the_message_is_no_answer_to_it() -> None:
    reply = answer_to(SAMPLE["mention"])
    quote = [{"type": "quoted", "id": reply.message.id}]
    assert looked(reply, {"data": [post(TEXT, "4711") | {"referenced_tweets": quote}]}) is None


def test_another_answer_of_ours_is_no_proof_of_absence() -> None:
    reply = answer_to(SAMPLE["mention"])
    with pytest.raises(Unsure):
        looked(reply, {"data": [post("Something else", reply.message.id)]})
    both = [post("Something else", reply.message.id), post(TEXT, reply.message.id, "8")]
    assert looked(reply, {"data": both}) == "8"
    assert looked(reply, {"data": [post(TEXT, "4711")]}) is None


@pytest.mark.parametrize("place", ["x_mention", "x_direct_message"])
def test_more_than_a_page_proves_nothing_but_what_is_on_it(world: World, place: str) -> None:
    reply = answer_to(world.hear(place))
    id = world.send(reply)
    assert world.find(reply) == id
    if place == "x_mention":
        for number in range(100):
            world.order("/answer", in_reply_to=world.hear(place).id, text=f"Answer {number}")
    else:
        event = {
            "type": "message_create",
            "message_create": {
                "target": {"recipient_id": PROFILE},
                "sender_id": reply.message.conversation.customer,
                "message_data": {"text": "Hello?"},
            },
        }
        now = int((clock() + timedelta(seconds=5)).timestamp() * 1000)
        events = [
            event | {"id": f"1999000000000000{number:03}", "created_timestamp": str(now)}
            for number in range(100)
        ]
        body = {"for_user_id": PROFILE, "direct_message_events": events}
        world.order("/deliver", channel="x", body=body)
    with pytest.raises(Unsure):
        world.find(reply)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_that_reaches_back_proves_absence(kind: str) -> None:
    reply = answer_to(SAMPLE[kind])
    other = {"id": "1", "sender_id": "4711", "text": "?"}
    more = {"meta": {"next_token": "2", "result_count": 1}}
    for minutes, is_sure in ((-2, True), (-1, True), (0, False), (1, False)):
        at = reply.message.sent_at + timedelta(minutes=minutes)
        page = {"data": [other | {"created_at": at.isoformat()}]} | more
        if is_sure:
            assert looked(reply, page) is None
        else:
            with pytest.raises(Unsure):
                looked(reply, page)
