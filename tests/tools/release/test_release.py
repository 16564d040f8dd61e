"""The parts of a release: notes, tags, bills of materials; nightly all of it, to a registry on this machine."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.version import __version__
from tests.command_line import REPOSITORY
from tools.release.artefacts import write_checksums
from tools.release.errors import ReleaseError
from tools.release.images import FILES_FOR_SBOM
from tools.release.notes import release_notes
from tools.release.sbom import debian_packages, image_sbom

CHANGELOG = """\
# Changelog

## 1.1.0 (unreleased)

- New.

## 1.0.0 (2026-11-27)

### Added

- First.
"""
STATUS = """\
Package: libc6
Status: install ok installed
Architecture: arm64
Version: 2.36-9+deb12u13
Description: GNU C Library
 with a second line

Package: gone
Status: deinstall ok config-files
Architecture: arm64
Version: 1.0
"""
NAMING_THE_VERSION = ("Dockerfile.edge", "Dockerfile.host", "docker-bake.hcl")
#: The images of a release, their tags without the repository, and their platforms.
IMAGES = {
    "release-edge": ({"latest", "edge", __version__, f"{__version__}-edge"}, {"linux/arm64", "linux/amd64"}),
    "release-edge-full": ({"edge-full", f"{__version__}-edge-full"}, {"linux/arm64", "linux/amd64"}),
    "release-host": ({"host", f"{__version__}-host"}, {"linux/amd64"}),
}


def test_the_notes_of_a_version_are_its_part_of_the_changelog() -> None:
    assert release_notes(CHANGELOG, "1.0.0") == "### Added\n\n- First.\n"
    assert release_notes(CHANGELOG, "1.1.0", dry_run=True) == "- New.\n"


@pytest.mark.parametrize("version", ["1.1.0", "1.0", "2.0.0"])
def test_a_version_without_a_date_or_without_notes_is_not_released(version: str) -> None:
    with pytest.raises(ReleaseError):
        release_notes(CHANGELOG, version)


def test_the_changelog_has_notes_for_this_version() -> None:
    assert len(release_notes((REPOSITORY / "CHANGELOG.md").read_text(), __version__, dry_run=True)) > 1000


def test_all_files_that_name_the_version_agree() -> None:
    stated = re.compile(r'EDGE_BENCH_VERSION(?:=|" \{ default = ")(\d+\.\d+\.\d+)')
    found = [stated.findall((REPOSITORY / name).read_text()) for name in NAMING_THE_VERSION]
    assert found == [[__version__]] * len(NAMING_THE_VERSION)


def test_checksums_have_the_format_of_sha256sum(tmp_path: Path) -> None:
    file = tmp_path / "a.whl"
    file.write_bytes(b"wheel")
    target = write_checksums([file], tmp_path / "SHA256SUMS")
    assert target.read_text() == f"{hashlib.sha256(b'wheel').hexdigest()}  a.whl\n"


def test_only_installed_debian_packages_are_in_a_bill_of_materials() -> None:
    (found,) = debian_packages(STATUS)
    assert (found["name"], found["version"]) == ("libc6", "2.36-9+deb12u13")
    assert found["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=arm64&distro=debian-12"


@pytest.mark.slow
def test_a_bill_of_materials_has_every_distribution_of_the_image(tmp_path: Path) -> None:
    pytest.importorskip("cyclonedx_py", reason="cyclonedx-bom is not installed")
    site, status = (tmp_path / each for each in FILES_FOR_SBOM)
    metadata = site / "numpy-1.26.4.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.26.4\nLicense: BSD-3-Clause\n")
    status.parent.mkdir(parents=True)
    status.write_text(STATUS)
    bill = json.loads(image_sbom(tmp_path, "edge", "1.0.0", "linux/arm64"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "edge-bench:edge"
    assert {each["purl"].partition("?")[0] for each in bill["components"]} == {
        "pkg:pypi/numpy@1.26.4",
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13",
    }


@pytest.mark.containers
@pytest.mark.usefixtures("docker_engine")
def test_all_images_have_the_tags_of_a_release_and_provenance() -> None:
    command = ["docker", "buildx", "bake", "--print", "release"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "EDGE_BENCH_VERSION": __version__,
        "REPOSITORY": "example.test/me/edge-bench",
    }
    printed = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    targets: dict[str, Any] = json.loads(printed.stdout)["target"]
    assert targets.keys() == IMAGES.keys()
    for name, (tags, platforms) in IMAGES.items():
        assert set(targets[name]["tags"]) == {f"example.test/me/edge-bench:{tag}" for tag in tags}
        assert set(targets[name]["platforms"]) == platforms
        assert "provenance" in json.dumps(targets[name]["attest"])


@pytest.mark.nightly
@pytest.mark.containers
@pytest.mark.usefixtures("docker_engine")
def test_a_dry_run_builds_pushes_pulls_signs_and_verifies_everything(tmp_path: Path) -> None:
    for program in ("cosign", "docker-registry"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (Debian: apt-get install {program})")
    command = [sys.executable, "-m", "tools.release", "--dry-run", "--output", str(tmp_path / "dist")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    print(done.stderr)  # the sizes of the images: pytest -s
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "dist").iterdir() if not path.name.startswith(".")}
    bills = {"sbom-edge-arm64", "sbom-edge-amd64", "sbom-edge-full-arm64", "sbom-edge-full-amd64", "sbom-host-amd64"}
    wheel, sdist = f"edge_bench-{__version__}-py3-none-any.whl", f"edge_bench-{__version__}.tar.gz"
    others = {"release-notes.md", "cosign.pub", "SHA256SUMS", "SHA256SUMS.sig"}
    assert made == {wheel, sdist, *others, *(f"{bill}.cdx.json" for bill in bills)}
    listed = {line.split()[1] for line in (tmp_path / "dist" / "SHA256SUMS").read_text().splitlines()}
    assert listed == made - {"cosign.pub", "SHA256SUMS", "SHA256SUMS.sig"}
    host = json.loads((tmp_path / "dist" / "sbom-host-amd64.cdx.json").read_text())
    names = {each["name"].lower().replace("_", "-") for each in host["components"]}  # some metadata says tensorflow_cpu
    assert {"tensorflow-cpu", "numpy", "edge-bench", "libc6", "python3.11"} <= names
    assert not names & {"scipy", "pygments", "pip"}
