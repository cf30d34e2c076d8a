"""The way out: one HTTP call to a platform, its failures sorted by whether it may have arrived."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from json import loads
from typing import Any
from zlib import MAX_WBITS, decompressobj
from zlib import error as zlib_error

import httpx

from firstreply.accounts import Scope
from firstreply.client import lasting
from firstreply.errors import Refuse, TryLater, Unsure
from firstreply.secrets import Section

# function (45 s) > a whole call > one wait of it > a call to AWS (aws.py). Platforms answer in 1 s.
# Looking up a name comes on top: the system waits for its servers as long as it likes.
CALL_SECONDS = 8.0
TIMEOUT = httpx.Timeout(5.0, connect=2.0)
# More than any page of what we ask for.
MOST_BYTES = 5_000_000
# Raised before a byte of the request has left.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# An address or a token that HTTP cannot carry.
_NOT_WRITABLE = (
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a platform answered, whatever its status. `json` is empty if the body is no object."""

    status: int
    headers: Mapping[str, str]
    json: Mapping[str, Any]


@dataclass(slots=True)
class Platform:
    """A platform's APIs with the secret that opens them. `setting` reads what a setting holds.
    `rests`: for how many seconds the platform wants to be left alone from now on, by scope."""

    http: httpx.Client
    setting: Callable[[str], str]
    secret: Section
    clock: Callable[[], datetime]
    rests: dict[Scope, int] = field(default_factory=dict)

    def rest(self, seconds: int, scope: Scope = "all") -> None:
        """Note that nothing of this kind is to be said for a while; the longest wish counts."""
        if seconds > 0:
            self.rests[scope] = max(seconds, self.rests.get(scope, 0))

    def call(
        self,
        method: str,
        address: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> Answered:
        """One request; no redirect is followed. TryLater if nothing can have happened, Unsure if
        something may have, Refuse if it cannot even be written down.

        Error texts name the exception's type only: httpx puts addresses with tokens in its own.
        """
        try:
            with (
                lasting(CALL_SECONDS),
                self.http.stream(
                    method,
                    address,
                    params=params,
                    json=json,
                    content=content,
                    headers=headers,
                    auth=auth,
                    extensions=dict(extensions or {}),
                    timeout=TIMEOUT,
                    follow_redirects=False,
                ) as answer,
            ):
                return Answered(answer.status_code, answer.headers, _object(_body(answer)))
        except _NOT_SENT as error:
            raise TryLater(f"not reached: {type(error).__name__}") from None
        except _NOT_WRITABLE as error:
            raise Refuse(f"request cannot be made: {type(error).__name__}") from None
        except httpx.RequestError as error:
            if method == "GET":
                raise TryLater(f"not answered: {type(error).__name__}") from None
            raise Unsure(f"not answered: {type(error).__name__}") from None


def _body(answer: httpx.Response) -> bytes:
    """The whole of it; ReadError if it never ends, packed or not."""
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        _require_room(len(body))
    return _unpacked(bytes(body), answer.extensions.get("packed", ""))


def _unpacked(body: bytes, encoding: str) -> bytes:
    """We ask for nothing packed (client.py). What comes so nevertheless is opened once, and no
    further than we would read: a thousand bytes may be a gigabyte."""
    if encoding not in ("gzip", "deflate"):
        return body
    try:
        opened = decompressobj(MAX_WBITS | 32).decompress(body, MOST_BYTES + 1)
    except zlib_error:
        return b""
    _require_room(len(opened))
    return opened


def _require_room(size: int) -> None:
    if size > MOST_BYTES:
        raise httpx.ReadError("the body is too large")


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
