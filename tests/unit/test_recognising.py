"""A frequent question is recognised when it surely is one, and never on a likeness alone."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firstreply import brand
from firstreply.answers import Answers
from functions.classify.offline import encoders
from functions.classify.recognising import Match, Recogniser, recogniser
from functions.classify.trained.language import OURS
from tests.unit.channels.samples import ROOT, quick

NEAR = ROOT / "training" / "evaluation" / "answers.tsv"
SHIPPED = recogniser(brand.answers())


def without(text: str, language: str) -> None:
    """No meaning can be told."""


WORDS_ALONE = Recogniser(brand.answers(), without)


def match(text: str, language: str = "en") -> Match:
    return SHIPPED.match(text, language)


# Not in brand/answers.yaml as they stand here.
SURE = [
    ("en", "delivery_time", "How long will delivery take please?"),
    ("en", "track_order", "@larkspur hi, how do i track my parcel"),
    ("en", "how_to_return", "Can you tell me how I can return something? Many thanks!"),
    ("de", "gift_cards", "Hallo, kann ich bei euch einen Gutschein kaufen?"),
    ("de", "phone_number", "Habt ihr bitte eine Telefonnummer?"),
    ("es", "track_order", "¡Hola! ¿Cómo puedo seguir un paquete?"),
    ("es", "gift_cards", "¿dónde puedo comprar tarjetas regalo?"),
    ("fr", "ways_to_pay", "Bonjour, quels sont les moyens de paiement ?"),
    ("fr", "how_to_return", "comment retourner une commande svp"),
    ("pt", "delivery_time", "Olá, quanto tempo demora uma entrega?"),
    ("pt", "how_to_return", "Como posso devolver artigos?"),
    ("it", "change_address", "Come cambio l'indirizzo di un ordine?"),
    ("it", "gift_cards", "Ciao, vendete delle carte regalo?"),
    ("nl", "phone_number", "Hoi, hebben jullie een telefoonnummer?"),
    ("nl", "ways_to_pay", "kan ik bij jullie met een kaart betalen"),
    # words of two wordings about the same
    ("en", "track_order", "Where do I find the tracking number?"),
    ("en", "ways_to_pay", "How can I pay by card?"),
    # asks us for nothing but the answer
    ("en", "gift_cards", "Could you tell me where I can buy a gift card?"),
    ("de", "delivery_time", "Könnt ihr mir sagen, wie lange die Lieferung dauert?"),
    ("es", "ways_to_pay", "¿Podéis decirme cómo puedo pagar?"),
    ("fr", "track_order", "Pouvez-vous me dire comment suivre ma commande ?"),
    ("it", "ways_to_pay", "Potete dirmi come posso pagare?"),
    ("nl", "phone_number", "Kunnen jullie mij zeggen of er een telefoonnummer is?"),
]


@pytest.mark.parametrize(("language", "name", "text"), SURE, ids=lambda one: one[:25])
@pytest.mark.parametrize("known", [SHIPPED, WORDS_ALONE], ids=["meaning", "words alone"])
def test_a_question_that_surely_is_one_gets_its_answer(
    known: Recogniser, language: str, name: str, text: str
) -> None:
    found = known.match(text, language)
    assert found.known == name
    assert found.candidates[0] == name


def test_every_wording_is_recognised_as_it_stands() -> None:
    for name, answer in brand.answers().answers.items():
        for language, wordings in answer.wordings.items():
            for text in wordings:
                assert match(text, language).known == name, text


UNSURE = [
    # another question, in words that look alike
    ("en", "delivery_time", "Do you deliver on Sundays?"),
    ("en", "gift_cards", "Can I return a gift card?"),
    ("en", "how_to_return", "Can I return an item without the receipt?"),
    ("de", "delivery_time", "Was kostet die Lieferung?"),
    ("de", "ways_to_pay", "Kann ich in Raten zahlen?"),
    ("es", "gift_cards", "¿Cuánto tiempo vale una tarjeta regalo?"),
    ("fr", "ways_to_pay", "Puis-je payer en plusieurs fois ?"),
    ("pt", "track_order", "O link de seguimento não funciona"),
    ("it", "change_address", "Come cambio il mio indirizzo e-mail?"),
    ("nl", "how_to_return", "Wie betaalt het terugsturen?"),
    # words of two wordings that are not about the same
    ("en", "track_order", "Where can I find my order?"),
    ("es", "track_order", "¿Cuál es el estado de mi pedido?"),
    ("fr", "gift_cards", "Y a-t-il une boutique où acheter ?"),
    ("it", "gift_cards", "Dove è il vostro negozio?"),
    # without the word that it is about
    ("en", "change_address", "Can I change my order?"),
    ("en", "track_order", "Where is the status of my order?"),
    ("en", "gift_cards", "Do you sell cards?"),
    ("de", "change_address", "Kann ich meine Bestellung ändern?"),
    ("de", "track_order", "Wie ist der Status meiner Bestellung?"),
    ("it", "gift_cards", "Vendete carte?"),
    # asks for another thing
    ("en", "delivery_time", "On what days do you deliver?"),
    ("en", "delivery_time", "At what times do you deliver?"),
    ("de", "delivery_time", "An welchen Tagen liefert ihr?"),
    ("fr", "how_to_return", "Où puis-je retourner un article ?"),
    ("de", "delivery_time", "Wann kommt ihr?"),
    # asks us to do it
    ("en", "track_order", "Can you track my parcel?"),
    ("de", "change_address", "Könnt ihr die Adresse meiner Bestellung ändern?"),
    ("es", "phone_number", "¿Podéis llamarme?"),
    ("fr", "phone_number", "Pouvez-vous m'appeler ?"),
    ("it", "phone_number", "Potete chiamarmi?"),
    ("pt", "track_order", "Podem seguir a minha encomenda?"),
    ("nl", "track_order", "Kunnen jullie mijn pakket volgen?"),
    # one's own case
    ("en", "track_order", "Where is my order?"),
    ("en", "delivery_time", "When will my order arrive?"),
    ("en", "track_order", "How can I track my order 48213?"),
    ("en", "track_order", "Where can I see the status of my order TV-448213?"),
    ("de", "track_order", "Wo ist meine Bestellung?"),
    ("es", "delivery_time", "¿Cuándo llega mi pedido?"),
    ("fr", "track_order", "Où est ma commande ?"),
    ("pt", "track_order", "Onde está a minha encomenda?"),
    ("it", "delivery_time", "Quando arriva il mio ordine?"),
    ("nl", "track_order", "Waar is mijn bestelling?"),
    # a complaint in the same words
    ("en", "track_order", "I can't track my order"),
    ("en", "delivery_time", "How long does delivery take??? Nothing has come since March"),
    ("de", "change_address", "Ich konnte die Lieferadresse nicht ändern"),
    # something besides
    ("en", "delivery_time", "How long does delivery take, and what does it cost?"),
    ("en", "delivery_time", "How long does delivery take? How can I pay?"),
    ("en", "delivery_time", "How long does delivery take and how can I pay?"),
    ("en", "delivery_time", "How long does delivery take?" + " How long?" * 3),
    ("en", "delivery_time", "How long does delivery take? https://larkspur.example/a"),
    ("es", "ways_to_pay", "¿Cómo puedo pagar? ¿Cuánto tarda la entrega?"),
]


@pytest.mark.parametrize(("language", "candidate", "text"), UNSURE, ids=lambda one: one[:25])
@pytest.mark.parametrize("known", [SHIPPED, WORDS_ALONE], ids=["meaning", "words alone"])
def test_what_is_not_just_that_question_is_a_human_s_with_what_may_fit(
    known: Recogniser, language: str, candidate: str, text: str
) -> None:
    found = known.match(text, language)
    assert found.known is None
    assert candidate in found.candidates


@pytest.mark.parametrize(("language", "text"), [("it", "Chiamatemi"), ("es", "Llamadme")])
def test_a_word_that_holds_me_is_one_s_own_case(language: str, text: str) -> None:
    assert match(text, language) == Match()


@pytest.mark.parametrize("language", sorted(OURS))
@pytest.mark.parametrize("known", [SHIPPED, WORDS_ALONE], ids=["meaning", "words alone"])
def test_no_near_miss_that_is_measured_is_answered(known: Recogniser, language: str) -> None:
    lines = [line.split("\t") for line in NEAR.read_text("utf-8").splitlines()]
    near = [text for spoken, wanted, text in lines if (spoken, wanted) == (language, "-")]
    assert len(near) >= 40
    assert [text for text in near if known.match(text, language).known] == []


@pytest.mark.parametrize(
    "text", ["", " ", "?", "👋", "Hello!", "Thank you", "@larkspur", "12345", "qwxz vbnm"]
)
def test_what_asks_nothing_fits_nothing(text: str) -> None:
    assert match(text) == Match()


def test_a_brand_without_answers_knows_none() -> None:
    assert recogniser(Answers()).match("How can I pay?", "en") == Match()


@pytest.mark.parametrize("language", ["sv", "und", "", "xx"])
def test_a_language_without_wordings_fits_nothing(language: str) -> None:
    assert match("How can I pay?", language) == Match()


def test_a_wording_that_two_answers_cover_is_unsure() -> None:
    answers = Answers.model_validate(
        {
            "answers": {
                "dogs": {"wordings": {"en": ["Are dogs allowed in?"]}, "say": {"en": "Yes."}},
                "pets": {
                    "wordings": {"en": ["Are dogs allowed?", "Are cats allowed?"]},
                    "say": {"en": "Some."},
                },
            }
        }
    )
    found = Recogniser(answers, without).match("Are any dogs allowed?", "en")
    assert found.known is None
    assert set(found.candidates) == {"dogs", "pets"}


def test_of_words_that_every_answer_has_all_have_to_be_there() -> None:
    """Where no word tells one answer from the others, only their company does."""
    one = {"wordings": {"en": ["When are dogs fed?", "Who walks cats?"]}, "say": {"en": "At 8."}}
    other = {"wordings": {"en": ["When are cats fed?", "Who walks dogs?"]}, "say": {"en": "At 9."}}
    answers = Answers.model_validate({"answers": {"dogs": one, "cats": other}})
    known = Recogniser(answers, without)
    assert known.match("When are the dogs fed?", "en").known == "dogs"
    assert known.match("When are the cats fed?", "en").known == "cats"
    assert known.match("Who walks?", "en").known is None


def test_a_number_is_no_form_of_another() -> None:
    one = {"wordings": {"en": ["What is tariff 20251?"]}, "say": {"en": "A good one."}}
    known = Recogniser(Answers.model_validate({"answers": {"tariff": one}}), without)
    assert known.match("What is tariff 20251", "en").known == "tariff"
    assert known.match("What is tariff 20254", "en").known is None


def test_what_goes_on_and_on_is_not_one_question() -> None:
    assert WORDS_ALONE.match("How can I pay " * 3, "en").known == "ways_to_pay"
    assert WORDS_ALONE.match("How can I pay " * 30, "en").known is None


def test_at_most_three_candidates_the_closest_first() -> None:
    for text in ("How long does it take to deliver my order to another address?", "my order card"):
        scores = SHIPPED.scores(text, "en")
        assert (
            list(match(text).candidates)
            == [one.name for one in scores[:3]][: len(match(text).candidates)]
        )
        assert 1 <= len(match(text).candidates) <= 3
        assert scores == sorted(scores, key=lambda one: -one.closeness)


def test_the_meaning_has_to_be_close_as_well() -> None:
    """Where it can be told."""

    def unlike(text: str, language: str) -> Sequence[float]:
        return (1.0, 0.0) if text.endswith("?") else (0.0, 1.0)

    known = Recogniser(brand.answers(), unlike)
    assert known.match("How can I pay?", "en").known == "ways_to_pay"
    assert known.match("How can I pay", "en").known is None


# --- without its model --------------------------------------------------------------------------


def test_a_model_that_breaks_leaves_it_to_the_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "FirstReply")

    def broken(text: str, language: str) -> Sequence[float]:
        raise RuntimeError(text)

    known = Recogniser(brand.answers(), broken)
    for _ in range(2):
        assert known.match("Which payment methods do you accept?", "en").known == "ways_to_pay"
    said = capsys.readouterr()
    assert "payment methods" not in said.out + said.err


@pytest.mark.parametrize("missing", ["files", "run time"])
def test_files_or_a_run_time_that_are_missing_leave_it_to_the_words(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "FirstReply")
    encoders.cache_clear()
    if missing == "run time":
        monkeypatch.setitem(sys.modules, "functions.classify.trained.encoder", None)
    known = recogniser(brand.answers(), tmp_path)
    assert known.match("Which payment methods do you accept?", "en").known == "ways_to_pay"
    assert known.match("Do you deliver on Sundays?", "en").known is None


# --- whatever is written ------------------------------------------------------------------------


@quick
@given(text=st.text(), language=st.sampled_from([*sorted(OURS), "und"]))
@example(text="\ud800", language="en")
@example(text="how " * 5_000, language="en")
@example(text="a" * 10_000, language="de")
@example(text="_ my _ my", language="en")
def test_any_text_is_matched_the_same_way_every_time(text: str, language: str) -> None:
    found = match(text, language)
    assert found == match(text, language) == recogniser(brand.answers()).match(text, language)
    assert found.known is None or found.known in brand.answers().answers
    assert len(found.candidates) <= 3


@quick
@given(extra=st.text("abcdefghijklmnop ", min_size=1).filter(str.strip))
def test_a_question_in_the_middle_of_other_words_is_never_sure(extra: str) -> None:
    for text in (f"{extra} 7. How can I pay?", f"How can I pay? {extra} 7"):
        assert match(text).known is None
