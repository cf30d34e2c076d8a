"""Asking a service that is optional: what it cannot tell, the offline classifier has told."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from firstreply.aws import is_passing
from firstreply.errors import FirstReplyError
from firstreply.observe import count, decided

# A service that is down or busy is left alone for so long (by this instance): a thousand messages
# are not to wait for its time-out one after the other.
REST_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class Service:
    """`name` goes into the log, and into the metric that counts what it could not tell."""

    name: str
    clock: Callable[[], float] = time.monotonic
    _rests_until: float = 0.0

    def ask[T](self, question: Callable[[], T]) -> T | None:
        """Its answer; None, counted, if there is none. Never raises."""
        if self.clock() < self._rests_until:
            self._fell_back("rests")
            return None
        try:
            return question()
        except Exception as error:  # any: no message is lost to what may be switched off
            if is_passing(error):
                self._rests_until = self.clock() + REST_SECONDS
            # A library's own words may quote the customer's.
            known = isinstance(error, FirstReplyError)
            self._fell_back(str(error) if known else type(error).__name__)
            return None

    def _fell_back(self, reason: str) -> None:
        decided("understanding", "fell back", reason, level="warning", backend=self.name)
        count(f"{self.name}FellBack")
