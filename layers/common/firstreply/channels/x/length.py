"""How X counts a text (twitter-text, configuration v3), as an upper bound that needs no tables."""

import re
from unicodedata import normalize

from firstreply.channels._read import cut_at_word

LONGEST_REPLY = 280
LONGEST_DIRECT = 10_000  # characters of a direct message, counted one by one
# Code points that weigh 1 in X's count; everything else weighs 2, and so do © and ®, which it
# takes for emoji.
_LIGHT = ((0, 168), (170, 173), (175, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
# What every link has in it: the end of a name, a dot, a letter, and what is no ASCII punctuation.
LINK = re.compile(r"[^\s.]\.[^\W\d_](?:[A-Za-z0-9-]|[^\x00-\x7f])")
_LINK_WEIGHT = 23


def weight(text: str) -> int:
    """At least what X counts: a sequence of emoji weighs more here, and a link no less than 23."""
    text = normalize("NFC", text)
    plain = sum(1 if any(a <= ord(c) <= b for a, b in _LIGHT) else 2 for c in text)
    return plain + sum(_LINK_WEIGHT - len(link) for link in LINK.findall(text))


def shorten(text: str) -> str:
    """The text within 280 weighted characters, cut at a word, never within an emoji."""
    if weight(text) <= LONGEST_REPLY:
        return text
    length = min(LONGEST_REPLY, len(text) - 1)
    while weight(short := cut_at_word(text, length)) > LONGEST_REPLY:
        length -= 1
    return short
