"""What we say: an answer is posted to where its message wants it, signed by Standard Webhooks.

docs/decisions/0012-generic-channel.md says what is asked of who takes it.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, NoReturn

from firstreply.channels._read import cut_at_word, identifier
from firstreply.channels._rules import FOREVER
from firstreply.channels._standard_webhooks import signed
from firstreply.channels.generic.address import destination
from firstreply.errors import RateLimited, Refuse, Unsure
from firstreply.message import Reach

if TYPE_CHECKING:
    from firstreply.message import Hint, Message, Reply
    from firstreply.platform import Answered, Platform

SETTINGS: tuple[str, ...] = ()
LONGEST_REPLY = 4_000
_LONGEST_LIMIT, _USUAL_LIMIT = 900, 60  # seconds


def send(reply: Reply, platform: Platform) -> str:
    """One signed POST; the id that it was given there, or else its own."""
    from firstreply.channels.generic.shape import Posted, of_brand

    address = reply.message.reply_url
    if address is None:
        raise Refuse("generic: the message came without a reply_url")
    if reply.in_private and reply.message.public:
        raise Refuse("generic: what is public has no private answer")
    key = _key(reply)
    body = Posted.of(reply, key).model_dump_json().encode()
    headers = signed(platform.secret, key, platform.clock(), body)
    to = destination(address, platform.secret)
    answer = platform.call(
        "POST",
        to.url,
        content=body,
        headers={"content-type": "application/json", **headers, **to.headers},
        extensions=to.extensions,
    )
    if not 200 <= answer.status < 300:
        _refuse(answer, platform, reply)
    return of_brand(reply.message.network, identifier(answer.json.get("id")) or key)


def find_reply(reply: Reply, platform: Platform) -> None:
    """Who takes it drops a repeat by its `webhook-id`: to say it again is to ask, so it is as good
    as not there, and policy is asked again before. Refuse if nothing could be signed."""
    signed(platform.secret, _key(reply), platform.clock(), b"")


def reach(message: Message) -> Reach:
    """No source sets a time, as far as we are told."""
    return Reach(public=FOREVER) if message.public else Reach(private=FOREVER)


def price(_reply: Reply, _at: datetime) -> None:
    """Nothing that we are told of."""


def fetch(_hint: Hint, _platform: Platform) -> bytes:
    """The sources say what was said."""
    raise Refuse("generic: nothing was hinted at")


def shorten(text: str) -> str:
    """The text within what every source takes that we know of, cut at a word."""
    return text if len(text) <= LONGEST_REPLY else cut_at_word(text, LONGEST_REPLY - 1)


def _key(reply: Reply) -> str:
    """The outbox's, which is the same at every try; ids hold what a header cannot."""
    whole = f"{reply.message.conversation.key}\0{reply.key}"
    return f"reply_{sha256(whole.encode()).hexdigest()[:32]}"


def _refuse(answer: Answered, platform: Platform, reply: Reply) -> NoReturn:
    """What is no 2xx, as what to do next; of its words nothing goes into the reason."""
    reason = f"generic {answer.status}"
    if answer.status == 429:
        wait = _seconds(answer.headers.get("retry-after", ""))
        platform.rest(wait, scope=reply.scope)
        raise RateLimited(reason, after=wait)
    # A redirect is not followed: where it leads was not in the message.
    if answer.status == 408 or answer.status >= 500:
        raise Unsure(reason)
    raise Refuse(reason)


def _seconds(retry_after: str) -> int:
    is_number = retry_after.isascii() and retry_after.isdecimal()
    wanted = int(retry_after[:9]) if is_number else _USUAL_LIMIT
    return max(1, min(wanted, _LONGEST_LIMIT))
