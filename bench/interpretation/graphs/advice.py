"""Advice for ``run``: the data and options that are needed to measure a model."""

from typing import NamedTuple

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel, graph_models
from edge_bench.bench.interpretation.graphs.task import infer_task
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.run import CLASSIFY

__all__ = ["RunAdvice", "run_advice"]

_LABELS = {
    CLASSIFY: "--labels FILE, or a folder of images per class",
    "detect": "--labels BOXES.json, or a folder of YOLO's .txt files",
    "tensor": "--labels, with --task if they do not determine it",
}
_SHOWN = 10


class RunAdvice(NamedTuple):
    """The inferred task of a model and the options that ``run`` takes for it."""

    task: str
    reason: str
    required: list[str]  # options without which the model cannot be measured on random inputs
    data: str  # what --data is
    labels: str  # the option for true values
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    signatures: list[str]


def run_advice(models: ModelFiles) -> RunAdvice:
    """Return the advice for the only model of ``models``; raise BadInput if it cannot be measured."""
    (variant,) = models.variants
    choice = infer_task(models, DataOptions())
    graph = models.graphs.get(variant.name)
    if graph is None:
        sizes = variant.input.shape[1:]
        required = ["--image-size"] if -1 in sizes else []
        data = "a folder of images, a .npy or an .npz" if len(sizes) in (2, 3) else "a .npy or an .npz"
    else:
        (model,) = graph_models(models, DataOptions())
        required, data = _required(model), _data(model)
    return RunAdvice(
        task=choice.name,
        reason=choice.interpretation.reason,
        required=required,
        data=data,
        labels=_LABELS[choice.name],
        inputs=variant.all_inputs,
        outputs=variant.all_outputs,
        signatures=[] if graph is None else [each.name for each in graph.signatures],
    )


def _required(model: GraphModel) -> list[str]:
    found = []
    for spec, own in zip(model.inputs, model.variant.all_inputs, strict=True):
        if -1 in spec.example_shape:
            sizes = [1 if number == 0 and size == -1 else size for number, size in enumerate(spec.shape)]
            found.append(f"--shape {spec.name}={'x'.join('N' if size == -1 else str(size) for size in sizes)}")
        if spec.type.kind in "iu" and spec.type.itemsize > 1 and not own.scale:
            found.append(f"--range {spec.name}=LOW..HIGH")
    return found


def _data(model: GraphModel) -> str:
    if model.image is not None:
        return "a folder of images, a .npy or an .npz"
    names = [spec.name for spec in model.inputs]
    if len(names) > 1:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"an .npz with the arrays {', '.join(names[:_SHOWN])}{more}"
    sounds = ", or a folder of .wav files" if model.variant.input.dtype == "float32" else ""
    return f"a .npy, an .npz with the array {names[0]}{sounds}"
