"""Select the images of a folder that have labels, and exclude masks and other parts of a data set."""

import os
from collections.abc import Sequence

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.names import recordable
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["folders_without_labels", "masks_of_others", "note_of_folders"]


def folders_without_labels(files: Sequence[str], labelled: Sequence[bool]) -> dict[str, list[int]]:
    """Return the images of each folder without any labelled image, as indices; empty if no image at all has a label."""
    by_folder: dict[str, list[int]] = {}
    for number, name in enumerate(files):
        by_folder.setdefault(name.rpartition("/")[0], []).append(number)
    if not any(labelled):
        return {}
    return {folder: each for folder, each in by_folder.items() if not any(labelled[number] for number in each)}


def masks_of_others(files: Sequence[str], labelled: Sequence[bool]) -> set[int]:
    """Return the images of folders without labels whose names all match labelled images, as those of masks do.

    Raise DatasetError for any other folder without labels, since its images may be without objects or not belong here.
    """
    known = {_stem(name) for name, has_label in zip(files, labelled, strict=True) if has_label}
    found = folders_without_labels(files, labelled)
    for folder, numbers in found.items():
        if not all(_stem(files[number]) in known for number in numbers):
            raise DatasetError(
                f"{recordable(folder) or 'the folder itself'}: none of its {counted(len(numbers), 'image')} has labels",
                "add an empty label file for each image without objects, or move the folder elsewhere",
            )
    return {number for numbers in found.values() for number in numbers}


def note_of_folders(folders: Sequence[str], images: int) -> list[str]:
    """Return a note about ignored folders."""
    shown = abbreviate(sorted(recordable(folder) or "the folder itself" for folder in folders))
    return [f"ignored {counted(images, 'image')} without labels in {shown}"] if folders else []


def _stem(name: str) -> str:
    return os.path.splitext(name.rpartition("/")[2])[0]  # noqa: PTH122
