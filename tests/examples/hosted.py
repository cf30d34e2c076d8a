"""Zendesk and Freshdesk in small, of the shapes that their API documents show. What is not in there
nobody can know from here: neither is the real service."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from flask import Flask, Response, jsonify, request

ME, AGENT, CUSTOMER = 1, 2, 3
FIELD = 360001


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Hosted:
    """What both keep. `trouble`: answers to give instead, first come first served."""

    trouble: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    said: dict[int, list[dict[str, Any]]] = field(default_factory=dict)  # by ticket
    seen: list[str] = field(default_factory=list)
    page: int = 100  # at most so many a page, whatever is asked
    ids: Iterator[int] = field(default_factory=lambda: count(101))

    def guard(self, authorization: str) -> Response | None:
        self.seen.append(f"{request.method} {request.path}")
        if request.headers.get("authorization") != authorization:
            return _refuse(401, {"error": "Couldn't authenticate you"})
        if self.trouble:
            status, headers, body = self.trouble.pop(0)
            refusal = _refuse(status, body)
            refusal.headers.update(headers)
            return refusal
        return None


def _refuse(status: int, body: Any) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    return answer


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


# --- Zendesk --------------------------------------------------------------------------------------


def zendesk(desk: Hosted) -> Flask:  # noqa: C901  (a route each)
    app, keys = Flask("zendesk"), dict[str, int]()
    users = [
        {"id": ME, "name": "FirstReply", "role": "admin"},
        {"id": AGENT, "name": "Sam", "role": "agent"},
        {"id": CUSTOMER, "name": "Ada", "role": "end-user"},
    ]
    app.before_request(lambda: desk.guard(basic("worker@example.com/token", "key")))

    def comment(ticket_id: int, body: str, author: int, *, public: bool) -> None:
        one = {
            "id": next(desk.ids),
            "type": "Comment",
            "author_id": author,
            "body": body,
            "plain_body": body,
            "public": public,
            "created_at": _now(),
        }
        desk.said.setdefault(ticket_id, []).append(one)
        desk.tickets[ticket_id]["updated_at"] = one["created_at"]

    app.config["comment"] = comment

    @app.get("/api/v2/users/me")
    def me() -> Any:
        return {"user": users[0]}

    @app.get("/api/v2/tickets")
    def listed() -> Any:
        wanted = request.args["external_id"]
        return {"tickets": [t for t in desk.tickets.values() if t["external_id"] == wanted]}

    @app.post("/api/v2/tickets")
    def opened() -> Any:
        key, asked = request.headers.get("idempotency-key", ""), request.get_json()["ticket"]
        if key in keys:
            return {"ticket": desk.tickets[keys[key]]}, 201, {"x-idempotency-lookup": "hit"}
        ticket_id = next(desk.ids)
        said = asked.pop("comment")
        desk.tickets[ticket_id] = {"id": ticket_id, "status": "new", **asked}
        comment(ticket_id, said["body"], ME, public=said["public"])
        keys[key] = ticket_id
        return {"ticket": desk.tickets[ticket_id]}, 201

    @app.get("/api/v2/tickets/<int:ticket_id>")
    def shown(ticket_id: int) -> Any:
        if ticket_id not in desk.tickets:
            return {"error": "RecordNotFound", "description": "Not found"}, 404
        return {"ticket": desk.tickets[ticket_id]}

    @app.put("/api/v2/tickets/<int:ticket_id>")
    def changed(ticket_id: int) -> Any:
        asked = request.get_json()["ticket"]
        if desk.tickets[ticket_id]["status"] == "closed":
            details = {"status": [{"description": "Status: closed prevents ticket update"}]}
            return {"error": "RecordInvalid", "details": details}, 422
        if said := asked.pop("comment", None):
            comment(ticket_id, said["body"], ME, public=said["public"])
        desk.tickets[ticket_id].update(asked)
        return {"ticket": desk.tickets[ticket_id]}

    @app.get("/api/v2/tickets/<int:ticket_id>/comments")
    def comments(ticket_id: int) -> Any:
        start = int(request.args.get("page[after]", "0"))
        found = desk.said[ticket_id][start : start + desk.page]
        end = start + len(found)
        meta = {"has_more": end < len(desk.said[ticket_id]), "after_cursor": str(end)}
        return {"comments": found, "users": users, "meta": meta}

    @app.put("/api/v2/tickets/<int:ticket_id>/comments/<int:comment_id>/redact")
    def redact(ticket_id: int, comment_id: int) -> Any:
        (one,) = [c for c in desk.said[ticket_id] if c["id"] == comment_id]
        text = request.get_json()["text"]
        for name in ("body", "plain_body"):
            one[name] = one[name].replace(text, re.sub(".", "▇", text))
        return {"comment": one}

    @app.get("/api/v2/incremental/tickets/cursor")
    def incremental() -> Any:
        start = int(request.args.get("cursor", "0"))
        if "cursor" not in request.args:
            since = float(request.args["start_time"])
            if since > datetime.now(UTC).timestamp() - 60:
                return {"error": "InvalidValue", "description": "Too recent start_time"}, 400
        found = list(desk.tickets.values())[start : start + desk.page]
        end = start + len(found)
        done = end >= len(desk.tickets)
        return {"tickets": found, "after_cursor": str(end), "end_of_stream": done}

    return app


# --- Freshdesk ------------------------------------------------------------------------------------


def freshdesk(desk: Hosted) -> Flask:  # noqa: C901
    app = Flask("freshdesk")
    app.before_request(lambda: desk.guard(basic("key", "X")))

    def converse(ticket_id: int, body: str, user: int, *, public: bool) -> dict[str, Any]:
        one = {
            "id": next(desk.ids),
            "body": body,
            "body_text": re.sub("<[^>]*>", " ", html.unescape(body)),
            "incoming": user == CUSTOMER,
            "private": not public,
            "user_id": user,
            "source": 0 if public else 2,
            "created_at": _now(),
        }
        desk.said.setdefault(ticket_id, []).append(one)
        desk.tickets[ticket_id]["updated_at"] = one["created_at"]
        return one

    app.config["comment"] = converse

    def pages(found: list[Any]) -> Any:
        page, size = int(request.args["page"]), int(request.args["per_page"])
        return jsonify(found[(page - 1) * size : page * size])

    @app.get("/api/v2/agents/me")
    def me() -> Any:
        return {"id": ME, "contact": {"name": "FirstReply"}}

    @app.get("/api/v2/tickets")
    def listed() -> Any:
        found = list(desk.tickets.values())
        if wanted := request.args.get("unique_external_id"):
            found = [t for t in found if t["requester"] == wanted]
            if not found:
                error = {"field": "unique_external_id", "code": "invalid_value"}
                return {"description": "Validation failed", "errors": [error]}, 400
        assert request.args["updated_since"], "or only thirty days"
        return pages(found)

    @app.post("/api/v2/tickets")
    def opened() -> Any:
        asked = request.get_json()
        ticket_id = next(desk.ids)
        requester = asked.pop("unique_external_id")
        made = {"id": ticket_id, "requester": requester, "created_at": _now(), **asked}
        desk.tickets[ticket_id], desk.said[ticket_id] = made, []
        return made, 201

    @app.get("/api/v2/tickets/<int:ticket_id>")
    def shown(ticket_id: int) -> Any:
        if ticket_id not in desk.tickets:
            return "", 404
        return desk.tickets[ticket_id]

    @app.put("/api/v2/tickets/<int:ticket_id>")
    def changed(ticket_id: int) -> Any:
        desk.tickets[ticket_id].update(request.get_json())
        return desk.tickets[ticket_id]

    @app.post("/api/v2/tickets/<int:ticket_id>/notes")
    def note(ticket_id: int) -> Any:
        asked = request.get_json()
        return converse(ticket_id, asked["body"], ME, public=not asked["private"]), 201

    @app.get("/api/v2/tickets/<int:ticket_id>/conversations")
    def conversations(ticket_id: int) -> Any:
        return pages(desk.said[ticket_id])

    @app.put("/api/v2/conversations/<int:conversation_id>")
    def rewritten(conversation_id: int) -> Any:
        (one,) = [c for found in desk.said.values() for c in found if c["id"] == conversation_id]
        one["body"] = one["body_text"] = request.get_json()["body"]
        return one

    return app
