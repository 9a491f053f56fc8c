"""What torch does to a module - compile, export, save, move, copy - leaves its meaning alone."""

from __future__ import annotations

import copy
import importlib.util
import io
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tests.specs.conftest import Net


def called(module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    with torch.no_grad():
        return row(module(*inputs))


def row(found: Tensor | tuple[Tensor, ...]) -> Tensor:
    """All outputs of a net in one row."""
    return torch.cat([output.flatten() for output in (found if isinstance(found, tuple) else (found,))])


def test_compiles_without_a_graph_break(net: Net) -> None:
    torch.compiler.reset()
    module = net.module()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    for start in (3, 5):
        torch.testing.assert_close(compiled(*net.feed(start)), module(*net.feed(start)))


@pytest.mark.parametrize("net", ["kan/kan", "vision/conv", "graphs/rgcn", "operators/fno"], indirect=True)
def test_inductor_gives_the_same_values_and_gradients(net: Net) -> None:
    torch.compiler.reset()
    module = net.module()
    found = {}
    for name, run in (("eager", module), ("inductor", torch.compile(module, fullgraph=True))):
        module.zero_grad()
        output = run(*net.feed())
        output.square().sum().backward()
        found[name] = [output.detach(), *(parameter.grad.clone() for parameter in module.parameters())]
    torch.testing.assert_close(found["inductor"], found["eager"])


def test_exports_with_every_open_axis_dynamic(net: Net) -> None:
    dims = {
        name: net.steps[name] * torch.export.Dim(f"{name}_steps") if name in net.steps else torch.export.Dim(name)
        for name in net.open_axes
    }
    shapes = tuple(
        {number: dims[str(axis.size)] for number, axis in enumerate(port.type.axes) if str(axis.size) in dims}
        for port in net.graph.net.region.inputs
    )
    module = net.module()
    exported = torch.export.export(module, net.feed(), dynamic_shapes=shapes)
    assert len(exported.range_constraints) >= len(net.open_axes)
    for start in (1, 2, 6):
        torch.testing.assert_close(exported.module()(*net.feed(start)), module(*net.feed(start)))


def test_parameters_survive_a_file(net: Net, tmp_path: Path) -> None:
    first, second = net.module(), net.module()
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.normal_(std=0.1)
    save_file(second.state_dict(), tmp_path / "net.safetensors")
    first.load_state_dict(load_file(tmp_path / "net.safetensors"))
    assert torch.equal(called(first, net.feed()), called(second, net.feed()))


def test_training_and_evaluation_are_the_same(net: Net) -> None:
    module = net.module()
    assert torch.equal(called(module.train(), net.feed()), called(module.eval(), net.feed()))


def test_every_parameter_learns(net: Net) -> None:
    module = net.module()
    row(module(*net.feed())).square().sum().backward()
    idle = [name for name, parameter in module.named_parameters() if parameter.grad is None]
    assert idle == []


def test_is_built_on_the_meta_device(net: Net) -> None:
    """The plan of a big net costs no memory; its parameters may come later from a file."""
    module = net.module()
    with torch.device("meta"):
        planned = net.new()
        output = row(planned(*(tensor.to("meta") for tensor in net.feed())))
    assert all(tensor.is_meta for tensor in (*planned.parameters(), *planned.buffers(), output))
    assert output.shape == called(module, net.feed()).shape
    assert {n: p.shape for n, p in planned.named_parameters()} == {n: p.shape for n, p in module.named_parameters()}


def test_is_filled_after_the_meta_device(net: Net) -> None:
    module = net.module()
    with torch.device("meta"):
        planned = net.new()
    planned.load_state_dict(module.state_dict(), assign=True)
    assert not [name for name, tensor in planned.named_parameters() if tensor.is_meta]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_moves_to_another_precision(net: Net, dtype: torch.dtype) -> None:
    module = net.module()
    single = called(module, net.feed())
    moved = called(module.to(dtype), net.feed(dtype=dtype))
    assert moved.dtype == dtype
    assert moved.isfinite().all()
    assert single.isfinite().all()
    allowed = 1e-4 if dtype == torch.float64 else 0.1
    assert (moved - single).abs().max() <= allowed * single.abs().max()


def test_is_made_in_half_precision(net: Net) -> None:
    output = called(net.module(torch.bfloat16), net.feed(dtype=torch.bfloat16))
    assert output.dtype == torch.bfloat16
    assert output.isfinite().all()


def test_keeps_only_parameters_in_its_state(net: Net) -> None:
    """Constants follow from the hyper-parameters: a file of weights of one form loads whatever the grid holds."""
    module = net.module()
    assert set(module.state_dict()) == {name for name, _ in module.named_parameters()}


def test_copies_and_pickles(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As any module of a file that can be imported; `torch.save` pickles."""
    name = f"written_{net.path.stem}"
    path = tmp_path / f"{name}.py"
    path.write_text(net.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    written = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, written)
    spec.loader.exec_module(written)
    module = getattr(written, net.type.__name__)(**net.asked)
    wanted = called(module, net.feed())
    assert torch.equal(called(copy.deepcopy(module), net.feed()), wanted)
    stored = io.BytesIO()
    torch.save(module, stored)
    stored.seek(0)
    assert torch.equal(called(torch.load(stored, weights_only=False), net.feed()), wanted)


def test_starts_from_torch_own_random_numbers(net: Net) -> None:
    """`torch.manual_seed` and `reset_parameters` decide the parameters, as everywhere in torch."""
    torch.manual_seed(3)
    first = net.new()
    torch.manual_seed(3)
    second = net.new()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
