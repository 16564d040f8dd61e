"""The category of true boxes for each class of a detector: by name, stated, or tested on the images."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from edge_bench.bench.dataset.label_files import index_names
from edge_bench.bench.dataset.options import BOX_CLASS_ORDERS, DataOptions
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.interpretation.graphs.reading.boxes import BoxReading
from edge_bench.bench.interpretation.graphs.reading.class_names import ClassNames
from edge_bench.bench.interpretation.graphs.sampling import MOST_TESTED, Sampler
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.tasks.detection.boxes import GroundTruth
from edge_bench.bench.tasks.detection.class_maps import (
    ClassMap,
    adopted_map,
    check_map,
    compare_maps,
    maps_by_number,
    named_map,
)
from edge_bench.bench.wording import counted

__all__ = ["category_map", "names_of_classes"]


def category_map(
    model: GraphModel, options: DataOptions, reading: BoxReading, truth: GroundTruth, sampler: Sampler
) -> tuple[ClassMap, Interpretation]:
    """Return the category of each class of a detector.

    Names that are stated or in the model's file are compared with those of the categories. A map by name is tested on
    the images. It is refused if the same map shifted by one class is clearly better. Without names, a map is stated or
    tested. Raise BadInput if categories that occur have no class, or if several maps are possible.
    """
    if options.class_order is not None and options.class_order not in BOX_CLASS_ORDERS:
        raise BadInput(
            f"--class-order {options.class_order} is for labels of whole images",
            f"for boxes, choose from {', '.join(BOX_CLASS_ORDERS)}",
        )
    part = _part(truth)
    stated = options.class_order is not None or options.label_offset is not None
    found = None if stated or reading.names is None else _by_name(reading.names, truth)
    if found is not None and reading.names is not None:
        check_map(found, truth)
        _refute(model, found, part, sampler, reading)
        return found, _record(model, found, reading.names.origin, reading.names.source)
    if not stated and (only := _only_map(reading, truth)) is not None:
        return only, _record(model, only, Source.DATA)
    maps = maps_by_number(truth.categories, options.label_offset)
    if options.class_order is not None:
        maps = _ordered(options.class_order, truth)
    if len(maps) == 1 and stated:
        check_map(maps[0], truth)
        return maps[0], _record(model, maps[0], Source.STATED)
    boxes = sampler.boxes(reading.decoding, range(len(part.images)))
    try:
        chosen, result = adopted_map(maps, part, boxes, model.variant.name)
    except BadInput as cause:
        if not options.assume:
            unnamed = all(category.name == f"class {category.id}" for category in truth.categories)
            more = "; list the classes of the true boxes with --label-names FILE" if unnamed else ""
            raise BadInput(cause.problem, cause.remedy + more) from None
        check_map(maps[0], truth)
        return maps[0], _record(model, maps[0], Source.ASSUMED, "one of several")
    check_map(chosen, truth)
    return chosen, _record(model, chosen, Source.TESTED, result)


def _only_map(reading: BoxReading, truth: GroundTruth) -> ClassMap | None:
    """Return the only possible map: for a head with one class, if all true boxes have the same category."""
    occurring = truth.occurring()
    if reading.decoding.form != "yolo" or reading.decoding.classes != 1 or len(occurring) != 1:
        return None
    return ClassMap(occurring, f"the only class is the only category with boxes, {truth.categories[occurring[0]].name}")


def _part(truth: GroundTruth) -> GroundTruth:
    """Return the first images, on which maps are tested."""
    return dataclasses.replace(truth, images=truth.images[:MOST_TESTED], sizes=truth.sizes[:MOST_TESTED])


def _ordered(order: str, truth: GroundTruth) -> list[ClassMap]:
    """Return the map in which classes number the categories in the order of their ids."""
    first = BOX_CLASS_ORDERS.index(order)
    table = np.concatenate([np.full(first, -1, np.int64), np.arange(len(truth.categories))])
    return [ClassMap(table, f"classes number the categories, {order}", f"--class-order {order}")]


def _by_name(names: ClassNames, truth: GroundTruth) -> ClassMap | None:
    """Return the map by name; None if the names in the model's file are not those of the categories.

    Raise DatasetError if names stated by the user are not those of the categories.
    """
    occurring = [truth.categories[number].name for number in truth.occurring().tolist()]
    everything = [category.name for category in truth.categories]
    for wanted in (everything, occurring):
        try:
            outputs = index_names(names.source, names.lines, wanted)
        except DatasetError:
            if wanted is occurring and names.origin is Source.STATED:
                raise
            continue
        return named_map(outputs, truth.categories, f"by name, as {names.source} lists them")
    return None


def _refute(model: GraphModel, found: ClassMap, part: GroundTruth, sampler: Sampler, reading: BoxReading) -> None:
    """Raise BadInput if the labelled images clearly show another map than the one by name.

    The map by name is compared with the same map shifted by one class, and with the usual maps by number.
    """
    table = found.categories
    later = ClassMap(np.append([-1], table), "each name one class later")
    earlier = ClassMap(table[1:], "each name one class earlier")
    maps = [found, later, earlier, *maps_by_number(part.categories)]
    tested = compare_maps(maps, part, sampler.boxes(reading.decoding, range(len(part.images))))
    best = tested.best[0]
    if tested.clear and tested.correct[best] > tested.correct[0]:
        raise BadInput(
            f"{model.variant.name}: its class names do not fit the labelled images: {tested.correct[0]:,} of "
            f"{counted(tested.images, 'image')} are correct as listed, {tested.correct[best]:,} with {maps[best].text}",
            "correct the list of names with --classes, for example its order or a missing background line",
        )


def _record(model: GraphModel, chosen: ClassMap, source: Source, reason: str = "") -> Interpretation:
    return Interpretation(
        subject="labels",
        value=chosen.text,
        source=source,
        reason=reason,
        option=chosen.option or "--classes",
        variant=model.about,
    )


def names_of_classes(reading: BoxReading, chosen: ClassMap | None, truth: GroundTruth | None) -> Sequence[str]:
    """Return the name of each class: from the model's list, or of its category."""
    if reading.names is not None:
        return reading.names.names
    if chosen is None or truth is None:
        return [f"class {number}" for number in range(reading.decoding.classes)]
    table = chosen.categories.tolist()
    return [truth.categories[each].name if each >= 0 else f"class {number}" for number, each in enumerate(table)]
