"""The brand speaks as its files say, and says so at once if they are wrong."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import pytest
import yaml

from firstreply import brand
from firstreply.channels import x
from firstreply.errors import Misconfigured
from firstreply.message import Conversation, Message
from firstreply.understanding import Intent, Understanding
from local.simulator.x_length import LIMIT
from local.simulator.x_length import weight as x_counts
from tests.unit.channels.samples import ROOT

VOICE: dict[str, Any] = yaml.safe_load(ROOT.joinpath("brand/voice.yaml").read_text("utf-8"))
POLICY: dict[str, Any] = yaml.safe_load(ROOT.joinpath("brand/policy.yaml").read_text("utf-8"))
SPOKEN: list[tuple[Intent, str]] = [
    (intent, language)
    for intent, wordings in VOICE["acknowledgement"].items()
    for language in wordings
]
THIRTY_LETTERS = "Wolfeschlegelsteinhausenberger"


def said_by(
    name: str | None = None, *, handle: str | None = None, public: bool = False, id: str = "m_1"
) -> Message:
    return Message(
        conversation=Conversation(channel="meta", account="1", customer="2"),
        id=id,
        network="messenger",
        kind="message",
        public=public,
        text="Where is my bag?",
        sent_at=datetime(2026, 11, 22, 9, 20, tzinfo=UTC),
        author_name=name,
        author_handle=handle,
    )


def about(intent: Intent, language: str = "en") -> Understanding:
    return Understanding(
        intent=intent,
        topics=("other",),
        sentiment="neutral",
        urgency="normal",
        journey="customer",
        language=language,
        confidence=0.5,
        unsure=False,
        reasons=(),
    )


def whole(text: str) -> str:
    return text


def acknowledged(message: Message, intent: Intent = "question", language: str = "en") -> str:
    return brand.voice().acknowledge(message, about(intent, language), whole)


def every_wording(message: Message, intent: Intent, language: str) -> set[str]:
    """What a customer of that name may be told, whatever the message's id."""
    ids = (f"m_{number}" for number in range(200))
    name, handle, public = message.author_name, message.author_handle, message.public
    return {
        acknowledged(said_by(name, handle=handle, public=public, id=id), intent, language)
        for id in ids
    }


# --- the default brand --------------------------------------------------------------------------


def test_every_intent_that_is_answered_has_words_in_every_language() -> None:
    assert set(POLICY["answer"]) == set(VOICE["acknowledgement"])
    assert {language for _, language in SPOKEN} == set(VOICE["greeting"])
    assert len(SPOKEN) == len(VOICE["acknowledgement"]) * len(VOICE["greeting"])


@pytest.mark.parametrize(("intent", "language"), SPOKEN)
def test_every_wording_is_used_and_fits_into_a_post_with_a_long_name(
    intent: Intent, language: str
) -> None:
    for message in (
        said_by(),
        said_by(THIRTY_LETTERS),
        said_by("漢" * 30),
        said_by(handle="a23456789012345", public=True),
    ):
        texts = every_wording(message, intent, language)
        assert len(texts) == len(VOICE["acknowledgement"][intent][language])
        for text in texts:
            assert x_counts(text) <= x.weight(text) <= LIMIT
            assert x.shorten(text) == text
            assert "{" not in text
            assert "://" not in text, "X charges for links"


def test_what_does_not_fit_is_shortened_by_the_channel() -> None:
    message, understanding = said_by(), about("praise")
    assert brand.voice().acknowledge(message, understanding, lambda text: text[:5]) == "Hi th"


def test_the_same_message_is_told_the_same_words_at_every_try() -> None:
    for number in range(20):
        again = {acknowledged(said_by("Ada", id=f"m_{number}")) for _ in range(3)}
        assert len(again) == 1
    assert len({acknowledged(said_by("Ada", id=f"m_{number}")) for number in range(20)}) > 1


def test_a_language_that_the_brand_does_not_speak_is_answered_in_its_default() -> None:
    assert acknowledged(said_by("Ada"), language="el") == acknowledged(said_by("Ada"))
    assert acknowledged(said_by("Ada"), language="de") != acknowledged(said_by("Ada"))


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Ada Okafor", "Ada"),
        ("Jean-Luc Moreau", "Jean-Luc"),
        ("O'Shea", "O'Shea"),
        ("O’Shea", "O’Shea"),
        ("Zoë", "Zoë"),
        ("  Ngọc   Anh", "Ngọc"),
        ("ślązak\nJan", "ślązak"),
        ("李 小龍", "李"),
        (THIRTY_LETTERS, THIRTY_LETTERS),
    ],
)
def test_a_customer_is_called_by_the_first_name(name: str, called: str) -> None:
    assert acknowledged(said_by(name)).startswith(f"Hi {called}, ")


@pytest.mark.parametrize(
    "name",
    [
        *(None, "", " ", "\n", "\0", "5", "Ada5", "_", "-", "'", "Ada-", "'Ada", "A--B"),
        *("https://larkspur.example", "larkspur.example", "www.larkspur.example Ada"),
        *("@LarkspurAir", "@ada", "#refund", "$ADA", "Ada@home", "ada/okafor"),
        *("{0}", "{hello}", "{called}", "{called.__class__}", "%s", "${HOME}", "{{}}", "}{"),
        *("Ada,", "<b>Ada</b>", "*Ada*", "\N{POUTING FACE}", "A\N{RIGHT-TO-LEFT OVERRIDE}da"),
        *("A\N{ZERO WIDTH SPACE}da", "\ud800", THIRTY_LETTERS + "s", "A" * 500, "A" * 100_000),
    ],
    ids=lambda name: ascii(name)[:30],
)
def test_a_name_that_is_none_is_not_repeated(name: str | None) -> None:
    """What a customer chose to be called would stand under the brand's name."""
    for public in (False, True):
        unnamed = every_wording(said_by(public=public), "complaint", "en")
        assert every_wording(said_by(name, public=public), "complaint", "en") == unnamed


def test_in_public_a_customer_is_called_by_the_handle_and_in_private_by_the_name() -> None:
    public = said_by("Ada Okafor", handle="ada_okafor", public=True)
    private = said_by("Ada Okafor", handle="ada_okafor")
    assert acknowledged(public).startswith("Hi @ada_okafor, ")
    assert acknowledged(private).startswith("Hi Ada, ")


@pytest.mark.parametrize(
    "handle", ["", "@", "larkspur.example", "ada okafor", "é", "{0}", "a\n", "a" * 31, "\ud800"]
)
def test_a_handle_that_is_none_is_not_repeated(handle: str) -> None:
    assert acknowledged(said_by("Ada", handle=handle, public=True)).startswith("Hi Ada, ")


# --- a brand of one's own -----------------------------------------------------------------------


class Files:
    """Stands before the repository's brand/ for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: object) -> None:
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        self.folder.joinpath(name).write_text(text, "utf-8")
        brand.voice.cache_clear()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    folder = tmp_path / "brand"
    folder.mkdir()
    import_module("brand")
    others = [entry for entry in sys.path if not Path(entry or ".", "brand").is_dir()]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *others])
    monkeypatch.delitem(sys.modules, "brand")
    invalidate_caches()
    files = Files(folder)
    files.write("voice.yaml", VOICE)
    files.write("policy.yaml", POLICY)
    yield files
    brand.voice.cache_clear()


def policy() -> object:
    return brand.policy(cool_down_minutes=60, auto_reply=True)


def test_a_brand_of_one_s_own_is_heard(own: Files) -> None:
    wordings = {"en": ["{hello}! Seen."]}
    greeting = {"en": {"named": "Ahoy {called}", "unnamed": "Ahoy"}}
    own.write(
        "voice.yaml",
        {
            "default_language": "en",
            "greeting": greeting,
            "acknowledgement": {"complaint": wordings, "praise": wordings, "question": wordings},
        },
    )
    assert acknowledged(said_by("Ada")) == "Ahoy Ada! Seen."
    assert acknowledged(said_by(), language="de") == "Ahoy! Seen."
    assert policy()


def changed(data: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with another value at `a.b.0`; nothing there if the value is `...`."""
    copy: dict[str, Any] = yaml.safe_load(yaml.safe_dump(data))
    *steps, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    parent: Any = copy
    for step in steps:
        parent = parent[step]
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return copy


EN = "acknowledgement.complaint.en"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("greeting: [", "line 1"),
        ("a: b\nc: d: e", "line 2"),
        ("", "voice.yaml"),
        ("[]", "voice.yaml"),
        ("just words", "voice.yaml"),
        (changed(VOICE, "tone", "witty"), "tone"),
        (changed(VOICE, "greeting.en.formal", "Dear {called}"), "greeting.en.formal"),
        (changed(VOICE, "greeting.en.named", ...), "greeting.en.named"),
        (changed(VOICE, "greeting.en.named", "Hi {first_name}"), "greeting.en.named"),
        (changed(VOICE, "greeting.en", ...), "greeting has no wording in 'en'"),
        (changed(VOICE, "default_language", "pl"), "greeting has no wording in 'pl'"),
        (changed(VOICE, "default_language", ...), "default_language"),
        (changed(VOICE, EN, ...), "complaint has no wording in 'en'"),
        (changed(VOICE, EN, []), EN),
        (changed(VOICE, EN, None), EN),
        (changed(VOICE, EN, "{hello}, sorry."), EN),
        (changed(VOICE, f"{EN}.1", ""), f"{EN}.1"),
        (changed(VOICE, f"{EN}.1", "  "), f"{EN}.1"),
        (changed(VOICE, f"{EN}.1", 5), f"{EN}.1"),
        *(
            (changed(VOICE, f"{EN}.1", f"Sorry {braces}."), f"{EN}.1")
            for braces in (
                *("{", "}", "{}", "{0}", "{name}", "{hello.upper}", "{hello[0]}"),
                *("{hello!r}", "{hello:>9}", "{hello:{x}}"),
            )
        ),
        (changed(VOICE, "acknowledgement.anger", {"en": ["Sorry"]}), "acknowledgement.anger"),
        (changed(VOICE, "acknowledgement", {}), "acknowledgement"),
    ],
)
def test_a_wrong_voice_is_named_with_its_place_before_any_customer_hears_it(
    own: Files, content: object, place: str
) -> None:
    own.write("voice.yaml", content)
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert_helpful(str(raised.value), "brand/voice.yaml", place, own)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("answer: [", "line 1"),
        ("", "policy.yaml"),
        (changed(POLICY, "answer", ["complaints"]), "answer"),
        (changed(POLICY, "answer", ...), "answer"),
        (changed(POLICY, "answer", ["complaint", "other"]), "answer: voice.yaml has no words"),
        (changed(POLICY, "escalate", "complaint"), "escalate"),
        (changed(POLICY, "due_minutes.high", ...), "due_minutes"),
        (changed(POLICY, "due_minutes.high", 0), "due_minutes.high"),
        (changed(POLICY, "due_minutes.low", 5), "due_minutes.low"),
        (changed(POLICY, "oldest_answer_hours", -1), "oldest_answer_hours"),
        (changed(POLICY, "cool_down", 5), "cool_down"),
        (changed(POLICY, "complaint_bands", ...), "complaint_bands"),
        (changed(POLICY, "complaint_bands", 0.5), "complaint_bands"),
        (changed(POLICY, "complaint_bands.sure", ...), "complaint_bands.sure"),
        (changed(POLICY, "complaint_bands.sure", 1.01), "complaint_bands.sure"),
        (changed(POLICY, "complaint_bands.sure", float("nan")), "complaint_bands.sure"),
        (changed(POLICY, "complaint_bands.none", -0.01), "complaint_bands.none"),
        (changed(POLICY, "complaint_bands.none", "few"), "complaint_bands.none"),
        (changed(POLICY, "complaint_bands.maybe", 0.5), "complaint_bands.maybe"),
        (changed(POLICY, "complaint_bands", {"sure": 0.3, "none": 0.4}), "none must not be above"),
        (changed(POLICY, "bedrock_sure", 7), "bedrock_sure"),
    ],
)
def test_a_wrong_policy_is_named_with_its_place_before_it_is_applied(
    own: Files, content: object, place: str
) -> None:
    own.write("policy.yaml", content)
    with pytest.raises(Misconfigured) as raised:
        policy()
    assert_helpful(str(raised.value), "brand/policy.yaml", place, own)


@pytest.mark.parametrize(("none", "sure"), [(0, 0), (0, 1), (0.4, 0.4), (1, 1)])
def test_bands_may_be_as_wide_or_as_narrow_as_the_brand_likes(
    own: Files, none: float, sure: float
) -> None:
    own.write("policy.yaml", changed(POLICY, "complaint_bands", {"none": none, "sure": sure}))
    bands = brand.policy(cool_down_minutes=60, auto_reply=True).complaint_bands
    assert (bands.none, bands.sure) == (none, sure)
    assert bands.is_unsure(none) == (none < sure)
    assert not bands.is_unsure(sure)


def test_where_links_are_not_allowed_a_wording_without_one_is_chosen(own: Files) -> None:
    wordings = [
        "See larkspur.example/help, {hello}",
        "{hello}, we are on it",
        "www.larkspur.example",
    ]
    own.write("voice.yaml", changed(VOICE, "acknowledgement.question.en", wordings))
    about_it, said = about("question"), [said_by("Ada", id=str(number)) for number in range(40)]
    bare = {brand.voice().acknowledge(one, about_it, whole, may_link=False) for one in said}
    free = {brand.voice().acknowledge(one, about_it, whole, may_link=True) for one in said}
    assert len(bare) == 1
    assert len(free) == 3


def test_a_brand_that_can_say_nothing_without_a_link_where_none_is_allowed_is_refused(
    own: Files,
) -> None:
    linked = changed(VOICE, "acknowledgement.question.en", ["See larkspur.example, {hello}"])
    own.write("voice.yaml", linked)
    with pytest.raises(Misconfigured) as raised:
        policy()
    assert_helpful(str(raised.value), "brand/voice.yaml", "acknowledgement.question.en", own)
    own.write("policy.yaml", changed(POLICY, "links_on", ["meta", "x"]))
    brand.voice.cache_clear()
    assert policy()


def test_a_file_that_is_missing_or_no_text_is_named(own: Files) -> None:
    own.folder.joinpath("voice.yaml").write_bytes(b"default_language: \xff\xfe")
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert_helpful(str(raised.value), "brand/voice.yaml", "UnicodeDecodeError", own)
    own.folder.joinpath("voice.yaml").unlink()
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert_helpful(str(raised.value), "brand/voice.yaml", "FileNotFoundError", own)


def assert_helpful(message: str, file: str, place: str, own: Files) -> None:
    """It goes into a log: what is wrong and where, nothing of the machine, no manual's address."""
    assert message.startswith(f"{file}: ")
    assert place in message
    assert str(own.folder.parent) not in message
    assert "://" not in message
    assert len(message) < 1_000
