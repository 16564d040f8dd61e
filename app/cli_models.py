"""The commands on models that people have: run, inspect, export."""

from pathlib import Path
from typing import Any

import typer

from app import arguments as a
from app import data_options as d
from app import options as o
from app.presentation.formats import Format
from bench.errors import BadInput, EdgeBenchError, Interrupted, NotTrusted

__all__ = ["conclude", "export", "inspect", "run"]

DEFAULT_BUNDLE = Path("artifacts/bundle")
DEFAULT_RESULTS = Path("results")


def run(
    context: typer.Context,
    models: o.ModelArguments = [DEFAULT_BUNDLE],  # noqa: B006 - typer copies it
    data: d.Data = None,
    labels: d.Labels = None,
    classes: d.Classes = None,
    label_names: d.LabelNames = None,
    label_offset: d.LabelOffset = None,
    preprocess: d.Preprocess = None,
    scale: d.Scale = None,
    offset: d.Offset = None,
    channel_order: d.ChannelOrder = None,
    crop: d.Crop = None,
    interpolation: d.Interpolation = "bilinear",
    squash: d.Squash = False,
    image_size: d.ImageSize = None,
    skip_broken: d.SkipBroken = False,
    variant: o.Variants = None,
    runtime: o.Runtimes = None,
    threads: o.Threads = None,
    batch_size: o.BatchSizes = None,
    trials: o.Trials = 30,
    processes: o.Processes = 5,
    limit: o.Limit = None,
    resample: o.Resample = None,
    scenario: o.ScenarioName = None,
    seed: o.Seed = 42,
    timeout: o.Timeout = 600,
    memory_limit: o.MemoryLimit = None,
    results: o.ResultsFolder = DEFAULT_RESULTS,
    compare_with: o.CompareWith = None,
    once: o.Once = False,
    resume: o.ResumeRun = False,
    strict: o.Strict = False,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Run the 30-trial benchmark on this machine: a bundle, or anyone's model files and data."""
    from app import console
    from app.measuring import measure, runs_elsewhere
    from app.presentation.run_table import run_table
    from app.questions import about_bundle, about_files
    from bench.compare import compare as compare_runs
    from bench.model_files import is_bundle
    from bench.plan import Selection
    from bench.results import Settings
    from bench.scenario import batch_sizes_for

    selection = Selection(
        variants=a.names(variant),
        runtimes=a.names(runtime),
        threads=a.counts(threads, "--threads"),
        batch_sizes=batch_sizes_for(scenario, a.counts(batch_size, "--batch-size")),
    )
    settings = Settings(
        trials=trials, processes=processes, limit=limit, seed=seed, timeout_s=timeout, scenario=scenario or "",
        resample=resample, memory_limit=a.memory(memory_limit),
    )  # fmt: skip
    progress, given = console.progress(), a.given(context)
    if len(models) == 1 and is_bundle(models[0]):
        if stated := given & a.DATA_OPTIONS:
            raise BadInput(
                f"{models[0]} is a bundle, with data of its own: --{sorted(stated)[0].replace('_', '-')} is for files",
                "name .tflite, .keras or .onnx files, or a SavedModel folder; a bundle's are in its variants folder",
            )
        question = about_bundle(models[0], selection, settings, progress)
    else:
        question = about_files(models, a.data_options(context), selection, settings, progress)
    measured, path = measure(question, results, progress, once=once, given=given - a.DATA_OPTIONS, resume=resume)
    tables = [run_table(measured)]
    if measured.measured and (others := runs_elsewhere(compare_with, measured)):
        tables += console.comparison_tables(compare_runs([*others, measured]))
    console.print_tables(tables, output_format)
    conclude(measured, path, strict=strict)


def inspect(
    model: o.ModelFile,
    timeout: o.Timeout = 600,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say what a model is made of, what it costs, and which runtimes can load it."""
    from app import console
    from app.inspecting import inspected
    from app.presentation.inspect_table import inspect_tables

    console.print_tables(inspect_tables(inspected(model, timeout, console.progress())), output_format)


def export(
    context: typer.Context,
    model: o.ExportedModel,
    bundle: o.BundleFolder = DEFAULT_BUNDLE,
    weights: o.Weights = "imagenet",
    calibration: o.Calibration = None,
    data: d.Data = None,
    labels: d.Labels = None,
    classes: d.Classes = None,
    label_names: d.LabelNames = None,
    label_offset: d.LabelOffset = None,
    preprocess: d.Preprocess = None,
    scale: d.Scale = None,
    offset: d.Offset = None,
    channel_order: d.ChannelOrder = None,
    crop: d.Crop = None,
    interpolation: d.Interpolation = "bilinear",
    squash: d.Squash = False,
    image_size: d.ImageSize = None,
    skip_broken: d.SkipBroken = False,
    limit: o.Limit = None,
    seed: o.Seed = 42,
    timeout: o.Timeout = 600,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Export a Keras model, a SavedModel, resnet50 or mobilenetv2 as a bundle with every variant."""
    from app import console
    from app.presentation.training_text import export_summary
    from app.training.foreign import ExportSettings, export_foreign

    settings = ExportSettings(weights=weights, calibration=calibration, limit=limit, seed=seed, timeout=timeout)
    exported = export_foreign(model, bundle, a.data_options(context), settings, console.progress(), overwrite=overwrite)
    print(export_summary(exported))


def conclude(measured: Any, path: Path | None, *, strict: bool) -> None:
    """Says where the Run is, then ends with the exit code that its state asks for."""
    from app import console

    if path:
        console.note(f"written: {path}")
    if not measured.complete:
        if measured.stopped:
            raise EdgeBenchError(
                f"stopped: {measured.stopped}", "put that right, then the same command with --resume goes on"
            )
        raise Interrupted(
            "interrupted; what was measured is kept", "the same command with --resume goes on" if path else ""
        )
    if not measured.measured:
        raise EdgeBenchError("no configuration could be measured", "the reasons are below the table")
    if strict and not measured.trusted:
        spoiled = [finding.what for finding in measured.findings if finding.spoils] or ["this Run does not say"]
        raise NotTrusted(f"measured, but not to be trusted: {'; '.join(spoiled)}", "see the notes below the table")
