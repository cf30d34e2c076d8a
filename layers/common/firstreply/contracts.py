"""The public contracts: CloudEvents 1.0 on the ReplyQueue (in) and the EscalationQueue (out).

Their JSON Schemas are in docs/contracts/, written by `make contracts`. `defer_build`, here and in
other modules: a function builds the models that it uses, when it does, and not all at its start.
"""

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from firstreply.channels import names
from firstreply.channels._read import (
    CONTROLS,
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_TEXT,
    called,
    without_controls,
)
from firstreply.escalation import Priority
from firstreply.message import Conversation, unknown_author
from firstreply.policy import ReadyAnswer
from firstreply.understanding import Understanding


class CloudEvent(BaseModel):
    """The envelope. `id` with `source` is unique: who has seen it may drop a second one."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1)
    source: str = Field(min_length=1)
    time: AwareDatetime
    subject: str | None = Field(None, description="the conversation's key")
    datacontenttype: Literal["application/json"] = "application/json"


class _Data(BaseModel):
    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )


# --- in ---------------------------------------------------------------------------------------


class Author(_Data):
    """Who wrote a reply: FirstReply itself, or an agent whose name the helpdesk knows."""

    kind: Literal["firstreply", "agent"]
    # One that is too long is cut: it is no reason to lose the answer.
    name: Annotated[
        Annotated[str, Field(max_length=LONGEST_NAME)] | None, BeforeValidator(called)
    ] = None


_SOMETHING = rf"[^\s{CONTROLS}]"


def _words(text: object) -> object:
    """Blanks alone say nothing."""
    if not isinstance(text, str):
        return text
    return without_controls(text) if re.search(_SOMETHING, text) else ""


def _as_the_door_has_it(schema: JsonDict) -> None:
    """What a JSON Schema cannot read off the fields: which ids there are (helpdesk.py), that only
    agents speak, and that who does not close the case says something."""
    one: JsonDict = {
        "minLength": 1,
        "maxLength": LONGEST_ID,
        "not": {"pattern": rf"^\.+$|[{CONTROLS}]"},
    }
    customer: JsonDict = one | {"maxLength": LONGEST_ID + len(unknown_author(""))}
    channel: JsonDict = {"enum": [*sorted(names())]}
    where: JsonDict = {"channel": channel, "account": one, "customer": customer}
    says: JsonDict = {"text": {"pattern": _SOMETHING}, "in_reply_to": {"type": "string"}}
    closes: JsonDict = {"close_case": {"const": True}, "text": {"not": {"pattern": _SOMETHING}}}
    schema["allOf"] = [
        {
            "properties": {
                "conversation": {"properties": where},
                "in_reply_to": one,
                "author": {"properties": {"kind": {"const": "agent"}}},
            }
        },
        {
            "anyOf": [
                {"required": ["text", "in_reply_to"], "properties": says},
                {"required": ["close_case"], "properties": closes},
            ]
        },
    ]


class ReplyRequest(_Data):
    """What is to be said, in answer to which message; and whether the case is closed with it."""

    model_config = ConfigDict(json_schema_extra=_as_the_door_has_it)

    conversation: Conversation
    in_reply_to: str | None = Field(
        None,
        description="the platform's id of the message answered; without a text, of the last one"
        " that the agent has seen",
    )
    text: Annotated[str, BeforeValidator(_words)] = Field(
        "", max_length=LONGEST_TEXT, description="may be missing only if the case is closed"
    )
    author: Author
    in_private: bool = Field(
        False, description="answer a public message to the customer alone, where that is possible"
    )
    close_case: bool = Field(
        False, description="close the case: at once without a text, else once the text is sent"
    )

    @model_validator(mode="after")
    def _says_or_closes(self) -> Self:
        if not self.text and not self.close_case:
            raise ValueError("text may be empty only if the case is closed")
        if self.text and self.in_reply_to is None:
            raise ValueError("a text needs in_reply_to")
        return self


# The largest that may be goes through SQS with the longest text.
type Label = Annotated[str, Field(min_length=1, max_length=1_000, pattern=rf"^[^{CONTROLS}]+$")]


class ReplyRequested(CloudEvent):
    """`firstreply.reply.requested.v1`: an agent answers, or closes the case, or both. `id` is the
    idempotency key."""

    id: Label
    source: Label
    subject: Annotated[str, Field(max_length=2_048)] | None = Field(
        None, description="the conversation's key"
    )
    type: Literal["firstreply.reply.requested.v1"] = "firstreply.reply.requested.v1"
    data: ReplyRequest


# --- out --------------------------------------------------------------------------------------


class Said(_Data):
    """One message of a conversation: of the customer, or of the brand."""

    id: str
    by: Literal["customer", "firstreply", "agent", "human"] = Field(
        "customer",
        description="who spoke; human: for the brand, in the platform's own app",
    )
    name: str | None = Field(None, description="the agent's, if the helpdesk told it")
    text: str
    sent_at: datetime
    edited_at: datetime | None = Field(None, description="since when it reads like this")
    kind: str = Field(description="comment, post, review, message, mention, direct_message, …")
    public: bool
    permalink: str | None = None
    in_reply_to: str | None = Field(None, description="the id of what it stands under or answers")
    verdict: Literal["positive", "negative"] | None = Field(
        None, description="what was ticked beside writing: a recommendation, or stars"
    )
    attachments: tuple[str, ...] = Field((), description="their kinds: photo, image, audio, …")
    personal_data: tuple[str, ...] = Field(
        (), description="the kinds of it that were masked in the text: phone, email, …"
    )


class Customer(_Data):
    """What the platform told about who wrote."""

    id: str
    name: str | None = None
    handle: str | None = None


class Acknowledgement(_Data):
    """What FirstReply says by itself, or why it is silent."""

    text: str | None = None
    continuation: str | None = Field(None, description="what it says in private besides")
    silence: str | None = None


class RefusedReply(_Data):
    """What the customer did not get, or may not have got, and why."""

    text: str
    reason: str


class CaseEvent(_Data):
    """All that a human needs; a consumer asks nobody else."""

    case_id: str
    conversation: Conversation
    channel: str = Field(description="facebook, messenger, x, …")
    customer: Customer
    message: Said
    understanding: Understanding
    reference: str | None = Field(
        None, description="by what the customer may call it: the conversation's, never another's"
    )
    priority: Priority
    due_at: datetime
    reasons: tuple[str, ...] = Field(description="why a human should see it")
    candidates: tuple[ReadyAnswer, ...] = Field(
        (), description="the brand's own answers that may fit, best first"
    )
    acknowledgement: Acknowledgement
    failed_reply: RefusedReply | None = Field(
        None, description="the reply that did not get through"
    )
    history: tuple[Said, ...] = Field(
        description="the conversation so far, oldest first: what the customer and the brand said"
    )


class Withdrawal(_Data):
    """Which message to forget."""

    case_id: str
    conversation: Conversation
    channel: str
    message_id: str
    removed_at: datetime


class SentReply(_Data):
    """What the brand said to the customer through FirstReply, as it is kept here."""

    id: str = Field(description="the platform's id of it")
    text: str
    author: Author
    public: bool
    in_reply_to: str = Field(description="the platform's id of the message answered")
    sent_at: datetime
    request_id: str | None = Field(
        None, description="the id of the event that asked for it, if an agent did"
    )


class CaseReply(_Data):
    """A reply that got through."""

    case_id: str
    conversation: Conversation
    channel: str
    reply: SentReply


class Closing(_Data):
    """Who closed the case, and when they asked for it."""

    case_id: str
    conversation: Conversation
    channel: str = Field(description="as in the event that opened it")
    closed_by: Author
    closed_at: datetime


class CaseOpened(CloudEvent):
    """`firstreply.case.opened.v1`: the first complaint of a conversation."""

    type: Literal["firstreply.case.opened.v1"] = "firstreply.case.opened.v1"
    data: CaseEvent


class CaseUpdated(CloudEvent):
    """`firstreply.case.updated.v1`: the customer wrote again, or changed what they wrote."""

    type: Literal["firstreply.case.updated.v1"] = "firstreply.case.updated.v1"
    data: CaseEvent


class CaseReopened(CloudEvent):
    """`firstreply.case.reopened.v1`: after it was closed, something in it needs a human again:
    `message`, or our answer to it."""

    type: Literal["firstreply.case.reopened.v1"] = "firstreply.case.reopened.v1"
    data: CaseEvent


class CaseClosed(CloudEvent):
    """`firstreply.case.closed.v1`: an agent asked for it. The next message that needs a human opens
    the same case again."""

    type: Literal["firstreply.case.closed.v1"] = "firstreply.case.closed.v1"
    data: Closing


class CaseReplySent(CloudEvent):
    """`firstreply.case.reply_sent.v1`: the customer has got an answer, ours or an agent's. It may
    come after the case was closed, and changes nothing about that."""

    type: Literal["firstreply.case.reply_sent.v1"] = "firstreply.case.reply_sent.v1"
    data: CaseReply


class CaseReplyRefused(CloudEvent):
    """`firstreply.case.reply_refused.v1`: our answer to `message` is not there, or in doubt."""

    type: Literal["firstreply.case.reply_refused.v1"] = "firstreply.case.reply_refused.v1"
    data: CaseEvent


class CaseWithdrawn(CloudEvent):
    """`firstreply.case.withdrawn.v1`: a message of the case is removed; forget its words. The
    case itself stays as it is."""

    type: Literal["firstreply.case.withdrawn.v1"] = "firstreply.case.withdrawn.v1"
    data: Withdrawal


PUBLIC: tuple[type[CloudEvent], ...] = (
    ReplyRequested,
    CaseOpened,
    CaseUpdated,
    CaseReplySent,
    CaseReplyRefused,
    CaseClosed,
    CaseReopened,
    CaseWithdrawn,
)
