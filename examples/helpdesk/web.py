"""Calling a helpdesk's REST interface: what its answers mean for what to do next."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from examples.helpdesk.seam import Down, Gone, Refused

TIME_OUT = 10.0  # seconds
# Our key is wrong, or it is too busy: that is not about this one ticket. Nor is somebody else's
# answer in its place: a page for maintenance, a redirect to log in.
NOBODY_CAN = {401, 403, 407, 408, 425, 429}


class Rest:
    """JSON in and out. No answer's body gets into an error: it may quote a customer."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401  (JSON)
        return self.call("GET", path, params=query)

    def call(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401
        """Down, Refused or Gone."""
        where = f"{method} {path.split('?')[0]}"
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Down(f"{where}: {type(error).__name__}") from None
        status = answer.status_code
        if status in NOBODY_CAN or status >= 500 or answer.is_redirect:
            raise Down(f"{where}: {status}", _retry_after(answer.headers))
        if status == 404:
            raise Gone(f"{where}: {status}")
        if status >= 400:
            raise Refused(f"{where}: {status} {_fields(answer, more.get('json'))}".strip())
        if status == 204:
            return None
        try:
            return answer.json()
        except (ValueError, RecursionError):
            raise Down(f"{where}: {status}, but no JSON") from None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Zendesk and Freshdesk say seconds."""
    value = headers.get("retry-after", "")
    return min(float(value), 3600.0) if value.isdigit() else None


def _fields(answer: httpx.Response, sent: object) -> str:
    """Which of our fields it names: no other word of its answer."""
    try:
        words = set(_words(answer.json()))
    except (ValueError, RecursionError):
        return ""
    return ", ".join(name for name in dict.fromkeys(_keys(sent)) if name in words)


def _words(said: object) -> Iterator[str]:
    """The keys of Zendesk's `details`, the values of Freshdesk's `field`."""
    if isinstance(said, dict):
        for key, value in said.items():
            yield key
            yield from (value,) if key == "field" and isinstance(value, str) else _words(value)
    elif isinstance(said, list):
        for one in said:
            yield from _words(one)


def _keys(sent: object) -> Iterator[str]:
    if isinstance(sent, dict):
        for key, value in sent.items():
            yield key
            yield from _keys(value)
