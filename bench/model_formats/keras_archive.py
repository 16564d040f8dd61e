"""Safety checks of a .keras file before Keras loads it: no code, no classes from other packages, no zip bombs.

A .keras file is a zip with ``config.json`` (the model's classes), ``metadata.json`` and the weights as HDF5. These
checks refuse code before Keras' own safe mode does, with clearer messages, and risks that safe mode does not cover.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.io.archives import ARCHIVE_ERRORS, open_member
from edge_bench.bench.io.files import open_regular_file

__all__ = ["check_keras", "check_legacy_config"]

MAX_CONFIG_BYTES = 64 << 20  # ResNet50's is 100 kB
MAX_DEPTH = 100  # a model in a model in a model has about 30
MAX_MEMBERS = 100_000
MAX_BYTES = 32 << 30
#: Limit on uncompressed / compressed size, beyond _FREE_GROWTH bytes, against zip bombs; weights hardly compress.
MOST_GROWTH, _FREE_GROWTH = 20, 16 << 20
#: Classes that contain code, or load it.
_CODE_CLASSES = {"__lambda__", "Lambda", "PyFunction", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
_ALLOWED_MODULES = ("keras", "builtins")


def check_keras(path: Path) -> None:
    """Raise ValueError if a .keras file is damaged or not safe to load, OSError if it cannot be read."""
    try:
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            _check_sizes(archive)
            with open_member(archive, archive.getinfo("config.json"), MAX_CONFIG_BYTES) as member:
                config = member.read()
        settings: Any = msgspec.json.decode(config)
    except KeyError:
        raise ValueError("not a .keras file: it holds no config.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise ValueError(f"its config.json cannot be read: {cause or type(cause).__name__}") from None
    except ARCHIVE_ERRORS as cause:
        raise ValueError(f"not a whole .keras file: {str(cause) or type(cause).__name__}") from None
    for item in _objects(settings):
        _check_object(item)


def check_legacy_config(config: str | bytes) -> None:
    """Raise ValueError if the configuration of a model in an .h5 file is damaged, or the model is not safe to load."""
    if len(config) > MAX_CONFIG_BYTES:
        raise ValueError(f"its configuration has {len(config):,} bytes")
    try:
        settings: Any = msgspec.json.decode(config)
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, RecursionError) as cause:
        raise ValueError(f"its configuration cannot be read: {cause or type(cause).__name__}") from None
    for item in _objects(settings):
        _check_object(item)


def _check_sizes(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"it holds {len(members):,} files")
    total = 0
    for member in members:
        name = member.filename
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise ValueError(f"it holds {name[:80]!r}, which leads outside")
        limit = MAX_CONFIG_BYTES if name.endswith(".json") else MOST_GROWTH * member.compress_size + _FREE_GROWTH
        total += member.file_size
        if member.file_size > limit or total > MAX_BYTES:
            raise ValueError(f"{name[:80]!r} would grow to {member.file_size:,} bytes")


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in the configuration; raise ValueError if they are nested too deeply."""
    pending = [(config, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"its config.json is nested more than {MAX_DEPTH} levels deep")
        if isinstance(value, dict):
            yield value
            pending += [(child, depth + 1) for child in value.values()]
        elif isinstance(value, list):
            pending += [(child, depth + 1) for child in value]


def _check_object(item: dict[str, Any]) -> None:
    name, module, registered = item.get("class_name"), item.get("module"), item.get("registered_name")
    if not isinstance(name, str):
        return
    if name in _CODE_CLASSES:
        raise ValueError(f"it holds code (a {name}), which is never run")
    if isinstance(module, str) and module.split(".")[0] not in _ALLOWED_MODULES:
        raise ValueError(f"it needs {name[:80]!r} of {module[:80]!r}, which is not Keras' own")
    if module is None and isinstance(registered, str):
        raise ValueError(f"it needs {registered[:80]!r}, which is not Keras' own")
