"""The commands of docs/install.md that verify a release, on a tiny image in a registry on this machine."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_bench.bench.version import __version__
from tests.command_line import REPOSITORY
from tests.containers.compose import docker
from tests.docs.pages import shell_blocks
from tools.release.artefacts import write_checksums
from tools.release.images import pushed, remove
from tools.release.registry import local_registry
from tools.release.signatures import new_keys

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.usefixtures("docker_engine")]


def test_the_page_s_commands_verify_a_release_and_refuse_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("cosign", "docker-registry"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (Debian: apt-get install {program})")
    monkeypatch.setenv("COSIGN_PASSWORD", "of the test")
    keys = new_keys(tmp_path)
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    with local_registry(tmp_path) as registry, contextlib.ExitStack() as afterwards:
        afterwards.callback(remove, f"{registry}/edge-bench")
        tag = f"{registry}/edge-bench:{__version__}"
        options = ("--platform", "linux/arm64,linux/amd64", "--provenance", "mode=max", "--tag", tag, "--push")
        built = docker("buildx", "build", *options, tmp_path / "image")
        assert built.returncode == 0, built.stderr
        image = pushed("edge", (tag,))
        assert [each.name for each in image.platforms] == ["linux/arm64", "linux/amd64"]
        assert all(100 < each.size < 10_000 for each in image.platforms)
        keys.sign(image)
        sbom = tmp_path / "sbom.json"
        sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}))
        keys.attach_sbom(image.platforms[0], sbom)
        keys.sign_file(write_checksums([sbom], tmp_path / "SHA256SUMS"))

        digest = image.platforms[0].reference.rpartition("sha256:")[2]
        (block,) = (each.text for each in shell_blocks(REPOSITORY / "docs" / "install.md") if "cosign" in each.text)
        script = block.replace("REGISTRY", registry).replace("sha256:…", f"sha256:{digest}")
        verified = shell(script, tmp_path)
        assert verified.returncode == 0, verified.stderr
        assert digest in verified.stdout
        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(new_keys(other).public, tmp_path / "cosign.pub")
        for command in script.splitlines():
            if "--key" in command:
                assert shell(command, tmp_path).returncode != 0, command


def shell(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=os.environ, check=False, capture_output=True, text=True)
