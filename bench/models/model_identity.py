"""Size and checksum of a model, over all its files."""

from collections.abc import Mapping
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import TooLarge, is_within, sha256_of, why_unreadable
from edge_bench.bench.model_formats.onnx_graph import ExternalTensor, external_tensors
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.ncnn_files import PARAM, sha256_of_all, weights_of

__all__ = ["model_bytes", "model_files", "shown_progress", "size_and_sha256"]

#: Part of a location that ONNX Runtime treats as an address in its own memory, even if there is such a file.
_MEMORY_MARK = "_ORT_MEM_ADDR_"
#: Models with more bytes show progress. A slow SD card takes 5 s to read them.
LARGE = 100_000_000
_MB = 1_000_000


def shown_progress(size: int, progress: Progress) -> Progress:
    """Return the progress to show for a model of ``size`` bytes: none if it is small."""
    return progress if size >= LARGE else Silent()


def size_and_sha256(path: Path, progress: Progress = Silent()) -> tuple[int, str]:  # noqa: B008 - it has no state
    """Return bytes and SHA-256 of a model: of its file, or of the names and checksums of all its files.

    ``progress`` is shown for large models, in MB. Raise BadInput if a file is missing, cannot be read, or is outside
    the model's folder.
    """
    files = model_files(path)
    size = model_bytes(path, files)
    progress, done = shown_progress(size, progress), 0

    def advance(read: int) -> None:
        nonlocal done
        done += read
        if steps := done // _MB - (done - read) // _MB:
            progress.advance(steps)

    progress.start(f"reading {path.name}, MB", size // _MB)
    try:
        is_one = list(files.values()) == [path]
        digest = sha256_of(path, advance) if is_one else sha256_of_all(files, advance)
    except OSError as cause:
        raise BadInput(f"{cause.filename or path}: cannot be read: {why_unreadable(cause)}") from None
    progress.finish()
    return size, digest


def model_bytes(path: Path, files: Mapping[str, Path]) -> int:
    """Return the bytes of all files of a model; raise BadInput if one cannot be read."""
    try:
        return sum(file.stat().st_size for file in files.values())
    except OSError as cause:
        raise BadInput(f"{cause.filename or path}: cannot be read: {why_unreadable(cause)}") from None


def model_files(path: Path) -> dict[str, Path]:
    """Return all files of a model by their name in its folder, sorted by name.

    They are all files of a SavedModel's folder, an .onnx file with the files that its tensors are stored in, ncnn's
    .param and .bin, or one file. Raise BadInput as `size_and_sha256`.
    """
    if path.is_dir():
        found = {member.relative_to(path).as_posix(): member for member in path.rglob("*") if member.is_file()}
    elif path.suffix == ".onnx":
        found = {path.name: path} | _external_files(path)
    elif path.suffix == PARAM:
        found = {path.name: path} | _ncnn_weights(path)
    else:
        found = {path.name: path}
    return dict(sorted(found.items()))


def _external_files(path: Path) -> dict[str, Path]:
    """Return the files that an .onnx file stores tensors in.

    As in ONNX Runtime, they must be in the model's folder, or if the model is a symbolic link, in the folder of the
    file that it points to.
    """
    files, sizes = dict[str, Path](), dict[str, int]()
    try:
        for tensor in external_tensors(path):
            location = tensor.location
            if location not in sizes:
                file = _external_file(path, location)
                files[Path(location).as_posix()], sizes[location] = file, file.stat().st_size
            _check_place(path, tensor, sizes[location])
    except TooLarge as cause:
        remedy = "export it with its weights as external data"
        raise BadInput(f"{path}: {cause}, the limit of the format", remedy) from None
    except (OSError, ValueError) as cause:
        raise BadInput(
            f"{path}: invalid or truncated .onnx file: {why_unreadable(cause)}", "copy or export it again"
        ) from None
    return files


def _ncnn_weights(path: Path) -> dict[str, Path]:
    file = weights_of(path)
    if not file.is_file():
        raise BadInput(f"{path}: its weights, {file.name}, are missing", f"copy them to {path.parent}")
    return {file.name: file}


def _external_file(path: Path, location: str) -> Path:
    """Return a file that tensors are stored in; raise BadInput if it is missing or outside the folder."""
    if _MEMORY_MARK in location:
        raise BadInput(f"{path}: refers to an address in memory", "do not use this model")
    file = path.parent / location
    if Path(location).is_absolute() or not (is_within(path.parent, file) or is_within(path.resolve().parent, file)):
        raise BadInput(f"{path}: refers to {location}, outside its folder", "do not use this model")
    if not file.exists():
        raise BadInput(f"{path}: its weights are in {location}, which does not exist", f"copy it to {path.parent}")
    if not file.is_file():
        raise BadInput(f"{file}: not a regular file", "do not use this model")
    return file


def _check_place(path: Path, tensor: ExternalTensor, file_size: int) -> None:
    """Raise BadInput if a tensor exceeds its file, or has another size than the .onnx file states."""
    if tensor.size is not None and tensor.length not in (None, tensor.size):
        problem = f"its shape and type take {tensor.size:,} bytes, but {tensor.length:,} are stated"
        raise BadInput(f"{path}: tensor {tensor.name}: {problem}", "export it again")
    if tensor.end > file_size:
        problem = f"it ends at byte {tensor.end:,} of {tensor.location}, which has only {file_size:,} bytes"
        raise BadInput(f"{path}: tensor {tensor.name}: {problem}", "copy both files again, from the same export")
