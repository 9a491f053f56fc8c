"""The statements of a `forward`: which tensors get a name, what stands inside what, and how a line fits."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archc.codegen.express import DEVICE, DTYPE, expression
from archc.codegen.layout import WIDTH, flat, parse, statement
from archc.codegen.names import Names
from archc.readings.schedule.tensor import (
    Cast,
    Conv,
    Einsum,
    Fold,
    Input,
    Linear,
    Map,
    Matmul,
    Number,
    Range,
    Scatter,
    Take,
    Tensor,
    Windows,
    Written,
)

INDENT = 8
_DEEPEST = 24
_NAMES = re.compile(r"\b(?:tensor_\d+_|size_\w+?_|device_of_inputs_|dtype_of_module_)(?!\w)")
_HINTS: dict[type, str] = {
    Windows: "windows",
    Take: "picked",
    Scatter: "inbox",
    Cast: "numbers",
    Einsum: "mixed",
    Matmul: "mixed",
    Conv: "mixed",
    Linear: "mixed",
}


@dataclass
class Surroundings:
    """What a forward may refer to outside itself. `size` is the expression of a size symbol, `buffer` that of the
    positions of an axis known when the module is built, `device` and `dtype` those of its tensors."""

    size: Callable[[str], str]
    buffer: Callable[[Range], str | None]
    device: Callable[[], str]
    dtype: Callable[[], str]


@dataclass
class Forward:
    """Writes statements. `inputs` are the names under which values that exist already are known."""

    around: Surroundings
    names: Names
    inputs: dict[str, str]
    counts: dict[int, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    _named: dict[int, str] = field(default_factory=dict)
    _texts: dict[int, str] = field(default_factory=dict)

    def count(self, roots: Iterable[Tensor]) -> None:
        """Count the readers of every tensor that the roots need."""
        stack = list(roots)
        for root in stack:
            self.counts[root.serial] = self.counts.get(root.serial, 0) + 1
        seen: set[int] = set()
        while stack:
            tensor = stack.pop()
            if tensor.serial in seen:
                continue
            seen.add(tensor.serial)
            words = _NAMES.findall(self._text(tensor))
            for operand in dict.fromkeys(tensor.operands):
                found = words.count(operand.placeholder)
                self.counts[operand.serial] = self.counts.get(operand.serial, 0) + max(found, 1)
                stack.append(operand)

    def is_needed(self, tensor: Tensor) -> bool:
        """Whether anything reads the tensor."""
        return tensor.serial in self.counts

    def is_named(self, tensor: Tensor) -> bool:
        """Whether the tensor has a name already, or is one."""
        return tensor.serial in self._named or self._is_atom(tensor)

    def bind(self, tensor: Tensor, hint: str, comment: str) -> None:
        """A statement that gives the tensor a name."""
        if self.is_named(tensor):
            return
        tree = self.fitted(tensor, len(hint) + 3, comment)
        name = self.names.fresh(hint)
        self.write(f"{name} = ", tree, comment)
        self._named[tensor.serial] = name

    def write(self, prefix: str, tree: ast.expr, comment: str = "") -> None:
        """One statement, its comment behind it where there is room, else above."""
        lines = statement(prefix, tree, INDENT)
        note = f"  # {comment}" if comment else ""
        if len(lines) == 1 and len(lines[0]) + len(note) <= WIDTH:
            self.lines.append(lines[0] + note)
            return
        if comment:
            self.lines.extend(remark(comment, INDENT))
        self.lines.extend(lines)

    def fitted(self, tensor: Tensor, before: int, comment: str = "") -> ast.expr:
        """The expression of a tensor, parts of it named beforehand until it fits on a line."""
        room = WIDTH - INDENT - before
        while True:
            inlined: dict[int, Tensor] = {}
            tree = self._tree(tensor, inlined)
            inlined.pop(tensor.serial, None)
            text = flat(tree)
            if len(text) <= room or not inlined:
                return tree
            self._hoist(inlined.values(), len(text) - room)

    def _hoist(self, inlined: Iterable[Tensor], excess: int) -> None:
        """Name one part of a line that is too long: the smallest that makes it fit, else the longest that has a line."""
        sized = [(len(flat(self._tree(part, {}))), part) for part in inlined]
        room = WIDTH - INDENT - 24
        enough = [(size, part.serial, part) for size, part in sized if excess + 16 <= size <= room]
        small = [(-size, part.serial, part) for size, part in sized if size <= room]
        every = [(size, part.serial, part) for size, part in sized]
        _, _, part = min(enough or small or every)
        self.bind(part, self._hint(part), axes_comment(part.axes))

    def reference(self, tensor: Tensor) -> ast.expr:
        """The tensor as an operand of a statement that is not an expression of its own, such as a call's argument."""
        if self.counts.get(tensor.serial, 0) > 1 and not tensor.scalar:
            self.bind(tensor, self._hint(tensor), axes_comment(tensor.axes))
        return self.fitted(tensor, 0)

    def _is_atom(self, tensor: Tensor) -> bool:
        return isinstance(tensor.step, Input | Number) or (
            isinstance(tensor.step, Range) and self.around.buffer(tensor.step) is not None
        )

    def _tree(self, tensor: Tensor, inlined: dict[int, Tensor], depth: int = 0) -> ast.expr:
        name = self._named.get(tensor.serial)
        if name is not None:
            return ast.Name(name)
        if isinstance(tensor.step, Input):
            return parse(self.inputs[tensor.step.name])
        if not self._is_atom(tensor):
            repeated = self.counts.get(tensor.serial, 0) > 1 and not tensor.scalar
            if depth and (repeated or depth > _DEEPEST):
                self.bind(tensor, self._hint(tensor), axes_comment(tensor.axes))
                return ast.Name(self._named[tensor.serial])
            inlined[tensor.serial] = tensor
        operands = {operand.placeholder: operand for operand in tensor.operands}
        trees: dict[str, ast.expr] = {}
        for word in _NAMES.findall(self._text(tensor)):
            if word not in trees:
                operand = operands.get(word)
                trees[word] = parse(self._word(word)) if operand is None else self._tree(operand, inlined, depth + 1)
        tree = parse(self._text(tensor))
        return ast.fix_missing_locations(_Filled(trees).visit(tree)) if trees else tree

    def _word(self, word: str) -> str:
        if word == DEVICE:
            return self.around.device()
        if word == DTYPE:
            return self.around.dtype()
        return self.around.size(word.removeprefix("size_").removesuffix("_"))

    def _text(self, tensor: Tensor) -> str:
        if isinstance(tensor.step, Input):
            return ""
        if tensor.serial not in self._texts:
            buffer = self.around.buffer(tensor.step) if isinstance(tensor.step, Range) else None
            self._texts[tensor.serial] = buffer or expression(tensor)
        return self._texts[tensor.serial]

    def _hint(self, tensor: Tensor) -> str:
        step = tensor.step
        if isinstance(step, Written) and step.hint:
            return step.hint
        if isinstance(step, Map):
            return "mask" if tensor.kind == "bool" else {"add": "total", "mul": "product"}.get(step.word, step.word)
        if isinstance(step, Fold):
            return step.kind
        if isinstance(step, Range):
            return f"{step.hint}_position" if step.hint else "position"
        if type(step) in _HINTS:
            if isinstance(step, Linear | Matmul | Conv | Einsum):
                source = next(
                    (operand for operand in tensor.operands if isinstance(operand.step, Input) and not operand.learned),
                    None,
                )
                if source is not None and isinstance(source.step, Input):
                    return f"of_{source.step.name}"
            return _HINTS[type(step)]
        for operand in tensor.operands[:1]:
            if operand.serial in self._named:
                return self._named[operand.serial]
            return self._hint(operand)
        return step.name if isinstance(step, Input) else "value"


class _Filled(ast.NodeTransformer):
    """An expression with placeholders replaced."""

    def __init__(self, trees: Mapping[str, ast.expr]) -> None:
        self.trees = trees

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.trees.get(node.id, node)


def axes_comment(axes: Sequence[str]) -> str:
    """The axes of a tensor as a comment."""
    return f"[{', '.join(axis.lstrip('@*') for axis in axes)}]"


def remark(text: str, indent: int) -> Iterator[str]:
    """A comment on lines of its own."""
    margin = " " * indent + "# "
    line = ""
    for word in text.split(" "):
        if line and len(margin) + len(line) + 1 + len(word) > WIDTH:
            yield margin + line.rstrip()
            line = ""
        line = f"{line} {word}" if line else word
    yield margin + line


def escaped(text: str) -> str:
    """User's text for a comment: printable ASCII, one line."""
    return "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text)
