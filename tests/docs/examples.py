"""Files that pages use as examples: models, images, labels, Runs. Each is made if a page names it."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import numpy as np
from PIL import Image

from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import store, write_run
from tests.bundles import cached_drawings
from tests.factories import measure
from tests.made.graph.graph_models import brightness_detector, colour_segmenter
from tests.made.graph.graph_workloads import box_images
from tests.made.tflite import TfliteBuilder
from tests.models import onnx_of

__all__ = ["EXAMPLES", "Examples"]

CLASSES = ("cat", "dog", "cow")
#: Images of detection and segmentation, and their true values.
BOXES = (0, 1, 2, 1, 0, 2)


class Examples:
    """Makes examples in folders, of one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._run: Run | None = None

    def make(self, name: str, folder: Path) -> None:
        """Make the example of this name, a key of `EXAMPLES`, unless it exists."""
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            EXAMPLES[name](self, folder / name)

    def run(self, *, host: str = "desk", slower: float = 1.0, day: int = 1) -> Run:
        """Return a Run of the bundle on a machine of this name: two measured configurations and a slow one."""
        if self._run is None:
            selection = Selection(variants=["float32", "dynamic"], runtimes=["litert"])
            with mock.patch.dict(os.environ, EDGE_BENCH_TRIAL_SECONDS="0.2"):  # pages compare times
                self._run = measure(self.bundle, selection, Settings(trials=6, processes=3, limit=50))
        measured = self._run
        keras = msgspec.structs.replace(measured.results[0].configuration, variant="keras", runtime="tensorflow")
        results = [*measured.results, msgspec.structs.replace(slowed(measured.results[0], 10), configuration=keras)]
        return msgspec.structs.replace(
            measured,
            run_id=f"{day:08x}{abs(hash(host)) % 2**32:024x}",
            began=f"2026-01-{day:02d}T00:00:00+00:00",
            machine=msgspec.structs.replace(measured.machine, hostname=host),
            results=[slowed(each, slower) for each in results],
        )


def slowed(result: Any, times: float) -> Any:
    """Return a result with longer trials and latencies."""
    trials = [
        msgspec.structs.replace(
            each,
            elapsed_ns=int(each.elapsed_ns * times),
            latencies=pack((unpack(each.latencies) * times).astype(np.int64)),
        )
        for each in result.trials
    ]
    return msgspec.structs.replace(result, trials=trials)


def bundle_folder(examples: Examples, path: Path) -> None:
    shutil.copytree(examples.bundle.folder, path)


def of_bundle(name: str) -> Callable[[Examples, Path], None]:
    """Return a maker that copies a file of the bundle."""

    def make(examples: Examples, path: Path) -> None:
        shutil.copyfile(examples.bundle.folder / name, path)

    return make


def onnx(examples: Examples, path: Path) -> None:
    onnx_of(examples.bundle.folder / "model.keras", path)


def saved_model(examples: Examples, path: Path) -> None:
    import keras

    keras.models.load_model(examples.bundle.folder / "model.keras", compile=False).export(path, verbose=False)


def photos(examples: Examples, path: Path) -> None:
    """Digits as PNG files, twelve per class: enough to test how the model wants its images."""
    images, labels = examples.bundle.test_set()
    assert labels is not None
    for label in range(10):
        (path / str(label)).mkdir(parents=True)
        for number in np.flatnonzero(labels == label)[:12]:
            Image.fromarray(images[number][..., 0]).save(path / str(label) / f"{number:04d}.png")


def label_table(examples: Examples, path: Path) -> None:
    examples.make("photos", path.parent)
    names = sorted((path.parent / "photos").rglob("*.png"))
    path.write_text("file,label\n" + "".join(f"{each.parent.name}/{each.name},{each.parent.name}\n" for each in names))


def array(which: int) -> Callable[[Examples, Path], None]:
    """Return a maker of images (0) or labels (1) as .npy."""

    def make(examples: Examples, path: Path) -> None:
        values = examples.bundle.test_set()[which]
        assert values is not None
        np.save(path, values[:40])

    return make


def both_arrays(examples: Examples, path: Path) -> None:
    images, labels = examples.bundle.test_set()
    assert labels is not None
    np.savez(path, x=images[:40], y=labels[:40])


def of_drawings(which: int) -> Callable[[Examples, Path], None]:
    """Return a maker that copies the model (0), the examples (1) or the calibration (2) of a model with two inputs."""

    def make(examples: Examples, path: Path) -> None:
        shutil.copyfile(cached_drawings()[0][which], path)

    return make


def encoder(examples: Examples, path: Path) -> None:
    """A SavedModel of tokens, of any number."""
    import tensorflow as tf

    def encode(tokens: Any) -> Any:
        return {"halves": tf.cast(tokens, tf.float32) / 2}

    spec = tf.TensorSpec([None, None], tf.int32, name="tokens")
    tf.saved_model.save(tf.Module(), str(path), signatures={"encode": tf.function(encode).get_concrete_function(spec)})


def detector(examples: Examples, path: Path) -> None:
    brightness_detector(path, labels=CLASSES)


def segmenter(examples: Examples, path: Path) -> None:
    colour_segmenter(path)


def tokens_model(examples: Examples, path: Path) -> None:
    """A model of eight tokens, which doubles them."""
    made = TfliteBuilder()
    tokens = made.tensor(1, 8, kind="INT32")
    doubled = made.operator("ADD", [tokens, tokens], [made.tensor(1, 8, kind="INT32")])
    made.signature("encode", {"tokens": tokens}, {"doubled": doubled})
    made.save(path, [tokens], [doubled])


def val(examples: Examples, path: Path) -> None:
    """Images with boxes and masks of classes, in ``instances.json`` and ``masks/``, beside them and in them."""
    _, boxes = box_images(path, BOXES, CLASSES)
    boxes.rename(path.parent / "instances.json")
    masks(examples, path.parent / "masks")


def masks(examples: Examples, path: Path) -> None:
    path.mkdir(exist_ok=True)
    for number, label in enumerate(BOXES):
        Image.new("L", (80, 40), label).save(path / f"{number:03}.png")


def boxes_file(examples: Examples, path: Path) -> None:
    examples.make("val", path.parent if path.parent.name != "val" else path.parent.parent)
    if path.parent.name == "val":
        shutil.copyfile(path.parent.parent / "instances.json", path)


def run_file(**how: Any) -> Callable[[Examples, Path], None]:
    """Return a maker of the file of a Run."""

    def make(examples: Examples, path: Path) -> None:
        store(examples.run(**how), path)

    return make


def runs(*all_of_them: dict[str, Any]) -> Callable[[Examples, Path], None]:
    """Return a maker of a folder of Runs."""

    def make(examples: Examples, path: Path) -> None:
        path.mkdir()
        for how in all_of_them:
            write_run(examples.run(**how), path)

    return make


def token(examples: Examples, path: Path) -> None:
    path.write_text("secret\n")
    path.chmod(0o600)


def days(first: int, count: int = 3, **how: Any) -> Sequence[dict[str, Any]]:
    """Return Runs of consecutive days."""
    return [{"day": day, **how} for day in range(first, first + count)]


PI: dict[str, Any] = {"host": "pi", "slower": 8.0, "day": 2}
#: Name in a page → maker.
EXAMPLES: dict[str, Callable[[Examples, Path], None]] = {
    "artifacts/bundle": bundle_folder,
    "artifacts": lambda examples, path: bundle_folder(examples, path / "bundle"),
    "model.tflite": of_bundle("variants/float32.tflite"),
    "float32.tflite": of_bundle("variants/float32.tflite"),
    "float.tflite": of_bundle("variants/float32.tflite"),
    "int8.tflite": of_bundle("variants/int8.tflite"),
    "quantized.tflite": of_bundle("variants/int8.tflite"),
    "model.keras": of_bundle("model.keras"),
    "model.onnx": onnx,
    "saved_model": saved_model,
    "photos": photos,
    "more": photos,
    "more_photos": photos,
    "labels.csv": label_table,
    "x.npy": array(0),
    "y.npy": array(1),
    "both.npz": both_arrays,
    "drawings.keras": of_drawings(0),
    "tests.npz": of_drawings(1),
    "truth.npz": of_drawings(1),
    "more.npz": of_drawings(2),
    "encoder": encoder,
    "detector.tflite": detector,
    "ssd.tflite": detector,
    "deeplab.tflite": segmenter,
    "pose.tflite": segmenter,
    "text.tflite": tokens_model,
    "val": val,
    "val/masks": masks,
    "val/instances.json": boxes_file,
    "masks": masks,
    "instances.json": boxes_file,
    "results": runs({}, PI),
    "host.json": run_file(),
    "pi.json": run_file(**PI),
    "pi-results": runs(PI),
    "pi": runs(PI),
    "old.json": run_file(),
    "new.json": run_file(day=2),
    "old": runs(*days(1)),
    "nights": runs(*days(1)),
    "new": runs(*days(4)),
    "token": token,
    "token.txt": token,
}
