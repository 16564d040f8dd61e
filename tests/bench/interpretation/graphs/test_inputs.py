"""Examples of any inputs: arrays by name, random values, sounds, pixels; sizes of open axes."""

import wave
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import pixel_checksums
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.files_workload import files_workload
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Settings
from tests.made.graph.graph_models import colour_segmenter, regressor
from tests.made.graph.graph_workloads import workload
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import linear_tflite


def two_inputs(path: Path, *, kind: str = "INT32", open_axis: bool = False) -> Path:
    """Write a model that takes ``ids`` and ``number``."""
    made = TfliteBuilder()
    ids = made.tensor(1, 3, kind=kind, open_shape=[1, -1] if open_axis else ())
    number = made.tensor(1, 1)
    outputs = [
        made.operator("CAST", [ids], [made.tensor(1, 3)]),
        made.operator("ADD", [number, number], [made.tensor(1, 1)]),
    ]
    made.signature("serve", {"ids": ids, "number": number}, {"a": outputs[0], "b": outputs[1]})
    return made.save(path, [ids, number], outputs)


def save(path: Path, **arrays: np.ndarray) -> Path:  # type: ignore[type-arg]
    np.savez(path, **arrays)
    return path


def test_arrays_are_found_by_the_names_of_the_inputs(tmp_path: Path) -> None:
    ids, number = np.arange(12, dtype=np.int32).reshape(4, 3), np.ones((4, 1), np.float32)
    data = save(tmp_path / "x.npz", ids=ids, number=number, extra=number)
    found = workload(two_inputs(tmp_path / "m.tflite"), data=data)
    assert found.task == "tensor"
    assert [each.name for each in found.graphs["m"].inputs] == ["ids", "number"]
    assert open_npy(found.graphs["m"].inputs[0].file).tolist() == ids.tolist()
    assert (len(found.indices), found.labels, found.truth) == (4, None, None)
    assert len(set(pixel_checksums(found).tolist())) == 4


@pytest.mark.parametrize(
    "arrays",
    [
        {"ids": np.zeros((4, 3), np.int32)},
        {"ids": np.zeros((4, 3), np.int32), "number": np.zeros((5, 1), np.float32)},
        {"ids": np.zeros((4, 2), np.int32), "number": np.zeros((4, 1), np.float32)},
        {"ids": np.zeros((4, 3), np.int64), "number": np.zeros((4, 1), np.float32)},
    ],
    ids=["missing", "other number", "other shape", "other type"],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:  # type: ignore[type-arg]
    with pytest.raises(DatasetError):
        workload(two_inputs(tmp_path / "m.tflite"), data=save(tmp_path / "x.npz", **arrays))


def test_open_axes_take_the_size_of_the_array_or_the_stated_one(tmp_path: Path) -> None:
    model = two_inputs(tmp_path / "m.tflite", open_axis=True)
    data = save(tmp_path / "x.npz", ids=np.zeros((2, 5), np.int32), number=np.zeros((2, 1), np.float32))
    assert workload(model, data=data).graphs["m"].shapes == {"ids": (1, 5)}
    stated = workload(model, ranges=("ids=0..9",), shapes=("ids=1x7",), limit=2)
    assert stated.graphs["m"].shapes == {"ids": (1, 7)}
    assert open_npy(stated.graphs["m"].inputs[0].file).shape == (2, 7)
    with pytest.raises(BadInput):
        workload(model, ranges=("ids=0..9",), limit=2)
    for shapes in (("none=1x7",), ("number=1x7",), ("ids=1x7", "ids=1x8")):
        with pytest.raises(BadInput):
            workload(model, ranges=("ids=0..9",), shapes=shapes)


def test_random_values_need_a_range_if_they_may_be_indices(tmp_path: Path) -> None:
    model = two_inputs(tmp_path / "m.tflite")
    with pytest.raises(BadInput) as caught:
        workload(model)
    assert "--range" in caught.value.remedy
    found = workload(model, ranges=("ids=5..6",), limit=3)
    values = open_npy(found.graphs["m"].inputs[0].file)
    assert (values.shape, set(values.reshape(-1).tolist()) <= {5, 6}) == ((3, 3), True)
    assert found.identity.note
    with pytest.raises(BadInput):
        workload(model, ranges=("other=5..6",))


def test_a_quantized_model_gets_the_same_real_values(tmp_path: Path) -> None:
    weights, biases = np.ones((4, 2), np.float32), np.zeros(2, np.float32)
    (tmp_path / "float.tflite").write_bytes(linear_tflite(weights, biases, (1, 4)))
    quantized = linear_tflite(weights, biases, (1, 4), kind="INT8", scale=0.01, zero_point=-128)
    (tmp_path / "int8.tflite").write_bytes(quantized)
    models = tmp_path / "int8.tflite", tmp_path / "float.tflite"
    found = workload(*models, task="tensor", limit=5)
    (int8,), (real,) = found.graphs["int8"].inputs, found.graphs["float"].inputs
    assert int8.file == real.file
    assert (int8.preprocessing, real.preprocessing) == (Preprocessing(scale=1.0, offset=0.0), None)
    np.save(tmp_path / "x.npy", np.ones((3, 4), np.float32))
    again = workload(*models, task="tensor", data=tmp_path / "x.npy")
    assert again.graphs["int8"].inputs[0].preprocessing == Preprocessing(scale=1.0, offset=0.0)


def test_pixels_in_an_array_are_preprocessed(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    found = workload(colour_segmenter(tmp_path / "s.tflite"), data=tmp_path / "x.npy", preprocess="unit")
    preprocessing = found.graphs["s"].inputs[0].preprocessing
    assert preprocessing is not None
    assert preprocessing.name == "unit"


def write_wav(path: Path, samples: int, rate: int, level: int = 1 << 14) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.full(samples, level, "<i2").tobytes())


def test_sounds_need_the_rate_of_the_model(tmp_path: Path) -> None:
    for number in range(3):
        write_wav(tmp_path / "sounds" / "word" / f"{number}.wav", 6, 100)
    model = regressor(tmp_path / "m.tflite", outputs=2)
    with pytest.raises(BadInput) as caught:
        workload(model, data=tmp_path / "sounds", task="tensor")
    assert "--sample-rate" in caught.value.remedy
    found = workload(model, data=tmp_path / "sounds", task="tensor", sample_rate=100)
    assert open_npy(found.graphs["m"].inputs[0].file).tolist() == [[0.5] * 4] * 3
    with pytest.raises(DatasetError):
        workload(model, data=tmp_path / "sounds", task="tensor", sample_rate=200)


def test_images_for_a_model_without_image_input_are_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(BadInput) as caught:
        workload(two_inputs(tmp_path / "m.tflite"), data=tmp_path / "images")
    assert ".npz" in caught.value.remedy


def test_folders_of_sounds_are_classes(tmp_path: Path) -> None:
    """Loud and quiet sounds, which the model tells apart by their mean."""
    for name, level in (("loud", 1 << 14), ("quiet", 1 << 10)):
        for number in range(12):
            write_wav(tmp_path / "sounds" / name / f"{number:02}.wav", 4, 100, level + 8 * number)
    weights = np.stack([np.full(4, 1.0), np.full(4, -1.0)], axis=1).astype(np.float32)
    model = tmp_path / "m.tflite"
    model.write_bytes(linear_tflite(weights, np.array([-1, 1], np.float32), (1, 4)))
    models = ModelFiles.open([model], 60, task="classify")
    options = DataOptions(data=tmp_path / "sounds", sample_rate=100)
    found = files_workload(models, options, Settings(limit=10), Silent())
    assert found.identity.classes == ["loud", "quiet"]
    assert found.labels is not None
    loudness = open_npy(found.shared.pixels)[found.shared.rows].mean(axis=1)
    assert ((loudness > 0.25) == (found.labels == 0)).all()
    with pytest.raises(BadInput):
        files_workload(models, DataOptions(data=tmp_path / "sounds"), Settings(), Silent())
