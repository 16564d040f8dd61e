"""Options of ``train`` and ``all``: data set, model, hyperparameters, workers."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.completion import DATASETS, MODELS, one_of
from edge_bench.app.cli.options.declare import Section, list_option, option

__all__ = [
    "DataDir",
    "DatasetEpochs",
    "DatasetName",
    "Dropout",
    "Epochs",
    "LearningRate",
    "ModelName",
    "NoDropout",
    "PipelineEpochs",
    "Resume",
    "StopAfter",
    "TrainBatchSize",
    "Wait",
    "WorkerIndex",
    "Workers",
]
DatasetName = Annotated[
    str,
    option(
        "--dataset",
        metavar="NAME|FOLDER",
        autocompletion=one_of(*DATASETS),
        help="fashion-mnist, digits, cifar10, a folder of images with one subfolder per class, or auto: fashion-mnist "
        "if available, otherwise digits.",
    ),
]
ModelName = Annotated[
    str, option("--model", metavar="NAME", autocompletion=one_of(*MODELS), help="paper-cnn or resnet20.")
]
DataDir = Annotated[
    Path | None,
    option(
        "--data-dir",
        metavar="FOLDER",
        help="Only folder to search for the data set. [default: EDGE_BENCH_DATA, then the cache, then download]",
    ),
]
Epochs = Annotated[int, option("--epochs", metavar="N", min=1, help="Number of training epochs.")]
DatasetEpochs = Annotated[
    int | None,
    option("--epochs", metavar="N", min=1, help="Number of training epochs. [default: 100; for digits 30]"),
]
PipelineEpochs = Annotated[
    int | None,
    option(
        "--epochs",
        metavar="N",
        min=1,
        help="Number of training epochs. [default: 100; with --dataset auto 3, for digits 30]",
    ),
]
Resume = Annotated[
    bool,
    option("--resume", help="Continue an unfinished training with its settings."),
]
TrainBatchSize = Annotated[
    int,
    option(
        "--batch-size",
        env="TRAIN_BATCH_SIZE",
        section=Section.TRAINING,
        metavar="N",
        min=1,
        help="Images per training step.",
    ),
]
LearningRate = Annotated[
    float,
    option(
        "--learning-rate",
        section=Section.TRAINING,
        metavar="RATE",
        min=1e-12,
        help="Initial learning rate of Adam, with cosine decay to 0.",
    ),
]
Dropout = Annotated[
    float,
    option(
        "--dropout",
        section=Section.TRAINING,
        metavar="SHARE",
        min=0,
        max=0.99,
        help="Share of features dropped before Flatten, 0 to 0.99.",
    ),
]
NoDropout = Annotated[
    bool, option("--no-dropout", section=Section.TRAINING, help="Train without dropout, the paper's first version.")
]
StopAfter = Annotated[
    int | None,
    option(
        "--stop-after",
        section=Section.TRAINING,
        metavar="EPOCH",
        min=1,
        help="Stop after this epoch; continue with --resume, here or on another machine.",
    ),
]

# -- several workers
Workers = Annotated[
    str | None,
    list_option(
        "--workers",
        section=Section.WORKERS,
        help="host:port of all workers that train together, the same list on each; or 2 for two processes on this "
        "machine. [default: TF_CONFIG, otherwise one process]",
    ),
]
WorkerIndex = Annotated[
    int | None,
    option(
        "--worker-index",
        section=Section.WORKERS,
        metavar="N",
        min=0,
        help="Position of this worker in --workers, from 0. Worker 0 writes the bundle; the others use its "
        "settings unless they set their own.",
    ),
]
Wait = Annotated[
    float,
    option(
        "--wait", section=Section.WORKERS, metavar="SECONDS", min=0, help="Maximum time to wait for the other workers."
    ),
]
