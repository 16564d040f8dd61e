"""The image edge-bench-full: its size, licences and runtimes, and their labels on an emulated Raspberry Pi 4."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY
from tests.containers.compose import TAG, assert_licences, compressed_bytes, docker
from tests.containers.fixtures import build_lock
from tests.made.ncnn_models import cnn_ncnn
from tests.models import onnx_of

pytestmark = [pytest.mark.containers, pytest.mark.nightly, pytest.mark.usefixtures("full")]

PLATFORMS = ("linux/arm64", "linux/amd64")
FULL_BUDGET = 44_000_000  # bytes, compressed, above the edge image, arm64
RUNTIMES = ("ncnn", "onnxruntime", "openvino")
MODELS = ("float32.tflite", "dynamic.tflite", "int8.tflite", "onnx.onnx", "ncnn.param")
IMAGES = 50


def image(platform: str) -> str:
    return f"edge-bench-full-{platform.rpartition('/')[2]}:{TAG}"


@pytest.fixture(scope="module")
def full(images: None) -> None:
    """Build the image for both platforms."""
    for platform in PLATFORMS:
        with build_lock():
            built = docker(
                "buildx", "build", "--file", "Dockerfile.edge", "--target", "edge-full", "--platform", platform,
                "--build-arg", "EDGE_BENCH_REVISION=tested", "--quiet", "--load", "--tag", image(platform), ".",
            )  # fmt: skip
        assert built.returncode == 0, built.stderr[-2000:]


def test_it_stays_within_its_budget(tmp_path: Path) -> None:
    arguments = ("--file", "Dockerfile.edge", "--build-arg", "EDGE_BENCH_REVISION=tested")
    edge = compressed_bytes(tmp_path / "edge.tar", *arguments, ".")
    full = compressed_bytes(tmp_path / "full.tar", *arguments, "--target", "edge-full", ".")
    assert 1_000_000 < full - edge <= FULL_BUDGET


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_has_the_locked_runtimes_and_their_licences(platform: str) -> None:
    done = docker("run", "--rm", "--network=none", image(platform), "doctor", "--format", "json")
    (machine,) = json.loads(done.stdout)
    lock = (REPOSITORY / "requirements/edge-full.txt").read_text()
    locked = dict(re.findall(rf"^({'|'.join(RUNTIMES)})==(\S+)", lock, re.MULTILINE))
    assert {name: machine["libraries"][name] for name in RUNTIMES} == locked
    assert_licences(image(platform))


def measured(shared: Path, platform: str) -> Run:
    """Return the Run of all models in ``shared``."""
    results = shared / platform.replace("/", "-")
    results.mkdir(mode=0o777)
    results.chmod(0o777)
    models = [
        f"/shared/{path.name}" for path in sorted(shared.iterdir()) if path.suffix in (".tflite", ".onnx", ".param")
    ]
    done = docker(
        "run", "--rm", "--network=none", "-v", f"{shared}:/shared:ro", "-v", f"{results}:/results", image(platform),
        "run", *models, "--data", "/shared/images.npy", "--preprocess", "unit", "--limit", IMAGES,
        "--trials", 1, "--processes", 1,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return read_run(next(results.glob("run-*.json")))


def test_every_runtime_predicts_the_labels_of_a_pc_on_an_emulated_pi(digits_bundle: Bundle, tmp_path: Path) -> None:
    """The paper's CNN: its float32, dynamic and int8 .tflite files, and the same weights in .onnx and for ncnn."""
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    for name in ("float32", "dynamic", "int8"):
        shutil.copy(digits_bundle.folder / "variants" / f"{name}.tflite", tmp_path)
    onnx_of(digits_bundle.folder / "model.keras", tmp_path / "onnx.onnx")
    cnn_ncnn(digits_bundle.folder / "model.keras", tmp_path / "ncnn.param")
    np.save(tmp_path / "images.npy", np.asarray(digits_bundle.test_set()[0])[:IMAGES])
    pi, pc = (measured(tmp_path, platform) for platform in PLATFORMS)
    assert (pi.machine.cpu, pi.emulated, pc.emulated) == ("Cortex-A72", True, False)
    labels = {
        side: {(each.configuration.variant, each.configuration.runtime): each.labels() for each in run.results}
        for side, run in (("pi", pi), ("pc", pc))
    }
    float32 = [("float32", runtime) for runtime in ("tflite-runtime", "litert", "openvino")]
    float32 += [("onnx", "onnxruntime"), ("onnx", "openvino"), ("ncnn", "ncnn")]
    quantized = [(name, runtime) for name in ("dynamic", "int8") for _, runtime in float32[:3]]
    assert labels["pi"].keys() == labels["pc"].keys() == {*float32, *quantized}
    reference = labels["pc"]["float32", "litert"]
    assert len(set(reference.tolist())) > 5
    for each in float32:
        np.testing.assert_array_equal(labels["pi"][each], reference)
        np.testing.assert_array_equal(labels["pc"][each], reference)
    for each in quantized:
        np.testing.assert_array_equal(labels["pi"][each], labels["pc"][each])
