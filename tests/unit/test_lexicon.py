"""What the baseline classifier promises."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firstreply.message import Conversation, Message
from firstreply.understanding import Intent, Journey, Sentiment, Understanding, Urgency
from functions.classify.lexicon import Lexicon
from functions.classify.urgency import REASONS
from tests.unit.channels.samples import ROOT

LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl")
SAID = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)


def understand(text: str, language: str | None = None) -> Understanding:
    message = Message(
        conversation=Conversation(channel="meta", account="1", customer="2"),
        id="3",
        network="facebook",
        kind="comment",
        public=True,
        text=text,
        sent_at=SAID,
        language=language,
    )
    return Lexicon().understand(message)


# --- what is said -------------------------------------------------------------------------------

SENTENCES = {
    ("en", "complaint"): "The heating in my room has been broken for two days, nobody answers",
    ("de", "complaint"): "Meine Bestellung ist beschädigt angekommen und niemand antwortet mir",
    ("es", "complaint"): "El pedido llegó roto y llevo una semana sin respuesta",
    ("fr", "complaint"): "Mon colis n'est toujours pas arrivé et personne ne répond",
    ("pt", "complaint"): "A encomenda não chegou e ninguém me atende o telefone",
    ("it", "complaint"): "Il pacco è arrivato rotto e nessuno risponde alle mie mail",
    ("nl", "complaint"): "Mijn bestelling is beschadigd en ik krijg geen antwoord",
    ("en", "question"): "Which size should I order if I usually wear a medium?",
    ("de", "question"): "Habt ihr am Feiertag geöffnet?",
    ("es", "question"): "¿A qué hora abre la tienda de Sevilla el domingo?",
    ("fr", "question"): "Est-ce que vous livrez aussi en Corse ?",
    ("pt", "question"): "Vocês entregam também nos Açores?",
    ("it", "question"): "A che ora aprite la domenica?",
    ("nl", "question"): "Hoe laat gaat de winkel in Utrecht open?",
    ("en", "praise"): "Your driver waited for my mum and carried her bags, thank you so much",
    ("de", "praise"): "Das war großartig von der Kollegin in Köln",
    ("es", "praise"): "Muchas gracias al equipo, la atención fue excelente",
    ("fr", "praise"): "Bravo à toute l'équipe, le service était parfait",
    ("pt", "praise"): "Muito obrigada pela ajuda, foi tudo perfeito",
    ("it", "praise"): "Grazie mille, il vostro servizio è ottimo",
    ("nl", "praise"): "Bedankt voor de snelle hulp, jullie zijn geweldig",
}


@pytest.mark.parametrize(("language", "intent"), SENTENCES, ids=map("-".join, SENTENCES))
@pytest.mark.parametrize("told", [True, False], ids=["told the language", "not told"])
def test_a_plain_sentence_is_understood(language: str, intent: str, told: bool) -> None:
    found = understand(SENTENCES[language, intent], language if told else None)
    assert (found.language, found.intent, found.unsure) == (language, intent, False)
    sentiment = {"complaint": "negative", "praise": "positive"}.get(intent, "neutral")
    # Each of the complaints says that nobody answers.
    assert (found.sentiment, found.urgency == "high") == (sentiment, intent == "complaint")


@pytest.mark.parametrize(
    ("text", "language", "intent"),
    [
        ("Kaputt!", "de", "complaint"),
        ("no funciona", "es", "complaint"),
        ("still no refund", "en", "complaint"),
        ("Merci !", "fr", "praise"),
        ("NEVER AGAIN", "en", "complaint"),
        ("It’s broke", "en", "complaint"),
        ("\N{POUTING FACE} it  is\nbroken", "en", "complaint"),
    ],
)
def test_few_words_are_enough(text: str, language: str, intent: str) -> None:
    found = understand(text)
    assert (found.language, found.intent, found.unsure) == (language, intent, False)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry to bother you, but could you please look into my order? It hasn't arrived. Thanks!",
        "Thank you for your patience with me. Sadly the lamp is still broken.",
        "Liebes Team, vielen Dank im Voraus, mein Paket ist nicht angekommen",
        "Thanks for nothing, my bag is lost again. Great job!",
        "Great, another delay. Brilliant service as always.",
    ],
)
def test_thanks_do_not_turn_a_complaint_into_praise(text: str) -> None:
    """Polite or sarcastic, who knows: nobody is thanked for it, and a human sees it."""
    found = understand(text)
    assert (found.intent, found.unsure) == ("complaint", True)


@pytest.mark.parametrize(
    "text",
    [
        "See you later!",
        "I love your latest collection",
        "This brand is great",
        "The staff were courteous and friendly",
        "Thanks, the pressure is right again",
        "Dank jullie wel, mijn bestelling is binnen",
    ],
)
def test_a_word_inside_another_is_not_that_word(text: str) -> None:
    found = understand(text)
    assert found.intent in ("praise", "other")
    assert (found.urgency, found.unsure) == ("normal", False)


def test_chatter_between_friends_is_nobody_s_complaint() -> None:
    for text in ("@dana_k look", "haha", "\N{FACE WITH TEARS OF JOY}" * 3, "Lisbon, June", "..."):
        assert (understand(text).intent, understand(text).unsure) == ("other", False)


def test_many_words_that_say_nothing_to_us_may_be_a_complaint() -> None:
    found = understand("I sat there for the whole of the evening and then went home")
    assert (found.intent, found.unsure) == ("other", True)


@pytest.mark.parametrize(
    "text",
    [
        "Δεν λειτουργεί τίποτα εδώ και τρεις μέρες",
        "荷物がまだ届きません",
        "أين طلبي",
        "המשלוח שלי לא הגיע",
        "Где мой заказ?",
    ],
)
def test_a_language_that_is_not_ours_needs_a_human(text: str) -> None:
    assert understand(text).unsure


@pytest.mark.parametrize("language", ["el", "ja", "tl", "xx"])
def test_a_language_that_the_platform_says_is_not_ours_needs_a_human(language: str) -> None:
    found = understand("Thank you", language)
    assert found.unsure
    assert found.language in LANGUAGES


# --- what is urgent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Your heater caught fire last night", "safety"),
        ("My son is allergic and nobody told us about the nuts", "safety"),
        ("Es brennt bei euch im Lager", "safety"),
        ("This makes me want to kill myself", "self_harm"),
        ("My lawyer will be in touch", "legal"),
        ("Mein Anwalt meldet sich", "legal"),
        ("I am a journalist and would like a comment", "press"),
        ("Someone hacked my account with you", "security"),
        ("We are locked out of the flat", "locked_out"),
    ],
)
def test_what_cannot_wait_is_urgent_and_says_why(text: str, reason: str) -> None:
    found = understand(text)
    assert found.urgency == "high"
    assert f"urgent: {reason}" in found.reasons


def test_urgency_is_seen_in_any_language_and_beside_praise() -> None:
    for language in (*LANGUAGES, "ja", None):
        assert understand("Thanks, but my lawyer says otherwise", language).urgency == "high"


# --- always -------------------------------------------------------------------------------------

anything = st.text(max_size=300) | st.text(st.characters(exclude_categories=()), max_size=40)
told = st.none() | st.sampled_from([*LANGUAGES, "ja", "und", ""])


@settings(deadline=None, max_examples=60)
@given(text=anything, language=told)
@example(text="", language=None)
@example(text="\n\t ", language=None)
@example(text="a" * 10_000, language=None)
@example(text="why won't it work? " * 600, language="en")
@example(text="\N{POUTING FACE}" * 10_000, language=None)
@example(text="أين طلبي؟ \N{RIGHT-TO-LEFT OVERRIDE}" * 100, language=None)
@example(text="ß ŉ İ ﬁ ǰ \N{COMBINING ACUTE ACCENT}", language="de")
@example(text="[](.*)+?{1}\\|^$", language=None)
def test_any_text_is_understood_the_same_way_every_time(text: str, language: str | None) -> None:
    found = understand(text, language)
    assert found == understand(text, language)
    assert found.intent in get_args(Intent.__value__)
    assert found.sentiment in get_args(Sentiment.__value__)
    assert found.urgency in get_args(Urgency.__value__)
    assert found.journey in get_args(Journey.__value__)
    assert found.language in LANGUAGES
    assert 0 <= found.confidence <= 1
    assert found.topics
    assert language in (None, "", *LANGUAGES) or found.unsure


def test_an_empty_text_says_nothing() -> None:
    assert (understand("").intent, understand("").unsure) == ("other", False)


def test_the_reasons_name_our_words_and_never_the_customer_s() -> None:
    """They go further than the message does: what a person wrote stands in the message alone."""
    words = ROOT.joinpath("functions/classify/lexicon.yaml").read_text("utf-8")
    words += " ".join(REASONS)
    for text in SENTENCES.values():
        for reason in understand(text).reasons:
            for stem in reason.partition(": ")[2].split(", "):
                assert stem in words


# --- the words ----------------------------------------------------------------------------------


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, list) else [value]


def test_every_word_of_the_lexicon_is_a_word() -> None:
    """YAML reads a bare no, on or yes as true or false; an empty one would be found everywhere."""
    lexicon: dict[str, Any] = yaml.safe_load(
        ROOT.joinpath("functions/classify/lexicon.yaml").read_text("utf-8")
    )
    for word in _leaves(lexicon):
        assert isinstance(word, str)
        assert word.strip("! "), word
        assert word == word.lower()
    for part in ("languages", "complaint", "praise", "question"):
        assert set(lexicon[part]) == set(LANGUAGES)


def test_every_word_of_the_lexicon_is_found_in_a_text_that_is_just_it() -> None:
    lexicon: dict[str, Any] = yaml.safe_load(
        ROOT.joinpath("functions/classify/lexicon.yaml").read_text("utf-8")
    )
    for part in ("complaint", "praise", "question"):
        for language, words in lexicon[part].items():
            for word in words:
                reasons = understand(word.removesuffix("!"), language).reasons
                assert any(one.startswith(f"{part}: ") for one in reasons), (language, word)
