"""Words of calls that follow rules of their own."""

from __future__ import annotations

LAYER, SIZE, TIED, GRAD, VALUE_AND_GRAD = "layer", "size", "tied", "grad", "value_and_grad"
WRITTEN = {
    LAYER: "layer(x, d -> h: 64)",
    SIZE: "size(d)",
    TIED: "tied(weight, groups = 4)",
    GRAD: "grad(energy, x)",
    VALUE_AND_GRAD: "value_and_grad(energy, x)",
}
"""How each is written."""
UNHIDDEN = (SIZE, TIED, GRAD, VALUE_AND_GRAD)
"""Those that mean the same everywhere, whatever a file defines."""
OPTIONS = ("edge", "bias", "neuron", "aggregate", "wiring", "init")
"""What a layer may be told by name."""
