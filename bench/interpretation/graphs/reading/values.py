"""Which output has the values of a regression or the scores of classes, and the true values."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge_bench.bench.dataset.label_files import index_names
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.value_labels import TrueValues, read_values
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.graphs.feeding.examples import TaskExamples
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel, one_image
from edge_bench.bench.interpretation.graphs.reading.class_names import ClassNames, class_names
from edge_bench.bench.interpretation.graphs.reading.outputs import chosen_output
from edge_bench.bench.interpretation.graphs.sampling import MOST_TESTED, Sampler
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.decoding import ScoreDecoding
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD, dequantized
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["ScoreReading", "in_class_order", "names_of_columns", "score_reading", "true_values", "value_truth"]


class ScoreReading(NamedTuple):
    """The output that has the values, and the reason."""

    decoding: ScoreDecoding
    interpretations: list[Interpretation]


def true_values(examples: TaskExamples, options: DataOptions) -> TrueValues | None:
    """Return the true values of the whole set; None if unknown. Raise DatasetError if they do not fit."""
    if options.labels is None:
        return None
    if options.labels.is_dir() or options.labels.suffix == ".json":
        raise DatasetError(
            f"{options.labels}: no numbers", "use a .npy, an .npz or a .csv with a line FILE,NUMBER,… for each example"
        )
    return read_values(
        options.labels, examples.total, examples.folder, examples.files, options.label_column, options.output
    )


def in_class_order(truth: TrueValues, listed: ClassNames) -> TrueValues:
    """Return the true values with their columns in the order of the model's classes, if the headings name these.

    If no heading is a class, columns keep their order. Raise DatasetError if only some headings are classes, and not
    all of these are at their class's position.
    """
    found = [_class_of(heading, listed) for heading in truth.headings]
    known = [each for each in found if each is not None]
    if not known or found == list(range(len(listed.lines))):
        return truth
    if sorted(known) == list(range(len(listed.lines))) and len(known) == len(found):
        order = np.argsort(known)
        headings = tuple(truth.headings[column] for column in order)
        note = f"true values: columns in the order of the classes of {listed.source}, by their headings"
        return TrueValues(truth.values[:, order], headings, (*truth.notes, note))
    if all(each in (None, place) for place, each in enumerate(found)) and len(found) == len(listed.lines):
        return truth
    raise DatasetError(
        f"the headings {abbreviate(list(truth.headings))} are not the classes of {listed.source}: "
        f"{abbreviate(listed.names)}",
        "use one column per class, with the class's name as heading",
    )


def _class_of(heading: str, listed: ClassNames) -> int | None:
    try:
        return index_names(listed.source, listed.lines, [heading])[heading]
    except DatasetError:
        return None


def score_reading(
    model: GraphModel, options: DataOptions, task: str, truth: TrueValues | None, sampler: Sampler
) -> ScoreReading:
    """Return which output has the values.

    It is stated, the only one, or the only one with as many numbers as the true values. Raise BadInput otherwise, if
    its numbers do not fit the task or the true values, or if a score is not a probability and no threshold is set.
    """
    columns = 1 if task == "binary" else None if truth is None else truth.values.shape[1]
    number, why = chosen_output(model, options.output, lambda spec: _columns(spec) == columns)
    spec = model.variant.all_outputs[number]
    own = _columns(spec)
    if columns is not None and own not in (None, columns):
        is_one = task == "binary"
        raise BadInput(
            f"{model.variant.name}: output {spec.name[:80]} has {own} numbers per example, but "
            + ("a binary classifier has one score" if is_one else f"the true values {columns}"),
            "use --task classify or --task multilabel" if is_one else "choose another output with --output",
        )
    records = []
    if why:
        source = Source.STATED if options.output is not None else Source.DATA
        value = spec.name or f"output {number}"
        record = Interpretation(
            subject="output", value=value, source=source, reason=why, option="--output", variant=model.about
        )
        records.append(record)
    if task != "regress":
        records.append(_threshold(model, options, number, spec, sampler, scored=truth is not None))
    return ScoreReading(ScoreDecoding(output=number), records)


def value_truth(
    truth: TrueValues | None,
    examples: TaskExamples,
    options: DataOptions,
    task: str,
    names: Sequence[str],
) -> ValueTruth | FlagTruth | None:
    """Return the true values of the selected examples as they are recorded; raise DatasetError if they do not fit."""
    if truth is None:
        return None
    values = truth.values[examples.indices]
    if task == "regress":
        return packed_values(values)
    if task == "binary" and values.shape[1] != 1:
        raise DatasetError(
            f"{options.labels}: {values.shape[1]} numbers per example, but a binary classifier has one", "use 0 or 1"
        )
    threshold = DEFAULT_THRESHOLD if options.threshold is None else options.threshold
    return packed_flags(values, names, threshold)


def names_of_columns(model: GraphModel, options: DataOptions, truth: TrueValues | None, task: str) -> list[str]:
    """Return the names of the scores: those of the model's classes, or the headings of the true values."""
    if task == "regress":
        return []
    if task == "binary":
        return []
    columns = None if truth is None else truth.values.shape[1]
    listed = class_names(model, options)
    if listed is not None and columns in (None, len(listed.names)):
        return listed.names
    if listed is not None and listed.origin is Source.STATED:
        raise BadInput(
            f"--classes lists {counted(len(listed.names), 'name')}, but the true values have {columns} columns",
            "list the name of each column",
        )
    return [] if truth is None else list(truth.headings)


def _columns(spec: TensorSpec) -> int | None:
    """Return how many numbers an output has for one example; None if unknown."""
    sizes = one_image(spec)
    sizes = sizes[1:] if sizes[:1] == [1] else sizes
    return None if -1 in sizes else math.prod(sizes)


def _threshold(
    model: GraphModel, options: DataOptions, number: int, spec: TensorSpec, sampler: Sampler, *, scored: bool
) -> Interpretation:
    """Return the score above which an example has a class.

    Raise BadInput if scores are not probabilities and no threshold is set.
    """
    value = DEFAULT_THRESHOLD if options.threshold is None else options.threshold
    record = Interpretation(
        subject="threshold",
        value=f"scores above {value:g} mean 1",
        source=Source.DEFAULT if options.threshold is None else Source.STATED,
        option="--threshold",
        variant=model.about,
    )
    if options.threshold is not None or not scored or options.assume:
        return record
    for outputs in sampler.sample(range(MOST_TESTED)):
        scores = dequantized(outputs[number], spec)
        if scores.size and not (np.nanmin(scores) >= 0 and np.nanmax(scores) <= 1 + _ROUNDING):
            raise BadInput(
                f"{model.variant.name}: its scores are not within 0 to 1, so the threshold of class 1 is unknown",
                "use --threshold 0 for a model without a final sigmoid, or another value",
            )
    return record


_ROUNDING = 1e-2  # of a quantized probability
