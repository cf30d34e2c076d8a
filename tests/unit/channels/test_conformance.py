"""What every channel promises; a new module in channels/ is found and held to it."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firstreply.channels import Channel, Knock, channel, names
from firstreply.channels import x as x_channel
from firstreply.errors import Refuse, Unreadable, Unsure
from firstreply.message import Hint, Ignored, Message, Reply
from firstreply.platform import Platform
from local.simulator import DEMO_SECRET
from local.simulator.x_length import weight as x_counts
from tests.unit.channels.samples import ROOT, messages, named, of, quick

PACKAGE = ROOT / "layers/common/firstreply/channels"
# How a platform counts a text, where it does not count characters.
MEASURE: dict[str, Callable[[str], int]] = {
    "meta": lambda text: len(text.encode()),
    "x": x_counts,
}

every_channel = pytest.mark.parametrize("name", sorted(names()))


# --- found --------------------------------------------------------------------------------------


def test_a_module_is_a_channel_unless_its_name_says_that_it_is_private() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    modules |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert names() == {name for name in modules if not name.startswith("_")}
    assert {"meta", "x", "generic"} <= names()


@pytest.mark.parametrize(
    "name", ["", "_read", "__init__", "Meta", "meta ", "meta.py", "..", "../x", "x\0", "é", "os"]
)
def test_no_other_name_in_a_route_is_a_channel(name: str) -> None:
    assert channel(name) is None


def _functions(owner: object) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(owner, inspect.isfunction)
    return {name: inspect.signature(one) for name, one in found if not name.startswith("_")}


@every_channel
def test_a_channel_has_the_functions_of_the_protocol(name: str) -> None:
    module = import_module(f"firstreply.channels.{name}")
    has = _functions(module)
    for function, promised in _functions(Channel).items():
        expected = [one for one in promised.parameters.values() if one.name != "self"]
        parameters = list(has[function].parameters.values())
        # What it does not look at, it may mark.
        assert [(one.name.removeprefix("_"), one.kind) for one in parameters] == [
            (one.name, one.kind) for one in expected
        ]
        # It may promise more, never less.
        returns = _alternatives(has[function].return_annotation)
        assert returns <= _alternatives(promised.return_annotation)


def _alternatives(annotation: object) -> set[str]:
    return set(str(getattr(annotation, "__name__", annotation)).split(" | "))


@every_channel
def test_a_channel_names_the_settings_that_it_reads(name: str) -> None:
    """Whoever deploys it learns from these what to set."""
    settings = named(name).SETTINGS
    source = "".join(path.read_text("utf-8") for path in _files_of(name))
    assert set(settings) == set(re.findall(r'"([A-Z]+(?:_[A-Z]+)*_API_[A-Z]+)"', source))
    template = (ROOT / "template.yaml").read_text("utf-8")
    assert [one for one in settings if f"{one}:" not in template] == []


@every_channel
def test_a_channel_has_samples_of_what_it_reads_and_of_what_it_ignores(name: str) -> None:
    updates = [update for body in of(name) for update in named(name).parse(body)]
    assert [one for one in updates if isinstance(one, Message)]
    assert [one for one in updates if isinstance(one, Ignored)]


@every_channel
def test_a_message_knows_its_channel_so_that_the_answer_finds_the_way_back(name: str) -> None:
    assert {message.conversation.channel for message in messages(name)} == {name}


# --- closed -------------------------------------------------------------------------------------

KNOCKS = [
    Knock(),
    Knock(query={"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}),
    Knock(query={"crc_token": "a"}),
    Knock(headers={"x-hub-signature-256": "sha256="}, body=b"{}"),
    Knock(headers={"x-twitter-webhooks-signature": "sha256="}, body=b"{}"),
    Knock(headers={"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,"}),
]


@every_channel
@pytest.mark.parametrize("knock", KNOCKS, ids=str)
def test_without_a_secret_the_door_stays_shut(name: str, knock: Knock) -> None:
    assert named(name).is_signed(knock, {}) is False
    assert named(name).handshake(knock, {}).status == 403


@every_channel
def test_with_a_secret_an_empty_knock_is_refused(name: str) -> None:
    assert named(name).is_signed(Knock(), DEMO_SECRET[name]) is False
    assert named(name).handshake(Knock(), DEMO_SECRET[name]).status == 403


def nobody_asked(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.method} was sent without a secret")


@every_channel
def test_without_a_secret_nothing_is_said_or_asked(name: str) -> None:
    http = httpx.Client(transport=httpx.MockTransport(nobody_asked))
    shut = Platform(http, dict[str, str]().__getitem__, {}, lambda: datetime.now(UTC))
    for message in messages(name):
        reply = Reply(key=f"{message.id}#ack", message=message, text="Hi")
        with pytest.raises(Refuse):
            named(name).send(reply, shut)
        with pytest.raises((Refuse, Unsure)):
            named(name).find_reply(reply, shut)
    hint = Hint(account="1", about={"instagram_media": "1"})
    with pytest.raises(Refuse):
        named(name).fetch(hint, shut)


@every_channel
@pytest.mark.parametrize(
    "body", [b"", b" ", b"\0", b"{", b"[]", b"null", b"1", b'"{}"', b"{}{}", b"\xff", b"<html>"]
)
def test_what_is_no_body_of_theirs_is_unreadable(name: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        list(named(name).parse(body))


# --- short enough -------------------------------------------------------------------------------

long_texts = st.builds(
    lambda text, times: text * times,
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60),
    st.integers(1, 200),
)


@every_channel
@quick
@given(text=long_texts)
@example(text=" " * 3_000)
@example(text=" " * 1_999 + "word")
@example(text=" " * 280 + "word")
@example(text="word " * 10_000)
@example(text="x" * 50_000)
@example(text="\N{FAMILY}" * 3_000)
@example(text="a.co,b.co;c.co " * 300)
@example(text="https://larkspur.example/a/long/path?with=a&query " * 100)
@example(text="\N{DEVANAGARI LETTER QA}" * 280)
def test_a_shortened_text_fits_and_begins_as_it_did(name: str, text: str) -> None:
    limit: int = import_module(f"firstreply.channels.{name}").LONGEST_REPLY
    measure = MEASURE.get(name, len)
    short = named(name).shorten(text)
    assert short.encode()
    assert measure(short) <= limit
    assert named(name).shorten(short) == short
    assert short == text or (short[-1] == "…" and text.startswith(short[:-1]))


@every_channel
@given(text=st.text(st.characters(codec="utf-8"), max_size=100))
@quick
@example(text="")
@example(text="Hi Ada,  two blanks, \n\n a new line, and a trailing blank ")
def test_a_text_that_fits_is_left_alone(name: str, text: str) -> None:
    assert named(name).shorten(text) == text


@every_channel
def test_no_word_is_cut_but_one_that_is_all_there_is(name: str) -> None:
    words = "We are sorry that your luggage, two suitcases and a cello, has not arrived. " * 40
    short = named(name).shorten(words)
    assert words[len(short) - 1] in " ,."
    assert len(named(name).shorten("x" * 5_000)) >= 100


def test_x_counts_what_its_pages_say() -> None:
    """docs.x.com, "Counting characters"; a link is 23 however short or long."""
    assert x_channel.weight("Hello, world! \N{WAVING HAND SIGN}") == 16
    assert x_channel.weight("x" * 280) == x_channel.weight("漢" * 140) == 280
    assert x_channel.shorten("漢" * 140) == "漢" * 140
    assert len(x_channel.shorten("漢" * 141)) == 140


@pytest.mark.parametrize("around", ["{}", "你好{}你好", "({})", "see {}.", "{},{}", "{};{}!"])
@pytest.mark.parametrize(
    "link", ["a.co", "example.com", "www.example.com", "a.co.uk", "https://t.example/ab", "é.com"]
)
def test_x_s_count_of_a_text_with_links_is_never_too_low(around: str, link: str) -> None:
    rest = around.replace("{}", "")
    assert x_channel.weight(around.replace("{}", link)) >= (
        x_counts(rest) + 23 * around.count("{}")
    )


@quick
@given(text=st.text(st.characters(codec="utf-8")))
@example(text="\N{DEVANAGARI LETTER QA}")  # two characters after NFC
@example(text="\N{ANGSTROM SIGN}")
@example(text="\N{COPYRIGHT SIGN}\N{REGISTERED SIGN}")  # emoji, says X
@example(text="1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}")
def test_x_s_count_is_never_too_low(text: str) -> None:
    assert x_channel.weight(text) >= x_counts(text)


# --- the knowledge fence ------------------------------------------------------------------------

# A platform's words and the one module that may know them.
FENCE = {
    "meta": [
        *("hub.", "x-hub-signature", "verify_token", "app_secret", "appsecret_proof"),
        *("graph.facebook", "messaging", '"mid"', "comment_id", "is_echo", "permalink_url"),
        *("page_id", "standby", "sender_name", "x-business-use-case-usage", "x-app-usage"),
        *("signed_request", "story_mention", "recommendation_type", "open_graph", "HUMAN_AGENT"),
        *("mark_seen", "typing_on", "changed_fields", "self_ig_scoped_id", "mentioned_"),
        *("graph.instagram", "live_comment", "reviewer_", "app_id", "is_deleted", "fbtrace"),
    ],
    "generic": ["by_brand", "reply_ports", "sni_hostname", '"best"', "google_business"],
    "x": [
        *("crc_token", "twitter", "tweet", "for_user_id", "consumer_key", "consumer_secret"),
        *("oauth1", "dm_event", "dm_conversations", "id_str", "x-rate-limit", "screen_name"),
        *("oauth_", "tweets", "note_tweet", "extended_tweet", "user_has_blocked"),
        *("direct_message_deep_link", "quoted_status", "replied_to", "recipient_id", "event_uuid"),
    ],
}
# Data, in people's words.
EXEMPT = {"functions/classify/lexicon.yaml", "functions/classify/urgency.yaml"}


def _files_of(channel: str) -> list[Path]:
    """A channel is a module or a package."""
    data = PACKAGE.glob(f"{channel}/*.json")
    return [*PACKAGE.glob(f"{channel}.py"), *PACKAGE.glob(f"{channel}/**/*.py"), *data]


def _sources() -> list[Path]:
    found = [
        path
        for folder in ("layers/common", "functions")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".yaml", ".json"}
    ]
    return [path for path in found if str(path.relative_to(ROOT)) not in EXEMPT]


@pytest.mark.parametrize(
    ("word", "owner"), [(word, name) for name, words in FENCE.items() for word in words]
)
def test_a_platform_s_words_stay_in_its_module(word: str, owner: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z]){re.escape(word)}", re.IGNORECASE)
    knowing = {path for path in _sources() if pattern.search(path.read_text("utf-8"))}
    assert knowing <= set(_files_of(owner)), "a platform's word has left its channel"


def test_every_channel_is_fenced_in() -> None:
    for name, words in FENCE.items():
        text = "".join(path.read_text("utf-8") for path in _files_of(name)).lower()
        assert [word for word in words if word in text], f"{name}: none of its words is its own"
    assert FENCE.keys() == names()
