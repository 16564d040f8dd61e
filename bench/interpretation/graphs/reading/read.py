"""How the outputs of all models are read for the task of the run, and true values."""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_bench.bench.dataset.box_labels.coco import read_coco
from edge_bench.bench.dataset.box_labels.names import find_name_file, read_class_names
from edge_bench.bench.dataset.box_labels.yolo import read_yolo
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.graphs.feeding.examples import TaskExamples
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.interpretation.graphs.reading.box_axes import refuse_swapped_axes
from edge_bench.bench.interpretation.graphs.reading.boxes import box_reading
from edge_bench.bench.interpretation.graphs.reading.categories import category_map, names_of_classes
from edge_bench.bench.interpretation.graphs.reading.class_names import class_names, refuse_other_names
from edge_bench.bench.interpretation.graphs.reading.masks import mask_reading, true_masks_of
from edge_bench.bench.interpretation.graphs.reading.outputs import refuse_other_output
from edge_bench.bench.interpretation.graphs.reading.values import (
    in_class_order,
    names_of_columns,
    score_reading,
    true_values,
    value_truth,
)
from edge_bench.bench.interpretation.graphs.sampling import Sampler
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.interpretation import Interpretation
from edge_bench.bench.records.outputs.decoding import Decoding, TensorDecoding
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.tasks.detection.boxes import GroundTruth
from edge_bench.bench.tasks.detection.truth import packed_truth
from edge_bench.bench.tasks.segmentation.true_masks import TrueMasks
from edge_bench.bench.wording import counted

__all__ = ["Reading", "ReadingJob", "read_outputs"]


_OTHER_CLASSES = "the models list different classes: without --labels, boxes are compared by their class numbers"


@dataclass(frozen=True)
class Reading:
    """How all models' outputs are read, and the true values."""

    decodings: Mapping[str, Decoding]
    interpretations: Sequence[Interpretation] = ()
    names: Sequence[str] = ()
    truth: TaskTruth | None = None
    masks: TrueMasks | None = None
    categories: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class ReadingJob:
    """The inputs of reading outputs."""

    models: Sequence[GraphModel]
    examples: TaskExamples
    options: DataOptions
    open_sampler: Callable[[GraphModel], Sampler]
    progress: Progress
    task: str


def read_outputs(job: ReadingJob) -> Reading:
    """Return how all models' outputs are read.

    Raise DatasetError or BadInput if true values and models do not match each other, or if outputs can be read in
    several ways.
    """
    refuse_other_output(job.models, job.options.output)
    return _READERS[job.task](job)


def _read_boxes(job: ReadingJob) -> Reading:
    truth = _true_boxes(job.examples, job.options)
    sizes = job.examples.sizes
    if sizes is None:  # arrays and random values: each example is its own image
        height, width, _ = job.models[0].known_image
        sizes = np.tile(np.array([width, height], np.int64), (len(job.examples.indices), 1))
    decodings, records, listed = dict[str, Decoding](), list[Interpretation](), list[list[str]]()
    categories = dict[str, tuple[int, ...]]()
    for model in job.models:
        with contextlib.closing(job.open_sampler(model)) as sampler:
            letterbox = job.examples.models[model.variant.name].letterbox
            reading = box_reading(model, job.options, sampler, sizes, letterbox=letterbox)
            records += reading.interpretations
            decodings[model.variant.name] = reading.decoding
            chosen = None
            if truth is not None:
                refuse_swapped_axes(model, reading, truth, sampler)
                chosen, record = category_map(model, job.options, reading, truth, sampler)
                records.append(record)
                categories[model.variant.name] = tuple(chosen.categories.tolist())
            listed.append(list(names_of_classes(reading, chosen, truth)))
    known = [names for names in listed if names]
    differ = any(names != known[0] for names in known)
    return Reading(
        decodings,
        records,
        known[0] if known else [],
        None if truth is None else packed_truth(truth),
        categories=categories,
        notes=(_OTHER_CLASSES,) * differ if truth is None else truth.notes,
    )


def _true_boxes(examples: TaskExamples, options: DataOptions) -> GroundTruth | None:
    """Return the true boxes of the selected images."""
    if options.labels is None:
        return None
    if examples.sizes is None or examples.folder is None:
        raise DatasetError(f"{options.labels}: boxes need image files", "give the folder of the images with --data")
    files = [examples.files[number] for number in examples.indices.tolist()]
    if examples.label_files is None:
        return read_coco(options.labels, examples.folder, files, examples.sizes)
    own = [examples.label_files[number] for number in examples.indices.tolist()]
    listed = options.label_names or find_name_file([options.labels, examples.folder])
    return read_yolo(own, files, examples.sizes, None if listed is None else read_class_names(listed))


def _read_masks(job: ReadingJob) -> Reading:
    readings = {model.variant.name: mask_reading(model, job.options) for model in job.models}
    records = [record for reading in readings.values() for record in reading.interpretations]
    first = next(iter(readings.values()))
    decodings = {name: reading.decoding for name, reading in readings.items()}
    for name, reading in readings.items():
        if reading.decoding.classes != first.decoding.classes:
            raise BadInput(
                f"{name} has {counted(reading.decoding.classes, 'class')}, {next(iter(readings))} has "
                f"{first.decoding.classes}",
                "measure them in separate runs",
            )
    if job.options.labels is None:
        return Reading(decodings, records, first.names)
    if job.examples.sizes is None:
        raise DatasetError(f"{job.options.labels}: masks need image files", "give the folder of the images with --data")
    refuse_other_names(job.models, job.options)
    masks, record, notes = true_masks_of(job.examples, job.options, first, job.progress)
    return Reading(decodings, [*records, record], first.names, masks=masks, notes=notes)


def _read_scores(job: ReadingJob) -> Reading:
    truth = true_values(job.examples, job.options)
    if job.task == "multilabel" and truth is not None:
        refuse_other_names(job.models, job.options)
        listed = class_names(job.models[0], job.options)
        truth = truth if listed is None else in_class_order(truth, listed)
    decodings, records = dict[str, Decoding](), list[Interpretation]()
    for model in job.models:
        with contextlib.closing(job.open_sampler(model)) as sampler:
            reading = score_reading(model, job.options, job.task, truth, sampler)
        decodings[model.variant.name] = reading.decoding
        records += reading.interpretations
    names = names_of_columns(job.models[0], job.options, truth, job.task)
    recorded = value_truth(truth, job.examples, job.options, job.task, names)
    return Reading(decodings, records, names, recorded, notes=() if truth is None else truth.notes)


def _read_tensors(job: ReadingJob) -> Reading:
    return Reading({model.variant.name: TensorDecoding() for model in job.models})


_READERS: Mapping[str, Callable[[ReadingJob], Reading]] = {
    "detect": _read_boxes, "segment": _read_masks, "binary": _read_scores, "multilabel": _read_scores,
    "regress": _read_scores, "tensor": _read_tensors,
}  # fmt: skip
