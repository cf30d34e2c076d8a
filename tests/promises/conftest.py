"""One stack and one simulator for all rows of a table: a row begins with nothing kept."""

from collections.abc import Iterator

import httpx
import pytest

from local.simulator import DEMO_SECRET, Simulator
from tests.aws import World, world
from tests.gateway import gateway


@pytest.fixture(scope="module")
def lasting() -> Iterator[tuple[World, httpx.Client]]:
    with (
        pytest.MonkeyPatch.context() as environment,
        Simulator(DEMO_SECRET) as simulator,
        world(environment, DEMO_SECRET, simulator.url) as stack,
        gateway(stack) as url,
        httpx.Client(base_url=simulator.url) as customers,
    ):
        simulator.connect(url)
        yield stack, customers


@pytest.fixture
def stage(lasting: tuple[World, httpx.Client]) -> tuple[World, httpx.Client]:
    """The stack, and the simulator's control API."""
    stack, customers = lasting
    stack.start_over()
    customers.delete("/").raise_for_status()
    customers.post("/settings", json={"echo": False}).raise_for_status()
    return stack, customers
