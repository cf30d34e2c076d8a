"""Promise: whatever fails, and wherever, a customer is answered once or a human knows why not.

Each table is the promise itself: what goes wrong, where, and how it ends. A row plays one customer,
lets it go wrong, and drains everything; then nothing may be lost, and nothing said twice.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from random import Random
from types import SimpleNamespace
from typing import Any, Literal, get_args

import botocore.endpoint
import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from firstreply import aws, platform
from firstreply.inbox import MOST_PARTS, PART_BYTES
from functions.fetch import app as fetch
from functions.respond import app as respond
from local.simulator.faults import FaultName
from tests.aws import World

type Fault = Mapping[str, Any]

FACEBOOK, INSTAGRAM, MESSENGER = "facebook_comment", "instagram_comment", "messenger"
MENTION, DIRECT = "x_mention", "x_direct_message"
META = (FACEBOOK, MESSENGER, INSTAGRAM)
X = (MENTION, DIRECT)
ALL = META + X
ON_X_IN_PUBLIC = (MENTION,)
IN_PRIVATE_ON_META = (MESSENGER, "instagram_message")
FETCHED = ("facebook_mention", "instagram_mention")

PAGE, TWO = "102030405060708", ("first", "second")
THANKS = "Lovely crew, thank you"
COMPLAINT = "Your app keeps crashing and nobody answers"

# What httpx waits here, in seconds, and for how long a platform holds back its answer.
PATIENCE, HELD_BACK = 0.2, 0.4


@dataclass(frozen=True)
class Ends:
    """How often the customer reads the answer, the reason that a human reads if there is one, and
    whether the platform was waited for (no failed try), or the account stopped. `set_aside`: it
    lies in a dead-letter queue, which has an alarm."""

    answers: int
    human: str = ""
    waits: bool = False
    stops: bool = False
    set_aside: bool = False


ANSWERED = Ends(1)
WAITS = Ends(1, waits=True)
SET_ASIDE = Ends(0, set_aside=True)


def human(reason: str, answers: int = 0) -> Ends:
    return Ends(answers, human=reason)


def stopped(reason: str, answers: int = 0) -> Ends:
    return Ends(answers, human=reason, stops=True)


def fault(name: str, **more: object) -> Fault:
    return {"on": "any", "fault": name, **more}


def always(one: Fault) -> Fault:
    return {**one, "times": 50}


LIMIT, BROKEN = fault("rate_limited"), fault("server_error")
DISCONNECTS, GONE, EXPIRED = fault("disconnect"), fault("gone"), fault("token_expired")
SILENT = fault("accept_then_timeout", hold_seconds=HELD_BACK)
LOST = fault("accept_then_disconnect")


def graph(code: int, subcode: int | None = None, status: int = 400) -> Fault:
    more = {"subcode": subcode} if subcode else {}
    return fault("graph_error", code=code, status=status, **more)


def x_error(status: int, **more: object) -> Fault:
    return fault("x_error", status=status, **more)


def strange(status: int, body: str = "", *, accepted: bool = False) -> Fault:
    return fault("strange_answer", status=status, body=body, accepted=accepted)


WINDOW_CLOSED = "graph 400 10/2018278: the time to answer is over"
UNREADABLE, PAGE_OF_A_PROXY = "{not json", "<html>Bad gateway</html>"
TOKEN_META = "graph 400 190/463: the token is not valid any more"
TOKEN_X = "x 401 about:blank: the token is not valid any more"

type Rows = Sequence[tuple[str, Fault, Sequence[str], Ends]]

# --- a platform fails while something is said -----------------------------------------------------

SENDING: Rows = [
    # "Not now" is no failed try.
    ("a limit is reached", LIMIT, ALL, WAITS),
    ("429 without a word", strange(429), ALL, WAITS),
    ("429 with Graph's code of the app's limit", graph(4, status=429), META, WAITS),
    ("Graph's code of a page's limit, as 400", graph(80001), META, WAITS),
    ("429 without X's header of the window", x_error(429), X, WAITS),
    # Nobody knows whether it is out: the platform is asked, and tells.
    ("500, and it is not out", BROKEN, ALL, ANSWERED),
    ("500, though it is out", strange(500, accepted=True), ALL, ANSWERED),
    ("a proxy's 502, and it is not out", strange(502, PAGE_OF_A_PROXY), ALL, ANSWERED),
    ("a proxy's 504, though it is out", strange(504, "<html>", accepted=True), ALL, ANSWERED),
    ("Graph's 'try again' as 400", graph(1), META, ANSWERED),
    ("accepted, then nothing is heard", SILENT, ALL, ANSWERED),
    ("accepted, then the connection breaks", LOST, ALL, ANSWERED),
    ("the connection breaks before", DISCONNECTS, ALL, ANSWERED),
    ("200 that is not JSON, and it is not out", strange(200, UNREADABLE), ALL, ANSWERED),
    ("200 that is not JSON, though it is out", strange(200, "{", accepted=True), ALL, ANSWERED),
    ("200 without an id", strange(200, "{}", accepted=True), ALL, ANSWERED),
    ("200 with a list", strange(200, "[]", accepted=True), ALL, ANSWERED),
    ("X tells of errors beside what it did", fault("partial"), X, ANSWERED),
    ("X tells of errors in place of doing it", fault("partial", with_data=False), X, ANSWERED),
    ("X calls it a repetition once", fault("duplicate"), ON_X_IN_PUBLIC, ANSWERED),
    # Every try may have been the one that arrived: in the end a human gets it.
    ("500 again and again on Graph", always(BROKEN), META, human("graph 500 2/None")),
    ("500 again and again on X", always(BROKEN), X, human("x 500 about:blank")),
    (
        "X calls it a repetition again and again",
        always(fault("duplicate")),
        ON_X_IN_PUBLIC,
        human("x 403 about:blank duplicate"),
    ),
    # "No" is for a human, with the reason.
    (
        "the window is closed",
        fault("window_closed"),
        IN_PRIVATE_ON_META,
        human(WINDOW_CLOSED),
    ),
    (
        "the comment is gone",
        GONE,
        (FACEBOOK, INSTAGRAM),
        human("graph 400 100/33: it is not there any more"),
    ),
    (
        "the person has blocked the page",
        GONE,
        (MESSENGER,),
        human("graph 400 551/1545041: this person cannot be messaged"),
    ),
    ("the post is gone", GONE, ON_X_IN_PUBLIC, human("x 403 about:blank")),
    ("the person has blocked us on X", GONE, (DIRECT,), human("x 404 about:blank")),
    ("nobody summoned us", fault("not_summoned"), ON_X_IN_PUBLIC, human("x 403 about:blank")),
    ("a permission is missing", graph(200), META, human("graph 400 200/None: no permission")),
    ("a permission is missing, as 403", graph(10), META, human("graph 400 10/None: no permission")),
    (
        "X knows a type of problem",
        x_error(403, type="https://api.twitter.com/2/problems/client-forbidden"),
        X,
        human("x 403 client-forbidden"),
    ),
    ("a code that nobody knows", graph(98765, 4321), META, human("graph 400 98765/4321")),
    ("a status that nobody knows", x_error(418), X, human("x 418 about:blank")),
    ("Graph sends us elsewhere", strange(307), META, human("graph 307 None/None")),
    ("X sends us elsewhere", strange(302), X, human("x 302 about:blank")),
    # The account stops: nothing more is said for it until the secret changes.
    ("the token has expired on Graph", EXPIRED, META, stopped(TOKEN_META)),
    ("the token has expired on X", EXPIRED, X, stopped(TOKEN_X)),
    (
        "Graph's session is over",
        graph(102, status=401),
        META,
        stopped("graph 401 102/None: the token is not valid any more"),
    ),
    (
        "401 without a word",
        strange(401),
        META,
        stopped("graph 401 None/None: the token is not valid any more"),
    ),
]

# --- and while it is asked whether that was said already ------------------------------------------

NO_LIST = {"meta": "graph answered without the list", "x": "x answered without the posts"}

# Each row twice: after an answer that is out in silence, and after one that is not.
ASKING: Rows = [
    ("a limit is reached", LIMIT, ALL, WAITS),
    ("500", BROKEN, ALL, ANSWERED),
    ("502 of a proxy", strange(502, PAGE_OF_A_PROXY), ALL, ANSWERED),
    ("Graph's 'try again' as 400", graph(2), META, ANSWERED),
    ("nothing is heard", SILENT, ALL, ANSWERED),
    ("the connection breaks", DISCONNECTS, ALL, ANSWERED),
    # What cannot be found out, a human finds out.
    ("500 again and again", always(BROKEN), ALL, human("not answered: RemoteProtocolError")),
    ("200 that is not JSON on Graph", strange(200, UNREADABLE), META, human(NO_LIST["meta"])),
    ("200 that is not JSON on X", strange(200, UNREADABLE), X, human(NO_LIST["x"])),
    ("200 without the list on Graph", strange(200, "{}"), META, human(NO_LIST["meta"])),
    ("200 without the list on X", strange(200, "{}"), X, human(NO_LIST["x"])),
    ("X tells of errors", fault("partial"), X, human(NO_LIST["x"])),
    ("a permission is missing", graph(10), META, human("graph 400 10/None: no permission")),
    ("X forbids it", x_error(403), X, human("x 403 about:blank")),
    ("the token has expired on Graph", EXPIRED, META, stopped(TOKEN_META)),
    ("the token has expired on X", EXPIRED, X, stopped(TOKEN_X)),
]

# --- and while words are fetched that a webhook left out ------------------------------------------

FETCHING: Rows = [
    ("a limit is reached", LIMIT, FETCHED, WAITS),
    ("429 without a word", strange(429), FETCHED, WAITS),
    ("500", BROKEN, FETCHED, ANSWERED),
    ("502 of a proxy", strange(502, PAGE_OF_A_PROXY), FETCHED, ANSWERED),
    ("nothing is heard", SILENT, FETCHED, ANSWERED),
    ("the connection breaks", DISCONNECTS, FETCHED, ANSWERED),
    # What cannot be had lies where an alarm shows it, and can be asked for again.
    ("500 again and again", always(BROKEN), FETCHED, SET_ASIDE),
    ("200 that is never JSON", always(strange(200, UNREADABLE)), FETCHED, SET_ASIDE),
    ("200 without words", always(strange(200, "{}")), FETCHED, SET_ASIDE),
    ("it is gone", always(GONE), FETCHED, SET_ASIDE),
    ("a permission is missing", always(graph(10)), FETCHED, SET_ASIDE),
    ("the token has expired", EXPIRED, FETCHED, Ends(0, set_aside=True, stops=True)),
]


# --- AWS fails ------------------------------------------------------------------------------------

# How a call fails: refused, with or without a reason of its own; not reached; or done, but its
# answer was lost, once (botocore repeats it) or at every try; or, of a batch, the last one refused.
type How = Literal[
    "throttled", "broken", "not reached", "answer lost", "gone quiet", "refused in part"
]
# What the function makes of it: nobody notices, or what called it calls again.
type Noticed = Literal["unnoticed", "again"]
type Stage = Literal["door", "classify", "respond", "escalate"]

STAGES: tuple[Stage, ...] = ("door", "classify", "respond", "escalate")
HOW: tuple[How, ...] = ("throttled", "broken", "not reached", "answer lost", "gone quiet")
PUT, GET, UPDATE = "PutItem", "GetItem", "UpdateItem"
SEND_MANY, SEND, SECRET = "SendMessageBatch", "SendMessage", "GetSecretValue"

# Which call of the stage (of that kind, the first if not said), how it fails, who notices.
AWS: Sequence[tuple[Stage, str, int, How, Noticed]] = [
    # "again" at the door is 500: the platform delivers again.
    ("door", PUT, 1, "throttled", "again"),
    ("door", PUT, 1, "broken", "again"),
    ("door", PUT, 1, "not reached", "again"),
    ("door", PUT, 1, "answer lost", "unnoticed"),
    ("door", PUT, 1, "gone quiet", "again"),
    ("door", SECRET, 1, "broken", "again"),
    ("door", SECRET, 1, "answer lost", "unnoticed"),
    # The Inbox's stream brings the delivery again.
    ("classify", PUT, 1, "throttled", "again"),
    ("classify", PUT, 1, "broken", "again"),
    ("classify", PUT, 1, "answer lost", "unnoticed"),
    ("classify", PUT, 1, "gone quiet", "again"),
    ("classify", GET, 1, "throttled", "again"),
    ("classify", SECRET, 1, "throttled", "again"),
    ("classify", SEND_MANY, 1, "refused in part", "again"),
    ("classify", SEND_MANY, 2, "refused in part", "again"),
    ("classify", SEND_MANY, 1, "throttled", "again"),
    ("classify", SEND_MANY, 2, "gone quiet", "again"),
    # The ReplyQueue: the 1st update claims the reply, the 2nd takes the turn, the 3rd begins to
    # send, the 4th settles it.
    ("respond", SECRET, 1, "broken", "again"),
    ("respond", UPDATE, 1, "throttled", "again"),
    ("respond", UPDATE, 1, "answer lost", "unnoticed"),
    ("respond", UPDATE, 1, "gone quiet", "again"),
    ("respond", UPDATE, 2, "throttled", "again"),
    ("respond", UPDATE, 2, "answer lost", "unnoticed"),
    ("respond", UPDATE, 2, "gone quiet", "again"),
    ("respond", UPDATE, 3, "throttled", "again"),
    ("respond", UPDATE, 3, "not reached", "again"),
    ("respond", UPDATE, 3, "answer lost", "unnoticed"),
    ("respond", UPDATE, 3, "gone quiet", "again"),
    ("respond", UPDATE, 4, "throttled", "again"),
    ("respond", UPDATE, 4, "answer lost", "unnoticed"),
    ("respond", UPDATE, 4, "gone quiet", "again"),
    # The ComplaintQueue.
    ("escalate", PUT, 1, "throttled", "again"),
    ("escalate", PUT, 1, "answer lost", "unnoticed"),
    ("escalate", PUT, 1, "gone quiet", "again"),
    ("escalate", SEND, 1, "throttled", "again"),
    ("escalate", SEND, 1, "gone quiet", "again"),
    ("escalate", UPDATE, 1, "not reached", "again"),
    ("escalate", UPDATE, 2, "broken", "again"),
]

# While a human is to be told of an answer that its customer did not get.
HANDING_OVER: Sequence[tuple[str, int, How, Noticed]] = [
    (UPDATE, 4, "throttled", "again"),
    (UPDATE, 5, "gone quiet", "again"),
    (SEND_MANY, 1, "throttled", "again"),
    (SEND_MANY, 1, "refused in part", "again"),
    (SEND_MANY, 1, "gone quiet", "again"),
    (UPDATE, 6, "broken", "again"),
]

# --- one row --------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of time-outs, and of botocore's pauses between two tries, are not waited for."""
    monkeypatch.setattr(platform, "TIMEOUT", httpx.Timeout(PATIENCE))
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))


@dataclass(frozen=True)
class Row:
    """A customer and what became of what they wrote."""

    stack: World
    customers: httpx.Client

    def order(self, one: Fault, at: str = "answer") -> None:
        self.customers.post("/faults", json={**one, "at": at}).raise_for_status()

    def say(self, place: str, text: str = THANKS, **more: object) -> str:
        body = {"place": place, "text": text, **more}
        said: str = self.customers.post("/say", json=body).raise_for_status().json()["id"]
        return said

    def answers(self, message_id: str) -> list[Any]:
        found: list[Any] = self.customers.get("/said", params={"in_reply_to": message_id}).json()
        return found

    def calls(self) -> list[Any]:
        """Without the courtesies before a message."""
        found: list[Any] = self.customers.get("/calls").json()
        return [call for call in found if call["what"] in (None, "text")]

    def check_that_it_happened(self, one: Fault) -> None:
        left = sum(one["times"] for one in self.customers.get("/faults").json())
        assert left < one.get("times", 1), "the fault did not happen"

    def check(self, message_id: str, ends: Ends, tries: int = 0) -> None:
        """Of what FirstReply had to answer: nothing lost, nothing twice, the right reason."""
        assert len(self.answers(message_id)) == ends.answers
        events = self.stack.events()
        failed = [e["data"]["failed_reply"]["reason"] for e in events if _is(e, "reply_refused")]
        assert failed == ([ends.human] if ends.human else [])
        assert len([e for e in events if _is(e, "opened")]) == bool(ends.human)
        assert bool(self.stack.dead) is ends.set_aside
        if ends.waits:
            assert len(self.stack.came_back) == tries, "waiting is no failed try"

    def check_stopped(self, place: str, ends: Ends) -> None:
        """What comes after a token that died reaches a human, and nobody knocks any more."""
        self.customers.delete("/faults").raise_for_status()
        before = len(self.calls())
        message_id = self.say(place)
        self.stack.drain()
        assert len(self.calls()) == before
        if ends.human:
            self.check(message_id, Ends(0, human=ends.human))


def _is(event: Mapping[str, Any], kind: str) -> bool:
    return str(event["type"]).split(".")[2] == kind


@pytest.fixture
def row(stage: tuple[World, httpx.Client]) -> Row:
    return Row(*stage)


def expanded(rows: Rows, *more: object) -> list[Any]:
    """A row at one of its places on Meta and one on X, and with one of `more`, others for the next
    row; what is left takes long (make test-deep)."""
    found = []
    for number, (name, one, places, ends) in enumerate(rows):
        possible = list(product(places, more or (None,)))
        on_x = [each for each in possible if each[0] in X]
        on_meta = [each for each in possible if each[0] not in X]
        chosen = [some[number // 2 % len(some)] for some in (on_meta, on_x) if some]
        for place, extra in possible:
            marks = () if (place, extra) in chosen else (pytest.mark.deep,)
            values = (one, place, ends, extra) if more else (one, place, ends)
            label = f"{place}: {name}" + (f", {extra}" if more else "")
            found.append(pytest.param(*values, id=label, marks=marks))
    return found


# --- a platform -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "place", "ends"), expanded(SENDING))
def test_a_platform_that_fails_while_we_speak_neither_loses_nor_doubles(
    row: Row, one: Fault, place: str, ends: Ends
) -> None:
    row.order(one)
    message_id = row.say(place)
    row.stack.drain()
    row.check_that_it_happened(one)
    row.check(message_id, ends)
    if ends.stops:
        row.check_stopped(place, ends)


@pytest.mark.parametrize(("one", "place", "ends", "so_far"), expanded(ASKING, "out", "not out"))
def test_a_platform_that_fails_while_we_ask_is_asked_again_or_a_human_asks(
    row: Row, one: Fault, place: str, ends: Ends, so_far: str
) -> None:
    is_out = so_far == "out"
    row.order(LOST if is_out else DISCONNECTS)
    row.order(one, at="read")
    message_id = row.say(place)
    row.stack.drain()
    row.check_that_it_happened(one)
    row.check(message_id, replace(ends, answers=is_out) if ends.human else ends, tries=1)
    if ends.stops:
        row.check_stopped(place, ends)


@pytest.mark.parametrize(("one", "place", "ends"), expanded(FETCHING))
def test_a_platform_that_fails_while_we_fetch_is_asked_again_or_an_operator_sees_it(
    row: Row, one: Fault, place: str, ends: Ends
) -> None:
    """Of a mention on Instagram, which nobody can answer, a human is told."""
    row.order(one, at="read")
    message_id = row.say(place, COMPLAINT)
    row.stack.drain()
    row.check_that_it_happened(one)
    events = row.stack.events()
    assert [e["data"]["message"]["id"] for e in events] == [message_id] * ends.answers
    assert len(row.answers(message_id)) == (ends.answers if place == "facebook_mention" else 0)
    assert bool(row.stack.dead) is ends.set_aside
    if ends.waits:
        assert row.stack.came_back == [], "waiting is no failed try"
    if ends.stops:
        row.check_stopped(place, ends)


@pytest.mark.parametrize(("place", "times"), [(FACEBOOK, 1), (DIRECT, 3)])
def test_a_platform_that_is_not_reached_for_a_while_is_tried_again(
    row: Row, monkeypatch: pytest.MonkeyPatch, place: str, times: int
) -> None:
    message_id = row.say(place)
    row.stack.pump_inbox()
    with monkeypatch.context() as down:
        for name in ("GRAPH_API_URL", "X_API_URL"):
            down.setenv(name, "http://127.0.0.1:9")
        for _ in range(times):
            row.stack.pump("reply", respond.handler)
    row.stack.drain()
    row.check(message_id, ANSWERED)
    assert len(row.stack.came_back) == times


@pytest.mark.parametrize("place", [MESSENGER, MENTION])
def test_a_platform_that_is_not_reached_at_all_leaves_its_customers_to_humans(
    row: Row, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    for name in ("GRAPH_API_URL", "X_API_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    message_id = row.say(place)
    row.stack.drain()
    row.check(message_id, human("not reached: ConnectError"))


def test_every_fault_that_can_be_ordered_is_in_a_table(
    record_property: Callable[[str, object], None],
) -> None:
    tried = {one["fault"] for _, one, _, _ in (*SENDING, *ASKING, *FETCHING)}
    assert tried == set(get_args(FaultName))
    rows = [*expanded(SENDING), *expanded(ASKING, "out", "not out"), *expanded(FETCHING)]
    every, now = len(rows), sum(not row.marks for row in rows)
    record_property(
        "figure",
        f"faults: {every} of platforms ({now} of them in each run), {len(AWS)} of AWS at chosen"
        f" calls, {len(HANDING_OVER)} while handing over; lost 0, doubled 0",
    )


# --- AWS ------------------------------------------------------------------------------------------


class Trouble:
    """Lets an AWS call of the functions fail, below their code and above the network."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._due: tuple[str, int, How] | None = None
        self._unheard, self._refused = 0, ""

    def order(self, operation: str, nth: int, how: How) -> None:
        """`nth` of that kind from now on."""
        self.calls, self._due = [], (operation, nth, how)

    @property
    def has_struck(self) -> bool:
        return self._due is None and self._unheard == 0

    def before_call(self, model: Any, params: dict[str, Any], **_: Any) -> Any:
        self.calls.append(model.name)
        if self._due is None or self._due[:2] != (model.name, self.calls.count(model.name)):
            return None
        how = self._due[2]
        self._due = None
        match how:
            case "throttled":
                return _refusal(400, "ThrottlingException")
            case "broken":
                return _refusal(500, "InternalServerError")
            case "not reached":
                raise EndpointConnectionError(endpoint_url=params["url"])
            case "answer lost":
                self._unheard = 1
            case "gone quiet":
                self._unheard = 2  # as often as botocore tries
            case "refused in part":
                return self._refuse_the_last(params)
        return None

    def _refuse_the_last(self, params: dict[str, Any]) -> Any:
        body = json.loads(params["body"])
        self._refused = body["Entries"].pop()["Id"]
        if body["Entries"]:
            params["body"] = json.dumps(body).encode()
            return None
        answer: dict[str, Any] = {}
        self.after_call(answer)
        return AWSResponse("", 200, HTTPHeaders(), None), answer

    def after_call(self, parsed: dict[str, Any], **_: Any) -> None:
        if self._refused:
            failed = {"Id": self._refused, "Code": "InternalError", "SenderFault": False}
            parsed.setdefault("Failed", []).append(failed)
            self._refused = ""

    def before_send(self, request: Any, **_: Any) -> None:
        """After AWS has done it."""
        if self._unheard:
            self._unheard -= 1
            raise ReadTimeoutError(endpoint_url=request.url)


def _refusal(status: int, code: str) -> tuple[AWSResponse, dict[str, Any]]:
    return AWSResponse("", status, HTTPHeaders(), None), {"Error": {"Code": code, "Message": ""}}


@pytest.fixture
def trouble(row: Row) -> Iterator[Trouble]:
    made = Trouble()
    clients = (
        aws.dynamodb_client(),
        aws.dynamodb().meta.client,
        aws.sqs(),
        aws.secretsmanager(),
    )
    for client in clients:
        client.meta.events.register("before-call", made.before_call)
        client.meta.events.register("after-call", made.after_call)
        client.meta.events.register_last("before-send", made.before_send)
    yield made
    for client in clients:
        client.meta.events.unregister("before-call", made.before_call)
        client.meta.events.unregister("after-call", made.after_call)
        client.meta.events.unregister("before-send", made.before_send)


def complaints(*ids: str) -> dict[str, Any]:
    """In one delivery, each by somebody else."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    events = [
        {
            "sender": {"id": f"person {one}"},
            "recipient": {"id": PAGE},
            "timestamp": now,
            "message": {"mid": one, "text": COMPLAINT},
        }
        for one in ids
    ]
    return {"object": "page", "entry": [{"id": PAGE, "time": now, "messaging": events}]}


@dataclass(frozen=True)
class Path:
    """Complaints on their way from stage to stage, in a delivery that comes twice."""

    row: Row
    ids: tuple[str, ...]
    body: Mapping[str, Any]

    def go(self, stage: Stage) -> Noticed:
        stack = self.row.stack
        stack.came_back.clear()
        match stage:
            case "door":
                delivery = {"channel": "meta", "body": self.body, "times": 2}
                answer = self.row.customers.post("/deliver", json=delivery).json()
                statuses = sorted(one["status"] for one in answer["deliveries"])
                assert statuses in ([200, 200], [200, 500])  # 500 is delivered again
                return "again" if 500 in statuses else "unnoticed"
            case "classify":
                stack.pump_inbox()
            case "respond":
                stack.pump("reply", respond.handler)
            case "escalate":
                stack.pump_complaints()
        return "again" if stack.came_back else "unnoticed"

    def check(self) -> None:
        stack = self.row.stack
        stack.drain()
        for one in self.ids:
            assert len(self.row.answers(one)) == 1
        events = {event["id"]: event for event in stack.events()}
        opened = [event["data"]["message"]["id"] for event in events.values()]
        assert sorted(opened) == sorted(self.ids)
        assert stack.dead == []
        assert stack.bodies("inbox-dead") == []


def setting_out(row: Row, *ids: str) -> Path:
    return Path(row, ids, complaints(*ids))


@pytest.mark.parametrize(("stage_", "operation", "nth", "how", "noticed"), AWS)
def test_an_aws_call_that_fails_is_made_again_and_loses_and_doubles_nothing(
    row: Row,
    trouble: Trouble,
    stage_: Stage,
    operation: str,
    nth: int,
    how: How,
    noticed: Noticed,
) -> None:
    path = setting_out(row, *(TWO if how == "refused in part" else TWO[:1]))
    for one in STAGES:
        if one == stage_:
            trouble.order(operation, nth, how)
        seen = path.go(one)
        assert seen == (noticed if one == stage_ else "unnoticed")
    assert trouble.has_struck
    path.check()


@pytest.mark.deep
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("stage_", STAGES)
def test_whichever_aws_call_fails_and_however_nothing_is_lost_or_doubled(
    row: Row,
    trouble: Trouble,
    stage_: Stage,
    how: How,
    record_property: Callable[[str, object], None],
) -> None:
    path = setting_out(row, *TWO)
    for one in STAGES[: STAGES.index(stage_)]:
        path.go(one)
    trouble.calls = []
    path.go(stage_)
    made = list(trouble.calls)
    assert made
    for at, operation in enumerate(made):
        row.stack.start_over()
        row.customers.delete("/").raise_for_status()
        row.customers.post("/settings", json={"echo": False}).raise_for_status()
        path = setting_out(row, *TWO)
        for one in STAGES:
            if one == stage_:
                trouble.order(operation, made[: at + 1].count(operation), how)
            path.go(one)
        assert trouble.has_struck
        path.check()
    record_property("figure", f"{stage_}: each of {len(made)} AWS calls {how}: lost 0, doubled 0")


@pytest.mark.parametrize(("operation", "nth", "how", "noticed"), HANDING_OVER)
def test_a_human_hears_of_an_answer_that_failed_though_aws_fails_too(
    row: Row, trouble: Trouble, operation: str, nth: int, how: How, noticed: Noticed
) -> None:
    row.order(always(fault("window_closed")))
    message_id = row.say(MESSENGER)
    row.stack.pump_inbox()
    trouble.order(operation, nth, how)
    row.stack.pump("reply", respond.handler)
    assert trouble.has_struck
    assert bool(row.stack.came_back) is (noticed == "again")
    row.stack.drain()
    events = {event["id"]: event for event in row.stack.events()}
    refused = [e["data"]["failed_reply"] for e in events.values() if _is(e, "reply_refused")]
    assert [one["reason"] for one in refused] == [WINDOW_CLOSED]
    assert len(events) == 2
    assert row.answers(message_id) == []
    assert row.stack.dead == []


def test_what_is_fetched_is_fetched_again_if_the_inbox_cannot_be_written(
    row: Row, trouble: Trouble
) -> None:
    message_id = row.say("facebook_mention", COMPLAINT)
    row.stack.pump_inbox()
    trouble.order(PUT, 1, "throttled")
    row.stack.pump("fetch", fetch.handler)
    assert trouble.has_struck
    assert len(row.stack.came_back) == 1
    row.stack.drain()
    assert len(row.answers(message_id)) == 1
    assert row.stack.dead == []


# --- large bodies ---------------------------------------------------------------------------------


def padding(size: int) -> str:
    """Of letters that compress little: what counts is the size that is kept."""
    return b64encode(Random(size).randbytes(size)).decode()


def heavy(kept: int) -> dict[str, Any]:
    """A delivery that takes about so many bytes in the Inbox."""
    body = complaints(*TWO)
    sample = padding(100_000)
    each = len(zlib.compress(sample.encode())) / 100_000
    return {**body, "padding": padding(int(kept / each))}


MOST_KEPT = MOST_PARTS * PART_BYTES


@pytest.mark.parametrize(
    ("kept", "status"),
    [(750_000, 200), (MOST_KEPT - 20_000, 200), (MOST_KEPT + 20_000, 413)],
    ids=["1 MB", "just what the Inbox keeps", "just more than the Inbox keeps"],
)
def test_a_large_delivery_is_kept_whole_or_refused_at_the_door(
    row: Row, kept: int, status: int
) -> None:
    body = heavy(kept)
    raw = json.dumps(body)
    packed = len(zlib.compress(raw.encode()))
    assert abs(packed - kept) < 20_000
    assert len(raw) < 6_000_000, "Lambda takes no more"
    delivery = {"channel": "meta", "raw": raw, "times": 2}
    answer = row.customers.post("/deliver", json=delivery, timeout=60).json()
    assert [one["status"] for one in answer["deliveries"]] == [status] * 2
    if status == 200:
        Path(row, TWO, body).check()
    else:
        assert row.stack.inbox.scan(Select="COUNT")["Count"] == 0


@pytest.mark.parametrize(("place", "letter"), [(FACEBOOK, "x"), (MESSENGER, "é"), (DIRECT, "🧳")])
def test_a_hundred_thousand_characters_are_cut_and_answered_like_any_other_message(
    row: Row, place: str, letter: str
) -> None:
    text = (f"{COMPLAINT}! {letter * 20}\n" * 2_000)[:100_000]
    message_id = row.say(place, text)
    row.stack.drain()
    assert len(row.answers(message_id)) == 1
    (event,) = row.stack.events()
    assert text.startswith(event["data"]["message"]["text"])
    assert 20_000 <= len(event["data"]["message"]["text"]) <= 50_000  # as its bytes allow
    assert row.stack.dead == []
