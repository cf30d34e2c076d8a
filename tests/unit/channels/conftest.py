"""Both platforms on this machine."""

from collections.abc import Iterator

import httpx
import pytest

from local.simulator import DEMO_SECRET, Simulator
from tests.simulator.client import Receiver
from tests.unit.channels.platforms import World


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with (
        Receiver() as receiver,
        Simulator(DEMO_SECRET) as simulator,
        httpx.Client(base_url=simulator.url, trust_env=False) as control,
        httpx.Client(trust_env=False) as http,
    ):
        simulator.connect(receiver.url)
        yield World(control, http, receiver)


@pytest.fixture
def world(running: World) -> World:
    running.control.delete("/").raise_for_status()
    running.order("/settings", echo=False)
    running.receiver.clear()
    return running
