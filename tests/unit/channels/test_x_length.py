"""How X counts: `weight` and `shorten` against twitter-text, X's own library."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from unicodedata import combining

import pytest

from firstreply.channels.x import LONGEST_REPLY, shorten, weight
from tests.unit.channels.samples import ROOT

LIBRARY = ROOT / ".venv/npm/node_modules/twitter-text"
SCRIPT = Path(__file__).with_name("twitter_text.cjs")
TEXTS = 10_000

type Count = Callable[[Iterable[str]], list[int]]


@pytest.fixture(scope="session")
def counted() -> Count:
    """What twitter-text says of each text."""
    node = shutil.which("node")
    if not node or not LIBRARY.is_dir():
        pytest.fail(f"no {'Node' if not node else LIBRARY.relative_to(ROOT)}: run `make test`")

    def count(texts: Iterable[str]) -> list[int]:
        told = subprocess.run(
            [node, SCRIPT, LIBRARY],
            input="\n".join(json.dumps(text) for text in texts).encode(),
            capture_output=True,
            check=True,
            timeout=120,
        )
        return [int(line) for line in told.stdout.split()]

    return count


# --- texts of all sorts -------------------------------------------------------------------------

ZWJ, DRESS = "\u200d", "\ufe0f"
SKINS = [chr(one) for one in range(0x1F3FB, 0x1F400)]
FACES = [
    *"😀🙏😡👋🧳🎻🫠🥹",
    "❤" + DRESS,
    "☎",
    "✈" + DRESS,
    "©",
    "®",
    "™",
    "‼",
    "⁉",
    "ℹ",
    "〰",
    "㊗",
]
SKINNED = [hand + skin for hand in "👋👍🙏🤦✋☝✌" for skin in SKINS]
FAMILIES = ["👨‍👩‍👧‍👦", "👩‍❤️‍💋‍👨", "🏳️‍🌈", "🏴‍☠️", "👩🏽‍🚀", "🧑🏿‍🤝‍🧑🏻", "🐻‍❄️", "👁️‍🗨️"]
FLAGS = ["🇩🇪", "🇵🇹", "🇺🇳", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"]
KEYCAPS = [f"{one}{DRESS}\u20e3" for one in "0123456789#*"] + ["1\u20e3"]
WORDS = [
    *("we're", "sorry", "Sorry,", "delayed", "gate", "12B", "3.50", "e.g.", "U.S.", "a", "b"),
    *("i.e.", "ok!!!", "(maybe)", "–", "“so”", "…", "no.Yes"),
]
ACCENTS = [
    "é",
    "Zürich",
    "e\u0301",
    "naïve",
    "o\u0308\u0323",
    "Å",
    "\u212b",
    "ﬁ",
    "ạ̈",
    "ệ",
    "Ĳ",
    "ǆ",
]
CJK = [
    "漢字",
    "行李が届かない",
    "찾을 수 없어요",
    "か\u3099",
    "ｶﾞ",
    "！",
    "、",
    "\u1112\u1161\u11ab",
]
MARKS = ["a\u0300\u0301\u0302", "\u0300", "ก็", "कि", "\u0958", "ක්‍ෂ", "\u20dd", "x\u0338"]
RIGHT_TO_LEFT = ["שלום", "איפה המזוודה", "أين حقيبتي؟", "\u200f", "\u202e", "لا", "פֿ"]
UNASSIGNED = [
    "\u0378",
    "\u2065",
    "\ufffe",
    "\U0001faff",
    "\U000e0fff",
    "\U0010fffd",
    "\ue000",
    "\u05ff",
]
BLANKS = [" ", " ", " ", "\n", "  ", "\t", "\u00a0", "\u3000", "\u2028", "\u200b", ""]
HOSTS = [
    *("a.co", "example.com", "www.example.com", "a.co.uk", "t.co", "x.com", "my-host.example.org"),
    *("é.com", "müller.de", "a.みんな", "a.コム", "a.рф", "пример.рф", "日本.jp", "a.museum"),
    *("1.2.3.4", "a.b.c.d.info", "sub_domain.example.com", "a.台灣", "x.xn--p1ai", "a.ai"),
]
PATHS = [
    "",
    "",
    "/",
    "/a",
    "/a/b-c_d",
    "/?q=1&r=2",
    "/#top",
    "/ä(ö)",
    "/漢字",
    "/x.",
    "?a",
    ":8080/x",
]
SCHEMES = ["", "", "http://", "https://", "HTTPS://", "ftp://", "//"]
TAGS = [
    "#bags",
    "#漢字",
    "#été",
    "@LarkspurAir",
    "@a_b",
    "@ada/list",
    "$LARK",
    "#a.co",
    "@a.co",
    "a@b.com",
]


def link(random: Random) -> str:
    """With or without a scheme."""
    return random.choice(SCHEMES) + random.choice(HOSTS) + random.choice(PATHS)


def picture(random: Random) -> str:
    """An emoji of however many code points."""
    some: list[str] = random.choice([FACES, SKINNED, FAMILIES, FLAGS, KEYCAPS])
    return random.choice(some)


def one_of(some: list[str]) -> Callable[[Random], str]:
    return lambda random: random.choice(some)


def anything(random: Random) -> str:
    """Any code point, assigned or not."""
    return chr(random.choice([random.randrange(0xD800), random.randrange(0xE000, 0x110000)]))


SOME = [WORDS, WORDS, WORDS, ACCENTS, CJK, MARKS, RIGHT_TO_LEFT, UNASSIGNED, TAGS]
KINDS: list[Callable[[Random], str]] = [*map(one_of, SOME), link, link, picture, picture, anything]


def written(random: Random) -> str:
    """Glued together, often without a blank between."""
    some = random.sample(KINDS, random.randint(1, len(KINDS)))
    longest = random.choice([1, 3, 3, 10, 10, 60])
    parts = [random.choice(some)(random) for _ in range(random.randint(1, longest))]
    gaps = BLANKS if random.random() < 0.7 else [""]
    return "".join(part + random.choice(gaps) for part in parts)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    random = Random("twitter-text")
    return [written(random) for _ in range(TEXTS)]


# --- weight -------------------------------------------------------------------------------------


def too_low(texts: list[str], counted: Count) -> list[str]:
    return [
        ascii(text) for text, says in zip(texts, counted(texts), strict=True) if weight(text) < says
    ]


def test_our_count_is_never_below_twitter_text_s(texts: list[str], counted: Count) -> None:
    assert too_low(texts, counted) == []
    assert max(counted(texts)) > 2 * LONGEST_REPLY, "some are long"


def test_the_library_counts_what_x_s_pages_say(counted: Count) -> None:
    """Otherwise it would prove nothing."""
    said = {"Hello, world! 👋": 16, "漢" * 140: 280, "see https://larkspur.com/a/b": 27}
    # Its emoji are those of 2019.
    said |= dict.fromkeys([FAMILIES[0], *FLAGS, *KEYCAPS[:12], "👍🏽"], 2)
    assert dict(zip(said, counted(said), strict=True)) == said


# A name or an end of a link that is no letter for Python's `\w`, or a part of one run of letters
# that X cuts elsewhere.
@pytest.mark.parametrize(
    "link",
    [
        *("a.भारत", "http://a.भारत/x", "a.ලංකා", "a.சிங்கப்பூர்", "x\u0302.com"),
        *("https://\N{WAVING HAND SIGN}.com", "http://कि.com", "http://a\N{MIDDLE DOT}.com"),
        *("http://a\u200d.com", "http://\u0378.com"),
        "abcdefghijklmnopqrs漢.co.uk",
    ],
    ids=ascii,
)
def test_a_link_with_a_name_in_any_script_is_counted_as_one(link: str, counted: Count) -> None:
    assert too_low([link], counted) == []


# --- shorten ------------------------------------------------------------------------------------


def test_a_shortened_text_is_one_that_x_takes(texts: list[str], counted: Count) -> None:
    short = [shorten(text) for text in texts]
    assert [ascii(one) for one, says in zip(short, counted(short), strict=True) if says > 280] == []
    cut = [one for one, text in zip(short, texts, strict=True) if one != text]
    assert len(cut) > TEXTS / 50, "some had to be"


def torn(text: str, short: str) -> bool:
    """Whether the cut is within what is seen as one."""
    kept, rest = short.removesuffix("…"), text[len(short) - 1 :]
    before, after = kept[-1:], rest[:1]
    pairs = re.search("[\U0001f1e6-\U0001f1ff]*$", kept)
    is_half_flag = bool(pairs and len(pairs[0]) % 2 and "\U0001f1e6" <= after <= "\U0001f1ff")
    joins = {ZWJ, DRESS, "\u20e3", *SKINS, *map(chr, range(0xE0020, 0xE0080))}
    return before == ZWJ or after in joins or is_half_flag or bool(after and combining(after))


WHOLE = ["👨‍👩‍👧‍👦", "👍🏽", "🇩🇪", "1️⃣", "❤️", "🏳️‍🌈", FLAGS[-1], "é̂"]


@pytest.mark.parametrize("picture", WHOLE, ids=ascii)
def test_a_cut_is_never_within_an_emoji(picture: str) -> None:
    cuts = [("x" * lead + picture * 400) for lead in range(12)]
    assert [ascii(text[:20]) for text in cuts if torn(text, shorten(text))] == []


@pytest.mark.parametrize("picture", WHOLE, ids=ascii)
def test_among_words_no_cut_is_within_an_emoji(picture: str) -> None:
    for lead in range(40):
        text = "x" * lead + f" Sorry{picture} {picture}{picture} gate" * 60
        assert not torn(text, shorten(text))


def test_what_is_torn_is_told() -> None:
    for picture in WHOLE:
        inner = [picture[:at] + "…" for at in range(1, len(picture))]
        assert all(torn(picture * 2, short) for short in inner)
        assert not torn(picture * 2, picture + "…")
