"""Export of a trained model as a Bundle: variants, test set, plots, and the manifest last."""

import datetime
import itertools
import shutil
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.bundle_files import (
    file_entry,
    keras_specs,
    save_keras,
    versions,
    write_array,
    write_keras,
    write_tflite,
)
from edge_bench.app.conversion.convertible import open_convertible
from edge_bench.app.conversion.ncnn.variant import NCNN, NcnnConversion
from edge_bench.app.conversion.precisions import PRECISIONS, convert_all_precisions
from edge_bench.app.training.data.datasets import Dataset
from edge_bench.app.training.fit.checkpoints import training_folder
from edge_bench.app.training.fit.epochs import PREPROCESSING, SCALE, TrainedModel
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.manifest import File, Manifest, ModelInfo, Split, Variant
from edge_bench.bench.wording import counted

__all__ = ["export_bundle"]

#: Training images that determine the ranges of the int8 variant. TensorFlow's guide recommends a few hundred.
CALIBRATION_IMAGES = 500


def export_bundle(
    folder: Path, trained: TrainedModel, dataset: Dataset, progress: Progress, ncnn: NcnnConversion | None = None
) -> Bundle:
    """Write all files of the bundle into ``folder``, the manifest last. Return the bundle as read back from disk.

    Each file is renamed into place when complete. The training's checkpoint is removed last. With ``ncnn``, the bundle
    has a variant for it, too.
    """
    progress.start("exporting", len(PRECISIONS) + (2 if ncnn else 1))
    progress.expect(None)  # the steps take different times
    variants = [write_keras(folder, keras_specs(trained.model), lambda path: save_keras(path, trained.model))]
    progress.advance(1, "keras")
    for name, content in convert_all_precisions(trained.model, _calibration_images(dataset, trained.settings.seed)):
        variants.append(write_tflite(folder, name, content))
        progress.advance(1, name)
    if ncnn:
        variants.append(_write_ncnn(folder, variants[0], dataset, ncnn, progress))
        progress.advance(1, NCNN)
    manifest = Manifest(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        dataset=dataset.info,
        split=Split(
            train=len(dataset.train_labels),
            validation=len(dataset.validation_labels),
            test=len(dataset.test_labels),
        ),
        seed=trained.settings.seed,
        model=ModelInfo(name=trained.settings.model, parameters=trained.model.count_params()),
        hyper_parameters=_hyper_parameters(trained),
        preprocessing=PREPROCESSING,
        versions=versions() | (ncnn.versions() if ncnn else {}),
        test_images=write_array(folder, "test/images.npy", dataset.test_images),
        test_labels=write_array(folder, "test/labels.npy", dataset.test_labels),
        history=_write_history(folder, trained),
        variants=variants,
    )
    _draw_training(folder, trained)
    write_atomically(folder / MANIFEST, encode_record(manifest))
    bundle = Bundle.open(folder)
    shutil.rmtree(training_folder(folder), ignore_errors=True)
    progress.finish(counted(len(variants), "variant"))
    return bundle


def _write_ncnn(folder: Path, original: Variant, dataset: Dataset, ncnn: NcnnConversion, progress: Progress) -> Variant:
    try:
        with open_convertible(str(folder / original.file), "none", ncnn.timeout) as source:
            return ncnn.write(source, original, folder, dataset.test_images, PREPROCESSING, progress)
    except EdgeBenchError as cause:
        raise EdgeBenchError(
            cause.problem, "rerun with --resume and without --to for a bundle without ncnn; no epoch is repeated"
        ) from None


def _calibration_images(dataset: Dataset, seed: int) -> npt.NDArray[np.float32]:
    images = dataset.train_images
    sample = np.random.default_rng(seed).permutation(len(images))[:CALIBRATION_IMAGES]
    scaled: npt.NDArray[np.float32] = images[np.sort(sample)] * np.float32(SCALE)
    return scaled


def _write_history(folder: Path, trained: TrainedModel) -> File:
    write_atomically(folder / "history.json", encode_record(trained.history))
    return file_entry(folder, folder / "history.json")


def _draw_training(folder: Path, trained: TrainedModel) -> None:
    from edge_bench.app.figures.training import draw_training

    draw_training(trained.history, folder / "plots" / "training.png")


def _hyper_parameters(trained: TrainedModel) -> dict[str, int | float | str]:
    settings = msgspec.structs.asdict(trained.settings)
    return {name: settings[name] for name in ("epochs", "batch_size", "learning_rate", "dropout")} | {
        "optimizer": "Adam",
        "schedule": "cosine decay to 0",
        "loss": "sparse categorical cross-entropy",
        **_worker_counts(trained.history.workers),
    }


def _worker_counts(each_epoch: list[int]) -> dict[str, int | float | str]:
    """Return the number of workers, or all numbers in order if it changed. Empty if it was always one."""
    if max(each_epoch, default=1) == 1:
        return {}
    runs = [(workers, len(list(epochs))) for workers, epochs in itertools.groupby(each_epoch)]
    return {"workers": runs[0][0] if len(runs) == 1 else ", ".join(f"{n} for {count} epochs" for n, count in runs)}
