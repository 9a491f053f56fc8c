"""Classes: blocks, loops, several results, constants, names that clash."""

from __future__ import annotations

import pytest
import torch

from archc.codegen.allow import EmissionError, verify
from archc.codegen.layout import flat, parse, quoted
from archc.codegen.module import generate
from archc.codegen.names import Names
from archc.formula.tree import Literal, Position, SizeValue
from archc.ir.node import Assume, Call, Compute, Initial, Node, Parameter, Region, Repeat, Value
from archc.types.size import Condition, Size
from archc.types.tensor_type import TensorType
from tests.codegen.graphs import (
    SPAN,
    agree,
    axis,
    block,
    call,
    compute,
    graph,
    load,
    param,
    read,
    size,
    tensor,
    total,
)

B, D = axis("batch"), axis("d", "width")
X = tensor(B, D)
SIZES = {"batch": 3, "width": 4, "depth": 2}


def layer(name: str, source: str, weight: str) -> Compute:
    product = call("mul", read(weight, "d", "i"), read(source, "batch", "i"))
    return compute(name, X, call("tanh", total(product, axis("i", "width"))))


def mixing(name: str = "mix") -> object:
    nodes = [param("w", tensor(D, axis("i", "width"))), layer("z", "x", "w")]
    return block(name, {"x": X}, nodes, ["z"], {"width": None}, role="block")


def calls(name: str, source: str, module: str) -> Call:
    value = Value(name, X)
    return Call(
        results=(value,),
        span=SPAN,
        block="mix",
        module=module,
        operands=(source,),
        sizes=(("batch", size("batch")), ("width", size("width"))),
    )


def loop(body: Region, initial: str, result: str, *, shared: bool = False) -> Repeat:
    return Repeat(
        results=(Value(result, X),),
        span=SPAN,
        count=size("depth"),
        shared=shared,
        module="passes",
        initial=(initial,),
        body=body,
    )


def net(nodes: list[Node], outputs: list[str] | None = None, **options: object) -> object:
    return block("net", {"x": X}, nodes, outputs or ["y"], {"width": 4, "depth": 2}, **options)


def test_a_block_is_a_class_and_a_shared_use_one_instance() -> None:
    found, module = agree(
        graph(mixing(), net([calls("a", "x", "f"), calls("b", "a", "f"), calls("y", "b", "g")])), SIZES
    )
    assert "class Mix(nn.Module):" in found
    assert found.count("self.f = Mix(width=width)") == 1
    assert set(dict(module.named_parameters())) == {"f.w", "g.w"}


def test_a_loop_over_a_call_holds_its_instances() -> None:
    body = Region((Value("c", X),), (calls("z", "c", "f"),), ("z",))
    found, module = agree(graph(mixing(), net([loop(body, "x", "y")])), SIZES)
    assert "self.passes = nn.ModuleList(Mix(width=width) for _ in range(depth))" in found
    assert set(dict(module.named_parameters())) == {"passes.0.w", "passes.1.w"}


@pytest.mark.parametrize("shared", [False, True])
def test_a_loop_reads_what_stands_outside(shared: bool) -> None:
    inner = (
        param("w", tensor(D, axis("i", "width"))),
        layer("z", "c", "w"),
        compute("r", X, call("add", read("z", "batch", "d"), read("h", "batch", "d"), read("v", "d"))),
    )
    body = Region((Value("c", X),), inner, ("r",))
    start = compute("h", X, call("sin", read("x", "batch", "d")))
    found, module = agree(graph(net([param("v", tensor(D)), start, loop(body, "h", "y", shared=shared)])), SIZES)
    assert len(dict(module.named_parameters())) == (2 if shared else 3)
    assert ("for _ in range(self.depth):" in found) == shared


def test_values_are_handed_over_axis_by_axis_by_name() -> None:
    turned = block(
        "turned",
        {"x": tensor(D, B)},
        [compute("z", tensor(B, D), call("add", read("x", "d", "batch"), Position("d")))],
        ["z"],
        {"width": None},
        role="block",
    )
    sizes = (("batch", size("batch")), ("width", size("width")))

    def use(name: str, source: str, type: TensorType) -> Call:
        value = Value(name, type)
        return Call(results=(value,), span=SPAN, block="turned", module=name, operands=(source,), sizes=sizes)

    body = Region((Value("c", X),), (use("z", "c", X),), ("z",))
    found, _ = agree(graph(turned, net([use("a", "x", tensor(D, B)), loop(body, "a", "y")])), SIZES)
    assert "layer(a.permute(1, 0))" in found


def test_sizes_come_from_multiples_from_around_a_loop_and_where_no_input_tells_them_from_the_constructor() -> None:
    inputs = {"x": tensor(B, axis("d", 2 * size("n") + 1))}
    nodes = [
        compute("s", tensor(B), total(read("x", "batch", "i"), axis("i", 2 * size("n") + 1))),
        Repeat(
            results=(Value("y", tensor(B)),),
            span=SPAN,
            count=Size.of(2),
            shared=False,
            module="passes",
            initial=("s",),
            body=Region(
                (Value("c", tensor(B)),),
                (
                    compute(
                        "z", tensor(B), call("mul", read("c", "batch"), SizeValue(size("depth")), SizeValue(size("n")))
                    ),
                ),
                ("z",),
            ),
        ),
        compute("r", tensor(B, axis("k", "n")), call("mul", read("y", "batch"), Position("k"))),
    ]
    made = block("net", inputs, nodes, ["r"], {"depth": 2})
    found, _ = agree(graph(made), {"batch": 3, "n": 4, "depth": 2})
    assert "def __init__(self, depth: int = 2)" in found
    assert "def forward(self, c: Tensor, n: int) -> Tensor" in found
    assert "s = layer(s, n=n)" in found


def test_several_results_are_a_named_tuple() -> None:
    nodes = [
        compute("a", X, call("neg", read("x", "batch", "d"))),
        compute("s", tensor(B), total(read("x", "batch", "d"), D)),
    ]
    found, _ = agree(graph(net(nodes, ["a", "s"])), SIZES)
    assert "class NetOutput(NamedTuple):" in found
    assert "-> NetOutput:" in found


def test_results_over_axes_that_their_formula_lacks_are_expanded_at_the_boundary_only() -> None:
    nodes = [compute("h", X, call("sin", Position("d"))), compute("y", X, call("mul", 2.0, read("h", "batch", "d")))]
    found, _ = agree(graph(net(nodes)), SIZES)
    assert found.count("expand") == 1


def test_constants_are_buffers_and_drawn_ones_are_kept() -> None:
    k = axis("k", 3)
    closed = Parameter(
        results=(Value("table", tensor(k, D)),),
        span=SPAN,
        role="const",
        formula=call("sin", call("div", call("add", Position("k"), Position("d")), 3)),
    )
    drawn = Parameter(results=(Value("r", tensor(D)),), span=SPAN, role="const", initial=Initial("normal", (1.0,)))
    product = call("mul", read("table", "k", "d"), read("x", "batch", "d"), read("r", "d"))
    found, module = agree(graph(net([closed, drawn, compute("y", tensor(B, k), total(product, D))])), SIZES)
    assert set(module.state_dict()) == {"r"}
    assert 'self.register_buffer("table",' in found


def test_assumptions_are_checked_when_the_module_runs() -> None:
    sizes = Assume(results=(), span=SPAN, condition=Condition(">=", Size.symbol("batch"), Size.of(2)))
    values = Assume(results=(), span=SPAN, condition=call("lt", read("x", "batch", "d"), Literal(9.0)))
    made = compute("y", X, call("neg", read("x", "batch", "d")))
    found, module = agree(graph(net([sizes, values, made])), SIZES)
    assert "torch._check(batch >= 2" in found
    assert "(x < 9.0).all()," in found
    with pytest.raises(RuntimeError, match=r"hand\.arch:1"):
        module(torch.zeros(1, 4))


def test_requirements_are_checked_by_the_constructor() -> None:
    from archc.ir.graph import Requirement

    requirement = Requirement(Condition("==", Size.symbol("width") % 2, Size.of(0)), SPAN)
    text = generate(graph(net([compute("y", X, call("neg", read("x", "batch", "d")))], requirements=(requirement,))))
    with pytest.raises(ValueError, match="width % 2 == 0"):
        load(text, "Net")(width=3)


def test_names_that_clash_with_python_or_torch_are_moved_aside() -> None:
    types: dict[str, TensorType] = {"self": X, "torch": X, "lambda": X, "F": X}
    total_ = call("add", *(read(name, "batch", "d") for name in types))
    made = block(
        "class",
        types,
        [param("forward", tensor(D)), compute("y", X, call("mul", total_, read("forward", "d")))],
        ["y"],
        {"width": 4},
    )
    agree(graph(made), SIZES)


def test_text_of_a_user_is_harmless() -> None:
    made = net([compute("y", X, call("neg", read("x", "batch", "d")))], fixed=(("say", '"""\n\\N{BULLET} \u202e'),))
    text = generate(graph(made))
    assert text.isascii()
    verify(text)


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "from torch import compile",
        "class A:\n    def f(self):\n        return self.__class__",
        "class A:\n    def f(self):\n        return eval('1')",
        "class A:\n    def f(self):\n        return unbound",
        "with open('x') as f:\n    pass",
    ],
)
def test_the_allow_list_refuses(text: str) -> None:
    with pytest.raises(EmissionError):
        verify(text)


@pytest.mark.parametrize(
    "text",
    [
        "(a + b) * c",
        "a - (b - c)",
        "-(a @ b)",
        "(-a) ** 2",
        "a**-1",
        "self.a**2",
        "f(a) ** 2",
        "x[..., a + 1 : b]",
        "x[:, None, ::2]",
        "x[self.n :]",
        "(a if b else c) + d",
        "f(*a, k=(1,))",
        "(a < b) & ~c",
        "not (a and b)",
        "sum(a for a in b)",
        "\"say 'x'\"",
    ],
)
def test_expressions_are_printed_as_the_formatter_prints_them(text: str) -> None:
    assert flat(parse(text)) == text


@pytest.mark.parametrize("text", ["plain", "it's", 'a "b"', "'\"", "\u00e9\n\\"])
def test_strings_keep_their_value(text: str) -> None:
    assert quoted(text).isascii()
    assert parse(quoted(text)).value == text  # type: ignore[attr-defined]


def test_names_are_allocated_once() -> None:
    names = Names(["x"])
    assert [names.fresh(hint) for hint in ("x", "x", "1", "for", "len", "a-b", "")] == [
        "x_2",
        "x_3",
        "value_1",
        "for_2",
        "len_2",
        "a_b",
        "value",
    ]
    names.release("x_2")
    assert names.fresh("x") == "x_2"
