"""Writes an encoder as an ONNX graph with eight bits a weight.

What comes out are features: the mean over the pieces after some of the layers, each of length
one, side by side. The upper layers know what a text is about, the middle ones how it is said. With
heads, scores of every label come out as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.base import Base

Array = NDArray[Any]
HEADS = 12
EPSILON = 1e-12
# Seven bits: two products of eight-bit numbers do not fit the sixteen that older processors add in.
STEPS = 63
_OURS = "com.microsoft"
_HEADS = ("heads", "headsb")


class _Graph:
    """Nodes and weights, in the order in which they run."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: Array) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, name: str, *inputs: str, domain: str = "", **about: Any) -> str:  # noqa: ANN401
        node = helper.make_node(kind, list(inputs), [name], name=name, domain=domain, **about)
        self.nodes.append(node)
        return name

    def linear(self, name: str, x: str, matrix: Array, bias: Array) -> str:
        """x @ matrix + bias with one scale a column; x is quantised on the way."""
        scale = np.maximum(np.abs(matrix).max(0) / STEPS, 1e-12).astype(np.float32)
        whole = np.round(matrix / scale).astype(np.int8)
        return self.add(
            "DynamicQuantizeMatMul",
            name,
            x,
            self.weight(f"{name}.matrix", whole),
            self.weight(f"{name}.scale", scale),
            self.weight(f"{name}.zero", np.zeros(scale.shape, np.int8)),
            self.weight(f"{name}.bias", bias.astype(np.float32)),
            domain=_OURS,
        )

    def norm(self, name: str, x: str, more: str, scale: Array, shift: Array) -> str:
        return self.add(
            "SkipLayerNormalization",
            name,
            x,
            more,
            self.weight(f"{name}.scale", scale),
            self.weight(f"{name}.shift", shift),
            domain=_OURS,
            epsilon=EPSILON,
        )


@dataclass(frozen=True, slots=True)
class Heads:
    """One linear layer on standardised features: (features - mean) * scale @ matrix + bias."""

    mean: Array
    scale: Array
    matrix: Array
    bias: Array

    def folded(self) -> tuple[Array, Array]:
        """The same as features @ matrix + bias."""
        matrix = self.scale[:, None] * self.matrix
        return matrix.astype(np.float32), (self.bias - self.mean @ matrix).astype(np.float32)


def export(base: Base, taps: Sequence[int], path: Path, heads: Sequence[Heads] = ()) -> None:
    """`taps`: after which layers (from 1 on) the mean is taken. Several heads are averaged."""
    graph = _Graph()
    x = _embed(graph, base.embedding)
    axis = graph.weight("axis", np.array([1]))
    means = []
    for number, layer in enumerate(base.layers[: max(taps)], 1):
        x = _layer(graph, f"l{number}", x, layer)
        if number in taps:
            mean = graph.add("ReduceMean", f"mean{number}", x, axis, keepdims=0)
            means.append(graph.add("LpNormalization", f"tap{number}", mean, axis=1, p=2))
    graph.add("Concat", "features", *means, axis=1)
    outputs = {"features": len(taps) * base.embedding["word"].shape[1]}
    if heads:
        outputs = {"scores": _score(graph, heads)} | outputs
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info("pieces", TensorProto.INT64, [1, "length"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width])
            for name, width in outputs.items()
        ],
        graph.weights,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_OURS, 1)]
    onnx.save(helper.make_model(made, opset_imports=opsets, ir_version=9), path)


def heads_of(path: Path) -> tuple[Array, Array]:
    """Matrix and bias, as an exported encoder has them."""
    found = {one.name: one for one in onnx.load(path).graph.initializer}
    matrix, bias = (numpy_helper.to_array(found[name]) for name in _HEADS)
    return matrix, bias


def change_heads(path: Path, matrix: Array, bias: Array) -> None:
    """Of an exported encoder; its layers stay as they are."""
    model = onnx.load(path)
    new = dict(zip(_HEADS, (matrix, bias), strict=True))
    for one in model.graph.initializer:
        if one.name in new:
            one.CopyFrom(numpy_helper.from_array(new[one.name].astype(np.float32), one.name))
    onnx.save(model, path)


def _score(graph: _Graph, heads: Sequence[Heads]) -> int:
    """How many scores there are."""
    matrices, biases = zip(*(one.folded() for one in heads), strict=True)
    matrix, bias = np.mean(matrices, axis=0), np.mean(biases, axis=0)
    both = [graph.weight(*one) for one in zip(_HEADS, (matrix, bias), strict=True)]
    graph.add("Gemm", "scores", "features", *both)
    return len(bias)


def _embed(graph: _Graph, parameters: dict[str, Any]) -> str:
    """A row of the vocabulary has a scale of its own."""
    word = np.asarray(parameters["word"])
    scale = np.maximum(np.abs(word).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
    rows = graph.weight("word", np.round(word / scale).astype(np.int8))
    row = graph.add("Gather", "row", rows, "pieces")
    size = graph.add("Gather", "size", graph.weight("word.scale", scale), "pieces")
    number = graph.add("Cast", "number", row, to=TensorProto.FLOAT)
    value = graph.add("Mul", "value", number, size)
    shape = graph.add("Shape", "shape", "pieces", start=1)
    place = graph.add(
        "Slice",
        "place",
        graph.weight("positions", np.asarray(parameters["pos"])),
        graph.weight("zero", np.array([0])),
        shape,
    )
    placed = graph.add("Add", "placed", value, place)
    return graph.add(
        "LayerNormalization",
        "embedded",
        placed,
        graph.weight("embedded.scale", np.asarray(parameters["lnw"])),
        graph.weight("embedded.shift", np.asarray(parameters["lnb"])),
        axis=-1,
        epsilon=EPSILON,
    )


def _layer(graph: _Graph, name: str, x: str, layer: dict[str, Any]) -> str:
    values = {key: np.asarray(value) for key, value in layer.items()}
    all_three = graph.linear(f"{name}.qkv", x, values["qkv"], values["qkvb"])
    names = [f"{name}.{which}" for which in "qkv"]
    graph.nodes.append(
        helper.make_node("Split", [all_three], names, name=f"{name}.split", axis=-1, num_outputs=3)
    )
    seen = graph.add("MultiHeadAttention", f"{name}.seen", *names, domain=_OURS, num_heads=HEADS)
    said = graph.linear(f"{name}.said", seen, values["o"], values["ob"])
    x = graph.norm(f"{name}.first", x, said, values["ln1w"], values["ln1b"])
    inner = graph.linear(f"{name}.inner", x, values["i"], values["ib"])
    bent = graph.add("FastGelu", f"{name}.bent", inner, domain=_OURS)
    outer = graph.linear(f"{name}.outer", bent, values["f"], values["fb"])
    return graph.norm(f"{name}.second", x, outer, values["ln2w"], values["ln2b"])
