"""The command ``all``: train, run, compare, report; each step is skipped if its result exists already."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answer
from edge_bench.app.cli.commands.measure.finish import finish_run
from edge_bench.app.cli.options.run import Budget, Fresh, Processes, Trials
from edge_bench.app.cli.options.shared import (
    DEFAULT_BUNDLE,
    DEFAULT_RESULTS,
    BundleFolder,
    Limit,
    OutputFormat,
    ResultsFolder,
    Seed,
    Why,
    Wide,
)
from edge_bench.app.cli.options.train import DataDir, DatasetName, ModelName, PipelineEpochs
from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.formats import Format, Layout

if TYPE_CHECKING:
    from edge_bench.app.training.fit.checkpoints import TrainingSettings
    from edge_bench.bench.measure.duration.fitting import Budget as FittingBudget
    from edge_bench.bench.progress import Progress
    from edge_bench.bench.records.run import Run, Settings

__all__ = ["pipeline"]


def pipeline(
    context: typer.Context,
    bundle: BundleFolder = DEFAULT_BUNDLE,
    model: ModelName = "paper-cnn",
    dataset: DatasetName = "fashion-mnist",
    data_dir: DataDir = None,
    epochs: PipelineEpochs = None,
    trials: Trials = 30,
    processes: Processes = 5,
    limit: Limit = None,
    budget: Budget = None,
    seed: Seed = 42,
    results: ResultsFolder = DEFAULT_RESULTS,
    fresh: Fresh = False,
    output_format: OutputFormat = Format.TABLE,
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Train a model, measure it on this machine, compare, and write a report.

    Completed steps are skipped and their results printed.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.report.write import write_report
    from edge_bench.app.tables.runs.run import run_table
    from edge_bench.app.training.fit.checkpoints import TrainingSettings
    from edge_bench.bench.analysis.comparison.comparison import compare as compare_runs
    from edge_bench.bench.measure.options.cores import chosen_cores
    from edge_bench.bench.measure.run_budget import run_budget
    from edge_bench.bench.records.run import Settings

    explicit = parsing.explicit_options(context)
    settings = Settings(trials=trials, processes=processes, limit=limit, seed=seed, cpus=chosen_cores())
    fitting = run_budget(
        budget, settings, explicit, results,
        once=not fresh, resume=False, explicit_options=None,
    )  # fmt: skip
    run, path = _train_and_measure(
        bundle, TrainingSettings(dataset=dataset, model=model, epochs=_epochs(epochs, dataset), seed=seed), data_dir,
        settings, fitting, results, console.progress(), fresh=fresh, with_epochs="epochs" in explicit,
    )  # fmt: skip
    compared = compare_runs([run]) if run.results_with_trials else None
    tables = [run_table(run), *(console.comparison_tables(compared) if compared else [])]
    print_answer([run], compared, tables, Shown(output_format, wide=wide, why=why), more="--why; all columns: --wide")
    (page,) = write_report([run], [bundle], results / "report.html", ["html"], Layout.COLUMN, console.progress())
    # paths go to stderr if a program parses stdout
    paths = "\n".join(["", *(one_line(line) for line in (f"bundle  {bundle}", f"run     {path}", f"report  {page}"))])
    console.print_text(paths, to_stderr=output_format is not Format.TABLE)
    finish_run(run, None, strict=False)


def _epochs(stated: int | None, dataset: str) -> int:
    """Return the number of epochs; ``auto`` trains for minutes only."""
    return stated or (3 if dataset == "auto" else 100)


def _train_and_measure(
    folder: Path,
    training: "TrainingSettings",
    data_dir: Path | None,
    settings: "Settings",
    budget: "FittingBudget | None",
    results: Path,
    progress: "Progress",
    *,
    fresh: bool,
    with_epochs: bool,
) -> tuple["Run", Path]:
    """Train and measure; completed steps are skipped. Return the Run and its path."""
    from edge_bench.app.cli import console
    from edge_bench.app.training.job import train_bundle
    from edge_bench.app.training.tensorflow import require_tensorflow
    from edge_bench.bench.io.disk_space import writable_folder
    from edge_bench.bench.measure.plan import Selection
    from edge_bench.bench.measure.request import BenchmarkRequest
    from edge_bench.bench.measure.session import measure
    from edge_bench.bench.records.bundle import Bundle
    from edge_bench.bench.system.cores import pinned

    require_tensorflow(folder)
    writable_folder(results)
    # epochs and learning rate follow from the data or the existing bundle, unless the epochs are set
    stated = {*training.__struct_fields__} - {"learning_rate", *(() if with_epochs else ("epochs",))}
    bundle = train_bundle(folder, training, progress, data_dir=data_dir, resume=True, explicit_options=stated)
    if not isinstance(bundle, Bundle):
        raise AssertionError("without stop_after a training ends in a bundle")
    if bundle.manifest.dataset.note:
        console.banner(bundle.manifest.dataset.note)
    with pinned(settings.cpus):
        request = BenchmarkRequest.from_bundle(folder, Selection(), settings, progress, budget)
        return measure(request, results, progress, once=not fresh)
