"""The workload of a task other than classify: examples of all models, how outputs are read, and true values."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.dataset.graph_examples import GraphExamples
from edge_bench.bench.dataset.listing.walk import find_images
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.task_images import labels_sha256, list_task_images
from edge_bench.bench.dataset.workload import ModelInput, Workload
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.files_workload import RANDOM_NOTE
from edge_bench.bench.interpretation.graphs.feeding.examples import TaskExamples
from edge_bench.bench.interpretation.graphs.feeding.feeds import array_examples, random_examples, sound_examples
from edge_bench.bench.interpretation.graphs.feeding.pictures import picture_examples
from edge_bench.bench.interpretation.graphs.feeding.unused import refuse_unused_options
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel, graph_models
from edge_bench.bench.interpretation.graphs.reading.read import ReadingJob, read_outputs
from edge_bench.bench.interpretation.graphs.sampling import Sampler, SamplerFactory
from edge_bench.bench.interpretation.graphs.task import TaskChoice, infer_task
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding, TensorDecoding
from edge_bench.bench.records.run import BundleIdentity, Settings

__all__ = ["graph_workload"]

_SOUNDS = {".wav"}


def graph_workload(
    models: ModelFiles,
    options: DataOptions,
    settings: Settings,
    progress: Progress,
    open_sampler: SamplerFactory,
    choice: TaskChoice | None = None,
) -> Workload:
    """Load the examples for models of a task other than classify, and decide how their outputs are read.

    open_sampler: returns outputs of some examples of a model; choice: the task, as `infer_task` returns it
    Raise DatasetError or BadInput if data, true values and models do not match each other, if they can be read in
    several ways, or if an option has no effect.
    """
    choice = choice or infer_task(models, options)
    known = graph_models(models, options)
    examples = _examples(known, options, settings, progress, choice.name)
    refuse_unused_options(known, examples, options)

    def sampler_of(model: GraphModel) -> Sampler:
        return open_sampler(model.variant, _graph_examples(model, examples, TensorDecoding(), None))

    read = read_outputs(ReadingJob(known, examples, options, sampler_of, progress, choice.name))
    interpretations = (choice.interpretation, *examples.interpretations, *read.interpretations)
    notes = [*models.notes, *examples.notes, *read.notes, *_stated_nowhere(interpretations)]
    for note in notes:
        progress.say(note)
    graphs = {
        model.variant.name: _graph_examples(
            model, examples, read.decodings[model.variant.name], read.categories.get(model.variant.name)
        )
        for model in known
    }
    first = graphs[known[0].variant.name]
    return Workload(
        identity=_identity(models, examples, graphs, read.names, options, choice.name),
        indices=examples.indices,
        labels=None,
        total_images=examples.total,
        shared=ModelInput(
            first.inputs[0].file, first.rows, first.inputs[0].preprocessing or Preprocessing(scale=1.0, offset=0.0)
        ),
        interpretations=tuple(interpretations),
        notes=tuple(notes),
        task=choice.name,
        graphs=graphs,
        truth=read.truth,
        true_masks=read.masks,
        sizes=examples.sizes,
    )


def _examples(
    models: Sequence[GraphModel], options: DataOptions, settings: Settings, progress: Progress, task: str
) -> TaskExamples:
    path = options.data
    if path is None:
        return random_examples(models, options, settings)
    if options.ranges:
        raise BadInput("--range is for random inputs, but --data names other inputs", "omit one of them")
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder", "give images, sounds, a .npy or an .npz with --data")
    if path.is_dir():
        if not all(model.image for model in models) and find_images(path, _SOUNDS).files:
            return sound_examples(models, path, options, settings)
        for model in models:
            model.known_image  # noqa: B018 - raises if the model takes no images, before they are searched for
        images = list_task_images(path, options.labels, task)
        return picture_examples(models, images, options, settings, progress, task)
    if path.suffix not in (".npy", ".npz"):
        raise DatasetError(
            f"{path}: unsupported kind of data file", "give a folder of images or sounds, a .npy or an .npz with --data"
        )
    return array_examples(models, path, options, settings)


def _graph_examples(
    model: GraphModel, examples: TaskExamples, decoding: Decoding, categories: tuple[int, ...] | None
) -> GraphExamples:
    own = examples.models[model.variant.name]
    return GraphExamples(own.inputs, own.rows, own.shapes, model.variant.signature, decoding, categories)


def _stated_nowhere(records: Sequence[Interpretation]) -> list[str]:
    """Return descriptions of the interpretations that were not stated."""
    return [str(record) for record in records if record.source is not Source.STATED]


def _identity(
    models: ModelFiles,
    examples: TaskExamples,
    graphs: Mapping[str, GraphExamples],
    names: Sequence[str],
    options: DataOptions,
    task: str,
) -> BundleIdentity:
    """Return an identity that replaces a bundle's: equal for the same files, data, true values and interpretations."""
    files = sorted((variant.name, variant.sha256) for variant in models.variants)
    labels = labels_sha256(options.labels, examples.label_files)
    feeds = [
        (name, [_feed(each.preprocessing) for each in own.inputs], sorted(own.shapes.items()), own.signature,
         own.categories, msgspec.to_builtins(_stored(own.decoding)))
        for name, own in sorted(graphs.items())
    ]  # fmt: skip
    content = [task, files, examples.sha256, labels, feeds, list(names), _file_digest(options.mask_values)]
    data = msgspec.json.encode([examples.sha256, labels]) if labels else b""
    return BundleIdentity(
        sha256=hashlib.sha256(msgspec.json.encode(content)).hexdigest(),
        created="",
        model=models.name,
        parameters=models.parameters,
        dataset=examples.name,
        dataset_sha256=hashlib.sha256(data).hexdigest() if data else examples.sha256,
        classes=list(names),
        note=RANDOM_NOTE if examples.random else "",
    )


def _feed(preprocessing: Preprocessing | None) -> object:
    return None if preprocessing is None else msgspec.to_builtins(preprocessing)


def _stored(decoding: Decoding) -> Decoding:
    return msgspec.structs.replace(decoding, sizes=None) if isinstance(decoding, BoxDecoding) else decoding


def _file_digest(path: Path | None) -> str:
    return "" if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
