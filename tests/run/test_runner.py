"""Running a module once: what is fed, what is refused, what comes out."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from archc.driver import build, graph
from archc.ir.graph import TypedGraph
from archc.run.load import instantiate, load_module
from archc.run.request import FileError, Request, RunError
from archc.run.runner import Outcome, run

TEXT = """
net Net (width = 4) (x: real[batch, d: 3], i: index(d)[batch]) -> (y: real[batch, h: width]) {
    return layer(x, d -> h: width) + x[d: i]
}
"""


@cache
def net() -> tuple[TypedGraph, str]:
    return graph(TEXT), build(TEXT)


def ran(**request: object) -> Outcome:
    return run(*net(), Request(**request))


def saved(folder: Path, name: str, array: np.ndarray) -> Path:
    np.save(folder / name, array)
    return folder / name


def test_random_inputs_follow_the_seed() -> None:
    first, again, other = ran(seed=1), ran(seed=1), ran(seed=2)
    assert first.outputs["y"].shape == (2, 4)
    assert first.report.parameters == 3 * 4 + 4
    assert np.array_equal(first.outputs["y"], again.outputs["y"])
    assert not np.array_equal(first.outputs["y"], other.outputs["y"])


def test_given_inputs_and_weights(tmp_path: Path) -> None:
    x, i = np.random.default_rng(0).normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    module = instantiate(load_module(net()[1], "Net"), {"width": 6}, seed=9)
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    files = {"x": saved(tmp_path, "x.npy", x), "i": saved(tmp_path, "i.npy", i)}
    report = ran(inputs=files, sizes={"width": 6}, weights=tmp_path / "w.safetensors", output=tmp_path / "out.npz")
    weight, bias = (tensor.detach().numpy() for tensor in module.parameters())
    assert np.allclose(report.outputs["y"], x @ weight.T + bias + x[np.arange(5), i][:, None], atol=1e-5)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as kept:
        assert np.array_equal(kept["y"], report.outputs["y"])
    assert {path.name for path in tmp_path.iterdir()} == {"x.npy", "i.npy", "w.safetensors", "out.npz"}


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_precisions(dtype: str) -> None:
    assert ran(dtype=dtype).outputs["y"].dtype == (np.float64 if dtype == "float64" else np.float32)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("x", np.zeros((5, 3), dtype=int), "input x is real, but .* holds integers"),
        ("x", np.zeros(5), r"has shape \(5,\)"),
        ("x", np.zeros((5, 4)), "4 positions on d, not 3"),
        ("i", np.zeros(5), "holds floating-point numbers"),
        ("i", np.full(5, 3), "entries from 3 to 3, but there are 3 positions"),
        ("z", np.zeros(5), "no input z; its inputs are x, i"),
        ("x", np.array([object()]), "no array file"),
    ],
)
def test_refused_inputs(tmp_path: Path, name: str, array: np.ndarray, message: str) -> None:
    with pytest.raises(RunError, match=message):
        ran(inputs={name: saved(tmp_path, "a.npy", array)})


def test_inputs_that_contradict_each_other(tmp_path: Path) -> None:
    files = {"x": saved(tmp_path, "x.npy", np.zeros((5, 3))), "i": saved(tmp_path, "i.npy", np.zeros(4, dtype=int))}
    with pytest.raises(RunError, match="4 positions on batch, not 5"):
        ran(inputs=files)


def test_files_that_are_not_there_or_not_arrays(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("not an array")
    np.savez(tmp_path / "several.npz", a=np.zeros(3))
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    os.mkfifo(tmp_path / "pipe.npy")
    header = b"\x93NUMPY\x01\x00"
    huge = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }\n"
    (tmp_path / "huge.npy").write_bytes(header + len(huge).to_bytes(2, "little") + huge)
    for name, message in (
        ("none.npy", "cannot be read: no such file"),
        ("text.npy", "no array file"),
        ("several.npy", "several arrays"),
        ("pipe.npy", "no plain file"),
        ("huge.npy", "more than fits into memory|no array file"),
        ("x.txt", "cannot be read"),
    ):
        with pytest.raises(FileError, match=message):
            ran(inputs={"x": tmp_path / name})


def test_outputs_go_only_over_their_like(tmp_path: Path) -> None:
    kept = tmp_path / "kept.npz"
    ran(output=kept, seed=1)
    first = kept.read_bytes()
    ran(output=kept, seed=2)
    assert kept.read_bytes() != first
    (tmp_path / "notes.npz").write_text("mine")
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "link.npz").symlink_to(kept)
    for name, message in (
        ("notes.npz", "exists and is no .npz file"),
        ("folder.npz", "a folder"),
        ("link.npz", "a symbolic link"),
        ("y.txt", "no name of an .npz file"),
        ("gone/y.npz", "there is no folder"),
    ):
        with pytest.raises(FileError, match=message):
            ran(output=tmp_path / name)
    assert (tmp_path / "notes.npz").read_text() == "mine"


KINDS = """
net Kinds (p: simplex(n)[batch, n], z: complex[batch], t: bool[batch]) -> (y: real[batch, n], w: complex[batch]) {
    return where(t, p, 0 * p), z
}
"""


def test_every_kind_can_be_given(tmp_path: Path) -> None:
    p, z, t = np.full((2, 4), 0.25, dtype=np.float32), np.array([1, 2], dtype=np.float32), np.array([True, False])
    files = {name: saved(tmp_path, f"{name}.npy", array) for name, array in {"p": p, "z": z, "t": t}.items()}
    found = run(graph(KINDS), build(KINDS), Request(inputs=files))
    assert np.array_equal(found.outputs["y"], [[0.25] * 4, [0.0] * 4])
    assert np.array_equal(found.outputs["w"], [1 + 0j, 2 + 0j])
    with pytest.raises(RunError, match=r"simplex\(n\), but it is not positive with sum one along n"):
        run(graph(KINDS), build(KINDS), Request(inputs={"p": saved(tmp_path, "q.npy", 2 * p)}))


def test_what_a_spec_assumes_is_asked_of_the_user(tmp_path: Path) -> None:
    text = "net A (x: real[n]) -> (y: real[n]) { assume x > 0 assume size(n) >= 3 return x }"
    typed, source = graph(text), build(text)
    with pytest.raises(RunError, match=r"assumption at spec\.arch:1 does not hold for these inputs"):
        run(typed, source)
    run(typed, source, Request(inputs={"x": saved(tmp_path, "x.npy", np.ones(3))}))
    with pytest.raises(RunError, match="n >= 3, which does not hold for n = 2"):
        run(typed, source, Request(sizes={"n": 2}))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"y_weight": torch.zeros(4, 3)}, "lacks y_bias"),
        ({"y_weight": torch.zeros(4, 3), "y_bias": torch.zeros(4), "more": torch.zeros(1)}, "has more"),
        ({"y_weight": torch.zeros(4, 2), "y_bias": torch.zeros(4)}, r"of shape \(4, 2\), not \(4, 3\)"),
    ],
)
def test_refused_weights(tmp_path: Path, tensors: dict[str, torch.Tensor], message: str) -> None:
    names = list(instantiate(load_module(net()[1], "Net"), {}).state_dict())
    renamed = {name.replace("y_weight", names[0]).replace("y_bias", names[1]): t for name, t in tensors.items()}
    save_file(renamed, tmp_path / "w.safetensors")
    with pytest.raises(RunError, match=message.replace("y_bias", names[1])):
        ran(weights=tmp_path / "w.safetensors")


def test_weights_are_never_unpickled(tmp_path: Path) -> None:
    torch.save({"y_weight": torch.zeros(4, 3)}, tmp_path / "w.pt")
    (tmp_path / "w.safetensors").write_bytes((tmp_path / "w.pt").read_bytes())
    with pytest.raises(RunError, match="can hold code"):
        ran(weights=tmp_path / "w.pt")
    with pytest.raises(RunError, match="no valid safetensors"):
        ran(weights=tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"device": "tpu"}, "the devices are cpu, cuda"),
        ({"dtype": "float16"}, "precisions are"),
        ({"sizes": {"q": 3}}, "no size symbol q; it has"),
        ({"sizes": {"bach": 3}}, "no size symbol bach; did you mean batch"),
        ({"sizes": {"batch": 10**15}}, "more numbers than there is memory"),
    ],
)
def test_refused_requests(request_: dict[str, object], message: str) -> None:
    with pytest.raises(RunError, match=message):
        ran(**request_)


@pytest.mark.gpu
def test_on_cuda() -> None:
    assert np.allclose(ran(device="cuda").outputs["y"], ran().outputs["y"], atol=1e-4)
