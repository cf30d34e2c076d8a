"""API Gateway in process: HTTP in, the webhook's handler called, its answer out."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.aws import World


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def gateway(stack: World) -> Iterator[str]:
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
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/webhooks"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
