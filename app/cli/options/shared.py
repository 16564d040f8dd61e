"""Options that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.declare import OptionGroup, option
from edge_bench.app.render.formats import Format


def _remember(name: str) -> Callable[[bool], bool]:
    def keep(value: bool) -> bool:
        from edge_bench.app.cli import console

        setattr(console.settings, name, value or getattr(console.settings, name))
        return value

    return keep


Quiet = Annotated[
    bool,
    option("--quiet", "-q", callback=_remember("quiet"), help="No progress."),
]
Debug = Annotated[
    bool,
    option("--debug", callback=_remember("debug"), help="Show the traceback of an error."),
]
#: Of every command.
COMMON_OPTIONS: OptionGroup = {"quiet": (Quiet, False), "debug": (Debug, False)}


def _check_sandbox(required: bool) -> bool:
    """Warn if models do not run in a complete sandbox; raise BadInput if it is required."""
    from edge_bench.app.cli import console
    from edge_bench.bench.errors import BadInput
    from edge_bench.bench.sandbox.support import sandbox_support

    support = sandbox_support()
    if support.problem and required:
        raise BadInput(f"--require-sandbox: {support.problem}", support.remedy)
    if support.problem:
        console.note(f"NOTE: {support.problem}; {support.remedy}")
    return required


RequireSandbox = Annotated[
    bool,
    option(
        "--require-sandbox",
        callback=_check_sandbox,
        help="Refuse to load models where the kernel supports no sandbox (Landlock and seccomp).",
    ),
]
#: Of every command that loads models in worker processes. The option acts through its callback.
SANDBOX_OPTIONS: OptionGroup = {"require_sandbox": (RequireSandbox, False)}

OutputFormat = Annotated[Format, option("--format", "-f", help="How tables are printed.")]
Wide = Annotated[bool, option("--wide", help="Show the tables with all columns.")]
Why = Annotated[bool, option("--why", help="Show all notes, and what time differences come from.")]
Seed = Annotated[
    int,
    option("--seed", min=0, max=2**32 - 1, help="Seed of everything that is drawn."),
]

# -- train
BundleFolder = Annotated[
    Path,
    option("--bundle", "-b", help="Folder that the bundle is written to."),
]
Overwrite = Annotated[
    bool,
    option("--overwrite", help="Replace what is in the bundle's folder."),
]
Limit = Annotated[
    int | None,
    option("--limit", min=1, help="Images a pass, drawn evenly over classes.  [default: all]"),
]
Timeout = Annotated[
    float,
    option("--timeout", min=1, help="Seconds after which a silent worker is stopped."),
]
ResultsFolder = Annotated[
    Path,
    option("--results", "-o", help="Folder that Run files are written to."),
]

# -- compare
RunFiles = Annotated[list[Path], typer.Argument(help="Run files, or folders of them.")]


DEFAULT_BUNDLE = Path("artifacts/bundle")
DEFAULT_RESULTS = Path("results")
