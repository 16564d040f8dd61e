"""The measured images, for pictures on the page: from a bundle, or from the folder that ``run --data`` had."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.listing.walk import SUFFIXES, find_images
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.io.names import recordable
from edge_bench.bench.preprocessing.decode import decode, image_size
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import RANDOM_INPUTS, Run
from edge_bench.bench.wording import counted

__all__ = ["BundleImages", "FolderImages", "ImageSource", "Picture", "bundle_images", "folder_images", "png_address"]

_QUALITY = 80  # of JPEG: no artefacts that the eye sees at this size
#: Larger pictures are JPEG, a tenth of the bytes.
_EXACT_SIDE = 96


class Picture(NamedTuple):
    """A thumbnail as ``data:image/…``, and its width and height in pixels."""

    address: str
    width: int
    height: int


class ImageSource(Protocol):
    """Where the images of a Run are; they have the numbers that `Run.images.indices` has."""

    def picture(self, index: int, side: int, size: tuple[int, int] | None = None) -> Picture:
        """Return an image with at most ``side`` pixels on its longer side.

        size: width and height that the Run recorded. Raise BadInput if the image has another one.
        """
        ...

    def name(self, index: int) -> str:
        """Return what a reader can find the image by."""
        ...


@dataclass(frozen=True)
class BundleImages:
    """The test images of a bundle, uint8 [n, height, width, channels]."""

    pixels: npt.NDArray[Any]

    def picture(self, index: int, side: int, size: tuple[int, int] | None = None) -> Picture:
        """Return an image, reduced to every n-th pixel."""
        _check_index(index, len(self.pixels))
        _check_size("the bundle's images", (self.pixels.shape[2], self.pixels.shape[1]), size)
        pixels = _subsampled(self.pixels[index], side)
        height, width = pixels.shape[:2]
        return Picture(_address(pixels, "PNG" if side <= _EXACT_SIDE else "JPEG"), width, height)

    def name(self, index: int) -> str:
        """Return the number of the test image."""
        return f"no. {index:,}"


@dataclass(frozen=True)
class FolderImages:
    """The image files of a folder, in the order in which ``run`` lists them."""

    folder: Path
    files: Sequence[str]

    @classmethod
    def of(cls, folder: Path, total: int) -> "FolderImages | None":
        """Return the images of a folder if there are ``total``; None otherwise.

        If all images are more, those directly in the folder may be the measured ones: masks are often in a folder
        beside them. Raise DatasetError if there are no images, or if the folder cannot be read.
        """
        if not folder.is_dir():
            raise DatasetError(f"{folder}: not a folder", "use the folder given to `run --data`")
        files = find_images(folder).files
        if not files:
            raise DatasetError(f"{folder}: contains no images", f"supported suffixes are {', '.join(sorted(SUFFIXES))}")
        direct = [name for name in files if "/" not in name]
        return next((cls(folder, chosen) for chosen in (files, direct) if len(chosen) == total), None)

    def picture(self, index: int, side: int, size: tuple[int, int] | None = None) -> Picture:
        """Return an image. It is turned upright as its EXIF orientation says if it has the recorded size only then."""
        _check_index(index, len(self.files))
        path = self.folder / self.files[index]
        own = image_size(path)
        is_turned = size is not None and own != size and own[::-1] == size
        upright = own[::-1] if is_turned else own
        _check_size(str(path), upright, size)
        width, height = _within(upright, side)
        shape = Geometry(height, width, 3, interpolation="area", squash=True, exif_orientation=is_turned)
        return Picture(_address(decode(path, shape), "PNG" if side <= _EXACT_SIDE else "JPEG"), width, height)

    def name(self, index: int) -> str:
        """Return the number of the image and its file."""
        return f"no. {index:,}, {recordable(self.files[index])}" if index < len(self.files) else f"no. {index:,}"


def bundle_images(bundle: Bundle) -> BundleImages | None:
    """Return the test images of a bundle; None if it has none, or if they are not pixels."""
    if bundle.manifest.is_graph:
        return None
    images, _ = bundle.test_set()
    return BundleImages(images) if images.dtype == "uint8" and images.ndim == 4 else None


def folder_images(folder: Path, runs: Sequence[Run]) -> dict[str, FolderImages]:
    """Return the images of a folder for each Run of model files that chose from as many, by the Run's id.

    Raise BadInput if there is no such Run, DatasetError if the folder has no images or cannot be read.
    """
    of_files = [run for run in runs if not run.bundle.created and run.bundle.dataset != RANDOM_INPUTS]
    if not of_files:
        raise BadInput(f"--data {folder}: no Run measured model files on images", "for a bundle's images, use --bundle")
    totals = {run.images.total_images for run in of_files}
    found = {total: FolderImages.of(folder, total) for total in sorted(totals)}
    matching = {run.run_id: images for run in of_files if (images := found[run.images.total_images]) is not None}
    if not matching:
        count = counted(len(find_images(folder).files), "image")
        measured = " or ".join(f"{total:,}" for total in sorted(totals))
        raise BadInput(
            f"{folder}: has {count}, but the Runs measured {measured}",
            "use the folder given to `run --data`",
        )
    return matching


def _check_index(index: int, count: int) -> None:
    if index >= count:
        raise BadInput(
            f"the Run measured image no. {index:,}, but there are only {count:,} images",
            "use the measured images",
        )


def _check_size(what: str, own: tuple[int, int], size: tuple[int, int] | None) -> None:
    if size is not None and size != own:
        raise BadInput(
            f"{what}: {own[0]}×{own[1]} pixels, but the measured image had {size[0]}×{size[1]}",
            "use the measured images",
        )


def _subsampled(pixels: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Return every n-th row and column of an image [height, width, channels], so that none has more than ``side``."""
    step = -(-max(pixels.shape[:2]) // side)
    return pixels[::step, ::step]


def png_address(pixels: npt.NDArray[np.uint8], side: int = _EXACT_SIDE) -> str:
    """Return an image as ``data:image/png;base64,…``; the same pixels give the same text.

    pixels: shape [height, width, channels]; 1 to 4 channels are grey, grey + alpha, RGB, RGBA. Of more channels, only
    the first is shown. An image with a longer side than ``side`` is subsampled.
    """
    return _address(_subsampled(pixels, side), "PNG")


def _address(pixels: npt.NDArray[np.uint8], form: str) -> str:
    from PIL import Image

    if pixels.shape[2] not in (2, 3, 4):
        pixels = pixels[:, :, 0]
    image, file = Image.fromarray(pixels), io.BytesIO()
    if form == "JPEG":
        image.convert("L" if image.mode in ("L", "LA") else "RGB").save(file, form, quality=_QUALITY, optimize=True)
    else:
        image.save(file, form, optimize=True)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return width and height reduced, in proportion, to at most ``side`` pixels."""
    factor = min(1.0, side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
