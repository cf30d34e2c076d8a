"""X, as its webhooks (both families) and its API v2 speak of it.

Facts and their certainty: docs/channels.md. So far: @mentions and direct messages in; reply posts
and direct messages out. XAA is the X Activity API, AAA the older Account Activity API.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Literal, NoReturn
from unicodedata import normalize
from urllib.parse import quote, urlencode

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
from firstreply.errors import AccountDead, RateLimited, Refuse, TryLater, Unsure
from firstreply.message import Conversation, Hint, Ignored, Message, Reply, Update

if TYPE_CHECKING:
    from firstreply.platform import Answered, Platform
    from firstreply.secrets import Section

LONGEST_REPLY = 280
SETTINGS = ("X_API_URL",)
_HOST = SETTINGS[0]
SIGNATURE = "x-twitter-webhooks-signature"


# --- the door ---------------------------------------------------------------------------------

# X signs its POSTs and this answer with the same key, so whoever may choose the token freely gets
# any body signed by asking here. No JSON object or array consists of these characters alone, and
# what does is taken for no delivery.
_TOKEN = re.compile(rb"[A-Za-z0-9 +/=_.~-]{1,256}")


def handshake(knock: Knock, secret: Section) -> Answer:
    """The challenge-response check: base64 HMAC-SHA256 of `crc_token`, as JSON."""
    token = knock.query.get("crc_token", "").encode("utf-8", "surrogatepass")
    key = next(secrets_of(secret.get("consumer_secrets")), None)
    if key is None or not _TOKEN.fullmatch(token):
        return Answer(403, "crc_token is missing or not one of X's")
    response = base64.b64encode(digest(key, token)).decode()
    return Answer(200, f'{{"response_token":"sha256={response}"}}', "application/json")


def is_signed(knock: Knock, secret: Section) -> bool:
    """`x-twitter-webhooks-signature: sha256=<base64>` under one of the consumer secrets."""
    scheme, _, signature = knock.headers.get(SIGNATURE, "").partition("=")
    if scheme != "sha256" or _TOKEN.fullmatch(knock.body):
        return False
    claimed = _from_base64(signature)
    return is_signed_by_any(secrets_of(secret.get("consumer_secrets")), knock.body, claimed)


# 32 bytes; other last letters would spell the same bytes a second way.
_DIGEST = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def _from_base64(text: str) -> bytes | None:
    return base64.b64decode(text) if _DIGEST.fullmatch(text) else None


def accept(_knock: Knock) -> Answer:
    """X wants nothing but the 200."""
    return Answer(200)


# --- in ---------------------------------------------------------------------------------------


def parse(body: bytes) -> Iterator[Update]:
    """Every update, whichever family the body is of."""
    yield from list(_updates(json_object(body))) or [Ignored("event without content")]


def _updates(envelope: Object) -> Iterator[Update]:
    if "data" in envelope:
        yield from _activity(child(envelope, "data"))
    elif "for_user_id" in envelope:
        yield from _account_activity(envelope)
    else:
        yield Ignored("envelope of another kind")


def _activity(data: Object) -> Iterator[Update]:
    """XAA: `data.{event_type, filter, payload, includes}`, one event a body."""
    account = identifier(child(data, "filter").get("user_id"))
    payload = child(data, "payload")
    match data.get("event_type"):
        case "post.mention.create":
            yield _post(account, payload, _people(data))
        case "dm.received":
            yield from _direct_messages(account, payload)
        case _:
            yield Ignored("event of another kind")


def _account_activity(envelope: Object) -> Iterator[Update]:
    """AAA: `for_user_id` and one list of events."""
    account = identifier(envelope.get("for_user_id"))
    if not {"tweet_create_events", "direct_message_events"} & envelope.keys():
        yield Ignored("event of another kind")
    for post in children(envelope, "tweet_create_events"):
        yield _old_post(account, post)
    yield from _direct_messages(account, envelope)


def _people(data: Object) -> Mapping[str, Object]:
    """The users that X includes, by id; sometimes each is wrapped in `data`."""
    includes = child(data, "includes")
    users = (child(user, "data") or user for user in children(includes, "users"))
    return {identifier(user.get("id")) or "": user for user in users}


def _post(account: str | None, post: Object, people: Mapping[str, Object]) -> Update:
    if any(other.get("type") == "retweeted" for other in children(post, "referenced_tweets")):
        return Ignored("repost")
    author = identifier(post.get("author_id"))
    person = people.get(author or "", {})
    return _mention(
        account,
        author,
        post_id=identifier(post.get("id")),
        text=string(child(post, "note_tweet").get("text")) or string(post.get("text")),
        posted=post,
        name=called(person.get("name")),
        handle=called(person.get("username")),
    )


def _old_post(account: str | None, post: Object) -> Update:
    """A post in the v1.1 shape: numeric ids are rounded, so only `id_str` counts."""
    if "retweeted_status" in post:
        return Ignored("repost")
    long = child(post, "extended_tweet")
    entities = child(long, "entities") or child(post, "entities")
    if account not in {identifier(m.get("id_str")) for m in children(entities, "user_mentions")}:
        return Ignored("post that does not mention us")
    user = child(post, "user")
    return _mention(
        account,
        identifier(user.get("id_str")),
        post_id=identifier(post.get("id_str")),
        text=string(long.get("full_text")) or string(post.get("text")),
        posted=post,
        name=called(user.get("name")),
        handle=called(user.get("screen_name")),
    )


def _mention(
    account: str | None,
    author: str | None,
    *,
    post_id: str | None,
    text: str | None,
    posted: Object,
    name: str | None,
    handle: str | None,
) -> Update:
    if author is not None and author == account:
        return Ignored("own post")
    sent_at = _when(posted)
    if not account or not author or not post_id or not sent_at:
        return Ignored("post without id, author or account")
    if not text:
        return Ignored("post without text")
    return Message(
        conversation=_conversation(account, author),
        id=post_id,
        network="x",
        kind="mention",
        public=True,
        text=text,
        sent_at=sent_at,
        author_name=name,
        author_handle=handle,
        permalink=f"https://x.com/{handle or 'i'}/status/{post_id}",
        language=_language(posted.get("lang")),
    )


def _when(post: Object) -> datetime | None:
    """AAA has milliseconds beside `Wed Oct 10 20:19:24 +0000 2018`; XAA has ISO 8601."""
    created = post.get("created_at")
    return utc(post.get("timestamp_ms")) or utc(created) or utc(created, _in_words)


def _in_words(text: str) -> datetime:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")


def _direct_messages(account: str | None, payload: Object) -> Iterator[Update]:
    """The same shape in both families: `direct_message_events[]` beside `users{}`."""
    users = child(payload, "users")
    for event in children(payload, "direct_message_events"):
        yield _direct_message(account, event, users)


def _direct_message(account: str | None, event: Object, users: Object) -> Update:
    if event.get("type") != "message_create":
        return Ignored("direct message event of another kind")
    created = child(event, "message_create")
    sender = identifier(created.get("sender_id"))
    if sender is not None and sender == account:
        return Ignored("own direct message")
    message, sent_at = identifier(event.get("id")), utc(event.get("created_timestamp"))
    if not account or not sender or not message or not sent_at:
        return Ignored("direct message without id, sender or time")
    text = string(child(created, "message_data").get("text"))
    if not text:
        return Ignored("direct message without text")
    person = child(users, sender, "data") or child(users, sender)
    return Message(
        conversation=_conversation(account, sender),
        id=message,
        network="x",
        kind="direct_message",
        public=False,
        text=text,
        sent_at=sent_at,
        author_name=called(person.get("name")),
        author_handle=called(person.get("username")) or called(person.get("screen_name")),
    )


def _conversation(account: str, customer: str) -> Conversation:
    return Conversation(channel="x", account=account, customer=customer)


def _language(value: object) -> str | None:
    """X's guess, if it is one: it says `und`, `qme`, `zxx` and the like where there is none."""
    return value if isinstance(value, str) and re.fullmatch(r"[a-z]{2}", value) else None


# --- out --------------------------------------------------------------------------------------

# Code points that weigh 1 in X's count; everything else weighs 2 (twitter-text configuration v3),
# and so do © and ®, which it takes for emoji.
_LIGHT = ((0, 168), (170, 173), (175, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
# What every link has in it, never more than is link: part of a name, a dot, two letters.
_LINK = re.compile(r"[A-Za-z0-9]{0,18}\w\.[^\W\d_]{2}")
_LINK_WEIGHT = 23


def weight(text: str) -> int:
    """At least what X counts: a sequence of emoji weighs more here, and a link no less than 23."""
    text = normalize("NFC", text)
    plain = sum(1 if any(a <= ord(c) <= b for a, b in _LIGHT) else 2 for c in text)
    return plain + sum(max(0, _LINK_WEIGHT - len(link)) for link in _LINK.findall(text))


def shorten(text: str) -> str:
    """The text within 280 weighted characters, cut at a word."""
    if weight(text) <= LONGEST_REPLY:
        return text
    length = min(LONGEST_REPLY, len(text) - 1)
    while weight(short := cut_at_word(text, length)) > LONGEST_REPLY:
        length -= 1
    return short


def send(reply: Reply, platform: Platform) -> str:
    """A reply to the post, or a direct message to who wrote one."""
    if reply.in_private and reply.message.public:
        raise Refuse("x: only who wrote a direct message gets one")
    if reply.message.public:
        body: Object = {
            "text": reply.text,
            "reply": {"in_reply_to_tweet_id": reply.message.id},
        }
        answer = _api(platform, reply, "POST", "/2/tweets", json=body)
        return id_of(child(answer.json, "data"))
    path = f"{_conversation_path(reply)}/messages"
    answer = _api(platform, reply, "POST", path, json={"text": reply.text})
    return id_of(child(answer.json, "data"), "dm_event_id")


def find_reply(reply: Reply, platform: Platform) -> str | None:
    """Looks among our newest posts, or in the conversation, for what answers this message."""
    return (_find_post if reply.message.public else _find_direct_message)(reply, platform)


def fetch(_hint: Hint, _platform: Platform) -> bytes:
    """X always says what was said."""
    raise Refuse("x: nothing was hinted at")


def _find_post(reply: Reply, platform: Platform) -> str | None:
    account = quote(reply.message.conversation.account, safe="")
    query = {"tweet.fields": "referenced_tweets,created_at", "max_results": "100"}
    answer = _api(platform, reply, "GET", f"/2/users/{account}/tweets", query=query)
    _require_list(answer)
    posts = list(children(answer.json, "data"))
    ours = [post for post in posts if reply.message.id in _replied_to(post)]
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
        and (utc(event.get("created_at")) or reply.message.sent_at) >= _before(reply)
    ]
    return _find_text(reply, ours, _reaches_back(reply, answer, events))


def _conversation_path(reply: Reply) -> str:
    return f"/2/dm_conversations/with/{quote(reply.message.conversation.customer, safe='')}"


def _find_text(reply: Reply, ours: list[Object], reaches_back: bool) -> str | None:
    """The one with our text; X puts @handles before it. Unsure if it is only another."""
    for said in ours:
        if _bare(unescape(string(said.get("text")) or "")) == _bare(reply.text):
            return id_of(said)
    if ours:
        raise Unsure("another reply of ours is there")
    if not reaches_back:
        raise Unsure("more than one page since the message")
    return None


def _bare(text: str) -> str:
    return re.sub(r"\A(?:@\w+\s+)+", "", text)


def _require_list(answer: Answered) -> None:
    """An answer that says neither what is there nor that nothing is proves nothing."""
    is_empty = child(answer.json, "meta").get("result_count") == 0
    if "errors" in answer.json or not (isinstance(answer.json.get("data"), list) or is_empty):
        raise Unsure("x answered without the posts")


def _reaches_back(reply: Reply, answer: Answered, seen: list[Object]) -> bool:
    """Whether what was seen goes back to before the message that was to be answered."""
    times = [moment for item in seen if (moment := utc(item.get("created_at")))]
    is_all = not child(answer.json, "meta").get("next_token")
    return is_all or bool(times and min(times) <= _before(reply))


def _before(reply: Reply) -> datetime:
    """When the message was not there yet, whatever the platform's clocks say."""
    return reply.message.sent_at - timedelta(minutes=1)


def _api(
    platform: Platform,
    reply: Reply,
    method: Literal["GET", "POST"],
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    json: Object | None = None,
) -> Answered:
    """One call as the account that the customer wrote to, signed with OAuth 1.0a (RFC 5849)."""
    from oauthlib.oauth1 import Client  # the webhook imports this module and needs no oauthlib

    secret = platform.secret
    account = child(secret, "accounts", reply.message.conversation.account)
    token, token_secret = string(account.get("access_token")), account.get("access_token_secret")
    consumer_secret = next(secrets_of(secret.get("consumer_secrets")), None)
    consumer_key = string(secret.get("consumer_key"))
    if not (token and string(token_secret) and consumer_key and consumer_secret):
        raise Refuse("no tokens for this account in the secret")
    client = Client(consumer_key, consumer_secret.decode(), token, token_secret)
    if query:
        path += "?" + urlencode(query)
    # A JSON body is no part of the signature.
    address = platform.setting(_HOST) + path
    _, headers, _ = client.sign(address, http_method=method)
    answer = platform.call(method, address, json=json, headers=headers)
    if answer.status not in (200, 201):
        _raise(answer, platform, reading=method == "GET")
    return answer


def _raise(answer: Answered, platform: Platform, *, reading: bool) -> NoReturn:
    """X's problem details as what to do next; only the status and the type go into the reason."""
    kind = string(answer.json.get("type")) or "about:blank"
    reason = f"x {answer.status} {kind.rsplit('/', 1)[-1]}"
    if answer.status == 429:
        raise RateLimited(reason, after=_seconds_to_reset(answer, platform))
    if answer.status == 401:
        raise AccountDead(f"{reason}: the token is not valid any more")
    if answer.status >= 500:
        raise TryLater(reason) if reading else Unsure(reason)
    # X refuses the same text by the same account: what we meant to say may be there already.
    if answer.status == 403 and "duplicate" in (string(answer.json.get("detail")) or "").lower():
        raise Unsure(f"{reason} duplicate")
    raise Refuse(reason)


def _seconds_to_reset(answer: Answered, platform: Platform) -> int:
    """`x-rate-limit-reset` is in unix seconds; windows last 15 minutes."""
    reset = utc(answer.headers.get("x-rate-limit-reset"))
    left = (reset - platform.clock()).total_seconds() if reset else 60
    return max(1, min(round(left) + 1, 900))
