"""Parameters stand under the names that the generated module gives them."""

from __future__ import annotations

from archc.base.span import Source, Span
from archc.ir.graph import Block, Symbol, TypedGraph
from archc.ir.node import Call, Node, Parameter, Region, Repeat, Value
from archc.ir.parameter import parameters
from archc.types.size import Size
from archc.types.tensor_type import REAL, Axis, TensorType

SPAN = Span(Source("x.arch", "net"), 0, 3)
D, DEPTH = Size.symbol("d"), Size.symbol("depth")


def real(*sizes: Size) -> TensorType:
    return TensorType(REAL, tuple(Axis(f"a{number}", size) for number, size in enumerate(sizes)))


def vector(name: str, size: Size = D) -> Value:
    return Value(name, real(size))


def weight(name: str, *sizes: Size) -> Parameter:
    return Parameter(results=(Value(name, real(*sizes)),), span=SPAN)


def call(block: str, module: str, operand: str, result: str, **sizes: Size) -> Call:
    return Call(
        results=(vector(result),),
        span=SPAN,
        block=block,
        module=module,
        operands=(operand,),
        sizes=tuple(sizes.items()),
    )


def repeat(module: str, start: str, result: str, *body: Node, output: str, shared: bool = False) -> Repeat:
    region = Region((vector(f"{result}0"),), body, (output,))
    return Repeat(
        results=(vector(result),),
        span=SPAN,
        count=DEPTH,
        shared=shared,
        module=module,
        initial=(start,),
        body=region,
    )


def block(name: str, symbols: str, *nodes: Node, output: str = "x", role: str = "block") -> Block:
    region = Region((vector("x"),), nodes, (output,))
    return Block(name, name, role, tuple(Symbol(s, "hyper") for s in symbols.split()), region, ("y",))


LINEAR = block("linear", "d", weight("W", D, D), weight("b", D))


def paths(*nodes: Node, depth: int | None = None) -> list[str]:
    net = block("net", "d depth", *nodes, role="net")
    graph = TypedGraph("net", {"linear": LINEAR, "net": net})
    return [placed.path for placed in parameters(graph, None if depth is None else {"depth": depth})]


def test_own_and_called() -> None:
    assert paths(weight("v", D), call("linear", "first", "x", "y", d=D)) == ["v", "first.W", "first.b"]


def test_a_shared_instance_counts_once() -> None:
    twice = (call("linear", "tied", "x", "y", d=D), call("linear", "tied", "y", "z", d=D))
    assert paths(*twice) == ["tied.W", "tied.b"]


def test_a_repeat_of_one_call_holds_the_called_block() -> None:
    loop = repeat("h", "x", "h", call("linear", "inner", "h0", "o", d=D), output="o")
    assert paths(loop, depth=2) == ["h.0.W", "h.0.b", "h.1.W", "h.1.b"]
    assert paths(loop) == ["h.*.W", "h.*.b"]
    assert paths(loop, depth=0) == []


def test_a_repeat_of_more_holds_a_pass() -> None:
    body = (call("linear", "inner", "h0", "o", d=D), weight("s", D))
    assert paths(repeat("h", "x", "h", *body, output="o"), depth=2) == [
        "h.0.inner.W", "h.0.inner.b", "h.0.s", "h.1.inner.W", "h.1.inner.b", "h.1.s",
    ]  # fmt: skip


def test_a_shared_repeat_holds_one_set() -> None:
    call_ = call("linear", "inner", "h0", "o", d=D)
    assert paths(repeat("h", "x", "h", call_, output="o", shared=True), depth=5) == ["h.W", "h.b"]
    both = repeat("h", "x", "h", call_, weight("s", D), output="o", shared=True)
    assert paths(both, depth=5) == ["h.inner.W", "h.inner.b", "h.s"]


def test_shapes_and_counts_are_in_the_symbols_of_the_net() -> None:
    width = Size.symbol("width")
    middle = block("middle", "d", repeat("h", "x", "h", call("linear", "i", "h0", "o", d=2 * D), output="o"))
    middle = Block("middle", "middle", "block", (Symbol("d", "hyper"), Symbol("depth", "hyper")), middle.region, ("y",))
    outer = call("middle", "m", "x", "y", d=width + 1, depth=Size.of(3))
    net = Block(
        "net", "net", "net", (Symbol("width", "hyper", 4),), Region((vector("x", width),), (outer,), ("y",)), ("y",)
    )
    graph = TypedGraph("net", {"linear": LINEAR, "middle": middle, "net": net})
    weights, biases = parameters(graph)
    assert weights.path == "m.h.*.W"
    assert weights.shape == (2 * width + 2, 2 * width + 2)
    assert weights.count == Size.of(3)
    assert biases.entries == 6 * width + 6
    listed = parameters(graph, {"width": 2})
    assert [placed.path for placed in listed] == [f"m.h.{i}.{name}" for i in range(3) for name in ("W", "b")]
    assert sum(placed.entries.evaluate({"width": 2}) for placed in listed) == 3 * (36 + 6)
