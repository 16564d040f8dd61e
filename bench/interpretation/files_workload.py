"""The workload of model files: the same examples for all models, each with its own interpretation of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.load import Examples, Inputs, find_examples
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import ModelInput, Workload
from edge_bench.bench.interpretation.interpret import ModelQuery, interpret
from edge_bench.bench.interpretation.predictions import Prober, ProberFactory, ProbeRuntime, probe_runtimes
from edge_bench.bench.interpretation.sizes import example_shape
from edge_bench.bench.interpretation.sound_classes import sound_classes
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.preprocessing.presets import preset_named
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.manifest import Preprocessing, Variant
from edge_bench.bench.records.run import BundleIdentity, Settings
from edge_bench.bench.runtimes.scores import class_count, label_count

__all__ = ["RANDOM_NOTE", "files_workload"]

RANDOM_NOTE = "RANDOM INPUTS: only speed is measured; predictions are meaningless, and there is no accuracy"
_IMAGENET_OUTPUTS = (1000, 1001)


@dataclass(frozen=True)
class _Interpreted:
    """One model with its inputs, and the output of each label."""

    variant: Variant
    inputs: Inputs
    shape: tuple[int, ...]
    preprocessing: Preprocessing
    outputs: int
    output_of_label: npt.NDArray[np.int64] | None
    names: list[str]
    threshold: float | None
    interpretations: tuple[Interpretation, ...]


def files_workload(
    models: ModelFiles,
    options: DataOptions,
    settings: Settings,
    progress: Progress,
    runtimes: Mapping[str, Sequence[ProbeRuntime]] | None = None,
    prober: ProberFactory = Prober,
) -> Workload:
    """Load the examples that the models classify, and decide how each model gets them.

    runtimes: by variant, those that may be used for the tests; by default all that are installed.
    prober: makes the predictions, by default in a worker process.
    Raise DatasetError or BadInput if data, labels and models do not match each other, or if labels leave several
    interpretations of a model possible.
    """
    runtimes = runtimes or {variant.name: probe_runtimes(models, variant) for variant in models.variants}
    how = options, settings.limit, settings.seed
    examples = sound_classes(models, *how) or find_examples(*how)
    interpreted = [
        _interpreted(models, variant, examples, options, settings, progress, runtimes.get(variant.name, ()), prober)
        for variant in models.variants
    ]
    notes = [*models.notes, *examples.notes, *_shared(interpreted)]
    if options.preprocess is None and interpreted[0].inputs.look_like_pixels():
        notes.append("the float values are whole numbers up to 255: if they are pixels, set --preprocess or --scale")
    for note in notes:
        progress.say(note)
    positions = _common_positions(interpreted)
    first = interpreted[0]
    names = list(first.names)
    inputs = {item.variant.name: _model_input(item, first, names, positions) for item in interpreted}
    labels = None
    if examples.labels is not None and first.output_of_label is not None:
        labels = first.output_of_label[examples.labels[examples.indices[positions]]]
    return Workload(
        identity=_identity(models, examples, interpreted, inputs, names),
        indices=examples.indices[positions],
        labels=labels,
        total_images=examples.total,
        notes=tuple(notes),
        shared=inputs[first.variant.name],
        own=inputs,
        interpretations=tuple(record for item in interpreted for record in item.interpretations),
    )


def _interpreted(
    models: ModelFiles,
    variant: Variant,
    examples: Examples,
    options: DataOptions,
    settings: Settings,
    progress: Progress,
    runtimes: Sequence[ProbeRuntime],
    prober: ProberFactory,
) -> _Interpreted:
    shape, scores = example_shape(variant, options.image_size), class_count(variant.output)
    inputs = examples.inputs(shape, options, _crop(options, scores), progress)
    query = ModelQuery(
        variant=variant,
        shape=shape,
        metadata=models.metadata.get(variant.name),
        runtimes=runtimes,
        timeout=settings.timeout_s,
        memory_limit=settings.memory_limit,
        about=variant.name if len(models.variants) > 1 else "",
    )
    decision = interpret(query, examples, inputs, options, progress, prober)
    label_map = decision.label_map
    outputs = label_count(variant.output)
    return _Interpreted(
        variant=variant,
        inputs=inputs,
        shape=shape,
        preprocessing=decision.candidate.preprocessing,
        outputs=outputs,
        output_of_label=None if label_map is None else label_map.outputs,
        names=[f"output {number}" for number in range(outputs)]
        if label_map is None
        else label_map.names(examples.classes, outputs),
        threshold=options.threshold,
        interpretations=decision.interpretations,
    )


def _crop(options: DataOptions, scores: int) -> float:
    """Return the fraction of each image side that a central crop keeps: 224 / 256 for ImageNet models."""
    stated = options.crop or (preset_named(options.preprocess).crop if options.preprocess else 0)
    return stated or (0.875 if scores in _IMAGENET_OUTPUTS else 1.0)


def _shared(interpreted: Sequence[_Interpreted]) -> list[str]:
    """Return descriptions of the interpretations that were not stated; one line for equal ones of several models."""
    lines: dict[str, list[str]] = {}
    for item in interpreted:
        for record in item.interpretations:
            if record.source is not Source.STATED:
                text = str(msgspec.structs.replace(record, variant=""))
                lines.setdefault(text, []).append(item.variant.name)
    everyone = len(interpreted)
    return [text if len(names) == everyone else f"{', '.join(names)}: {text}" for text, names in lines.items()]


def _common_positions(interpreted: Sequence[_Interpreted]) -> npt.NDArray[np.int64]:
    """Return the positions of the examples that could be read for all models."""
    common = interpreted[0].inputs.positions
    for item in interpreted[1:]:
        common = np.intersect1d(common, item.inputs.positions)
    return common


def _model_input(
    item: _Interpreted, first: _Interpreted, names: list[str], positions: npt.NDArray[np.int64]
) -> ModelInput:
    """Return how a model gets the examples; outputs are numbered as those of the first model.

    ``names`` grows by the outputs that the first model does not have.
    """
    own = item.inputs
    kept = np.isin(own.positions, positions)
    return ModelInput(
        pixels=own.pixels,
        rows=own.rows[kept],
        preprocessing=item.preprocessing,
        input_shape=item.shape if -1 in item.variant.input.shape[1:] else None,
        threshold=item.threshold,
        class_of_output=_class_of_output(item, first, names),
    )


def _class_of_output(item: _Interpreted, first: _Interpreted, names: list[str]) -> list[int] | None:
    if item is first or item.output_of_label is None or first.output_of_label is None:
        return None
    table = {int(own): int(other) for own, other in zip(item.output_of_label, first.output_of_label, strict=True)}
    for output in range(item.outputs):
        if output not in table:
            free = output if output < first.outputs and output not in table.values() else len(names)
            if free == len(names):
                names.append(f"{item.variant.name}: {item.names[output]}")
            table[output] = free
    ordered = [table[output] for output in range(item.outputs)]
    return None if ordered == list(range(item.outputs)) else ordered


def _identity(
    models: ModelFiles,
    examples: Examples,
    interpreted: Sequence[_Interpreted],
    inputs: Mapping[str, ModelInput],
    names: Sequence[str],
) -> BundleIdentity:
    """Return an identity that replaces a bundle's: equal for the same files, data and interpretations."""
    files = sorted((variant.name, variant.sha256) for variant in models.variants)
    feeds = [
        (name, msgspec.to_builtins(item.preprocessing), item.input_shape, item.threshold, item.class_of_output)
        for name, item in sorted(inputs.items())
    ]
    tables = [None if item.output_of_label is None else item.output_of_label.tolist() for item in interpreted]
    content = [files, examples.sha256, feeds, tables, names]
    return BundleIdentity(
        sha256=hashlib.sha256(msgspec.json.encode(content)).hexdigest(),
        created="",
        model=models.name,
        parameters=models.parameters,
        dataset=examples.name,
        dataset_sha256=examples.sha256,
        classes=list(names),
        note=RANDOM_NOTE if examples.random is not None else "",
    )
