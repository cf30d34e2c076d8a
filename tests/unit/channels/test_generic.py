"""The channel for all other sources: what its schema takes, and where an answer may go."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from firstreply.channels import Knock
from firstreply.channels.generic import address, send
from firstreply.channels.generic.address import destination, is_public
from firstreply.errors import FirstReplyError, RateLimited, Refuse, TryLater, Unsure
from firstreply.message import Edited, Ignored, Message, Removed, Spoken, Unread, Update
from firstreply.platform import Platform
from local.contracts import GENERIC
from local.simulator import DEMO_SECRET
from tests.unit.channels.platforms import NOON, TEXT, Recorder, answer_to
from tests.unit.channels.samples import SAMPLES, body, named, quick

SECRET = DEMO_SECRET["generic"]
PUBLIC_ADDRESS = "93.184.216.34"
SAMPLE: dict[str, Any] = json.loads(SAMPLES["generic/google_business_one_star.json"])
ARRIVED: list[Message] = [
    one
    for one in named("generic").parse(SAMPLES["generic/google_business_one_star.json"])
    if isinstance(one, Message)
]
REVIEW = ARRIVED[0]


def told(**more: object) -> Update:
    (update,) = named("generic").parse(body(SAMPLE | more))
    return update


def message(**more: object) -> Message:
    update = told(**more)
    assert isinstance(update, Message), update
    return update


# --- in -----------------------------------------------------------------------------------------


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(GENERIC[name].json_schema())


@pytest.mark.parametrize("sample", sorted(one for one in SAMPLES if one.startswith("generic/")))
def test_a_sample_keeps_the_schema_unless_it_is_set_aside(sample: str) -> None:
    updates = list(named("generic").parse(SAMPLES[sample]))
    keeps = schema("firstreply.message.v1").is_valid(json.loads(SAMPLES[sample]))
    assert keeps == (not any(isinstance(one, Unread) for one in updates))


words = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)
messages = st.fixed_dictionaries(
    {
        "source": st.from_regex(
            r"[a-z][a-z0-9_]{0,9}", fullmatch=True, alphabet=st.characters(codec="ascii")
        ),
        "account": st.from_regex(
            r"[a-z0-9/]{1,20}", fullmatch=True, alphabet=st.characters(codec="ascii")
        ),
        "id": st.from_regex(
            r"[a-zA-Z0-9_-]{1,20}", fullmatch=True, alphabet=st.characters(codec="ascii")
        ),
        "sent_at": st.datetimes(
            min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
        ).map(datetime.isoformat),
        "text": words.filter(str.strip),
    },
    optional={
        "author": st.none() | st.fixed_dictionaries({"id": st.just("a-7"), "name": words}),
        "title": st.none() | words,
        "kind": st.sampled_from(["review", "comment"]),
        "public": st.booleans(),
        "language": st.none() | st.sampled_from(["en", "pt-BR"]),
        "rating": st.none()
        | st.fixed_dictionaries({"value": st.integers(0, 5), "best": st.integers(5, 10)}),
        "in_reply_to": st.none() | st.just("t-1"),
        "permalink": st.none() | st.just("https://a.example/1"),
        "reply_url": st.none() | words,
        "edited_at": st.none() | st.just("2026-11-22T09:20:00Z"),
        "unheard_of": words,
    },
)


@quick
@given(one=messages)
def test_what_keeps_the_schema_is_read(one: dict[str, Any]) -> None:
    schema("firstreply.message.v1").validate(one)
    (update,) = named("generic").parse(body(one))
    assert isinstance(update, Edited if one.get("edited_at") else Message)
    found = update.message if isinstance(update, Edited) else update
    assert isinstance(found, Message)
    assert found.id == f"{one['source']}:{one['id']}"
    assert found.account == f"{one['source']}:{one['account']}"
    assert one["text"].strip() in found.text
    assert found.is_answerable == (found.reply_url is not None)


@quick
@given(
    good=st.lists(messages, max_size=3), at=st.integers(0, 3), bad=st.none() | words | st.just({})
)
def test_a_bad_message_takes_no_good_one_with_it(
    good: list[dict[str, Any]], at: int, bad: object
) -> None:
    alone = [update for one in good for update in named("generic").parse(body(one))]
    everything: list[Any] = [*good[:at], bad, *good[at:]]
    updates = list(named("generic").parse(body(everything)))
    assert [one for one in updates if not isinstance(one, Unread)] == alone
    assert len(updates) == len(alone) + 1


@pytest.mark.parametrize(
    ("value", "best", "verdict"),
    [
        *[(0, 5, "negative"), (1, 5, "negative"), (2, 5, "negative"), (2.5, 5, None)],
        *[(3, 5, None), (4, 5, None), (4.5, 5, "positive"), (5, 5, "positive")],
        *[(4, 10, "negative"), (5, 10, None), (9, 10, "positive"), (10, 10, "positive")],
        *[(0, 1, "negative"), (1, 1, "positive"), (40, 100, "negative"), (41, 100, None)],
    ],
)
def test_a_rating_is_a_verdict_on_whatever_scale(
    value: float, best: float, verdict: str | None
) -> None:
    assert message(rating={"value": value, "best": best}).verdict == verdict


WRONG: dict[str, list[Any]] = {
    "source": [None, "", "Google", "a b", "a:b", 5],
    "account": [None, "", "..", [], True, "é" * 200, "a\0b"],
    "id": [None, "", ".", {}, 1.5, "9" * 600, "a\0b", "a\n"],
    "author": ["Ada", 5, []],
    "author.id": [{}, {"id": None}, {"id": ""}],
    "sent_at": [None, "", "soon", True, "9999-12-31"],
    "edited_at": ["", "soon", []],
    "text": [5, [], {"en": "x"}],
    "kind": [None, "Google Review"],
    "public": [None, "no", 0],
    "by_brand": [None, "yes", 1],
    "rating": [5, "5", [], {"value": 6}, {"value": 11, "best": 10}],
    "rating.value": [{}, {"value": -1}, {"value": None}, {"value": "5"}, {"value": True}],
    "rating.best": [{"value": 1, "best": best} for best in (0, -5, "5")],
    "attachments": [None, "photo"],
    "reply_url": [5, []],
}


@pytest.mark.parametrize(
    ("where", "wrong"), [(where, wrong) for where, values in WRONG.items() for wrong in values]
)
def test_what_breaks_the_schema_is_set_aside_with_the_place(where: str, wrong: object) -> None:
    name = where.partition(".")[0]
    assert told(**{name: wrong}) == Unread(f"message without a usable {where}")


# No JSON Schema can count these, so they are told in its words.
UNCOUNTED = [("account", "é" * 200), ("rating", {"value": 11, "best": 10})]
UNTYPED = [("sent_at", wrong) for wrong in ("", "soon", "9999-12-31")] + [
    ("edited_at", wrong) for wrong in ("", "soon")
]


@pytest.mark.parametrize(
    ("where", "wrong"), [(where, wrong) for where, values in WRONG.items() for wrong in values]
)
def test_what_is_set_aside_breaks_the_schema(where: str, wrong: object) -> None:
    is_valid = schema("firstreply.message.v1").is_valid(SAMPLE | {where.partition(".")[0]: wrong})
    # What a time is says its format, which a validator may leave alone.
    assert is_valid == ((where, wrong) in [*UNCOUNTED, *UNTYPED])


@pytest.mark.parametrize("wrong", ["https://a.example/" + "x" * 2_000, "https://a.ex\0ample/"])
def test_an_address_that_nobody_can_follow_is_no_reason_to_lose_the_message(wrong: str) -> None:
    told = message(permalink=wrong, reply_url=wrong)
    assert (told.text, told.permalink, told.reply_url) == (REVIEW.text, None, None)
    assert not told.is_answerable


@pytest.mark.parametrize("field", ["text", "title", "language", "author"])
def test_what_no_text_needs_is_left_out(field: str) -> None:
    """Helpdesks refuse it."""
    said: Any = "a\0b\x1b\x7f\x9f\tc"
    value = {"id": "7", "name": said} if field == "author" else said
    told = message(**{"text": None, field: value})
    found = {"author": told.author_name, "language": told.language}.get(field, told.text)
    assert found == "ab\tc"


def test_no_id_that_is_given_to_our_answer_is_a_message_s(internet: None) -> None:
    _, id = say(200, {"id": "reviews/2"})
    assert id != message(id="reviews/2").id
    (own,) = named("generic").parse(
        body(SAMPLE | {"id": "reviews/2", "by_brand": True, "in_reply_to": "reviews/1"})
    )
    assert isinstance(own, Spoken)
    assert own.id == id, "it is recognised by it when the source tells of it"


def test_of_a_list_that_is_too_long_the_rest_is_set_aside_one_by_one() -> None:
    many = [SAMPLE | {"id": n} for n in range(1_003)]
    assert not schema("firstreply.message.v1").is_valid(many)
    updates = list(named("generic").parse(body(many)))
    assert [one.id for one in updates if isinstance(one, Message)] == [
        f"google_business:{n}" for n in range(1_000)
    ]
    assert updates[1_000:] == [Unread("one of more than 1,000 in a list")] * 3


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_rating_without_end_is_none(number: str) -> None:
    raw = body(SAMPLE).replace(b'"value": 1', b'"value": ' + number.encode())
    (update,) = named("generic").parse(raw)
    assert update == Unread("message without a usable rating.value")


def test_a_title_is_part_of_what_was_said() -> None:
    assert message(title=" Never again ", text=" Rude staff ").text == "Never again\n\nRude staff"
    assert message(title="Never again", text=None).text == "Never again"
    assert message(title=" ", text="Rude staff").text == "Rude staff"
    assert len(message(title="x" * 60_000, text="y" * 60_000).text) == 50_000


def test_stars_alone_are_something_said_if_they_say_something() -> None:
    assert message(text=None).verdict == "negative"
    assert told(text=None, rating={"value": 3}) == Ignored("message without text")


def test_what_one_source_calls_17_is_not_another_s() -> None:
    one, other = message(source="yelp", id=17), message(source="reddit", id="17")
    assert one.id != other.id
    assert one.conversation != other.conversation


def test_the_brand_s_own_words_are_never_a_customer_s() -> None:
    under = {"in_reply_to": "reviews/Aa1"}
    for own in ({"by_brand": True}, {"author": {"id": SAMPLE["account"]}}):
        assert isinstance(told(**own, **under), Spoken)
        assert told(**own) == Ignored("own words")
        assert told(**own, **under, edited_at="2026-11-22T09:30:00Z") == Ignored("own words")


def test_who_is_not_named_may_be_ourselves_and_is_marked() -> None:
    nameless = message(author=None)
    assert nameless.is_anonymous
    assert nameless.conversation.customer == f"author-of-{nameless.id}"


def test_a_removal_needs_nothing_but_which_and_when() -> None:
    gone = {name: SAMPLE[name] for name in ("source", "account", "id")}
    (update,) = named("generic").parse(body(gone | {"removed_at": "2026-11-22T09:30:00Z"}))
    assert update == Removed(
        account=REVIEW.account,
        customer=None,
        message_id=REVIEW.id,
        at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    )
    (broken,) = named("generic").parse(body(gone | {"removed_at": "lately"}))
    assert broken == Unread("message without a usable removed_at")


@pytest.mark.parametrize(
    ("secret", "ours"),
    [
        ({}, True),
        ({"accounts": {REVIEW.account: {"name": "Larkspur Air"}}}, True),
        ({"accounts": {}}, False),
        ({"accounts": None}, False),
        ({"accounts": []}, False),
        ({"accounts": {"google_business:other": {}}}, False),
    ],
)
def test_the_accounts_that_count_are_those_of_the_secret_if_it_lists_any(
    secret: dict[str, Any], ours: bool
) -> None:
    assert named("generic").is_ours(REVIEW.account, secret) is ours


# --- where an answer may go ---------------------------------------------------------------------


def leads_to(*addresses: str) -> Callable[..., Any]:
    """getaddrinfo, if every name led to these."""

    def found(host: str, port: int, **_: object) -> list[Any]:
        infos = []
        for one in addresses:
            family = socket.AF_INET6 if ":" in one else socket.AF_INET
            infos.append((family, socket.SOCK_STREAM, 6, "", (one, port)))
        return infos

    return found


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every name leads to a public address."""
    monkeypatch.setattr(socket, "getaddrinfo", leads_to(PUBLIC_ADDRESS))


def test_the_address_is_resolved_and_the_name_stays_for_tls_and_the_host(internet: None) -> None:
    to = destination("https://Reviews.example/replies?review=1", {})
    assert to.url == f"https://{PUBLIC_ADDRESS}/replies?review=1"
    assert to.headers == {"host": "reviews.example", "connection": "close"}
    assert to.extensions == {"sni_hostname": "reviews.example"}


def test_another_port_is_allowed_by_the_secret_alone(internet: None) -> None:
    elsewhere = "https://reviews.example:8443/"
    with pytest.raises(Refuse, match="port"):
        destination(elsewhere, {})
    to = destination(elsewhere, {"reply_ports": [8443]})
    assert to.url == f"https://{PUBLIC_ADDRESS}:8443/"
    assert to.headers["host"] == "reviews.example:8443"
    for nonsense in ("8443", [[8443]]):
        with pytest.raises(Refuse, match="port"):
            destination(elsewhere, {"reply_ports": nonsense})
    assert destination("https://reviews.example:443/", {}).url == f"https://{PUBLIC_ADDRESS}/"


HOSTILE = [
    *(
        "",
        " ",
        "reviews.example",
        "//reviews.example/",
        "/replies",
        "https:",
        "https://",
        "https:///x",
    ),
    *(
        "http://reviews.example/",
        "ftp://reviews.example/",
        "file:///etc/passwd",
        "gopher://a.example",
    ),
    *("javascript:alert(1)", "data:text/plain,x", "HTTP://reviews.example/", "httpss://a.example/"),
    # credentials
    *("https://user:pass@reviews.example/", "https://user@reviews.example/"),
    *("https://reviews.example@127.0.0.1/", "https://reviews.example%40127.0.0.1/"),
    # ports
    *("https://reviews.example:80/", "https://reviews.example:22/", "https://reviews.example:0/"),
    *("https://reviews.example:65979/", "https://reviews.example:-443/", "https://a.example:x/"),
    # addresses, in every notation
    *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/"),
    *("https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://017700000001/", "https://0/"),
    *("https://169.254.169.254/latest/meta-data/", "https://2852039166/", "https://0xa9fea9fe/"),
    *("https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/", "https://8.8.8.8/"),
    *("https://127.0.0.1./", "https://1.2.3.0x4/", "https://①②⑦.0.0.1/", "https://127。0。0。1/"),
    *("https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/"),
    *(
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[::]/",
        "https://[fe80::1%25eth0]/",
    ),
    # names of the inside
    *("https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/"),
    *("https://localhost.localdomain/", "https://printer.local/", "https://db.internal/"),
    *(
        "https://metadata.google.internal/",
        "https://instance-data.ec2.internal/",
        "https://nas.lan/",
    ),
    *("https://router.home.arpa/", "https://intranet/", "https://com/", "https://a..example/"),
    *("https://-a.example/", "https://a_b.example/", "https://reviews.example./"),
    # what parsers quarrel about
    "https://reviews.example\\@127.0.0.1/",
    "https:\\\\127.0.0.1/",
    "https://reviews.example\t/",
    "https://reviews.example\r\nHost: 127.0.0.1/",
    "https://reviews.example /",
    " https://reviews.example/",
    "https://reviews.example\0.evil.example/",
    "https://reviews\N{SOFT HYPHEN}.example/",
    "https://reviews.example\N{FULLWIDTH SOLIDUS}@127.0.0.1/",
    "https://%6cocalhost/",
    "https://127.0.0.1%2f.reviews.example/",
    "https://" + "a." * 130 + "example/",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
def test_no_hostile_address_is_even_looked_up(
    monkeypatch: pytest.MonkeyPatch, hostile: str
) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise AssertionError("it was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Refuse) as raised:
        destination(hostile, {"reply_ports": []})
    assert raised.value.reason.startswith("reply_url: ")
    assert "127" not in raised.value.reason


@quick
@given(where=st.text(max_size=60) | st.text(max_size=60).map(lambda rest: f"https://{rest}"))
@example(where="https://[")
@example(where="https://a.example:" + "9" * 5_000)
@example(where="https://xn--a.example/")
def test_whatever_is_given_for_an_address_is_refused_or_looked_up(where: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", leads_to(PUBLIC_ADDRESS))
        try:
            to = destination(where, {})
        except Refuse:
            return
    assert httpx.URL(to.url).host == PUBLIC_ADDRESS
    assert httpx.URL(to.url).scheme == "https"


INSIDE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.31.255.255", "192.168.0.1"),
    *("169.254.169.254", "169.254.170.2", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::7f00:1"),
    *("64:ff9b::8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fe80::1", "fec0::1", "fc00::1"),
    *("fd00:ec2::254", "ff02::1", "ff0e::1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1"),
    *("100::1", "4000::1"),
]


@pytest.mark.parametrize("inside", INSIDE)
def test_a_name_that_leads_inside_is_refused_also_among_others(
    monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    for addresses in ([inside], [PUBLIC_ADDRESS, inside], [inside, "2606:4700::1111"]):
        monkeypatch.setattr(socket, "getaddrinfo", leads_to(*addresses))
        with pytest.raises(Refuse, match="not on the internet") as raised:
            destination("https://reviews.example/", {})
        assert inside not in raised.value.reason


@pytest.mark.parametrize("outside", [PUBLIC_ADDRESS, "8.8.8.8", "2606:4700::1111", "2a00:1450::1"])
def test_what_is_given_out_is_outside(outside: str) -> None:
    assert is_public(ip_address(outside))


def test_an_address_of_the_newer_kind_is_connected_to_if_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", leads_to("2606:4700::1111"))
    assert destination("https://reviews.example/a", {}).url == "https://[2606:4700::1111]/a"
    monkeypatch.setattr(socket, "getaddrinfo", leads_to("2606:4700::1111", PUBLIC_ADDRESS))
    assert destination("https://reviews.example/a", {}).url == f"https://{PUBLIC_ADDRESS}/a"


def test_a_name_that_leads_nowhere_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror("no such host as reviews.example")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(TryLater) as raised:
        destination("https://reviews.example/", {})
    assert "reviews" not in str(raised.value)


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: public when it is looked at, the metadata service a moment later."""
    answers = iter([PUBLIC_ADDRESS, "169.254.169.254", "169.254.169.254"])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: leads_to(next(answers))(host, port)
    )
    platform = Recorder(200, {}, {})
    send(answer_to(REVIEW), platform.platform("generic"))
    assert [one.url.host for one in platform.asked] == [PUBLIC_ADDRESS]
    assert next(answers) == "169.254.169.254", "it was looked up once"


# --- said ---------------------------------------------------------------------------------------


def say(status: int = 200, content: object = b"", **headers: str) -> tuple[Recorder, str]:
    platform = Recorder(status, content, {k.replace("_", "-"): v for k, v in headers.items()})
    return platform, send(answer_to(REVIEW), platform.platform("generic"))


def test_an_answer_is_posted_in_our_words_and_signed(internet: None) -> None:
    platform, id = say(201, {"id": 5_000})
    assert id == "google_business.own:5000"
    (asked,) = platform.asked
    assert (asked.method, str(asked.url)) == (
        "POST",
        f"https://{PUBLIC_ADDRESS}/replies?review=Aa1",
    )
    assert asked.headers["host"] == "reviews.example"
    assert asked.headers["content-type"] == "application/json"
    said = json.loads(asked.content)
    schema("firstreply.reply.v1").validate(said)
    assert said == {
        "type": "firstreply.reply.v1",
        "id": asked.headers["webhook-id"],
        "source": "google_business",
        "account": "locations/4200",
        "in_reply_to": "reviews/Aa1",
        "text": TEXT,
        "public": True,
        "author": {"kind": "firstreply"},
    }
    knock = Knock(headers=dict(asked.headers.items()), body=asked.content, at=NOON)
    assert named("generic").is_signed(knock, SECRET)


def test_the_same_answer_has_the_same_id_at_every_try_and_another_has_another(
    internet: None,
) -> None:
    replies = [
        answer_to(REVIEW),
        answer_to(REVIEW),
        answer_to(REVIEW, kind="agent-1"),
        answer_to(replace(REVIEW, id="google_business:é 漢")),
        answer_to(replace(REVIEW, conversation=replace(REVIEW.conversation, customer="another"))),
    ]
    platform = Recorder(200, b"", {})
    for reply in replies:
        send(reply, platform.platform("generic"))
    ids = [one.headers["webhook-id"] for one in platform.asked]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert all(one.isascii() and "." not in one for one in ids)


def test_an_agent_s_answer_says_so(internet: None) -> None:
    platform = Recorder(200, b"", {})
    send(replace(answer_to(REVIEW), by_human=True), platform.platform("generic"))
    assert json.loads(platform.asked[0].content)["author"] == {"kind": "agent"}


@pytest.mark.parametrize("content", [b"", b"OK", b"[]", {}, {"id": None}, {"id": ""}, {"id": []}])
def test_who_gives_it_no_id_leaves_it_ours(internet: None, content: object) -> None:
    platform, id = say(200, content)
    assert id == f"google_business.own:{platform.asked[0].headers['webhook-id']}"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *[(status, Refuse) for status in (301, 302, 303, 307, 308, 400, 401, 403, 404, 409, 410)],
        *[(status, Unsure) for status in (408, 500, 502, 503, 504)],
        (429, RateLimited),
    ],
)
def test_what_is_no_2xx_says_what_to_do_next(
    internet: None, status: int, error: type[FirstReplyError]
) -> None:
    with pytest.raises(error) as raised:
        say(status, {"error": TEXT}, location="https://169.254.169.254/")
    assert raised.type is error
    assert str(raised.value) == f"generic {status}"


def test_a_redirect_is_not_followed(internet: None) -> None:
    platform = Recorder(302, b"", {"location": "https://169.254.169.254/latest/meta-data/"})
    follows = httpx.Client(transport=httpx.MockTransport(platform), follow_redirects=True)
    with pytest.raises(Refuse):
        send(answer_to(REVIEW), replace(platform.platform("generic"), http=follows))
    assert len(platform.asked) == 1


@pytest.mark.parametrize(
    ("wish", "wait"),
    [("5", 5), ("0", 1), ("99999", 900), ("9" * 5_000, 900), ("soon", 60), ("-1", 60), ("١", 60)],
)
def test_a_throttled_answer_waits_as_long_as_they_say(internet: None, wish: str, wait: int) -> None:
    platform = Recorder(429, b"", {}).platform("generic")
    http = httpx.Client(
        transport=httpx.MockTransport(
            lambda _: httpx.Response(429, headers=[(b"retry-after", wish.encode())])
        )
    )
    platform = replace(platform, http=http)
    with pytest.raises(RateLimited) as raised:
        send(answer_to(REVIEW), platform)
    assert raised.value.wait == wait
    assert platform.rests == {"public": wait}


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("certificate of reviews.example"), TryLater),
        (httpx.ConnectTimeout("reviews.example"), TryLater),
        (httpx.ReadTimeout("reviews.example"), Unsure),
        (httpx.RemoteProtocolError("reviews.example"), Unsure),
    ],
)
def test_a_lost_answer_is_in_doubt_and_one_never_begun_is_not(
    internet: None, failure: httpx.TransportError, error: type[FirstReplyError]
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    http = httpx.Client(transport=httpx.MockTransport(fail))
    with pytest.raises(error) as raised:
        send(answer_to(REVIEW), replace(Recorder(0, b"", {}).platform("generic"), http=http))
    assert raised.type is error
    assert "example" not in str(raised.value)


def test_an_answer_that_never_ends_is_given_up(
    internet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 100_000

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return endless()

    http = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))
    )
    with pytest.raises(Unsure):
        send(answer_to(REVIEW), replace(Recorder(0, b"", {}).platform("generic"), http=http))


def test_in_doubt_it_is_said_again_since_who_takes_it_drops_a_repeat() -> None:
    platform = Recorder(200, b"", {})
    found = named("generic").find_reply(answer_to(REVIEW), platform.platform("generic"))
    assert found is None
    assert platform.asked == []


def test_without_a_reply_url_or_in_private_nothing_is_said(internet: None) -> None:
    platform = Recorder(200, b"", {})
    for reply in (
        answer_to(replace(REVIEW, reply_url=None)),
        replace(answer_to(REVIEW), in_private=True),
    ):
        with pytest.raises(Refuse, match=r"^generic: "):
            send(reply, platform.platform("generic"))
    assert platform.asked == []


# --- to a real server, over TLS -----------------------------------------------------------------


def certificate(folder: Path, name: str) -> Path:
    """A key and what says that it is that name's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize("certified", ["reviews.example", "another.example"])
def test_the_certificate_is_that_of_the_name_and_not_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certified: str
) -> None:
    """On this machine, which the check of the address is told to take for the internet."""
    pem = certificate(tmp_path, certified)
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    there.load_cert_chain(pem)
    asked: list[str | bytes | None] = []
    there.sni_callback = lambda _socket, name, _context: asked.append(name)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve() -> None:
            connection, _ = listening.accept()
            try:
                with there.wrap_socket(connection, server_side=True) as secure:
                    request = b""
                    while not request.endswith(b"}"):
                        request += secure.recv(65_536)
                    asked.append(request)
                    secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except ssl.SSLError:
                asked.append(None)

        server = Thread(target=serve)
        server.start()
        monkeypatch.setattr(address, "is_public", lambda _: True)
        found = leads_to("127.0.0.1")
        resolve = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, port, *a, **k: (
                found(host, port) if "example" in str(host) else resolve(host, port, *a, **k)
            ),
        )
        review = replace(REVIEW, reply_url=f"https://reviews.example:{port}/replies")
        trusting = ssl.create_default_context(cafile=str(pem))
        with httpx.Client(verify=trusting, trust_env=False) as http:
            secret = {**SECRET, "reply_ports": [port]}
            platform = Platform(http, dict[str, str]().__getitem__, secret, lambda: NOON)
            if certified == "reviews.example":
                send(answer_to(review), platform)
            else:
                with pytest.raises(TryLater, match="ConnectError"):
                    send(answer_to(review), platform)
        server.join()
    assert asked[0] == "reviews.example"
    if certified == "reviews.example":
        request = asked[1]
        assert isinstance(request, bytes)
        assert f"host: reviews.example:{port}\r\n".encode() in request.lower()
