"""django-helpdesk on SQLite, started for a test, and the example worker beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import free_port

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "helpdesk" / "bin" / "python"
PASSWORD = "of sam"
FORM = ("title", "queue", "priority")  # what the page's form sends along
PATIENCE = 25.0  # seconds; less than the worker's own look every 30, so the webhook must do it


@dataclass
class Site:
    """django-helpdesk, as the worker and as an agent sees it."""

    url: str
    doorbell: int  # where its webhook goes
    made: dict[str, Any]

    def call(self, method: str, path: str, who: str = "worker", **more: Any) -> Any:
        headers = {"authorization": f"Token {self.made[who]['token']}"}
        with httpx.Client(base_url=f"{self.url}/api/", headers=headers, timeout=20) as client:
            return client.request(method, path, **more)

    def tickets(self, case: str) -> list[dict[str, Any]]:
        found = self.call("GET", "tickets/", params={"page_size": 1000}).json()["results"]
        return [one for one in found if one["title"].endswith(f"({case})")]

    def ticket(self, case: str) -> dict[str, Any]:
        (one,) = self.tickets(case)
        return dict(one)

    def answer(self, case: str, text: str, *, public: bool = True, **more: Any) -> httpx.Response:
        body = {"ticket": self.ticket(case)["id"], "comment": text, "public": public, **more}
        answer: httpx.Response = self.call("POST", "followups/", "agent", json=body)
        return answer


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """Starts it, and ends it."""
    port, doorbell = free_port(), free_port()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SITE_FOLDER": str(folder),
        "SITE_SECRET": "of this test",
        "SITE_PASSWORD": PASSWORD,
        "HELPDESK_FOLLOWUP_WEBHOOK_URLS": f"http://127.0.0.1:{doorbell}/",
        "PYTHONWARNINGS": "default",
    }
    with subprocess.Popen(
        [PYTHON, "-m", "examples.helpdesk.django_site", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        try:
            line = process.stdout.readline()
            assert line, "django-helpdesk did not start"
            running = Site(f"http://127.0.0.1:{port}", doorbell, json.loads(line))
            until(lambda: _answers(running.url), "django-helpdesk answers")
            yield running
        finally:
            process.terminate()


def work_for(site: Site, memory: Path, settings: Mapping[str, str]) -> subprocess.Popen[str]:
    """The worker as a process. The one before is to be ended first: it has the webhook's port."""
    environment = os.environ | {
        "HELPDESK": "django-helpdesk",
        "HELPDESK_URL": f"{site.url}/api/",
        "HELPDESK_KEY": site.made["worker"]["token"],
        "HELPDESK_USER": str(site.made["worker"]["id"]),
        "HELPDESK_QUEUE": str(site.made["queue"]),
        "WEBHOOK_PORT": str(site.doorbell),
        "MEMORY": str(memory),
        **settings,
    }
    command = [sys.executable, "-m", "examples.helpdesk"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


@contextmanager
def started() -> Iterator[list[subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def until(condition: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    pytest.fail(f"not within {PATIENCE} s: {what}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/").is_success
    except httpx.TransportError:
        return False


def comments(ticket: dict[str, Any]) -> list[str]:
    return [one["comment"] for one in ticket["followup_set"]]


def end(process: subprocess.Popen[str], wake: Callable[[], object] = lambda: None) -> str:
    """It stops once its long poll has ended: at once, if `wake` puts something on its queue."""
    process.send_signal(signal.SIGTERM)
    wake()
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return said
