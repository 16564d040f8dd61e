"""The command ``run``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answer, print_exported, print_sustained, width
from edge_bench.app.cli.commands.measure.finish import finish_repeats, finish_run
from edge_bench.app.cli.options.data import DATA_OPTIONS
from edge_bench.app.cli.options.run import (
    BatchSizes,
    Budget,
    CompareWith,
    Cooldown,
    Cpus,
    Delegates,
    DryRunOfRun,
    DurationOption,
    FindFastest,
    MemoryLimit,
    ModelArguments,
    Once,
    PowerOption,
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
    WithProfile,
)
from edge_bench.app.cli.options.shared import (
    DEFAULT_BUNDLE,
    DEFAULT_RESULTS,
    Limit,
    ResultsFolder,
    RunFormat,
    Seed,
    Timeout,
    Why,
    Wide,
)
from edge_bench.app.render.formats import Format, MeasuredFormat
from edge_bench.bench.errors import BadInput

if TYPE_CHECKING:
    from edge_bench.app.render.table import Table
    from edge_bench.bench.measure.repeats import Repeats
    from edge_bench.bench.measure.request import BenchmarkRequest
    from edge_bench.bench.progress import Progress
    from edge_bench.bench.records.run import Run, Settings

__all__ = ["run"]


def run(
    context: typer.Context,
    models: ModelArguments = [DEFAULT_BUNDLE],  # noqa: B006 - typer copies it
    variant: Variants = None,
    runtime: Runtimes = None,
    threads: Threads = None,
    batch_size: BatchSizes = None,
    delegate: Delegates = None,
    cpus: Cpus = None,
    find_fastest: FindFastest = False,
    duration: DurationOption = None,
    cooldown: Cooldown = None,
    trials: Trials = 30,
    processes: Processes = 5,
    repeat_runs: RepeatRuns = 1,
    limit: Limit = None,
    budget: Budget = None,
    resample: Resample = None,
    scenario: ScenarioName = None,
    seed: Seed = 42,
    timeout: Timeout = 600,
    memory_limit: MemoryLimit = None,
    stateful: Stateful = False,
    with_postprocess: WithPostprocess = False,
    profile: WithProfile = False,
    power: PowerOption = None,
    results: ResultsFolder = DEFAULT_RESULTS,
    compare_with: CompareWith = None,
    once: Once = False,
    resume: ResumeRun = False,
    strict: Strict = False,
    dry_run: DryRunOfRun = False,
    output_format: RunFormat = MeasuredFormat.TABLE,
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Measure a bundle, or your own model files and data, on this machine.

    Each configuration (variant, runtime, threads, batch size, delegate) is timed in 30 trials, spread over 5 fresh
    processes. The answer is printed first, then a table.
    """
    from edge_bench.app.cli import console
    from edge_bench.bench.measure.options.cores import chosen_cores
    from edge_bench.bench.measure.options.settings import run_settings, searched, selection
    from edge_bench.bench.measure.options.sustained import with_duration
    from edge_bench.bench.measure.repeats import measure_repeats
    from edge_bench.bench.measure.request import BenchmarkRequest
    from edge_bench.bench.measure.run_budget import run_budget
    from edge_bench.bench.measure.session import measure
    from edge_bench.bench.system.cores import pinned

    configurations = selection(variant, runtime, threads, batch_size, scenario, delegate)
    settings = run_settings(
        trials=trials, processes=processes, limit=limit, seed=seed, timeout=timeout, scenario=scenario,
        resample=resample, memory_limit=memory_limit, stateful=stateful, with_postprocess=with_postprocess,
        profile=profile, cpus=chosen_cores(cpus), power=power,
    )  # fmt: skip
    context.with_resource(pinned(settings.cpus))  # before threads are counted and workers are started
    progress, explicit_options = console.progress(), parsing.explicit_options(context)
    settings = with_duration(settings, duration, cooldown, explicit_options)
    _check_exported(output_format, settings)
    if find_fastest:
        configurations, settings = searched(configurations, settings, repeat_runs=repeat_runs)
    shown = Shown(output_format.of_tables, wide=wide, why=why, exported=output_format.is_export)
    _say_what_applies(settings, explicit_options, progress)
    data = {name: context.params[name] for name in DATA_OPTIONS}
    stated = explicit_options & DATA_OPTIONS.keys()
    how: Any = {"once": once, "explicit_options": explicit_options - DATA_OPTIONS.keys(), "resume": resume}
    fitting = None if dry_run else run_budget(budget, settings, explicit_options, results, runs=repeat_runs, **how)
    request = BenchmarkRequest.from_paths(models, data, stated, configurations, settings, progress, fitting)
    if dry_run:
        _print_planned(request, results, shown)
        return
    finish: Any = {"compare_with": compare_with, "shown": shown, "progress": progress, "strict": strict}
    if repeat_runs > 1:
        runs = _finish_repeats(measure_repeats(request, results, progress, repeat_runs, **how), **finish)
    else:
        runs = _finish_run(*measure(request, results, progress, **how), **finish)
    if output_format.is_export:
        print_exported(runs, output_format)


def _check_exported(output_format: MeasuredFormat, settings: "Settings") -> None:
    if output_format.is_export and settings.sustained:
        raise BadInput(f"--duration with --format {output_format}: a load has no single time to export", "omit one")


def _print_planned(request: "BenchmarkRequest", results: Path, shown: Shown) -> None:
    """Print the configurations that would be measured; raise the errors that come before the first trial."""
    from edge_bench.app.cli import console
    from edge_bench.app.tables.planned import planned_table
    from edge_bench.bench.measure.session import check

    check(request, results)
    console.print_table(planned_table(request.planned), shown.form)


def _finish_repeats(
    repeats: "Repeats", *, compare_with: str | None, shown: Shown, progress: "Progress", strict: bool
) -> "list[Run]":
    """Print repeated Runs; return them. Raise an error if any is missing, incomplete or not reliable (``strict``)."""
    from edge_bench.app.tables.runs.repeats import repeats_table
    from edge_bench.app.tables.runs.run import run_table

    runs = repeats.finished or [repeats.stored[-1][0]]
    if not shown.exported:
        table = repeats_table(runs) if repeats.finished else run_table(runs[0])
        _print(runs, table, compare_with, shown, progress)
    finish_repeats(repeats, strict=strict)
    return runs


def _finish_run(
    run: "Run", path: Path | None, *, compare_with: str | None, shown: Shown, progress: "Progress", strict: bool
) -> "list[Run]":
    """Print a Run; return it. Raise an error if it is incomplete or not reliable (``strict``)."""
    from edge_bench.app.tables.runs.run import run_table

    if not shown.exported:
        _print([run], run_table(run), compare_with, shown, progress)
    finish_run(run, path, strict=strict, form=shown.form)
    return [run]


def _say_what_applies(settings: "Settings", explicit_options: set[str], progress: "Progress") -> None:
    """Tell the user which cores `edge-bench tune` selected, if any, and whether processes would have no trial."""
    from edge_bench.bench.measure.options.settings import unused_processes

    if settings.cpus and "cpus" not in explicit_options:
        progress.say(f"measuring on cores {settings.cpus}, which `edge-bench tune` selected; change this with --cpus")
    stated = {"trials": settings.trials, "processes": settings.processes}
    if "processes" in explicit_options and (unused := unused_processes(stated)):
        progress.say(unused)


def _print(runs: "Sequence[Run]", table: "Table", compare_with: str | None, shown: Shown, progress: "Progress") -> None:
    """Print the answer of the Runs and their table; with other machines' Runs, the comparison with these, too.

    Configurations of a sustained load are not compared.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.cli.profiles import profile_text, profiles_of
    from edge_bench.app.tables.answer.names import side_names
    from edge_bench.app.tables.profiles.comparison import explained_tables
    from edge_bench.app.tables.profiles.table import profile_tables
    from edge_bench.bench.analysis.comparison.comparison import compare as compare_runs
    from edge_bench.bench.measure.stored.reading import runs_elsewhere

    if not runs[-1].results_with_trials:
        print_answer(runs, None, [table], shown)
        return
    profiles = [table for run in runs for table in profile_tables(profiles_of(run), wide=True)]
    if runs[-1].settings.sustained:
        print_sustained(runs[-1], [table, *profiles], shown)
    else:
        others = runs_elsewhere(compare_with, runs[-1], progress)
        compared = compare_runs([*others, *runs])
        tables = console.comparison_tables(compared) if others else []
        tables += explained_tables([*others, *runs], compared.baseline, side_names(compared))
        print_answer([*others, *runs], compared, [table, *tables, *profiles], shown)
    if profiles and shown.form is Format.TABLE and not shown.wide:
        console.print_text("\n" + profile_text(profiles_of(runs[-1]), [], [], width(), limit=sys.stdout.isatty()))
