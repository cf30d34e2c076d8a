"""Mistakes that other receivers of these webhooks make, each with a test that bears its name."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from firstreply.channels import Knock
from firstreply.channels.meta import handshake, is_signed, parse, send
from firstreply.errors import Refuse
from firstreply.message import Edited, Message, Removed, Spoken
from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.unit.channels.platforms import NOON, Recorder, answer_to
from tests.unit.channels.samples import SAMPLES, body, messages, meta_header, of

SECRET = DEMO_SECRET["meta"]
KEY = SECRET["app_secrets"][0]
HEADER = "x-hub-signature-256"
COMMENT = SAMPLES["meta/comment_added.json"]
PAGE = "102030405060708"


def signed(raw: bytes, key: str = KEY) -> dict[str, str]:
    return {"X-Hub-Signature-256": meta_header(key, raw)}


def kept(stack: World) -> int:
    return len(stack.inbox.scan()["Items"])


def sample(name: str) -> Any:
    return json.loads(SAMPLES[f"meta/{name}.json"])


# --- signatures ---------------------------------------------------------------------------------


def test_the_verify_token_as_the_key_of_the_signature(stack: World) -> None:
    """It proves nothing about deliveries: it never appears there."""
    raw = COMMENT.decode()
    assert stack.knock("meta", raw, signed(COMMENT, SECRET["verify_token"]))["statusCode"] == 401
    assert kept(stack) == 0
    assert stack.knock("meta", raw, signed(COMMENT))["statusCode"] == 200
    assert kept(stack) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256=" + "0" * 63},
        {"X-Hub-Signature-256": "sha256=é"},
    ],
    ids=str,
)
def test_open_when_the_signature_is_missing_or_of_another_length(
    stack: World, headers: dict[str, str]
) -> None:
    assert stack.knock("meta", COMMENT.decode(), headers)["statusCode"] == 401
    assert kept(stack) == 0


@pytest.mark.parametrize("known", [{}, {"app_secrets": []}, {"app_secrets": [""]}], ids=str)
def test_open_when_no_secret_is_set(known: dict[str, Any]) -> None:
    for header in ({}, {HEADER: meta_header("", COMMENT)}):
        assert not is_signed(Knock(headers=header, body=COMMENT), known)


def test_a_body_in_base64_taken_for_the_bytes_that_were_signed(stack: World) -> None:
    """The gateway encodes what it does not take for text; the signature is over what was sent."""
    encoded = base64.b64encode(COMMENT).decode()
    assert stack.knock("meta", encoded, signed(COMMENT), encoded=True)["statusCode"] == 200
    assert kept(stack) == 1
    over_base64 = signed(encoded.encode())
    assert stack.knock("meta", encoded, over_base64, encoded=True)["statusCode"] == 401
    assert kept(stack) == 1


def test_the_expected_signature_in_the_answer_to_a_wrong_one(stack: World) -> None:
    """Whoever posts the same body with it is in."""
    for raw in (COMMENT, b"signed_request=a.b", b"{}"):
        for headers in ({}, signed(raw, "another key")):
            answer = stack.knock("meta", raw.decode(), headers)
            assert answer["statusCode"] == 401
            for digest in _digests(raw):
                assert digest not in json.dumps(answer)


def _digests(raw: bytes) -> list[str]:
    """Right signatures of these bytes, in every spelling."""
    payload = raw.partition(b".")[2]
    macs = [
        hmac.new(key.encode(), what, kind).digest()
        for key in SECRET["app_secrets"]
        for what in (raw, payload)
        for kind in (hashlib.sha256, hashlib.sha1)
    ]
    spellings = (bytes.hex, lambda mac: base64.b64encode(mac).decode().rstrip("="))
    return [spell(mac) for mac in macs for spell in spellings]


@pytest.mark.parametrize("name", ["X-Hub-Signature", "X-Hub-Signature-256"])
def test_sha_1_accepted(stack: World, name: str) -> None:
    weak = "sha1=" + hmac.new(KEY.encode(), COMMENT, hashlib.sha1).hexdigest()
    assert stack.knock("meta", COMMENT.decode(), {name: weak})["statusCode"] == 401
    assert kept(stack) == 0


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha384", "sha512", "sha3_256"])
def test_the_sender_s_choice_of_the_hash_algorithm(algorithm: str) -> None:
    digest = hmac.new(KEY.encode(), COMMENT, algorithm).hexdigest()
    for scheme in (algorithm, algorithm.upper(), "sha256"):
        header = {HEADER: f"{scheme}={digest}"}
        assert not is_signed(Knock(headers=header, body=COMMENT), SECRET)


def test_the_secret_chosen_by_the_unverified_body() -> None:
    """Any current secret will do, whatever account the body claims to be about."""
    for key in SECRET["app_secrets"]:
        for raw in (COMMENT, SAMPLES["meta/instagram_comment.json"], b'{"entry":[{"id":"x"}]}'):
            assert is_signed(Knock(headers={HEADER: meta_header(key, raw)}, body=raw), SECRET)


@pytest.mark.parametrize("given", ["", "any", "subscribe", "None"])
def test_any_verify_token_passes(given: str) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": given, "hub.challenge": "1158201444"}
    answer = handshake(Knock(query=query), SECRET)
    assert (answer.status, "1158201444" in answer.body) == (403, False)
    right = handshake(Knock(query=query | {"hub.verify_token": SECRET["verify_token"]}), SECRET)
    assert (right.status, right.body) == (200, "1158201444")


@pytest.mark.parametrize("said", ["é", "\N{POUTING FACE}", "أين حقيبتي", "行李", "\u2028"])
@pytest.mark.parametrize("escaped", [True, False])
def test_multi_byte_text_breaks_the_signature(stack: World, said: str, escaped: bool) -> None:
    """The HMAC is over the bytes received: neither written again nor cut inside a character."""
    whole = sample("comment_added")
    whole["entry"][0]["changes"][0]["value"]["message"] = said
    raw = json.dumps(whole, ensure_ascii=escaped).encode()
    assert stack.knock("meta", raw.decode(), signed(raw))["statusCode"] == 200
    assert [one.text for one in parse(raw) if isinstance(one, Message)] == [said]


# --- batches ------------------------------------------------------------------------------------


def test_only_the_first_entry_is_read() -> None:
    entries = [sample(name)["entry"][0] for name in ("comment_added", "messenger_message")]
    for order in (entries, entries[::-1]):
        found = list(parse(body({"object": "page", "entry": order})))
        assert len(found) == len({one.id for one in found if isinstance(one, Message)}) == 2


def test_only_the_first_change_is_read() -> None:
    whole = sample("comment_added")
    (change,) = whole["entry"][0]["changes"]
    values = [change["value"] | {"comment_id": str(number)} for number in range(1, 51)]
    whole["entry"][0]["changes"] = [{"field": "feed", "value": value} for value in values]
    found = [one.id for one in parse(body(whole)) if isinstance(one, Message)]
    assert found == [str(number) for number in range(1, 51)]


def test_only_the_first_message_is_read() -> None:
    whole = sample("messenger_message")
    (event,) = whole["entry"][0]["messaging"]
    said = [event | {"message": {"mid": f"m_{number}", "text": "?"}} for number in range(50)]
    whole["entry"][0]["messaging"] = said
    found = [one.id for one in parse(body(whole)) if isinstance(one, Message)]
    assert found == [f"m_{number}" for number in range(50)]


def test_a_whole_delivery_routed_by_its_first_entry() -> None:
    """Entries are of different accounts: another brand's customer must not get our answer."""
    raw = SAMPLES["meta/batch_of_several_accounts.json"]
    wanted = [entry["id"] for entry in json.loads(raw)["entry"]]
    found = [one.account for one in parse(raw) if isinstance(one, Message)]
    assert sorted(set(found)) == sorted(set(wanted) - {"unknown-account"})
    both = SAMPLES["meta/batch_of_two_pages.json"]
    accounts = [one.account for one in parse(both) if isinstance(one, Message | Removed)]
    assert accounts == [PAGE, PAGE, "203040506070809", "203040506070809"]


STRANGE: list[Any] = [
    *(None, 5, "x", [], {}, {"id": None}, {"id": PAGE}, {"id": PAGE, "messaging": None}),
    {"id": PAGE, "changes": [None, {}, {"field": "feed"}, {"field": []}]},
    {"id": PAGE, "standby": [{"surprise": 1}], "messaging": [{}, {"message": 5}]},
    {"id": PAGE, "hop_context": [{}], "changed_fields": 5},
]


@pytest.mark.parametrize("strange", STRANGE, ids=str)
def test_events_dropped_since_one_entry_is_of_an_unknown_shape(strange: object) -> None:
    good = [sample(name)["entry"][0] for name in ("comment_added", "messenger_message", "standby")]
    for at in range(4):
        entries = [*good[:at], strange, *good[at:]]
        found = list(parse(body({"object": "page", "entry": entries})))
        assert len([one for one in found if isinstance(one, Message)]) == 3


def test_edits_and_removals_ignored() -> None:
    """A customer who takes words back has taken them back from us too."""
    assert isinstance(next(parse(SAMPLES["meta/comment_edited.json"])), Edited)
    assert isinstance(next(parse(SAMPLES["meta/comment_removed.json"])), Removed)
    assert isinstance(next(parse(SAMPLES["meta/instagram_unsend.json"])), Removed)


# --- loops --------------------------------------------------------------------------------------

OURS = [
    "own_comment",
    "own_comment_on_post",
    "own_post",
    "messenger_echo",
    "messenger_echo_by_human",
    "instagram_echo",
    "instagram_is_self",
    "instagram_own_comment",
    "instagram_own_comment_scoped",
    "standby_echo",
]


@pytest.mark.parametrize("name", OURS)
def test_own_words_answered_in_a_loop(name: str) -> None:
    for update in parse(SAMPLES[f"meta/{name}.json"]):
        assert not isinstance(update, Message | Edited)


@pytest.mark.parametrize("name", OURS)
def test_own_words_answered_in_a_loop_at_the_door(stack: World, name: str) -> None:
    raw = SAMPLES[f"meta/{name}.json"]
    assert stack.knock("meta", raw.decode(), signed(raw))["statusCode"] == 200
    stack.drain()
    # What it stands under may be marked: a human spoke there.
    marks = [one for one in stack.items("MSG") if "human_ms" in one and "message" not in one]
    assert stack.items("MSG") == marks
    assert stack.bodies("reply") == []


def test_a_human_s_answer_taken_for_noise() -> None:
    """It stops the clock of the case."""
    for name in ("own_comment", "messenger_echo_by_human", "instagram_own_comment"):
        (spoken,) = parse(SAMPLES[f"meta/{name}.json"])
        assert isinstance(spoken, Spoken)
        assert spoken.reply_key is None
        assert spoken.customer or spoken.in_reply_to


# --- again --------------------------------------------------------------------------------------


def test_a_delivery_that_comes_twice_is_two_messages(stack: World) -> None:
    """Meta sends no id of the delivery; what it says is its id."""
    for _ in range(2):
        assert stack.knock("meta", COMMENT.decode(), signed(COMMENT))["statusCode"] == 200
    assert kept(stack) == 1
    both = [one for _ in range(2) for one in parse(COMMENT) if isinstance(one, Message)]
    assert both[0] == both[1]


def test_a_retry_that_comes_late_is_dropped() -> None:
    """Meta tries for 36 hours; a message is not less a message for being late."""
    for raw in of("meta"):
        whole = json.loads(raw)
        for entry in whole["entry"]:
            if isinstance(entry.get("time"), int):
                entry["time"] += 36 * 3600
        late = [one for one in parse(body(whole)) if isinstance(one, Message)]
        assert len(late) == len([one for one in parse(raw) if isinstance(one, Message)])


# --- policy -------------------------------------------------------------------------------------


@pytest.mark.parametrize("age", [0, 23, 25, 100, 167, 169])
def test_every_reply_sent_under_a_tag_even_a_bot_s(age: int) -> None:
    """The human agent's tag is for humans, and the others are gone since 2026-04-27."""
    for message in messages("meta"):
        if message.public or message.account not in SECRET["accounts"]:
            continue
        old = replace(message, sent_at=NOON - timedelta(hours=age))
        recorder = Recorder(200, {"message_id": "1"}, {})
        try:
            send(answer_to(old), recorder.platform("meta"))
        except Refuse:
            assert age > 24
        for request in recorder.asked:
            assert b"MESSAGE_TAG" not in request.content
            assert b'"tag"' not in request.content
