"""In which language a message is written."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.classify.trained.language import OURS, Tongue, says_something, tongue
from tests.unit.channels.samples import quick
from tests.unit.test_lexicon import LANGUAGES, SENTENCES

FOREIGN = Tongue(None, is_foreign=True)
NOBODY_KNOWS = Tongue(None)


def test_ours_are_those_that_everything_else_speaks() -> None:
    assert frozenset(LANGUAGES) == OURS


@pytest.mark.parametrize(("language", "intent"), SENTENCES, ids=map("-".join, SENTENCES))
def test_a_sentence_tells_its_language(language: str, intent: str) -> None:
    assert tongue(SENTENCES[language, intent]) == Tongue(language)


@pytest.mark.parametrize(
    "text",
    [
        "Δεν λειτουργεί τίποτα εδώ και τρεις μέρες",
        "荷物がまだ届きません",
        "Где мой заказ?",
        "택배가 아직 안 왔어요",
        "Moja paczka nadal nie dotarła i nikt nie odpowiada na moje wiadomości",
        "Siparişim hâlâ gelmedi ve kimse telefonlara cevap vermiyor",
        "Pakettini ei ole vieläkään saapunut eikä kukaan vastaa puhelimeen",
    ],
)
def test_a_language_that_is_not_ours_is_foreign(text: str) -> None:
    assert tongue(text) == FOREIGN


@pytest.mark.parametrize(
    "text", ["أين طلبي", "המשלוח שלי לא הגיע", "کجاست سفارش من؟", "@LarkspurAir أين حقيبتي ok"]
)
@pytest.mark.parametrize("told", [None, "en", "ar"])
def test_what_is_written_from_the_right_is_foreign_whatever_a_platform_tells(
    text: str, told: str | None
) -> None:
    assert tongue(text, told) == FOREIGN


@pytest.mark.parametrize(
    ("text", "told", "language"),
    [
        # Few words may be of any language: the platform has seen more of who wrote them.
        ("ok", "pt", "pt"),
        ("Super Service", "fr", "fr"),
        # Many tell it better than the platform.
        ("Mon colis n'est toujours pas arrivé et personne ne répond", "en", "fr"),
        # One that is not ours tells nothing.
        ("My parcel never arrived and nobody answers", "ja", "en"),
    ],
)
def test_what_a_platform_tells_counts_where_the_words_leave_a_doubt(
    text: str, told: str, language: str
) -> None:
    assert tongue(text, told) == Tongue(language)


@pytest.mark.parametrize("text", ["", " \n", "😡😡", "@LarkspurAir", "https://x.example", "4711"])
def test_without_words_a_platform_is_believed_and_nobody_else_can_tell(text: str) -> None:
    assert tongue(text) == NOBODY_KNOWS
    assert tongue(text, "nl") == Tongue("nl")
    assert tongue(text, "ja") == NOBODY_KNOWS


def test_names_and_addresses_are_of_no_language() -> None:
    text = "Wo bleibt mein Paket, das ist doch nicht normal"
    around = f"@where_is_my_parcel {text} https://where.is.my.parcel/please/answer"
    assert tongue(around) == tongue(text) == Tongue("de")


@pytest.mark.parametrize("text", ["a", "10/10", "أين", "荷物", "ok 😡", "@ada no"])
def test_a_word_or_a_number_says_something(text: str) -> None:
    assert says_something(text)


@pytest.mark.parametrize(
    "text", ["", "\n ", "😡", "❤️❤️", "...", "?!", "@ada", "https://x.example/1"]
)
def test_signs_names_and_addresses_say_nothing(text: str) -> None:
    assert not says_something(text)


@quick
@given(
    text=st.text(max_size=300) | st.text(st.characters(exclude_categories=()), max_size=40),
    told=st.none() | st.sampled_from([*LANGUAGES, "ja", "und", ""]),
)
@example(text="\ud800", told=None)
@example(text="a" * 10_000, told=None)
@example(text="why won't it work? " * 600, told="de")
def test_any_text_is_of_one_of_ours_or_foreign_or_nobody_can_tell(
    text: str, told: str | None
) -> None:
    found = tongue(text, told)
    assert found == tongue(text, told)
    assert found.name in {None, *OURS}
    assert not (found.name and found.is_foreign)
