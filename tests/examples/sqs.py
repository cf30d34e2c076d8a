"""SQS on a port of this machine, for programs in processes of their own; behind it is moto."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from time import sleep
from typing import Any

import boto3
from botocore.exceptions import ClientError
from flask import Flask, request
from werkzeug.serving import WSGIRequestHandler, make_server

A_SHORT_POLL = 0.05  # seconds: who asks without end takes the helpdesk's time


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sqs_app() -> Flask:
    app, client, one_at_a_time = Flask(__name__), boto3.client("sqs"), Lock()

    @app.post("/", defaults={"path": ""})
    @app.post("/<path:path>")
    def call(path: str) -> tuple[dict[str, Any], int]:
        operation = request.headers["x-amz-target"].removeprefix("AmazonSQS.")
        asked = request.get_json(force=True)
        wait = asked.pop("WaitTimeSeconds", 0)  # nobody waits while another holds moto
        with one_at_a_time:
            try:
                answer = client._make_api_call(operation, asked)  # type: ignore[attr-defined]
            except ClientError as error:
                return {"__type": error.response["Error"]["Code"]}, 400
        answer.pop("ResponseMetadata")
        if wait and "Messages" not in answer:
            sleep(A_SHORT_POLL)
        return answer, 200

    return app
