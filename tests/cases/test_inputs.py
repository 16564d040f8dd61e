"""Arrays, quantized inputs, open sizes and runtimes that cannot load a model: the accuracy is right."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from tests.bench.interpretation.in_process import accuracy
from tests.made.brightness import bright_inputs, brightness_weights, level
from tests.made.images import class_folders
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import brightness_tflite, linear_tflite
from tests.measured import arrays, correct, run_files

pytestmark = pytest.mark.usefixtures("measure_here")
LITERT = Selection(runtimes=["litert"])
LABELS = [4, 0, 3, 1, 2] * 4

#: Type, scale and zero point of inputs for the real values 0 to 1, -1 to 1, and 0 to 255.
QUANTIZED = [
    ("UINT8", 1 / 255, 0), ("INT8", 1 / 255, -128), ("UINT8", 1 / 128, 128), ("INT8", 1 / 128, 0), ("INT8", 1.0, -128),
]  # fmt: skip


def quantized(path: Path, order: Sequence[int], kind: str, scale: float, zero_point: int, values: int = 192) -> Path:
    """Write a classifier whose stored values 0 to 255, or -128 to 127, are the pixels 0 to 255."""
    lowest = -128 if kind == "INT8" else 0
    dense = brightness_weights(order, values, scale, (lowest - zero_point) * scale)
    shape = (1, 8, 8, values // 64)
    path.write_bytes(linear_tflite(*dense, shape, kind=kind, scale=scale, zero_point=zero_point))
    return path


@pytest.mark.parametrize(("kind", "scale", "zero_point"), QUANTIZED)
def test_float_arrays_are_the_inputs_of_a_quantized_model(
    kind: str, scale: float, zero_point: int, tmp_path: Path
) -> None:
    model = quantized(tmp_path / "q.tflite", range(5), kind, scale, zero_point)
    lowest = ((-128 if kind == "INT8" else 0) - zero_point) * scale
    pixels = np.stack([np.full((8, 8, 3), level(label)) for label in LABELS])
    assert accuracy(model, DataOptions(**arrays(tmp_path, pixels.astype(np.uint8), LABELS)), images=20) == 1
    values = (pixels * scale + lowest).astype(np.float32)
    assert accuracy(model, DataOptions(**arrays(tmp_path, values, LABELS)), images=20) == 1
    np.savez(tmp_path / "both.npz", x_test=values, y_test=np.array(LABELS))
    assert accuracy(model, DataOptions(data=tmp_path / "both.npz"), images=20) == 1


@pytest.mark.slow
def test_a_float_and_a_quantized_model_get_the_same_float_array(tmp_path: Path) -> None:
    models = [quantized(tmp_path / "q.tflite", range(5), "UINT8", 1 / 255, 0)]
    models.append(brightness_tflite(tmp_path / "f.tflite", range(5)))
    run = run_files(models, LITERT, **arrays(tmp_path, bright_inputs(LABELS, 8, 8, 3), LABELS))
    assert correct(run) == [(20, 20), (20, 20)]


@pytest.mark.parametrize("shape", [(8, 8), (10, 6), (16, 16)])
def test_grey_images_without_a_channel_axis(shape: tuple[int, int], tmp_path: Path) -> None:
    model = brightness_tflite(tmp_path / "grey.tflite", range(5), (1, *shape))
    folder = class_folders(tmp_path / "images", range(5), mode="L")
    assert accuracy(model, DataOptions(data=folder), images=20) == 1
    pixels = np.stack([np.full(shape, level(label), np.uint8) for label in LABELS])
    assert accuracy(model, DataOptions(**arrays(tmp_path, pixels, LABELS)), images=20) == 1
    assert accuracy(model, DataOptions(**arrays(tmp_path, bright_inputs(LABELS, *shape), LABELS)), images=20) == 1


@pytest.mark.parametrize(("kind", "scale", "zero_point"), QUANTIZED)
def test_pixels_are_passed_unchanged_to_an_input_with_256_steps(
    kind: str, scale: float, zero_point: int, tmp_path: Path
) -> None:
    """Each of the 256 grey levels is a class, so that a pixel that moves by one step is a wrong label."""
    lowest = -128 if kind == "INT8" else 0
    levels = (np.arange(256) + lowest - zero_point) * scale
    dense = np.tile(levels / 16, (16, 1)), -levels * levels / 2
    model = tmp_path / "levels.tflite"
    model.write_bytes(linear_tflite(*dense, (1, 4, 4, 1), kind=kind, scale=scale, zero_point=zero_point))
    for grey in range(256):
        path = tmp_path / "images" / f"{grey:03}" / "a.png"
        path.parent.mkdir(parents=True)
        Image.new("L", (4, 4), grey).save(path)
    assert accuracy(model, DataOptions(data=tmp_path / "images"), images=256) == 1


def any_size(path: Path, layout: str) -> Path:
    """Write an .onnx model of images of any size, channels first or last."""
    made, channels = OnnxBuilder(), "x"
    if layout == "last":
        channels = made.add("Transpose", ["x"], "first", perm=[0, 3, 1, 2])
    made.add("GlobalAveragePool", [channels], "pooled")
    made.add("Flatten", ["pooled"], "flat")
    weights, biases = brightness_weights(range(5), 3)
    made.add("Gemm", ["flat", made.constant("w", weights), made.constant("b", biases)], "y")
    takes: list[int | str] = ["N", 3, "height", "width"] if layout == "first" else ["N", "height", "width", 3]
    return made.save(path, takes, ["N", 5])


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "size"), [("first", (32, 32)), ("first", (8, 20)), ("last", (20, 8))])
def test_a_stated_size_fills_the_open_axes_of_either_layout(layout: str, size: tuple[int, int], tmp_path: Path) -> None:
    model, images = any_size(tmp_path / "any.onnx", layout), class_folders(tmp_path / "images", range(5))
    with pytest.raises(BadInput) as refused:
        run_files([model], data=images)
    assert "--image-size" in refused.value.remedy
    assert set(correct(run_files([model], data=images, preprocess="unit", image_size=size))) == {(20, 20)}


@pytest.mark.slow
@pytest.mark.parametrize("runtimes", [[], ["litert"]])
def test_interpretations_are_tested_on_a_runtime_that_loads_the_model(runtimes: list[str], tmp_path: Path) -> None:
    """tflite-runtime 2.14.0 has FULLY_CONNECTED up to version 10 only."""
    made = TfliteBuilder()
    taken = made.tensor(1, 8, 8, 3)
    scores = made.dense(taken, *brightness_weights(range(5), 192), version=12)
    model = made.save(tmp_path / "newer.tflite", [taken], [scores])
    run = run_files([model], Selection(runtimes=runtimes), data=class_folders(tmp_path / "images", range(5)))
    by_runtime = {result.configuration.runtime: result for result in run.results}
    assert run.correct(by_runtime["litert"]) == (20, 20)
    if not runtimes and installed_version(RUNTIMES["tflite-runtime"]) == "2.14.0":
        failure = by_runtime["tflite-runtime"].failure
        assert failure is not None
        assert failure.kind == "cannot load"
