"""From a trained model to a whole Bundle: variants, test set, plots, and the manifest last."""

import datetime
import itertools
import shutil
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.bundle_files import entry_of, versions, write_array, write_keras
from edge_bench.app.conversion.precisions import PRECISIONS, convert, describe
from edge_bench.app.training.data.datasets import Dataset
from edge_bench.app.training.fit.checkpoints import training_folder
from edge_bench.app.training.fit.epochs import PREPROCESSING, SCALE, Training
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.manifest import File, Manifest, ModelInfo, Split, Variant

__all__ = ["export_bundle"]

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


def _write_history(folder: Path, training: Training) -> File:
    write_atomically(folder / "history.json", encode_record(training.history))
    return entry_of(folder, folder / "history.json")


def _draw_training(folder: Path, training: Training) -> None:
    from edge_bench.app.figures.training import draw_training

    draw_training(training.history, folder / "plots" / "training.png")


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
