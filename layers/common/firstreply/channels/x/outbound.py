"""What we say on X, whether it is there already, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Literal, NoReturn
from urllib.parse import quote, urlencode

from firstreply.channels._read import (
    Object,
    before,
    child,
    children,
    id_of,
    identifier,
    string,
    utc,
)
from firstreply.channels._rules import FOREVER, rule
from firstreply.channels._sign import secrets_of
from firstreply.channels.x.inbound import bare
from firstreply.channels.x.length import LINK, LONGEST_DIRECT, LONGEST_REPLY, weight
from firstreply.errors import AccountDead, RateLimited, Refuse, TryLater, Unsure
from firstreply.message import Reach

if TYPE_CHECKING:
    from firstreply.message import Hint, Message, Reply
    from firstreply.platform import Answered, Platform

SETTINGS = ("X_API_URL",)
_HOST = SETTINGS[0]
_LONGEST_LIMIT = 900  # windows last 15 minutes
_COMPOSE = "https://x.com/messages/compose?recipient_id="


# --- say --------------------------------------------------------------------------------------


def send(reply: Reply, platform: Platform) -> str:
    """A reply to the post, or a direct message to who wrote one."""
    if reply.in_private and reply.message.public:
        raise Refuse("x: only who wrote a direct message gets one")
    _require_room(reply)
    path, body = _post(reply) if reply.is_public else _direct_message(reply)
    answer = _api(platform, reply, "POST", path, json=body)
    data = child(answer.json, "data")
    return id_of(data) if reply.is_public else id_of(data, "dm_event_id")


def _require_room(reply: Reply) -> None:
    """Nobody's words are cut: who wrote too much hears how much."""
    length = weight(reply.text) if reply.is_public else len(reply.text)
    most = LONGEST_REPLY if reply.is_public else LONGEST_DIRECT
    if length > most:
        raise Refuse(f"x: {length} of {most} characters")


def reach(message: Message) -> Reach:
    """X sets no time. Whether it takes an answer at all (was the account called? are messages
    open?) is asked, not guessed; who wrote in public gets none in private."""
    return Reach(public=FOREVER) if message.public else Reach(private=FOREVER)


def price(reply: Reply, at: datetime) -> float:
    """What X charges for it then, in dollars."""
    dollars: float = rule("x", f"price_of_{charged_as(reply, at)}", at)
    return dollars


def charged_as(reply: Reply, at: datetime) -> str:
    """By which price."""
    if not reply.is_public:
        return "direct_message"
    if reply.invites or LINK.search(reply.text):
        return "post_with_link"
    is_to_customer = reply.answers == reply.message.id
    is_summoned = is_to_customer and reply.message.kind in rule("x", "summoned_by", at)
    return "summoned_reply" if is_summoned else "post"


def fetch(_hint: Hint, _platform: Platform) -> bytes:
    """X always says what was said."""
    raise Refuse("x: nothing was hinted at")


def _post(reply: Reply) -> tuple[str, Object]:
    body: dict[str, object] = {
        "text": reply.text,
        "reply": {"in_reply_to_tweet_id": reply.answers},
    }
    if reply.invites:
        body["direct_message_deep_link"] = _COMPOSE + quote(reply.message.account, safe="")
    return "/2/tweets", body


def _direct_message(reply: Reply) -> tuple[str, Object]:
    return f"{_conversation_path(reply)}/messages", {"text": reply.text}


def _conversation_path(reply: Reply) -> str:
    return f"/2/dm_conversations/with/{quote(reply.message.conversation.customer, safe='')}"


# --- is it there? -----------------------------------------------------------------------------


def find_reply(reply: Reply, platform: Platform) -> str | None:
    """Looks among our newest posts, or in the conversation, for what answers this message, or
    the part before."""
    return (_find_post if reply.is_public else _find_direct_message)(reply, platform)


def _find_post(reply: Reply, platform: Platform) -> str | None:
    account = quote(reply.message.conversation.account, safe="")
    query = {"tweet.fields": "referenced_tweets,created_at", "max_results": "100"}
    answer = _api(platform, reply, "GET", f"/2/users/{account}/tweets", query=query)
    _require_list(answer)
    posts = list(children(answer.json, "data"))
    ours = [post for post in posts if reply.answers in _replied_to(post)]
    return _find_text(reply, ours, _reaches_back(reply, answer, posts))


def _replied_to(post: Object) -> set[str | None]:
    return {
        identifier(other.get("id"))
        for other in children(post, "referenced_tweets")
        if other.get("type") == "replied_to"
    }


def _find_direct_message(reply: Reply, platform: Platform) -> str | None:
    path = f"{_conversation_path(reply)}/dm_events"
    query = {"dm_event.fields": "sender_id,created_at,text", "event_types": "MessageCreate"}
    answer = _api(platform, reply, "GET", path, query=query)
    _require_list(answer)
    events = list(children(answer.json, "data"))
    account = reply.message.conversation.account
    # The same words may have answered an earlier message.
    ours = [
        event
        for event in events
        if identifier(event.get("sender_id")) == account
        and (utc(event.get("created_at")) or reply.message.sent_at) >= before(reply)
    ]
    return _find_text(reply, ours, _reaches_back(reply, answer, events))


def _find_text(reply: Reply, ours: list[Object], reaches_back: bool) -> str | None:
    """The one with our text; X puts @handles before it. Unsure if it is only another."""
    for said in ours:
        if bare(unescape(string(said.get("text")) or "")) == bare(reply.text):
            return id_of(said)
    if ours:
        raise Unsure("another reply of ours is there")
    if not reaches_back:
        raise Unsure("more than one page since the message")
    return None


def _require_list(answer: Answered) -> None:
    """An answer that says neither what is there nor that nothing is proves nothing."""
    is_empty = child(answer.json, "meta").get("result_count") == 0
    if "errors" in answer.json or not (isinstance(answer.json.get("data"), list) or is_empty):
        raise Unsure("x answered without the posts")


def _reaches_back(reply: Reply, answer: Answered, seen: list[Object]) -> bool:
    """Whether what was seen goes back to before the message that was to be answered."""
    times = [moment for item in seen if (moment := utc(item.get("created_at")))]
    is_all = not child(answer.json, "meta").get("next_token")
    return is_all or bool(times and min(times) <= before(reply))


# --- one call ---------------------------------------------------------------------------------


def _api(
    platform: Platform,
    reply: Reply,
    method: Literal["GET", "POST"],
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    json: Object | None = None,
) -> Answered:
    """One call as the account that the customer wrote to."""
    # The webhook imports this package too, and needs neither.
    from oauthlib.oauth1 import Client

    from firstreply.channels.x.oauth import OAuth1

    secret = platform.secret
    account = child(secret, "accounts", reply.message.account)
    token, token_secret = string(account.get("access_token")), account.get("access_token_secret")
    consumer_secret = next(secrets_of(secret.get("consumer_secrets")), None)
    consumer_key = string(secret.get("consumer_key"))
    if not (token and string(token_secret) and consumer_key and consumer_secret):
        raise Refuse("no tokens for this account in the secret")
    client = Client(consumer_key, consumer_secret.decode(), token, token_secret)
    address = platform.setting(_HOST) + path + (f"?{urlencode(query)}" if query else "")
    answer = platform.call(method, address, json=json, auth=OAuth1(client))
    if method == "POST":
        _keep_to_limit(answer, platform, reply)
    if answer.status not in (200, 201):
        _refuse(answer, platform, reply, reading=method == "GET")
    return answer


def _refuse(answer: Answered, platform: Platform, reply: Reply, *, reading: bool) -> NoReturn:
    """X's problem details as what to do next; only the status and the type go into the reason."""
    kind = (string(answer.json.get("type")) or "about:blank").rsplit("/", 1)[-1]
    reason = f"x {answer.status} {kind if re.fullmatch(r'[\w:-]{1,60}', kind) else 'problem'}"
    if answer.status == 429:
        wait = _seconds_to_reset(answer, platform)
        if not reading:
            platform.rest(wait, scope=reply.scope)
        raise RateLimited(reason, after=wait)
    if answer.status == 401:
        raise AccountDead(f"{reason}: the token is not valid any more")
    if answer.status >= 500:
        raise TryLater(reason) if reading else Unsure(reason)
    # X refuses the same text by the same account: what we meant to say may be there already.
    if answer.status == 403 and "duplicate" in (string(answer.json.get("detail")) or "").lower():
        raise Unsure(f"{reason} duplicate")
    raise Refuse(reason)


def _keep_to_limit(answer: Answered, platform: Platform, reply: Reply) -> None:
    """The last one of a window was just spent: the next would only be refused. Posts and direct
    messages have limits of their own."""
    if answer.headers.get("x-rate-limit-remaining") == "0":
        platform.rest(_seconds_to_reset(answer, platform), scope=reply.scope)


def _seconds_to_reset(answer: Answered, platform: Platform) -> int:
    """`x-rate-limit-reset` is in unix seconds."""
    reset = utc(answer.headers.get("x-rate-limit-reset"))
    left = (reset - platform.clock()).total_seconds() if reset else 60
    return max(1, min(round(left) + 1, _LONGEST_LIMIT))
