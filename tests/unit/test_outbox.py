"""The outbox: one reply is one record, and moves only along the arrows of its diagram."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from queue import Queue
from typing import Any

import boto3
import pytest

from firstreply.conversations import Conversations
from firstreply.errors import TryLater
from firstreply.message import Conversation, Message, Reply
from firstreply.outbox import LEASE, Bar, Entry, Outbox, Turn
from tests.aws import World

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COOL_DOWN = timedelta(minutes=30)
TURN = Turn(COOL_DOWN, 5)
ALONE = replace(TURN, is_shared=False)


def reply(message_id: str = "m1", customer: str = "ada") -> Reply:
    message = Message(
        conversation=Conversation(channel="meta", account="page", customer=customer),
        id=message_id,
        network="facebook",
        kind="comment",
        public=True,
        text="words",
        sent_at=NOW,
    )
    return Reply(key=f"{message_id}#ack", message=message, text="answer")


def outbox(owner: str = "one") -> Outbox:
    table = boto3.resource("dynamodb").Table("conversations")
    return Outbox(Conversations(table, timedelta(days=90)), owner)


def test_a_claim_is_held_for_its_lease(stack: World) -> None:
    assert outbox("one").is_mine(outbox("one").claim(reply(), NOW))
    other = outbox("two").claim(reply(), NOW + LEASE - timedelta(seconds=1))
    assert (other.state, other.owner) == ("claimed", "one")
    assert outbox("two").is_mine(outbox("two").claim(reply(), NOW + LEASE + timedelta(seconds=1)))


def test_a_claim_repeated_by_its_owner_is_still_its_own(stack: World) -> None:
    """botocore repeats a write whose answer was lost."""
    outbox().claim(reply(), NOW)
    assert outbox().is_mine(outbox().claim(reply(), NOW))


def test_what_is_being_sent_is_never_claimed_again(stack: World) -> None:
    outbox().claim(reply(), NOW)
    assert outbox().begin(reply(), NOW, TURN) is None
    for owner in ("one", "two"):
        much_later = NOW + timedelta(days=3)
        entry = outbox(owner).claim(reply(), much_later)
        assert entry.state == "sending"
        assert not outbox(owner).is_mine(entry)


@pytest.mark.parametrize("state", ["sent", "refused", "unknown"])
def test_what_is_settled_is_never_claimed_again(stack: World, state: str) -> None:
    outbox().claim(reply(), NOW)
    outbox().begin(reply(), NOW, TURN)
    outbox().settle(reply(), Entry(state=state, owner="", lease_until=0).state, reason="why")
    assert outbox("two").claim(reply(), NOW + timedelta(days=3)).state == state


OVER = LEASE + timedelta(seconds=1)


def begun(owner: str = "one") -> Entry:
    """A reply that is being sent, as another invocation sees it."""
    outbox(owner).claim(reply(), NOW)
    outbox(owner).begin(reply(), NOW, TURN)
    return outbox("onlooker").claim(reply(), NOW)


def test_a_reply_cut_off_while_sending_is_rearmed_only_after_its_lease(stack: World) -> None:
    seen = begun()
    assert outbox("two").rearm(reply(), seen, NOW).state == "sending"
    assert outbox("two").is_mine(outbox("two").rearm(reply(), seen, NOW + OVER))


def test_of_two_who_asked_about_a_reply_one_may_send_it_again(stack: World) -> None:
    """The second one's answer from the platform is older than the first one's new try."""
    seen = begun()
    first = outbox("two")
    assert first.is_mine(first.rearm(reply(), seen, NOW + OVER))
    first.begin(reply(), NOW + OVER, TURN)
    first.settle(reply(), "unknown", reason="no answer", ask_from=NOW + OVER)
    late = outbox("three").rearm(reply(), seen, NOW + 3 * OVER)
    assert (late.state, late.owner) == ("unknown", "two")


def test_an_unknown_reply_is_not_rearmed_before_the_platform_can_show_it(stack: World) -> None:
    begun()
    outbox("one").settle(reply(), "unknown", ask_from=NOW + timedelta(seconds=10))
    seen = outbox("two").claim(reply(), NOW)
    assert outbox("two").rearm(reply(), seen, NOW + timedelta(seconds=9)).state == "unknown"
    armed = outbox("two").rearm(reply(), seen, NOW + timedelta(seconds=11))
    assert outbox("two").is_mine(armed)


@pytest.mark.parametrize("state", ["sent", "refused"])
def test_a_settled_reply_is_never_rearmed(stack: World, state: str) -> None:
    seen = begun()
    outbox().settle(reply(), Entry(state=state, owner="", lease_until=0).state)
    assert outbox("two").rearm(reply(), seen, NOW + timedelta(days=3)).state == state


def test_an_unknown_reply_that_a_human_has_is_never_rearmed(stack: World) -> None:
    begun()
    outbox().settle(reply(), "unknown", reason="no answer")
    outbox().mark_handed_over(reply())
    seen = outbox("two").claim(reply(), NOW)
    assert outbox("two").rearm(reply(), seen, NOW + timedelta(days=3)).state == "unknown"


def test_an_outcome_is_not_overwritten_by_who_saw_an_older_state(stack: World) -> None:
    seen = begun()
    outbox("one").settle(reply(), "sent", platform_id="1")
    with pytest.raises(TryLater):
        outbox("two").settle(reply(), "unknown", reason="given up", seen=seen)
    assert outbox("two").claim(reply(), NOW).platform_id == "1"


def test_only_the_claim_s_owner_may_begin(stack: World) -> None:
    outbox("one").claim(reply(), NOW)
    with pytest.raises(TryLater):
        outbox("two").begin(reply(), NOW, TURN)


def test_a_released_reply_may_be_claimed_at_once(stack: World) -> None:
    outbox().claim(reply(), NOW)
    outbox().begin(reply(), NOW, TURN)
    outbox().release(reply())
    assert outbox("two").is_mine(outbox("two").claim(reply(), NOW))
    assert outbox("two").begin(reply(), NOW, TURN) is None


def test_one_automatic_answer_per_cool_down_and_conversation(stack: World) -> None:
    def may_begin(message_id: str, at: datetime, customer: str = "ada") -> bool:
        one = reply(message_id, customer)
        outbox().claim(one, at)
        return outbox().begin(one, at, TURN) is None

    assert may_begin("m1", NOW)
    assert not may_begin("m2", NOW + timedelta(minutes=29, seconds=59))
    assert may_begin("m3", NOW, customer="someone else")
    assert may_begin("m4", NOW + COOL_DOWN)


def test_the_cool_down_goes_on_over_midnight(stack: World) -> None:
    midnight = NOW.replace(hour=0)
    found = []
    for number, minutes in enumerate((-10, 10, 20)):
        one, at = reply(f"m{number}"), midnight + timedelta(minutes=minutes)
        outbox().claim(one, at)
        found.append(outbox().begin(one, at, TURN))
    assert found == [None, "cool_down", None]


def test_so_many_answers_a_day_and_no_more(stack: World) -> None:
    """Each message counts once, however many tries and texts it takes."""

    def begin(message_id: str, at: datetime, kind: str = "ack") -> str | None:
        one = replace(reply(message_id), key=f"{message_id}#{kind}", in_private=kind != "ack")
        outbox().claim(one, at)
        return outbox().begin(one, at, Turn(timedelta(), 2))

    hours = [NOW + timedelta(hours=number) for number in range(4)]
    assert begin("m1", hours[0]) is None
    outbox().release(reply("m1"))
    assert begin("m1", hours[0]) is None
    assert begin("m1", hours[1], "private") is None
    assert begin("m2", hours[1]) is None
    assert begin("m3", hours[2]) == "daily_cap"
    assert begin("m3", NOW + timedelta(hours=12)) is None  # another day, by UTC


def test_a_second_answer_to_the_same_message_is_in_no_cool_down(stack: World) -> None:
    for kind in ("ack", "private"):
        one = replace(reply(), key=f"m1#{kind}", in_private=kind == "private")
        outbox().claim(one, NOW)
        assert outbox().begin(one, NOW, TURN) is None
    other = reply("m2")
    outbox().claim(other, NOW)
    assert outbox().begin(other, NOW, TURN) == "cool_down"


def test_of_two_accounts_that_are_named_one_answers_also_in_private(stack: World) -> None:
    first = reply()
    outbox().claim(first, NOW)
    assert outbox().begin(first, NOW, TURN) is None
    where = replace(first.message.conversation, account="another")
    message = replace(first.message, conversation=where)
    second = Reply(key="m1#private", message=message, text="answer", in_private=True)
    outbox().claim(second, NOW)
    assert outbox().begin(second, NOW, TURN) == "other_account"
    assert outbox().begin(second, NOW, replace(TURN, is_shared=False)) is None


def test_what_a_human_wrote_knows_no_cool_down(stack: World) -> None:
    for message_id, turn in (("m1", TURN), ("m2", None)):
        outbox().claim(reply(message_id), NOW)
        assert outbox().begin(reply(message_id), NOW, turn) is None


def test_of_many_messages_at_the_same_instant_one_is_answered(stack: World) -> None:
    """All have asked the policy and were told to go on, before the first of them begins."""
    owners = {number: outbox(f"owner {number}") for number in range(8)}
    for number, mine in owners.items():
        assert mine.is_mine(mine.claim(reply(f"m{number}"), NOW))
    begun = [mine.begin(reply(f"m{n}"), NOW, TURN) is None for n, mine in owners.items()]
    assert begun == [True] + [False] * 7


def test_of_a_day_s_answers_none_is_forgotten_by_a_clock_that_goes_after(stack: World) -> None:
    midnight = NOW.replace(hour=0)
    for number, minutes in enumerate((1, -1, 2)):
        one, at = reply(f"m{number}"), midnight + timedelta(minutes=minutes)
        outbox().claim(one, at)
        found = outbox().begin(one, at, Turn(timedelta(minutes=-5), 2))
        assert found == (None if number < 2 else "daily_cap")


# --- at the same instant, and cut off -------------------------------------------------------------


class Cut(BaseException):
    """No `except Exception` may survive it."""


@contextmanager
def before_each_call(one: Outbox, act: Callable[[], None]) -> Iterator[None]:
    events = one._table.meta.client.meta.events
    events.register("before-call", handler := lambda **_: act())
    yield
    events.unregister("before-call", handler)


# It calls what it is given before every write.
type Begin = Callable[[Callable[[], None]], Bar | None]


class Turns:
    """Two who begin, each in a thread, and never both at once: each waits before every write
    until it is told to go on."""

    def __init__(self, pool: ThreadPoolExecutor, begin: Begin) -> None:
        self._go: Queue[None] = Queue()
        self._stands: Queue[bool] = Queue()
        self._found: Future[Bar | None] = pool.submit(self._run, begin)
        self._is_over = self._stands.get()

    def _wait(self) -> None:
        self._stands.put(False)
        self._go.get()

    def step(self) -> None:
        if not self._is_over:
            self._go.put(None)
            self._is_over = self._stands.get()

    def finish(self) -> Bar | None:
        while not self._is_over:
            self.step()
        return self._found.result()

    def _run(self, begin: Begin) -> Bar | None:
        try:
            return begin(self._wait)
        finally:
            self._stands.put(True)


def in_every_order(most: int = 3) -> Iterator[tuple[bool, ...]]:
    """In which two may come to their writes."""
    for at in combinations(range(2 * most), most):
        yield tuple(number in at for number in range(2 * most))


type Makers = dict[str, Outbox]


@pytest.fixture
def makers(stack: World) -> Makers:
    return {name: outbox(name) for name in ("one", "two")}


def at_once(
    makers: Makers, first: Reply, second: Reply, turn: Turn, order: tuple[bool, ...]
) -> set[Bar | None]:
    replies = dict(zip(makers, (first, second), strict=True))
    for name, one in makers.items():
        assert one.is_mine(one.claim(replies[name], NOW))

    def begins(name: str) -> Begin:
        def begin(wait: Callable[[], None]) -> Bar | None:
            with before_each_call(makers[name], wait):
                return makers[name].begin(replies[name], NOW, turn)

        return begin

    with ThreadPoolExecutor(2) as pool:
        made = {name: Turns(pool, begins(name)) for name in makers}
        for is_first in order:
            made["one" if is_first else "two"].step()
        return {one.finish() for one in made.values()}


@pytest.mark.parametrize("earlier", [0, 1])
def test_of_two_at_the_same_instant_one_is_answered_however_their_writes_fall(
    makers: Makers, earlier: int
) -> None:
    """Be it the day's first or the next; and so with the last that the day allows."""
    for number, order in enumerate(in_every_order()):
        for turn, bar in ((ALONE, "cool_down"), (Turn(timedelta(), earlier + 1), "daily_cap")):
            customer = f"{bar}-{number}"
            for before in (reply(f"before{number}", customer),) * earlier:
                at = NOW - timedelta(hours=2)
                outbox().claim(before, at)
                assert outbox().begin(before, at, turn) is None
            one, other = (reply(f"{bar}{name}{number}", customer) for name in "ab")
            turn = replace(turn, is_shared=False)
            assert at_once(makers, one, other, turn, order) == {None, bar}


def test_of_two_accounts_at_the_same_instant_one_answers(makers: Makers) -> None:
    for number, order in enumerate(in_every_order()):
        one = reply(f"m{number}", f"ada-{number}")
        where = replace(one.message.conversation, account="another")
        other = replace(one, message=replace(one.message, conversation=where))
        assert at_once(makers, one, other, TURN, order) == {None, "other_account"}


def test_two_that_may_both_be_said_at_the_same_instant_both_are(
    stack: World, makers: Makers
) -> None:
    """Two texts to the same message; two wishes that wait for nothing."""
    for number, order in enumerate(in_every_order()):
        one = reply(f"m{number}", f"ada-{number}")
        again = replace(one, key=f"{one.key}#private", in_private=True)
        assert at_once(makers, one, again, ALONE, order) == {None}
        one, other = (reply(f"{name}{number}", f"ben-{number}") for name in "ab")
        wishes = Turn(timedelta(), 2, is_shared=False)
        assert at_once(makers, one, other, wishes, order) == {None}
    counted = [len(one["answered"]) for one in stack.items("PERSON")]
    assert sorted(counted) == [1] * (number + 1) + [2] * (number + 1)


@pytest.mark.parametrize("at", range(1, 4))
@pytest.mark.parametrize("is_done", [False, True])
def test_cut_off_at_any_write_a_repeat_goes_on_and_no_two_are_answered(
    stack: World, at: int, *, is_done: bool
) -> None:
    """Before the write, or after it; meanwhile another message asks for the same turn."""
    first, passed = outbox("one"), 0

    def cut(**_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            raise Cut

    assert first.is_mine(first.claim(reply(), NOW))
    when = "after-call" if is_done else "before-call"
    first._table.meta.client.meta.events.register(when, cut)
    with pytest.raises(Cut):
        first.begin(reply(), NOW, TURN)
    later = NOW + OVER
    begun = []
    for name, one in (("other", reply("m2")), ("repeat", reply())):
        mine = outbox(name)
        if mine.is_mine(mine.claim(one, later)):
            begun.append(mine.begin(one, later, TURN))
    is_taken, is_begun = (at, is_done) >= (2, True), (at, is_done) == (3, True)
    if is_begun:
        assert begun == ["cool_down"], "and of the first the platform is asked"
    else:
        assert begun == (["cool_down", None] if is_taken else [None, "cool_down"])
