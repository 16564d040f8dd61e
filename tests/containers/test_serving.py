"""Compose's inference server: its health check, its network and its shutdown."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.offload.records.files import read_offload
from tests.containers.compose import EDGE, Compose, Story, docker

pytestmark = pytest.mark.containers

ASK = """
import json, sys, urllib.request
def ask(path, body=None):
    with urllib.request.urlopen("http://serve:8000" + path, body, timeout=60) as response:
        return json.load(response)
model = ask("/v2/models/paper-cnn")
height, width, channels = model["inputs"][0]["shape"][1:]
tensor = {"name": "images", "datatype": "UINT8", "shape": [1, height, width, channels], "data": [0] * height * width}
answer = ask("/v2/models/paper-cnn/infer", json.dumps({"inputs": [tensor]}).encode())
print(json.dumps({"model": model, "labels": answer["outputs"][0]["data"]}))
"""


@pytest.fixture(scope="module")
def serving(story: Story) -> Iterator[Compose]:
    """A server of the story's bundle: keras on TensorFlow."""
    compose = story.compose
    up = compose("--profile", "offload", "up", "--detach", "--wait", "--no-deps", "serve")
    assert up.returncode == 0, up.stderr
    yield compose
    compose("--profile", "offload", "stop", "serve")
    ended = docker("inspect", f"{compose.project}-serve-1", "--format", "{{.State.ExitCode}}")
    assert ended.stdout.strip() == "0"


def test_the_server_is_healthy_and_reachable_only_in_its_own_network(serving: Compose) -> None:
    asked = docker(
        "run", "--rm", "--network", f"{serving.project}_offload", "--entrypoint", "/opt/edge-bench/bin/python",
        "--platform", "linux/arm64", EDGE, "-c", ASK,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["model"]["parameters"]["variant"] == "keras"
    assert answer["model"]["parameters"]["architecture"] == "x86_64"
    assert len(answer["labels"]) == 1
    ports = docker("inspect", f"{serving.project}-serve-1", "--format", "{{json .NetworkSettings.Ports}}")
    assert not any(json.loads(ports.stdout).values()), "no port is published"


def test_offloaded_images_get_the_labels_of_the_hosts_own_run(serving: Compose, story: Story, tmp_path: Path) -> None:
    done = serving("--profile", "offload", "run", "--rm", "--no-deps", "offload", "offload", "--payload", "raw,png",
                   "--trials", 1)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "emulated" in done.stdout.lower()
    results = serving.copy_out("results", tmp_path / "results")
    (path,) = results.glob("offload-*.json")
    measured = read_offload(path)
    assert measured.emulated
    assert all(row.p50 is None and row.throughput is None for row in assess(measured).rows)
    assert measured.server.hostname == "host"
    labels = {each.payload: unpack(each.predictions).tolist() for each in measured.accuracies}
    assert labels["raw"] == labels["png"]
    there = dict(zip(unpack(measured.images.indices).tolist(), labels["raw"], strict=True))
    host = story.run_of("x86_64")
    keras = next(result for result in host.results if result.configuration.variant == "keras")
    here = dict(zip(unpack(host.images.indices).tolist(), keras.labels().tolist(), strict=True))
    common = here.keys() & there.keys()
    assert len(common) > 50
    assert all(here[image] == there[image] for image in common)
