"""The helpdesk's entrance: agents' answers, as it may also put them on the ReplyQueue by itself.

Signed by Standard Webhooks; a body is one CloudEvent in structured mode, or a list of them. It is
no channel, since nobody is answered there. The webhook imports this, so pydantic stays out of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from firstreply.channels import Answer, Knock, names
from firstreply.channels._read import broken, identifier, one_or_many
from firstreply.channels._standard_webhooks import is_signed
from firstreply.message import Requested, Unread, Update, unknown_author

if TYPE_CHECKING:
    from firstreply.contracts import ReplyRequest
    from firstreply.secrets import Section

__all__ = ["accept", "handshake", "is_signed", "parse"]


def handshake(_knock: Knock, _secret: Section) -> Answer:
    """There is none."""
    return Answer(403, "nothing to prove here: POST what is signed")


def accept(_knock: Knock) -> Answer:
    """It is kept."""
    return Answer(200)


def parse(body: bytes) -> Iterator[Update]:
    """What is to be said; Unread what is no request for it."""
    return one_or_many(body, _read)


def _read(item: Any) -> Update:  # noqa: ANN401  (any JSON)
    # The webhook imports this module too, and needs no pydantic.
    from pydantic import ValidationError

    from firstreply.contracts import ReplyRequested

    try:
        event = ReplyRequested.model_validate(item)
    except ValidationError as error:
        return broken("reply request", error)
    wrong = _wrong_with(event.data)
    return Unread(f"reply request {wrong}") if wrong else Requested(event=event)


def _wrong_with(asked: ReplyRequest) -> str | None:
    """Why it is set aside, if it is, though its fields are what they should be."""
    where = asked.conversation
    ids = [where.account, where.customer.removeprefix(unknown_author(""))]
    ids += [asked.in_reply_to] if asked.in_reply_to is not None else []
    if asked.author.kind != "agent":
        return "that is no agent's: nobody puts words into FirstReply's mouth"
    if where.channel not in names():
        return "for a channel that there is not"
    if any(identifier(one) != one for one in ids):
        return "with an id that can be none"
    return None
