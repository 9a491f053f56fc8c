"""Fixed points in NumPy float64, to rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from archc.readings.evaluate import Array

_LIMIT = 5000
_MEMORY = 8
_CLOSE = 1e-14


def solve(step: Callable[[Sequence[Array]], Sequence[Array]], start: Sequence[Array]) -> list[Array] | None:
    """Arrays z with step(z) = z up to rounding, None where the search ends without.

    Anderson's mixing (J. ACM 12, 1965) over all entries together: the combination of the last few iterates whose
    residuals cancel best. It solves what plain iteration solves, and maps that do not contract besides.
    """
    shapes = [array.shape for array in start]
    cuts = np.cumsum([array.size for array in start])[:-1]

    def apply(flat: Array) -> Array:
        return _flat(step(_shaped(flat, cuts, shapes)))

    place = _flat(start)
    places: list[Array] = []
    residuals: list[Array] = []
    best, waited = np.inf, 0
    for _ in range(_LIMIT):
        image = apply(place)
        residual = image - place
        error = _norm(residual)
        # what is left is rounding once it does not fall any more
        best, waited = (error, 0) if error < 0.5 * best else (best, waited + 1)
        if error <= _CLOSE * (1 + _norm(place)) or (waited > 3 * _MEMORY and best <= 1e3 * _CLOSE * (1 + _norm(place))):
            return _shaped(image, cuts, shapes)
        if not np.isfinite(error):
            return None
        places, residuals = [*places[-_MEMORY:], place], [*residuals[-_MEMORY:], residual]
        place = _mixed(places, residuals)
    return None


def _mixed(places: Sequence[Array], residuals: Sequence[Array]) -> Array:
    """The next iterate: sum a_k (x_k + r_k), where sum a_k = 1 makes sum a_k r_k least."""
    place, residual = places[-1], residuals[-1]
    if len(places) == 1:
        return place + residual
    steps = np.stack([one - place for one in places[:-1]], axis=1)
    changes = np.stack([one - residual for one in residuals[:-1]], axis=1)
    weights = np.linalg.lstsq(changes, -residual, rcond=1e-12)[0]
    mixed: Array = place + residual + (steps + changes) @ weights
    return mixed


def _norm(flat: Array) -> float:
    return float(np.sqrt(np.mean(flat * flat))) if flat.size else 0.0


def _flat(arrays: Sequence[Array]) -> Array:
    return np.concatenate([np.ravel(array) for array in arrays])


def _shaped(flat: Array, cuts: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    return [part.reshape(shape) for part, shape in zip(np.split(flat, cuts), shapes, strict=True)]
