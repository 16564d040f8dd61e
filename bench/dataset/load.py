"""Images and labels of ``--data``, or random inputs, in the shape that a model takes."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.arrays import RANDOM_IMAGES, Arrays, load_arrays, random_inputs
from edge_bench.bench.dataset.cache import decoded_images
from edge_bench.bench.dataset.image_list import ImageList, list_images
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import drop_mapped_pages
from edge_bench.bench.io.names import folder_name, recordable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.preprocessing.shapes import channel_axis, grey_shape, image_shape, same_values
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.run import RANDOM_INPUTS
from edge_bench.bench.wording import counted

__all__ = ["Examples", "Inputs", "find_examples"]

_ROWS_PER_STEP = 256


@dataclass(frozen=True)
class Inputs:
    """The examples in one shape.

    pixels: a .npy file; images are uint8 [rows, height, width, channels]
    rows: the row of each example, int64 [examples]
    positions: the examples that could be read, as positions in `Examples.indices`
    """

    pixels: Path
    rows: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    geometry: Geometry | None = None

    @property
    def are_pixels(self) -> bool:
        """Whether the values are uint8 pixels; otherwise they are a model's own inputs."""
        return bool(open_npy(self.pixels).dtype == np.uint8)

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Shape of one stored example."""
        shape: tuple[int, ...] = open_npy(self.pixels).shape[1:]
        return shape

    def look_like_pixels(self) -> bool:
        """Return whether values are floats, but the first ones are whole numbers whose maximum is from 2 to 255."""
        values = open_npy(self.pixels)[self.rows[:_ROWS_PER_STEP]]
        if values.dtype.kind != "f":
            return False
        return bool((values == np.rint(values)).all() and values.min() >= 0 and 1 < values.max() <= 255)

    def are_grey(self) -> bool:
        """Return whether the channels of every image are equal."""
        pixels, axis = open_npy(self.pixels), channel_axis(self.example_shape)
        if axis is None:
            return True
        for start in range(0, len(self.rows), _ROWS_PER_STEP):
            part = pixels[self.rows[start : start + _ROWS_PER_STEP]]
            drop_mapped_pages(pixels)
            if (part != np.take(part, [0], axis + 1)).any():
                return False
        return True


@dataclass
class Examples:
    """The selected examples, before they are converted to a model's input shape.

    indices: in the whole set, int64 [examples]
    labels: of the whole set as in the data, int64 [total]; None if unknown
    order: kind of the labels, as in `ImageList`
    """

    name: str
    sha256: str
    total: int
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | None = None
    classes: list[str] = field(default_factory=list)
    order: str = "numbers"
    notes: list[str] = field(default_factory=list)
    listed: ImageList | None = None
    arrays: Arrays | None = None
    rows: npt.NDArray[np.int64] | None = None  # of the examples in ``arrays``; None: ``indices``
    random: tuple[int | None, int] | None = None  # limit and seed of random inputs

    def inputs(self, shape: tuple[int, ...], options: DataOptions, crop: float, progress: Progress) -> Inputs:
        """Return the examples in the shape that a model takes; raise DatasetError if they do not fit it."""
        if self.random is not None:
            last = image_shape(shape)
            arrays = random_inputs(last or shape, *self.random, images=last is not None)
            return _rows_of(arrays.pixels, np.arange(self.total))
        if self.arrays is not None:
            _check_array_shape(self.arrays, shape, options)
            return _rows_of(self.arrays.pixels, self.indices if self.rows is None else self.rows)
        if self.listed is None:
            raise ValueError("no source of examples")
        return self._decoded(self.listed, shape, options, crop, progress)

    def _decoded(
        self, listed: ImageList, shape: tuple[int, ...], options: DataOptions, crop: float, progress: Progress
    ) -> Inputs:
        target = image_shape(shape) or grey_shape(shape)
        if target is None:
            raise DatasetError(
                f"the model takes inputs of shape {list(shape)}, which are not images",
                "give a .npy or an .npz with --data, or use --task tensor for a folder of .wav files",
            )
        geometry = Geometry(
            *target, crop=crop, interpolation=options.interpolation, squash=options.squash,
            exif_orientation=bool(options.exif_orientation),
        )  # fmt: skip
        files = [listed.files[number] for number in self.indices]
        decoded = decoded_images(listed.folder, files, geometry, progress, skip_broken=options.skip_broken)
        files_left_out = counted(
            len(decoded.problems), "invalid or truncated image file", "invalid or truncated image files"
        )
        note = f"left out {files_left_out}"
        if decoded.problems and not any(other.startswith(note) for other in self.notes):
            self.notes.append(f"{note}, the first: {decoded.problems[0]}")
        self.notes += [note for note in decoded.notes if note not in self.notes]
        rows = np.array(decoded.readable, np.int64)
        return Inputs(decoded.pixels.absolute(), rows, rows, geometry)


def find_examples(options: DataOptions, limit: int | None, seed: int) -> Examples:
    """Return the examples that the options name, evenly over their classes; raise DatasetError if there are none."""
    path = options.data
    if path is None:
        count = limit or RANDOM_IMAGES
        name = RANDOM_INPUTS
        digest = hashlib.sha256(repr((count, seed)).encode()).hexdigest()
        return Examples(name, digest, count, np.arange(count), random=(limit, seed))
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder", "give images, a .npy or an .npz with --data")
    if path.is_dir():
        return _from_folder(options, path, limit, seed)
    if path.suffix not in (".npy", ".npz"):
        raise DatasetError(
            f"{path}: unsupported kind of data file", "give a folder of images, a .npy or an .npz with --data"
        )
    arrays = load_arrays(path, options.labels)
    count = len(arrays.inputs)
    indices = draw_evenly(np.zeros(count, np.int64) if arrays.labels is None else arrays.labels, limit, seed)
    return Examples(
        recordable(path.stem),
        arrays.sha256,
        count,
        indices,
        labels=arrays.labels,
        notes=list(arrays.notes),
        arrays=arrays,
    )


def _from_folder(options: DataOptions, path: Path, limit: int | None, seed: int) -> Examples:
    listed = list_images(path, options.labels, options.classes, options.label_names, options.label_column)
    count = len(listed.files)
    labels = np.zeros(count, np.int64) if listed.labels is None else listed.labels
    return Examples(
        name=folder_name(listed.folder),
        sha256=_listing_sha256(listed),
        total=count,
        indices=draw_evenly(labels, limit, seed),  # only these are decoded
        labels=listed.labels,
        classes=list(listed.classes),
        order=listed.order,
        notes=list(listed.notes),
        listed=listed,
    )


def _listing_sha256(listed: ImageList) -> str:
    """Return a checksum of names, sizes and labels, which is equal on all machines and does not read the images."""
    sizes = [(recordable(name), (listed.folder / name).stat().st_size) for name in listed.files]
    labels = None if listed.labels is None else listed.labels.tolist()
    return hashlib.sha256(msgspec.json.encode([sizes, labels])).hexdigest()


def _rows_of(pixels: Path, rows: npt.NDArray[np.int64]) -> Inputs:
    return Inputs(pixels.absolute(), rows, np.arange(len(rows)))


def _check_array_shape(arrays: Arrays, shape: tuple[int, ...], options: DataOptions) -> None:
    data_shape = arrays.inputs.shape[1:]
    if same_values(data_shape, shape):
        return
    remedy = "resize the images before saving the array, or use a folder of images"
    if shape == (*data_shape[1:], data_shape[0]) and data_shape[0] < min(shape[:-1]):
        remedy = "save the array with channels last: x.transpose(0, 2, 3, 1)"
    raise DatasetError(
        f"{options.data}: inputs of shape {list(data_shape)}, but the model takes {list(image_shape(shape) or shape)}",
        remedy,
    )
