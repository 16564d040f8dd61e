"""The command ``run``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.commands.measure.finish import finish_repeats, finish_run
from edge_bench.app.cli.options.data import DATA_OPTIONS
from edge_bench.app.cli.options.run import (
    BatchSizes,
    CompareWith,
    MemoryLimit,
    ModelArguments,
    Once,
    Processes,
    RepeatRuns,
    Resample,
    ResumeRun,
    Runtimes,
    ScenarioName,
    Stateful,
    Strict,
    Threads,
    Trials,
    Variants,
    WithPostprocess,
)
from edge_bench.app.cli.options.shared import (
    DEFAULT_BUNDLE,
    DEFAULT_RESULTS,
    Limit,
    OutputFormat,
    ResultsFolder,
    Seed,
    Timeout,
)
from edge_bench.app.render.formats import Format

if TYPE_CHECKING:
    from edge_bench.app.render.table import Table
    from edge_bench.bench.progress import Progress
    from edge_bench.bench.records.run import Run

__all__ = ["run"]


def run(
    context: typer.Context,
    models: ModelArguments = [DEFAULT_BUNDLE],  # noqa: B006 - typer copies it
    variant: Variants = None,
    runtime: Runtimes = None,
    threads: Threads = None,
    batch_size: BatchSizes = None,
    trials: Trials = 30,
    processes: Processes = 5,
    repeat_runs: RepeatRuns = 1,
    limit: Limit = None,
    resample: Resample = None,
    scenario: ScenarioName = None,
    seed: Seed = 42,
    timeout: Timeout = 600,
    memory_limit: MemoryLimit = None,
    stateful: Stateful = False,
    with_postprocess: WithPostprocess = False,
    results: ResultsFolder = DEFAULT_RESULTS,
    compare_with: CompareWith = None,
    once: Once = False,
    resume: ResumeRun = False,
    strict: Strict = False,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Run the 30-trial benchmark on this machine: a bundle, or anyone's model files and data."""
    from edge_bench.app.cli import console
    from edge_bench.app.tables.runs.repeats import repeats_table
    from edge_bench.app.tables.runs.run import run_table
    from edge_bench.bench.measure.options.settings import run_settings, selection
    from edge_bench.bench.measure.repeats import measure_repeats
    from edge_bench.bench.measure.request import BenchmarkRequest
    from edge_bench.bench.measure.session import measure

    configurations = selection(variant, runtime, threads, batch_size, scenario)
    settings = run_settings(
        trials=trials, processes=processes, limit=limit, seed=seed, timeout=timeout, scenario=scenario,
        resample=resample, memory_limit=memory_limit, stateful=stateful, with_postprocess=with_postprocess,
    )  # fmt: skip
    progress, explicit_options = console.progress(), parsing.explicit_options(context)
    data = {name: context.params[name] for name in DATA_OPTIONS}
    stated = explicit_options & DATA_OPTIONS.keys()
    request = BenchmarkRequest.from_paths(models, data, stated, configurations, settings, progress)
    how: Any = {"once": once, "explicit_options": explicit_options - DATA_OPTIONS.keys(), "resume": resume}
    if repeat_runs > 1:
        repeats = measure_repeats(request, results, progress, repeat_runs, **how)
        runs = repeats.finished or [repeats.stored[-1][0]]
        table = repeats_table(runs) if repeats.finished else run_table(runs[0])
        console.print_tables([table, *_comparison(runs, compare_with, progress)], output_format)
        finish_repeats(repeats, strict=strict)
        return
    measured, path = measure(request, results, progress, **how)
    console.print_tables([run_table(measured), *_comparison([measured], compare_with, progress)], output_format)
    finish_run(measured, path, strict=strict)


def _comparison(runs: "Sequence[Run]", compare_with: str | None, progress: "Progress") -> "list[Table]":
    """Return the tables of the comparison with other machines' Runs; none without any."""
    from edge_bench.app.cli import console
    from edge_bench.bench.analysis.comparison.comparison import compare as compare_runs
    from edge_bench.bench.measure.stored.reading import runs_elsewhere

    if not runs[-1].results_with_trials or not (others := runs_elsewhere(compare_with, runs[-1], progress)):
        return []
    return console.comparison_tables(compare_runs([*others, *runs]))
