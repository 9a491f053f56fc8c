"""Bound hyper-parameters in the words of the spec."""

from __future__ import annotations

from archc.elaborate.binding import (
    Activation,
    AxisList,
    Binding,
    Chain,
    Extent,
    Flag,
    Partial,
    Scalar,
    Tied,
    Together,
    Word,
)


def show(binding: Binding) -> str:
    """A bound hyper-parameter as the spec would write it; empty for one that stays a symbol."""
    match binding:
        case Extent(size=size):
            return str(size) if size.constant is not None else ""
        case Scalar(value=value):
            return f"{value:g}"
        case Flag(value=value):
            return "true" if value else "false"
        case Word(text=text):
            return text
        case AxisList(axes=axes):
            return "(" + ", ".join(axis.name for axis in axes) + ")"
        case Activation(word=word):
            return word
        case Partial(definition=definition, hypers=hypers):
            inner = ", ".join(f"{name} = {show(one)}" for name, one in hypers if show(one))
            return f"{definition.tree.name}({inner})" if inner else definition.tree.name
        case Chain(stages=stages):
            return " >> ".join(map(show, stages))
        case Together(edges=edges, signs=signs):
            return "".join(f" {sign} {show(edge)}" for sign, edge in zip(signs, edges, strict=True)).removeprefix(" + ")
        case Tied(edge=edge, groups=groups):
            return f"tied({show(edge)}, groups = {groups})"
        case _:
            return ""
