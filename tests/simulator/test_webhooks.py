"""Webhooks leave as the platforms' own do, to the last byte."""

import base64
from datetime import datetime

import pytest

from local.simulator import meta_wire, x_wire
from tests.simulator.client import PAGE, PROFILE, Client, Delivered, Receiver, mac

TEXTS = (
    "Where is my bag?",
    "Schlüssel weg 😡👨‍👩‍👧‍👦",
    "حقيبتي ضاعت",
    '行李丢了 </b> 100% a@b \\ "',
)
META = ("facebook_comment", "messenger")
X = ("x_mention", "x_direct_message")


def text_of(delivered: Delivered) -> str:
    body = delivered.body
    if delivered.channel == "meta":
        entry = body["entry"][0]
        value = entry["changes"][0]["value"] if "changes" in entry else entry["messaging"][0]
        text = value.get("message")
        return str(text["text"] if isinstance(text, dict) else text)
    payload = body["data"]["payload"] if "data" in body else body
    if "direct_message_events" in payload:
        event = payload["direct_message_events"][0]
        return str(event["message_create"]["message_data"]["text"])
    return str(payload["tweet_create_events"][0]["text"] if "data" not in body else payload["text"])


def test_the_published_vector_of_meta() -> None:
    signed = meta_wire.sign("It's a Secret to Everybody", b"Hello, World!", "valid")
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed == {"X-Hub-Signature-256": f"sha256={digest}"}


@pytest.mark.parametrize("place", META)
def test_meta_signs_the_exact_bytes_in_hex(place: str, client: Client, receiver: Receiver) -> None:
    for text in TEXTS:
        client.say(place, text)
    for text, delivered in zip(TEXTS, receiver.delivered, strict=True):
        signature = f"sha256={mac('app-secret-now', delivered.raw).hex()}"
        assert delivered.channel == "meta"
        assert delivered.headers["X-Hub-Signature-256"] == signature
        assert text_of(delivered) == text


@pytest.mark.parametrize("family", ["xaa", "aaa"])
@pytest.mark.parametrize("place", X)
def test_x_signs_the_exact_bytes_in_base64(
    place: str, family: str, client: Client, receiver: Receiver
) -> None:
    for text in TEXTS:
        client.say(place, f"@northwind {text}", family=family)
    for text, delivered in zip(TEXTS, receiver.delivered, strict=True):
        digest = base64.b64encode(mac("consumer-secret-now", delivered.raw)).decode()
        assert delivered.channel == "x"
        assert delivered.headers["x-twitter-webhooks-signature"] == f"sha256={digest}"
        assert text_of(delivered) == f"@northwind {text}"


def test_meta_escapes_all_but_ascii_in_lowercase_hex(client: Client, receiver: Receiver) -> None:
    client.say("messenger", "ÄÖ 😡")
    assert b'"text":"\\u00c4\\u00d6 \\ud83d\\ude21"' in receiver.delivered[0].raw


@pytest.mark.parametrize("channel", ["meta", "x"])
@pytest.mark.parametrize("how", ["wrong", "missing", "sha1"])
def test_a_bad_signature_never_looks_like_a_good_one(
    channel: str, how: str, client: Client, receiver: Receiver
) -> None:
    client.deliver(channel, {})
    client.deliver(channel, {}, signature=how)
    good, bad = (
        {name.lower(): value for name, value in delivered.headers.items() if "ignature" in name}
        for delivered in receiver.delivered
    )
    assert good
    assert not set(good.items()) & set(bad.items())
    assert bool(bad) == (how != "missing")
    assert how != "sha1" or "sha1=" in "".join(bad.values())


def test_a_comment_stands_under_the_pages_post(client: Client, receiver: Receiver) -> None:
    sent_at = "2026-03-01T12:00:00+00:00"
    said = client.say("facebook_comment", author={"name": "Alma"}, sent_at=sent_at)
    body = receiver.delivered[0].body
    value = body["entry"][0]["changes"][0]["value"]
    assert (body["object"], body["entry"][0]["id"]) == ("page", PAGE)
    assert (value["item"], value["verb"], value["from"]["name"]) == ("comment", "add", "Alma")
    assert value["parent_id"] == value["post_id"]
    assert value["post_id"].startswith(f"{PAGE}_")
    assert value["comment_id"] == said["id"]
    assert said["id"].split("_")[0] == value["post_id"].split("_")[1]
    assert value["created_time"] == datetime.fromisoformat(sent_at).timestamp()  # seconds


def test_a_messenger_message_counts_milliseconds(client: Client, receiver: Receiver) -> None:
    said = client.say("messenger", sent_at="2026-03-01T12:00:00.123Z")
    event = receiver.delivered[0].body["entry"][0]["messaging"][0]
    assert event["recipient"]["id"] == PAGE
    assert event["message"]["mid"] == said["id"]
    assert event["timestamp"] == 1772366400123


def test_a_mention_names_the_brand(client: Client, receiver: Receiver) -> None:
    said = client.say("x_mention", "late again", author={"name": "Bruno"})
    event = receiver.delivered[0].body["data"]
    mention = event["payload"]["entities"]["mentions"][0]
    assert (event["event_type"], event["filter"]) == ("post.mention.create", {"user_id": PROFILE})
    assert event["payload"]["id"] == said["id"]
    assert event["payload"]["text"] == "@northwind late again"
    assert (mention["id"], mention["start"], mention["end"]) == (PROFILE, 0, len("@northwind"))
    assert event["includes"]["users"][0]["name"] == "Bruno"


def test_the_old_family_rounds_numbers_and_quotes_booleans(
    client: Client, receiver: Receiver
) -> None:
    said = client.say("x_mention", "late again", family="aaa")
    body = receiver.delivered[0].body
    status = body["tweet_create_events"][0]
    assert (body["for_user_id"], body["user_has_blocked"]) == (PROFILE, "false")
    assert status["id_str"] == said["id"]
    assert status["id"] == int(float(said["id"]))
    assert status["entities"]["user_mentions"][0]["id_str"] == PROFILE


def test_a_long_post_is_cut_and_stands_in_full_elsewhere(
    client: Client, receiver: Receiver
) -> None:
    text = f"{'ä' * 300} @northwind"
    client.say("x_mention", text)
    client.say("x_mention", text, family="aaa")
    new, old = receiver.delivered
    payload, status = new.body["data"]["payload"], old.body["tweet_create_events"][0]
    assert len(payload["text"]) == 280
    assert payload["note_tweet"]["text"] == text
    assert not payload["entities"]["mentions"]
    assert (len(status["text"]), status["truncated"]) == (140, True)
    assert status["extended_tweet"]["full_text"] == text
    assert status["extended_tweet"]["entities"]["user_mentions"]


def test_ids_grow_with_time_and_never_repeat() -> None:
    ids = [x_wire.new_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert int(x_wire.new_id(1_700_000_000_000)) < int(x_wire.new_id(1_700_000_000_001))
    assert len({meta_wire.comment_id("1_2") for _ in range(2000)}) == 2000


def test_a_name_alone_is_the_same_person_each_time(client: Client) -> None:
    for place in (*META, *X):
        for name in ("Alma", "Alma", ""):
            client.say(place, author={"name": name})
    people = [message["author"]["id"] for message in client.ask("/received")]
    for first, second, third in zip(people[::3], people[1::3], people[2::3], strict=True):
        assert first == second != third
