"""The image for an engine's platform, extracted from a saved image of the local engine and sent if missing.

`docker save` writes one or all platforms of an image. An engine receives only its own platform, in the format that
every engine since 1.10 loads, with any image store. Its tag contains a checksum of its content, so it replaces no
other image on the engine and is sent only once.
"""

import hashlib
import io
import json
import re
import tarfile
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edge_bench.app.fleet.docker.client import load_errors
from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import EngineTrouble, one_line, remedy_for, without_file
from edge_bench.app.fleet.docker.transfer import CHUNK_BYTES, LARGER_TMPDIR, OnBytes, chunks, writing_here
from edge_bench.bench.errors import BadInput, DiskFull
from edge_bench.bench.io.archives import ARCHIVE_ERRORS, is_ordinary

__all__ = ["ImagePart", "ImageSource", "ensure_image"]

_MAX_JSON_BYTES = 16 << 20
_MAX_INDEX_DEPTH = 3  # Docker writes at most two


@dataclass(frozen=True)
class ImagePart:
    """One platform of an image as a file for `docker load`."""

    path: Path
    tag: str  # its tag after loading: edge-bench:fleet-1a2b3c4d5e6f
    name: str  # of the source image: edge-bench; empty if it is a file, which no engine knows by its path
    platform: str
    layers: tuple[str, ...]  # checksums of the uncompressed layers, the same in every engine's store
    bytes: int


class ImageSource:
    """An image of the local engine, or a file from `docker save`, extracted once for each platform."""

    def __init__(self, image: str, local_engine: Callable[[], Engine]) -> None:
        self.image, self._local_engine = image, local_engine
        self._folder = tempfile.TemporaryDirectory(prefix="edge-bench-image-", ignore_cleanup_errors=True)
        self._lock = threading.Lock()
        self._saved: Path | None = None
        self._parts: dict[str, ImagePart] = {}
        self._identity: tuple[str, str] | None = None

    @property
    def is_in_a_registry(self) -> bool:
        """Whether its name begins with a registry's host name: registry.example/edge-bench."""
        host, slash, _ = self.image.partition("/")
        return bool(slash) and (any(c in host for c in ".:") or host == "localhost") and not Path(self.image).exists()

    def is_on(self, engine: Engine) -> bool:
        """Whether an engine has this image under its name, for its platform, so that it need not be saved.

        This is so on the local engine itself.
        """
        if Path(self.image).is_file():
            return False
        with self._lock:
            if self._identity is None:
                with self._local_engine() as local:
                    self._identity = _identity(local, self.image)
        checksum, platform = self._identity
        return bool(checksum) and platform == engine.platform and _identity(engine, self.image) == self._identity

    def part(self, platform: str) -> ImagePart:
        """Return the part for a platform. Raise BadInput if the image or its platform is missing."""
        with self._lock:
            if platform not in self._parts:
                self._saved = self._saved or self._save()
                self._parts[platform] = cut(self._saved, platform, self.image, Path(self._folder.name))
            return self._parts[platform]

    def close(self) -> None:
        """Remove the temporary files."""
        self._folder.cleanup()

    def _save(self) -> Path:
        if Path(self.image).is_file():
            return Path(self.image)
        import docker.errors

        path = Path(self._folder.name) / "saved.tar"
        with self._local_engine() as engine, engine.trouble("saving the image"):
            try:
                image = engine.client.images.get(self.image)
            except docker.errors.ImageNotFound:
                raise BadInput(
                    f"the local Docker engine has no image {self.image}",
                    "build it with `make images`, or choose another with --image",
                ) from None
            latest = f"{self.image}:latest"  # without a tag, Docker saves every tag of the name
            name = latest if latest in image.tags else self.image
            with writing_here(path, LARGER_TMPDIR), path.open("wb") as file:
                for chunk in engine.slow_client.api.get_image(name, CHUNK_BYTES):
                    file.write(chunk)
        return path


def ensure_image(
    engine: Engine,
    source: ImageSource,
    on_bytes: OnBytes,
    on_sent: Callable[[], None] = lambda: None,
    *,
    by_tag: bool = False,
) -> tuple[str, int]:
    """Send the image unless the engine has it. Return its name on the engine and the number of bytes sent.

    ``on_sent`` is called when only the engine has work left: unpacking takes minutes on a slow SD card.
    With ``by_tag``, the name is always the part's tag, which is the same on all engines of the platform.
    Raise BadInput if there is no image for the platform, EngineTrouble if it cannot be loaded.
    """
    if not by_tag and source.is_on(engine):
        return source.image, 0
    part = source.part(engine.platform)
    for name in filter(None, (part.name, part.tag)):
        if _has(engine, name, part):
            if not by_tag or name == part.tag:
                return name, 0
            with engine.trouble("naming the image"):
                engine.client.images.get(name).tag(part.tag)
            return part.tag, 0
    with engine.trouble("sending the image"), part.path.open("rb") as file:
        for error in load_errors(engine.slow_client, _then(chunks(file, on_bytes), on_sent)):
            raise EngineTrouble(f"sending the image: {without_file(error)}", remedy_for(error))
    if not _has(engine, part.tag, part):
        raise EngineTrouble(
            "sending the image: the loaded image differs from the sent one", "check the disk of that engine"
        )
    return part.tag, part.bytes


def _then(sent: Iterator[bytes], on_sent: Callable[[], None]) -> Iterator[bytes]:
    yield from sent
    on_sent()


def _identity(engine: Engine, name: str) -> tuple[str, str]:
    """Return the checksum and the platform of an engine's image, empty if it has none of this name."""
    import docker.errors

    with engine.trouble("looking for the image"):
        try:
            image = engine.client.api.inspect_image(name)
        except docker.errors.ImageNotFound:
            return "", ""
        described = {part.lower(): image.get(part) for part in ("Os", "Architecture", "Variant")}
        return str(image["Id"]), _platform(described)


def _has(engine: Engine, name: str, part: ImagePart) -> bool:
    import docker.errors

    with engine.trouble("looking for the image"):
        try:
            image = engine.client.api.inspect_image(name)
        except docker.errors.ImageNotFound:
            return False
    return tuple(image.get("RootFS", {}).get("Layers") or ()) == part.layers


def cut(saved: Path, platform: str, image: str, folder: Path) -> ImagePart:
    """Extract one platform of a saved image into a file in ``folder``.

    Raise BadInput if ``saved`` is not an image or does not contain the platform, DiskFull if ``folder`` has no space.
    """
    try:
        with writing_here(folder, LARGER_TMPDIR), tarfile.open(saved) as archive:
            return _SavedImage(archive, image).cut(platform, folder)
    except (OSError, *ARCHIVE_ERRORS, KeyError, TypeError, AttributeError) as cause:
        raise BadInput(f"{image}: not a saved image: {one_line(cause)}", "save it again with `docker save`") from None


class _SavedImage:
    """An archive that `docker save` wrote."""

    def __init__(self, archive: tarfile.TarFile, image: str) -> None:
        self._archive, self._image = archive, image
        self._members = {member.name: member for member in archive if is_ordinary(member)}

    def cut(self, platform: str, folder: Path) -> ImagePart:
        platforms = {name: (config, layers) for name, config, layers in self._platforms()}
        if platform not in platforms:
            raise BadInput(
                f"the image {self._image} is for {', '.join(sorted(platforms)) or 'no platform'}, not for {platform}",
                f"build it with `make edge-image PLATFORM={platform}`, if its runtimes support the platform",
            )
        config_name, layer_names = platforms[platform]
        config = self._json(config_name)
        from_file = Path(self._image).is_file()
        digest = hashlib.sha256(self._open(config_name).read()).hexdigest()
        tag = f"{_repository(self._image, from_file=from_file)}:fleet-{digest[:12]}"
        path = folder / f"{digest[:12]}.tar"
        with tarfile.open(path, "w") as out:
            layer_paths = [f"{number:03d}/layer.tar" for number in range(len(layer_names))]
            manifest = json.dumps([{"Config": f"{digest}.json", "RepoTags": [tag], "Layers": layer_paths}]).encode()
            _add(out, "manifest.json", len(manifest), io.BytesIO(manifest))
            for source, target in zip((config_name, *layer_names), (f"{digest}.json", *layer_paths), strict=True):
                _add(out, target, self._members[source].size, self._open(source))
        layers = tuple(str(layer) for layer in config["rootfs"]["diff_ids"])
        return ImagePart(path, tag, "" if from_file else self._image, platform, layers, path.stat().st_size)

    def _platforms(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield the platform, the config's name and the layers' names of every complete platform in the archive."""
        if "index.json" in self._members:
            yield from self._from_index(self._json("index.json"))
            return
        for entry in self._json("manifest.json"):
            yield _platform(self._json(entry["Config"])), entry["Config"], entry["Layers"]

    def _from_index(self, index: Any, depth: int = 0) -> Iterator[tuple[str, str, list[str]]]:
        for descriptor in index["manifests"]:
            name = _blob(descriptor)
            if name not in self._members or "vnd.docker.reference.type" in (descriptor.get("annotations") or {}):
                continue
            content = self._json(name)
            if "manifests" in content:
                if depth > _MAX_INDEX_DEPTH:
                    raise ValueError(f"{name}: indexes are nested too deeply")
                yield from self._from_index(content, depth + 1)
            elif _blob(content["config"]) in self._members:
                layers = [_blob(layer) for layer in content["layers"]]
                if all(layer in self._members for layer in layers):
                    yield _platform(self._json(_blob(content["config"]))), _blob(content["config"]), layers

    def _open(self, name: str) -> IO[bytes]:
        file = self._archive.extractfile(self._members[name])
        if file is None:
            raise ValueError(f"{name} is not a file")
        return file

    def _json(self, name: str) -> Any:
        if self._members[name].size > _MAX_JSON_BYTES:
            raise ValueError(f"{name} is too large")
        try:
            return json.loads(self._open(name).read())
        except RecursionError:
            raise ValueError(f"{name} is nested too deeply") from None


def _repository(image: str, *, from_file: bool) -> str:
    """Return an image's name without tag and checksum. For a saved image, make a valid name from that of its file."""
    if from_file:
        name = re.sub("[^a-z0-9]+", "-", Path(image).stem.lower())[:100].strip("-")
    else:
        name = image.partition("@")[0]
        name = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    # an image given by its id: Docker accepts no checksum as a name
    return "edge-bench" if re.fullmatch("(sha256|[0-9a-f]{64})?", name) else name


def _add(out: tarfile.TarFile, name: str, size: int, content: IO[bytes]) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    out.addfile(entry, content)


def _blob(descriptor: Any) -> str:
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def _platform(config: Any) -> str:
    """Return linux/arm64 or linux/arm/v7: the variant only for arm, since arm64 has only one."""
    name = f"{config['os']}/{config['architecture']}"
    variant = config.get("variant")
    return f"{name}/{variant}" if variant and config["architecture"] == "arm" else name


def images_for(platforms: Collection[str], source: ImageSource) -> tuple[dict[str, str], dict[str, str]]:
    """Return the image's name by platform, and the reason by platform for those without an image."""
    images: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for platform in platforms:
        try:
            images[platform] = source.image if source.is_in_a_registry else source.part(platform).tag
        except DiskFull:
            raise
        except BadInput as cause:
            reasons[platform] = cause.problem
    return images, reasons
