"""Export of a model with any inputs and outputs as a bundle with all variants."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.bundle_files import file_entry, versions, write_graph, write_rows
from edge_bench.app.conversion.convertible import ConvertibleModel
from edge_bench.app.conversion.export_settings import CALIBRATION_EXAMPLES, ExportSettings
from edge_bench.app.conversion.graph_files import GraphFile, graph_file, input_specs, quantization
from edge_bench.app.conversion.graphs.true_values import TENSOR, decoding_of, true_values
from edge_bench.app.conversion.precisions import PRECISIONS
from edge_bench.bench.dataset.arrays import RANDOM_IMAGES
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.inputs.npz_arrays import load_npz
from edge_bench.bench.inputs.random_values import random_graph_inputs
from edge_bench.bench.inputs.shape_settings import with_shapes
from edge_bench.bench.inputs.specs import GraphInputs, InputSpec
from edge_bench.bench.io.disk_space import require_bundle_space
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.manifest import DatasetInfo, File, Manifest, ModelInfo, Preprocessing, Split, Variant
from edge_bench.bench.records.outputs.decoding import Decoding, ScoreDecoding
from edge_bench.bench.records.outputs.truth import encode_truth
from edge_bench.bench.records.outputs.union import TaskTruth
from edge_bench.bench.wording import counted

__all__ = ["NO_SAVED_MODEL", "RANDOM_VALUES_NOTE", "write_graph_bundle"]

NO_SAVED_MODEL = "the bundle does not include the SavedModel itself: measure it with `edge-bench run`"
RANDOM_VALUES_NOTE = "RANDOM INPUTS: for speed and numerical agreement only, not for quality"
_INT8 = "int8 weights and activations, inputs and outputs as in the model"
#: Data options that also apply to models with any inputs.
_OWN_OPTIONS = ("data", "labels", "threshold", "task", "output", "signature", "shapes", "ranges")


@dataclass(frozen=True)
class _TestSet:
    """The examples of a bundle: selected rows of the inputs."""

    name: str
    specs: list[InputSpec]
    inputs: GraphInputs
    rows: npt.NDArray[np.int64]
    is_random: bool
    decoding: Decoding
    truth: TaskTruth | None

    @property
    def bytes(self) -> int:
        """Size of the rows in bytes."""
        return sum(open_npy(path)[:1].nbytes for path in self.inputs.arrays.values()) * len(self.rows)


def write_graph_bundle(
    source: ConvertibleModel,
    task: str,
    folder: Path,
    options: DataOptions,
    settings: ExportSettings,
    progress: Progress,
) -> Bundle:
    """Write all variants and the test set, then the manifest. Return the bundle as read back from disk.

    Variants that TensorFlow cannot convert are omitted with a note.
    """
    _refuse_image_options(options)
    content = source.convert_graph("float32")
    graph = graph_file(content, source.name)
    variants = list[Variant]()
    if source.parameters is None:
        progress.say(NO_SAVED_MODEL)
    else:
        variants.append(source.write_keras(folder, graph=True))
        graph = graph_file(content, source.name, variants[0])
    tests = _test_set(graph, task, options, settings, progress)
    parameters = model_cost(graph.file).parameters if source.parameters is None else source.parameters
    require_bundle_space(folder, parameters, tests.bytes)
    variants.append(write_graph(folder, graph, "float32", PRECISIONS["float32"], content))
    progress.advance(1, "float32")
    progress.finish()
    examples = _calibration(tests, settings, progress)
    int8_text = ""
    _announce(smaller := [each for each in PRECISIONS if each != "float32"], progress)
    for precision in smaller:
        if precision == "int8" and examples is None:
            progress.say("no int8 variant: it needs --calibration FILE.npz")
            progress.advance(1)
            continue
        try:
            converted = source.convert_graph(precision, examples if precision == "int8" else None)
            own = graph_file(converted, source.name, graph)
            text = _INT8 if precision == "int8" else PRECISIONS[precision]
            if precision == "int8":
                int8_text = _quantized(own)
                progress.say(f"int8: {int8_text}")
            variants.append(write_graph(folder, own, precision, text, converted))
        except EdgeBenchError as cause:
            progress.say(f"no {precision} variant: {cause.problem}")
        progress.advance(1, precision)
    hyper_parameters = {"exported from": source.name} | ({"int8": int8_text} if int8_text else {})
    manifest = _manifest(folder, source.name, parameters, task, hyper_parameters, tests, settings, variants)
    write_atomically(folder / MANIFEST, encode_record(manifest))
    progress.finish(counted(len(variants), "variant"))
    return Bundle.open(folder)


def _announce(precisions: Sequence[str], progress: Progress) -> None:
    progress.start("converting to smaller types", len(precisions))
    progress.expect(None)  # the steps take different times


def _refuse_image_options(options: DataOptions) -> None:
    """Raise BadInput if an option of images or classes is given, because it would have no effect."""
    default = DataOptions()
    for each in fields(DataOptions):
        if each.name not in _OWN_OPTIONS and getattr(options, each.name) != getattr(default, each.name):
            raise BadInput(
                f"--{each.name.replace('_', '-')}: only for image classifiers",
                "omit it and pass the model's inputs with --data FILE.npz",
            )


def _test_set(
    graph: GraphFile, task: str, options: DataOptions, settings: ExportSettings, progress: Progress
) -> _TestSet:
    specs = with_shapes(input_specs(graph), settings.shapes)
    decoding = decoding_of(task, graph.outputs, settings.output_name)
    if options.labels is not None and task == TENSOR:
        raise BadInput(f"--labels {options.labels}: the meaning of the outputs is unknown", "set --task")
    if options.threshold is not None and task not in ("binary", "multilabel"):
        raise BadInput(f"--threshold: not used by --task {task}", "omit it")
    if options.data is None:
        examples = random_graph_inputs(specs, settings.ranges, settings.limit or RANDOM_IMAGES, settings.seed)
    else:
        if settings.ranges:
            raise BadInput("--range: only for random inputs, but --data is given", "omit one of them")
        examples = load_npz(_npz(options.data, "--data"), specs)
    for note in examples.notes:
        progress.say(note)
    rows = draw_evenly(np.zeros(examples.examples, np.int64), settings.limit, settings.seed)
    truth = None
    if options.labels is not None and isinstance(decoding, ScoreDecoding):
        output = graph.outputs[decoding.output]
        truth = true_values(task, output, options.labels, rows, examples.examples, options.threshold)
    name = "random inputs" if options.data is None else options.data.name
    return _TestSet(name, specs, examples, rows, options.data is None, decoding, truth)


def _npz(path: Path, option: str) -> Path:
    if path.suffix != ".npz":
        raise BadInput(f"{option} {path}: the model needs named inputs", "use an .npz file with one array per input")
    return path


def _calibration(
    tests: _TestSet, settings: ExportSettings, progress: Progress
) -> Mapping[str, npt.NDArray[Any]] | None:
    """Return the calibration examples of int8, [n, whole input] by input; None if there are none."""
    if settings.calibration is not None:
        inputs = load_npz(_npz(settings.calibration, "--calibration"), tests.specs)
    elif tests.is_random:
        progress.say("the test set and the int8 calibration are random inputs: use this bundle for speed only")
        inputs = tests.inputs
    else:
        return None
    rows = draw_evenly(np.zeros(inputs.examples, np.int64), CALIBRATION_EXAMPLES, settings.seed)
    found = {}
    for spec in tests.specs:
        values = open_npy(inputs.arrays[spec.name])[rows]
        found[spec.name] = values[:, np.newaxis] if len(spec.example_shape) < len(spec.shape) else values
    return found


def _quantized(graph: GraphFile) -> str:
    """Return a text on the quantized parts of an int8 file."""
    found = quantization(graph)
    parts = [f"quantized inside: {_sides(found.quantized)}"]
    parts += [f"not quantized: {_sides(found.others)}"] if any(found.others.values()) else []
    parts += [f"float32 operators: {', '.join(found.float_operators)}"] if found.float_operators else []
    return "; ".join(parts)


def _sides(sides: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{side} {' '.join(names)}" for side, names in sides.items() if names) or "no inputs or outputs"


def _manifest(
    folder: Path,
    name: str,
    parameters: int,
    task: str,
    hyper_parameters: Mapping[str, str],
    tests: _TestSet,
    settings: ExportSettings,
    variants: list[Variant],
) -> Manifest:
    inputs = dict[str, File]()
    for number, (each, path) in enumerate(tests.inputs.arrays.items()):
        inputs[each] = write_rows(folder, f"test/input-{number}.npy", open_npy(path), tests.rows)
    truth = None
    if tests.truth is not None:
        write_atomically(folder / "test/truth.json", encode_truth(tests.truth))
        truth = file_entry(folder, folder / "test/truth.json")
    return Manifest(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        dataset=DatasetInfo(
            name=tests.name,
            sha256=tests.inputs.sha256,
            classes=[],
            note=RANDOM_VALUES_NOTE if tests.is_random else "",
        ),
        split=Split(train=0, validation=0, test=len(tests.rows)),
        seed=settings.seed,
        model=ModelInfo(name=name, parameters=parameters),
        hyper_parameters=dict(hyper_parameters),
        preprocessing=Preprocessing(scale=1.0, offset=0.0),
        versions=versions(),
        variants=variants,
        task=task,
        test_inputs=inputs,
        decodings={variant.name: tests.decoding for variant in variants},
        truth=truth,
    )
