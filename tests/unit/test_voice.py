"""What is said: whole, in the right words, and nothing that a customer could have put into it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstreply import brand
from firstreply.channels import channel, names
from firstreply.message import Conversation, Message
from firstreply.voice import (
    PLACES,
    PURPOSES,
    TOPICS,
    BackAt,
    Expected,
    Place,
    Purpose,
    Saying,
    Voice,
    Words,
    called,
)
from local.simulator.x_length import LIMIT
from local.simulator.x_length import weight as x_counts
from tests.unit.brands import words

LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 20, 15, tzinfo=BERLIN)  # a Monday
THIRTY_LETTERS = "Wolfeschlegelsteinhausenberger"


def whole(text: str) -> str:
    return text


def say(
    id: str = "m_1",
    purpose: Purpose = "question",
    shorten: Callable[[str], str] = whole,
    **about: Any,
) -> str:
    return brand.voice().say(Saying(message_id=id, purpose=purpose, **about), shorten)


def every_text(purpose: Purpose = "question", **about: Any) -> set[str]:
    return set(brand.voice().texts(Saying(message_id="", purpose=purpose, **about)))


# --- every row, with whatever fields -----------------------------------------------------------

moments = st.datetimes(
    min_value=datetime(2026, 1, 1),
    max_value=datetime(2030, 1, 1),
    timezones=st.sampled_from([UTC, BERLIN, ZoneInfo("Asia/Kathmandu")]),
)
sayings = st.builds(
    Saying,
    message_id=st.text(max_size=40),
    purpose=st.sampled_from(PURPOSES),
    topic=st.sampled_from([*TOPICS, "unheard of"]),
    is_grave=st.booleans(),
    language=st.sampled_from([*LANGUAGES, "el"]),
    channel=st.sampled_from(sorted(names())),
    place=st.sampled_from(PLACES),
    called=st.none()
    | st.from_regex(r"@\w{1,15}", fullmatch=True, alphabet=st.characters(codec="ascii"))
    | st.sampled_from(["Ada", "Jean-Luc", THIRTY_LETTERS, "漢" * 30])
    | st.text(max_size=40),
    brand=st.none() | st.from_regex(r"[A-Z]{1,20}( [a-z]{1,20}){0,2}", fullmatch=True),
    reference=st.none() | st.from_regex(r"case-[0-9a-f]{20}", fullmatch=True),
    expected=st.none() | st.timedeltas(timedelta(), timedelta(days=20)),
    back_at=st.none() | moments,
    now=st.none() | moments,
    asks_removal=st.booleans(),
    answer=st.none() | st.from_regex(r"[a-z]{1,40}( [a-z]{1,39})?", fullmatch=True),
)


@given(sayings, st.booleans())
def test_whatever_is_said_is_whole(saying: Saying, may_link: bool) -> None:
    said_on = channel(saying.channel)
    assert said_on
    text = brand.voice().say(saying, said_on.shorten, may_link=may_link)
    assert text.strip() == text
    assert len(text) > 20
    assert "  " not in text
    assert not re.search(r"[{}\[\]]", text)
    assert not re.search(r"\b(first_name|answer_|expected_|None|timedelta|datetime)\b", text)
    assert said_on.shorten(text) == text
    assert not text.endswith("…"), "it was cut"
    if saying.channel == "x":
        assert x_counts(text) <= LIMIT
    assert text == brand.voice().say(saying, said_on.shorten, may_link=may_link)


@given(sayings)
def test_a_ready_answer_is_given_whole_and_only_where_it_may_be(saying: Saying) -> None:
    """What is grave gets none."""
    answer = "Only this text holds the number 12345."
    text = brand.voice().say(replace(saying, answer=answer), whole)
    assert (answer in text) == (saying.purpose == "known_answer" and not saying.is_grave)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variation_of_every_row_is_said_by_some_message(language: str) -> None:
    """And an answer in public has at least nine wordings."""
    said: dict[str, set[str]] = {}
    for purpose, topic, place, is_grave, back_at in product(
        PURPOSES, TOPICS, PLACES, (False, True), (None, NOW)
    ):
        about = {"topic": topic, "place": place, "is_grave": is_grave, "language": language}
        texts = every_text(purpose, answer="So.", asks_removal=True, back_at=back_at, **about)
        if place != "private":
            assert len(every_text(purpose, answer="So.", back_at=back_at, **about)) >= 9
        said.setdefault(purpose, set()).update(texts)
    everything = "\n".join(text for texts in said.values() for text in texts)
    for row in words(language)["sentences"]:
        for variation in row["say"]:
            plain = re.sub(r"\[[^\]]*\]", "", variation)  # no field had a value
            kept = [one for one in re.split(r"\{\w+\}", plain) if one.strip(" .")]
            assert all(one in everything for one in kept), variation


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_message_s_id_chooses_among_all_wordings_and_always_the_same(purpose: Purpose) -> None:
    texts = [say(f"m_{number}", purpose, answer="So.") for number in range(200)]
    assert texts == [say(f"m_{number}", purpose, answer="So.") for number in range(200)]
    assert set(texts) == every_text(purpose, answer="So.")


def test_the_parts_are_chosen_independently() -> None:
    assert len({say(f"m_{number}", "praise") for number in range(100)}) == 9


# --- what it depends on -------------------------------------------------------------------------


def test_a_complaint_is_answered_by_naming_what_it_is_about() -> None:
    about = {topic: every_text("complaint", topic=topic) for topic in TOPICS}
    for one, other in product(TOPICS, TOPICS):
        assert one == other or not about[one] & about[other]
    assert all("delivery" in text for text in about["delivery_delay"])
    assert all("payment" in text for text in about["billing"])
    assert every_text("complaint", topic="unheard of") == about["other"]


def test_it_says_where_it_goes_on() -> None:
    for language in LANGUAGES:
        texts = {place: every_text("complaint", place=place, language=language) for place in PLACES}
        assert not texts["public"] & texts["both"]
    assert all("private" in text for text in every_text("complaint", place="both"))


def test_it_says_by_when() -> None:
    hour = timedelta(minutes=58)
    assert all("within an hour" in text for text in every_text("complaint", expected=hour))
    closed = every_text("complaint", expected=hour, back_at=NOW + timedelta(hours=13), now=NOW)
    assert all("tomorrow at 9:15 am" in text for text in closed)
    assert not any("within" in text for text in closed)


@pytest.mark.parametrize("place", PLACES)
def test_the_case_s_number_is_for_the_customer_alone(place: Place) -> None:
    texts = every_text("complaint", place=place, reference="case-12")
    assert all(("case-12" in text) == (place == "private") for text in texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_grave_is_said_soberly_whatever_it_is(language: str) -> None:
    cheerful = every_text("praise", language=language)
    assert any("!" in text for text in cheerful)
    for purpose, back_at in product(PURPOSES[:4], (None, NOW)):
        grave = every_text(
            purpose, is_grave=True, language=language, back_at=back_at, answer="Buy now!"
        )
        assert not any(mark in text for text in grave for mark in "!😊")
        assert not grave & cheerful
        assert grave == every_text("praise", is_grave=True, language=language, back_at=back_at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_to_what_is_grave_no_time_is_named(language: str) -> None:
    """An hour would sound as if it could wait."""
    grave = [row for row in words(language)["sentences"] if row.get("tone") == "grave"]
    assert grave
    for row in grave:
        assert "out_of_hours" not in row
        assert not any("{hours}" in text or "{expected}" in text for text in row["say"])
        assert len(row["say"]) >= 3
    about: dict[str, Any] = {"is_grave": True, "language": language, "now": NOW}
    late = {"back_at": NOW + timedelta(hours=13), "expected": timedelta(hours=14)}
    for purpose in PURPOSES[:4]:
        assert every_text(purpose, **about, **late) == every_text(purpose, **about)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_said_stop_is_told_how_to_go_back(language: str) -> None:
    voice = brand.voice()
    commands: dict[Purpose, Callable[[str], bool]]
    commands = {"stopped": voice.is_start, "started": voice.is_stop}
    for purpose, is_command in commands.items():
        for text in every_text(purpose, language=language):
            quoted = re.findall(r"[“„«‘]\s?(\w+)\s?[”“»’]", text)
            assert [word for word in quoted if is_command(word)] == quoted != []


def test_to_take_a_message_down_is_asked_only_where_it_is_needed() -> None:
    plain, asking = every_text("complaint"), every_text("complaint", asks_removal=True)
    assert all(any(text.startswith(one) for one in plain) for text in asking)
    assert not plain & asking


def test_a_language_that_the_brand_does_not_speak_is_answered_in_its_default() -> None:
    assert say(language="el") == say(language="en")
    assert say(language="de") != say(language="en")


@cache
def own(*more: tuple[tuple[str, object], ...]) -> Voice:
    """The English voice with rows of one's own."""
    english = words("en")
    rows = [*english["sentences"], *({"part": "next", **dict(row)} for row in more)]
    return Voice(
        default_language="en", languages={"en": Words.model_validate(english | {"sentences": rows})}
    )


def test_what_a_row_names_first_weighs_more() -> None:
    """Tone, then topic, then place, then hours, then channel."""
    names_one = {
        "channel": "x",
        "out_of_hours": True,
        "place": "public",
        "topic": "billing",
        "tone": "grave",
    }
    voice = own(
        *(
            (("purpose", "praise"), (condition, value), ("say", (f"by {condition}",)))
            for condition, value in names_one.items()
            if condition != "tone"
        )
    )
    every: dict[str, Any] = {"channel": "x", "back_at": NOW, "place": "public", "topic": "billing"}
    order = ["topic", "place", "out_of_hours", "channel"]
    gone: dict[str, Any] = {
        "topic": {"topic": "other"},
        "place": {"place": "private"},
        "out_of_hours": {"back_at": None},
        "channel": {"channel": "meta"},
    }
    for condition in order:
        text = voice.say(Saying(message_id="1", purpose="praise", **every), whole)
        assert text.endswith(f"by {condition}")
        every |= gone[condition]
    grave = Saying(message_id="1", purpose="praise", topic="billing", is_grave=True)
    assert "by" not in voice.say(grave, whole).split()


# --- before a text is cut -----------------------------------------------------------------------


def test_before_a_text_is_cut_it_does_without_what_it_can_do_without() -> None:
    about: dict[str, Any] = {"place": "private", "reference": "case-12", "called": "Ada"}
    about |= {"expected": timedelta(hours=2)}
    full = say("m_1", "complaint", **about)
    assert "case-12" in full
    assert "2 hours" in full

    def at_most(length: int) -> Callable[[str], str]:
        return lambda text: text if len(text) <= length else text[: length - 1] + "…"

    shorter = say("m_1", "complaint", at_most(len(full) - 1), **about)
    assert "case-12" not in shorter
    assert "2 hours" in shorter
    assert len(say("m_1", "complaint", at_most(len(shorter) - 1), **about)) < len(shorter)
    assert say("m_1", "complaint", at_most(10), **about).endswith("…")


# --- times --------------------------------------------------------------------------------------


def expected_in(language: str) -> Expected:
    return brand.voice().languages[language].expected


@pytest.mark.parametrize(
    ("within", "said"),
    [
        (timedelta(), "usually within 5 minutes"),
        (timedelta(seconds=1), "usually within 5 minutes"),
        (timedelta(minutes=5, seconds=1), "usually within 10 minutes"),
        (timedelta(minutes=55), "usually within 55 minutes"),
        (timedelta(minutes=55, seconds=1), "usually within an hour"),
        (timedelta(hours=1), "usually within an hour"),
        (timedelta(hours=1, seconds=1), "usually within 2 hours"),
        (timedelta(hours=23), "usually within 23 hours"),
        (timedelta(hours=23, seconds=1), "usually within a day"),
        (timedelta(hours=24), "usually within a day"),
        (timedelta(hours=25), "usually within 2 days"),
        (timedelta(days=7, seconds=1), "usually within 8 days"),
    ],
)
def test_an_expected_time_is_rounded_up(within: timedelta, said: str) -> None:
    assert expected_in("en").phrase(within) == said


@given(st.timedeltas(timedelta(), timedelta(days=60)))
def test_no_time_is_promised_that_is_too_short(within: timedelta) -> None:
    """Nor one that is more than twice as long, from five minutes on."""
    said = expected_in("en").phrase(within)
    count = int(found[0]) if (found := re.findall(r"\d+", said)) else 1
    unit = {"minute": "minutes", "hour": "hours", "day": "days"}
    promised = timedelta(**{next(unit[one] for one in unit if one in said): count})
    assert within <= promised <= max(timedelta(minutes=5), 2 * within)
    for language in LANGUAGES:
        assert re.findall(r"\d+", expected_in(language).phrase(within)) == found or count == 1


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOW.replace(hour=22, minute=0), "today at 10:00 pm"),
        (NOW.replace(day=24, hour=9, minute=30), "tomorrow at 9:30 am"),
        (NOW.replace(day=25, hour=12, minute=5), "on Wednesday at 12:05 pm"),
        (NOW.replace(day=29, hour=0, minute=0), "on Sunday at 12:00 am"),
        (NOW.replace(day=30, hour=9, minute=0), "on 30 November at 9:00 am"),
        (NOW.replace(month=12, day=28, hour=9, minute=0), "on 28 December at 9:00 am"),
    ],
)
def test_when_people_are_back_can_be_no_other_day(at: datetime, said: str) -> None:
    back_at = brand.voice().languages["en"].hours
    assert back_at.phrase(at, NOW) == said
    assert back_at.phrase(NOW, None) == "on 23 November at 8:15 pm"


def test_a_time_zone_can_be_named() -> None:
    written = {"time": "{hour}:{minute} ({zone})", "date": "{day} {month}"}
    hours = BackAt.model_validate(words("en")["hours"] | {"written": written})
    assert hours.phrase(NOW, NOW) == "today at 20:15 (CET)"


@pytest.mark.parametrize(
    ("language", "day", "hour", "said"),
    [
        ("it", 8, 9, "l'8 gennaio alle 9:00"),
        ("it", 11, 1, "l'11 gennaio all'1:00"),
        ("it", 1, 13, "il 1º gennaio alle 13:00"),
        ("it", 12, 11, "il 12 gennaio alle 11:00"),
        ("fr", 1, 9, "le 1er janvier à 9h00"),
        ("fr", 2, 9, "le 2 janvier à 9h00"),
        ("es", 1, 1, "el 1 de enero a la 1:00"),
        ("es", 2, 13, "el 2 de enero a las 13:00"),
        ("pt", 3, 1, "no dia 3 de janeiro à 1:00"),
        ("pt", 3, 9, "no dia 3 de janeiro às 9:00"),
        ("de", 8, 9, "am 8. Januar um 9:00 Uhr"),
        ("nl", 8, 9, "op 8 januari om 9:00 uur"),
    ],
)
def test_a_date_and_a_time_are_said_as_the_language_wants_it(
    language: str, day: int, hour: int, said: str
) -> None:
    at = datetime(2027, 1, day, hour, tzinfo=BERLIN)
    assert brand.voice().languages[language].hours.phrase(at, NOW) == said


# --- stop and start -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("stop", "STOP", " Stop. ", "Stop!!!", "stop 🛑", "@LarkspurAir stop", "#stop", "„Stopp“"),
        *("stop https://larkspur.example/a", "Unsubscribe", "please stop", "Schluss jetzt"),
        *("arrêt", "ARRETEZ", "parar", "¡Basta ya!", "genoeg", "Smettila!", "stop\n"),
        *("𝐬𝐭𝐨𝐩", "opt-out", "Pare, por favor", "Hör bitte auf!", "STOP STOP stop", "stop bot"),
        *("st\N{ZERO WIDTH SPACE}op", "\N{WORD JOINER}stop\N{SOFT HYPHEN}", "stop now!!"),
        *("Arrêtez, s'il vous plaît", "arretez s’il vous plait", "stop answering me", "quit"),
    ],
)
def test_stop_is_understood_however_it_is_written(text: str) -> None:
    assert brand.voice().is_stop(text)
    assert not brand.voice().is_start(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "🛑", "@stop", "https://stop.example", "stop the delays", "don't stop"),
        *("Where is the bus stop?", "my parcel, stop lying", "cancel my order", "nonstop"),
        *("Cancelar suscripción", "darme de baja", "me désabonner", "annulla iscrizione"),
        *("cancelar subscrição", "uitschrijven", "abbestellen", "Abmelden", "cancellami"),
        *("remover-me", "afmelden", "stop my contract", "baja"),
    ],
)
def test_who_says_more_or_something_else_has_not_said_stop(text: str) -> None:
    assert not brand.voice().is_stop(text)


@pytest.mark.parametrize("text", ["start", "START!", "@LarkspurAir Start", "Démarrer", "hervatten"])
def test_start_is_understood_however_it_is_written(text: str) -> None:
    assert brand.voice().is_start(text)
    assert not brand.voice().is_stop(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_files_is_understood(language: str) -> None:
    file, voice = words(language), brand.voice()
    assert all(map(voice.is_stop, file["stop"]))
    assert all(map(voice.is_start, file["start"]))
    assert all(map(voice.asks_for_human, file["human"]))
    assert not any(map(voice.asks_for_human, file["polite"]))
    assert not any(map(voice.asks_for_human, (*file["stop"], *file["start"])))
    assert "stop" in file["stop"]
    assert "start" in file["start"]


@given(st.text())
def test_any_text_is_stop_or_start_or_neither(text: str) -> None:
    voice = brand.voice()
    assert voice.is_stop(text) + voice.is_start(text) + voice.asks_for_human(text) <= 1


@pytest.mark.parametrize(
    "text",
    [
        *(
            "I want to talk to a human",
            "human please",
            "Agent!",
            "@LarkspurAir speak to a real person",
        ),
        *(
            "Hello, can I please speak to someone? Thank you!",
            "call me please",
            "HUMAN HUMAN HUMAN",
        ),
        *("Ich möchte mit einem Menschen sprechen", "Mitarbeiter bitte", "Bitte rufen Sie mich an"),
        *(
            "quiero hablar con una persona",
            "Hola, ¿puedo hablar con alguien, por favor?",
            "Llámame",
        ),
        *(
            "Je veux parler à un conseiller",
            "Rappelez-moi svp",
            "Bonjour, un humain, s'il vous plaît",
        ),
        *("Quero falar com uma pessoa", "Olá, posso falar com alguém?", "um atendente, por favor"),
        *(
            "Voglio parlare con un operatore",
            "Buongiorno, operatore per favore",
            "Chiamatemi, grazie",
        ),
        *(
            "Ik wil een medewerker spreken",
            "Ik wil graag iemand spreken",
            "Bel me alsjeblieft terug",
        ),
    ],
)
def test_who_asks_for_a_human_is_understood(text: str) -> None:
    assert brand.voice().asks_for_human(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "please",
            "hello, thank you",
            "are you human?",
            "the agent was rude",
            "don't call me",
        ),
        *("I want to talk to a human about my bill", "call me a taxi", "human error"),
        *("Bist du ein Mensch?", "Der Mitarbeiter war unfreundlich", "Rückruf", "Danke, bitte!"),
        *("¿Eres una persona?", "el agente fue amable", "gracias", "no me llaméis"),
        *("Êtes-vous un humain ?", "le conseiller était charmant", "s'il vous plaît"),
        *("És uma pessoa?", "o atendente foi simpático", "obrigado", "não me liguem"),
        *("Sei una persona?", "l'operatore è stato gentile", "grazie", "non chiamatemi"),
        *("Ben je een mens?", "de medewerker was onbeleefd", "dank je wel", "bel me niet"),
    ],
)
def test_who_says_more_or_something_else_has_not_asked_for_a_human(text: str) -> None:
    assert not brand.voice().asks_for_human(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        *(("stop please", "en"), ("Stopp bitte!", "de"), ("dejadme en paz", "es")),
        *(("ARRETEZ", "fr"), ("chega", "pt"), ("smettila", "it"), ("genoeg", "nl")),
        *(("hervatten", "nl"), ("Rappelez-moi, merci", "fr"), ("Hello, Mitarbeiter bitte", "de")),
        *(("stop", None), ("basta", None), ("start", None), ("where is it?", None), ("", None)),
    ],
)
def test_a_command_of_one_language_tells_it(text: str, language: str | None) -> None:
    assert brand.voice().command_language(text) == language


@pytest.mark.parametrize("other", ["start", "human"])
def test_a_message_has_one_meaning(other: str) -> None:
    english = words("en")
    both = Words.model_validate(english | {other: [*english[other], "halt"]})
    with pytest.raises(ValueError, match=f"both stop and {other}: halt"):
        Voice(
            default_language="en",
            languages={
                "en": both,
                "de": Words.model_validate(words("de") | {"stop": ["stop", "Halt!"]}),
            },
        )


# --- names --------------------------------------------------------------------------------------


def said_by(name: str | None = None, *, handle: str | None = None, public: bool = False) -> Message:
    return Message(
        conversation=Conversation(channel="meta", account="1", customer="2"),
        id="m_1",
        network="messenger",
        kind="message",
        public=public,
        text="Where is my bag?",
        sent_at=NOW,
        author_name=name,
        author_handle=handle,
    )


def hello_to(name: str | None = None, *, handle: str | None = None, public: bool = False) -> str:
    message = said_by(name, handle=handle, public=public)
    return say(called=called(message, public=public)).partition(",")[0]


@pytest.mark.parametrize(
    ("name", "is_called"),
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
def test_a_customer_is_called_by_the_first_name(name: str, is_called: str) -> None:
    assert hello_to(name) == f"Hi {is_called}"


HOSTILE = [
    *("", " ", "\n", "\0", "5", "Ada5", "_", "-", "'", "Ada-", "'Ada", "A--B"),
    *("https://larkspur.example", "larkspur.example", "www.larkspur.example Ada"),
    *("#refund", "$ADA", "Ada@home", "ada/okafor", "@", "@ada okafor", "@é", "@{0}", "@a\n"),
    *("{0}", "{hello}", "{called}", "{called.__class__}", "%s", "${HOME}", "{{}}", "}{", "[Ada]"),
    *("Ada,", "<b>Ada</b>", "*Ada*", "\N{POUTING FACE}", "A\N{RIGHT-TO-LEFT OVERRIDE}da"),
    *("A\N{ZERO WIDTH SPACE}da", "\ud800", THIRTY_LETTERS + "s", "A" * 500, "A" * 100_000),
    *("@" + "a" * 31, "@\ud800", "@larkspur.example"),
]


@pytest.mark.parametrize(
    "name", [None, "@LarkspurAir", "@ada", *HOSTILE], ids=lambda n: ascii(n)[:30]
)
def test_a_name_that_is_none_is_not_repeated(name: str | None) -> None:
    """What a customer chose to be called would stand under the brand's name."""
    assert hello_to(name) == hello_to(name, public=True) == "Hi"


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:30])
def test_whoever_asks_nothing_else_than_a_name_is_repeated(name: str) -> None:
    for purpose, language in product(PURPOSES, LANGUAGES):
        about: dict[str, Any] = {"language": language, "answer": "So."}
        assert every_text(purpose, called=name, **about) == every_text(purpose, **about)


@pytest.mark.parametrize(
    "name",
    [
        *("Mr Okafor", "MRS Okafor", "Dr Ada Okafor", "Herr Maier", "Frau Maier"),
        *("Señora Díaz", "Mme Moreau", "The Okafors", "STOP", "null", "Admin", "User 12", "none"),
        *("Usuário", "Utilisateur", "Scheiße Laden", "FUCK you", "CallNowFreeMoney", "BuyMyCoin"),
    ],
)
def test_what_is_no_first_name_is_not_repeated(name: str) -> None:
    assert hello_to(name) == hello_to(name, public=True) == "Hi"
    assert say(called=name).partition(",")[0] == "Hi"


@pytest.mark.parametrize(
    "name", ["MacLeod", "DeAndre", "Don Smith", "Dona", "ADA", "Stopa", "Le An"]
)
def test_a_name_that_only_looks_like_none_is_one(name: str) -> None:
    assert hello_to(name) == f"Hi {name.split()[0]}"


@pytest.mark.parametrize("name", ["Larkspur", "LARKSPUR", "Larkspur Air", "Air"])
def test_nobody_is_called_by_the_brand_s_own_name(name: str) -> None:
    assert say(called=name, brand="Larkspur Air").startswith("Hi, ")
    assert say(called="Ada", brand="Larkspur Air").startswith("Hi Ada, ")


def test_in_public_a_customer_is_called_by_the_handle_and_in_private_by_the_name() -> None:
    assert hello_to("Ada Okafor", handle="ada_okafor", public=True) == "Hi @ada_okafor"
    assert hello_to("Ada Okafor", handle="ada_okafor") == "Hi Ada"


@pytest.mark.parametrize(
    "handle", ["", "@", "larkspur.example", "ada okafor", "é", "{0}", "a\n", "a" * 31, "\ud800"]
)
def test_a_handle_that_is_none_is_not_repeated(handle: str) -> None:
    assert hello_to("Ada", handle=handle, public=True) == "Hi Ada"


def test_a_first_name_can_stand_in_a_sentence_and_a_handle_cannot() -> None:
    voice = own(
        (("purpose", "praise"), ("topic", "billing"), ("say", ("Thanks[, {first_name}].",)))
    )

    def said(is_called: str | None) -> str:
        about: dict[str, Any] = {"topic": "billing", "called": is_called}
        return voice.say(Saying(message_id="1", purpose="praise", **about), whole)

    assert said("Ada").endswith(" Thanks, Ada.")
    assert said("@ada").endswith(" Thanks.")
    assert said(None).endswith(" Thanks.")
