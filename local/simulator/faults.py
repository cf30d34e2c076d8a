"""What can be ordered to go wrong."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from local.simulator.places import CHANNEL, PLACES, PRIVATE, X_POSTS, Place

FaultName = Literal[
    "accept_then_timeout",
    "accept_then_disconnect",
    "disconnect",
    "server_error",
    "rate_limited",
    "token_expired",
    "gone",
    "window_closed",
    "graph_error",
    "duplicate",
    "not_summoned",
    "x_error",
    "partial",
    "strange_answer",
]
At = Literal["answer", "read"]

META: Final = frozenset(place for place in PLACES if CHANNEL[place] == "meta")
# Nobody can answer or read an encrypted chat.
X: Final[frozenset[Place]] = X_POSTS | {"x_direct_message"}
# Faults that only some places know; all others can happen everywhere.
ONLY_AT: Final[dict[FaultName, frozenset[Place]]] = {
    "window_closed": PRIVATE,
    "graph_error": META,
    "duplicate": X_POSTS,
    "not_summoned": X_POSTS,
    "x_error": X,
    "partial": X,
}
# What cannot happen to somebody who only looks at their own posts and messages.
NOT_ON_READING_X: Final[frozenset[FaultName]] = frozenset({"gone", "duplicate", "not_summoned"})
# What only some faults can be told, by its name in /faults.
TOLD: Final[dict[str, frozenset[FaultName]]] = {
    "code": frozenset({"graph_error"}),
    "status": frozenset({"graph_error", "x_error", "strange_answer"}),
    "type": frozenset({"x_error", "partial"}),
    "detail": frozenset({"x_error", "partial"}),
    "with_data": frozenset({"partial"}),
    "body": frozenset({"strange_answer"}),
    "accepted": frozenset({"strange_answer"}),
}


class Fault(BaseModel):
    """Something to go wrong with the next replies of a kind, or with looking for them."""

    model_config = ConfigDict(extra="forbid")

    on: Place | Literal["any"]
    fault: FaultName
    at: At = "answer"
    times: PositiveInt = 1
    hold_seconds: PositiveFloat = 15  # accept_then_timeout
    # strange_answer
    body: str = ""
    accepted: bool = False  # only the answer is strange
    # graph_error
    code: int | None = None
    subcode: int | None = None
    status: Annotated[int, Field(ge=200, le=599)] = 400  # and x_error's, strange_answer's
    # x_error, partial
    type: str = "about:blank"
    detail: str = ""
    with_data: bool = True  # partial: beside the errors

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not any(self.strikes(place, self.at) for place in PLACES):
            raise ValueError(f"{self.fault} cannot happen to {self.on} at {self.at}")
        if (self.fault == "graph_error") != (self.code is not None):
            raise ValueError("a code goes with graph_error, and graph_error with a code")
        if self.status < 400 and self.fault != "strange_answer":
            raise ValueError(f"{self.status} is no error")
        for name in self.model_fields_set & TOLD.keys():
            if self.fault not in TOLD[name]:
                raise ValueError(f"{self.fault} has no {name}")
        return self

    def strikes(self, place: Place, at: At) -> bool:
        possible = ONLY_AT.get(self.fault, META | X)
        if at == "read" and self.fault in NOT_ON_READING_X:
            possible = possible & META
        return self.at == at and self.on in (place, "any") and place in possible
