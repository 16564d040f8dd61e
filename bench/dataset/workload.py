"""The workload of a run: the images, their true labels and their preprocessing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.graph_examples import GraphExamples, selected_masks, selected_truth
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.io.files import drop_mapped_pages
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.interpretation import Interpretation
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.outputs.decoding import TensorDecoding
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.records.run import CLASSIFY, BundleIdentity
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD
from edge_bench.bench.tasks.segmentation.true_masks import TrueMasks
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["ModelInput", "Workload", "bundle_workload", "pixel_checksums"]


_ROWS_BETWEEN_DROPS = 256


@dataclass(frozen=True)
class ModelInput:
    """How a model gets the examples, and the meaning of its outputs.

    pixels: a .npy file, [rows, …]; images are uint8 [rows, height, width, channels]
    rows: each example's row in that file, int64 [examples]
    input_shape: of one example, if the model's file has open axes
    threshold: of a single score, if set
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
class Workload:
    """The examples of a run.

    indices: each example's index in the whole set, int64 [examples]
    labels: true labels as indices of the model's outputs, int64 [examples]; None if unknown
    total_images: number of examples in the whole set, from which ``--limit`` selected these
    shared, own: how classifiers get the examples: the same way for all, or by variant. For other tasks ``shared`` has
    the first input of the first model
    graphs: how models get the examples, by variant; empty for the task classify
    truth: true values of other tasks, except of masks
    true_masks: one per example, read image by image with ``sizes``
    sizes: width and height of each image in pixels, int64 [examples, 2]; None if the examples are not image files
    """

    identity: BundleIdentity
    indices: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64] | None
    total_images: int
    shared: ModelInput
    own: Mapping[str, ModelInput] = field(default_factory=dict)
    interpretations: tuple[Interpretation, ...] = ()
    notes: tuple[str, ...] = ()  # remarks on images and labels, needed to interpret the results
    task: str = CLASSIFY
    graphs: Mapping[str, GraphExamples] = field(default_factory=dict)
    truth: TaskTruth | None = None
    true_masks: TrueMasks | None = None
    sizes: npt.NDArray[np.int64] | None = None

    def files_of(self, variant: str) -> list[Path]:
        """Return the files that a worker of this variant reads its examples from."""
        if self.graphs:
            return list(dict.fromkeys(each.file for each in self.graphs[variant].inputs))
        return [self.input_of(variant).pixels]

    @property
    def has_images(self) -> bool:
        """Whether the examples may be images: always for classifiers, and for graphs if they are preprocessed."""
        inputs = [each for own in self.graphs.values() for each in own.inputs]
        return not inputs or any(each.preprocessing is not None for each in inputs)

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
            graphs={name: each.selected(positions) for name, each in self.graphs.items()},
            truth=selected_truth(self.truth, positions),
            true_masks=selected_masks(self.true_masks, positions),
            sizes=None if self.sizes is None else self.sizes[positions],
        )


def bundle_workload(bundle: Bundle, limit: int | None = None, seed: int = 42) -> Workload:
    """Return the test set of a bundle, or ``limit`` examples of it, evenly over its classes if there are any."""
    manifest = bundle.manifest
    if manifest.is_graph:
        return _graph_workload(bundle, limit, seed)
    images, labels = bundle.test_set()
    indices = draw_evenly(np.zeros(len(images), np.int64) if labels is None else np.array(labels), limit, seed)
    return Workload(
        identity=_identity(bundle),
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


def _graph_workload(bundle: Bundle, limit: int | None, seed: int) -> Workload:
    """Return the test set of a bundle that has an array for each input."""
    manifest, files = bundle.manifest, bundle.test_inputs()
    examples = manifest.split.test
    indices = draw_evenly(np.zeros(examples, np.int64), limit, seed)
    graphs = {
        variant.name: GraphExamples(
            inputs=tuple(GraphInput(name=each.name, file=files[each.name]) for each in variant.all_inputs),
            rows=indices,
            signature=variant.signature,
            decoding=manifest.decodings.get(variant.name, TensorDecoding()),
        )
        for variant in bundle.variants
    }
    return Workload(
        identity=_identity(bundle),
        indices=indices,
        labels=None,
        total_images=examples,
        shared=ModelInput(next(iter(files.values())), indices, manifest.preprocessing),
        interpretations=tuple(manifest.interpretations),
        task=manifest.task,
        graphs=graphs,
        truth=selected_truth(bundle.truth(), indices),
    )


def _identity(bundle: Bundle) -> BundleIdentity:
    manifest = bundle.manifest
    return BundleIdentity(
        sha256=bundle.digest,
        created=manifest.created,
        model=manifest.model.name,
        parameters=manifest.model.parameters,
        dataset=manifest.dataset.name,
        dataset_sha256=manifest.dataset.sha256,
        classes=manifest.dataset.classes,
        note=manifest.dataset.note,
    )


def pixel_checksums(workload: Workload) -> npt.NDArray[np.int64]:
    """Return the CRC-32 of each stored example, shape [examples], to compare them on two machines.

    With several inputs, it combines them in their order. With several models, it is that of the first.
    """
    first = next(iter(workload.graphs.values()), None)
    files = [workload.shared.pixels] if first is None else [each.file for each in first.inputs]
    checksums = np.zeros(len(workload.shared.rows), np.int64)
    for file in files:
        values = open_npy(file)
        for position, row in enumerate(workload.shared.rows):
            data = np.ascontiguousarray(values[row]).tobytes()
            checksums[position] = crc32(data, int(checksums[position]))
            if position % _ROWS_BETWEEN_DROPS == 0:
                drop_mapped_pages(values)
    return checksums
