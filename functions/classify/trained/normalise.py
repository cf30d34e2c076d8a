"""One spelling for what people write, the same when training and when classifying.

Names and links say nothing about what is wanted, so each becomes one word. Emoji stay: they speak.
"""

import html
import re
import unicodedata

USER = "@user"
LINK = "http"
# A message of a platform may have 10,000 characters; its start and its end say what is wanted.
HEAD, TAIL = 700, 300

_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+")
_LINK = re.compile(r"(?:https?://|www\.)\S+|\bt\.co/\S+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)(?:@\w+)+")
_HASHTAG = re.compile(r"#(\w+)")
_CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")
_LONG_LETTER = re.compile(r"([^\W\d_])\1{2,}")
_LONG_SIGN = re.compile(r"([^\w\s])\1{2,}")
# Skin tones, variation selectors, joiners and marks of direction change no meaning; half of a
# surrogate pair has none, and can be written to no file.
_INVISIBLE = re.compile(
    "[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"'})


def normalise(text: str) -> str:
    """Short enough, names and links as one word each, hashtags as words, one space between."""
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]} {text[-TAIL:]}"
    text = unicodedata.normalize("NFKC", html.unescape(text)).translate(_QUOTES)
    text = _INVISIBLE.sub("", text)
    text = _LINK.sub(f" {LINK} ", _ADDRESS.sub(f" {USER} ", text))
    text = _HASHTAG.sub(_words_of, _HANDLE.sub(f" {USER} ", text))
    text = _LONG_SIGN.sub(r"\1\1", _LONG_LETTER.sub(r"\1\1", text))
    return " ".join(text.split())


def _words_of(hashtag: re.Match[str]) -> str:
    """`#NeverAgain` says "Never Again"."""
    return "# " + _CAMEL.sub(" ", hashtag[1])
