"""FirstReply's side of the conversation: an API client, and a receiver of webhooks."""

import base64
import hashlib
import hmac
import json
from collections import deque
from dataclasses import dataclass
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from oauthlib.oauth1 import Client as OAuthClient

PATIENCE = 5.0

SECRET: dict[str, Any] = {
    "meta": {
        "app_secrets": ["app-secret-now", "app-secret-before"],
        "verify_token": "verify me",
        "accounts": {
            "1111": {"token": "page-token-1", "name": "Northwind"},
            "2222": {"token": "page-token-2", "name": "Southwind"},
            "5555": {"token": "instagram-token", "name": "Northwind", "handle": "northwind"},
            "6666": {
                "token": "login-token",
                "name": "Southwind",
                "handle": "southwind",
                "api": "instagram",
                "app_secret": "instagram-secret",
            },
        },
    },
    "x": {
        "consumer_key": "consumer-key",
        "consumer_secrets": ["consumer-secret-now", "consumer-secret-before"],
        "accounts": {
            "3333": {
                "access_token": "3333-token",
                "access_token_secret": "token-secret",
                "name": "Northwind",
                "handle": "northwind",
            },
            "3334": {
                "access_token": "3334-token",
                "access_token_secret": "other-token-secret",
                "name": "Southwind",
                "handle": "southwind",
            },
        },
    },
}
PAGE, OTHER_PAGE = "1111", "2222"
PROFILE, OTHER_PROFILE = "3333", "3334"
INSTAGRAM, BY_LOGIN = "5555", "6666"
TOKENS = {id: account["token"] for id, account in SECRET["meta"]["accounts"].items()}


def mac(key: str, raw: bytes) -> bytes:
    return hmac.new(key.encode(), raw, hashlib.sha256).digest()


def proof(token: str, secret: str = "app-secret-now") -> dict[str, str]:
    return {"appsecret_proof": mac(secret, token.encode()).hex()}


def answering(post: str, text: str = "So sorry", **more: object) -> dict[str, object]:
    """The body of a reply on X."""
    return {"text": text, "reply": {"in_reply_to_tweet_id": post}, **more}


@dataclass(frozen=True)
class Delivered:
    channel: str
    headers: Headers
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def entry(self) -> Any:
        """The one entry of a delivery by Meta."""
        [entry] = self.body["entry"]
        return entry

    @property
    def value(self) -> Any:
        """Of its one change; Instagram Login has no list of them."""
        return self.entry["changes"][0]["value"] if "changes" in self.entry else self.entry["value"]

    @property
    def activity(self) -> Any:
        """What XAA delivers."""
        return self.body["data"]

    @property
    def status(self) -> Any:
        """The one post that AAA delivers."""
        [status] = self.body["tweet_create_events"]
        return status

    @property
    def event(self) -> Any:
        """Its one event of a conversation."""
        [event] = self.entry["messaging"]
        return event


class Receiver:
    """Stands where FirstReply would: keeps what it is sent, and answers as it was told."""

    def __init__(self) -> None:
        self.statuses: deque[int] = deque()  # of the next answers; 200 when there are none
        self.delivered: list[Delivered] = []
        self.verify_token = SECRET["meta"]["verify_token"]
        self.consumer_secret = SECRET["x"]["consumer_secrets"][0]
        self.is_open = Event()  # answers only while it is
        self.is_open.set()
        self._arrived = Condition()

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                receiver.greet(self)

            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def clear(self) -> None:
        self.statuses.clear()
        self.delivered.clear()

    def wait_for(self, count: int) -> list[Delivered]:
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.delivered) >= count, PATIENCE)
        assert came, f"{len(self.delivered)} deliveries instead of {count}"
        return list(self.delivered)

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._arrived:
            self.delivered.append(Delivered(handler.path.split("/")[-1], handler.headers, raw))
            status = self.statuses.popleft() if self.statuses else 200
            self._arrived.notify_all()
        self.is_open.wait(PATIENCE)
        handler.send_response(status)
        handler.end_headers()

    def greet(self, handler: BaseHTTPRequestHandler) -> None:
        """The handshakes of both platforms, as the platforms' pages describe them."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        if "crc_token" in query:
            digest = mac(self.consumer_secret, query["crc_token"].encode())
            token = f"sha256={base64.b64encode(digest).decode()}"
            status, answer = 200, json.dumps({"response_token": token})
        elif query["hub.verify_token"] == self.verify_token:
            status, answer = 200, query["hub.challenge"]
        else:
            status, answer = 403, ""
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(answer.encode())


class Client:
    """Speaks to the simulator: to its control as a person would, to its APIs as FirstReply does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False)

    def say(self, place: str, text: str = "My bag is lost", **more: object) -> Any:
        answer = self.http.post("/say", json={"place": place, "text": text, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def deliver(self, channel: str, body: object, **more: object) -> list[Any]:
        answer = self.http.post("/deliver", json={"channel": channel, "body": body, **more})
        assert answer.status_code == 200, answer.text
        deliveries: list[Any] = answer.json()["deliveries"]
        return deliveries

    def fault(self, on: str, fault: str, **more: object) -> None:
        answer = self.http.post("/faults", json={"on": on, "fault": fault, **more})
        assert answer.status_code == 200, answer.text

    def ask(self, path: str) -> Any:
        return self.http.get(path).json()

    def said(self) -> list[Any]:
        replies: list[Any] = self.ask("/said")
        return replies

    def graph(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = "page-token-1",
        host: Literal["graph", "instagram"] = "graph",
        params: dict[str, Any] | None = None,
        **more: Any,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        secret = "instagram-secret" if host == "instagram" else "app-secret-now"
        query = proof(token, secret) | (params or {})
        url = f"/{host}/v26.0/{path}"
        return self.http.request(method, url, json=body, headers=headers, params=query, **more)

    def comment(self, id: str, text: str = "So sorry", **more: Any) -> httpx.Response:
        return self.graph("POST", f"{id}/comments", {"message": text}, **more)

    def message(
        self,
        recipient: object,
        text: str = "So sorry",
        account: str = PAGE,
        *,
        timeout: float = PATIENCE,
        **more: Any,
    ) -> httpx.Response:
        body = {"messaging_type": "RESPONSE", "recipient": recipient, "message": {"text": text}}
        path, token = f"{account}/messages", TOKENS[account]
        return self.graph("POST", path, body | more, token=token, timeout=timeout)

    def instagram_reply(self, id: str, text: str = "So sorry", **more: Any) -> httpx.Response:
        token = TOKENS[INSTAGRAM]
        return self.graph("POST", f"{id}/replies", {"message": text}, token=token, **more)

    def do(self, path: str, **ask: object) -> Any:
        """Something else happens: an edit, a removal, a human's answer."""
        answer = self.http.post(path, json=ask)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def x(
        self,
        method: Literal["GET", "POST"],
        path: str,
        body: object = None,
        *,
        consumer_secret: str = "consumer-secret-now",
        timeout: float = PATIENCE,
        **oauth: Any,
    ) -> httpx.Response:
        headers = self.signed(method, f"/x/2/{path}", client_secret=consumer_secret, **oauth)
        return self.http.request(
            method, f"/x/2/{path}", json=body, headers=headers, timeout=timeout
        )

    def signed(self, method: Literal["GET", "POST"], path: str, **oauth: Any) -> dict[str, str]:
        known = {
            "client_key": "consumer-key",
            "client_secret": "consumer-secret-now",
            "resource_owner_key": "3333-token",
            "resource_owner_secret": "token-secret",
        }
        _, headers, _ = OAuthClient(**(known | oauth)).sign(f"{self.url}{path}", method)
        signed: dict[str, str] = headers
        return signed

    def post(self, answers: str, text: str = "So sorry", **more: Any) -> httpx.Response:
        return self.x("POST", "tweets", answering(answers, text), **more)

    def direct(self, person: str, text: str = "So sorry", **more: Any) -> httpx.Response:
        return self.x("POST", f"dm_conversations/with/{person}/messages", {"text": text}, **more)

    def reply(self, place: str, **more: Any) -> httpx.Response:
        """Let a customer write there, and reply to it."""
        timeout = more.pop("timeout", PATIENCE)
        person = "4444"
        id = self.say(place, author={"id": person}, **more)["id"]
        if place in ("facebook_comment", "facebook_post", "facebook_mention"):
            return self.comment(id, timeout=timeout)
        if place == "instagram_comment":
            return self.instagram_reply(id, timeout=timeout)
        if place in ("x_mention", "x_reply", "x_quote"):
            return self.post(id, timeout=timeout)
        if place == "x_direct_message":
            return self.direct(person, timeout=timeout)
        account = INSTAGRAM if place.startswith("instagram_") else PAGE
        return self.message({"id": person}, account=account, timeout=timeout)
