"""Cutting a text into pieces, both ways."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.classify.trained.pieces import LIMIT, Likeliest, Longest
from tests.unit.channels.samples import quick

# A piece and how likely it is. The first four are a start, nothing, an end and the unknown.
LIKELY = {
    **dict.fromkeys(("<s>", "<pad>", "</s>", "<unk>"), 0.0),
    "▁": -3.0,
    "▁par": -4.0,
    "cel": -4.0,
    "▁parcel": -9.0,
    "▁late": -5.0,
    "s": -3.0,
    "e": -6.0,
    "▁hot": -5.0,
    "▁face": -5.0,
    "😡": -6.0,
    "▁beverage": -7.0,
}
LONG = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("par", "parcel", "##cel", "##s", "late", "!", "'", "t", "don", "cafe", "σασ", "hot"),
    *("beverage", "😡", "荷", "物", "user", "@", "##p"),
)


@pytest.fixture
def likeliest(tmp_path: Path) -> Callable[[str], list[str]]:
    path = tmp_path / "likely.tsv"
    path.write_text("".join(f"{one}\t{score}\n" for one, score in LIKELY.items()), "utf-8")
    return _by_name(Likeliest(path), list(LIKELY))


@pytest.fixture
def longest(tmp_path: Path) -> Callable[[str], list[str]]:
    path = tmp_path / "long.tsv"
    path.write_text("".join(f"{one}\n" for one in LONG), "utf-8")
    return _by_name(Longest(path), list(LONG))


def _by_name(cut: Callable[[str], list[int]], names: list[str]) -> Callable[[str], list[str]]:
    return lambda text: [names[number] for number in cut(text)]


# --- the likeliest cut ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("late", ["▁late"]),
        # Two likely pieces before one that is not.
        ("parcel", ["▁par", "cel"]),
        ("parcels late", ["▁par", "cel", "s", "▁late"]),
        # A letter loses a mark that nobody knows.
        ("laté", ["▁late"]),
        # An emoji is a piece, or called by its name.
        ("😡", ["▁", "😡"]),
        ("☕", ["▁", "▁hot", "▁beverage", "▁"]),
        ("xs", ["▁", "<unk>", "s"]),
    ],
)
def test_of_all_cuts_the_likeliest_is_taken(
    likeliest: Callable[[str], list[str]], text: str, pieces: list[str]
) -> None:
    assert likeliest(text) == ["<s>", *pieces, "</s>"]


# --- the longest pieces first ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("parcels", ["parcel", "##s"]),
        ("PARCEL, late!", ["parcel", "[UNK]", "late", "!"]),
        # It looks ahead no further: "parp" could not go on after "parcel".
        ("parp", ["par", "##p"]),
        ("parx", ["[UNK]"]),
        # Capitals and marks go, signs stand alone.
        ("Café", ["cafe"]),
        ("ΣΑΣ", ["σασ"]),
        ("don’t", ["don", "'", "t"]),
        ("荷物", ["荷", "物"]),
        ("late\N{SOFT HYPHEN}", ["late"]),
        # An emoji is a piece, or called by its name.
        ("😡late", ["[UNK]"]),
        ("😡 late", ["😡", "late"]),
        ("☕late", ["hot", "beverage", "late"]),
        # Nobody can write the marks of a model into a message.
        ("[SEP]", ["[UNK]", "[UNK]", "[UNK]"]),
        ("@ada", ["@", "user"]),
    ],
)
def test_from_its_start_a_word_is_cut_into_the_longest_pieces(
    longest: Callable[[str], list[str]], text: str, pieces: list[str]
) -> None:
    assert longest(text) == ["[CLS]", *pieces, "[SEP]"]


def test_a_word_without_an_end_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_text("[UNK]\n[CLS]\n[SEP]\nab\n##ab", "utf-8")
    cut = Longest(path)
    assert cut("ab" * 50) == [1, 3, *[4] * 49, 2]
    assert cut("ab" * 50 + "a") == cut("ab" * 51) == [1, 0, 2]


def test_a_score_beside_a_piece_is_none_of_its_letters(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_text("[UNK]\t\n[CLS]\t\n[SEP]\t\nlate\t-3.5\n", "utf-8")
    assert Longest(path)("late") == [1, 3, 2]


# --- both -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["likeliest", "longest"])
def test_of_a_long_text_the_first_and_the_last_pieces_are_kept(
    way: str, request: pytest.FixtureRequest
) -> None:
    cut = request.getfixturevalue(way)
    start, *kept, end = cut("late " * 150 + "parcels")
    mark = "▁late" if way == "likeliest" else "late"
    last = ["▁par", "cel", "s"] if way == "likeliest" else ["parcel", "##s"]
    assert len(kept) == LIMIT - 2
    assert kept == [mark] * (LIMIT - 2 - len(last)) + last
    assert (start, end) in {("<s>", "</s>"), ("[CLS]", "[SEP]")}


def test_what_is_left_out_is_in_the_middle(tmp_path: Path) -> None:
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(200)]
    path = tmp_path / "long.tsv"
    path.write_text("\n".join(["[UNK]", "[CLS]", "[SEP]", *words]), "utf-8")
    numbers = Longest(path)(" ".join(words))
    assert numbers == [1, *range(3, 65), *range(171, 203), 2]


@quick
@given(
    text=st.text(max_size=400) | st.text(st.characters(exclude_categories=()), max_size=60),
    way=st.sampled_from(["likeliest", "longest"]),
)
@example(text="\ud800", way="longest")
@example(text="\N{COMBINING ACUTE ACCENT}", way="longest")
@example(text="\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 2_000, way="likeliest")
def test_any_text_can_be_cut(tmp_path_factory: pytest.TempPathFactory, text: str, way: str) -> None:
    numbers = _cutters(tmp_path_factory.getbasetemp())[way](text)
    assert 2 <= len(numbers) <= LIMIT
    assert all(0 <= number < max(len(LIKELY), len(LONG)) for number in numbers)


def _cutters(folder: Path) -> dict[str, Callable[[str], list[int]]]:
    likely, long = folder / "likely.tsv", folder / "long.tsv"
    if not long.exists():
        likely.write_text("".join(f"{one}\t{score}\n" for one, score in LIKELY.items()), "utf-8")
        long.write_text("".join(f"{one}\n" for one in LONG), "utf-8")
    return {"likeliest": Likeliest(likely), "longest": Longest(long)}
