"""Agreement of the boxes that two configurations predict in the same images."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.tasks.detection.boxes import Boxes, overlaps

__all__ = ["LEAST_IOU", "SHOWN_SCORE", "BoxAgreement", "BoxDisagreement", "Pairs", "box_agreement", "pair_boxes"]

#: Boxes are partners if they have the same class and at least this overlap (intersection over union).
LEAST_IOU = 0.5
#: Boxes with higher scores are counted. Those with lower ones are mostly noise that no application shows.
SHOWN_SCORE = 0.5
#: Maximum number of listed images.
_MOST_LISTED = 1000


class Pairs(NamedTuple):
    """Boxes of one image that are partners: indices in both lists and their overlap, [pairs] each."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    iou: npt.NDArray[np.float64]


class BoxDisagreement(msgspec.Struct, frozen=True, kw_only=True):
    """An image on which two configurations disagree."""

    image: int  # position in the lists of images
    unmatched: int  # boxes above the score, of both configurations, without a partner
    boxes: int  # boxes above the score, of both configurations
    largest_score_gap: float  # of partners, 0 if there are none


class BoxAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """How many boxes above a score two configurations have in common."""

    score: float  # only boxes with a higher score are counted; their partners may have any score
    boxes: int  # above the score, of both configurations together
    matched: int  # of these, with a partner
    images: int
    mean_iou: float | None  # of the partners; None if there are none
    largest_score_gap: float | None
    worst: list[BoxDisagreement]  # the largest disagreement first, at most a thousand images

    @property
    def share(self) -> float | None:
        """The fraction of boxes with a partner; None if neither configuration predicted a box."""
        return self.matched / self.boxes if self.boxes else None


def pair_boxes(first: Boxes, second: Boxes, least_iou: float = LEAST_IOU) -> Pairs:
    """Return the partners among the boxes of two configurations in one image.

    They have the same class and overlap by at least ``least_iou``. Each box has at most one partner. The pairs that
    overlap most are taken first.
    """
    iou = overlaps(first.corners, second.corners)
    iou[first.classes[:, None] != second.classes[None]] = 0
    rows, columns = np.nonzero(iou >= least_iou)
    values = iou[rows, columns]
    taken_rows, taken_columns, kept = set[int](), set[int](), list[int]()
    for number in np.argsort(-values, kind="stable").tolist():
        row, column = int(rows[number]), int(columns[number])
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            kept.append(number)
    return Pairs(rows[kept].astype(np.int64), columns[kept].astype(np.int64), values[kept])


def box_agreement(first: Sequence[Boxes], second: Sequence[Boxes], score: float = SHOWN_SCORE) -> BoxAgreement:
    """Return the agreement on the same images, in the same order; raise ValueError for different numbers of images."""
    if len(first) != len(second):
        raise ValueError("the boxes are of different images")
    boxes = matched = 0
    ious, gaps, differing = list[float](), list[float](), list[BoxDisagreement]()
    for image, (one, other) in enumerate(zip(first, second, strict=True)):
        pairs = pair_boxes(one, other)
        scores = one.scores[pairs.first].astype(np.float64), other.scores[pairs.second].astype(np.float64)
        above = scores[0] > score, scores[1] > score
        counted = above[0] | above[1]
        of_image = int((one.scores > score).sum() + (other.scores > score).sum())
        with_partner = int(above[0].sum() + above[1].sum())
        gap = np.abs(scores[0] - scores[1])[counted].tolist()
        boxes, matched = boxes + of_image, matched + with_partner
        ious += pairs.iou[counted].tolist()
        gaps += gap
        largest = max(gap, default=0.0)
        if of_image > with_partner or largest > 0:
            differing.append(
                BoxDisagreement(
                    image=image, unmatched=of_image - with_partner, boxes=of_image, largest_score_gap=largest
                )
            )
    differing.sort(key=lambda each: (-each.unmatched, -each.largest_score_gap, each.image))
    return BoxAgreement(
        score=score,
        boxes=boxes,
        matched=matched,
        images=len(first),
        mean_iou=float(np.mean(ious)) if ious else None,
        largest_score_gap=max(gaps) if gaps else None,
        worst=differing[:_MOST_LISTED],
    )
