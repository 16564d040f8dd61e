"""Safety checks of a .keras file before Keras loads it: no code, no classes from other packages, no zip bombs.

A .keras file is a zip with ``config.json`` (the model's classes), ``metadata.json`` and the weights as HDF5. These
checks refuse code before Keras' own safe mode does, with clearer messages. They cover risks that safe mode does not.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.io.archives import ARCHIVE_ERRORS, open_member
from edge_bench.bench.io.files import open_regular_file
from edge_bench.bench.model_formats.keras_memory import KerasMemory, keras_memory

__all__ = ["KerasArchive", "check_implied_weights", "check_keras", "check_legacy_config"]

MAX_CONFIG_BYTES = 64 << 20  # ResNet50's is 100 kB
MAX_DEPTH = 100  # a model in a model in a model has about 30
MAX_MEMBERS = 100_000
MAX_BYTES = 32 << 30
#: Limit on uncompressed / compressed size, beyond _FREE_GROWTH bytes, against zip bombs; weights hardly compress.
MOST_GROWTH, _FREE_GROWTH = 20, 16 << 20
#: Weights may take less space than the configuration implies, if they are stored with fewer bits or compressed.
_MOST_IMPLIED, _FREE_IMPLIED = 4, 64 << 20
#: Classes that contain code, or load it.
_CODE_CLASSES = {
    "__lambda__", "Lambda", "PyFunction", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer",
    "TFOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty", "SlicingOpLambda", "TensorFlowOpLayer",
}  # fmt: skip
#: Packages of Keras, as ``keras.layers`` or ``keras.src.layers``, with objects that models consist of. Excluded are
#: packages with functions that change settings, or read files or URLs, such as ``keras.config`` and ``keras.utils``.
_ALLOWED_PACKAGES = {
    "activations", "constraints", "dtype_policies", "engine", "initializers", "layers", "losses", "metrics", "models",
    "ops", "optimizers", "quantizers", "random", "regularizers",
}  # fmt: skip
#: Settings of layers that may be the name of a file, which Keras would read.
_FILE_SETTINGS = ("vocabulary", "idf_weights")


@dataclass(frozen=True)
class KerasArchive:
    """The content of a .keras file."""

    memory: KerasMemory  # implied by its configuration
    weights_bytes: int  # of its other files, unpacked


def check_keras(path: Path) -> KerasArchive:
    """Return the content of a .keras file, if it is safe to load.

    Raise ValueError if it is damaged or not safe, or if its configuration implies far more weights than it contains;
    OSError if it cannot be read.
    """
    try:
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            stored = _check_sizes(archive)
            with open_member(archive, archive.getinfo("config.json"), MAX_CONFIG_BYTES) as member:
                config = member.read()
        settings: Any = msgspec.json.decode(config)
    except KeyError:
        raise ValueError("not a .keras file: no config.json in it") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise ValueError(f"its config.json cannot be read: {cause or type(cause).__name__}") from None
    except ARCHIVE_ERRORS as cause:
        raise ValueError(f"invalid or truncated .keras file: {str(cause) or type(cause).__name__}") from None
    for item in _objects(settings):
        _check_object(item)
    memory = keras_memory(settings)
    check_implied_weights(memory, stored)
    return KerasArchive(memory, stored)


def check_implied_weights(memory: KerasMemory, stored: int) -> None:
    """Raise ValueError if a configuration implies far more weights than are stored; Keras allocates them all."""
    if memory.weights > _MOST_IMPLIED * stored + _FREE_IMPLIED:
        raise ValueError(f"its layers have {memory.weights:,} bytes of weights, but the file contains only {stored:,}")


def check_legacy_config(config: str | bytes) -> KerasMemory:
    """Return the memory that the configuration of a model in an .h5 file implies.

    Raise ValueError if it is damaged, or the model is not safe to load.
    """
    if len(config) > MAX_CONFIG_BYTES:
        raise ValueError(f"its configuration is too large: {len(config):,} bytes")
    try:
        settings: Any = msgspec.json.decode(config)
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, RecursionError) as cause:
        raise ValueError(f"its configuration cannot be read: {cause or type(cause).__name__}") from None
    for item in _objects(settings):
        _check_object(item)
    return keras_memory(settings)


def _check_sizes(archive: zipfile.ZipFile) -> int:
    """Return the unpacked size of all files except .json; raise ValueError for a zip bomb or an outside path."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"too many files in it: {len(members):,}")
    total = weights = 0
    for member in members:
        name = member.filename
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise ValueError(f"its file {name[:80]!r} would be extracted outside the folder")
        limit = MAX_CONFIG_BYTES if name.endswith(".json") else MOST_GROWTH * member.compress_size + _FREE_GROWTH
        total += member.file_size
        if member.file_size > limit or total > MAX_BYTES:
            raise ValueError(f"{name[:80]!r} would be unpacked to {member.file_size:,} bytes")
        weights += 0 if name.endswith(".json") else member.file_size
    return weights


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
    """Raise ValueError for an object that is not one of Keras' own classes."""
    for setting in _FILE_SETTINGS:
        if isinstance(path := item.get(setting), str):
            raise ValueError(f"its setting {setting} is {path[:80]!r}, which would be read as a file")
    module, registered = item.get("module"), item.get("registered_name")
    name = item.get("class_name", item.get("spec_name"))
    if not isinstance(name, str):
        return
    if name in _CODE_CLASSES:
        raise ValueError(f"it contains code (a {name}), which is never run")
    if name == "function" and isinstance(item.get("config"), str):
        name = item["config"]
    if module is not None and not _is_allowed(module):
        raise ValueError(f"it needs {name[:80]!r} from {str(module)[:80]!r}, which is not part of Keras")
    if isinstance(registered, str) and (module is None or ">" in registered):
        raise ValueError(f"it needs {registered[:80]!r}, which is not part of Keras")
    if not name.isidentifier():  # Keras joins module and name; a name with a dot would lead to another module
        raise ValueError(f"it needs {name[:80]!r}, which is not part of Keras")


def _is_allowed(module: Any) -> bool:
    """Return whether a model may use classes and functions of this module."""
    if not isinstance(module, str):
        return False
    package, *inner = module.split(".")
    if package == "builtins":
        return not inner
    is_source = inner[:1] == ["src"]  # the public keras.applications has functions that load files
    inner = inner[1:] if is_source else inner
    allowed = not inner or inner[0] in _ALLOWED_PACKAGES or (is_source and inner[0] == "applications")
    return package == "keras" and allowed
