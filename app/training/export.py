"""From a trained model to a whole Bundle: variants, test set, plots, and the manifest last."""

import datetime
import importlib.metadata
import io
import itertools
import platform
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from app.training.checkpoints import training_folder
from app.training.convert import PRECISIONS, convert, describe
from app.training.datasets import Dataset
from app.training.train import PREPROCESSING, SCALE, Training
from bench.bundle import MANIFEST, Bundle, File, Manifest, ModelInfo, Split, TensorSpec, Variant
from bench.codec import encode_record
from bench.files import replacing, sha256_of, write_atomically
from bench.progress import Progress
from bench.version import __version__, revision

__all__ = ["entry_of", "export_bundle", "versions", "write_array", "write_keras"]

#: Training images that set the ranges of the int8 variant; TensorFlow's guide asks for a few hundred.
CALIBRATION_IMAGES = 500


def export_bundle(folder: Path, training: Training, dataset: Dataset, progress: Progress) -> Bundle:
    """Writes every part of the bundle into ``folder``, then the manifest that makes it one, and reads it back.

    Each file is renamed into place when whole. What is left of the training (its checkpoint) is removed last.
    """
    progress.start("exporting", len(PRECISIONS) + 1)
    variants = [write_keras(folder, training.model)]
    progress.advance(1, "keras")
    for name, content in convert(training.model, _calibration_images(dataset, training.settings.seed)):
        path = folder / "variants" / f"{name}.tflite"
        write_atomically(path, content)
        tensor_in, tensor_out, operators = describe(content)
        variants.append(
            Variant(
                name=name,
                precision=PRECISIONS[name],
                input=tensor_in,
                output=tensor_out,
                operators=operators,
                **msgspec.structs.asdict(entry_of(folder, path)),
            )
        )
        progress.advance(1, name)
    manifest = Manifest(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        dataset=dataset.info,
        split=Split(
            train=len(dataset.train_labels),
            validation=len(dataset.validation_labels),
            test=len(dataset.test_labels),
        ),
        seed=training.settings.seed,
        model=ModelInfo(name=training.settings.model, parameters=training.model.count_params()),
        hyper_parameters=_hyper_parameters(training),
        preprocessing=PREPROCESSING,
        versions=versions(),
        test_images=write_array(folder, "test/images.npy", dataset.test_images),
        test_labels=write_array(folder, "test/labels.npy", dataset.test_labels),
        history=_write_history(folder, training),
        variants=variants,
    )
    _draw_training(folder, training)
    write_atomically(folder / MANIFEST, encode_record(manifest))
    bundle = Bundle.open(folder)
    shutil.rmtree(training_folder(folder), ignore_errors=True)
    progress.finish(f"{len(variants)} variants")
    return bundle


def _calibration_images(dataset: Dataset, seed: int) -> npt.NDArray[np.float32]:
    images = dataset.train_images
    drawn = np.random.default_rng(seed).permutation(len(images))[:CALIBRATION_IMAGES]
    scaled: npt.NDArray[np.float32] = images[np.sort(drawn)] * np.float32(SCALE)
    return scaled


def write_keras(folder: Path, model: Any) -> Variant:
    """The original, without its optimizer, as ``model.keras``."""
    path = folder / "model.keras"
    with replacing(path, suffix=".keras") as temporary:
        model.save(temporary, include_optimizer=False)
    tensors = [TensorSpec(dtype="float32", shape=[1, *shape[1:]]) for shape in (model.input_shape, model.output_shape)]
    return Variant(
        name="keras",
        precision="float32, the original",
        input=tensors[0],
        output=tensors[1],
        **msgspec.structs.asdict(entry_of(folder, path)),
    )


def write_array(folder: Path, name: str, array: npt.NDArray[Any]) -> File:
    """An array as a .npy file of the bundle."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    write_atomically(folder / name, buffer.getvalue())
    return entry_of(folder, folder / name)


def _write_history(folder: Path, training: Training) -> File:
    write_atomically(folder / "history.json", encode_record(training.history))
    return entry_of(folder, folder / "history.json")


def _draw_training(folder: Path, training: Training) -> None:
    from app.presentation.plots import draw_training

    draw_training(training.history, folder / "plots" / "training.png")


def entry_of(folder: Path, path: Path) -> File:
    """What the manifest says of a file."""
    return File(file=path.relative_to(folder).as_posix(), bytes=path.stat().st_size, sha256=sha256_of(path))


def _hyper_parameters(training: Training) -> dict[str, int | float | str]:
    settings = msgspec.structs.asdict(training.settings)
    return {name: settings[name] for name in ("epochs", "batch_size", "learning_rate", "dropout")} | {
        "optimizer": "Adam",
        "schedule": "cosine decay to 0",
        "loss": "sparse categorical cross-entropy",
        **_workers(training.history.workers),
    }


def _workers(each_epoch: list[int]) -> dict[str, int | float | str]:
    """How many trained together, where it was ever more than one: a number, or what it was in turn."""
    if max(each_epoch, default=1) == 1:
        return {}
    runs = [(workers, len(list(epochs))) for workers, epochs in itertools.groupby(each_epoch)]
    return {"workers": runs[0][0] if len(runs) == 1 else ", ".join(f"{n} for {count} epochs" for n, count in runs)}


def versions() -> dict[str, str]:
    """Of everything that decides what is exported."""
    from bench.runtimes import RUNTIMES, installed_version

    return {
        "edge-bench": __version__,
        "edge-bench revision": revision(),
        "python": platform.python_version(),
        "tensorflow": installed_version(RUNTIMES["tensorflow"]) or "",
        "keras": importlib.metadata.version("keras"),
        "numpy": np.__version__,
    }
