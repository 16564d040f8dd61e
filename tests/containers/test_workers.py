"""Two containers train one model: `docker compose --profile workers up`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.containers.conftest import Compose

pytestmark = pytest.mark.containers


@pytest.fixture
def compose(images: None) -> Iterator[Compose]:
    compose = Compose("edge-bench-tests-workers", {"EPOCHS": "2", "EDGE_BENCH_DATASET": "digits"})
    yield compose
    compose("--profile", "workers", "down", "--volumes", "--timeout", "1")


def test_two_containers_train_one_bundle(compose: Compose, tmp_path: Path) -> None:
    done = compose("--profile", "workers", "up", "--no-color", "train-worker-0", "train-worker-1")
    said = done.stdout + done.stderr
    assert said.count("exited with code 0") == 2, said
    assert "worker 1 of 2: 2 epochs trained along" in said
    bundle = Bundle.open(compose.copy_out("artifacts", tmp_path / "artifacts") / "bundle")
    assert bundle.manifest.hyper_parameters["workers"] == 2
