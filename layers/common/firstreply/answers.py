"""The brand's frequent questions, with its answers. docs/answers.md says how to write them."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from firstreply.datafile import Wrong
from firstreply.voice import has_link, plain

type Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]


def _without_fields(text: str) -> str:
    if any(mark in text for mark in "{}[]"):
        raise ValueError("an answer is said as it stands: it takes no braces and no brackets")
    return text


def _with_words(text: str) -> str:
    if not plain(text):
        raise ValueError("no word to recognise it by")
    return text


type Said = Annotated[str, Field(pattern=r"\S"), AfterValidator(_without_fields)]
type Wording = Annotated[str, AfterValidator(_with_words)]


class Answer(BaseModel):
    """One question as customers word it, and what is said to it, by language."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    wordings: dict[Language, Annotated[tuple[Wording, ...], Field(min_length=1)]]
    say: dict[Language, Said]

    @model_validator(mode="after")
    def _speaks_what_it_hears(self) -> "Answer":
        for language in self.wordings.keys() - self.say.keys():
            raise Wrong(("wordings", language), f"wordings in {language}, and nothing to say in it")
        for language in self.say.keys() - self.wordings.keys():
            raise Wrong(("say", language), f"no wordings in {language}: it would never be said")
        return self


class Answers(BaseModel):
    """brand/answers.yaml: the answers by their names."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    answers: dict[Annotated[str, Field(pattern=r"^\w+$")], Answer] = {}

    def say(self, name: str, language: str) -> str | None:
        """None if there is no such answer, or none in that language."""
        answer = self.answers.get(name)
        return answer.say.get(language) if answer else None

    def wordings(self, language: str) -> Mapping[str, tuple[str, ...]]:
        """Of each answer that speaks the language."""
        return {
            name: answer.wordings[language]
            for name, answer in self.answers.items()
            if language in answer.wordings
        }

    def linked(self) -> Iterator[tuple[str, str]]:
        """Name and language of each text with a link."""
        for name, answer in self.answers.items():
            for language, text in answer.say.items():
                if has_link(text):
                    yield name, language

    @model_validator(mode="after")
    def _are_told_apart(self) -> "Answers":
        """A wording that stands twice would surely match both."""
        seen: dict[tuple[str, str], str] = {}
        for name, answer in self.answers.items():
            for language, wordings in answer.wordings.items():
                for number, wording in enumerate(wordings):
                    first = seen.setdefault((language, plain(wording)), name)
                    if first != name:
                        raise Wrong(
                            ("answers", name, "wordings", language, number),
                            f"a wording of {first} says the same",
                        )
        return self
