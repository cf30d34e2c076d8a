"""Carries signed bytes to FirstReply's webhooks, and carries them again when it is not thanked."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue, ShutDown
from threading import Event, Thread
from typing import Any, Final

import httpx

from local.simulator.places import Channel

# Meta's older pages grant 20 s, its newer ones 5 s, X 10 s: the longest, for a cold local stack.
PATIENCE_SECONDS: Final = 20.0
PAUSES_SECONDS: Final = (0.0, 0.05, 0.2)  # before each try; the platforms' own take hours
NO_ANSWER: Final = 0


class NotConnected(Exception):
    """Nobody said where the webhooks are."""


@dataclass(frozen=True)
class Delivery:
    status: int  # 0: no answer
    ms: float

    def shown(self) -> dict[str, Any]:
        return {"status": self.status, "ms": self.ms}


class Courier:
    def __init__(self, stopping: Event) -> None:
        self.webhooks = ""
        self._stopping = stopping
        # A fresh connection each time, as from a platform's fleet; never through a proxy.
        self._http = httpx.Client(
            timeout=PATIENCE_SECONDS,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    def post(self, channel: Channel, raw: bytes, headers: Mapping[str, str]) -> Delivery:
        url = self._url(channel)
        headers = {"Content-Type": "application/json", **headers}
        started = time.perf_counter()
        try:
            status = self._http.post(url, content=raw, headers=headers).status_code
        except (httpx.TransportError, httpx.InvalidURL):
            status = NO_ANSWER
        return Delivery(status, round((time.perf_counter() - started) * 1000, 1))

    def insist(self, channel: Channel, raw: bytes, headers: Mapping[str, str]) -> list[Delivery]:
        """Deliver until the answer is 200, as both platforms do; but three times at most."""
        deliveries: list[Delivery] = []
        for pause in PAUSES_SECONDS:
            if self._stopping.wait(pause):
                break
            deliveries.append(self.post(channel, raw, headers))
            if deliveries[-1].status == httpx.codes.OK:
                break
        return deliveries

    def get(self, channel: Channel, query: str, headers: Mapping[str, str]) -> httpx.Response:
        return self._http.get(f"{self._url(channel)}?{query}", headers=headers)

    def submit(self, channel: Channel, form: Mapping[str, str]) -> httpx.Response:
        return self._http.post(self._url(channel), data=form)

    def close(self) -> None:
        self._http.close()

    def _url(self, channel: Channel) -> str:
        if not self.webhooks:
            raise NotConnected
        return f"{self.webhooks}/{channel}"


class Echoes:
    """Runs jobs behind everybody's back, in order, and forgets them when there are too many."""

    def __init__(self, limit: int = 1000) -> None:
        self._jobs: Queue[Callable[[], None]] = Queue(limit)
        self._thread = Thread(target=self._run, name="echoes", daemon=True)
        self._thread.start()

    def add(self, job: Callable[[], None]) -> None:
        with suppress(Full, ShutDown):
            self._jobs.put_nowait(job)

    def clear(self) -> None:
        """Drop what waits, and wait for what runs: nothing of before comes afterwards."""
        with suppress(Empty, ShutDown):
            while True:
                self._jobs.get_nowait()
                self._jobs.task_done()
        with self._jobs.all_tasks_done:
            self._jobs.all_tasks_done.wait_for(lambda: not self._jobs.unfinished_tasks, timeout=5)

    def stop(self) -> None:
        self._jobs.shutdown(immediate=True)
        self._thread.join(timeout=2)

    def _run(self) -> None:
        with suppress(ShutDown):
            while True:
                self._jobs.get()()
                self._jobs.task_done()
