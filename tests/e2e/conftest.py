"""The deployed stack, once for all end-to-end tests."""

import socket
from collections.abc import Iterator

import pytest

from local.play import Stage, open_stage
from local.stack import LocalStackError, require_free


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """FirstReply on MiniStack, its platforms simulated; everything is reached over HTTP."""
    with open_stage(port=free_port(), platforms_port=0, say=print) as opened:
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
