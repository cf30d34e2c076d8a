"""How a person's question to the simulator is read, and turned down."""

from typing import Self

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from local.simulator.deliver import NotConnected
from local.simulator.places import Channel, Family


class Refused(Exception):
    """The question makes no sense; says why."""


class Ask(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Remove(Ask):
    id: str
    with_author: bool = True  # Meta
    family: Family = "xaa"  # X


class Answer(Ask):
    in_reply_to: str
    text: str
    family: Family = "xaa"  # X


class Rotate(Ask):
    channel: Channel
    id: str
    token: str
    token_secret: str = ""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.channel == "x") != bool(self.token_secret):
            raise ValueError("X's tokens have a token_secret, and only they")
        return self


def asked[A: BaseModel](form: type[A]) -> A:
    return form.model_validate(request.get_json(force=True, silent=True))


def explain_refusals(blueprint: Blueprint) -> None:
    blueprint.register_error_handler(ValidationError, _invalid)
    blueprint.register_error_handler(Refused, _refused)
    blueprint.register_error_handler(NotConnected, _not_connected)


def _invalid(error: ValidationError) -> tuple[Response, int]:
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
        for problem in error.errors()
    ]
    return jsonify(error="; ".join(problems)), 400


def _refused(error: Refused) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


def _not_connected(_error: NotConnected) -> tuple[Response, int]:
    return jsonify(error="not connected: POST /connect says where the webhooks are"), 409
