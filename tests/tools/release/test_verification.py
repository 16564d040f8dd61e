"""The commands of docs/install.md that verify a release, on a tiny image in a registry on this machine."""

import contextlib
import dataclasses
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
from tools.release.errors import ReleaseError
from tools.release.images import ReleasedImage, publish, pushed, remove
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
    with local_registry(tmp_path) as registry, contextlib.ExitStack() as afterwards:
        afterwards.callback(remove, f"{registry}/edge-bench")
        image = candidate(registry, tmp_path / "image", "first")
        assert [each.name for each in image.platforms] == ["linux/arm64", "linux/amd64"]
        assert all(100 < each.size < 10_000 for each in image.platforms)
        keys.sign(image)
        sbom = tmp_path / "sbom.json"
        sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}))
        for _ in range(2):  # as if the release were made again
            keys.attach_sbom(image.platforms[0], sbom)
        assert keys.verified_sbom(image.platforms[0]) == json.loads(sbom.read_text())
        wheel = tmp_path / "a.whl"
        wheel.touch()
        keys.sign_file(write_checksums([sbom, wheel], tmp_path / "SHA256SUMS"))
        wheel.unlink()  # a user has one of the files
        with pytest.raises(ReleaseError):
            keys.verify(image.tags[0])
        publish([image], __version__)

        digest = image.platforms[0].reference.rpartition("sha256:")[2]
        (block,) = (each.text for each in shell_blocks(REPOSITORY / "docs" / "install.md") if "cosign" in each.text)
        script = block.replace("REGISTRY", registry).replace("sha256:…", f"sha256:{digest}")
        other_image = candidate(registry, tmp_path / "image", "second")
        with pytest.raises(ReleaseError):  # this version is released already
            publish([other_image], __version__)
        assert pushed("edge", image.tags).reference == image.reference
        verified = shell(script, tmp_path)
        assert verified.returncode == 0, verified.stderr
        assert digest in verified.stdout
        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(new_keys(other).public, tmp_path / "cosign.pub")
        for command in script.splitlines():
            if "--key" in command:
                assert shell(command, tmp_path).returncode != 0, command


def candidate(registry: str, folder: Path, content: str) -> ReleasedImage:
    """Push an image of a file under a candidate tag."""
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM scratch\nCOPY Dockerfile /\n# {content}\n")
    tag = f"{registry}/edge-bench:candidate"
    options = ("--platform", "linux/arm64,linux/amd64", "--provenance", "mode=max", "--tag", tag, "--push")
    built = docker("buildx", "build", *options, folder)
    assert built.returncode == 0, built.stderr
    tags = tuple(f"{registry}/edge-bench:{each}" for each in (__version__, "latest"))
    return dataclasses.replace(pushed("edge", (tag,)), tags=tags)


def shell(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=os.environ, check=False, capture_output=True, text=True)
