"""The workload of a run: the images, their true labels and their preprocessing."""

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


_ROWS_BETWEEN_DROPS = 256


@dataclass(frozen=True)
class Workload:
    """The images of a run.

    pixels: a .npy file, [rows, …]; images are uint8 [rows, height, width, channels]
    rows, indices: each image's row in that file, and its index in the whole set; int64 [images] each
    labels: true labels as indices of the model's outputs, int64 [images]; None if unknown
    total_images: number of images in the whole set, from which ``--limit`` selected these
    """

    identity: BundleIdentity
    pixels: Path
    rows: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | None
    total_images: int
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()  # remarks on images and labels that the interpretation of the results needs
    input_shape: tuple[int, ...] | None = None  # of one image, if the model's file has open axes
    threshold: float | None = None  # of a single score, if stated
    class_of_output: tuple[int, ...] | None = None  # label that is recorded for each output; None: the output's index


def bundle_workload(bundle: Bundle, limit: int | None = None, seed: int = 42) -> Workload:
    """Return the test set of a bundle, or ``limit`` images of it, evenly over its classes."""
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
        threshold=manifest.threshold,
    )


def pixel_checksums(workload: Workload) -> npt.NDArray[np.int64]:
    """Return the CRC-32 of each stored image, shape [images], to compare the pixels on two machines."""
    pixels = open_npy(workload.pixels)
    checksums = np.zeros(len(workload.rows), np.int64)
    for position, row in enumerate(workload.rows):
        checksums[position] = crc32(np.ascontiguousarray(pixels[row]).tobytes())
        if position % _ROWS_BETWEEN_DROPS == 0:
            drop_mapped_pages(pixels)
    return checksums
