"""make run as a person meets it: a busy port, and Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.stack import ROOT
from tests.e2e.conftest import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@contextmanager
def run(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """In a process group of its own, as a terminal starts it."""
    with subprocess.Popen(
        [sys.executable, "-m", "local.run", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "layers/common"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.parametrize("offset", [0, 1])
def test_a_busy_port_is_a_clear_message(offset: int) -> None:
    first = free_port(2)
    busy = first + offset
    with (
        socket.create_server(("127.0.0.1", busy)),
        run("--once", "--port", str(first)) as process,
    ):
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"Port {busy} is busy" in output
    assert "Traceback" not in output


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("stage", ["MiniStack on port", "sam deploy"])
def test_ctrl_c_leaves_no_process_behind(stage: str) -> None:
    port = free_port(2)
    with run("--port", str(port)) as process:
        assert process.stdout
        for line in process.stdout:
            if stage in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    assert _children_of(port) == []


def _children_of(port: int) -> list[str]:
    """Processes that were started for that port."""
    needle, found = f"GATEWAY_PORT={port}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            continue
    return found
