"""The brand's voice and policy: data in brand/, checked when it is loaded."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import PurePath

from pydantic import BaseModel, PositiveInt, ValidationError

from firstreply.answers import Answers
from firstreply.channels import names, threads
from firstreply.datafile import located, parse, tree_of
from firstreply.errors import Misconfigured
from firstreply.policy import Policy, Rules
from firstreply.voice import PURPOSES, Voice, Words, has_link


class PolicyData(Rules):
    """brand/policy.yaml."""

    default_language: str
    oldest_answer_hours: PositiveInt
    hands_off_hours: PositiveInt
    repeated_within_minutes: PositiveInt


_ANSWERS = "answers.yaml"


@cache
def voice() -> Voice:
    """Every language that has a file, and the default among them."""
    data = _load("policy.yaml", PolicyData)
    languages = {language: _load(name, Words) for language, name in _languages()}
    _require_linkless(data, languages)
    try:
        return Voice(default_language=data.default_language, languages=languages)
    except ValidationError as error:
        wrong = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise _wrong("policy.yaml", "default_language", wrong) from error


@cache
def answers() -> Answers:
    """None of them if the brand has no answers.yaml, or nothing in it."""
    if not files("brand").joinpath(_ANSWERS).is_file():
        return Answers()
    found = _load(_ANSWERS, Answers)
    data = _load("policy.yaml", PolicyData)
    for name, language in found.linked() if not names() <= data.links_on else ():
        # The same words go everywhere.
        raise _wrong(
            _ANSWERS,
            ("answers", name, "say", language),
            f"a link, and policy.yaml allows links on {sorted(data.links_on)} only",
        )
    return found


def policy(*, cool_down_minutes: int, auto_reply: bool) -> Policy:
    """The brand's rules with the stack's parameters. Reads no words: respond starts without."""
    data = _load("policy.yaml", PolicyData)
    if wordless := data.answer - set(PURPOSES):
        intents = ", ".join(sorted(wordless))
        raise _wrong("policy.yaml", "answer", f"brand/voice/ has no words for {intents}")
    _require_threads(data)
    given = {name: getattr(data, name) for name in Rules.model_fields}
    return Policy(
        **given,
        oldest_answer=timedelta(hours=data.oldest_answer_hours),
        hands_off=timedelta(hours=data.hands_off_hours),
        repeated_within=timedelta(minutes=data.repeated_within_minutes),
        cool_down=timedelta(minutes=cool_down_minutes),
        auto_reply=auto_reply,
    )


def _require_linkless(data: PolicyData, languages: Mapping[str, Words]) -> None:
    """Where no link is allowed, there must be something else to say."""
    for language, name in _languages():
        for number, row in enumerate(languages[language].sentences):
            on = {row.channel} if row.channel else names()
            if not on <= data.links_on and all(map(has_link, row.say)):
                raise _wrong(
                    name,
                    ("sentences", number, "say"),
                    "every variation holds a link, and policy.yaml allows links on"
                    f" {sorted(data.links_on)} only",
                )


def _require_threads(data: PolicyData) -> None:
    """Nothing is promised of a channel that it cannot do."""
    for name, how in data.long_answers.items():
        if name not in names() or (how == "thread" and threads(name) is None):
            able = ", ".join(sorted(one for one in names() if threads(one)))
            reason = f"only {able} can be a thread" if name in names() else "no such channel"
            raise _wrong("policy.yaml", ("long_answers", name), reason)


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
