"""Worker processes that run any graph, on every runtime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.outputs.decoding import Decoding, ScoreDecoding, TensorDecoding
from edge_bench.bench.records.outputs.scores import ScoreTable
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.worker.graphs.messages import (
    GraphInput,
    GraphPrepared,
    PrepareGraph,
    Record,
    Recorded,
    Sample,
    Sampled,
)
from edge_bench.bench.worker.messages import Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess, describe_graph
from tests.made.graph.graphs import found_positions_tflite, mixed_onnx, mixed_tflite, two_signatures_tflite
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder

GENERATOR = np.random.default_rng(2)
VALUES = (4 * GENERATOR.random((7, 3))).astype(np.float32)
IDS = GENERATOR.integers(-(2**40), 2**40, (7, 2))
RUNTIMES_OF_MIXED = ["litert", "tflite-runtime", "onnxruntime"]


def needs(runtime: str) -> None:
    if not installed_version(RUNTIMES[runtime]):
        pytest.skip(f"{runtime} is not installed")


def mixed(runtime: str, folder: Path) -> Path:
    needs(runtime)
    if runtime == "onnxruntime":
        return mixed_onnx(folder / "m.onnx")
    return mixed_tflite(folder / "m.tflite", signature="serve")


def stored(folder: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> list[GraphInput]:
    inputs = []
    for name, array in arrays.items():
        path = folder / f"{name.replace('/', '_')}.npy"
        np.save(path, array)
        inputs.append(GraphInput(name=name, file=path))
    return inputs


class Worker:
    """A worker process with a prepared graph."""

    def __init__(
        self, runtime: str, file: Path, inputs: list[GraphInput], rows: Sequence[int], *, batch_size: int = 1,
        decoding: Decoding | None = None, warm_up: bool = False, **settings: Any,
    ) -> None:  # fmt: skip
        self.process = WorkerProcess(runtime, files=[file, *(each.file for each in inputs)])
        try:
            self.process.wait_for(Ready, 60)
            configuration = Configuration(variant="m", runtime=runtime, threads=1, batch_size=batch_size)
            request = PrepareGraph(
                configuration=configuration, file=file, inputs=inputs, rows=list(rows),
                decoding=decoding or TensorDecoding(), warm_up=warm_up, **settings,
            )  # fmt: skip
            self.prepared = self.process.ask(request, GraphPrepared, 60)
        except BaseException:
            self.process.stop()
            raise

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def record(self, *parts: int) -> list[Recorded]:
        """Record all examples in parts of these sizes."""
        found, first = [], 0
        for number, count in enumerate(parts):
            request = Record(first=first, count=count, last=number == len(parts) - 1)
            found.append(self.process.ask(request, Recorded, 60))
            first += count
        return found

    def samples(self, positions: list[int], **settings: Any) -> list[list[npt.NDArray[Any]]]:
        sampled = self.process.ask(Sample(positions=positions, **settings), Sampled, 60)
        return [
            [np.frombuffer(each.data, each.dtype).reshape(each.shape) for each in outputs]
            for outputs in sampled.outputs
        ]


def values_of(recorded: Recorded) -> list[npt.NDArray[Any]]:
    """Return each output of all examples, flat."""
    assert isinstance(recorded.outputs, TensorOutputs)
    return [unpack_values(output.values) for output in recorded.outputs.outputs]


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("runtime", RUNTIMES_OF_MIXED)
def test_examples_are_timed_recorded_and_sampled(runtime: str, batch_size: int, tmp_path: Path) -> None:
    inputs = stored(tmp_path, {"ids": IDS, "values": VALUES})
    rows = [6, 0, 1, 2, 3]
    with Worker(runtime, mixed(runtime, tmp_path), inputs, rows, batch_size=batch_size, warm_up=True) as worker:
        assert [spec.name for spec in worker.prepared.outputs] == ["sums", "above", "floats"]
        assert worker.prepared.warm_up_invocations > 0
        timed = worker.process.ask(Time(passes=2), Timed, 60)
        assert (len(timed.latencies_ns), timed.labels) == (-(-5 // batch_size), [])
        assert sum(timed.latencies_ns) <= timed.elapsed_ns
        part = worker.process.ask(Time(passes=1, image_positions=[4, 1]), Timed, 60)
        assert len(part.latencies_ns) == -(-2 // batch_size)
        first, second = worker.record(3, 2)
        assert (first.outputs, first.checksums.length, second.checksums.length) == (None, 3, 2)
        sums, above, floats = values_of(second)
        np.testing.assert_array_equal(sums, (VALUES + VALUES)[rows].ravel())
        np.testing.assert_array_equal(above, (VALUES > 1)[rows].ravel())
        np.testing.assert_array_equal(floats, IDS[rows].astype(np.float32).ravel())
        again = worker.record(5)[0]
        assert unpack(again.checksums).tolist() == [*unpack(first.checksums), *unpack(second.checksums)]
        outputs = worker.samples([4, 0])
        for number, row in enumerate((3, 6)):
            np.testing.assert_array_equal(outputs[number][0], VALUES[row] + VALUES[row])
            np.testing.assert_array_equal(outputs[number][1], VALUES[row] > 1)
        assert len(worker.samples([0, 1, 2], most_bytes=50)) == 2  # 23 bytes each


@pytest.mark.parametrize("runtime", RUNTIMES_OF_MIXED)
def test_a_description_has_open_axes_and_signatures(runtime: str, tmp_path: Path) -> None:
    described = describe_graph(runtime, mixed(runtime, tmp_path), 60)
    assert [(spec.name, spec.dtype, spec.shape) for spec in described.inputs] == [
        ("values", "float32", [-1, 3]), ("ids", "int64", [-1, 2])
    ]  # fmt: skip
    assert [spec.shape for spec in described.outputs] == [[-1, 3], [-1, 3], [-1, 2]]
    assert (described.has_batch_axis, described.fixed_batch) == ([True, True], None)
    if runtime != "onnxruntime":
        (signature,) = described.signatures
        assert (signature.name, sorted(signature.inputs)) == ("serve", ["ids", "values"])


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_signatures_of_other_graphs_and_the_state_they_keep(runtime: str, tmp_path: Path) -> None:
    needs(runtime)
    path = two_signatures_tflite(tmp_path / "m.tflite")
    described = describe_graph(runtime, path, 60, "total")
    assert [each.name for each in described.signatures] == ["double", "total"]
    assert (described.inputs[0].name, described.outputs[0].name) == ("step", "sum")
    inputs = stored(tmp_path, {"step": VALUES})
    for stateful, expected in ((False, VALUES), (True, np.cumsum(VALUES, axis=0))):
        with Worker(
            runtime, path, inputs, range(7), signature="total", stateful=stateful, warm_up=True
        ) as worker:  # fmt: skip
            for parts in ((7,), (2, 5)):  # the state lasts from part to part, and begins anew with the first example
                (sums,) = values_of(worker.record(*parts)[-1])
                np.testing.assert_allclose(sums, expected.ravel(), rtol=1e-5)


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_outputs_of_any_number_of_values(runtime: str, tmp_path: Path) -> None:
    needs(runtime)
    flags = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], np.bool_)
    with Worker(
        runtime, found_positions_tflite(tmp_path / "m.tflite"), stored(tmp_path, {"t0": flags}), range(3), warm_up=True
    ) as worker:
        recorded = worker.record(1, 1, 1)[-1]
        assert isinstance(recorded.outputs, TensorOutputs)
        (output,) = recorded.outputs.outputs
        assert sorted(output.shapes) == [[0, 2], [1, 2], [3, 2]]
        np.testing.assert_array_equal(
            unpack_values(output.values), np.concatenate([np.argwhere(row[np.newaxis]) for row in flags]).ravel()
        )
    with (
        Worker(
            runtime, tmp_path / "m.tflite", stored(tmp_path, {"t0": flags}), range(3), decoding=ScoreDecoding()
        ) as worker,
        pytest.raises(WorkerFailed),
    ):
        worker.record(3)


def test_images_are_preprocessed_and_other_inputs_are_taken_as_they_are(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("Flatten", ["image"], "flat")
    graph.add("Mul", ["flat", "factor"], "y")
    path = graph.save_graph(
        tmp_path / "m.onnx",
        [("image", "FLOAT", ["N", 3, "h", "w"]), ("factor", "FLOAT", [])],
        [("y", "FLOAT", ["N", "values"])],
    )
    pixels, factors = GENERATOR.integers(0, 256, (4, 2, 5, 3), np.uint8), np.arange(4, dtype=np.float32)
    image, factor = stored(tmp_path, {"image": pixels, "factor": factors})
    preprocessing = Preprocessing(scale=1 / 255, offset=0.0)
    inputs = [GraphInput(name="image", file=image.file, preprocessing=preprocessing), factor]
    with Worker("onnxruntime", path, inputs, range(4), decoding=ScoreDecoding(), with_postprocess=True) as worker:
        (recorded,) = worker.record(4)
        assert isinstance(recorded.outputs, ScoreTable)
        assert (recorded.outputs.columns, len(recorded.postprocess_ns)) == (30, 4)
        expected = pixels.transpose(0, 3, 1, 2).reshape(4, 30) / 255 * factors[:, np.newaxis]
        np.testing.assert_allclose(unpack_values(recorded.outputs.values).reshape(4, 30), expected, rtol=1e-5)


def test_scores_of_a_quantized_output_are_real_values(tmp_path: Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    made = TfliteBuilder()
    value = made.tensor(1, 2, kind="INT8", scale=0.5, zero_point=3)
    same = made.operator(
        "RESHAPE", [value, made.tensor(2, data=np.array([1, 2], np.int32), kind="INT32")],
        [made.tensor(1, 2, kind="INT8", scale=0.5, zero_point=3)], schema.ReshapeOptionsT(),
    )  # fmt: skip
    path = made.save(tmp_path / "m.tflite", [value], [same])
    levels = np.array([[3, 5], [-128, 127]], np.int8)
    with Worker(
        "litert", path, stored(tmp_path, {"t0": levels}), range(2), decoding=ScoreDecoding()
    ) as worker:  # fmt: skip
        (recorded,) = worker.record(2)
        assert isinstance(recorded.outputs, ScoreTable)
        np.testing.assert_array_equal(unpack_values(recorded.outputs.values), [0, 1, -65.5, 62])


def test_weights_in_a_file_beside_the_model(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("Add", ["x", graph.constant("w", np.arange(300, dtype=np.float32))], "y")
    path = graph.save(tmp_path / "big.onnx", ["N", 300], ["N", 300], location="big.bin")
    with Worker("onnxruntime", path, stored(tmp_path, {"x": np.ones((2, 300), np.float32)}), range(2)) as worker:
        (values,) = values_of(worker.record(2)[0])
        np.testing.assert_array_equal(values, np.tile(np.arange(1, 301), 2))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ids": None}, "ids"),
        ({"other": IDS}, "other"),
        ({"ids": IDS.astype(np.int32)}, "int32"),
        ({"ids": IDS[:, :1]}, "[1]"),
        ({"ids": IDS[:6]}, "6"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(change: dict[str, Any], named: str, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"values": VALUES, "ids": IDS} | change
    inputs = stored(tmp_path, {name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(WorkerFailed) as caught:
        Worker("onnxruntime", mixed("onnxruntime", tmp_path), inputs, range(7))
    assert caught.value.failure.kind == "cannot load"
    assert named in caught.value.failure.message


@pytest.mark.parametrize(("first", "count", "last"), [(1, 3, False), (0, 8, True), (0, 7, False), (0, 3, True)])
def test_records_out_of_order_are_refused(first: int, count: int, last: bool, tmp_path: Path) -> None:
    inputs = stored(tmp_path, {"ids": IDS, "values": VALUES})
    with (
        Worker("onnxruntime", mixed("onnxruntime", tmp_path), inputs, range(7)) as worker,
        pytest.raises(WorkerFailed),
    ):
        worker.process.ask(Record(first=first, count=count, last=last), Recorded, 60)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["keras", "saved model"])
def test_tensorflow(kind: str, tmp_path: Path) -> None:
    needs("tensorflow")
    import keras

    keras.utils.set_random_seed(0)
    image, number = keras.Input((4, 4, 1), name="image"), keras.Input((2,), name="number")
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(image), number])
    names = ("value", "class", "box")
    model = keras.Model([image, number], {name: keras.layers.Dense(n + 1)(flat) for n, name in enumerate(names)})
    path = tmp_path / ("m.keras" if kind == "keras" else "saved")
    model.save(path) if kind == "keras" else model.export(path, verbose=False)
    arrays = {"image": GENERATOR.random((7, 4, 4, 1), np.float32), "number": GENERATOR.random((7, 2), np.float32)}
    expected = model([arrays["image"], arrays["number"]], training=False)
    if kind == "saved model":  # a Keras model has no signatures, and is described in the same way
        described = describe_graph("tensorflow", path, 120)
        assert {spec.name for spec in described.inputs} == set(arrays)
        assert {spec.name: spec.shape for spec in described.outputs} == {
            "value": [-1, 1], "class": [-1, 2], "box": [-1, 3]
        }  # fmt: skip
        assert "serving_default" in [each.name for each in described.signatures]
    with Worker("tensorflow", path, stored(tmp_path, arrays), range(7), batch_size=4, warm_up=True) as worker:
        assert len(worker.process.ask(Time(passes=1), Timed, 60).latencies_ns) == 2
        values = values_of(worker.record(4, 3)[-1])
        for spec, output in zip(worker.prepared.outputs, values, strict=True):
            np.testing.assert_allclose(output, np.asarray(expected[spec.name]).ravel(), rtol=1e-4, atol=1e-5)
