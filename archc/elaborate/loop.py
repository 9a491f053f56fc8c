"""`repeat`: a body passed through a fixed number of times."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from archc.base.diagnostic import Fault
from archc.base.limits import LIMITS
from archc.elaborate import faults
from archc.elaborate.binding import (
    Binding,
    Extent,
    together,
)
from archc.elaborate.carry import passed, starts
from archc.elaborate.constraint import Demand
from archc.elaborate.evaluate import evaluate
from archc.elaborate.extent import size_of
from archc.elaborate.scope import Scope, stem
from archc.ir.node import Repeat, Value
from archc.syntax import tree
from archc.types.size import Condition, Size


@evaluate.register
def _(expr: tree.Repeat, scope: Scope, hint: str | None = None) -> Binding:
    frame = scope.frame
    count = size_of(expr.count, scope)
    number = frame.resolve(count).constant
    if number is not None and number > LIMITS.repeat:
        raise Fault(faults.TooManyPasses(expr.count.span, count=number, limit=LIMITS.repeat))
    spare = count.offset if count.symbols else 0  # `depth >= 1` reads better than `depth - 1 >= 0`
    frame.demand(Condition(">=", count - spare, Size.of(-spare)), Demand("repeat", expr.count.span))
    if expr.label is not None:
        return _unrolled(expr, frame.constant(count, expr.count.span, "the number of passes"), scope)
    start, initial, inputs = starts(expr, scope)
    inner = scope.child({carry.name: frame.read(value) for carry, value in zip(expr.carries, inputs, strict=True)})
    inner.introduced, inner.emitted = set(scope.introduced), None
    with frame.region(inputs, has_weights=not expr.shared) as region:
        outputs = passed(expr, inner, start, inputs)
    module = frame.attribute(f"{stem(hint or expr.carries[0].name)}_{'pass' if expr.shared else 'passes'}")
    names = [hint] if hint and len(inputs) == 1 else [stem(carry.name) for carry in expr.carries]
    results = tuple(Value(frame.allocate(name), value.type) for name, value in zip(names, inputs, strict=True))
    frame.emit(
        Repeat(
            results=results,
            span=expr.span,
            path=frame.path,
            count=count,
            shared=expr.shared,
            module=module,
            initial=initial,
            body=region.close(outputs),
        )
    )
    return together([frame.read(value) for value in results])


def _unrolled(expr: tree.Repeat, count: int, scope: Scope) -> Binding:
    """A loop whose body knows the number of its pass: one copy per pass, all with one set of weights if `shared`."""
    assert expr.label is not None
    frame = scope.frame
    start, initial, inputs = starts(expr, scope)
    values = [replace(value, name=name) for value, name in zip(inputs, initial, strict=True)]
    with (
        frame.session.copied(count, expr.count.span),
        frame.sharing_passes(expr.span) if expr.shared else nullcontext() as passes,
    ):
        for number in range(count):
            if passes is not None:
                passes.begin()
            carries = {carry.name: frame.read(value) for carry, value in zip(expr.carries, values, strict=True)}
            inner = scope.child({**carries, expr.label: Extent(Size.of(number))})
            inner.introduced = set(scope.introduced)
            outputs = passed(expr, inner, start, values, list(carries))
            values = [Value(name, frame.types[name]) for name in outputs]
    return together([frame.read(value) for value in values])
