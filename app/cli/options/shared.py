"""Options that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.declare import OptionGroup, Section, option
from edge_bench.app.render.formats import Format, MeasuredFormat


def _remember(name: str) -> Callable[[bool], bool]:
    def keep(value: bool) -> bool:
        from edge_bench.app.cli import console

        setattr(console.settings, name, value or getattr(console.settings, name))
        return value

    return keep


Quiet = Annotated[
    bool,
    option("--quiet", "-q", section=Section.GENERAL, callback=_remember("quiet"), help="Show no progress."),
]
Debug = Annotated[
    bool,
    option("--debug", section=Section.GENERAL, callback=_remember("debug"), help="Show the traceback of an error."),
]
#: Of every command.
COMMON_OPTIONS: OptionGroup = {"quiet": (Quiet, False), "debug": (Debug, False)}


def _check_sandbox(context: typer.Context, required: bool) -> bool:
    """Warn if models do not run in a complete sandbox; raise BadInput if it is required."""
    from edge_bench.app.cli import console
    from edge_bench.bench.errors import BadInput
    from edge_bench.bench.sandbox.support import sandbox_support

    if context.resilient_parsing:  # for help or shell completion
        return required
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
        section=Section.LIMITS,
        callback=_check_sandbox,
        help="Refuse to load models if the kernel supports no sandbox (Landlock and seccomp).",
    ),
]
#: Of every command that loads models in worker processes. The option acts through its callback.
SANDBOX_OPTIONS: OptionGroup = {"require_sandbox": (RequireSandbox, False)}

OutputFormat = Annotated[
    Format,
    option(
        "--format",
        "-f",
        section=Section.OUTPUT,
        metavar="FORMAT",
        help="table, markdown, json, jsonl, csv or html.",
    ),
]
RunFormat = Annotated[
    MeasuredFormat,
    option(
        "--format",
        "-f",
        section=Section.OUTPUT,
        metavar="FORMAT",
        help="table, markdown, json, jsonl, csv or html; github-action-benchmark or bencher for these services.",
    ),
]
Wide = Annotated[bool, option("--wide", section=Section.OUTPUT, help="Show tables with all columns.")]
Why = Annotated[
    bool, option("--why", section=Section.OUTPUT, help="Show all notes, and the causes of differences in time.")
]
Seed = Annotated[
    int,
    option(
        "--seed",
        section=Section.GENERAL,
        metavar="N",
        min=0,
        max=2**32 - 1,
        help="Seed of all random choices.",
    ),
]

BundleFolder = Annotated[
    Path,
    option("--bundle", "-b", metavar="FOLDER", help="Folder for the bundle."),
]
Overwrite = Annotated[
    bool,
    option("--overwrite", help="Replace the files in the bundle's folder."),
]
Limit = Annotated[
    int | None,
    option("--limit", metavar="N", min=1, help="Images per pass, drawn evenly over the classes. [default: all]"),
]
ProfiledImages = Annotated[
    int,
    option("--limit", metavar="N", min=1, help="Images or examples to profile with, drawn evenly over the classes."),
]
Timeout = Annotated[
    float,
    option(
        "--timeout",
        section=Section.LIMITS,
        metavar="SECONDS",
        min=1,
        help="Time without an answer after which a worker is stopped.",
    ),
]
ResultsFolder = Annotated[
    Path,
    option("--results", "-o", metavar="FOLDER", help="Folder for Run files."),
]

RunFiles = Annotated[list[Path], typer.Argument(metavar="RUNS", help="Run files, or folders with Run files.")]


DEFAULT_BUNDLE = Path("artifacts/bundle")
DEFAULT_RESULTS = Path("results")
