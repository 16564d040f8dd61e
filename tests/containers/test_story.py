"""`docker compose up` from training to comparison, a second time, and after an interruption."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_bench.app.training.data.datasets import FASHION_MNIST_FILES
from edge_bench.app.training.fit.checkpoints import read_state
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run_files import read_run
from tests.containers.compose import Compose, Story

pytestmark = pytest.mark.containers

FASHION_MNIST = Path(os.environ.get("EDGE_BENCH_DATA") or "/nonexistent").resolve() / "fashion-mnist"


def test_train_exports_a_complete_bundle_and_logs_its_progress(story: Story) -> None:
    bundle = Bundle.open(story.bundle)
    assert [variant.name for variant in bundle.manifest.variants] == ["keras", "float32", "float16", "dynamic", "int8"]
    for variant in bundle.manifest.variants:
        bundle.checked(variant)
    assert any(re.search(r"\b3/3\b", line) for line in lines_of(story, "train"))


def lines_of(story: Story, service: str) -> list[str]:
    """Return the log lines of a service of `docker compose up`."""
    lines = (line.partition("|") for line in story.output.splitlines())
    return [text for name, _, text in lines if name.strip().endswith(f"{service}-1")]


def test_host_and_edge_ran_the_same_benchmark_each_on_its_own_processor(story: Story) -> None:
    host, edge = story.run_of("x86_64"), story.run_of("aarch64")
    assert host.bundle == edge.bundle
    assert host.settings == edge.settings
    assert (host.tool_version, host.tool_revision) == (edge.tool_version, "tested")
    assert host.tool_revision == "tested"
    assert host.machine.container
    assert edge.machine.container
    np.testing.assert_array_equal(unpack(host.images.indices), unpack(edge.images.indices))
    runtimes = {result.configuration.runtime for result in host.results_with_trials}
    assert runtimes == {"tensorflow", "tflite-runtime", "litert"}
    assert {result.configuration.runtime for result in edge.results_with_trials} == {"tflite-runtime", "litert"}


@pytest.mark.parametrize("runtime", ["tflite-runtime", "litert"])
def test_the_light_model_gives_almost_the_same_labels_on_both_processors(story: Story, runtime: str) -> None:
    labels = {}
    for architecture in ("x86_64", "aarch64"):
        run = story.run_of(architecture)
        (result,) = (
            result
            for result in run.results_with_trials
            if (result.configuration.variant, result.configuration.runtime) == ("dynamic", runtime)
        )
        labels[architecture] = result.labels()
        truth = unpack(run.images.labels)
    # within 0.1 percentage points of accuracy: a single label may flip because sums are taken in another order
    correct = [int((labels[architecture] == truth).sum()) for architecture in labels]
    assert abs(correct[0] - correct[1]) <= max(1, len(truth) // 1000)
    assert (labels["x86_64"] == labels["aarch64"]).mean() >= 0.99


def test_emulated_times_are_labelled_and_have_no_verdict(story: Story) -> None:
    edge = story.run_of("aarch64")
    assert (edge.emulated, edge.machine.cpu) == (True, "Cortex-A72")
    assert len(edge.machine.emulation_signs) >= 2
    assert not story.run_of("x86_64").emulated
    assert any("emulated" in line.lower() for line in lines_of(story, "compare"))
    compared = story.compose("run", "--rm", "--no-deps", "compare", "compare", "/results", "--format", "json")
    assert compared.returncode == 0, compared.stderr
    rows = json.loads(compared.stdout)
    emulated = [row for row in rows if row["emulated"] and row["images_in_common"]]
    assert [row["runtime"] for row in emulated] == ["tflite-runtime", "litert"]
    for row in emulated:
        assert row["time_ratio"] is None
        assert row["verdict"] is None
        assert row["agreement"] > 0.9
        assert row["across_total"] == row["images_in_common"]


def test_the_printed_comparison_has_the_agreement_of_the_processors(story: Story) -> None:
    rows = [row for row in compare([story.run_of("x86_64"), story.run_of("aarch64")]).rows if row.across]
    assert [row.configuration.runtime for row in rows] == ["tflite-runtime", "litert"]
    assert all(row.across and row.across.same == row.across.total == 300 for row in rows)
    text = " ".join(" ".join(lines_of(story, "compare")).split())
    assert "equal for all 300 images, in 2 configurations of both" in text


def test_a_second_up_skips_every_completed_step(story: Story, tmp_path: Path) -> None:
    again = story.compose("up", "--no-color")
    assert again.returncode == 0, again.stderr
    artifacts = story.compose.copy_out("artifacts", tmp_path / "artifacts")
    assert Bundle.open(artifacts / "bundle").digest == Bundle.open(story.bundle).digest
    results = story.compose.copy_out("results", tmp_path / "results")
    runs = {path.name for path in results.glob("run-*.json")}
    assert runs == {path.name for path in story.results.glob("run-*.json")}


def test_an_explicit_run_measures_again_and_compares_with_the_host(story: Story) -> None:
    done = story.compose("run", "--rm", "--no-deps", "edge", "run", "--runtime", "litert", "--limit", "20",
                         "--trials", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "emulated" in done.stdout.lower()
    assert story.run_of("x86_64").machine.label in " ".join(done.stdout.split())


def test_train_reads_the_data_folder_of_this_machine(images: None, tmp_path: Path) -> None:
    """Damaged files there are found, and nothing is downloaded instead."""
    folder = tmp_path / "data" / "fashion-mnist"
    folder.mkdir(parents=True)
    for file in FASHION_MNIST_FILES.values():
        (folder / file.name).write_bytes(b"damaged")
    for parent in folder.parents[:4]:
        parent.chmod(0o755)
    compose = Compose("edge-bench-tests-data", {"EDGE_BENCH_DATA": str(folder.parent)})
    try:
        done = compose("run", "--rm", "--no-deps", "-T", "train")
    finally:
        compose("down", "--volumes", "--timeout", "1")
    assert done.returncode == 2
    assert "/data/fashion-mnist/" in done.stderr


@pytest.mark.nightly
@pytest.mark.skipif(not FASHION_MNIST.is_dir(), reason="needs EDGE_BENCH_DATA with fashion-mnist/")
def test_fashion_mnist_is_labelled_alike_on_both_processors(images: None, tmp_path: Path) -> None:
    compose = Compose(
        "edge-bench-tests-fashion",
        {
            "EDGE_BENCH_DATA": str(FASHION_MNIST.parent), "EPOCHS": "1", "EDGE_BENCH_VARIANT": "dynamic",
            "EDGE_BENCH_LIMIT": "500", "EDGE_BENCH_TRIALS": "1", "EDGE_BENCH_PROCESSES": "1",
        },
    )  # fmt: skip
    try:
        done = compose("up", "--no-color")
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        results = compose.copy_out("results", tmp_path / "results")
    finally:
        compose("down", "--volumes", "--timeout", "1")
    runs = [read_run(path) for path in results.glob("run-*.json")]
    assert {run.machine.architecture for run in runs} == {"x86_64", "aarch64"}
    across = [row.across for row in compare(runs).rows if row.across]
    assert [(each.same, each.total) for each in across] == [(500, 500)] * 2


@pytest.fixture
def digits(images: None) -> Iterator[Compose]:
    """A project that would train for 400 epochs."""
    compose = Compose("edge-bench-tests-interrupted", {"EPOCHS": "400", "EDGE_BENCH_DATASET": "digits"})
    yield compose
    compose("down", "--volumes", "--timeout", "1")


@pytest.mark.nightly
def test_an_interrupted_training_continues_after_its_last_epoch(digits: Compose, tmp_path: Path) -> None:
    assert digits("up", "--detach", "train").returncode == 0
    with subprocess.Popen(
        ["docker", "logs", "--follow", f"{digits.project}-train-1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as logs:  # fmt: skip
        assert logs.stderr is not None
        assert any(re.search(r"\b[1-9]\d*/400\b", line) for line in logs.stderr), "no epoch was finished"
        assert digits("kill", "train").returncode == 0
        logs.kill()
    before = read_state(digits.copy_out("artifacts", tmp_path / "before") / "bundle")
    assert before is not None
    # one more epoch, so that the test need not wait for all 400
    again = digits("run", "--rm", "-T", "-e", f"EDGE_BENCH_STOP_AFTER={before.epochs_done + 1}", "train")
    assert again.returncode == 0, again.stderr
    after = read_state(digits.copy_out("artifacts", tmp_path / "after") / "bundle")
    assert after is not None
    assert after.epochs_done == before.epochs_done + 1 >= 2
    # epochs that were trained again would have other times
    assert after.history.seconds[: before.epochs_done] == before.history.seconds
