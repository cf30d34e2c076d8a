"""Facebook and Messenger, as Meta's Graph API and webhooks speak of them.

Facts and their certainty: docs/channels.md. So far: comments on a Page's posts and Messenger
messages in; comment replies and Messenger messages out.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from firstreply.channels import Answer, Knock
from firstreply.channels._read import (
    Object,
    called,
    child,
    children,
    cut_at_word,
    id_of,
    identifier,
    json_object,
    string,
    utc,
)
from firstreply.channels._sign import digest, is_signed_by_any, secrets_of
from firstreply.errors import Refuse, TryLater, Unreadable, Unsure
from firstreply.message import Conversation, Ignored, Message, Reply, Update

if TYPE_CHECKING:
    from firstreply.platform import Answered, Platform
    from firstreply.secrets import Section

# Current since 2026-07-29; never call unversioned.
GRAPH_VERSION = "v26.0"
# Messenger refuses more than 2,000 characters; comments take 8,000.
LONGEST_REPLY = 2_000
LONGEST_LINK = 2_000
API_URL = "GRAPH_API_URL"
SIGNATURE = "x-hub-signature-256"


# --- the door ---------------------------------------------------------------------------------


def handshake(knock: Knock, secret: Section) -> Answer:
    """`hub.challenge`, unchanged and bare, to who knows our verify token; 403 to anybody else."""
    expected = secret.get("verify_token")
    given = knock.query.get("hub.verify_token", "")
    if (
        isinstance(expected, str)
        and expected
        and knock.query.get("hub.mode") == "subscribe"
        and hmac.compare_digest(_bytes(given), _bytes(expected))
    ):
        return Answer(200, knock.query.get("hub.challenge", ""))
    return Answer(403, "verify token does not match")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def is_signed(knock: Knock, secret: Section) -> bool:
    """`X-Hub-Signature-256: sha256=<64 hex digits>` under one of the app secrets.

    The SHA-1 header is not looked at: it would let an attacker choose the weaker hash.
    """
    scheme, _, signature = knock.headers.get(SIGNATURE, "").partition("=")
    claimed = _from_hex(signature) if scheme == "sha256" else None
    return is_signed_by_any(secrets_of(secret.get("app_secrets")), knock.body, claimed)


def _from_hex(text: str) -> bytes | None:
    """In Meta's own spelling only, so that one signature has one."""
    return bytes.fromhex(text) if re.fullmatch(r"[0-9a-f]{64}", text) else None


# --- in ---------------------------------------------------------------------------------------


def parse(body: bytes) -> Iterator[Update]:
    """Every update of every entry. The account is the entry's, never the whole body's."""
    for entry in list(children(json_object(body), "entry")) or [{}]:
        account = identifier(entry.get("id"))
        updates = [_change(account, change) for change in children(entry, "changes")]
        updates += [_event(account, event) for event in children(entry, "messaging")]
        yield from updates or [Ignored("entry without changes or messaging")]


def _change(account: str | None, change: Object) -> Update:
    value = child(change, "value")
    kind = (change.get("field"), value.get("item"), value.get("verb"))
    if kind != ("feed", "comment", "add"):
        return Ignored("change of another kind")
    # Meta names the author in `from`, or without permission only in `sender_*`.
    author = identifier(child(value, "from").get("id")) or identifier(value.get("sender_id"))
    comment, sent_at = identifier(value.get("comment_id")), utc(value.get("created_time"))
    if not account or not comment or not sent_at:
        return Ignored("comment without id, account or time")
    if author == account:
        return Ignored("own comment")
    text = string(value.get("message"))
    attachments = tuple(kind for kind in ("photo", "video") if value.get(kind))
    if not text and not attachments:
        return Ignored("comment without text")
    return Message(
        # An author whom Meta does not name is nobody else's conversation partner.
        conversation=_conversation(account, author or f"author-of-{comment}"),
        id=comment,
        network="facebook",
        kind="comment",
        public=True,
        text=text or "",
        attachments=attachments,
        sent_at=sent_at,
        author_name=called(child(value, "from").get("name")) or called(value.get("sender_name")),
        is_anonymous=author is None,
        permalink=string(child(value, "post").get("permalink_url"), LONGEST_LINK)
        or f"https://www.facebook.com/{comment}",
    )


def _event(account: str | None, event: Object) -> Update:
    message = child(event, "message")
    if not message:
        return Ignored("messaging event of another kind")
    sender, sent_at = identifier(child(event, "sender").get("id")), utc(event.get("timestamp"))
    mid = identifier(message.get("mid"))
    if message.get("is_echo") or sender == account:
        return Ignored("own message")
    if not account or not sender or not mid or not sent_at:
        return Ignored("message without id, sender or time")
    text, attachments = string(message.get("text")), _attachments(message)
    if not text and not attachments:
        return Ignored("message without text")
    return Message(
        conversation=_conversation(account, sender),
        id=mid,
        network="messenger",
        kind="message",
        public=False,
        text=text or "",
        attachments=attachments,
        sent_at=sent_at,
    )


def _attachments(message: Object) -> tuple[str, ...]:
    """Their types. A sticker (until 2026-08-30 an image with a `sticker_id`) is a gesture, not an
    attachment that somebody has to look at."""
    return tuple(
        kind
        for one in children(message, "attachments")
        if (kind := called(one.get("type"))) not in (None, "sticker")
        and "sticker_id" not in child(one, "payload")
    )


def _conversation(account: str, customer: str) -> Conversation:
    return Conversation(channel="meta", account=account, customer=customer)


# --- out --------------------------------------------------------------------------------------


def shorten(text: str) -> str:
    """The text within Messenger's limit, the tighter of the two."""
    return text if len(text) <= LONGEST_REPLY else cut_at_word(text, LONGEST_REPLY - 1)


def send(reply: Reply, platform: Platform) -> str:
    """A reply under the comment, or a message to the person, within Messenger's 24 h window."""
    if reply.message.kind == "comment":
        answer = _graph(
            platform, reply, "POST", f"{_path(reply)}/comments", {"message": reply.text}
        )
        return id_of(answer.json)
    body = {
        "recipient": {"id": reply.message.conversation.customer},
        "messaging_type": "RESPONSE",
        # `metadata` comes back in the echo.
        "message": {"text": reply.text, "metadata": reply.key},
    }
    account = quote(reply.message.conversation.account, safe="")
    answer = _graph(platform, reply, "POST", f"/{account}/messages", body)
    return id_of(answer.json, "message_id")


def find_reply(reply: Reply, platform: Platform) -> str | None:
    """Looks among the comment's replies for our text under our name."""
    if reply.message.kind != "comment":
        raise Unsure("messenger: only the echo tells")
    answer = _graph(platform, reply, "GET", f"{_path(reply)}/comments", {})
    # An answer without the list proves nothing, and a reply without an author may be ours.
    if not isinstance(answer.json.get("data"), list):
        raise Unsure("graph answered without the replies")
    us = (reply.message.conversation.account, None)
    ours = [
        comment
        for comment in children(answer.json, "data")
        if identifier(child(comment, "from").get("id")) in us
    ]
    for comment in ours:
        if comment.get("message") == reply.text:
            return id_of(comment)
    if ours:
        raise Unsure("another reply of ours is there")
    if child(answer.json, "paging").get("next"):
        raise Unsure("more replies than one page")
    return None


def _path(reply: Reply) -> str:
    """The comment's; an id is data, whatever is in it."""
    return "/" + quote(reply.message.id, safe="")


def _graph(
    platform: Platform, reply: Reply, method: str, path: str, content: Mapping[str, object]
) -> Answered:
    """One Graph call as the account that the customer wrote to."""
    account = child(platform.secret, "accounts", reply.message.conversation.account)
    # Pasted with a newline behind it, it would stand in the HTTP client's error.
    token = (string(account.get("token")) or "").strip()
    app_secret = next(secrets_of(platform.secret.get("app_secrets")), None)
    if not re.fullmatch(r"[!-~]+", token) or not app_secret:
        raise Refuse("no token for this account in the secret")
    proof = {"appsecret_proof": digest(app_secret, token.encode()).hex()}
    reading = method == "GET"
    fields = {"fields": "id,from,message,created_time", "limit": "100"}
    answer = platform.call(
        method,
        f"/{GRAPH_VERSION}{path}",
        params=fields | proof if reading else proof,
        json=None if reading else content,
        # Not in the address, where it would end up in somebody's access log.
        headers={"authorization": f"Bearer {token}"},
    )
    if answer.status != 200 or "error" in answer.json:
        _raise(answer, reading=reading)
    return answer


# Throttles: nothing was done, and calling on lengthens the block.
_THROTTLED = {4, 17, 32, 613, 80001, 80002, 80006}
# "Try again" of an unknown cause: Meta may have published it all the same.
_TRANSIENT = {1, 2}


def _raise(answer: Answered, *, reading: bool) -> NoReturn:
    """Graph's error codes, never its texts (they change), as what to do next."""
    error = child(answer.json, "error")
    code, subcode = _whole(error.get("code")), _whole(error.get("error_subcode"))
    reason = f"graph {answer.status} {code}/{subcode}"
    if code in _THROTTLED or answer.status == 429:
        raise TryLater(reason, after=_throttled_for(answer))
    if code in _TRANSIENT or answer.status >= 500:
        if reading:
            raise TryLater(reason)
        raise Unsure(reason)
    raise Refuse(reason)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _throttled_for(answer: Answered) -> int:
    """Seconds until Meta takes calls again: its own estimate in minutes, else five minutes."""
    try:
        usage = json_object(answer.headers.get("x-business-use-case-usage", "").encode())
    except Unreadable:
        usage = {}
    minutes = [
        row.get("estimated_time_to_regain_access")
        for name in usage
        for row in children(usage, name)
    ]
    return max((60 * m for m in minutes if isinstance(m, int) and m > 0), default=300)
