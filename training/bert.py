"""An encoder's forward pass in JAX.

The lowest layers and the embedding stay as they are: they know the languages, and a few thousand
messages would only move the words that are in them away from those that are not.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

Array = jax.Array
Weights = dict[str, Any]

HEADS = 12
DROPPED = 0.1


def features(
    fixed: Weights, trained: Weights, taps: Sequence[int], pieces: Array, key: Array | None = None
) -> Array:
    """As training.export has them; -1 in `pieces` is no piece. With a key, some is dropped."""
    is_there = pieces >= 0
    weight = is_there[..., None].astype(jnp.float32)
    bias = jnp.where(is_there, 0.0, -1e9)[:, None, None, :]
    pieces = jnp.maximum(pieces, 0)
    x = fixed["word"][pieces] + fixed["pos"][None, : pieces.shape[1]]
    x = _norm(x, fixed["lnw"], fixed["lnb"])
    x, low = _through(fixed["layers"], x, bias, weight, None)
    x, high = _through(trained["layers"], jax.lax.stop_gradient(x), bias, weight, key)
    means = jnp.concatenate([low, high])
    told = [means[tap - 1] for tap in taps]
    return jnp.concatenate(
        [one / jnp.maximum(jnp.linalg.norm(one, axis=-1, keepdims=True), 1e-6) for one in told], 1
    )


def stacked(layers: list[Weights]) -> Weights:
    """Layers as one, so that one is compiled and not each."""
    whole: Weights = jax.tree.map(lambda *values: jnp.stack(values), *layers)
    return whole


def _through(
    layers: Weights, x: Array, bias: Array, weight: Array, key: Array | None
) -> tuple[Array, Array]:
    """Where it gets to, and the mean over the pieces after each layer."""

    def one(x: Array, both: tuple[Weights, Array | None]) -> tuple[Array, Array]:
        x = _layer(both[0], x, bias, both[1])
        return x, (x * weight).sum(1) / jnp.maximum(weight.sum(1), 1.0)

    keys = None if key is None else jax.random.split(key, layers["ob"].shape[0])
    passed: tuple[Array, Array] = jax.lax.scan(one, x, (layers, keys))
    return passed


def _layer(layer: Weights, x: Array, bias: Array, key: Array | None) -> Array:
    first, second = (None, None) if key is None else jax.random.split(key)
    said = _attention(layer, x, bias)
    x = _norm(x + drop(said, first), layer["ln1w"], layer["ln1b"])
    inner = jax.nn.gelu(x @ layer["i"] + layer["ib"])
    outer = inner @ layer["f"] + layer["fb"]
    return _norm(x + drop(outer, second), layer["ln2w"], layer["ln2b"])


def _attention(layer: Weights, x: Array, bias: Array) -> Array:
    rows, length, width = x.shape

    def heads(values: Array) -> Array:
        return values.reshape(rows, length, HEADS, -1).transpose(0, 2, 1, 3)

    q, k, v = map(heads, jnp.split(x @ layer["qkv"] + layer["qkvb"], 3, -1))
    likeness = q @ k.transpose(0, 1, 3, 2) * (width // HEADS) ** -0.5
    seen = jax.nn.softmax(likeness + bias, -1) @ v
    joined = seen.transpose(0, 2, 1, 3).reshape(rows, length, width)
    said: Array = joined @ layer["o"] + layer["ob"]
    return said


def _norm(x: Array, scale: Array, shift: Array) -> Array:
    mean = x.mean(-1, keepdims=True)
    spread = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(spread + 1e-12) * scale + shift


def drop(x: Array, key: Array | None) -> Array:
    if key is None:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - DROPPED, x.shape), x / (1 - DROPPED), 0.0)
