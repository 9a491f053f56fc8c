"""From a parsed file to typed graphs: the entry of elaboration."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

from archc.base.diagnostic import Fault
from archc.base.limits import LIMITS
from archc.base.nearest import nearest
from archc.elaborate import call as _calls  # registers calls and pipes with `evaluate`
from archc.elaborate import choice as _choices  # registers choices
from archc.elaborate import faults
from archc.elaborate import index as _indexing  # registers indexing
from archc.elaborate import loop as _loops
from archc.elaborate import recursion as _recursion  # registers loops
from archc.elaborate import reduction as _reductions  # registers reductions
from archc.elaborate.arguments import Arguments, Operand, hyper_kind
from archc.elaborate.binding import (
    Activation,
    AxisList,
    Binding,
    Definition,
    Extent,
    Flag,
    Partial,
    Scalar,
    Term,
    Word,
)
from archc.elaborate.extent import bounded, expand, listed
from archc.elaborate.frame import Freeze, Poisoned, Session
from archc.elaborate.instance import entered
from archc.elaborate.library import File, whole
from archc.elaborate.ports import match_ports
from archc.elaborate.specialise import Builder, default_hypers
from archc.formula.tree import Position, Read
from archc.ir.graph import Block, TypedGraph
from archc.ir.parameter import places
from archc.ops.registries import POINTWISE
from archc.syntax import tree
from archc.types.limits import MAX_BITS
from archc.types.size import Size
from archc.types.tensor_type import REAL, Axis, Kind

REGISTERED = (_calls, _choices, _indexing, _loops, _recursion, _reductions)
WITNESS = 2
"""What a whole number without a default is taken to be when a block is checked on its own."""

_FRAMES = 40
"""How many frames of Python a call of a block takes whose operands nest as they do in a spec that somebody reads."""

Option = int | float | bool | str


def elaborate(file: File, net: Definition, options: Mapping[str, Option], session: Session) -> TypedGraph | None:
    """The typed graph of a net; None where it has errors, which the session's findings hold.

    Raises Fault E0212 for an option the net does not have, E0214 for one that it does not take.
    """
    return _graph(file, _root(net, _given(net, options), session), options, session)


def _graph(file: File, root: Block | None, options: Mapping[str, Option], session: Session) -> TypedGraph | None:
    if root is None:
        return None
    graph = TypedGraph(
        entry=root.name,
        blocks=_reached(root, session),
        source=file.source.text,
        path=file.source.path,
        options=tuple(sorted(options.items())),
    )
    if places(graph) > LIMITS.nodes:
        session.findings.add(faults.TooManyNodes(root.span or whole(file.source), limit=LIMITS.nodes))
        return None
    return graph


def _reached(net: Block, session: Session) -> dict[str, Block]:
    """The blocks a net uses, callees before callers."""
    found: dict[str, Block] = {}

    def visit(block: Block) -> None:
        for name in block.callees:
            if name not in found:
                visit(session.blocks[name])
        found[block.name] = block

    visit(net)
    return found


def elaborate_alone(definition: Definition, session: Session) -> TypedGraph | None:
    """The typed graph of a block that nothing calls, with stand-ins for what a call would give it; None where it has
    errors, which the session's findings hold."""
    try:
        given = _stand_ins(definition)
    except Fault as fault:
        session.findings.add(fault.diagnostic)
        return None
    return _graph(definition.file, _root(definition, given, session), {}, session)


def _root(definition: Definition, given: dict[str, Binding], session: Session) -> Block | None:
    """Build a block that nothing calls: its sizes are its own symbols, its whole numbers have their defaults."""
    frozen: dict[str, int] = {}
    while True:
        builder = Builder(session, definition, frozen, None)
        try:
            with _calls_within_calls(), bounded(definition.tree.head):
                return _built(definition, given, builder)
        except Freeze as freeze:
            for symbol in freeze.symbols:
                frozen[symbol] = builder.values[symbol]
        except Fault as fault:
            builder.frame.report(fault.diagnostic)
            return None
        except Poisoned:
            return None
        except RecursionError:
            builder.frame.report(faults.TooDeep(definition.tree.head, limit=LIMITS.block_depth))
            return None


@contextmanager
def _calls_within_calls() -> Iterator[None]:
    """Room on Python's own stack for blocks that call each other as deeply as the limits allow."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES * LIMITS.block_depth))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _built(definition: Definition, given: dict[str, Binding], builder: Builder) -> Block | None:
    arguments = Arguments(definition.tree.name, definition.tree.head)
    hypers = {name: builder.hyper(name, binding) for name, binding in given.items()}
    default_hypers(definition, hypers, builder.scope, arguments)
    builder.symbolise_defaults()
    _refuse_negative(definition, builder)
    matched = match_ports(definition, _own_operands(definition, builder), builder.scope, builder.axis)
    with entered(builder.session, definition, definition.tree.head):
        return builder.build(matched)


def _refuse_negative(definition: Definition, builder: Builder) -> None:
    """What a size symbol stands for is at least zero, whatever it is used for. Raises Fault E0322."""
    for symbol in builder.symbols.values():
        if symbol.default is not None and symbol.default < 0:
            hypers = (hyper for hyper in definition.tree.hypers if isinstance(hyper, tree.Hyper))
            span = next((hyper.span for hyper in hypers if hyper.name == symbol.name), definition.tree.head)
            name, number = symbol.name, symbol.default
            label = "a whole number that is given to a block counts something, and is at least zero"
            help = f"a number that counts nothing is real: `{name}: real = {number}.0`"
            raise Fault(faults.BadSize(span, what=f"`{name}` = {number}", label=label, help=help))


def _own_operands(definition: Definition, builder: Builder) -> list[Operand]:
    """Operands as the ports themselves describe them."""
    operands = []
    for port in definition.tree.inputs:
        type = port.type
        axes, kind = [], REAL
        if isinstance(type, tree.Type):
            along = expand(type.of, builder.scope) if type.kind == "simplex" and isinstance(type.of, tree.Name) else ()
            kind = Kind(type.kind, next((name for name, _ in along), None))
            for entry in type.axes:
                axes += [Axis(name, Size.symbol(name), entry.twin) for name, _ in expand(entry.name, builder.scope)]
        read = Read(port.name, tuple(Position(axis.name) for axis in axes))
        operands.append(Operand(Term(read, tuple({axis.name: axis for axis in axes}.values()), kind), port.span))
    return operands


def _given(net: Definition, options: Mapping[str, Option]) -> dict[str, Binding]:
    """Options by the kinds of the hyper-parameters."""
    hypers = {hyper.name: hyper for hyper in net.tree.hypers if isinstance(hyper, tree.Hyper)}
    given: dict[str, Binding] = {}
    for name, value in options.items():
        hyper = hypers.get(name)
        if hyper is None:
            near = nearest(name, hypers)
            help = f"did you mean `{near}`?" if near else f"it has {', '.join(hypers) or 'none'}"
            raise Fault(faults.UnknownHyper(net.tree.head, net=net.tree.name, name=name, help=help))
        found = _option(hyper, value, net.file)
        if found is None:
            expected, help = _expected(hyper, value, net.file)
            shown = f"`{str(value).lower() if isinstance(value, bool) else value}`"
            place, word = hyper.span.word(name), net.tree.name
            raise Fault(faults.WrongOption(place, name=name, net=word, expected=expected, given=shown, help=help))
        given[name] = found
    return given


def _option(hyper: tree.Hyper, value: Option, file: File) -> Binding | None:
    """An option as the hyper-parameter's kind reads it; None for a value that is none of its kind."""
    match hyper_kind(hyper), value:
        case ("bool", bool()):
            return Flag(value)
        case (_, bool()):
            return None
        case ("int", int()) if 0 <= value < 2**MAX_BITS:
            return Extent(Size.of(value))
        case ("real", int() | float()) if isfinite(value):
            return Scalar(float(value))
        case ("choice", str()) if value in hyper.choices:
            return Word(value)
        case ("activation" | "edge" | "block", str()):
            return _edges(file).get(value)
        case _:
            return None


def _edges(file: File) -> Mapping[str, Binding]:
    """What an option may mean by a word where an edge, a block or an activation is wanted."""
    functions = {function.word: Activation(function.word) for function in POINTWISE if function.arity == 1}
    blocks = {word: file.find(tuple(word.split("."))) for word in file.words}
    return functions | {word: Partial(one) for word, one in blocks.items() if one and one.tree.role == "block"}


_WANTED = {
    "int": f"a whole number from 0 to {2**MAX_BITS - 1}",
    "real": "a finite number",
    "bool": "`true` or `false`",
    "activation": "a function of one number",
    "edge": "an edge",
    "block": "a block",
}


def _expected(hyper: tree.Hyper, value: Option, file: File) -> tuple[str, str]:
    """What a hyper-parameter takes, and what was probably meant."""
    kind = hyper_kind(hyper)
    if kind not in _WANTED and kind != "choice":
        return "what only a spec can write", f"give `{hyper.name}` in a net of your own"
    words = hyper.choices if kind == "choice" else _edges(file) if kind in ("activation", "edge", "block") else ()
    near = nearest(value, words) if isinstance(value, str) else None
    expected = f"one of {listed(hyper.choices)}" if kind == "choice" else _WANTED[kind]
    return expected, f"did you mean `{near}`?" if near else ""


def _stand_ins(definition: Definition) -> dict[str, Binding]:
    """Something of each kind for hyper-parameters without a default."""
    given: dict[str, Binding] = {}
    for hyper in definition.tree.hypers:
        if isinstance(hyper, tree.HyperArrow):
            for name in (hyper.source, hyper.target):
                given[name] = AxisList((Axis(name.lower(), Size.symbol(name.lower())),))
        elif hyper.default is None:
            match hyper_kind(hyper):
                case "int":
                    given[hyper.name] = Extent(Size.of(WITNESS))
                case "real":
                    given[hyper.name] = Scalar(1.0)
                case "bool":
                    given[hyper.name] = Flag(True)
                case "choice":
                    given[hyper.name] = Word(hyper.choices[0])
                case "axes":
                    given[hyper.name] = AxisList((Axis(f"{hyper.name}_1", Size.symbol(f"{hyper.name}_1")),))
                case "edge" | "block":
                    weight = definition.file.find(("weight",))
                    given[hyper.name] = Partial(weight) if weight else Activation("relu")
                case _:
                    given[hyper.name] = Activation("relu")
    return given
