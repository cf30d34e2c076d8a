"""The brand's files are loaded as they stand, and what is wrong in them is said at once."""

import re
from typing import Any

import pytest

from firstreply import brand
from firstreply.channels import names
from firstreply.errors import Misconfigured
from firstreply.policy import Policy
from firstreply.voice import PURPOSES, Saying
from tests.unit.brands import POLICY, Files, changed, words

EN = words("en")
EN_FILE = "voice/en.yaml"


def policy() -> Policy:
    return brand.policy(cool_down_minutes=60, auto_reply=True)


def said(id: str, *, may_link: bool = True, **about: Any) -> str:
    saying = Saying(message_id=id, purpose="question", **about)
    return brand.voice().say(saying, lambda text: text, may_link=may_link)


# --- the brand that is shipped ------------------------------------------------------------------


def test_it_speaks_seven_languages_and_leaves_nothing_to_its_default() -> None:
    voice = brand.voice()
    assert set(voice.languages) == {"en", "de", "es", "fr", "pt", "it", "nl"}
    assert not [one for one in voice.languages.values() if one.in_default_language]


def test_its_policy_and_its_hours_are_in_order() -> None:
    assert policy().answer
    assert set(POLICY["answer"]) <= set(PURPOSES)
    assert policy().hours.time_zone == POLICY["hours"]["time_zone"]


# --- a brand of one's own -----------------------------------------------------------------------


def test_a_brand_of_one_s_own_is_heard(own: Files) -> None:
    own.write(EN_FILE, changed(EN, "greeting", {"named": "Ahoy {called}!", "unnamed": "Ahoy!"}))
    for language in ("de", "es", "fr", "pt", "it", "nl"):
        own.remove(f"voice/{language}.yaml")
    assert said("1", called="Ada").startswith("Ahoy Ada! ")
    assert said("1", language="de").startswith("Ahoy! ")
    assert policy().answer


def test_what_a_language_leaves_to_the_default_is_said_in_that(own: Files) -> None:
    kept = [row for row in words("de")["sentences"] if row.get("purpose") != "praise"]
    own.write("voice/de.yaml", changed(words("de"), "sentences", kept))
    with pytest.raises(Misconfigured, match=r"brand/voice/de.yaml:\d+: .*no .* for praise"):
        brand.voice()
    left = changed(words("de"), "sentences", kept) | {"in_default_language": ["praise"]}
    own.write("voice/de.yaml", left)
    praise = Saying(message_id="1", purpose="praise", language="de")
    assert brand.voice().say(praise, lambda text: text).startswith("Hi, ")
    assert said("1", language="de").startswith("Hallo, ")


def row(part: str, say: object, **about: object) -> dict[str, object]:
    return {"part": part, **about, "say": say}


def more(*rows: dict[str, object]) -> dict[str, Any]:
    """The English file with rows after its own."""
    return changed(EN, "sentences", [*EN["sentences"], *rows])


LAST = f"sentences.{len(EN['sentences'])}"
FIRST = "sentences.0.say.1"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("greeting: [}", "en.yaml:1: "),
        ("a: b\nc: d: e", "en.yaml:2: "),
        ("a: b\na: c", "en.yaml:2: 'a' stands here twice"),
        ("a: \x00", "en.yaml"),
        ("a: 1\nb: [2026-02-30]", "en.yaml:2: 2026-02-30: day"),
        ("a:\n- {{brand}}", "en.yaml:2: braces or brackets where a name is wanted: put it in quot"),
        ("a: 1\n? [b]\n: c", "en.yaml:2: braces or brackets"),
        ("a: &b [*b]", "en.yaml:1: & and * make anchors and aliases"),
        ("a: 1\nb: *a", "en.yaml:2: & and * make anchors and aliases"),
        ("a: &a [l]\nb: &b [*a, *a]\nc: &c [*b, *b]", "en.yaml:1: & and * make anchors"),
        ("a:\n- " + "[" * 100_000, "en.yaml:2: more than 20 lists within one another"),
        ("- " * 1_000, "en.yaml:1: more than 20 lists within one another"),
        ("{a: " * 1_000, "en.yaml:1: more than 20 lists within one another"),
        (changed(EN, "stop", "stop"), "stop: a list is wanted"),
        (changed(EN, "stop", {"a": "b"}), "stop: a list is wanted"),
        (changed(EN, "in_default_language", "praise"), "in_default_language: a list is wanted"),
        (changed(EN, "greeting", "Hi"), "greeting: names with values are wanted, as in `name: "),
        (changed(EN, FIRST, {"we're sorry": "read"}), f"{FIRST}: a text is wanted: put it in q"),
        ("", "en.yaml:1: "),
        ("[]", "en.yaml:1: "),
        ("just words", "en.yaml:1: "),
        (changed(EN, "tone", "witty"), "tone"),
        (changed(EN, "greeting.formal", "Dear {called}"), "greeting.formal"),
        (changed(EN, "greeting.named", ...), "greeting.named"),
        (changed(EN, "greeting.named", "Hi {first_name}"), "greeting.named"),
        (changed(EN, "greeting.named", "Hi [{called}]"), "greeting.named"),
        (changed(EN, "greeting.unnamed", "Hi {called}"), "greeting.unnamed"),
        (changed(EN, "grave_greeting.named", "Hello"), "grave_greeting.named"),
        (changed(EN, "expected.minutes", "soon"), "expected.minutes: it takes {count}"),
        (changed(EN, "expected.hour", "within {count} hours"), "expected.hour"),
        (changed(EN, "hours.weekday", "at {time}"), "hours.weekday"),
        (changed(EN, "hours.weekdays", ["Monday"]), "hours.weekdays"),
        (changed(EN, "hours.written.time", "{hour}"), "hours.written.time"),
        (changed(EN, "stop", []), "stop"),
        (changed(EN, "stop.0", "!"), "stop.0"),
        (changed(EN, "in_default_language", ["anger"]), "in_default_language.0"),
        (changed(EN, "sentences", ...), "sentences"),
        (changed(EN, "sentences", []), "sentences: no opening for complaint"),
        (changed(EN, "sentences.0", ...), "no opening for complaint, topic any, place public"),
        (more(row("opening", ["Hm."], purpose="anger")), f"{LAST}.purpose"),
        (more(row("opening", ["Hm."])), f"{LAST}.purpose: every part has some"),
        (more(row("removal", ["Hm."], purpose="praise")), f"{LAST}.purpose"),
        (more(row("human", ["Hm."], purpose="praise")), f"{LAST}.purpose: an answer to praise"),
        (
            more(row("opening", ["{answer}"], purpose=["known_answer", "question"])),
            f"{LAST}.purpose: known_answer has openings of its own",
        ),
        (more(row("opening", ["Hm."], purpose="praise", topic="love")), f"{LAST}.topic"),
        (more(row("opening", ["Hm."], purpose="praise", tone="gay")), f"{LAST}.tone"),
        (more(row("opening", ["Hm."], purpose="praise", place="here")), f"{LAST}.place"),
        (more(row("opening", ["Hm."], purpose="praise", channel="fax")), f"{LAST}.channel"),
        (more(row("opening", ["Hm."], purpose="praise", out_of_hours=False)), "out_of_hours"),
        (more(row("opening", ["Hm."], purpose="praise", when="now")), f"{LAST}.when"),
        (more(row("opening", ["Hm."], purpose="praise")), f"{LAST}: it holds where sentences."),
        (
            more(row("opening", ["Well."], purpose="known_answer", place="public")),
            f"{LAST}.say.0: {{answer}} is missing",
        ),
        (
            more(row("opening", ["[{answer}] Well."], purpose="known_answer", place="public")),
            f"{LAST}.say.0: {{answer}} is missing",
        ),
        (changed(EN, "sentences.0.say", []), "sentences.0.say"),
        (changed(EN, "sentences.0.say", None), "sentences.0.say"),
        (changed(EN, "sentences.0.say", "sorry."), "sentences.0.say"),
        *(
            (changed(EN, FIRST, value), FIRST)
            for value in (
                "",
                "  ",
                5,
                "[{brand}]",
                "a [b] c",
                "a [{brand} c",
                "a ] b",
                "[[{brand}]]",
            )
        ),
        (changed(EN, FIRST, "Hi from {brand}."), f"{FIRST}: {{brand}} may be missing"),
        (changed(EN, FIRST, "Back {hours}."), f"{FIRST}: {{hours}} may be missing"),
        (changed(EN, FIRST, "a[ {answer}]"), f"{FIRST}: {{answer}} is no field here"),
        *(
            (changed(EN, FIRST, f"Sorry[ {braces}]."), FIRST)
            for braces in (
                *("{", "}", "{}", "{0}", "{name}", "{called}", "{brand.upper}", "{brand[0]}"),
                *("{brand!r}", "{brand:>9}", "{brand:{x}}", "{{brand}}", "{{", "{brand} }}"),
            )
        ),
    ],
)
def test_a_wrong_voice_is_named_with_its_place_before_any_customer_hears_it(
    own: Files, content: object, place: str
) -> None:
    own.write(EN_FILE, content)
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert_helpful(str(raised.value), "brand/voice/en.yaml", place, own)


def test_the_line_is_the_one_to_mend(own: Files) -> None:
    text = brand.text(EN_FILE)
    own.write(EN_FILE, text.replace("that's not how it should be", "that's not {how} it should be"))
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "that's not how" in one)
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert str(raised.value) == (
        f"brand/voice/en.yaml:{line}: sentences.0.say.1: {{how}} is no field here"
    )


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("answer: [}", "policy.yaml:1: "),
        ("", "policy.yaml:1: "),
        (changed(POLICY, "answer", ["complaints"]), "answer"),
        (changed(POLICY, "answer", ...), "answer"),
        (changed(POLICY, "answer", ["complaint", "other"]), "answer: brand/voice/ has no words"),
        (changed(POLICY, "escalate", "complaint"), "escalate"),
        (changed(POLICY, "escalate", []), "escalate needs a row"),
        (changed(POLICY, "escalate", [{"priority": "high"}]), "escalate.0.due_minutes"),
        (changed(POLICY, "failed_reply.due_minutes", 0), "failed_reply.due_minutes"),
        (changed(POLICY, "failed_reply.due_minutes", 43_201), "failed_reply.due_minutes"),
        (changed(POLICY, "escalate.0.due_minutes", 43_201), "escalate.0.due_minutes"),
        (changed(POLICY, "automated", "auto reply"), "automated: a list is wanted"),
        (changed(POLICY, "hours.open", ["09:00-10:00"]), "hours.open: names with values are"),
        ("just words", "policy.yaml:1: names with values are wanted"),
        (changed(POLICY, "failed_reply.priority", "low"), "failed_reply.priority"),
        (changed(POLICY, "private_topics", ["weather"]), "private_topics"),
        (changed(POLICY, "grave_alarms", ["weather"]), "grave_alarms"),
        (changed(POLICY, "most_answers_a_day", 0), "most_answers_a_day"),
        (changed(POLICY, "oldest_answer_hours", -1), "oldest_answer_hours"),
        (changed(POLICY, "cool_down", 5), "cool_down"),
        (changed(POLICY, "long_answers", "thread"), "long_answers: names with values are wanted"),
        (changed(POLICY, "long_answers", {"x": "cut"}), "long_answers.x"),
        (changed(POLICY, "long_answers", {"meta": "thread"}), "long_answers.meta: only x can be"),
        (changed(POLICY, "long_answers", {"y": "refuse"}), "long_answers.y: no such channel"),
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
        (changed(POLICY, "default_language", ...), "default_language"),
        (changed(POLICY, "hours.time_zone", "Mars/Olympus"), "hours.time_zone"),
        (changed(POLICY, "hours.open.monday", ["9-5"]), "hours.open.monday.0"),
        (changed(POLICY, "hours.open", {}), "hours.open"),
        (changed(POLICY, "hours.holidays", ["13-01"]), "hours.holidays.0"),
    ],
)
def test_a_wrong_policy_is_named_with_its_place_before_it_is_applied(
    own: Files, content: object, place: str
) -> None:
    own.write("policy.yaml", content)
    with pytest.raises(Misconfigured) as raised:
        policy()
    assert_helpful(str(raised.value), "brand/policy.yaml", place, own)


@pytest.mark.parametrize("how", [..., {}, {"meta": "refuse"}, {"x": "refuse"}])
def test_what_is_too_long_is_refused_unless_policy_wants_threads(own: Files, how: object) -> None:
    assert policy().long_answers == {"x": "thread"}
    own.write("policy.yaml", changed(POLICY, "long_answers", how))
    assert "thread" not in policy().long_answers.values()


@pytest.mark.parametrize(("none", "sure"), [(0, 0), (0, 1), (0.4, 0.4), (1, 1)])
def test_bands_may_be_as_wide_or_as_narrow_as_the_brand_likes(
    own: Files, none: float, sure: float
) -> None:
    own.write("policy.yaml", changed(POLICY, "complaint_bands", {"none": none, "sure": sure}))
    bands = brand.policy(cool_down_minutes=60, auto_reply=True).complaint_bands
    assert (bands.none, bands.sure) == (none, sure)
    assert bands.is_unsure(none) == (none < sure)
    assert not bands.is_unsure(sure)


@pytest.mark.parametrize(
    ("language", "content", "place"),
    [
        ("pl", EN, "default_language: there is no brand/voice/pl.yaml"),
        ("en", EN | {"in_default_language": ["praise"]}, "nothing to fall back on"),
        ("en", EN | {"start": ["stop"]}, "both stop and start: stop"),
    ],
)
def test_languages_that_do_not_go_together_are_named(
    own: Files, language: str, content: object, place: str
) -> None:
    own.write(EN_FILE, content)
    own.write("policy.yaml", changed(POLICY, "default_language", language))
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert_helpful(str(raised.value), "brand/policy.yaml", place, own)


def test_where_links_are_not_allowed_a_wording_without_one_is_chosen(own: Files) -> None:
    number = next(n for n, one in enumerate(EN["sentences"]) if one.get("purpose") == "question")
    wordings = ["see larkspur.example/help", "we are on it.", "www.larkspur.example"]
    own.write(EN_FILE, changed(EN, f"sentences.{number}.say", wordings))

    def openings(*, may_link: bool) -> set[str]:
        texts = (said(str(id), may_link=may_link) for id in range(60))
        return {one for text in texts for one in wordings if one in text}

    assert openings(may_link=False) == {"we are on it."}
    assert openings(may_link=True) == set(wordings)


def test_a_brand_s_name_that_is_a_link_is_not_said_where_none_is_allowed() -> None:
    praise = [
        Saying(message_id=str(n), purpose="praise", brand="larkspur.example") for n in range(40)
    ]
    bare = {brand.voice().say(one, lambda text: text, may_link=False) for one in praise}
    free = {brand.voice().say(one, lambda text: text, may_link=True) for one in praise}
    assert not any("larkspur" in text for text in bare)
    assert any("larkspur" in text for text in free)


def test_a_brand_that_can_say_nothing_without_a_link_where_none_is_allowed_is_refused(
    own: Files,
) -> None:
    own.write(EN_FILE, changed(EN, "sentences.0.say", ["see larkspur.example."]))
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert_helpful(str(raised.value), "brand/voice/en.yaml", "sentences.0.say", own)
    own.write("policy.yaml", changed(POLICY, "links_on", sorted(names())))
    assert brand.voice().languages


@pytest.mark.parametrize("name", ["policy.yaml", EN_FILE])
def test_a_file_that_is_missing_or_no_text_is_named(own: Files, name: str) -> None:
    own.folder.joinpath(name).write_bytes(b"default_language: \xff\xfe")
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    assert_helpful(str(raised.value), f"brand/{name}", "UnicodeDecodeError", own)
    own.remove(name)
    with pytest.raises(Misconfigured) as raised:
        brand.voice()
    missing = "no brand/voice/en.yaml" if name == EN_FILE else "FileNotFoundError"
    assert_helpful(str(raised.value), "brand/policy.yaml", missing, own)


def assert_helpful(message: str, file: str, place: str, own: Files) -> None:
    """It goes into a log: what is wrong and where, nothing of the machine, no manual's address."""
    assert re.match(rf"{re.escape(file)}:(\d+:)? ", message)
    assert place in message
    assert str(own.folder.parent) not in message
    assert "://" not in message
    assert len(message) < 1_000
