"""Answering: what we compute ourselves between a platform's POST and our call to the platform."""

from __future__ import annotations

from statistics import median
from typing import Any

from bench.harness import Goal, Section, Table, cpu_ms, spread
from bench.invoke import Handler, Meter
from bench.requests import Requests
from bench.rig import Rig, open_rig

COMPLAINT = "My suitcase has not arrived for three days and nobody answers the phone, please help"
PLACES = {"facebook_comment": "Facebook comment", "x_mention": "X mention"}
STEPS = ("webhook", "classify", "respond")
MOST_MS = 30.0


def measure(*, quick: bool) -> Section:
    rounds = 5 if quick else 40
    found: dict[str, list[dict[str, tuple[float, float]]]] = {place: [] for place in PLACES}
    with open_rig() as rig:
        for number in range(-3, rounds):
            for place in PLACES:
                spent = _answer(rig, place)
                if number >= 0:
                    found[place].append(spent)
        encoders = _encoders_ms()
        requests = _requests(rig)
    cpu = {
        place: [sum(one[step][0] for step in STEPS) for one in each]
        for place, each in found.items()
    }
    shares = _shares(next(iter(found.values())))
    rows = [
        (
            PLACES[place],
            *(spread([one[step][0] for one in each]).show(" ms", 1) for step in STEPS),
            spread(cpu[place]).show(" ms", 1),
            f"{median(sum(one[s][1] for s in STEPS) for one in each):.0f} ms",
        )
        for place, each in found.items()
    ]
    return Section(
        name="answering",
        title="Answering",
        about="CPU time of our own for one complaint (an English one of 84 letters), from the"
        " delivery to the answer on the platform, everything warm: the webhook, classify and the"
        f" first invocation of respond, {rounds} of each place in turns. AWS and the platforms are"
        " emulated in other processes. The wall time holds their answers too, and the machine's"
        " other work.",
        tables=(
            Table(
                ("", *STEPS, "together", "wall time, emulators included"),
                tuple(rows),
            ),
        ),
        goals=tuple(
            Goal(
                f"{PLACES[place]}: CPU from delivery to answer",
                MOST_MS,
                median(cpu[place]),
                " ms",
                shares,
            )
            for place in PLACES
        ),
        notes=(
            "Signing, sending and reading by boto3 and httpx count as ours; the network does not.",
            f"Of classify's time the encoders take {encoders:.1f} ms. Requests to AWS:"
            f" {', '.join(f'{name} {number}' for name, number in requests.items())}; boto3 takes"
            " most of a millisecond for each ([The door](#the-door) makes one).",
        ),
        figures={place: median(cpu[place]) for place in PLACES},
        quick=quick,
    )


def _answer(rig: Rig, place: str) -> dict[str, tuple[float, float]]:
    event, before = rig.write(place, COMPLAINT), len(rig.meter.spent)
    rig.deliver(event)
    rig.settle()
    spent = rig.meter.spent[before:]
    first = {one.function: one for one in reversed(spent)}
    return {step: (first[step].cpu_ms, first[step].wall_ms) for step in STEPS}


def _shares(found: list[dict[str, tuple[float, float]]]) -> str:
    times = {step: median(one[step][0] for one in found) for step in STEPS}
    return ", ".join(f"{step} {one / sum(times.values()):.0%}" for step, one in times.items())


def _encoders_ms() -> float:
    from functions.classify.offline import encoders
    from functions.classify.trained.ngrams import MODEL

    read = encoders(MODEL)
    return median(cpu_ms(lambda: read(COMPLAINT, "en")) for _ in range(30))


def _requests(rig: Rig) -> dict[str, int]:
    """By function, for a Facebook comment."""
    requests = Requests(rig)
    requests.listen()
    found: dict[str, int] = {}

    class Counting(Meter):
        def invoke(self, handler: Handler, event: dict[str, Any]) -> Any:  # noqa: ANN401
            before = requests.total
            answer = super().invoke(handler, event)
            found.setdefault(handler.__module__.split(".")[1], requests.total - before)
            return answer

    rig.meter = Counting()
    _answer(rig, "facebook_comment")
    return {step: found[step] for step in STEPS}
