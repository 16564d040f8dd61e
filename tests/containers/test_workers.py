"""Two containers train one model: `docker compose --profile workers up`."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.containers.compose import Compose

pytestmark = pytest.mark.containers


@pytest.fixture
def compose(images: None) -> Iterator[Compose]:
    compose = Compose("edge-bench-tests-workers", {"EPOCHS": "2", "EDGE_BENCH_DATASET": "digits"})
    yield compose
    compose("--profile", "workers", "down", "--volumes", "--timeout", "1")


def test_two_containers_train_one_bundle(compose: Compose, tmp_path: Path) -> None:
    done = compose("--profile", "workers", "up", "--no-color", "train-worker-0", "train-worker-1")
    output = done.stdout + done.stderr
    assert output.count("exited with code 0") == 2, output  # compose's own message
    # worker 1 reports its number, the number of workers and of epochs
    assert re.search(r"^\S*train-worker-1\S* +\| .*\b1\b\D+\b2\b\D+\b2\b", output, re.MULTILINE), output
    bundle = Bundle.open(compose.copy_out("artifacts", tmp_path / "artifacts") / "bundle")
    assert bundle.manifest.hyper_parameters["workers"] == 2
