"""One spelling for what people write."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.classify.trained.ngrams import features
from functions.classify.trained.normalise import HEAD, TAIL, normalise
from tests.unit.channels.samples import quick


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("@Larkspur_Air  where\nis my bag", "@user where is my bag"),
        ("write to ada@larkspur.example now", "write to @user now"),
        ("see https://t.co/aB3 or www.larkspur.example/x", "see http or http"),
        ("#NeverAgain #worst_day", "# Never Again # worst day"),
        ("It’s „broken“", 'It\'s "broken"'),
        ("soooooo sad!!!!!!!! 😡😡😡😡", "soo sad!! 😡😡"),
        ("Tom &amp; Ada &lt;3", "Tom & Ada <3"),
        ("\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}", "\N{THUMBS UP SIGN}"),
        ("❤\N{VARIATION SELECTOR-16}", "❤"),
        ("a\N{ZERO WIDTH SPACE}b\N{RIGHT-TO-LEFT OVERRIDE}c", "abc"),
        ("ﬁne ＯＫ", "fine OK"),
        ("half \ud83d a pair", "half a pair"),
        ("\r\n\t ", ""),
    ],
)
def test_what_means_the_same_is_written_the_same(written: str, read: str) -> None:
    assert normalise(written) == read


def test_of_a_long_text_the_start_and_the_end_are_read() -> None:
    start, end = "My parcel never came. ", " I want my money back."
    read = normalise(start + "and then " * 1_100 + end)
    assert read.startswith(start)
    assert read.endswith(end)
    assert len(read) <= HEAD + TAIL + 1


@quick
@given(text=st.text(max_size=3_000) | st.text(st.characters(exclude_categories=()), max_size=60))
@example(text="&amp;" * 3_000)
@example(text="#" * 3_000)
@example(text="\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 3_000)
@example(text="\ud800")
def test_whatever_is_written_is_bounded_and_can_be_encoded(text: str) -> None:
    read = normalise(text)
    # A ligature stands for eighteen letters at most.
    assert len(read) <= 20 * (HEAD + TAIL)
    assert read == " ".join(read.split())
    read.encode()
    # What the n-grams weigh adds up to one.
    weights = features(text).values()
    assert sum(weight * weight for weight in weights) == pytest.approx(1)


@quick
@given(st.text("abc XYZ é ß !?., @ada 12 \n😡❤", max_size=200))
def test_what_was_read_once_is_read_the_same_again(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
