"""The deployed stack, once for all end-to-end tests."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from local.play import Stage
from local.simulator import DEMO_SECRET, Simulator
from local.stack import LocalStackError, local_stack, require_free


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """FirstReply on MiniStack, its platforms simulated; everything is reached over HTTP."""
    with (
        Simulator(DEMO_SECRET) as simulator,
        local_stack(
            port=free_port(),
            secret=DEMO_SECRET,
            graph_url=f"{simulator.url}/graph",
            x_url=f"{simulator.url}/x",
            say=print,
        ) as stack,
        httpx.Client(base_url=simulator.url, timeout=90) as platforms,
    ):
        simulator.connect(f"{stack.api_url}/webhooks")
        yield Stage(stack, platforms)


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
