"""The images on whose boxes two configurations disagree most, with the boxes of both."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.entries import Entry
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.report.image_source import ImageSource, Picture
from edge_bench.app.report.pictures.pair import MAX_SHOWN, Compared, Pair, class_name
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth, Detections
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.tasks.detection.agreement import (
    LEAST_IOU,
    SHOWN_SCORE,
    BoxDisagreement,
    box_agreement,
    pair_boxes,
)
from edge_bench.bench.tasks.detection.boxes import Boxes
from edge_bench.bench.tasks.detection.packed import unpack_boxes
from edge_bench.bench.wording import counted

__all__ = ["compare_boxes", "show_boxes"]

_SIDE = 320
#: Boxes of one kind in a picture; more hide each other.
_MAX_BOXES = 20
_FIRST, _SECOND, _TRUE = "#0072b2", "#d55e00", "#f0e442"
Sizes = npt.NDArray[np.int64]


class _Box(NamedTuple):
    corners: npt.NDArray[np.floating[Any]]  # x0, y0, x1, y1 in pixels of the original image
    text: str
    colour: str
    dashed: bool = False  # a true box
    alone: bool = False  # without a partner


class _Found:
    """The boxes of both on their common images, and the agreement."""

    def __init__(self, pair: Pair) -> None:
        sides = [_detections(entry) for entry in (pair.first, pair.second)]
        boxes = [unpack_boxes(outputs.boxes, sizes) for outputs, sizes in sides]
        self.boxes = [[own[position] for position in common] for own, common in zip(boxes, pair.common, strict=True)]
        self.sizes = sides[0][1][pair.common[0]]
        self.agreement = box_agreement(self.boxes[0], self.boxes[1])


def compare_boxes(pair: Pair) -> Compared:
    """Return the agreement of two detectors' boxes; raise ValueError if a record is damaged."""
    found = _Found(pair).agreement
    if found.share is None:
        text = f"no box with a score above {found.score:g}"
    else:
        overlap = "" if found.mean_iou is None else f", mean overlap {found.mean_iou:.3f}"
        gap = "" if not found.largest_score_gap else f", scores differ by up to {found.largest_score_gap:.3f}"
        text = f"{found.matched:,} of {counted(found.boxes, 'box')} are matched{overlap}{gap}"
    share = 1.0 if found.share is None else found.share
    worst = tuple(each.image for each in found.worst[:MAX_SHOWN])
    return Compared(text, 1 - share + 1e-3 * (found.largest_score_gap or 0), worst)


def show_boxes(pair: Pair, compared: Compared) -> Html | None:
    """Return the worst images, with the boxes of both side by side if the images are known."""
    if not compared.worst:
        return None
    found, images = _Found(pair), pair.section.images
    true = {} if images is None else _true_boxes(pair, compared.worst)
    items = [
        element(
            "li",
            element("p", f"{pair.example_name(each.image)}: {_remark(each)}", class_="small"),
            None if images is None else _side_by_side(pair, found, each.image, images, true.get(each.image, [])),
        )
        for each in found.agreement.worst[:MAX_SHOWN]
    ]
    legend = (
        f"Shown: boxes with a score above {SHOWN_SCORE:g} and the boxes that match them, with any score. Boxes match "
        f"if they have the same class and an intersection over union of at least {LEAST_IOU:g}. Thick: no match."
    )
    legend += " Dashed: true boxes." if true else ""
    return fragment(element("p", legend, class_="small"), element("ul", *items, class_="pictures"))


def _remark(found: BoxDisagreement) -> str:
    parts = [f"{found.unmatched:,} of {counted(found.boxes, 'box')} have no match"] if found.unmatched else []
    parts += (
        [f"scores of matched boxes differ by up to {found.largest_score_gap:.3f}"] if found.largest_score_gap else []
    )
    return ", ".join(parts)


def _detections(entry: Entry) -> tuple[Detections, Sizes]:
    outputs = entry.result.outputs
    if not isinstance(outputs, Detections) or outputs.sizes.length != 2 * entry.run.images.indices.length:
        raise ValueError("the boxes are of other images")
    sizes = unpack(outputs.sizes).astype(np.int64).reshape(-1, 2)
    if not sizes.size or sizes.min() < 1:
        raise ValueError("an image without pixels")
    return outputs, sizes


def _side_by_side(pair: Pair, found: _Found, place: int, images: ImageSource, true: Sequence[_Box]) -> Html:
    size = int(found.sizes[place][0]), int(found.sizes[place][1])
    picture = images.picture(int(pair.numbers[place]), _SIDE, size)
    sides = found.boxes[0][place], found.boxes[1][place]
    partners = pair_boxes(*sides)
    own = (partners.first, partners.second), (partners.second, partners.first)
    panels = []
    for number, (entry, name, colour) in enumerate(
        zip((pair.first, pair.second), pair.names, (_FIRST, _SECOND), strict=True)
    ):
        shown = sides[number].scores > SHOWN_SCORE
        mine, theirs = own[number]
        shown[mine[sides[1 - number].scores[theirs] > SHOWN_SCORE]] = True
        alone = shown.copy()
        alone[mine] = False
        # those without a partner last, on top of the others, and kept if there are too many
        found_boxes = [
            *_drawn(pair, entry, sides[number], shown & ~alone, colour),
            *_drawn(pair, entry, sides[number], alone, colour, alone=True),
        ]
        drawn = [*true[:_MAX_BOXES], *found_boxes[-_MAX_BOXES:]]
        left_out = max(int(shown.sum()) - _MAX_BOXES, 0) + max(len(true) - _MAX_BOXES, 0)
        panels.append(_panel(picture, size, drawn, name, left_out, colour))
    return element("div", *panels, class_="side")


def _drawn(
    pair: Pair, entry: Entry, boxes: Boxes, shown: npt.NDArray[np.bool_], colour: str, *, alone: bool = False
) -> list[_Box]:
    """Return the shown boxes of a configuration, the highest score last."""
    outputs, truth = entry.result.outputs, entry.run.truth
    names: dict[int, str] = {}
    if isinstance(outputs, Detections) and outputs.categories is not None and isinstance(truth, BoxTruth):
        listed = truth.categories
        names = {
            number: listed[category].name
            for number, category in enumerate(outputs.categories)
            if 0 <= category < len(listed)
        }
    return [
        _Box(corners, f"{class_name(pair.section, int(number), names)} {score:.2f}", colour, alone=alone)
        for corners, number, score in zip(*(part[shown][::-1] for part in boxes), strict=True)
    ]


def _true_boxes(pair: Pair, places: Sequence[int]) -> dict[int, list[_Box]]:
    """Return the true boxes of common images by their place, without those of crowds; empty if they are unknown."""
    truth = pair.first.run.truth
    if not isinstance(truth, BoxTruth):
        return {}
    counts, corners = unpack(truth.counts).astype(np.int64), unpack_values(truth.corners).astype(np.float64)
    categories, crowd = unpack(truth.box_categories).astype(np.int64), unpack(truth.crowd) > 0
    total = int(counts.sum())
    lengths = (len(counts), len(corners), len(categories), len(crowd))
    fits = lengths == (pair.first.run.images.indices.length, 4 * total, total, total)
    if not fits or counts.min(initial=0) < 0 or counts.max(initial=0) > total:
        raise ValueError("the true boxes do not fit the images")
    names = {number: category.name for number, category in enumerate(truth.categories)}
    ends = np.cumsum(counts)
    found = {}
    for place in places:
        end, count = int(ends[pair.common[0][place]]), int(counts[pair.common[0][place]])
        found[place] = [
            _Box(corners[4 * each : 4 * each + 4], class_name(pair.section, int(categories[each]), names), _TRUE, True)
            for each in range(end - count, end)
            if not crowd[each]
        ]
    return found


def _panel(
    picture: Picture, size: tuple[int, int], boxes: Sequence[_Box], name: str, left_out: int, colour: str
) -> Html:
    more = f", and {counted(left_out, 'more box')}" if left_out else ""
    described = "; ".join(box.text for box in boxes if not box.dashed) or "none"
    svg = element(
        "svg",
        element("image", href=picture.address, width=str(picture.width), height=str(picture.height)),
        *(_rectangle(box, picture, size) for box in boxes),
        viewBox=f"0 0 {picture.width} {picture.height}",
        width=str(picture.width),
        height=str(picture.height),
        role="img",
        aria_label=f"Boxes of {name}: {described}",
        class_="boxes",
    )
    swatch = element("span", "", class_="swatch", style=f"background:{colour}", aria_hidden="true")
    return element("div", svg, element("p", swatch, with_badges(f" {name}{more}"), class_="small"))


def _rectangle(box: _Box, picture: Picture, size: tuple[int, int]) -> Html | None:
    """Return a box, cut at the picture's borders, with its text; None if nothing of it is within."""
    limits = np.array([picture.width, picture.height] * 2, np.float64)
    scale = limits / np.array([*size, *size])
    with np.errstate(invalid="ignore", over="ignore"):
        corners = np.clip(np.nan_to_num(box.corners * scale), 0, limits)
    left, top, right, bottom = (float(value) for value in corners)
    if right <= left or bottom <= top:
        return None
    rectangle = element(
        "rect",
        element("title", box.text),
        x=f"{left:.1f}",
        y=f"{top:.1f}",
        width=f"{right - left:.1f}",
        height=f"{bottom - top:.1f}",
        stroke=box.colour,
        stroke_dasharray="5 3" if box.dashed else None,
        stroke_width="3.5" if box.alone else "1.5",
    )
    if box.dashed:
        return rectangle
    is_right = left > picture.width * 0.6
    label = element(
        "text",
        box.text,
        x=f"{right - 2 if is_right else left + 2:.1f}",
        y=f"{max(top + 11, 11):.1f}",
        text_anchor="end" if is_right else None,
    )
    return fragment(rectangle, label)
