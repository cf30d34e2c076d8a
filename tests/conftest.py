"""Fixtures that more than one folder uses."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.simulator import DEMO_SECRET, Simulator
from tests.aws import World, world
from tests.gateway import gateway


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The stack in process; its platforms cannot be reached."""
    with world(monkeypatch, DEMO_SECRET) as made:
        yield made


@pytest.fixture
def platforms() -> Iterator[Simulator]:
    with Simulator(DEMO_SECRET) as simulator:
        yield simulator


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
