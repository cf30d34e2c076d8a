"""The stack on moto and the platforms over HTTP, with time and every delivery in a test's hand.

Nothing moves by itself: what a platform sends waits until it is delivered, what a queue holds waits
until it is pumped, and one clock, which stands still, is the functions' and the platforms'.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Condition
from types import ModuleType
from typing import Any, Final

import boto3
import httpx
import pytest

from firstreply.inbox import Delivery
from functions.classify import app as classify
from functions.escalate import app as escalate
from functions.fetch import app as fetch
from functions.respond import app as respond
from functions.webhook import app as webhook
from local.simulator import DEMO_SECRET, Simulator, meta_wire, x_wire
from local.simulator.world import now as platforms_clock
from tests.aws import FUNCTIONS, World, backend, world
from tests.gateway import gateway
from tests.promises.fuse import Crash, Fuse, Fused, crash, fuse_calls, kept
from tests.sink import Sink, opened
from tests.unit.channels.samples import standard_headers

START: Final = datetime(2026, 11, 22, 9, tzinfo=UTC)
# As template.yaml has it: who works a queue, in which batches, and after how many receives a
# message is dead.
WORKERS: Final[Mapping[str, tuple[ModuleType, int, int]]] = {
    "fetch": (fetch, 1, 5),
    "reply": (respond, 1, 5),
    "complaint": (escalate, 5, 20),
}
COMES_BACK: Final = timedelta(seconds=180)  # the queues' visibility timeout
STREAM_BATCH: Final = 10
_NEVER: Final = float("inf")
_PATIENCE_SECONDS: Final = 5.0
_ENOUGH: Final = 300  # pumps until nothing moves: a world that talks to itself would not end

type Record = dict[str, Any]


@dataclass(eq=False)
class Parcel:
    """One POST of a platform, another source or the helpdesk, on its way."""

    channel: str
    raw: str

    @property
    def key(self) -> str:
        """Its key in the Inbox."""
        return Delivery(channel=self.channel, body=self.raw.encode(), received_at=START).key


class Carrier:
    """Stands between the platforms and the webhook: thanks them, and keeps what they sent."""

    def __init__(self) -> None:
        self._came, self._parcels = Condition(), list[Parcel]()

    def knock(
        self,
        channel: str,
        body: str,
        headers: Mapping[str, str],
        method: str,
        query: Mapping[str, str],
    ) -> dict[str, Any]:
        with self._came:
            self._parcels.append(Parcel(channel, body))
            self._came.notify_all()
        return {"statusCode": 200, "headers": {}, "body": ""}

    def take(self, count: int) -> list[Parcel]:
        """The next parcels; echoes come from a thread of the simulator's."""
        with self._came:
            came = self._came.wait_for(lambda: len(self._parcels) >= count, _PATIENCE_SECONDS)
            assert came, "an echo did not come"
            taken, self._parcels = self._parcels, []
        assert len(taken) == count
        return taken

    def forget(self) -> None:
        with self._came:
            self._parcels = []


class Keys:
    """The secrets and tokens: which ones the platforms use, and which ones the stack knows."""

    def __init__(self) -> None:
        self.phase, self.tokens = 0, Counter[str]()
        self.known_tokens = Counter[str]()

    @staticmethod
    def of_the_platforms() -> dict[str, Any]:
        secret: dict[str, Any] = deepcopy(dict(DEMO_SECRET))
        secret["meta"]["app_secrets"][:1] = ["demo-old-app-secret", "demo-new-app-secret"]
        secret["x"]["consumer_secrets"] = ["demo-old-consumer-secret", "demo-new-consumer-secret"]
        return secret

    def of_the_stack(self) -> dict[str, Any]:
        """0: the old one; 1 and 2: both; 3: the new one alone."""
        secret = self.of_the_platforms()
        here = {0: slice(0, 1), 1: slice(0, 2), 2: slice(0, 2), 3: slice(1, 2)}[self.phase]
        secret["meta"]["app_secrets"] = secret["meta"]["app_secrets"][:2][here]
        secret["x"]["consumer_secrets"] = secret["x"]["consumer_secrets"][here]
        for channel in ("meta", "x"):
            if number := self.known_tokens[channel]:
                _, account = main_account(channel)
                secret[channel]["accounts"][account] |= new_token(channel, number)
        return secret

    def sign(self, parcel: Parcel, now: datetime) -> dict[str, str]:
        """The platforms sign with the new one from phase 2 on."""
        all_keys, at = self.of_the_platforms(), int(self.phase >= 2)
        raw = parcel.raw.encode()
        if parcel.channel in ("generic", "helpdesk"):
            return standard_headers(all_keys[parcel.channel]["secrets"][0], raw, at=now)
        if parcel.channel == "meta":
            return meta_wire.sign(all_keys["meta"]["app_secrets"][at], raw, "valid")
        return x_wire.sign(all_keys["x"]["consumer_secrets"][at], raw, "valid")

    def words(self) -> set[str]:
        """Whatever of it must not be in a log."""
        found = set[str]()
        for secret in (self.of_the_platforms(), self.of_the_stack()):
            meta, x = secret["meta"], secret["x"]
            found |= {*meta["app_secrets"], *x["consumer_secrets"], x["consumer_key"]}
            found |= {*secret["generic"]["secrets"], *secret["helpdesk"]["secrets"]}
            for account in (*meta["accounts"].values(), *x["accounts"].values()):
                found |= {v for k, v in account.items() if "token" in k or "secret" in k}
        return {word.lower() for word in found}


def main_account(channel: str) -> tuple[str, str]:
    return channel, next(iter(DEMO_SECRET[channel]["accounts"]))


def new_token(channel: str, number: int) -> dict[str, str]:
    token = f"demo-{channel}-token-{number}-not-real"
    if channel == "meta":
        return {"token": token}
    return {"access_token": token, "access_token_secret": f"demo-token-secret-{number}-not-real"}


@dataclass(frozen=True)
class Strike:
    """What hits the next invocation of a function at a boundary: a crash, or another invocation
    from beginning to end, of one of those that are due."""

    function: str
    at: int
    other: int | None = None


@dataclass
class Stage:
    """Plays one history after another; `begin` forgets the one before."""

    stack: World
    control: httpx.Client
    carrier: Carrier
    sink: Sink
    fuse: Fuse
    now: datetime = START
    keys: Keys = field(default_factory=Keys)
    on_the_way: list[Parcel] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)  # the Inbox keys of what was answered 200
    stream: list[Record] = field(default_factory=list)
    read: dict[str, Record] = field(default_factory=dict)  # by the classifier, by Inbox key
    dead: dict[str, list[str]] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    echoes: bool = True
    strikes: list[Strike] = field(default_factory=list)
    crashes: int = 0
    _returns: dict[str, datetime] = field(default_factory=dict)
    _in_flight: set[str] = field(default_factory=set)
    _crashed_on: set[str] = field(default_factory=set)

    def begin(self, *, echoes: bool = True) -> None:
        """`echoes`: whether the platforms tell the brand of its own words."""
        self.control.delete("/").raise_for_status()
        self.control.post("/settings", json={"echo": echoes}).raise_for_status()
        self.carrier.forget()
        self.sink.start_over()
        self.echoes = echoes
        self.stack.empty()
        _cool_down_functions()
        self.strikes = []
        self.now, self.keys = START, Keys()
        self.pass_time(timedelta())
        self.know_secret()
        self.on_the_way, self.accepted, self.stream, self.read = [], set(), [], {}
        self.dead, self.said = {name: [] for name in WORKERS}, []
        self._returns, self._in_flight, self._crashed_on = {}, set(), set()

    # --- time, secrets, platforms ---------------------------------------------------------------

    def clock(self) -> datetime:
        return self.now

    def pass_time(self, time: timedelta) -> None:
        self.now += time
        platforms_clock.stopped_at = self.now

    def know_secret(self) -> None:
        """The stack's secret becomes what `keys` says."""
        secret = json.dumps(self.keys.of_the_stack())
        boto3.client("secretsmanager").put_secret_value(SecretId="channels", SecretString=secret)

    def ask(self, path: str, **body: object) -> dict[str, Any]:
        """Something happens on a platform; what it has to tell is on its way."""
        answer = self.control.post(path, json=body).raise_for_status().json()
        if isinstance(answer, dict):
            self.on_the_way += self.carrier.take(len(answer.get("deliveries", ())))
            return answer
        return {}

    def tell(self, entrance: str, body: object) -> Parcel:
        """Another source, or the helpdesk, has something to tell."""
        parcel = Parcel(entrance, json.dumps(body))
        self.on_the_way.append(parcel)
        return parcel

    def deliver(self, parcel: Parcel) -> bool:
        """Whether it was answered 200; if not, it is still on its way."""
        answer = self._call(
            webhook,
            lambda: self.stack.knock(parcel.channel, parcel.raw, self.keys.sign(parcel, self.now)),
        )
        is_taken = bool(answer) and answer["statusCode"] == 200
        if is_taken:
            self.accepted.add(parcel.key)
            if parcel in self.on_the_way:
                self.on_the_way.remove(parcel)
        return is_taken

    # --- one step of one queue ------------------------------------------------------------------

    def pump(self, queue: str, pick: int = 0) -> bool:
        """One batch, beginning with any of what is due; False if there is none."""
        return self._pump_stream(pick) if queue == "inbox" else self._pump_queue(queue, pick)

    def due(self) -> list[str]:
        """Where a pump would find something."""
        found = ["inbox"] if self._due_records() else []
        for queue in WORKERS:
            if any(self._is_due(one.id) for one in backend("sqs").queues[queue]._messages):
                found.append(queue)
        return found

    def _due_records(self) -> list[Record]:
        return [one for one in self.stream if _sequence(one) not in self._in_flight]

    def _pump_stream(self, pick: int) -> bool:
        """Several shards: records come in any order. Even picks bring one, odd ones a batch."""
        due = self._due_records()
        if not due:
            return False
        at = pick // 2 % len(due)
        batch = (due[at:] + due[:at])[: STREAM_BATCH if pick % 2 else 1]
        failed, _ = self._work(classify, batch, [_sequence(one) for one in batch])
        firsts = [at for at, one in enumerate(batch) if _sequence(one) in failed]
        for record in batch[: min(firsts, default=len(batch))]:
            self.stream.remove(record)
            self.read[_sequence(record)] = record
        return True

    def replay(self, record: Record) -> None:
        """An operator has a delivery read again."""
        self.stream.append(record)

    def _pump_queue(self, queue: str, pick: int) -> bool:
        module, size, most_receives = WORKERS[queue]
        records = self._receive(queue, pick, size)
        if not records:
            return False
        failed, crashed = self._work(module, records, [one["messageId"] for one in records])
        self._crashed_on |= {one["messageId"] for one in records if crashed}
        for record in records:
            self._put_back(queue, record, record["messageId"] in failed, most_receives)
        return True

    def _receive(self, queue: str, pick: int, size: int) -> list[Record]:
        """By SQS's own API; which ones are visible is for us to say."""
        messages = backend("sqs").queues[queue]._messages
        due = [one for one in messages if self._is_due(one.id)]
        at = pick % len(due) if due else 0
        chosen = (due[at:] + due[:at])[:size]
        for one in messages:
            one.visible_at = 0 if one in chosen else _NEVER
        if not chosen:
            return []
        received = self.stack.sqs.receive_message(
            QueueUrl=self.stack.urls[queue],
            MaxNumberOfMessages=size,
            MessageSystemAttributeNames=["All"],
        )["Messages"]
        for one in chosen:
            one.visible_at = _NEVER
        return [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": one["Attributes"],
                "eventSource": "aws:sqs",
            }
            for one in received
        ]

    def _is_due(self, message: str) -> bool:
        return message not in self._in_flight and self._returns.get(message, START) <= self.now

    def _put_back(self, queue: str, record: Record, failed: bool, most_receives: int) -> None:
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        if failed and receives < most_receives:
            if self._returns.get(record["messageId"], START) <= self.now:  # it asked for no delay
                self._returns[record["messageId"]] = self.now + COMES_BACK
            return
        if failed:
            # Only what was hit by crashes may die: everything else ends with a human. What is
            # fetched has no human before it is fetched.
            assert queue == "fetch" or record["messageId"] in self._crashed_on, "died of itself"
            self.dead[queue].append(record["body"])
        self.stack.sqs.delete_message(
            QueueUrl=self.stack.urls[queue], ReceiptHandle=record["receiptHandle"]
        )

    def _note_delays(self) -> None:
        """SQS counts them by its own clock, we by ours."""
        real = datetime.now(UTC).timestamp() * 1000
        for queue in WORKERS:
            for one in backend("sqs").queues[queue]._messages:
                until = max(one.delayed_until, 0 if one.visible_at == _NEVER else one.visible_at)
                if until > real:
                    delay = timedelta(seconds=round((until - real) / 1000))
                    self._returns[one.id] = self.now + delay
                one.delayed_until, one.visible_at = 0, _NEVER

    def redrive(self, queue: str) -> None:
        """An operator sends dead letters back to where they came from."""
        bodies, self.dead[queue] = self.dead[queue], []
        for body in bodies:
            self.send(queue, body)

    def send(self, queue: str, body: str) -> None:
        self.stack.sqs.send_message(QueueUrl=self.stack.urls[queue], MessageBody=body)

    def bodies_in(self, queue: str) -> list[str]:
        return [str(one.body) for one in backend("sqs").queues[queue]._messages]

    # --- one invocation -------------------------------------------------------------------------

    def _work(
        self, module: ModuleType, records: list[Record], ids: list[str]
    ) -> tuple[set[str], bool]:
        """The ids that failed, all of them if it raised; and whether it crashed."""
        self._in_flight |= set(ids)
        crashes = self.crashes
        answer = self._call(
            module, lambda: module.handler({"Records": records}, self.stack.context())
        )
        self._in_flight -= set(ids)
        self._note_delays()
        if answer is None:
            return set(ids), self.crashes > crashes
        return {one["itemIdentifier"] for one in answer["batchItemFailures"]}, False

    def _call(self, module: ModuleType, invoke: Callable[[], dict[str, Any]]) -> Any:
        """None if it raised. One invocation may happen within another, at one of its boundaries."""
        self._aim(module)
        try:
            return invoke()
        except Crash:
            self.crashes += 1
            _cool_down(module)
        except AssertionError:
            raise
        except Exception:
            return None
        finally:
            self.fuse.set(0)
            if len(backend("dynamodb").tables["inbox"].items) > len(self.stack._streamed):
                self.stream += self.stack._new_records()
            self._hear_echoes(module)
        return None

    def _aim(self, module: ModuleType) -> None:
        name = module.__name__.split(".")[1]
        strike = next((one for one in self.strikes if one.function == name), None)
        if strike is None:
            return
        self.strikes.remove(strike)
        other = strike.other
        self.fuse.set(strike.at, crash if other is None else lambda: self._pump_any(other))

    def _pump_any(self, pick: int) -> None:
        if due := self.due():
            self.pump(due[-1 - pick % len(due)], pick)

    def _hear_echoes(self, module: ModuleType) -> None:
        """What was said, and the platforms' word of it. Nobody is told of a mention's answer."""
        if module is not respond:
            return
        before = {one["id"] for one in self.said}
        self.said = [*self.control.get("/said").json(), *self.sink.said()]
        if not self.echoes:
            return
        new = [one for one in self.said if one["id"] not in before]
        of_sources = [one for one in new if one["platform"] == "generic"]
        for one in of_sources:
            self.tell("generic", own_words(one))
        mentions = sum(is_of_mention(one) for one in new)
        self.on_the_way += self.carrier.take(len(new) - len(of_sources) - mentions)

    # --- until nothing moves --------------------------------------------------------------------

    def settle(self) -> None:
        """Deliver and pump, time passing, until all is quiet. What fails comes again."""
        for _ in range(_ENOUGH):
            for parcel in list(self.on_the_way):
                self.deliver(parcel)
            moved = [self.pump(queue, 1) for queue in ("inbox", *WORKERS)]
            if not any(moved) and not self._wait():
                return
        raise AssertionError("it never ends")

    def _wait(self) -> bool:
        """Until something is due; False if nothing will be."""
        if self.on_the_way or self.stream:
            self.pass_time(timedelta(minutes=6))  # longer than any secret is cached
            return True
        waiting = [
            self._returns.get(one.id, START)
            for queue in WORKERS
            for one in backend("sqs").queues[queue]._messages
        ]
        if waiting:
            self.pass_time(max(min(waiting) - self.now, timedelta(seconds=1)))
        return bool(waiting)


def is_of_mention(said: Mapping[str, Any]) -> bool:
    return str(said["in_reply_to"]).startswith("77_")


def own_words(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a source tells of an answer that stands there, be it ours or a human's."""
    source, _, account = said["account"].partition(":")
    return {
        "source": source,
        "account": account,
        "id": said["id"].partition(":")[2],
        "author": {"id": account},
        "sent_at": said["at"],
        "text": said["text"],
        "in_reply_to": said["in_reply_to"].partition(":")[2],
        "by_brand": True,
    }


def _sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _cool_down_functions() -> None:
    for module in FUNCTIONS:
        _cool_down(module)


def _cool_down(module: ModuleType) -> None:
    """The next invocation starts cold. The way out to the platforms is ours, and stays."""
    for name, thing in vars(module).items():
        if name != "http" and hasattr(thing, "cache_clear"):
            thing.cache_clear()


@contextmanager
def staged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    carrier, fuse = Carrier(), Fuse()
    with (
        Simulator(Keys.of_the_platforms()) as platforms,
        world(monkeypatch, Keys().of_the_stack(), platforms.url) as stack,
        gateway(carrier) as url,
        httpx.Client(base_url=platforms.url) as control,
        opened(monkeypatch) as (sink, internet),
        httpx.Client(transport=Fused(fuse, internet)) as way_out,
    ):
        platforms.connect(url)
        stage = Stage(stack, control, carrier, sink, fuse)
        for module in FUNCTIONS:
            monkeypatch.setattr(module, "now", stage.clock)
        for caller in (fetch, respond):
            monkeypatch.setattr(caller, "http", kept(way_out))
        fuse_calls(fuse)
        try:
            yield stage
        finally:
            platforms_clock.stopped_at = None
