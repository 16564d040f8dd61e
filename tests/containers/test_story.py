"""`docker compose up` from training to comparison, and what a second time and an interruption do."""

import json
import re
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.bundle import Bundle
from tests.containers.conftest import Compose, Story, docker

pytestmark = pytest.mark.containers


def test_train_exports_a_whole_bundle_and_its_progress_can_be_read_in_the_logs(story: Story) -> None:
    bundle = Bundle.open(story.bundle)
    assert [variant.name for variant in bundle.manifest.variants] == ["keras", "float32", "float16", "dynamic", "int8"]
    for variant in bundle.manifest.variants:
        bundle.checked(variant)
    assert "1/1" in story.output
    assert "validation" in story.output


def test_host_and_edge_ran_the_identical_benchmark_each_on_its_own_processor(story: Story) -> None:
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
def test_the_light_model_answers_alike_on_both_processors(story: Story, runtime: str) -> None:
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
    # within 0.1 points of accuracy; a single image may flip where sums are taken in another order
    correct = [int((labels[architecture] == truth).sum()) for architecture in labels]
    assert abs(correct[0] - correct[1]) <= max(1, len(truth) // 1000)
    assert (labels["x86_64"] == labels["aarch64"]).mean() >= 0.99


def test_emulated_times_are_labelled_everywhere_and_judged_nowhere(story: Story) -> None:
    edge = story.run_of("aarch64")
    assert edge.emulated
    assert len(edge.machine.emulation_signs) >= 2
    assert not story.run_of("x86_64").emulated
    assert "EMULATED" in story.output
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


def test_the_comparison_says_on_how_many_images_the_processors_agree(story: Story) -> None:
    lines = [line.partition("|")[2] for line in story.output.splitlines() if "compare-1" in line]
    (start,) = (number for number, line in enumerate(lines) if "the same variant and runtime here and on" in line)
    table = "\n".join(lines[start:])
    for words in ("same label", "flips", "dynamic", "tflite-runtime", "litert", "aarch64", "EMULATED"):
        assert words in table


def test_a_second_up_finds_every_step_done(story: Story) -> None:
    again = story.compose("up", "--no-color")
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stderr
    assert again.stderr.count("has measured this bundle so already") == 2
    listing = docker(
        "run", "--rm", "-v", f"{story.compose.volume('results')}:/r:ro", "--entrypoint", "ls",
        "edge-bench-host:edge-bench-tests", "/r",
    )  # fmt: skip
    assert listing.stdout.count("run-") == 2


def test_explicit_run_measures_again_and_prints_the_comparison_with_the_host(story: Story) -> None:
    done = story.compose("run", "--rm", "--no-deps", "edge", "run", "--limit", "20", "--trials", "1")
    assert done.returncode == 0, done.stderr
    assert "EMULATED" in done.stdout
    assert "agreement" in done.stdout
    assert "A = " in done.stdout  # the host's machine in the legend


@pytest.fixture
def digits(images: None) -> Iterator[Compose]:
    compose = Compose("edge-bench-tests-interrupted", {"EPOCHS": "400", "EDGE_BENCH_DATASET": "digits"})
    yield compose
    compose("down", "--volumes", "--timeout", "1")


def test_an_interrupted_training_goes_on_where_it_was(digits: Compose) -> None:
    assert digits("up", "--detach", "train").returncode == 0
    with subprocess.Popen(
        ["docker", "logs", "--follow", f"{digits.project}-train-1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as logs:  # fmt: skip
        assert logs.stderr is not None
        assert any("training: " in line and "loss" in line for line in logs.stderr), "no epoch was ever finished"
        assert digits("kill", "train").returncode == 0
        logs.kill()
    # it says how much was there already; one epoch is reached at once, so that the test need not wait for 400
    again = digits("run", "--rm", "-T", "-e", "EDGE_BENCH_STOP_AFTER=1", "train")
    assert again.returncode == 0, again.stderr
    before = re.search(r"(\d+) done before", again.stderr)
    assert before, again.stderr
    assert int(before[1]) >= 1
