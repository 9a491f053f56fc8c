"""The tree of a spec: frozen nodes, each with its span, equal when they say the same (spans and comments aside).

Chains are n-ary (`Sum`, `Product`, `Pipe`, `Compose`), so a sum of 10,000 terms is one node and no walk
recurses deeper than the nesting of the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from archc.base.span import Span


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Base of all nodes."""

    span: Span = field(compare=False, repr=False)


# expressions


@dataclass(frozen=True, kw_only=True)
class Name(Tree):
    """`x`, or dotted `std.mlp` / `tap.over` (a family of axes, one for each axis of `over`)."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, kw_only=True)
class Number(Tree):
    """An integer or a real literal; `text` keeps how it was written."""

    value: int | float
    text: str = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Truth(Tree):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, kw_only=True)
class Text(Tree):
    """A string literal (paths in `use`, messages)."""

    value: str


@dataclass(frozen=True, kw_only=True)
class Group(Tree):
    """`()`, `(a, b)` or `(head: heads, k: 4)`: a tuple of values or axes. A parenthesised single expression is not kept
    as a Group."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class AxisSize(Tree):
    """`d: 64` inside a group or an argument list; `size` is None for a bare axis in axis position."""

    name: Name
    size: Expr | None


@dataclass(frozen=True, kw_only=True)
class Arrow(Tree):
    """`d -> h: 64`, `(head, k) -> d: width`, `() -> k`: unit axes in, unit axes out."""

    source: tuple[AxisSize, ...]
    target: tuple[AxisSize, ...]


@dataclass(frozen=True, kw_only=True)
class Negate(Tree):
    """`-x`."""

    operand: Expr


@dataclass(frozen=True, kw_only=True)
class Power(Tree):
    """`base ^ exponent` (right associative)."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True, kw_only=True)
class Sum(Tree):
    """`a + b - c`: terms with their signs, the first sign is always "+"."""

    terms: tuple[Expr, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Product(Tree):
    """`a * b / c // d % e`: factors with the operator before each, the first operator is always "*"."""

    factors: tuple[Expr, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Compose(Tree):
    """`E >> F >> G`, edges applied left to right."""

    stages: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Pipe(Tree):
    """`x |> f(a) |> g()`; every stage after the first is a Call or a Name."""

    stages: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Compare(Tree):
    """`a <= b`; operator one of == != < <= > >=."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, kw_only=True)
class Logic(Tree):
    """`a and b`, `a or b` (n-ary), `not a`; operator one of and, or, not."""

    operator: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class BoundAxis(Tree):
    """`k < 8` in a reduction; `size` is None where the body says how long the axis is."""

    name: Name
    size: Expr | None


@dataclass(frozen=True, kw_only=True)
class Reduction(Tree):
    """`sum j, m where m <= n: body`; `body` is one product."""

    kind: str
    axes: tuple[BoundAxis, ...]
    condition: Expr | None
    body: Expr


@dataclass(frozen=True, kw_only=True)
class Argument(Tree):
    """One argument of a call; `name` is None for a positional one (which may be an Arrow or an AxisSize)."""

    name: str | None
    value: Expr


@dataclass(frozen=True, kw_only=True)
class Call(Tree):
    """`f(x, d -> h: 64, edge = E)`."""

    function: Name
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, kw_only=True)
class IndexEntry(Tree):
    """`h: 2 * h + dy` inside an index."""

    axis: Name
    value: Expr


@dataclass(frozen=True, kw_only=True)
class Index(Tree):
    """`x[h: h + dy - 1, w: w else 0]`; `outside` is the value beyond the axis."""

    value: Expr
    entries: tuple[IndexEntry, ...]
    outside: Expr | None


@dataclass(frozen=True, kw_only=True)
class Carry(Tree):
    """`h = h0` of a loop; `initial` is None when the carry starts at the value of the same name."""

    name: str
    initial: Expr | None


@dataclass(frozen=True, kw_only=True)
class Repeat(Tree):
    """`repeat count as l shared with h { ... }`."""

    count: Expr
    label: str | None
    shared: bool
    carries: tuple[Carry, ...]
    body: Body


@dataclass(frozen=True, kw_only=True)
class Scan(Tree):
    """`scan over t with h = h0 using solver(...) { ... }`; `size` makes a new axis."""

    axis: AxisSize
    carries: tuple[Carry, ...]
    solver: Call | None
    body: Body


@dataclass(frozen=True, kw_only=True)
class Fixpoint(Tree):
    """`fixpoint with z = z0 using anderson(...) { ... }`."""

    carries: tuple[Carry, ...]
    solver: Call | None
    body: Body


@dataclass(frozen=True, kw_only=True)
class If(Tree):
    """Static choice; `otherwise` may hold a single nested If (`else if`) as its result."""

    condition: Expr
    then: Body
    otherwise: Body


Expr = (
    Name
    | Number
    | Truth
    | Text
    | Group
    | AxisSize
    | Arrow
    | Negate
    | Power
    | Sum
    | Product
    | Compose
    | Pipe
    | Compare
    | Logic
    | Reduction
    | Call
    | Index
    | Repeat
    | Scan
    | Fixpoint
    | If
)

# types and statements


@dataclass(frozen=True, kw_only=True)
class AxisType(Tree):
    """`n`, `d: 64` or `m ~ n` inside a type."""

    name: Name
    size: Expr | None
    twin: str | None


@dataclass(frozen=True, kw_only=True)
class Type(Tree):
    """`index(n)[batch, m]`: `kind` is the word, `of` its argument (an axis or a size)."""

    kind: str
    of: Expr | None
    axes: tuple[AxisType, ...]


@dataclass(frozen=True, kw_only=True)
class TupleType(Tree):
    """`(real[d], real[d])`."""

    items: tuple[Type | TupleType, ...]


@dataclass(frozen=True, kw_only=True)
class Let(Tree):
    """`let y[k, h: size] = value`, or `let (a, b) = value`; `axes` is None where no result axes are declared."""

    names: tuple[str, ...]
    axes: tuple[AxisType, ...] | None
    value: Expr


@dataclass(frozen=True, kw_only=True)
class Declaration(Tree):
    """`param a, b: type = init`, `const`, `state`; `role` is the keyword."""

    role: str
    names: tuple[str, ...]
    type: Type
    initial: Expr | None


@dataclass(frozen=True, kw_only=True)
class Share(Tree):
    """`share f = mlp(d -> d: 64, width = 32)`: one set of weights for every use of f."""

    name: str
    value: Expr


@dataclass(frozen=True, kw_only=True)
class Emit(Tree):
    """`emit h` inside a scan."""

    value: Expr


@dataclass(frozen=True, kw_only=True)
class Assume(Tree):
    """`assume condition`: checked when the module runs."""

    condition: Expr


Statement = Let | Declaration | Share | Emit | Assume


@dataclass(frozen=True, kw_only=True)
class Body(Tree):
    """`{ statement* return expr, ... }`."""

    statements: tuple[Statement, ...]
    results: tuple[Expr, ...]


# definitions


@dataclass(frozen=True, kw_only=True)
class Hyper(Tree):
    """`heads: int = 8`, `act: activation`, `b: choice(x, y) = x`; without a kind it follows from the default."""

    name: str
    kind: str | None
    choices: tuple[str, ...]
    default: Expr | None


@dataclass(frozen=True, kw_only=True)
class HyperArrow(Tree):
    """`J -> I`: two lists of axes bound by the call's `d -> h: 64`."""

    source: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Port(Tree):
    """`x: real[n, d]`, with a default where one is given."""

    name: str
    type: Type | TupleType
    default: Expr | None


@dataclass(frozen=True, kw_only=True)
class Action(Tree):
    """One factor of a claim's group: `permute(n)`."""

    group: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, kw_only=True)
class Claim(Tree):
    """`claim equivariant under permute(n) * shift(h, w) if not causal`: made where the static condition holds."""

    sort: str
    actions: tuple[Action, ...]
    condition: Expr | None


@dataclass(frozen=True, kw_only=True)
class Definition(Tree):
    """A `net` or a `block`; `role` is the keyword, `head` spans from it to the name."""

    role: str
    name: str
    hypers: tuple[Hyper | HyperArrow, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    conditions: tuple[Expr, ...]
    claims: tuple[Claim, ...]
    body: Body
    head: Span = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Use(Tree):
    """`use std.mlp as m` (path is a tuple of names) or `use "file.arch"` (path is a string)."""

    path: tuple[str, ...] | str
    alias: str | None


@dataclass(frozen=True, kw_only=True)
class Comment(Tree):
    """A `#` comment, without its `#`; kept beside the tree, in order."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Spec(Tree):
    """A whole file."""

    uses: tuple[Use, ...]
    definitions: tuple[Definition, ...]
    comments: tuple[Comment, ...] = field(compare=False, repr=False)
