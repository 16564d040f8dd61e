"""Compose's inference server: healthy by its own check, reachable in its network, ended in good order."""

import json

import pytest

from tests.containers.conftest import EDGE, Story, docker

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


def test_the_server_is_healthy_and_answers_the_edge_image_in_its_own_network(story: Story) -> None:
    compose = story.compose
    up = compose("--profile", "offload", "up", "--detach", "--wait", "--no-deps", "serve")
    assert up.returncode == 0, up.stderr
    try:
        asked = docker(
            "run", "--rm", "--network", f"{compose.project}_offload", "--entrypoint", "/opt/edge-bench/bin/python",
            "--platform", "linux/arm64", EDGE, "-c", ASK,
        )  # fmt: skip
        assert asked.returncode == 0, asked.stderr
        answer = json.loads(asked.stdout)
        assert answer["model"]["parameters"]["variant"] == "keras"
        assert answer["model"]["parameters"]["architecture"] == "x86_64"
        assert len(answer["labels"]) == 1
        ports = docker("inspect", f"{compose.project}-serve-1", "--format", "{{json .NetworkSettings.Ports}}")
        assert not any(json.loads(ports.stdout).values()), "no port is published"
    finally:
        compose("--profile", "offload", "stop", "serve")
    ended = docker("inspect", f"{compose.project}-serve-1", "--format", "{{.State.ExitCode}}")
    assert ended.stdout.strip() == "0"
