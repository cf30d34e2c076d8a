"""What can be ordered to go wrong."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from local.simulator.places import CHANNEL, PLACES, PRIVATE, Place

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
]
At = Literal["answer", "read"]

META: Final = frozenset(place for place in PLACES if CHANNEL[place] == "meta")
# Faults that only some places know; all others can happen everywhere.
ONLY_AT: Final[dict[FaultName, frozenset[Place]]] = {
    "window_closed": PRIVATE,
    "graph_error": META,
    "duplicate": frozenset({"x_mention"}),
    "not_summoned": frozenset({"x_mention"}),
}


class Fault(BaseModel):
    """Something to go wrong with the next replies of a kind, or with looking for them."""

    model_config = ConfigDict(extra="forbid")

    on: Place | Literal["any"]
    fault: FaultName
    at: At = "answer"
    times: PositiveInt = 1
    hold_seconds: PositiveFloat = 15  # accept_then_timeout
    # graph_error
    code: int | None = None
    subcode: int | None = None
    status: Annotated[int, Field(ge=400, le=599)] = 400

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not any(self.strikes(place, self.at) for place in PLACES):
            raise ValueError(f"{self.fault} cannot happen to {self.on} at {self.at}")
        if (self.fault == "graph_error") != (self.code is not None):
            raise ValueError("a code goes with graph_error, and graph_error with a code")
        return self

    def strikes(self, place: Place, at: At) -> bool:
        """Only Meta's reads go wrong; X's stay as they are."""
        possible = ONLY_AT.get(self.fault, PLACES if self.at == "answer" else META)
        return self.at == at and self.on in (place, "any") and place in possible
