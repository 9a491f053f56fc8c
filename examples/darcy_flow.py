"""Darcy flow through a random medium: pairs of permeability and pressure from finite differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import spsolve

Field = NDArray[np.float64]


def permeability(size: int, generator: np.random.Generator, finest: int = 64) -> Field:
    """3 or 12 in each cell of a `size` x `size` grid: the sign of a smooth Gaussian field with covariance
    (9 - Laplace)^-2 and no flux at the border (Li et al., arXiv 2010.08895, A.3.2). `finest` modes are drawn, so that
    one seed gives one medium on every grid."""
    mode = np.arange(finest)
    noise = generator.standard_normal((finest, finest)) / (np.pi**2 * (mode[:, None] ** 2 + mode**2) + 9)
    noise[0, 0] = 0  # as much of one as of the other
    place = np.cos(np.pi * np.outer((np.arange(size) + 0.5) / size, mode))
    return np.where(place @ noise @ place.T >= 0, 12.0, 3.0)


def solve(a: Field, source: Field | float = 1.0) -> Field:
    """u with -div(a grad u) = source in the unit square and u = 0 on its border, in the cells of a's square grid.

    Each cell keeps its balance: between two of them the flow meets both halves in a row, which is the harmonic mean.
    """
    # the border is half a cell away, which is as if a cell beyond it let everything through
    wide = np.pad(a, 1, constant_values=np.inf)
    down, across = (2 / (1 / part[1:] + 1 / part[:-1]) for part in (wide[:, 1:-1], wide[1:-1].T))
    cell = np.arange(a.size).reshape(a.shape)
    sides = [(cell[1:], cell[:-1], -down[1:-1]), (cell.T[1:], cell.T[:-1], -across[1:-1])]
    entries = [(cell, cell, down[1:] + down[:-1] + (across[1:] + across[:-1]).T)]
    entries += [*sides, *((other, one, flow) for one, other, flow in sides)]
    row, column, value = (np.concatenate([part.ravel() for part in parts]) for parts in zip(*entries, strict=True))
    load = np.broadcast_to(np.asarray(source, float), a.shape) / a.size
    return np.asarray(spsolve(csc_array((value, (row, column))), load.ravel())).reshape(a.shape)


def pairs(count: int, size: int, seed: int = 0) -> tuple[Field, Field]:
    """Media and their pressures, each [count, size, size]."""
    generator = np.random.default_rng(seed)
    media = np.stack([permeability(size, generator) for _ in range(count)])
    return media, np.stack([solve(medium) for medium in media])
