"""An unfinished training on disk: a checkpoint of the last epoch, and a state file that names it.

Both are in ``training/`` inside the bundle's folder. Copying that folder lets another machine train the remaining
epochs. The state file is replaced last, so it always names a complete checkpoint, even after a kill.
"""

from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.files import is_within, replacing, sha256_of, write_atomically
from edge_bench.bench.io.record_codec import SCHEMA_VERSION, decode_record, encode_record
from edge_bench.bench.model_formats.keras_archive import check_keras
from edge_bench.bench.records.manifest import File, History

__all__ = [
    "TrainingSettings",
    "TrainingState",
    "checkpoint_path",
    "load_checkpoint",
    "read_state",
    "save_checkpoint",
    "training_folder",
]

STATE = "state.json"


class TrainingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that determine the weights, together with the data and the machine."""

    dataset: str = "fashion-mnist"
    model: str = "paper-cnn"
    epochs: int = 100
    batch_size: int = 128
    learning_rate: float = 1e-3
    dropout: float = 0.5
    seed: int = 42


class TrainingState(msgspec.Struct, frozen=True, kw_only=True):
    """Progress of a training."""

    schema_version: str = SCHEMA_VERSION
    settings: TrainingSettings
    dataset_sha256: str
    history: History
    checkpoint: File

    @property
    def epochs_done(self) -> int:
        """Number of epochs in the checkpoint."""
        return len(self.history.loss)


def training_folder(bundle: Path) -> Path:
    """Return the folder of a bundle's unfinished training."""
    return bundle / "training"


def read_state(bundle: Path) -> TrainingState | None:
    """Return the state of an unfinished training, or None if there is none. Raise BundleError if it is damaged."""
    path = training_folder(bundle) / STATE
    if not path.exists():
        return None
    state = decode_record(path, TrainingState, BundleError, "start again with --overwrite")
    if not state.history.is_whole:
        raise BundleError(f"{path}: the lists of its history differ in length", "start again with --overwrite")
    return state


def checkpoint_path(bundle: Path, state: TrainingState) -> Path:
    """Return the state's checkpoint. Only the name is used, so the path cannot leave the folder."""
    return training_folder(bundle) / Path(state.checkpoint.file).name


def save_checkpoint(bundle: Path, model: Any, settings: TrainingSettings, data_sha256: str, history: History) -> None:
    """Write the model with its optimizer, then the state that names the file, then remove older checkpoints."""
    folder = training_folder(bundle)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"epoch-{len(history.loss):04d}.keras"
    with replacing(path, suffix=".keras") as temporary:  # Keras chooses the format by the suffix
        model.save(temporary)
    checkpoint = File(file=path.name, bytes=path.stat().st_size, sha256=sha256_of(path))
    state = TrainingState(settings=settings, dataset_sha256=data_sha256, history=history, checkpoint=checkpoint)
    write_atomically(folder / STATE, encode_record(state))
    for other in folder.glob("epoch-*.keras"):
        if other != path:
            other.unlink()


def load_checkpoint(bundle: Path, state: TrainingState) -> Any:
    """Return the Keras model and its optimizer after the state's last epoch. Raise BundleError if it is damaged."""
    import keras

    path = checkpoint_path(bundle, state)
    if not path.is_file() or not is_within(bundle, path) or sha256_of(path) != state.checkpoint.sha256:
        raise BundleError(
            f"{path}: the checkpoint is missing or its checksum differs",
            "copy it again, or start again with --overwrite",
        )
    try:
        check_keras(path)
    except (OSError, ValueError) as cause:
        raise BundleError(f"{path}: not a checkpoint of edge-bench: {cause}", "start again with --overwrite") from None
    return keras.models.load_model(path, safe_mode=True)
