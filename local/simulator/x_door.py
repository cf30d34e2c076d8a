"""How X knocks at FirstReply's door."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from local.simulator import x_old_wire as old
from local.simulator import x_wire as wire
from local.simulator.accounts import Accounts, Profile
from local.simulator.asking import Refused
from local.simulator.common import Json, Signature
from local.simulator.doors import Challenge, Draft
from local.simulator.places import X_POSTS, Family, Place
from local.simulator.world import Message, World

PRIVATELY: Final[Mapping[tuple[Place, Family], Callable[[Message, Profile], Json]]] = {
    ("x_direct_message", "xaa"): wire.direct,
    ("x_direct_message", "aaa"): old.direct,
    ("x_chat", "xaa"): wire.chat,
}


class XDoor:
    channel: Final = "x"

    def __init__(self, accounts: Accounts, world: World) -> None:
        self._known, self._world = accounts, world
        self.encode = wire.encode

    @property
    def profiles(self) -> Mapping[str, Profile]:
        return self._known.profiles

    def accounts_at(self, _place: Place) -> tuple[str, ...]:
        return tuple(self.profiles)

    def write(self, draft: Draft) -> list[tuple[Message, Json]]:
        message = replace(
            draft.message,
            id=draft.message.id or wire.new_id(wire.milliseconds(draft.message.sent_at)),
            author=draft.message.author or wire.new_id(),
        )
        if message.place in X_POSTS:
            return list(self._told(self._posted(message, draft), draft))
        tell = PRIVATELY.get((message.place, draft.family))
        if not tell:
            raise Refused(f"the {draft.family} family knows no {message.place}")
        return [(message, tell(message, self.profiles[message.account]))]

    def _posted(self, message: Message, draft: Draft) -> Message:
        """The post as everybody sees it, whoever is told of it."""
        own = message.account
        names_own = draft.mention if draft.mention is not None else message.place == "x_mention"
        handles = [self.profiles[id].handle for id in ((own,) if names_own else ()) + draft.also]
        missing = [f"@{handle} " for handle in handles if not wire.names(message.text, handle)]
        text = "".join(missing) + message.text
        quotes = wire.own_post(own) if message.place == "x_quote" else ""
        # The account hears of a post that neither names nor quotes it only as of an answer.
        named = wire.names(text, self.profiles[own].handle)
        answers_own = message.place == "x_reply" or not (named or quotes)
        parent = message.parent or (wire.own_post(own) if answers_own else "")
        message = replace(message, text=text, quotes=quotes, parent=parent, thread=message.id)
        return self._in_conversation(message, answers_own) if parent else message

    def _in_conversation(self, message: Message, answers_own: bool) -> Message:
        author, thread = self._whose(message.parent)
        if answers_own and author not in ("", message.account):
            raise Refused(f"{message.parent!r} is not by {message.account}: X does not tell it")
        stranger = message.account if answers_own else wire.derived(message.parent)
        return replace(message, parent_author=author or stranger, thread=thread)

    def _whose(self, id: str) -> tuple[str, str]:
        """The author of a post, as far as anybody here knows, and the conversation it is in."""
        with self._world.lock:
            said = {reply.id: (reply.account, reply.under or id) for reply in self._world.replies}
            heard = {m.id: (m.author, m.thread or id) for m in self._world.messages.values()}
        own = {wire.own_post(account): (account, id) for account in self.profiles}
        return (said | heard | own).get(id, ("", id))

    def _told(self, post: Message, draft: Draft) -> Iterator[tuple[Message, Json]]:
        """X tells each account of it: XAA once for every way in which it concerns it."""
        for id in dict.fromkeys((post.account, *draft.also)):
            profile = self.profiles[id]
            named = wire.names(post.text, profile.handle)
            quoted = post.quotes == wire.own_post(id)
            message = replace(post, account=id, summons=named or quoted)
            if draft.family == "aaa":
                yield message, old.post(message, self.profiles, draft.blocked)
                continue
            ways = {
                "post.mention.create": named,
                "post.reply.create": post.parent_author == id,
                "post.quote.create": quoted,
            }
            for event_type in (event_type for event_type, concerns in ways.items() if concerns):
                yield message, wire.post(event_type, message, self.profiles, draft.wrapped)

    def read(self, body: object) -> Iterator[Message]:
        for family in (wire, old):
            yield from family.read(body, self.profiles)

    def sign(self, raw: bytes, how: Signature) -> dict[str, str]:
        return wire.sign(self._known.consumer_secrets[0], raw, how)

    def challenge(self, _verify_token: str | None) -> Challenge:
        """The CRC. X signs its query as it signs a body."""
        token = secrets.token_urlsafe(24)
        query = urlencode({"crc_token": token, "nonce": secrets.token_urlsafe(16)})
        answer = f"sha256={wire.mac(self._known.consumer_secrets[0], token.encode())}"
        return Challenge(query, self.sign(query.encode(), "valid"), {"response_token": answer})
