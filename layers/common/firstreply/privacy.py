"""Numbers that we must not keep: cards (ISO/IEC 7812, Luhn) and bank accounts (ISO 13616)."""

import re

_CARD = re.compile(r"(?<![\w])\d(?:[ .-]?\d){12,18}(?![\w])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")


def mask(text: str) -> str:
    """The text with every card number and IBAN replaced by a label; the same text if none."""
    return _IBAN.sub(_mask_iban, _CARD.sub(_mask_card, text))


def _mask_card(match: re.Match[str]) -> str:
    digits = [int(char) for char in match[0] if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return "[card number]" if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else match[0]


def _mask_iban(match: re.Match[str]) -> str:
    """Words may follow an IBAN after a blank, so the longest prefix that checks out is masked."""
    found = match[0]
    for end in range(len(found), 14, -1):
        candidate = re.sub(r"[ -]", "", found[:end]).upper()
        whole_group = end == len(found) or found[end] in " -"
        if whole_group and 15 <= len(candidate) <= 34 and _is_iban(candidate):
            return "[bank account]" + found[end:]
    return found


def _is_iban(candidate: str) -> bool:
    rearranged = candidate[4:] + candidate[:4]
    return int("".join(str(int(char, 36)) for char in rearranged)) % 97 == 1
