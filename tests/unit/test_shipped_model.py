"""What the shipped classifier promises: what a person would call clear is understood."""

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firstreply import brand
from firstreply.understanding import (
    Intent,
    Journey,
    Sentiment,
    Topic,
    Understanding,
    Urgency,
)
from functions.classify.offline import offline
from functions.classify.trained.encoder import Encoders
from functions.classify.trained.language import OURS
from functions.classify.trained.ngrams import MODEL, Ngrams
from tests.unit.test_lexicon import LANGUAGES
from tests.unit.test_trained import message

CLASSIFIER = offline(brand.policy(cool_down_minutes=30, auto_reply=True).complaint_bands)


def understand(text: str, **more: Any) -> Understanding:
    return CLASSIFIER.understand(message(text, **more))


CLEAR = {
    ("en", "complaint"): "My order arrived damaged and nobody answers my emails. Unacceptable!",
    ("de", "complaint"): "Mein Paket ist kaputt angekommen und euer Service meldet sich nicht!",
    ("es", "complaint"): "Mi pedido llegó roto y nadie me contesta, es una vergüenza",
    ("fr", "complaint"): "Ma commande est arrivée cassée et personne ne répond, c'est inadmissible",
    ("pt", "complaint"): "A minha encomenda chegou partida e ninguém me responde, é uma vergonha",
    ("it", "complaint"): "Il mio ordine è arrivato rotto e nessuno mi risponde, è una vergogna",
    ("nl", "complaint"): "Mijn bestelling is kapot aangekomen en niemand reageert, schandalig",
    ("en", "question"): "What time does your shop in Leeds open on Sunday?",
    ("de", "question"): "Wann macht euer Laden in Köln am Samstag auf?",
    ("es", "question"): "¿A qué hora abre la tienda de Sevilla el domingo?",
    ("fr", "question"): "À quelle heure ouvre votre magasin de Lyon le samedi ?",
    ("pt", "question"): "A que horas abre a loja do Porto ao domingo?",
    ("it", "question"): "A che ora apre il negozio di Torino la domenica?",
    ("nl", "question"): "Hoe laat gaat de winkel in Utrecht op zondag open?",
    ("en", "praise"): "Thank you so much, your team was wonderful and the food was delicious!",
    ("de", "praise"): "Vielen Dank, euer Team war großartig und das Essen war köstlich!",
    ("es", "praise"): "¡Muchas gracias, vuestro equipo fue maravilloso y la comida riquísima!",
    ("fr", "praise"): "Merci beaucoup, votre équipe était formidable et le repas délicieux !",
    ("pt", "praise"): "Muito obrigada, a vossa equipa foi maravilhosa e a comida deliciosa!",
    ("it", "praise"): "Grazie mille, il vostro personale è stato meraviglioso e il cibo ottimo!",
    ("nl", "praise"): "Heel erg bedankt, jullie team was geweldig en het eten was heerlijk!",
}


@pytest.mark.parametrize(("language", "intent"), CLEAR, ids=map("-".join, CLEAR))
def test_what_is_clear_is_understood(language: str, intent: str) -> None:
    found = understand(CLEAR[language, intent])
    sentiment = {"complaint": "negative", "praise": "positive", "question": "neutral"}[intent]
    assert (found.intent, found.language, found.sentiment) == (intent, language, sentiment)
    # A human sees every complaint anyway; one that need not look at the rest is spared the work.
    assert intent == "complaint" or not found.unsure


HELD_BACK = Path(__file__).parents[2] / "training" / "evaluation" / "plain"
# Products that the corpus's plain messages of faults do not have.
PLAIN_FAULTS = {
    "en": ("My kettle is broken", "You lost my suitcase", "The shoes are falling apart"),
    "de": ("Mein Wasserkocher ist kaputt", "Der Föhn geht nicht mehr an", "falsche Bettdecke"),
    "es": ("Mi hervidor está roto", "Me habéis perdido la maleta", "edredón equivocado"),
    "fr": ("Ma bouilloire est cassée", "Vous avez perdu ma valise", "le kayak prend l'eau"),
    "pt": ("A minha chaleira está avariada", "Os sapatos estão a desfazer-se"),
    "it": ("Il mio bollitore è rotto", "Le scarpe cadono a pezzi", "Avete perso la mia valigia"),
    "nl": ("Mijn waterkoker is kapot", "De schoenen vallen uit elkaar"),
}


@pytest.mark.parametrize(
    "text", [text for texts in PLAIN_FAULTS.values() for text in texts], ids=str
)
def test_who_plainly_states_a_fault_complains(text: str) -> None:
    assert understand(text).intent == "complaint"


@pytest.mark.parametrize("language", LANGUAGES)
def test_faults_are_told_from_what_only_sounds_like_them(language: str) -> None:
    """On the plain messages that are held back, whatever the product."""
    lines = [
        line.split("\t")
        for path in (HELD_BACK / language).glob("*.tsv")
        for line in path.read_text("utf-8").splitlines()
    ]
    found = [(intent, understand(text, language=language)) for intent, *_, text in lines]
    faults = [told for intent, told in found if intent == "complaint"]
    others = [told for intent, told in found if intent != "complaint"]
    assert len(faults) >= 30
    assert len(others) >= 20
    assert sum(told.intent == "complaint" for told in faults) >= 0.75 * len(faults)
    assert sum(told.intent == "complaint" or told.unsure for told in faults) >= len(faults) - 1
    assert sum(told.intent == "complaint" for told in others) <= 2
    # Without a human's look, hardly ever.
    assert sum(told.intent == "complaint" and not told.unsure for told in others) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "What should I do if the descaling light on the kettle comes on?",
        "dropped my watch down the stairs and it still ticks, amazing",
        "my grandma's kettle is older than me",
        "My brother lost his suitcase on holiday, nothing to do with you",
        "Wie wechsle ich den Filter vom Föhn?",
        "Mein Bruder hat im Urlaub seinen Koffer verloren, hat nichts mit euch zu tun",
        "¿Qué hago si el humidificador se queda sin agua?",
        "ma tante joue d'un accordéon cassé à tous les mariages",
        "A chaleira da minha avó é mais velha do que eu",
        "mia zia suona una fisarmonica rotta a ogni matrimonio",
        "Hebben jullie koffers met vier wielen?",
    ],
)
def test_what_only_sounds_like_a_fault_is_no_complaint(text: str) -> None:
    assert understand(text).intent != "complaint"


@pytest.mark.parametrize(
    "text",
    [
        "Oh great, another delay. Brilliant service as always.",
        "Thanks for nothing, my bag is lost again. Great job!",
        "Wow, three hours on hold. You really do care about your customers 🙄",
        "Na toll, schon wieder ausgefallen. Danke für nichts!",
        "Bravo, encore une heure de retard. Merci pour rien !",
    ],
)
def test_mock_praise_is_a_complaint_or_a_human_looks(text: str) -> None:
    found = understand(text)
    assert found.intent == "complaint" or found.unsure


@pytest.mark.parametrize(
    "text",
    [
        "The food was not bad at all!",
        "No complaints, everything was perfect. Thank you!",
        "Can't fault the service, thank you all",
        "Das war gar nicht schlecht, danke euch!",
        "Nada que reclamar, todo perfecto. ¡Gracias!",
    ],
)
def test_what_is_denied_is_not_said(text: str) -> None:
    found = understand(text)
    assert (found.intent, found.sentiment) == ("praise", "positive")


@pytest.mark.parametrize(
    "text",
    [
        "This is not good at all",
        "I am not happy with the repair, it does not work",
        "Das ist überhaupt nicht gut, die Reparatur hält nicht",
    ],
)
def test_what_is_not_good_is_a_complaint(text: str) -> None:
    assert understand(text).intent == "complaint"


@pytest.mark.parametrize(
    "text",
    [
        "Sorry to bother you, but could you please look into my order? It hasn't arrived. Thanks!",
        "Thank you for your patience with me. Sadly the lamp is still broken.",
        "Liebes Team, vielen Dank im Voraus, mein Paket ist nicht angekommen",
    ],
)
def test_who_complains_politely_complains(text: str) -> None:
    found = understand(text)
    assert found.intent == "complaint" or found.unsure


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("You charged my card twice this month, I want that put right", "billing"),
        ("My parcel was due on Monday and still has not been delivered", "delivery_delay"),
        ("I can't log in, it says my password is wrong though I just reset it", "account_access"),
        ("The internet has been down in our whole street since this morning", "fault_outage"),
        ("I sent the shoes back three weeks ago, where is my refund?", "refund_return"),
    ],
)
def test_what_it_is_about_is_told(text: str, topic: str) -> None:
    assert topic in understand(text).topics


@pytest.mark.parametrize("text", ["", " \n", "😡", "😍😍😍", "\N{FACE WITH TEARS OF JOY}" * 100])
def test_signs_alone_are_no_complaint_no_praise_and_no_work(text: str) -> None:
    found = understand(text)
    assert (found.intent, found.sentiment, found.confidence) == ("other", "neutral", 0.0)
    assert not found.unsure


@pytest.mark.parametrize(
    "text", ["أين طلبي؟ لقد تأخر كثيرا", "המשלוח שלי לא הגיע", "کجاست سفارش من؟"]
)
@pytest.mark.parametrize("told", [None, "ar", "en"])
def test_what_is_written_from_the_right_is_a_human_s(text: str, told: str | None) -> None:
    found = understand(text, language=told)
    assert (found.intent, found.confidence, found.unsure) == ("other", 0.0, True)
    assert found.language not in OURS


def test_of_ten_thousand_characters_the_start_and_the_end_count() -> None:
    complaint = "My parcel never arrived and nobody answers my emails, this is unacceptable. "
    text = complaint + "And so on and so forth. " * 450
    text = text[: 10_000 - len(complaint)] + complaint
    assert len(text) == 10_000
    assert understand(text).intent == "complaint"


anything = st.text(max_size=300) | st.text(st.characters(exclude_categories=()), max_size=40)
told = st.none() | st.sampled_from([*LANGUAGES, "ja", "und", ""])


@settings(deadline=None, max_examples=60)
@given(text=anything, language=told)
@example(text="a" * 10_000, language=None)
@example(text="why won't it work? " * 520, language="en")
@example(text="\N{POUTING FACE}" * 10_000, language=None)
@example(text="أين طلبي؟ \N{RIGHT-TO-LEFT OVERRIDE}" * 100, language=None)
@example(text="ß ŉ İ ﬁ ǰ \N{COMBINING ACUTE ACCENT}", language="de")
@example(text="hello \ud800", language="en")
@example(text="&#0; &#xD800; &lt;", language="en")
def test_any_text_is_understood_the_same_way_every_time_and_by_the_encoders(
    text: str, language: str | None
) -> None:
    ((_, best), *_) = CLASSIFIER.others  # type: ignore[attr-defined]  # which does not fall back
    found = best.understand(message(text, language=language))
    assert found == understand(text, language=language)
    assert found.intent in get_args(Intent.__value__)
    assert found.sentiment in get_args(Sentiment.__value__)
    assert found.urgency in get_args(Urgency.__value__)
    assert found.journey in get_args(Journey.__value__)
    assert set(found.topics) <= set(get_args(Topic.__value__))
    assert 0 <= found.confidence <= 1


# --- the files ------------------------------------------------------------------------------------


def test_the_models_know_the_labels_that_everything_else_knows() -> None:
    labels = {
        "intent": set(get_args(Intent.__value__)),
        "topic": set(get_args(Topic.__value__)),
        "sentiment": set(get_args(Sentiment.__value__)),
        "journey": set(get_args(Journey.__value__)) - {"complaint"},
    }
    for language in (None, *LANGUAGES):
        answer = Encoders(MODEL)("where is my parcel", language)
        assert {task: set(answer[task]) for task in answer} == labels
    answer = Ngrams(MODEL)("where is my parcel")
    assert {task: set(answer[task]) for task in answer} == labels


def test_nothing_lies_beside_the_models_that_does_not_belong_to_them() -> None:
    """It would be deployed."""
    encoders = [path.stem for path in MODEL.glob("*.onnx")]
    assert encoders
    wanted = {"model.json", "ngrams.bin", "ngrams.json", "MODEL_CARD.md"}
    wanted |= {f"{name}.{kind}" for name in encoders for kind in ("onnx", "tsv")}
    assert {path.name for path in MODEL.iterdir()} == wanted


KIND = "We have been coming to your shop for many years and always loved the friendly welcome. "
FURIOUS = "Now the sofa came with torn fabric and broken legs and you refuse to pay us back. "


def test_a_complaint_in_the_middle_of_kind_words_is_not_thanked_for_without_a_human() -> None:
    found = understand(KIND * 4 + FURIOUS + KIND * 3)
    assert found.intent == "complaint" or found.unsure


@pytest.mark.parametrize(("text", "told"), [("Rezalet!", "tr"), ("Det virker ikke", "da")])
def test_a_few_foreign_words_are_a_humans_if_the_platform_says_so(text: str, told: str) -> None:
    found = understand(text, language=told)
    assert (found.intent, found.unsure, found.language) == ("other", True, told)


def test_what_cannot_be_seen_changes_no_language() -> None:
    found = understand("My\u200b par\u200bcel ne\u200bver arr\u200dived \ufeff\u2060")
    assert (found.intent, found.language) == ("complaint", "en")


def test_no_wonder_is_no_wound() -> None:
    assert understand("Kein Wunder dass alle kündigen").urgency == "normal"
