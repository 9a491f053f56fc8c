"""The commands of `archc`: what each takes, whom it asks, what it prints."""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from archc.base.diagnostic import Diagnostic
from archc.base.escape import escape
from archc.base.render import Format
from archc.base.version import VERSION
from archc.cli.catalogue import Kind, entries, explanation, nearest_name
from archc.cli.options import fitted, hypers, one_of, pairs, size, spec_files
from archc.cli.report import DEBUG, Exit, report, reporting, running, say, show, summed, tracked

if TYPE_CHECKING:
    from archc.ir.graph import TypedGraph

app = typer.Typer(
    name="archc",
    help="Declarative neural architectures: a spec with named axes in, a checked graph and readable PyTorch out.",
    epilog="Exit codes: 0 clean, 1 errors in a spec, 2 usage, 3 files, 4 verify found a mismatch, 70 a fault of archc.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

KindName = Annotated[
    Kind, typer.Argument(metavar="KIND", help="ops, std, activations, checks or specs.", parser=one_of(get_args(Kind)))
]
SpecPath = Annotated[Path, typer.Argument(metavar="PATH", help="A spec.", show_default=False)]
SpecPaths = Annotated[list[Path], typer.Argument(metavar="PATH", help="Specs, and folders of specs.")]
NetName = Annotated[str | None, typer.Option("--net", metavar="NAME", help="Which net, where the spec has several.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A hyper-parameter of the net; once for each.")
]
Sizes = Annotated[
    list[str] | None, typer.Option("--size", metavar="AXIS=INT", help="The size of an open axis; once for each.")
]
Inputs = Annotated[
    list[str] | None, typer.Option("--input", metavar="NAME=FILE.npy", help="An input; random where none is given.")
]
Weights = Annotated[Path | None, typer.Option("--weights", metavar="FILE.safetensors", help="The parameters' values.")]
Devices = Literal["cpu", "cuda"]
Device = Annotated[
    Devices, typer.Option("--device", metavar="cpu|cuda", help="Where to run.", parser=one_of(get_args(Devices)))
]
DTypes = Literal["float32", "float64", "bfloat16"]
DType = Annotated[
    DTypes,
    typer.Option(
        "--dtype",
        metavar="float32|float64|bfloat16",
        help="The numbers' precision.",
        parser=one_of(get_args(DTypes)),
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="For parameters and random inputs.")]
Target = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here, not to stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Also over a file that archc did not write.")]

_RARELY = 100_000
"""New objects between two looks for garbage: a spec's tree and graph live as long as the command, so looks are vain."""


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an internal error arose.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options that stand before the command."""
    DEBUG.set(debug)
    if version:
        sys.stdout.write(f"archc {VERSION}\n")
    elif context.invoked_subcommand is None:
        sys.stdout.write(f"{context.get_help()}\n")
        raise typer.Exit(Exit.USAGE)


@app.command(epilog="Example: archc check specs --format sarif 2> findings.sarif")
def check(
    paths: SpecPaths,
    format: Annotated[
        Format,
        typer.Option(
            "--format",
            metavar="text|json|sarif|github",
            help="How findings are printed, on stderr.",
            parser=one_of(get_args(Format)),
        ),
    ] = "text",
) -> None:
    """Check specs, and report every finding."""
    with reporting(format):
        from archc import driver

        files = spec_files(paths)
        examined = [driver.examine(path) for path in tracked(files, "checking")]
        found = [finding for one in examined for finding in one.findings]
        code = report(found, format)
        if not found and format == "text":
            say(summed(len(files), sum(one.claims for one in examined)))
        raise typer.Exit(code)


@app.command(epilog="Example: archc build specs/kan/kan.arch --set hidden=8 -o kan.py")
def build(
    path: SpecPath,
    net: NetName = None,
    settings: Settings = None,
    output: Target = None,
    force: Force = False,
) -> None:
    """Compile a net to one standalone PyTorch file."""
    with reporting():
        from archc import driver

        text = driver.build(path, net, **hypers(settings or ()))
        if output is None:
            sys.stdout.write(text)
        else:
            from archc.codegen.write import write_file

            write_file(output, text, force=force)
            say(f"wrote {output}")


@app.command(epilog="Example: archc run specs/vision/unet.arch --size batch=2 --size h=16 --size w=24 --output y.npz")
def run(
    path: SpecPath,
    net: NetName = None,
    settings: Settings = None,
    sizes: Sizes = None,
    inputs: Inputs = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE.npz", help="Keep the outputs.")] = None,
    weights: Weights = None,
    device: Device = "cpu",
    dtype: DType = "float32",
    seed: Seed = 0,
) -> None:
    """Build a net, feed it, and print its outputs, parameters and time.

    The generated module runs in a process of its own. Sizes and inputs that are not given are small and random.
    """
    with reporting():
        from archc.run.apart import run_apart
        from archc.run.request import Request

        bound, files = pairs("--size", sizes or (), size), pairs("--input", inputs or (), Path)
        graph, text = _compiled(path, net, settings)
        with running("running"):
            found = run_apart(graph, text, Request(bound, files, weights, output, device, dtype, seed))
        show(found)
        if output is not None:
            say(f"wrote {output}")


@app.command(epilog="Example: archc verify specs/sets/deepsets.arch --size n=7")
def verify(
    path: SpecPath,
    net: NetName = None,
    settings: Settings = None,
    sizes: Sizes = None,
    inputs: Inputs = None,
    weights: Weights = None,
    device: Device = "cpu",
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Compare the generated module with the reference, forward and gradient, in float64; exit 4 on a mismatch.

    At three bindings of sizes with random inputs and parameters; with --input or --weights at yours.

    Always in float64, where no rounding hides a fault, and keeping no outputs: `archc run` has --dtype and --output.
    """
    with reporting():
        from archc.run.apart import verify_apart
        from archc.run.request import Request

        bound, files = pairs("--size", sizes or (), size), pairs("--input", inputs or (), Path)
        graph, text = _compiled(path, net, settings)
        with running("verifying"):
            found = verify_apart(graph, text, Request(bound, files, weights, device=device, seed=seed))
        if json:
            sys.stdout.write(f"{found.to_json()}\n")
        else:
            show(found)
        raise typer.Exit(Exit.CLEAN if found.ok else Exit.MISMATCH)


@app.command(epilog="Example: archc summary specs/attention/attention.arch --size batch=8 --size n=100")
def summary(path: SpecPath, net: NetName = None, settings: Settings = None, sizes: Sizes = None) -> None:
    """Print output axes, parameters, FLOPs and activation bytes of every block, as formula and number."""
    with reporting():
        from archc import driver
        from archc.run.sizes import SizesRefusedError, demand_possible

        bound = pairs("--size", sizes or (), size)
        graph = driver.graph(path, net, **hypers(settings or ()))
        try:
            demand_possible(graph, bound)
        except SizesRefusedError as error:
            raise typer.BadParameter(str(error), param_hint="--size") from error
        show(driver.summary(graph, bound))


@app.command(epilog="Example: archc ir specs/kan/kan.arch")
def ir(path: SpecPath, net: NetName = None, settings: Settings = None) -> None:
    """Print the typed graph in the core language."""
    with reporting():
        from archc import driver
        from archc.ir.text import print_graph

        sys.stdout.write(print_graph(driver.graph(path, net, **hypers(settings or ()))))


@app.command(epilog="Example: archc fmt --check specs")
def fmt(
    paths: SpecPaths,
    check: Annotated[bool, typer.Option("--check", help="Only say which files would change; exit 1 if any.")] = False,
) -> None:
    """Rewrite specs as canonical text, comments kept."""
    with reporting():
        from archc.cli.format import formatted
        from archc.codegen.write import write_file

        found: list[Diagnostic] = []
        changed: list[Path] = []
        for path in tracked(spec_files(paths), "formatting"):
            before, after, findings = formatted(path)
            found += findings
            if after is not None and after != before:
                changed.append(path)
                if not check:
                    write_file(path, after, force=True)
        for path in changed:
            say(f"{'would reformat' if check else 'reformatted'} {path}")
        raise typer.Exit(report(found) or (Exit.ERRORS if check and changed else Exit.CLEAN))


@app.command("list", epilog="Example: archc list activations")
def list_(kind: KindName) -> None:
    """List what the compiler knows, a line each."""
    with reporting():
        found = entries(kind)
        width = max((len(name) for name, _ in found), default=0)
        sys.stdout.writelines(f"{fitted(f'{name:<{width}}  {line}'.rstrip())}\n" for name, line in found)


@app.command(epilog="Example: archc explain softmax")
def explain(
    name: Annotated[str, typer.Argument(metavar="CODE|NAME", help="A code such as E0312, or a name such as softmax.")],
) -> None:
    """Explain a diagnostic, an operation, a block of the library, a word of the language, a check or a spec."""
    with reporting():
        text = explanation(name)
        if text is None:
            meant = nearest_name(name)
            hint = f"; did you mean `{meant}`?" if meant else ""
            raise typer.BadParameter(f"nothing is known of `{escape(name)}`{hint}", param_hint="CODE|NAME")
        sys.stdout.write(f"{text}\n")


def main() -> None:
    """Run the command line; ends the process with one of the codes of `Exit`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know only ASCII
    gc.set_threshold(_RARELY)
    try:
        app(prog_name="archc")
    finally:
        gc.freeze()  # the end of the process frees everything at once


def _compiled(path: Path, net: str | None, settings: list[str] | None) -> tuple[TypedGraph, str]:
    from archc import driver

    given = hypers(settings or ())
    return driver.graph(path, net, **given), driver.build(path, net, **given)
