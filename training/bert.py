"""The encoder's forward pass in JAX, and its heads: one linear layer on the mean of the pieces.

The lowest layers and the embedding stay as they are: they know the languages, and a few thousand
messages would only move the words that are in them away from those that are not.
"""

from typing import Any

import jax
import jax.numpy as jnp

Array = jax.Array
Weights = dict[str, Any]

HEADS = 12
DROPPED = 0.1


def scores(fixed: Weights, trained: Weights, pieces: Array, key: Array | None = None) -> Array:
    """Scores of every label; -1 in `pieces` is no piece. With a key, some of it is dropped."""
    is_there = pieces >= 0
    bias = jnp.where(is_there, 0.0, -1e9)[:, None, None, :]
    pieces = jnp.maximum(pieces, 0)
    x = fixed["word"][pieces] + fixed["pos"][None, : pieces.shape[1]]
    x = _norm(x, fixed["lnw"], fixed["lnb"])
    x = jax.lax.stop_gradient(_through(fixed["layers"], x, bias, None))
    x = _through(trained["layers"], x, bias, key)
    weight = is_there[..., None].astype(x.dtype)
    mean = (x * weight).sum(1) / jnp.maximum(weight.sum(1), 1.0)
    answer: Array = _drop(mean, key) @ trained["head"] + trained["headb"]
    return answer


def stacked(layers: list[Weights]) -> Weights:
    """Layers as one, so that one is compiled and not each."""
    whole: Weights = jax.tree.map(lambda *values: jnp.stack(values), *layers)
    return whole


def _through(layers: Weights, x: Array, bias: Array, key: Array | None) -> Array:
    count = layers["ob"].shape[0]
    if key is None:
        return jax.lax.scan(lambda x, layer: (_layer(layer, x, bias, None), None), x, layers)[0]
    keys = jax.random.split(key, count)
    return jax.lax.scan(
        lambda x, both: (_layer(both[0], x, bias, both[1]), None), x, (layers, keys)
    )[0]


def _layer(layer: Weights, x: Array, bias: Array, key: Array | None) -> Array:
    first, second = (None, None) if key is None else jax.random.split(key)
    said = _attention(layer, x, bias)
    x = _norm(x + _drop(said, first), layer["ln1w"], layer["ln1b"])
    inner = jax.nn.gelu(x @ layer["i"] + layer["ib"])
    outer = inner @ layer["f"] + layer["fb"]
    return _norm(x + _drop(outer, second), layer["ln2w"], layer["ln2b"])


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


def _drop(x: Array, key: Array | None) -> Array:
    if key is None:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - DROPPED, x.shape), x / (1 - DROPPED), 0.0)
