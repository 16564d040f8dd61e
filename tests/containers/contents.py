"""The size of an image, and the licences in it."""

import json
import tarfile
from pathlib import Path
from typing import Any

from tests.containers.compose import docker

__all__ = ["assert_licences", "compressed_bytes"]

LICENCES = "/usr/share/doc/edge-bench/third-party-licences"
DISTRIBUTIONS = """
import importlib.metadata, json
found = [[each.metadata["Name"], each.version] for each in importlib.metadata.distributions()]
print(json.dumps(found), open("{}").read(), sep=chr(10))
"""


def assert_licences(image: str) -> None:
    """Assert that the image has a licence id and a text for each distribution in it, and for no other."""
    done = docker("run", "--rm", "--network=none", "--entrypoint", "/opt/edge-bench/bin/python", image, "-c",
                  DISTRIBUTIONS.format(LICENCES))  # fmt: skip
    assert done.returncode == 0, done.stderr
    installed, text = done.stdout.split("\n", maxsplit=1)
    expected = {f"{name} {version}" for name, version in json.loads(installed) if name != "edge-bench"}
    listed = dict(line.split(": ") for line in text.split("\n\n", maxsplit=1)[0].splitlines())
    assert listed.keys() == expected
    for name, licence in listed.items():
        _, _, after = text.partition(f"\n{name}: {licence}\n{'=' * 80}\n")
        assert len(after.partition("=" * 80)[0]) > 500, name


def compressed_bytes(archive: Path, *how: object) -> int:
    """Build an image for arm64 and return the size of its compressed layers."""
    built = docker(
        "buildx", "build", "--platform", "linux/arm64", "--quiet", "--provenance=false",
        "--output", f"type=oci,dest={archive},compression=gzip,force-compression=true", *how,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-2000:]
    with tarfile.open(archive) as members:

        def blob(digest: str) -> dict[str, Any]:
            file = members.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert file is not None
            found: dict[str, Any] = json.loads(file.read())
            return found

        index = members.extractfile("index.json")
        assert index is not None
        manifest = blob(json.loads(index.read())["manifests"][0]["digest"])
    return sum(layer["size"] for layer in manifest["layers"])
