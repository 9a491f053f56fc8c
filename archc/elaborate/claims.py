"""Symmetry claims: read, their names checked, their truth left to the symmetry reading."""

from __future__ import annotations

from dataclasses import replace

from archc.base.diagnostic import Fault, Findings
from archc.base.nearest import nearest
from archc.elaborate import faults
from archc.elaborate.binding import Definition
from archc.elaborate.choice import holds
from archc.elaborate.extent import listed, unknown_axis
from archc.elaborate.scope import Scope
from archc.ir.graph import Claim
from archc.syntax import tree
from archc.syntax.unparse import unparse

GROUPS = (
    "permute",
    "shift",
    "rotate90",
    "dihedral",
    "flip",
    "sign",
    "rotate",
    "orthogonal",
    "translate",
    "group",
)
UNCHECKED = "not checked yet"


def claims_of(definition: Definition, scope: Scope, findings: Findings) -> tuple[Claim, ...]:
    """The claims of a signature that are made here. Reports E0501 for an unknown group, E0301 for an axis the signature
    lacks, E0341 for a condition that is decided only when the module runs."""
    axes = {axis.name.text for port in definition.tree.inputs for axis in getattr(port.type, "axes", ())}
    for claim in definition.tree.claims:
        for action in claim.actions:
            if action.group not in GROUPS:
                near = nearest(action.group, GROUPS)
                help = f"did you mean `{near}`?" if near else f"groups are {listed(GROUPS)}"
                findings.add(faults.UnknownGroup(action.span.word(action.group), name=action.group, help=help))
            for argument in action.arguments:
                if isinstance(argument, tree.Name) and argument.text not in axes:
                    findings.add(unknown_axis(argument, sorted(axes), "the signature"))
    made = [claim for claim in definition.tree.claims if _is_made(claim, scope, findings)]
    return tuple(Claim(unparse(replace(claim, condition=None)), UNCHECKED, claim.span) for claim in made)


def _is_made(claim: tree.Claim, scope: Scope, findings: Findings) -> bool:
    """Whether a claim's condition holds, if it has one."""
    try:
        return claim.condition is None or holds(claim.condition, scope)
    except Fault as fault:
        findings.add(fault.diagnostic)
        return False
