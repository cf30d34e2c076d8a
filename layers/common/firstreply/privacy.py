"""What a customer's text may show that it should not: found, and masked by a label.

Numbers that we must never keep: cards (ISO/IEC 7812, Luhn) and bank accounts (ISO 13616). And what
tells strangers who somebody is: telephone numbers, e-mail and postal addresses. Those are told by
their form and by the words beside them: rather one too few than an order's number taken for one.
The work grows with the text, whatever is in it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain, takewhile
from string import ascii_uppercase
from typing import Literal, get_args
from unicodedata import category, decimal, normalize

type Kind = Literal["card_number", "bank_account", "email", "address", "phone"]
type Span = tuple[int, int]

# In this order: what is found first is not looked at again.
KINDS: tuple[Kind, ...] = get_args(Kind.__value__)
NUMBERS: frozenset[Kind] = frozenset({"card_number", "bank_account"})
LABELS: dict[Kind, str] = {
    "card_number": "[card number]",
    "bank_account": "[bank account]",
    "email": "[e-mail address]",
    "address": "[address]",
    "phone": "[phone number]",
}


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what was looked for, and the kinds that were there."""

    text: str
    kinds: tuple[Kind, ...] = ()


def mask(text: str) -> str:
    """The text with every card number and IBAN replaced by a label; the same text if none."""
    return find(text, NUMBERS).text


def find(text: str, kinds: frozenset[Kind] = frozenset(KINDS)) -> Masked:
    """The text with everything of these kinds replaced by its label."""
    found = []
    # An account's number may look like a card's from its second group on, but not the reverse.
    for kind in sorted(kinds, key=("bank_account", *KINDS).index):
        copy, places = _copy(text)
        spans = [(places[start], places[end]) for start, end in _FINDERS[kind](copy)]
        if spans:
            found.append(kind)
            text = _replaced(text, spans, LABELS[kind])
    return Masked(text, tuple(kind for kind in KINDS if kind in found))


def _replaced(text: str, spans: list[Span], label: str) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], label]
        at = end
    return "".join((*parts, text[at:]))


# --- what is looked at ------------------------------------------------------------------------


def _copy(text: str) -> tuple[str, Sequence[int]]:
    """In plain digits and letters, without accents and what cannot be seen; and where in the text
    each of its characters stands, and the end."""
    if text.isascii():
        return text, range(len(text) + 1)
    plain = [_plain(char) for char in text]
    return "".join(plain), [*(place for place, char in enumerate(plain) if char), len(text)]


@lru_cache(4096)
def _plain(char: str) -> str:
    """One character or none."""
    if category(char) in _UNSEEN:
        return ""
    bare = "".join(part for part in normalize("NFKD", char) if category(part) not in _UNSEEN)
    digit = decimal(bare, None) if len(bare) == 1 else None
    if digit is not None:
        return str(digit)
    return bare if len(bare) == 1 else char


# Accents and frames that stand for themselves, and what has no width.
_UNSEEN = frozenset({"Mn", "Me", "Cf"})

# --- numbers in groups ------------------------------------------------------------------------

# What people, and texts they copy from, put between the groups of a number.
_DASH = r"\u2010-\u2015\u2212-"
_GAP = rf"[\s./_|·•{_DASH}]"
_PHONE_GAP = rf"[\s./()·•{_DASH}]"
_GAPS, _DIGITS = re.compile(_GAP), re.compile(r"\d+")


def _runs(text: str, pattern: re.Pattern[str]) -> Iterator[list[Span]]:
    """The groups of digits of each run of them. Other numbers may stand before and behind the one
    that is looked for: every group may be its first, and its last."""
    for run in pattern.finditer(text):
        yield [group.span() for group in _DIGITS.finditer(text, run.start(), run.end())]


# --- cards and accounts -----------------------------------------------------------------------

_CARDS = re.compile(rf"\d(?:{_GAP}{{0,3}}\d){{12,}}")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_PREFIX = re.compile(r"[3456]|2[2-7]|81")
_GROUPING = re.compile(r"\d{4}(?:\D+\d{4}){3}(?:\D+\d{1,3})?|\d{4}\D+\d{6}\D+\d{4,5}")
# Not a label's.
_CARD_WORD = re.compile(
    r"(?<!\[)(?:card|karte|tarjeta|cart[ae]o?\b|kaart|visa|master|maestro|amex|[ck]redit|debit|"
    r"cv[vc])|\bexp(?:iry|ires|\.)?:? ?\d",
    re.IGNORECASE,
)
# What has numbers as long as a card's.
_ORDERED = (
    *("order", "booking", "tracking", "parcel", "shipment", "bestel", "auftrag", "sendung"),
    *("paket", "pedido", "envio", "command", "colis", "suivi", "encomenda", "ordin", "spedi"),
    *("pakket", "zending", "boeking"),
)
_DATES = re.compile(
    r"(?:(?:[0-3]?\d([./-])[01]?\d\1(?:19|20)\d\d|(?:19|20)\d\d([./-])[01]\d\2[0-3]\d)(?:\D+|$))+"
)


def _cards(text: str) -> Iterator[Span]:
    is_about_cards = bool(_CARD_WORD.search(text))
    for groups in _runs(text, _CARDS):
        checks = _luhn([int(digit) for start, end in groups for digit in text[start:end]])
        before, done = 0, 0  # digits, and the place up to which all is masked
        for first, (start, stop) in enumerate(groups):
            # Neither a phone number's + nor a 0 begins a card's.
            if start >= done and text[start] != "0" and text[start - 1 : start] != "+":
                end = _card_end(groups[first : first + 19], before, checks)
                if end and not _is_no_card(text, start, end, is_about_cards=is_about_cards):
                    yield start, end
                    done = end
            before += stop - start


def _luhn(digits: list[int]) -> Callable[[int, int], bool]:
    """Whether some of the digits, from here to there, end in their check digit."""
    sums = [
        list(accumulate((_DOUBLED[d] if n % 2 == odd else d for n, d in enumerate(digits)),
                        initial=0))
        for odd in (0, 1)
    ]  # fmt: skip

    def checks(start: int, end: int) -> bool:
        return (sums[end % 2][end] - sums[end % 2][start]) % 10 == 0

    return checks


def _card_end(groups: list[Span], before: int, checks: Callable[[int, int], bool]) -> int | None:
    """Where the longest card's number ends that begins with these groups."""
    found, count = None, 0
    for start, end in groups:
        count += end - start
        if count > 19:
            break
        if count >= 13 and checks(before, before + count):
            found = end
    return found


def _is_no_card(text: str, start: int, end: int, *, is_about_cards: bool) -> bool:
    """Dates, and what is said to be a device's or an order's, if nothing speaks for a card."""
    number = text[start:end]
    if _DATES.fullmatch(number):
        return True
    if is_about_cards:
        return False
    said = next((word for word in reversed(_near(text, start)) if word not in _CONNECTING), "")
    if said == "imei":
        digits = sum(map(str.isdigit, number))
        return digits == 15 and not number.startswith(("34", "37"))
    looks_like_one = _PREFIX.match(number) and _GROUPING.fullmatch(number)
    return not looks_like_one and any(stem in said for stem in _ORDERED)


# Any letters before it may belong to another word; the two right before the digits are a country's.
_IBAN = re.compile(rf"[A-Za-z]{{2}}\d{{2}}(?:{_GAP}{{0,3}}[A-Za-z\d]){{11,30}}")
# Also where the next one begins.
_END_OF_GROUP = re.compile(
    r"(?<=[A-Za-z])(?![A-Za-z])|(?<=\d)(?!\d)|(?<=[A-Za-z])(?=[A-Za-z]{2}\d\d)"
)
_AS_DIGITS = {ord(letter): str(int(letter, 36)) for letter in ascii_uppercase}


def _ibans(text: str) -> Iterator[Span]:
    start = 0
    while run := _IBAN.search(text, start):
        start = run.start() + 1
        last = min(run.end() + 1, len(text))
        ends = [end.start() for end in _END_OF_GROUP.finditer(text, run.start(), last)]
        end = _iban_end(text, run.start(), [end for end in ends if end <= run.end()])
        if end is not None:
            yield run.start(), end
            start = end


def _iban_end(text: str, start: int, ends: list[int]) -> int | None:
    """The check sum lets one in a hundred pass, so words behind a flight number need more."""
    for end in reversed(ends):
        chars = _GAPS.sub("", text[start:end]).upper()
        if not 15 <= len(chars) <= 34:
            continue
        mostly_digits = 2 * sum(map(str.isdigit, chars)) >= len(chars)
        if mostly_digits and int((chars[4:] + chars[:4]).translate(_AS_DIGITS)) % 97 == 1:
            return end
    return None


# --- words before a number --------------------------------------------------------------------

# That say what it is, in seven languages, by their beginning.
_CALL = re.compile(
    r"tel(?!l)|tlf|phone|fone?(?!t)|mob(?!b)|cell|gsm|whatsapp|call|text|ring|reach|"
    r"handy|ruf|anruf|erreich|movil|celular|llam|"
    r"portable|appel|rappel|joindre|joignable|"
    r"lig(?!h)|contact|chiam|bel(?!i|o)|bereik|[📞☎📱📲✆☏]"
)
# That say that it is another one, anywhere in a word ("Bestellnummer").
_OTHER = (
    *("order", "booking", "refer", "case", "ticket", "invoice", "tracking", "parcel", "shipment"),
    *("customer", "account", "flight", "article", "serial", "imei", "isbn", "version", "code"),
    *("bestell", "auftrag", "rechnung", "kunden", "sendung", "vorgang", "paket", "vertrag"),
    *("artikel", "serien", "konto", "pedido", "factur", "envio", "client", "reserva", "localiz"),
    *("contrat", "seguim", "cuenta", "comand", "command", "colis", "dossier", "suivi"),
    *("encomenda", "fatura", "protocol", "conta", "ordin", "fattur", "spedi", "pratica"),
    *("prenot", "riferim", "factuur", "pakket", "klant", "zending", "boeking", "rekening"),
    *("lott", "loter", "loto"),
)
_NUMBER = frozenset({"number", "nummer", "numero", "num", "no", "nr", "n"})
_MY = frozenset(
    {
        *("my", "our", "mein", "meine", "meiner", "unsere", "mi", "nuestro", "mon", "notre"),
        *("meu", "nosso", "mio", "nostro", "mijn", "m'n", "ons"),
    }
)
# Between such a word and its number.
_CONNECTING = frozenset(
    {
        *_NUMBER,
        *_MY,
        *(
            "id",
            "is",
            "ist",
            "es",
            "est",
            "e",
            "the",
            "il",
            "el",
            "le",
            "o",
            "your",
            "ma",
            "minha",
            "mia",
            "at",
            "on",
        ),
        *("unter", "auf", "al", "em", "a", "au", "op", "sur", "sul", "new", "neue", "nuevo"),
        *("nouveau", "novo", "nuovo", "nieuwe"),
    }
)
# The brand's own number is no secret: "your hotline 0800 …". German's capital tells "your" from
# "her".
_YOURS = re.compile(
    r"\b(?:[Yy]our|[Ee]uer|[Ee]ure[rnm]?|Ihre?[rnm]?|[Vv]otre|[Vv]os|[Vv]uestr[oa]|[Tt]u|[Ss]eu|"
    r"[Ss]ua|[Vv]ostr[oa]|[Jj]ullie|[Uu]w) (?:[^\W\d_]+[ -]){0,2}?"
    r"(?i:[^\W\d_]*(?:hotline|helpline|line|linea|ligne|linha|lijn|service|support|number|nummer|"
    r"numero|phone|telefon\w?|telefoon|telephone|cent(?:er|re|ro))s?)"
    r"(?: (?:(?i:number|nummer|numero|is|ist|es|est|e|no|nr)))?\W{0,3}$"
)


def _near(text: str, start: int) -> list[str]:
    """The words right before."""
    near = re.split(r"[\d\n\]]", text[max(0, start - 40) : start])[-1]
    return re.findall(r"[^\W\d_]+|[📞☎📱📲✆☏]", near.casefold())


def _said_before(text: str, start: int) -> Literal["call", "other", "nothing"]:
    """What the words before a number say that it is."""
    if _YOURS.search(text, max(0, start - 60), start):
        return "other"
    words = _near(text, start)
    beside = set(takewhile(_CONNECTING.__contains__, reversed(words)))
    if beside & _MY and beside & _NUMBER:
        return "call"
    telling = [word for word in words[-4:] if word not in _CONNECTING]
    calls = [word for word in telling if _CALL.match(word)]
    said = (calls or telling or [""])[-1]
    return "other" if any(stem in said for stem in _OTHER) else "call" if calls else "nothing"


# --- telephone numbers ------------------------------------------------------------------------

_PHONES = re.compile(rf"\d(?:{_PHONE_GAP}{{0,3}}\d){{6,}}")
_DATE = re.compile(r"\(?(?!0\d{3})\d{1,4}([./\s-])\d{1,2}\1\d{2,4}(?!\d)")
# Where somebody is called, too.
_CLEAR_DATE = re.compile(
    r"(?:[0-3]?\d([./-])(?:0?[1-9]|1[0-2])\1(?:(?:19|20)\d\d|\d\d)(?!\1)|"
    r"(?:19|20)\d\d([./-])[01]\d\2[0-3]\d)(?!\d)"
)
_MAY_BEGIN = re.compile(r"[+(]|0\d|[2-9]\d\d\D|1[\s.-]\(?[2-9]\d\d\D")
_YEARS = re.compile(r"(?:(?:19|20)\d\d\W{0,3})+")
_PAIRS = re.compile(r"0\d([\s.-])\d\d(?:\1\d\d){3}(?!\w|\1[1-9]\d\b)")  # 06 12 34 56 78
_PAIR = re.compile(r"\b\d\d[\s.-]$")
_ABROAD = re.compile(r"00[1-9]\d{0,2}[\s./(-]|00[1-9]\d{8,12}(?!\d)")
# How else numbers are written within a country, so that nothing is likely to look like it.
_NATIONAL = re.compile(
    r"\(?0[1-9]\d{0,4}\)?[\s/.-]\(?\d[\d\s./-]{4,}\d|"  # trunk prefix, gap, at least six more
    r"\(?[2-9]\d\d\)?[\s.-]{1,2}\d{3}[.-]\d{4}|"  # 415-555-0132
    r"1[\s.-]\(?[2-9]\d\d\)?[\s.-]{1,2}\d{3}[\s.-]\d{4}"  # 1-415-555-0132
)
_STUCK, _LETTER = re.compile(r"[\w@#]"), re.compile(r"\w")
# Part of a date, a sum or another number.
_PART = re.compile(r"\d[./-]$|\d{3} $")
_COUNTED = re.compile(
    r"\s?(?:[%€$£]|(?:eur|usd|gbp|dollar|pound|follower|time|people|user|like|view|customer|mal|"
    r"leute|kunden|fois|veces|vezes|volte|keer|seguidor|abonn|volger)[^\W\d_]{0,6}\b)",
    re.IGNORECASE,
)


def _phones(text: str) -> Iterator[Span]:
    done = 0  # the place up to which all is masked
    for groups in _runs(text, _PHONES):
        said = None
        for first, (digit, _) in enumerate(groups):
            start = digit - _signs(text, digit)
            if digit < done or _PART.search(text, max(done, start - 4), start):
                continue
            # Between two groups there is no word.
            said = "nothing" if said else _said_before(text, start)
            end = _phone_end(text, start, groups[first : first + 15], said, done)
            if end is not None:
                yield start, end
                done = end


def _signs(text: str, digit: int) -> int:
    """How many characters of a number stand before its first digit."""
    before = text[max(0, digit - 2) : digit]
    return 2 if before == "+ " else 1 if before.endswith(("+", "(")) else 0


def _phone_end(text: str, start: int, groups: list[Span], said: str, done: int) -> int | None:
    is_called = said == "call"
    stuck = _STUCK.match(text, start - 1) if start > done else None
    if said == "other" or (stuck and not (is_called and stuck[0].isalpha())):
        return None
    if not (is_called or _MAY_BEGIN.match(text, start)):
        return None
    ends = _phone_ends(text, groups, is_called=is_called)
    pairs = None if _PAIR.search(text, max(done, start - 4), start) else _PAIRS.match(text, start)
    likely = (end for end, count in ends if _looks_like_a_phone(text[start:end], count))
    called = (end for end, _ in ends if is_called and not _CLEAR_DATE.match(text, start))
    return next(
        (
            end
            for end in chain(likely, [pairs.end()] if pairs else [], called)
            if _is_alone(text, start, end)
        ),
        None,
    )


def _phone_ends(text: str, groups: list[Span], *, is_called: bool) -> list[tuple[int, int]]:
    """Where one may end, and how many digits it would have; the longest first."""
    counts = accumulate(end - start for start, end in groups)
    return [
        (end, count)
        for (_, end), count in zip(groups, counts, strict=True)
        if 7 <= count <= 15 and (is_called or not _LETTER.match(text, end))
    ][::-1]


def _looks_like_a_phone(run: str, digits: int) -> bool:
    if run.startswith("+"):
        return digits >= 8
    if run.startswith("00"):
        return digits >= 10 and bool(_ABROAD.match(run))
    return 9 <= digits <= 12 and bool(_NATIONAL.fullmatch(run)) and not _DATE.match(run)


def _is_alone(text: str, start: int, end: int) -> bool:
    """Neither years nor how many of something."""
    return not _YEARS.fullmatch(text, start, end) and not _COUNTED.match(text, end)


# --- addresses --------------------------------------------------------------------------------

# Also ada (at) example.com.
_AT = r"(?:@| ?[(\[{] ?(?:at|@|arroba|chiocciola|apenstaartje) ?[)\]}] ?)"
_DOT = r"(?:\.| ?[(\[{] ?(?:dot|punkt|punto|point|ponto|punt) ?[)\]}] ?| dot )"
_EMAIL = re.compile(
    rf"(?<![\w.+@-])[\w+][\w.+-]{{0,63}}{_AT}"
    rf"[^\W_][\w-]{{0,62}}(?:{_DOT}[^\W_][\w-]{{0,62}}){{1,4}}",
    re.IGNORECASE,
)
_NAME = r"[^\W\d_][\w'’.-]{0,30}"
_HOUSE = r"\d{1,5}(?: ?[a-z](?!\w))?"
_STREET = re.compile(
    r"(?<!\w)(?:"
    # Am Markt 5, An der alten Mühle 3
    rf"(?:am|im|an de[rn]|auf de[rmn]|in de[rn]|zum|zur|unter den|hinter de[rmn]|vor de[rm]) "
    rf"(?:[^\W\d_]{{1,20}} )?(?-i:[A-Z])[^\W\d_]{{2,30}} {_HOUSE}|"
    # Lindenstraße 12a, Berliner Straße 3; Kerkstraat 5
    rf"(?:(?-i:[A-Z])[^\W\d_]{{1,30}} )?[^\W\d_]{{0,30}}(?:"
    r"straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|"
    rf"straat|laan|plein|gracht|kade|singel|dreef) ?,? {_HOUSE}|"
    # 12 Abbey Road; 4b Elm St
    rf"{_HOUSE},? (?:{_NAME} ){{1,3}}(?:street|st|road|rd|avenue|ave|lane|ln|drive|court|close|"
    r"way|boulevard|blvd|place|square|terrace|crescent|gardens|grove)(?!\w)|"
    # 12 bis, rue des Lilas
    rf"{_HOUSE}(?: bis| ter)?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|allee|impasse|quai|"
    rf"route) (?:{_NAME} ?){{1,4}}|"
    # calle Mayor, 12; rua das Flores 7; via Roma 3
    r"(?:calle|c/|avenida|avda\.?|av\.|plaza|paseo|camino|rua|travessa|praca|largo|estrada|alameda|"
    rf"via|viale|piazza|corso|vicolo|piazzale)(?:(?<=[/.]) ?| )(?:{_NAME} ?){{1,5}},? "
    rf"(?:n[.º°o]{{1,2}} ?)?{_HOUSE}"
    r")(?!\w)",
    re.IGNORECASE,
)
# A street is also where a shop is: it is somebody's home by these words before it, or by a postcode
# behind it.
_HOME = re.compile(
    r"(?<![\[\w])(?:"
    r"my (?:\w+ )?address|i live|we live|i'm at|deliver\w* (?:it )?to|send (?:it )?to|home is|"
    r"meine (?:\w+ )?(?:adresse|anschrift)|ich wohne|wir wohnen|liefern sie|schicken sie|wohnhaft|"
    r"mi (?:\w+ )?direccion|vivo en|vivimos en|mi casa|"
    r"mon (?:\w+ )?adresse|j'habite|nous habitons|chez moi|"
    r"(?:a )?minha (?:\w+ )?morada|(?:o )?meu (?:\w+ )?endereco|moro n|moramos n|vivo na|"
    r"il mio (?:\w+ )?indirizzo|abito in|abitiamo in|casa mia|"
    r"mijn (?:\w+ )?adres|ik woon|wij wonen|we wonen"
    r")[^\n]{0,30}$",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"[,;\s]{1,3}(?:[^\W\d_]{2,20},? ){0,2}(?:"
    r"(?:[a-z]{1,2}-)?\d{5}(?:-\d{3,4})?|\d{4}-\d{3}|\d{4}(?: ?(?-i:[A-Z]{2})|[a-z]{2})|"
    r"[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}"
    r")(?!\w)|"
    # Of four digits only, as in ", 8001 Zürich": others have as many.
    r"[,;\n] ?\d{4}(?= (?-i:[A-Z]))",
    re.IGNORECASE,
)


def _emails(text: str) -> Iterator[Span]:
    for found in _EMAIL.finditer(text):
        yield found.start(), found.end()


def _addresses(text: str) -> Iterator[Span]:
    for found in _STREET.finditer(text):
        postcode = _POSTCODE.match(text, found.end())
        if postcode or _HOME.search(text[max(0, found.start() - 60) : found.start()]):
            yield found.start(), postcode.end() if postcode else found.end()


_FINDERS: dict[Kind, Callable[[str], Iterator[Span]]] = {
    "bank_account": _ibans,
    "card_number": _cards,
    "email": _emails,
    "address": _addresses,
    "phone": _phones,
}
