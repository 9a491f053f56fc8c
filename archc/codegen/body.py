"""The statements of a `forward`, from the schedule of its region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archc.codegen.comment import axes_comment, place
from archc.codegen.forward import INDENT, Forward, Said, stem
from archc.codegen.layout import flat, parse, quoted, statement
from archc.codegen.mode import Root, copied, stored
from archc.codegen.names import attribute
from archc.codegen.routines import fixpoint, newton, scan
from archc.codegen.unit import Unit
from archc.formula.tree import Reduce
from archc.ir.graph import Block
from archc.ir.independent import independent
from archc.ir.node import Call, Compute, Fixpoint, Loop, Node, Operate, Repeat, Scan, Stage, Value
from archc.ir.state import has_state
from archc.readings.schedule.region import Bound, Called, Checked, Looped, Schedule, Stored
from archc.readings.schedule.tensor import Laid, Tensor
from archc.types.size import Condition


class Body:
    """Writes the statements of a schedule into a forward."""

    def __init__(
        self, unit: Unit, plan: Schedule, forward: Forward, output_class: str, blocks: Mapping[str, Block]
    ) -> None:
        self.unit = unit
        self.blocks = blocks
        self.plan = plan
        self.forward = forward
        self.output_class = output_class
        self.pending: Tensor | None = None
        self.known = {*unit.region.values, *(node.module for node in unit.modules)}

    def write(self) -> None:
        """All statements and the return."""
        forward = self.forward
        roots = self._roots()
        kept = copied(self.plan, roots)
        forward.count([*roots, *(stored(item) for item in self.plan.statements if isinstance(item, Stored))])
        if not forward.needs_dtype:
            # a released argument may be bound anew, to a tensor on the same device but perhaps of another kind
            for value in self.unit.inputs:
                forward.claim(self.plan.inputs[value.name], forward.inputs[value.name])
        for state in kept:
            self._copied(state)
        for item in self.plan.statements:
            match item:
                case Bound(value, laid, node):
                    self._bound(value, laid, node)
                case Called():
                    self._called(item)
                case Looped():
                    self._looped(item)
                case Checked():
                    self._checked(item)
                case Stored():
                    self._stored(item)
        self._returned()

    def _roots(self) -> list[Root]:
        """Everything that statements and outputs read, but for what is stored; a call that may change a state runs
        whether it is read or not."""
        found: list[Tensor] = []
        for item in self.plan.statements:
            match item:
                case Called(node, invoked, results) if len(results) > 1 or has_state(node, self.blocks):
                    found.append(invoked)
                case Looped(_, initial, entries, captured, _):
                    found += [*initial, *entries, *(tensor for _, tensor in captured)]
                case Checked(_, condition) if isinstance(condition, Tensor):
                    found.append(condition)
        return [Root(tensor) for tensor in (*found, *self.plan.outputs)]

    def _bound(self, value: Value, laid: Laid, node: Node) -> None:
        tensor = laid.tensor
        if self.forward.is_named(tensor) or not self.forward.readers(tensor) or tensor.scalar:
            return
        if tensor.serial in self.forward.written:
            return  # its only reader came first, with the value of another node that says the same
        self._describe(tensor, value, laid, node)
        if self.forward.readers(tensor) > 1 or not (self._is_unnamed(value, node) or self._is_returned(tensor)):
            self.forward.bind(tensor)

    def _describe(self, tensor: Tensor, value: Value, laid: Laid, node: Node) -> None:
        hint = stem(value.name, self.known)
        comment = f"{axes_comment(laid.axes)}  {place(node.span)}"
        self.forward.said.setdefault(tensor.serial, Said("" if hint == "value" else hint, comment))

    def _is_unnamed(self, value: Value, node: Node) -> bool:
        """Whether the spec gives the value no name of its own, so that it may stand inside its only use."""
        hint = stem(value.name, self.known)
        match node:
            case Compute():
                return hint == "value" or (isinstance(node.formula, Reduce) and hint == node.formula.kind)
            case Operate():
                return hint in ("value", node.operation.word)
            case Call():
                return hint in ("value", stem(node.module, self.known), node.block)
        return False

    def _is_returned(self, tensor: Tensor) -> bool:
        return len(self.plan.outputs) == 1 and self.plan.outputs[0] is tensor

    def _called(self, item: Called) -> None:
        forward, node = self.forward, item.node
        self._flush(item.invoked)
        if len(item.results) == 1:
            (laid,) = item.results
            if not forward.readers(laid.tensor):
                return
            self._describe(laid.tensor, node.result, laid, node)
            self.pending = laid.tensor
            inline = self._is_unnamed(node.result, node) or self._is_returned(laid.tensor)
            inline = inline and not has_state(node, self.blocks)
            if forward.readers(laid.tensor) > 1 or not inline:
                forward.bind(laid.tensor)
            return
        tree = forward.fitted(item.invoked, 16)
        forward.release(tree)
        names = self._assigned(item.results, node)
        forward.write(f"{', '.join(names)} = ", tree, place(node.span))

    def _flush(self, following: Tensor | None = None) -> None:
        """A call that waits to stand inside another statement is written before the next call, unless it is in that."""
        waiting, self.pending = self.pending, None
        if waiting is None or self.forward.is_named(waiting) or waiting.serial in self.forward.written:
            return
        if following is None or not _leads_to(following, waiting):
            self.forward.bind(waiting)

    def _assigned(self, results: Sequence[Laid], node: Node) -> list[str]:
        read = [self.forward.readers(laid.tensor) > 0 for laid in results]
        fresh = self.forward.names.fresh
        pairs = zip(node.results, read, strict=True)
        names = [fresh(stem(value.name, self.known)) if is_read else "_" for value, is_read in pairs]
        for laid, name in zip(results, names, strict=True):
            self.forward.claim(laid.tensor, name)
        return names

    def _scanned(self, item: Looped, node: Scan) -> None:
        """One call for all positions of an axis."""
        self._flush()
        length = node.axis.size.python(self.forward.around.size)
        groups = [item.initial, item.entries, [tensor for _, tensor in item.captured]]
        word = self.plan.trace.routine(scan())
        self._run(item, f"{word}({self._step(node)}, {length}", groups, "")

    def _staged(self, item: Looped) -> None:
        """One call of what the steps of a loop have become."""
        self._flush()
        forward, node = self.forward, item.node
        trees = [forward.reference(tensor) for tensor in (*item.initial, *(tensor for _, tensor in item.captured))]
        items = [*map(flat, trees), *self._asked(node)]
        made = parse(f"self.{attribute(node.module)}({', '.join(items)})")
        for tree in trees:
            forward.release(tree)
        names = self._assigned(item.results, node)
        forward.write(f"{', '.join(names)} = ", made, place(node.span))

    def _solved(self, item: Looped, node: Fixpoint) -> None:
        """One call that solves for the carries."""
        self._flush()
        numbers = dict(node.solver.arguments)
        groups = [item.initial, [tensor for _, tensor in item.captured]]
        if node.solver.word == "newton":
            word = self.plan.trace.routine(newton())
            self._run(item, f"{word}({self._step(node)}", groups, f", iterations={numbers['limit']}")
            return
        options = {"samples": self._samples(node), **numbers, "place": quoted(f"the fixpoint at {place(node.span)}")}
        named = ", ".join(f"{word}={option}" for word, option in options.items())
        word = self.plan.trace.routine(fixpoint())
        self._run(item, f"{word}({self._step(node)}", groups, f", {named}")

    def _step(self, node: Loop) -> str:
        """The body of a loop as a function of what it is given at every pass."""
        asked = self._asked(node)
        module = f"self.{attribute(node.module)}"
        return f"functools.partial({', '.join([module, *asked])})" if asked else module

    def _asked(self, node: Loop) -> list[str]:
        """The sizes that the body of a loop asks for, by keyword."""
        if node.direct is not None:
            return []
        size = self.forward.around.size
        return [f"{name}={size(symbol)}" for symbol, name in self.unit.bodies[node.module].asked.items()]

    def _samples(self, node: Fixpoint) -> int:
        """How many axes, the first of every carry, the passes treat position by position."""
        names = [value.type.names for value in node.carries]
        count = 0
        for axes in zip(*names, strict=False):
            if len(set(axes)) != 1:
                break
            given = {value.name: axes[0] for value in node.carries}
            found = independent(node.body, given, self.blocks)
            if found is None or set(found) != {axes[0]}:
                break
            count += 1
        return count

    def _run(self, item: Looped, head: str, groups: Sequence[Sequence[Tensor]], tail: str) -> None:
        """A call with tuples of tensors, the last of them left out where they are empty."""
        forward, node = self.forward, item.node
        while len(groups) > 1 and not groups[-1]:
            groups = groups[:-1]
        trees = [[forward.reference(tensor) for tensor in group] for group in groups]
        tuples = [_tuple([flat(tree) for tree in group]) for group in trees]
        made = parse(f"{head}, {', '.join(tuples)}{tail})")
        for tree in (tree for group in trees for tree in group):
            forward.release(tree)
        names = self._assigned(item.results, node)
        target = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
        forward.write(f"{target} = ", made, place(node.span))

    def _looped(self, item: Looped) -> None:
        self._flush()
        node, forward = item.node, self.forward
        if isinstance(node, Scan):
            self._scanned(item, node)
            return
        if isinstance(node, Fixpoint):
            self._solved(item, node)
            return
        if isinstance(node, Stage):
            self._staged(item)
            return
        assert isinstance(node, Repeat)
        captured = [forward.reference(tensor) for _, tensor in item.captured]
        carried: list[str] = []
        for value, start in zip(node.results, item.initial, strict=True):
            hint = stem(value.name, self.known)
            tree = forward.reference(start, len(hint) + 3)
            name = forward.local(tree)
            if name is None or name in carried:
                forward.release(tree)
                name = forward.names.fresh(hint)
                forward.write(f"{name} = ", tree)
            carried.append(name)
        module = f"self.{attribute(node.module)}"
        if node.shared:
            target, along, function = "_", f"range({node.count.python(forward.around.size)})", module
        else:
            function = target = forward.names.fresh("layer")
            along = module
        forward.lines += statement(f"for {target} in ", parse(along), INDENT, ":")
        self._pass(item, function, carried, [flat(tree) for tree in captured])
        for tree in captured:
            forward.release(tree)
        if not node.shared:
            forward.names.release(function)
        for laid, name in zip(item.results, carried, strict=True):
            forward.claim(laid.tensor, name)

    def _pass(self, item: Looped, function: str, carried: list[str], captured: list[str]) -> None:
        """The statements inside a loop."""
        node, forward = item.node, self.forward
        comment = f"{axes_comment(item.results[0].axes)}  {place(node.span)}"
        direct = node.direct
        if direct is None:
            call = f"{function}({', '.join([*carried, *captured, *self._asked(node)])})"
            forward.write(f"{', '.join(carried)} = ", parse(call), comment, INDENT + 4)
            return
        inside = dict(zip((value.name for value in node.body.inputs), carried, strict=True))
        types = {value.name: value.type for value in node.body.inputs}
        signature = self.plan.signatures[direct.block]
        operands = [
            _permuted(inside[name], types[name].names, port.names)
            for name, port in zip(direct.operands, signature.inputs, strict=True)
        ]
        made = parse(f"{function}({', '.join(operands)})")
        ordered = all(
            value.type.names == port.names for value, port in zip(node.body.inputs, signature.outputs, strict=False)
        )
        if tuple(value.name for value in direct.results) == node.body.outputs and ordered:
            forward.write(f"{', '.join(carried)} = ", made, comment, INDENT + 4)
            return
        fresh = [forward.names.fresh(stem(value.name, self.known)) for value in direct.results]
        forward.write(f"{', '.join(fresh)} = ", made, comment, INDENT + 4)
        for value, name, port in zip(direct.results, fresh, signature.outputs, strict=True):
            inside[value.name], types[value.name] = name, port
        sources = [
            _permuted(inside[name], types[name].names, carry.type.names)
            for name, carry in zip(node.body.outputs, node.body.inputs, strict=True)
        ]
        forward.write(f"{', '.join(carried)} = ", parse(", ".join(sources)), "", INDENT + 4)

    def _checked(self, item: Checked) -> None:
        forward = self.forward
        message = quoted(f"the assumption at {place(item.node.span)} does not hold")
        if isinstance(item.condition, Condition):
            left, right = (side.python(forward.around.size) for side in (item.condition.left, item.condition.right))
            forward.write("", parse(f"torch._check({left} {item.condition.operator} {right}, lambda: {message})"))
            return
        tree = forward.reference(item.condition, 50)
        tested = f"({flat(tree)}).all()" if item.condition.shape else flat(tree)
        forward.write("", parse(f"torch._assert_async({tested}, {message})"))
        forward.release(tree)

    def _copied(self, state: str) -> None:
        """A state as it is before the run, for what reads it after it has changed."""
        name, whole = self.forward.names.fresh(state), self.forward.inputs[state]
        self.forward.write(f"{name} = ", parse(f"{whole}.clone()"))
        self.forward.inputs[state] = name

    def _stored(self, item: Stored) -> None:
        self._flush()
        forward, (value, mode) = self.forward, stored(item)
        head = f"self.{attribute(item.node.state)}.copy_"
        tree = forward.fitted(value, len(head) + 15)
        forward.release(tree)
        held = f"({flat(tree)}).detach()" if value.kind in ("real", "complex") else flat(tree)
        forward.write("", parse(f"{head}({held})"), place(item.node.span), mode=mode)

    def _returned(self) -> None:
        self._flush(None if len(self.plan.outputs) != 1 else self.plan.outputs[0])
        forward = self.forward
        if len(self.plan.outputs) == 1:
            (output,) = self.plan.outputs
            said = forward.said.get(output.serial)
            (name,) = self.unit.region.outputs
            hint = said.hint if said else stem(name, self.known)
            comment = said.comment if said and not forward.is_named(output) else ""
            forward.write("return ", forward.fitted(output, 7, hint), comment)
            return
        items = ", ".join(flat(forward.reference(output)) for output in self.plan.outputs)
        forward.write("return ", parse(f"{self.output_class}({items})"))


def _tuple(items: Sequence[str]) -> str:
    return f"({', '.join(items)},)" if len(items) == 1 else f"({', '.join(items)})"


def _permuted(name: str, axes: Sequence[str], order: Sequence[str]) -> str:
    """A tensor with its axes in another order, as an expression."""
    if tuple(axes) == tuple(order):
        return name
    return f"{name}.permute({', '.join(str(axes.index(axis)) for axis in order)})"


def _leads_to(tensor: Tensor, target: Tensor) -> bool:
    """Whether `target` is among what a tensor is made from."""
    stack, seen = [tensor], set()
    while stack:
        current = stack.pop()
        if current is target:
            return True
        if current.serial > target.serial and current.serial not in seen:
            seen.add(current.serial)
            stack.extend(current.operands)
    return False
