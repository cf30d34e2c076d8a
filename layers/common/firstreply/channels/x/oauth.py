"""OAuth 1.0a (RFC 5849): one request signed as one account. A JSON body is no part of it."""

from collections.abc import Generator
from typing import Literal, cast

import httpx
from oauthlib.oauth1 import Client


class OAuth1(httpx.Auth):
    """Signs a request when it is about to leave."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        method = cast("Literal['GET', 'POST']", request.method)
        _, headers, _ = self._client.sign(str(request.url), http_method=method)
        request.headers.update(headers)
        yield request
