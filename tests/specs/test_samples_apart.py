"""No output of a sample depends on the other samples of its batch."""

from __future__ import annotations

import pytest
import torch

from tests.specs.conftest import NAMES, ROOT, Net

WITH_BATCH = [name for name in NAMES if "[batch" in (ROOT / f"{name}.arch").read_text(encoding="utf-8")]


def test_most_specs_have_a_batch() -> None:
    assert len(WITH_BATCH) > len(NAMES) / 2


@pytest.mark.parametrize("name", WITH_BATCH)
def test_another_sample_changes_no_output_but_its_own(name: str) -> None:
    """The first sample is made a copy of the second: whatever kinds its values have, they stay inside their bounds."""
    net = Net(name)
    module = net.module(torch.float64).eval()
    before = net.feed(dtype=torch.float64)
    after = tuple(tensor.clone() for tensor in before)
    for port, tensor in zip(net.graph.net.region.inputs, after, strict=True):
        if "batch" in port.type.names:
            samples = tensor.movedim(port.type.names.index("batch"), 0)
            samples[0] = samples[1]
    with torch.no_grad():
        found, wanted = module(*after), module(*before)
    outputs = zip(found, wanted, strict=True) if isinstance(found, tuple) else [(found, wanted)]
    for port, (changed, same) in zip(net.graph.net.outputs, outputs, strict=True):
        if "batch" not in port.type.names:
            continue
        changed, same = (tensor.movedim(port.type.names.index("batch"), 0) for tensor in (changed, same))
        torch.testing.assert_close(changed[1:], same[1:], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(changed[0], changed[1], rtol=1e-12, atol=1e-12)
        assert not torch.equal(changed[0], same[0])
