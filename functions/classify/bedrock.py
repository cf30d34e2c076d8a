"""A model on Amazon Bedrock behind the classifier: it may be asked, it is never needed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field

from firstreply.errors import Refuse
from firstreply.message import Message
from firstreply.understanding import (
    Classifier,
    Intent,
    Journey,
    Sentiment,
    Topic,
    Understanding,
)
from functions.classify.asking import Service

# The few customers who write more are understood offline: time and money have an end.
LONGEST_TEXT = 6_000
MOST_TOKENS = 300
TOOL = "label"

# For a person to read. A closed list: they go further than the message does, and may hold no word
# of a customer's, nor anything that a customer made the model say.
type Reason = Literal[
    "says that something is wrong",
    "something did not come or did not happen",
    "still waiting, or asked before",
    "polite words about something wrong",
    "irony or sarcasm",
    "wants money back",
    "asks for information",
    "wants something done",
    "thinks of buying",
    "thanks or compliments",
    "what was wrong has been put right",
    "chatter, not meant for the brand",
    "advertising or spam",
    "adds to a conversation",
    "several things at once",
    "hard to tell",
]


class Answer(BaseModel):
    """What the model has to say: these labels, and nothing besides."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    intent: Intent
    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=3)]
    sentiment: Sentiment
    journey: Journey
    language: Literal["en", "de", "es", "fr", "pt", "it", "nl", "other"]
    confidence: Annotated[float, Field(ge=0, le=1)]
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1, max_length=3)]


class Client(Protocol):
    """What we need of boto3's."""

    @property
    def converse(self) -> Callable[..., Mapping[str, Any]]: ...


@dataclass(slots=True)
class Bedrock:
    """A Classifier. Urgency stays with the rules of `otherwise`, which also answers whenever the
    model does not. Where it is less sure than `sure`, a human looks."""

    client: Client
    model_id: str
    otherwise: Classifier
    sure: float
    service: Service = field(default_factory=lambda: Service(name="Bedrock"))
    # The same answer every time, as far as a model can; dropped for one that takes none.
    _sampling: dict[str, float] = field(default_factory=lambda: {"temperature": 0})

    def understand(self, message: Message) -> Understanding:
        offline = self.otherwise.understand(message)
        if not message.text.strip():
            return offline
        answer = self.service.ask(lambda: self._label(message))
        return _combine(message, answer, offline, self.sure) if answer else offline

    def _label(self, message: Message) -> Answer:
        if len(message.text) > LONGEST_TEXT:
            raise Refuse("too long")
        return _read(self._converse(_request(self.model_id, message)))

    def _converse(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self.client.converse(
                **request, inferenceConfig={"maxTokens": MOST_TOKENS, **self._sampling}
            )
        except ClientError as error:
            # https://github.com/cline/cline/issues/10572: the newest models refuse a temperature.
            if not self._sampling or "temperature" not in error.response["Error"]["Message"]:
                raise
            self._sampling = {}
            return self._converse(request)


def _request(model_id: str, message: Message) -> dict[str, Any]:
    """The customer's words go in as a JSON string, which no text can end. Nobody's name or id."""
    said = {"text": message.text, "attachments": message.attachments}
    spec = {
        "name": TOOL,
        "description": "Gives a message its labels.",
        "inputSchema": {"json": tool_schema()},
    }
    return {
        "modelId": model_id,
        "system": [{"text": _instructions()}],
        "messages": [{"role": "user", "content": [{"text": json.dumps(said, ensure_ascii=False)}]}],
        "toolConfig": {"tools": [{"toolSpec": spec}], "toolChoice": {"tool": {"name": TOOL}}},
    }


def _read(response: Mapping[str, Any]) -> Answer:
    """The one call of our tool. pydantic is the judge of it: not every model heeds a schema."""
    if response["stopReason"] != "tool_use":
        raise Refuse(f"stopped: {response['stopReason']}")
    content = response["output"]["message"]["content"]
    uses = [block["toolUse"] for block in content if "toolUse" in block]
    if [use["name"] for use in uses] != [TOOL]:
        raise Refuse("not one call of the tool")
    return Answer.model_validate_json(json.dumps(uses[0]["input"]))


def _combine(
    message: Message, answer: Answer, offline: Understanding, sure: float
) -> Understanding:
    """Two readers. A human looks where the model is not sure, where the two disagree on what
    matters most, where the language is none of ours, and where a picture may say it all."""
    complains = answer.intent == "complaint"
    disagree = complains != (offline.intent == "complaint")
    journey: Journey = "complaint" if complains else answer.journey
    return Understanding(
        intent=answer.intent,
        topics=tuple(dict.fromkeys(answer.topics)),
        sentiment=answer.sentiment,
        urgency=offline.urgency,
        journey="customer" if journey == "complaint" and not complains else journey,
        language=offline.language if answer.language == "other" else answer.language,
        confidence=answer.confidence,
        unsure=answer.confidence < sure
        or disagree
        or answer.language == "other"
        or (answer.journey == "complaint" and not complains)
        or (bool(message.attachments) and offline.unsure),
        reasons=(
            *(f"model: {reason}" for reason in dict.fromkeys(answer.reasons)),
            *((f"offline: {offline.intent}",) if disagree else ()),
            *offline.reasons,
        ),
        alarms=offline.alarms,
    )


@cache
def tool_schema() -> dict[str, Any]:
    """Answer's, without references, titles and more than three keys at the top: Amazon's own
    models read no other (https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html)."""
    schema = Answer.model_json_schema()
    labels = schema["$defs"]

    def plain(part: Any) -> Any:  # noqa: ANN401  # any JSON
        if isinstance(part, list):
            return [plain(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return plain(labels[part["$ref"].rpartition("/")[2]])
        return {name: plain(value) for name, value in part.items() if name != "title"}

    return {"type": "object"} | {name: plain(schema[name]) for name in ("properties", "required")}


@cache
def _instructions() -> str:
    return Path(__file__).with_name("instructions.txt").read_text("utf-8")
