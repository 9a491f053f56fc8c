"""Random well-typed formulas over a few values: readings of every sort, masks, pointers, nested reductions."""

from __future__ import annotations

from random import Random

from archc.formula.tree import Apply, Formula, Literal, Position, Reduce, SizeValue
from archc.types.size import Size
from archc.types.tensor_type import Axis, TensorType
from tests.codegen.graphs import axis, call, index, read, size, tensor

N, M, K = size("n"), size("m"), Size.of(3)
SIZES = (N, M, K)
VALUES: dict[str, TensorType] = {
    "x": tensor(axis("n"), axis("m")),
    "y": tensor(axis("m"), axis("k", 3), axis("n")),
    "z": tensor(axis("k", 3)),
    "s": tensor(),
    "at_n": index(axis("n"), axis("m")),
    "at_m": index(axis("m"), axis("n"), axis("k", 3)),
    "count": tensor(axis("m"), kind="int"),
}
WEIGHTS: dict[str, TensorType] = {
    "w": tensor(axis("k", 3), axis("m")),
    "v": tensor(axis("k", 3)),
    "u": tensor(axis("k", 3), axis("l", 2), axis("k2", 3)),
}
REAL = ("x", "y", "z", "s", "w", "v", "u")
TYPES = VALUES | WEIGHTS


class Maker:
    """Makes formulas; `scope` are the axes at hand."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.made = 0

    def real(self, scope: list[Axis], depth: int) -> Formula:
        if depth <= 0:
            return self.leaf(scope)
        match self.random.randrange(9):
            case 0 | 1:
                return self.leaf(scope)
            case 2:
                return call(
                    self.random.choice(["add", "sub"]), self.real(scope, depth - 1), self.real(scope, depth - 1)
                )
            case 3:
                return call("mul", self.real(scope, depth - 1), self.real(scope, depth - 1))
            case 4:
                return call(self.random.choice(["tanh", "neg", "relu", "sin"]), self.real(scope, depth - 1))
            case 5:
                return call("where", self.truth(scope), self.real(scope, depth - 1), self.real(scope, depth - 1))
            case 6:
                return call("div", self.real(scope, depth - 1), call("add", 2.0, call("square", self.real(scope, 0))))
            case _:
                return self.reduction(scope, depth)

    def reduction(self, scope: list[Axis], depth: int) -> Formula:
        bound = []
        for _ in range(self.random.choice([1, 1, 2])):
            self.made += 1
            bound.append(axis(f"r{self.made}", self.random.choice(SIZES)))
        inner = [*scope, *bound]
        kind = self.random.choice(["sum", "sum", "sum", "sum", "mean", "max", "logsumexp"])
        body = self.real(inner, depth - 1)
        for _ in range(self.random.randrange(3)):
            body = call("mul", body, self.real(inner, depth - 2))
        where = self.truth(inner) if self.random.random() < 0.3 else None
        formula: Formula = Reduce(kind, tuple(bound), body, where)
        # an empty maximum is infinite, and infinities do not survive further arithmetic
        return call("tanh", formula) if kind != "sum" else formula

    def leaf(self, scope: list[Axis]) -> Formula:
        match self.random.randrange(8):
            case 0:
                return Literal(self.random.choice([0.5, -2.0, 3]))
            case 1:
                return call("mul", 0.25, Position(self.random.choice(scope).name))
            case _:
                return self.entry(self.random.choice(REAL), scope)

    def entry(self, name: str, scope: list[Axis]) -> Formula:
        outside = None
        beyond = self.random.random() < 0.25
        at = self.anywhere if beyond else self.inside
        indices = [at(one, scope) for one in TYPES[name].axes]
        if beyond:
            outside = self.random.choice([Literal(0.0), Literal(1.5), read("s")])
        return read(name, *indices, outside=outside)

    def inside(self, of: Axis, scope: list[Axis]) -> Formula:
        fitting = [one for one in scope if one.size == of.size]
        pick = self.random.random()
        if fitting and pick < 0.7:
            return Position(self.random.choice(fitting).name)
        if pick < 0.75:
            return Literal(0)
        if pick < 0.9 and of.size in (N, M):
            name = "at_n" if of.size == N else "at_m"
            return read(name, *(self.inside(one, scope) for one in TYPES[name].axes))
        return call("mod", self.whole(scope), SizeValue(of.size))

    def anywhere(self, of: Axis, scope: list[Axis]) -> Formula:
        return self.inside(of, scope) if self.random.random() < 0.4 else self.whole(scope)

    def whole(self, scope: list[Axis]) -> Formula:
        first = Position(self.random.choice(scope).name)
        match self.random.randrange(6):
            case 0:
                return call("add", first, self.random.choice([1, -1, 2]))
            case 1:
                return call("sub", call("add", call("mul", 2, first), Position(self.random.choice(scope).name)), 1)
            case 2:
                return call("floordiv", first, 2)
            case 3:
                return call("sub", SizeValue(self.random.choice(SIZES)), call("add", first, 1))
            case 4:
                return call("add", first, Position(self.random.choice(scope).name))
            case _:
                return first

    def truth(self, scope: list[Axis]) -> Formula:
        match self.random.randrange(5):
            case 0 | 1:
                word = self.random.choice(["le", "lt", "eq", "ne", "ge"])
                return call(word, Position(self.random.choice(scope).name), self.whole(scope))
            case 2:
                targets = [one for one in scope if one.size == N]
                sources = [one for one in scope if one.size == M]
                if targets and sources:
                    pointer = read("at_n", self.random.choice(sources).name)
                    return call("eq", pointer, Position(self.random.choice(targets).name))
                return call("gt", self.leaf(scope), 0.0)
            case 3:
                return Apply("and", (self.truth(scope), self.truth(scope)))
            case _:
                return call("gt", self.leaf(scope), 0.0)
