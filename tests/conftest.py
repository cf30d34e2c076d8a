"""Fixtures that more than one folder uses."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.simulator import DEMO_SECRET, Simulator
from tests.aws import World, world
from tests.gateway import gateway


@pytest.fixture(autouse=True, scope="session")
def without_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Everything is on this machine and speaks plain HTTP; reading all the world's certificates
    for each client would take a tenth of the time of most tests."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("none")))
        yield


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The stack in process; its platforms cannot be reached."""
    with world(monkeypatch, DEMO_SECRET) as made:
        yield made


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """One for all: Flask takes 0.3 s to learn its routes."""
    with Simulator(DEMO_SECRET) as made:
        yield made


@pytest.fixture
def platforms(simulator: Simulator) -> Simulator:
    """As new."""
    httpx.delete(simulator.url).raise_for_status()
    return simulator


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch, platforms: Simulator) -> Iterator[World]:
    """The stack in process; its platforms are the simulator, over HTTP."""
    with world(monkeypatch, DEMO_SECRET, platforms.url) as made:
        yield made


@pytest.fixture
def control(platforms: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=platforms.url) as client:
        yield client


@pytest.fixture
def customers(
    connected: World, platforms: Simulator, control: httpx.Client
) -> Iterator[httpx.Client]:
    """The simulator's control API, delivering to the stack in process."""
    with gateway(connected) as url:
        platforms.connect(url)
        control.post("/settings", json={"echo": False}).raise_for_status()
        yield control


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests measured, whichever process they ran in."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figure" and report.when == "call":
                terminalreporter.write_line(f"  {value}")
