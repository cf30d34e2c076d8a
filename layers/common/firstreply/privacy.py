"""Numbers that we must not keep: cards (ISO/IEC 7812, Luhn) and bank accounts (ISO 13616)."""

import re
from collections.abc import Callable

# What people, and texts they copy from, put between the groups of a number.
_GAP = r"[\s.\u2010-\u2015-]"
# Neither a phone number's + nor a 0 begins a card's.
_CARD = re.compile(rf"(?<![A-Za-z\d_+])[^\D0](?:{_GAP}{{0,3}}\d){{12,18}}")
_IBAN = re.compile(rf"(?<![A-Za-z\d_])[A-Za-z]{{2}}\d{{2}}(?:{_GAP}{{0,3}}[A-Za-z\d]){{11,30}}")
_END_OF_GROUP = re.compile(r"(?<=[A-Za-z\d])(?![A-Za-z\d_])")


def mask(text: str) -> str:
    """The text with every card number and IBAN replaced by a label; the same text if none."""
    text = _replace(text, _IBAN, _is_iban, "[bank account]")
    return _replace(text, _CARD, _is_card, "[card number]")


def _replace(text: str, pattern: re.Pattern[str], is_one: Callable[[str], bool], label: str) -> str:
    """Other numbers and words may stand before and behind it: every group is tried as its first,
    and from there the longest run of whole groups that checks out is taken."""
    done, at, start = "", 0, 0
    while found := pattern.search(text, start):
        start = found.start() + 1
        for end in range(found.end(), start, -1):
            if _END_OF_GROUP.match(text, end) and is_one(text[found.start() : end]):
                done, at, start = done + text[at : found.start()] + label, end, end
                break
    return done + text[at:]


def _is_card(run: str) -> bool:
    digits = [int(char) for char in run if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(run: str) -> bool:
    """The check sum lets one in a hundred pass, so words behind a flight number need more."""
    chars = re.sub(_GAP, "", run).upper()
    mostly_digits = 2 * sum(char.isdigit() for char in chars) >= len(chars)
    if not mostly_digits or not 15 <= len(chars) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in chars[4:] + chars[:4])) % 97 == 1
