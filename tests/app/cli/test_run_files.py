"""`run` on model files and data of users."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.interpretation.files_workload import RANDOM_NOTE
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.interpretation import Source
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.app.cli.named import assert_names
from tests.command_line import CommandLine, Refuses
from tests.made.damaged_images import bomb, broken_jpeg
from tests.made.graph.graph_models import SIDE, colour_segmenter
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import brightness_tflite
from tests.models import CIFAR_JPEGS, MLPERF, mlperf, onnx_of, tflite_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("measure_here")]

QUICK = ("--trials", 1, "--processes", 1, "--format", "json")
mlperf_files = pytest.mark.skipif(not MLPERF, reason="needs EDGE_BENCH_DATA beside a models folder")


def rows(done: Any) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def runs(folder: Path) -> list[Run]:
    """The Runs in the folder of results, oldest first."""
    return [read_run(path) for path in sorted((folder / "results").glob("run-*.json"))]


def note_with(first: str, second: str, run: Run) -> str:
    """The only note on a Run's images that names these values."""
    (note,) = [note for note in run.images.notes if first in note and second in note]
    return note


@mlperf_files
def test_mlperf_tiny_on_real_jpegs_has_the_published_accuracy(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    done = edge_bench_here(
        "run", mlperf("pretrainedResnet"), mlperf("pretrainedResnet_quant"), "--data", CIFAR_JPEGS, *QUICK
    )  # fmt: skip
    right = {(row["variant"], row["runtime"]): round(row["accuracy"] * 1000) for row in rows(done)}
    expected = {("pretrainedResnet", "litert"): 751, ("pretrainedResnet_quant", "litert"): 752}
    assert expected.items() <= right.items()
    # its own 8-bit kernels round otherwise than XNNPACK's, which LiteRT uses: 26 images have two equal best scores
    assert right.get(("pretrainedResnet_quant", "tflite-runtime"), 747) == 747
    assert right.get(("pretrainedResnet", "tflite-runtime"), 751) == 751
    (run,) = runs(tmp_path)
    assert run.bundle.classes == sorted(run.bundle.classes)
    assert run.preprocessing is not None
    assert run.preprocessing.name == "raw"  # inferred from the quantized model's input
    assert note_with("raw", "--preprocess", run) in done.stderr


@pytest.mark.nightly
@mlperf_files
def test_the_preprocessing_of_a_float_model_is_chosen_by_accuracy(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    done = edge_bench_here("run", mlperf("pretrainedResnet"), "--data", CIFAR_JPEGS, "--runtime", "litert", *QUICK)
    assert round(rows(done)[0]["accuracy"] * 1000) == 751
    (run,) = runs(tmp_path)
    assert run.preprocessing is not None
    assert run.preprocessing.name == "raw"
    assert "751 of 1,000" in note_with("raw", "--preprocess", run)  # the first 100 did not decide about RGB and BGR


@mlperf_files
def test_a_limit_draws_the_same_images_evenly_over_classes(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    command = ("run", mlperf("pretrainedResnet_quant"), "--data", CIFAR_JPEGS, "--runtime", "litert", "--limit", 50)
    assert edge_bench_here(*command, *QUICK).returncode == 2  # too few to tell RGB from BGR
    for _ in range(2):
        rows(edge_bench_here(*command, "--channel-order", "rgb", *QUICK))
    first, second = runs(tmp_path)
    assert np.bincount(unpack(first.images.labels), minlength=10).tolist() == [5] * 10
    assert first.images == second.images
    assert first.bundle.sha256 == second.bundle.sha256
    assert first.images.total_images == 1000


def test_one_image_folder_and_four_kinds_of_model_agree(
    edge_bench_here: CommandLine, digits_bundle: Bundle, digit_images: Path, tmp_path: Path
) -> None:
    """Keras, SavedModel, .tflite and .onnx of one network give the same labels as the bundle's run."""
    import keras

    model = keras.models.load_model(digits_bundle.folder / "model.keras", compile=False)
    model.export(str(tmp_path / "saved"), verbose=False)
    files = [
        digits_bundle.folder / "model.keras",
        digits_bundle.folder / "variants" / "float32.tflite",
        tmp_path / "saved",
        onnx_of(digits_bundle.folder / "model.keras", tmp_path / "network.onnx"),
    ]
    stated = ("--preprocess", "unit", "--label-offset", 0)  # nothing has to be tested with the images
    found = rows(edge_bench_here("run", *files, "--data", digit_images, *stated, *QUICK))
    by_runtime = {(row["variant"], row["runtime"]): row["accuracy"] for row in found}
    assert {runtime for _, runtime in by_runtime} >= {"tensorflow", "litert", "onnxruntime"}
    assert len(set(by_runtime.values())) == 1, by_runtime
    whole = rows(edge_bench_here("run", digits_bundle.folder, "--variant", "float32", "--runtime", "litert", *QUICK))
    assert whole[0]["accuracy"] == by_runtime["float32", "litert"]
    assert whole[0]["accuracy"] > 0.5


def test_arrays_and_archives_are_accepted_as_data(
    edge_bench_here: CommandLine, digits_bundle: Bundle, tmp_path: Path
) -> None:
    images, labels = digits_bundle.test_set()
    assert labels is not None
    np.save(tmp_path / "x.npy", images)
    np.save(tmp_path / "y.npy", labels.astype(np.int32))
    np.savez_compressed(tmp_path / "both.npz", x_test=images, y_test=labels)
    model = digits_bundle.folder / "variants" / "int8.tflite"
    pair = edge_bench_here("run", model, "--data", "x.npy", "--labels", "y.npy", "--runtime", "litert", *QUICK)
    archive = edge_bench_here("run", model, "--data", "both.npz", "--runtime", "litert", *QUICK)
    assert rows(pair)[0]["accuracy"] == rows(archive)[0]["accuracy"] > 0.5
    assert 1 >= rows(pair)[0]["top_5_accuracy"] >= rows(pair)[0]["accuracy"]
    for run in runs(tmp_path):  # the input's 256 steps are the pixels
        assert run.preprocessing is not None
        assert run.preprocessing.scale == pytest.approx(1 / 255, rel=1e-3)
        assert run.interpretations[0].source is Source.MODEL


def test_without_data_speed_is_measured_on_random_inputs(
    edge_bench_here: CommandLine, digits_bundle: Bundle, tmp_path: Path
) -> None:
    model = digits_bundle.folder / "variants" / "dynamic.tflite"
    done = edge_bench_here("run", model, "--runtime", "litert", "--trials", 2, "--processes", 1)
    assert done.returncode == 0, done.stderr
    assert RANDOM_NOTE in " ".join(done.stdout.split())
    (run,) = runs(tmp_path)
    assert run.bundle.note == RANDOM_NOTE
    assert not run.labelled
    (record,) = run_table(run).records
    assert record["accuracy"] is None
    assert record["images_a_second"] > 0


@pytest.mark.nightly
def test_a_background_class_moves_the_labels(
    edge_bench_here: CommandLine, digits_bundle: Bundle, digit_images: Path, tmp_path: Path
) -> None:
    """With eleven outputs for ten classes the first output is the background."""
    import keras

    image = keras.Input((28, 28, 1))
    scores = keras.models.load_model(digits_bundle.folder / "model.keras", compile=False)(image)
    padded = keras.layers.ZeroPadding1D((1, 0))(keras.layers.Reshape((10, 1))(scores))
    tflite = tflite_of(keras.Model(image, keras.layers.Flatten()(padded)), tmp_path / "background.tflite")
    common = ("--data", digit_images, "--preprocess", "unit", "--runtime", "litert", *QUICK)
    moved = edge_bench_here("run", tflite, *common)
    plain = edge_bench_here("run", digits_bundle.folder / "variants" / "float32.tflite", *common)
    assert rows(moved)[0]["accuracy"] == rows(plain)[0]["accuracy"]
    assert "--label-offset 1" in moved.stderr
    tested = runs(tmp_path)[0]
    assert tested.bundle.classes[0] == "background"
    assert [record.source for record in tested.interpretations][:2] == [Source.STATED, Source.TESTED]
    assert rows(edge_bench_here("run", tflite, *common, "--label-offset", 0))[0]["accuracy"] < 0.3


def test_models_that_cannot_be_measured_are_refused(
    edge_bench_here: CommandLine, refuses: Refuses, digit_images: Path, tmp_path: Path
) -> None:
    adds = TfliteBuilder()
    inputs = [adds.tensor(1, 10), adds.tensor(1, 10)]
    two = adds.save(tmp_path / "two.tflite", inputs, [adds.operator("ADD", inputs, [adds.tensor(1, 10)])])
    segments = colour_segmenter(tmp_path / "segments.tflite")
    few = brightness_tflite(tmp_path / "few.tflite", range(4), (1, 28, 28, 1))
    means = TfliteBuilder()
    image = means.tensor(1, 1, 1, 3, open_shape=(1, -1, -1, 3))
    axes = means.tensor(2, data=np.array([1, 2], np.int32), kind="INT32")
    means.operator("MEAN", [image, axes], [scores := means.tensor(1, 3)], schema.ReducerOptionsT())
    dynamic = means.save(tmp_path / "dynamic.tflite", [image], [scores])
    (tmp_path / "text.tflite").write_text("I am no model")
    (tmp_path / "old.h5").write_text("")
    for arguments, *named in (
        ((two, "--task", "classify"), "two.tflite", "2"),
        ((segments, "--task", "classify"), "segments.tflite", f"1×{SIDE}×{SIDE}×3"),
        ((few, "--data", digit_images), "digits", "10", "4"),
        ((dynamic,), "dynamic", "--image-size"),
        (("text.tflite",), "text.tflite"),
        (("old.h5",), "old.h5", ".keras"),
        (("nothing.tflite",), "nothing.tflite"),
    ):
        assert_names(refuses("run", *arguments), *named)
    sized = edge_bench_here("run", dynamic, "--image-size", "20x24", "--runtime", "litert", *QUICK)
    assert rows(sized)[0]["failure"] is None


def test_options_of_data_that_do_not_apply_are_refused(
    refuses: Refuses, digits_bundle: Bundle, digit_images: Path
) -> None:
    good = digits_bundle.folder / "variants" / "float32.tflite"
    for arguments, *named in (
        ((good, "--data", "nowhere"), "nowhere"),
        ((good, "--data", digit_images, "--preprocess", "magic"), "magic", "imagenet-torch"),
        ((good, "--preprocess", "imagenet-caffe"), "imagenet-caffe"),
        ((digits_bundle.folder, "--data", digit_images), str(digits_bundle.folder), "--data"),
        ((good, "--labels", "x.txt"), "--data"),
    ):
        assert_names(refuses("run", *arguments), *named)


@pytest.mark.nightly
def test_float16_inputs_are_fed(edge_bench_here: CommandLine, digit_images: Path, tmp_path: Path) -> None:
    import keras
    import tensorflow as tf
    from keras import layers

    small = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])

    class Half(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([1, 28, 28, 1], tf.float16)])
        def serve(self, image):  # type: ignore[no-untyped-def]
            return small(tf.cast(image, tf.float32))

    half = Half()
    half.small = small
    tf.saved_model.save(half, str(tmp_path / "half"), signatures={"serving_default": half.serve})
    done = edge_bench_here(
        "run", "half", "--data", digit_images, "--limit", 20, "--preprocess", "unit", "--batch-size", 1, *QUICK
    )  # fmt: skip
    assert rows(done)[0]["failure"] is None, rows(done)


def test_images_of_every_kind_in_one_folder(
    edge_bench_here: CommandLine, refuses: Refuses, digits_bundle: Bundle, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    for number in range(10):
        (folder / str(number)).mkdir(parents=True)
    kinds = {
        "L": "grey.png",
        "CMYK": "cmyk.jpg",
        "P": "palette.png",
        "I;16": "sixteen.png",
        "1": "bit.png",
        "RGB": "dot.bmp",
    }
    for label, (mode, name) in enumerate(kinds.items()):
        Image.new(mode, (1, 1) if mode == "RGB" else (40, 30)).save(folder / str(label) / name)
    (folder / "0" / "notes.txt").write_text("not an image")
    model = digits_bundle.folder / "variants" / "int8.tflite"
    common = ("run", model, "--data", folder, "--runtime", "litert", *QUICK)
    done = edge_bench_here(*common)
    assert rows(done)[0]["images"] == 6
    (run,) = runs(tmp_path)
    assert note_with("6, 7, 8", "1", run) in done.stderr  # classes without images
    assert note_with("mixed", "1", run) in done.stderr  # a file that is no image
    (folder / "1" / "cut.jpg").write_bytes(broken_jpeg())
    refused = refuses(*common, kind=DatasetError)
    assert "cut.jpg" in refused.problem
    assert "--skip-broken" in refused.remedy
    (folder / "1" / "cut.jpg").unlink()
    (folder / "2" / "bomb.png").write_bytes(bomb())
    refused = refuses(*common, kind=DatasetError)
    assert "bomb.png" in refused.problem
    assert "20,000×20,000" in refused.problem
    without = edge_bench_here(*common, "--skip-broken")
    assert rows(without)[0]["images"] == 6
    assert "bomb.png" in without.stderr
