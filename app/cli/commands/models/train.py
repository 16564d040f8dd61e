"""The command ``train``."""

import os

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.options.models import ExportFormats
from edge_bench.app.cli.options.shared import DEFAULT_BUNDLE, BundleFolder, Overwrite, Seed
from edge_bench.app.cli.options.train import (
    DataDir,
    DatasetEpochs,
    DatasetName,
    Dropout,
    LearningRate,
    ModelName,
    NoDropout,
    Resume,
    StopAfter,
    TrainBatchSize,
    Wait,
    WorkerIndex,
    Workers,
)

__all__ = ["train"]


def train(
    context: typer.Context,
    bundle: BundleFolder = DEFAULT_BUNDLE,
    model: ModelName = "paper-cnn",
    dataset: DatasetName = "fashion-mnist",
    data_dir: DataDir = None,
    epochs: DatasetEpochs = None,
    batch_size: TrainBatchSize = 128,
    learning_rate: LearningRate = 1e-3,
    dropout: Dropout = 0.5,
    no_dropout: NoDropout = False,
    seed: Seed = 42,
    to: ExportFormats = None,
    resume: Resume = False,
    stop_after: StopAfter = None,
    overwrite: Overwrite = False,
    workers: Workers = None,
    worker_index: WorkerIndex = None,
    wait: Wait = 300,
) -> None:
    """Train a model and write a bundle with all variants.

    A bundle is a folder with the variants of the model, the test set, the training history and a manifest.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.tables.models.training import training_summary
    from edge_bench.app.training.distributed.cluster import stated_cluster
    from edge_bench.app.training.fit.checkpoints import TrainingSettings
    from edge_bench.app.training.job import train_bundle
    from edge_bench.bench.measure.options.values import names

    settings = TrainingSettings(
        dataset=dataset,
        model=model,
        epochs=epochs or 100,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=0.0 if no_dropout else dropout,
        seed=seed,
    )
    trained = train_bundle(
        bundle, settings, console.progress(),
        data_dir=data_dir, resume=resume, stop_after=stop_after, overwrite=overwrite,
        explicit_options=parsing.explicit_options(context),
        cluster=stated_cluster(workers, worker_index, os.environ), wait=wait, formats=names(to),
    )  # fmt: skip
    console.print_text(training_summary(trained))
