"""API Gateway in process: HTTP in, the webhook's handler called, its answer out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, Protocol

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response


class Webhook(Protocol):
    """What takes a request as the HTTP API passes it on: tests.aws.World, or who carries for it."""

    def knock(
        self,
        channel: str,
        body: str,
        headers: Mapping[str, str],
        method: str,
        query: Mapping[str, str],
    ) -> dict[str, Any]: ...


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def gateway(stack: Webhook) -> Iterator[str]:
    """The address to deliver to, one request at a time, as one warm function would take them."""
    lock = Lock()

    @Request.application
    def answer(request: Request) -> Response:
        with lock:
            try:
                made = stack.knock(
                    request.path.rsplit("/", 1)[-1],
                    request.get_data().decode(),
                    dict(request.headers),
                    request.method,
                    dict(request.args),
                )
            except RuntimeError:  # the function crashed
                return Response("", 500)
        return Response(made["body"], made["statusCode"], made["headers"])

    server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/webhooks"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
