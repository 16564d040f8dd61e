"""--once and --resume reuse a run only if every input to its result is the same."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.recording.started_run import started_run
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.journal.journal import JOURNAL, Journal
from edge_bench.bench.records.run import Run, Settings
from tests.made.images import class_folders
from tests.made.onnx import brightness_onnx
from tests.made.tflite_models import brightness_tflite

pytestmark = pytest.mark.usefixtures("measure_here")
QUICK = Settings(trials=1, processes=1)


class Inputs:
    """A model with its weights in a file of their own, images, labels and class names, and how to measure them."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder, self.results = folder, folder / "results"
        self.model = folder / "model" / model
        self.write_model([0, 1, 2, 3])
        images = class_folders(folder / "images", range(4), 3, suffix="bmp")
        self.write_labels([str(path.relative_to(images)) for path in sorted(images.rglob("*.bmp"))])
        (folder / "classes.txt").write_text("black\ndark\ngrey\nlight\n")
        self.options = DataOptions(
            data=images, labels=folder / "labels.txt", classes=folder / "classes.txt", preprocess="unit"
        )

    def write_model(self, order: list[int]) -> None:
        """Write the model; the files are the same, but for the order of its outputs."""
        if self.model.suffix == ".onnx":
            brightness_onnx(self.model, order, location="weights.bin")
        else:
            brightness_tflite(self.model, order)

    def write_labels(self, files: list[str]) -> None:
        lines = [f"{name} {name.split('/')[0]}\n" for name in files]
        (self.folder / "labels.txt").write_text("".join(lines))

    def request(self) -> BenchmarkRequest:
        runtime = "onnxruntime" if self.model.suffix == ".onnx" else "litert"
        return BenchmarkRequest.from_files([self.model], self.options, Selection(runtimes=[runtime]), QUICK, Silent())

    def once(self) -> Run:
        return measure(self.request(), self.results, Silent(), once=True)[0]


def accuracy(run: Run) -> float:
    correct, seen = run.correct(run.results[0])
    return correct / seen


def other_weights(inputs: Inputs) -> None:
    inputs.write_model([3, 2, 1, 0])


def other_image(inputs: Inputs) -> None:
    """Replace an image by a lighter one, with the same size and the same modification time."""
    path = inputs.folder / "images" / "0" / "0.bmp"
    before = path.stat()
    Image.new("RGB", (8, 8), (70, 70, 70)).save(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def other_label(inputs: Inputs) -> None:
    path = inputs.folder / "labels.txt"
    path.write_text(path.read_text().replace("0/0.bmp 0", "0/0.bmp 1"))


def other_class_name(inputs: Inputs) -> None:
    path = inputs.folder / "classes.txt"
    path.write_text(path.read_text().replace("dark", "dusk"))


def other_preprocessing(inputs: Inputs) -> None:
    inputs.options = replace(inputs.options, preprocess="raw")


#: One change each, and the expected accuracy after it; None if it does not matter here.
CHANGES: list[tuple[Callable[[Inputs], None], float | None]] = [
    (other_weights, 0.0), (other_image, 11 / 12), (other_label, 11 / 12), (other_class_name, 1.0),
    (other_preprocessing, None),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_once_measures_again_if_one_input_changed(
    tmp_path: Path, change: Callable[[Inputs], None], expected: float | None
) -> None:
    inputs = Inputs(tmp_path, "m.onnx" if change is other_weights else "m.tflite")
    first = inputs.once()
    assert accuracy(first) == 1.0
    assert inputs.once() == first
    change(inputs)
    second = inputs.once()
    assert second.run_id != first.run_id
    assert expected in (None, accuracy(second))
    assert inputs.once() == second


@pytest.mark.slow
@pytest.mark.parametrize("change", [None, *(change for change, _ in CHANGES)])
def test_resume_starts_a_new_run_if_one_input_changed(tmp_path: Path, change: Callable[[Inputs], None] | None) -> None:
    inputs = Inputs(tmp_path, "m.onnx" if change is other_weights else "m.tflite")
    request = inputs.request()
    begun = started_run(request.workload, request.planned, request.settings)
    inputs.results.mkdir()
    with Journal.create(inputs.results / f"run-1{JOURNAL}", begun):
        pass
    if change is not None:
        change(inputs)
    run, _ = measure(inputs.request(), inputs.results, Silent(), resume=True)
    assert (run.run_id == begun.run_id) is (change is None)
    assert run.complete


@pytest.mark.slow
def test_a_copy_of_the_inputs_elsewhere_is_the_same(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path / "here", "m.tflite")
    first = inputs.once()
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    copied = Inputs(tmp_path / "there", "m.tflite")
    assert copied.once() == first
