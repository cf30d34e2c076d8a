"""Fine-tunes the encoder: all tasks at once, upper layers more than lower, weights averaged."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from training import base, bert
from training.base import Base
from training.handover.pieces import Pieces
from training.samples import COMPLAINT, NOT_COMPLAINT, TASKS, Sample, worsened

Weights = dict[str, Any]
Array = jax.Array
Batch = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]

# How much each task counts, and how much a label may be wrong.
_COUNTS = {"intent": 1.0, "topic": 0.5, "sentiment": 0.7, "journey": 0.3}
_DOUBT = 0.05
# A batch is as long as one of these; each is compiled once.
_LENGTHS = (20, 32, 48, 96)
_HEADS_FASTER = 8.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Chosen on held-back corpus only."""

    layers: int = 8
    fixed_layers: int = 2
    rate: float = 1.5e-4
    lower_rate: float = 0.9
    epochs: int = 3
    batch: int = 32
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """What stayed and what was trained."""

    fixed: Weights
    trained: Weights
    cut: Callable[[str], list[int]]

    def scores(self, texts: list[str], rows: int = 64) -> NDArray[np.float32]:
        """Scores of every label of every task, side by side."""
        cut = [self.cut(text) for text in texts]
        order = sorted(range(len(cut)), key=lambda i: len(cut[i]))
        found = np.zeros((len(cut), _width()), np.float32)
        for start in range(0, len(order), rows):
            some = order[start : start + rows]
            found[some] = _score(self.fixed, self.trained, _padded([cut[i] for i in some], rows))[
                : len(some)
            ]
        return found


@jax.jit
def _score(fixed: Weights, trained: Weights, pieces: Array) -> Array:
    return bert.scores(fixed, trained, pieces)


def fit(
    start: Base,
    cut: Pieces,
    samples: list[Sample],
    settings: Settings,
    tell: Callable[[str], None] = print,
) -> Fitted:
    """The same weights for the same seed on the same machine."""
    fixed, trained = _weights(start, settings)
    steps = -(-len(samples) // settings.batch) * settings.epochs
    schedule = optax.warmup_cosine_decay_schedule(0.0, settings.rate, steps // 10, steps, 3e-6)
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b2=0.98),
        optax.add_decayed_weights(0.01),
    )
    rates = _rates(trained, settings)

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(
        trained: Weights,
        state: Any,  # noqa: ANN401
        mean: Weights,
        batch: Any,  # noqa: ANN401
        key: Array,
        number: int,
    ) -> tuple[Weights, Any, Weights, Array]:
        loss, slope = jax.value_and_grad(_loss)(trained, fixed, batch, key)
        change, state = optimizer.update(slope, state, trained)
        rate = schedule(number)
        trained = jax.tree.map(lambda w, d, r: w - rate * r * d, trained, change, rates)
        # The mean of the last steps is steadier than any of them.
        old = jnp.minimum(0.995, (1 + number) / (10 + number))
        mean = jax.tree.map(lambda m, w: old * m + (1 - old) * w, mean, trained)
        return trained, state, mean, loss

    state, mean = optimizer.init(trained), jax.tree.map(jnp.copy, trained)
    key = jax.random.key(settings.seed)
    batches = _batches(samples, cut, settings)
    for number in range(steps):
        key, now = jax.random.split(key)
        trained, state, mean, loss = step(trained, state, mean, next(batches), now, number)
        if number % 50 == 49:
            tell(f"step {number + 1} of {steps}: loss {float(loss):.3f}")
    return Fitted(fixed, mean, cut)


def _width() -> int:
    return sum(map(len, TASKS.values()))


def _weights(start: Base, settings: Settings) -> tuple[Weights, Weights]:
    layers = base.layers(start, settings.layers)
    fixed = base.embedding(start) | {"layers": bert.stacked(layers[: settings.fixed_layers])}
    chance = np.random.default_rng(settings.seed)
    head = chance.normal(0, 0.02, (len(layers[0]["ob"]), _width()))
    trained = {
        "layers": bert.stacked(layers[settings.fixed_layers :]),
        "head": jnp.asarray(head, jnp.float32),
        "headb": jnp.zeros(_width(), jnp.float32),
    }
    return jax.tree.map(jnp.asarray, fixed), trained


def _rates(trained: Weights, settings: Settings) -> Weights:
    """The lower the layer, the less it moves."""

    def by_layer(value: Array) -> Array:
        above = jnp.arange(len(value) - 1, -1, -1.0)
        return (settings.lower_rate**above).reshape(-1, *[1] * (value.ndim - 1))

    layers = jax.tree.map(by_layer, trained["layers"])
    return {"layers": layers, "head": _HEADS_FASTER, "headb": _HEADS_FASTER}


def _loss(trained: Weights, fixed: Weights, batch: Any, key: Array) -> Array:  # noqa: ANN401
    pieces, labels, weights = batch
    scores = bert.scores(fixed, trained, pieces, key)
    losses = jnp.zeros(len(weights))
    start = 0
    for number, (task, names) in enumerate(TASKS.items()):
        logs = jax.nn.log_softmax(scores[:, start : start + len(names)])
        start += len(names)
        losses += _COUNTS[task] * _surprise(logs, labels[:, number])
    mean: Array = (losses * weights).sum() / weights.sum()
    return mean


def _surprise(logs: Array, labels: Array) -> Array:
    count = logs.shape[1]
    wanted = jax.nn.one_hot(jnp.maximum(labels, 0), count) * (1 - _DOUBT) + _DOUBT / count
    told = -(wanted * logs).sum(-1)
    no_complaint = -jnp.log1p(-jnp.minimum(jnp.exp(logs[:, COMPLAINT]), 0.999))
    return jnp.where(labels >= 0, told, jnp.where(labels == NOT_COMPLAINT, no_complaint, 0.0))


def _batches(samples: list[Sample], cut: Pieces, settings: Settings) -> Iterator[Batch]:
    """Endless; texts of one length together, each time worsened anew."""
    chance = random.Random(settings.seed)  # noqa: S311 (training is no secret)
    size = settings.batch
    while True:
        cuts = [cut(worsened(one.text, chance)) for one in samples]
        order = chance.sample(range(len(samples)), len(samples))
        order += chance.sample(order, -len(order) % size)
        groups = []
        for start in range(0, len(order), 16 * size):
            some = sorted(order[start : start + 16 * size], key=lambda i: len(cuts[i]))
            groups += [some[i : i + size] for i in range(0, len(some), size)]
        chance.shuffle(groups)
        for group in groups:
            labels = np.array([samples[i].labels for i in group], np.int32)
            weights = np.array([samples[i].weight for i in group], np.float32)
            yield _padded([cuts[i] for i in group], size), labels, weights


def _padded(cuts: list[list[int]], rows: int) -> NDArray[np.int32]:
    longest = max(map(len, cuts))
    padded = np.full((rows, next(n for n in _LENGTHS if n >= longest)), -1, np.int32)
    padded[len(cuts) :, 0] = 0
    for row, numbers in zip(padded, cuts, strict=False):
        row[: len(numbers)] = numbers
    return padded
