"""Small graphs built by hand, and what it takes to run a generated module beside the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from archc.base.span import Source, Span
from archc.codegen.module import generate
from archc.formula.tree import Apply, Formula, Literal, Position, Read, Reduce
from archc.ir.graph import Block, Symbol, TypedGraph
from archc.ir.node import Compute, Initial, Node, Parameter, Region, Value
from archc.readings.values import reference
from archc.types.size import Size
from archc.types.tensor_type import Axis, Kind, TensorType

SOURCE = Source("specs/hand.arch", "net\n" * 50)
SPAN = Span(SOURCE, 0, 3)


def size(what: int | str | Size) -> Size:
    if isinstance(what, Size):
        return what
    return Size.of(what) if isinstance(what, int) else Size.symbol(what)


def axis(name: str, what: int | str | Size | None = None) -> Axis:
    return Axis(name, size(name if what is None else what))


def tensor(*axes: Axis | str, kind: str = "real") -> TensorType:
    return TensorType(Kind(kind), tuple(axis(one) if isinstance(one, str) else one for one in axes))


def index(of: Axis, *axes: Axis | str) -> TensorType:
    return TensorType(Kind("index", of.name, of.size), tensor(*axes).axes)


def read(name: str, *indices: str | Formula, outside: Formula | None = None) -> Read:
    return Read(name, tuple(Position(one) if isinstance(one, str) else one for one in indices), outside)


def call(word: str, *operands: Formula | float) -> Apply:
    return Apply(word, tuple(one if isinstance(one, Formula) else Literal(one) for one in operands))


def total(body: Formula, *axes: Axis, where: Formula | None = None, kind: str = "sum") -> Reduce:
    return Reduce(kind, axes, body, where)


def param(name: str, type: TensorType, word: str = "normal", **options: Any) -> Parameter:
    return Parameter(results=(Value(name, type),), span=SPAN, initial=Initial(word, (1.0,)), **options)


def compute(name: str, type: TensorType, formula: Formula) -> Compute:
    return Compute(results=(Value(name, type),), span=SPAN, formula=formula)


def block(
    name: str,
    inputs: Mapping[str, TensorType],
    nodes: Sequence[Node],
    outputs: Sequence[str],
    hypers: Mapping[str, int | None] | None = None,
    **options: Any,
) -> Block:
    hypers = hypers or {}
    used = {
        symbol
        for type in (*inputs.values(), *(value.type for node in nodes for value in node.results))
        for one in type.axes
        for symbol in one.size.symbols
    }
    axes = [symbol for symbol in sorted(used) if symbol not in hypers]
    symbols = (*(Symbol(s, "axis") for s in axes), *(Symbol(s, "hyper", d) for s, d in hypers.items()))
    values = tuple(Value(name, type) for name, type in inputs.items())
    region = Region(values, tuple(nodes), tuple(outputs))
    names = options.pop("output_names", tuple(outputs))
    return Block(name, name, options.pop("role", "net"), symbols, region, names, span=SPAN, **options)


def graph(*blocks: Block) -> TypedGraph:
    return TypedGraph(blocks[-1].name, {one.name: one for one in blocks}, "the text")


def load(text: str, name: str) -> type[nn.Module]:
    scope: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "<generated>", "exec"), scope)
    return scope[name]


def agree(net: TypedGraph, sizes: Mapping[str, int], seed: int = 0, tolerance: float = 1e-9) -> tuple[str, nn.Module]:
    """Generate, run in double precision on random inputs, compare with the reference; the text and the module."""
    text = generate(net)
    random = np.random.default_rng(seed)
    needed = {symbol.name: sizes[symbol.name] for symbol in net.net.symbols if symbol.name in sizes}
    inputs = {}
    for value in net.net.region.inputs:
        shape = [one.size.evaluate(sizes) for one in value.type.axes]
        if value.type.kind.word == "index":
            inputs[value.name] = random.integers(0, value.type.kind.size.evaluate(sizes), shape)
        elif value.type.kind.word == "int":
            inputs[value.name] = random.integers(-3, 8, shape)
        else:
            inputs[value.name] = random.normal(size=shape)
    previous = torch.get_default_dtype()
    torch.set_default_dtype(torch.double)
    try:
        torch.manual_seed(seed)
        kind = load(text, text.split("class ")[-1].split("(")[0])
        accepted = kind.__init__.__code__.co_varnames[: kind.__init__.__code__.co_argcount]
        module = kind(**{name: number for name, number in needed.items() if name in accepted})
        found = module(*(torch.as_tensor(array) for array in inputs.values()))
    except Exception:
        print(text)
        raise
    finally:
        torch.set_default_dtype(previous)
    stored = {name: value.detach().numpy() for name, value in module.state_dict().items()}
    wanted = reference(net)(inputs, stored, needed)
    results = [found] if isinstance(found, torch.Tensor) else list(found)
    for (name, array), result in zip(wanted.items(), results, strict=True):
        assert array.shape == tuple(result.shape), (name, text)
        np.testing.assert_allclose(result.detach().numpy(), array, rtol=tolerance, atol=tolerance, err_msg=text)
    return text, module
