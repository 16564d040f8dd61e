"""Interpretation of one model's inputs and outputs, from its file or, if several are possible, from predictions."""

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.load import Examples, Inputs
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.candidates import Candidate, ImageFacts, preprocessing_candidates, rare_candidates
from edge_bench.bench.interpretation.decide import Decision, decide
from edge_bench.bench.interpretation.label_maps import ClassLabels, label_maps
from edge_bench.bench.interpretation.predictions import CannotPredict, Predictions, Prober, ProberFactory, ProbeRuntime
from edge_bench.bench.interpretation.question import Question, TrueLabels
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata
from edge_bench.bench.preprocessing.shapes import image_shape
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD, class_count, label_count

__all__ = ["ModelQuery", "interpret"]


@dataclass(frozen=True)
class ModelQuery:
    """What is known of a model, and the runtimes that can run it."""

    variant: Variant
    shape: tuple[int, ...]  # of one example
    metadata: ModelMetadata | None
    runtimes: Sequence[ProbeRuntime]
    timeout: float
    memory_limit: int | None
    about: str  # the model's name if there are several, for records


def interpret(
    query: ModelQuery,
    examples: Examples,
    inputs: Inputs,
    options: DataOptions,
    progress: Progress,
    open_prober: ProberFactory = Prober,
) -> Decision:
    """Return how the model gets the examples, and the output of each label; raise BadInput if it is ambiguous."""
    scores = class_count(query.variant.output)
    facts = _facts(examples, inputs)
    question = Question(
        model=query.variant.name,
        about=query.about,
        outputs=label_count(query.variant.output),
        candidates=preprocessing_candidates(query.variant.input, query.metadata, options, facts),
        truth=_truth(query, examples, inputs, options),
        rare=functools.partial(rare_candidates, facts=facts),
        assume=options.assume,
    )
    threshold = options.threshold
    prober = open_prober(
        inputs,
        query.runtimes,
        progress,
        input_shape=query.shape if -1 in query.variant.input.shape[1:] else None,
        threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
        timeout=query.timeout,
        memory_limit=query.memory_limit,
        candidates=len(question.candidates.options),
    )
    with contextlib.closing(prober):
        decision = decide(question, prober)
        records = [*decision.interpretations, *_resizing(inputs, options)]
        if scores == 1:
            records.append(_threshold(question, decision, prober, threshold))
    return Decision(decision.candidate, decision.label_map, tuple(records))


def _truth(query: ModelQuery, examples: Examples, inputs: Inputs, options: DataOptions) -> TrueLabels | None:
    if examples.labels is None:
        return None
    known = ClassLabels(examples.labels, examples.classes, examples.order, examples.name)
    maps = label_maps(known, label_count(query.variant.output), query.metadata, options)
    return TrueLabels(examples.labels[examples.indices[inputs.positions]], maps, examples.classes)


def _facts(examples: Examples, inputs: Inputs) -> ImageFacts:
    stored = image_shape(inputs.example_shape)
    channels = stored[2] if stored else 1
    pixels = inputs.are_pixels
    needs_order = channels == 3 and pixels and examples.labels is not None
    geometry = "" if inputs.geometry is None else str(inputs.geometry)
    return ImageFacts(pixels=pixels, channels=channels, grey=needs_order and inputs.are_grey(), geometry=geometry)


def _resizing(inputs: Inputs, options: DataOptions) -> list[Interpretation]:
    """Return how image files are resized to the model's size, by convention unless it was stated."""
    if inputs.geometry is None:
        return []
    stated = options.crop is not None or options.squash
    return [
        Interpretation(
            subject="images",
            value=str(inputs.geometry),
            source=Source.STATED if stated else Source.DEFAULT,
            option="--crop, --squash, --interpolation",
        )
    ]


def _threshold(question: Question, decision: Decision, prober: Predictions, stated: float | None) -> Interpretation:
    """Return the threshold of a single score; raise BadInput if it is not set and the score is not a probability."""
    value = DEFAULT_THRESHOLD if stated is None else stated
    record = Interpretation(
        subject="threshold",
        value=f"scores above {value:g} are class 1",
        source=Source.DEFAULT if stated is None else Source.STATED,
        option="--threshold",
        variant=question.about,
    )
    if stated is not None or question.truth is None:
        return record
    problem = _threshold_problem(question.truth.values, decision.candidate, prober)
    if not problem:
        return record
    if question.assume:
        return msgspec.structs.replace(record, source=Source.ASSUMED, reason=problem)
    raise BadInput(
        f"{question.model}: {problem}, so the threshold of class 1 is unknown",
        "use --threshold 0 for a model without a final sigmoid, or another value; --assume continues with 0.5",
    )


def _threshold_problem(labels: npt.NDArray[np.int64], candidate: Candidate, prober: Predictions) -> str:
    """Return why the scores do not suggest a threshold of 0.5; empty if they do."""
    everything = np.arange(len(labels))
    try:
        if prober.outside_unit(candidate, everything):
            return "its single score is not within 0 to 1"
        predicted = prober.predict(candidate, everything)
    except CannotPredict:
        return ""  # the run will report that the model cannot be run
    one_side = len(np.unique(predicted[predicted >= 0])) == 1
    return "all its scores are on one side of 0.5" if one_side and len(np.unique(labels)) > 1 else ""
