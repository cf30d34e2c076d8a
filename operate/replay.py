"""Deliveries of the Inbox through classify again.

Harmless by design: what is remembered is not remembered twice, and what was said is not said again.
Good for what a mistake of ours, since mended, has made of deliveries, and for what was set aside.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from firstreply.channels import entrance
from firstreply.inbox import Delivery
from firstreply.message import Unread, Update
from operate.stack import OperatorError, Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which deliveries: received in this time, of this channel, for this account."""

    since: datetime
    until: datetime
    channel: str | None = None
    account: str | None = None


def choose(stack: Stack, choice: Choice, now: datetime) -> list[str]:
    """Their keys, oldest first."""
    if choice.since >= choice.until:
        raise OperatorError("--since is not before --until")
    if now - choice.since > stack.retention:
        raise OperatorError(
            f"conversations are kept for {stack.retention.days} days: what is older has been"
            " forgotten and would be taken for new; choose a later --since"
        )
    received = sorted(stack.inbox.received(choice.since, choice.until, choice.channel))
    keys = (key for _, key in received)
    if choice.account is None:
        return list(keys)
    return [key for key in keys if choice.account in _accounts(stack, key)]


def replay(
    stack: Stack, keys: Iterable[str], now: datetime, pause: Callable[[], None]
) -> tuple[int, int]:
    """How many were sent through again, and how many are not kept any more."""
    done = gone = 0
    for key in keys:
        if stack.inbox.replay(key, now):
            done += 1
        else:
            gone += 1
        pause()
    return done, gone


def updates(delivery: Delivery) -> list[Update]:
    """What a delivery tells; what cannot be read is Unread."""
    said_at = entrance(delivery.channel)
    if said_at is None:
        return [Unread("its channel is gone")]
    try:
        return list(said_at.parse(delivery.body))
    except Exception as error:  # also a mistake of ours, as in classify
        return [Unread(type(error).__name__)]


def _accounts(stack: Stack, key: str) -> set[Any]:
    """Whose a delivery is; nobody's if it cannot be read."""
    delivery = stack.inbox.load(key)
    return {getattr(one, "account", None) for one in updates(delivery)} if delivery else set()
