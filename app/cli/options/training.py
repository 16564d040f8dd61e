"""Options of ``train`` and ``all`` that say what is trained and how."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "DataDir",
    "DatasetName",
    "Dropout",
    "Epochs",
    "LearningRate",
    "ModelName",
    "NoDropout",
    "Resume",
    "StopAfter",
    "TrainBatchSize",
]
DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        envvar="EDGE_BENCH_DATASET",
        help="fashion-mnist, digits, cifar10, a folder of images with one folder a class, or auto: fashion-mnist, or "
        "digits where that cannot be had.",
    ),
]
ModelName = Annotated[str, typer.Option("--model", envvar="EDGE_BENCH_MODEL", help="paper-cnn or resnet20.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="EDGE_BENCH_DATA_DIR",
        help="Look for the data here and nowhere else. Without it: EDGE_BENCH_DATA, the cache, the official download.",
    ),
]
Epochs = Annotated[
    int, typer.Option(min=1, envvar="EDGE_BENCH_EPOCHS", help="Times the training images are gone through.")
]
TrainBatchSize = Annotated[
    int,
    typer.Option("--batch-size", min=1, envvar="EDGE_BENCH_TRAIN_BATCH_SIZE", help="Images a training step."),
]
LearningRate = Annotated[
    float,
    typer.Option(min=1e-12, envvar="EDGE_BENCH_LEARNING_RATE", help="Adam's, at the start; decays to 0 as a cosine."),
]
Dropout = Annotated[
    float,
    typer.Option(
        "--dropout",
        min=0,
        max=0.99,
        envvar="EDGE_BENCH_DROPOUT",
        help="Share of features dropped before Flatten.",
    ),
]
NoDropout = Annotated[
    bool, typer.Option("--no-dropout", envvar="EDGE_BENCH_NO_DROPOUT", help="The paper's first version.")
]
Resume = Annotated[
    bool,
    typer.Option("--resume", envvar="EDGE_BENCH_RESUME", help="Go on where a training ended, with its settings."),
]
StopAfter = Annotated[
    int | None,
    typer.Option(
        min=1,
        envvar="EDGE_BENCH_STOP_AFTER",
        help="End after this epoch on purpose; go on elsewhere with --resume.",
    ),
]
