"""Who must see a message, how soon, and why: the rows of `escalate` in brand/policy.yaml."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, model_validator

from firstreply.privacy import Kind
from firstreply.understanding import Alarm, Intent, Topic, Urgency

type Priority = Literal["highest", "high", "normal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a row may ask about. `silence`: why FirstReply says nothing, None if it answers;
    `is_answered`: the customer has, or gets, an answer and not just an acknowledgement."""

    intent: Intent
    topics: tuple[str, ...]
    alarms: tuple[str, ...]
    personal_data: tuple[str, ...]
    urgency: Urgency
    confidence: float
    is_unsure: bool
    is_case_open: bool
    silence: str | None
    is_answered: bool


class Haste(BaseModel):
    """How soon a human should have answered: minutes of open hours, or of any if it is highest."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    priority: Priority
    due_minutes: Annotated[PositiveInt, Field(le=30 * 24 * 60)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


type OneOf[T] = Annotated[frozenset[T], Field(min_length=1), BeforeValidator(_listed)]


class Row(Haste):
    """Applies when all that it says is so; a list, when one of it is."""

    intent: OneOf[Intent] | None = None
    topic: OneOf[Topic] | None = None
    alarm: OneOf[Alarm] | None = None
    personal_data: OneOf[Kind] | None = None
    urgency: OneOf[Urgency] | None = None
    unsure: Literal[True] | None = None
    confidence_below: Annotated[float, Field(gt=0, le=1)] | None = None
    answered: bool | None = None
    silent: Literal[True] | None = None
    case_open: Literal[True] | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> "Row":
        if not self.conditions:
            raise ValueError("a row without a condition would escalate everything")
        return self

    @property
    def conditions(self) -> Mapping[str, Any]:
        return {name: value for name in _TESTS if (value := getattr(self, name)) is not None}

    @property
    def is_simple(self) -> bool:
        return len(self.conditions) == 1

    def applies(self, facts: Facts) -> bool:
        return all(_TESTS[name](value, facts) for name, value in self.conditions.items())

    def reasons(self, facts: Facts) -> tuple[str, ...]:
        """By what tells most, for a person to read."""
        telling = next(name for name in _REASONS if name in self.conditions)
        return tuple(_REASONS[telling](self.conditions[telling], facts))


def _among(name: str) -> Callable[[Any, Facts], bool]:
    return lambda wanted, facts: not wanted.isdisjoint(getattr(facts, name))


_TESTS: Mapping[str, Callable[[Any, Facts], bool]] = {
    "intent": lambda wanted, facts: facts.intent in wanted,
    "topic": _among("topics"),
    "alarm": _among("alarms"),
    "personal_data": _among("personal_data"),
    "urgency": lambda wanted, facts: facts.urgency in wanted,
    "unsure": lambda _, facts: facts.is_unsure,
    "confidence_below": lambda wanted, facts: facts.confidence < wanted,
    "answered": lambda wanted, facts: facts.is_answered is wanted,
    "silent": lambda _, facts: facts.silence is not None and not facts.is_answered,
    "case_open": lambda _, facts: facts.is_case_open,
}
_REASONS: Mapping[str, Callable[[Any, Facts], Iterable[str]]] = {
    "alarm": lambda wanted, facts: [f"alarm:{one}" for one in facts.alarms if one in wanted],
    "personal_data": lambda wanted, facts: [
        f"personal_data:{one}" for one in facts.personal_data if one in wanted
    ],
    "topic": lambda wanted, facts: [f"topic:{one}" for one in facts.topics if one in wanted],
    "unsure": lambda _wanted, _facts: ["unsure"],
    "confidence_below": lambda _wanted, _facts: ["unsure:confidence"],
    "case_open": lambda _wanted, _facts: ["case_open"],
    "silent": lambda _wanted, facts: [f"unanswered:{facts.silence}"],
    "answered": lambda wanted, _facts: ["answered" if wanted else "unanswered"],
    "urgency": lambda _wanted, _facts: ["urgent"],
    "intent": lambda _wanted, facts: [f"intent:{facts.intent}"],
}


def why(rows: Iterable[Row], facts: Facts) -> tuple[Haste | None, tuple[str, ...]]:
    """By when a human should have answered, as the first row says that applies, and the reasons of
    all that do; None and no reasons if none does."""
    applying = [row for row in rows if row.applies(facts)]
    reasons = (reason for row in applying for reason in row.reasons(facts))
    return next(iter(applying), None), tuple(dict.fromkeys(reasons))
