"""python -m bench.fake_aws: answers PutItem and GetSecretValue, always the same, in a process of
its own, so that what it spends does not count."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = sys.argv[1] if len(sys.argv) > 1 else "{}"
_ANSWERS = {
    "DynamoDB_20120810.PutItem": b"{}",
    "secretsmanager.GetSecretValue": json.dumps(
        {"ARN": "secret", "Name": "secret", "SecretString": SECRET}
    ).encode(),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one segment an answer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = _ANSWERS[self.headers["x-amz-target"]]
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
