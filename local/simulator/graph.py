"""Graph at its two hosts: graph.facebook.com and, for Instagram Login, graph.instagram.com."""

import re
from typing import Any, Final

from flask import Blueprint, Response, g, request

from local.simulator.accounts import Accounts
from local.simulator.common import Echo, record_calls
from local.simulator.graph_comments import Comments
from local.simulator.graph_desk import Desk, Host
from local.simulator.graph_errors import Kind, refuse, usage
from local.simulator.graph_mentions import Mentions
from local.simulator.graph_messages import Messages
from local.simulator.world import World

VERSION: Final = re.compile(r"v\d+\.\d+")


class Graph:
    def __init__(self, accounts: Accounts, world: World, echo: Echo, host: Host) -> None:
        self._known, self._world, self._host = accounts, world, host
        desk = Desk(accounts, world, echo, host)
        comments, messages = Comments(desk), Messages(desk)
        self._comments, self._mentions = comments, Mentions(desk)
        self.blueprint = blueprint = Blueprint(host, __name__, url_prefix=f"/{host}")
        record_calls(blueprint, world)
        blueprint.before_request(self._check_version)
        blueprint.after_request(self._show_usage)
        for method, edge, view in (
            ("GET", "", self.get_node),
            ("GET", "/comments", comments.get_comments),
            ("POST", "/comments", comments.post_comment),
            ("GET", "/replies", comments.get_replies),
            ("POST", "/replies", comments.post_reply),
            ("GET", "/messages", messages.get_messages),
            ("POST", "/messages", messages.post_message),
            ("GET", "/conversations", messages.get_conversations),
        ):
            blueprint.add_url_rule(f"/<version>/<node>{edge}", view_func=view, methods=[method])
        methods = ["GET", "POST", "PUT", "DELETE"]
        blueprint.add_url_rule("/<path:_path>", view_func=self.unknown, methods=methods)

    def get_node(self, node: str) -> Response:
        if node == "me" or node in self._known.pages:
            return self._mentions.get_mentioned()
        return self._comments.get_node(node)

    def unknown(self, _path: str) -> Response:
        refuse("path", path=self._path())

    def _path(self) -> str:
        return request.path.removeprefix(f"/{self._host}")

    def _check_version(self) -> None:
        """Real Graph serves an unversioned call with its oldest version: a trap, so refused."""
        arguments: dict[str, Any] = request.view_args or {}
        if "version" in arguments and not VERSION.fullmatch(arguments.pop("version")):
            refuse("path", path=self._path())

    def _show_usage(self, response: Response) -> Response:
        page = g.get("page")
        kind: Kind = "instagram" if page and page.is_instagram else "pages"
        settings = self._world.settings
        spent = usage(
            page.id if page else "0", kind, settings.usage_percent, settings.usage_wait_minutes
        )
        for name, value in spent.items():
            response.headers.setdefault(name, value)
        return response
