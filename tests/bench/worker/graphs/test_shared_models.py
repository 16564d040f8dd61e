"""Third-party models in workers equal a plain interpreter loop, on LiteRT and tflite-runtime."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding, TensorDecoding
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.tasks.detection.packed import unpack_boxes
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
from edge_bench.bench.worker.process import WorkerProcess, describe_graph

MODELS = Path(os.environ.get("EDGE_BENCH_DATA", "/nowhere")).resolve().parent / "models"
SSD = MODELS / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite"
MOVENET = MODELS / "movenet_single_pose_lightning_ptq.tflite"
YAMNET = MODELS / "yamnet_audio_classifier_with_metadata.tflite"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SSD.is_file(), reason="needs EDGE_BENCH_DATA beside a folder of third-party models"),
]
RUNTIME = pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
#: A bare loop, in a process of its own, since the two libraries cannot be loaded into one.
LOOP = """
import importlib, sys, numpy as np
library, model, inputs, result = sys.argv[1:]
interpreter = importlib.import_module(library + ".interpreter").Interpreter(model_path=model, num_threads=1)
interpreter.allocate_tensors()
found = []
for example in np.load(inputs):
    shape = interpreter.get_input_details()[0]["shape"]
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], example.reshape(shape))
    interpreter.invoke()
    found.append([interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()])
np.savez(result, *(np.stack(each) for each in zip(*found)))
"""


def plain_loop(runtime: str, model: Path, inputs: Path, folder: Path) -> list[npt.NDArray[Any]]:
    library = RUNTIMES[runtime].library
    command = [sys.executable, "-c", LOOP, library, str(model), str(inputs), str(folder / "loop.npz")]
    subprocess.run(command, check=True, capture_output=True)
    with np.load(folder / "loop.npz") as arrays:
        return list(arrays.values())


def recorded(
    runtime: str, model: Path, name: str, inputs: Path, count: int, decoding: Decoding
) -> tuple[Recorded, Sampled]:
    with WorkerProcess(runtime, files=[model, inputs]) as worker:
        worker.wait_for(Ready, 60)
        request = PrepareGraph(
            configuration=Configuration(variant="m", runtime=runtime, threads=1, batch_size=1), file=model,
            inputs=[GraphInput(name=name, file=inputs)], rows=list(range(count)), decoding=decoding,
        )  # fmt: skip
        worker.ask(request, GraphPrepared, 60)
        assert len(worker.ask(Time(passes=1), Timed, 60).latencies_ns) == count
        sampled = worker.ask(Sample(positions=list(range(count))), Sampled, 60)
        return worker.ask(Record(first=0, count=count, last=True), Recorded, 60), sampled


@RUNTIME
def test_ssd_mobilenet(runtime: str, tmp_path: Path) -> None:
    if not installed_version(RUNTIMES[runtime]):
        pytest.skip(f"{runtime} is not installed")
    described = describe_graph(runtime, SSD, 60)
    assert [spec.shape for spec in described.outputs] == [[1, 10, 4], [1, 10], [1, 10], [1]]
    assert (described.has_batch_axis, described.fixed_batch) == ([True], 1)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 300, 300, 3), np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    sizes = np.tile([300, 300], (3, 1))
    decoding = BoxDecoding(
        form="postprocess", order="boxes,classes,scores,number", input_size=(300, 300), sizes=pack(sizes.ravel())
    )
    name = described.inputs[0].name
    record, sampled = recorded(runtime, SSD, name, tmp_path / "x.npy", 3, decoding)
    corners, classes, scores, _ = loop = plain_loop(runtime, SSD, tmp_path / "x.npy", tmp_path)
    for number, outputs in enumerate(sampled.outputs):
        for output, expected in zip(outputs, loop, strict=True):
            assert output.data == expected[number].tobytes()
    assert isinstance(record.outputs, Detections)
    for number, boxes in enumerate(unpack_boxes(record.outputs.boxes, sizes)):
        order = np.argsort(-scores[number, 0], kind="stable")
        np.testing.assert_array_equal(boxes.scores, scores[number, 0][order])
        np.testing.assert_array_equal(boxes.classes, classes[number, 0][order])
        expected = (corners[number, 0][:, [1, 0, 3, 2]] * 300)[order].clip(-300, 600)
        np.testing.assert_allclose(boxes.corners, expected, atol=0.001)


@RUNTIME
@pytest.mark.parametrize("model", [MOVENET, YAMNET])
def test_numbers_of_a_model_of_one_input(runtime: str, model: Path, tmp_path: Path) -> None:
    if not installed_version(RUNTIMES[runtime]):
        pytest.skip(f"{runtime} is not installed")
    described = describe_graph(runtime, model, 60)
    (spec,) = described.inputs
    generator = np.random.default_rng(0)
    shape = spec.shape[1:] if described.has_batch_axis[0] else spec.shape
    values = generator.random((3, *shape), np.float32)
    np.save(tmp_path / "x.npy", values if spec.dtype == "float32" else (values * 255).astype(spec.dtype))
    record, _ = recorded(runtime, model, spec.name, tmp_path / "x.npy", 3, TensorDecoding())
    assert isinstance(record.outputs, TensorOutputs)
    for output, expected in zip(
        record.outputs.outputs, plain_loop(runtime, model, tmp_path / "x.npy", tmp_path), strict=True
    ):
        np.testing.assert_array_equal(unpack_values(output.values), expected.ravel())
