"""The released images: built and pushed with all tags, and what a registry then has of them."""

import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.release.errors import ReleaseError, call

__all__ = [
    "FILES_FOR_SBOM",
    "Platform",
    "ReleasedImage",
    "copy_files",
    "planned",
    "publish",
    "pull_and_run",
    "push",
    "pushed",
    "remove",
]

#: What an SBOM is made from.
FILES_FOR_SBOM = ("opt/edge-bench/lib/python3.11/site-packages", "var/lib/dpkg/status")


@dataclass(frozen=True)
class Platform:
    """The image for one platform, as a registry has it."""

    name: str  # such as linux/arm64
    reference: str  # repository@digest
    size: int  # bytes of its compressed layers: what a device downloads


@dataclass(frozen=True)
class ReleasedImage:
    """One image with all its tags and platforms."""

    name: str  # edge, edge-full or host
    tags: tuple[str, ...]  # repository:tag, of the release
    reference: str  # repository@digest of the index of all platforms
    platforms: tuple[Platform, ...]

    @property
    def digest(self) -> str:
        """The digest of the index."""
        return self.reference.rpartition("@")[2]


def _bake(environment: Mapping[str, str], *options: str) -> str:
    return call(["docker", "buildx", "bake", *options, "release"], environment)


def planned(environment: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the tags of each image, from docker-bake.hcl."""
    targets: dict[str, Any] = json.loads(_bake(environment, "--print"))["target"]
    return {name.removeprefix("release-"): tuple(target["tags"]) for name, target in targets.items()}


def push(environment: Mapping[str, str]) -> list[ReleasedImage]:
    """Build all images for all their platforms, with provenance, push them, and return what the registry has.

    They get candidate tags, which no user has a command for. `publish` gives them those of the release.
    """
    plan = planned(environment)
    candidates = {name: f"{tags[0].rpartition(':')[0]}:candidate-{name}" for name, tags in plan.items()}
    _bake(environment, "--push", *(f"--set=release-{name}.tags={tag}" for name, tag in candidates.items()))
    return [replace(pushed(name, (candidates[name],)), tags=tags) for name, tags in plan.items()]


def publish(images: Iterable[ReleasedImage], version: str) -> None:
    """Give images their tags. Raise ReleaseError, before any is given, if a tag of the version is another image."""
    for image in images:
        for tag in image.tags:
            of_version = tag.rpartition(":")[2].split("-")[0] == version
            if of_version and _digest(tag) not in (None, image.digest):
                raise ReleaseError(f"{tag} is another image: raise the version, or delete this tag in the registry")
    for image in images:
        tags = [f"--tag={tag}" for tag in image.tags]
        call(["docker", "buildx", "imagetools", "create", *tags, image.reference])
        if (found := pushed(image.name, image.tags)).digest != image.digest:
            raise ReleaseError(f"the tags of {image.name} are {found.digest} instead of {image.digest}")


def pushed(name: str, tags: tuple[str, ...]) -> ReleasedImage:
    """Return what the registry has of an image; raise ReleaseError unless all tags are one image with provenance."""
    digests = {_inspect(tag)[0] for tag in tags}
    if len(digests) != 1:
        raise ReleaseError(f"the tags of {name} are different images: {', '.join(tags)}")
    digest, index = _inspect(tags[0])
    repository = tags[0].rpartition(":")[0]
    images, provenance = [], set()
    for each in index["manifests"]:
        notes = each.get("annotations", {})
        if notes.get("vnd.docker.reference.type") == "attestation-manifest":
            provenance.add(notes["vnd.docker.reference.digest"])
        else:
            platform = f"{each['platform']['os']}/{each['platform']['architecture']}"
            images.append((platform, each["digest"]))
    if missing := [platform for platform, image in images if image not in provenance]:
        raise ReleaseError(f"{name} has no provenance for {', '.join(missing)}")
    platforms = tuple(_platform(platform, f"{repository}@{image}") for platform, image in images)
    return ReleasedImage(name, tags, f"{repository}@{digest}", platforms)


def _platform(name: str, reference: str) -> Platform:
    manifest: dict[str, Any] = json.loads(call(["docker", "buildx", "imagetools", "inspect", "--raw", reference]))
    return Platform(name, reference, sum(layer["size"] for layer in manifest["layers"]))


def _inspect(reference: str) -> tuple[str, dict[str, Any]]:
    """Return the digest and the index of a tag, both from the registry."""
    inspected = call(["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", reference])
    manifest: dict[str, Any] = json.loads(inspected)
    return manifest["digest"], manifest


def _digest(tag: str) -> str | None:
    """Return the digest of a tag, None if the registry has no such tag."""
    try:
        return _inspect(tag)[0]
    except ReleaseError as cause:
        if f"{tag}: not found" in str(cause):
            return None
        raise


def pull_and_run(platform: Platform) -> str:
    """Pull an image by its digest, run it, and return the version that it prints. Other platforms are emulated."""
    call(["docker", "pull", "--quiet", "--platform", platform.name, platform.reference])
    options = ("--rm", "--network=none", "--platform", platform.name)
    return call(["docker", "run", *options, platform.reference, "--version"]).strip()


def remove(repository: str) -> None:
    """Remove all images of a repository from this machine's engine, those with and without a tag."""
    found = call(["docker", "images", "--quiet", "--no-trunc", repository]).split()
    if found:
        call(["docker", "image", "rm", "--force", *dict.fromkeys(found)])


def copy_files(platform: Platform, folder: Path) -> None:
    """Copy `FILES_FOR_SBOM` out of a pulled image."""
    archive = folder / "files.tar"
    container = call(["docker", "create", "--platform", platform.name, platform.reference]).strip()
    try:
        call(["docker", "export", "--output", archive, container])
    finally:
        call(["docker", "rm", container])
    with tarfile.open(archive) as members:
        members.extractall(folder, _wanted(members), filter="data")
    archive.unlink()


def _wanted(members: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the metadata of distributions and of Debian's packages; the rest is not needed."""
    site, status = FILES_FOR_SBOM
    for member in members:
        name = member.name.removeprefix("./")
        if name == status or (name.startswith(f"{site}/") and ".dist-info/" in name):
            yield member
