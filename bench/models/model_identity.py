"""Size and checksum of a model: of all files that it consists of."""

import hashlib
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import is_within, sha256_of, why_unreadable
from edge_bench.bench.io.names import encode_json
from edge_bench.bench.model_formats.onnx_graph import external_locations

__all__ = ["model_files", "size_and_sha256"]

#: Part of a location that ONNX Runtime takes for an address in its own memory, even if there is such a file.
_MEMORY_MARK = "_ORT_MEM_ADDR_"


def size_and_sha256(path: Path) -> tuple[int, str]:
    """Return bytes and SHA-256 of a model: of its file, or of the names and checksums of all its files.

    Raise BadInput if a file is missing, cannot be read, or is outside the model's folder.
    """
    files = model_files(path)
    try:
        size = sum(file.stat().st_size for file in files.values())
        sums = [(name, sha256_of(file)) for name, file in files.items()]
    except OSError as cause:
        raise BadInput(f"{cause.filename or path}: cannot be read: {why_unreadable(cause)}") from None
    if list(files.values()) == [path]:
        return size, sums[0][1]
    return size, hashlib.sha256(encode_json(sums)).hexdigest()


def model_files(path: Path) -> dict[str, Path]:
    """Return all files of a model by their name in its folder, sorted by name.

    They are all files of a SavedModel's folder, an .onnx file with the files that its tensors are stored in, or one
    file. Raise BadInput as `size_and_sha256`.
    """
    if path.is_dir():
        found = {member.relative_to(path).as_posix(): member for member in path.rglob("*") if member.is_file()}
    elif path.suffix == ".onnx":
        found = {path.name: path} | _external_files(path)
    else:
        found = {path.name: path}
    return dict(sorted(found.items()))


def _external_files(path: Path) -> dict[str, Path]:
    """Return the files that an .onnx file stores tensors in.

    As in ONNX Runtime, they must be in the model's folder, or if the model is a symbolic link, in the folder of the
    file that it points to.
    """
    try:
        locations = external_locations(path)
    except (OSError, ValueError) as cause:
        raise BadInput(f"{path}: not a whole .onnx file: {why_unreadable(cause)}", "copy or export it again") from None
    files = {}
    for location in locations:
        if _MEMORY_MARK in location:
            raise BadInput(f"{path}: refers to an address in memory", "do not use this model")
        file = path.parent / location
        if Path(location).is_absolute() or not (is_within(path.parent, file) or is_within(path.resolve().parent, file)):
            raise BadInput(f"{path}: refers to {location}, outside its folder", "do not use this model")
        if not file.exists():
            raise BadInput(f"{path}: its weights are in {location}, which does not exist", f"copy it to {path.parent}")
        if not file.is_file():
            raise BadInput(f"{file}: not a regular file", "do not use this model")
        files[Path(location).as_posix()] = file
    return files
