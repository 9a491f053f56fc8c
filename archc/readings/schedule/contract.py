"""Sums of products: distributed where that avoids a wide tensor, contracted two factors at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from archc.formula.normal import ONE, Factor, Product, product, products
from archc.formula.tree import Apply, Formula, Read, Reduce
from archc.readings.schedule.convolve import convolution
from archc.readings.schedule.order import Tree, contraction_order
from archc.readings.schedule.pair import contract_pair
from archc.readings.schedule.pull import contracted_before
from archc.readings.schedule.tensor import Conv, ConvTranspose, Divide, Input, Laid, Linear, Map
from archc.types.tensor_type import Axis

if TYPE_CHECKING:
    from archc.readings.schedule.formula import Evaluation

_ADDENDS = 16


def sum_of(
    at: Evaluation,
    axes: Sequence[Axis],
    body: Formula,
    *,
    real: bool,
    mean: bool = False,
    mask: Laid | None = None,
    condition: Formula | None = None,
) -> Laid:
    """`sum axes: body`, or the mean, where the mask and the condition hold; the mean of masked entries is the
    caller's."""
    trace = at.scope.trace
    real = real or mean or at.scope.reads_real(body)
    bound = tuple(axis.name for axis in axes)
    terms = distributed(bound, body)
    if mean and _is_one_tensor(terms, bound):
        return at.fold("mean", at.value(body, real=True), list(bound))
    parts: list[Laid] = []
    for term in terms:
        conditions = term.conditions if condition is None else (condition, *term.conditions)
        part = _term(at, bound, replace(term, conditions=conditions), real, mask)
        if not term.negative:
            parts.append(part)
        elif parts:
            parts = [trace.map("sub", [_plus(at, parts), part], prefer=at.prefer)]
        else:
            parts = [trace.map("neg", [part])]
    result = _plus(at, parts)
    if not mean:
        return result
    count = trace.extent(prod((at.sizes[axis] for axis in bound), start=ONE))
    if result.tensor.kind == "int":
        result = trace.cast(result, "real")
    return trace.map("div", [result, count])


def _is_one_tensor(terms: Sequence[Product], bound: Sequence[str]) -> bool:
    """Whether the sum is over the entries of one factor, so that its mean is a mean."""
    if len(terms) != 1 or terms[0].axes or terms[0].scalars or terms[0].negative or len(terms[0].factors) != 1:
        return False
    (factor,) = terms[0].factors
    return not factor.inverse and set(bound) <= factor.formula.free


def _plus(at: Evaluation, parts: list[Laid]) -> Laid:
    return parts[0] if len(parts) == 1 else at.scope.trace.map("add", parts, prefer=at.prefer)


def distributed(bound: Sequence[str], body: Formula) -> list[Product]:
    """The products whose sum is the body. A factor that is itself a sum, or a choice, is multiplied out where it would
    otherwise be a tensor wider than each of its parts: then every addend and every branch is a contraction of its
    own."""
    found: list[Product] = []
    stack = [product(body)]
    while stack:
        term = stack.pop()
        names = {*bound, *(axis.name for axis in term.axes)}
        place = next((at for at in range(len(term.factors)) if _is_worth_distributing(term, at, names)), None)
        if place is None:
            found.append(term)
            continue
        parts = [_multiplied(term, place, part) for part in products(term.factors[place].formula)]
        stack.extend(reversed(parts))
    return found


def _multiplied(term: Product, place: int, inner: Product) -> Product:
    others = (*term.factors[:place], *term.factors[place + 1 :])
    return Product(
        (*term.scalars, *inner.scalars),
        (*others, *inner.factors),
        (*term.axes, *inner.axes),
        term.negative != inner.negative,
        (*term.conditions, *inner.conditions),
    )


def _is_worth_distributing(term: Product, place: int, bound: set[str]) -> bool:
    factor = term.factors[place]
    formula = factor.formula
    if factor.inverse or not isinstance(formula, Apply) or formula.function not in ("add", "sub", "where"):
        return False
    if bound.isdisjoint(formula.free):
        return False
    if formula.function == "where":
        condition, *branches = formula.operands
        axes = condition.free
        is_widest = all(other.formula.free <= formula.free for other in term.factors)
        if (
            not is_widest
            or not axes
            or formula.free <= axes
            or not all(_is_zero_where(axes, part) for part in branches)
        ):
            return False
    parts = products(formula)
    if not (1 if formula.function == "where" else 2) <= len(parts) <= _ADDENDS:
        return False
    bound_inside = [axis.name for part in parts for axis in part.axes]
    if not bound.isdisjoint(bound_inside) or len(set(bound_inside)) < len(bound_inside):
        return False
    # a factor as wide as the whole is a wide tensor all the same, unless it is multiplied out in its turn
    return all(
        _is_worth_distributing(part, at, bound)
        for part in parts
        for at, inner in enumerate(part.factors)
        if formula.free <= inner.formula.free
    )


def _is_zero_where(axes: frozenset[str], formula: Formula) -> bool:
    """Whether a mask over these axes, put on the factors that have them, leaves nothing of a branch that is not
    taken: what could be infinite, or not a number, there has the axes."""
    stack = [formula]
    while stack:
        match stack.pop():
            case Apply("add" | "sub" | "mul" | "neg", operands):
                stack.extend(operands)
            case Apply("div", (above, below)) if axes <= below.free:
                stack.append(above)
            case Apply("where", (_, one, other)):
                stack += [one, other]
            case Reduce("sum" | "mean", _, body):
                stack.append(body)
            case Apply() | Reduce() as part if not axes <= part.free:
                return False
    return True


def _term(at: Evaluation, bound: Sequence[str], term: Product, real: bool, mask: Laid | None) -> Laid:
    """One product summed over the bound axes and those of the sums merged into it; its sign is left to the caller."""
    at.sizes.update((axis.name, axis.size) for axis in term.axes)
    names = (*bound, *(axis.name for axis in term.axes))
    inside = [factor for factor in term.factors if not factor.formula.free.isdisjoint(names)]
    outside = [factor for factor in term.factors if factor.formula.free.isdisjoint(names)]
    result = _inner_sum(at, names, inside, real, mask, term.conditions)
    return _scaled(at, result, [*outside, *term.scalars], real)


def _scaled(at: Evaluation, result: Laid, factors: Iterable[Factor], real: bool) -> Laid:
    trace = at.scope.trace
    above = [at.value(factor.formula, real=real) for factor in factors if not factor.inverse]
    below = [at.value(factor.formula, real=True) for factor in factors if factor.inverse]
    if above:
        is_one = result.tensor.scalar and result == trace.number(1)
        result = (
            trace.map("mul", above if is_one else [*above, result], prefer=at.prefer)
            if len(above) > is_one
            else above[0]
        )
    for factor in below:
        result = trace.map("div", [result, factor], prefer=at.prefer)
    return result


def _inner_sum(
    at: Evaluation,
    bound: Sequence[str],
    factors: Sequence[Factor],
    real: bool,
    mask: Laid | None,
    conditions: Sequence[Formula],
) -> Laid:
    """The sum of the product of the factors that depend on bound axes."""
    trace = at.scope.trace
    convolved = convolution(at, bound, factors, conditions) if mask is None and real else None
    if convolved is None:
        parts = _quotients(at, factors, real)
        masks = [*([] if mask is None else [mask]), *map(at.value, conditions)]
        for alike in _by_axes(masks):
            parts = _masked(at, parts, trace.map("and", alike) if len(alike) > 1 else alike[0])
    else:
        found, rest, bound = convolved
        parts = [found, *_quotients(at, rest, real)]
    counted = [at.sizes[axis] for axis in bound if not any(axis in part.axes for part in parts)]
    if counted:
        count = trace.extent(prod(counted, start=ONE))
        if not parts:
            return count
        return trace.map("mul", [contracted(at, parts, bound), count])
    return contracted(at, parts, bound) if parts else trace.number(1)


def _quotients(at: Evaluation, factors: Sequence[Factor], real: bool) -> list[Laid]:
    """The factors as tensors; one in a denominator joins a factor that has its axes."""
    trace = at.scope.trace
    parts = [at.value(factor.formula, real=real) for factor in factors if not factor.inverse]
    for factor in factors:
        if factor.inverse:
            below = at.value(factor.formula, real=True)
            wide = next((place for place, part in enumerate(parts) if set(below.axes) <= set(part.axes)), None)
            if wide is None:
                parts.append(trace.map("div", [trace.number(1), below]))
            else:
                parts[wide] = trace.map("div", [parts[wide], below])
    return parts


def _by_axes(masks: Iterable[Laid]) -> Iterable[list[Laid]]:
    """The masks in groups that have the same axes."""
    groups: dict[frozenset[str], list[Laid]] = {}
    for mask in masks:
        groups.setdefault(frozenset(mask.axes), []).append(mask)
    return groups.values()


def _masked(at: Evaluation, parts: list[Laid], mask: Laid) -> list[Laid]:
    """Zero where the mask fails: on every computed factor that has its axes, as it may be infinite there, or else on
    the smallest factor that has them; where none has, the mask is a factor itself."""
    trace = at.scope.trace
    wide = [place for place, part in enumerate(parts) if set(mask.axes) <= set(part.axes)]
    if not wide:
        return [*parts, trace.cast(mask, "real" if any(p.tensor.kind == "real" for p in parts) else "int")]
    computed = [place for place in wide if not isinstance(parts[place].tensor.step, Input)]
    for place in computed or [min(wide, key=lambda place: _volume(at, parts[place].axes))]:
        zero = trace.number(0 if parts[place].tensor.kind == "int" else 0.0)
        parts[place] = trace.map("where", [mask, parts[place], zero])
    return parts


def _volume(at: Evaluation, axes: Iterable[str]) -> float:
    return prod(at.scope.estimate(at.sizes[axis]) for axis in axes)


def contracted(at: Evaluation, parts: Sequence[Laid], bound: Sequence[str]) -> Laid:
    """The product of tensors summed over the bound axes they have."""
    trace = at.scope.trace
    parts = list(parts)
    if not any(part.tensor.kind in ("real", "complex") for part in parts):
        whole = parts[0] if len(parts) == 1 else trace.map("mul", parts)
        return _summed(at, whole, bound, ())
    kind = "complex" if any(part.tensor.kind == "complex" for part in parts) else "real"
    parts = [trace.cast(part, kind) for part in parts]
    for place, part in enumerate(parts):
        others = [axis for other in (*parts[:place], *parts[place + 1 :]) for axis in other.axes]
        parts[place] = _summed(at, part, bound, others)
    tree = contraction_order([part.axes for part in parts], bound, lambda axes: _volume(at, axes))
    known: dict[Tree, Laid] = dict(enumerate(parts))
    order = list(_inside_out(tree))
    for pair in order:
        x, y = (known.pop(side) for side in pair)
        rest = list(known.values())
        needed = {axis for part in rest for axis in part.axes}
        shared = [axis for axis in x.axes if axis in y.axes and axis in bound and axis not in needed]
        found = contracted_before(at, x, y, shared)
        if found is None:
            small = min((x, y), key=lambda part: _volume(at, part.axes))
            ranks = _ranks(small.axes, known, order, pair, bound)
            found = contract_pair(trace, x, y, shared, _preferred(at, rest, bound), ranks)
        known[pair] = found
    return known[tree]


def _ranks(
    axes: Sequence[str], known: Mapping[Tree, Laid], order: Sequence[Tree], pair: Tree, bound: Sequence[str]
) -> dict[str, int]:
    """How far behind a product wants these of its axes for the factor that it meets next: -1 for those that both keep,
    1 for those that are summed there."""
    sides = next((sides for sides in order if isinstance(sides, tuple) and pair in sides), (pair, pair))
    met = known.get(sides[1] if sides[0] == pair else sides[0])
    if met is None:
        return {}
    needed = {axis for part in known.values() if part is not met for axis in part.axes}
    return {axis: 1 if axis in bound and axis not in needed else -1 for axis in met.axes if axis in axes}


def _inside_out(tree: Tree) -> Iterator[tuple[Tree, Tree]]:
    """The products of an order of contraction, each after its sides."""
    if isinstance(tree, tuple):
        for side in tree:
            yield from _inside_out(side)
        yield tree


def _preferred(at: Evaluation, rest: Sequence[Laid], bound: Sequence[str]) -> tuple[str, ...]:
    """The order of axes that suits what follows: a weight wants the axes it sums last, in its own order."""
    learned = [part for part in rest if part.tensor.learned]
    if not rest:
        return at.prefer
    if len(learned) != 1 or len(rest) != 1:
        return ()
    sums = [axis for axis in learned[0].axes if axis in bound]
    kept = dict.fromkeys((*at.prefer, *(axis for axis in at.sizes if axis not in bound)))
    return (*(axis for axis in kept if axis not in sums), *sums)


def _summed(at: Evaluation, part: Laid, bound: Sequence[str], others: Sequence[str]) -> Laid:
    """The sum over the bound axes that nothing else has."""
    own = [axis for axis in part.axes if axis in bound and axis not in others]
    return at.scope.trace.fold("sum", part, own) if own else part


def fold_bias(at: Evaluation, formula: Apply, operands: Sequence[Laid]) -> list[Laid]:
    """The addends of a sum, a parameter over exactly the output axes of a linear map or convolution made its bias."""
    parts = list(operands)
    for place, bias in enumerate(operands):
        if not (isinstance(bias.tensor.step, Input) and bias.tensor.learned and bias.axes):
            continue
        for other, part in enumerate(operands):
            source = formula.operands[other]
            if other == place or (isinstance(source, Read) and at.scope.uses.get(source.value, 0) > 1):
                continue
            folded = _with_bias(at, part, bias)
            if folded is not None:
                parts[other] = folded
                del parts[place]
                return parts
    return parts


def _with_bias(at: Evaluation, part: Laid, bias: Laid) -> Laid | None:
    trace = at.scope.trace
    tensor, step = part.tensor, part.tensor.step
    match step:
        case Map("add"):
            for place, operand in enumerate(tensor.operands):
                axes = part.axes[len(part.axes) - len(operand.shape) :]
                folded = _with_bias(at, Laid(operand, axes), bias)
                if folded is not None:
                    operands = [*tensor.operands[:place], folded.tensor, *tensor.operands[place + 1 :]]
                    return trace.make(step, operands, tensor.shape, tensor.kind, part.axes)
        case Divide(dim, sizes):
            out = part.axes[dim : dim + len(sizes)]
            name = "*".join(out)
            inner = Laid(tensor.operands[0], (*part.axes[:dim], name, *part.axes[dim + len(sizes) :]))
            if set(bias.axes) == set(out):
                bias = trace.merge(trace.permuted(bias, out), out, name)
            elif not set(bias.axes).isdisjoint(out):
                return None
            folded = _with_bias(at, inner, bias)
            return None if folded is None else trace.make(step, (folded,), tensor.shape, tensor.kind, part.axes)
        case Linear() | Conv() | ConvTranspose() if len(tensor.operands) == 2:
            place = -1 if isinstance(step, Linear) else -1 - step.rank
            if bias.axes == (part.axes[place],):
                return trace.make(step, (*tensor.operands, bias), tensor.shape, tensor.kind, part.axes)
    return None
