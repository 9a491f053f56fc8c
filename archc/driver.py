"""The pipeline: a spec in, diagnostics, a typed graph or PyTorch text out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from archc.base.diagnostic import ArchError, Diagnostic, Fault, Findings
from archc.base.nearest import nearest
from archc.base.span import Source
from archc.checks.registry import CHECKS
from archc.elaborate import faults
from archc.elaborate.binding import Definition
from archc.elaborate.frame import Session
from archc.elaborate.library import File, load_file, whole
from archc.elaborate.net import Option, elaborate, elaborate_alone
from archc.ir.graph import TypedGraph
from archc.syntax.faults import MissingNet
from archc.syntax.files import read_source

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Examination:
    """What is wrong with a spec, and how many symmetry claims it makes, none of which is checked yet."""

    findings: tuple[Diagnostic, ...]
    claims: int


def check(source: str | Path) -> tuple[Diagnostic, ...]:
    """Every finding of a spec, given as a path or as text. Never raises for a bad spec, never prints."""
    return examine(source).findings


def examine(source: str | Path) -> Examination:
    """Check a spec, given as a path or as text: every net, and every block that none of them uses."""
    findings = Findings()
    file = _open(source, findings)
    if file is None:
        return Examination(tuple(findings), 0)
    if not file.own and not findings.errors:
        findings.add(MissingNet(whole(file.source)))
    for typed in _elaborated(file, Session(findings)):
        for kind in CHECKS:
            for diagnostic in kind().find(typed):
                findings.add(diagnostic)
    return Examination(tuple(findings), sum(len(one.tree.claims) for one in file.own))


def graph(source: str | Path, /, net: str | None = None, **hypers: Option) -> TypedGraph:
    """The typed graph of a net of a spec (a path, or text), with some hyper-parameters set.

    Raises ArchError with every diagnostic where the spec has errors.
    """
    findings = Findings()
    file = _open(source, findings)
    typed = None
    if file is not None:
        session = Session(findings)
        try:
            typed = elaborate(file, _chosen(file, net), hypers, session)
        except Fault as fault:
            if not file.faulty:  # the net that is meant may be one that does not parse
                findings.add(fault.diagnostic)
    if findings.errors or typed is None:
        raise ArchError(findings.errors)
    return typed


def build(source: str | Path, /, net: str | None = None, **hypers: Option) -> str:
    """The PyTorch module of a net of a spec (a path, or text) as Python text. Raises ArchError."""
    from archc.codegen.module import generate  # templates are loaded only by those who generate
    from archc.passes.pipeline import run

    return generate(run(graph(source, net, **hypers)).graph)


def summary(typed: TypedGraph, sizes: Mapping[str, int] | None = None) -> Table:
    """Per block: output axes, parameters, FLOPs and activation bytes, as formulas and as numbers at the sizes given."""
    from archc.readings.summary import summary as tabulate  # rich's tables are loaded only by those who look

    return tabulate(typed, sizes)


def specs(paths: Iterable[Path]) -> list[Path]:
    """The spec files that paths name: files as they are, folders searched for `*.arch`."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.arch")) if path.is_dir() else [path]
    return found


def _elaborated(file: File, session: Session) -> Iterator[TypedGraph]:
    """The graph of every net of a file, and of every block that none of them uses; those with errors are left out."""
    for definition in file.own:
        if definition.tree.role == "net":
            try:
                typed = elaborate(file, definition, {}, session)
            except Fault as fault:
                session.findings.add(fault.diagnostic)
                continue
            if typed is not None:
                yield typed
    used = {key[0] for key in session.keys if isinstance(key, tuple)}
    for definition in file.own:
        if definition.tree.role == "block" and definition not in used:
            typed = elaborate_alone(definition, session)
            if typed is not None:
                yield typed


def _open(source: str | Path, findings: Findings) -> File | None:
    """Parse a spec, given as a path or as text, and what it uses.

    Raises TypeError for what is neither.
    """
    if not isinstance(source, str | PathLike):
        raise TypeError(f"a spec is given as a path or as text, not as {type(source).__name__}")
    try:
        if isinstance(source, str) and _is_text(source):
            return load_file(Source("spec.arch", source), None, findings)
        path = Path(source)
        return load_file(read_source(path), path.parent, findings)
    except Fault as fault:
        findings.add(fault.diagnostic)
        return None


def _is_text(source: str) -> bool:
    """Whether a string is a spec itself: it has a brace or a line break, or begins like one; else it is a path."""
    begins = re.match(r"\s*(net|block|use)\s", source) is not None and not source.endswith(".arch")
    return "{" in source or "\n" in source or not source.strip() or begins


def _chosen(file: File, name: str | None) -> Definition:
    """The net that is meant. Raises Fault E0101, E0210, E0211."""
    nets = {definition.tree.name: definition for definition in file.own if definition.tree.role == "net"}
    if name is not None:
        if name in nets:
            return nets[name]
        near = nearest(name, nets)
        help = f"did you mean `{near}`?" if near else f"nets are {', '.join(nets) or 'none'}"
        raise Fault(faults.UnknownNet(whole(file.source), name=name, help=help))
    if len(nets) != 1:
        if not nets:
            raise Fault(MissingNet(whole(file.source)))
        heads = [one.tree.head for one in nets.values()]
        raise Fault(faults.AmbiguousNet(heads[1], count=len(nets), help=f"choose one: {', '.join(nets)}"))
    return next(iter(nets.values()))
