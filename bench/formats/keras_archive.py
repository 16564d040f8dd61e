"""What a .keras file would have Keras do, looked at before Keras sees it: no code, nothing from elsewhere, no bombs.

A .keras file is a zip with ``config.json`` (which classes make the model), ``metadata.json`` and the weights as HDF5.
Keras' own safe mode refuses code in it; this refuses it first, in words of its own, and what safe mode leaves open.
"""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.io.files import open_regular_file

__all__ = ["check_keras"]

MAX_CONFIG = 64 << 20  # ResNet50's is 100 kB
MAX_DEPTH = 100  # a model in a model in a model has some thirty
MAX_MEMBERS = 100_000
MAX_BYTES = 32 << 30
#: Keras stores without compression, and weights hardly shrink; what grows more than this is a bomb.
MOST_GROWTH, _FREE_GROWTH = 20, 16 << 20
#: Classes that hold code, or load it.
_CODE = {"__lambda__", "Lambda", "PyFunction", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
_MODULES = ("keras", "builtins")


def check_keras(path: Path) -> None:
    """Raises ValueError with what a .keras file holds that is not loaded; OSError where it cannot be read."""
    try:
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            _check_sizes(archive)
            config = archive.read("config.json")
        settings: Any = msgspec.json.decode(config)
    except KeyError:
        raise ValueError("not a .keras file: it holds no config.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise ValueError(f"its config.json cannot be read: {cause or type(cause).__name__}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as cause:
        raise ValueError(f"not a whole .keras file: {cause or type(cause).__name__}") from None
    for part in _parts(settings):
        _check_part(part)


def _check_sizes(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"it holds {len(members):,} files")
    whole = 0
    for member in members:
        name = member.filename
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise ValueError(f"it holds {name[:80]!r}, which leads outside")
        limit = MAX_CONFIG if name.endswith(".json") else MOST_GROWTH * member.compress_size + _FREE_GROWTH
        whole += member.file_size
        if member.file_size > limit or whole > MAX_BYTES:
            raise ValueError(f"{name[:80]!r} would grow to {member.file_size:,} bytes")


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Every object in the configuration. ValueError where they are nested too deeply."""
    waiting = [(config, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"its config.json is nested more than {MAX_DEPTH} levels deep")
        if isinstance(value, dict):
            yield value
            waiting += [(each, depth + 1) for each in value.values()]
        elif isinstance(value, list):
            waiting += [(each, depth + 1) for each in value]


def _check_part(part: dict[str, Any]) -> None:
    name, module, registered = part.get("class_name"), part.get("module"), part.get("registered_name")
    if not isinstance(name, str):
        return
    if name in _CODE:
        raise ValueError(f"it holds code (a {name}), which is never run")
    if isinstance(module, str) and module.split(".")[0] not in _MODULES:
        raise ValueError(f"it needs {name[:80]!r} of {module[:80]!r}, which is not Keras' own")
    if module is None and isinstance(registered, str):
        raise ValueError(f"it needs {registered[:80]!r}, which is not Keras' own")
