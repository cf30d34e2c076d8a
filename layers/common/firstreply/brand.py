"""The brand's voice and policy: data in brand/*.yaml, checked when it is loaded."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Formatter
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from firstreply.channels import names
from firstreply.errors import Misconfigured
from firstreply.message import Message
from firstreply.policy import ComplaintBands, Policy, Probability
from firstreply.understanding import Intent, Understanding, Urgency

# What a person can be called by: one word of letters. Anything else in a name (a link, a command,
# an emoji) is not repeated under the brand's name.
_FIRST_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LONGEST_FIRST_NAME = 30
_HANDLE = re.compile(r"\w{1,30}", re.ASCII)


def _with(name: str) -> Callable[[str], str]:
    """Checks that a text takes nothing but `{name}`: no customer is to be the first to try it."""

    def check(text: str) -> str:
        for _, field, layout, conversion in Formatter().parse(text):
            if field is not None and (field, layout, conversion) != (name, "", None):
                raise ValueError(f"only {{{name}}} may stand in braces")
        return text

    return check


type Named = Annotated[str, AfterValidator(_with("called"))]
type Wording = Annotated[str, Field(pattern=r"\S"), AfterValidator(_with("hello"))]
type Wordings = dict[str, Annotated[list[Wording], Field(min_length=1)]]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Greeting(_Data):
    """How a customer is addressed; `named` holds `{called}`, a first name or an @handle."""

    named: Named
    unnamed: str


class Voice(_Data):
    """brand/voice.yaml: `greeting` by language, `acknowledgement` by intent and language."""

    default_language: str
    greeting: dict[str, Greeting]
    acknowledgement: dict[Intent, Wordings] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_every_fallback(self) -> "Voice":
        languages = {"greeting": set(self.greeting)}
        languages |= {intent: set(wordings) for intent, wordings in self.acknowledgement.items()}
        for name, there in languages.items():
            if self.default_language not in there:
                raise ValueError(f"{name} has no wording in {self.default_language!r}")
        return self

    def acknowledge(
        self,
        message: Message,
        understanding: Understanding,
        shorten: Callable[[str], str],
        *,
        may_link: bool = True,
    ) -> str:
        """What to say at once. The same words for the same message, at every try."""
        wordings = self.acknowledgement[understanding.intent]
        language = understanding.language
        if language not in wordings or language not in self.greeting:
            language = self.default_language
        called = _called(message)
        greeting = self.greeting[language]
        hello = greeting.named.format(called=called) if called else greeting.unnamed
        variations = [one for one in wordings[language] if may_link or not has_link(one)]
        choice = int.from_bytes(sha256(message.id.encode()).digest()[:4]) % len(variations)
        return shorten(variations[choice].format(hello=hello))


class PolicyData(_Data):
    """brand/policy.yaml."""

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


@cache
def voice() -> Voice:
    return _load("voice.yaml", Voice)


def policy(*, cool_down_minutes: int, auto_reply: bool) -> Policy:
    """The brand's rules with the stack's parameters."""
    data = _load("policy.yaml", PolicyData)
    if wordless := data.answer - voice().acknowledgement.keys():
        intents = ", ".join(sorted(wordless))
        raise Misconfigured(f"brand/policy.yaml: answer: voice.yaml has no words for {intents}")
    _require_linkless(data)
    return Policy(
        **data.model_dump(exclude={"oldest_answer_hours", "hands_off_hours", "complaint_bands"}),
        complaint_bands=data.complaint_bands,
        oldest_answer=timedelta(hours=data.oldest_answer_hours),
        hands_off=timedelta(hours=data.hands_off_hours),
        cool_down=timedelta(minutes=cool_down_minutes),
        auto_reply=auto_reply,
    )


def has_link(text: str) -> bool:
    """Anything that a platform could take for one: a dot within a word."""
    return bool(re.search(r"\w\.[^\W\d_]{2}", text))


def _require_linkless(data: PolicyData) -> None:
    """Where no link is allowed, there must be something else to say."""
    for intent, wordings in voice().acknowledgement.items():
        for language, variations in wordings.items():
            if data.links_on < names() and all(map(has_link, variations)):
                raise Misconfigured(
                    f"brand/voice.yaml: acknowledgement.{intent}.{language}: every wording holds a"
                    f" link, and policy.yaml allows links on {sorted(data.links_on)} only"
                )


def _load[T: BaseModel](name: str, shape: type[T]) -> T:
    """A file of brand/; Misconfigured names the file, the place in it and what is wrong."""
    try:
        data: Any = yaml.safe_load(files("brand").joinpath(name).read_text("utf-8"))
        return shape.model_validate(data)
    except (ImportError, OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"brand/{name}: cannot be read: {type(error).__name__}") from error
    except yaml.YAMLError as error:
        raise Misconfigured(f"brand/{name}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or name}: {one['msg']}" for one in error.errors()
        )
        raise Misconfigured(f"brand/{name}: {wrong}") from error


def _called(message: Message) -> str | None:
    """By the handle where everybody reads it: it is the customer's own, and it keeps two replies
    apart (X refuses a text that the account has just posted)."""
    if message.public and _HANDLE.fullmatch(message.author_handle or ""):
        return f"@{message.author_handle}"
    return _first_name(message.author_name)


def _first_name(name: str | None) -> str | None:
    word = (name or "").split(maxsplit=1)[:1]
    if word and len(word[0]) <= _LONGEST_FIRST_NAME and _FIRST_NAME.fullmatch(word[0]):
        return word[0]
    return None
