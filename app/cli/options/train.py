"""Options of ``train`` and ``all``: data set, model, hyperparameters, workers."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import list_option, option

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
]
DatasetName = Annotated[
    str,
    option(
        "--dataset",
        help="fashion-mnist, digits, cifar10, a folder of images with one folder a class, or auto: fashion-mnist, or "
        "digits where that cannot be had.",
    ),
]
ModelName = Annotated[str, option("--model", help="paper-cnn or resnet20.")]
DataDir = Annotated[
    Path | None,
    option(
        "--data-dir",
        help="Look for the data here and nowhere else. Without it: EDGE_BENCH_DATA, the cache, the official download.",
    ),
]
Epochs = Annotated[int, option("--epochs", min=1, help="Number of training epochs.")]
DatasetEpochs = Annotated[
    int | None,
    option("--epochs", min=1, help="Number of training epochs.  [default: 100; for digits 30]"),
]
PipelineEpochs = Annotated[
    int | None,
    option("--epochs", min=1, help="Number of training epochs.  [default: 100; with --dataset auto 3, for digits 30]"),
]
TrainBatchSize = Annotated[
    int,
    option("--batch-size", env="TRAIN_BATCH_SIZE", min=1, help="Images a training step."),
]
LearningRate = Annotated[
    float,
    option("--learning-rate", min=1e-12, help="Adam's, at the start; decays to 0 as a cosine."),
]
Dropout = Annotated[
    float,
    option("--dropout", min=0, max=0.99, help="Share of features dropped before Flatten."),
]
NoDropout = Annotated[bool, option("--no-dropout", help="The paper's first version.")]
Resume = Annotated[
    bool,
    option("--resume", help="Go on where a training ended, with its settings."),
]
StopAfter = Annotated[
    int | None,
    option("--stop-after", min=1, help="End after this epoch on purpose; go on elsewhere with --resume."),
]

# -- several workers
Workers = Annotated[
    str | None,
    list_option(
        "--workers",
        help="Train together: host:port,host:port of all workers, the same everywhere; or 2: two processes here.  "
        "[default: TF_CONFIG, or this one alone]",
    ),
]
WorkerIndex = Annotated[
    int | None,
    option(
        "--worker-index",
        min=0,
        help="Which of --workers this one is; 0 writes the bundle, the others take what is not stated from it.",
    ),
]
Wait = Annotated[
    float,
    option("--wait", min=0, help="Seconds to wait for the other workers."),
]
