"""The verifier finds every breach that a pass or the elaborator could make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from archc.base.internal import InternalError
from archc.base.span import Source, Span
from archc.formula.tree import Apply, Formula, Position, Read, Reduce, SizeValue
from archc.ir.graph import Block, Requirement, Symbol, TypedGraph
from archc.ir.node import Assume, Call, Compute, Node, Parameter, Region, Repeat, Value
from archc.ir.verify import verify
from archc.types.size import Condition, Size
from archc.types.tensor_type import BOOL, REAL, Axis, Kind, TensorType

SPAN = Span(Source("x.arch", "net"), 0, 3)
N, D = Size.symbol("n"), Size.symbol("d")


def real(**sizes: Size) -> TensorType:
    return TensorType(REAL, tuple(Axis(name, size) for name, size in sizes.items()))


def read(value: str, *indices: str | Formula) -> Read:
    return Read(value, tuple(Position(i) if isinstance(i, str) else i for i in indices))


def compute(name: str, type: TensorType, formula: Formula) -> Compute:
    return Compute(results=(Value(name, type),), span=SPAN, formula=formula)


def weight(name: str, type: TensorType) -> Parameter:
    return Parameter(results=(Value(name, type),), span=SPAN)


def call(**sizes: Size) -> Call:
    return Call(
        results=(Value("z", real(n=N, d=D)),),
        span=SPAN,
        block="inner",
        module="inner",
        operands=("x",),
        sizes=tuple(sizes.items()),
    )


X = Value("x", real(n=N, d=D))
SYMBOLS = (Symbol("n", "axis"), Symbol("d", "axis"))
SUM = compute("y", real(n=N), Reduce("sum", (Axis("k", D),), read("x", "n", "k")))
INNER = Block("inner", "inner", "block", SYMBOLS, Region((X,), (), ("x",)), ("y",))


def graph(*nodes: Node, output: str = "x", change: Callable[[Block], Block] = lambda net: net) -> TypedGraph:
    net = Block("net", "net", "net", SYMBOLS, Region((X,), nodes, (output,)), ("out",))
    return TypedGraph("net", {"inner": INNER, "net": change(net)})


def loop(*body: Node, output: str = "u", carry: TensorType = X.type) -> Repeat:
    return Repeat(
        results=(Value("h", X.type),),
        span=SPAN,
        count=Size.of(2),
        shared=False,
        module="h",
        initial=("x",),
        body=Region((Value("u", carry),), body, (output,)),
    )


def test_a_sound_graph_passes() -> None:
    verify(graph(SUM, weight("w", real(d=D)), call(n=N, d=D), loop(), output="y"))


def test_sizes_may_be_equal_by_a_fact() -> None:
    formula = Reduce("sum", (Axis("k", 2 * ((D + 1) // 2)),), read("x", "n", "k"))
    node = compute("y", real(n=N), formula)
    even = Condition("==", D % 2, Size.of(0))
    verify(graph(node, output="y", change=lambda net: replace(net, requirements=(Requirement(even, SPAN),))))
    with pytest.raises(InternalError):
        verify(graph(node, output="y"))


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (graph(output="y"), "y is not defined"),
        (graph(compute("y", real(n=N), read("z", "n"))), "reads z, not defined before"),
        (graph(SUM, SUM), "defined twice"),
        (graph(compute("x", real(n=N), read("x", "n", "n"))), "defined twice"),
        (graph(compute("y", real(n=N), read("x", "n", "d"))), "depends on the position on d"),
        (graph(compute("y", real(n=N), read("x", "n"))), "with 1 indices"),
        (graph(compute("y", real(n=N, d=D + 1), read("x", "n", "d"))), r"d has d \+ 1 positions"),
        (graph(compute("y", real(n=N, d=D), read("x", "d", "n"))), "d has d positions, but x has n on n"),
        (graph(compute("y", real(n=N), read("x", "n", read("x", "n", "n")))), "indexed by real values"),
        (graph(compute("y", real(n=N), Reduce("sum", (Axis("n", D),), read("x", "n", "n")))), "bound twice"),
        (graph(compute("y", real(), SizeValue(Size.symbol("w")))), "speaks of w"),
        (graph(weight("w", real(k=Size.symbol("k")))), "speaks of k"),
        (graph(weight("w", TensorType(REAL, (Axis("n", N), Axis("n", N))))), "two axes n"),
        (graph(weight("w", TensorType(Kind("simplex", "m"), (Axis("n", N),)))), "has no axis m"),
        (graph(weight("w", TensorType(Kind("index", "n"), (Axis("n", N),)))), "how many positions"),
        (graph(call(n=N)), "binds n, but inner has n, d"),
        (graph(call(n=D, d=N)), "is handed to"),
        (graph(replace(call(n=N, d=D), block="outer")), "no block defined before"),
        (graph(replace(call(n=N, d=D), operands=())), "0 values for 1"),
        (graph(call(n=N, d=D), replace(call(n=N, d=D + 1), results=())), "two different things"),
        (graph(loop(output="v")), "reads v, not defined before"),
        (graph(loop(carry=real(n=N, d=2 * D))), "is handed to"),
        (graph(loop(compute("u", real(), SizeValue(N)))), "defined twice"),
        (graph(Assume(results=(), span=SPAN, condition=Condition(">", Size.symbol("q"), N))), "speaks of q"),
        (graph(replace(SUM, span=Span(SPAN.source, 2, 9))), "no place in the spec"),
        (graph(change=lambda net: replace(net, output_names=())), "1 values for 0 outputs"),
        (graph(change=lambda net: replace(net, symbols=(*SYMBOLS, SYMBOLS[0]))), "two size symbols"),
        (graph(change=lambda net: replace(net, facts=(Condition(">", Size.symbol("q"), N),))), "speaks of q"),
        (TypedGraph("other", {"inner": INNER}), "no block other"),
        (TypedGraph("net", {"net": INNER}), "kept under the name net"),
    ],
)
def test_breaches(faulty: TypedGraph, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        verify(faulty)


def test_every_fault_is_listed() -> None:
    bad = graph(SUM, SUM, compute("v", real(n=N), read("q", "n")), output="r")
    with pytest.raises(InternalError) as caught:
        verify(bad)
    assert len(caught.value.faults) == 3


def test_a_call_cannot_reach_its_own_block() -> None:
    net = Block("net", "net", "net", SYMBOLS, Region((X,), (replace(call(n=N, d=D), block="net"),), ("z",)), ("out",))
    with pytest.raises(InternalError, match="no block defined before"):
        verify(TypedGraph("net", {"net": net}))


def test_truth_is_not_a_number() -> None:
    truth = compute("t", TensorType(BOOL, X.type.axes), Apply("lt", (read("x", "n", "d"), SizeValue(N))))
    with pytest.raises(InternalError, match="bool is handed to real"):
        verify(graph(truth, replace(call(n=N, d=D), operands=("t",))))
