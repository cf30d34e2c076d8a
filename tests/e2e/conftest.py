"""The deployed stack, once for all end-to-end tests."""

import socket
from collections.abc import Iterator

import pytest

from local.play import Stage, open_stage
from local.simulator import DEMO_SECRET
from local.stack import LocalStackError, require_free

# A brand with many Pages, as airlines, shops and banks have them.
MORE_PAGES = tuple(str(300_000_000_000_000 + number) for number in range(20))


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """FirstReply on MiniStack, its platforms simulated; everything is reached over HTTP."""
    meta = DEMO_SECRET["meta"]
    accounts = meta["accounts"] | {
        page: {"token": f"token-of-{page}", "name": "Larkspur"} for page in MORE_PAGES
    }
    secret = {**DEMO_SECRET, "meta": {**meta, "accounts": accounts}}
    with open_stage(port=free_port(), platforms_port=0, say=print, secret=secret) as opened:
        yield opened


def free_port(together: int = 1) -> int:
    """The first of so many neighbouring ports that nobody listens on."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        try:
            require_free(*range(port, port + together))
        except LocalStackError:
            continue
        return port
