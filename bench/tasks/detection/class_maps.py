"""The category of each class of a detector: maps by number, and their test on labelled images.

A map by the names of the classes needs no test. Without names, a class may be the index of a category, or its id, with
or without a background class. A wrong offset gives a mean average precision near 0, and no error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.stats.selection import select_best
from edge_bench.bench.tasks.detection.boxes import Boxes, Category, GroundTruth, TrueBoxes, overlaps
from edge_bench.bench.wording import counted

__all__ = [
    "ClassMap",
    "MapTest",
    "adopted_map",
    "check_map",
    "classes_on_true_boxes",
    "compare_maps",
    "maps_by_number",
    "named_map",
]

#: A box lies on a true box if they overlap by at least this (intersection over union).
_ON_TRUE_BOX = 0.5
_REMEDY = "list the names of the model's classes with --classes FILE"
#: Number of maps that are listed if none is clearly better.
_LISTED = 3
Correct = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ClassMap:
    """The category of each class of a model."""

    categories: npt.NDArray[np.int64]  # [classes]: index of the category, negative for none
    text: str
    option: str = ""  # the option that selects it

    def of(self, classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the category of each class, negative for none."""
        table = np.append(self.categories, -1)
        return table[np.clip(classes, 0, len(self.categories))]


@dataclass(frozen=True)
class MapTest:
    """The result of testing maps on the labelled images."""

    correct: list[int]  # number of correct images, for each map
    images: int  # number of images with a detection on a true box
    best: list[int]  # maps that may be the best, the one with the most correct images first
    clear: bool  # whether one is clearly better than the others, and than a single category for all boxes


def named_map(outputs: dict[str, int], categories: Sequence[Category], text: str = "by name") -> ClassMap:
    """Return the map in which the category called ``name`` is class ``outputs[name]``.

    Categories without an entry have no class. `match_names` finds the entries.
    """
    table = np.full(max(outputs.values(), default=-1) + 1, -1, np.int64)
    for number, category in enumerate(categories):
        if category.name in outputs:
            table[outputs[category.name]] = number
    return ClassMap(table, text)


def maps_by_number(categories: Sequence[Category], label_offset: int | None = None) -> list[ClassMap]:
    """Return the usual maps, the most common one first.

    categories: ascending by id; label_offset: number to add to a category's id to get its class, if stated
    """
    ids = np.array([category.id for category in categories], np.int64)
    order = np.arange(len(ids))
    found: list[ClassMap] = []
    for offset in (0, -1) if label_offset is None else (label_offset,):  # COCO's ids begin at 1
        words = {0: "classes are the ids of categories", -1: "classes are the ids of categories minus 1"}
        text = words.get(offset, f"classes are the ids of categories plus {offset}")
        found.append(_table(ids + offset, text, f"--label-offset {offset}"))
    if label_offset is None:
        found.append(_table(order, "classes number the categories in the order of their ids", "--class-order id"))
        text = "classes number the categories in the order of their ids, after a background class"
        found.append(_table(order + 1, text, "--class-order id-after-background"))
    # in YOLO's files the ids are the order
    unique = {each.categories.tobytes(): each for each in reversed(found)}
    return [each for each in found if unique[each.categories.tobytes()] is each]


def _table(classes: npt.NDArray[np.int64], text: str, option: str) -> ClassMap:
    """Return the map in which category ``i`` is class ``classes[i]``; negative classes are left out."""
    table = np.full(max(int(classes.max(initial=-1)) + 1, 0), -1, np.int64)
    possible = classes >= 0
    table[classes[possible]] = np.flatnonzero(possible)
    return ClassMap(table, text, option)


def check_map(chosen: ClassMap, truth: GroundTruth) -> None:
    """Raise BadInput if a category that occurs has no class, so that the model cannot predict its objects."""
    mapped = set(chosen.categories.tolist())
    missing = [truth.categories[number].name for number in truth.occurring().tolist() if number not in mapped]
    if missing:
        more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
        raise BadInput(
            f"{counted(len(missing), 'category')} with true boxes are not classes of the model: "
            f"{', '.join(missing[:3])}{more}",
            _REMEDY,
        )


def compare_maps(maps: Sequence[ClassMap], truth: GroundTruth, detections: Sequence[Boxes]) -> MapTest:
    """Test maps on labelled images.

    The class of a true box is that of the best detection on it. An image is right under a map if at least half of its
    true boxes with such a detection get their category. Images are independent; boxes of one image are not. The most
    accurate map is compared with each other one, and with the most frequent category for all boxes, by McNemar's test
    (`select_best`).
    """
    per_image = [classes_on_true_boxes(boxes, found) for boxes, found in zip(truth.images, detections, strict=True)]
    told = [each for each in per_image if len(each[0])]
    if not told or not maps:
        return MapTest([0] * len(maps), len(told), list(range(len(maps))), clear=False)
    correct = [_right(told, each) for each in maps]
    same = [each.of(np.concatenate([classes for _, classes in told])).tobytes() for each in maps]
    groups = select_best(correct, same=same).groups
    frequent = np.bincount(np.concatenate([categories for categories, _ in told])).argmax()
    always = np.array([2 * np.count_nonzero(categories == frequent) >= len(categories) for categories, _ in told])
    beaten = select_best([always, correct[groups[0][0]]]).groups == ((1,),)
    best = [number for group in groups for number in group]
    return MapTest([int(each.sum()) for each in correct], len(told), best, clear=beaten and len(groups) == 1)


def adopted_map(
    maps: Sequence[ClassMap], truth: GroundTruth, detections: Sequence[Boxes], model: str
) -> tuple[ClassMap, str]:
    """Return the map that is clearly the best on the labelled images, and a description of the test's result.

    Raise BadInput if none is. The message lists the options that select one.
    """
    tested = compare_maps(maps, truth, detections)
    ranked = sorted(range(len(maps)), key=lambda number: (-tested.correct[number], number))
    if tested.clear:
        chosen = maps[tested.best[0]]
        check_map(chosen, truth)
        rest = [number for number in ranked if number not in tested.best]
        others = f", next best {tested.correct[rest[0]]:,}: {maps[rest[0]].text}" if rest else ""
        return chosen, f"{tested.correct[tested.best[0]]:,} of {counted(tested.images, 'image')} correct{others}"
    choices = "; ".join(
        f"{maps[number].option} ({tested.correct[number]:,} of {counted(tested.images, 'image')} correct)"
        for number in ranked[:_LISTED]
    )
    raise BadInput(
        f"{model}: the labelled images do not show the category of each class: {choices}",
        f"{_REMEDY}, or use one of these options",
    )


def classes_on_true_boxes(true: TrueBoxes, found: Boxes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the categories of the true boxes with a detection, and the class of the best detection on each."""
    asked = ~true.crowd
    on = overlaps(true.corners[asked], found.corners) >= _ON_TRUE_BOX
    hit = on.any(axis=1) if on.size else np.zeros(len(on), np.bool_)
    best = np.where(on, found.scores[None], -np.inf)[hit].argmax(axis=1) if hit.any() else np.zeros(0, np.int64)
    return true.categories[asked][hit], found.classes[best]


def _right(told: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]], chosen: ClassMap) -> Correct:
    return np.array(
        [2 * np.count_nonzero(chosen.of(classes) == categories) >= len(categories) for categories, classes in told]
    )
