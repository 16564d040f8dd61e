"""True masks as PNG files: found by the names of their images, read without conversion."""

import io
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError, MissingDependency
from edge_bench.bench.io.files import read_bounded, why_unreadable
from edge_bench.bench.tasks.segmentation.mask_values import MaskValues

__all__ = ["TrueMasks", "find_true_masks", "png_values"]

MAX_FILE_BYTES, MAX_PIXELS = 64 << 20, 89_478_485
_MAX_FILES = 1_000_000
#: Pillow multiplies grey values of 2 and 4 bits, so that white is 255.
_FACTORS = {2: 85, 4: 17}
_IHDR_BITS = 24  # position of the bit depth in a PNG file


@dataclass(frozen=True)
class TrueMasks:
    """The true masks of a list of images."""

    folder: Path
    files: tuple[str | None, ...]  # one per image, relative to ``folder``; None: the image has no mask
    unused: int  # masks that belong to none of the images
    values: MaskValues

    def read(self, image: int, size: tuple[int, int]) -> npt.NDArray[np.uint16] | None:
        """Return the class or IGNORED of each pixel, shape [height, width]; None if the image has no mask.

        size: the image's height and width. Raise DatasetError if the mask has another size, is not a PNG, or has a
        value that is not a class.
        """
        file = self.files[image]
        if file is None:
            return None
        path = self.folder / file
        mask = png_values(path)
        if mask.shape != size:
            raise DatasetError(
                f"{path}: {mask.shape[1]:,}×{mask.shape[0]:,} pixels, but its image has {size[1]:,}×{size[0]:,}",
                "use a mask of the image's size",
            )
        return self.values.classes_of(mask, path)


def find_true_masks(folder: Path, images: Sequence[str], values: MaskValues) -> TrueMasks:
    """Find the mask of each image, named relative to its folder: the .png with the same path except for the suffix.

    If there is none, use the one of the same name in any subfolder of ``folder``. Raise DatasetError if no image has a
    mask, or if two masks or two images match equally well.
    """
    by_path, by_name = _png_files(folder)
    files, owners = list[str | None](), dict[str, str]()
    for image in images:
        stem = PurePosixPath(image).with_suffix("")
        path = by_path.get(str(stem))
        candidates = [path] if path else by_name.get(stem.name, [])
        if len(candidates) > 1:
            raise DatasetError(
                f"{folder}: {candidates[0]} and {candidates[1]} both match {image}",
                "put the masks into the same subfolders as the images",
            )
        file = candidates[0] if candidates else None
        if file is not None and (owner := owners.setdefault(file, image)) != image:
            raise DatasetError(
                f"{folder / file}: matches both {owner} and {image}",
                "put the masks into the same subfolders as the images",
            )
        files.append(file)
    if not owners:
        known = next(iter(by_path.values()), "no .png file")
        raise DatasetError(
            f"{folder}: no mask for any of the {len(images):,} images; found {known}",
            "use the folder with a NAME.png for each image NAME.*",
        )
    return TrueMasks(folder, tuple(files), len(by_path) - len(owners), values)


def _png_files(folder: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the masks below a folder by their path without suffix, and all masks of each name without suffix."""
    by_path, by_name = dict[str, str](), dict[str, list[str]]()

    def refuse(cause: OSError) -> None:
        raise DatasetError(f"{cause.filename}: cannot be read: {cause.strerror}") from None

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.lower().endswith(".png") or name.startswith("."):
                continue
            file = (Path(parent) / name).relative_to(folder).as_posix()
            other = by_path.setdefault(file[:-4], file)
            if other != file:
                raise DatasetError(f"{folder}: {other} and {file} have the same name", "remove one of them")
            by_name.setdefault(name[:-4], []).append(file)
            if len(by_path) > _MAX_FILES:
                raise DatasetError(f"{folder}: more than {_MAX_FILES:,} masks", "choose a smaller folder")
    return by_path, by_name


def png_values(path: Path) -> npt.NDArray[Any]:
    """Return the values of a PNG as they are stored: palette indices or grey values of 1 to 16 bits, [height, width].

    Raise DatasetError if it is damaged, has colours or transparency, or is too large.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency(
            "Pillow, which is needed to read masks, is not installed", "pip install pillow"
        ) from None
    try:
        data = read_bounded(path, MAX_FILE_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of decompression bombs: this module has its own limit
            image = Image.open(io.BytesIO(data), formats=("PNG",))
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ValueError(f"{width:,}×{height:,} pixels, more than the limit of {MAX_PIXELS:,}")
            image.load()
    except Exception as cause:  # Pillow's decoders raise errors of any type for damaged files
        unknown = type(cause).__name__ == "UnidentifiedImageError"
        raise DatasetError(
            f"{path}: invalid or truncated PNG mask: {'not a PNG file' if unknown else why_unreadable(cause)}",
            "save masks as PNG files of palette or grey values",
        ) from None
    if image.mode not in ("P", "L", "1") and not image.mode.startswith("I"):
        raise DatasetError(
            f"{path}: colours ({image.mode}) instead of one class value per pixel",
            "save masks with a palette or as grey values",
        )
    values: npt.NDArray[Any] = np.asarray(image).astype(np.uint16)
    return values // _FACTORS.get(data[_IHDR_BITS], 1) if image.mode == "L" else values
