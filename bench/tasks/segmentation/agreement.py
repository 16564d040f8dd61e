"""Agreement of two configurations: the share of pixels with the same class."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.outputs.masks import Segmentation, unpacked_mask
from edge_bench.bench.tasks.segmentation.class_maps import resized

__all__ = ["MaskAgreement", "mask_agreement"]

#: Maximum number of listed images.
_MOST_LISTED = 1000


class MaskAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement on the images whose masks both records store."""

    images: int
    total_images: int  # including those that are not stored
    identical: int  # images with the same class at every pixel
    same_share: float | None  # of all pixels; None: no image
    worst_share: float | None
    worst_image: int | None  # position in the list of common images: the first of those with the lowest share
    worst_images: list[int] = []  # those with different classes somewhere, the lowest share first, at most a thousand


def mask_agreement(
    first: Segmentation, second: Segmentation, common: Sequence[npt.NDArray[np.int64]] | None = None
) -> MaskAgreement:
    """Compare two configurations' masks pixel by pixel. A pixel without a class agrees with nothing.

    common: the positions of the same images in the first and in the second record; by default all images. Masks of
    different sizes are resized (nearest) to the greater height and width. Raise ValueError if the numbers of classes
    differ or a mask is damaged.
    """
    if first.classes != second.classes:
        raise ValueError(f"masks of {first.classes} and of {second.classes} classes")
    if common is None:
        common = (np.arange(first.images), np.arange(second.images))
    same, total, shares, places = 0, 0, list[float](), list[int]()
    for place, (one, other) in enumerate(zip(*common, strict=True)):
        ours, theirs = first.masks[one], second.masks[other]
        if ours is None or theirs is None:
            continue
        size = max(ours.height, theirs.height), max(ours.width, theirs.width)
        mask = resized(unpacked_mask(ours), *size)
        equal = int(np.count_nonzero((mask == resized(unpacked_mask(theirs), *size)) & (mask != first.classes)))
        same, total = same + equal, total + mask.size
        shares.append(equal / mask.size)
        places.append(place)
    order = np.argsort(shares, kind="stable").tolist()
    worst = order[0] if order else None
    return MaskAgreement(
        images=len(shares),
        total_images=len(common[0]),
        identical=shares.count(1.0),
        same_share=same / total if total else None,
        worst_share=None if worst is None else shares[worst],
        worst_image=None if worst is None else places[worst],
        worst_images=[places[number] for number in order if shares[number] < 1][:_MOST_LISTED],
    )
