"""The command ``profile``."""

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answered, width
from edge_bench.app.cli.options.analyse import FigureFile
from edge_bench.app.cli.options.data import DATA_OPTIONS
from edge_bench.app.cli.options.run import (
    BatchSizes,
    Delegates,
    MemoryLimit,
    ModelArguments,
    Runtimes,
    Stateful,
    Threads,
    Variants,
)
from edge_bench.app.cli.options.shared import DEFAULT_BUNDLE, OutputFormat, ProfiledImages, Seed, Timeout, Wide
from edge_bench.app.render.formats import Format

__all__ = ["profile"]


def profile(
    context: typer.Context,
    models: ModelArguments = [DEFAULT_BUNDLE],  # noqa: B006 - typer copies it
    variant: Variants = None,
    runtime: Runtimes = None,
    threads: Threads = None,
    batch_size: BatchSizes = None,
    delegate: Delegates = None,
    limit: ProfiledImages = 32,
    seed: Seed = 42,
    timeout: Timeout = 600,
    memory_limit: MemoryLimit = None,
    stateful: Stateful = False,
    figure: FigureFile = None,
    output_format: OutputFormat = Format.TABLE,
    wide: Wide = False,
) -> None:
    """Show how long each operator of a model takes on this machine, and what it computes in that time.

    The profiler of the runtime measures the operators, in three fresh processes per configuration.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.cli.profiles import profile_lines, profile_text
    from edge_bench.app.report.write import figure_form, write_profiles
    from edge_bench.app.tables.profiles.table import operator_table, profile_tables
    from edge_bench.bench.measure.options.settings import run_settings, selection
    from edge_bench.bench.measure.profiling.request import profile_request
    from edge_bench.bench.measure.request import BenchmarkRequest
    from edge_bench.bench.measure.session import locked_bundle
    from edge_bench.bench.system.environment import machine_findings
    from edge_bench.bench.system.machine import describe_machine

    if figure:
        figure_form(figure)  # an invalid name is refused before the measurement
    configurations = selection(variant, runtime, threads, batch_size, None, delegate)
    settings = run_settings(
        limit=limit, seed=seed, timeout=timeout, scenario=None, memory_limit=memory_limit, stateful=stateful
    )
    progress, explicit_options = console.progress(), parsing.explicit_options(context)
    data = {name: context.params[name] for name in DATA_OPTIONS}
    stated = explicit_options & DATA_OPTIONS.keys()
    request = BenchmarkRequest.from_paths(models, data, stated, configurations, settings, progress)
    with locked_bundle(request):
        found = profile_request(request, progress, chosen=bool(configurations.runtimes))
    findings = machine_findings(describe_machine())
    tables = profile_tables(found.profiles, found.failures, findings, wide=True)
    print_answered(
        [operator_table(found.profiles)] if output_format is Format.CSV else tables,
        lambda: profile_lines(found.profiles),
        lambda **how: profile_text(found.profiles, found.failures, findings, width(), **how),
        Shown(output_format, wide=wide),
    )
    if figure:  # last, so that the measurements are printed even if the file cannot be written
        console.note(f"written: {write_profiles(found.profiles, figure)}")
