"""An unfinished training on disk: after every epoch a checkpoint, and a state file that names the last whole one.

They live in ``training/`` inside the bundle's folder, so that the folder is what travels when one machine trains
some epochs and another the rest. The state file is replaced last, so a kill at any moment leaves a pair that fits.
"""

from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.errors import BundleError
from edge_bench.bench.formats.keras_archive import check_keras
from edge_bench.bench.io.files import is_within, replacing, sha256_of, write_atomically
from edge_bench.bench.io.record_codec import SCHEMA_VERSION, decode_record, encode_record
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
    """What decides the weights, together with the data and the machine."""

    dataset: str = "fashion-mnist"
    model: str = "paper-cnn"
    epochs: int = 100
    batch_size: int = 128
    learning_rate: float = 1e-3
    dropout: float = 0.5
    seed: int = 42


class TrainingState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a training has come."""

    schema_version: str = SCHEMA_VERSION
    settings: TrainingSettings
    dataset_sha256: str
    history: History
    checkpoint: File

    @property
    def epochs_done(self) -> int:
        """Epochs whose result is in the checkpoint."""
        return len(self.history.loss)


def training_folder(bundle: Path) -> Path:
    """Where the unfinished training of a bundle is kept."""
    return bundle / "training"


def read_state(bundle: Path) -> TrainingState | None:
    """The state of an unfinished training, or None where there is none. BundleError where it is damaged."""
    path = training_folder(bundle) / STATE
    if not path.exists():
        return None
    state = decode_record(path, TrainingState, BundleError, "start again with --overwrite")
    if not state.history.is_whole:
        raise BundleError(f"{path}: its history does not fit itself", "start again with --overwrite")
    return state


def checkpoint_path(bundle: Path, state: TrainingState) -> Path:
    """The file that a state names, which is beside it, whatever it says."""
    return training_folder(bundle) / Path(state.checkpoint.file).name


def save_checkpoint(bundle: Path, model: Any, settings: TrainingSettings, data_sha256: str, history: History) -> None:
    """Writes the model with its optimizer, then the state that names it, then removes the one before."""
    folder = training_folder(bundle)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"epoch-{len(history.loss):04d}.keras"
    with replacing(path, suffix=".keras") as temporary:  # Keras knows the format by the name
        model.save(temporary)
    entry = File(file=path.name, bytes=path.stat().st_size, sha256=sha256_of(path))
    state = TrainingState(settings=settings, dataset_sha256=data_sha256, history=history, checkpoint=entry)
    write_atomically(folder / STATE, encode_record(state))
    for other in folder.glob("epoch-*.keras"):
        if other != path:
            other.unlink()


def load_checkpoint(bundle: Path, state: TrainingState) -> Any:
    """The Keras model and its optimizer as they were after the state's last epoch; BundleError where damaged."""
    import keras

    path = checkpoint_path(bundle, state)
    if not path.is_file() or not is_within(bundle, path) or sha256_of(path) != state.checkpoint.sha256:
        raise BundleError(f"{path}: the checkpoint is missing or altered", "copy it again, or start with --overwrite")
    try:
        check_keras(path)
    except (OSError, ValueError) as cause:
        raise BundleError(f"{path}: not a checkpoint of edge-bench: {cause}", "start again with --overwrite") from None
    return keras.models.load_model(path, safe_mode=True)
