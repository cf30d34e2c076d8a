"""Graph's errors, and the headers that tell how much a page has used up."""

import json
import secrets
from dataclasses import dataclass, replace
from typing import Final, Literal, NoReturn

from local.simulator.common import Json, Refusal

Kind = Literal["pages", "messenger", "instagram"]


@dataclass(frozen=True)
class Trouble:
    """One of Graph's errors. Clients must match the code: messages and statuses vary."""

    message: str
    code: int
    subcode: int | None = None
    status: int = 400
    type: str = "OAuthException"


TROUBLES: Final = {
    "path": Trouble("Unknown path components: {path}", 2500),
    "no_token": Trouble("An access token is required to request this resource.", 104),
    "bad_token": Trouble("Invalid OAuth access token - Cannot parse access token", 190),
    "token_expired": Trouble(
        "Error validating access token: Session has expired.", code=190, subcode=463
    ),
    "proof": Trouble(
        "Invalid appsecret_proof provided in the API argument", 100, type="GraphMethodException"
    ),
    "no_proof": Trouble(
        "API calls from the server require an appsecret_proof argument",
        code=100,
        type="GraphMethodException",
    ),
    "permission": Trouble("(#200) The page of this token may not do this", 200, status=403),
    "parameter": Trouble("(#100) The parameter {name} is required or invalid", 100),
    "too_long": Trouble(
        "(#100) Length of param message[text] must be less than or equal to {limit}", 100
    ),
    "gone": Trouble(
        "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due "
        "to missing permissions, or does not support this operation.",
        code=100,
        subcode=33,
        type="GraphMethodException",
    ),
    "live": Trouble("(#100) A comment on a live video takes private replies only", 100),
    "nobody": Trouble("(#100) No matching user found", 100, 2018001),
    "unavailable": Trouble("(#551) This person isn't available right now.", 551, 1545041),
    "window_closed": Trouble(
        "(#10) This message is sent outside of allowed window.", 10, subcode=2018278
    ),
    "replied_before": Trouble("(#10903) This user can't reply to this activity", 10903),
    "too_old": Trouble("(#10902) This is not a Replyable activity", 10902),
    "rate_limited": Trouble("(#32) Page request limit reached", 32),
    "server_error": Trouble(
        "An unexpected error has occurred. Please retry your request later.", 2, status=500
    ),
}


def trouble(which: str, headers: Json | None = None, /, **words: str) -> Refusal:
    known = TROUBLES[which]
    return _refusal(replace(known, message=known.message.format(**words)), headers)


def _refusal(known: Trouble, headers: Json | None = None) -> Refusal:
    error: Json = {"message": known.message, "type": known.type, "code": known.code}
    if known.subcode:
        error["error_subcode"] = known.subcode
    error["fbtrace_id"] = f"A{secrets.token_urlsafe(16)}"
    return Refusal(known.status, {"error": error}, headers)


def graph_error(code: int, subcode: int | None, status: int) -> Refusal:
    """Any row of Graph's table of errors; only its numbers matter."""
    return _refusal(Trouble(f"(#{code}) An error that was ordered", code, subcode, status))


def usage(page: str, kind: Kind, percent: int, wait: int) -> Json:
    """Meta's two usage headers; `wait` is in minutes."""
    spent = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    case = {"type": kind, **spent, "estimated_time_to_regain_access": wait}
    return {
        "X-App-Usage": json.dumps(spent),
        "X-Business-Use-Case-Usage": json.dumps({page: [case]}),
    }


def refuse(which: str, /, **words: str) -> NoReturn:
    raise trouble(which, None, **words)
