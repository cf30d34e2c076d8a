"""Calling a helpdesk's REST interface: what its answers mean for what to do next."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from examples.helpdesk.seam import Down, Gone, Refused

TIME_OUT = 10.0  # seconds
# Our key is wrong, or it is too busy: that is not about this one ticket.
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
        if status in NOBODY_CAN or status >= 500:
            raise Down(f"{where}: {status}", _retry_after(answer.headers))
        if status == 404:
            raise Gone(f"{where}: {status}")
        if status >= 400:
            raise Refused(f"{where}: {status} {_fields(answer)}".strip())
        return answer.json() if answer.content else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Zendesk and Freshdesk say seconds."""
    value = headers.get("retry-after", "")
    return min(float(value), 3600.0) if value.isdigit() else None


def _fields(answer: httpx.Response) -> str:
    """Which fields it did not like, without what it says of them."""
    try:
        said = answer.json()
    except json.JSONDecodeError:
        return ""
    errors = said.get("errors", said.get("details", said)) if isinstance(said, dict) else None
    if isinstance(errors, list):  # Freshdesk
        errors = [one.get("field") for one in errors if isinstance(one, dict)]
    return ", ".join(str(name)[:40] for name in errors or ())
