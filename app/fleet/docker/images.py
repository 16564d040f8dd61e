"""The image for an engine's platform: cut out of what the desk's engine has saved, sent where it is not there yet.

`docker save` gives every platform of an image at once, or one; an engine is sent the pieces of its own alone, in the
form that every engine since 1.10 loads, whatever its image store. It gets a tag that says what is in it, so that it
replaces nothing there and is sent once.
"""

import hashlib
import io
import json
import tarfile
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edge_bench.app.fleet.docker.engine import Engine
from edge_bench.app.fleet.docker.errors import EngineTrouble, one_line
from edge_bench.bench.errors import BadInput

__all__ = ["ImagePart", "ImageSource", "ensure_image"]

_CHUNK = 1 << 20
_MOST_JSON = 16 << 20
#: Told how many bytes have just been sent or fetched; raises Cancelled to stop it.
OnBytes = Callable[[int], None]


@dataclass(frozen=True)
class ImagePart:
    """One platform of an image as a file that `docker load` takes."""

    path: Path
    tag: str  # that loading it gives: edge-bench:fleet-1a2b3c4d5e6f
    name: str  # of the image it was cut from, edge-bench
    platform: str
    layers: tuple[str, ...]  # checksums of the layers, unpacked: the same in every engine's store
    bytes: int


class ImageSource:
    """An image of the desk's engine, or a file that `docker save` wrote; saved once, cut once for each platform."""

    def __init__(self, image: str, desk: Callable[[], Engine]) -> None:
        self.image, self._desk = image, desk
        self._folder = tempfile.TemporaryDirectory(prefix="edge-bench-image-", ignore_cleanup_errors=True)
        self._lock = threading.Lock()
        self._saved: Path | None = None
        self._parts: dict[str, ImagePart] = {}

    @property
    def is_in_a_registry(self) -> bool:
        """Whether its name begins with a registry's: registry.example/edge-bench."""
        host, slash, _ = self.image.partition("/")
        return bool(slash) and (any(c in host for c in ".:") or host == "localhost") and not Path(self.image).exists()

    def part(self, platform: str) -> ImagePart:
        """The part for a platform. BadInput where the image is not there, or not for it."""
        with self._lock:
            if platform not in self._parts:
                self._saved = self._saved or self._save()
                self._parts[platform] = cut(self._saved, platform, self.image, Path(self._folder.name))
            return self._parts[platform]

    def close(self) -> None:
        """Removes the files."""
        self._folder.cleanup()

    def _save(self) -> Path:
        if Path(self.image).is_file():
            return Path(self.image)
        import docker.errors

        path = Path(self._folder.name) / "saved.tar"
        with self._desk() as engine, engine.trouble("saving the image on the desk"):
            try:
                engine.client.images.get(self.image)
            except docker.errors.ImageNotFound:
                raise BadInput(
                    f"the Docker engine here has no image {self.image}", "`make images` builds it; or name one, --image"
                ) from None
            with path.open("wb") as file:
                for chunk in engine.patient.api.get_image(self.image, _CHUNK):
                    file.write(chunk)
        return path


def ensure_image(engine: Engine, source: ImageSource, on_bytes: OnBytes, *, by_tag: bool = False) -> tuple[str, int]:
    """The name under which the engine has the image for its platform, and the bytes that were sent for it.

    With ``by_tag`` that is the part's own tag in any case, the same on every engine of the platform.

    BadInput where the desk has none for that platform; EngineTrouble where it cannot be loaded.
    """
    part = source.part(engine.platform)
    for name in (part.name, part.tag):
        if _has(engine, name, part):
            if not by_tag or name == part.tag:
                return name, 0
            with engine.trouble("naming the image"):
                engine.client.images.get(name).tag(part.tag)
            return part.tag, 0
    with engine.trouble("sending the image"):
        for line in engine.patient.api.load_image(_chunks(part.path, on_bytes)):
            if isinstance(line, dict) and line.get("error"):
                raise EngineTrouble(f"sending the image: {one_line(line['error'])}", _room(str(line["error"])))
    if not _has(engine, part.tag, part):
        raise EngineTrouble("sending the image: it was loaded, and is not what was sent", "look at that engine's disk")
    return part.tag, part.bytes


def _has(engine: Engine, name: str, part: ImagePart) -> bool:
    import docker.errors

    with engine.trouble("looking for the image"):
        try:
            there = engine.client.api.inspect_image(name)
        except docker.errors.ImageNotFound:
            return False
    return tuple(there.get("RootFS", {}).get("Layers") or ()) == part.layers


def _room(said: str) -> str:
    return "make room there: `docker system df` shows what Docker holds" if "no space" in said.lower() else ""


def _chunks(path: Path, on_bytes: OnBytes) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            on_bytes(0)
            yield chunk
            on_bytes(len(chunk))


def cut(saved: Path, platform: str, image: str, folder: Path) -> ImagePart:
    """One platform of a saved image, as a file in ``folder``. BadInput where it is no image or has no such platform."""
    try:
        with tarfile.open(saved) as archive:
            return _Saved(archive, image).cut(platform, folder)
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise BadInput(f"{image}: not a saved image: {one_line(cause)}", "save it again with `docker save`") from None


class _Saved:
    """The inside of what `docker save` wrote."""

    def __init__(self, archive: tarfile.TarFile, image: str) -> None:
        self._archive, self._image = archive, image
        self._members = {member.name: member for member in archive if member.isfile()}

    def cut(self, platform: str, folder: Path) -> ImagePart:
        there = {found: (config, layers) for found, config, layers in self._platforms()}
        if platform not in there:
            raise BadInput(
                f"the image {self._image} is for {', '.join(sorted(there)) or 'no platform'}, not for {platform}",
                f"`make edge-image PLATFORM={platform}` builds it, where its runtimes exist for it",
            )
        config_name, layer_names = there[platform]
        config = self._json(config_name)
        name = Path(self._image).stem if Path(self._image).is_file() else self._image
        repository = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
        digest = hashlib.sha256(self._read(config_name).read()).hexdigest()
        tag = f"{repository}:fleet-{digest[:12]}"
        path = folder / f"{digest[:12]}.tar"
        with tarfile.open(path, "w") as out:
            places = [f"{number:03d}/layer.tar" for number in range(len(layer_names))]
            manifest = [{"Config": f"{digest}.json", "RepoTags": [tag], "Layers": places}]
            _add(out, "manifest.json", json.dumps(manifest).encode())
            self._copy(config_name, f"{digest}.json", out)
            for layer, place in zip(layer_names, places, strict=True):
                self._copy(layer, place, out)
        layers = tuple(str(layer) for layer in config["rootfs"]["diff_ids"])
        return ImagePart(path, tag, self._image, platform, layers, path.stat().st_size)

    def _platforms(self) -> Iterator[tuple[str, str, list[str]]]:
        """(platform, config's member, layers' members) of all that is whole in the archive."""
        if "index.json" in self._members:
            yield from self._from_index(self._json("index.json"))
            return
        for entry in self._json("manifest.json"):
            yield _platform(self._json(entry["Config"])), entry["Config"], entry["Layers"]

    def _from_index(self, index: Any) -> Iterator[tuple[str, str, list[str]]]:
        for descriptor in index["manifests"]:
            name = _blob(descriptor)
            if name not in self._members or "vnd.docker.reference.type" in (descriptor.get("annotations") or {}):
                continue
            content = self._json(name)
            if "manifests" in content:
                yield from self._from_index(content)
            elif _blob(content["config"]) in self._members:
                layers = [_blob(layer) for layer in content["layers"]]
                if all(layer in self._members for layer in layers):
                    yield _platform(self._json(_blob(content["config"]))), _blob(content["config"]), layers

    def _read(self, name: str) -> IO[bytes]:
        file = self._archive.extractfile(self._members[name])
        if file is None:
            raise ValueError(f"{name} is no file")
        return file

    def _json(self, name: str) -> Any:
        if self._members[name].size > _MOST_JSON:
            raise ValueError(f"{name} is too large")
        return json.loads(self._read(name).read())

    def _copy(self, name: str, to: str, out: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(to)
        entry.size = self._members[name].size
        out.addfile(entry, self._read(name))


def _add(out: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    out.addfile(entry, io.BytesIO(data))


def _blob(descriptor: Any) -> str:
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def _platform(config: Any) -> str:
    """linux/arm64, linux/arm/v7; arm64's only variant goes without saying."""
    name = f"{config['os']}/{config['architecture']}"
    variant = config.get("variant")
    return f"{name}/{variant}" if variant and config["architecture"] == "arm" else name


def images_for(platforms: Collection[str], source: ImageSource) -> tuple[dict[str, str], dict[str, str]]:
    """Of each platform the image's name, and of each that the image is not for, why."""
    images: dict[str, str] = {}
    without: dict[str, str] = {}
    for platform in platforms:
        try:
            images[platform] = source.image if source.is_in_a_registry else source.part(platform).tag
        except BadInput as cause:
            without[platform] = cause.problem
    return images, without
