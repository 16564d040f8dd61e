"""`docker compose up`, run once for all tests."""

import os
from collections.abc import Iterator

import pytest

from tests.containers.compose import Compose, Story
from tests.containers.fixtures import docker_engine, images, native_image

__all__ = ["docker_engine", "images", "native_image", "story"]


@pytest.fixture(scope="session")
def story(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Train for three epochs on the digits, measure on the host and on the emulated edge, and compare."""
    compose = Compose(
        f"edge-bench-tests-{os.getpid()}",
        {
            "EDGE_BENCH_DATASET": "digits",
            "EPOCHS": "3",
            "EDGE_BENCH_VARIANT": "keras,dynamic",
            "EDGE_BENCH_LIMIT": "300",
            "EDGE_BENCH_TRIALS": "2",
            "EDGE_BENCH_PROCESSES": "1",
        },
    )
    try:
        done = compose("up", "--no-color")
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        folder = tmp_path_factory.mktemp("story")
        artifacts = compose.copy_out("artifacts", folder / "artifacts")
        results = compose.copy_out("results", folder / "results")
        yield Story(compose, done.stdout + done.stderr, artifacts / "bundle", results)
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "2")
