"""A text that is too long for one post becomes a thread of which nothing is lost, or is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from firstreply.channels import names, threads
from firstreply.channels._read import between_characters
from firstreply.channels.x import LONGEST_REPLY, split
from firstreply.channels.x.thread import MOST_PARTS, ROOM
from firstreply.errors import Refuse
from local.simulator.x_length import weight as x_counts
from tests.unit.channels.samples import quick

LINK = "https://larkspur.example/bags?of=ada"
SENTENCE = "We are sorry that your two suitcases and the cello have not arrived. "

words = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "Cc"]), min_size=1)
texts = st.lists(words.map(lambda w: w[:60]) | st.just(LINK), min_size=1, max_size=60).flatmap(
    lambda found: st.lists(
        st.sampled_from([" ", "  ", "\n", "\n\n", ". ", "! "]),
        min_size=len(found),
        max_size=len(found),
    ).map(lambda gaps: "".join(w + g for w, g in zip(found, gaps, strict=True)))
)
# Of one word and no blank.
endless = st.builds(
    lambda text, times: text * times,
    st.text(st.sampled_from("ab漢字。あé🙏\N{FAMILY}\u200d\u0301👍🏽🇩🇪"), min_size=1, max_size=60),
    st.integers(5, 90),
)


def parts_of(text: str) -> tuple[str, ...]:
    """What is refused has a test of its own."""
    try:
        return split(text)
    except Refuse:
        assume(False)
        raise


def numbered(parts: tuple[str, ...]) -> list[str]:
    return [f"{part} {number}/{len(parts)}" for number, part in enumerate(parts, 1)]


def test_x_has_threads_and_the_others_need_not() -> None:
    assert [name for name in sorted(names()) if threads(name)] == ["x"]
    assert threads("y") is None


@quick
@given(text=texts)
@example(text=SENTENCE * 5)
@example(text="x" * 275 + " " + "y" * 276)
@example(text="a.co,b.co;c.co " * 40)
@example(text="漢字 " * 200)
def test_nothing_is_lost_and_every_part_fits_with_its_number(text: str) -> None:
    parts = parts_of(text)
    assert 1 <= len(parts) <= MOST_PARTS
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(parts)
    if len(parts) == 1:
        assert parts == (text.strip(),)
        assert x_counts(parts[0]) <= LONGEST_REPLY
    else:
        assert all(x_counts(one) <= LONGEST_REPLY for one in numbered(parts))


@quick
@given(text=texts.filter(lambda text: not re.search("[。！？]", text)))
@example(text=SENTENCE * 5)
@example(text=f"{SENTENCE}{LINK} " * 4)
def test_no_word_and_no_link_is_torn(text: str) -> None:
    parts = parts_of(text)
    assume(all(x_counts(word) <= ROOM // 2 for word in text.split()))
    assert " ".join(parts).split() == text.split()


@quick
@given(text=endless)
@example(text="\N{FAMILY}\u200d" * 150)
@example(text="x" * 1_000)
@example(text="x" * 200 + "。\u0301" + "x" * 100)
def test_a_word_that_no_post_could_hold_is_torn_between_characters(text: str) -> None:
    parts = parts_of(text)
    assert "".join(parts) == text
    at = 0
    for part in parts[:-1]:
        at += len(part)
        assert between_characters(text, at) == at


def test_sentences_stay_whole_where_they_can() -> None:
    parts = split(SENTENCE * 9)
    assert len(parts) == 3
    assert {part[-8:] for part in parts} == {"arrived."}
    # Nobody is to read five half-empty posts: then at words.
    full = split((SENTENCE + "and so it goes on and on with no end, ") * 12)
    assert len(full) == MOST_PARTS
    assert {part[-1] for part in full[:-1]} != {"."}


def test_paragraphs_and_other_scripts_end_too() -> None:
    heading, rest = "y" * 150 + "\n\n", "of no importance " * 12
    assert split(heading + rest)[0] == "y" * 150
    first, *_ = split("抱歉让您久等了我们正在寻找您的行李箱。" * 12)
    assert first.endswith("。")


def test_a_very_short_sentence_does_not_stand_alone() -> None:
    first, *_ = split("Hi Ada. " + "We are looking for it " * 20)
    assert len(first) > ROOM - 10


def test_what_fits_is_one_part_to_the_last_character() -> None:
    assert split("x" * 139 + " " + "y" * 140) == ("x" * 139 + " " + "y" * 140,)
    assert len(split("x" * 140 + " " + "y" * 140)) == 2


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE * 25,
        "x" * (MOST_PARTS * ROOM + 1),
        "漢" * (MOST_PARTS * ROOM // 2 + 1),
        "See " + LINK + "x" * 300,
        "https://larkspur.example/" + "x" * 300,
    ],
)
def test_what_is_too_long_for_a_thread_is_refused_with_the_limit(text: str) -> None:
    with pytest.raises(Refuse, match=r"x: \d+ characters do not fit into 5 posts of 276"):
        split(text)


def test_a_link_in_a_text_without_blanks_stays_whole() -> None:
    text = "漢" * 120 + "https://larkspur.example/a/long/way/to/your/bags" + "字" * 120
    parts = split(text)
    assert "".join(parts) == text
    assert any("https://larkspur.example/a/long/way/to/your/bags" in part for part in parts)
