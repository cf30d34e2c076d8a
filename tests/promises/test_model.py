"""Promise: whatever happens, in whatever order, nothing is lost and nobody is answered twice.

A machine draws histories: customers write, edit and remove; deliveries are late, doubled and out
of order; functions crash at any boundary, or another runs in between; hours pass; platforms refuse,
and die after they accepted; secrets and tokens change; humans answer, in the platform's app and in
the helpdesk, which closes cases; an operator redrives.
After every step it looks for what must never be; at the end all is delivered and worked off, and it
asks of every message what became of it.

SEED=… repeats what a run has shown; BLOB=… what hypothesis prints as @reproduce_failure's second
argument. The real functions, the real simulator over HTTP, AWS by moto: see stage.py.
"""

import json
import os
import random
import re
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

from firstreply.message import Conversation
from firstreply.observe import logger
from local.contracts import FOLDER
from local.simulator.control import _person
from tests.promises.helpdesk import Asked, Event, Helpdesk, kind
from tests.promises.stage import (
    WORKERS,
    Parcel,
    Stage,
    Strike,
    main_account,
    new_token,
    own_words,
    staged,
)
from tests.sink import URL

COOL_DOWN: Final = timedelta(minutes=30)
HANDS_OFF: Final = timedelta(hours=24)

PLACES: Final = (
    "facebook_comment",
    "messenger",
    "x_mention",
    "x_direct_message",
    "review",
    "facebook_mention",
    "review without reply_url",
)
ANSWERABLE: Final = PLACES[:5]
REVIEWS: Final = {"review": {"reply_url": URL}, "review without reply_url": {}}
EDITABLE: Final = ("facebook_comment", "messenger", *REVIEWS)
REMOVABLE: Final = ("facebook_comment", "x_mention", *REVIEWS)
PEOPLE: Final = ("Zebulon", "Ottoline")
MARKER: Final = "quasar"  # in all that customers write; it must not be in a log
WORDS: Final = {
    "complaint": "My kettle stopped working",
    "question": "What time do you open on Sunday",
    "praise": "Thanks, great service",
    "chatter": "See you there",
}
KINDS: Final = tuple(WORDS)
# And what it is at who takes the answers to reviews.
FAULTS: Final = {
    "rate_limited": 429,
    "server_error": 500,
    "accept_then_disconnect": 504,
    "disconnect": 502,
    "gone": 410,
}
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
    st.sampled_from(tuple(FAULTS)), st.sampled_from(("answer", "read")), st.sampled_from((1, 2, 6))
)
# Whether an agent says something, whether they close the case, and which way they ask.
any_wish = st.tuples(st.booleans(), st.booleans(), st.sampled_from(("queue", "door")))
any_place = st.sampled_from(PLACES)
anybody = st.sampled_from(PEOPLE)
any_distance = st.sampled_from(("read", "delivered", "sent"))
anything_written = st.tuples(st.sampled_from(KINDS), any_place, anybody, any_distance)


@dataclass
class Wrote:
    """What a customer wrote, and what the platform knows of it since; `told` is a review as its
    source tells it."""

    id: str
    place: str
    person: str
    conversation: str
    kind: str
    markers: list[str]
    key: str = ""  # of its first parcel
    told: dict[str, Any] = field(default_factory=dict)
    is_removed: bool = False
    humans: int = 0


@dataclass
class Seen:
    """What has come out so far."""

    outbox: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Inbox key: the message answered, and when
    humans: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    heard_humans: dict[str, datetime] = field(default_factory=dict)  # by Inbox key
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
        wishes=st.lists(any_wish, max_size=2),
    )
    def begin(
        self,
        first: list[tuple[str, str, str, str]],
        strikes: list[Strike],
        faults: list[tuple[str, str, int]],
        echoes: bool,
        wishes: list[tuple[bool, bool, str]],
    ) -> None:
        """A history begins with words, of which a case may have come, and with trouble in store."""
        type(self).histories += 1
        self.logs()
        self.stage.begin(echoes=echoes)
        self.written: list[Wrote] = []
        self.seen, self.is_sound, self.words = Seen(), False, 0
        self.helpdesk, self.crashes_before = Helpdesk(), self.stage.crashes
        for what, place, person, gets in first:
            self._write(what, place, person, gets)
        for wish in wishes:
            self.stage.settle()
            self._check()
            if self.helpdesk.with_messages():
                self._agent_asks(0, *wish)
                self.stage.settle()
        self.stage.strikes += strikes
        for fault in faults:
            self._order(fault)

    def _step(self) -> None:
        """Sound again when every invariant has held: else there is no end to be asked about."""
        type(self).steps += 1
        self.is_sound = False
        self.stage.pass_time(timedelta(seconds=2))

    # --- customers ------------------------------------------------------------------------------

    def _text(self, what: str) -> tuple[str, str]:
        self.words += 1
        marker = f"{MARKER}{self.words:03}"
        return f"{WORDS[what]} {marker}" + ("?" if what == "question" else ""), marker

    @rule(place=any_place, person=anybody, gets=any_distance)
    def customer_complains(self, place: str, person: str, gets: str) -> None:
        self._write("complaint", place, person, gets)

    @rule(place=any_place, person=anybody, gets=any_distance)
    def customer_asks(self, place: str, person: str, gets: str) -> None:
        self._write("question", place, person, gets)

    @rule(what=st.sampled_from(("praise", "chatter")), place=any_place, person=anybody)
    def customer_chats(self, what: str, place: str, person: str) -> None:
        self._write(what, place, person, "sent")

    @precondition(lambda self: self._of_closed())
    @rule(what=st.sampled_from(KINDS), pick=any_pick, gets=any_distance)
    def customer_comes_back(self, what: str, pick: int, gets: str) -> None:
        """After their case was closed."""
        those = self._of_closed()
        before = those[-1 - pick % len(those)]
        self._write(what, before.place, before.person, gets)

    def _of_closed(self) -> list[Wrote]:
        closed = self.helpdesk.closed()
        return [one for one in self.written if one.conversation in closed]

    def _write(self, what: str, place: str, person: str, gets: str) -> None:
        """And how far it gets by itself: to the classifier, through the door, or not even there."""
        self._step()
        say = self._review if place in REVIEWS else self._say
        one, parcel = say(what, place, person)
        self.written.append(one)
        if gets != "sent" and self.stage.deliver(parcel) and gets == "read":
            self.stage.pump("inbox", 1)

    def _say(self, what: str, place: str, person: str) -> tuple[Wrote, Parcel]:
        text, marker = self._text(what)
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
        return Wrote(said["id"], place, person, conversation, what, [marker], parcel.key), parcel

    def _review(self, what: str, place: str, person: str) -> tuple[Wrote, Parcel]:
        text, marker = self._text(what)
        told = {
            "source": "app_store",
            "account": "4200",
            "id": f"{_person(person)}.{self.words}",
            "author": {"id": _person(person), "name": person},
            "sent_at": self.stage.now.isoformat(),
            "text": text,
            "kind": "review",
            **REVIEWS[place],
        }
        parcel = self.stage.tell("generic", told)
        where = Conversation(
            channel="generic", account="app_store:4200", customer=_person(person)
        ).key
        one = f"app_store:{told['id']}"
        return Wrote(one, place, person, where, what, [marker], parcel.key, told), parcel

    def _one(self, pick: int, places: tuple[str, ...] = PLACES) -> Wrote | None:
        there = [one for one in self.written if one.place in places and not one.is_removed]
        return there[-1 - pick % len(there)] if there else None

    @precondition(lambda self: self._one(0, EDITABLE))
    @rule(pick=any_pick, what=st.sampled_from(KINDS))
    def customer_edits(self, pick: int, what: str) -> None:
        self._step()
        if one := self._one(pick, EDITABLE):
            text, marker = self._text(what)
            if one.told:
                changed = {"text": text, "edited_at": self.stage.now.isoformat()}
                self.stage.tell("generic", one.told | changed)
            else:
                self.stage.ask("/edit", id=one.id, text=text)
            one.kind = what
            one.markers.append(marker)

    @precondition(lambda self: self._one(0, REMOVABLE))
    @rule(pick=any_pick)
    def customer_removes(self, pick: int) -> None:
        self._step()
        if one := self._one(pick, REMOVABLE):
            if one.told:
                kept = {name: one.told[name] for name in ("source", "account", "id", "author")}
                self.stage.tell("generic", kept | {"removed_at": self.stage.now.isoformat()})
            else:
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
            self.stage.on_the_way.append(Parcel(parcel.channel, parcel.raw))

    @precondition(lambda self: self.stage.due())
    @rule(fault=any_fault)
    def platform_will_fail(self, fault: tuple[str, str, int]) -> None:
        self._step()
        self._order(fault)

    def _order(self, fault: tuple[str, str, int]) -> None:
        name, at, times = fault
        self.stage.ask("/faults", on="any", fault=name, at=at, times=times)
        if at == "answer":
            self.stage.sink.statuses += [FAULTS[name]] * times

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
            if one.told:
                self.stage.tell("generic", own_words(self._human_s(one, text)))
            else:
                self.stage.ask("/answer", in_reply_to=one.id, text=f"{text}. Kim")
            one.humans += 1
            self.seen.humans[self.stage.on_the_way[-1].key] = one.id, self.stage.now

    def _human_s(self, one: Wrote, text: str) -> dict[str, str]:
        """What a human says where reviews are."""
        return {
            "id": f"app_store:by-hand-{self.words}",
            "account": "app_store:4200",
            "in_reply_to": one.id,
            "text": f"{text}. Kim",
            "at": self.stage.now.isoformat(),
        }

    @precondition(lambda self: self.helpdesk.with_messages())
    @rule(pick=any_pick, wish=any_wish, settled=st.booleans())
    def agent_asks(self, pick: int, wish: tuple[bool, bool, str], settled: bool) -> None:
        """All that follows from it happens at once, or not yet."""
        self._agent_asks(pick, *wish)
        if settled:
            self.stage.settle()

    def _agent_asks(self, pick: int, says: bool, closes: bool, way: str) -> None:
        """To say something, to close the case, or both."""
        self._step()
        known = self.helpdesk.with_messages()
        about = known[-1 - pick % len(known)]
        text = self._text("chatter") if says or not closes else None
        request = self.helpdesk.request(about, self.stage.now, text, closes=closes)
        self._ask(request, way)

    @precondition(lambda self: self.helpdesk.asked)
    @rule(pick=any_pick, way=st.sampled_from(("queue", "door")))
    def agent_s_request_comes_again(self, pick: int, way: str) -> None:
        """The same in other bytes, so that the Inbox does not know it."""
        self._step()
        asked = self.helpdesk.asked
        again = asked[-1 - pick % len(asked)].request
        self._ask(again | {"traceparent": f"00-{self.words}"}, way)

    def _ask(self, request: Event, way: str) -> None:
        if way == "queue":
            self.stage.send("reply", json.dumps(request))
        else:
            self.stage.tell("helpdesk", request)

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
            if key in self.seen.humans:
                self.seen.heard_humans.setdefault(key, self.stage.now)

    def _check_events(self) -> None:
        if self.stage.bodies_in("escalation.fifo"):
            events = self.stage.stack.bodies("escalation.fifo")
            for event in events:
                _validator(event["type"]).validate(event)
            self.helpdesk.hear(events, self.stage.now)
        self.helpdesk.check_order()
        crashes = self.stage.crashes - self.crashes_before
        assert self.helpdesk.repeats <= crashes, "an event was told twice, and nothing crashed"

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
        for one, count in Counter(_answered(one) for one in self._automatic()).items():
            assert one is None or count == 1, f"{one} was answered {count} times"
        for asked in self.helpdesk.asked:
            assert len(self._said_for(asked)) <= 1, f"{asked} was said twice"
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
        for one in self._automatic():
            found.setdefault(_conversation(one), []).append(datetime.fromisoformat(one["at"]))
        return {conversation: sorted(times) for conversation, times in found.items()}

    def _automatic(self) -> list[dict[str, Any]]:
        agents = {one.marker for one in self.helpdesk.asked if one.marker}
        return [one for one in self.stage.said if _marker(one["text"]) not in agents]

    def _said_for(self, asked: Asked) -> list[dict[str, Any]]:
        said = self.stage.said
        return [one for one in said if asked.marker and _marker(one["text"]) == asked.marker]

    def _check_hands_off(self) -> None:
        """Who has answered a case has the conversation until it is closed; without one, for a day,
        unless one is closed before that. From when their words were heard."""
        answers = self._answers()
        cases = {one["conversation"]: one for one in self.stage.stack.items("CASE")}
        for conversation, said_at, heard_at in self._taken_on():
            case = cases.get(conversation, {"is_open": True})
            closed_at = None if case["is_open"] else datetime.fromisoformat(case["closed_at"])
            spans = self.helpdesk.spans(conversation, closed_at)
            ends = [span.until for span in spans if span.until and span.until >= said_at]
            is_in_case = any(s.since <= said_at <= (s.until or said_at) for s in spans)
            until = min([*ends, *([] if is_in_case else [said_at + HANDS_OFF])], default=None)
            for at in answers.get(conversation, ()):
                is_over = until is not None and at >= until
                assert at <= heard_at or is_over, "a human was interrupted"

    def _taken_on(self) -> Iterator[tuple[str, datetime, datetime]]:
        """Where a human spoke, when, and since when we surely know."""
        for key, heard_at in self.seen.heard_humans.items():
            message, said_at = self.seen.humans[key]
            (one,) = [one for one in self.written if one.id == message]
            if read_at := self.seen.read_at.get(one.key):
                yield one.conversation, said_at, max(heard_at, read_at)
        for id, event in self.helpdesk.told.items():
            reply = event["data"].get("reply")
            if reply and reply["author"]["kind"] == "agent":
                sent_at = datetime.fromisoformat(reply["sent_at"])
                yield event["subject"], sent_at, self.helpdesk.told_at[id]

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
        self._check_asked()
        gone = {one.id for one in self.written if one.is_removed}
        self.helpdesk.check_closings(gone.__contains__)

    def _check_asked(self) -> None:
        """What an agent wants said is said, or told back; and then closes the case, or does not."""
        told = self.helpdesk.told.values()
        sent = {e["data"]["reply"].get("request_id") for e in told if "reply" in e["data"]}
        failed = {
            _marker(e["data"]["failed_reply"]["text"])
            for e in self.helpdesk.told_while_open()
            if "failed_reply" in e["data"]
        }
        closings = {
            key for one in self.stage.stack.items("CASE") for key in one.get("closings", ())
        }
        for asked in self.helpdesk.asked:
            reply = self.seen.outbox.get(f"REPLY#{asked.key}", {})
            is_said, is_back = reply.get("state") == "sent", "handed_over" in reply
            if asked.marker:
                assert is_said or is_back, f"lost: {asked}"
                assert len(self._said_for(asked)) == 1 or not is_said, f"not said: {asked}"
                assert is_back or asked.request["id"] in sent, f"not told: {asked}"
                assert asked.marker in failed or not is_back, f"not told back: {asked}"
            if asked.closes and not is_back:
                assert asked.key in closings, f"not closed: {asked}"
            elif not is_said:
                assert asked.key not in closings, f"closed, but not said: {asked}"

    def _heal(self) -> None:
        """The platforms work again, and an operator has brought the secret up to date."""
        self.stage.control.delete("/faults").raise_for_status()
        self.stage.sink.statuses.clear()
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
        events = model.helpdesk.told.values()
        self._withdrawn = [e for e in events if e["data"].get("message_id") == one.id]
        self._told = [e for e in events if e["data"].get("message", {}).get("id") == one.id]

    def check(self) -> None:
        assert self._item, f"lost: {self._one}"
        if self._one.is_removed:
            self._is_forgotten()
            return
        assert self._one.markers[-1] in self._item["message"]["text"], f"old words: {self._one}"
        if self._told:
            last = [e for e in self._told if kind(e) in ("opened", "reopened", "updated")][-1]
            text = last["data"]["message"]["text"]
            assert self._one.markers[-1] in text, f"the case has old words: {self._one}"
        if self._item["decision"]["escalate"]:
            seen = [e for e in self._model.helpdesk.told_while_open() if e in self._told]
            assert seen, f"told of a closed case: {self._one}"
        self._is_taken_care_of()
        if self._item.get("acknowledgement"):
            self._is_answered_or_handed_over()

    def _is_forgotten(self) -> None:
        assert self._item
        kept = json.dumps(self._item, default=str)
        assert "removed_at" in self._item, f"not removed: {self._one}"
        assert not [word for word in self._one.markers if word in kept], f"kept: {self._one}"
        events = list(self._model.helpdesk.told.values())
        quoting = [e for e in events if any(word in json.dumps(e) for word in self._one.markers)]
        if quoting:
            assert self._withdrawn, f"not withdrawn: {self._one}"
            last_words = max(map(events.index, quoting))
            last_withdrawal = max(map(events.index, self._withdrawn))
            assert last_words < last_withdrawal, f"told after it was withdrawn: {self._one}"

    @property
    def _is_agent_s(self) -> bool:
        asked = self._model.helpdesk.asked
        return any(one.marker and one.conversation == self._one.conversation for one in asked)

    def _is_taken_care_of(self) -> None:
        what, is_said = self._one.kind, self._reply.get("state") == "sent"
        if what == "complaint":
            assert self._told, f"no human knows of {self._one}"
        elif what == "question":
            humans = [o for o in self._model.written if o.conversation == self._one.conversation]
            is_human_s = any(other.humans for other in humans) or self._is_agent_s
            assert is_said or self._told or is_human_s, f"nobody answers {self._one}"
        elif what == "praise":
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
        if state == "refused" and not self._one.told:  # nobody can be asked whether it is there
            answered = [_answered(one) for one in self._model.stage.said]
            assert self._one.id not in answered, f"refused, but it was said: {self._one}"


def _conversation(said: dict[str, Any]) -> str:
    where = Conversation(channel=said["platform"], account=said["account"], customer=said["to"])
    return where.key


def _marker(text: str) -> str | None:
    found = re.search(rf"{MARKER}\d+", text)
    return found and found[0]


def _answered(said: dict[str, Any]) -> str | None:
    """The message; in private only Messenger tells it, by our metadata."""
    if said["kind"] in ("comment", "post", "reply"):
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
