"""Promise: whatever happens, in whatever order, nothing is lost and nobody is answered twice.

A machine draws histories: customers write, edit and remove; deliveries are late, doubled and out
of order; functions crash at any boundary, or another runs in between; hours pass; platforms refuse,
and die after they accepted; secrets and tokens change; humans answer; an operator redrives.
After every step it looks for what must never be; at the end all is delivered and worked off, and it
asks of every message what became of it.

SEED=… repeats what a run has shown; BLOB=… what hypothesis prints as @reproduce_failure's second
argument. The real functions, the real simulator over HTTP, AWS by moto: see stage.py.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from time import perf_counter
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from jsonschema import Draft202012Validator

from firstreply.observe import logger
from local.contracts import FOLDER
from local.simulator.control import _person
from tests.promises.stage import WORKERS, Parcel, Stage, Strike, main_account, new_token, staged

COOL_DOWN: Final = timedelta(minutes=30)
HANDS_OFF: Final = timedelta(hours=24)

PLACES: Final = (
    "facebook_comment",
    "messenger",
    "x_mention",
    "x_direct_message",
    "facebook_mention",
)
ANSWERABLE: Final = PLACES[:4]
EDITABLE: Final = ("facebook_comment", "messenger")
REMOVABLE: Final = ("facebook_comment", "x_mention")
PEOPLE: Final = ("Zebulon", "Ottoline")
MARKER: Final = "quasar"  # in all that customers write; it must not be in a log
WORDS: Final = {
    "complaint": "My kettle stopped working",
    "question": "What time do you open on Sunday",
    "praise": "Thanks, great service",
    "chatter": "See you there",
}
KINDS: Final = tuple(WORDS)
FAULTS: Final = ("rate_limited", "server_error", "accept_then_disconnect", "disconnect", "gone")
TIMES: Final = tuple(
    timedelta(minutes=m) for m in (1.1, 3.1, 11, 31, 2 * 60, 7 * 60)
)  # a lease, a visibility, a rest, a cool-down, long, too long for an answer

# What can have become of an outbox entry since it was looked at, by the diagram in outbox.py.
ANYTHING: Final = {None, "claimed", "sending", "sent", "refused", "unknown"}
BECOMES: Final[dict[str | None, set[str | None]]] = {
    **dict.fromkeys((None, "claimed", "sending", "unknown"), ANYTHING),
    "refused": {"refused", "sent"},
    "sent": {"sent"},
}

any_pick = st.integers(0, 7)
any_strike = st.builds(
    Strike,
    st.sampled_from(("respond", "classify", "escalate", "respond", "classify", "webhook", "fetch")),
    st.integers(1, 20),
    st.none() | any_pick,
)
any_fault = st.tuples(
    st.sampled_from(FAULTS), st.sampled_from(("answer", "read")), st.sampled_from((1, 2, 6))
)
any_place = st.sampled_from(PLACES)
anybody = st.sampled_from(PEOPLE)
any_distance = st.sampled_from(("read", "delivered", "sent"))
anything_written = st.tuples(st.sampled_from(KINDS), any_place, anybody, any_distance)


@dataclass
class Wrote:
    """What a customer wrote, and what the platform knows of it since."""

    id: str
    place: str
    conversation: str
    kind: str
    markers: list[str]
    key: str = ""  # of its first parcel
    is_removed: bool = False
    humans: int = 0


@dataclass
class Seen:
    """What has come out so far."""

    outbox: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)  # in order, by event id
    humans: dict[str, str] = field(default_factory=dict)  # Inbox key: the message answered
    heard_humans: dict[str, datetime] = field(default_factory=dict)  # by message answered
    read_at: dict[str, datetime] = field(default_factory=dict)  # by Inbox key


class Model(RuleBasedStateMachine):
    """`stage` and `logs` are set by whoever runs it."""

    stage: Stage
    logs: Callable[[], str]
    histories = 0
    steps = 0

    @initialize(
        first=st.lists(anything_written, min_size=1, max_size=3),
        strikes=st.lists(any_strike, min_size=1, max_size=4),
        faults=st.lists(any_fault, max_size=2),
        echoes=st.booleans(),
    )
    def begin(
        self,
        first: list[tuple[str, str, str, str]],
        strikes: list[Strike],
        faults: list[tuple[str, str, int]],
        echoes: bool,
    ) -> None:
        """A history begins with words, and with trouble in store."""
        type(self).histories += 1
        self.logs()
        self.stage.begin(echoes=echoes)
        self.written: list[Wrote] = []
        self.seen, self.is_sound, self.words = Seen(), False, 0
        self.stage.strikes += strikes
        for fault in faults:
            self._order(fault)
        for kind, place, person, gets in first:
            self._write(kind, place, person, gets)

    def _step(self) -> None:
        """Sound again when every invariant has held: else there is no end to be asked about."""
        type(self).steps += 1
        self.is_sound = False
        self.stage.pass_time(timedelta(seconds=2))

    # --- customers ------------------------------------------------------------------------------

    def _text(self, kind: str) -> tuple[str, str]:
        self.words += 1
        marker = f"{MARKER}{self.words:03}"
        return f"{WORDS[kind]} {marker}" + ("?" if kind == "question" else ""), marker

    @rule(place=any_place, person=anybody, gets=any_distance)
    def customer_complains(self, place: str, person: str, gets: str) -> None:
        self._write("complaint", place, person, gets)

    @rule(place=any_place, person=anybody, gets=any_distance)
    def customer_asks(self, place: str, person: str, gets: str) -> None:
        self._write("question", place, person, gets)

    @rule(kind=st.sampled_from(("praise", "chatter")), place=any_place, person=anybody)
    def customer_chats(self, kind: str, place: str, person: str) -> None:
        self._write(kind, place, person, "sent")

    def _write(self, kind: str, place: str, person: str, gets: str) -> None:
        """And how far it gets by itself: to the classifier, through the door, or not even there."""
        self._step()
        text, marker = self._text(kind)
        number = 1790000000000000000 + self.words
        ids = {"messenger": f"m_{number}", "facebook_mention": f"77_{number}"}
        one = ids.get(place, f"88_{number}" if place == "facebook_comment" else str(number))
        said = self.stage.ask(
            "/say",
            place=place,
            text=text,
            author={"name": person},
            id=one,
            sent_at=self.stage.now.isoformat(),
        )
        channel, account = main_account("x" if place.startswith("x_") else "meta")
        parcel = self.stage.on_the_way[-1]
        conversation = f"{channel}#{account}#{_person(person)}"
        self.written.append(Wrote(said["id"], place, conversation, kind, [marker], parcel.key))
        if gets != "sent" and self.stage.deliver(parcel) and gets == "read":
            self.stage.pump("inbox", 1)

    def _one(self, pick: int, places: tuple[str, ...] = PLACES) -> Wrote | None:
        there = [one for one in self.written if one.place in places and not one.is_removed]
        return there[-1 - pick % len(there)] if there else None

    @precondition(lambda self: self._one(0, EDITABLE))
    @rule(pick=any_pick, kind=st.sampled_from(KINDS))
    def customer_edits(self, pick: int, kind: str) -> None:
        self._step()
        if one := self._one(pick, EDITABLE):
            text, marker = self._text(kind)
            self.stage.ask("/edit", id=one.id, text=text)
            one.kind = kind
            one.markers.append(marker)

    @precondition(lambda self: self._one(0, REMOVABLE))
    @rule(pick=any_pick)
    def customer_removes(self, pick: int) -> None:
        self._step()
        if one := self._one(pick, REMOVABLE):
            self.stage.ask("/remove", id=one.id)
            one.is_removed = True

    # --- the platforms --------------------------------------------------------------------------

    @precondition(lambda self: self.stage.on_the_way)
    @rule(pick=any_pick, once_more=st.booleans())
    def platform_delivers(self, pick: int, once_more: bool) -> None:
        self._step()
        parcels = self.stage.on_the_way
        parcel = parcels[pick % len(parcels)]
        if self.stage.deliver(parcel) and once_more:
            self.stage.on_the_way.append(Parcel(parcel.channel, parcel.raw, parcel.number))

    @precondition(lambda self: self.stage.due())
    @rule(fault=any_fault)
    def platform_will_fail(self, fault: tuple[str, str, int]) -> None:
        self._step()
        self._order(fault)

    def _order(self, fault: tuple[str, str, int]) -> None:
        name, at, times = fault
        self.stage.ask("/faults", on="any", fault=name, at=at, times=times)

    @rule(change=st.sampled_from(("token of meta", "token of x", "replacement", "rotation")))
    def keys_change(self, change: str) -> None:
        """A token dies; all dead ones are replaced in the secret; or the secret rotates by one
        phase: the old one; both; both, and the platforms sign anew; the new one alone."""
        self._step()
        keys = self.stage.keys
        if change == "replacement":
            keys.known_tokens = Counter(keys.tokens)
        elif change == "rotation":
            keys.phase = min(keys.phase + 1, 3)
        else:
            self._kill_token(change.split()[-1])
        self.stage.know_secret()

    def _kill_token(self, channel: str) -> None:
        self.stage.keys.tokens[channel] += 1
        _, account = main_account(channel)
        given = new_token(channel, self.stage.keys.tokens[channel])
        token = given.get("token") or given["access_token"]
        more = {"token_secret": given["access_token_secret"]} if channel == "x" else {}
        self.stage.ask("/accounts", channel=channel, id=account, token=token, **more)

    # --- people at the brand --------------------------------------------------------------------

    @precondition(lambda self: self._one(0, ("facebook_comment",)))
    @rule(pick=any_pick)
    def moderator_hides(self, pick: int) -> None:
        self._step()
        if one := self._one(pick, ("facebook_comment",)):
            self.stage.ask("/hide", id=one.id)

    @precondition(lambda self: self._one(0, ANSWERABLE))
    @rule(pick=any_pick)
    def human_answers(self, pick: int) -> None:
        self._step()
        if one := self._one(pick, ANSWERABLE):
            text, _ = self._text("chatter")
            self.stage.ask("/answer", in_reply_to=one.id, text=f"{text}. Kim")
            one.humans += 1
            self.seen.humans[self.stage.on_the_way[-1].key] = one.id

    @precondition(lambda self: any(self.stage.dead.values()))
    @rule()
    def operator_redrives(self) -> None:
        self._step()
        for queue in WORKERS:
            self.stage.redrive(queue)

    @precondition(lambda self: self.stage.read)
    @rule(pick=any_pick)
    def operator_replays(self, pick: int) -> None:
        self._step()
        records = list(self.stage.read.values())
        self.stage.replay(records[pick % len(records)])

    # --- AWS ------------------------------------------------------------------------------------

    def _due(self, pick: int) -> str:
        due = self.stage.due()
        return due[-1 - pick % len(due)]

    @precondition(lambda self: self.stage.due())
    @rule(queue=any_pick, pick=any_pick)
    def function_works(self, queue: int, pick: int) -> None:
        self._step()
        self.stage.pump(self._due(queue), pick)

    @rule(strike=any_strike)
    def function_will_be_struck(self, strike: Strike) -> None:
        self._step()
        self.stage.strikes.append(strike)

    @precondition(lambda self: any(name != "inbox" for name in self.stage.due()))
    @rule(queue=any_pick, pick=any_pick)
    def queue_delivers_twice(self, queue: int, pick: int) -> None:
        self._step()
        due = [name for name in self.stage.due() if name != "inbox"]
        name = due[-1 - queue % len(due)]
        bodies = self.stage.bodies_in(name)
        self.stage.send(name, bodies[pick % len(bodies)])

    @rule(time=st.sampled_from(TIMES))
    def time_passes(self, time: timedelta) -> None:
        self._step()
        self.stage.pass_time(time)

    @rule()
    def all_is_worked_off(self) -> None:
        """As it mostly goes, so that long histories get far."""
        self._step()
        self.stage.settle()

    # --- what must never be ---------------------------------------------------------------------

    @invariant()
    def nothing_forbidden_has_happened(self) -> None:
        if hasattr(self, "seen") and not self.is_sound:
            self._check()

    def _check(self) -> None:
        self._note_humans()
        self._check_events()
        self._check_outbox()
        self._check_answers()
        self._check_logs()
        self.is_sound = True

    def _note_humans(self) -> None:
        for key in self.stage.read:
            self.seen.read_at.setdefault(key, self.stage.now)
            if message := self.seen.humans.get(key):
                self.seen.heard_humans.setdefault(message, self.stage.now)

    def _check_events(self) -> None:
        if self.stage.bodies_in("escalation.fifo"):
            for event in self.stage.stack.bodies("escalation.fifo"):
                _validator(event["type"]).validate(event)
                self.seen.events.setdefault(event["id"], event)
        cases: dict[str, list[tuple[str, str]]] = {}
        for event in self.seen.events.values():
            one = (event["data"]["case_id"], _kind(event))
            cases.setdefault(event["subject"], []).append(one)
        for conversation, told in cases.items():
            assert len({case for case, _ in told}) == 1, f"two cases of {conversation}"
            assert told[0][1] == "opened", f"{told[0][1]} of a case that nobody knows"

    def _check_outbox(self) -> None:
        now = {one["item"]: one for one in self.stage.stack.items("REPLY#")}
        for name, before in self.seen.outbox.items():
            state, was = now[name].get("state"), before.get("state")
            assert state in BECOMES[was], f"{was} became {state}"
            if before.get("handed_over"):
                assert now[name].get("handed_over"), "it was a human's"
                assert state in (was, "sent"), f"{was}, a human's, became {state}"
        self.seen.outbox = now

    def _check_answers(self) -> None:
        said = self.stage.said
        assert not [one for one in said if one["to"] in (one["account"], "")], "talks to itself"
        for one, count in Counter(_answered(one) for one in said).items():
            assert one is None or count == 1, f"{one} was answered {count} times"
        self._check_words()
        for conversation, times in self._answers().items():
            for first, second in pairwise(times):
                assert second - first >= COOL_DOWN, f"{conversation}: {first}, then {second}"
        self._check_hands_off()

    def _check_words(self) -> None:
        """Where a platform does not say what was answered: not more answers than were planned."""
        planned = Counter(
            (one["conversation"], one["text"]) for one in self.seen.outbox.values() if "text" in one
        )
        out = Counter((_conversation(one), one["text"]) for one in self.stage.said)
        assert out <= planned, "more was said than planned"

    def _answers(self) -> dict[str, list[datetime]]:
        found: dict[str, list[datetime]] = {}
        for one in self.stage.said:
            found.setdefault(_conversation(one), []).append(datetime.fromisoformat(one["at"]))
        return {conversation: sorted(times) for conversation, times in found.items()}

    def _check_hands_off(self) -> None:
        """Once a human's words were heard, and the message that they answer."""
        answers = self._answers()
        for one in self.written:
            heard, read = self.seen.heard_humans.get(one.id), self.seen.read_at.get(one.key)
            if heard and read:
                quiet_from = max(heard, read)
                for at in answers.get(one.conversation, ()):
                    assert not quiet_from < at < heard + HANDS_OFF, "a human was interrupted"

    def _check_logs(self) -> None:
        lines = self.logs().lower()
        private = {MARKER, *map(str.lower, PEOPLE), *self.stage.keys.words()}
        assert not [word for word in private if word in lines], "a log tells too much"

    # --- the end --------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not getattr(self, "is_sound", False):
            return
        self._heal()
        self.stage.settle()
        for queue in WORKERS:
            self.stage.redrive(queue)
        self.stage.settle()
        self._check()
        assert not any(self.stage.dead.values()), "dead letters"
        assert not self.stage.bodies_in("inbox-dead"), "deliveries set aside"
        items = self.stage.stack.items("MSG#")
        for one in self.written:
            Fate(self, one, items).check()

    def _heal(self) -> None:
        """The platforms work again, and an operator has brought the secret up to date."""
        self.stage.control.delete("/faults").raise_for_status()
        self.stage.keys.known_tokens = Counter(self.stage.keys.tokens)
        self.stage.know_secret()
        self.stage.pass_time(timedelta(minutes=16))


class Fate:
    """What became of a message, when nothing moves any more."""

    def __init__(self, model: Model, one: Wrote, items: list[dict[str, Any]]) -> None:
        self._one, self._model = one, model
        where = (f"MSG#{one.id}", one.conversation)
        self._item = next((i for i in items if (i["item"], i["conversation"]) == where), None)
        self._reply = model.seen.outbox.get(f"REPLY#{one.id}#ack", {})
        events = model.seen.events.values()
        self._withdrawn = [e for e in events if e["data"].get("message_id") == one.id]
        self._told = [e for e in events if e["data"].get("message", {}).get("id") == one.id]

    def check(self) -> None:
        assert self._item, f"lost: {self._one}"
        if self._one.is_removed:
            self._is_forgotten()
            return
        assert self._one.markers[-1] in self._item["message"]["text"], f"old words: {self._one}"
        if self._told:
            last = [e for e in self._told if _kind(e) in ("opened", "updated")][-1]
            text = last["data"]["message"]["text"]
            assert self._one.markers[-1] in text, f"the case has old words: {self._one}"
        self._is_taken_care_of()
        if self._item.get("acknowledgement"):
            self._is_answered_or_handed_over()

    def _is_forgotten(self) -> None:
        assert self._item
        kept = json.dumps(self._item, default=str)
        assert "removed_at" in self._item, f"not removed: {self._one}"
        assert not [word for word in self._one.markers if word in kept], f"kept: {self._one}"
        events = list(self._model.seen.events.values())
        quoting = [e for e in events if any(word in json.dumps(e) for word in self._one.markers)]
        if quoting:
            assert self._withdrawn, f"not withdrawn: {self._one}"
            last_words = max(map(events.index, quoting))
            last_withdrawal = max(map(events.index, self._withdrawn))
            assert last_words < last_withdrawal, f"told after it was withdrawn: {self._one}"

    def _is_taken_care_of(self) -> None:
        kind, is_said = self._one.kind, self._reply.get("state") == "sent"
        if kind == "complaint":
            assert self._told, f"no human knows of {self._one}"
        elif kind == "question":
            humans = [o for o in self._model.written if o.conversation == self._one.conversation]
            is_human_s = any(other.humans for other in humans)
            assert is_said or self._told or is_human_s, f"nobody answers {self._one}"
        elif kind == "praise":
            silence = (self._item or {})["decision"].get("silence") or self._reply.get("reason")
            assert is_said or self._told or silence, f"no reason for silence: {self._one}"

    def _is_answered_or_handed_over(self) -> None:
        state, reason = self._reply.get("state"), str(self._reply.get("reason", ""))
        assert state in ("sent", "refused", "unknown"), f"{state} for ever: {self._one}"
        if state == "sent":
            ids = [one["id"] for one in self._model.stage.said]
            assert self._reply["platform_id"] in ids, f"sent, but it is not there: {self._one}"
            return
        assert self._reply.get("handed_over"), f"no human has {self._one}"
        assert self._told or reason.startswith("unanswered:"), f"nobody was told of {self._one}"
        if state == "refused":
            answered = [_answered(one) for one in self._model.stage.said]
            assert self._one.id not in answered, f"refused, but it was said: {self._one}"


def _kind(event: dict[str, Any]) -> str:
    return str(event["type"].split(".")[2])


def _conversation(said: dict[str, Any]) -> str:
    return f"{said['platform']}#{said['account']}#{said['to']}"


def _answered(said: dict[str, Any]) -> str | None:
    """The message; in private only Messenger tells it, by our metadata."""
    if said["kind"] in ("comment", "post"):
        return str(said["in_reply_to"])
    return str(said["metadata"]).partition("#")[0] if "metadata" in said else None


@cache
def _validator(event_type: str) -> Draft202012Validator:
    path = FOLDER / f"{event_type}.schema.json"
    return Draft202012Validator(json.loads(path.read_text("utf-8")))


# --- running it -----------------------------------------------------------------------------------


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with staged(monkeypatch) as made:
        yield made


@pytest.fixture
def logs(capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was printed and logged since one last asked."""
    logger.cache_clear()
    return lambda: "".join(capfd.readouterr())


def play(
    stage: Stage, logs: Callable[[], str], histories: int, steps: int, seed: int
) -> tuple[int, int, float]:
    """Histories and steps that were played, and the seconds that it took."""

    class Played(Model):
        pass

    Played.stage, Played.logs = stage, staticmethod(logs)
    machine = Played
    hypothesis.seed(seed)(machine)
    if blob := os.environ.get("BLOB"):
        hypothesis.reproduce_failure(hypothesis.__version__, blob.encode())(machine)
    chosen = settings(
        max_examples=histories,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        verbosity=Verbosity.normal,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list[HealthCheck](),
    )
    started = perf_counter()
    try:
        run_state_machine_as_test(machine, settings=chosen)
    except BaseException as error:
        error.add_note(f"SEED={seed}, history {machine.histories}")
        raise
    return machine.histories, machine.steps, perf_counter() - started


@pytest.mark.timeout(900)  # a failure takes time to be made small
def test_whatever_happens_nothing_is_lost_and_nobody_is_answered_twice(
    stage: Stage, logs: Callable[[], str], record_property: Callable[[str, object], None]
) -> None:
    seed = int(os.environ.get("SEED", "1"))
    played, steps, seconds = play(stage, logs, histories=20, steps=12, seed=seed)
    figure = f"model: {played} histories, {steps} steps, {seconds:.0f} s (SEED={seed})"
    record_property("figure", figure)


@pytest.mark.deep
@pytest.mark.timeout(1800)
def test_whatever_happens_nothing_is_lost_also_in_many_long_histories(
    stage: Stage, logs: Callable[[], str], record_property: Callable[[str, object], None]
) -> None:
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1, 10**9)
    played, steps, seconds = play(stage, logs, histories=300, steps=15, seed=seed)
    figure = f"model, deep: {played} histories, {steps} steps, {seconds:.0f} s (SEED={seed})"
    record_property("figure", figure)
