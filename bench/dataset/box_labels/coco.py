"""True boxes in COCO's JSON format (https://cocodataset.org/#format-data, "Object Detection")."""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.box_labels.checks import check_boxes
from edge_bench.bench.dataset.box_labels.selection import folders_without_labels, note_of_folders
from edge_bench.bench.dataset.listing.match import ImagePaths, match
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import read_bounded, why_unreadable
from edge_bench.bench.io.names import recordable
from edge_bench.bench.tasks.detection.boxes import Category, GroundTruth, TrueBoxes
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["images_in_coco", "read_coco"]

#: The annotations of COCO's 118,287 training images take 470 MB.
_MAX_BYTES = 1 << 30
_MAX_ANNOTATIONS = 20_000_000
_MAX_CATEGORY = 1_000_000
_Id = int | str
#: Fields that some tools write as 1.0, because their tables use one type for all columns and for missing values.
_WHOLE = {"id", "image_id", "category_id", "width", "height", "iscrowd"}


class _Image(msgspec.Struct):
    id: _Id
    file_name: str
    width: int | None = None
    height: int | None = None


class _Annotation(msgspec.Struct):
    image_id: _Id
    category_id: int
    bbox: Annotated[list[float], msgspec.Meta(min_length=4, max_length=4)]  # left, top, width, height
    iscrowd: int | bool = 0
    id: _Id | None = None


class _Category(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=0, le=_MAX_CATEGORY)]  # tables of classes have one entry per number up to it
    name: str


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: Annotated[list[_Annotation], msgspec.Meta(max_length=_MAX_ANNOTATIONS)]
    categories: list[_Category]


def read_coco(path: Path, folder: Path, files: Sequence[str], sizes: npt.NDArray[np.int64]) -> GroundTruth:
    """Return the true boxes of ``files`` in ``folder`` from an ``instances*.json``.

    files: relative to ``folder``, as `list_images` returns them; sizes: width and height of each, [files, 2]. The file
    may describe more images. Boxes of crowds are kept and marked.

    Raise DatasetError if an image is not in the file or has another size there, for unknown categories or images,
    duplicate ids, and invalid boxes (`check_boxes`).
    """
    content = _read(path)
    categories = _categories(path, content.categories)
    _refuse_twice(path, "image id", (each.id for each in content.images))
    _refuse_twice(path, "annotation id", (each.id for each in content.annotations if each.id is not None))
    listed, notes = _images(path, folder, files, sizes, content.images)
    unknown = {each.image_id for each in content.annotations} - {each.id for each in content.images}
    if unknown:
        raise DatasetError(
            f"{path}: its annotations refer to {counted(len(unknown), 'image')} that its list of images lacks, such as "
            f"id {sorted(unknown, key=str)[0]}",
            "use a file that lists all its images",
        )
    return GroundTruth(categories, _boxes(path, content, categories, listed, sizes), sizes, tuple(notes))


def images_in_coco(path: Path, folder: Path, files: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the images below ``folder`` and notes, without folders of which the file lists no image, such as masks.

    Raise DatasetError if the file lists none of the images.
    """
    listed = _read(path).images
    found = match(ImagePaths(folder, files), [each.file_name for each in listed], [each.id for each in listed])
    known = [number in found.lines or number in found.conflicts for number in range(len(files))]
    if not any(known):
        raise DatasetError(
            f"{path}: lists none of {counted(len(files), 'image')} in {folder}, such as {recordable(files[0])}"
            if files
            else f"{folder}: no images in this folder",
            "use the annotations of these images",
        )
    others = folders_without_labels(files, known)
    left_out = {number for numbers in others.values() for number in numbers}
    kept = [name for number, name in enumerate(files) if number not in left_out]
    return kept, note_of_folders(list(others), len(left_out))


def _read(path: Path) -> _File:
    remedy = "use a file in COCO's object detection format: images, annotations, categories"
    try:
        data = read_bounded(path, _MAX_BYTES)
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: cannot be read: {why_unreadable(cause)}", remedy) from None
    try:
        try:
            return msgspec.json.decode(data, type=_File)
        # Python also writes NaN, and names that are not UTF-8. Other tools write whole numbers as 1.0
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = data.decode(json.detect_encoding(data), "surrogateescape")
            return msgspec.convert(json.loads(text, object_hook=_with_whole_numbers), type=_File)
    except (ValueError, RecursionError) as cause:
        raise DatasetError(f"{path}: not in COCO's format: {str(cause).splitlines()[0][:200]}", remedy) from None


def _with_whole_numbers(found: dict[str, Any]) -> dict[str, Any]:
    """Return an object of the file with 1 instead of 1.0 in fields of whole numbers."""
    for name in _WHOLE & found.keys():
        value = found[name]
        if isinstance(value, float) and value.is_integer():
            found[name] = int(value)
    return found


def _categories(path: Path, found: Sequence[_Category]) -> tuple[Category, ...]:
    if not found:
        raise DatasetError(f"{path}: its list of categories is empty", "use a file with categories")
    _refuse_twice(path, "category id", (each.id for each in found))
    _refuse_twice(path, "category", (each.name for each in found))
    return tuple(sorted(Category(each.id, recordable(each.name)) for each in found))


def _images(
    path: Path, folder: Path, files: Sequence[str], sizes: npt.NDArray[np.int64], images: Sequence[_Image]
) -> tuple[dict[_Id, int], list[str]]:
    """Return the index in ``files`` by the image's id in the file, and notes."""
    found = match(ImagePaths(folder, files), [each.file_name for each in images], [each.id for each in images])
    for image, conflict in sorted(found.conflicts.items()):
        lines = " and ".join(recordable(images[line].file_name) for line in conflict.lines)
        raise DatasetError(
            f"{path}: {recordable(files[image])} may be {lines}, id {images[conflict.lines[0]].id}",
            "write each image's path, relative to the folder, as its file_name",
        )
    missing = [recordable(name) for number, name in enumerate(files) if number not in found.lines]
    if missing:
        raise DatasetError(
            f"{path}: {len(missing):,} of {counted(len(files), 'image')} not listed: {abbreviate(missing)}",
            "use the annotations of these images, or move images without annotations elsewhere",
        )
    for number, line in sorted(found.lines.items()):
        stated, real = (images[line].width, images[line].height), tuple(sizes[number].tolist())
        if None not in stated and stated != real:
            raise DatasetError(
                f"{path}: states {stated[0]} × {stated[1]} pixels for {recordable(files[number])}, which has "
                f"{real[0]} × {real[1]} in {folder}",
                "use the original images, because boxes are given in their pixels",
            )
    notes = []
    if found.by_name_only:
        notes.append(f"{path.name}: {counted(found.by_name_only, 'image')} in a folder other than in its file_name")
    if found.by_stem:
        notes.append(f"{path.name}: {counted(found.by_stem, 'image')} matched by name without suffix")
    return {images[line].id: number for number, line in found.lines.items()}, notes


def _boxes(
    path: Path,
    content: _File,
    categories: Sequence[Category],
    listed: dict[_Id, int],
    sizes: npt.NDArray[np.int64],
) -> tuple[TrueBoxes, ...]:
    index = {category.id: number for number, category in enumerate(categories)}
    for number, each in enumerate(content.annotations):
        if each.category_id not in index:
            raise DatasetError(
                f"{path}: {_place(each, number)}: category {each.category_id} is not in its list of categories",
                "add it to the categories, or remove the annotation",
            )
        if each.iscrowd not in (0, 1):
            raise DatasetError(f"{path}: {_place(each, number)}: iscrowd is {each.iscrowd}", "set it to 0 or 1")
    own = [(number, each) for number, each in enumerate(content.annotations) if each.image_id in listed]
    images = np.array([listed[each.image_id] for _, each in own], np.int64)
    corners = np.array([each.bbox for _, each in own], np.float64).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    of_box = np.array([index[each.category_id] for _, each in own], np.int64)
    crowd = np.array([bool(each.iscrowd) for _, each in own], np.bool_)
    check_boxes(corners, images, of_box, sizes, lambda row: f"{path}: {_place(own[row][1], own[row][0])}")
    order = np.argsort(images, kind="stable")
    ends = np.searchsorted(images[order], np.arange(1, len(sizes)))
    parts = (np.split(each[order], ends) for each in (corners, of_box, crowd))
    return tuple(TrueBoxes(*each) for each in zip(*parts, strict=True))


def _place(annotation: _Annotation, number: int) -> str:
    return f"annotation {number + 1}" if annotation.id is None else f"annotation id {str(annotation.id)[:40]}"


def _refuse_twice(path: Path, what: str, values: Iterable[Hashable]) -> None:
    value, count = next(iter(Counter(values).most_common(1)), (None, 0))
    if count > 1:
        raise DatasetError(f"{path}: {what} {recordable(str(value))[:80]} occurs {count} times", "use each id once")
