"""What the sources say and what they are answered: the models that the schemas are written from.

An id of theirs becomes `<source>:<id>` here, and their account `<source>:<account>`: what one
source calls 17 is not another's 17. What the brand said is `<source>.own:<id>`: who takes an answer
says what it is called there, and must not hide a customer's message by calling it the same.
Unknown fields are ignored.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    model_validator,
)

from firstreply.channels._read import (
    CONTROLS,
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_TEXT,
    broken,
    clean,
    identifier,
    utc,
)
from firstreply.message import (
    Conversation,
    Edited,
    Ignored,
    Message,
    Removed,
    Reply,
    Spoken,
    Unread,
    Update,
    unknown_author,
)

_LONGEST_ADDRESS, _LONGEST_LANGUAGE = 2_000, 35
_USUAL_BEST = 5


def _id(value: object) -> str:
    found = identifier(value)
    if found is None:
        raise ValueError("not an id")
    return found


def _moment(value: object) -> datetime:
    found = utc(value)
    if found is None:
        raise ValueError("not a time")
    return found


def _cut(longest: int) -> BeforeValidator:
    """Too many words are no reason to lose the others."""
    return BeforeValidator(
        lambda value: clean(value)[:longest] if isinstance(value, str) else value
    )


def _address(value: object) -> object:
    """None for what nobody can follow: a message is not lost for it."""
    if not isinstance(value, str):
        return value
    return value if len(value) <= _LONGEST_ADDRESS and clean(value) == value else None


type Id = Annotated[
    str,
    BeforeValidator(_id),
    Field(
        min_length=1,
        max_length=400,
        description=f"with its source at most {LONGEST_ID} bytes when percent-encoded",
        json_schema_extra={"not": {"pattern": rf"^\.+$|[{CONTROLS}]"}},
    ),
]
type Words = Annotated[str, _cut(LONGEST_TEXT)]
type Name = Annotated[str, _cut(LONGEST_NAME)]
type Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
type Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
type Address = Annotated[
    Annotated[str, Field(max_length=_LONGEST_ADDRESS)] | None, BeforeValidator(_address)
]
Flag = Annotated[bool, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Writer(_Shape):
    """Who wrote it."""

    id: Id = Field(description="the same for the same person, and within the account nobody else's")
    name: Name | None = None


class Rating(_Shape):
    """Stars, points or a thumb: 0 to `best`. Up to two fifths of it is a complaint whatever the
    words, nine tenths and more is praise unless the words complain."""

    # A JSON Schema cannot hold one field against another, only against what is there without it.
    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": ["best"]}, {"properties": {"value": {"maximum": _USUAL_BEST}}}]
        }
    )

    value: Number = Field(ge=0, description="at most `best`")
    best: Number = Field(_USUAL_BEST, gt=0)

    @model_validator(mode="after")
    def _is_on_its_scale(self) -> Self:
        if self.value > self.best:
            raise ValueError("above the best")
        return self

    @property
    def verdict(self) -> Literal["positive", "negative"] | None:
        if self.value * 5 <= self.best * 2:
            return "negative"
        return "positive" if self.value * 10 >= self.best * 9 else None


class _OfMessage(_Shape):
    source: Word = Field(description="where it was written, e.g. google_business")
    account: Id = Field(description="the brand's place, page or app there")
    id: Id = Field(description="unique in its source, and the same whenever it is told again")
    author: Writer | None = None

    @property
    def where(self) -> str:
        return self._ours(self.account)

    def _ours(self, one: str) -> str:
        return f"{self.source}:{one}"


def of_brand(source: str, one: str) -> str:
    """What the brand's own words are called here: no source has a full stop."""
    return f"{source}.own:{one}"


class Written(_OfMessage):
    """Somebody wrote something, or, with `edited_at`, changed it: this is how it reads since."""

    sent_at: Moment = Field(description="RFC 3339; in UTC, if it does not say")
    edited_at: Moment | None = None
    text: Words | None = None
    title: Words | None = None
    language: (
        Annotated[str, _cut(_LONGEST_LANGUAGE), Field(max_length=_LONGEST_LANGUAGE)] | None
    ) = Field(None, description="BCP 47, if it is known")
    kind: Word = Field("message", description="review, comment, post, message, …")
    public: Flag = True
    rating: Rating | None = None
    attachments: Annotated[tuple[Word, ...], Field(max_length=20)] = Field(
        (), description="their kinds: photo, video, …"
    )
    permalink: Address = Field(None, description="a longer one is left out")
    in_reply_to: Id | None = Field(None, description="the id of what it stands under or answers")
    by_brand: Flag = Field(
        False, description="the brand's own account wrote it: FirstReply, or a human elsewhere"
    )
    reply_url: Address = Field(
        None, description="https: where an answer is to be posted; without one a human answers"
    )

    def read(self) -> Update:
        is_own = self.by_brand or (self.author is not None and self.author.id == self.account)
        if is_own:
            return self._own()
        message = self._message()
        if not (message.text or message.attachments or message.verdict):
            return Ignored("message without text")
        return Edited(message=message, at=self.edited_at) if self.edited_at else message

    def _message(self) -> Message:
        one = self._ours(self.id)
        return Message(
            conversation=Conversation(
                channel="generic",
                account=self.where,
                customer=self.author.id if self.author else unknown_author(one),
            ),
            id=one,
            network=self.source,
            kind=self.kind,
            public=self.public,
            text=self._words,
            sent_at=self.sent_at,
            in_reply_to=self._stands_under,
            author_name=self.author.name if self.author else None,
            permalink=self.permalink,
            language=self.language,
            verdict=self.rating.verdict if self.rating else None,
            is_anonymous=self.author is None,
            is_answerable=self.reply_url is not None,
            attachments=self.attachments,
            reply_url=self.reply_url,
        )

    def _own(self) -> Update:
        """FirstReply's answer, or a human's at the source itself."""
        if self.edited_at or not self._stands_under:
            return Ignored("own words")
        return Spoken(
            account=self.where,
            id=of_brand(self.source, self.id),
            text=self._words,
            at=self.sent_at,
            in_reply_to=self._stands_under,
        )

    @property
    def _words(self) -> str:
        parts = [part.strip() for part in (self.title, self.text) if part]
        return "\n\n".join(filter(None, parts))[:LONGEST_TEXT]

    @property
    def _stands_under(self) -> str | None:
        return self._ours(self.in_reply_to) if self.in_reply_to else None


class Gone(_OfMessage):
    """A message is gone from its source, whoever removed it."""

    removed_at: Moment

    def read(self) -> Update:
        return Removed(
            account=self.where,
            customer=self.author.id if self.author else None,
            message_id=self._ours(self.id),
            at=self.removed_at,
        )


def read(item: Any) -> Update:  # noqa: ANN401  (any JSON)
    """One message, or what happened to it; Unread if it does not keep to the schema."""
    is_gone = isinstance(item, dict) and item.get("removed_at") is not None
    shape: type[Written | Gone] = Gone if is_gone else Written
    try:
        found = shape.model_validate(item)
    except ValidationError as error:
        return broken("message", error)
    if identifier(f"{found.source}:{found.id}") and identifier(found.where):
        return found.read()
    return Unread("message with ids that are too long")


# --- out --------------------------------------------------------------------------------------


class By(_Shape):
    """FirstReply itself, or an agent of the helpdesk."""

    kind: Literal["firstreply", "agent"]


class Posted(_Shape):
    """What is posted to a message's `reply_url`, signed by Standard Webhooks; `id` is also the
    `webhook-id`, and the same at every try: who has seen it answers 2xx and publishes nothing."""

    type: Literal["firstreply.reply.v1"] = "firstreply.reply.v1"
    id: str
    source: str
    account: str
    in_reply_to: str = Field(description="the id of the message answered")
    text: str = Field(min_length=1)
    public: bool = Field(description="for everybody to read; else for its author alone")
    author: By

    @classmethod
    def of(cls, reply: Reply, one: str) -> Self:
        message = reply.message
        source = message.network
        return cls(
            id=one,
            source=source,
            account=message.account.removeprefix(f"{source}:"),
            in_reply_to=message.id.removeprefix(f"{source}:"),
            text=reply.text,
            public=reply.is_public,
            author=By(kind="agent" if reply.by_human else "firstreply"),
        )


class Taken(_Shape):
    """What a 2xx may hold."""

    id: Id | None = Field(None, description="what the answer is called where it stands now")
