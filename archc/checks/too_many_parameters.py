"""Nets whose parameters no machine holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from archc.base.diagnostic import Diagnostic
from archc.base.limits import LIMITS
from archc.checks.check import Check
from archc.ir.graph import TypedGraph
from archc.ir.parameter import parameters
from archc.readings.amount import Amount
from archc.types.limits import SizeOverflow
from archc.types.size import SizeError


class TooManyParameters(Diagnostic):
    """The parameters and constants of a net, with the hyper-parameters as they are, are more numbers than a net may
    have (2^40). A size is probably a product of more axes than was meant.

        let h = x |> layer((h, w, c) -> (h: 512, w: 512, c: 64))     # wrong: every pixel to every pixel
        let h = x |> layer(c -> c: 64, edge = conv(over = (h, w)))   # right
    """

    code = "E0908"
    title = "`{net}` has {count} parameters, and at most {limit} are allowed"
    advice = "connect fewer units with each other: by a convolution, a `wiring`, or fewer axes in a layer"


@final
class TooManyParametersCheck(Check):
    """More parameters and constants than a net may have."""

    word = "too_many_parameters"
    limit: int = LIMITS.parameters

    def find(self, graph: TypedGraph) -> Iterator[Diagnostic]:
        net = graph.net
        sizes = {symbol.name: symbol.default for symbol in net.symbols if symbol.default is not None}
        try:
            numbers = Amount.total(Amount.of((*placed.shape, placed.count)) for placed in parameters(graph))
            count = numbers.evaluate(sizes)
            text = f"{count:,}"
        except SizeOverflow:
            count, text = LIMITS.integer, f"more than {LIMITS.integer:,}"
        except SizeError:
            return  # it depends on the size of an axis that only a run knows
        if count > self.limit and net.span is not None:
            yield TooManyParameters(net.span, net=net.word, count=text, limit=f"{self.limit:,}")
