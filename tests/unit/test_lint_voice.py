"""make voice finds each mistake, where it is, and nothing else in what is shipped."""

from typing import Any

import pytest

from firstreply.channels import names
from local.lint_voice import findings, main
from tests.unit.brands import POLICY, Files, changed, words

EN = words("en")
ROWS = EN["sentences"]


def place(part: str, purpose: str, **about: object) -> int:
    """The row's number."""
    return next(
        number
        for number, row in enumerate(ROWS)
        if row["part"] == part
        and purpose in row.get("purpose", "")
        and all(row.get(name) == value for name, value in about.items())
    )


NEXT = place("next", "complaint", place="public")
PRAISE = place("next", "praise")
GRAVE = place("next", "praise", tone="grave")
LINKLESS = ", ".join(sorted(names() - set(POLICY["links_on"])))


@pytest.fixture
def english(own: Files) -> Files:
    """A brand that speaks nothing else: seven languages take seven times as long."""
    speak(own, "en")
    return own


def speak(own: Files, *languages: str) -> None:
    for file in own.folder.joinpath("voice").iterdir():
        if file.stem not in languages:
            own.remove(f"voice/{file.name}")
    own.remove("answers.yaml")


def with_variation(row: int, text: str) -> dict[str, Any]:
    return changed(EN, f"sentences.{row}.say.1", text)


@pytest.mark.parametrize(
    ("row", "text", "found"),
    [
        (NEXT, "We answer within 15 minutes.", "'15' promises a time"),
        (NEXT, "We answer in a few minutes.", "'minutes' promises a time"),
        (NEXT, "We answer TODAY[ {expected}].", "'today' promises a time"),
        (NEXT, "You will hear from us soon.", "'soon' promises a time"),
        (NEXT, "A colleague will be right away with you.", "'right away' promises a time"),
        (NEXT, "I'm looking into it.", "\"i'm\": nobody is to take it for a human's"),
        (NEXT, "I’m looking into it.", "\"i'm\": nobody is to take it for a human's"),
        (
            PRAISE,
            "Sorry that we had not said so before.",
            "'sorry': an apology in an answer to praise",
        ),
        (PRAISE, "We apologise for the delay.", "'apologise': an apology in an answer to praise"),
        (GRAVE, "A person will write to you!", "'!' in an answer to something grave"),
        (GRAVE, "A person will write to you 🙂", "'🙂' in an answer to something grave"),
        (
            NEXT,
            "See larkspur.example/help for it.",
            f"a link, and policy.yaml allows none on {LINKLESS}",
        ),
        (
            NEXT,
            "See https://larkspur.example for it.",
            f"a link, and policy.yaml allows none on {LINKLESS}",
        ),
        (
            NEXT,
            ROWS[NEXT]["say"][0].upper().replace("{EXPECTED}", "{expected}"),
            "say.0 in case or",
        ),
        (NEXT, ROWS[NEXT]["say"][0].replace(".", "…"), "differs from say.0 in case or marks only"),
    ],
)
def test_a_mistake_in_one_variation_is_found_at_its_line(
    english: Files, row: int, text: str, found: str
) -> None:
    english.write("voice/en.yaml", with_variation(row, text))
    lines = english.folder.joinpath("voice/en.yaml").read_text("utf-8").splitlines()
    (finding,) = findings()
    file, line, where, what = finding.split(":", 3)
    assert file == "brand/voice/en.yaml"
    assert where.strip() == f"sentences.{row}.say.1"
    assert found in what
    assert lines[int(line) - 1].strip().startswith("-")


def test_a_text_that_would_be_cut_is_found_with_its_channel(english: Files) -> None:
    english.write("voice/en.yaml", with_variation(NEXT, "A colleague will answer. " * 5))
    (finding,) = findings()
    assert f"sentences.{NEXT}: too long for x with the longest fields: 'Hi @mmm" in finding


def test_too_few_words_for_the_public_are_found(english: Files) -> None:
    english.write("voice/en.yaml", changed(EN, f"sentences.{NEXT}.say.2", ...))
    (finding,) = findings()
    assert f"sentences.{NEXT}.say: 2 variations of what is said in public; it takes 3" in finding


def test_a_link_may_stand_where_policy_allows_it(english: Files) -> None:
    row = {"part": "next", "purpose": "praise", "channel": "meta", "say": ["See larkspur.example."]}
    english.write("voice/en.yaml", changed(EN, "sentences", [*ROWS, row | {"place": "private"}]))
    assert not list(findings())
    english.write("policy.yaml", changed(POLICY, "links_on", []))
    english.write(
        "voice/en.yaml", changed(EN, "sentences", [*ROWS, row | {"say": ["a.example", "b"]}])
    )
    assert "allows none on meta" in "".join(findings())


def test_a_language_without_lists_is_found(english: Files) -> None:
    english.write("voice/sv.yaml", EN)
    unknown, *found = findings()
    assert unknown.startswith("brand/voice/sv.yaml: the classifier knows no sv, only de, en, es,")
    assert len(found) == 3
    assert all(
        one.startswith("brand/voice/sv.yaml:1: local/lint_voice.yaml has no") for one in found
    )


@pytest.mark.parametrize("name", ["de.yml", "DE.yaml", "de-AT.yaml", "deu.yaml", "notes.txt"])
def test_a_file_that_nobody_would_hear_is_found(english: Files, name: str) -> None:
    english.folder.joinpath("voice", name).write_text("greeting: {}\n", "utf-8")
    try:
        found = next(findings())
    finally:
        english.folder.joinpath("voice", name).unlink()
    assert found.startswith(f"brand/voice/{name}: is not read; name it by two letters")


@pytest.mark.parametrize(
    ("text", "is_long"),
    [
        ("m" * 140, False),
        ("m" * 141, True),
        ("字" * 70, False),
        ("字" * 71, True),
        ("🙂" * 71, True),
    ],
)
def test_a_ready_answer_is_as_long_as_the_channels_count(
    english: Files, text: str, is_long: bool
) -> None:
    parking = {"wordings": {"en": ["Where can I park?"]}, "say": {"en": text}}
    english.write("answers.yaml", {"answers": {"parking": parking}})
    found = list(findings())
    assert len(found) == is_long
    assert not is_long or ("more than 140 as " in found[0] and " x counts them" in found[0])


def test_what_does_not_even_load_is_a_finding_too(
    english: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    english.write("voice/en.yaml", with_variation(NEXT, "We answer {expected}."))
    assert main() == 1
    said = capsys.readouterr().out
    assert f"sentences.{NEXT}.say.1: {{expected}} may be missing: put it" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt", "it", "nl"])
def test_a_promise_and_an_apology_are_found_in_every_language(own: Files, language: str) -> None:
    promise = {
        "de": "Wir antworten morgen.",
        "es": "Respondemos mañana.",
        "fr": "Nous répondons demain.",
        "pt": "Respondemos amanhã.",
        "it": "Rispondiamo domani.",
        "nl": "We antwoorden vandaag.",
    }
    apology = {
        "de": "Das tut uns leid.",
        "es": "Lo sentimos mucho.",
        "fr": "Nous sommes désolés.",
        "pt": "Pedimos desculpa.",
        "it": "Ci dispiace tanto.",
        "nl": "Dit spijt ons.",
    }
    speak(own, "en", language)
    file = changed(words(language), f"sentences.{NEXT}.say.0", promise[language])
    own.write(
        f"voice/{language}.yaml", changed(file, f"sentences.{PRAISE}.say.0", apology[language])
    )
    time, sorry = findings()
    assert "promises a time" in time
    assert "an apology in an answer to praise" in sorry


def test_nothing_is_wrong_with_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    voice, answers = capsys.readouterr().out.splitlines()
    assert voice == "brand/voice: de, en, es, fr, it, nl, pt say nothing wrong"
    assert answers == "brand/answers.yaml: nothing wrong with 8"
