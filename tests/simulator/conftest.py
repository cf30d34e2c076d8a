from collections.abc import Iterator

import pytest

from local.simulator import Simulator
from tests.simulator.client import SECRET, Client, Receiver


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[Receiver, Client]]:
    with Receiver() as receiver, Simulator(SECRET) as simulator:
        simulator.connect(receiver.url)
        client = Client(simulator.url)
        yield receiver, client
        client.http.close()


@pytest.fixture
def receiver(running: tuple[Receiver, Client]) -> Receiver:
    """No echoes: whoever wants to see them asks for them."""
    receiver, client = running
    client.http.delete("/")
    client.http.post("/settings", json={"echo": False})
    receiver.clear()
    return receiver


@pytest.fixture
def client(receiver: Receiver, running: tuple[Receiver, Client]) -> Client:
    return running[1]
