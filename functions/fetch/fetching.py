"""Asking a platform for the words that its webhook left out.

What it answers becomes a delivery like any other: kept, read by classify, and read again by a
replay. Asking twice is harmless, since a message is remembered once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from firstreply.accounts import Accounts
from firstreply.channels import channel
from firstreply.errors import FirstReplyError, Refuse
from firstreply.inbox import Delivery, Inbox
from firstreply.observe import count, decided
from firstreply.platform import Platform
from firstreply.queues import Hinted


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """Fetches what was hinted at."""

    inbox: Inbox
    accounts: Accounts
    http: httpx.Client
    setting: Callable[[str], str]
    clock: Callable[[], datetime]

    def fetch(self, hinted: Hinted) -> None:
        """TryLater or Refuse if it cannot be had; the queue tries again, and then sets it aside."""
        found = channel(hinted.channel)
        if found is None:
            raise Refuse("its channel is gone")
        section = self.accounts.secrets.section(hinted.channel)
        platform = Platform(self.http, self.setting, section, self.clock)
        account = hinted.hint.account
        self.accounts.require_open(hinted.channel, account, "all", platform)
        try:
            body = found.fetch(hinted.hint, platform)
        except FirstReplyError as error:
            self.accounts.note(hinted.channel, account, platform, error)
            raise
        self.accounts.note(hinted.channel, account, platform)
        delivery = Delivery(channel=hinted.channel, body=body, received_at=self.clock())
        is_new = self.inbox.put(delivery)
        outcome = "stored" if is_new else "duplicate"
        decided("fetch", outcome, channel=hinted.channel, key=delivery.key)
        count("Fetched")
