"""Conversion of images to model inputs."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.preprocessing import model_inputs as feeding
from edge_bench.bench.preprocessing.model_inputs import InputBatches, model_inputs
from edge_bench.bench.preprocessing.presets import PRESETS, inferred_preset
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec

RAW = Preprocessing(scale=1.0, offset=0.0)
PIXELS = np.random.default_rng(0).integers(0, 256, (50, 4, 6, 3), np.uint8)


def spec(dtype: str, shape: list[int], scale: float = 0.0, zero_point: int = 0) -> TensorSpec:
    return TensorSpec(dtype=dtype, shape=[1, *shape], scale=scale, zero_point=zero_point)


FLOAT = spec("float32", [4, 6, 3])


@pytest.mark.slow  # imports TensorFlow
def test_presets_are_those_of_keras_applications() -> None:
    keras_utils = pytest.importorskip("keras").applications.imagenet_utils
    for mode in ("tf", "caffe", "torch"):
        expected = keras_utils.preprocess_input(PIXELS.astype(np.float32), data_format="channels_last", mode=mode)
        got = model_inputs(PIXELS, PRESETS[f"imagenet-{mode}"].preprocessing(), FLOAT)
        np.testing.assert_allclose(got, expected, atol=2e-5)


def test_channels_first_models_get_channels_first() -> None:
    got = model_inputs(PIXELS, RAW, spec("float32", [3, 4, 6]))
    np.testing.assert_array_equal(got, PIXELS.transpose(0, 3, 1, 2).astype(np.float32))


def test_raw_uint8_and_float16_inputs() -> None:
    np.testing.assert_array_equal(model_inputs(PIXELS, RAW, spec("uint8", [4, 6, 3])), PIXELS)
    half = model_inputs(PIXELS, RAW, spec("float16", [4, 6, 3]))
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, PIXELS)
    with pytest.raises(ValueError, match="uint8"):
        model_inputs(PIXELS, PRESETS["unit"].preprocessing(), spec("uint8", [4, 6, 3]))


def test_values_that_are_not_images_are_unchanged() -> None:
    values = np.linspace(-1, 1, 20, dtype=np.float32).reshape(4, 5)
    np.testing.assert_array_equal(model_inputs(values, RAW, spec("float32", [5])), values)


def test_large_inputs_are_computed_in_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", PIXELS)
    stored, rows = np.load(tmp_path / "x.npy", mmap_mode="r"), list(range(49, -1, -1))
    whole = InputBatches(stored, rows, RAW, FLOAT, batch_size=3)
    assert whole.chunks == 1
    one = 4 * 6 * 3 * 4
    monkeypatch.setattr(feeding, "CACHED_BYTES", 10 * one)
    monkeypatch.setattr(feeding, "CHUNK_BYTES", 8 * one)
    parted = InputBatches(stored, rows, RAW, FLOAT, batch_size=3)
    parts = list(parted.parts())
    assert parted.chunks == len(parts) == 9  # six images each, whole batches, and the rest
    assert {len(part) for _, part in parts[:-1]} == {6}
    ((_, expected),) = whole.parts()
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), expected)
    places = [40, 3, 7]
    ((_, picked),) = parted.parts(places)
    np.testing.assert_array_equal(picked, expected[places])


@pytest.mark.parametrize(
    ("tensor", "preset"),
    [
        (spec("int8", [32, 32, 3], 1.0, -128), "raw"),
        (spec("uint8", [28, 28, 1], 1 / 255, 0), "unit"),
        (spec("uint8", [224, 224, 3], 1 / 128, 128), "imagenet-tf"),
        (spec("int8", [224, 224, 3], 0.018658, -14), "imagenet-torch"),
        (spec("uint8", [224, 224, 3]), "raw"),
    ],
)
def test_preprocessing_is_inferred_from_a_quantized_input(tensor: TensorSpec, preset: str) -> None:
    inferred = inferred_preset([FLOAT, tensor])
    assert inferred is not None
    assert inferred[0].name == preset


def test_no_preprocessing_is_inferred_from_a_float_input() -> None:
    assert inferred_preset([FLOAT]) is None
