"""Special functions in NumPy float64, accurate to a few units in the last place over the whole line."""

from __future__ import annotations

import math
from collections.abc import Callable

from archc.ops.arithmetic import np
from archc.ops.operation import Array


def erf(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return _each(math.erf, x)


def normal_distribution(x: Array) -> Array:
    """Phi(x), the probability that a standard normal variable is below x; by erfc, which keeps the lower tail."""
    return _each(math.erfc, np.asarray(x, dtype=np.float64) / -math.sqrt(2)) / 2


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    return np.asarray(np.logaddexp(0.0, x))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(np.exp(-softplus(-np.asarray(x))))


def _each(function: Callable[[float], float], x: Array) -> Array:
    return np.asarray(np.frompyfunc(function, 1, 1)(np.asarray(x, dtype=np.float64)), dtype=np.float64)
