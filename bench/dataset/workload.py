"""What a run measures beside the models: the images, their true labels, and what turns them into the model's input."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.io.files import drop_mapped_pages
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import BundleIdentity

__all__ = ["Workload", "bundle_workload", "pixel_checksums"]


_ROWS_MAPPED = 256


@dataclass(frozen=True)
class Workload:
    """The images of a run.

    pixels: a .npy file, [rows, …]; images are uint8 [rows, height, width, channels]
    rows, indices: of every image its row in that file, and its place in the whole set; int64 [images] each
    labels: true labels as the number of the model's output, int64 [images]; None where nobody knows them
    of: images in the whole set, of which a ``--limit`` has drawn these
    """

    identity: BundleIdentity
    pixels: Path
    rows: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | None
    total_images: int
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()  # what a reader of the numbers must know of images and labels
    input_shape: tuple[int, ...] | None = None  # of one image, where the model's file leaves it open


def bundle_workload(bundle: Bundle, limit: int | None = None, seed: int = 42) -> Workload:
    """The test set of a bundle, or an even draw of ``limit`` images over its classes."""
    manifest = bundle.manifest
    images, labels = bundle.test_set()
    indices = draw_evenly(np.zeros(len(images), np.int64) if labels is None else np.array(labels), limit, seed)
    return Workload(
        identity=BundleIdentity(
            sha256=bundle.digest,
            created=manifest.created,
            model=manifest.model.name,
            parameters=manifest.model.parameters,
            dataset=manifest.dataset.name,
            dataset_sha256=manifest.dataset.sha256,
            classes=manifest.dataset.classes,
            note=manifest.dataset.note,
        ),
        pixels=bundle.folder / manifest.test_images.file,
        rows=indices,
        indices=indices,
        labels=None if labels is None else np.array(labels)[indices].astype(np.int64),
        total_images=len(images),
        preprocessing=manifest.preprocessing,
    )


def pixel_checksums(workload: Workload) -> npt.NDArray[np.int64]:
    """CRC-32 of each image as stored, shape [images]: tells whether two machines classified the same pixels."""
    pixels = open_npy(workload.pixels)
    checksums = np.zeros(len(workload.rows), np.int64)
    for place, row in enumerate(workload.rows):
        checksums[place] = crc32(np.ascontiguousarray(pixels[row]).tobytes())
        if place % _ROWS_MAPPED == 0:
            drop_mapped_pages(pixels)
    return checksums
