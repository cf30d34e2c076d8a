"""How long X thinks a post is (twitter-text, configuration v3): 280 is the most."""

import re
import unicodedata
from typing import Final

LIMIT: Final = 280
URL: Final = 23
_LIGHT: Final = (range(0x1100), range(0x2000, 0x200E), range(0x2010, 0x2020), range(0x2032, 0x2038))
_PICTURE: Final = r"[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]"
_DRESS: Final = r"[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"  # variation, skin, flag tags
_URLS: Final = re.compile(
    r"https?://\S*[\w/]"
)  # X also counts bare domains; nobody here writes them
_EMOJI: Final = re.compile(
    r"[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    r"|[0-9#*]\ufe0f?\u20e3"  # a keycap
    rf"|{_PICTURE}{_DRESS}(?:\u200d{_PICTURE}{_DRESS})*"
)
_BARE: Final = re.compile(
    r"\b[\w-]+\.(?:com|org|net|info|io|ai|app|dev|example|eu|uk|de|us)\b", re.I
)


def has_link(text: str) -> bool:
    """Whether a post costs as much as one with a link."""
    return bool(_URLS.search(text) or _BARE.search(text))


def weight(text: str) -> int:
    """Latin letters weigh one, others two; so does an emoji of however many code points."""
    text, urls = _URLS.subn("", unicodedata.normalize("NFC", text))
    text, emoji = _EMOJI.subn("", text)
    letters = sum(1 if any(ord(c) in light for light in _LIGHT) else 2 for c in text)
    return letters + 2 * emoji + URL * urls
