"""Every claim that a spec or a block of the library makes is true of random inputs, parameters and group elements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import archc
from archc.base.diagnostic import Findings
from archc.base.span import Source
from archc.driver import graph
from archc.elaborate.claims import GROUPS as WORDS
from archc.ir.text import print_graph
from archc.syntax import tree
from archc.syntax.parse import parse
from tests.specs.conftest import NAMES, ROOT, Net
from tests.specs.symmetry import GROUPS, Subject, subjects

LIBRARY = sorted(path.stem for path in (ROOT / "std").glob("*.arch"))

# A net that calls each block of the library that claims something; with several, each of its choices.
TOKENS = "net N (x: real[batch, n, d: 6]) -> (y: real[batch, {result}]) {{ return x |> {call} }}"
PAIRS = "net N (x: real[batch, n, d: 6], z: real[batch, m, d: 6]) -> (y: real[batch, n, d: 6]) {{ return {call} }}"
IMAGES = "net N (x: real[batch, c: 6, h, w]) -> (y: real[batch, c: 6, h, w]) {{ return x |> {call} }}"
SAMPLES = {
    "attention.attention": [PAIRS.format(call="attention(x, z, heads = 2)")],
    "attention.encoder": [TOKENS.format(result="n, d: 6", call="encoder(heads = 2, expand = 2)")],
    "edges.conv": [IMAGES.format(call="conv(over = (h, w), boundary = periodic)")],
    "experts.select": [
        f"""net N (x: real[batch, expert: 4]) -> (k: real[batch, expert: 4], c: bool[batch, expert: 4]) {{
            return select(x * x + 0.1, keep = 2, renormalise = {renormalise})
        }}"""
        for renormalise in ("true", "false")
    ],
    "experts.experts": [
        f"""net N (x: real[batch, n, d: 3]) -> (y: real[batch, n, d: 3], l: real[]) {{
            return experts(x, tokens = (batch, n), count = 3, keep = {keep}, width = 4)
        }}"""
        for keep in (1, 2, 3)
    ],
    "fields.spectral": [
        "net N (x: real[b, t]) -> (y: real[b, t]) where t >= 4 { return x |> spectral(over = t, modes = 2) }",
        """net N (x: real[h, w]) -> (y: real[h, w]) where h >= 6, w >= 6 {
            return x |> spectral(over = (h, w), modes = 3)
        }""",
    ],
    "hypernetwork.encode_magnitude": [
        "net N (g: real[batch, c: 3]) -> (e: real[batch, part: 2, c: 3]) { return g |> encode_magnitude() }"
    ],
    "linear_attention.linear_attention": [PAIRS.format(call="linear_attention(x, z, heads = 2)")],
    "norm.rms_norm": [TOKENS.format(result="n, d: 6", call="rms_norm(over = d)")],
    "norm.instance_norm": [IMAGES.format(call="instance_norm(channel = c, over = (h, w))")],
    "norm.group_norm": [IMAGES.format(call="group_norm(channel = c, over = (h, w), groups = 3)")],
    "norm.batch_norm": [IMAGES.format(call="batch_norm(channel = c, over = (batch, h, w))")],
    "norm.evonorm_b0": [IMAGES.format(call="evonorm_b0(channel = c, sample = batch, over = (h, w))")],
    "point.point": [
        "net N (q: real[b, m, d: 4], e: real[b, n, d: 4]) -> (p: simplex(n)[b, m, n]) { return point(q, e) }"
    ],
    "sets.deep_set": [TOKENS.format(result="k: 3", call="deep_set(d -> k: 3, width = 5)")],
    "sets.exchangeable": [
        TOKENS.format(result="n, k: 3", call=f"exchangeable(d -> k: 3, pool = {pool})")
        for pool in ("mean", "max", "sum")
    ],
    "sets.mab": [PAIRS.format(call="mab(x, z, heads = 2)")],
    "sets.sab": [TOKENS.format(result="n, d: 6", call="sab(heads = 3)")],
    "sets.isab": [TOKENS.format(result="n, d: 6", call="isab(points = 2, heads = 2)")],
    "sets.pma": [TOKENS.format(result="n: 2, d: 6", call="pma(seeds = 2, heads = 2)")],
    "state_space.spiral": [
        """net N (u: real[batch, t, n], v: real[batch, t, n], p: real[n], q: real[n])
                -> (re: real[batch, t, n], im: real[batch, t, n]) { return spiral(u, v, p, q, over = t) }"""
    ],
    "surrogate.hard_softmax": [
        "net N (x: real[batch, n]) -> (y: real[batch, n]) { return x |> hard_softmax(over = n) }"
    ],
}

# Blocks of the library on values with axes that claim nothing, and why nothing but the trivial holds for all uses.
SILENT = {
    "edges.conv_transpose": "moves with a shift only where the boundary is periodic and the stride 1",
    "fast_weights.causal_attention": "reads in order",
    "fast_weights.delta_net": "reads in order",
    "fields.kernel": "knows every position",
    "fields.lowrank": "knows every position",
    "fields.separable": "has a weight for every pair of positions",
    "fields.wavelet_operator": "moves with a shift only by multiples of 2^levels",
    "gru.gru": "reads in order",
    "hypernetwork.hyper_layer": "has a weight for every unit",
    "lstm.lstm": "reads in order",
    "mlp.mlp": "has a weight for every unit",
    "multigrid.multigrid": "moves with a shift only where the boundary is periodic, by multiples of 2^(levels - 1)",
    "multigrid.smooth": "moves as its edges do",
    "multigrid.v_cycle": "moves as its edges do",
    "norm.norm": "has a gain and a bias for every position",
    "quantise.codebook_features": "has codes with an entry for every position",
    "quantise.vector_quantise": "has codes with an entry for every position",
    "rnn.rnn": "reads in order",
    "state_space.lru": "reads in order",
    "state_space.s4d": "reads in order",
    "state_space.s5": "reads in order",
    "state_space.selective": "reads in order",
}


# Claims that are false, each for a reason of its own, or that say nothing.
FALSE = {
    "a border of zeros": """net N (x: real[batch, c: 2, h, w]) -> (y: real[batch, c: 2, h, w])
        claim equivariant under shift(h, w)
        { return x |> layer(c -> c, edge = conv(over = (h, w), size = 3)) }""",
    "every other position": """net N (x: real[h]) -> (y: real[h: (h - 1) // 2 + 1]) where h % 2 == 0
        claim equivariant under shift(h)
        { return x |> conv(over = h, stride = 2, boundary = periodic) }""",
    "a place for every position": """net N (x: real[batch, n: 5, d: 3]) -> (y: real[batch, d: 3])
        claim invariant under permute(n)
        { param place: real[n: 5, d: 3] = normal(1)  return tanh(x + place) |> mean(over = n) }""",
    "an order": """use std.attention
        net N (x: real[batch, n, d: 4]) -> (y: real[batch, n, d: 4])
        claim equivariant under permute(n)
        { return attention(x, x[n: m], heads = 2, causal = true) }""",
    "a sum along the way": """net N (x: real[batch, t]) -> (y: real[batch, t])
        claim equivariant under shift(t)
        { return cumsum(x, over = t) }""",
    "past and future": """net N (x: real[batch, t]) -> (y: real[batch, t])
        claim equivariant under flip(t)
        { let (h, y) = scan over t with h = 0 { let h = tanh(h + x)  emit h  return h }  return y }""",
    "an origin": """net N (x: point(v)[n, v: 3]) -> (y: real[n])
        claim invariant under translate(v)
        { return sum v: x * x }""",
    "a coordinate by itself": """net N (x: real[n, v: 3]) -> (y: real[n, v: 3])
        claim equivariant under rotate(v)
        { return tanh(x) }""",
    "a mirror": """net N (x: real[n, v: 3], z: real[n, v: 3]) -> (y: real[n, v: 3])
        claim equivariant under orthogonal(v)
        { return x[v: (v + 1) % 3] * z[v: (v + 2) % 3] - x[v: (v + 2) % 3] * z[v: (v + 1) % 3] }""",
    "a function that is not odd": """net N (x: real[batch, c]) -> (y: real[batch, c])
        claim equivariant under sign(c)
        { return silu(x) }""",
    "another direction": """net N (x: real[batch, h, w]) -> (y: real[batch, h, w])
        claim equivariant under rotate90(h, w)
        { return x[h: (h + 1) % size(h)] + x }""",
    "one of two turns": """net N (x: real[batch, h, w]) -> (y: real[batch, h, w])
        claim equivariant under dihedral(h, w)
        { return x[h: (h + 1) % size(h), w: (w + 1) % size(w)] + x[w: (w - 1) % size(w)] }""",
    "edges by their number": """net N (x: real[n], src: index(n)[e], dst: index(n)[e]) -> (y: real[n])
        claim invariant under permute(e)
        { let y[n] = sum e where dst == n: (e * x[n: src])  return y }""",
    "one factor of two": """net N (x: real[batch, n, d: 3]) -> (y: real[batch, n, d: 3])
        claim equivariant under permute(n) * sign(d)
        { return relu(x) }""",
    "too much": """net N (x: real[batch, n]) -> (y: real[batch, n])
        claim invariant under permute(n)
        { return x }""",
    "an output that stands still": """net N (x: real[batch, n]) -> (y: real[batch])
        claim equivariant under permute(n)
        { return x |> sum(over = n) }""",
    "an output without the input": """net N (x: real[batch, n], z: real[batch]) -> (y: real[batch])
        claim invariant under permute(n)
        { return z + sum(x - x, over = n) }""",
    "a group that is not given": """net N (x: real[batch, n]) -> (y: real[batch, n])
        claim equivariant under group(n, 3)
        { return x }""",
}

# What is said of them where it is not that the outputs are elsewhere.
SAID = {
    "every other position": "is not the axis that moves",
    "an output that stands still": "no output moves",
    "an output without the input": "no output sees what moves",
    "a group that is not given": "nobody knows how group acts",
}

# The same with the claim that is true: what is caught is the claim, not the net.
MENDED = {
    "a border of zeros": ("size = 3", "size = 3, boundary = periodic"),
    "a place for every position": ("x + place", "x + sum(place, over = n)"),
    "an order": ("causal = true", "causal = false"),
    "an origin": ("{ return", "{ let x[n, v] = x - mean(x, over = n)  return"),
    "a coordinate by itself": ("tanh(x)", "tanh(sum v: x * x) * x"),
    "a mirror": ("orthogonal(v)", "rotate(v)"),
    "a function that is not odd": ("silu", "tanh"),
    "another direction": ("x[h: (h + 1) % size(h)]", "mean(x, over = (h, w))"),
    "edges by their number": ("e * x", "x"),
    "one factor of two": ("relu", "tanh"),
    "too much": ("invariant", "equivariant"),
    "an output that stands still": ("equivariant", "invariant"),
    "an output without the input": ("x - x", "x * x"),
}


def definitions(path: Path) -> tuple[tree.Definition, ...]:
    findings = Findings()
    spec = parse(Source(str(path), path.read_text(encoding="utf-8")), findings)
    assert spec is not None
    return spec.definitions


def library() -> Iterator[tuple[str, tree.Definition]]:
    for stem in LIBRARY:
        for definition in definitions(ROOT / "std" / f"{stem}.arch"):
            yield f"{stem}.{definition.name}", definition


def is_pointwise(definition: tree.Definition) -> bool:
    """Whether it acts on every number for itself, so that it moves with whatever moves numbers about."""
    return all(isinstance(port.type, tree.Type) and not port.type.axes for port in definition.inputs)


def test_claims_of_specs_hold(net: Net) -> None:
    found = subjects(net.graph)
    assert {one.block.word for one in found} >= {one.name for one in definitions(net.path) if one.claims}
    for subject in found:
        for claim in subject.claims:
            subject.try_out(claim)


@pytest.mark.parametrize("name", SAMPLES)
def test_claims_of_the_library_hold(name: str) -> None:
    for text in SAMPLES[name]:
        found = [one for one in subjects(archc.graph(f"use std.{name}\n{text}")) if name.endswith(f".{one.block.word}")]
        assert found
        for subject in found:
            for claim in subject.claims:
                subject.try_out(claim)


def claimed(text: str) -> tuple[Subject, tree.Claim]:
    """A net and its only claim."""
    (subject,) = (one for one in subjects(archc.graph(text)) if one.block.role == "net")
    (claim,) = subject.claims
    return subject, claim


@pytest.mark.parametrize("why", FALSE)
def test_a_false_claim_is_caught(why: str) -> None:
    subject, claim = claimed(FALSE[why])
    with pytest.raises(AssertionError, match=SAID.get(why, "is off by")):
        subject.try_out(claim)


@pytest.mark.parametrize("why", MENDED)
def test_the_claim_is_caught_and_not_the_net(why: str) -> None:
    subject, claim = claimed(FALSE[why].replace(*MENDED[why]))
    subject.try_out(claim)


def test_every_group_of_the_language_is_known_but_the_one_that_is_given() -> None:
    assert {*GROUPS, "group"} == set(WORDS)


def test_every_spec_claims_something() -> None:
    for name in NAMES:
        nets = [one for one in definitions(ROOT / f"{name}.arch") if one.role == "net"]
        assert nets, name
        assert all(one.claims for one in nets), name


def test_every_block_of_the_library_claims_something_or_says_why_not() -> None:
    blocks = dict(library())
    assert {name for name, one in blocks.items() if one.claims} == SAMPLES.keys()
    assert {name for name, one in blocks.items() if not one.claims and not is_pointwise(one)} == SILENT.keys()


def test_a_claim_is_made_where_its_condition_holds() -> None:
    for causal, made in (("false", 2), ("true", 0)):
        call = f"attention(x, z, heads = 2, causal = {causal})"
        net = graph(f"use std.attention {PAIRS.format(call=call)}")
        found = [claim.text for block in net.blocks.values() for claim in block.claims]
        assert len(found) == made
        assert not any(" if " in text for text in found)
        again = graph(print_graph(net))
        assert [claim.text for block in again.blocks.values() for claim in block.claims] == found
