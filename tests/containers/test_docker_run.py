"""`docker run edge-bench` as on a Pi: with a bundle inside, mounted or missing, and stopped during a run.

The image for amd64 starts in one second instead of five. It is used for all that does not depend on the processor.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY, CommandLine, assert_refused
from tests.containers.compose import ARM64, EDGE, HOST, NATIVE, TAG, Story, docker
from tests.models import CIFAR_JPEGS, MLPERF, mlperf

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("images", "native_image")]

QUICK = ("--limit", 50, "--trials", 1, "--processes", 1)


@pytest.fixture
def bundle(digits_bundle: Bundle, tmp_path: Path) -> Path:
    """A bundle that the container's user may read."""
    folder = Path(shutil.copytree(digits_bundle.folder, tmp_path / "bundle"))
    for path in [tmp_path, folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder that the container's user may write."""
    folder = tmp_path / "results"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def test_without_a_bundle_the_error_names_two_ways_to_provide_one() -> None:
    assert_refused(docker("run", "--rm", NATIVE), "-v artifacts:/artifacts", "make edge-image BUNDLE=")


def test_an_empty_volume_is_not_a_bundle() -> None:
    name = "edge-bench-tests-empty"
    try:
        done = docker("run", "--rm", "-v", f"{name}:/artifacts", NATIVE)
        assert_refused(done, "-v artifacts:/artifacts")
    finally:
        docker("volume", "rm", "--force", name)


def test_a_mounted_bundle_is_measured_and_its_run_is_written_to_the_mounted_results(
    bundle: Path, results: Path
) -> None:
    mounts = ("-v", f"{bundle}:/artifacts/bundle:ro", "-v", f"{results}:/results")
    done = docker(*ARM64, *mounts, EDGE, "run", "--variant", "dynamic", *QUICK)
    assert done.returncode == 0, done.stderr
    (path,) = results.glob("run-*.json")
    run = read_run(path)
    assert run.emulated
    assert {(r.configuration.variant, r.configuration.runtime) for r in run.results_with_trials} == {
        ("dynamic", "tflite-runtime"), ("dynamic", "litert"),
    }  # fmt: skip


@pytest.mark.skipif(not MLPERF, reason="needs EDGE_BENCH_DATA beside a models folder")
def test_a_model_file_and_images_give_the_same_labels_as_on_this_machine(
    results: Path, edge_bench: CommandLine, tmp_path: Path
) -> None:
    """Decoding, inferred preprocessing and labels are the same in the image and on this machine."""
    mounts = (
        "-v", f"{MLPERF}:/models:ro", "-v", f"{CIFAR_JPEGS}:/data/cifar10-images/test:ro", "-v", f"{results}:/results",
    )  # fmt: skip
    quick = ("--runtime", "litert", "--limit", 20, "--channel-order", "rgb", "--trials", 1, "--processes", 1)
    model = "pretrainedResnet_quant.tflite"
    there = docker(*ARM64, *mounts, EDGE, "run", f"/models/{model}", "--data", "/data/cifar10-images/test", *quick)
    assert there.returncode == 0, there.stderr
    here = edge_bench("run", mlperf(Path(model).stem), "--data", CIFAR_JPEGS, "--results", "here", *quick)
    assert here.returncode == 0, here.stderr
    runs = [read_run(next(folder.glob("run-*.json"))) for folder in (tmp_path / "here", results)]
    assert runs[0].bundle.sha256 == runs[1].bundle.sha256
    assert runs[0].images.checksums == runs[1].images.checksums
    assert runs[1].emulated
    compared = compare(runs)
    across = next(row.across for row in compared.rows if row.across)
    assert (across.same, across.total) == (20, 20)


def test_a_bundle_of_a_newer_version_is_refused(bundle: Path) -> None:
    manifest = bundle / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(msgspec.json.decode(manifest.read_bytes()) | {"schema_version": "3.0"}))
    done = docker("run", "--rm", "-v", f"{bundle}:/artifacts/bundle:ro", NATIVE)
    assert_refused(done, "3.0")


def test_a_read_only_results_folder_is_refused_before_anything_is_measured(bundle: Path, results: Path) -> None:
    done = docker("run", "--rm", "-v", f"{bundle}:/artifacts/bundle:ro", "-v", f"{results}:/results:ro", NATIVE)
    assert_refused(done, "/results", "--results")
    assert not re.search(r"\d/\d", done.stderr)  # no progress of a measurement


def test_train_without_a_network_and_without_data_is_refused() -> None:
    done = docker("run", "--rm", "--network", "none", HOST, "train", "--epochs", 1)
    assert_refused(done, "Fashion-MNIST", "EDGE_BENCH_DATA")


@pytest.fixture
def running(bundle: Path, results: Path) -> Iterator[str]:
    """The name of a container that would measure for hours."""
    name = "edge-bench-tests-stopped"
    docker("rm", "--force", name)
    started = docker(
        "run", "--detach", "--name", name, "-v", f"{bundle}:/artifacts/bundle:ro", "-v", f"{results}:/results", NATIVE,
        "run", "--runtime", "litert", "--variant", "dynamic", "--limit", 20, "--trials", 100_000,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    yield name
    docker("rm", "--force", name)


def test_docker_stop_keeps_the_finished_trials(running: str, results: Path) -> None:
    with subprocess.Popen(
        ["docker", "logs", "--follow", running], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as logs:
        assert logs.stderr is not None
        assert any(re.search(r"\b[1-9]\d*/100000\b", line) for line in logs.stderr), (
            "it ended before a trial was finished"
        )
        # after five seconds the engine would kill it, with exit code 137
        assert docker("stop", "--time", 5, running).returncode == 0
        logs.kill()
    code = docker("inspect", running, "--format", "{{.State.ExitCode}}").stdout.strip()
    assert code == "130"
    (path,) = results.glob("run-*.json")
    run = read_run(path)
    assert not run.complete
    assert len(run.results[0].trials) >= 1


def test_an_image_with_a_bundle_and_host_runs_inside_needs_no_volumes(story: Story) -> None:
    tag = f"edge-bench-inside:{TAG}"
    built = subprocess.run(
        ["make", "edge-image", f"BUNDLE={story.bundle}", f"RESULTS={story.results}", f"EDGE_TAG={tag}"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-3000:]
    done = docker(*ARM64, tag, "run", "--variant", "dynamic", "--runtime", "litert", "--limit", 20, "--trials", 1)
    assert done.returncode == 0, done.stderr
    host = story.run_of("x86_64")
    assert host.machine.label in " ".join(done.stdout.split())  # the host's Run is part of the comparison
    assert "emulated" in done.stdout.lower()


def test_make_edge_image_without_a_bundle_fails(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "edge-image", f"BUNDLE={tmp_path}"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert str(tmp_path) in done.stderr
