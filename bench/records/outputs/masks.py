"""Outputs of a segmentation model, as stored in a Run."""

from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import MAX_PACKED, NonNegativeInt, PackedArray, PositiveInt, pack, unpack

__all__ = [
    "MAX_CLASSES",
    "MAX_MASK_BYTES",
    "MAX_MASK_PIXELS",
    "ConfusionCells",
    "Segmentation",
    "StoredMask",
    "check_segmentation",
    "stored_mask",
    "unpacked_mask",
]

#: Classes of a mask. Higher 16-bit numbers have other meanings.
MAX_CLASSES = 65_000
#: Limits for the masks of a configuration: base64 bytes in the file, and pixels in total.
MAX_MASK_BYTES, MAX_MASK_PIXELS = 8 << 20, 1 << 28
#: Limit on the cells of all images' confusion matrices in total.
MAX_CELLS = 1 << 22
_MaskList = msgspec.Meta(max_length=1_000_000)


class StoredMask(msgspec.Struct, frozen=True, kw_only=True):
    """The class of each pixel at the model's resolution. A pixel without a class has ``Segmentation.classes``.

    Stored as runs of equal pixels, row after row. They deflate to two thirds of the size of the pixels.
    """

    height: PositiveInt
    width: PositiveInt
    lengths: PackedArray  # of the runs, in pixels
    values: PackedArray  # the class of each run

    @property
    def encoded_bytes(self) -> int:
        """Size in the file."""
        return len(self.lengths.data) + len(self.values.data)


class ConfusionCells(msgspec.Struct, frozen=True, kw_only=True):
    """Confusion matrices of all images: the cells that are not 0, sorted by image, true class, predicted class."""

    images: PackedArray  # positions in the list of images
    truth: PackedArray
    predicted: PackedArray  # the number of classes: a pixel without one
    pixels: PackedArray


class Segmentation(msgspec.Struct, frozen=True, kw_only=True, tag="segment"):
    """Class masks of one configuration, in the order of its images, and how they compare with the true masks.

    Quality is computed from the cells, which all images with a true mask have. Masks are for agreement and pictures:
    those of the first images, as many as fit in MAX_MASK_BYTES.
    """

    classes: PositiveInt
    images: NonNegativeInt
    masks: Annotated[list[StoredMask | None], _MaskList]  # one per image; None: no space for it
    cells: ConfusionCells | None = None  # None: there are no true masks


def stored_mask(mask: npt.NDArray[Any]) -> StoredMask:
    """Pack a mask, unsigned integers [height, width]; raise ValueError if it has more than 2**24 pixels."""
    if mask.ndim != 2 or not 0 < mask.size <= MAX_PACKED:
        raise ValueError(f"a mask of shape {list(mask.shape)}: it needs two axes and at most {MAX_PACKED:,} pixels")
    flat = mask.reshape(-1)
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), flat.size - 1)
    return StoredMask(
        height=mask.shape[0], width=mask.shape[1], lengths=pack(np.diff(ends, prepend=-1)), values=pack(flat[ends])
    )


def unpacked_mask(stored: StoredMask) -> npt.NDArray[np.uint16]:
    """Return a stored mask, shape [height, width]; raise ValueError if it is damaged."""
    lengths, values = _runs(stored)
    return np.repeat(values.astype(np.uint16), lengths.astype(np.int64)).reshape(stored.height, stored.width)


def _runs(stored: StoredMask) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the lengths and values of a mask's runs; raise ValueError if they are damaged."""
    pixels = stored.height * stored.width
    if not 0 < pixels <= MAX_PACKED:
        raise ValueError(f"a mask of {stored.height:,}×{stored.width:,} pixels")
    lengths, values = unpack(stored.lengths, max_length=pixels), unpack(stored.values, max_length=pixels)
    if len(lengths) != len(values) or values.itemsize > 2 or lengths.max(initial=0) > pixels:
        raise ValueError("a mask has inconsistent runs")
    if int(lengths.sum(dtype=np.int64)) != pixels:
        raise ValueError(f"a mask of {stored.height:,}×{stored.width:,} pixels has runs of another length")
    return lengths, values


def check_segmentation(record: Segmentation, images: int) -> None:
    """Raise ValueError if a record of this number of images is not consistent."""
    if record.classes > MAX_CLASSES or record.images != images or len(record.masks) != images:
        raise ValueError(f"{len(record.masks):,} masks of {record.classes:,} classes for {images:,} images")
    masks = [mask for mask in record.masks if mask is not None]
    size, pixels = sum(mask.encoded_bytes for mask in masks), sum(mask.height * mask.width for mask in masks)
    if size > MAX_MASK_BYTES or pixels > MAX_MASK_PIXELS:
        raise ValueError(f"its masks take {size:,} bytes and {pixels:,} pixels, more than the limit of a configuration")
    for mask in masks:
        if int(_runs(mask)[1].max()) > record.classes:
            raise ValueError(f"a mask has more than {record.classes:,} classes")
    if record.cells is not None:
        _check_cells(record.cells, record.classes, images)


def _check_cells(cells: ConfusionCells, classes: int, images: int) -> None:
    columns = {"images": images, "truth": classes, "predicted": classes + 1, "pixels": 1 << 48}
    length = cells.images.length
    unpacked = []
    for name, below in columns.items():
        packed: PackedArray = getattr(cells, name)
        if packed.length != length or length > MAX_CELLS:
            raise ValueError(f"cells.{name}: {packed.length:,} values instead of {min(length, MAX_CELLS):,}")
        values = unpack(packed).astype(np.uint64)
        if length and int(values.max()) >= below:
            raise ValueError(f"cells.{name}: invalid value {int(values.max()):,}")
        unpacked.append(values.astype(np.int64))
    if length and not unpacked[-1].min():
        raise ValueError("cells.pixels: a cell without pixels")
    keys = (unpacked[0] * classes + unpacked[1]) * (classes + 1) + unpacked[2]
    if np.any(keys[1:] <= keys[:-1]):
        raise ValueError("cells: they are not in order")
