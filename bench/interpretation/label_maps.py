"""Candidates for the model's output of each class in the data."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.label_files import index_names
from edge_bench.bench.dataset.options import BOX_CLASS_ORDERS, CLASS_ORDERS, DataOptions
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata
from edge_bench.bench.records.interpretation import Source
from edge_bench.bench.wording import counted

__all__ = ["ClassLabels", "LabelMap", "LabelMaps", "label_maps"]


@dataclass(frozen=True)
class ClassLabels:
    """Labels as in the data; ``order`` as in `ImageList`."""

    values: npt.NDArray[np.int64]
    classes: Sequence[str]
    order: str
    source: str  # of the data, for messages


@dataclass(frozen=True)
class LabelMap:
    """The model's output of each label."""

    outputs: npt.NDArray[np.int64]  # [labels]
    text: str
    option: str
    by_rank: bool = False  # outputs were assigned to the sorted classes one after another

    def names(self, classes: Sequence[str], outputs: int) -> list[str]:
        """Return the name of each output; one without a class is named by its number."""
        named = {
            int(output): classes[label] if label < len(classes) else str(label)
            for label, output in enumerate(self.outputs)
        }
        first = "background" if self.outputs.size and int(self.outputs.min()) == 1 else "output 0"
        return [named.get(output, first if output == 0 else f"output {output}") for output in range(outputs)]


@dataclass(frozen=True)
class LabelMaps:
    """The possible maps, the conventional one first, and the source if there is only one."""

    options: tuple[LabelMap, ...]
    source: Source
    reason: str = ""


def label_maps(labels: ClassLabels, outputs: int, metadata: ModelMetadata | None, options: DataOptions) -> LabelMaps:
    """Return all maps that fit a model with this number of outputs; raise BadInput if none does."""
    if labels.order == "stated":
        if len(labels.classes) > outputs:
            raise BadInput(
                f"--classes lists {counted(len(labels.classes), 'name')}, but the model has "
                f"{counted(outputs, 'output')}",
                "list the outputs of this model, one name per line",
            )
        base = np.arange(len(labels.classes))
        offsets = _offsets(options, complete=len(labels.classes) == outputs)
        return _shifted([(base, "as --classes lists them", "", False)], labels, outputs, offsets, Source.STATED)
    if labels.order == "numbers":
        largest = int(labels.values.max(initial=0))
        base = np.arange(max(largest + 1, len(labels.classes)))
        source = Source.DATA if options.label_offset is None else Source.STATED
        return _shifted([(base, "as the data numbers them", "", False)], labels, outputs, _offsets(options), source)
    if options.class_order is None and (named := _by_metadata(labels, outputs, metadata, options)) is not None:
        return named
    orders = _class_orders(labels.classes)
    if options.class_order is not None:
        if options.class_order in BOX_CLASS_ORDERS:
            raise BadInput(
                f"--class-order {options.class_order} is for boxes",
                f"for labels, choose from {', '.join(CLASS_ORDERS)}",
            )
        if options.class_order not in orders:
            raise BadInput(
                f"--class-order {options.class_order}: the class names do not differ in exactly one number",
                "use --class-order alphabetical, or list the names of the outputs with --classes",
            )
        orders = {options.class_order: orders[options.class_order]}
    bases = [
        (table, _ORDER_TEXTS[name], f"--class-order {name}" if len(orders) > 1 else "", name != "number")
        for name, table in orders.items()
    ]
    stated = options.class_order is not None and options.label_offset is not None
    return _shifted(bases, labels, outputs, _offsets(options), Source.STATED if stated else Source.DEFAULT)


def _by_metadata(
    labels: ClassLabels, outputs: int, metadata: ModelMetadata | None, options: DataOptions
) -> LabelMaps | None:
    """Return the maps by the names in a model's label file; None if it has none, or names other than the data."""
    if metadata is None or not metadata.labels:
        return None
    try:
        index = index_names(metadata.label_file, metadata.labels, labels.classes)
    except DatasetError:
        return None  # tested as if there were no names
    table = np.array([index[name] for name in labels.classes], np.int64)
    base = (table, f"by name, as the model's {metadata.label_file} lists them", "", False)
    offsets = _offsets(options, complete=len(metadata.labels) >= outputs)
    return _shifted([base], labels, outputs, offsets, Source.MODEL)


def _offsets(options: DataOptions, *, complete: bool = False) -> tuple[int, ...]:
    """Return the possible offsets; none but 0 if the list of the outputs' names is ``complete``."""
    if options.label_offset is not None:
        return (options.label_offset,)
    return (0,) if complete else (0, 1, -1)


_ORDER_TEXTS = {
    "alphabetical": "classes in alphabetical order",
    "natural": "classes in the order of their numbers",
    "number": "the numbers in the names of the classes",
}


def _class_orders(classes: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
    """Return the output of each class by the order's name; orders that give the same outputs are listed once.

    If the names differ in one number only (digit-3, digit-10), that number or the rank of the name may be the output.
    The number is preferred, because it stays right if a class is missing.
    """
    ranks = np.arange(len(classes), dtype=np.int64)
    orders = {}
    if (numbers := _numbers_in(classes)) is not None:
        orders["number"] = numbers
        orders["natural"] = np.argsort(np.argsort(numbers)).astype(np.int64)
    orders["alphabetical"] = ranks
    found: dict[str, npt.NDArray[np.int64]] = {}
    for name, table in orders.items():
        if not any(np.array_equal(table, other) for other in found.values()):
            found[name] = table
    return found


def _numbers_in(classes: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """Return the only number in which the names differ, one per class, or None."""
    parts = [re.fullmatch(r"(.*?)(\d{1,5})(\D*)", name, re.DOTALL) for name in classes]
    if not all(parts) or len({(part[1], part[3]) for part in parts if part}) != 1:
        return None
    numbers = [int(part[2]) for part in parts if part]
    return np.array(numbers, np.int64) if len(set(numbers)) == len(numbers) else None


def _shifted(
    bases: Sequence[tuple[npt.NDArray[np.int64], str, str, bool]],
    labels: ClassLabels,
    outputs: int,
    offsets: tuple[int, ...],
    source: Source,
) -> LabelMaps:
    """Return the maps for every base and every offset that fit."""
    maps: list[LabelMap] = []
    for table, text, option, by_rank in bases:
        for offset in offsets:
            moved = table + offset
            text_of_offset = f", plus {offset}" if offset > 0 else f", minus {-offset}" if offset else ""
            words = [option, f"--label-offset {offset}"] if len(offsets) > 1 else [option]
            candidate = LabelMap(moved, text + text_of_offset, " ".join(word for word in words if word), by_rank)
            if _fits(candidate, labels, outputs) and not any(_same(candidate, other, labels) for other in maps):
                maps.append(candidate)
    if not maps:
        raise _does_not_fit(LabelMap(bases[0][0] + offsets[0], bases[0][1], ""), offsets[0], labels, outputs)
    if len(maps) > 1:
        return LabelMaps(tuple(maps), Source.DEFAULT)
    reasons = {Source.STATED: "", Source.MODEL: "its metadata says so"}
    return LabelMaps(tuple(maps), source, reasons.get(source, f"no other order fits {counted(outputs, 'output')}"))


def _used(candidate: LabelMap, labels: ClassLabels) -> npt.NDArray[np.int64]:
    """Return the outputs of all classes by name, and of all labels that occur."""
    if labels.order == "alphabetical":
        return candidate.outputs
    used: npt.NDArray[np.int64] = candidate.outputs[np.unique(labels.values)]
    return used


def _fits(candidate: LabelMap, labels: ClassLabels, outputs: int) -> bool:
    used = _used(candidate, labels)
    return not used.size or bool(used.min() >= 0 and used.max() < outputs)


def _same(first: LabelMap, second: LabelMap, labels: ClassLabels) -> bool:
    return np.array_equal(_used(first, labels), _used(second, labels))


def _does_not_fit(candidate: LabelMap, offset: int, labels: ClassLabels, outputs: int) -> BadInput:
    """Return the error for labels without an output."""
    if labels.order == "numbers":
        worst = int(np.unique(labels.values)[np.abs(_used(candidate, labels) - outputs / 2).argmax()])
        moved = f", shifted to {worst + offset}" if offset else ""
        return BadInput(
            f"{labels.source}: label {worst}{moved}, but the model has {counted(outputs, 'output')}",
            "use data that fits the model, or another --label-offset",
        )
    if offset:
        return BadInput(
            f"--label-offset {offset} shifts the classes of {labels.source} to outputs {candidate.outputs.min()} to "
            f"{candidate.outputs.max()}, but the model has {counted(outputs, 'output')}",
            "use another --label-offset",
        )
    last = ", ".join(labels.classes[-3:])
    return BadInput(
        f"{labels.source} has {counted(len(labels.classes), 'class')} (the last: {last}), but the model "
        f"has {counted(outputs, 'output')}",
        "move folders that are not classes elsewhere, or list the names of the outputs with --classes",
    )
