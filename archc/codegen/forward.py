"""The expressions of a `forward`: which tensors get a name, what stands inside what, and how a line fits."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archc.codegen.comment import axes_comment, remark
from archc.codegen.express import DEVICE, DTYPE, expression
from archc.codegen.hints import hint_of, spine
from archc.codegen.layout import WIDTH, flat, has_room, is_chain, parse, statement
from archc.codegen.mode import Mode, Root, modes
from archc.codegen.names import Names
from archc.readings.schedule.tensor import Input, Insert, Map, Merge, Number, Permute, Range, Tensor

INDENT = 8
_DEEPEST = 24
_LONGEST = 4 * WIDTH
_PLACEHOLDER = re.compile(r"\b(?:tensor_\d+_|size_\w+?_|device_of_inputs_|dtype_of_module_)(?!\w)")
_VIEWS = (Insert, Merge, Permute)


class Said(NamedTuple):
    """What to call a tensor, and the comment of its statement."""

    hint: str
    comment: str


@dataclass
class Surroundings:
    """What a forward may refer to outside itself. `size` is the expression of a size symbol, `buffer` that of the
    positions of an axis known when the module is built, `device` and `dtype` those of its tensors; a `device` of "" is
    the default one, which goes unsaid."""

    size: Callable[[str], str]
    buffer: Callable[[Range], str | None]
    device: Callable[[], str]
    dtype: Callable[[], str]


@dataclass
class Forward:
    """Writes statements. `inputs` are the expressions of values that exist already, `said` what is known of
    tensors that have no statement yet. A local name is free again after its last use."""

    around: Surroundings
    names: Names
    inputs: dict[str, str]
    said: dict[int, Said] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    written: set[int] = field(default_factory=set)
    needs_dtype: bool = False
    _counts: dict[int, int] = field(default_factory=dict)
    _named: dict[int, str] = field(default_factory=dict)
    _texts: dict[int, str] = field(default_factory=dict)
    _left: dict[str, int] = field(default_factory=dict)
    _modes: dict[int, Mode] = field(default_factory=dict)
    _guarded: tuple[Mode, int] = (Mode.BOTH, 0)

    def count(self, roots: Sequence[Root]) -> None:
        """Count the readers of every tensor that the roots need, and when it has some."""
        self._modes = modes(roots)
        stack = [root.tensor for root in roots]
        for root in stack:
            self._counts[root.serial] = self.readers(root) + 1
        seen: set[int] = set()
        while stack:
            tensor = stack.pop()
            if tensor.serial not in seen:
                seen.add(tensor.serial)
                words = _PLACEHOLDER.findall(self._text(tensor))
                self.needs_dtype = self.needs_dtype or DTYPE in words
                for operand in dict.fromkeys(tensor.operands):
                    self._counts[operand.serial] = self.readers(operand) + words.count(operand.placeholder)
                    stack.append(operand)

    def readers(self, tensor: Tensor) -> int:
        """How many times the tensor is read."""
        return self._counts.get(tensor.serial, 0)

    def is_named(self, tensor: Tensor) -> bool:
        """Whether the tensor has a name already, or is one."""
        return tensor.serial in self._named or self._is_atom(tensor)

    def claim(self, tensor: Tensor, name: str) -> None:
        """The name under which a tensor is known that some other statement assigns."""
        self._named[tensor.serial] = name
        self._left[name] = self.readers(tensor)

    def local(self, tree: ast.expr) -> str | None:
        """The local name that an expression is, if this is its last use."""
        return tree.id if isinstance(tree, ast.Name) and self._left.get(tree.id) == 1 else None

    def bind(self, tensor: Tensor, hint: str = "") -> None:
        """A statement that gives the tensor a name."""
        if self.is_named(tensor):
            return
        said = self.said.get(tensor.serial)
        hint = (said.hint if said else "") or hint or hint_of(tensor, self._name_of)
        comment = said.comment if said else axes_comment(tensor.axes)
        tree = self.fitted(tensor, len(hint) + 3 + 3 * self.names.is_taken(hint), hint)
        self.release(tree)
        name = self.names.fresh(hint)
        self.write(f"{name} = ", tree, comment, mode=self._modes.get(tensor.serial, Mode.BOTH))
        self.claim(tensor, name)

    def write(
        self, prefix: str, tree: ast.expr, comment: str = "", indent: int = INDENT, mode: Mode = Mode.BOTH
    ) -> None:
        """One statement, its comment behind it where there is room, else above; under a condition where it is for one
        mode alone, together with those for this mode just before it."""
        if mode.test:
            if self._guarded != (mode, len(self.lines)):
                self.lines.append(f"{' ' * indent}if {mode.test}:")
            self._write(prefix, tree, comment, indent + 4)
            self._guarded = (mode, len(self.lines))
        else:
            self._write(prefix, tree, comment, indent)

    def _write(self, prefix: str, tree: ast.expr, comment: str, indent: int) -> None:
        lines = statement(prefix, tree, indent)
        note = f"  # {comment}" if comment else ""
        if len(lines) == 1 and len(lines[0]) + len(note) <= WIDTH:
            self.lines.append(lines[0] + note)
            return
        if comment:
            self.lines.extend(remark(comment, indent))
        self.lines.extend(lines)

    def release(self, tree: ast.expr) -> None:
        """Count the uses in an expression that is written now; names without further use are free again."""
        # where a tensor lies is asked of an argument, whatever it holds by then
        asked = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "device"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in self._left and id(node) not in asked:
                self._left[node.id] -= 1
                if self._left[node.id] == 0:
                    del self._left[node.id]
                    self.names.release(node.id)

    def fitted(self, tensor: Tensor, before: int, hint: str = "") -> ast.expr:
        """The expression of a tensor, parts of it named beforehand until it fits behind `before` columns."""
        room = WIDTH - INDENT - before
        while True:
            inlined: dict[int, Tensor] = {}
            tree = self._tree(tensor, inlined)
            length = len(flat(tree))
            parts = [part for serial, part in inlined.items() if serial != tensor.serial]
            if length > room and is_chain(tree, WIDTH - INDENT - 8):
                self.written.update(inlined)
                return tree
            heavy = [part for part in parts if not self._is_light(part)]
            if length <= room or not parts or (not heavy and has_room(tree, INDENT + before)):
                self.written.update(inlined)
                return tree
            part = self._best_part(heavy or parts, length, room)
            self.bind(part, hint if part.serial in spine(tensor) else "")

    def reference(self, tensor: Tensor, before: int = 0) -> ast.expr:
        """The tensor as it is read by a statement: a name where others read it too."""
        if self.readers(tensor) > 1 and not tensor.scalar:
            self.bind(tensor)
        return self.fitted(tensor, before)

    def _best_part(self, parts: Iterable[Tensor], length: int, room: int) -> Tensor:
        """The part whose naming leaves two lines of like length that both fit; numbers are named last."""

        def badness(part: Tensor) -> tuple[bool, bool, bool, int, int]:
            size = len(flat(self._tree(part, {})))
            fits = size <= WIDTH - INDENT - 16 and length - size + 12 <= room
            return part.scalar, not fits, not self._has_hint(part), abs(2 * size - length), part.serial

        return min(parts, key=badness)

    def _is_light(self, tensor: Tensor) -> bool:
        """Whether it is a number, made of weights alone, or a view of what has a name: not worth a line of its own."""
        if tensor.scalar or tensor.learned:
            return True
        return isinstance(tensor.step, _VIEWS) and self.is_named(tensor.operands[0])

    def _has_hint(self, tensor: Tensor) -> bool:
        said = self.said.get(tensor.serial)
        return said is not None and bool(said.hint)

    def _is_atom(self, tensor: Tensor) -> bool:
        step = tensor.step
        return isinstance(step, Input | Number) or (isinstance(step, Range) and self.around.buffer(step) is not None)

    def _is_repeatable(self, tensor: Tensor) -> bool:
        """Whether writing it twice costs nothing: a view of a name, or the negative of a buffer."""
        step = tensor.step
        if tensor.scalar or self._is_atom(tensor):
            return True
        if isinstance(step, Map) and step.word == "neg":
            return isinstance(tensor.operands[0].step, Range) and self._is_atom(tensor.operands[0])
        # a local could be bound anew between two uses
        return isinstance(step, _VIEWS) and self._is_atom(tensor.operands[0]) and tensor.operands[0].learned

    def _name_of(self, tensor: Tensor) -> str | None:
        if tensor.serial in self._named:
            return self._named[tensor.serial]
        return self.inputs.get(tensor.step.name) if isinstance(tensor.step, Input) else None

    def _tree(self, tensor: Tensor, inlined: dict[int, Tensor], depth: int = 0) -> ast.expr:
        name = self._named.get(tensor.serial)
        if name is not None:
            return ast.Name(name)
        if isinstance(tensor.step, Input):
            return parse(self.inputs[tensor.step.name])
        if depth and not self._is_repeatable(tensor) and (self.readers(tensor) > 1 or depth > _DEEPEST):
            self.bind(tensor)
            return ast.Name(self._named[tensor.serial])
        if not self._is_atom(tensor):
            inlined[tensor.serial] = tensor
        operands = {operand.placeholder: operand for operand in tensor.operands}
        trees: dict[str, ast.expr] = {}
        for word in _PLACEHOLDER.findall(self._text(tensor)):
            if word not in trees:
                operand = operands.get(word)
                if operand is not None:
                    trees[word] = self._operand_tree(operand, inlined, depth + 1)
                elif text := self._word(word):
                    trees[word] = parse(text)
        tree = parse(self._text(tensor))
        return _Filled(trees).filled(tree)

    def _operand_tree(self, tensor: Tensor, inlined: dict[int, Tensor], depth: int) -> ast.expr:
        inner: dict[int, Tensor] = {}
        tree = self._tree(tensor, inner, depth)
        if tensor.scalar or isinstance(tree, ast.Name) or len(flat(tree)) <= _LONGEST:
            inlined.update(inner)
            return tree
        # far too long for any line: what is built from it stays small
        self.bind(tensor)
        return ast.Name(self._named[tensor.serial])

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


class _Filled(ast.NodeTransformer):
    """An expression with placeholders replaced."""

    def __init__(self, trees: Mapping[str, ast.expr]) -> None:
        self.trees = trees

    def filled(self, tree: ast.expr) -> ast.expr:
        """The expression with everything replaced."""
        found: ast.expr = self.visit(tree)
        return found

    def visit_keyword(self, node: ast.keyword) -> ast.keyword | None:
        if isinstance(node.value, ast.Name) and node.value.id == DEVICE and DEVICE not in self.trees:
            return None
        return ast.keyword(node.arg, self.visit(node.value))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.trees.get(node.id, node)


def stem(name: str, known: Collection[str]) -> str:
    """`h` for the name `h_3` that tells a value apart from an earlier `h`."""
    found = re.fullmatch(r"(.+?)_\d+", name)
    return found[1] if found and (found[1] in known or found[1] == "value") else name
