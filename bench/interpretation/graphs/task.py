"""The task of a run: stated, inferred from the true values, or inferred from the models."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.dataset.listing.walk import find_images
from edge_bench.bench.dataset.options import TASK_NAMES, DataOptions
from edge_bench.bench.dataset.value_labels import task_of_values
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel, graph_models, one_image
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout, head_layout

__all__ = ["TaskChoice", "infer_task", "stated_task", "yolo_heads"]

#: Tasks that take an option which the others do not.
_TASKS_OF = {
    "head": ("detect",), "coordinates": ("detect",), "output_order": ("detect",), "score_threshold": ("detect",),
    "iou_threshold": ("detect",), "class_axis": ("segment",), "mask_values": ("segment",),
    "ignore_mask_values": ("segment",), "output": ("binary", "multilabel", "regress", "detect", "segment"),
    "threshold": (CLASSIFY, "binary", "multilabel"), "label_offset": (CLASSIFY, "detect"),
    "class_order": (CLASSIFY, "detect"), "label_names": (CLASSIFY, "detect"), "crop": (CLASSIFY, "binary", "multilabel",
    "regress", "tensor"), "label_column": (CLASSIFY, "binary", "multilabel", "regress"),
}  # fmt: skip
_NOT_CLASSIFY = ("shapes", "ranges", "signature", "letterbox", "sample_rate")
_FLAGS = {"shapes": "--shape", "ranges": "--range"}
_OPTION = "--task"


class TaskChoice(NamedTuple):
    """The task of all models of a run, and why."""

    name: str
    interpretation: Interpretation


def stated_task(options: DataOptions) -> TaskChoice | None:
    """Return the task from the options or the true values; None if several fit.

    Raise BadInput for an unknown task, or for unusable true values.
    """
    if options.task is not None:
        if options.task not in TASK_NAMES:
            raise BadInput(f"unknown task {options.task[:40]!r}", f"choose from {', '.join(TASK_NAMES)}")
        return _choice(options.task, Source.STATED)
    if options.labels is None:
        return None
    found = _task_of_labels(options.labels, options.output)
    return None if found is None else _choice(found[0], Source.DATA, found[1])


def infer_task(models: ModelFiles, options: DataOptions) -> TaskChoice:
    """Return the task of all models of a run.

    Raise BadInput if the models have different tasks, if it is unclear how true values belong to the outputs, or if an
    option is for another task.
    """
    choice = stated_task(options) or _task_of_models(models, options)
    _refuse_other_options(choice.name, options)
    if choice.name == "tensor" and options.labels is not None:
        raise BadInput(f"{options.labels}: unclear which task these true values are for", f"set the task: {_choices()}")
    return choice


def yolo_heads(model: GraphModel, options: DataOptions, classes: int | None) -> dict[int, HeadLayout]:
    """Return the layout of each output that is a YOLO head for the size of the model's input, by the output's number.

    Outputs are judged by the shapes in the file.
    """
    if model.image is None or -1 in model.image:
        return {}
    objectness = None if options.head is None else options.head == "yolov5"
    found = {}
    for number, spec in enumerate(model.variant.all_outputs):
        try:
            found[number] = head_layout(
                one_image(spec), classes=classes, input_size=(model.image[1], model.image[0]), objectness=objectness
            )
        except BadInput:
            continue
    return found


def _task_of_models(models: ModelFiles, options: DataOptions) -> TaskChoice:
    found = {variant.name: _choice(CLASSIFY, Source.MODEL, "one list of scores") for variant in models.variants}
    graphs = [variant for variant in models.variants if variant.name in models.graphs]
    if len(graphs) == len(models.variants):
        found = {model.variant.name: _task_of_model(model, options) for model in graph_models(models, options)}
    elif graphs:
        found |= {variant.name: _choice("tensor", Source.DEFAULT) for variant in graphs}
    names = {choice.name: variant for variant, choice in reversed(found.items())}
    if len(names) > 1:
        shown = ", ".join(f"{task} ({variant})" for task, variant in names.items())
        raise BadInput(
            f"the models have different tasks: {shown}",
            f"measure them in separate runs, or set one task for all, such as {_OPTION} tensor",
        )
    return next(iter(found.values()))


def _task_of_model(model: GraphModel, options: DataOptions) -> TaskChoice:
    if model.says_postprocess:
        return _choice("detect", Source.MODEL, "its outputs are those of TFLite_Detection_PostProcess")
    if heads := yolo_heads(model, options, None):
        number = next(iter(heads))
        return _choice("detect", Source.MODEL, f"output {number} has the shape of a YOLO head for this input")
    return _choice("tensor", Source.DEFAULT, "the outputs are compared as numbers, without a meaning")


def _choice(name: str, source: Source, reason: str = "") -> TaskChoice:
    return TaskChoice(
        name, Interpretation(subject="task", value=name, source=source, reason=reason, option=f"{_OPTION} {name}")
    )


def _choices() -> str:
    return f"{_OPTION} {', '.join(TASK_NAMES[:-2])} or {TASK_NAMES[-2]}"


def _task_of_labels(labels: Path, output: str | None) -> tuple[str, str] | None:
    """Return the task that fits the true values, and the reason; None if they may be class labels."""
    if labels.is_dir():
        return _task_of_folder(labels)
    if labels.suffix == ".json":
        return "detect", f"{labels.name} has boxes"
    if not labels.exists():
        raise DatasetError(f"{labels}: no such file", "give the true values with --labels")
    task = task_of_values(labels, output)
    reasons = {"regress": "has fractions", "multilabel": "has several classes of an example"}
    return None if task is None else (task, f"{labels.name} {reasons[task]}")


def _task_of_folder(labels: Path) -> tuple[str, str]:
    tasks = {".txt": ("detect", "has a text file for each image"), ".png": ("segment", "has masks")}
    found = [suffix for suffix in tasks if find_images(labels, {suffix}).files]
    text = ("classes.txt", "names.txt")
    if found == [".txt", ".png"] and all(
        Path(name).name in text for name in find_images(labels, {".txt"}).files
    ):  # names of the masks' classes
        found = [".png"]
    if len(found) != 1:
        what = "both .txt and .png files" if found else "neither .txt nor .png files"
        raise DatasetError(
            f"{labels}: {what}, so it is unclear whether they are boxes or masks",
            f"use a folder of one kind, or set {_OPTION} detect or {_OPTION} segment",
        )
    task, reason = tasks[found[0]]
    return task, f"{labels.name} {reason}"


def _refuse_other_options(task: str, options: DataOptions) -> None:
    """Raise BadInput if an option is stated that the task does not take."""
    for name, tasks in _TASKS_OF.items():
        if getattr(options, name) is not None and task not in tasks:
            raise _of_other_tasks(name, task, tasks)
    if task == CLASSIFY:
        for name in _NOT_CLASSIFY:
            if getattr(options, name):
                others = [each for each in TASK_NAMES if each != CLASSIFY]
                raise _of_other_tasks(name, task, others)


def _of_other_tasks(name: str, task: str, tasks: Sequence[str]) -> BadInput:
    flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
    return BadInput(
        f"{flag} is for {', '.join(tasks)}, but the task is {task}", f"omit it, or set {_OPTION} {tasks[0]}"
    )
