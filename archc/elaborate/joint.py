"""Joint edges: blocks that map the unit axes themselves, as a V-cycle that mixes channels on every grid does.

A block with an arrow `J -> I` whose axes nobody gave is a joint edge: the layer gives it its own. It has summed over
the incoming units when it is done, so beside other edges those are summed first: `y_i = E(x)_i + sum_j F_ij(x_j)` for
E + F. In a chain, what stands before a joint edge has one copy for each incoming unit, what stands after it one for
each outgoing unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from archc.base.diagnostic import Fault
from archc.elaborate import faults
from archc.elaborate.arguments import Arguments, Operand
from archc.elaborate.binding import AxisList, Chain, Edge, Partial, Scaled, Sharing, Term, Tied, Together
from archc.elaborate.evaluate import combine
from archc.elaborate.instance import call_block
from archc.elaborate.scope import Scope
from archc.syntax import tree
from archc.types.tensor_type import Axis

Units = tuple[Axis, ...]


def is_joint(edge: Edge) -> bool:
    """Whether an edge, or a part of it, maps the unit axes itself."""
    match edge:
        case Partial():
            return bool(_open_arrows(edge))
        case Chain(stages=parts) | Together(edges=parts):
            return any(map(is_joint, parts))
        case Scaled(edge=inner) | Tied(edge=inner):
            return is_joint(inner)
        case _:
            return False


def _open_arrows(edge: Partial) -> list[tree.HyperArrow]:
    given = dict(edge.hypers)
    arrows = (hyper for hyper in edge.definition.tree.hypers if isinstance(hyper, tree.HyperArrow))
    return [arrow for arrow in arrows if arrow.source not in given]


@dataclass
class Crossing:
    """A value on its way over an edge that is joint somewhere. `pairwise` takes it over one that is not and sums,
    `each` over one with a copy for each unit; `arguments` and `scope` are the layer's, `sharing` its shared weights."""

    arguments: Arguments
    scope: Scope
    sharing: Sharing | None
    pairwise: Callable[[Edge, Operand, Units, Units], Term]
    each: Callable[[Edge, Operand, Units], Term]

    def over(self, edge: Edge, operand: Operand, sources: Units, targets: Units) -> Term:
        """The value on the outgoing units. Raises Fault E0343 for an edge that does not map the units."""
        span, scope = self.arguments.span, self.scope
        match edge:
            case _ if not is_joint(edge):
                return self.pairwise(edge, operand, sources, targets)
            case Together(edges=edges, signs=signs):
                terms = [self.over(one, operand, sources, targets) for one in edges]
                pairs = [
                    (one if sign == "+" else combine("neg", "-", [(one, span)], scope, span), span)
                    for sign, one in zip(signs, terms, strict=True)
                ]
                return combine("add", "+", pairs, scope, span)
            case Scaled(factor=factor, edge=inner):
                found = self.over(inner, operand, sources, targets)
                return combine("mul", "*", [(factor, span), (found, span)], scope, span)
            case Chain(stages=stages):
                units = sources
                for stage in stages:
                    if is_joint(stage):
                        operand, units = Operand(self.over(stage, operand, units, targets), operand.span), targets
                    else:
                        operand = Operand(self.each(stage, operand, units), operand.span)
                return operand.term
            case Partial():
                return self.call(edge, operand, sources, targets)
            case _:
                reason = "`tied` shares an edge between units, and a joint edge maps all of them at once"
                raise Fault(faults.LayerAxes(span, reason=reason, help="leave `tied` out, or tie another edge"))

    def call(self, edge: Partial, operand: Operand, sources: Units, targets: Units) -> Term:
        """The block called with the layer's axes for its arrow."""
        name, span = edge.definition.tree.name, self.arguments.span
        ends = {
            end: AxisList(axes)
            for arrow in _open_arrows(edge)
            for end, axes in ((arrow.source, sources), (arrow.target, targets))
        }
        sharing = edge.sharing or self._shared(name)
        partial = replace(edge, hypers=(*edge.hypers, *ends.items()), sharing=sharing)
        found = call_block(partial, [operand], Arguments(name, span), self.scope, None)
        if not isinstance(found, Term):
            raise Fault(faults.WrongResults(span, what=f"`{name}`", given="several results", expected=1))
        wanted = {axis.name for axis in targets}
        for axis in (*targets, *sources):
            if (axis.name in wanted) != (axis.name in found.names):
                verb = "does not give" if axis.name in wanted else "keeps"
                reason = f"the joint edge `{name}` {verb} axis `{axis.name}`"
                help = f"its output is over the axes on the right of its arrow alone, as in `block {name}(J -> I)`"
                raise Fault(faults.LayerAxes(span, reason=reason, help=help))
        return found

    def _shared(self, name: str) -> Sharing | None:
        """The weights of this joint edge where the layer's are shared: the first use makes them."""
        if self.sharing is None:
            return None
        key = self.sharing.key(name)
        return self.sharing.parts.setdefault(key, Sharing(f"{self.sharing.name}_{name}", self.sharing.depth))
