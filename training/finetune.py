"""Fine-tunes an encoder with its heads, once the heads alone have learned (training.heads): so what
it already knows is bent and not broken. Upper layers move more than lower ones, and the weights of
the last steps are averaged.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from training import bert
from training.base import Base
from training.corpus import Example
from training.export import Heads
from training.tasks import TASKS, columns, labels

Weights = dict[str, Any]
Array = jax.Array
Batch = tuple[NDArray[np.int32], NDArray[np.int_]]

# How much each task counts, and how much a label may be wrong.
_COUNTS = {"intent": 1.0, "topic": 0.5, "sentiment": 0.7, "journey": 0.3}
_DOUBT = 0.05
# A batch is as long as one of these; each is compiled once.
_LENGTHS = (20, 32, 48, 64, 96)
_HEADS_FASTER = 20.0
_DROPPED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Chosen on sectors that were held back."""

    fixed_layers: int
    epochs: float
    rate: float = 1e-4
    lower_rate: float = 0.9
    batch: int = 32
    seed: int = 1


def fit(
    start: Base,
    taps: Sequence[int],
    cut: Callable[[str], list[int]],
    examples: Sequence[Example],
    heads: Heads,
    settings: Settings,
    tell: Callable[[str], object],
) -> tuple[Base, Heads]:
    """Both as they are afterwards. The same for the same seed on the same machine."""
    fixed, trained = _weights(start, max(taps), heads, settings)
    steps = int(-(-len(examples) // settings.batch) * settings.epochs)
    schedule = optax.warmup_cosine_decay_schedule(0.0, 1.0, steps // 10, steps, 0.02)
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b2=0.98),
        optax.add_decayed_weights(0.01),
    )
    rates = _rates(trained, settings)
    loss_of = partial(_loss, heads=(jnp.asarray(heads.mean), jnp.asarray(heads.scale)), taps=taps)

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(
        trained: Weights,
        state: Any,  # noqa: ANN401
        mean: Weights,
        fixed: Weights,
        batch: Any,  # noqa: ANN401
        key: Array,
        number: Array,
    ) -> tuple[Weights, Any, Weights, Array]:
        loss, slope = jax.value_and_grad(loss_of)(trained, fixed, batch, key)
        change, state = optimizer.update(slope, state, trained)
        rate = settings.rate * schedule(number)
        trained = jax.tree.map(lambda w, d, r: w - rate * r * d, trained, change, rates)
        old = jnp.minimum(0.99, (1 + number) / (10 + number))
        mean = jax.tree.map(lambda m, w: old * m + (1 - old) * w, mean, trained)
        return trained, state, mean, loss

    state, mean = optimizer.init(trained), jax.tree.map(jnp.copy, trained)
    key = jax.random.key(settings.seed)
    batches = _batches(examples, cut, settings)
    for number in range(steps):
        key, now = jax.random.split(key)
        at = jnp.asarray(number)
        trained, state, mean, loss = step(trained, state, mean, fixed, next(batches), now, at)
        if number % 50 == 49:
            tell(f"step {number + 1} of {steps}: loss {float(loss):.3f}")
    lower = start.layers[: settings.fixed_layers]
    upper = [
        {name: np.asarray(value[number]) for name, value in mean["layers"].items()}
        for number in range(max(taps) - settings.fixed_layers)
    ]
    learned = replace(heads, matrix=np.asarray(mean["head"]), bias=np.asarray(mean["headb"]))
    return replace(start, layers=[*lower, *upper]), learned


def _weights(start: Base, layers: int, heads: Heads, settings: Settings) -> tuple[Weights, Weights]:
    fixed = start.embedding | {"layers": bert.stacked(start.layers[: settings.fixed_layers])}
    trained = {
        "layers": bert.stacked(start.layers[settings.fixed_layers : layers]),
        "head": heads.matrix.astype(np.float32),
        "headb": heads.bias.astype(np.float32),
    }
    return jax.tree.map(jnp.asarray, fixed), jax.tree.map(jnp.asarray, trained)


def _rates(trained: Weights, settings: Settings) -> Weights:
    """The lower the layer, the less it moves."""

    def by_layer(value: Array) -> Array:
        above = jnp.arange(len(value) - 1, -1, -1.0)
        return (settings.lower_rate**above).reshape(-1, *[1] * (value.ndim - 1))

    layers = jax.tree.map(by_layer, trained["layers"])
    return {"layers": layers, "head": _HEADS_FASTER, "headb": _HEADS_FASTER}


def _loss(
    trained: Weights,
    fixed: Weights,
    batch: tuple[Array, Array],
    key: Array,
    *,
    heads: tuple[Array, Array],
    taps: Sequence[int],
) -> Array:
    pieces, wanted = batch
    inside, outside = jax.random.split(key)
    mean, scale = heads
    standard = (bert.features(fixed, trained, taps, pieces, inside) - mean) * scale
    scores = bert.drop(standard, outside) @ trained["head"] + trained["headb"]
    losses = jnp.zeros(len(pieces))
    for number, task in enumerate(TASKS):
        logs = jax.nn.log_softmax(scores[:, columns(task)])
        losses += _COUNTS[task] * _surprise(logs, wanted[:, number])
    return losses.mean()


def _surprise(logs: Array, wanted: Array) -> Array:
    """None where the task does not ask."""
    count = logs.shape[1]
    told = jax.nn.one_hot(jnp.maximum(wanted, 0), count) * (1 - _DOUBT) + _DOUBT / count
    return -(told * logs).sum(-1) * (wanted >= 0)


def _batches(
    examples: Sequence[Example], cut: Callable[[str], list[int]], settings: Settings
) -> Iterator[Batch]:
    """Endless; texts of one length together, each time worsened anew."""
    chance = random.Random(settings.seed)  # noqa: S311 (training is no secret)
    wanted = np.stack([labels(examples, task) for task in TASKS], axis=1)
    size = settings.batch
    while True:
        cuts = [cut(worsened(one.text, chance)) for one in examples]
        order = chance.sample(range(len(examples)), len(examples))
        order += chance.sample(order, -len(order) % size)
        groups = []
        for start in range(0, len(order), 16 * size):
            some = sorted(order[start : start + 16 * size], key=lambda i: len(cuts[i]))
            groups += [some[i : i + size] for i in range(0, len(some), size)]
        chance.shuffle(groups)
        for group in groups:
            yield _padded([cuts[i] for i in group]), wanted[group]


def _padded(cuts: Sequence[list[int]]) -> NDArray[np.int32]:
    longest = max(map(len, cuts))
    padded = np.full((len(cuts), next(n for n in _LENGTHS if n >= longest)), -1, np.int32)
    for row, numbers in zip(padded, cuts, strict=True):
        row[: len(numbers)] = numbers
    return padded


_NAMES = re.compile(r"@\w+|https?://\S+")
_MARKS = re.compile(r"[.,!?;:…]+")


def worsened(text: str, chance: random.Random) -> str:
    """Half of the texts, each in one way that changes nothing of what it means."""
    if chance.random() < 0.5:
        return text
    ways = (_without_names, str.lower, _without_marks, str.upper, _to_brand, _with_link, _repeated)
    (way,) = chance.choices((*ways, None), (25, 25, 15, 5, 8, 6, 6, 10))
    return way(text) if way else _mistyped(text, chance)


def _without_names(text: str) -> str:
    return _NAMES.sub("", text).strip() or text


def _without_marks(text: str) -> str:
    return _MARKS.sub(" ", text).strip() or text


def _to_brand(text: str) -> str:
    return f"@brand {text}"


def _with_link(text: str) -> str:
    return f"{text} https://t.co/abc"


def _repeated(text: str) -> str:
    return f"RT @someone: {text}"


def _mistyped(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(1 + len(text) // 40):
        place = chance.randrange(len(letters))
        if len(letters) < 9 or not letters[place].isalpha():
            continue
        way = chance.choice(("lost", "lost", "swapped", "doubled"))
        if way == "lost":
            del letters[place]
        elif way == "doubled":
            letters.insert(place, letters[place])
        elif place:
            letters[place - 1 : place + 1] = letters[place], letters[place - 1]
    return "".join(letters)
