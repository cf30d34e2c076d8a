"""Who may come in, and what is kept of it: signature first, then one conditional put, then 200."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from firstreply.channels import Answer, Entrance, Knock, entrance
from firstreply.errors import TooLarge, TryLater
from firstreply.inbox import Delivery, Inbox
from firstreply.observe import count, decided
from firstreply.secrets import REFETCH_AT_MOST_EVERY, Secrets


@dataclass(frozen=True, slots=True)
class Door:
    """Statuses: 200 stored, 401 not signed by them, 404 no such channel, 413 too large to keep,
    500 only when it could not be stored: the platform then tries again."""

    inbox: Inbox
    secrets: Secrets
    clock: Callable[[], datetime]

    def answer(self, method: str, name: str, knock: Knock) -> Answer:
        found = entrance(name)
        if found is None:
            return Answer(404, "no such channel")
        try:
            if method == "GET":
                # A handshake answered with a secret just replaced can switch the webhook off.
                secret = self.secrets.section(name, fresh_for=REFETCH_AT_MOST_EVERY)
                return found.handshake(knock, secret)
            return self._receive(found, name, knock)
        except TooLarge as error:
            decided("door", "too large", error.reason, level="error", channel=name)
            count("TooLarge")
            return Answer(413, "too large")
        except TryLater as error:
            decided("door", "not stored", str(error), level="error", channel=name)
            count("NotStored")
            return Answer(500, "not stored, try again")

    def _receive(self, found: Entrance, name: str, knock: Knock) -> Answer:
        if not self._is_signed(found, name, knock):
            decided("door", "signature rejected", channel=name)
            count("SignatureRejected")
            return Answer(401, "signature is missing or wrong")
        delivery = Delivery(channel=name, body=knock.body, received_at=self.clock())
        is_new = self.inbox.put(delivery)
        decided("door", "stored" if is_new else "duplicate", channel=name, key=delivery.key)
        if is_new:
            count("Received", channel=name)
        else:
            count("Duplicate")
        return found.accept(knock)

    def _is_signed(self, found: Entrance, name: str, knock: Knock) -> bool:
        """A secret may have been rotated since it was cached, so a failure looks once more."""
        if found.is_signed(knock, self.secrets.section(name)):
            return True
        return self.secrets.refetch() and found.is_signed(knock, self.secrets.section(name))
