"""Every option of the command line, once: its flags, its environment variable, its limits and its help."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.render.formats import Format


def _remember(name: str) -> Callable[[bool], bool]:
    def keep(value: bool) -> bool:
        from edge_bench.app.cli import console

        setattr(console.settings, name, value or getattr(console.settings, name))
        return value

    return keep


Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", envvar="EDGE_BENCH_QUIET", callback=_remember("quiet"), help="No progress."),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        envvar="EDGE_BENCH_DEBUG",
        callback=_remember("debug"),
        help="Show the traceback of an error.",
    ),
]
OutputFormat = Annotated[
    Format, typer.Option("--format", "-f", envvar="EDGE_BENCH_FORMAT", help="How tables are printed.")
]
Seed = Annotated[
    int,
    typer.Option(min=0, max=2**32 - 1, envvar="EDGE_BENCH_SEED", help="Seed of everything that is drawn."),
]

# -- train
BundleFolder = Annotated[
    Path,
    typer.Option("--bundle", "-b", envvar="EDGE_BENCH_BUNDLE", help="Folder that the bundle is written to."),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", envvar="EDGE_BENCH_OVERWRITE", help="Replace what is in the bundle's folder."),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, envvar="EDGE_BENCH_LIMIT", help="Images a pass, drawn evenly over classes.  [default: all]"),
]
Timeout = Annotated[
    float,
    typer.Option(min=1, envvar="EDGE_BENCH_TIMEOUT", help="Seconds after which a silent worker is stopped."),
]
ResultsFolder = Annotated[
    Path,
    typer.Option("--results", "-o", envvar="EDGE_BENCH_RESULTS", help="Folder that Run files are written to."),
]

# -- compare
RunFiles = Annotated[list[Path], typer.Argument(help="Run files, or folders of them.")]


DEFAULT_BUNDLE = Path("artifacts/bundle")
DEFAULT_RESULTS = Path("results")
