"""Training by epochs: each is a pure function of the weights, the optimizer state, the seed and the epoch's number.

No random state is kept in memory between epochs. An interrupted training therefore ends with the same weights as an
uninterrupted one, and different machines can train different epochs.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.app.training.data.datasets import Dataset
from edge_bench.app.training.fit.architectures import trainable
from edge_bench.app.training.fit.checkpoints import TrainingSettings, load_checkpoint, read_state, save_checkpoint
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.disk_space import require_bundle_space
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import History, Preprocessing

__all__ = [
    "EVALUATION_BATCH",
    "PREPROCESSING",
    "DistributedTraining",
    "EpochTrainer",
    "Examples",
    "TrainedModel",
    "check_loss",
    "epoch_order",
    "make_deterministic",
    "new_model",
    "seed_dropout",
    "train_epochs",
]

#: Scales pixels from 0..255 to 0..1.
SCALE = 1 / 255
PREPROCESSING = Preprocessing(scale=SCALE, offset=0.0, name="unit")
#: Dropout generates its masks from a counter. Epoch e starts it at e times this value, so epochs do not overlap.
_EPOCH_COUNTER_STRIDE = 1 << 20
#: Difference between the dropout seeds of two workers (2³² / golden ratio). Worker 0 uses --seed itself.
_WORKER_SEED_STRIDE = 0x9E3779B1
#: Images per batch of validation.
EVALUATION_BATCH = 500

Images = npt.NDArray[np.float32]  # [n, height, width, channels], 0..1
Labels = npt.NDArray[np.int32]  # [n]


class TrainedModel(msgspec.Struct):
    """A model after its last trained epoch, and its history."""

    model: Any  # a Keras model
    history: History
    settings: TrainingSettings

    @property
    def complete(self) -> bool:
        """Whether all epochs are trained."""
        return len(self.history.loss) >= self.settings.epochs


@dataclass(frozen=True)
class Examples:
    """Training and validation images as model inputs, and their labels."""

    images: Images
    labels: Labels
    validation: tuple[Images, Labels]

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> "Examples":
        """Return a data set's pixels scaled to 0..1, and its labels as int32."""
        return cls(
            _model_input(dataset.train_images),
            dataset.train_labels.astype(np.int32),
            (_model_input(dataset.validation_images), dataset.validation_labels.astype(np.int32)),
        )


#: Trains a Keras model for one epoch, counted from 0: loss, accuracy, val_loss and val_accuracy afterwards.
EpochTrainer = Callable[[Any, int, Examples, TrainingSettings], dict[str, float]]


class DistributedTraining(Protocol):
    """A training with several workers, controlled by the chief."""

    size: int  # number of workers

    def start(
        self, model: Any, history: History, last: int, dataset: Dataset, settings: TrainingSettings
    ) -> EpochTrainer:
        """Send the plan, up to epoch ``last``, and the model's state to the other workers."""


def train_epochs(
    folder: Path,
    dataset: Dataset,
    settings: TrainingSettings,
    stop_after: int | None,
    progress: Progress,
    chief: DistributedTraining | None = None,
) -> TrainedModel:
    """Train from the checkpoint in ``folder``, or from the start if there is none, to the last epoch.

    ``stop_after`` is the number of an earlier epoch to stop after, counted from 1. Every epoch writes a checkpoint.
    Raise BadInput if the existing checkpoint has other settings or other data.
    """
    make_deterministic(settings)
    model, history = _load_or_create_model(folder, dataset, settings)
    require_bundle_space(folder, model.count_params(), dataset.test_images.nbytes, checkpoints=True)
    examples = Examples.from_dataset(dataset)
    last = min(stop_after or settings.epochs, settings.epochs)
    done = len(history.loss)
    train_epoch: EpochTrainer = chief.start(model, history, last, dataset, settings) if chief else _train_epoch
    progress.start("training", last, done)
    for epoch in range(done, last):
        start = time.perf_counter()
        logs = train_epoch(model, epoch, examples, settings)
        check_loss(logs["loss"], epoch)
        history = _append_epoch(history, logs, time.perf_counter() - start, chief.size if chief else 1)
        save_checkpoint(folder, model, settings, dataset.info.sha256, history)
        progress.advance(1, _epoch_note(history))
    progress.finish(_epoch_note(history) if history.loss else "")
    return TrainedModel(model, history, settings)


def make_deterministic(settings: TrainingSettings) -> None:
    """Set all seeds and deterministic operations, so that the same seed gives the same weights."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()


def _load_or_create_model(folder: Path, dataset: Dataset, settings: TrainingSettings) -> tuple[Any, History]:
    state = read_state(folder)
    if state is None:
        return new_model(dataset, settings), History()
    if state.settings != settings:
        differing = ", ".join(
            f"{name} {getattr(state.settings, name)} there, {getattr(settings, name)} requested"
            for name in settings.__struct_fields__
            if getattr(state.settings, name) != getattr(settings, name)
        )
        raise BadInput(
            f"{folder}: the unfinished training has other settings: {differing}",
            "use the same settings, another --bundle, or --overwrite to start again",
        )
    if state.dataset_sha256 != dataset.info.sha256:
        raise BadInput(
            f"{folder}: the unfinished training used other data than this {dataset.info.name}", "use the same data"
        )
    return load_checkpoint(folder, state), state.history


def new_model(dataset: Dataset, settings: TrainingSettings) -> Any:
    """Return the compiled model before its first epoch."""
    import keras

    shape = dataset.train_images.shape[1:]
    model = trainable(settings.model).build((shape[0], shape[1], shape[2]), len(dataset.info.classes), settings.dropout)
    steps = settings.epochs * math.ceil(len(dataset.train_labels) / settings.batch_size)
    # cosine decay to zero over all epochs (Loshchilov & Hutter 2017, without restarts)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def seed_dropout(model: Any, settings: TrainingSettings, epoch: int, worker: int = 0) -> None:
    """Make an epoch's dropout masks depend only on the seed, the epoch and the worker."""
    seed = (settings.seed + worker * _WORKER_SEED_STRIDE) % 2**32
    for layer in model.layers:
        if generator := getattr(layer, "seed_generator", None):
            generator.state.assign([seed, epoch * _EPOCH_COUNTER_STRIDE % 2**32])


def epoch_order(settings: TrainingSettings, epoch: int, images: int) -> npt.NDArray[np.int64]:
    """Return the order of the training images in an epoch: int64 [images]."""
    return np.random.default_rng([settings.seed, epoch]).permutation(images)


def _train_epoch(model: Any, epoch: int, examples: Examples, settings: TrainingSettings) -> dict[str, float]:
    seed_dropout(model, settings, epoch)
    order = epoch_order(settings, epoch, len(examples.labels))
    logs = model.fit(
        examples.images[order],
        examples.labels[order],
        shuffle=False,
        batch_size=settings.batch_size,
        initial_epoch=epoch,
        epochs=epoch + 1,
        validation_data=examples.validation,
        validation_batch_size=EVALUATION_BATCH,
        verbose=0,
    ).history
    return {name: float(values[0]) for name, values in logs.items()}


def check_loss(loss: float, epoch: int) -> None:
    """Raise EdgeBenchError if the loss is not finite."""
    if not math.isfinite(loss):
        raise EdgeBenchError(
            f"the loss is not finite after epoch {epoch + 1}: the training diverged",
            "use a lower --learning-rate",
        )


def _append_epoch(history: History, logs: dict[str, float], seconds: float, workers: int) -> History:
    done = len(history.loss)
    return History(
        loss=[*history.loss, logs["loss"]],
        accuracy=[*history.accuracy, logs["accuracy"]],
        val_loss=[*history.val_loss, logs["val_loss"]],
        val_accuracy=[*history.val_accuracy, logs["val_accuracy"]],
        seconds=[*history.seconds, round(seconds, 3)],
        workers=[*history.workers, *[1] * (done - len(history.workers)), workers],
    )


def _model_input(images: npt.NDArray[np.uint8]) -> Images:
    scaled: Images = images * np.float32(SCALE)
    return scaled


def _epoch_note(history: History) -> str:
    return (
        f"loss {history.loss[-1]:.4f}, accuracy {history.accuracy[-1]:.4f}, "
        f"validation {history.val_loss[-1]:.4f}, {history.val_accuracy[-1]:.4f}"
    )
