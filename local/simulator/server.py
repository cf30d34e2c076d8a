"""The simulator as a server on this machine: its own thread, one more per request."""

import socket
from collections.abc import Mapping
from threading import Thread
from typing import Any, Final, Self
from weakref import WeakSet

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from local.simulator.accounts import Accounts
from local.simulator.common import Json, Refusal
from local.simulator.control import Control
from local.simulator.deliver import Courier, Echoes
from local.simulator.doors import Door
from local.simulator.graph import Graph
from local.simulator.happenings import Happenings
from local.simulator.meta_control import MetaControl
from local.simulator.meta_door import MetaDoor
from local.simulator.places import Channel
from local.simulator.world import Reply, World
from local.simulator.x_api import XApi
from local.simulator.x_control import XControl
from local.simulator.x_door import XDoor

HOST: Final = "127.0.0.1"
GOODBYE_SECONDS: Final = 2
POLL_SECONDS: Final = 0.05  # how soon the server sees that it is to stop


class _Handler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing: Graph's callers put their token into the query."""


class _Server(ThreadedWSGIServer):
    """Knows its threads, so that it can wait for them, but not for ever."""

    def __init__(self, listening: socket.socket, app: Flask) -> None:
        port = listening.getsockname()[1]
        super().__init__(HOST, port, app, _Handler, fd=listening.fileno())
        self._answering: WeakSet[Thread] = WeakSet()

    def process_request(self, request: object, client_address: object) -> None:
        thread = Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._answering.add(thread)
        thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for thread in list(self._answering):
            thread.join(GOODBYE_SECONDS)


class Simulator:
    """Facebook and X on a port of this machine, for as long as the `with` block runs."""

    def __init__(self, secret: Mapping[str, Any], port: int = 0) -> None:
        self._accounts, self._port = Accounts.read(secret), port
        self._world = World()
        self._meta, self._x = MetaDoor(self._accounts), XDoor(self._accounts, self._world)
        self._doors: dict[Channel, Door] = {"meta": self._meta, "x": self._x}
        self._courier = Courier(self._world.stopping)
        self.url = ""

    def connect(self, webhooks: str) -> None:
        """Deliver to f"{webhooks}/meta" and f"{webhooks}/x"."""
        self._courier.webhooks = webhooks.rstrip("/")

    def __enter__(self) -> Self:
        # Bound here: werkzeug would end the process when the port is busy.
        with socket.create_server((HOST, self._port), backlog=128) as listening:
            self._port = listening.getsockname()[1]
            self.url = f"http://{HOST}:{self._port}"
            self._echoes = Echoes()
            self._server = _Server(listening, self._app())
        self._thread = Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._world.stopping.set()
        self._echoes.stop()
        self._server.stop()
        self._thread.join(GOODBYE_SECONDS)
        self._courier.close()

    def _app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        meta = MetaControl(self._world, self._courier, self._meta)
        x = XControl(self._world, self._courier, self._x)
        for part in (
            Control(self._world, self._courier, self._echoes, self._doors),
            meta,
            x,
            Happenings(meta, x),
            Graph(self._accounts, self._world, self._echo, "graph"),
            Graph(self._accounts, self._world, self._echo, "instagram"),
            XApi(self._accounts, self._world, self._echo),
        ):
            app.register_blueprint(part.blueprint)
        app.register_error_handler(Refusal, lambda refusal: refusal.response)
        return app

    def _echo(self, reply: Reply, body: Json) -> None:
        """The platforms tell an account what it said itself."""
        if not self._world.settings.echo or not self._courier.webhooks:
            return
        door = self._doors[reply.channel]
        raw = door.encode(body)
        echoes = self._world.echoes  # of now: a reset in between forgets this one

        def deliver() -> None:
            deliveries = self._courier.insist(reply.channel, raw, door.sign(raw, "valid"))
            shown = [delivery.shown() for delivery in deliveries]
            echoes.append({"reply": reply.id, "deliveries": shown})

        self._echoes.add(deliver)
