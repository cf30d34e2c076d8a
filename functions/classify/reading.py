"""From a delivery to decisions: parse, hear every update, queue what follows from it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import batched, chain
from typing import Any

from pydantic import BaseModel

from firstreply.accounts import Accounts
from firstreply.aws import is_passing
from firstreply.batch import Deadline
from firstreply.channels import Channel, entrance
from firstreply.channels import channel as find_channel
from firstreply.errors import Unreadable
from firstreply.inbox import Delivery, Inbox
from firstreply.message import (
    Conversation,
    Edited,
    Erasure,
    Ignored,
    Message,
    Requested,
    Revoked,
    Unread,
    Update,
    bare_handle,
)
from firstreply.observe import count, decided
from firstreply.queues import Complaint, Queue, SetAside
from firstreply.secrets import Secrets, accounts_of
from functions.classify.listening import NOTHING, Listening, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Reads deliveries. What is not for us to read is set aside, and disturbs nobody else."""

    inbox: Inbox
    listening: Listening
    accounts: Accounts
    secrets: Secrets
    replies: Queue
    complaints: Queue
    hints: Queue
    unreadable: Queue

    def read(self, image: Mapping[str, Any], deadline: Deadline) -> None:
        """The delivery of a stream record's new image; raises what should be tried again."""
        try:
            delivery = self.inbox.read(image)
            updates = _parse(delivery)
        except Unreadable as error:
            self._set_aside(image["key"]["S"], image["channel"]["S"], [error.reason])
            return
        _count(delivery, updates)
        listening = replace(self.listening, delivery=delivery.key)
        replace(self, listening=listening)._hear(delivery, updates, deadline)

    def _hear(self, delivery: Delivery, updates: list[Update], deadline: Deadline) -> None:
        """A few updates at a time: the first of a thousand is not to wait for the last."""
        trouble: list[str] = []
        for some in batched(updates, 10, strict=False):
            outcomes = []
            for update in some:
                deadline.require()  # before each: an optional back end may take its time
                with _setting_aside(update, trouble):
                    outcomes.append((update, self._take(delivery.channel, update, trouble)))
            _send(self.replies, [(one, found.replies) for one, found in outcomes], trouble)
            _send(self.complaints, [(one, found.complaints) for one, found in outcomes], trouble)
            _send(self.hints, [(one, found.hints) for one, found in outcomes], trouble)
        self._set_aside(delivery.key, delivery.channel, trouble)

    def _take(self, name: str, update: Update, trouble: list[str]) -> Outcome:
        if isinstance(update, Ignored):
            return NOTHING
        if isinstance(update, Unread):
            trouble.append(update.reason)
            return NOTHING
        if isinstance(update, Erasure):
            return self._erase(name, update, trouble)
        where = update.conversation.channel if isinstance(update, Requested) else name
        if not self._is_configured(where, update.account):
            trouble.append(f"account {update.account} is not in the secret")
            return NOTHING
        if isinstance(update, Requested):
            # Who says it recognises a repeat.
            return Outcome(replies=(update.event,))
        if self._is_own(name, update):
            return NOTHING
        if isinstance(update, Revoked):
            self._stop(name, update)
            return NOTHING
        return self.listening.hear(_channel(name), name, update)

    def _is_own(self, name: str, update: Update) -> bool:
        """From another account of the brand's."""
        message = update.message if isinstance(update, Edited) else update
        if not isinstance(message, Message):
            return False
        accounts = accounts_of(self.secrets.section(name))
        handles = {bare_handle(account.get("handle")) for account in accounts.values()}
        handle = bare_handle(message.author_handle)
        return message.conversation.customer in accounts or bool(handle and handle in handles)

    def _stop(self, name: str, revoked: Revoked) -> None:
        """Nothing is sent for it any more; that another secret may change. One of before the
        secret was changed, such as a replayed one, says nothing about what the secret holds now."""
        secret = self.secrets.section(name)
        changed_at = self.secrets.changed_at
        if revoked.at and changed_at and revoked.at < changed_at:
            decided("account", "left open", "revocation is older than the secret", channel=name)
            return
        reason = "the account's authorisation is revoked"
        self.accounts.stop(name, revoked.account, secret, reason)

    def _is_configured(self, name: str, account: str) -> bool:
        """It may have been added since the secret was cached."""
        is_ours = _channel(name).is_ours
        if is_ours(account, self.secrets.section(name)):
            return True
        return self.secrets.refetch() and is_ours(account, self.secrets.section(name))

    def _erase(self, name: str, erasure: Erasure, trouble: list[str]) -> Outcome:
        """In every account of the channel. The person may be known to us under other ids."""
        found, complaints = False, list[Complaint]()
        for account in accounts_of(self.secrets.section(name)):
            one = Conversation(channel=name, account=account, customer=erasure.customer)
            was_there, outcome = self.listening.erase(one, erasure)
            found |= was_there
            complaints += outcome.complaints
        if not found:
            trouble.append("a deletion was asked for by somebody unknown to us by that id")
        return Outcome(complaints=tuple(complaints))

    def _set_aside(self, key: str, channel: str, reasons: list[str]) -> None:
        """Kept where an alarm shows it; trying again would only fail again."""
        different = list(dict.fromkeys(reasons))
        for reason in different:
            decided("delivery", "set aside", reason, level="error", channel=channel, key=key)
            count("SetAside", reasons.count(reason))
        self.unreadable.send_all(
            [SetAside(inbox_key=key, channel=channel, reason=reason) for reason in different]
        )


@contextmanager
def _setting_aside(update: Update, trouble: list[str]) -> Iterator[None]:
    """AWS's failures are tried again, for as long as it takes; an update that we fail on would fail
    again, so it is set aside and keeps nobody waiting."""
    try:
        yield
    except Exception as error:
        if is_passing(error):
            raise
        trouble.append(f"{type(error).__name__} at {_name(update)}")


def _send(
    queue: Queue, following: list[tuple[Update, Sequence[BaseModel]]], trouble: list[str]
) -> None:
    """What follows from some updates; one by one, if something of it will never be taken."""
    try:
        queue.send_all(list(chain.from_iterable(bodies for _, bodies in following)))
    except Exception as error:
        if is_passing(error):
            raise
        for update, bodies in following:
            with _setting_aside(update, trouble):
                queue.send_all(bodies)


def _name(update: Update) -> str:
    """For an operator to find it by: never a word of it."""
    kind = type(update).__name__.lower()
    return f"{kind} {update.id}" if isinstance(update, Message) else kind


def _channel(name: str) -> Channel:
    found = find_channel(name)
    if found is None:
        raise Unreadable("its channel is gone")
    return found


def _parse(delivery: Delivery) -> list[Update]:
    said_at = entrance(delivery.channel)
    if said_at is None:
        raise Unreadable("its channel is gone")
    try:
        return list(said_at.parse(delivery.body))
    except Unreadable:
        raise
    except Exception as error:  # a mistake of ours: it would only fail again
        raise Unreadable(f"{type(error).__name__} in its channel") from None


def _count(delivery: Delivery, updates: list[Update]) -> None:
    reasons = Counter(update.reason for update in updates if isinstance(update, Ignored))
    kinds = Counter(type(one).__name__ for one in updates if not isinstance(one, Ignored))
    decided(
        "delivery",
        "read",
        channel=delivery.channel,
        key=delivery.key,
        kinds=dict(kinds),
        ignored=dict(reasons),
    )
    if kinds["Message"]:
        count("Messages", kinds["Message"], channel=delivery.channel)
    if reasons:
        count("Ignored", reasons.total())
