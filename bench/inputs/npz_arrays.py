"""Inputs from an .npz with one array per input name, or from a .npy for a model with one input."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from edge_bench.bench.dataset.arrays import MAX_BYTES, extracted_array
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.inputs.specs import GraphInputs, InputSpec, by_name, combined_digest, names_shown, shown_shape
from edge_bench.bench.io.archives import ARCHIVE_ERRORS, open_member
from edge_bench.bench.io.files import open_regular_file, sha256_of, why_unreadable
from edge_bench.bench.io.npy import NotAnArray, open_npy, read_header
from edge_bench.bench.wording import counted

__all__ = ["array_types", "load_npy", "load_npz"]


def load_npz(path: Path, inputs: Sequence[InputSpec]) -> GraphInputs:
    """Load the array of each input, [examples, …] with the input's own type and shape; memory-mapped.

    An open axis takes the size of its array. Arrays of other names are ignored with a note. Arrays are extracted to the
    cache in constant memory. Pickles are never loaded. Raise DatasetError for a zip bomb or a file that is not an
    .npz, if an input has no array, or if a type, shape or number of examples does not fit.
    """
    known = by_name(inputs)
    try:
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            members = _members(archive, path)
            missing = [name for name in known if name not in members]
            if missing:
                raise DatasetError(
                    f"{path}: no array for input {names_shown(missing)}; it contains {names_shown(members)}",
                    "save it with numpy.savez, with one array per input under the input's name",
                )
            arrays = {name: extracted_array(archive, members[name], path) for name in known}
        opened = {name: open_npy(array) for name, array in arrays.items()}
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, *ARCHIVE_ERRORS) as cause:
        raise DatasetError(
            f"{path}: not an .npz archive: {why_unreadable(cause)}", "save it with numpy.savez"
        ) from None
    for name, spec in known.items():
        _refuse_other_kinds(opened[name], spec, path)
    others = [name for name in members if name not in known]
    return GraphInputs(
        arrays=arrays,
        shapes={name: array.shape[1:] for name, array in opened.items()},
        examples=_examples(opened, path),
        sha256=combined_digest((name, sha256_of(array)) for name, array in arrays.items()),
        notes=(f"{path.name}: ignored {names_shown(others)}, not inputs of the model",) if others else (),
    )


def load_npy(path: Path, spec: InputSpec) -> GraphInputs:
    """Load the array of the only input, [examples, …] with the input's own type and shape; memory-mapped.

    Raise DatasetError if it is not an array of numbers, or if its type or shape does not fit.
    """
    array = _opened(path)
    _refuse_other_kinds(array, spec, path)
    digest = combined_digest([(spec.name, sha256_of(path))])
    return GraphInputs({spec.name: path}, {spec.name: array.shape[1:]}, len(array), digest)


def array_types(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the types of an .npz's arrays for these inputs; for a .npy, the type of its array for all of them.

    Raise DatasetError if the file is neither.
    """
    if path.suffix != ".npz":
        return dict.fromkeys(names, _opened(path).dtype.name)
    types = dict[str, str]()
    try:
        with open_regular_file(path) as file, zipfile.ZipFile(file) as archive:
            for name, member in _members(archive, path).items():
                if name in names:
                    with open_member(archive, member, MAX_BYTES) as stream:
                        types[name] = _type_of(stream, name, path)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, *ARCHIVE_ERRORS) as cause:
        raise DatasetError(
            f"{path}: not an .npz archive: {why_unreadable(cause)}", "save it with numpy.savez"
        ) from None
    return types


def _type_of(stream: Any, name: str, path: Path) -> str:
    """Return the type of an array in an archive; raise DatasetError if it does not contain plain numbers."""
    try:
        return read_header(stream).dtype.name
    except NotAnArray as cause:
        raise DatasetError(
            f"{path}: array {name[:80]}: {cause}", "save it with numpy.savez, as an array of numbers"
        ) from None


def _opened(path: Path) -> npt.NDArray[Any]:
    try:
        return open_npy(path)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: not a .npy array: {why_unreadable(cause)}", "save it with numpy.save") from None


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays of an archive by name; raise DatasetError for a duplicate."""
    infos = archive.infolist()
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(members) != len(infos):
        raise DatasetError(f"{path}: two arrays have the same name", "save it with numpy.savez")
    return members


def _refuse_other_kinds(array: npt.NDArray[Any], spec: InputSpec, path: Path) -> None:
    """Raise DatasetError if an array does not have the type and shape of its input."""
    if array.dtype != spec.type:
        kind = f"{array.dtype} in another byte order" if array.dtype.name == spec.dtype else f"{array.dtype}"
        raise DatasetError(
            f"{path}: array {spec.name[:80]} is {kind}, but the input is {spec.dtype}",
            f"convert it with .astype('{spec.dtype}')",
        )
    expected = spec.example_shape
    fits = array.ndim == len(expected) + 1 and all(
        size in (-1, own) for size, own in zip(expected, array.shape[1:], strict=True)
    )
    if not fits or not array.size:
        raise DatasetError(
            f"{path}: array {spec.name[:80]} has shape {shown_shape(array.shape)}, but the input takes examples of "
            f"{shown_shape(expected)}",
            f"save it as {'×'.join(['examples', *('?' if size == -1 else str(size) for size in expected)])}",
        )


def _examples(arrays: dict[str, npt.NDArray[Any]], path: Path) -> int:
    """Return the number of examples; raise DatasetError if two arrays have different numbers."""
    counts = {name: len(array) for name, array in arrays.items()}
    first = next(iter(counts))
    for name, count in counts.items():
        if count != counts[first]:
            raise DatasetError(
                f"{path}: {counted(counts[first], 'example')} of {first[:80]}, but {count:,} of {name[:80]}",
                "save the same number of examples for each input",
            )
    return counts[first]
