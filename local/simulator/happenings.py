"""What can happen on either platform; whose it is, tells what it happens to."""

from collections.abc import Callable

from flask import Blueprint, Response

from local.simulator.asking import Answer, Remove, Rotate, asked, explain_refusals
from local.simulator.meta_control import MetaControl
from local.simulator.x_control import XControl


class Happenings:
    def __init__(self, meta: MetaControl, x: XControl) -> None:
        self._meta, self._x = meta, x
        self.blueprint = blueprint = Blueprint("happenings", __name__)
        routes: tuple[tuple[str, Callable[[], Response]], ...] = (
            ("/remove", self.remove),
            ("/answer", self.answer),
            ("/accounts", self.rotate),
        )
        for rule, view in routes:
            blueprint.add_url_rule(rule, view_func=view, methods=["POST"])
        explain_refusals(blueprint)

    def remove(self) -> Response:
        ask = asked(Remove)
        return self._at(ask.id).remove(ask)

    def answer(self) -> Response:
        ask = asked(Answer)
        return self._at(ask.in_reply_to).answer(ask)

    def rotate(self) -> Response:
        ask = asked(Rotate)
        return (self._x if ask.channel == "x" else self._meta).rotate(ask)

    def _at(self, id: str) -> MetaControl | XControl:
        return self._x if self._x.knows(id) else self._meta
