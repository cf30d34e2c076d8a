"""The notation in which urgency.yaml says what to look for, and the search for all of it at once.

    gas leak            these words, one after the other, as whole words
    allerg*             a word that starts like this; *brand one that ends like this,
                        *allerg* one that has it anywhere
    (smell|smells) of gas    one of these; each may be several words or name a list
    {family} is hurt    one of a list that the file names
    my? account         the word may be missing
    _                   any one word
    <number>            a number in digits
    gas + headache      both, in either order, the one at most `near` words from the other
    gas +3 headache     the same, at most 3 words

Capitals, accents and apostrophes make no difference, and "heeelp" is "help". Handles and links are
no words. Every word of a text is looked up once and followed only as far as the phrases go that
have begun there, so that the work grows with the text and not with what the text tries.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import product

# No word that we look for is longer; what is longer is nobody's word.
LONGEST_WORD = 40
NUMBER, ANY = "<number>", "_"
_TOKEN = re.compile(r"(?:https?://|www\.)\S+|@\w+|\d+(?:[.,]\d+)*|[^\W\d_]+|[^\w\s]")
_PLUS = re.compile(r"\s\+(\d*)\s")
_ITEM = re.compile(
    r"(?:\{(?P<name>\w+)\}|\((?P<either>[^()]*)\)|(?P<word>[^\s(){}?]+))(?P<may>\??)"
)
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})

type Kind = frozenset[str]  # the words, any of which may stand at one place
type Phrase = tuple[Kind, ...]
type Span = tuple[int, int]  # the first word's index and the one after the last's


@dataclass(frozen=True, slots=True)
class Token:
    """A word as we compare it, and where it stands in the text."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """`terms`, all to be there, each as one of its phrases, at most `near` words apart."""

    notation: str
    terms: tuple[frozenset[Phrase], ...]
    near: int


# --- a text's words -------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _folded(char: str) -> str:
    """Without capitals, accents and what cannot be seen."""
    plain = unicodedata.normalize("NFKD", char).casefold()
    return "".join(
        c
        for c in unicodedata.normalize("NFKD", plain)
        if unicodedata.category(c) not in ("Mn", "Me", "Cf")
    )


def tokens(text: str) -> list[Token]:
    """The words, numbers, currency signs and emoji of a text."""
    pieces = [_folded(char) for char in text]
    places = [place for place, piece in enumerate(pieces) for _ in piece]
    return [
        Token(one[0][:LONGEST_WORD], places[one.start()], places[one.end() - 1] + 1)
        for one in _TOKEN.finditer("".join(pieces))
        if _is_said(one[0])
    ]


def _is_said(piece: str) -> bool:
    """Neither a handle, which may be called anything, nor a link nor punctuation."""
    if piece[0].isalnum():
        return not piece.startswith(("http:", "https:", "www."))
    return len(piece) == 1 and unicodedata.category(piece) in ("Sc", "So")


# --- the notation ---------------------------------------------------------------------------------


def pattern(notation: str, lists: Mapping[str, Sequence[str]], near: int) -> Pattern:
    """Raises ValueError for what cannot be read, and for a list that is not there."""
    pieces = _PLUS.split(f" {notation} ")
    terms = tuple(frozenset(_phrases(term, lists, ())) for term in pieces[::2])
    if any(not phrase for term in terms for phrase in term):
        raise ValueError(f"{notation!r} would be found in every text")
    return Pattern(notation, terms, max((int(n) for n in pieces[1::2] if n), default=near))


def _phrases(
    term: str, lists: Mapping[str, Sequence[str]], within: tuple[str, ...]
) -> Iterator[Phrase]:
    if not term.strip() or _ITEM.sub("", term).strip():
        raise ValueError(f"cannot read {term.strip()!r}")
    for parts in product(*(_choices(item, lists, within) for item in _ITEM.finditer(term))):
        yield tuple(kind for part in parts for kind in part)


def _choices(
    item: re.Match[str], lists: Mapping[str, Sequence[str]], within: tuple[str, ...]
) -> set[Phrase]:
    """What may stand for one item. Words go into one kind, so that long lists cost nothing."""
    found: set[Phrase] = set()
    if (name := item["name"]) is not None:
        if name in within:
            raise ValueError(f"list {name!r} names itself")
        for entry in _list(name, lists):
            found.update(_phrases(entry, lists, (*within, name)))
    elif item["either"] is not None:
        for entry in item["either"].split("|"):
            found.update(_phrases(entry, lists, within))
    else:
        found.update(tuple(frozenset({word}) for word in form) for form in _forms(item["word"]))
    together = frozenset(word for phrase in found if len(phrase) == 1 for word in phrase[0])
    return (
        {phrase for phrase in found if len(phrase) > 1}
        | ({(together,)} if together else set())
        | ({()} if item["may"] else set())
    )


def _list(name: str, lists: Mapping[str, Sequence[str]]) -> Sequence[str]:
    try:
        return lists[name]
    except KeyError:
        raise ValueError(f"there is no list {name!r}") from None


@cache
def _forms(word: str) -> frozenset[tuple[str, ...]]:
    """A word as people write it: "can't" also "cant", "e-mail" also "email", "für" also "fuer"."""
    if word in (NUMBER, ANY):
        return frozenset({(word,)})
    spelt = {word.casefold(), word.casefold().translate(_UMLAUTS)}
    plain = {"".join(map(_folded, one)) for one in spelt}
    forms = {tuple(re.split("['’-]", one)) for one in plain}
    forms |= {(re.sub("['’-]", "", one),) for one in plain}
    if not all(len(part.strip("*")) >= 1 + ("*" in part) for form in forms for part in form):
        raise ValueError(f"{word!r} is too short to look for")
    return frozenset(forms)


# --- the search -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    """A place in the tree of phrases: what may come next, and the terms that end here."""

    after: dict[int, "_Node"] = field(default_factory=dict)
    terms: list[int] = field(default_factory=list)


class Search:
    """Looks for all patterns in one pass over a text's words."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._kinds: dict[Kind, int] = {}
        self._terms: dict[frozenset[Phrase], int] = {}
        self._root = _Node()
        for one in patterns:
            for term in one.terms:
                self._add(term)
        self._lookup = _lookup(self._kinds)

    def _add(self, term: frozenset[Phrase]) -> None:
        if term in self._terms:
            return
        number = self._terms[term] = len(self._terms)
        for phrase in term:
            node = self._root
            for kind in phrase:
                node = node.after.setdefault(
                    self._kinds.setdefault(kind, len(self._kinds)), _Node()
                )
            node.terms.append(number)

    def found(self, said: Sequence[Token]) -> "Found":
        """Where each term stands among the words."""
        known: dict[str, frozenset[int]] = {}
        for one in said:
            if one.word not in known:
                known[one.word] = self._lookup(one.word)
        kinds = [known[one.word] for one in said]
        places: dict[int, list[Span]] = {}
        for start in range(len(kinds)):
            for number, end in _follow(self._root, kinds, start):
                places.setdefault(number, []).append((start, end))
        return Found(places, self._terms)


def _follow(root: _Node, kinds: Sequence[frozenset[int]], start: int) -> Iterator[tuple[int, int]]:
    """The terms that begin at a word, each with its end."""
    nodes, place = [root], start
    while nodes and place < len(kinds):
        nodes = [node.after[kind] for node in nodes for kind in kinds[place] & node.after.keys()]
        place += 1
        for node in nodes:
            for number in node.terms:
                yield number, place


@dataclass(frozen=True, slots=True)
class Found:
    """What a text has of the patterns' terms."""

    places: Mapping[int, Sequence[Span]]
    terms: Mapping[frozenset[Phrase], int]

    def matches(
        self, sought: Pattern, but_not: frozenset[int] = frozenset()
    ) -> Iterator[tuple[Span, ...]]:
        """Where its terms stand, each time; words of `but_not` are no part."""
        spans: list[list[Span]] = []
        for term in sought.terms:
            here = self.places.get(self.terms[term], ())
            free = [one for one in here if but_not.isdisjoint(range(*one))] if but_not else here
            if not free:
                return
            spans.append(list(free))
        yield from _near(spans, sought.near)


def _near(spans: Sequence[Sequence[Span]], near: int) -> Iterator[tuple[Span, ...]]:
    """The hindmost term leaps after the foremost, so that a long text takes few steps."""
    at = [0] * len(spans)
    while True:
        here = tuple(one[place] for one, place in zip(spans, at, strict=True))
        last, hindmost = max(here), here.index(min(here))
        if last[0] - here[hindmost][0] <= near:
            if len(set(here)) == len(here):
                yield here
            at[hindmost] += 1
        else:
            at[hindmost] = bisect_left(spans[hindmost], (last[0] - near, 0), lo=at[hindmost])
        if at[hindmost] == len(spans[hindmost]):
            return


def _lookup(kinds: Mapping[Kind, int]) -> Callable[[str], frozenset[int]]:
    """A function from a word to the kinds that it is of."""
    whole: dict[str, set[int]] = {}
    starts: dict[str, set[int]] = {}
    ends: dict[str, set[int]] = {}
    inside: dict[str, set[int]] = {}
    shelves = {
        (False, False): whole,
        (False, True): starts,
        (True, False): ends,
        (True, True): inside,
    }
    for kind, number in kinds.items():
        for word in kind:
            shelf = shelves[word.startswith("*"), word.endswith("*")]
            shelf.setdefault(word.strip("*"), set()).add(number)
    every, numbers = whole.get(ANY, set()), whole.get(NUMBER, set())

    def plainly(word: str) -> set[int]:
        found = every | whole.get(word, set())
        for cut in range(1, len(word) + 1):
            found |= starts.get(word[:cut], set()) | ends.get(word[-cut:], set())
        for part, of in inside.items():
            if part in word:
                found |= of
        return found | numbers if word[0].isdigit() else found

    def kinds_of(word: str) -> frozenset[int]:
        spelt = {word, _STRETCHED.sub(r"\1", word), _STRETCHED.sub(r"\1\1", word)}
        return frozenset().union(*map(plainly, spelt))

    return kinds_of
