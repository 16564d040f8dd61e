"""Arrays, random values and sounds as examples of all inputs of each model."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.arrays import RANDOM_IMAGES
from edge_bench.bench.dataset.load import Inputs
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.inputs.npz_arrays import array_types, load_npy, load_npz
from edge_bench.bench.inputs.random_values import random_graph_inputs
from edge_bench.bench.inputs.sounds import list_sounds, load_sounds
from edge_bench.bench.inputs.specs import GraphInputs, InputSpec, combined_digest
from edge_bench.bench.inputs.stored import PART_VALUES, stored_rows
from edge_bench.bench.interpretation.graphs.feeding.examples import ModelExamples, TaskExamples, whole_shapes
from edge_bench.bench.interpretation.graphs.feeding.pixels import pixel_preprocessing
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.io.names import recordable
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.records.interpretation import Interpretation
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import RANDOM_INPUTS, Settings
from edge_bench.bench.wording import counted
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["array_examples", "random_examples", "sound_examples"]

#: Real values that are quantized by the model's scale and zero point.
_AS_THEY_ARE = Preprocessing(scale=1.0, offset=0.0)


@dataclass(frozen=True)
class _Loaded:
    """The arrays of a model, and how values are converted for its inputs, by the input's name."""

    found: GraphInputs
    preprocessing: dict[str, Preprocessing]
    interpretations: tuple[Interpretation, ...] = ()


def array_examples(models: Sequence[GraphModel], path: Path, options: DataOptions, settings: Settings) -> TaskExamples:
    """Return the arrays of an .npz, by the names of the inputs, or of a .npy for models with one input.

    A quantized input also takes real values, float32, and an input of images also pixels, uint8. Raise DatasetError if
    an array is missing or does not fit, BadInput if it is unclear how a model takes pixels.
    """
    loaded = {model.variant.name: _loaded(model, path, options) for model in models}
    count = min(each.found.examples for each in loaded.values())
    rows = draw_evenly(np.zeros(count, np.int64), settings.limit, settings.seed)
    examples = {
        model.variant.name: ModelExamples(
            _graph_inputs(model, each.found, each.preprocessing), rows, whole_shapes(model, each.found.shapes)
        )
        for model, each in zip(models, loaded.values(), strict=True)
    }
    return TaskExamples(
        name=recordable(path.stem),
        sha256=combined_digest((name, each.found.sha256) for name, each in loaded.items()),
        total=count,
        indices=rows,
        models=examples,
        notes=tuple(dict.fromkeys(note for each in loaded.values() for note in each.found.notes)),
        interpretations=tuple(record for each in loaded.values() for record in each.interpretations),
    )


def _loaded(model: GraphModel, path: Path, options: DataOptions) -> _Loaded:
    if path.suffix != ".npz" and len(model.inputs) != 1:
        raise DatasetError(
            f"{path}: only one array, but {model.variant.name} has {counted(len(model.inputs), 'input')}",
            "use an .npz with one array per input name",
        )
    types = array_types(path, [spec.name for spec in model.inputs])
    specs, preprocessing, pixels = list[InputSpec](), dict[str, Preprocessing](), ""
    for spec, own in zip(model.inputs, model.variant.all_inputs, strict=True):
        kind = types.get(spec.name, spec.dtype)
        if own.scale and kind == "float32":
            preprocessing[spec.name] = _AS_THEY_ARE
        elif model.image is not None and kind == "uint8" != spec.dtype:
            pixels = spec.name
        else:
            kind = spec.dtype
        specs.append(dataclasses.replace(spec, dtype=kind))
    found = load_npz(path, specs) if path.suffix == ".npz" else load_npy(path, specs[0])
    if not pixels:
        return _Loaded(found, preprocessing)
    rows = np.arange(found.examples)
    stored, scored = Inputs(found.arrays[pixels], rows, rows), options.labels is not None
    chosen, record = pixel_preprocessing(model, options, "", stored.are_grey, scored=scored)
    return _Loaded(found, {pixels: chosen}, (record,))


def _graph_inputs(
    model: GraphModel, found: GraphInputs, preprocessing: Mapping[str, Preprocessing]
) -> tuple[GraphInput, ...]:
    return tuple(
        GraphInput(name=spec.name, file=found.arrays[spec.name].absolute(), preprocessing=preprocessing.get(spec.name))
        for spec in model.inputs
    )


def sound_examples(
    models: Sequence[GraphModel], folder: Path, options: DataOptions, settings: Settings
) -> TaskExamples:
    """Return the .wav files of a folder as the only input of each model; classes of subfolders are not used.

    Raise BadInput if a model takes no sounds or its sampling rate is unknown, DatasetError for files that do not fit.
    """
    listed = list_sounds(folder)
    classes = np.zeros(len(listed.files), np.int64) if listed.labels is None else np.array(listed.labels)
    chosen = draw_evenly(classes, settings.limit, settings.seed)
    part = dataclasses.replace(listed, files=tuple(listed.files[each] for each in chosen.tolist()), labels=None)
    loaded = {model.variant.name: load_sounds(part, _sound_input(model), _rate(model, options)) for model in models}
    rows = np.arange(len(chosen))
    examples = {
        model.variant.name: ModelExamples(
            _graph_inputs(model, loaded[model.variant.name], {}),
            rows,
            whole_shapes(model, loaded[model.variant.name].shapes),
        )
        for model in models
    }
    return TaskExamples(
        name=recordable("/".join(folder.resolve().parts[-2:])),
        sha256=combined_digest((name, found.sha256) for name, found in loaded.items()),
        total=len(listed.files),
        indices=chosen,
        models=examples,
        notes=tuple(dict.fromkeys(note for found in loaded.values() for note in found.notes)),
        folder=folder,
        files=listed.files,
    )


def _sound_input(model: GraphModel) -> InputSpec:
    if len(model.inputs) != 1:
        raise BadInput(
            f"{model.variant.name} has {counted(len(model.inputs), 'input')}, but a folder of sounds fits only one",
            "use --data with an .npz with one array per input name",
        )
    return model.inputs[0]


def _rate(model: GraphModel, options: DataOptions) -> int:
    known = 0 if model.metadata is None else model.metadata.sample_rate
    if options.sample_rate is None and not known:
        raise BadInput(
            f"{model.variant.name}: sampling rate unknown, because its file does not state it",
            "set it, for example --sample-rate 16000",
        )
    return options.sample_rate or known


def random_examples(models: Sequence[GraphModel], options: DataOptions, settings: Settings) -> TaskExamples:
    """Return seeded random values for every input, the same real values for all models whose inputs have equal shapes.

    Raise BadInput if a range is missing or impossible, or if a size is unknown.
    """
    count = settings.limit or RANDOM_IMAGES
    base = next((model for model in models if not any(spec.scale for spec in model.variant.all_inputs)), models[0])
    drawn = random_graph_inputs(base.inputs, _ranges_for(base, models, options), count, settings.seed)
    examples, digests, notes = dict[str, ModelExamples](), [("", drawn.sha256)], list(drawn.notes)
    for model in models:
        inputs = _shared(model, base, drawn)
        if inputs is None:
            own = random_graph_inputs(model.inputs, _ranges_for(model, [model], options), count, settings.seed)
            inputs = _graph_inputs(model, own, {})
            digests.append((model.variant.name, own.sha256))
            notes += [f"{model.variant.name}: {note}" for note in own.notes]
        shapes = whole_shapes(model, {spec.name: spec.known_shape for spec in model.inputs})
        examples[model.variant.name] = ModelExamples(inputs, np.arange(count), shapes)
    return TaskExamples(
        RANDOM_INPUTS, combined_digest(digests), count, np.arange(count), examples, tuple(notes), random=True
    )


def _ranges_for(base: GraphModel, models: Sequence[GraphModel], options: DataOptions) -> list[str]:
    """Return the stated ranges by the names of a model's inputs. Names of another model are matched by position."""
    own = [spec.name for spec in base.inputs]
    found = dict[str, str]()
    for text in options.ranges:
        name, _, ends = text.rpartition("=")
        for model in models:
            names = [spec.name for spec in model.inputs]
            if name in names and len(names) == len(own):
                found.setdefault(name if name in own else own[names.index(name)], ends)
    return [f"{name}={ends}" for name, ends in found.items()]


def _shared(model: GraphModel, base: GraphModel, drawn: GraphInputs) -> tuple[GraphInput, ...] | None:
    """Return the values of another model's inputs, in the types of this one's; None if they do not fit."""
    if len(model.inputs) != len(base.inputs):
        return None
    by_name = {spec.name: number for number, spec in enumerate(base.inputs)}
    found = []
    for number, (spec, own) in enumerate(zip(model.inputs, model.variant.all_inputs, strict=True)):
        partner = base.inputs[by_name.get(spec.name, number)]
        if spec.known_shape != partner.known_shape:
            return None
        file, quantized = drawn.arrays[partner.name], bool(own.scale) and partner.type.kind == "f"
        if not quantized and spec.dtype != partner.dtype:
            if spec.type.kind != partner.type.kind:
                return None
            file = _converted(file, spec)
        found.append(
            GraphInput(name=spec.name, file=file.absolute(), preprocessing=_AS_THEY_ARE if quantized else None)
        )
    return tuple(found)


def _converted(file: Path, spec: InputSpec) -> Path:
    """Return a file with the same values in another type; raise BadInput if the type cannot represent them."""
    values = open_npy(file)
    limits: Any = np.iinfo(spec.type) if spec.type.kind in "iu" else None
    if limits is not None and values.size and not limits.min <= values.min() <= values.max() <= limits.max:
        raise BadInput(
            f"input {spec.name[:80]} is {spec.dtype}, which cannot represent all values of the range",
            f"set a smaller one with --range {spec.name[:80]}=LOW..HIGH",
        )
    step = max(1, PART_VALUES // max(1, values[:1].size))

    def parts() -> Iterator[npt.NDArray[Any]]:
        for start in range(0, len(values), step):
            yield values[start : start + step].astype(spec.type)

    return stored_rows("random", values.shape, spec.type, parts())
