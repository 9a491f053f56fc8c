"""`layer(x, J -> I, edge = E, ...)`: y_i = f(b_i + aggregate_j E_ij(x_j))."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from archc.base.diagnostic import Fault, Note
from archc.base.span import Span
from archc.elaborate import faults
from archc.elaborate.arguments import (
    Arguments,
    Operand,
    activation_of,
    choice,
    source_axes,
    target_axes,
)
from archc.elaborate.binding import Activation, Binding, Edge, Partial, Several, Sharing, Term
from archc.elaborate.constraint import Demand, Mismatch, worded
from archc.elaborate.edge import activate, travel
from archc.elaborate.evaluate import NUMBERS, PAIRS, as_edge, combine, evaluate, term
from archc.elaborate.extent import listed, number_of, place_of, positive, size_of
from archc.elaborate.instance import call_block
from archc.elaborate.joint import Crossing, is_joint
from archc.elaborate.library import prelude
from archc.elaborate.operate import applied
from archc.elaborate.reduction import reduce_over
from archc.elaborate.scope import Edging, Scope, Start, plain
from archc.elaborate.start import start_of
from archc.elaborate.words import OPTIONS
from archc.formula.rename import along
from archc.formula.tree import Apply, Literal, Position
from archc.ir.node import Initial
from archc.ops.operation import Fresh
from archc.ops.operations.merge import Merge
from archc.ops.operations.split import Split
from archc.ops.registries import REDUCTIONS
from archc.syntax import tree
from archc.types.size import Condition, Size
from archc.types.tensor_type import BOOL, INT, REAL, Axis, TensorType

BIASES = ("none", "unit", "field")
AGGREGATES = ("sum", "mean", "max", "min", "prod", "logsumexp", "lehmer")
WIRINGS = ("full", "one_to_one", "groups", "random", "mask")
JOINED = {"wiring": WIRINGS, "aggregate": AGGREGATES}


@dataclass(frozen=True)
class Wires:
    """Which pairs of units an edge joins: the axes of the edges' parameters, of the sum, and a factor per pair."""

    value: Term
    sources: tuple[Axis, ...]
    targets: tuple[Axis, ...]
    summed: tuple[Axis, ...]
    parameters: tuple[Axis, ...]
    factor: Term | None = None


def build_layer(arguments: Arguments, scope: Scope, hint: str | None, sharing: Sharing | None = None) -> Binding:
    """Elaborate a layer into parameters and formulas.

    Raises Fault: E0203 without its one operand, E0205 without an arrow, E0343 for axes that its options cannot map.
    """
    arguments.unknown(OPTIONS)
    if len(arguments.operands) != 1:
        raise Fault(
            faults.WrongArity(
                arguments.span,
                callee="layer",
                expected="1 operand",
                given=len(arguments.operands),
                help="a layer maps one value; give each a layer, and add what they give",
            )
        )
    if arguments.arrow is None:
        raise Fault(
            faults.MissingArgument(
                arguments.span, callee="layer", name="->", help="say which axes it maps, as in `layer(d -> h: 64)`"
            )
        )
    (operand,) = arguments.operands
    if not operand.term.kind.is_numeric:
        given = operand.term.kind
        help = PAIRS if given.word == "complex" else NUMBERS
        raise Fault(faults.KindMismatch(operand.span, what="`layer`", expected="numbers", given=given, help=help))
    sources = source_axes(arguments.arrow.source, arguments, scope)
    _written_sizes(arguments, sources, scope)
    targets = target_axes(arguments.arrow.target, sources, scope)
    _distinct_targets(arguments, operand, sources, targets)
    for axis in targets:
        scope.frame.mark_widths([axis], place_of(axis, arguments.arrow.target, arguments.arrow.span))
    sharing = sharing or scope.frame.common(arguments.span)
    prefix = (sharing.name if sharing else "") or scope.frame.attribute(hint or "layer")
    if sharing is not None:
        sharing.name = prefix
    if scope.edging is not None:
        prefix = f"{scope.edging.prefix}_{prefix}" if scope.edging.prefix else prefix
    return _Layer(arguments, scope, prefix, sharing).build(operand, sources, targets)


def _written_sizes(arguments: Arguments, sources: tuple[Axis, ...], scope: Scope) -> None:
    """A size written with an incoming axis must be the one it has."""
    assert arguments.arrow is not None
    for entry in arguments.arrow.source:
        if entry.size is not None:
            for axis in sources:
                if axis.name == scope.local(entry.name.text) or axis.name == entry.name.text:
                    actual = arguments.size_of_axis(axis.name) or axis.size
                    note = Note(arguments.operands[0].span, f"{worded(scope.frame.resolve(actual))} comes from here")
                    scope.frame.equate(
                        size_of(entry.size, scope),
                        actual,
                        Mismatch(axis.name, entry.span, (note,), "write `{axis}` without a size, or `{axis}: {right}`"),
                    )


def _distinct_targets(
    arguments: Arguments, operand: Operand, sources: tuple[Axis, ...], targets: tuple[Axis, ...]
) -> None:
    assert arguments.arrow is not None
    gone = {axis.name for axis in sources}
    for axis in targets:
        if axis.name in operand.term.names and axis.name not in gone:
            place = place_of(axis, arguments.arrow.target, arguments.arrow.span)
            note = Note(operand.span, "the operand has it already")
            help = "give the new axis a name of its own"
            raise Fault(faults.DuplicateAxis(place, axis=axis.name, notes=[note], help=help))


def weight() -> Partial:
    """The library's edge of one number, which a layer has by default whatever the spec itself calls `weight`."""
    return Partial(next(found for file in prelude() if (found := file.find(("weight",)))))


class _Layer:
    """One layer under construction."""

    def __init__(self, arguments: Arguments, scope: Scope, prefix: str, sharing: Sharing | None) -> None:
        self.arguments = arguments
        self.scope = scope
        self.frame = scope.frame
        self.prefix = prefix
        self.sharing = sharing
        self.summed: tuple[Axis, ...] = ()

    def option(self, name: str) -> tree.Expr | None:
        argument = self.arguments.named.get(name)
        return None if argument is None else argument.value

    def place(self, name: str) -> Span:
        """Where an option is given; the layer where it is not."""
        expr = self.option(name)
        return self.arguments.span if expr is None else expr.span

    def word(self, name: str, words: tuple[str, ...], default: str) -> tuple[str, tree.Call | None]:
        """An option that is a word, or a word with arguments such as `groups(4)`."""
        expr = self.option(name)
        if expr is None:
            return default, None
        if isinstance(expr, tree.Call):
            head = choice(name, words, expr.function, self.scope)
            return head.text, expr
        return choice(name, words, expr, self.scope).text, None

    def build(self, operand: Operand, sources: tuple[Axis, ...], targets: tuple[Axis, ...]) -> Binding:
        if self.sharing is not None:
            self.sharing.begin()
        expr = self.option("edge")
        edge = weight() if expr is None else as_edge(evaluate(expr, self.scope), expr.span, "edge", "layer")
        before = len(self.frame.parameters)
        found = self.crossed(edge, operand, sources, targets)
        fans = [node.initial.fan_in for node in self.frame.parameters[before:] if node.initial]
        found = self.ordered(found, operand.term, sources, targets)
        found = self.biased(found, targets, fans)
        fired = self.fire(found)
        return replace(fired, hint=self.prefix) if isinstance(fired, Term) else fired

    def crossed(self, edge: Edge, operand: Operand, sources: tuple[Axis, ...], targets: tuple[Axis, ...]) -> Term:
        """The value on the outgoing units; what is wrong with the edge as a whole is shown where it is given."""
        self.summed = sources
        try:
            if not is_joint(edge):
                return self.pairwise(edge, operand, sources, targets)
            for option, default in (("wiring", "full"), ("aggregate", "sum")):
                if self.word(option, JOINED[option], default)[0] != default:
                    reason = f"a joint edge maps all units itself, which leaves `{option}` nothing to choose"
                    help = f"leave `{option}` out"
                    raise Fault(faults.LayerAxes(self.place(option), reason=reason, help=help))
            crossing = Crossing(self.arguments, self.scope, self.sharing, self.pairwise, self.each)
            return crossing.over(edge, operand, sources, targets)
        except Fault as fault:
            if fault.diagnostic.span == self.arguments.span:
                fault.diagnostic.span = self.place("edge")
            raise

    def pairwise(self, edge: Edge, operand: Operand, sources: tuple[Axis, ...], targets: tuple[Axis, ...]) -> Term:
        """A copy of the edge for every pair of units that the wiring joins, and their sum, or what `aggregate` says."""
        span = self.arguments.span
        wires = self.wire(operand, sources, targets)
        self.summed = wires.summed
        inner = self.edge_scope(wires, parameters=wires.parameters)
        value = travel(edge, wires.value, self.arguments, inner)
        if wires.factor is not None:
            value = combine("mul", "*", [(wires.factor, span), (value, span)], inner, span)
        return self.merged(self.aggregate(value, wires, span), wires, targets)

    def merged(self, value: Term, wires: Wires, targets: tuple[Axis, ...]) -> Term:
        """The value on the outgoing axes, where the wiring works on parts of them."""
        if wires.targets == targets:
            return value
        (target,), span = targets, self.arguments.span
        axes = (*value.axes, *(axis for axis in wires.targets if axis.name not in value.names))
        whole = self.frame.read(self.frame.materialise(value, None, span, axes))
        merge = Merge(source=wires.targets, target=(Fresh(target.name, target.size),))
        return applied(merge, Operand(whole, span), self.arguments, self.scope)

    def each(self, edge: Edge, operand: Operand, units: tuple[Axis, ...]) -> Term:
        """A copy of the edge for every unit."""
        wires = Wires(operand.term, units, units, (), units)
        return travel(edge, operand.term, self.arguments, self.edge_scope(wires, parameters=units))

    def edge_scope(self, wires: Wires, parameters: tuple[Axis, ...], prefix: str | None = None) -> Scope:
        """The scope in which the edge (or the bias) declares its parameters."""
        outer = self.scope.edging
        before = outer.axes if outer else ()
        fan_in = reduce(lambda a, b: a * b, (axis.size for axis in wires.summed), Size.of(1))
        fan_out = reduce(lambda a, b: a * b, (axis.size for axis in wires.targets), Size.of(1))
        edging = Edging(
            (*before, *parameters),
            prefix or self.prefix,
            self.initial(),
            fan_in,
            fan_out,
            self.sharing,
            None,
            wires.sources,
        )
        names = {axis.name for axis in (*before, *parameters, *wires.value.axes)}
        return replace(
            self.scope,
            names={},
            parent=self.scope,
            edging=edging,
            lifted=self.scope.lifted | frozenset(names),
            declared=None,
        )

    def initial(self) -> Start | None:
        expr = self.option("init")
        return None if expr is None else start_of(expr, self.scope, "init", "layer")

    # Wiring

    def wire(self, operand: Operand, sources: tuple[Axis, ...], targets: tuple[Axis, ...]) -> Wires:
        kind, call = self.word("wiring", WIRINGS, "full")
        if kind == "one_to_one":
            return self._one_to_one(operand, sources, targets)
        if kind == "groups":
            return self._groups(operand, sources, targets, call)
        taken = self.frame.ports.union(axis.name for axis in (*operand.term.axes, *targets))
        renamed = {axis.name: _fresh(axis.name, taken) for axis in sources if axis.name in {t.name for t in targets}}
        inside = tuple(Axis(renamed.get(axis.name, axis.name), axis.size) for axis in sources)
        value = self.renamed(operand, renamed)
        wires = Wires(value, inside, targets, inside, (*targets, *inside))
        if kind == "full":
            return wires
        return replace(wires, factor=self._pairs(kind, call, wires))

    def renamed(self, operand: Operand, names: dict[str, str]) -> Term:
        """The operand with some axes under other names."""
        value = operand.term
        if not names:
            return value
        if not value.is_plain:
            value = self.frame.read(self.frame.materialise(value, None, operand.span))
        formula = along(value.formula, {old: Position(new) for old, new in names.items()})
        axes = tuple(Axis(names.get(axis.name, axis.name), axis.size, axis.twin) for axis in value.axes)
        return Term(formula, axes, plain(value.kind))

    def _one_to_one(self, operand: Operand, sources: tuple[Axis, ...], targets: tuple[Axis, ...]) -> Wires:
        if len(sources) != len(targets):
            reason = f"`one_to_one` joins {len(sources)} incoming axes with {len(targets)}"
            help = "give as many axes on the right of the arrow as on its left"
            raise Fault(faults.LayerAxes(self.place("wiring"), reason=reason, help=help))
        arrow = self.arguments.arrow
        for source, target in zip(sources, targets, strict=True):
            place = self.arguments.span if arrow is None else place_of(target, arrow.target, arrow.span)
            note = Note(operand.span, f"axis `{source.name}` of size {worded(self.frame.resolve(source.size))}")
            self.frame.equate(
                target.size, source.size, Mismatch(target.name, place, (note,), "write `{axis}: {right}`")
            )
        names = {s.name: t.name for s, t in zip(sources, targets, strict=True) if s.name != t.name}
        return Wires(self.renamed(operand, names), targets, targets, (), targets)

    def _groups(
        self, operand: Operand, sources: tuple[Axis, ...], targets: tuple[Axis, ...], call: tree.Call | None
    ) -> Wires:
        """Block-diagonal wiring: both axes are split into groups, and a unit reads those of its group."""
        if call is None or len(call.arguments) != 1 or len(sources) != 1 or len(targets) != 1:
            reason = "`groups` joins one axis with one, in a number of groups"
            raise Fault(
                faults.LayerAxes(self.place("wiring"), reason=reason, help="write `groups(g)`, as in `groups(4)`")
            )
        groups = call.arguments[0].value
        count = positive(size_of(groups, self.scope), groups.span, self.scope.frame.values)
        (source,), (target,) = sources, targets
        for axis in (source, target):
            given = ((axis.name, self.frame.resolve(axis.size)),)
            holds = Condition("==", Size.symbol(axis.name) % count, Size.of(0)).evaluate
            origin = Demand("groups", groups.span, asked=f"{axis.name} % {count} == 0", given=given, holds=holds)
            self.frame.demand(Condition("==", axis.size % count, Size.of(0)), origin)
        taken = self.frame.ports.union(operand.term.names, (target.name,))
        group = Axis(_fresh("group", taken), count)
        within = Axis(_fresh(source.name, taken), source.size // count)
        unit = Axis(_fresh(target.name, taken | {within.name}), target.size // count)
        split = Split(source=(source,), target=(Fresh(group.name, group.size), Fresh(within.name, within.size)))
        value = applied(split, operand, self.arguments, self.scope)
        return Wires(value, (within,), (group, unit), (within,), (group, unit, within))

    def _pairs(self, kind: str, call: tree.Call | None, wires: Wires) -> Term:
        """A factor for each pair of units: a given value (`mask(value)`) or a fixed random choice of wires."""
        span = self.arguments.span
        if kind == "mask":
            if call is None or len(call.arguments) != 1:
                reason, help = "`mask` needs a value over the unit axes", "write `mask(value)`"
                raise Fault(faults.LayerAxes(self.place("wiring"), reason=reason, help=help))
            found = term(call.arguments[0].value, self.scope)
            allowed = {axis.name for axis in wires.parameters}
            if not set(found.names) <= allowed:
                reason = f"the mask has axes [{', '.join(found.names)}], the units are [{', '.join(sorted(allowed))}]"
                help = f"declare the mask over {listed(sorted(allowed))}, or some of them"
                raise Fault(faults.LayerAxes(call.arguments[0].span, reason=reason, help=help))
            if found.kind == BOOL:
                one, zero = (Term(Literal(value), (), INT) for value in (1, 0))
                return combine("where", "mask", [(found, span), (one, span), (zero, span)], self.scope, span)
            return found
        arguments = (
            []
            if call is None
            else [float(number_of(one.value, self.scope, "wiring", "random")) for one in call.arguments]
        )
        if not 1 <= len(arguments) <= 2 or not 0 < arguments[0] <= 1:
            reason = "the density of `random` is above 0 and at most 1"
            help = "write `random(density, seed)`, as in `random(0.5, 1)`"
            raise Fault(faults.LayerAxes(self.place("wiring"), reason=reason, help=help))
        seed = arguments[1] if len(arguments) == 2 else 0.0
        inner = self.edge_scope(wires, parameters=wires.parameters)
        value = inner.parameter(
            "wiring",
            TensorType(REAL, wires.parameters),
            span,
            role="const",
            initial=Initial("random_wiring", (arguments[0], seed), *Initial.fans(wires.parameters)),
            formula=None,
        )
        return self.frame.read(value)

    # Aggregation, bias, neuron

    def aggregate(self, value: Term, wires: Wires, span: Span) -> Term:
        kind, call = self.word("aggregate", AGGREGATES, "sum")
        if not wires.summed:
            return value
        missing = [axis for axis in wires.summed if axis.name not in value.names]
        if missing:
            raise Fault(faults.LayerAxes(self.place("edge"), reason=f"its edge loses axis `{missing[0].name}`"))
        bound = [(axis, span) for axis in wires.summed]
        if kind == "lehmer":
            return self._lehmer(value, bound, call, span)
        if kind in REDUCTIONS:
            return reduce_over(kind, bound, value, None, self.scope, span)
        raise TypeError(f"no reduction `{kind}`")

    def _lehmer(self, value: Term, bound: list[tuple[Axis, Span]], call: tree.Call | None, span: Span) -> Term:
        """The Lehmer mean sum x^p / sum x^(p-1)."""
        if call is None or len(call.arguments) != 1:
            raise Fault(
                faults.LayerAxes(
                    self.place("aggregate"), reason="`lehmer` needs its exponent", help="write `lehmer(2)`"
                )
            )
        p = float(number_of(call.arguments[0].value, self.scope, "aggregate", "lehmer"))
        sums = []
        for exponent in (p, p - 1):
            power = Term(Apply("pow", (value.formula, Literal(exponent))), value.axes, REAL)
            sums.append((reduce_over("sum", bound, power, None, self.scope, span), span))
        return combine("div", "/", sums, self.scope, span)

    def ordered(self, found: Term, value: Term, sources: tuple[Axis, ...], targets: tuple[Axis, ...]) -> Term:
        """The result's axes where a reader expects them: the new units in the place of the old."""
        axes = {axis.name: axis for axis in found.axes}
        axes.update((axis.name, axis) for axis in targets if axis.name not in axes)
        gone = [axis.name for axis in sources]
        order: list[str] = []
        for name in value.names:
            if name not in gone:
                order.append(name)
            elif name == gone[0]:
                order.extend(axis.name for axis in targets)
        order.extend(axis.name for axis in targets)
        order.extend(axes)
        return Term(found.formula, tuple(axes[name] for name in dict.fromkeys(order) if name in axes), found.kind)

    def biased(self, found: Term, targets: tuple[Axis, ...], fans: Sequence[Size]) -> Term:
        """Add the bias; it starts as wide as the edge's first parameter, whose `fans` are those of its parameters."""
        kind, _ = self.word("bias", BIASES, "unit")
        if kind == "none":
            return found
        span = self.arguments.span
        domain: tuple[Axis, ...] = ()
        if kind == "field":
            domain = self.domain(found)
        wires = Wires(found, (), targets, self.summed, targets)
        inner = self.edge_scope(wires, parameters=targets)
        type = TensorType(REAL, (*(inner.edging.axes if inner.edging else ()), *domain))
        fan = next(iter(fans), inner.edging.fan_in if inner.edging else Size.of(1))
        initial = Initial("kaiming", (), fan, fan)
        bias = inner.parameter("bias", type, span, role="param", initial=initial, formula=None)
        axes = {axis.name: axis for axis in found.axes}
        axes.update((axis.name, axis) for axis in type.axes if axis.name not in axes)
        read = self.frame.read(bias)
        return Term(Apply("add", (found.formula, read.formula)), tuple(axes.values()), REAL)

    def domain(self, found: Term) -> tuple[Axis, ...]:
        """The axes that the edge's `over` names: where a field bias has a value of its own."""
        names = _over(self.option("edge"), self.scope)
        domain = tuple(axis for axis in found.axes if axis.name in names)
        if not domain:
            raise Fault(faults.LayerAxes(self.place("bias"), reason="`bias = field` needs an edge with `over = ...`"))
        return domain

    def fire(self, found: Term) -> Binding:
        expr = self.option("neuron")
        neuron = None if expr is None else activation_of(expr, self.scope)
        if neuron is None:
            return found
        assert expr is not None
        if isinstance(neuron, Activation):
            return activate(neuron, found, expr.span, self.scope)
        result = call_block(
            neuron, [Operand(found, expr.span)], replace_span(self.arguments, expr.span), self.scope, None
        )
        if isinstance(result, Several):
            given = f"{len(result.terms)} results"
            raise Fault(faults.WrongResults(expr.span, what="the neuron", given=given, expected=1))
        return result


def replace_span(arguments: Arguments, span: Span) -> Arguments:
    """Arguments of an implied call at a place, without any of their own."""
    return Arguments(arguments.callee, span)


def _fresh(name: str, taken: Container[str]) -> str:
    fresh, number = f"{name}_in", 2
    while fresh in taken:
        fresh, number = f"{name}_in_{number}", number + 1
    return fresh


def _over(expr: tree.Expr | None, scope: Scope) -> set[str]:
    """Names of the axes that an edge works over, from its `over`."""
    names: set[str] = set()
    match expr:
        case tree.Call(arguments=arguments):
            for argument in arguments:
                if argument.name == "over":
                    items = argument.value.items if isinstance(argument.value, tree.Group) else (argument.value,)
                    names.update(item.text for item in items if isinstance(item, tree.Name))
                elif argument.name is None:
                    names |= _over(argument.value, scope)
        case tree.Sum(terms=parts) | tree.Compose(stages=parts) | tree.Product(factors=parts):
            for part in parts:
                names |= _over(part, scope)
        case tree.Name():
            found = scope.find(expr.text)
            names |= _over_edge(found)
        case _:
            pass
    return names


def _over_edge(found: object) -> set[str]:
    match found:
        case Partial(hypers=hypers):
            over = dict(hypers).get("over")
            return {axis.name for axis in getattr(over, "axes", ())}
        case _:
            parts = [*getattr(found, "edges", ()), *getattr(found, "stages", ())]
            inner = getattr(found, "edge", None)
            return set().union(*(_over_edge(part) for part in (*parts, *([inner] if inner else []))))
