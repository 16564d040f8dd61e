"""Lists of images and their labels: folders by class, or a labels file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.label_files import ClassList, labels_from_file
from edge_bench.bench.dataset.listing.class_names import match_names
from edge_bench.bench.dataset.listing.walk import SUFFIXES, FoundImages, find_images, is_split
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.names import recordable
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["ImageList", "list_images"]


@dataclass(frozen=True)
class ImageList:
    """Image files in a fixed order, by class and name or by name, independent of the file system's order.

    ``files`` are relative to ``folder`` and separated by slashes. Bytes that are not UTF-8 are surrogates in them
    (PEP 383), so they can be opened but are not valid text: use `recordable` for records. ``classes`` and ``notes``
    are valid text.

    ``order`` is the kind of the labels, int64 [files]. ``labels`` is None if there are none.
    stated: indices of the model's outputs, which ``classes`` lists as --classes does
    alphabetical: indices in ``classes``, which are sorted. The output of each class is unknown
    numbers: the numbers in the labels file. ``classes`` lists the outputs as --classes does, or is empty
    """

    folder: Path
    files: list[str]
    labels: npt.NDArray[np.int64] | None
    classes: list[str]
    order: str
    notes: tuple[str, ...]


def list_images(
    folder: Path,
    labels: Path | None = None,
    classes: Path | None = None,
    label_names: Path | None = None,
    label_column: str | None = None,
) -> ImageList:
    """List the images below ``folder``: one subfolder per class, with a labels file, or without labels.

    labels: a text file with one line per image, ``FILE LABEL`` or, in the order of the sorted file names, ``LABEL``; or
    a table with a column of file names and one of labels
    classes: names of the model's outputs, one per line
    label_names: names of the numbers in ``labels``, if they are not in the model's order (for example ILSVRC's ids)
    label_column: heading or number, from 1, of the column of labels in ``labels``

    Raise DatasetError if there are no images, if the files do not match each other, or if the folder is not that of the
    classes but its parent.
    """
    found = find_images(folder)
    if not found.files:
        raise DatasetError(
            f"{folder}: no images in this folder", f"supported suffixes are {', '.join(sorted(SUFFIXES))}"
        )
    notes = list(found.notes(folder.name or str(folder)))
    class_list = ClassList.read(classes) if classes else None
    if labels is not None:
        name_list = ClassList.read(label_names) if label_names else None
        read = labels_from_file(labels, folder, found.files, class_list, name_list, label_column)
        return ImageList(folder, found.files, read.labels, read.classes, read.order, (*notes, *read.notes))
    for option, value in (("--label-names", label_names), ("--label-column", label_column)):
        if value is not None:
            raise DatasetError(f"{option} needs a labels file, which is missing", "set it with --labels")
    if all("/" not in name for name in found.files):
        names = class_list.names if class_list else []
        return ImageList(folder, found.files, None, names, "stated" if names else "numbers", tuple(notes))
    return _by_folder(folder, found, class_list, notes)


def _by_folder(folder: Path, found: FoundImages, class_list: ClassList | None, notes: list[str]) -> ImageList:
    """Return the list of images whose classes are the folders that contain them."""
    outside = [name for name in found.files if "/" not in name]
    if outside:
        raise DatasetError(
            f"{folder}: {counted(len(outside), 'image')} outside the folders of classes, such as {outside[0]}",
            "move each image into the folder of its class, or use --labels FILE",
        )
    missing = [name for name in found.dangling if "/" not in name and Path(name).suffix.lower() not in SUFFIXES]
    if missing:
        raise DatasetError(
            f"{folder / missing[0]}: a link to a missing folder", "restore the folder of this class, or remove the link"
        )
    with_images = list(dict.fromkeys(name.split("/", 1)[0] for name in found.files))
    if class_list is None:
        _refuse_parent(folder, found, with_images)
    empty = sorted(set(found.folders) - set(with_images))
    if class_list is None and (unclear := sorted(found.with_others.intersection(empty))):
        raise DatasetError(
            f"{folder / unclear[0]}: contains files but no images, so it is unclear whether it is a class",
            "move it elsewhere, or list the classes with --classes",
        )
    if class_list is None:
        order, names = "alphabetical", sorted(found.folders)
        index, shown = {name: number for number, name in enumerate(names)}, [recordable(name) for name in names]
    else:
        order = "stated"
        try:
            index, shown = match_names(class_list.source, class_list.lines, with_images)
        except DatasetError:
            _refuse_parent(folder, found, with_images)
            raise
        _refuse_listed_parts(folder, found, with_images, class_list)
    if empty:
        effect = "they still count as classes" if len(empty) > 1 else "it still counts as a class"
        notes.append(f"no images of {abbreviate(empty)}; {effect}")
    labels = np.array([index[name.split("/", 1)[0]] for name in found.files], np.int64)
    return ImageList(folder, found.files, labels, shown, order, tuple(notes))


def _refuse_parent(folder: Path, found: FoundImages, with_images: list[str]) -> None:
    """Raise DatasetError if the classes are deeper: in ``train``, ``val`` or other parts, or in a single folder."""
    below = _files_below(found, with_images)
    subfolders = {name: _top_folders(files) for name, files in below.items()}
    splits = [name for name in with_images if is_split(name)]
    common = [
        name for name in splits if any(subfolders[name] & subfolders[other] - {""} for other in splits if other != name)
    ]
    if splits == with_images or len(common) > 1:
        raise DatasetError(
            f"{folder}: its folders are parts of a data set, not classes: {abbreviate(splits)}",
            f"choose one of them: {_data_options(folder / name for name in splits)}",
        )
    if len(with_images) == 1:
        path, names = _first_branch(with_images[0], below[with_images[0]])
        if len(names) > 1 and "" not in names:
            raise DatasetError(
                f"{folder}: all images are below {path}, which would be the only class",
                f"set --data to the folder of the classes: --data {folder / path}",
            )
    elif shared := _shared_subfolders(below):
        raise _parts(folder, below, shared, "; or list the classes with --classes")


def _refuse_listed_parts(folder: Path, found: FoundImages, with_images: list[str], class_list: ClassList) -> None:
    """Raise DatasetError if both the folders and their subfolders are in the class list, as with numbered folds."""
    below = _files_below(found, with_images)
    if len(with_images) > 1 and (shared := _shared_subfolders(below)):
        try:
            match_names(class_list.source, class_list.lines, shared)
        except DatasetError:
            return
        raise _parts(folder, below, shared)


def _parts(folder: Path, below: dict[str, list[str]], shared: list[str], otherwise: str = "") -> DatasetError:
    paths = [folder / _first_branch(name, files)[0] for name, files in below.items()]
    return DatasetError(
        f"{folder}: {abbreviate(list(below))} have the same subfolders {abbreviate(shared)}, so they may be parts of a "
        "data set, not classes",
        f"choose one of them: {_data_options(paths[:3])}{otherwise}",
    )


def _files_below(found: FoundImages, with_images: list[str]) -> dict[str, list[str]]:
    """Return the images in each folder, relative to it."""
    below: dict[str, list[str]] = {name: [] for name in with_images}
    for name in found.files:
        top, rest = name.split("/", 1)
        below[top].append(rest)
    return below


def _shared_subfolders(below: dict[str, list[str]]) -> list[str]:
    """Return the subfolders with images that all folders have, if there are at least two."""
    shared = set.intersection(*(_first_branch(name, files)[1] - {""} for name, files in below.items()))
    return sorted(shared) if len(shared) > 1 else []


def _first_branch(path: str, files: Sequence[str]) -> tuple[str, set[str]]:
    """Return the first folder from ``path`` on that has more than a single subfolder, and `_top_folders` of its files.

    files: relative to ``path``
    """
    while len(names := _top_folders(files)) == 1 and "" not in names:
        path, files = f"{path}/{names.pop()}", [name.split("/", 1)[1] for name in files]
    return path, names


def _top_folders(files: Sequence[str]) -> set[str]:
    """Return the first folders of the paths, "" for files without one."""
    return {name.split("/", 1)[0] if "/" in name else "" for name in files}


def _data_options(folders: Iterable[Path]) -> str:
    return " or ".join(f"--data {folder}" for folder in folders)
