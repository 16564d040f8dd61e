"""The command ``fleet train``: one training on several machines, one after the other."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli import parsing
from edge_bench.app.cli.options.declare import Section, argument, list_option, option
from edge_bench.app.cli.options.fleet import ApiTimeout, Engines, FleetFile, LocalEngine, RemoveImage, SshConfig, Tls
from edge_bench.app.cli.options.shared import Seed
from edge_bench.app.cli.options.train import DatasetName, Dropout, Epochs, LearningRate, ModelName, TrainBatchSize

__all__ = ["train"]

OutputBundle = Annotated[Path, argument("BUNDLE", "BUNDLE", help="Folder for the bundle.")]
StopAfterEpochs = Annotated[
    str | None,
    list_option(
        "--stop-after",
        env="FLEET_STOP_AFTER",
        section=Section.TRAINING,
        help="Epochs after which a machine hands over to the next one: 75, or 30,60. [default: equal shares]",
    ),
]
HostImage = Annotated[
    str,
    option(
        "--image",
        env="FLEET_TRAIN_IMAGE",
        section=Section.ENGINES,
        metavar="NAME|FILE",
        help="The host image: a name in the local engine, or a file written by `docker save`.",
    ),
]
DataDir = Annotated[
    Path | None,
    option(
        "--data-dir",
        metavar="FOLDER",
        help="Folder with the data set, sent to every machine. [default: EDGE_BENCH_DATA, otherwise each downloads it]",
    ),
]
ResumeTraining = Annotated[
    bool,
    option("--resume", help="Continue from the epochs that are finished."),
]


def train(
    bundle: OutputBundle,
    engine: Engines = None,
    fleet_file: FleetFile = None,
    ssh_config: SshConfig = None,
    tls: Tls = None,
    image: HostImage = "edge-bench-host",
    local_engine: LocalEngine = None,
    stop_after: StopAfterEpochs = None,
    model: ModelName = "paper-cnn",
    dataset: DatasetName = "fashion-mnist",
    data_dir: DataDir = None,
    epochs: Epochs = 100,
    batch_size: TrainBatchSize = 128,
    learning_rate: LearningRate = 1e-3,
    dropout: Dropout = 0.5,
    seed: Seed = 42,
    api_timeout: ApiTimeout = 30,
    remove_image: RemoveImage = False,
    resume: ResumeTraining = False,
) -> None:
    """Train one model on several machines, one after the other.

    Each machine trains its share of the epochs and passes the checkpoint on.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.fleet.docker.engine import Engine
    from edge_bench.app.fleet.docker.images import ImageSource
    from edge_bench.app.fleet.docker.inventory import engine_settings, local_engine_setting
    from edge_bench.app.fleet.sequential_training import TrainingJobSpec, data_folder, shares, train_in_turn
    from edge_bench.app.tables.models.training import training_summary
    from edge_bench.app.training.data.datasets import known_dataset
    from edge_bench.app.training.fit.architectures import trainable
    from edge_bench.app.training.fit.checkpoints import TrainingSettings

    settings = TrainingSettings(
        dataset=known_dataset(dataset), model=model, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        dropout=dropout if trainable(model).dropout else 0.0, seed=seed,
    )  # fmt: skip
    engines = engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls)
    plan = shares(engines, epochs, parsing.counts(stop_after, "--stop-after") if stop_after else None)
    source = ImageSource(image, lambda: Engine(local_engine_setting(local_engine), api_timeout))
    spec = TrainingJobSpec(
        bundle, settings, source, data_folder(settings, data_dir), timeout=api_timeout, remove_image=remove_image
    )
    try:
        trained = train_in_turn(spec, plan, console.progress(), resume=resume)
    finally:
        source.close()
    console.print_text(training_summary(trained))
