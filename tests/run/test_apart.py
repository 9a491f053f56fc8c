"""Runs in a process of their own: what crosses the border, and what never does."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archc.driver import build, graph
from archc.run import apart
from archc.run.apart import run_apart, verify_apart
from archc.run.isolate import Bounds, IsolationError
from archc.run.request import FileError, Request, RunError
from archc.run.runner import run
from archc.run.sizes import survey

TEXT = """
block halve(level: int) (x: real[c, h]) -> (y: real[c, h]) where h % 2^level == 0 {
    let K = conv(over = h, size = 3)
    return if level == 0 { return layer(x, c -> c, edge = K) } else {
        return x |> pool_max(over = h, size = 2) |> halve(level = level - 1) |> upsample(over = h, factor = 2)
    }
}
net Net (x: real[batch, c: 2, h]) -> (y: real[batch, c: 2, h]) where h % 4 == 0 { return halve(x, level = 2) }
"""


def test_the_same_as_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed, text = graph(TEXT), build(TEXT)
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(3, 2, 8)))
    monkeypatch.chdir(tmp_path)
    request = Request(inputs={"x": Path("x.npy")}, output=Path("y.npz"), seed=4)
    here, there = run(typed, text, request).report, run_apart(typed, text, request)
    assert (there.sizes, there.outputs, there.parameters) == (here.sizes, here.outputs, here.parameters)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npz"]


def test_the_parent_never_imports_torch() -> None:
    start = f"import archc, sys\nfrom archc.run.apart import *\ntext = {TEXT!r}\n"
    start += "found = verify_apart(archc.graph(text), archc.build(text), Request(seed=1))\n"
    start += "print(found.ok, len(found.trials), 'torch' in sys.modules, 'safetensors' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True)
    assert ended.stdout == "True 3 False False\n", ended.stderr


def test_a_graph_means_the_same_where_strings_hash_otherwise() -> None:
    typed = graph(TEXT)
    asked = "str(survey(typed).conditions)"
    start = "import pickle, sys; from archc.run.sizes import survey; typed = pickle.load(sys.stdin.buffer); "
    for seed in ("1", "2"):
        ended = subprocess.run(
            [sys.executable, "-c", f"{start}print({asked})"],
            input=pickle.dumps(typed),
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert ended.stdout.decode() == f"{survey(typed).conditions}\n"


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        (Request(sizes={"h": 6}), RunError, "h % 4 == 0, which does not hold for h = 6"),
        (Request(sizes={"g": 6}), RunError, "no size symbol g"),
        (Request(inputs={"x": Path("gone.npy")}), FileError, "gone.npy cannot be read"),
        (Request(weights=Path("w.pt")), FileError, "w.pt cannot be read"),
        (Request(output=Path("/gone/y.npz")), FileError, "there is no folder"),
        (Request(device="tpu"), RunError, "no device tpu"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_refusals_come_back(request_: Request, error: type[RunError], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        run_apart(graph(TEXT), build(TEXT), request_)
    assert type(raised.value) is error


def test_a_module_that_takes_the_process_down() -> None:
    text = build(TEXT).replace("import torch\n", "import os\nimport torch\n", 1)
    dying = text.replace("super().__init__()", "os._exit(7)")
    with pytest.raises(IsolationError, match="without an answer, with status 7"):
        verify_apart(graph(TEXT), dying, Request())
    with pytest.raises(IsolationError, match=r"no answer within 0\.5 seconds"):
        run_apart(graph(TEXT), text, Request(), Bounds(seconds=0.5))
    assert apart.BOUNDS.memory is None
