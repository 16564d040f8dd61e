"""The workload of a run: the images, their true labels and their preprocessing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.io.files import drop_mapped_pages
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.interpretation import Interpretation
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.outputs.decoding import Decoding
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.records.run import CLASSIFY, BundleIdentity
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD
from edge_bench.bench.tasks.segmentation.true_masks import TrueMasks

__all__ = ["GraphExamples", "ModelInput", "NamedInput", "Workload", "bundle_workload", "pixel_checksums"]


_ROWS_BETWEEN_DROPS = 256


@dataclass(frozen=True)
class ModelInput:
    """How a model gets the examples, and what its outputs stand for.

    pixels: a .npy file, [rows, …]; images are uint8 [rows, height, width, channels]
    rows: each example's row in that file, int64 [examples]
    input_shape: of one example, if the model's file has open axes
    threshold: of a single score, if stated
    class_of_output: the label of each output; None if it is the output's number
    """

    pixels: Path
    rows: npt.NDArray[np.int64]
    preprocessing: Preprocessing
    input_shape: tuple[int, ...] | None = None
    threshold: float | None = None
    class_of_output: list[int] | None = None

    @property
    def score_threshold(self) -> float:
        """The threshold of a single score, above which an example is of class 1."""
        return DEFAULT_THRESHOLD if self.threshold is None else self.threshold


@dataclass(frozen=True)
class NamedInput:
    """The examples of one input of a graph.

    values: a .npy file, [rows, …], in the input's own type, or pixels with their ``preprocessing``
    """

    name: str
    values: Path
    preprocessing: Preprocessing | None = None


@dataclass(frozen=True)
class GraphExamples:
    """How a graph gets the examples, and how its outputs are read.

    rows: each example's row in the files, int64 [examples]
    shapes: of whole inputs with open axes, by name
    categories: index of the category of each class of a detector, -1 for none; None without true boxes
    """

    inputs: tuple[NamedInput, ...]
    rows: npt.NDArray[np.int64]
    decoding: Decoding
    signature: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    categories: list[int] | None = None


@dataclass(frozen=True)
class Workload:
    """The examples of a run.

    indices: each example's index in the whole set, int64 [examples]
    labels: true labels as indices of the model's outputs, int64 [examples]; None if unknown
    total_images: number of examples in the whole set, from which ``--limit`` selected these
    shared, own: how models get the examples: all of them, or by variant
    graphs: the same of models for another task than classify, by variant; then ``shared`` is only the first input
    truth: true values of such a task; masks, which are read one at a time, in ``true_masks``
    image_sizes: original width and height of each image, int64 [examples, 2]
    """

    identity: BundleIdentity
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | None
    total_images: int
    shared: ModelInput
    own: Mapping[str, ModelInput] = field(default_factory=dict)
    interpretations: tuple[Interpretation, ...] = ()
    notes: tuple[str, ...] = ()  # remarks on images and labels that the interpretation of the results needs
    task: str = CLASSIFY
    graphs: Mapping[str, GraphExamples] = field(default_factory=dict)
    truth: TaskTruth | None = None
    true_masks: TrueMasks | None = None
    image_sizes: npt.NDArray[np.int64] | None = None

    def files_of(self, variant: str) -> list[Path]:
        """Return the files that a worker of this variant reads its examples from."""
        if self.graphs:
            return list(dict.fromkeys(each.values for each in self.graphs[variant].inputs))
        return [self.input_of(variant).pixels]

    def input_of(self, variant: str) -> ModelInput:
        """Return how this variant gets the examples."""
        return self.own.get(variant, self.shared)

    def selected(self, positions: npt.NDArray[np.int64]) -> "Workload":
        """Return the workload of the examples at these positions."""
        return replace(
            self,
            indices=self.indices[positions],
            labels=None if self.labels is None else self.labels[positions],
            shared=replace(self.shared, rows=self.shared.rows[positions]),
            own={name: replace(own, rows=own.rows[positions]) for name, own in self.own.items()},
            graphs={name: replace(own, rows=own.rows[positions]) for name, own in self.graphs.items()},
        )


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
        indices=indices,
        labels=None if labels is None else np.array(labels)[indices].astype(np.int64),
        total_images=len(images),
        shared=ModelInput(
            bundle.folder / bundle.test_images.file,
            indices,
            manifest.preprocessing,
            threshold=manifest.threshold,
        ),
        interpretations=tuple(manifest.interpretations),
    )


def pixel_checksums(workload: Workload) -> npt.NDArray[np.int64]:
    """Return the CRC-32 of each example's values as they are stored, shape [examples], to compare two machines'.

    Of a graph, those of the first variant's inputs, one after the other.
    """
    files, rows = [workload.shared.pixels], workload.shared.rows
    if workload.graphs:
        first = next(iter(workload.graphs.values()))
        files, rows = [each.values for each in first.inputs], first.rows
    checksums = np.zeros(len(rows), np.int64)
    for file in files:
        values = open_npy(file)
        for position, row in enumerate(rows):
            checksums[position] = crc32(np.ascontiguousarray(values[row]).tobytes(), int(checksums[position]))
            if position % _ROWS_BETWEEN_DROPS == 0:
                drop_mapped_pages(values)
    return checksums
