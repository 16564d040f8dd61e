"""Training, epoch by epoch: each is a pure function of the weights, the optimizer, the seed and its number.

That is what makes an interrupted training end in the same weights as an uninterrupted one, and lets its epochs
run on several machines: nothing random is carried in memory from one epoch to the next.
"""

import math
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from app.training.checkpoints import TrainingSettings, load_checkpoint, read_state, save_checkpoint
from app.training.datasets import Dataset
from app.training.models import trainable
from app.training.room import room_for_bundle
from bench.bundle import History, Preprocessing
from bench.errors import BadInput, EdgeBenchError
from bench.progress import Progress

__all__ = ["PREPROCESSING", "Training", "train_epochs"]

#: Pixels 0..255 become 0..1.
SCALE = 1 / 255
PREPROCESSING = Preprocessing(scale=SCALE, offset=0.0, name="unit")
#: Dropout draws its masks from a counter; each epoch starts it here times its number, far from the epoch before.
_DRAWS_AN_EPOCH = 1 << 20
_EVALUATION_BATCH = 500


class Training(msgspec.Struct):
    """A model as trained so far (a Keras model) and its history."""

    model: Any
    history: History
    settings: TrainingSettings

    @property
    def complete(self) -> bool:
        """Whether all epochs are done."""
        return len(self.history.loss) >= self.settings.epochs


def train_epochs(
    folder: Path, dataset: Dataset, settings: TrainingSettings, stop_after: int | None, progress: Progress
) -> Training:
    """Trains from the checkpoint in ``folder``, or from the start where there is none, to the last epoch.

    ``stop_after`` ends after that epoch (counted from the very first). Every epoch leaves a checkpoint. Raises
    BadInput where the checkpoint was made with other settings or other data.
    """
    model, history = _begin(folder, dataset, settings)
    room_for_bundle(folder, model.count_params(), dataset.test_images.nbytes, checkpoints=True)
    scaled, labels = _model_input(dataset.train_images), dataset.train_labels.astype(np.int32)
    validation = (_model_input(dataset.validation_images), dataset.validation_labels.astype(np.int32))
    last = min(stop_after or settings.epochs, settings.epochs)
    done = len(history.loss)
    progress.start("training", last, done)
    for epoch in range(done, last):
        history = _one_epoch(model, epoch, scaled, labels, validation, settings, history)
        save_checkpoint(folder, model, settings, dataset.info.sha256, history)
        progress.advance(1, _epoch_note(history))
    progress.finish(_epoch_note(history) if history.loss else "")
    return Training(model, history, settings)


def _begin(folder: Path, dataset: Dataset, settings: TrainingSettings) -> tuple[Any, History]:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    state = read_state(folder)
    if state is None:
        return _new_model(dataset, settings), History()
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


def _new_model(dataset: Dataset, settings: TrainingSettings) -> Any:
    import keras

    shape = dataset.train_images.shape[1:]
    model = trainable(settings.model).build((shape[0], shape[1], shape[2]), len(dataset.info.classes), settings.dropout)
    steps = settings.epochs * math.ceil(len(dataset.train_labels) / settings.batch_size)
    # cosine decay to zero over all epochs (Loshchilov & Hutter 2017, without restarts)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _one_epoch(
    model: Any,
    epoch: int,
    images: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int32],
    validation: tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]],
    settings: TrainingSettings,
    history: History,
) -> History:
    for layer in model.layers:
        if generator := getattr(layer, "seed_generator", None):
            generator.state.assign([settings.seed % 2**32, epoch * _DRAWS_AN_EPOCH % 2**32])
    order = np.random.default_rng([settings.seed, epoch]).permutation(len(labels))
    began = time.perf_counter()
    logs = model.fit(
        images[order],
        labels[order],
        shuffle=False,
        batch_size=settings.batch_size,
        initial_epoch=epoch,
        epochs=epoch + 1,
        validation_data=validation,
        validation_batch_size=_EVALUATION_BATCH,
        verbose=0,
    ).history
    if not math.isfinite(logs["loss"][0]):
        raise EdgeBenchError(
            f"the loss is not finite after epoch {epoch + 1}: the training diverged",
            "use a lower --learning-rate",
        )
    return History(
        loss=[*history.loss, float(logs["loss"][0])],
        accuracy=[*history.accuracy, float(logs["accuracy"][0])],
        val_loss=[*history.val_loss, float(logs["val_loss"][0])],
        val_accuracy=[*history.val_accuracy, float(logs["val_accuracy"][0])],
        seconds=[*history.seconds, round(time.perf_counter() - began, 3)],
    )


def _model_input(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    scaled: npt.NDArray[np.float32] = images * np.float32(SCALE)
    return scaled


def _epoch_note(history: History) -> str:
    return (
        f"loss {history.loss[-1]:.4f}, accuracy {history.accuracy[-1]:.4f}, "
        f"validation {history.val_loss[-1]:.4f}, {history.val_accuracy[-1]:.4f}"
    )
