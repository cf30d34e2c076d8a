"""Who may come in: whoever signs by Standard Webhooks; one message a body, or a list of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from firstreply.channels import Answer, Knock
from firstreply.channels._read import one_or_many
from firstreply.channels._standard_webhooks import is_signed
from firstreply.message import Update
from firstreply.secrets import is_listed

if TYPE_CHECKING:
    from firstreply.secrets import Section

__all__ = ["accept", "handshake", "is_ours", "is_signed", "parse"]


def handshake(_knock: Knock, _secret: Section) -> Answer:
    """There is none."""
    return Answer(403, "nothing to prove here: POST what is signed")


def accept(_knock: Knock) -> Answer:
    """It is kept."""
    return Answer(200)


def is_ours(account: str, secret: Section) -> bool:
    """`<source>:<account>`. Who may sign is trusted to know the brand's accounts, unless the secret
    lists them."""
    return "accounts" not in secret or is_listed(account, secret)


def parse(body: bytes) -> Iterator[Update]:
    """Every message, or what happened to it."""
    # The webhook imports this package too, and needs no pydantic.
    from firstreply.channels.generic.shape import read

    return one_or_many(body, read)
