"""As a process it serves the demo accounts until it is told to stop."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.simulator.client import Receiver

ROOT = Path(__file__).parents[2]
Processes = dict[str, "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def receiving() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def processes(receiving: Receiver) -> Iterator[Processes]:
    """All at once: each takes a second to start."""
    with ExitStack() as stack:
        busy = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        arguments = {
            "SIGTERM": ["--webhooks", receiving.url],
            "SIGINT": ["--port", "0"],
            "busy": ["--port", str(busy.getsockname()[1])],
        }
        processes = {
            name: stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "local.simulator", *more],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for name, more in arguments.items()
        }
        yield processes
        for process in processes.values():
            process.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return next(word for word in process.stdout.readline().split() if word.startswith("http"))


def test_it_says_where_it_is_and_delivers(processes: Processes, receiving: Receiver) -> None:
    process = processes["SIGTERM"]
    said = {"place": "x_mention", "text": "Late"}
    answer = httpx.post(f"{url_of(process)}/say", json=said, trust_env=False)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0
    assert answer.status_code == 200
    assert b"@LarkspurAir Late" in receiving.delivered[0].raw


def test_ctrl_c_ends_it_without_a_word(processes: Processes) -> None:
    process = processes["SIGINT"]
    assert url_of(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 0
    assert process.stderr
    assert process.stderr.read() == ""


def test_a_busy_port_is_said_in_one_line(processes: Processes) -> None:
    process = processes["busy"]
    said, complaint = process.communicate(timeout=10)
    assert process.returncode == 2
    assert said == ""
    assert re.fullmatch(r"Port \d+ is busy: choose another with --port\n", complaint)
