"""`edge-bench fleet train`: one training on several machines in turn."""

from pathlib import Path
from typing import Annotated

import typer

from app import arguments as a
from app import fleet_options as f
from app import options as o

__all__ = ["train"]

BundleToMake = Annotated[
    Path, typer.Argument(metavar="BUNDLE", envvar="EDGE_BENCH_BUNDLE", help="Folder that the bundle is written to.")
]
HandOver = Annotated[
    str | None,
    typer.Option(
        "--stop-after",
        envvar="EDGE_BENCH_FLEET_STOP_AFTER",
        help="Epochs after which each machine but the last hands over: 75, or 30,60.  [default: even shares]",
    ),
]
HostImage = Annotated[
    str,
    typer.Option(
        "--image",
        envvar="EDGE_BENCH_FLEET_TRAIN_IMAGE",
        help="The host image: one of the engine here, or a file that `docker save` wrote.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        envvar="EDGE_BENCH_DATA_DIR",
        help="A folder with the data set, sent to every machine.  [default: EDGE_BENCH_DATA's, or each downloads it]",
    ),
]
GoOn = Annotated[
    bool,
    typer.Option("--resume", envvar="EDGE_BENCH_RESUME", help="Go on from the epochs that are here."),
]


def train(
    bundle: BundleToMake,
    engine: f.Engines = None,
    fleet_file: f.FleetFile = None,
    ssh_config: f.SshConfig = None,
    tls: f.Tls = None,
    image: HostImage = "edge-bench-host",
    desk: f.Desk = None,
    stop_after: HandOver = None,
    model: o.ModelName = "paper-cnn",
    dataset: o.DatasetName = "fashion-mnist",
    data_dir: DataDir = None,
    epochs: o.Epochs = 100,
    batch_size: o.TrainBatchSize = 128,
    learning_rate: o.LearningRate = 1e-3,
    dropout: o.Dropout = 0.5,
    seed: o.Seed = 42,
    answer_within: f.AnswerWithin = 30,
    remove_image: f.RemoveImage = False,
    resume: GoOn = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train on one machine after another: each does its share of the epochs, and the checkpoint travels."""
    from app import console
    from app.fleet.engine import Engine
    from app.fleet.images import ImageSource
    from app.fleet.settings import desk_setting, engine_settings
    from app.fleet.training import TrainingOrder, data_folder, shares, train_in_turn
    from app.presentation.training_text import training_summary
    from app.training.checkpoints import TrainingSettings
    from app.training.datasets import known_dataset
    from app.training.models import trainable

    settings = TrainingSettings(
        dataset=known_dataset(dataset), model=model, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        dropout=dropout if trainable(model).dropout else 0.0, seed=seed,
    )  # fmt: skip
    engines = engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls)
    plan = shares(engines, epochs, a.counts(stop_after, "--stop-after") if stop_after else None)
    source = ImageSource(image, lambda: Engine(desk_setting(desk), answer_within))
    order = TrainingOrder(
        bundle, settings, source, data_folder(settings, data_dir), timeout=answer_within, remove_image=remove_image
    )
    try:
        trained = train_in_turn(order, plan, console.progress(), resume=resume)
    finally:
        source.close()
    print(training_summary(trained))
