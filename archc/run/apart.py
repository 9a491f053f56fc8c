"""Running and verifying in a process of its own; nothing here needs torch until that process does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from archc.ir.graph import TypedGraph
from archc.run.given import checked, feed
from archc.run.isolate import Bounds, isolated
from archc.run.report import RunReport, VerifyReport
from archc.run.request import FileError, Request, RunError

BOUNDS = Bounds()


def run_apart(graph: TypedGraph, text: str, request: Request, bounds: Bounds = BOUNDS) -> RunReport:
    """What `runner.run` reports of the generated module in `text`.

    Raises RunError where the request cannot be met, and what `isolated` raises.
    """
    return RunReport.from_json(_asked(_run, graph, text, request, bounds))


def verify_apart(graph: TypedGraph, text: str, request: Request, bounds: Bounds = BOUNDS) -> VerifyReport:
    """What `verify` finds about the generated module in `text`; the precision is float64 and nothing is written.

    Raises RunError where the request cannot be met, and what `isolated` raises.
    """
    return VerifyReport.from_json(_asked(_verify, graph, text, replace(request, output=None), bounds))


Job = Callable[[TypedGraph, str, Request], str]


def _asked(job: Job, graph: TypedGraph, text: str, request: Request, bounds: Bounds) -> str:
    answer = json.loads(isolated(bounds, _answer, job, graph, text, checked(request)))
    if "refused" in answer:
        raise (FileError if answer["file"] else RunError)(answer["refused"])
    return str(answer["found"])


def _answer(job: Job, graph: TypedGraph, text: str, request: Request) -> str:
    try:
        return json.dumps({"found": job(graph, text, request)})
    except RunError as error:
        return json.dumps({"refused": str(error), "file": isinstance(error, FileError)})


def _run(graph: TypedGraph, text: str, request: Request) -> str:
    fed = feed(graph, request)  # a mistake in the request is found before torch is imported
    from archc.run.runner import execute

    return execute(graph, text, request, fed).report.to_json()


def _verify(graph: TypedGraph, text: str, request: Request) -> str:
    feed(graph, request)
    from archc.run.verify import verify

    return verify(
        graph,
        text,
        sizes=request.sizes,
        inputs=request.inputs,
        weights=request.weights,
        device=request.device,
        seed=request.seed,
    ).to_json()
