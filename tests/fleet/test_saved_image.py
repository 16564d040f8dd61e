"""Of an image with several tags, `fleet` sends the one that was named, or `latest`."""

import os
from pathlib import Path

import pytest

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.images import ImageSource
from edge_bench.app.fleet.docker.inventory import local_engine_setting
from tests.containers.compose import docker

pytestmark = [pytest.mark.containers, pytest.mark.slow]


@pytest.mark.parametrize("tag", ["latest", "other"])
def test_one_tag_of_an_image_is_sent(docker_engine: None, tmp_path: Path, tag: str) -> None:
    name = f"edge-bench-tests-{os.getpid()}"
    layers = {}
    try:
        for number, each in enumerate(("first", "latest", "other")):  # saved in the order of their names
            (tmp_path / "Dockerfile").write_text(f"FROM scratch\nCOPY {each} /\n")
            (tmp_path / each).write_text("x" * (number + 1))
            built = docker(
                "buildx", "build", "--quiet", "--provenance=false", "--platform", "linux/arm64", "--load",
                "--tag", f"{name}:{each}", str(tmp_path), timeout=120,
            )  # fmt: skip
            assert built.returncode == 0, built.stderr
            layers[each] = docker("image", "inspect", "--format", '{{join .RootFS.Layers " "}}', f"{name}:{each}")
        source = ImageSource(name if tag == "latest" else f"{name}:{tag}", lambda: Engine(local_engine_setting()))
        assert source.part("linux/arm64").layers == tuple(layers[tag].stdout.split())
        source.close()
    finally:
        docker("image", "rm", *(f"{name}:{each}" for each in layers))
