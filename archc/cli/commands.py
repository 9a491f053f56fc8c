"""The commands of `archc`: what each takes, whom it asks, what it prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from archc.base.diagnostic import Diagnostic
from archc.base.escape import escape
from archc.base.render import Format
from archc.base.version import VERSION
from archc.cli import catalogue
from archc.cli.options import pairs, size, spec_files, value
from archc.cli.report import DEBUG, Exit, report, reporting, say, summed, tracked

app = typer.Typer(
    name="archc",
    help="Declarative neural architectures: a spec with named axes in, a checked graph and readable PyTorch out.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SpecPath = Annotated[Path, typer.Argument(metavar="PATH", help="A spec.", show_default=False)]
SpecPaths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Specs, and folders of specs.")]
NetName = Annotated[str | None, typer.Option("--net", metavar="NAME", help="Which net, where the spec has several.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A hyper-parameter of the net.")
]
Sizes = Annotated[list[str] | None, typer.Option("--size", metavar="AXIS=INT", help="The size of an open axis.")]
Inputs = Annotated[
    list[str] | None, typer.Option("--input", metavar="NAME=FILE.npy", help="An input; random where none is given.")
]
Weights = Annotated[Path | None, typer.Option("--weights", metavar="FILE.safetensors", help="The parameters' values.")]
Device = Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Where to run.")]
DType = Annotated[Literal["float32", "float64", "bfloat16"], typer.Option("--dtype", help="The numbers' precision.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="For parameters and random inputs.")]
Target = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here, not to stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Also over a file that archc did not write.")]


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


@app.command()
def check(
    paths: SpecPaths,
    format: Annotated[Format, typer.Option("--format", help="How findings are printed, on stderr.")] = "text",
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


@app.command()
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

        text = driver.build(path, net=net, **pairs("--set", settings or (), value))
        if output is None:
            sys.stdout.write(text)
        else:
            from archc.codegen.write import write_file

            write_file(output, text, force=force)


@app.command()
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
    """Build a net, feed it, and print its outputs, parameters and time."""
    with reporting():
        from rich.console import Console

        from archc import driver
        from archc.run import runner

        hypers = pairs("--set", settings or (), value)
        request = runner.Request(
            sizes=pairs("--size", sizes or (), size),
            inputs=pairs("--input", inputs or (), Path),
            weights=weights,
            output=output,
            device=device,
            dtype=dtype,
            seed=seed,
        )
        graph, text = driver.graph(path, net=net, **hypers), driver.build(path, net=net, **hypers)
        try:
            Console().print(runner.run(graph, text, request))
        except runner.RunError as error:
            say(f"error: {error}")
            raise typer.Exit(Exit.FILES if isinstance(error.__cause__, OSError) else Exit.USAGE) from error


@app.command()
def verify(
    path: SpecPath,
    net: NetName = None,
    settings: Settings = None,
    sizes: Sizes = None,
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Compare the generated module with the reference, forward and gradient, in float64; exit 4 on a mismatch."""
    with reporting():
        from rich.console import Console

        from archc import driver
        from archc.run.verify import verify as compare

        hypers, bound = pairs("--set", settings or (), value), pairs("--size", sizes or (), size)
        graph, text = driver.graph(path, net=net, **hypers), driver.build(path, net=net, **hypers)
        found = compare(graph, text, sizes=bound, seed=seed)
        if json:
            sys.stdout.write(f"{found.to_json()}\n")
        else:
            Console().print(found)
        raise typer.Exit(Exit.CLEAN if found.ok else Exit.MISMATCH)


@app.command()
def summary(path: SpecPath, net: NetName = None, settings: Settings = None, sizes: Sizes = None) -> None:
    """Print output axes, parameters, FLOPs and activation bytes of every block, as formula and number."""
    with reporting():
        from rich.console import Console

        from archc import driver

        graph = driver.graph(path, net=net, **pairs("--set", settings or (), value))
        Console().print(driver.summary(graph, pairs("--size", sizes or (), size)))


@app.command()
def ir(path: SpecPath, net: NetName = None, settings: Settings = None) -> None:
    """Print the typed graph in the core language."""
    with reporting():
        from archc import driver
        from archc.ir.text import print_graph

        sys.stdout.write(print_graph(driver.graph(path, net=net, **pairs("--set", settings or (), value))))


@app.command()
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


@app.command("list")
def list_(kind: Annotated[catalogue.Kind, typer.Argument(help="What to list.")]) -> None:
    """List what the compiler knows, a line each."""
    with reporting():
        entries = catalogue.entries(kind)
        width = max((len(name) for name, _ in entries), default=0)
        sys.stdout.writelines(f"{escape(f'{name:<{width}}  {line}'.rstrip())}\n" for name, line in entries)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(metavar="CODE|NAME", help="A code such as E0312, or an operation's word.")],
) -> None:
    """Explain a diagnostic, an operation or a block of the library."""
    with reporting():
        text = catalogue.explanation(name)
        if text is None:
            meant = catalogue.nearest_name(name)
            hint = f"; did you mean `{meant}`?" if meant else ""
            raise typer.BadParameter(f"nothing is known of `{escape(name)}`{hint}", param_hint="CODE|NAME")
        sys.stdout.write(f"{text}\n")


def main() -> None:
    """Run the command line; ends the process with one of the codes of `Exit`."""
    app(prog_name="archc")
