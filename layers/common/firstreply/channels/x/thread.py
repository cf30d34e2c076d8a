"""A text too long for one post as a thread of several."""

from __future__ import annotations

import re
from bisect import bisect_right

from firstreply.channels._read import between_characters
from firstreply.channels.x.length import LINK, LONGEST_REPLY, weight
from firstreply.errors import Refuse

MOST_PARTS = 5
# Who numbers the parts writes no more than this behind each.
_NUMBER = f" {MOST_PARTS}/{MOST_PARTS}"
ROOM = LONGEST_REPLY - weight(_NUMBER)

_SENTENCE = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|\S(?=\s*\n)|[。！？][”’」』）]*")
_WORD = re.compile(r"\S(?=\s)")
# What a link could be a piece of: X's light characters (length.py) without blanks.
_UNBROKEN = re.compile(r"[!-\u10ff]+")


def split(text: str) -> tuple[str, ...]:
    """The parts of a thread, each with room for its number (` 1/3`); one if the text fits into one
    post. At ends of sentences if these make few enough, else at any word. Refuse if it takes more
    posts than anybody reads."""
    text = text.strip()
    if weight(text) <= LONGEST_REPLY:
        return (text,)
    for ends in ((_SENTENCE, _WORD), (_WORD,)):
        if parts := _parts(text, ends):
            return parts
    raise Refuse(f"x: {weight(text)} characters do not fit into {MOST_PARTS} posts of {ROOM}")


def _parts(text: str, ends: tuple[re.Pattern[str], ...]) -> tuple[str, ...]:
    """None of them if there would be too many."""
    parts: list[str] = []
    while text and len(parts) < MOST_PARTS and (at := _cut(text, ends)):
        parts.append(text[:at])
        text = text[at:].lstrip()
    return () if text else tuple(parts)


def _cut(text: str, ends: tuple[re.Pattern[str], ...]) -> int:
    """Where the first part ends: at the last of the first kind of ends that there are. 0 if nothing
    but a link stands at the beginning, and is too long."""
    if weight(text) <= ROOM:
        return len(text)
    lengths = range(min(ROOM + 1, len(text)))
    most = bisect_right(lengths, ROOM, key=lambda length: weight(text[:length])) - 1
    for end in ends:
        found = [at for one in end.finditer(text, 0, most + 1) if (at := one.end()) <= most]
        found = [at for at in found if between_characters(text, at) == at]
        # A sentence that is all too short leaves too little in its post.
        if found and (end is _WORD or found[-1] > most // 2):
            return found[-1]
    return _within_word(text, most)


def _within_word(text: str, most: int) -> int:
    """Where a word is torn that no post could hold: between characters, before a link."""
    for one in _UNBROKEN.finditer(text):
        if one.start() < most < one.end() and LINK.search(one.group()):
            return one.start()
    return between_characters(text, most)
