"""Promise: kill the worker at any point and start it again; no event is lost, no ticket, note or
reply doubled, and what is to be forgotten is forgotten. With its memory and without.

One story runs once to count its boundaries (before and after every call to SQS, to the helpdesk and
to the memory), then once for each of them with a crash right there.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, cast

import pytest

from examples.helpdesk import wording
from examples.helpdesk.memory import Memory
from examples.helpdesk.seam import Down, Helpdesk
from tests.examples.desk import Shop, event
from tests.promises.fuse import Crash, Fuse

type RecordProperty = Callable[[str, object], None]

TOLD = [
    event("opened", "m1", "It broke"),
    event("updated", "m2", "Hello?"),
    event("opened", "n1", "My bag?", case=2),
    event("reply_refused", "m2", "Hello?"),
]
LATER = [event("updated", "m3", "Thanks"), event("withdrawn", "m2"), event("closed")]
ANSWERS = {"case-1": "We look into it.", "case-2": "It is found."}
SOME_PAIRS = 30


class Fused:
    """Another's methods, with a tick before and after each call, and at each item yielded."""

    def __init__(self, inner: object, tick: Callable[[], None]) -> None:
        self._inner, self._tick = inner, tick

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*args: Any) -> Any:
            self._tick()
            answer = method(*args)
            self._tick()
            return self._ticking(answer) if isinstance(answer, Iterator) else answer

        return call

    def _ticking(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self._tick()
            yield item


class Story:
    """What happens to two cases, with a worker that may be killed on the way, and once more."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.fuse, self.kills = shop, Fuse(), 0
        self._live = self._tick_elsewhere = self._without_memory = False
        self._passed = 0
        for moment in ("before-call", "after-call"):
            shop.sqs.meta.events.register(f"{moment}.sqs", self._tick_at_ours)

    def boundaries(self, *, lost_answers: bool = False) -> int:
        self.happen(0, lost_answers=lost_answers)
        return self._passed

    def happen(
        self,
        at: int,
        then_after: int = 0,
        *,
        without_memory: bool = False,
        lost_answers: bool = False,
    ) -> None:
        """A kill, or an answer of the helpdesk that does not come: only its calls are boundaries
        then. `then_after` counts from the first kill. Checks what has come of it."""

        def kill() -> None:
            self.fuse.set(then_after)
            raise Crash

        def lose() -> None:
            raise Down("ReadTimeout")

        self.kills, self._without_memory, self._live = 0, without_memory, False
        self._tick_elsewhere = not lost_answers
        self.shop.start_over(lambda desk: cast("Helpdesk", Fused(desk, self._tick)))
        self._fuse_memory()
        self.fuse.set(at, lose if lost_answers else kill)
        self._tell()
        self._passed = self.fuse.passed
        self._check(f"at boundary {at}, then after {then_after}")

    def _tell(self) -> None:
        shop = self.shop
        shop.put(*TOLD)
        self._until_done(lambda: shop.intake.turn(long_poll=0))
        for case, text in ANSWERS.items():
            ticket = shop.desk.ticket_of(case)
            shop.desk.answer(ticket.id, "(for us)", public=False)
            shop.desk.answer(ticket.id, text)
        self._until_done(lambda: shop.outlet.look())
        shop.put(*LATER)
        self._until_done(lambda: shop.intake.turn(long_poll=0))
        self._until_done(lambda: shop.outlet.look())

    def _check(self, where: str) -> None:
        desk, requests = self.shop.desk, self.shop.requests()
        entries = [list(ticket.entries) for ticket in desk.tickets.values()]
        told = Counter(mark for one in entries for mark, _ in wording.marks(one))
        assert self.shop.left() == 0, where
        assert self.shop.dead() == [], where
        assert sorted(desk.cases.values()) == sorted(ANSWERS), where
        assert told == {wording.mark(one): 1 for one in [*TOLD, LATER[0], LATER[2]]}, where
        assert desk.ticket_of("case-1").closed, where
        assert "Hello?" not in str(entries), where
        assert {one["id"] for one in requests} == {
            f"ticket-{ticket.id}-entry-{entry.id}"
            for ticket in desk.tickets.values()
            for entry in ticket.entries
            if entry.text in ANSWERS.values()
        }, where
        by_id = {one["id"]: one for one in requests}
        assert all(one == by_id[one["id"]] for one in requests), where

    def _until_done(self, step: Callable[[], object]) -> None:
        """SQS gives back what a killed worker held; its own work may be there still."""
        while True:
            self._live = True
            try:
                found = step()
            except Crash:
                self.kills += 1
                self._restart()
                continue
            finally:
                self._live = False
            if not found and not self._came_back():
                return

    def _came_back(self) -> bool:
        """What waits for a further try, of events and of answers."""
        self.shop.let_time_pass()
        failed, self.shop.outlet.counts["failed"] = self.shop.outlet.counts["failed"], 0
        return bool(failed or self.shop.left())

    def _restart(self) -> None:
        self.shop.start(without_memory=self._without_memory)
        self._fuse_memory()
        self.shop.let_time_pass()

    def _fuse_memory(self) -> None:
        fused = cast("Memory", Fused(self.shop.memory, self._tick_at_ours))
        self.shop.intake.memory = self.shop.outlet.memory = fused

    def _tick_at_ours(self, **_: Any) -> None:
        if self._tick_elsewhere:
            self._tick()

    def _tick(self) -> None:
        """Only the worker's own calls are boundaries."""
        if self._live:
            self.fuse.tick()


@pytest.fixture
def story(shop: Shop) -> Story:
    return Story(shop)


@pytest.mark.parametrize("memory", ["kept", "lost"])
def test_a_kill_at_any_boundary_loses_nothing_and_doubles_nothing(
    story: Story, memory: str, record_property: RecordProperty
) -> None:
    boundaries = story.boundaries()
    assert boundaries > 80
    for boundary in range(1, boundaries + 1):
        story.happen(boundary, without_memory=memory == "lost")
        assert story.kills == 1, "the kill did not happen"
    record_property(
        "figure",
        f"helpdesk worker, its memory {memory}: {boundaries} boundaries, a kill at each; "
        "lost 0, doubled 0",
    )


def test_a_second_kill_while_the_first_is_made_good_loses_and_doubles_nothing_either(
    story: Story, record_property: RecordProperty
) -> None:
    chance, boundaries, pairs = Random("worker"), story.boundaries(), 0
    while pairs < SOME_PAIRS:
        first, then = chance.randint(1, boundaries), chance.randint(1, boundaries // 2)
        story.happen(first, then, without_memory=chance.random() < 0.5)
        pairs += story.kills == 2
    record_property("figure", f"helpdesk worker: {pairs} pairs of kills; lost 0, doubled 0")


def test_what_the_helpdesk_did_though_its_answer_is_lost_is_not_done_twice(
    story: Story, record_property: RecordProperty
) -> None:
    boundaries = story.boundaries(lost_answers=True)
    assert boundaries > 30
    for boundary in range(1, boundaries + 1):
        story.happen(boundary, lost_answers=True)
    record_property("figure", f"helpdesk worker: an answer lost at each of {boundaries} places")
