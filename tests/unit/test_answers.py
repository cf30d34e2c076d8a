"""The brand's answers are loaded as they stand, and what is wrong in them is said with its line."""

from typing import Any

import pytest
import yaml

from firstreply import brand
from firstreply.answers import Answers
from firstreply.errors import Misconfigured
from local.lint_voice import findings
from tests.unit.brands import POLICY, Files, changed, words
from tests.unit.channels.samples import ROOT

FILE = "answers.yaml"
SHIPPED: dict[str, Any] = yaml.safe_load(ROOT.joinpath("brand", FILE).read_text("utf-8"))
LANGUAGES = {"en", "de", "es", "fr", "pt", "it", "nl"}
ONE = {
    "answers": {
        "parking": {
            "wordings": {"en": ["Where can I park?", "Is there a car park?"]},
            "say": {"en": "Behind the house."},
        },
        "dogs": {"wordings": {"en": ["Are dogs allowed?"]}, "say": {"en": "They are welcome."}},
    }
}


# --- what is shipped ----------------------------------------------------------------------------


def test_the_shipped_answers_speak_every_language_of_the_brand() -> None:
    answers = brand.answers().answers
    assert len(answers) >= 8
    for name, answer in answers.items():
        assert set(answer.say) == set(answer.wordings) == LANGUAGES, name
        assert all(len(those) >= 5 for those in answer.wordings.values()), name


def test_the_shipped_hours_are_those_of_the_policy() -> None:
    open_ = POLICY["hours"]["open"]
    assert open_["monday"] == open_["friday"] == ["09:00-18:00"]
    assert open_["saturday"] == ["10:00-16:00"]
    for language, text in brand.answers().answers["opening_hours"].say.items():
        said = ["9", "6", "10", "4"] if language == "en" else ["9", "18", "10", "16"]
        assert [number for number in said if number not in text] == [], language


# --- a brand of one's own -----------------------------------------------------------------------


def test_a_brand_says_its_own(own: Files) -> None:
    own.write(FILE, ONE)
    answers = brand.answers()
    assert answers.say("dogs", "en") == "They are welcome."
    assert answers.say("dogs", "de") is None
    assert answers.say("cats", "en") is None
    assert answers.wordings("en")["dogs"] == ("Are dogs allowed?",)
    assert answers.wordings("de") == {}


def test_a_brand_may_have_none(own: Files) -> None:
    own.write(FILE, {"answers": {}})
    assert brand.answers() == Answers()
    own.remove(FILE)
    assert brand.answers() == Answers()


WORDINGS = "answers.parking.wordings.en"
SAY = "answers.parking.say.en"


@pytest.mark.parametrize(
    ("content", "at", "place"),
    [
        (changed(ONE, "answers.parking.tone", "gay"), "tone:", "answers.parking.tone: "),
        (changed(ONE, "more", 1), "more:", "more: "),
        (changed(ONE, "answers.parking.say", ...), "parking:", "answers.parking.say: "),
        (changed(ONE, "answers.parking.wordings", ...), "parking:", "answers.parking.wordings: "),
        (changed(ONE, SAY, " "), "en: ' '", f"{SAY}: "),
        (changed(ONE, SAY, "Dear {called}"), "Dear", f"{SAY}: an answer is said as it stands"),
        (changed(ONE, SAY, "So[ {case}]"), "So[", f"{SAY}: an answer is said as it stands"),
        (changed(ONE, SAY, 5), "en: 5", f"{SAY}: "),
        (changed(ONE, WORDINGS, []), "en: []", f"{WORDINGS}: "),
        (changed(ONE, f"{WORDINGS}.1", "?!"), "?!", f"{WORDINGS}.1: no word to recognise it by"),
        (
            changed(ONE, "answers.parking.say.de", "Hinter dem Haus."),
            "de: Hinter",
            "answers.parking.say.de: no wordings in de",
        ),
        (
            changed(ONE, "answers.parking.wordings.de", ["Wo kann man parken?"]),
            "de:",
            "answers.parking.wordings.de: wordings in de, and nothing to say in it",
        ),
        (
            changed(ONE, "answers.parking.wordings.english", ["Where?"]),
            "english:",
            "answers.parking.wordings.english",
        ),
        (
            changed(ONE, "answers.dogs.wordings.en.0", "where can i PARK"),
            "Where can I park?",
            f"{WORDINGS}.0: a wording of dogs says the same",
        ),
        (
            changed(ONE, "answers.dogs.say.en", "See larkspur.example/dogs."),
            "larkspur.example",
            "answers.dogs.say.en: a link, and policy.yaml allows links on",
        ),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_place(
    own: Files, content: dict[str, Any], at: str, place: str
) -> None:
    text = yaml.safe_dump(content, sort_keys=False)
    own.write(FILE, text)
    with pytest.raises(Misconfigured) as caught:
        brand.answers()
    lines = [number for number, line in enumerate(text.splitlines(), 1) if at in line]
    assert any(str(caught.value).startswith(f"brand/{FILE}:{n}: ") for n in lines)
    assert place in str(caught.value)


def test_a_name_that_stands_twice_is_refused(own: Files) -> None:
    own.write(FILE, "answers:\n  dogs: {wordings: {}, say: {}}\n  dogs: {wordings: {}, say: {}}\n")
    with pytest.raises(Misconfigured, match=r"answers.yaml:3: 'dogs' stands here twice"):
        brand.answers()


def test_a_link_may_stand_in_an_answer_where_every_channel_takes_one(own: Files) -> None:
    own.write("policy.yaml", changed(POLICY, "links_on", ["meta", "x", "generic"]))
    own.write(FILE, changed(ONE, "answers.dogs.say.en", "See larkspur.example/dogs."))
    assert brand.answers().say("dogs", "en") == "See larkspur.example/dogs."


# --- make voice ---------------------------------------------------------------------------------


@pytest.fixture
def english(own: Files) -> Files:
    for file in own.folder.joinpath("voice").iterdir():
        if file.stem != "en":
            own.remove(f"voice/{file.name}")
    own.write("voice/en.yaml", words("en"))
    own.write(FILE, ONE)
    return own


@pytest.mark.parametrize(
    ("length", "is_found"), [(140, False), (141, True)], ids=["whole", "cut on X"]
)
def test_an_answer_that_would_be_cut_is_found(
    english: Files, length: int, *, is_found: bool
) -> None:
    english.write(FILE, changed(ONE, SAY, "m" * length))
    found = [one for one in findings() if "answers.yaml" in one]
    assert bool(found) == is_found
    if is_found:
        (finding,) = found
        assert finding.startswith(f"brand/{FILE}:")
        assert f"{SAY}: 141 characters" in finding


def test_an_answer_in_a_language_that_the_brand_does_not_speak_is_found(english: Files) -> None:
    more = changed(ONE, "answers.dogs.wordings.fr", ["Les chiens sont-ils admis ?"])
    english.write(FILE, changed(more, "answers.dogs.say.fr", "Oui."))
    (finding,) = findings()
    assert "answers.dogs.say.fr: brand/voice/ has no fr" in finding


def test_an_answer_that_poses_as_a_human_is_found(english: Files) -> None:
    english.write(FILE, changed(ONE, SAY, "I'm behind the house."))
    (finding,) = findings()
    assert f"{SAY}: \"i'm\": nobody is to take it for a human's" in finding
