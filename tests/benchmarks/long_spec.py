"""A spec of any length: what the time and the memory of compiling are measured on."""

from __future__ import annotations

# In turn: two values met, a product, arithmetic, a maximum; one in forty is a layer.
_FORMULAS = ("{near} + tanh({far})", "relu({near}) * {far}", "({near} - {far}) / 2", "max({near}, {far})")
_LAYER = "{near} |> layer(d -> d: width, neuron = silu)"


def long_spec(statements: int) -> str:
    """A net of so many `let` statements, each of which reads the one before it and one a few before that."""
    lines = ["net Long(width = 8) (x: real[batch, d: width]) -> (y: real[batch, d: width]) {", "    let h0 = x"]
    for number in range(1, statements):
        formula = _LAYER if number % 40 == 0 else _FORMULAS[number % 4]
        formula = formula.format(near=f"h{number - 1}", far=f"h{max(0, number - 7)}")
        lines.append(f"    let h{number} = {formula}")
    return "\n".join([*lines, f"    return h{statements - 1}", "}", ""])
