"""The worker: `python -m examples.helpdesk`. Its settings are in docs/helpdesk.md."""

import logging
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import boto3
import httpx

from examples.helpdesk.django_helpdesk import DjangoHelpdesk
from examples.helpdesk.freshdesk import Freshdesk
from examples.helpdesk.memory import Memory
from examples.helpdesk.seam import Helpdesk
from examples.helpdesk.way_back import ByHttp, ByQueue
from examples.helpdesk.web import TIME_OUT, Rest
from examples.helpdesk.worker import Intake, Outlet, logger
from examples.helpdesk.zendesk import Zendesk

LOOK_EVERY = 30.0  # seconds, for what no webhook told
AFTER_AN_ERROR = 5.0


def main() -> None:
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel("WARNING")  # addresses name customers
    stop, news = Event(), Event()
    for goodbye in (signal.SIGTERM, signal.SIGINT):
        signal.signal(goodbye, lambda *_: stop.set())
    memory = Memory(_setting("MEMORY", "helpdesk.sqlite"))
    intake = Intake(
        sqs=boto3.client("sqs"),
        queue_url=_setting("ESCALATION_QUEUE_URL"),
        helpdesk=_helpdesk(),
        memory=memory,
        wait=stop.wait,
    )
    outlet = Outlet(
        helpdesk=_helpdesk(),
        memory=memory,
        send=_way_back(),
        source=f"helpdesk/{_setting('HELPDESK')}",
        clock=lambda: datetime.now(UTC),
    )
    doorbell = _doorbell(news, int(_setting("WEBHOOK_PORT", "0")))
    logger.info("listening for webhooks on port %s", doorbell.server_port)
    looking = Thread(target=_look, args=(outlet, stop, news))
    looking.start()
    while not stop.is_set():
        _go_on(intake.turn, stop)
    news.set()
    looking.join()
    doorbell.shutdown()
    memory.close()
    logger.info("stopped: %s", dict(intake.counts + outlet.counts))


def _look(outlet: Outlet, stop: Event, news: Event) -> None:
    while not stop.is_set():
        news.clear()
        _go_on(outlet.look, stop)
        news.wait(LOOK_EVERY)


def _go_on(step: Callable[[], object], stop: Event) -> None:
    """AWS may fail too; what was not finished comes again."""
    try:
        step()
    except Exception as error:
        logger.error("%s: %s", step.__qualname__, type(error).__name__)
        stop.wait(AFTER_AN_ERROR)


def _doorbell(news: Event, port: int) -> ThreadingHTTPServer:
    """A helpdesk's webhook: whatever it says, we look for ourselves. So nobody can put an answer
    into an agent's mouth, and one that was lost costs LOOK_EVERY at most."""

    class Doorbell(BaseHTTPRequestHandler):
        timeout = 5.0

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            self.rfile.read(min(int(length), 10_000_000) if length.isdecimal() else 0)
            news.set()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((_setting("WEBHOOK_HOST", "127.0.0.1"), port), Doorbell)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def _helpdesk() -> Helpdesk:
    """One for each loop: an httpx.Client is best kept to one thread."""
    url, key = _setting("HELPDESK_URL"), _setting("HELPDESK_KEY")
    match _setting("HELPDESK"):
        case "django-helpdesk":
            headers = {"authorization": f"Token {key}"}
            http = httpx.Client(base_url=url, headers=headers, timeout=TIME_OUT)
            queue, user = int(_setting("HELPDESK_QUEUE")), int(_setting("HELPDESK_USER"))
            return DjangoHelpdesk(Rest(http), queue, user)
        case "zendesk":
            who = (f"{_setting('HELPDESK_USER')}/token", key)
            http = httpx.Client(base_url=url, auth=who, timeout=TIME_OUT)
            return Zendesk(Rest(http), int(_setting("HELPDESK_FIELD")))
        case "freshdesk":
            http = httpx.Client(base_url=url, auth=(key, "X"), timeout=TIME_OUT)
            return Freshdesk(Rest(http))
        case other:
            raise SystemExit(f"HELPDESK={other}: django-helpdesk, zendesk or freshdesk")


def _way_back() -> Callable[[dict[str, object]], None]:
    if queue_url := os.environ.get("REPLY_QUEUE_URL"):
        return ByQueue(boto3.client("sqs"), queue_url).send
    http = httpx.Client(timeout=TIME_OUT)
    return ByHttp(http, _setting("FIRSTREPLY_URL"), _setting("FIRSTREPLY_SECRET")).send


def _setting(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise SystemExit(f"{name} is not set")
    return value


if __name__ == "__main__":
    main()
