"""The HTTP client for what is outside: it keeps nothing, asks nobody the way, and ends in time.

Whom it calls may be a stranger (channels/generic/address.py). However slowly such a server takes
our words or gives its own, each wait for it is cut to what is left of the whole call.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from math import inf
from ssl import SSLContext
from time import monotonic
from typing import Any

import httpcore
import httpx

# What is written at once: between two pieces the time is looked at.
_PIECE = 65_536
# In seconds, as httpx has it.
_IDLE = 5.0
_until: ContextVar[float] = ContextVar("until", default=inf)


def client() -> httpx.Client:
    """One for all the calls of a function."""
    return httpx.Client(
        transport=_Transport(),
        headers={"accept-encoding": "identity"},
        # A jar knows a site by its address, which two names may share.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        # A proxy would choose the way to an address that was checked, and ask TLS for another name.
        trust_env=False,
    )


@contextmanager
def lasting(seconds: float) -> Iterator[None]:
    """What is called within ends by then, with a time-out like any other."""
    before = _until.set(monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(before)


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
    left = _until.get() - monotonic()
    if left <= 0:
        raise late("the call lasts too long")
    return left if timeout is None else min(timeout, left)


@dataclass(frozen=True, slots=True)
class _Stream(httpcore.NetworkStream):
    """A connection no wait of which is longer than the call may still last."""

    inner: httpcore.NetworkStream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _PIECE):
            piece = buffer[at : at + _PIECE]
            self.inner.write(piece, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            left = _left(timeout, httpcore.ConnectTimeout)
        except httpcore.ConnectTimeout:
            self.close()
            raise
        return _Stream(self.inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's)
        return self.inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


@contextmanager
def _as_httpx_says_it() -> Iterator[None]:
    """The two have the same names for what can go wrong."""
    try:
        yield
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Body(httpx.SyncByteStream):
    answer: httpcore.Response

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_says_it():
            yield from self.answer.iter_stream()

    def close(self) -> None:
        self.answer.close()


class _Transport(httpx.BaseTransport):
    """httpx's own lets nobody put a backend under it."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            keepalive_expiry=_IDLE,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        with _as_httpx_says_it():
            answer = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(
                        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        # httpx would open what is packed, however much that is: platform.py does it with care.
        headers = httpx.Headers(answer.headers)
        packed = headers.pop("content-encoding", "")
        extensions = {**answer.extensions, "packed": packed}
        return httpx.Response(
            answer.status, headers=headers, stream=_Body(answer), extensions=extensions
        )

    def close(self) -> None:
        self._pool.close()
