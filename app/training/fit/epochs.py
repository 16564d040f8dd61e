"""Training, epoch by epoch: each is a pure function of the weights, the optimizer, the seed and its number.

That is what makes an interrupted training end in the same weights as an uninterrupted one, and lets its epochs
run on several machines: nothing random is carried in memory from one epoch to the next.
"""

import math
import time
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
    "Examples",
    "Fit",
    "Team",
    "Training",
    "checked_loss",
    "epoch_order",
    "new_model",
    "prepare",
    "seed_dropout",
    "train_epochs",
]

#: Pixels 0..255 become 0..1.
SCALE = 1 / 255
PREPROCESSING = Preprocessing(scale=SCALE, offset=0.0, name="unit")
#: Dropout draws its masks from a counter; each epoch starts it here times its number, far from the epoch before.
_DRAWS_PER_EPOCH = 1 << 20
#: Each worker's masks come from a seed of its own, this far apart (2³² / golden ratio); worker 0 has --seed itself.
_SEEDS_APART = 0x9E3779B1
EVALUATION_BATCH = 500

Images = npt.NDArray[np.float32]  # [n, height, width, channels], 0..1
Labels = npt.NDArray[np.int32]  # [n]


class Training(msgspec.Struct):
    """A model as trained so far (a Keras model) and its history."""

    model: Any
    history: History
    settings: TrainingSettings

    @property
    def complete(self) -> bool:
        """Whether all epochs are done."""
        return len(self.history.loss) >= self.settings.epochs


@dataclass(frozen=True)
class Examples:
    """What is trained on and what is validated on, as the model takes it."""

    images: Images
    labels: Labels
    validation: tuple[Images, Labels]

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> "Examples":
        """Pixels scaled to 0..1, labels as int32."""
        return cls(
            _model_input(dataset.train_images),
            dataset.train_labels.astype(np.int32),
            (_model_input(dataset.validation_images), dataset.validation_labels.astype(np.int32)),
        )


class Fit(Protocol):
    """Trains a Keras model for one epoch (counted from 0): loss, accuracy, val_loss and val_accuracy afterwards."""

    def __call__(self, model: Any, epoch: int, examples: Examples, settings: TrainingSettings) -> dict[str, float]:
        """One epoch."""


class Team(Protocol):
    """Workers on several machines that train one model; seen from the one that keeps it."""

    size: int

    def fit(self, model: Any, history: History, last: int, dataset: Dataset, settings: TrainingSettings) -> Fit:
        """Tells the others what there is to do, up to epoch ``last``, and gives them the model as it is."""


def train_epochs(
    folder: Path,
    dataset: Dataset,
    settings: TrainingSettings,
    stop_after: int | None,
    progress: Progress,
    team: Team | None = None,
) -> Training:
    """Trains from the checkpoint in ``folder``, or from the start where there is none, to the last epoch.

    ``stop_after`` ends after that epoch (counted from the very first). Every epoch leaves a checkpoint. Raises
    BadInput where the checkpoint was made with other settings or other data.
    """
    prepare(settings)
    model, history = _begin(folder, dataset, settings)
    require_bundle_space(folder, model.count_params(), dataset.test_images.nbytes, checkpoints=True)
    examples = Examples.from_dataset(dataset)
    last = min(stop_after or settings.epochs, settings.epochs)
    done = len(history.loss)
    fit: Fit = team.fit(model, history, last, dataset, settings) if team else _fit
    progress.start("training", last, done)
    for epoch in range(done, last):
        began = time.perf_counter()
        logs = fit(model, epoch, examples, settings)
        checked_loss(logs["loss"], epoch)
        history = _longer(history, logs, time.perf_counter() - began, team.size if team else 1)
        save_checkpoint(folder, model, settings, dataset.info.sha256, history)
        progress.advance(1, _epoch_note(history))
    progress.finish(_epoch_note(history) if history.loss else "")
    return Training(model, history, settings)


def prepare(settings: TrainingSettings) -> None:
    """The same seed gives the same weights from here on."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()


def _begin(folder: Path, dataset: Dataset, settings: TrainingSettings) -> tuple[Any, History]:
    state = read_state(folder)
    if state is None:
        return new_model(dataset, settings), History()
    if state.settings != settings:
        differing = ", ".join(
            f"{name} {getattr(state.settings, name)} there, {getattr(settings, name)} asked for"
            for name in settings.__struct_fields__
            if getattr(state.settings, name) != getattr(settings, name)
        )
        raise BadInput(
            f"{folder}: the training to go on with has other settings: {differing}",
            "use the same settings, another --bundle, or --overwrite to start again",
        )
    if state.dataset_sha256 != dataset.info.sha256:
        raise BadInput(f"{folder}: the training began on other data than this {dataset.info.name}", "use the same data")
    return load_checkpoint(folder, state), state.history


def new_model(dataset: Dataset, settings: TrainingSettings) -> Any:
    """The model before its first epoch, compiled."""
    import keras

    shape = dataset.train_images.shape[1:]
    model = trainable(settings.model).build((shape[0], shape[1], shape[2]), len(dataset.info.classes), settings.dropout)
    steps = settings.epochs * math.ceil(len(dataset.train_labels) / settings.batch_size)
    # cosine decay to zero over all epochs (Loshchilov & Hutter 2017, without restarts)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def seed_dropout(model: Any, settings: TrainingSettings, epoch: int, worker: int = 0) -> None:
    """What is dropped in an epoch depends on the seed, the epoch and the worker, and on nothing before."""
    seed = (settings.seed + worker * _SEEDS_APART) % 2**32
    for layer in model.layers:
        if generator := getattr(layer, "seed_generator", None):
            generator.state.assign([seed, epoch * _DRAWS_PER_EPOCH % 2**32])


def epoch_order(settings: TrainingSettings, epoch: int, images: int) -> npt.NDArray[np.int64]:
    """The order in which an epoch goes through the training images."""
    return np.random.default_rng([settings.seed, epoch]).permutation(images)


def _fit(model: Any, epoch: int, examples: Examples, settings: TrainingSettings) -> dict[str, float]:
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


def checked_loss(loss: float, epoch: int) -> None:
    """EdgeBenchError where it is no number any more."""
    if not math.isfinite(loss):
        raise EdgeBenchError(
            f"the loss is not finite after epoch {epoch + 1}: the training diverged",
            "use a lower --learning-rate",
        )


def _longer(history: History, logs: dict[str, float], seconds: float, workers: int) -> History:
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
