"""The brand's voice and policy: data in brand/, checked when it is loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import PurePath

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from firstreply.channels import names
from firstreply.datafile import located, parse, tree_of
from firstreply.errors import Misconfigured
from firstreply.hours import Hours
from firstreply.policy import ComplaintBands, Policy, Probability
from firstreply.understanding import Intent, Urgency
from firstreply.voice import PURPOSES, Voice, Words, has_link


class PolicyData(BaseModel):
    """brand/policy.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_language: str
    hours: Hours
    answer: frozenset[Intent]
    escalate: frozenset[Intent]
    escalate_if_unanswered: frozenset[Intent]
    complaint_bands: ComplaintBands
    bedrock_sure: Probability
    due_minutes: dict[Urgency, PositiveInt] = Field(min_length=2)  # every one
    oldest_answer_hours: PositiveInt
    hands_off_hours: PositiveInt
    links_on: frozenset[str]
    invite_to_private: frozenset[str]
    prices: dict[str, dict[str, PositiveFloat]]


# Said in other words there, or of no concern to a decision.
_NOT_OF_POLICY = {
    "default_language",
    "hours",
    "oldest_answer_hours",
    "hands_off_hours",
    "complaint_bands",
}


@cache
def voice() -> Voice:
    """Every language that has a file, and the default among them."""
    default = _load("policy.yaml", PolicyData).default_language
    languages = {language: _load(name, Words) for language, name in _languages()}
    try:
        return Voice(default_language=default, languages=languages)
    except ValidationError as error:
        wrong = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise _wrong("policy.yaml", "default_language", wrong) from error


def hours() -> Hours:
    """When people are there."""
    return _load("policy.yaml", PolicyData).hours


def policy(*, cool_down_minutes: int, auto_reply: bool) -> Policy:
    """The brand's rules with the stack's parameters."""
    data = _load("policy.yaml", PolicyData)
    if wordless := data.answer - set(PURPOSES):
        intents = ", ".join(sorted(wordless))
        raise _wrong("policy.yaml", "answer", f"brand/voice/ has no words for {intents}")
    _require_linkless(data)
    return Policy(
        **data.model_dump(exclude=_NOT_OF_POLICY),
        complaint_bands=data.complaint_bands,
        oldest_answer=timedelta(hours=data.oldest_answer_hours),
        hands_off=timedelta(hours=data.hands_off_hours),
        cool_down=timedelta(minutes=cool_down_minutes),
        auto_reply=auto_reply,
    )


def _require_linkless(data: PolicyData) -> None:
    """Where no link is allowed, there must be something else to say."""
    for language, name in _languages():
        for number, row in enumerate(voice().languages[language].sentences):
            on = {row.channel} if row.channel else names()
            if not on <= data.links_on and all(map(has_link, row.say)):
                raise _wrong(
                    name,
                    ("sentences", number, "say"),
                    "every variation holds a link, and policy.yaml allows links on"
                    f" {sorted(data.links_on)} only",
                )


def _languages() -> Iterator[tuple[str, str]]:
    """Each language with the name of its file."""
    with _readable("voice"):
        found = sorted(one.name for one in files("brand").joinpath("voice").iterdir())
    return ((PurePath(one).stem, f"voice/{one}") for one in found if one.endswith(".yaml"))


def _load[T: BaseModel](name: str, shape: type[T]) -> T:
    """A file of brand/; Misconfigured names the file, the line, the place and what is wrong."""
    return parse(f"brand/{name}", text(name), shape)


def _wrong(name: str, path: str | tuple[int | str, ...], reason: str) -> Misconfigured:
    steps = (path,) if isinstance(path, str) else path
    return Misconfigured(located(f"brand/{name}", tree_of(text(name)), steps, reason))


def text(name: str) -> str:
    """A file of brand/, as it is."""
    with _readable(name):
        return files("brand").joinpath(name).read_text("utf-8")


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except (ImportError, OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"brand/{name}: cannot be read: {type(error).__name__}") from error
