"""The command line, as a table of contents: each command parses, calls, prints."""

import os
import sys
from pathlib import Path
from typing import Any

import typer

from app import arguments as a
from app import cli_fleet, cli_models, cli_offload, cli_serving
from app import options as o
from app import worker_options as w
from app.cli_models import DEFAULT_BUNDLE, DEFAULT_RESULTS, conclude
from app.presentation.formats import Format, Layout
from bench.errors import BadInput, GateNotMet, NotTrusted
from bench.version import __version__

__all__ = ["app"]

app = typer.Typer(
    name="edge-bench",
    help="Benchmarks a model on a host and on an edge device, and says where it should run.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", envvar="EDGE_BENCH_VERSION", help="Print the version and exit."),
) -> None:
    if version:
        print(f"edge-bench {__version__}")
        raise typer.Exit


@app.command()
def train(
    context: typer.Context,
    bundle: o.BundleFolder = DEFAULT_BUNDLE,
    model: o.ModelName = "paper-cnn",
    dataset: o.DatasetName = "fashion-mnist",
    data_dir: o.DataDir = None,
    epochs: o.Epochs = 100,
    batch_size: o.TrainBatchSize = 128,
    learning_rate: o.LearningRate = 1e-3,
    dropout: o.Dropout = 0.5,
    no_dropout: o.NoDropout = False,
    seed: o.Seed = 42,
    resume: o.Resume = False,
    stop_after: o.StopAfter = None,
    overwrite: o.Overwrite = False,
    workers: w.Workers = None,
    worker: w.Worker = None,
    wait: w.Wait = 300,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train a model, the paper's CNN say, and write the bundle: every variant, test set, history, manifest."""
    from app import console
    from app.presentation.training_text import training_summary
    from app.training.checkpoints import TrainingSettings
    from app.training.cluster import stated_cluster
    from app.training.job import train_bundle

    settings = TrainingSettings(
        dataset=dataset,
        model=model,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=0.0 if no_dropout else dropout,
        seed=seed,
    )
    trained = train_bundle(
        bundle, settings, console.progress(),
        data_dir=data_dir, resume=resume, stop_after=stop_after, overwrite=overwrite, given=a.given(context),
        cluster=stated_cluster(workers, worker, os.environ), wait=wait,
    )  # fmt: skip
    print(training_summary(trained))


app.command()(cli_models.run)


@app.command()
def compare(
    runs: o.RunFiles,
    baseline: o.Baseline = None,
    fail_if_slower: o.FailIfSlower = None,
    fail_if_accuracy_drops: o.FailIfAccuracyDrops = None,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Compare every configuration of one or more Runs with a baseline, or a Run with an older one as a gate."""
    from app import console
    from app.measuring import read_runs
    from bench.compare import compare as compare_runs
    from bench.gate import Limits

    limits = Limits(slower=a.share(fail_if_slower, "--fail-if-slower"), accuracy_drop=fail_if_accuracy_drops)
    measured = read_runs(runs, console.progress(), one_bundle=True)
    if baseline and a.is_file(baseline):
        _gate(measured, Path(baseline), limits, output_format)
    elif limits:
        raise BadInput("a gate needs an older Run to compare with", "name its file: --baseline old.json")
    else:
        console.print_tables(console.comparison_tables(compare_runs(measured, baseline)), output_format)


def _gate(runs: list[Any], baseline: Path, limits: Any, output_format: Format) -> None:
    from app import console
    from app.presentation.gate_table import changes_table, failures
    from bench.gate import changes, judge
    from bench.results import read_run

    found = changes(runs, read_run(baseline))
    judgements = judge(found, limits)
    console.print_table(changes_table(found, judgements, baseline.name), output_format)
    if failed := failures(judgements):
        raise GateNotMet(f"the gate is not met: {len(failed)} of {len(judgements)} limits", failed[0])


@app.command()
def report(
    runs: o.RunFiles,
    bundle: o.Bundles = None,
    output: o.ReportFile = None,
    report_format: o.ReportFormats = "html",
    size: o.FigureSize = Layout.COLUMN,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write a page with the answer, pictures, tables and how to repeat it; or single pictures for a paper."""
    from app import console
    from app.offloading import read_results
    from app.reporting import report_formats, write_report

    formats = report_formats(a.names(report_format))
    progress = console.progress()
    measured, offloads = read_results(runs, progress)
    for path in write_report(measured, bundle or [], output, formats, size, progress, offloads):
        print(path)


@app.command()
def history(
    results: o.RunFiles,
    picture: o.Picture = None,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Show the same configurations over time, machine by machine, with changes marked."""
    from app import console
    from app.measuring import read_runs
    from app.presentation.history_table import history_table
    from app.reporting import write_history
    from bench.history import history as series_of

    series = series_of(read_runs(results, console.progress()))
    if picture:
        for path in write_history(series, picture):
            console.note(f"written: {path}")
    console.print_table(history_table(series), output_format)


@app.command(name="all")
def everything(
    bundle: o.BundleFolder = DEFAULT_BUNDLE,
    model: o.ModelName = "paper-cnn",
    dataset: o.DatasetName = "fashion-mnist",
    data_dir: o.DataDir = None,
    epochs: o.Epochs = 100,
    trials: o.Trials = 30,
    processes: o.Processes = 5,
    limit: o.Limit = None,
    seed: o.Seed = 42,
    results: o.ResultsFolder = DEFAULT_RESULTS,
    fresh: o.Fresh = False,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """The main job on this machine: train, run, compare, report. Called again, it goes on where it ended."""
    from app import console
    from app.main_job import main_job
    from app.presentation.run_table import run_table
    from app.reporting import write_report
    from app.training.checkpoints import TrainingSettings
    from bench.compare import compare as compare_runs
    from bench.results import Settings

    job = main_job(
        bundle, TrainingSettings(dataset=dataset, model=model, epochs=epochs, seed=seed), data_dir,
        Settings(trials=trials, processes=processes, limit=limit, seed=seed), results, console.progress(), fresh=fresh,
    )  # fmt: skip
    console.print_tables([run_table(job.run), *console.comparison_tables(compare_runs([job.run]))], output_format)
    (page,) = write_report(
        [job.run], [job.bundle], results / "report.html", ["html"], Layout.COLUMN, console.progress()
    )
    # below the tables for a person; beside them where a program reads them
    paths_to = sys.stdout if output_format is Format.TABLE else sys.stderr
    print(f"\nbundle  {job.bundle}\nrun     {job.path}\nreport  {page}", file=paths_to)
    conclude(job.run, None, strict=False)


@app.command()
def doctor(
    output_format: o.OutputFormat = Format.TABLE,
    strict: o.Strict = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say what this machine is, what is missing, and what would spoil a measurement."""
    from app import console
    from app.presentation.doctor_table import doctor_table
    from bench.company import measuring_now, runtime_folders
    from bench.machine import describe_machine
    from bench.trust import load_now, machine_findings, not_alone

    machine = describe_machine()
    others = [not_alone(guest, now=True) for guest in measuring_now(machine.hostname, *runtime_folders())]
    findings = [*machine_findings(machine), *others, *load_now(machine)]
    console.print_table(doctor_table(machine, findings), output_format)
    if strict and any(finding.spoils for finding in findings):
        raise NotTrusted("times measured here now would not be to be trusted", "see the findings above")


app.command()(cli_models.inspect)
app.command()(cli_models.export)
app.command()(cli_offload.offload)
app.command()(cli_serving.serve)
app.add_typer(cli_fleet.fleet)
