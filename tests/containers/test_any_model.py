"""Models of several inputs, detectors and delegates in the emulated edge image.

A plain interpreter gives the same outputs, and a delegate has the same outcomes as on a PC.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth, Detections
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.tasks.detection.packed import unpack_boxes
from tests.command_line import CommandLine
from tests.containers.compose import ARM64, EDGE, docker
from tests.made.brightness import bright_inputs
from tests.made.delegate import built_delegate
from tests.made.delegate.matrix import LABELS, assert_outcomes, matrix
from tests.made.graph.graph_bundles import MIXED_OUTPUTS, mixed_inputs
from tests.made.graph.graph_models import brightness_detector
from tests.made.graph.graph_workloads import box_images
from tests.made.graph.graphs import mixed_tflite
from tests.made.tflite_models import brightness_tflite
from tests.measured import arrays

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("images")]

PYTHON = "/opt/edge-bench/bin/python"
#: Arguments: module of the interpreter, model, .npz with an array per input, in their order, and .npz of outputs.
PLAIN_LOOP = """
import importlib, sys
import numpy as np
module, model, inputs, outputs = sys.argv[1:]
interpreter = importlib.import_module(module + ".interpreter").Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
given = list(np.load(inputs).values())
rows = []
for row in range(len(given[0])):
    for entry, values in zip(interpreter.get_input_details(), given):
        interpreter.set_tensor(entry["index"], values[row : row + 1])
    interpreter.invoke()
    rows.append([interpreter.get_tensor(entry["index"]) for entry in interpreter.get_output_details()])
np.savez(outputs, *(np.stack(each) for each in zip(*rows)))
"""
QUICK = ("--trials", 1, "--processes", 1)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that the container's user may write."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    tmp_path.chmod(0o755)
    return folder


def runs_of(shared: Path, edge_bench: CommandLine, *arguments: object) -> tuple[Run, Run]:
    """Return the Runs of the emulated edge image and of this machine; ``arguments`` contain {} for the folder."""

    def words(folder: str) -> list[str]:
        return [str(each).format(folder) for each in arguments]

    mounted = (*ARM64, "--network=none", "--hostname", "pi", "-v", f"{shared}:/shared")
    there = docker(*mounted, EDGE, "run", *words("/shared"), *QUICK, "--results", "/shared/there")
    assert there.returncode == 0, there.stderr
    here = edge_bench("run", *words(str(shared)), *QUICK, "--results", shared / "here")
    assert here.returncode == 0, here.stderr
    edge, own = (read_run(next((shared / name).glob("run-*.json"))) for name in ("there", "here"))
    assert edge.emulated
    assert edge.bundle.sha256 == own.bundle.sha256
    return edge, own


def plain_outputs(shared: Path, module: str, model: Path, inputs: dict[str, npt.NDArray[Any]]) -> list[Any]:
    """Return each output of a plain interpreter in the same image, [examples, …]."""
    np.savez(shared / "given.npz", **inputs)
    done = docker(*ARM64, "--network=none", "-v", f"{shared}:/shared", "--entrypoint", PYTHON, EDGE, "-c", PLAIN_LOOP,
                  module, f"/shared/{model.name}", "/shared/given.npz", "/shared/plain.npz")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(np.load(shared / "plain.npz").values())


def test_every_output_of_a_model_with_two_inputs_is_that_of_a_plain_interpreter(
    shared: Path, edge_bench: CommandLine
) -> None:
    model = mixed_tflite(shared / "mixed.tflite", signature="serving_default")
    inputs = mixed_inputs(16)
    np.savez(shared / "inputs.npz", **inputs)
    edge, own = runs_of(
        shared, edge_bench, "{}/mixed.tflite", "--data", "{}/inputs.npz", "--runtime", "litert", "--task", "tensor"
    )
    (recorded,) = (result.outputs for result in edge.results)
    assert isinstance(recorded, TensorOutputs)
    assert [each.name for each in recorded.outputs] == list(MIXED_OUTPUTS)
    for output, plain in zip(recorded.outputs, plain_outputs(shared, "ai_edge_litert", model, inputs), strict=True):
        np.testing.assert_array_equal(unpack_values(output.values), plain.reshape(-1))
    (across,) = (row.outputs_across for row in compare([own, edge]).rows if row.outputs_across)
    assert (across.agreement.identical, across.agreement.examples) == (16, 16)


@pytest.mark.nightly
def test_every_box_of_a_detector_is_that_of_a_plain_interpreter_and_is_scored_alike_on_both_processors(
    shared: Path, edge_bench: CommandLine
) -> None:
    model = brightness_detector(shared / "detector.tflite", labels=("cat", "dog", "bird"))
    folder, _ = box_images(shared / "images", (0, 1, 2, 1), ("cat", "dog", "bird"))
    edge, own = runs_of(
        shared, edge_bench, "{}/detector.tflite", "--data", "{}/images", "--labels", "{}/images.json",
        "--runtime", "tflite-runtime",
    )  # fmt: skip
    (recorded,) = (result.outputs for result in edge.results)
    assert isinstance(recorded, Detections)
    assert isinstance(edge.truth, BoxTruth)
    found = unpack_boxes(recorded.boxes, unpack(recorded.sizes).reshape(-1, 2).astype(np.int64))
    pixels = [np.array(Image.open(path).resize((8, 8)), np.float32) for path in sorted(folder.glob("*.png"))]
    boxes, classes, scores, _ = plain_outputs(shared, "tflite_runtime", model, {"pixels": np.stack(pixels)})
    np.testing.assert_array_equal([each.classes[0] for each in found], classes.reshape(-1))
    np.testing.assert_array_equal([each.scores[0] for each in found], scores.reshape(-1))
    corners = boxes.reshape(-1, 4)[:, [1, 0, 3, 2]] * [80, 40, 80, 40]  # stored with 24 bits
    np.testing.assert_allclose(np.concatenate([each.corners for each in found]), corners, atol=1e-4)
    (across,) = (row.outputs_across for row in compare([own, edge]).rows if row.outputs_across)
    assert (across.agreement.identical, across.agreement.examples) == (4, 4)
    assert across.quality_here == across.quality_there


@pytest.mark.nightly
@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_every_outcome_of_a_delegate_is_the_same_on_an_emulated_pi(runtime: str, shared: Path) -> None:
    library = built_delegate(shared, "aarch64")
    brightness_tflite(shared / "bright.tflite", range(13))
    arrays(shared, bright_inputs(LABELS, 8, 8, 3), LABELS)
    short = {"EDGE_BENCH_WARM_UP_SECONDS": "0.02", "EDGE_BENCH_TRIAL_SECONDS": "0.01", "EDGE_BENCH_DEFAULT_BUDGET": ""}
    done = docker(
        *ARM64, *(word for name, value in short.items() for word in ("-e", f"{name}={value}")), "--network=none",
        "-v", f"{shared}:/shared", EDGE, "run", "/shared/bright.tflite", "--data", "/shared/x.npy",
        "--labels", "/shared/y.npy", "--runtime", runtime, *QUICK, "--results", "/shared/results",
        *(word for text in matrix(f"/shared/{library.name}") for word in ("--delegate", text)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = (shared / "results").glob("run-*.json")
    run = read_run(path)
    assert run.machine.architecture == "aarch64"
    assert_outcomes(run.results, library)
