"""What a customer's text may show that it should not: found, and masked by a label.

Numbers that we must never keep: cards (ISO/IEC 7812, Luhn) and bank accounts (ISO 13616). And what
tells strangers who somebody is: telephone numbers, e-mail and postal addresses. Those are told by
their form and by the words beside them: rather one too few than an order's number taken for one.
The work grows with the text, whatever is in it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

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
        spans = list(_FINDERS[kind](text))
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


# --- numbers in groups ------------------------------------------------------------------------

# What people, and texts they copy from, put between the groups of a number.
_GAP = r"[\s.\u2010-\u2015-]"
_END_OF_GROUP = re.compile(r"(?<=[A-Za-z\d])(?![A-Za-z\d_])")
# Neither a phone number's + nor a 0 begins a card's.
_CARD = re.compile(rf"(?<![A-Za-z\d_+])[^\D0](?:{_GAP}{{0,3}}\d){{12,18}}")
_IBAN = re.compile(rf"(?<![A-Za-z\d_])[A-Za-z]{{2}}\d{{2}}(?:{_GAP}{{0,3}}[A-Za-z\d]){{11,30}}")
_PHONE_GAP = r"[\s./()\u2010-\u2015-]"
_PHONE = re.compile(rf"(?<![A-Za-z\d_+@#])(?:\+ ?|\()?\d(?:{_PHONE_GAP}{{0,3}}\d){{6,14}}")


def _groups(
    text: str, pattern: re.Pattern[str], longest: Callable[[str, int, list[int]], int | None]
) -> Iterator[Span]:
    """Other numbers and words may stand before and behind it: every group is tried as its first,
    and from there the longest run of whole groups that checks out is taken: `longest` says where
    it ends, if at one of these places."""
    start = 0
    while run := pattern.search(text, start):
        start = run.start() + 1
        ends = [
            end.start()
            for end in _END_OF_GROUP.finditer(text, run.start(), min(run.end() + 1, len(text)))
            if end.start() <= run.end()
        ]
        if (end := longest(text, run.start(), ends)) is not None:
            yield run.start(), end
            start = end


def _card_end(text: str, start: int, ends: list[int]) -> int | None:
    """By the check digit of each length, in one pass: `single` has the sum if the last digit
    counts once, `double` if it counted twice."""
    found, single, double, count = None, 0, 0, 0
    for place, char in enumerate(text[start : ends[-1]] if ends else "", start + 1):
        if char.isdigit():
            digit, count = int(char), count + 1
            single, double = double + digit, single + sum(divmod(2 * digit, 10))
            if 13 <= count <= 19 and single % 10 == 0 and place in ends:
                found = place
    return found


def _iban_end(text: str, start: int, ends: list[int]) -> int | None:
    """The check sum lets one in a hundred pass, so words behind a flight number need more."""
    for end in reversed(ends):
        chars = re.sub(_GAP, "", text[start:end]).upper()
        mostly_digits = 2 * sum(map(str.isdigit, chars)) >= len(chars)
        if mostly_digits and 15 <= len(chars) <= 34 and _remainder(chars) == 1:
            return end
    return None


def _remainder(iban: str) -> int:
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97


# --- telephone numbers ------------------------------------------------------------------------

# Words before a number that say what it is, in seven languages, by their beginning.
_CALL = (
    *("tel", "phone", "mobil", "cell", "whatsapp", "call", "text", "ring", "reach"),
    *("handy", "ruf", "anruf", "erreich", "móvil", "movil", "celular", "llám", "llam"),
    *("télé", "portable", "appel", "rappel", "joindre", "joignable"),
    *("lig", "contact", "chiam", "bel", "bereik"),
)
# Words before a number that say that it is another one, anywhere in a word ("Bestellnummer").
_OTHER = (
    *("order", "booking", "refer", "case", "ticket", "invoice", "tracking", "parcel", "shipment"),
    *("customer", "account", "flight", "article", "serial", "imei", "isbn", "version", "code"),
    *("bestell", "auftrag", "rechnung", "kunden", "sendung", "vorgang", "paket", "vertrag"),
    *("artikel", "serien", "konto", "pedido", "factur", "envío", "client", "reserva", "localiz"),
    *("contrat", "seguim", "cuenta", "comand", "command", "colis", "réserv", "dossier", "référ"),
    *("suivi", "encomenda", "fatura", "protocol", "conta", "ordin", "fattur", "spedi", "pratica"),
    *("prenot", "riferim", "factuur", "pakket", "klant", "zending", "boeking", "rekening"),
)
# Between such a word and its number.
_CONNECTING = frozenset(
    {
        *("number", "nummer", "numero", "número", "numéro", "num", "no", "nr", "n", "id"),
        *("is", "ist", "es", "est", "é", "è", "my", "the", "your", "mein", "meine", "mi", "mon"),
        *("ma", "meu", "minha", "mio", "mia", "mijn", "at", "on", "unter", "auf", "al", "em"),
        *("a", "au", "op", "sur", "sul"),
    }
)
_DATE = re.compile(r"\(?\d{1,4}([./\s-])\d{1,2}\1\d{2,4}(?!\d)")
_MAY_BEGIN = re.compile(r"[+(]|0\d|[2-9]\d\d\D")
_YEARS = re.compile(r"(?:(?:19|20)\d\d\W{0,3})+")
_PAIRS = re.compile(r"0\d([\s.-])\d\d(?:\1\d\d){3}")  # 06 12 34 56 78
# How else numbers are written within a country, so that nothing is likely to look like it.
_NATIONAL = re.compile(
    r"\(?0[1-9]\d{0,4}\)?[\s/.-]\(?\d[\d\s./-]{4,}\d|"  # trunk prefix, gap, at least six more
    r"\(?[2-9]\d\d\)?[\s.-]{1,2}\d{3}[.-]\d{4}"  # 415-555-0132
)


def _phones(text: str) -> Iterator[Span]:
    return _groups(text, _PHONE, _phone_end)


def _phone_end(text: str, start: int, ends: list[int]) -> int | None:
    if _is_part(text, start):
        return None
    said = _said_before(text, start)
    is_called = said.startswith(_CALL)
    is_other = any(stem in said for stem in _OTHER)
    if is_other or not (is_called or _MAY_BEGIN.match(text, start)):
        return None
    return next((end for end in reversed(ends) if _is_phone(text[start:end], is_called)), None)


def _is_phone(run: str, is_called: bool) -> bool:
    if not 7 <= sum(map(str.isdigit, run)) <= 15 or _YEARS.fullmatch(run):
        return False
    return _looks_like_a_phone(run) or (is_called and not _is_date_like(run))


def _is_part(text: str, start: int) -> bool:
    """Of a date, a sum or another number."""
    return bool(re.search(r"\d[./-]$|\d{3} $", text[max(0, start - 4) : start]))


def _looks_like_a_phone(run: str) -> bool:
    digits = sum(map(str.isdigit, run))
    if run.startswith("+"):
        return digits >= 8
    if run.startswith("00"):
        return digits >= 10 and bool(re.match(r"00[1-9]\d{0,2}[\s./(-]", run))
    if _PAIRS.fullmatch(run):
        return True
    return 9 <= digits <= 12 and bool(_NATIONAL.fullmatch(run)) and not _is_date_like(run)


def _is_date_like(run: str) -> bool:
    """ "01.02.2026 1020" and the like."""
    return bool(_DATE.match(run))


def _said_before(text: str, start: int) -> str:
    """The word before a number that says what it is; empty if there is none."""
    near = re.split(r"[\d\n\]]", text[max(0, start - 40) : start])[-1]
    words = re.findall(r"[^\W\d_]+", near.casefold())
    telling = [word for word in words[-4:] if word not in _CONNECTING]
    calls = [word for word in telling if word.startswith(_CALL)]
    found: str = (calls or telling or [""])[-1]
    return found


# --- addresses --------------------------------------------------------------------------------

_EMAIL = re.compile(
    r"(?<![\w.+@-])[\w+](?:[\w.+-]{0,63})@[^\W_](?:[\w-]{0,62})(?:\.[^\W_][\w-]{0,62}){1,4}"
)
_NAME = r"[^\W\d_][\w'’.-]{0,30}"
_HOUSE = r"\d{1,5}(?: ?[a-z](?!\w))?"
_STREET = re.compile(
    r"(?<!\w)(?:"
    # Lindenstraße 12a, Berliner Straße 3; Kerkstraat 5
    rf"(?:(?-i:[A-ZÄÖÜ])[^\W\d_]{{1,30}} )?[^\W\d_]{{0,30}}(?:"
    r"straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|"
    rf"straat|laan|plein|gracht|kade|singel|dreef) ?,? {_HOUSE}|"
    # 12 Abbey Road; 4b Elm St
    rf"{_HOUSE},? (?:{_NAME} ){{1,3}}(?:street|st|road|rd|avenue|ave|lane|ln|drive|court|close|"
    r"way|boulevard|blvd|place|square|terrace|crescent|gardens|grove)(?!\w)|"
    # 12 bis, rue des Lilas
    rf"{_HOUSE}(?: bis| ter)?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai|"
    rf"route) (?:{_NAME} ?){{1,4}}|"
    # calle Mayor, 12; rua das Flores 7; via Roma 3
    r"(?:calle|c/|avenida|avda\.?|av\.|plaza|paseo|camino|rua|travessa|praça|largo|estrada|alameda|"
    rf"via|viale|piazza|corso|vicolo|piazzale) ?(?:{_NAME} ?){{1,5}},? "
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
    r"mi (?:\w+ )?dirección|vivo en|vivimos en|mi casa|"
    r"mon (?:\w+ )?adresse|j'habite|nous habitons|chez moi|"
    r"(?:a )?minha (?:\w+ )?morada|(?:o )?meu (?:\w+ )?endereço|moro n|moramos n|vivo na|"
    r"il mio (?:\w+ )?indirizzo|abito in|abitiamo in|casa mia|"
    r"mijn (?:\w+ )?adres|ik woon|wij wonen|we wonen"
    r")[^\n]{0,30}$",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"[,;\s]{1,3}(?:[^\W\d_]{2,20},? ){0,2}(?:"
    r"(?:[a-z]{1,2}-)?\d{5}(?:-\d{3,4})?|\d{4}-\d{3}|\d{4} ?[a-z]{2}|"
    r"[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|\d{4}(?= [^\W\d_])"
    r")(?!\w)",
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
    "bank_account": lambda text: _groups(text, _IBAN, _iban_end),
    "card_number": lambda text: _groups(text, _CARD, _card_end),
    "email": _emails,
    "address": _addresses,
    "phone": _phones,
}
